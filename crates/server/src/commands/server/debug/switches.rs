//! What DEBUG turns on and off.

use crate::commands::prelude::*;
use crate::config::parse_memory;
use front::PeakReset;
use store::encoding::quicklist;

/// Behaviour that tests change; a node starts with the defaults.
#[derive(Clone, Debug)]
pub(crate) struct DebugSwitches {
    /// Keys whose time has come are deleted though nobody looks at them.
    pub(crate) active_expire: bool,
    /// The periodic work rests.
    pub(crate) cron_paused: bool,
    /// RDB files and RESTORE payloads are taken without a look at their checksum.
    pub(crate) skip_checksum_validation: bool,
    /// Scripts may call commands that are denied to them.
    pub(crate) scripts_may_call_anything: bool,
}

impl Default for DebugSwitches {
    fn default() -> DebugSwitches {
        DebugSwitches {
            active_expire: true,
            cron_paused: false,
            skip_checksum_validation: false,
            scripts_may_call_anything: false,
        }
    }
}

/// A switch's word: a number other than 0 at its start is on, anything else off.
fn is_on(word: &[u8]) -> bool {
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    digits.into_iter().any(|&digit| digit != b'0')
}

pub(super) fn set_active_expire(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.server.debug.active_expire = is_on(cx.args[2]);
    cx.reply.ok();
    Ok(())
}

pub(super) fn pause_cron(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.server.debug.cron_paused = is_on(cx.args[2]);
    cx.reply.ok();
    Ok(())
}

pub(super) fn change_replid(cx: &mut ServerContext<'_>) -> CommandResult {
    front::log_warning!("Changing replication IDs after receiving DEBUG change-repl-id");
    cx.server.change_replication_id();
    cx.reply.ok();
    Ok(())
}

pub(super) fn set_skip_checksum_validation(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.server.debug.skip_checksum_validation = is_on(cx.args[2]);
    cx.reply.ok();
    Ok(())
}

pub(super) fn replicate(cx: &mut ServerContext<'_>) -> CommandResult {
    let replication = &mut cx.server.replication;
    if replication.wants_stream() {
        replication.stream.append_anywhere(&cx.args[2..]);
    }
    cx.reply.ok();
    Ok(())
}

pub(super) fn set_disable_deny_scripts(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.server.debug.scripts_may_call_anything = is_on(cx.args[2]);
    cx.reply.ok();
    Ok(())
}

pub(super) fn replybuffer(cx: &mut ServerContext<'_>) -> CommandResult {
    let (what, word) = (cx.args[2], cx.args[3]);
    let front = &mut cx.server.front;
    if what.eq_ignore_ascii_case(b"peak-reset-time") {
        front.set_reply_peak_reset(if word.eq_ignore_ascii_case(b"never") {
            PeakReset::Never
        } else if word.eq_ignore_ascii_case(b"reset") {
            PeakReset::default()
        } else {
            let ms = parse_integer(word)?;
            PeakReset::After {
                ms: ms.max(0) as u64,
            }
        });
    } else if what.eq_ignore_ascii_case(b"resizing") {
        front.set_reply_resizing(is_on(word));
    } else {
        return Err(unknown_subcommand_or_arity(cx.args));
    }
    cx.reply.ok();
    Ok(())
}

pub(super) fn quicklist_packed_threshold(cx: &mut ServerContext<'_>) -> CommandResult {
    let accepted = std::str::from_utf8(cx.args[2])
        .ok()
        .and_then(parse_memory)
        .and_then(|bytes| usize::try_from(bytes).ok())
        .is_some_and(quicklist::set_packed_threshold);
    if !accepted {
        return Err(CommandError::text(
            "ERR argument must be a memory value bigger than 1 and smaller than 4gb",
        ));
    }
    cx.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_on;

    #[test]
    fn only_a_number_other_than_zero_is_on() {
        for on in [b"1".as_slice(), b"2", b"-1", b"010", b"1x"] {
            assert!(is_on(on), "{on:?}");
        }
        for off in [b"0".as_slice(), b"", b"x", b"00", b"-0", b"yes1"] {
            assert!(!is_on(off), "{off:?}");
        }
    }
}
