//! Text that is exactly an integer. Listpacks, intsets, the `int` string encoding and integer arguments must agree on
//! what counts as one, so the rule lives here alone.

/// The integer that `text` spells in its one canonical form: what printing the result would give back.
///
/// Empty text, a plus sign, spaces, leading zeros, `-0` and values outside `i64` are not integers.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    /// `i64::MAX` has this many digits; as many nines still fit a `u64`.
    const MAX_DIGITS: usize = 19;
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'1'..=b'9', ..] if digits.len() <= MAX_DIGITS => {}
        [b'0'] if !negative => return Some(0),
        _ => return None,
    }
    let mut magnitude = 0u64;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude * 10 + u64::from(digit);
    }
    if negative {
        0i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ends_of_the_range_are_integers_and_their_neighbours_are_not() {
        assert_eq!(parse_i64(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(parse_i64(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_i64(b"9223372036854775808"), None);
        assert_eq!(parse_i64(b"-9223372036854775809"), None);
        assert_eq!(parse_i64(b"9999999999999999999"), None);
        assert_eq!(parse_i64(b"10000000000000000000"), None);
    }

    #[test]
    fn other_spellings_of_an_integer_are_text() {
        for text in [
            "", "-", "+1", "-0", "00", "01", "-01", " 1", "1 ", "1a", "0x1", "1.0", "--1",
        ] {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_printed_parses_back(value: i64) {
            prop_assert_eq!(parse_i64(value.to_string().as_bytes()), Some(value));
        }

        #[test]
        fn only_canonical_text_parses(text in "[-+0-9 ]{0,21}") {
            let canonical = text.parse::<i64>().ok().filter(|value| value.to_string() == text);
            prop_assert_eq!(parse_i64(text.as_bytes()), canonical);
        }
    }
}
