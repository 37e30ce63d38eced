#![allow(
    unsafe_code,
    reason = "an entry type of its own, to count what is dropped"
)]
#![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

use super::*;
use crate::hash::hash;
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::ptr::NonNull;
use std::rc::Rc;

/// An entry in one block, like those of the keyspace.
#[repr(transparent)]
struct Entry(Thin);

struct Block {
    key: Vec<u8>,
    value: u64,
    expiring: bool,
    /// How many entries live, if the test asks.
    alive: Option<Rc<Cell<isize>>>,
}

impl Entry {
    fn new(key: &[u8], value: u64, expiring: bool) -> Self {
        Self::counted(key, value, expiring, None)
    }

    fn counted(key: &[u8], value: u64, expiring: bool, alive: Option<Rc<Cell<isize>>>) -> Self {
        if let Some(count) = &alive {
            count.set(count.get() + 1);
        }
        let block = Box::leak(Box::new(Block {
            key: key.to_vec(),
            value,
            expiring,
            alive,
        }));
        Self(Thin::new(NonNull::from(block).cast()))
    }

    fn block(&self) -> &Block {
        // SAFETY: the entry owns its block.
        unsafe { self.0.ptr().cast().as_ref() }
    }

    fn block_mut(&mut self) -> &mut Block {
        // SAFETY: the entry owns its block.
        unsafe { self.0.ptr().cast().as_mut() }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(count) = &self.block().alive {
            count.set(count.get() - 1);
        }
        // SAFETY: made by `counted`, dropped once.
        drop(unsafe { Box::<Block>::from_raw(self.0.ptr().cast().as_ptr()) });
    }
}

// SAFETY: transparent over `Thin`, which is only used through `ptr`.
unsafe impl Slot for Entry {
    fn key(&self) -> &[u8] {
        &self.block().key
    }

    fn has_expiry(&self) -> bool {
        self.block().expiring
    }
}

fn key(n: u64) -> [u8; 8] {
    n.to_le_bytes()
}

fn number(entry: &Entry) -> u64 {
    u64::from_le_bytes(entry.key().try_into().unwrap())
}

fn numbered(n: u64) -> Entry {
    Entry::new(&key(n), n, n.is_multiple_of(5))
}

fn put(table: &mut Table<Entry>, n: u64) {
    table.insert_unique(hash(&key(n)), numbered(n));
}

fn cut(table: &mut Table<Entry>, n: u64) -> bool {
    table.remove(hash(&key(n)), &key(n)).is_some()
}

fn filled(entries: u64) -> Table<Entry> {
    let mut table = Table::new();
    (0..entries).for_each(|n| put(&mut table, n));
    table
}

/// SplitMix64: random enough for tests, and the same every time.
fn random_numbers(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

fn check(table: &Table<Entry>) {
    assert_eq!(table.iter().count(), table.len());
    assert_eq!(
        table.iter().filter(|entry| entry.has_expiry()).count(),
        table.expiring_len()
    );
    let (mut entries, mut expiring) = (0, 0);
    let mut next = Some(0);
    while let Some(start) = next {
        let segment = table.directory.segment(start);
        entries += segment.len();
        expiring += segment.expiring();
        assert_eq!(segment.is_labelled_expiring(), segment.expiring() > 0);
        assert_eq!(
            segment
                .used()
                .filter(|&i| segment.entry(i).has_expiry())
                .count(),
            segment.expiring()
        );
        next = segment.after_segment(start);
    }
    assert_eq!((entries, expiring), (table.len(), table.expiring_len()));
}

#[derive(Clone, Debug)]
enum Step {
    Insert { n: u64, value: u64, expiring: bool },
    Remove(u64),
    RemoveFound(u64),
    Change { n: u64, value: u64, expiring: bool },
    InsertMany { from: u64, count: u64 },
    RemoveMany { from: u64, count: u64 },
    RemoveExpiring,
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let n = || 0..4000u64;
    let step = prop_oneof![
        8 => (n(), any::<u64>(), any::<bool>()).prop_map(|(n, value, expiring)| Step::Insert { n, value, expiring }),
        4 => n().prop_map(Step::Remove),
        4 => n().prop_map(Step::RemoveFound),
        4 => (n(), any::<u64>(), any::<bool>()).prop_map(|(n, value, expiring)| Step::Change { n, value, expiring }),
        6 => (n(), 0..1500u64).prop_map(|(from, count)| Step::InsertMany { from, count }),
        4 => (n(), 0..2500u64).prop_map(|(from, count)| Step::RemoveMany { from, count }),
        1 => Just(Step::RemoveExpiring),
        1 => Just(Step::Clear),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_history_leaves_what_a_plain_map_would_hold(history in steps()) {
        let mut table = Table::new();
        let mut model: HashMap<u64, (u64, bool)> = HashMap::new();
        for step in history {
            match step {
                Step::Insert { n, value, expiring } => {
                    let former = table.insert(hash(&key(n)), Entry::new(&key(n), value, expiring));
                    let expected = model.insert(n, (value, expiring));
                    prop_assert_eq!(former.map(|e| (e.block().value, e.has_expiry())), expected);
                }
                Step::Remove(n) => {
                    let removed = table.remove(hash(&key(n)), &key(n));
                    prop_assert_eq!(removed.map(|e| e.block().value), model.remove(&n).map(|(value, _)| value));
                }
                Step::RemoveFound(n) => {
                    let found = table.find_mut(hash(&key(n)), &key(n));
                    prop_assert_eq!(found.map(|slot| slot.remove().block().value), model.remove(&n).map(|(value, _)| value));
                }
                Step::Change { n, value, expiring } => {
                    let found = table.find_mut(hash(&key(n)), &key(n));
                    prop_assert_eq!(found.is_some(), model.contains_key(&n));
                    if let Some(mut slot) = found {
                        if value % 2 == 0 {
                            *slot = Entry::new(&key(n), value, expiring);
                        } else {
                            slot.block_mut().value = value;
                            slot.block_mut().expiring = expiring;
                        }
                        model.insert(n, (value, expiring));
                    }
                }
                Step::InsertMany { from, count } => for n in from..from + count {
                    if table.find(hash(&key(n)), &key(n)).is_none() {
                        put(&mut table, n);
                        model.insert(n, (n, n.is_multiple_of(5)));
                    }
                },
                Step::RemoveMany { from, count } => for n in from..from + count {
                    prop_assert_eq!(cut(&mut table, n), model.remove(&n).is_some());
                },
                Step::RemoveExpiring => {
                    let mut removed = Vec::new();
                    let mut cursor = 0;
                    loop {
                        cursor = table.visit_expiring(cursor, 20, |entry| {
                            assert!(entry.has_expiry());
                            Verdict::Remove
                        }, &mut removed);
                        if cursor == 0 {
                            break;
                        }
                    }
                    let before = model.len();
                    model.retain(|_, (_, expiring)| !*expiring);
                    prop_assert_eq!(removed.len(), before - model.len());
                    prop_assert_eq!(table.expiring_len(), 0);
                }
                Step::Clear => {
                    table.clear();
                    model.clear();
                }
            }
            prop_assert_eq!(table.len(), model.len());
            prop_assert_eq!(table.expiring_len(), model.values().filter(|(_, expiring)| *expiring).count());
        }
        check(&table);
        let held: HashMap<u64, (u64, bool)> =
            table.iter().map(|entry| (number(entry), (entry.block().value, entry.has_expiry()))).collect();
        prop_assert_eq!(&held, &model);
        for n in 0..6500 {
            let found = table.find(hash(&key(n)), &key(n)).map(|entry| (entry.block().value, entry.has_expiry()));
            prop_assert_eq!(found, model.get(&n).copied());
        }
    }

    #[test]
    fn a_scan_meets_every_entry_that_stays_whatever_happens_between_its_steps(
        seed in any::<u64>(), size in 1..20_000u64, count in 1..200usize,
    ) {
        let mut rng = random_numbers(seed);
        // Those below `lasting` stay; the others come and go in waves that split and merge segments.
        let lasting = rng() % size;
        let mut table = filled(size);
        let (mut met, mut walked) = (HashSet::new(), HashSet::new());
        let (mut cursor, mut position) = (0, Some(WalkPos::default()));
        let mut calls = 0;
        loop {
            cursor = table.scan(cursor, count, |entry| { met.insert(number(entry)); });
            if let Some(from) = position {
                position = table.walk(from, count, |entry| { walked.insert(number(entry)); });
            }
            // A scan that is through before the walk starts over, which does no harm.
            if cursor == 0 && position.is_none() {
                break;
            }
            prop_assert!(cursor < 1 << 53);
            calls += 1;
            prop_assert!(calls < 200_000, "the scan comes to an end");
            if calls % 20 == 0 {
                let (from, wave) = (lasting + rng() % 30_000, rng() % 6000);
                let insert = rng().is_multiple_of(2);
                for n in from..from + wave {
                    if !insert {
                        cut(&mut table, n);
                    } else if table.find(hash(&key(n)), &key(n)).is_none() {
                        put(&mut table, n);
                    }
                }
            }
        }
        prop_assert!((0..lasting).all(|n| met.contains(&n)));
        prop_assert!((0..lasting).all(|n| walked.contains(&n)));
    }
}

#[test]
fn an_empty_table_has_no_memory_and_answers_everything() {
    let mut table = Table::<Entry>::new();
    assert!(size_of::<Table<Entry>>() <= 40);
    assert_eq!(table.memory_bytes(), size_of::<Table<Entry>>());
    assert!(
        table.find(1, b"").is_none()
            && table.find_mut(1, b"").is_none()
            && table.remove(1, b"").is_none()
    );
    assert_eq!(table.scan(0, 10, |_| unreachable!()), 0);
    assert_eq!(table.scan(u64::MAX, 10, |_| unreachable!()), 0);
    assert_eq!(table.walk(WalkPos::default(), 10, |_| unreachable!()), None);
    assert_eq!(
        table.visit_expiring(77, 10, |_| Verdict::Remove, &mut Vec::new()),
        0
    );
    let mut rng = random_numbers(0);
    assert!(table.random(&mut rng).is_none());
    assert_eq!(table.sample(&mut rng, 5, |_| unreachable!()), 0);
    assert_eq!(table.sample_expiring(&mut rng, 5, |_| unreachable!()), 0);
    assert_eq!(table.iter().count(), 0);
    assert_eq!(table.stats(), Stats::default());
    table.prefetch(9);
    table.prefetch_control(9);
    table.prefetch_slot(9);
    table.prefetch_entry(9);
}

#[test]
fn a_table_of_five_is_tiny_and_one_emptied_is_empty_again() {
    let mut table = filled(5);
    assert!(table.memory_bytes() < 256, "{}", table.memory_bytes());
    (0..5).for_each(|n| assert!(cut(&mut table, n)));
    assert_eq!(table.memory_bytes(), size_of::<Table<Entry>>());
    put(&mut table, 1);
    check(&table);
}

#[test]
fn a_million_entries_load_the_segments_well_and_are_all_found() {
    let table = filled(1_000_000);
    for n in 0..1_000_000 {
        assert_eq!(number(table.find(hash(&key(n)), &key(n)).unwrap()), n);
        assert!(
            table
                .find(hash(&key(n + 1_000_000)), &key(n + 1_000_000))
                .is_none()
        );
    }
    let stats = table.stats();
    assert_eq!(stats.entries, 1_000_000);
    assert!(stats.segments * 448 == stats.slots);
    assert!(
        stats.entries * 5 > stats.slots * 2,
        "over 40 % of the slots are used: {stats:?}"
    );
    assert!(
        stats.displaced * 10 < stats.entries,
        "nine of ten are where the search starts: {stats:?}"
    );
    assert!(
        table.memory_bytes() < 1_000_000 * 22,
        "{}",
        table.memory_bytes()
    );
    check(&table);
}

#[test]
fn memory_comes_back_after_a_mass_delete() {
    let mut table = filled(300_000);
    let full = table.memory_bytes();
    (0..299_000).for_each(|n| assert!(cut(&mut table, n)));
    check(&table);
    assert!(
        table.memory_bytes() < full / 100,
        "{} of {full}",
        table.memory_bytes()
    );
    (299_000..299_990).for_each(|n| assert!(cut(&mut table, n)));
    assert!(table.memory_bytes() < 1000, "{}", table.memory_bytes());
    (299_990..300_000).for_each(|n| assert!(table.find(hash(&key(n)), &key(n)).is_some()));
}

#[test]
fn every_entry_is_dropped_once() {
    let alive = Rc::new(Cell::new(0));
    let entry = |n: u64| Entry::counted(&key(n), n, n.is_multiple_of(3), Some(alive.clone()));
    let mut table = Table::new();
    (0..5000).for_each(|n| table.insert_unique(hash(&key(n)), entry(n)));
    (0..1000).for_each(|n| drop(table.insert(hash(&key(n)), entry(n))));
    assert_eq!(alive.get(), 5000);
    (0..2500).for_each(|n| drop(table.remove(hash(&key(n)), &key(n))));
    assert_eq!(alive.get(), 2500);
    let mut removed = Vec::new();
    while table.visit_expiring(0, 100, |_| Verdict::Remove, &mut removed) != 0 {}
    assert_eq!(alive.get(), 2500);
    drop(removed);
    assert_eq!(alive.get() as usize, table.len());
    let taken = table.take();
    assert!(table.is_empty() && !taken.is_empty());
    drop(taken);
    assert_eq!(alive.get(), 0);
    (0..40).for_each(|n| table.insert_unique(hash(&key(n)), entry(n)));
    table.clear();
    assert_eq!(alive.get(), 0);
}

#[test]
fn a_scan_step_returns_about_as_many_as_asked_for_in_hash_order() {
    let table = filled(50_000);
    let (mut cursor, mut last_end) = (0, 0);
    loop {
        let from = cursor;
        let mut step = Vec::new();
        cursor = table.scan(cursor, 10, |entry| step.push(hash(entry.key())));
        assert!(step.len() <= 10 + 40, "{}", step.len());
        assert!(
            step.iter()
                .all(|&h| h >> 12 >= from && (cursor == 0 || h >> 12 < cursor))
        );
        if cursor == 0 {
            break;
        }
        assert!(cursor > last_end);
        last_end = cursor;
    }
}

#[test]
fn a_scan_of_a_table_at_rest_returns_nothing_twice() {
    for size in [1, 15, 16, 17, 40, 400, 448, 3000] {
        let table = filled(size);
        let mut met = Vec::new();
        let mut cursor = 0;
        loop {
            cursor = table.scan(cursor, 3, |entry| met.push(number(entry)));
            if cursor == 0 {
                break;
            }
        }
        met.sort_unstable();
        assert_eq!(met, (0..size).collect::<Vec<_>>());
    }
}

#[test]
fn a_walk_may_replace_entries() {
    let mut table = filled(3000);
    let mut position = WalkPos::default();
    while let Some(next) = table.walk(position, 50, |entry| {
        *entry = Entry::new(entry.key(), 7, true)
    }) {
        position = next;
    }
    assert_eq!(table.expiring_len(), 3000);
    check(&table);
    assert!((0..3000).all(|n| table.find(hash(&key(n)), &key(n)).unwrap().block().value == 7));
}

#[test]
fn random_entries_come_with_similar_chances() {
    let table = filled(2000);
    let mut rng = random_numbers(1);
    let mut hits = vec![0; 2000];
    for _ in 0..200_000 {
        hits[number(table.random(&mut rng).unwrap()) as usize] += 1;
    }
    assert!(
        hits.iter().all(|&count| (30..250).contains(&count)),
        "{hits:?}"
    );
}

#[test]
fn samples_hold_as_many_entries_as_there_are_to_give() {
    let mut table = filled(4000);
    let mut rng = random_numbers(2);
    for wanted in [1, 5, 64, 2000] {
        let mut seen = HashSet::new();
        assert_eq!(
            table.sample(&mut rng, wanted, |entry| assert!(
                seen.insert(number(entry))
            )),
            wanted
        );
        assert_eq!(seen.len(), wanted);
    }
    let mut seen = HashSet::new();
    let given = table.sample_expiring(&mut rng, 5, |entry| {
        assert!(entry.has_expiry());
        seen.insert(number(entry));
    });
    assert_eq!((given, seen.len()), (5, 5));
    for n in (0..4000).filter(|n| n % 5 == 0 && *n != 1000) {
        cut(&mut table, n);
    }
    assert_eq!(
        table.sample_expiring(&mut rng, 5, |entry| assert_eq!(number(entry), 1000)),
        1
    );
}

#[test]
fn removing_expired_entries_skips_the_others() {
    let mut table = filled(10_000);
    let (mut removed, mut shown) = (Vec::new(), 0);
    let mut cursor = 0;
    loop {
        let before = shown;
        let judge = |entry: &Entry| {
            assert!(entry.has_expiry());
            shown += 1;
            if number(entry).is_multiple_of(10) {
                Verdict::Remove
            } else {
                Verdict::Keep
            }
        };
        cursor = table.visit_expiring(cursor, 20, judge, &mut removed);
        assert!(shown - before < 20 + 40);
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(
        (removed.len(), table.len(), table.expiring_len()),
        (1000, 9000, 1000)
    );
    check(&table);
}

#[test]
fn the_next_hash_after_a_home_is_the_first_with_another_home() {
    let table = filled(3000);
    let mut hash = 0;
    loop {
        let segment = table.directory.segment(hash);
        let Some(next) = segment.after_home(hash) else {
            break;
        };
        assert_eq!(next % (1 << CURSOR_SHIFT), 0);
        let same = table.directory.segment(next - 1);
        assert_eq!(same.after_home(next - 1), Some(next));
        hash = next;
    }
}

#[test]
fn every_entry_is_the_first_of_some_sample() {
    let table = filled(2000);
    let mut rng = random_numbers(3);
    for expiring in [false, true] {
        let mut first = HashSet::new();
        for _ in 0..100_000 {
            let visit = |entry: &Entry| {
                first.insert(number(entry));
            };
            match expiring {
                false => table.sample(&mut rng, 1, visit),
                true => table.sample_expiring(&mut rng, 1, visit),
            };
        }
        assert_eq!(first.len(), if expiring { 400 } else { 2000 });
    }
}
