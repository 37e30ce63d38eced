//! SCAN, and the options it shares with HSCAN, SSCAN and ZSCAN.

use crate::commands::prelude::*;
use resp::Writer;
use store::db::{Db, WrongType};

pub(super) static SCAN: Command = Command {
    spec: CommandSpec {
        name: "scan",
        group: Group::Generic,
        summary: "Walks over the keys of the db in steps.",
        since: "2.8.0",
        complexity: "O(1)",
        arity: -2,
        flags: Flags::READONLY,
        categories: Categories::KEYSPACE,
        args: &[
            Arg::integer("cursor"),
            Arg::pattern("pattern").token("MATCH").optional(),
            Arg::integer("count").token("COUNT").optional(),
            Arg::string("type").token("TYPE").optional().since("6.0.0"),
        ],
        tips: &["nondeterministic_output", "request_policy:special"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(scan)),
};

/// The options after the cursor.
pub(crate) struct ScanOptions<'a> {
    pub(crate) pattern: Option<&'a [u8]>,
    pub(crate) count: usize,
    value_type: Option<&'a [u8]>,
}

impl ScanOptions<'_> {
    pub(crate) fn matches(&self, name: &[u8]) -> bool {
        self.pattern
            .is_none_or(|pattern| front::glob::matches(pattern, name, false))
    }
}

/// The cursor word, read as C reads an unsigned number: a sign is taken, as is no text at all, which is zero.
///
/// # Errors
/// Not a number a cursor can be.
pub(crate) fn parse_cursor(word: &[u8]) -> Result<u64, CommandError> {
    let text = word.split(|&byte| byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Ok(0);
    }
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let number = std::str::from_utf8(digits)
        .ok()
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .ok_or(CommandError::text("ERR invalid cursor"))?;
    Ok(if negative {
        u64::wrapping_neg(number)
    } else {
        number
    })
}

/// The words after the cursor; TYPE only where `typed`.
///
/// # Errors
/// Syntax, or a count that is none.
pub(crate) fn parse_scan_options<'a>(
    words: &[&'a [u8]],
    typed: bool,
) -> Result<ScanOptions<'a>, CommandError> {
    let mut options = ScanOptions {
        pattern: None,
        count: 10,
        value_type: None,
    };
    for pair in words.chunks(2) {
        let [name, value] = pair else {
            return Err(CommandError::Syntax);
        };
        if name.eq_ignore_ascii_case(b"COUNT") {
            let count = parse_integer(value)?;
            if count < 1 {
                return Err(CommandError::Syntax);
            }
            options.count = count as usize;
        } else if name.eq_ignore_ascii_case(b"MATCH") {
            // A lone star takes everything, the empty name too, which no pattern matches.
            options.pattern = Some(*value).filter(|pattern| *pattern != b"*");
        } else if typed && name.eq_ignore_ascii_case(b"TYPE") {
            options.value_type = Some(value);
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok(options)
}

fn scan(cx: &mut DataContext<'_>) -> CommandResult {
    let cursor = parse_cursor(cx.args[1])?;
    let options = parse_scan_options(&cx.args[2..], true)?;
    let now = cx.now;
    let mut found: Vec<Box<[u8]>> = Vec::new();
    let mut due: Vec<Box<[u8]>> = Vec::new();
    let next = cx.db.scan(cursor, options.count, |entry| {
        let wanted_type =
            |name: &[u8]| name.eq_ignore_ascii_case(entry.value().value_type().name().as_bytes());
        if !options.matches(entry.key()) || !options.value_type.is_none_or(wanted_type) {
            return;
        }
        match entry.expiry().is_some_and(|at| now > at) {
            true => due.push(entry.key().into()),
            false => found.push(entry.key().into()),
        }
    });
    for key in due {
        // Looking deletes it, unless this node leaves that to its master.
        if cx.db.peek(&key).is_some() {
            found.push(key);
        }
    }
    cx.reply.array(2);
    cx.reply.bulk(next.to_string());
    cx.reply.array(found.len());
    for key in found {
        cx.reply.bulk(key);
    }
    Ok(())
}

/// How a key's value is looked up as one type.
type Get<V> = for<'a> fn(&'a mut Db, &[u8]) -> Result<Option<&'a V>, WrongType>;

/// HSCAN, SSCAN and ZSCAN: a step over the value that `get` finds; `walk` shows it to its last argument and returns the
/// next cursor.
pub(crate) fn scan_value<V>(
    cx: &mut DataContext<'_>,
    get: Get<V>,
    walk: impl FnOnce(&V, u64, &ScanOptions<'_>, &mut Found<'_>) -> u64,
) -> CommandResult {
    let cursor = parse_cursor(cx.args[2])?;
    let mut words = Vec::new();
    let mut found = Found {
        words: Writer::new(&mut words, cx.reply.is_resp3()),
        count: 0,
    };
    let value = get(cx.db, cx.args[1]).or_wrong_type()?;
    let next = match value {
        Some(value) => {
            let options = parse_scan_options(&cx.args[3..], false)?;
            walk(value, cursor, &options, &mut found)
        }
        // Of nothing there is nothing to say, not even about bad options.
        None => 0,
    };
    let count = found.count;
    cx.reply.array(2);
    cx.reply.bulk_int(next as i64);
    cx.reply.array(count);
    cx.reply.raw(&words);
    Ok(())
}

/// What a step of a scan has found, already as it will be replied.
pub(crate) struct Found<'a> {
    words: Writer<'a>,
    count: usize,
}

impl Found<'_> {
    pub(crate) fn push(&mut self, word: &[u8]) {
        self.words.bulk(word);
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_what_c_takes_for_an_unsigned_number() {
        let read = |word: &[u8]| parse_cursor(word).ok();
        for zero in [b"".as_slice(), b"0", b"+0", b"-0", b"00", b"\0x", b"0\0x"] {
            assert_eq!(read(zero), Some(0), "{zero:?}");
        }
        assert_eq!(read(b"+17"), Some(17));
        assert_eq!(read(b"-1"), Some(u64::MAX));
        assert_eq!(read(b"18446744073709551615"), Some(u64::MAX));
        for bad in [
            b" 1".as_slice(),
            b"1 ",
            b"x",
            b"+",
            b"--1",
            b"0x1",
            b"18446744073709551616",
            b"-18446744073709551616",
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
