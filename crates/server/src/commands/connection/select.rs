//! SELECT: which db the client works in.

use crate::commands::prelude::*;

pub(super) static SELECT: Command = Command {
    spec: CommandSpec {
        name: "select",
        group: Group::Connection,
        summary: "Changes the db of the connection.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE).and(Flags::FAST),
        categories: Categories::CONNECTION,
        args: &[Arg::integer("index")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(select)),
};

fn select(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.client().db = parse_db_index(cx.args[1], cx.server.keyspace.count())?;
    cx.reply.ok();
    Ok(())
}
