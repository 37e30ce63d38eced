//! Sixteen control bytes compared at once: with SSE2 where every CPU has it, two words at a time elsewhere.

/// Slots whose control bytes are compared in one step.
pub(super) const WIDTH: usize = 16;

/// Control bytes of one group: `EMPTY`, or a tag with the top bit set.
pub(super) type Group = [u8; WIDTH];

pub(super) const EMPTY: u8 = 0;
pub(super) const FULL: u8 = 0x80;

/// A set of slots of one group, walked from the lowest.
#[derive(Clone, Copy)]
pub(super) struct Mask(pub(super) u16);

impl Iterator for Mask {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let lowest = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (lowest < u16::BITS).then_some(lowest as usize)
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use sse2::{full, matching};
#[cfg(not(target_arch = "x86_64"))]
pub(super) use words::{full, matching};

#[cfg(target_arch = "x86_64")]
mod sse2 {
    #![allow(unsafe_code, reason = "vector instructions")]

    use super::{Group, Mask};
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8};

    /// Slots holding `tag`.
    #[inline]
    pub(in super::super) fn matching(group: &Group, tag: u8) -> Mask {
        // SAFETY: every x86-64 CPU has SSE2; the reference covers the 16 bytes of the unaligned load.
        unsafe {
            let bytes = _mm_loadu_si128(group.as_ptr().cast());
            let same = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(tag.cast_signed()));
            Mask(_mm_movemask_epi8(same) as u16)
        }
    }

    /// Slots in use.
    #[inline]
    pub(in super::super) fn full(group: &Group) -> Mask {
        // SAFETY: as above.
        unsafe { Mask(_mm_movemask_epi8(_mm_loadu_si128(group.as_ptr().cast())) as u16) }
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod words {
    use super::{Group, Mask};

    const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const ONES: u64 = 0x0101_0101_0101_0101;

    /// One bit per byte of `word` whose top bit is set.
    #[inline]
    fn top_bits(word: u64) -> u16 {
        // The product moves the top bit of byte i to bit 56 + i; no two partial products meet.
        (((word & !LOW_BITS) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u16
    }

    #[inline]
    fn both(group: &Group, mark: impl Fn(u64) -> u64) -> Mask {
        let whole = u128::from_le_bytes(*group);
        Mask(top_bits(mark(whole as u64)) | top_bits(mark((whole >> 64) as u64)) << 8)
    }

    #[inline]
    pub(in super::super) fn matching(group: &Group, tag: u8) -> Mask {
        both(group, |word| {
            let differs = word ^ (ONES * u64::from(tag));
            // The top bit of a byte ends up set where `differs` is zero; the sum never carries into the next byte.
            !(((differs & LOW_BITS) + LOW_BITS) | differs)
        })
    }

    #[inline]
    pub(in super::super) fn full(group: &Group) -> Mask {
        both(group, |word| word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one_by_one(group: &Group, wanted: impl Fn(u8) -> bool) -> u16 {
        (0..WIDTH)
            .filter(|&i| wanted(group[i]))
            .fold(0, |mask, i| mask | 1 << i)
    }

    proptest! {
        #[test]
        fn every_way_to_compare_a_group_finds_the_same_slots(
            group in prop::array::uniform16(prop_oneof![Just(EMPTY), 0x80..=0x83u8, 0xfe..=0xffu8]),
            tag in prop_oneof![0x80..=0x83u8, 0xfe..=0xffu8],
        ) {
            let same = one_by_one(&group, |byte| byte == tag);
            let used = one_by_one(&group, |byte| byte != EMPTY);
            prop_assert_eq!((matching(&group, tag).0, full(&group).0), (same, used));
            prop_assert_eq!((words::matching(&group, tag).0, words::full(&group).0), (same, used));
        }
    }

    #[test]
    fn a_mask_yields_its_slots_from_the_lowest() {
        assert_eq!(Mask(0b1000_0000_0001_0010).collect::<Vec<_>>(), [1, 4, 15]);
    }
}
