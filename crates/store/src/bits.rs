//! Strings as arrays of bits: BITCOUNT, BITPOS, BITOP, SETBIT and BITFIELD without the keyspace.
//!
//! Bit 0 is the highest bit of the first byte. Behind its end a string goes on as zeros.

use std::ops::Range;

use crate::int::parse_i64;

/// What the ends of a range count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// `BYTE`, the default.
    Byte,
    /// `BIT`.
    Bit,
}

/// How many bits are set.
pub fn count_ones(data: &[u8]) -> u64 {
    let (words, tail) = data.as_chunks();
    let words = words
        .iter()
        .map(|&word| u64::from(u64::from_ne_bytes(word).count_ones()));
    words
        .chain(tail.iter().map(|byte| u64::from(byte.count_ones())))
        .sum()
}

/// How many bits are set from `start` to `end`, both included; negative ends count from the end.
pub fn count_ones_in(data: &[u8], start: i64, end: i64, unit: Unit) -> u64 {
    // Before clamping: [-5, -9] of two bytes is nothing, not the first byte.
    if start < 0 && end < start {
        return 0;
    }
    let range = bit_range(data, start, end, unit);
    if range.is_empty() {
        return 0;
    }
    let (first, last) = (range.start / 8, (range.end - 1) / 8);
    let outside = (data[first] & !mask_from(range.start)).count_ones()
        + (data[last] & !mask_to(range.end)).count_ones();
    count_ones(&data[first..=last]) - u64::from(outside)
}

/// The position of the first set or clear bit, or -1. Of a string all set, without an `end` the
/// first clear bit is the one behind it.
pub fn position(data: &[u8], bit: bool, start: i64, end: Option<i64>, unit: Unit) -> i64 {
    let range = bit_range(data, start, end.unwrap_or(-1), unit);
    if range.is_empty() {
        return -1;
    }
    match first_bit(data, range, bit) {
        Some(found) => found as i64,
        None if !bit && end.is_none() => data.len() as i64 * 8,
        None => -1,
    }
}

/// How BITOP combines strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitOp {
    /// Set in all.
    And,
    /// Set in any.
    Or,
    /// Set in an odd number.
    Xor,
    /// Clear in the only one.
    Not,
}

/// Combines strings into one as long as the longest.
pub fn combine(op: BitOp, sources: &[&[u8]]) -> Vec<u8> {
    let Some((first, others)) = sources.split_first() else {
        return Vec::new();
    };
    let longest = sources.iter().map(|source| source.len()).max().unwrap_or(0);
    let mut result = Vec::with_capacity(longest);
    if op == BitOp::Not {
        result.extend(first.iter().map(|byte| !byte));
        return result;
    }
    result.extend_from_slice(first);
    result.resize(longest, 0);
    for source in others {
        let (common, rest) = result.split_at_mut(source.len());
        let pairs = common.iter_mut().zip(*source);
        match op {
            BitOp::And => {
                pairs.for_each(|(byte, other)| *byte &= other);
                rest.fill(0);
            }
            BitOp::Or => pairs.for_each(|(byte, other)| *byte |= other),
            BitOp::Xor | BitOp::Not => pairs.for_each(|(byte, other)| *byte ^= other),
        }
    }
    result
}

/// One bit.
pub fn get(data: &[u8], offset: u64) -> bool {
    Field::BIT.get(data, offset) != 0
}

/// Sets or clears one bit, and returns what it was. The data must reach that far.
pub fn set(data: &mut [u8], offset: u64, bit: bool) -> bool {
    let before = get(data, offset);
    Field::BIT.put(data, offset, bit.into());
    before
}

/// The type of an integer inside a string: `i1` to `i64`, `u1` to `u63`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    signed: bool,
    width: u32,
}

/// What to do with numbers a field cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Keep the low bits.
    Wrap,
    /// Store the nearest number that fits.
    Sat,
    /// Store nothing.
    Fail,
}

impl Field {
    const BIT: Self = Self {
        signed: false,
        width: 1,
    };

    /// Reads a type as in `BITFIELD key GET i5 0`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (signed, width, most) = match text {
            [b'i', width @ ..] => (true, width, 64),
            [b'u', width @ ..] => (false, width, 63),
            _ => return None,
        };
        let width = parse_i64(width).filter(|width| (1..=most).contains(width))?;
        Some(Self {
            signed,
            width: width as u32,
        })
    }

    /// How many bits a field takes; `#2` as an offset means twice as many.
    pub fn width(self) -> u32 {
        self.width
    }

    /// The length of the shortest string with all of a field at this bit.
    pub fn bytes_needed(self, offset: u64) -> u64 {
        (offset + u64::from(self.width)).div_ceil(8)
    }

    /// The number in the field at this bit.
    pub fn get(self, data: &[u8], offset: u64) -> i64 {
        let (bytes, behind) = self.place(offset);
        let window = bytes.fold(0u128, |window, at| {
            window << 8 | u128::from(data.get(at as usize).copied().unwrap_or(0))
        });
        let raised = ((window >> behind) as u64) << (64 - self.width);
        if self.signed {
            raised as i64 >> (64 - self.width)
        } else {
            (raised >> (64 - self.width)) as i64
        }
    }

    /// Stores the low bits of a number in the field at this bit. The data must hold
    /// [`bytes_needed`](Self::bytes_needed).
    pub fn put(self, data: &mut [u8], offset: u64, value: i64) {
        let (bytes, behind) = self.place(offset);
        let mask = u128::from(u64::MAX >> (64 - self.width)) << behind;
        let window = (value as u128) << behind & mask;
        for (i, at) in bytes.rev().enumerate() {
            let byte = &mut data[at as usize];
            *byte = *byte & !((mask >> (8 * i)) as u8) | (window >> (8 * i)) as u8;
        }
    }

    /// The number to store for a sum, or nothing if it does not fit and must then fail.
    /// As the value of SET in an unsigned field, a negative number is a very large one.
    pub fn fit(self, value: i64, increment: i64, overflow: Overflow) -> Option<i64> {
        let all = u64::MAX >> (64 - self.width);
        let (value, min, max) = if self.signed {
            let max = i128::from(all >> 1);
            (i128::from(value), -max - 1, max)
        } else {
            (i128::from(value as u64), 0, i128::from(all))
        };
        let sum = value + i128::from(increment);
        if (min..=max).contains(&sum) {
            return Some(sum as i64);
        }
        match overflow {
            Overflow::Fail => None,
            Overflow::Sat => {
                // Redis subtracts in 64 bits: of a number very far below, SET stores the maximum.
                let wraps = self.width < 64 && max - value > i128::from(i64::MAX);
                Some(if sum > max || wraps { max } else { min } as i64)
            }
            Overflow::Wrap => {
                let raised = (sum as i64) << (64 - self.width);
                Some(if self.signed {
                    raised >> (64 - self.width)
                } else {
                    (raised as u64 >> (64 - self.width)) as i64
                })
            }
        }
    }

    /// The bytes a field lies in, at most nine, and how many bits of the last are not its own.
    fn place(self, offset: u64) -> (Range<u64>, u32) {
        let end = offset + u64::from(self.width);
        let bytes = offset / 8..end.div_ceil(8);
        let behind = (bytes.end * 8 - end) as u32;
        (bytes, behind)
    }
}

/// The bits from `start` to `end`, both included, as clients give them.
fn bit_range(data: &[u8], start: i64, end: i64, unit: Unit) -> Range<usize> {
    let bits_per_unit = match unit {
        Unit::Byte => 8,
        Unit::Bit => 1,
    };
    let len = data.len() as i64 * 8 / bits_per_unit;
    let from_end = |at: i64| if at < 0 { (len + at).max(0) } else { at };
    let (start, end) = (from_end(start), from_end(end).min(len - 1));
    if start > end {
        return 0..0;
    }
    (start * bits_per_unit) as usize..((end + 1) * bits_per_unit) as usize
}

/// In the byte of this bit: the bit and those behind it.
fn mask_from(bit: usize) -> u8 {
    0xff >> (bit % 8)
}

/// In the byte of the bit before `end`: that bit and those before it.
fn mask_to(end: usize) -> u8 {
    0xff << (7 - (end - 1) % 8)
}

/// The first such bit of a range that is not empty.
fn first_bit(data: &[u8], range: Range<usize>, bit: bool) -> Option<usize> {
    const BLOCK: usize = 32;
    // A byte without such a bit, and what makes such bits ones.
    let flip = if bit { 0 } else { 0xff };
    let (first, last) = (range.start / 8, (range.end - 1) / 8);
    let bits_of = |at: usize| {
        let mut byte = data[at] ^ flip;
        if at == first {
            byte &= mask_from(range.start);
        }
        if at == last {
            byte &= mask_to(range.end);
        }
        byte
    };
    let found_in = |at: usize| {
        let byte = bits_of(at);
        (byte != 0).then(|| at * 8 + byte.leading_zeros() as usize)
    };
    if let Some(found) = found_in(first) {
        return Some(found);
    }
    let (blocks, _) = data[first + 1..last.max(first + 1)].as_chunks::<BLOCK>();
    let skipped = blocks
        .iter()
        .take_while(|&block| *block == [flip; BLOCK])
        .count()
        * BLOCK;
    (first + 1 + skipped..=last).find_map(found_in)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bits(data: &[u8]) -> Vec<bool> {
        data.iter()
            .flat_map(|byte| (0..8).map(move |i| byte & 0x80 >> i != 0))
            .collect()
    }

    #[test]
    fn counting_takes_ranges_of_bytes_or_bits() {
        let data = b"foobar";
        assert_eq!(count_ones(data), 26);
        assert_eq!(count_ones_in(data, 0, 0, Unit::Byte), 4);
        assert_eq!(count_ones_in(data, 1, 1, Unit::Byte), 6);
        assert_eq!(count_ones_in(data, 5, 30, Unit::Bit), 17);
        assert_eq!(count_ones_in(data, -2, -1, Unit::Byte), 7);
        assert_eq!(count_ones_in(data, -100, 100, Unit::Byte), 26);
        assert_eq!(count_ones_in(data, 3, 2, Unit::Byte), 0);
        assert_eq!(count_ones_in(data, -8, -9, Unit::Byte), 0);
        assert_eq!(
            count_ones_in(data, -8, -8, Unit::Byte),
            4,
            "clamped to the first byte"
        );
        assert_eq!(count_ones_in(b"", 0, -1, Unit::Byte), 0);
    }

    #[test]
    fn a_clear_bit_is_behind_the_end_only_if_no_end_is_given() {
        let position = |data, bit, start, end| super::position(data, bit, start, end, Unit::Byte);
        assert_eq!(position(b"\xff\xff", false, 0, None), 16);
        assert_eq!(position(b"\xff\xff", false, 1, None), 16);
        assert_eq!(position(b"\xff\xff", false, 0, Some(-1)), -1);
        assert_eq!(position(b"\xff\xff", false, 2, None), -1);
        assert_eq!(position(b"\0\0", true, 0, None), -1);
        assert_eq!(position(b"", false, 0, None), -1);
        assert_eq!(
            position(b"\x01", true, -5, Some(-20)),
            7,
            "both ends are clamped"
        );
        assert_eq!(
            super::position(b"\xff\xf0", false, 3, Some(12), Unit::Bit),
            12
        );
        assert_eq!(
            super::position(b"\xff\xf0", false, 3, Some(11), Unit::Bit),
            -1
        );
    }

    #[test]
    fn shorter_strings_combine_as_if_padded_with_zeros() {
        let sources: [&[u8]; 2] = [b"\x0f\xff", b"\x3c"];
        assert_eq!(combine(BitOp::And, &sources), b"\x0c\0");
        assert_eq!(combine(BitOp::Or, &sources), b"\x3f\xff");
        assert_eq!(combine(BitOp::Xor, &sources), b"\x33\xff");
        assert_eq!(combine(BitOp::Not, &[b"\x0f\xff"]), b"\xf0\0");
        assert_eq!(combine(BitOp::And, &[b"\xff", b""]), b"\0");
        assert_eq!(combine(BitOp::Or, &[]), b"");
    }

    #[test]
    fn field_types_are_up_to_i64_and_u63() {
        for text in ["i1", "i64", "u1", "u63"] {
            assert!(Field::parse(text.as_bytes()).is_some(), "{text}");
        }
        for text in [
            "", "i", "u0", "i0", "u64", "i65", "I8", "8", "i08", "i-1", "u+1",
        ] {
            assert_eq!(Field::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn numbers_that_do_not_fit_wrap_saturate_or_fail() {
        let fit = |field: &[u8], value, increment| {
            let field = Field::parse(field).expect("a type");
            [Overflow::Wrap, Overflow::Sat, Overflow::Fail]
                .map(|overflow| field.fit(value, increment, overflow))
        };
        assert_eq!(fit(b"u8", 250, 5), [Some(255); 3]);
        assert_eq!(fit(b"u8", 250, 6), [Some(0), Some(255), None]);
        assert_eq!(fit(b"u8", 3, -5), [Some(254), Some(0), None]);
        assert_eq!(fit(b"u8", -1, 0), [Some(255), Some(255), None]);
        assert_eq!(fit(b"i8", 127, 1), [Some(-128), Some(127), None]);
        assert_eq!(fit(b"i8", -128, -1), [Some(127), Some(-128), None]);
        assert_eq!(
            fit(b"i64", i64::MAX, 1),
            [Some(i64::MIN), Some(i64::MAX), None]
        );
        assert_eq!(
            fit(b"i64", -5, i64::MIN),
            [Some(i64::MAX - 4), Some(i64::MIN), None]
        );
        assert_eq!(
            fit(b"u63", i64::MAX, i64::MAX),
            [Some(i64::MAX - 1), Some(i64::MAX), None]
        );
        // As on redis-server 7.0.15.
        assert_eq!(fit(b"i8", i64::MIN, 0), [Some(0), Some(127), None]);
        assert_eq!(fit(b"i8", i64::MIN + 200, 0), [Some(-56), Some(-128), None]);
    }

    proptest! {
        #[test]
        fn counts_and_positions_are_those_of_single_bits(
            data in prop::collection::vec(prop_oneof![Just(0u8), Just(255), any::<u8>()], 0..120),
            (start, end) in (-1000..1000i64, -1000..1000i64),
            bit: bool,
            in_bits: bool,
        ) {
            let unit = if in_bits { Unit::Bit } else { Unit::Byte };
            let range = bit_range(&data, start, end, unit);
            let all = bits(&data);
            let found = range.clone().find(|&at| all[at] == bit);
            let ones = range.clone().filter(|&at| all[at]).count() as u64;
            prop_assert_eq!(
                position(&data, bit, start, Some(end), unit),
                found.map_or(-1, |at| at as i64)
            );
            if start >= 0 || end >= start {
                prop_assert_eq!(count_ones_in(&data, start, end, unit), ones);
            }
            prop_assert_eq!(count_ones(&data), all.iter().filter(|&&set| set).count() as u64);
        }

        #[test]
        fn a_field_gives_back_its_low_bits_and_spares_its_neighbours(
            data: [u8; 20],
            offset in 0..96u64,
            width in 1..=64u32,
            signed: bool,
            value: i64,
        ) {
            let field = Field { signed, width: if signed { width } else { width.min(63) } };
            let mut changed = data;
            field.put(&mut changed, offset, value);
            let stored = field.get(&changed, offset);
            prop_assert_eq!(Some(stored), field.fit(value, 0, Overflow::Wrap));
            let own = offset as usize..offset as usize + field.width as usize;
            for (at, (before, after)) in bits(&data).into_iter().zip(bits(&changed)).enumerate() {
                prop_assert!(before == after || own.contains(&at));
            }
            let beyond = field.get(&changed[..field.bytes_needed(offset) as usize], offset);
            prop_assert_eq!(beyond, stored);
        }

        #[test]
        fn single_bits_are_set_and_cleared(mut data: [u8; 4], offset in 0..32u64, bit: bool) {
            let before = bits(&data)[offset as usize];
            prop_assert_eq!(set(&mut data, offset, bit), before);
            prop_assert_eq!(get(&data, offset), bit);
            prop_assert!(!get(&data, offset + 32));
        }
    }
}
