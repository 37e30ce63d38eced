//! LZF, the compression of strings in RDB files and of the inner nodes of long lists. Any valid stream may be written;
//! what is written here, Redis reads, and the other way round.
//!
//! ```text
//! 000LLLLL                     L + 1 literal bytes follow
//! LLLooooo oooooooo            copy L + 2 bytes from o + 1 bytes back, L in 1..=6
//! 111ooooo LLLLLLLL oooooooo   copy L + 9 bytes from o + 1 bytes back
//! ```

const MAX_LITERALS: usize = 1 << 5;
const MAX_DISTANCE: usize = 1 << 13;
const MIN_MATCH: usize = 3;
const MAX_MATCH: usize = 255 + 9;

/// A compressed form is worth having when it saves this many bytes.
const MIN_SAVING: usize = 4;

/// A compressed stream that does not decode to the promised length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LzfError {
    /// Offset in the compressed bytes of the instruction that cannot be followed.
    pub offset: usize,
}

impl std::fmt::Display for LzfError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "invalid LZF stream at offset {}", self.offset)
    }
}

impl std::error::Error for LzfError {}

/// Compresses `input`; `None` if that saves less than four bytes.
pub fn compress(input: &[u8]) -> Option<Vec<u8>> {
    // Clearing the table is most of the work for short strings.
    match input.len() {
        0..=MIN_SAVING => None,
        5..256 => compress_with::<{ 1 << 8 }>(input),
        256..4096 => compress_with::<{ 1 << 11 }>(input),
        _ => compress_with::<{ 1 << 14 }>(input),
    }
}

/// Greedy matching against the last place each hash of three bytes was seen, in a table of `SLOTS`.
fn compress_with<const SLOTS: usize>(input: &[u8]) -> Option<Vec<u8>> {
    let limit = input.len() - MIN_SAVING;
    let mut out = Vec::with_capacity(limit);
    // Positions plus one: zero is a place never seen. Wrapping at 4 GiB only costs matches.
    let mut seen = [0u32; SLOTS];
    let (mut at, mut literals_from) = (0, 0);
    let last_start = input.len() - MIN_MATCH;
    while at <= last_start {
        let slot = hash::<SLOTS>(&input[at..]);
        let candidate = seen[slot] as usize;
        seen[slot] = (at + 1) as u32;
        let distance = (at + 1).wrapping_sub(candidate);
        if candidate == 0
            || distance > MAX_DISTANCE
            || input[at - distance..at - distance + MIN_MATCH] != input[at..at + MIN_MATCH]
        {
            at += 1;
            // Beyond saving: what is certain to be written already fills the room.
            if out.len() + (at - literals_from) > limit {
                return None;
            }
            continue;
        }
        let len = match_len(input, at, distance);
        put_literals(&mut out, &input[literals_from..at]);
        put_match(&mut out, distance, len);
        if out.len() > limit {
            return None;
        }
        at += len;
        literals_from = at;
        // The last bytes of a match start matches more often than those inside it.
        for position in (at - 2)..at {
            if position <= last_start {
                seen[hash::<SLOTS>(&input[position..])] = (position + 1) as u32;
            }
        }
    }
    put_literals(&mut out, &input[literals_from..]);
    (out.len() <= limit).then_some(out)
}

/// Decompresses `input` to exactly `expected_len` bytes. Memory is taken as output appears, so a false promise of
/// gigabytes costs nothing.
pub fn decompress(input: &[u8], expected_len: usize) -> Result<Vec<u8>, LzfError> {
    /// Three bytes of input make at most [`MAX_MATCH`] of output.
    const MAX_RATIO: usize = MAX_MATCH / 3;
    let mut out = Vec::with_capacity(expected_len.min(input.len().saturating_mul(MAX_RATIO)));
    let mut at = 0;
    while at < input.len() {
        at = step(input, at, expected_len, &mut out).ok_or(LzfError { offset: at })?;
    }
    if out.len() == expected_len {
        Ok(out)
    } else {
        Err(LzfError { offset: at })
    }
}

/// Follows the instruction at `at`; returns where the next one starts.
#[inline]
fn step(input: &[u8], at: usize, expected_len: usize, out: &mut Vec<u8>) -> Option<usize> {
    let control = usize::from(input[at]);
    let room = expected_len - out.len();
    if control < MAX_LITERALS {
        let end = at + 1 + control + 1;
        out.extend_from_slice(
            input
                .get(at + 1..end)
                .filter(|literals| literals.len() <= room)?,
        );
        return Some(end);
    }
    let (len, low_at) = match control >> 5 {
        7 => (usize::from(*input.get(at + 1)?) + 9, at + 2),
        short => (short + 2, at + 1),
    };
    let distance = ((control & 0x1F) << 8 | usize::from(*input.get(low_at)?)) + 1;
    let from = out.len().checked_sub(distance)?;
    if len > room {
        return None;
    }
    if len <= distance {
        out.extend_from_within(from..from + len);
    } else {
        // The copy reads what it writes: a run.
        for position in from..from + len {
            out.push(out[position]);
        }
    }
    Some(low_at + 1)
}

#[inline]
fn hash<const SLOTS: usize>(bytes: &[u8]) -> usize {
    let three = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
    (three.wrapping_mul(0x9E37_79B1) >> (32 - SLOTS.ilog2())) as usize
}

/// How long the match goes on, given that its first three bytes agree.
#[inline]
fn match_len(input: &[u8], at: usize, distance: usize) -> usize {
    let longest = MAX_MATCH.min(input.len() - at);
    let here = &input[at..at + longest];
    let there = &input[at - distance..at - distance + longest];
    let more = here
        .iter()
        .zip(there)
        .skip(MIN_MATCH)
        .take_while(|(a, b)| a == b)
        .count();
    MIN_MATCH + more
}

#[inline]
fn put_literals(out: &mut Vec<u8>, literals: &[u8]) {
    for run in literals.chunks(MAX_LITERALS) {
        out.push((run.len() - 1) as u8);
        out.extend_from_slice(run);
    }
}

#[inline]
fn put_match(out: &mut Vec<u8>, distance: usize, len: usize) {
    let [low, high, ..] = (distance - 1).to_le_bytes();
    let len = len - 2;
    if len < 7 {
        out.extend_from_slice(&[(len as u8) << 5 | high, low]);
    } else {
        out.extend_from_slice(&[7 << 5 | high, (len - 7) as u8, low]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_without_repetition_is_left_alone() {
        assert_eq!(compress(b""), None);
        assert_eq!(compress(b"aaaa"), None);
        assert_eq!(compress(b"abcdefghijklmnopqrstuvwxyz"), None);
    }

    #[test]
    fn a_run_is_one_literal_and_long_copies() {
        let run = vec![b'a'; 1 + 264 + 8];
        assert_eq!(
            compress(&run).unwrap(),
            [0, b'a', 7 << 5, 255, 0, 6 << 5, 0]
        );
    }

    #[test]
    fn all_instructions_decode() {
        assert_eq!(
            decompress(&[1, b'a', b'b', 1 << 5, 1], 5).unwrap(),
            b"ababa"
        );
        assert_eq!(
            decompress(&[0, b'x', 7 << 5, 0, 0], 10).unwrap(),
            [b'x'; 10]
        );
        assert_eq!(decompress(&[], 0).unwrap(), b"");
    }

    #[test]
    fn broken_streams_are_refused_with_the_place() {
        let refused = |input: &[u8], len| decompress(input, len).unwrap_err().offset;
        assert_eq!(refused(&[2, b'a', b'b'], 3), 0);
        assert_eq!(refused(&[0, b'a', 1 << 5], 4), 2);
        assert_eq!(refused(&[0, b'a', 7 << 5, 0], 10), 2);
        assert_eq!(refused(&[0, b'a', 1 << 5, 1], 4), 2);
        assert_eq!(refused(&[0, b'a', 1 << 5, 0], 3), 2);
        assert_eq!(refused(&[0, b'a', 1 << 5, 0], 5), 4);
        assert_eq!(refused(&[1, b'a', b'b'], 1), 0);
        assert_eq!(refused(&[], usize::MAX), 0);
        assert_eq!(refused(&[0, b'a'], usize::MAX), 2);
    }

    fn repetitive() -> impl Strategy<Value = Vec<u8>> {
        let word = prop::collection::vec(any::<u8>(), 1..40);
        let words = prop::collection::vec(word, 1..12);
        (
            words,
            prop::collection::vec(any::<prop::sample::Index>(), 0..1500),
        )
            .prop_map(|(words, order)| {
                order
                    .iter()
                    .flat_map(|index| index.get(&words).iter().copied())
                    .collect()
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_was_compressed_comes_back(input in prop_oneof![repetitive(), any::<Vec<u8>>()]) {
            if let Some(compressed) = compress(&input) {
                prop_assert!(compressed.len() + 4 <= input.len());
                prop_assert_eq!(decompress(&compressed, input.len()), Ok(input));
            }
        }

        #[test]
        fn any_bytes_decode_to_the_promised_length_or_fail(input: Vec<u8>, len in 0usize..1000) {
            if let Ok(output) = decompress(&input, len) {
                prop_assert_eq!(output.len(), len);
            }
        }
    }
}
