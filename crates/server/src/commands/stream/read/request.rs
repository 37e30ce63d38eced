//! The words of XREAD and XREADGROUP.

use crate::commands::prelude::*;
use front::UnixMillis;

/// What the words of a request say.
pub(super) struct Request<'a> {
    /// How many entries of each stream, at most.
    pub(super) count: Option<usize>,
    /// Whether to wait, and until when; forever if that is None.
    pub(super) wait: Option<Option<UnixMillis>>,
    pub(super) no_ack: bool,
    pub(super) group: Option<Reader<'a>>,
    pub(super) keys: &'a [&'a [u8]],
    pub(super) ids: &'a [&'a [u8]],
}

/// Who reads for a group.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) group: &'a [u8],
    pub(super) consumer: &'a [u8],
}

/// Reads the words.
///
/// # Errors
/// Whatever is wrong with them.
pub(super) fn parse<'a>(
    args: &'a [&'a [u8]],
    now: UnixMillis,
    is_group: bool,
) -> Result<Request<'a>, CommandError> {
    let only_group = |option: &str| {
        Err(CommandError::err(format_args!(
            "The {option} option is only supported by XREADGROUP. You called XREAD instead."
        )))
    };
    let (mut count, mut wait, mut no_ack, mut group) = (None, None, false, None);
    let mut streams = None;
    let mut at = 1;
    while at < args.len() {
        let (word, rest) = (args[at], &args[at + 1..]);
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        at += match rest {
            [millis, ..] if is(b"BLOCK") => {
                wait = Some(parse_millis(millis, now)?);
                2
            }
            [number, ..] if is(b"COUNT") => {
                // 0 and less mean all.
                count = Some(parse_integer(number)?.max(0) as usize).filter(|&count| count > 0);
                2
            }
            [_, ..] if is(b"STREAMS") => {
                streams = Some(rest);
                break;
            }
            [_, _, ..] if is(b"GROUP") && !is_group => return only_group("GROUP"),
            [name, consumer, ..] if is(b"GROUP") => {
                group = Some(Reader {
                    group: name,
                    consumer,
                });
                3
            }
            _ if is(b"NOACK") && !is_group => return only_group("NOACK"),
            _ if is(b"NOACK") => {
                no_ack = true;
                1
            }
            _ => return Err(CommandError::Syntax),
        };
    }
    let streams = match streams {
        Some(streams) if streams.len() % 2 == 0 => streams,
        Some(_) => {
            return Err(CommandError::text(
                "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
            ));
        }
        None => return Err(CommandError::Syntax),
    };
    if is_group && group.is_none() {
        return Err(CommandError::text(
            "ERR Missing GROUP option for XREADGROUP",
        ));
    }
    let (keys, ids) = streams.split_at(streams.len() / 2);
    Ok(Request {
        count,
        wait,
        no_ack,
        group,
        keys,
        ids,
    })
}

/// The timeout of BLOCK as a wall-clock limit; 0 waits forever.
fn parse_millis(word: &[u8], now: UnixMillis) -> Result<Option<UnixMillis>, CommandError> {
    let millis = store::int::parse_i64(word).ok_or(CommandError::text(
        "ERR timeout is not an integer or out of range",
    ))?;
    match millis {
        ..0 => Err(CommandError::text("ERR timeout is negative")),
        0 => Ok(None),
        millis => Ok(Some(now.saturating_add(millis))),
    }
}
