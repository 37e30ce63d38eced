//! Glob patterns of KEYS, SCAN, PSUBSCRIBE, CONFIG GET and ACL key rules, with the answers of Redis 7.0.
//!
//! `*` any run of bytes, `?` one byte, `[a-z]` and `[^a-z]` one byte in or not in a set, `\` takes the
//! next byte literally. Every other part takes exactly one byte, so returning to the latest `*` is
//! enough and time stays within pattern times string length, whatever an attacker nests.

/// Whether the whole string fits the pattern; `nocase` ignores the case of ASCII letters.
///
/// Corner cases follow Redis: an empty string fits the empty pattern only (not `*`), a set without
/// `]` ends with the pattern, a set may be empty, `[z-a]` is `[a-z]`, ranges order bytes as signed
/// numbers (as C's `char` on x86), and an escaped byte in a set keeps its case.
pub fn matches(pattern: &[u8], string: &[u8], nocase: bool) -> bool {
    if string.is_empty() {
        return pattern.is_empty();
    }
    // Positions in pattern and string, and where to resume if a later part does not fit: behind the
    // latest star, letting it swallow one byte more.
    let (mut p, mut s) = (0, 0);
    let mut resume = None;
    while s < string.len() {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            if p == pattern.len() {
                return true;
            }
            resume = Some((p, s));
        } else if let Some(length) = fits_one(&pattern[p..], string[s], nocase) {
            p += length;
            s += 1;
        } else if let Some((behind_star, start)) = resume {
            p = behind_star;
            s = start + 1;
            resume = Some((p, s));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&b| b == b'*')
}

/// If the first part of the pattern takes this byte, the length of that part.
fn fits_one(pattern: &[u8], byte: u8, nocase: bool) -> Option<usize> {
    let (fits, length) = match *pattern {
        [] => return None,
        [b'?', ..] => (true, 1),
        [b'[', b'^', ref set @ ..] => {
            let (found, length) = find_in_set(set, byte, nocase);
            (!found, 2 + length)
        }
        [b'[', ref set @ ..] => {
            let (found, length) = find_in_set(set, byte, nocase);
            (found, 1 + length)
        }
        [b'\\', escaped, ..] => (same(escaped, byte, nocase), 2),
        [literal, ..] => (same(literal, byte, nocase), 1),
    };
    fits.then_some(length)
}

/// Whether the set that starts behind `[` or `[^` has the byte, and the length of the set with its `]`.
fn find_in_set(set: &[u8], byte: u8, nocase: bool) -> (bool, usize) {
    let mut found = false;
    let mut at = 0;
    loop {
        match set[at..] {
            [] => return (found, at),
            [b'\\', escaped, ..] => {
                found |= escaped == byte;
                at += 2;
            }
            [b']', ..] => return (found, at + 1),
            [start, b'-', end, ..] => {
                // Ordered before their case is dropped: ignoring case, [Z-a] is the empty [z-a].
                let (low, high) = if start as i8 > end as i8 {
                    (end, start)
                } else {
                    (start, end)
                };
                let [low, high, byte] = [low, high, byte].map(|b| fold(b, nocase) as i8);
                found |= (low..=high).contains(&byte);
                at += 3;
            }
            [member, ..] => {
                found |= same(member, byte, nocase);
                at += 1;
            }
        }
    }
}

fn same(a: u8, b: u8, nocase: bool) -> bool {
    fold(a, nocase) == fold(b, nocase)
}

fn fold(byte: u8, nocase: bool) -> u8 {
    if nocase {
        byte.to_ascii_lowercase()
    } else {
        byte
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(pattern: &[u8], string: &[u8]) -> bool {
        matches(pattern, string, false)
    }

    #[test]
    fn stars_question_marks_sets_and_escapes() {
        for (pattern, string) in [
            ("*", "anything"),
            ("**a**", "banana"),
            ("a*", "a"),
            ("h?llo", "hello"),
            ("h[ae]llo", "hallo"),
            ("h[^e]llo", "hbllo"),
            ("h[a-b]llo", "hbllo"),
            ("h[b-a]llo", "hallo"),
            ("a\\*b", "a*b"),
            ("a\\", "a\\"),
            ("[\\]]", "]"),
            ("*a*b*c", "xxaxxbxxbc"),
            ("", ""),
        ] {
            assert!(
                fits(pattern.as_bytes(), string.as_bytes()),
                "{pattern} {string}"
            );
        }
        for (pattern, string) in [
            ("h?llo", "hllo"),
            ("h[ae]llo", "hillo"),
            ("h[^e]llo", "hello"),
            ("a\\*b", "axb"),
            ("*a*b*c", "xxaxxbxxb"),
            ("a", ""),
            ("a", "ab"),
            ("ab", "a"),
        ] {
            assert!(
                !fits(pattern.as_bytes(), string.as_bytes()),
                "{pattern} {string}"
            );
        }
    }

    #[test]
    fn odd_sets_answer_as_redis_does() {
        assert!(!fits(b"*", b""));
        assert!(!fits(b"[]", b"]"));
        assert!(fits(b"[^]", b"x"));
        assert!(fits(b"[abc", b"c"));
        assert!(!fits(b"[", b"["));
        assert!(fits(b"[^", b"x"));
        assert!(fits(b"[a-]", b"^"), "the bracket is the end of a range");
        assert!(fits(b"[a-]x]", b"x"));
        assert!(fits(b"[a\\", b"\\"), "a last backslash is itself");
        assert!(fits(b"[a-", b"-"));
    }

    #[test]
    fn ranges_order_bytes_as_signed_numbers() {
        assert!(fits(b"[\x01-\xff]", b"\x00"));
        assert!(!fits(b"[\x01-\xff]", b"a"));
        assert!(fits(b"[\x80-\xff]", b"\xc3"));
    }

    #[test]
    fn ignoring_case_reaches_ranges_but_not_escapes_in_sets() {
        assert!(matches(b"MAXMEM*[A-P]", b"maxmemory-samp", true));
        assert!(matches(b"[X-z]", b"Y", true));
        assert!(!matches(b"[Z-a]", b"a", true));
        assert!(matches(b"\\A", b"a", true));
        assert!(!matches(b"[\\A]", b"a", true));
        assert!(!matches(b"A", b"a", false));
    }

    #[test]
    fn nested_stars_take_no_exponential_time() {
        let pattern = [b"a*".repeat(5_000), b"b".to_vec()].concat();
        assert!(!fits(&pattern, &b"a".repeat(100_000)));
        assert!(!fits(&b"*?".repeat(3_000), &b"a".repeat(2_999)));
    }

    /// The definition, in exponential time.
    fn by_definition(pattern: &[u8], string: &[u8]) -> bool {
        match (pattern, string) {
            ([], _) => string.is_empty(),
            ([b'*', rest @ ..], _) => {
                (0..=string.len()).any(|skipped| by_definition(rest, &string[skipped..]))
            }
            (_, []) => false,
            (_, [byte, others @ ..]) => fits_one(pattern, *byte, false)
                .is_some_and(|length| by_definition(&pattern[length..], others)),
        }
    }

    proptest! {
        #[test]
        fn returning_to_the_latest_star_is_enough(
            pattern in "[ab*?\\[\\]^\\\\-]{0,10}",
            string in "[ab\\]\\-]{1,10}",
        ) {
            let (pattern, string) = (pattern.as_bytes(), string.as_bytes());
            prop_assert_eq!(fits(pattern, string), by_definition(pattern, string));
        }
    }
}
