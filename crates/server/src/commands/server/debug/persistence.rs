//! DEBUG's subcommands about files.

use crate::commands::prelude::*;
use crate::effects::FlushScope;
use crate::persistence::recovery::dump_to_load;

pub(super) fn aof_flush_sleep(cx: &mut ServerContext<'_>) -> CommandResult {
    let text = String::from_utf8_lossy(cx.args[2]);
    // As clients know it: what is no number is no time.
    cx.server.aof.flush_sleep_us = text.trim().parse().unwrap_or(0);
    cx.reply.ok();
    Ok(())
}

/// Saves the dataset, empties the keyspace and loads what was saved; words leave out a part of that.
pub(super) fn reload(cx: &mut ServerContext<'_>) -> CommandResult {
    let (mut save, mut flush, mut merge) = (true, true, false);
    for word in &cx.args[2..] {
        match word.to_ascii_uppercase().as_slice() {
            b"NOSAVE" => save = false,
            b"NOFLUSH" => flush = false,
            b"MERGE" => merge = true,
            _ => {
                return Err(CommandError::text(
                    "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
                ));
            }
        }
    }
    if cx.server.is_loading() {
        return Err(CommandError::Loading);
    }
    if save && !cx.server.save() {
        return Err(CommandError::text("ERR"));
    }
    let path = cx.server.dump_path();
    let Ok(size) = cx.server.aof.disk.size(&path) else {
        return Err(CommandError::text(
            "ERR Error trying to load the RDB dump, check server logs.",
        ));
    };
    if flush {
        cx.server.empty(FlushScope::All, false);
    }
    let waiting = (!cx.deny_blocking).then_some(cx.client);
    let files = vec![dump_to_load(path, size)];
    cx.server.reload_files(files, merge, waiting, cx.args);
    if waiting.is_none() {
        cx.reply.ok();
    }
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
