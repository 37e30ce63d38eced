//! DEBUG MALLCTL: the allocator's settings and figures by name.

use crate::commands::prelude::*;
use front::mallctl;

fn refused(error: &std::io::Error) -> CommandError {
    CommandError::err(front::log::io_reason(error))
}

pub(super) fn number(cx: &mut ServerContext<'_>) -> CommandResult {
    let set = match cx.args.get(3) {
        Some(word) => Some(parse_integer(word)? as u64),
        None => None,
    };
    let value = mallctl::number(cx.args[2], set).map_err(|error| refused(&error))?;
    cx.reply.integer(value as i64);
    Ok(())
}

pub(super) fn text(cx: &mut ServerContext<'_>) -> CommandResult {
    let name = cx.args[2];
    match cx.args.get(3) {
        Some(value) if value.eq_ignore_ascii_case(b"void") => {
            mallctl::act(name).map_err(|error| refused(&error))?;
            cx.reply.ok();
        }
        // No text of the allocator can be set while it runs.
        Some(_) => {
            return Err(CommandError::text("ERR Operation not permitted"));
        }
        None => {
            let text = mallctl::text(name).map_err(|error| refused(&error))?;
            cx.reply.bulk(text);
        }
    }
    Ok(())
}
