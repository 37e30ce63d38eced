//! What a table operation costs at a size where every access misses the caches, and the longest pause while it grows.
//!
//! `cargo bench -p store --bench table -- [entries]`, 4 million entries of 40 bytes by default.
#![allow(unsafe_code, reason = "an entry in one block, as in the keyspace")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::hint::black_box;
use std::ptr::NonNull;
use std::time::{Duration, Instant};
use store::hash::hash;
use store::table::{Slot, Table, Thin};

const KEY_BYTES: usize = 16;
const LAYOUT: Layout = Layout::new::<[u64; 5]>();
/// Commands of one read from a pipelining client.
const BATCH: usize = 32;

/// 16 bytes of key and 24 of the rest.
#[repr(transparent)]
struct Entry(Thin);

impl Entry {
    fn new(key: &[u8; KEY_BYTES]) -> Self {
        // SAFETY: the layout is not empty.
        let Some(block) = NonNull::new(unsafe { alloc(LAYOUT) }) else {
            handle_alloc_error(LAYOUT)
        };
        // SAFETY: the key fits the block just allocated.
        unsafe { block.cast::<[u8; KEY_BYTES]>().write(*key) };
        Self(Thin::new(block))
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // SAFETY: allocated by `new` with this layout.
        unsafe { dealloc(self.0.ptr().as_ptr(), LAYOUT) }
    }
}

// SAFETY: transparent over `Thin`, used through `ptr` only.
unsafe impl Slot for Entry {
    fn key(&self) -> &[u8] {
        // SAFETY: `new` wrote the key at the start of the block.
        unsafe { self.0.ptr().cast::<[u8; KEY_BYTES]>().as_ref() }
    }
}

fn key(n: u64) -> [u8; KEY_BYTES] {
    let mut key = [b'k'; KEY_BYTES];
    key[8..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    key
}

/// Numbers below `entries`, each as likely as any other.
fn random_numbers(entries: u64) -> impl FnMut() -> u64 {
    let mut state = 88_172_645_463_325_252_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % entries
    }
}

fn report(what: &str, operations: u64, took: Duration) {
    println!(
        "{what:<28}{:>8.1} ns",
        took.as_nanos() as f64 / operations as f64
    );
}

fn timed(what: &str, operations: u64, work: impl FnOnce()) {
    let start = Instant::now();
    work();
    report(what, operations, start.elapsed());
}

fn main() {
    let entries = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .next()
        .unwrap_or(4_000_000);
    let mut table = Table::new();
    timed("insert", entries, || {
        for n in 0..entries {
            let key = key(n);
            table.insert_unique(hash(&key), Entry::new(&key));
        }
    });
    let stats = table.stats();
    println!(
        "{:<28}{:>8.1} bytes",
        "table, per entry",
        table.memory_bytes() as f64 / entries as f64
    );
    println!(
        "{:<28}{:>8.1} %",
        "load",
        100.0 * stats.entries as f64 / stats.slots as f64
    );
    println!(
        "{:<28}{:>8.1} %",
        "displaced",
        100.0 * stats.displaced as f64 / stats.entries as f64
    );

    let lookups = entries.min(4_000_000) / BATCH as u64 * BATCH as u64;
    let mut next = random_numbers(entries);
    timed("find", lookups, || {
        for _ in 0..lookups {
            let key = key(next());
            black_box(table.find(hash(&key), &key)).expect("inserted above");
        }
    });
    timed("find, absent", lookups, || {
        for _ in 0..lookups {
            let key = key(entries + next());
            assert!(black_box(table.find(hash(&key), &key)).is_none());
        }
    });
    timed("find, batches of 32", lookups, || {
        for _ in 0..lookups / BATCH as u64 {
            let keys: [_; BATCH] = std::array::from_fn(|_| key(next()));
            let hashes = keys.map(|key| hash(&key));
            hashes.iter().for_each(|&hash| table.prefetch_control(hash));
            hashes.iter().for_each(|&hash| table.prefetch_slot(hash));
            hashes.iter().for_each(|&hash| table.prefetch_entry(hash));
            for (hash, key) in hashes.into_iter().zip(&keys) {
                black_box(table.find(hash, key)).expect("inserted above");
            }
        }
    });
    timed("find_mut", lookups, || {
        for _ in 0..lookups {
            let key = key(next());
            drop(black_box(table.find_mut(hash(&key), &key)).expect("inserted above"));
        }
    });
    timed("scan, 100 a call", entries, || {
        let mut cursor = 0;
        let mut met = 0;
        loop {
            cursor = table.scan(cursor, 100, |entry| {
                black_box(entry);
                met += 1;
            });
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(met, entries);
    });
    timed("iter, keys read", entries, || {
        assert!(table.iter().all(|entry| entry.key()[0] == b'k'));
    });
    timed("remove", entries, || {
        for n in 0..entries {
            let key = key(n);
            black_box(table.remove(hash(&key), &key)).expect("inserted above");
        }
    });
    longest_insert(entries);
}

/// The clock is read around every insert, so this is a run of its own. Whoever shares the CPU shows here as well.
fn longest_insert(entries: u64) {
    let mut table = Table::new();
    let mut longest = Duration::ZERO;
    let mut over_100_us = 0;
    for n in 0..entries {
        let key = key(n);
        let (hash, entry) = (hash(&key), Entry::new(&key));
        let start = Instant::now();
        table.insert_unique(hash, entry);
        let took = start.elapsed();
        longest = longest.max(took);
        over_100_us += u64::from(took > Duration::from_micros(100));
    }
    println!(
        "{:<28}{:>8.1} us",
        "longest insert",
        longest.as_nanos() as f64 / 1000.0
    );
    println!("{:<28}{over_100_us:>8}", "inserts over 100 us");
}
