//! The elements of a big hash, set or sorted set, by field or member.
//!
//! A snapshot writes them in slices. Meanwhile they are *frozen*: what a slice has not reached yet is written down before
//! it changes or goes, and what is new is passed over. All changes go through here, so none can be missed.

use crate::element::Element;
use crate::epoch::Epoch;
use crate::rdb::save::Encoder;
use crate::snapshot::{Freeze, FreezeId};
use crate::table::{SlotMut, Table, WalkPos};
use std::ops::Deref;

/// See the module.
#[derive(Default)]
pub(crate) struct Elements(State);

enum State {
    // Two fields, not a struct of them: this way the tag takes no memory of its own.
    Free { table: Table<Element>, epoch: Epoch },
    Frozen(Box<Frozen>),
}

struct Frozen {
    table: Table<Element>,
    epoch: Epoch,
    kind: Kind,
    position: WalkPos,
    freeze: Freeze,
}

/// What an element is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    HashField,
    SetMember,
    /// The payload is the score, eight bytes, little endian.
    SortedSetMember,
}

impl Kind {
    fn write(self, element: &Element, out: &mut Encoder) {
        match self {
            Kind::HashField => out.hash_field(element.key(), element.payload()),
            Kind::SetMember => out.string(element.key()),
            Kind::SortedSetMember => {
                let score = element.payload().try_into().map(f64::from_le_bytes);
                out.sorted_set_member(element.key(), score.expect("the payload is a score"));
            }
        }
    }
}

impl Default for State {
    fn default() -> State {
        State::Free {
            table: Table::new(),
            epoch: Epoch::default(),
        }
    }
}

/// Reading is that of a table.
impl Deref for Elements {
    type Target = Table<Element>;

    #[inline]
    fn deref(&self) -> &Table<Element> {
        match &self.0 {
            State::Free { table, .. } => table,
            State::Frozen(frozen) => &frozen.table,
        }
    }
}

impl Elements {
    pub(crate) fn new() -> Elements {
        Elements::default()
    }

    /// The element of a key, to change its payload.
    #[inline]
    pub(crate) fn find_mut(&mut self, hash: u64, key: &[u8]) -> Option<SlotMut<'_, Element>> {
        match &mut self.0 {
            State::Free { table, .. } => table.find_mut(hash, key),
            State::Frozen(frozen) => {
                let stamp = frozen.epoch.stamp();
                let mut element = frozen.table.find_mut(hash, key)?;
                frozen.freeze.keep(&mut element, stamp, frozen.kind);
                Some(element)
            }
        }
    }

    /// As `find_mut`, for payloads that keep their length.
    #[inline]
    pub(crate) fn get_mut(&mut self, hash: u64, key: &[u8]) -> Option<&mut Element> {
        match &mut self.0 {
            State::Free { table, .. } => table.get_mut(hash, key),
            State::Frozen(frozen) => {
                let stamp = frozen.epoch.stamp();
                let element = frozen.table.get_mut(hash, key)?;
                frozen.freeze.keep(element, stamp, frozen.kind);
                Some(element)
            }
        }
    }

    /// Adds an element whose key is not there yet.
    #[inline]
    pub(crate) fn insert_unique(&mut self, hash: u64, mut element: Element) {
        let (table, epoch) = match &mut self.0 {
            State::Free { table, epoch } => (table, *epoch),
            State::Frozen(frozen) => (&mut frozen.table, frozen.epoch),
        };
        element.set_epoch(epoch.stamp());
        table.insert_unique(hash, element);
    }

    #[inline]
    pub(crate) fn remove(&mut self, hash: u64, key: &[u8]) -> Option<Element> {
        match &mut self.0 {
            State::Free { table, .. } => table.remove(hash, key),
            State::Frozen(frozen) => {
                let stamp = frozen.epoch.stamp();
                let mut element = frozen.table.remove(hash, key)?;
                frozen.freeze.keep(&mut element, stamp, frozen.kind);
                Some(element)
            }
        }
    }

    // --- snapshots -----------------------------------------------------------------------------------------------

    /// Begins to write the elements in slices; `freeze` has what precedes them in the file.
    pub(crate) fn freeze(&mut self, mut freeze: Freeze, kind: Kind) {
        let State::Free {
            mut table,
            mut epoch,
        } = std::mem::take(&mut self.0)
        else {
            unreachable!("one snapshot runs at a time, and it freezes a value once")
        };
        epoch.begin(|stamp| walk_whole(&mut table, |element| element.set_epoch(stamp)));
        freeze.expect(table.len());
        self.0 = State::Frozen(Box::new(Frozen {
            table,
            epoch,
            kind,
            position: WalkPos::default(),
            freeze,
        }));
    }

    pub(crate) fn frozen(&mut self) -> Option<&mut Freeze> {
        match &mut self.0 {
            State::Free { .. } => None,
            State::Frozen(frozen) => Some(&mut frozen.freeze),
        }
    }

    pub(crate) fn frozen_id(&self) -> Option<FreezeId> {
        match &self.0 {
            State::Free { .. } => None,
            State::Frozen(frozen) => Some(frozen.freeze.id()),
        }
    }

    /// Writes about `max_bytes` more; true when all elements are written.
    pub(crate) fn write_slice(&mut self, max_bytes: usize) -> bool {
        match &mut self.0 {
            State::Free { .. } => true,
            State::Frozen(frozen) => frozen.write_slice(max_bytes),
        }
    }

    /// Nothing is left to write, or nobody wants it any more.
    pub(crate) fn thaw(&mut self) {
        if let State::Frozen(frozen) = &mut self.0 {
            let (table, epoch) = (std::mem::take(&mut frozen.table), frozen.epoch);
            self.0 = State::Free { table, epoch };
        }
    }
}

impl Frozen {
    fn write_slice(&mut self, max_bytes: usize) -> bool {
        /// Elements between two looks at how much they came to.
        const STEP: usize = 16;
        let stamp = self.epoch.stamp();
        let start = self.freeze.waiting();
        while self.freeze.waiting() < start + max_bytes {
            let next = self.table.walk(self.position, STEP, |element| {
                self.freeze.write(element, stamp, self.kind);
            });
            match next {
                Some(next) => self.position = next,
                None => {
                    self.epoch.finish();
                    return true;
                }
            }
        }
        false
    }
}

fn walk_whole(table: &mut Table<Element>, mut visit: impl FnMut(&mut Element)) {
    /// Any number will do.
    const STEP: usize = 1024;
    let mut position = Some(WalkPos::default());
    while let Some(here) = position {
        position = table.walk(here, STEP, &mut visit);
    }
}

impl Freeze {
    /// Writes down an element that is about to change or go, unless that is done.
    #[inline]
    fn keep(&mut self, element: &mut Element, stamp: u8, kind: Kind) {
        if element.epoch() != stamp {
            element.set_epoch(stamp);
            self.write_before_change(|out| kind.write(element, out));
        }
    }

    fn write(&mut self, element: &mut Element, stamp: u8, kind: Kind) {
        if element.epoch() != stamp {
            element.set_epoch(stamp);
            self.write_in_turn(|out| kind.write(element, out));
        }
    }
}

/// A copy is a value of its own, of which no snapshot knows.
impl Clone for Elements {
    fn clone(&self) -> Elements {
        Elements(State::Free {
            table: Table::clone(self),
            epoch: Epoch::default(),
        })
    }
}
