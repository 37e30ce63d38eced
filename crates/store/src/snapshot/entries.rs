//! The entries of one db. Every change goes through here, so that a running snapshot hears of it first.

use super::freeze::{FreezeId, Tally};
use super::frozen_db::{FrozenDb, Layout};
use super::{Chunk, Garbage};
use crate::entry::Entry;
use crate::epoch::Epoch;
use crate::table::{SlotMut, Table, Verdict};
use std::ops::Deref;
use std::sync::Arc;

/// See the module.
#[derive(Default)]
pub(crate) struct Entries {
    table: Table<Entry>,
    epoch: Epoch,
    /// While a snapshot runs.
    frozen: Option<Box<FrozenDb>>,
}

/// Reading is that of a table.
impl Deref for Entries {
    type Target = Table<Entry>;

    #[inline]
    fn deref(&self) -> &Table<Entry> {
        &self.table
    }
}

impl Entries {
    // --- changing ------------------------------------------------------------------------------------------------

    /// An entry to be changed or replaced by another with the same key.
    #[inline]
    pub(crate) fn find_mut(&mut self, hash: u64, key: &[u8]) -> Option<SlotMut<'_, Entry>> {
        let mut slot = self.table.find_mut(hash, key)?;
        if let Some(frozen) = &mut self.frozen {
            before_change(frozen, &mut slot, self.epoch);
        }
        Some(slot)
    }

    /// An entry whose value is going to be changed in place.
    #[inline]
    pub(crate) fn get_mut(&mut self, hash: u64, key: &[u8]) -> Option<&mut Entry> {
        let entry = self.table.get_mut(hash, key)?;
        if let Some(frozen) = &mut self.frozen {
            before_change(frozen, entry, self.epoch);
        }
        Some(entry)
    }

    /// Adds an entry, in place of one with the same key if there is one: that is returned, for [`Entries::discard`].
    #[inline]
    pub(crate) fn insert(&mut self, hash: u64, mut entry: Entry) -> Option<Entry> {
        entry.set_epoch(self.epoch.stamp());
        if self.find(hash, entry.key()).is_none() {
            self.insert_unique(hash, entry);
            return None;
        }
        let old = self.find_mut(hash, entry.key())?.replace(entry);
        if self.frozen.is_some() {
            self.release(&old);
            self.adopt(hash, old.key());
        }
        Some(old)
    }

    /// Adds an entry whose key is not there yet.
    #[inline]
    pub(crate) fn insert_unique(&mut self, hash: u64, mut entry: Entry) {
        entry.set_epoch(self.epoch.stamp());
        if let Some(frozen) = &mut self.frozen
            && let Some(id) = entry.frozen_id()
        {
            frozen.adopt(id, entry.key());
        }
        self.table.insert_unique(hash, entry);
    }

    /// Takes an entry out: to be put elsewhere, or for [`Entries::discard`].
    #[inline]
    pub(crate) fn take(&mut self, hash: u64, key: &[u8]) -> Option<Entry> {
        let mut entry = self.table.remove(hash, key)?;
        self.after_removal(&mut entry);
        Some(entry)
    }

    /// Takes everything out. Returns what no snapshot needs, to be freed.
    pub(crate) fn take_all(&mut self) -> Table<Entry> {
        let table = self.table.take();
        match &mut self.frozen {
            None => table,
            Some(frozen) => frozen.flush(table).unwrap_or_default(),
        }
    }

    /// What becomes of an entry that was taken out for good: returned to be freed, unless a snapshot is not through
    /// with it.
    #[inline]
    pub(crate) fn discard(&mut self, entry: Entry) -> Option<Entry> {
        if let Some(frozen) = &mut self.frozen
            && let Some(id) = entry.frozen_id()
        {
            frozen.detach(id, entry);
            return None;
        }
        Some(entry)
    }

    /// See [`Table::visit_expiring`].
    pub(crate) fn visit_expiring(
        &mut self,
        cursor: u64,
        max: usize,
        judge: impl FnMut(&Entry) -> Verdict,
        removed: &mut Vec<Entry>,
    ) -> u64 {
        let before = removed.len();
        let next = self.table.visit_expiring(cursor, max, judge, removed);
        for entry in &mut removed[before..] {
            self.after_removal(entry);
        }
        next
    }

    #[inline]
    fn after_removal(&mut self, entry: &mut Entry) {
        let Some(frozen) = &mut self.frozen else {
            return;
        };
        if entry.epoch() != self.epoch.stamp() {
            entry.set_epoch(self.epoch.stamp());
            frozen.after_removal(entry);
        } else if let Some(id) = entry.frozen_id() {
            frozen.release(id);
        }
    }

    fn release(&mut self, entry: &Entry) {
        if let Some(frozen) = &mut self.frozen
            && let Some(id) = entry.frozen_id()
        {
            frozen.release(id);
        }
    }

    fn adopt(&mut self, hash: u64, key: &[u8]) {
        if let Some(frozen) = &mut self.frozen
            && let Some(entry) = self.table.find(hash, key)
            && let Some(id) = entry.frozen_id()
        {
            frozen.adopt(id, key);
        }
    }

    // --- snapshots -----------------------------------------------------------------------------------------------

    pub(super) fn begin_snapshot(&mut self, db: u32, layout: Layout, tally: &Arc<Tally>) {
        let table = &mut self.table;
        self.epoch.begin(|stamp| {
            let mut position = Some(Default::default());
            while let Some(here) = position {
                position = table.walk(here, usize::MAX, |entry| entry.set_epoch(stamp));
            }
        });
        self.frozen = Some(Box::new(FrozenDb::new(
            db,
            &self.table,
            layout,
            tally.clone(),
        )));
    }

    pub(super) fn frozen(&mut self) -> Option<&mut FrozenDb> {
        self.frozen.as_deref_mut()
    }

    /// One step of the walk over the db. True when the walk is through.
    pub(super) fn walk(&mut self, garbage: &mut Garbage) -> bool {
        let Some(frozen) = &mut self.frozen else {
            return true;
        };
        let done = frozen.walk(&mut self.table, self.epoch.stamp());
        if done {
            self.epoch.finish();
            garbage.tables.extend(frozen.take_walked_table());
        }
        done
    }

    /// Writes about `max_bytes` more of a value in slices. None if it is not here; true with the last slice.
    pub(super) fn write_slice(
        &mut self,
        id: FreezeId,
        max_bytes: usize,
        garbage: &mut Garbage,
    ) -> Option<(Chunk, bool)> {
        let frozen = self.frozen.as_mut()?;
        let entry = match frozen.open_key(id) {
            Some(key) => self.table.get_mut(crate::hash::hash(key), key)?,
            None => frozen.detached(id)?,
        };
        let mut value = entry.value_mut();
        let done = value.write_slice(max_bytes);
        let piece = value.frozen().filter(|freeze| freeze.id() == id)?.take();
        if done {
            value.thaw();
            garbage.entries.extend(frozen.close(id));
        }
        let keys = usize::from(done);
        Some((Chunk { piece, keys }, done))
    }

    /// The snapshot is over, whether everything was written or not.
    pub(super) fn end_snapshot(&mut self, garbage: &mut Garbage) {
        let Some(frozen) = self.frozen.take() else {
            return;
        };
        for key in frozen.end(garbage) {
            if let Some(entry) = self.table.get_mut(crate::hash::hash(&key), &key) {
                entry.value_mut().thaw();
            }
        }
    }
}

#[inline]
fn before_change(frozen: &mut FrozenDb, entry: &mut Entry, epoch: Epoch) {
    if entry.epoch() != epoch.stamp() {
        entry.set_epoch(epoch.stamp());
        frozen.before_change(entry);
    }
}
