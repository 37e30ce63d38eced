//! The id of an entry.

use std::fmt;

/// Milliseconds, and a number within them. Its text is `<ms>-<seq>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    pub ms: u64,
    pub seq: u64,
}

impl StreamId {
    /// No entry has this id: what comes before all.
    pub const MIN: StreamId = StreamId::new(0, 0);
    pub const MAX: StreamId = StreamId::new(u64::MAX, u64::MAX);
    /// Bytes of the binary form.
    pub const BYTES: usize = 16;

    pub const fn new(ms: u64, seq: u64) -> StreamId {
        StreamId { ms, seq }
    }

    /// The id right after this one.
    pub fn next(self) -> Option<StreamId> {
        self.number().checked_add(1).map(StreamId::from_number)
    }

    /// The id right before this one.
    pub fn prev(self) -> Option<StreamId> {
        self.number().checked_sub(1).map(StreamId::from_number)
    }

    /// The text, as replies have it.
    #[inline]
    pub fn text(self) -> IdText {
        let mut text = IdText {
            bytes: [0; IdText::MAX],
            len: 0,
        };
        let mut digits = itoa::Buffer::new();
        text.push(digits.format(self.ms).as_bytes());
        text.push(b"-");
        text.push(digits.format(self.seq).as_bytes());
        text
    }

    /// The binary form, whose bytes sort as ids do.
    pub fn to_bytes(self) -> [u8; StreamId::BYTES] {
        self.number().to_be_bytes()
    }

    pub fn from_bytes(bytes: [u8; StreamId::BYTES]) -> StreamId {
        StreamId::from_number(u128::from_be_bytes(bytes))
    }

    /// How many leading bytes of the binary form two ids share.
    pub(super) fn shared_bytes(self, other: StreamId) -> usize {
        (self.number() ^ other.number()).leading_zeros() as usize / 8
    }

    /// This id with all bytes of the binary form after the first `len` replaced by `byte`.
    pub(super) fn padded(self, len: usize, byte: u8) -> StreamId {
        let mut bytes = self.to_bytes();
        bytes[len..].fill(byte);
        StreamId::from_bytes(bytes)
    }

    /// The id whose distances from `base` these are, as a macro node keeps them.
    pub(super) fn at_distance(base: StreamId, ms: i64, seq: i64) -> StreamId {
        StreamId {
            ms: base.ms.wrapping_add(ms.cast_unsigned()),
            seq: base.seq.wrapping_add(seq.cast_unsigned()),
        }
    }

    /// The distances that [`StreamId::at_distance`] takes.
    pub(super) fn distance_from(self, base: StreamId) -> (i64, i64) {
        (
            self.ms.wrapping_sub(base.ms).cast_signed(),
            self.seq.wrapping_sub(base.seq).cast_signed(),
        )
    }

    const fn number(self) -> u128 {
        (self.ms as u128) << 64 | self.seq as u128
    }

    const fn from_number(number: u128) -> StreamId {
        StreamId::new((number >> 64) as u64, number as u64)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// The text of an id.
#[derive(Clone, Copy)]
pub struct IdText {
    bytes: [u8; IdText::MAX],
    len: usize,
}

impl IdText {
    /// Two numbers of 20 digits and what parts them.
    const MAX: usize = 41;

    fn push(&mut self, part: &[u8]) {
        self.bytes[self.len..self.len + part.len()].copy_from_slice(part);
        self.len += part.len();
    }
}

impl AsRef<[u8]> for IdText {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_carry_between_sequence_and_milliseconds() {
        let last_of_five = StreamId::new(5, u64::MAX);
        assert_eq!(last_of_five.next(), Some(StreamId::new(6, 0)));
        assert_eq!(StreamId::new(6, 0).prev(), Some(last_of_five));
        assert_eq!(StreamId::MAX.next(), None);
        assert_eq!(StreamId::MIN.prev(), None);
    }

    #[test]
    fn the_binary_form_sorts_as_ids_do_and_comes_back() {
        let ids = [
            StreamId::MIN,
            StreamId::new(0, u64::MAX),
            StreamId::new(1, 0),
            StreamId::new(256, 1),
            StreamId::MAX,
        ];
        assert!(ids.map(StreamId::to_bytes).is_sorted());
        assert!(ids.is_sorted());
        assert_eq!(ids.map(|id| StreamId::from_bytes(id.to_bytes())), ids);
        assert_eq!(StreamId::new(1, 2).shared_bytes(StreamId::new(1, 3)), 15);
        assert_eq!(StreamId::MAX.shared_bytes(StreamId::MAX), 16);
    }

    #[test]
    fn the_text_is_two_decimal_numbers() {
        for id in [
            StreamId::MIN,
            StreamId::new(1_526_919_030_474, 55),
            StreamId::MAX,
        ] {
            assert_eq!(id.text().as_ref(), id.to_string().as_bytes());
        }
        assert_eq!(StreamId::new(7, 10).to_string(), "7-10");
    }

    #[test]
    fn distances_wrap_so_that_any_two_ids_have_one() {
        let base = StreamId::new(7, 10);
        for id in [StreamId::new(8, 0), StreamId::MAX, StreamId::MIN, base] {
            let (ms, seq) = id.distance_from(base);
            assert_eq!(StreamId::at_distance(base, ms, seq), id);
        }
        assert_eq!(StreamId::new(8, 0).distance_from(base), (1, -10));
    }
}
