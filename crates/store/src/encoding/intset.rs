//! The intset: a sorted array of distinct integers, all as wide as the widest needs. Small sets of integers take this
//! form in memory, and DUMP and RDB files carry it byte for byte as Redis lays it out:
//!
//! ```text
//! | bytes per integer (2, 4 or 8) u32 LE | integers u32 LE | integer LE … |
//! ```
//!
//! A set widens when an integer does not fit and never narrows again, so its bytes tell its history, as Redis's do.

const HEADER: usize = 8;

/// A sorted set of integers. Always well-formed.
#[derive(Clone, PartialEq, Eq)]
pub struct Intset {
    bytes: Vec<u8>,
}

/// Bytes that are not an intset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntsetError {
    /// Where the first contradiction was seen.
    pub offset: usize,
}

impl std::fmt::Display for IntsetError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "invalid intset at offset {}", self.offset)
    }
}

impl std::error::Error for IntsetError {}

/// Bytes per integer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Width {
    Two = 2,
    Four = 4,
    Eight = 8,
}

impl Width {
    #[inline]
    fn of(value: i64) -> Self {
        if i16::try_from(value).is_ok() {
            Self::Two
        } else if i32::try_from(value).is_ok() {
            Self::Four
        } else {
            Self::Eight
        }
    }
}

impl Default for Intset {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Intset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Intset {
    /// An empty set, two bytes wide.
    pub fn new() -> Self {
        Self {
            bytes: vec![Width::Two as u8, 0, 0, 0, 0, 0, 0, 0],
        }
    }

    /// Takes bytes from a file or a peer after checking width, length and strict order.
    pub fn from_bytes_validated(bytes: Vec<u8>) -> Result<Self, IntsetError> {
        let fail = |offset| Err(IntsetError { offset });
        if bytes.len() < HEADER {
            return fail(bytes.len());
        }
        let width = match u32_at(&bytes, 0) {
            width @ (2 | 4 | 8) => width as usize,
            _ => return fail(0),
        };
        let body = bytes.len() - HEADER;
        if !body.is_multiple_of(width) || body / width != u32_at(&bytes, 4) as usize {
            return fail(4);
        }
        let set = Self { bytes };
        let misplaced = set
            .iter()
            .zip(set.iter().skip(1))
            .position(|(one, next)| one >= next);
        misplaced.map_or(Ok(set), |index| fail(HEADER + (index + 1) * width))
    }

    /// The serialized form, as it goes into an RDB file.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes of the serialized form.
    #[inline]
    pub fn bytes_len(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes held from the allocator.
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    #[inline]
    pub fn len(&self) -> usize {
        u32_at(&self.bytes, 4) as usize
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `index`-th smallest integer.
    #[inline]
    pub fn get(&self, index: usize) -> Option<i64> {
        (index < self.len()).then(|| self.at(index))
    }

    #[inline]
    pub fn min(&self) -> Option<i64> {
        self.get(0)
    }

    #[inline]
    pub fn max(&self) -> Option<i64> {
        self.get(self.len().wrapping_sub(1))
    }

    /// The integers in ascending order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = i64> + ExactSizeIterator + Clone {
        (0..self.len()).map(|index| self.at(index))
    }

    #[inline]
    pub fn contains(&self, value: i64) -> bool {
        Width::of(value) <= self.width() && self.search(value).is_ok()
    }

    /// Adds `value`; false if it was there.
    pub fn insert(&mut self, value: i64) -> bool {
        if Width::of(value) > self.width() {
            self.widen(Width::of(value));
        }
        let Err(index) = self.search(value) else {
            return false;
        };
        let (offset, width) = (self.offset(index), self.width() as usize);
        let old_end = self.bytes.len();
        // Exact growth, as these sets are small; above a kilobyte doubling takes over.
        if old_end < 1024 {
            self.bytes.reserve_exact(width);
        }
        self.bytes.resize(old_end + width, 0);
        self.bytes.copy_within(offset..old_end, offset + width);
        self.bytes[offset..offset + width].copy_from_slice(&value.to_le_bytes()[..width]);
        self.set_len(self.len() + 1);
        true
    }

    /// Removes `value`; false if it was not there.
    pub fn remove(&mut self, value: i64) -> bool {
        if Width::of(value) > self.width() {
            return false;
        }
        let Ok(index) = self.search(value) else {
            return false;
        };
        let offset = self.offset(index);
        self.bytes.drain(offset..offset + self.width() as usize);
        if self.bytes.capacity() / 2 > self.bytes.len() {
            self.bytes.shrink_to_fit();
        }
        self.set_len(self.len() - 1);
        true
    }

    /// Where `value` is, or where it belongs. New integers often go to an end, so the ends are asked first.
    fn search(&self, value: i64) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        if high == 0 || value > self.at(high - 1) {
            return Err(high);
        }
        if value < self.at(0) {
            return Err(0);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match self.at(middle).cmp(&value) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    fn widen(&mut self, width: Width) {
        let len = self.len();
        let mut bytes = Vec::with_capacity(HEADER + (len + 1) * width as usize);
        bytes.extend_from_slice(&(width as u32).to_le_bytes());
        bytes.extend_from_slice(&(len as u32).to_le_bytes());
        for value in self.iter() {
            bytes.extend_from_slice(&value.to_le_bytes()[..width as usize]);
        }
        self.bytes = bytes;
    }

    #[inline]
    fn width(&self) -> Width {
        match self.bytes[0] {
            2 => Width::Two,
            4 => Width::Four,
            _ => Width::Eight,
        }
    }

    #[inline]
    fn offset(&self, index: usize) -> usize {
        HEADER + index * self.width() as usize
    }

    #[inline]
    fn at(&self, index: usize) -> i64 {
        let offset = self.offset(index);
        match self.width() {
            Width::Two => i64::from(i16::from_le_bytes(array_at(&self.bytes, offset))),
            Width::Four => i64::from(i32::from_le_bytes(array_at(&self.bytes, offset))),
            Width::Eight => i64::from_le_bytes(array_at(&self.bytes, offset)),
        }
    }

    #[inline]
    fn set_len(&mut self, len: usize) {
        let len = u32::try_from(len)
            .expect("set-max-intset-entries converts sets long before 2^32 integers");
        self.bytes[4..HEADER].copy_from_slice(&len.to_le_bytes());
    }
}

#[inline]
fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    *bytes[offset..]
        .first_chunk()
        .expect("offsets of whole integers inside the set")
}

#[inline]
fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(values: &[i64]) -> Intset {
        let mut set = Intset::new();
        for &value in values {
            set.insert(value);
        }
        set
    }

    #[test]
    fn integers_are_as_wide_as_the_widest_needs_and_stay_so() {
        let mut set = set(&[1, -2]);
        assert_eq!(set.as_bytes(), [2, 0, 0, 0, 2, 0, 0, 0, 0xFE, 0xFF, 1, 0]);
        set.insert(-32_769);
        let four = [
            4, 0, 0, 0, 3, 0, 0, 0, 0xFF, 0x7F, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0,
        ];
        assert_eq!(set.as_bytes(), four);
        set.insert(i64::MAX);
        assert_eq!(set.bytes_len(), 8 + 4 * 8);
        assert!(set.remove(i64::MAX));
        assert_eq!(set.as_bytes()[0], 8);
        assert_eq!(
            (set.min(), set.max(), set.get(3)),
            (Some(-32_769), Some(1), None)
        );
    }

    #[test]
    fn a_value_wider_than_the_set_is_absent() {
        let mut set = set(&[1]);
        assert!(!set.contains(65_537));
        assert!(!set.remove(65_537));
        assert_eq!(set.as_bytes()[0], 2);
        assert_eq!(Intset::new().max(), None);
    }

    #[test]
    fn broken_bytes_are_refused_with_the_place() {
        let refused = |bytes: &[u8]| {
            Intset::from_bytes_validated(bytes.to_vec())
                .unwrap_err()
                .offset
        };
        assert_eq!(refused(&[2, 0, 0, 0]), 4);
        assert_eq!(refused(&[3, 0, 0, 0, 0, 0, 0, 0]), 0);
        assert_eq!(refused(&[2, 1, 0, 0, 0, 0, 0, 0]), 0);
        assert_eq!(refused(&[2, 0, 0, 0, 2, 0, 0, 0, 1, 0]), 4);
        assert_eq!(refused(&[2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 2]), 4);
        assert_eq!(refused(&[2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 1, 0]), 10);
        assert_eq!(refused(&[2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0xFF, 0xFF]), 10);
    }

    fn value() -> impl Strategy<Value = i64> {
        prop_oneof![8 => -50i64..50, 2 => -70_000i64..70_000, 1 => any::<i64>()]
    }

    proptest! {
        #[test]
        fn behaves_as_an_ordered_set(steps in prop::collection::vec((any::<bool>(), value()), 0..200)) {
            let (mut set, mut model) = (Intset::new(), BTreeSet::new());
            for (insert, value) in steps {
                if insert {
                    prop_assert_eq!(set.insert(value), model.insert(value));
                } else {
                    prop_assert_eq!(set.remove(value), model.remove(&value));
                }
                prop_assert_eq!(set.contains(value), model.contains(&value));
            }
            prop_assert!(set.iter().eq(model.iter().copied()));
            prop_assert_eq!((set.len(), set.is_empty()), (model.len(), model.is_empty()));
            prop_assert_eq!((set.min(), set.max()), (model.first().copied(), model.last().copied()));
            prop_assert_eq!(Intset::from_bytes_validated(set.as_bytes().to_vec()), Ok(set));
        }
    }
}
