//! What entries cost in memory: the allocator's size classes, and estimates of values too big to look at whole.

use crate::db::Db;
use crate::entry::Entry;
use crate::value::ValueRef;

/// How many elements of a value an estimate looks at when nobody says otherwise, as MEMORY USAGE.
pub const DEFAULT_SAMPLES: usize = 5;
/// A slot of the keyspace's table and its control byte; the free slots beside it are the table's overhead.
const SLOT_BYTES: usize = size_of::<usize>() + 1;

/// Bytes the allocator reserves for an allocation of `size`: its size classes are four to each doubling, multiples of
/// 16 except for the first.
pub const fn size_class(size: usize) -> usize {
    match size {
        0 => 0,
        1..=8 => 8,
        9..=128 => size.next_multiple_of(16),
        _ => {
            let doubling = (size - 1).ilog2();
            size.next_multiple_of(1 << (doubling - 2))
        }
    }
}

impl Entry {
    /// Bytes of the entry with its key, value and place in the table. Of a collection about `samples` elements are looked
    /// at; 0: all of them.
    pub fn memory_usage(&self, samples: usize) -> usize {
        let outside = match self.heap_string() {
            Some(string) => size_class(size_of_val(string)) + string.heap_bytes(),
            None => self.value().memory_usage(samples),
        };
        SLOT_BYTES + size_class(self.allocated_bytes()) + outside
    }
}

impl ValueRef<'_> {
    /// Bytes of the value's own allocations. Of a collection about `samples` elements are looked at; 0: all of them.
    pub fn memory_usage(&self, samples: usize) -> usize {
        match self {
            // Of a string the entry knows whether it is outside.
            ValueRef::String(_) => 0,
            ValueRef::List(list) => size_class(size_of_val(*list)) + list.heap_bytes(samples),
            ValueRef::Set(set) => size_class(size_of_val(*set)) + set.heap_bytes(samples),
            ValueRef::Hash(hash) => size_class(size_of_val(*hash)) + hash.heap_bytes(samples),
            ValueRef::SortedSet(zset) => size_class(size_of_val(*zset)) + zset.memory_bytes(),
            ValueRef::Stream(stream) => {
                size_class(size_of_val(*stream)) + stream.heap_bytes(samples)
            }
        }
    }
}

impl Db {
    /// Bytes of all entries and the table, judged by a few entries.
    pub fn estimated_bytes(&mut self) -> usize {
        /// More change little.
        const SAMPLES: usize = 32;
        let mut bytes = 0;
        let seen = self.sample(SAMPLES, false, |entry| {
            bytes += entry.memory_usage(DEFAULT_SAMPLES) - SLOT_BYTES;
        });
        self.table_bytes() + bytes * self.len() / seen.max(1)
    }
}

/// The sum over `count` items of which about `samples` are measured; 0: all of them.
pub(crate) fn extrapolate(
    count: usize,
    samples: usize,
    sizes: impl Iterator<Item = usize>,
) -> usize {
    let samples = if samples == 0 {
        count
    } else {
        samples.min(count)
    };
    if samples == 0 {
        return 0;
    }
    let measured: usize = sizes.take(samples).sum();
    if samples == count {
        measured
    } else {
        (measured as u128 * count as u128 / samples as u128) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Hash, HashLimits, Value};

    #[test]
    fn size_classes_are_those_of_the_allocator() {
        let expected = [
            (1, 8),
            (8, 8),
            (9, 16),
            (16, 16),
            (17, 32),
            (33, 48),
            (113, 128),
            (128, 128),
            (129, 160),
            (161, 192),
            (225, 256),
            (257, 320),
            (4096, 4096),
            (4097, 5120),
            (1 << 20, 1 << 20),
            ((1 << 20) + 1, 5 << 18),
        ];
        for (size, class) in expected {
            assert_eq!(size_class(size), class, "{size}");
        }
    }

    #[test]
    fn an_estimate_from_samples_is_near_the_whole() {
        let mut hash = Hash::default();
        let limits = HashLimits {
            entries: 4,
            value: 64,
        };
        for field in 0..1000 {
            hash.set(format!("field {field:04}").as_bytes(), b"value", limits);
        }
        let entry = Entry::new(b"key", Value::Hash(Box::new(hash)), None);
        let (all, some) = (entry.memory_usage(0), entry.memory_usage(5));
        assert!(all > 1000 * 32, "{all}");
        assert!(some.abs_diff(all) < all / 10, "{some} {all}");
    }
}
