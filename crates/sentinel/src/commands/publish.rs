//! PUBLISH to a Sentinel: how other Sentinels announce themselves; nobody else has anything to publish here.

use super::prelude::*;
use crate::core::{Event, HELLO_CHANNEL};

pub(super) static PUBLISH: Command = Command {
    spec: CommandSpec {
        name: "publish",
        group: Group::PubSub,
        summary: "Announces a Sentinel to this one.",
        since: "2.0.0",
        complexity: "O(N+M)",
        arity: 3,
        flags: Flags::PUBSUB
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST),
        args: &[Arg::string("channel"), Arg::string("message")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(publish),
};

fn publish(cx: &mut SentinelContext<'_>) -> CommandResult {
    if cx.args[1] != HELLO_CHANNEL.as_bytes() {
        return Err(CommandError::text(
            "ERR Only HELLO messages are accepted by Sentinel instances.",
        ));
    }
    let hello = Event::Hello(cx.args[2].to_vec());
    cx.sentinel.core.handle(cx.now, hello);
    cx.reply.integer(1);
    Ok(())
}
