//! The segments by hash prefix: an array indexed by the first bits of a hash (extendible hashing).
//!
//! A segment whose prefix is shorter than the array's has several elements in a row. Growing doubles the array, which
//! copies pointers only; entries move one segment at a time, when it is split. A table of one segment needs no array.
#![allow(unsafe_code, reason = "owns the segments that array elements share")]

use super::segment::{GROUPS, MAX_DEPTH, Segment, Slot};
use std::mem::ManuallyDrop;

pub(super) struct Directory<T: Slot> {
    index: Index<T>,
    /// The array has 2^bits elements.
    bits: u8,
    /// Segments whose prefix has all `bits`; without any, half the array is enough.
    deepest: u32,
    next: Option<Box<NextArray<T>>>,
}

/// Memory for the array twice as large, touched a page at a time by the splits before it is needed: the kernel takes
/// longer to find pages than we take to copy the handles, and pays in one pause otherwise.
struct NextArray<T>(Vec<Segment<T>>);

/// Handles on one page.
const PAGE: usize = 4096 / size_of::<usize>();

/// The only segment while `bits` is 0, else the array.
union Index<T> {
    only: ManuallyDrop<Segment<T>>,
    array: *mut Segment<T>,
}

// SAFETY: a directory owns its segments and they own their entries; nothing is shared with another directory.
unsafe impl<T: Slot + Send> Send for Directory<T> {}
// SAFETY: shared access only hands out `&T`.
unsafe impl<T: Slot + Sync> Sync for Directory<T> {}

impl<T: Slot> Directory<T> {
    pub(super) const fn new() -> Self {
        Self {
            index: Index {
                only: ManuallyDrop::new(Segment::none()),
            },
            bits: 0,
            deepest: 0,
            next: None,
        }
    }

    #[inline]
    fn elements(&self) -> &[Segment<T>] {
        let start = if self.bits == 0 {
            (&raw const self.index).cast()
        } else {
            // SAFETY: with bits the index is an array.
            unsafe { self.index.array.cast_const() }
        };
        // SAFETY: there are 2^bits initialized elements, and they change only through `&mut self`.
        unsafe { std::slice::from_raw_parts(start, 1 << self.bits) }
    }

    #[inline]
    fn elements_mut(&mut self) -> &mut [Segment<T>] {
        let start = if self.bits == 0 {
            (&raw mut self.index).cast()
        } else {
            // SAFETY: with bits the index is an array.
            unsafe { self.index.array }
        };
        // SAFETY: there are 2^bits initialized elements, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(start, 1 << self.bits) }
    }

    #[inline]
    fn position(&self, hash: u64) -> usize {
        // Two shifts, as one by 64 is not defined.
        (hash >> 1 >> (63 - self.bits)) as usize
    }

    /// The segment for a hash.
    #[inline]
    pub(super) fn segment(&self, hash: u64) -> &Segment<T> {
        &self.elements()[self.position(hash)]
    }

    #[inline]
    pub(super) fn segment_mut(&mut self, hash: u64) -> &mut Segment<T> {
        let position = self.position(hash);
        &mut self.elements_mut()[position]
    }

    /// A hash of the first segment with expiring entries, at `hash` or after it.
    pub(super) fn next_expiring(&self, hash: u64) -> Option<u64> {
        if self.segment(hash).is_labelled_expiring() {
            return Some(hash);
        }
        let start = self.position(hash);
        let ahead = self.elements()[start..]
            .iter()
            .position(Segment::is_labelled_expiring)?;
        // Only an array has further elements, so there are bits.
        Some(((start + ahead) as u64) << (64 - self.bits))
    }

    /// To be called when the number of expiring entries in the segment for `hash` may have become or ceased to be 0.
    #[inline]
    pub(super) fn relabel(&mut self, hash: u64) {
        let segment = self.segment(hash);
        if segment.is_labelled_expiring() != (segment.expiring() > 0) {
            let (relabelled, span) = (segment.relabelled(), self.span(segment));
            let first = self.position(hash) & !(span - 1);
            self.elements_mut()[first..first + span].fill_with(|| relabelled.handle());
        }
    }

    /// A number no smaller than that of segments, and not much larger.
    pub(super) fn breadth(&self) -> usize {
        self.elements().len()
    }

    /// Bytes of all blocks and of the array. Looks at all of the array.
    pub(super) fn memory_bytes(&self) -> usize {
        let (mut position, mut blocks) = (0, 0);
        while let Some(segment) = self.elements().get(position) {
            blocks += segment.block_bytes();
            position += self.span(segment);
        }
        let array = if self.bits == 0 {
            0
        } else {
            size_of_val(self.elements())
        };
        let next = self
            .next
            .as_ref()
            .map_or(0, |next| next.0.capacity() * size_of::<Segment<T>>());
        blocks + array + next
    }

    /// Replaces the full segment for `hash` by a larger one, or by two.
    pub(super) fn make_room(&mut self, hash: u64) {
        let full = self.segment(hash).handle();
        if let Some(groups) = full.larger() {
            self.resize_only(groups);
            return;
        }
        if full.depth() == u32::from(self.bits) {
            self.double();
        }
        let (low, high) = full.split();
        let position = self.position(hash);
        let span = self.span(&full);
        let first = position & !(span - 1);
        let (lower, upper) = self.elements_mut()[first..first + span].split_at_mut(span / 2);
        lower.fill_with(|| low.handle());
        upper.fill_with(|| high.handle());
        // SAFETY: every element that named the block has just been overwritten.
        unsafe { full.free() };
        if low.depth() == u32::from(self.bits) {
            self.deepest += 2;
            self.prepare();
        }
    }

    /// Gives back what the segment for `hash` no longer needs after removals: it merges with its buddy while both
    /// hold little; the last one shrinks.
    pub(super) fn trim(&mut self, hash: u64) {
        while self.merge(hash) {}
        if self.bits == 0
            && let Some(groups) = self.elements()[0].smaller()
        {
            self.resize_only(groups);
        }
    }

    fn resize_only(&mut self, groups: usize) {
        let old = self.elements()[0].handle();
        debug_assert!(self.bits == 0, "segments of an array have full size");
        self.elements_mut()[0] = old.resized(groups);
        // SAFETY: the only element that named the block has just been overwritten.
        unsafe { old.free() };
    }

    /// Array elements that name a segment.
    fn span(&self, segment: &Segment<T>) -> usize {
        1 << (u32::from(self.bits) - segment.depth())
    }

    fn merge(&mut self, hash: u64) -> bool {
        let position = self.position(hash);
        let here = self.elements()[position].handle();
        let span = self.span(&here);
        if here.depth() == 0 {
            return false;
        }
        let first = position & !(2 * span - 1);
        let (low, high) = (
            self.elements()[first].handle(),
            self.elements()[first + span].handle(),
        );
        if !low.merges_with(&high) {
            return false;
        }
        let merged = Segment::merged(&low, &high, (first / span) as u64);
        self.elements_mut()[first..first + 2 * span].fill_with(|| merged.handle());
        // SAFETY: every element that named one of the blocks has just been overwritten.
        unsafe {
            low.free();
            high.free();
        }
        if low.depth() == u32::from(self.bits) {
            self.deepest -= 2;
            if self.deepest == 0 {
                self.halve();
            }
        }
        true
    }

    fn double(&mut self) {
        assert!(
            u32::from(self.bits) < MAX_DEPTH.min(usize::BITS - 4),
            "splits stop earlier"
        );
        let mut twice = self.next.take().map_or_else(Vec::new, |next| next.0);
        twice.clear();
        let elements = self.elements();
        // By index, which the compiler turns into a plain copy.
        twice.extend((0..2 * elements.len()).map(|i| elements[i / 2].handle()));
        self.set_elements(twice);
    }

    /// Touches another page of the next array once half the segments are as deep as this one allows.
    fn prepare(&mut self) {
        let len = self.elements().len();
        if len < PAGE || (self.deepest as usize) < len / 2 {
            return;
        }
        let next = self
            .next
            .get_or_insert_with(|| Box::new(NextArray(Vec::with_capacity(2 * len))));
        let touched = (next.0.len() + PAGE).min(2 * len);
        next.0.resize_with(touched, Segment::none);
    }

    fn halve(&mut self) {
        while self.deepest == 0 && self.bits > 0 {
            let half = self
                .elements()
                .iter()
                .step_by(2)
                .map(Segment::handle)
                .collect();
            self.set_elements(half);
            let bits = u32::from(self.bits);
            let deepest = self
                .elements()
                .iter()
                .filter(|segment| segment.depth() == bits)
                .count();
            self.deepest = if bits == 0 { 0 } else { deepest as u32 };
        }
    }

    /// Takes over a new set of 2^n handles to the same segments, none of them of depth n yet.
    fn set_elements(&mut self, mut elements: Vec<Segment<T>>) {
        self.free_array();
        self.next = None;
        self.bits = elements.len().trailing_zeros() as u8;
        self.deepest = 0;
        if self.bits == 0 {
            self.index = Index {
                only: ManuallyDrop::new(elements.remove(0)),
            };
        } else {
            self.index = Index {
                array: Box::into_raw(elements.into_boxed_slice()).cast(),
            };
        }
    }

    fn free_array(&mut self) {
        if self.bits > 0 {
            // SAFETY: `set_elements` made it of a boxed slice of this length; handles do not free segments.
            drop(unsafe { Box::from_raw(&raw mut *self.elements_mut()) });
            self.bits = 0;
        }
    }
}

impl<T: Slot> Drop for Directory<T> {
    fn drop(&mut self) {
        let mut position = 0;
        while position < self.elements().len() {
            let segment = self.elements()[position].handle();
            position += self.span(&segment);
            // SAFETY: each block is met once, and nothing looks at the elements after this loop.
            unsafe {
                segment.drop_entries();
                segment.free();
            }
        }
        self.free_array();
    }
}

const _: () = assert!(
    GROUPS <= 31,
    "a segment handle keeps the group count in 5 bits"
);
