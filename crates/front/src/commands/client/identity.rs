//! CLIENT ID, GETNAME and SETNAME: who am I to the server.

use super::ANY_TIME;
use crate::command::*;
use crate::commands::hello::check_name;
use crate::{FrontContext, FrontHandler};

pub(super) static GETNAME: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "getname",
        group: Group::Connection,
        summary: "Returns the name of the connection.",
        since: "2.6.9",
        complexity: "O(1)",
        arity: 2,
        flags: ANY_TIME,
        categories: Categories::CONNECTION,
        ..CommandSpec::BLANK
    },
    body: Body::Run(getname),
};

pub(super) static ID: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "id",
        group: Group::Connection,
        summary: "Returns the number of the connection.",
        since: "5.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: ANY_TIME,
        categories: Categories::CONNECTION,
        ..CommandSpec::BLANK
    },
    body: Body::Run(id),
};

pub(super) static SETNAME: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "setname",
        group: Group::Connection,
        summary: "Names the connection.",
        since: "2.6.9",
        complexity: "O(1)",
        arity: 3,
        flags: ANY_TIME,
        categories: Categories::CONNECTION,
        args: &[Arg::string("connection-name")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(setname),
};

fn getname(cx: &mut FrontContext<'_>) -> CommandResult {
    let name = cx.client().name.clone();
    match name.is_empty() {
        true => cx.reply.null(),
        false => cx.reply.bulk(name),
    }
    Ok(())
}

fn id(cx: &mut FrontContext<'_>) -> CommandResult {
    let id = cx.client().id as i64;
    cx.reply.integer(id);
    Ok(())
}

fn setname(cx: &mut FrontContext<'_>) -> CommandResult {
    check_name(cx.args[2])?;
    let name = cx.args[2].to_vec();
    cx.client().name = name;
    cx.reply.ok();
    Ok(())
}
