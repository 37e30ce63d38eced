//! CLIENT PAUSE and CLIENT UNPAUSE: all clients, or those that write, wait.

use super::ADMIN_ANY_TIME;
use crate::command::*;
use crate::{FrontContext, FrontHandler, OwnerTask, PauseKind};

pub(super) static PAUSE: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "pause",
        group: Group::Connection,
        summary: "Lets all clients wait for a time, or those that write.",
        since: "2.9.50",
        complexity: "O(1)",
        arity: -3,
        flags: ADMIN_ANY_TIME,
        categories: Categories::CONNECTION,
        args: &[
            Arg::integer("timeout"),
            Arg::one_of(
                "mode",
                &[Arg::flag("write", "WRITE"), Arg::flag("all", "ALL")],
            )
            .optional()
            .since("6.2.0"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(pause),
};

pub(super) static UNPAUSE: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "unpause",
        group: Group::Connection,
        summary: "Ends CLIENT PAUSE.",
        since: "6.2.0",
        complexity: "O(N) where N is the number of waiting clients",
        arity: 2,
        flags: ADMIN_ANY_TIME,
        categories: Categories::CONNECTION,
        ..CommandSpec::BLANK
    },
    body: Body::Run(unpause),
};

fn pause(cx: &mut FrontContext<'_>) -> CommandResult {
    let kind = match cx.args[3..] {
        [] => PauseKind::All,
        [mode] if mode.eq_ignore_ascii_case(b"write") => PauseKind::Writes,
        [mode] if mode.eq_ignore_ascii_case(b"all") => PauseKind::All,
        [_] => {
            return Err(CommandError::text(
                "ERR CLIENT PAUSE mode must be WRITE or ALL",
            ));
        }
        _ => return Err(unknown_subcommand_or_arity(cx.args)),
    };
    const NOT_A_TIME: CommandError =
        CommandError::text("ERR timeout is not an integer or out of range");
    let milliseconds = parse_integer(cx.args[2]).map_err(|_| NOT_A_TIME)?;
    if milliseconds < 0 {
        return Err(CommandError::text("ERR timeout is negative"));
    }
    let until = cx.front.clock.now().saturating_add(milliseconds);
    cx.front.ask_owner(OwnerTask::Pause { kind, until });
    cx.reply.ok();
    Ok(())
}

fn unpause(cx: &mut FrontContext<'_>) -> CommandResult {
    cx.front.ask_owner(OwnerTask::Unpause);
    cx.reply.ok();
    Ok(())
}
