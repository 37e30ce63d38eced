//! Snapshots of the dataset as it was at one moment, without a copy of it and without another process.
//!
//! Each entry carries the number of the snapshot that has dealt with it. A snapshot begins by taking a new number, which
//! makes every entry one it has not dealt with; then it walks the tables in small steps between commands and writes what
//! it meets. A command that is about to change or remove an entry that the walk has not reached has it written down
//! first; what commands add carries the new number from the start. So what is written is the state of the beginning.
//!
//! A big value would take too long in one step. It is [frozen](freeze): the same is done with its elements, nodes or
//! pieces.
//!
//! Bytes come out as [`Chunk`]s of the RDB format, in any order of keys, for another thread to compress and write.

mod entries;
mod freeze;
mod frozen_db;
mod slices;
#[cfg(test)]
mod tests;

pub(crate) use entries::Entries;
pub(crate) use freeze::{Freeze, FreezeId};
pub use frozen_db::Layout;
pub use slices::WholeLimits;

use crate::entry::Entry;
use crate::keyspace::Keyspace;
use crate::rdb::save::Piece;
use crate::table::Table;
use freeze::Tally;
use std::sync::Arc;

/// A running snapshot of all dbs. The entries know it: one at a time, and it must be [ended](Snapshot::end).
pub struct Snapshot {
    tally: Arc<Tally>,
    /// The value whose slices are being written: nothing else may come between them.
    streaming: Option<FreezeId>,
    keys_total: usize,
}

/// Bytes of the format, to be written in the order they were handed out.
pub struct Chunk {
    pub piece: Piece,
    /// Keys that end in it.
    pub keys: usize,
}

/// What a step of a snapshot came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    More,
    /// Everything was handed out.
    Done,
}

/// A value went before it was written. There is no way to complete the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incomplete;

/// What a snapshot held beyond its deletion, to be freed; big, so better on another thread.
#[derive(Default)]
pub struct Garbage {
    pub entries: Vec<Entry>,
    pub tables: Vec<Table<Entry>>,
}

impl Garbage {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.tables.is_empty()
    }
}

/// Bytes of a big value that one step writes.
const STEP_BYTES: usize = 8 * 1024;
/// Pieces smaller than this are not worth a place in a queue yet.
const PIECE_BYTES: usize = 64 * 1024;

impl Snapshot {
    /// Begins a snapshot of what the dbs hold now.
    pub fn begin(keyspace: &mut Keyspace, layout: Layout) -> Snapshot {
        let tally = Arc::<Tally>::default();
        let mut keys_total = 0;
        for (index, db) in keyspace.iter_mut() {
            keys_total += db.len();
            db.entries().begin_snapshot(index, layout, &tally);
        }
        Snapshot {
            tally,
            streaming: None,
            keys_total,
        }
    }

    /// Goes on a little: looks at some dozens of entries, or writes some kilobytes. Bytes ready to be written are appended
    /// to `chunks`, from which nothing may be left out.
    ///
    /// # Errors
    /// When the snapshot cannot be completed any more.
    pub fn step(
        &mut self,
        keyspace: &mut Keyspace,
        chunks: &mut Vec<Chunk>,
        garbage: &mut Garbage,
    ) -> Result<Progress, Incomplete> {
        if self.tally.is_lost() {
            return Err(Incomplete);
        }
        if let Some(id) = self.streaming {
            let (chunk, done) = keyspace
                .iter_mut()
                .find_map(|(_, db)| db.entries().write_slice(id, STEP_BYTES, garbage))
                .ok_or(Incomplete)?;
            chunks.push(chunk);
            if done {
                self.streaming = None;
            }
            return Ok(Progress::More);
        }
        self.take_full(keyspace, PIECE_BYTES, chunks);
        self.streaming = keyspace
            .iter_mut()
            .filter_map(|(_, db)| db.entries().frozen())
            .find_map(|frozen| frozen.next_open());
        if self.streaming.is_some() {
            return Ok(Progress::More);
        }
        for (_, db) in keyspace.iter_mut() {
            let entries = db.entries();
            if entries.frozen().is_some_and(|frozen| !frozen.is_walked()) {
                entries.walk(garbage);
                return Ok(Progress::More);
            }
        }
        self.take_full(keyspace, 1, chunks);
        if self.tally.is_lost() {
            return Err(Incomplete);
        }
        Ok(Progress::Done)
    }

    /// Takes what is ready without going on: what commands have had written down before changes, unless a big value is
    /// being written, which nothing may come between.
    pub fn take_ready(&mut self, keyspace: &mut Keyspace, chunks: &mut Vec<Chunk>) {
        if self.streaming.is_none() {
            self.take_full(keyspace, 1, chunks);
        }
    }

    fn take_full(&self, keyspace: &mut Keyspace, at_least: usize, chunks: &mut Vec<Chunk>) {
        for (_, db) in keyspace.iter_mut() {
            if let Some(frozen) = db.entries().frozen()
                && frozen.len() >= at_least
            {
                chunks.push(frozen.take());
            }
        }
    }

    /// Ends the snapshot, complete or not. The entries forget it.
    pub fn end(self, keyspace: &mut Keyspace, garbage: &mut Garbage) {
        for (_, db) in keyspace.iter_mut() {
            db.entries().end_snapshot(garbage);
        }
    }

    /// Bytes laid out or kept aside that no step has handed out yet.
    pub fn waiting_bytes(&self) -> usize {
        self.tally.waiting_bytes()
    }

    /// Bytes copied so far because a command was about to change what they say.
    pub fn bytes_before_changes(&self) -> usize {
        self.tally.bytes_before_changes()
    }

    /// Keys there were when the snapshot began.
    pub fn keys_total(&self) -> usize {
        self.keys_total
    }
}
