//! TIME: the server's clock.

use crate::commands::prelude::*;

pub(super) static TIME: Command = Command {
    spec: CommandSpec {
        name: "time",
        group: Group::Server,
        summary: "Returns the server's time: seconds and microseconds.",
        since: "2.6.0",
        complexity: "O(1)",
        arity: 1,
        flags: Flags::LOADING.and(Flags::STALE).and(Flags::FAST),
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(time)),
};

fn time(cx: &mut ServerContext<'_>) -> CommandResult {
    // Even in a script, for which time stands still otherwise: this command is how it looks at the clock.
    cx.server.front.clock.update();
    let now_us = cx.server.front.clock.now_us();
    cx.reply.array(2);
    cx.reply.bulk_int(now_us / 1_000_000);
    cx.reply.bulk_int(now_us % 1_000_000);
    Ok(())
}
