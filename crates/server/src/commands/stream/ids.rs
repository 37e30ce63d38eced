//! Ids as clients write them: `<ms>`, `<ms>-<seq>`, `-`, `+`, `(<id>`, `<ms>-*` and `*`.

use front::command::CommandError;
use std::ops::RangeInclusive;
use store::int::parse_i64;
use store::value::StreamId;

/// No id is longer; Redis keeps it in a buffer of this size.
const LONGEST: usize = 127;

const INVALID: CommandError =
    CommandError::text("ERR Invalid stream ID specified as stream command argument");

/// The id of a new entry, as XADD is told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NewId {
    /// `*`: the time, or right after the last one.
    Auto,
    /// `<ms>-*`: the next within these milliseconds.
    Within(u64),
    Given(StreamId),
}

/// What a C string of these bytes would be.
pub(super) fn until_nul(word: &[u8]) -> &[u8] {
    word.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// An id. `seq` is the sequence number of one that has none.
///
/// # Errors
/// It is no id.
pub(super) fn parse_id(word: &[u8], seq: u64) -> Result<StreamId, CommandError> {
    match parse(word, seq)? {
        NewId::Given(id) => Ok(id),
        _ => Err(INVALID),
    }
}

/// An id, or `-` for the least and `+` for the greatest.
///
/// # Errors
/// It is none of them.
pub(super) fn parse_id_or_end(word: &[u8], seq: u64) -> Result<StreamId, CommandError> {
    match until_nul(word) {
        _ if word.len() > LONGEST => Err(INVALID),
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        word => parse_id(word, seq),
    }
}

/// The id for a new entry, `*` apart.
///
/// # Errors
/// It is no id.
pub(super) fn parse_new_id(word: &[u8]) -> Result<NewId, CommandError> {
    parse(word, 0)
}

/// From where to where, both included unless they begin with `(`.
///
/// # Errors
/// One is no id, or there is none beyond an excluded one.
pub(super) fn parse_range(
    start: &[u8],
    end: &[u8],
) -> Result<RangeInclusive<StreamId>, CommandError> {
    Ok(parse_start(start)?..=parse_end(end)?)
}

/// Where a range begins.
///
/// # Errors
/// As [`parse_range`].
pub(super) fn parse_start(word: &[u8]) -> Result<StreamId, CommandError> {
    match word {
        [b'(', id @ ..] if !id.is_empty() => parse_id(id, 0)?
            .next()
            .ok_or(CommandError::text("ERR invalid start ID for the interval")),
        word => parse_id_or_end(word, 0),
    }
}

fn parse_end(word: &[u8]) -> Result<StreamId, CommandError> {
    match word {
        [b'(', id @ ..] if !id.is_empty() => parse_id(id, u64::MAX)?
            .prev()
            .ok_or(CommandError::text("ERR invalid end ID for the interval")),
        word => parse_id_or_end(word, u64::MAX),
    }
}

fn parse(word: &[u8], missing_seq: u64) -> Result<NewId, CommandError> {
    if word.len() > LONGEST {
        return Err(INVALID);
    }
    let mut parts = until_nul(word).splitn(2, |&byte| byte == b'-');
    let ms = parts.next().and_then(parse_part).ok_or(INVALID)?;
    match parts.next() {
        None => Ok(NewId::Given(StreamId::new(ms, missing_seq))),
        Some(b"*") => Ok(NewId::Within(ms)),
        Some(seq) => {
            let seq = parse_part(seq).ok_or(INVALID)?;
            Ok(NewId::Given(StreamId::new(ms, seq)))
        }
    }
}

/// A part of an id. Redis falls back to C's `strtoull`, which takes spaces and a sign before the digits, and has numbers
/// below zero count down from 2^64; plain negative numbers it has refused before.
fn parse_part(text: &[u8]) -> Option<u64> {
    if let Some(number) = parse_i64(text) {
        return u64::try_from(number).ok();
    }
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !is_space(byte))?;
    let (negative, digits) = match &text[start..] {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let number = digits.iter().try_fold(0u64, |number, &byte| {
        let digit = byte.wrapping_sub(b'0');
        let number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
        (digit <= 9).then_some(number)
    })?;
    Some(if negative {
        number.wrapping_neg()
    } else {
        number
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_may_lack_their_sequence_number() {
        assert_eq!(parse_id(b"5-7", 0), Ok(StreamId::new(5, 7)));
        assert_eq!(parse_id(b"5", 0), Ok(StreamId::new(5, 0)));
        assert_eq!(parse_id(b"5", u64::MAX), Ok(StreamId::new(5, u64::MAX)));
        assert_eq!(parse_id(b"5-*", 0), Err(INVALID));
        assert_eq!(parse_new_id(b"5-*"), Ok(NewId::Within(5)));
        for word in ["", "-", "+", "5-", "-5", "5-6-7", "x", "5-x", "(5"] {
            assert_eq!(parse_id(word.as_bytes(), 0), Err(INVALID), "{word}");
        }
    }

    #[test]
    fn parts_are_what_strtoull_takes() {
        assert_eq!(parse_part(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_part(b"18446744073709551616"), None);
        assert_eq!(parse_part(b" \t+007"), Some(7));
        assert_eq!(parse_part(b"-05"), Some(u64::MAX - 4));
        assert_eq!(parse_part(b"-0"), Some(0));
        for text in ["-5", "5 ", "+", "-", " ", "+-5", "1:"] {
            assert_eq!(parse_part(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn ids_end_where_c_strings_do_and_are_not_long() {
        assert_eq!(parse_id(b"5-6\x007", 0), Ok(StreamId::new(5, 6)));
        assert_eq!(parse_id_or_end(b"+\0x", 0), Ok(StreamId::MAX));
        let mut word = [b'0'; LONGEST + 1];
        word[LONGEST] = b'5';
        assert_eq!(parse_id(&word[1..], 0), Ok(StreamId::new(5, 0)));
        assert_eq!(parse_id(&word, 0), Err(INVALID));
    }

    #[test]
    fn a_bracket_leaves_the_id_out() {
        let range = |start: &str, end: &str| parse_range(start.as_bytes(), end.as_bytes());
        let id = StreamId::new;
        assert_eq!(range("-", "+"), Ok(StreamId::MIN..=StreamId::MAX));
        assert_eq!(range("5", "5"), Ok(id(5, 0)..=id(5, u64::MAX)));
        assert_eq!(range("(5", "(7"), Ok(id(5, 1)..=id(7, u64::MAX - 1)));
        assert!(range("(-", "+").is_err() && range("-", "(+").is_err());
        assert!(range("(18446744073709551615-18446744073709551615", "+").is_err());
        assert!(range("-", "(0-0").is_err());
        assert_eq!(range("(", "+"), Err(INVALID));
    }
}
