//! MONITOR: see every command that runs.

use crate::commands::prelude::*;

pub(super) static MONITOR: Command = Command {
    spec: CommandSpec {
        name: "monitor",
        group: Group::Server,
        summary: "Shows every command that runs, as it runs.",
        since: "1.0.0",
        arity: 1,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(monitor)),
};

fn monitor(cx: &mut ServerContext<'_>) -> CommandResult {
    if cx.deny_blocking {
        return Err(CommandError::text(
            "ERR MONITOR isn't allowed for DENY BLOCKING client",
        ));
    }
    let key = cx.client;
    let client = cx.client();
    // A second MONITOR is passed over in silence.
    if client.monitor {
        return Ok(());
    }
    client.monitor = true;
    cx.server.monitors.add(key);
    cx.reply.ok();
    Ok(())
}
