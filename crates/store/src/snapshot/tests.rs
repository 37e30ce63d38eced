//! Whatever commands run while a snapshot is written, it says what was there when it began.

mod reader;

use super::*;
use crate::db::{Access, Db, Expiry};
use crate::rdb::save::SavedUse;
use crate::value::{HashLimits, List, Set, SortedSet, SortedSetLimits, ValueRef};
use proptest::prelude::*;
use reader::{Contents, contents_of, read};

/// Everything larger than a few elements is written in slices.
const LAYOUT: Layout = Layout {
    compress: true,
    saved_use: SavedUse::None,
    whole: WholeLimits {
        parts: 6,
        bytes: 200,
        string_bytes: 1000,
    },
};

const DBS: u32 = 3;

#[derive(Clone, Debug)]
enum Op {
    SetString(u32, u8, usize, Option<i64>),
    EditString(u32, u8, usize, usize),
    HashSet(u32, u8, u16, usize),
    HashRemove(u32, u8, u16),
    SetAdd(u32, u8, u16, bool),
    SetRemove(u32, u8, u16),
    SortedSetAdd(u32, u8, u16, i8),
    SortedSetRemove(u32, u8, u16),
    SortedSetRemoveRanks(u32, u8, usize, usize),
    Push(u32, u8, bool, usize),
    Pop(u32, u8, bool),
    ListEdit(u32, u8, u8, usize, usize),
    Delete(u32, u8),
    Rename(u32, u8, u8),
    Move(u32, u8, u32),
    Copy(u32, u8, u8),
    SetExpiry(u32, u8, Option<i64>),
    ExpireDue(u32),
    Fill(u32, u16),
    DeleteMany(u32, u16),
    Flush(u32),
    Swap(u32, u32),
}

fn ops(len: usize) -> impl Strategy<Value = Vec<Op>> {
    let db = || 0..DBS;
    let key = || 0..8u8;
    let field = || 0..40u16;
    let size = || prop_oneof![4 => 0..30usize, 1 => 0..3000usize];
    let expiry = || prop_oneof![Just(None), (1..200i64).prop_map(Some)];
    let op = prop_oneof![
        4 => (db(), key(), prop_oneof![3 => 0..60usize, 1 => 900..200_000usize], expiry())
            .prop_map(|(d, k, n, e)| Op::SetString(d, k, n, e)),
        4 => (db(), key(), prop_oneof![0..100usize, 0..250_000usize], 0..80_000usize)
            .prop_map(|(d, k, at, n)| Op::EditString(d, k, at, n)),
        12 => (db(), key(), field(), size()).prop_map(|(d, k, f, n)| Op::HashSet(d, k, f, n)),
        4 => (db(), key(), field()).prop_map(|(d, k, f)| Op::HashRemove(d, k, f)),
        10 => (db(), key(), field(), any::<bool>()).prop_map(|(d, k, f, i)| Op::SetAdd(d, k, f, i)),
        4 => (db(), key(), field()).prop_map(|(d, k, f)| Op::SetRemove(d, k, f)),
        10 => (db(), key(), field(), any::<i8>())
            .prop_map(|(d, k, f, s)| Op::SortedSetAdd(d, k, f, s)),
        4 => (db(), key(), field()).prop_map(|(d, k, f)| Op::SortedSetRemove(d, k, f)),
        2 => (db(), key(), 0..9usize, 0..9usize)
            .prop_map(|(d, k, at, n)| Op::SortedSetRemoveRanks(d, k, at, n)),
        10 => (db(), key(), any::<bool>(), size()).prop_map(|(d, k, b, n)| Op::Push(d, k, b, n)),
        4 => (db(), key(), any::<bool>()).prop_map(|(d, k, b)| Op::Pop(d, k, b)),
        6 => (db(), key(), 0..5u8, 0..30usize, size())
            .prop_map(|(d, k, how, at, n)| Op::ListEdit(d, k, how, at, n)),
        3 => (db(), key()).prop_map(|(d, k)| Op::Delete(d, k)),
        3 => (db(), key(), key()).prop_map(|(d, k, t)| Op::Rename(d, k, t)),
        3 => (db(), key(), db()).prop_map(|(d, k, t)| Op::Move(d, k, t)),
        2 => (db(), key(), key()).prop_map(|(d, k, t)| Op::Copy(d, k, t)),
        2 => (db(), key(), expiry()).prop_map(|(d, k, e)| Op::SetExpiry(d, k, e)),
        1 => db().prop_map(Op::ExpireDue),
        1 => (db(), 0..900u16).prop_map(|(d, n)| Op::Fill(d, n)),
        1 => (db(), 0..900u16).prop_map(|(d, n)| Op::DeleteMany(d, n)),
        1 => db().prop_map(Op::Flush),
        1 => (db(), db()).prop_map(|(a, b)| Op::Swap(a, b)),
    ];
    prop::collection::vec(op, 0..len)
}

fn name(key: u8) -> Vec<u8> {
    format!("key:{key}").into_bytes()
}

fn text(len: usize, salt: usize) -> Vec<u8> {
    (0..len)
        .map(|n| b'a' + ((n / 5 + salt) % 26) as u8)
        .collect()
}

fn run(keyspace: &mut Keyspace, op: &Op, serial: usize) {
    let limits = HashLimits {
        entries: 4,
        value: 64,
    };
    match *op {
        Op::SetString(db, key, len, expiry) => {
            let expiry = expiry.map_or(Expiry::Never, |at| Expiry::At(at + serial as i64));
            keyspace
                .db(db)
                .set_string(&name(key), &text(len, serial), expiry);
        }
        Op::EditString(db, key, at, len) => {
            let _ = keyspace
                .db(db)
                .edit_string(&name(key), at..at + len, |bytes| {
                    if bytes.len() < at + len {
                        bytes.resize(at + len, 0);
                    }
                    bytes[at..at + len].copy_from_slice(&text(len, serial));
                });
        }
        Op::HashSet(db, key, field, len) => {
            if let Ok(hash) = keyspace.db(db).hash_or_create(&name(key), Default::default) {
                hash.set(field.to_string().as_bytes(), &text(len, serial), limits);
            }
        }
        Op::HashRemove(db, key, field) => {
            let db = keyspace.db(db);
            if let Ok(Some(hash)) = db.hash_mut(&name(key)) {
                hash.remove(field.to_string().as_bytes());
                if hash.is_empty() {
                    db.remove(&name(key));
                }
            }
        }
        Op::SetAdd(db, key, member, integer) => {
            if let Ok(set) = keyspace.db(db).set_or_create(&name(key), Set::default) {
                let word = if integer { "" } else { "m" };
                set.add(format!("{word}{member}").as_bytes(), 8);
            }
        }
        Op::SetRemove(db, key, member) => {
            let db = keyspace.db(db);
            if let Ok(Some(set)) = db.set_value_mut(&name(key)) {
                set.remove(format!("m{member}").as_bytes());
                if set.is_empty() {
                    db.remove(&name(key));
                }
            }
        }
        Op::SortedSetAdd(db, key, member, score) => {
            let limits = SortedSetLimits {
                entries: 4,
                value: 64,
            };
            let set = keyspace
                .db(db)
                .sorted_set_or_create(&name(key), Default::default);
            if let Ok(set) = set {
                let score = f64::from(score) / 4.0;
                set.insert(member.to_string().as_bytes(), score, limits);
            }
        }
        Op::SortedSetRemove(db, key, member) => edit_sorted_set(keyspace.db(db), key, |set| {
            set.remove(member.to_string().as_bytes());
        }),
        Op::SortedSetRemoveRanks(db, key, at, count) => {
            edit_sorted_set(keyspace.db(db), key, |set| {
                set.remove_ranks(at.min(set.len())..(at + count).min(set.len()));
            });
        }
        Op::Push(db, key, back, len) => {
            if let Ok(list) = keyspace
                .db(db)
                .list_or_create(&name(key), || List::new(3, 1))
            {
                match back {
                    true => list.items.push_back(&text(len, serial)),
                    false => list.items.push_front(&text(len, serial)),
                }
            }
        }
        Op::Pop(db, key, back) => edit_list(keyspace.db(db), key, |list| {
            let _ = match back {
                true => list.items.pop_back(),
                false => list.items.pop_front(),
            };
        }),
        Op::ListEdit(db, key, how, at, len) => edit_list(keyspace.db(db), key, |list| {
            let (items, value) = (&mut list.items, text(len, serial));
            match how {
                0 => _ = items.set(at as i64, &value),
                1 => _ = items.insert_before(at, &value),
                2 => _ = items.insert_after(at, &value),
                3 => _ = items.remove_range(at, len),
                _ => {
                    let other = items.get(at as i64).unwrap_or(value);
                    items.remove_matching(&other, 3, len % 2 == 0);
                }
            }
        }),
        Op::Delete(db, key) => _ = keyspace.db(db).remove(&name(key)),
        Op::Rename(db, key, to) => {
            let db = keyspace.db(db);
            if key != to
                && let Some(entry) = db.take(&name(key))
            {
                db.insert_entry(entry.renamed(&name(to)));
            }
        }
        Op::Move(db, key, to) => {
            if db != to {
                let (from, to) = keyspace.two(db, to);
                if to.peek(&name(key)).is_none()
                    && let Some(entry) = from.take(&name(key))
                {
                    to.insert_entry(entry);
                }
            }
        }
        Op::Copy(db, key, to) => {
            let db = keyspace.db(db);
            if let Some(entry) = db.peek(&name(key)) {
                let value = entry.value().duplicate(entry.is_raw());
                let copy = Entry::new(&name(to), value, entry.expiry());
                db.insert_entry(copy);
            }
        }
        Op::SetExpiry(db, key, expiry) => {
            let expiry = expiry.map(|at| at + serial as i64);
            keyspace.db(db).set_expiry(&name(key), expiry);
        }
        Op::ExpireDue(db) => _ = keyspace.db(db).expire_some(1000),
        Op::Fill(db, count) => {
            for n in 0..count {
                let db = keyspace.db(db);
                db.set_string(n.to_string().as_bytes(), &text(5, serial), Expiry::Never);
            }
        }
        Op::DeleteMany(db, count) => {
            for n in 0..count {
                keyspace.db(db).remove(n.to_string().as_bytes());
            }
        }
        Op::Flush(db) => drop(keyspace.db(db).take_all()),
        Op::Swap(a, b) => {
            if a != b {
                keyspace.swap(a, b);
            }
        }
    }
}

fn edit_list(db: &mut Db, key: u8, edit: impl FnOnce(&mut List)) {
    if let Ok(Some(list)) = db.list_mut(&name(key)) {
        edit(list);
        if list.is_empty() {
            db.remove(&name(key));
        }
    }
}

fn edit_sorted_set(db: &mut Db, key: u8, edit: impl FnOnce(&mut SortedSet)) {
    if let Ok(Some(set)) = db.sorted_set_mut(&name(key)) {
        edit(set);
        if set.is_empty() {
            db.remove(&name(key));
        }
    }
}

fn run_all(
    keyspace: &mut Keyspace,
    ops: &[Op],
    clock: &mut usize,
    mut after: impl FnMut(&mut Keyspace),
) {
    for op in ops {
        *clock += 1;
        for db in 0..DBS {
            keyspace.begin(
                db,
                Access {
                    now: *clock as i64,
                    ..Access::default()
                },
            );
        }
        run(keyspace, op, *clock);
        after(keyspace);
    }
}

/// Takes a snapshot while `ops` run, `steps` steps after each of them, and returns what it says.
fn snapshot_while(
    keyspace: &mut Keyspace,
    ops: &[Op],
    clock: &mut usize,
    steps: usize,
    give_up: bool,
) -> Option<Contents> {
    let mut snapshot = Snapshot::begin(keyspace, LAYOUT);
    let (mut chunks, mut garbage) = (Vec::new(), Garbage::default());
    run_all(keyspace, ops, clock, |keyspace| {
        for _ in 0..steps {
            snapshot
                .step(keyspace, &mut chunks, &mut garbage)
                .expect("nothing gets lost");
        }
        snapshot.take_ready(keyspace, &mut chunks);
    });
    if give_up {
        snapshot.end(keyspace, &mut garbage);
        return None;
    }
    while snapshot.step(keyspace, &mut chunks, &mut garbage) == Ok(Progress::More) {}
    assert_eq!(
        snapshot.step(keyspace, &mut chunks, &mut garbage),
        Ok(Progress::Done)
    );
    assert_eq!(snapshot.waiting_bytes(), 0);
    let keys: usize = chunks.iter().map(|chunk| chunk.keys).sum();
    assert_eq!(keys, snapshot.keys_total());
    snapshot.end(keyspace, &mut garbage);
    Some(read(chunks))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_snapshot_says_what_was_there_when_it_began_whatever_happens_meanwhile(
        before in ops(150),
        rounds in prop::collection::vec((ops(80), 0..4usize, any::<bool>()), 1..5),
    ) {
        let mut keyspace = Keyspace::new(DBS as usize, 7);
        let mut clock = 0;
        run_all(&mut keyspace, &before, &mut clock, |_| {});
        for (ops, steps, give_up) in &rounds {
            let expected = contents_of(&keyspace);
            if let Some(found) = snapshot_while(&mut keyspace, ops, &mut clock, *steps, *give_up) {
                prop_assert!(found == expected, "{}", reader::difference(&found, &expected));
            }
        }
        // Nothing is left frozen, and nothing that a snapshot kept aside was lost to the dataset.
        let after = contents_of(&keyspace);
        let found = snapshot_while(&mut keyspace, &[], &mut clock, 0, false);
        prop_assert!(found == Some(after));
    }
}

/// A keyspace with one value of each kind that is written in slices, far larger than a step.
fn with_big_values(elements: usize) -> Keyspace {
    let mut keyspace = Keyspace::new(1, 7);
    let limits = HashLimits {
        entries: 4,
        value: 64,
    };
    let db = keyspace.db(0);
    for n in 0..elements {
        let member = format!("member {n}");
        let hash = db.hash_or_create(b"hash", Default::default).expect("new");
        hash.set(member.as_bytes(), b"value", limits);
        let set = db.set_or_create(b"set", Set::default).expect("new");
        set.add(member.as_bytes(), 8);
        let sorted = db.sorted_set_or_create(b"sorted set", Default::default);
        let limits = SortedSetLimits {
            entries: 4,
            value: 64,
        };
        sorted
            .expect("new")
            .insert(member.as_bytes(), n as f64, limits);
        let list = db
            .list_or_create(b"list", || List::new(10, 0))
            .expect("new");
        list.items.push_back(member.as_bytes());
    }
    db.set_string(b"string", &text(elements * 10, 0), Expiry::Never);
    keyspace
}

#[test]
fn big_values_are_written_in_many_steps_and_survive_every_way_to_lose_them() {
    let ways: [fn(&mut Db, &[u8]); 5] = [
        |db, key| assert!(db.remove(key)),
        |db, key| db.set_string(key, b"short", Expiry::Never),
        |db, key| {
            db.set(
                key,
                crate::value::Value::Set(Default::default()),
                Expiry::Never,
            )
        },
        |db, key| {
            let entry = db.take(key).expect("it was there");
            db.insert_entry(entry.renamed(b"elsewhere"));
        },
        |db, _| drop(db.take_all()),
    ];
    for steps in [0, 1, 3, 20] {
        for way in ways {
            for key in [
                b"hash".as_slice(),
                b"set",
                b"sorted set",
                b"list",
                b"string",
            ] {
                let mut keyspace = with_big_values(4000);
                let expected = contents_of(&keyspace);
                let mut snapshot = Snapshot::begin(&mut keyspace, LAYOUT);
                let (mut chunks, mut garbage) = (Vec::new(), Garbage::default());
                for _ in 0..steps {
                    snapshot
                        .step(&mut keyspace, &mut chunks, &mut garbage)
                        .expect("all is there");
                }
                way(keyspace.db(0), key);
                let mut more = 0;
                while snapshot.step(&mut keyspace, &mut chunks, &mut garbage) == Ok(Progress::More)
                {
                    more += 1;
                }
                assert!(steps + more > 30, "{more}");
                snapshot.end(&mut keyspace, &mut garbage);
                assert!(read(chunks) == expected);
            }
        }
    }
}

#[test]
fn what_changes_twice_is_written_down_once_and_what_is_new_not_at_all() {
    let mut keyspace = Keyspace::new(1, 7);
    keyspace.db(0).set_string(b"a", &[b'x'; 100], Expiry::Never);
    let mut snapshot = Snapshot::begin(&mut keyspace, LAYOUT);
    let db = keyspace.db(0);
    for _ in 0..3 {
        db.set_string(b"a", &[b'y'; 100], Expiry::Never);
        db.set_string(b"new", &[b'y'; 100], Expiry::Never);
        db.remove(b"new");
    }
    let copied = snapshot.bytes_before_changes();
    assert!((100..120).contains(&copied), "{copied}");
    let (mut chunks, mut garbage) = (Vec::new(), Garbage::default());
    snapshot.take_ready(&mut keyspace, &mut chunks);
    assert_eq!(snapshot.waiting_bytes(), 0);
    while snapshot.step(&mut keyspace, &mut chunks, &mut garbage) == Ok(Progress::More) {}
    assert_eq!(read(chunks).len(), 1);
    snapshot.end(&mut keyspace, &mut garbage);
}

#[test]
fn a_big_value_dropped_behind_our_back_fails_the_snapshot_rather_than_leave_it_out() {
    let mut keyspace = with_big_values(4000);
    let mut snapshot = Snapshot::begin(&mut keyspace, LAYOUT);
    let hash = keyspace.db(0).hash_mut(b"hash").expect("a hash");
    *hash.expect("it is there") = Default::default();
    let (mut chunks, mut garbage) = (Vec::new(), Garbage::default());
    assert_eq!(
        snapshot.step(&mut keyspace, &mut chunks, &mut garbage),
        Err(Incomplete)
    );
    snapshot.end(&mut keyspace, &mut garbage);
    let expected = contents_of(&keyspace);
    assert!(snapshot_while(&mut keyspace, &[], &mut 0, 0, false) == Some(expected));
}

#[test]
fn small_values_keep_their_size_in_memory() {
    assert!(size_of::<crate::value::Hash>() <= 48);
    assert!(size_of::<crate::value::Set>() <= 48);
    assert!(size_of::<List>() <= 48);
    let string = ValueRef::String(crate::value::StringRef::Bytes(b""));
    assert!(string.frozen_id().is_none());
}
