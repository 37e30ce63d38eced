//! SHUTDOWN: ends the process. What it knows is on disk already.

use super::prelude::*;

pub(super) static SHUTDOWN: Command = Command {
    spec: CommandSpec {
        name: "shutdown",
        group: Group::Server,
        summary: "Stops the Sentinel.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: -1,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::NO_MULTI)
            .and(Flags::ALLOW_BUSY),
        args: &[
            Arg::one_of(
                "nosave_save",
                &[Arg::flag("nosave", "NOSAVE"), Arg::flag("save", "SAVE")],
            )
            .optional(),
            Arg::flag("now", "NOW").optional().since("7.0.0"),
            Arg::flag("force", "FORCE").optional().since("7.0.0"),
            Arg::flag("abort", "ABORT").optional().since("7.0.0"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(shutdown),
};

fn shutdown(cx: &mut SentinelContext<'_>) -> CommandResult {
    let known: [&[u8]; 4] = [b"nosave", b"save", b"now", b"force"];
    for word in &cx.args[1..] {
        if word.eq_ignore_ascii_case(b"abort") {
            // A Sentinel has nothing to wait for, so there is never one to abort.
            return Err(CommandError::text("ERR No shutdown in progress."));
        }
        if !known.iter().any(|known| word.eq_ignore_ascii_case(known)) {
            return Err(CommandError::Syntax);
        }
    }
    cx.sentinel.stop();
    Ok(())
}
