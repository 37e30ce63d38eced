//! A macro node: entries of neighbouring ids in one listpack, byte for byte as Redis lays them out, because DUMP, RDB
//! files and replication carry these bytes as they are.
//!
//! ```text
//! node:  live  deleted  n  field × n  0  entry …
//! entry: flags  ms  seq  value × n               elements      with flag SAME_FIELDS
//!        flags  ms  seq  n  (field value) × n    elements      otherwise
//! ```
//!
//! The fields at the head are those of the first entry; entries with the same ones leave them out. `ms` and `seq` are
//! distances from the id the node is kept under. `elements` counts those of the entry before it, so that the entry is
//! found from behind. A deleted entry stays, with the flag DELETED, until all of the node goes.

use super::StreamId;
use crate::encoding::listpack::{Item, Iter, Listpack, Pos, Tail};
use crate::memory::size_class;

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

/// Elements of the head before the fields.
const HEAD: usize = 3;

/// When a node is full: `stream-node-max-bytes` and `stream-node-max-entries`, each 0 for no limit.
#[derive(Clone, Copy, Debug)]
pub struct NodeLimits {
    pub bytes: usize,
    pub entries: usize,
}

/// The most bytes of fields and values of one entry. However large nodes may be, as many end one.
pub const ENTRY_BYTES_MAX: usize = 1 << 30;

/// A macro node.
#[derive(Clone)]
pub(super) struct Node {
    items: Listpack,
}

/// An entry as its node has it.
pub(super) struct EntryAt<'a> {
    /// Where its flags are.
    pub place: Pos,
    pub deleted: bool,
    pub entry: Entry<'a>,
}

/// An entry of a stream.
#[derive(Clone)]
pub struct Entry<'a> {
    pub id: StreamId,
    pub fields: Fields<'a>,
}

/// The fields of an entry with their values, in order.
#[derive(Clone)]
pub struct Fields<'a> {
    /// Where the names are, if not beside the values.
    names: Option<Iter<'a>>,
    items: Iter<'a>,
    left: usize,
}

/// The entries of a node, deleted ones included, from either end.
#[derive(Clone)]
pub(super) struct Entries<'a> {
    base: StreamId,
    names: Iter<'a>,
    names_count: usize,
    items: Iter<'a>,
}

/// Bytes that are a listpack, but not of a macro node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidNode;

impl Node {
    /// A node of one entry, whose id is the base.
    pub(super) fn with_entry(pairs: &[&[u8]]) -> Node {
        let count = (pairs.len() / 2) as i64;
        let mut items = Listpack::new();
        items.append_with(|tail| {
            [1, 0, count].into_iter().for_each(|n| tail.push_int(n));
            pairs.iter().step_by(2).for_each(|field| tail.push(field));
            tail.push_int(0);
            push_same_fields(tail, (0, 0), pairs);
        });
        Node { items }
    }

    /// Takes a listpack from a file or a peer after checking that it is a node through and through.
    pub(super) fn validated(items: Listpack) -> Result<Node, InvalidNode> {
        check(&items).ok_or(InvalidNode)?;
        Ok(Node { items })
    }

    pub(super) fn listpack(&self) -> &Listpack {
        &self.items
    }

    /// Bytes held from the allocator.
    pub(super) fn heap_bytes(&self) -> usize {
        size_class(self.items.heap_bytes())
    }

    /// How many entries it shows.
    pub(super) fn live(&self) -> u64 {
        self.head(0)
    }

    /// How many entries it keeps though they were deleted.
    fn deleted(&self) -> u64 {
        self.head(1)
    }

    fn head(&self, index: usize) -> u64 {
        let mut items = self.items.iter();
        items.pass(index);
        integer(items.next()).cast_unsigned()
    }

    /// Whether an entry with `bytes` of fields and values goes in here rather than into a new node.
    pub(super) fn has_room(&self, bytes: usize, limits: NodeLimits) -> bool {
        let max = match limits.bytes {
            0 => ENTRY_BYTES_MAX,
            max => max.min(ENTRY_BYTES_MAX),
        };
        self.items.bytes_len().saturating_add(bytes) < max
            && (limits.entries == 0 || self.live() + self.deleted() < limits.entries as u64)
    }

    /// Adds an entry at the end. `base` is the id the node is kept under.
    pub(super) fn push(&mut self, base: StreamId, id: StreamId, pairs: &[&[u8]]) {
        let distance = id.distance_from(base);
        let count = pairs.len() / 2;
        let items = &mut self.items;
        let mut head = items.iter();
        let live_at = head.place().expect("a node has a head");
        let live = integer(head.next());
        head.pass(1);
        let same = integer(head.next()) == count as i64
            && pairs
                .iter()
                .step_by(2)
                .zip(head)
                .all(|(field, name)| name.eq_bytes(field));
        items.append_with(|tail| {
            if same {
                push_same_fields(tail, distance, pairs);
            } else {
                push_entry_head(tail, 0, distance);
                tail.push_int(count as i64);
                pairs.iter().for_each(|item| tail.push(item));
                tail.push_int((HEAD + 1 + pairs.len()) as i64);
            }
        });
        items.replace_int(live_at, live + 1);
    }

    /// No entry will be added any more: gives back room for growth.
    pub(super) fn close(&mut self) {
        self.items.shrink_to_fit();
    }

    /// Deletes live entries: leaves them where they are, with the flag.
    pub(super) fn delete(&mut self, places: &[Pos]) {
        let items = &mut self.items;
        for &place in places {
            let flags = integer(Some(items.get(place)));
            items.replace_int(place, flags | DELETED);
        }
        let mut head = items.iter();
        let live_at = head.place().expect("a node has a head");
        let live = integer(head.next());
        items.replace_int(live_at, live - places.len() as i64);
        let deleted_at = items.next(live_at).expect("a node has a head");
        let deleted = integer(Some(items.get(deleted_at)));
        items.replace_int(deleted_at, deleted + places.len() as i64);
    }

    /// The entries; `base` is the id the node is kept under.
    pub(super) fn entries(&self, base: StreamId) -> Entries<'_> {
        let mut items = self.items.iter();
        items.pass(HEAD - 1);
        let names_count = integer(items.next()) as usize;
        let names = items.clone();
        items.pass(names_count + 1);
        Entries {
            base,
            names,
            names_count,
            items,
        }
    }
}

fn push_entry_head(tail: &mut Tail<'_>, flags: i64, (ms, seq): (i64, i64)) {
    [flags, ms, seq].into_iter().for_each(|n| tail.push_int(n));
}

fn push_same_fields(tail: &mut Tail<'_>, distance: (i64, i64), pairs: &[&[u8]]) {
    push_entry_head(tail, SAME_FIELDS, distance);
    let values = pairs.iter().skip(1).step_by(2);
    values.for_each(|value| tail.push(value));
    tail.push_int((HEAD + pairs.len() / 2) as i64);
}

#[inline]
fn integer(item: Option<Item<'_>>) -> i64 {
    match item {
        Some(Item::Int(value)) => value,
        _ => unreachable!("nodes are written here or validated"),
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = EntryAt<'a>;

    #[inline]
    fn next(&mut self) -> Option<EntryAt<'a>> {
        let entry = self.read(&mut self.items.clone())?;
        let beside_values = usize::from(entry.entry.fields.names.is_none());
        let fields = entry.entry.fields.left;
        self.items
            .pass(HEAD + beside_values + fields * (1 + beside_values) + 1);
        Some(entry)
    }
}

impl DoubleEndedIterator for Entries<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let elements = integer(Some(self.items.next_back()?));
        self.items.pass_back(elements as usize);
        self.read(&mut self.items.passed_back())
    }
}

impl<'a> Entries<'a> {
    /// The entry that `items` begin with.
    #[inline]
    fn read(&self, items: &mut Iter<'a>) -> Option<EntryAt<'a>> {
        let place = items.place()?;
        let flags = integer(items.next());
        let (ms, seq) = (integer(items.next()), integer(items.next()));
        let (names, left) = if flags & SAME_FIELDS != 0 {
            (Some(self.names.clone()), self.names_count)
        } else {
            (None, integer(items.next()) as usize)
        };
        let entry = Entry {
            id: StreamId::at_distance(self.base, ms, seq),
            fields: Fields {
                names,
                items: items.clone(),
                left,
            },
        };
        Some(EntryAt {
            place,
            deleted: flags & DELETED != 0,
            entry,
        })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Item<'a>, Item<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = match &mut self.names {
            Some(names) => names.next()?,
            None => self.items.next()?,
        };
        Some((name, self.items.next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}

/// Whether every element is what a node has at its place.
fn check(items: &Listpack) -> Option<()> {
    fn int(items: &mut Iter<'_>) -> Option<i64> {
        match items.next()? {
            Item::Int(value) => Some(value),
            Item::Str(_) => None,
        }
    }
    fn pass(items: &mut Iter<'_>, count: i64) -> Option<()> {
        for _ in 0..usize::try_from(count).ok()? {
            items.next()?;
        }
        Some(())
    }
    let mut rest = items.iter();
    let (live, deleted) = (int(&mut rest)?, int(&mut rest)?);
    let names = int(&mut rest)?;
    pass(&mut rest, names)?;
    (int(&mut rest)? == 0).then_some(())?;
    let (mut seen_live, mut seen_deleted) = (0, 0);
    while rest.place().is_some() {
        let flags = int(&mut rest)?;
        (0..=DELETED | SAME_FIELDS).contains(&flags).then_some(())?;
        int(&mut rest)?;
        int(&mut rest)?;
        let mut elements = HEAD as i64;
        if flags & SAME_FIELDS != 0 {
            pass(&mut rest, names)?;
            elements += names;
        } else {
            let fields = int(&mut rest)?;
            pass(&mut rest, fields.checked_mul(2)?)?;
            elements += 1 + fields * 2;
        }
        (int(&mut rest)? == elements).then_some(())?;
        if flags & DELETED != 0 {
            seen_deleted += 1;
        } else {
            seen_live += 1;
        }
    }
    (live == seen_live && deleted == seen_deleted && live + deleted > 0).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: StreamId = StreamId::new(100, 5);

    fn pairs(text: &str) -> Vec<&[u8]> {
        text.split(' ').map(str::as_bytes).collect()
    }

    fn node() -> Node {
        let mut node = Node::with_entry(&pairs("a 1 b 2"));
        node.push(BASE, StreamId::new(100, 6), &pairs("a 3 b 4"));
        node.push(BASE, StreamId::new(101, 0), &pairs("a 3 c 4"));
        node.push(BASE, StreamId::new(101, 1), &pairs("x y"));
        node
    }

    fn shown<'a>(entries: impl Iterator<Item = EntryAt<'a>>) -> Vec<String> {
        let show = |at: EntryAt<'_>| {
            let fields = at.entry.fields.map(|(name, value)| {
                let text = |item: Item<'_>| String::from_utf8(item.to_vec()).unwrap();
                format!(" {}={}", text(name), text(value))
            });
            let mark = if at.deleted { "deleted " } else { "" };
            format!("{mark}{}{}", at.entry.id, fields.collect::<String>())
        };
        entries.map(show).collect()
    }

    #[test]
    fn entries_read_the_same_from_either_end() {
        let node = node();
        let forward = shown(node.entries(BASE));
        assert_eq!(
            forward,
            [
                "100-5 a=1 b=2",
                "100-6 a=3 b=4",
                "101-0 a=3 c=4",
                "101-1 x=y"
            ]
        );
        let mut backward = shown(node.entries(BASE).rev());
        backward.reverse();
        assert_eq!(backward, forward);
        assert_eq!((node.live(), node.deleted()), (4, 0));
    }

    #[test]
    fn the_elements_are_those_of_redis() {
        let text: Vec<_> = node().listpack().iter().map(|item| item.to_vec()).collect();
        let text = String::from_utf8(text.join(&b' ')).unwrap();
        assert_eq!(
            text,
            "4 0 2 a b 0 2 0 0 1 2 5 2 0 1 3 4 5 0 1 -5 2 a 3 c 4 8 0 1 -4 1 x y 6"
        );
    }

    #[test]
    fn deleted_entries_stay_with_a_flag() {
        let mut node = node();
        let places: Vec<_> = node.entries(BASE).map(|at| at.place).collect();
        node.delete(&[places[0], places[2]]);
        assert_eq!((node.live(), node.deleted()), (2, 2));
        assert_eq!(
            shown(node.entries(BASE)),
            [
                "deleted 100-5 a=1 b=2",
                "100-6 a=3 b=4",
                "deleted 101-0 a=3 c=4",
                "101-1 x=y"
            ]
        );
        assert!(Node::validated(node.listpack().clone()).is_ok());
    }

    #[test]
    fn counts_of_the_head_may_grow_longer() {
        let mut node = node();
        for seq in 2..200 {
            node.push(BASE, StreamId::new(101, seq), &pairs("a 1 b 2"));
        }
        let places: Vec<_> = node.entries(BASE).map(|at| at.place).collect();
        node.delete(&places[..190]);
        assert_eq!((node.live(), node.deleted()), (12, 190));
        assert_eq!(node.entries(BASE).filter(|at| at.deleted).count(), 190);
        assert!(Node::validated(node.listpack().clone()).is_ok());
    }

    #[test]
    fn room_ends_with_bytes_or_with_entries_deleted_ones_included() {
        let mut node = node();
        let (place, len) = (
            node.entries(BASE).next().unwrap().place,
            node.listpack().bytes_len(),
        );
        let limits = |bytes, entries| NodeLimits { bytes, entries };
        assert!(node.has_room(7, limits(len + 8, 0)));
        assert!(!node.has_room(8, limits(len + 8, 0)));
        assert!(!node.has_room(ENTRY_BYTES_MAX, limits(0, 0)));
        node.delete(&[place]);
        assert!(node.has_room(8, limits(0, 5)));
        assert!(!node.has_room(8, limits(0, 4)));
    }

    #[test]
    fn listpacks_that_are_no_node_are_refused() {
        let good = node();
        let good: Vec<_> = good.listpack().iter().map(|item| item.to_vec()).collect();
        let build = |items: &[Vec<u8>]| {
            let mut list = Listpack::new();
            items.iter().for_each(|item| list.push_back(item));
            Node::validated(list)
        };
        assert!(build(&good).is_ok());
        for len in 0..good.len() {
            assert!(build(&good[..len]).is_err(), "cut to {len} elements");
        }
        let structural = [0, 1, 2, 5, 6, 7, 8, 11, 12, 17, 18, 21, 26, 27, 30, 33];
        for at in structural {
            for wrong in [
                "x",
                "-1",
                "77",
                "9223372036854775807",
                "-9223372036854775808",
            ] {
                let is_distance = [7, 8].contains(&at) && wrong != "x";
                let mut items = good.clone();
                items[at] = wrong.into();
                assert_eq!(build(&items).is_ok(), is_distance, "{wrong} at {at}");
            }
        }
        assert!(build(&["0", "0", "1", "a", "0"].map(|s| s.into())).is_err());
    }
}
