//! CLIENT ID, GETNAME and SETNAME: who am I to the server.

use super::hello::check_name;
use crate::commands::prelude::*;

pub(super) static CLIENT: Command = Command {
    spec: CommandSpec {
        name: "client",
        group: Group::Connection,
        summary: "Holds the commands about client connections.",
        since: "2.4.0",
        complexity: "Depends on subcommand.",
        arity: -2,
        ..CommandSpec::BLANK
    },
    body: Body::Container(&[&GETNAME, &ID, &SETNAME]),
};

static GETNAME: Command = Command {
    spec: CommandSpec {
        name: "getname",
        group: Group::Connection,
        summary: "Returns the name of the connection.",
        since: "2.6.9",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE),
        categories: Categories::CONNECTION,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(getname)),
};

static ID: Command = Command {
    spec: CommandSpec {
        name: "id",
        group: Group::Connection,
        summary: "Returns the number of the connection.",
        since: "5.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE),
        categories: Categories::CONNECTION,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(id)),
};

static SETNAME: Command = Command {
    spec: CommandSpec {
        name: "setname",
        group: Group::Connection,
        summary: "Names the connection.",
        since: "2.6.9",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE),
        categories: Categories::CONNECTION,
        args: &[Arg::string("connection-name")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(setname)),
};

fn getname(cx: &mut ServerContext<'_>) -> CommandResult {
    let name = cx.client().name.clone();
    match name.is_empty() {
        true => cx.reply.null(),
        false => cx.reply.bulk(name),
    }
    Ok(())
}

fn id(cx: &mut ServerContext<'_>) -> CommandResult {
    let id = cx.client().id as i64;
    cx.reply.integer(id);
    Ok(())
}

fn setname(cx: &mut ServerContext<'_>) -> CommandResult {
    check_name(cx.args[2])?;
    let name = cx.args[2].to_vec();
    cx.client().name = name;
    cx.reply.ok();
    Ok(())
}
