//! CLIENT REPLY and CLIENT NO-EVICT: what a connection chooses for itself.

use super::{ADMIN_ANY_TIME, ANY_TIME, parse_on_off};
use crate::client::ReplyMode;
use crate::command::*;
use crate::{FrontContext, FrontHandler};

pub(super) static NO_EVICT: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "no-evict",
        group: Group::Connection,
        summary: "Chooses whether the connection may be closed to save memory.",
        since: "7.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: ADMIN_ANY_TIME,
        categories: Categories::CONNECTION,
        args: &[Arg::one_of(
            "enabled",
            &[Arg::flag("on", "ON"), Arg::flag("off", "OFF")],
        )],
        ..CommandSpec::BLANK
    },
    body: Body::Run(no_evict),
};

pub(super) static REPLY: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "reply",
        group: Group::Connection,
        summary: "Chooses which commands get a reply.",
        since: "3.2.0",
        complexity: "O(1)",
        arity: 3,
        flags: ANY_TIME,
        categories: Categories::CONNECTION,
        args: &[Arg::one_of(
            "on_off_skip",
            &[
                Arg::flag("on", "ON"),
                Arg::flag("off", "OFF"),
                Arg::flag("skip", "SKIP"),
            ],
        )],
        ..CommandSpec::BLANK
    },
    body: Body::Run(reply),
};

fn no_evict(cx: &mut FrontContext<'_>) -> CommandResult {
    cx.client().no_evict = parse_on_off(cx.args[2])?;
    cx.reply.ok();
    Ok(())
}

fn reply(cx: &mut FrontContext<'_>) -> CommandResult {
    let mode = cx.args[2].to_ascii_lowercase();
    let client = cx.client();
    match mode.as_slice() {
        b"on" => {
            client.reply_mode = ReplyMode::On;
            cx.reply.ok();
        }
        b"off" => client.reply_mode = ReplyMode::Off,
        // Who gets no reply at all has none to skip.
        b"skip" if client.reply_mode == ReplyMode::Off => {}
        b"skip" => client.reply_mode = ReplyMode::SkipThis,
        _ => return Err(CommandError::Syntax),
    }
    Ok(())
}
