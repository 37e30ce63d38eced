//! SHUTDOWN: ends the process.

use crate::commands::prelude::*;
use crate::persistence::shutdown::{FAILED, Requested, Shutdown};
use front::client::BlockReason;

pub(super) static SHUTDOWN: Command = Command {
    spec: CommandSpec {
        name: "shutdown",
        group: Group::Server,
        summary: "Stops the server.",
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
    body: Body::Run(Handler::Server(shutdown)),
};

fn shutdown(cx: &mut ServerContext<'_>) -> CommandResult {
    let mut abort = false;
    let (mut save, mut nosave, mut now, mut force) = (false, false, false, false);
    for word in &cx.args[1..] {
        match word.to_ascii_uppercase().as_slice() {
            b"ABORT" => abort = true,
            b"SAVE" => save = true,
            b"NOSAVE" => nosave = true,
            b"NOW" => now = true,
            b"FORCE" => force = true,
            _ => return Err(CommandError::Syntax),
        }
    }
    if save && nosave {
        return Err(CommandError::Syntax);
    }
    if abort {
        if save || nosave || now || force {
            return Err(CommandError::Syntax);
        }
        if !cx.server.abort_shutdown() {
            return Err(CommandError::text("ERR No shutdown in progress."));
        }
        front::log_notice!("Shutdown manually aborted.");
        cx.reply.ok();
        return Ok(());
    }
    if cx.deny_blocking && !now {
        return Err(CommandError::text(
            "ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client",
        ));
    }
    let how = Shutdown {
        save: (save || nosave).then_some(save),
        force,
        now,
    };
    match cx.server.request_shutdown(how, Some(cx.client)) {
        Requested::Stops => Ok(()),
        Requested::Waits => {
            cx.server
                .park_request(cx.client, BlockReason::Shutdown, None, cx.args);
            Ok(())
        }
        Requested::Failed => Err(CommandError::text(FAILED)),
    }
}
