//! SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their opposites.

use crate::command::*;
use crate::pubsub::Kind;
use crate::{FrontContext, FrontHandler};

pub(crate) static SUBSCRIBE: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "subscribe",
        group: Group::PubSub,
        summary: "Listens to channels.",
        since: "2.0.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::PUBSUB
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        args: &[Arg::string("channel").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(subscribe),
};

pub(crate) static PSUBSCRIBE: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "psubscribe",
        group: Group::PubSub,
        summary: "Listens to all channels that match patterns.",
        since: "2.0.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::PUBSUB
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        args: &[Arg::block("pattern", &[Arg::pattern("pattern")]).multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(psubscribe),
};

pub(crate) static SSUBSCRIBE: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "ssubscribe",
        group: Group::PubSub,
        summary: "Listens to shard channels.",
        since: "7.0.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::PUBSUB
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        keys: &[KeySpec::range(KeyFlags::NOT_KEY, 1, -1, 1)],
        args: &[Arg::string("shardchannel").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(ssubscribe),
};

pub(crate) static UNSUBSCRIBE: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "unsubscribe",
        group: Group::PubSub,
        summary: "Stops listening to channels, all of them if none is named.",
        since: "2.0.0",
        complexity: "O(N)",
        arity: -1,
        flags: Flags::PUBSUB
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        args: &[Arg::string("channel").optional().multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(unsubscribe),
};

pub(crate) static PUNSUBSCRIBE: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "punsubscribe",
        group: Group::PubSub,
        summary: "Stops listening to patterns, all of them if none is named.",
        since: "2.0.0",
        complexity: "O(N+M)",
        arity: -1,
        flags: Flags::PUBSUB
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        args: &[Arg::pattern("pattern").optional().multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(punsubscribe),
};

pub(crate) static SUNSUBSCRIBE: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "sunsubscribe",
        group: Group::PubSub,
        summary: "Stops listening to shard channels, all of them if none is named.",
        since: "7.0.0",
        complexity: "O(N)",
        arity: -1,
        flags: Flags::PUBSUB
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        keys: &[KeySpec::range(KeyFlags::NOT_KEY, 1, -1, 1)],
        args: &[Arg::string("shardchannel").optional().multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(sunsubscribe),
};

fn subscribe(cx: &mut FrontContext<'_>) -> CommandResult {
    listen(cx, Kind::Channel, "subscribe")
}

fn psubscribe(cx: &mut FrontContext<'_>) -> CommandResult {
    listen(cx, Kind::Pattern, "psubscribe")
}

fn ssubscribe(cx: &mut FrontContext<'_>) -> CommandResult {
    listen(cx, Kind::ShardChannel, "ssubscribe")
}

fn unsubscribe(cx: &mut FrontContext<'_>) -> CommandResult {
    stop(cx, Kind::Channel, "unsubscribe")
}

fn punsubscribe(cx: &mut FrontContext<'_>) -> CommandResult {
    stop(cx, Kind::Pattern, "punsubscribe")
}

fn sunsubscribe(cx: &mut FrontContext<'_>) -> CommandResult {
    stop(cx, Kind::ShardChannel, "sunsubscribe")
}

/// One confirmation: what happened, to which name, how many subscriptions are left.
fn confirm(cx: &mut FrontContext<'_>, kind: Kind, word: &str, name: Option<&[u8]>) {
    let subscriptions = cx.client().subscriptions.as_ref();
    let left = subscriptions.map_or(0, |subscriptions| match kind {
        Kind::ShardChannel => subscriptions.shard_channels.len(),
        Kind::Channel | Kind::Pattern => subscriptions.count(),
    });
    cx.reply.push(3);
    cx.reply.bulk(word);
    match name {
        Some(name) => cx.reply.bulk(name),
        None => cx.reply.null(),
    }
    cx.reply.integer(left as i64);
}

fn listen(cx: &mut FrontContext<'_>, kind: Kind, word: &str) -> CommandResult {
    let args = cx.args;
    for name in &args[1..] {
        let client = cx
            .front
            .clients
            .get_mut(cx.client)
            .expect("a client outlives its command");
        cx.front.pubsub.subscribe(client, kind, name);
        confirm(cx, kind, word, Some(name));
    }
    Ok(())
}

fn stop(cx: &mut FrontContext<'_>, kind: Kind, word: &str) -> CommandResult {
    let named: Vec<Box<[u8]>> = match cx.args {
        [_] => match &mut cx.client().subscriptions {
            Some(subscriptions) => subscriptions.of(kind).iter().cloned().collect(),
            None => Vec::new(),
        },
        [_, names @ ..] => names.iter().map(|&name| name.into()).collect(),
        [] => unreachable!("a request has a name"),
    };
    if named.is_empty() {
        confirm(cx, kind, word, None);
    }
    for name in named {
        let client = cx
            .front
            .clients
            .get_mut(cx.client)
            .expect("a client outlives its command");
        cx.front.pubsub.unsubscribe(client, kind, &name);
        confirm(cx, kind, word, Some(&name));
    }
    Ok(())
}
