//! PING and ECHO: is anybody there?

use crate::command::*;
use crate::{FrontContext, FrontHandler};

pub(super) static PING: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "ping",
        group: Group::Connection,
        summary: "Answers PONG, or the message.",
        arity: -1,
        flags: Flags::FAST,
        categories: Categories::CONNECTION,
        args: &[Arg::string("message").optional()],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(ping),
};

pub(super) static ECHO: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "echo",
        group: Group::Connection,
        summary: "Answers the message.",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE).and(Flags::FAST),
        categories: Categories::CONNECTION,
        args: &[Arg::string("message")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(echo),
};

fn ping(cx: &mut FrontContext<'_>) -> CommandResult {
    let message = match cx.args {
        [_] => None,
        [_, message] => Some(*message),
        _ => return Err(CommandError::WrongArity("ping".into())),
    };
    // A RESP2 subscriber tells replies from messages by their shape.
    if cx.client().in_subscriber_mode() {
        cx.reply.array(2);
        cx.reply.bulk("pong");
        cx.reply.bulk(message.unwrap_or_default());
        return Ok(());
    }
    match message {
        Some(message) => cx.reply.bulk(message),
        None => cx.reply.simple("PONG"),
    }
    Ok(())
}

fn echo(cx: &mut FrontContext<'_>) -> CommandResult {
    cx.reply.bulk(cx.args[1]);
    Ok(())
}
