//! What a snapshot keeps inside a big value while it is written in slices.

use crate::rdb::save::{Encoder, Piece};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Names a value that is written in slices, wherever it is moved meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FreezeId {
    /// The db it was in when the snapshot began.
    pub(super) db: u32,
    pub(super) number: u32,
}

/// What a running snapshot counts, in whatever value it happens.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Bytes that wait for their turn in the file.
    waiting: AtomicUsize,
    /// Bytes written down because something was about to change.
    before_changes: AtomicUsize,
    /// A value was dropped before it was written: what is missing cannot be had any more.
    lost: AtomicBool,
}

impl Tally {
    fn add(&self, bytes: usize) {
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
    }
    fn subtract(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
    }
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
    pub(crate) fn bytes_before_changes(&self) -> usize {
        self.before_changes.load(Ordering::Relaxed)
    }
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}

/// Bytes laid out and not taken yet, counted.
pub(crate) struct Outlet {
    out: Encoder,
    tally: Arc<Tally>,
}

impl Outlet {
    pub(crate) fn new(out: Encoder, tally: Arc<Tally>) -> Outlet {
        tally.add(out.len());
        Outlet { out, tally }
    }

    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    pub(crate) fn write(&mut self, write: impl FnOnce(&mut Encoder)) {
        let before = self.out.len();
        write(&mut self.out);
        self.tally.add(self.out.len() - before);
    }

    /// As `write`, because of a change to come.
    pub(crate) fn write_before_change(&mut self, write: impl FnOnce(&mut Encoder)) {
        let before = self.out.len();
        self.write(write);
        let bytes = self.out.len() - before;
        self.tally
            .before_changes
            .fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn take(&mut self) -> Piece {
        self.tally.subtract(self.out.len());
        self.out.take()
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.tally.subtract(self.out.len());
    }
}

/// See the module. It moves with its value; dropping it before everything is written fails the snapshot.
pub(crate) struct Freeze {
    id: FreezeId,
    outlet: Outlet,
    /// Elements, nodes or pieces still to be written.
    left: usize,
    /// Bytes the value keeps aside.
    held: usize,
}

impl Freeze {
    /// `head` holds what comes before the value's length.
    pub(crate) fn new(id: FreezeId, head: Encoder, tally: Arc<Tally>) -> Freeze {
        Freeze {
            id,
            outlet: Outlet::new(head, tally),
            left: 0,
            held: 0,
        }
    }

    #[inline]
    pub(crate) fn id(&self) -> FreezeId {
        self.id
    }

    /// The value has this many elements or nodes.
    pub(crate) fn expect(&mut self, parts: usize) {
        self.expect_bytes(parts, parts);
    }

    /// The value's length is `len`, and it will be written in so many parts.
    pub(crate) fn expect_bytes(&mut self, len: usize, parts: usize) {
        self.outlet.write(|out| out.length(len));
        self.left = parts;
    }

    /// Writes the next part.
    pub(crate) fn write_in_turn(&mut self, write: impl FnOnce(&mut Encoder)) {
        self.left = self.left.saturating_sub(1);
        self.outlet.write(write);
    }

    /// Writes a part that is about to change or go.
    #[cold]
    pub(crate) fn write_before_change(&mut self, write: impl FnOnce(&mut Encoder)) {
        self.left = self.left.saturating_sub(1);
        self.outlet.write_before_change(write);
    }

    /// The value keeps aside so many bytes of a part that is about to change.
    pub(crate) fn hold(&mut self, bytes: usize) {
        self.held += bytes;
        let tally = &self.outlet.tally;
        tally.add(bytes);
        tally.before_changes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn release(&mut self, bytes: usize) {
        self.held -= bytes;
        self.outlet.tally.subtract(bytes);
    }

    /// Bytes to be taken.
    pub(crate) fn waiting(&self) -> usize {
        self.outlet.len()
    }

    pub(crate) fn take(&mut self) -> Piece {
        self.outlet.take()
    }

    #[cfg(test)]
    pub(crate) fn for_test(head: Encoder) -> (Freeze, Arc<Tally>) {
        let tally = Arc::<Tally>::default();
        let id = FreezeId { db: 0, number: 0 };
        (Freeze::new(id, head, tally.clone()), tally)
    }
}

impl Drop for Freeze {
    fn drop(&mut self) {
        self.outlet.tally.subtract(self.held);
        if self.left > 0 || self.outlet.len() > 0 {
            self.outlet.tally.lost.store(true, Ordering::Relaxed);
        }
    }
}
