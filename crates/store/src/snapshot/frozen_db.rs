//! What a running snapshot keeps beside one db.

use super::freeze::{Freeze, FreezeId, Outlet, Tally};
use super::slices::WholeLimits;
use super::{Chunk, Garbage};
use crate::entry::Entry;
use crate::rdb::save::{Encoder, SavedUse};
use crate::table::{Table, WalkPos};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a snapshot's bytes are laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Note long strings for compression (`rdbcompression`).
    pub compress: bool,
    pub saved_use: SavedUse,
    pub whole: WholeLimits,
}

/// See the module.
pub(crate) struct FrozenDb {
    /// The number the db had when the snapshot began.
    db: u32,
    layout: Layout,
    tally: Arc<Tally>,
    /// Entries written whole, by the walk or before a change. Starts by selecting the db unless it is empty.
    outlet: Outlet,
    /// How far the walk over the db has come; None when it is through.
    position: Option<WalkPos>,
    /// The entries as they were when the db was flushed, if the walk was not through. Writers no longer reach them.
    flushed: Option<Table<Entry>>,
    /// Values in this db (whatever db they came from) that are being written in slices, by key.
    open: BTreeMap<FreezeId, Box<[u8]>>,
    /// Such values without a place in a db any more.
    detached: BTreeMap<FreezeId, Entry>,
    opened: u32,
    /// Keys in the outlet.
    keys: usize,
}

/// Entries a step of the walk looks at.
const STEP_ENTRIES: usize = 16;

impl FrozenDb {
    pub(super) fn new(
        db: u32,
        table: &Table<Entry>,
        layout: Layout,
        tally: Arc<Tally>,
    ) -> FrozenDb {
        let mut out = Encoder::new(layout.compress);
        let is_empty = table.is_empty();
        if !is_empty {
            out.select_db(db);
            out.resize_db(table.len(), table.expiring_len());
        }
        FrozenDb {
            db,
            layout,
            outlet: Outlet::new(out, tally.clone()),
            tally,
            position: (!is_empty).then(WalkPos::default),
            flushed: None,
            open: BTreeMap::new(),
            detached: BTreeMap::new(),
            opened: 0,
            keys: 0,
        }
    }

    // --- what writers do -----------------------------------------------------------------------------------------

    /// An entry of this db, not stamped yet, is about to change in place.
    #[cold]
    pub(super) fn before_change(&mut self, entry: &mut Entry) {
        if let Some(id) = self.write_down(entry) {
            self.open.insert(id, entry.key().into());
        }
    }

    /// An entry, not stamped yet, has been taken out of this db.
    #[cold]
    pub(super) fn after_removal(&mut self, entry: &mut Entry) {
        self.write_down(entry);
    }

    /// Writes an entry down before it changes; or opens it, if it is big.
    fn write_down(&mut self, entry: &mut Entry) -> Option<FreezeId> {
        let id = self.open_if_big(entry);
        if id.is_none() {
            self.keys += 1;
            self.select();
            let saved_use = self.layout.saved_use;
            self.outlet
                .write_before_change(|out| out.entry(entry, saved_use));
        }
        id
    }

    /// A value that is being written in slices came into this db.
    pub(super) fn adopt(&mut self, id: FreezeId, key: &[u8]) {
        self.open.insert(id, key.into());
    }

    /// A value that is being written in slices was taken out of this db.
    pub(super) fn release(&mut self, id: FreezeId) {
        self.open.remove(&id);
    }

    /// A value that is being written in slices was deleted or replaced.
    pub(super) fn detach(&mut self, id: FreezeId, entry: Entry) {
        self.detached.insert(id, entry);
    }

    /// The db is flushed. Returns the entries if nothing of them is needed.
    pub(super) fn flush(&mut self, mut table: Table<Entry>) -> Option<Table<Entry>> {
        for (id, key) in std::mem::take(&mut self.open) {
            if let Some(entry) = table.remove(crate::hash::hash(&key), &key) {
                self.detached.insert(id, entry);
            }
        }
        // What came into the db after an earlier flush is new.
        if self.position.is_none() || self.flushed.is_some() {
            return Some(table);
        }
        self.flushed = Some(table);
        None
    }

    // --- what the snapshot does ------------------------------------------------------------------------------------

    fn select(&mut self) {
        if self.outlet.len() == 0 {
            let db = self.db;
            self.outlet.write(|out| out.select_db(db));
        }
    }

    fn open_if_big(&mut self, entry: &mut Entry) -> Option<FreezeId> {
        let form = entry.value().sliced_form(self.layout.whole)?;
        let mut head = Encoder::new(self.layout.compress);
        head.select_db(self.db);
        head.entry_head(entry, form, self.layout.saved_use);
        let id = FreezeId {
            db: self.db,
            number: self.opened,
        };
        self.opened += 1;
        entry
            .value_mut()
            .freeze(Freeze::new(id, head, self.tally.clone()));
        Some(id)
    }

    /// One step of the walk over the db. True when the walk is through.
    pub(super) fn walk(&mut self, live: &mut Table<Entry>, stamp: u8) -> bool {
        let Some(position) = self.position else {
            return true;
        };
        let mut flushed = self.flushed.take();
        let from_flushed = flushed.is_some();
        let opened_before = self.opened;
        let table = flushed.as_mut().unwrap_or(live);
        let next = table.walk(position, STEP_ENTRIES, |entry| {
            if entry.epoch() == stamp {
                return;
            }
            entry.set_epoch(stamp);
            match self.open_if_big(entry) {
                None => {
                    self.keys += 1;
                    self.select();
                    let saved_use = self.layout.saved_use;
                    self.outlet.write(|out| out.entry(entry, saved_use));
                }
                Some(id) => {
                    self.open.insert(id, entry.key().into());
                }
            }
        });
        self.position = next;
        self.flushed = flushed;
        if from_flushed && self.opened > opened_before {
            self.detach_open_of_flushed();
        }
        next.is_none()
    }

    /// Values of a flushed db are found by id alone, as its keys may be in use again.
    fn detach_open_of_flushed(&mut self) {
        let Some(table) = &mut self.flushed else {
            return;
        };
        self.open.retain(|&id, key| {
            let hash = crate::hash::hash(key);
            let is_there = table
                .find(hash, key)
                .is_some_and(|entry| entry.frozen_id() == Some(id));
            if is_there && let Some(entry) = table.remove(hash, key) {
                self.detached.insert(id, entry);
            }
            !is_there
        });
    }

    pub(super) fn take(&mut self) -> Chunk {
        Chunk {
            piece: self.outlet.take(),
            keys: std::mem::take(&mut self.keys),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.outlet.len()
    }

    pub(super) fn is_walked(&self) -> bool {
        self.position.is_none()
    }

    /// A value to be written in slices next. Those that only we hold come first: they take memory.
    pub(super) fn next_open(&self) -> Option<FreezeId> {
        self.detached
            .keys()
            .next()
            .or_else(|| self.open.keys().next())
            .copied()
    }

    pub(super) fn open_key(&self, id: FreezeId) -> Option<&[u8]> {
        self.open.get(&id).map(|key| &**key)
    }

    pub(super) fn detached(&mut self, id: FreezeId) -> Option<&mut Entry> {
        self.detached.get_mut(&id)
    }

    /// The value is written. What only we held is returned to be freed.
    pub(super) fn close(&mut self, id: FreezeId) -> Option<Entry> {
        self.open.remove(&id);
        self.detached.remove(&id)
    }

    /// The flushed entries, once they are walked.
    pub(super) fn take_walked_table(&mut self) -> Option<Table<Entry>> {
        if self.position.is_none() {
            self.flushed.take()
        } else {
            None
        }
    }

    /// Ends the snapshot: returns the keys of values still open.
    pub(super) fn end(self, garbage: &mut Garbage) -> impl Iterator<Item = Box<[u8]>> + use<> {
        garbage.entries.extend(self.detached.into_values());
        garbage.tables.extend(self.flushed);
        self.open.into_values()
    }
}
