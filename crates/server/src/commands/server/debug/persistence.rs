//! DEBUG's subcommands about files.

use crate::commands::prelude::*;

pub(super) fn aof_flush_sleep(cx: &mut ServerContext<'_>) -> CommandResult {
    let text = String::from_utf8_lossy(cx.args[2]);
    // As clients know it: what is no number is no time.
    cx.server.aof.flush_sleep_us = text.trim().parse().unwrap_or(0);
    cx.reply.ok();
    Ok(())
}

pub(super) fn loadaof(cx: &mut ServerContext<'_>) -> CommandResult {
    if cx.server.is_loading() {
        return Err(CommandError::Loading);
    }
    let waiting = (!cx.deny_blocking).then_some(cx.client);
    cx.server.reload_aof(waiting, cx.args);
    if waiting.is_none() {
        cx.reply.ok();
    }
    Ok(())
}
