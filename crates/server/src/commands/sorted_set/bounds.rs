//! The ends of ranges as clients write them: `(1.5`, `[name`, `-`, `+`.

use crate::commands::prelude::*;
use store::float::parse_range_bound;
use store::value::{LexBound, LexRange, ScoreBound, ScoreRange};

fn parse_score_bound(word: &[u8]) -> Option<ScoreBound> {
    let (exclusive, number) = match word {
        [b'(', number @ ..] => (true, number),
        number => (false, number),
    };
    let score = parse_range_bound(number)?;
    Some(ScoreBound { score, exclusive })
}

/// Two score bounds.
///
/// # Errors
/// One of them is not a number.
pub(super) fn parse_score_range(min: &[u8], max: &[u8]) -> Result<ScoreRange, CommandError> {
    match (parse_score_bound(min), parse_score_bound(max)) {
        (Some(min), Some(max)) => Ok(ScoreRange { min, max }),
        _ => Err(CommandError::text("ERR min or max is not a float")),
    }
}

fn parse_lex_bound(word: &[u8]) -> Option<LexBound<'_>> {
    match word {
        [b'('] => Some(LexBound::Exclusive(b"")),
        [b'(', member @ ..] => Some(LexBound::Exclusive(member)),
        [b'[', member @ ..] => Some(LexBound::Inclusive(member)),
        // Redis reads these as C strings.
        [b'-'] | [b'-', 0, ..] => Some(LexBound::Lowest),
        [b'+'] | [b'+', 0, ..] => Some(LexBound::Highest),
        _ => None,
    }
}

/// Two bounds of members.
///
/// # Errors
/// One of them does not start as a bound does.
pub(super) fn parse_lex_range<'a>(
    min: &'a [u8],
    max: &'a [u8],
) -> Result<LexRange<'a>, CommandError> {
    match (parse_lex_bound(min), parse_lex_bound(max)) {
        (Some(min), Some(max)) => Ok(LexRange { min, max }),
        _ => Err(CommandError::text(
            "ERR min or max not valid string range item",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parenthesis_leaves_the_bound_out() {
        let range = parse_score_range(b"(1.5", b"+inf").expect("numbers");
        assert_eq!((range.min.score, range.min.exclusive), (1.5, true));
        assert_eq!(
            (range.max.score, range.max.exclusive),
            (f64::INFINITY, false)
        );
        for bad in [b"((1".as_slice(), b"x", b"[1", b"nan"] {
            assert!(parse_score_range(bad, b"1").is_err());
            assert!(parse_score_range(b"1", bad).is_err());
        }
    }

    #[test]
    fn a_bound_of_members_says_whether_it_is_included() {
        let range = parse_lex_range(b"[", b"(b").expect("bounds");
        assert_eq!(range.min, LexBound::Inclusive(b""));
        assert_eq!(range.max, LexBound::Exclusive(b"b"));
        assert!(parse_lex_range(b"-", b"+").is_ok());
        for bad in [b"".as_slice(), b"a", b"-a", b"+inf"] {
            assert!(parse_lex_range(bad, b"+").is_err());
            assert!(parse_lex_range(b"-", bad).is_err());
        }
    }
}
