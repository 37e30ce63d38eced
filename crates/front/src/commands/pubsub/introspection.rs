//! PUBSUB: who listens to what.

use crate::command::*;
use crate::{FrontContext, FrontHandler};

pub(crate) static PUBSUB: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "pubsub",
        group: Group::PubSub,
        summary: "Holds the commands about channels and their subscribers.",
        since: "2.8.0",
        complexity: "Depends on subcommand.",
        arity: -2,
        ..CommandSpec::BLANK
    },
    body: Body::Container(&[
        &CHANNELS,
        &HELP,
        &NUMPAT,
        &NUMSUB,
        &SHARDCHANNELS,
        &SHARDNUMSUB,
    ]),
};

static CHANNELS: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "channels",
        group: Group::PubSub,
        summary: "Returns the channels with subscribers.",
        since: "2.8.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::PUBSUB.and(Flags::LOADING).and(Flags::STALE),
        args: &[Arg::pattern("pattern").optional()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(channels),
};

static HELP: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "help",
        group: Group::PubSub,
        summary: "Explains the subcommands.",
        since: "6.2.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        ..CommandSpec::BLANK
    },
    body: Body::Run(help),
};

static NUMPAT: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "numpat",
        group: Group::PubSub,
        summary: "Counts the patterns that are subscribed to.",
        since: "2.8.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::PUBSUB.and(Flags::LOADING).and(Flags::STALE),
        ..CommandSpec::BLANK
    },
    body: Body::Run(numpat),
};

static NUMSUB: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "numsub",
        group: Group::PubSub,
        summary: "Counts the subscribers of channels.",
        since: "2.8.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::PUBSUB.and(Flags::LOADING).and(Flags::STALE),
        args: &[Arg::string("channel").optional().multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(numsub),
};

static SHARDCHANNELS: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "shardchannels",
        group: Group::PubSub,
        summary: "Returns the shard channels with subscribers.",
        since: "7.0.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::PUBSUB.and(Flags::LOADING).and(Flags::STALE),
        args: &[Arg::pattern("pattern").optional()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(shardchannels),
};

static SHARDNUMSUB: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "shardnumsub",
        group: Group::PubSub,
        summary: "Counts the subscribers of shard channels.",
        since: "7.0.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::PUBSUB.and(Flags::LOADING).and(Flags::STALE),
        args: &[Arg::string("shardchannel").optional().multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(shardnumsub),
};

fn channels(cx: &mut FrontContext<'_>) -> CommandResult {
    names(cx, false)
}

fn shardchannels(cx: &mut FrontContext<'_>) -> CommandResult {
    names(cx, true)
}

fn names(cx: &mut FrontContext<'_>, shard: bool) -> CommandResult {
    if cx.args.len() > 3 {
        return Err(unknown_subcommand_or_arity(cx.args));
    }
    let names = cx.front.pubsub.names(shard, cx.args.get(2).copied());
    cx.reply.array(names.len());
    for name in names {
        cx.reply.bulk(name);
    }
    Ok(())
}

fn numsub(cx: &mut FrontContext<'_>) -> CommandResult {
    counts(cx, false)
}

fn shardnumsub(cx: &mut FrontContext<'_>) -> CommandResult {
    counts(cx, true)
}

fn counts(cx: &mut FrontContext<'_>, shard: bool) -> CommandResult {
    cx.reply.array((cx.args.len() - 2) * 2);
    for name in &cx.args[2..] {
        cx.reply.bulk(name);
        cx.reply
            .integer(cx.front.pubsub.subscribers(shard, name) as i64);
    }
    Ok(())
}

fn numpat(cx: &mut FrontContext<'_>) -> CommandResult {
    cx.reply.integer(cx.front.pubsub.pattern_count() as i64);
    Ok(())
}

fn help(cx: &mut FrontContext<'_>) -> CommandResult {
    describe::help(
        &mut cx.reply,
        b"pubsub",
        &[
            (
                "CHANNELS [<pattern>]",
                "Show the channels with subscribers.",
            ),
            ("NUMPAT", "Count the patterns that are subscribed to."),
            (
                "NUMSUB [<channel> ...]",
                "Count the subscribers of channels.",
            ),
            (
                "SHARDCHANNELS [<pattern>]",
                "Show the shard channels with subscribers.",
            ),
            (
                "SHARDNUMSUB [<shardchannel> ...]",
                "Count the subscribers of shard channels.",
            ),
        ],
    );
    Ok(())
}
