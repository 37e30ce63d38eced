//! Segmented hash table: what the keyspace, sets, hashes and sorted sets keep their entries in.
//!
//! A flat table stalls for seconds while it grows, and holds both copies meanwhile. Here entries live in
//! [segments](segment) of one page, and a [directory](directory) finds the segment by the first bits of the hash.
//! Growing splits one segment at a time, shrinking merges two; no operation's worst case depends on the number of
//! entries, but for doubling the directory, which copies 8 bytes per segment.
//!
//! All entries are in hash order by *home*, so a position in a scan is a hash: entries that stay in the table during a
//! whole scan are met whatever is inserted, removed, split or merged between its steps.

mod directory;
mod group;
mod segment;
#[cfg(test)]
mod tests;

pub use segment::{Slot, Thin};

use directory::Directory;
use group::{Mask, WIDTH};
use segment::{ExpiryChange, Marks, Segment};
use std::ops::{Deref, DerefMut};

/// Segments a step of a scan or cycle may look at beyond its limit of entries, so that a sparse table costs no more.
const IDLE_STEPS: usize = 16;

/// A hash table of owned entries. Callers hand in the hash of the key, from [`hash::hash`](crate::hash::hash).
///
/// An empty table has no allocation, and one of few entries is a few hundred bytes.
pub struct Table<T: Slot> {
    directory: Directory<T>,
    len: usize,
    expiring: usize,
}

/// What to do with an entry a cycle has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Keep,
    Remove,
}

/// Where a walk over a changing table stands. The default is the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WalkPos(u64);

/// Size and load of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub entries: usize,
    pub segments: usize,
    /// Entries there is room for in all segments.
    pub slots: usize,
    /// Entries that are not in the first group a lookup reads.
    pub displaced: usize,
    /// Entries of the fullest segment.
    pub fullest: usize,
}

impl<T: Slot> Default for Table<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Slot + Clone> Clone for Table<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::new();
        for entry in self {
            copy.insert_unique(crate::hash::hash(entry.key()), entry.clone());
        }
        copy
    }
}

impl<T: Slot> Table<T> {
    pub const fn new() -> Self {
        Self {
            directory: Directory::new(),
            len: 0,
            expiring: 0,
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Entries that have an expiry.
    #[inline]
    pub fn expiring_len(&self) -> usize {
        self.expiring
    }

    /// The entry with `key`.
    #[inline]
    pub fn find(&self, hash: u64, key: &[u8]) -> Option<&T> {
        let segment = self.directory.segment(hash);
        segment.find(hash, key).map(|index| segment.entry(index))
    }

    /// The entry with `key`, to be changed, replaced or removed.
    #[inline]
    pub fn find_mut(&mut self, hash: u64, key: &[u8]) -> Option<SlotMut<'_, T>> {
        let segment = self.directory.segment(hash);
        let index = segment.find(hash, key)?;
        let marks = segment.marks(index);
        Some(SlotMut {
            table: self,
            hash,
            index,
            marks,
        })
    }

    /// The entry of a key, to change in place. It must not be replaced, and keep or lack its expiry as before: for all
    /// else there is [`Table::find_mut`].
    #[inline]
    pub(crate) fn get_mut(&mut self, hash: u64, key: &[u8]) -> Option<&mut T> {
        let index = self.directory.segment(hash).find(hash, key)?;
        Some(self.directory.segment_mut(hash).entry_mut(index))
    }

    /// Adds an entry whose key is not in the table yet.
    #[inline]
    pub fn insert_unique(&mut self, hash: u64, entry: T) {
        while self.directory.segment(hash).is_full() {
            self.directory.make_room(hash);
        }
        self.len += 1;
        let expiring = entry.has_expiry();
        self.directory.segment_mut(hash).insert(hash, entry);
        if expiring {
            self.expiring += 1;
            self.directory.relabel(hash);
        }
    }

    /// Adds an entry, or replaces the one with the same key and returns that.
    pub fn insert(&mut self, hash: u64, entry: T) -> Option<T> {
        if let Some(mut slot) = self.find_mut(hash, entry.key()) {
            return Some(slot.replace(entry));
        }
        self.insert_unique(hash, entry);
        None
    }

    /// Removes the entry with `key`.
    #[inline]
    pub fn remove(&mut self, hash: u64, key: &[u8]) -> Option<T> {
        let index = self.directory.segment(hash).find(hash, key)?;
        let entry = self.remove_at(hash, index);
        self.trim(hash);
        Some(entry)
    }

    #[inline]
    fn remove_at(&mut self, hash: u64, index: usize) -> T {
        let segment = self.directory.segment_mut(hash);
        let expiring = segment.marks(index).expiring();
        let entry = segment.remove(index);
        self.len -= 1;
        if expiring {
            self.expiring -= 1;
            self.directory.relabel(hash);
        }
        entry
    }

    /// Merges or shrinks the segment of `hash` if it has become small.
    #[inline]
    fn trim(&mut self, hash: u64) {
        // The buddy's size is a cache miss away: ask now and then.
        if self.directory.segment(hash).len().is_multiple_of(8) {
            self.directory.trim(hash);
        }
    }

    /// Drops all entries and gives back all memory.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Moves everything out, for example to be dropped by another thread.
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Starts to load what an insertion of `hash` needs.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        self.directory.segment(hash).prefetch(hash);
    }

    /// Starts to load what a lookup of `hash` reads first. With several lookups ahead, call this for all of them, then
    /// [`prefetch_slot`](Self::prefetch_slot) for all, then [`prefetch_entry`](Self::prefetch_entry), then look up: each
    /// step waits for what the one before has asked for, and asks for no more than the lookup needs.
    #[inline]
    pub fn prefetch_control(&self, hash: u64) {
        self.directory.segment(hash).prefetch_control(hash);
    }

    /// Starts to load the slot a lookup of `hash` will read.
    #[inline]
    pub fn prefetch_slot(&self, hash: u64) {
        self.directory.segment(hash).prefetch_slot(hash);
    }

    /// Starts to load the entry a lookup of `hash` will compare.
    #[inline]
    pub fn prefetch_entry(&self, hash: u64) {
        self.directory.segment(hash).prefetch_entry(hash);
    }

    /// Visits about `count` entries from `cursor` on and returns the cursor to go on from: 0 both starts and ends.
    ///
    /// An entry that is in the table from start to end is visited at least once, whatever changes between the calls;
    /// after merges some may be visited twice. Cursors are below 2^52, so clients may keep them in a double.
    pub fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(&T)) -> u64 {
        let mut hash = cursor << CURSOR_SHIFT;
        let mut budget = Budget::new(count);
        loop {
            let segment = self.directory.segment(hash);
            let mut walk = segment.walk_home(hash);
            while let Some(index) = segment.next_of_home(&mut walk) {
                visit(segment.entry(index));
                budget.entries += 1;
            }
            match next_home(segment, hash) {
                None => return 0,
                Some(next) if budget.spent() => return next >> CURSOR_SHIFT,
                Some(next) => hash = next,
            }
        }
    }

    /// Visits about `max` entries from `position` on, in hash order, and returns where to go on; `None` at the end.
    /// Guarantees what [`scan`](Self::scan) does. The visitor may replace an entry by another with the same key.
    pub fn walk(
        &mut self,
        position: WalkPos,
        max: usize,
        mut visit: impl FnMut(&mut T),
    ) -> Option<WalkPos> {
        let mut hash = position.0;
        let mut budget = Budget::new(max);
        loop {
            let mut walk = self.directory.segment(hash).walk_home(hash);
            while let Some(index) = self.directory.segment(hash).next_of_home(&mut walk) {
                let marks = self.directory.segment(hash).marks(index);
                visit(&mut SlotMut {
                    table: self,
                    hash,
                    index,
                    marks,
                });
                budget.entries += 1;
            }
            hash = next_home(self.directory.segment(hash), hash)?;
            if budget.spent() {
                return Some(WalkPos(hash));
            }
        }
    }

    /// Shows entries that have an expiry, from `cursor` on, until about `max` were shown; `removed` receives those the
    /// verdict is against. Returns the cursor to go on from; 0 both starts and ends a cycle.
    pub fn visit_expiring(
        &mut self,
        cursor: u64,
        max: usize,
        mut judge: impl FnMut(&T) -> Verdict,
        removed: &mut Vec<T>,
    ) -> u64 {
        let mut hash = cursor << CURSOR_SHIFT;
        let mut budget = Budget::new(max);
        loop {
            let Some(found) = self.directory.next_expiring(hash) else {
                return 0;
            };
            let next = self.directory.segment(found).after_home(found);
            budget.entries += self.judge_home(found, &mut judge, removed);
            match next {
                None => return 0,
                Some(next) if budget.spent() => return next >> CURSOR_SHIFT,
                Some(next) => hash = next,
            }
        }
    }

    fn judge_home(
        &mut self,
        hash: u64,
        judge: &mut impl FnMut(&T) -> Verdict,
        removed: &mut Vec<T>,
    ) -> usize {
        let mut shown = 0;
        let before = removed.len();
        let mut walk = self.directory.segment(hash).walk_home(hash);
        while let Some(index) = self.directory.segment(hash).next_of_home(&mut walk) {
            let segment = self.directory.segment(hash);
            if !segment.marks(index).expiring() {
                continue;
            }
            shown += 1;
            if judge(segment.entry(index)) == Verdict::Remove {
                removed.push(self.remove_at(hash, index));
            }
        }
        if removed.len() > before {
            self.directory.trim(hash);
        }
        shown
    }

    /// Any entry; each with nearly the same chance.
    pub fn random(&self, rng: &mut impl FnMut() -> u64) -> Option<&T> {
        if self.is_empty() {
            return None;
        }
        let mut hash = rng();
        let mut segment = self.directory.segment(hash);
        while segment.len() == 0 {
            hash = segment.after_segment(hash).unwrap_or(0);
            segment = self.directory.segment(hash);
        }
        // Not the bits that chose the segment.
        let n = rng() as usize % segment.len();
        segment.nth_used(n).map(|index| segment.entry(index))
    }

    /// Visits up to `n` entries that are neighbours from a random place on: cheap, and good enough to choose whom to
    /// evict. Returns how many.
    pub fn sample(&self, rng: &mut impl FnMut() -> u64, n: usize, visit: impl FnMut(&T)) -> usize {
        self.sample_where(rng, n.min(self.len), Some, |_| true, visit)
    }

    /// Like [`sample`](Self::sample), of entries that have an expiry.
    pub fn sample_expiring(
        &self,
        rng: &mut impl FnMut() -> u64,
        n: usize,
        visit: impl FnMut(&T),
    ) -> usize {
        let next = |hash| self.directory.next_expiring(hash);
        self.sample_where(rng, n.min(self.expiring), next, Marks::expiring, visit)
    }

    /// Visits `n` of the wanted entries; `next_from` finds segments that have some.
    fn sample_where(
        &self,
        rng: &mut impl FnMut() -> u64,
        n: usize,
        next_from: impl Fn(u64) -> Option<u64>,
        wanted: impl Fn(Marks) -> bool,
        mut visit: impl FnMut(&T),
    ) -> usize {
        let mut left = n;
        let (mut hash, start) = (rng(), rng() as usize);
        for _ in 0..=self.directory.breadth() {
            let Some(found) = next_from(hash).or_else(|| next_from(0)) else {
                break;
            };
            let segment = self.directory.segment(found);
            let groups = segment.groups();
            let (first, first_bit) = (start % groups.max(1), start / groups.max(1) % WIDTH);
            // The first group comes twice, its lower slots last: every slot must have its turn as the first one.
            let steps = if groups == 0 { 0 } else { groups + 1 };
            let slots = (0..steps).flat_map(|step| {
                let group = (first + step) % groups;
                segment
                    .used_in(group)
                    .filter(move |&bit| match step {
                        0 => bit >= first_bit,
                        last if last == groups => bit < first_bit,
                        _ => true,
                    })
                    .map(move |bit| group * WIDTH + bit)
            });
            for index in slots
                .filter(|&index| wanted(segment.marks(index)))
                .take(left)
            {
                visit(segment.entry(index));
                left -= 1;
            }
            if left == 0 {
                break;
            }
            hash = segment.after_segment(found).unwrap_or(0);
        }
        n - left
    }

    /// All entries, in no particular order.
    pub fn iter(&self) -> Iter<'_, T> {
        let segment = self.directory.segment(0);
        let directory = &self.directory;
        Iter {
            directory,
            segment,
            next: segment.after_segment(0),
            group: 0,
            used: segment.used_in(0),
            left: self.len,
        }
    }

    /// Bytes the table takes, without the entries. Looks at 8 bytes per segment.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.directory.memory_bytes()
    }

    /// Size and load; looks at every segment.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats {
            entries: self.len,
            ..Stats::default()
        };
        let mut next = Some(0);
        while let Some(hash) = next {
            let segment = self.directory.segment(hash);
            stats.segments += usize::from(segment.groups() > 0);
            stats.slots += segment.slots();
            stats.displaced += segment.displaced();
            stats.fullest = stats.fullest.max(segment.len());
            next = segment.after_segment(hash);
        }
        stats
    }
}

/// Cursors are hash prefixes of 52 bits; homes begin at such prefixes.
const CURSOR_SHIFT: u32 = 12;

/// When a step of a scan has done enough.
struct Budget {
    entries: usize,
    homes: usize,
    limit: usize,
}

impl Budget {
    fn new(limit: usize) -> Self {
        Self {
            entries: 0,
            homes: 0,
            limit: limit.max(1),
        }
    }

    /// Counts a home, or a segment without entries.
    fn spent(&mut self) -> bool {
        self.homes += 1;
        self.entries >= self.limit || self.homes >= self.limit.saturating_add(IDLE_STEPS)
    }
}

fn next_home<T: Slot>(segment: &Segment<T>, hash: u64) -> Option<u64> {
    if segment.len() == 0 {
        segment.after_segment(hash)
    } else {
        segment.after_home(hash)
    }
}

/// One entry of a table, found to be changed. The entry may be replaced by another with the same key.
pub struct SlotMut<'a, T: Slot> {
    table: &'a mut Table<T>,
    /// Any hash of the segment.
    hash: u64,
    index: usize,
    /// As they were when the slot was handed out.
    marks: Marks,
}

impl<T: Slot> SlotMut<'_, T> {
    /// Puts an entry with the same key in place of this one, which is returned.
    pub fn replace(&mut self, entry: T) -> T {
        std::mem::replace(&mut **self, entry)
    }

    /// Takes the entry out of the table.
    pub fn remove(mut self) -> T {
        self.settle();
        let entry = self.table.remove_at(self.hash, self.index);
        self.table.trim(self.hash);
        // The slot is gone: nothing to settle any more.
        std::mem::forget(self);
        entry
    }

    /// Renews what the table notes about the entry.
    #[inline]
    fn settle(&mut self) {
        let directory = &mut self.table.directory;
        let segment = directory.segment_mut(self.hash);
        let change = segment.settle(self.index, self.marks);
        if change != ExpiryChange::None {
            directory.relabel(self.hash);
            self.table.expiring = self.table.expiring.saturating_add_signed(change as isize);
        }
    }
}

impl<T: Slot> Deref for SlotMut<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.table.directory.segment(self.hash).entry(self.index)
    }
}

impl<T: Slot> DerefMut for SlotMut<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.table
            .directory
            .segment_mut(self.hash)
            .entry_mut(self.index)
    }
}

impl<T: Slot> Drop for SlotMut<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.settle();
    }
}

/// See [`Table::iter`].
pub struct Iter<'a, T: Slot> {
    directory: &'a Directory<T>,
    segment: &'a Segment<T>,
    /// First hash of the next segment.
    next: Option<u64>,
    group: usize,
    used: Mask,
    left: usize,
}

impl<'a, T: Slot> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        loop {
            if let Some(bit) = self.used.next() {
                self.left -= 1;
                return Some(self.segment.entry(self.group * WIDTH + bit));
            }
            if self.group + 1 < self.segment.groups() {
                self.group += 1;
            } else {
                let hash = self.next?;
                self.segment = self.directory.segment(hash);
                self.next = self.segment.after_segment(hash);
                self.group = 0;
            }
            self.used = self.segment.used_in(self.group);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T: Slot> ExactSizeIterator for Iter<'_, T> {}

impl<'a, T: Slot> IntoIterator for &'a Table<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}
