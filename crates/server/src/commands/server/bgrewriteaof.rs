//! BGREWRITEAOF: makes the AOF as short as the data needs.

use crate::commands::prelude::*;

pub(super) static BGREWRITEAOF: Command = Command {
    spec: CommandSpec {
        name: "bgrewriteaof",
        group: Group::Server,
        summary: "Rewrites the append only file from the data, in the background.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 1,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::NO_ASYNC_LOADING),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(bgrewriteaof)),
};

fn bgrewriteaof(cx: &mut ServerContext<'_>) -> CommandResult {
    if cx.server.is_rewriting() {
        return Err(CommandError::text(
            "ERR Background append only file rewriting already in progress",
        ));
    }
    // In a transaction it would begin with a part of it.
    if cx.server.is_writing_snapshot() || cx.deny_blocking {
        cx.server.aof.rewrite_scheduled = true;
        cx.reply
            .simple("Background append only file rewriting scheduled");
        return Ok(());
    }
    cx.server.start_rewrite();
    cx.reply
        .simple("Background append only file rewriting started");
    Ok(())
}
