//! SCAN, and the options it shares with HSCAN, SSCAN and ZSCAN.

use crate::commands::prelude::*;

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

/// The cursor word.
///
/// # Errors
/// Not a number a cursor can be.
pub(crate) fn parse_cursor(word: &[u8]) -> Result<u64, CommandError> {
    let digits = std::str::from_utf8(word)
        .ok()
        .filter(|text| !text.starts_with('+'));
    digits
        .and_then(|text| text.parse().ok())
        .ok_or(CommandError::text("ERR invalid cursor"))
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
