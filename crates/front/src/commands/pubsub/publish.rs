//! PUBLISH and SPUBLISH: send a message.

use crate::command::*;
use crate::{FrontContext, FrontHandler};

pub(crate) static PUBLISH: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "publish",
        group: Group::PubSub,
        summary: "Sends a message to a channel.",
        since: "2.0.0",
        complexity: "O(N+M)",
        arity: 3,
        flags: Flags::PUBSUB
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::MAY_REPLICATE),
        args: &[Arg::string("channel"), Arg::string("message")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(publish),
};

pub(crate) static SPUBLISH: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "spublish",
        group: Group::PubSub,
        summary: "Sends a message to a shard channel.",
        since: "7.0.0",
        complexity: "O(N)",
        arity: 3,
        flags: Flags::PUBSUB
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::MAY_REPLICATE),
        keys: &[KeySpec::one(KeyFlags::NOT_KEY, 1)],
        args: &[Arg::string("shardchannel"), Arg::string("message")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(spublish),
};

fn publish(cx: &mut FrontContext<'_>) -> CommandResult {
    let receivers = cx.front.publish(false, cx.args[1], cx.args[2]);
    cx.reply.integer(receivers as i64);
    Ok(())
}

fn spublish(cx: &mut FrontContext<'_>) -> CommandResult {
    let receivers = cx.front.publish(true, cx.args[1], cx.args[2]);
    cx.reply.integer(receivers as i64);
    Ok(())
}
