//! One block of slots: a page that holds up to 448 entries whose hashes share a prefix.
//!
//! ```text
//! 0    header   entries, entries with an expiry, overflow count per group
//! 32   control  one byte per slot: EMPTY or 0x80 | tag
//!      slots    pointers; the 16 bits a user-space address leaves free hold `Marks`
//! ```
//!
//! An entry lives in the first group with room, counted from its *home*, which grows with the hash: the order of
//! homes is the order of hashes, so a scan resumes at a hash whatever happened to the segment in between. The
//! overflow count of a group says how many entries were pushed past it, so a lookup knows when to stop and a removed
//! slot is simply empty again: there are no tombstones, and nothing to rebuild after many removals.
#![allow(unsafe_code, reason = "slots are carved out of one raw block")]

use super::group::{self, Group, Mask, WIDTH};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

/// Groups of a full-size segment: with the header they fill 4096 bytes, an allocator's page-sized class.
pub(super) const GROUPS: usize = 28;
/// A segment that would hold more than 7 of 8 slots is split (or, while small, replaced by a larger one).
const MAX_LOAD: usize = WIDTH * 7 / 8;
/// Buddies that together hold at most 40 % of one segment become one again.
const MERGE_AT: usize = GROUPS * WIDTH * 2 / 5;
/// Scan positions are 52-bit hash prefixes, and the home takes the 10 bits below the segment's prefix.
pub(super) const MAX_DEPTH: u32 = 52 - HOME_BITS;

const HOME_BITS: u32 = 10;
const ADDRESS_BITS: u32 = 48;
const ADDRESS_MASK: usize = (1 << ADDRESS_BITS) - 1;

/// The address of an entry's block, with room for the table's notes in the 16 bits no user-space address uses.
///
/// Types stored in a table are made of one. Always go through [`Thin::ptr`]: two `Thin` of the same block differ in
/// the notes.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Thin(NonNull<u8>);

impl Thin {
    /// # Panics
    /// If the address does not fit 48 bits, which no supported system hands out unasked.
    #[inline]
    pub fn new(block: NonNull<u8>) -> Self {
        assert!(
            block.addr().get() >> ADDRESS_BITS == 0,
            "user-space addresses fit 48 bits"
        );
        Self(block)
    }

    /// The address, as given to [`Thin::new`].
    #[inline]
    pub fn ptr(self) -> NonNull<u8> {
        let bare = self.0.as_ptr().map_addr(|address| address & ADDRESS_MASK);
        // SAFETY: `new` took a non-null address below 2^48, and marks only ever touch the bits above.
        unsafe { NonNull::new_unchecked(bare) }
    }

    #[inline]
    fn marks(self) -> Marks {
        Marks((self.0.addr().get() >> ADDRESS_BITS) as u16)
    }

    #[inline]
    fn marked(self, marks: Marks) -> Self {
        Self(
            self.ptr()
                .map_addr(|address| address | usize::from(marks.0) << ADDRESS_BITS),
        )
    }
}

/// An owned pointer to an entry, as a table stores it.
///
/// # Safety
/// The type must be `repr(transparent)` over [`Thin`] and use the address only through [`Thin::ptr`]: the table writes
/// notes into the other bits while it holds the value.
pub unsafe trait Slot: Sized {
    /// The key the entry is found by. It must not change while the entry is in a table.
    fn key(&self) -> &[u8];

    /// Whether the entry has an expiry; tables count those.
    fn has_expiry(&self) -> bool {
        false
    }
}

/// What a slot remembers beside the address: 15 bits of the hash, and whether the entry has an expiry.
///
/// The hash bits start at the last multiple of `STRIDE` not above the segment's depth. So the home is known at every
/// depth without touching the entry, and most splits need no hash recomputed.
#[derive(Clone, Copy)]
pub(super) struct Marks(u16);

impl Marks {
    const HASH_BITS: u32 = 15;
    const HASH: u16 = (1 << Self::HASH_BITS) - 1;
    const EXPIRING: u16 = 1 << Self::HASH_BITS;
    const STRIDE: u32 = Self::HASH_BITS - HOME_BITS + 1;

    #[inline]
    fn new(hash: u64, depth: u32, expiring: bool) -> Self {
        let window_start = depth - depth % Self::STRIDE;
        let window = ((hash << window_start) >> (u64::BITS - Self::HASH_BITS)) as u16;
        Self(window | if expiring { Self::EXPIRING } else { 0 })
    }

    #[inline]
    fn hash_bits(self) -> u16 {
        self.0 & Self::HASH
    }

    #[inline]
    pub(super) fn expiring(self) -> bool {
        self.0 & Self::EXPIRING != 0
    }

    #[inline]
    fn with_expiring(self, expiring: bool) -> Self {
        Self(self.hash_bits() | if expiring { Self::EXPIRING } else { 0 })
    }

    /// The hash bits below a prefix of `depth` bits, as many as `home_of` looks at.
    #[inline]
    fn below_prefix(self, depth: u32) -> usize {
        let shifted = (self.0 << (depth % Self::STRIDE)) & Self::HASH;
        usize::from(shifted >> (Self::HASH_BITS - HOME_BITS))
    }

    /// Whether marks of the depth before hold the hash bits that a segment of `depth` needs.
    fn reach(depth: u32) -> bool {
        !depth.is_multiple_of(Self::STRIDE)
    }

    /// The side when a segment of `depth` is split.
    #[inline]
    fn upper(self, depth: u32) -> bool {
        self.0 >> (Self::HASH_BITS - 1 - depth % Self::STRIDE) & 1 != 0
    }

    /// The marks one level up, in a segment of `depth - 1` whose half here had `prefix`.
    fn merged(self, depth: u32, prefix: u64) -> Self {
        if Self::reach(depth) {
            return self;
        }
        let from_prefix = (prefix as u16) << (Self::HASH_BITS - Self::STRIDE) & Self::HASH;
        Self(from_prefix | self.hash_bits() >> Self::STRIDE | self.0 & Self::EXPIRING)
    }
}

/// What a change of one entry did to the number of entries with an expiry.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum ExpiryChange {
    Lost = -1,
    None = 0,
    Gained = 1,
}

impl ExpiryChange {
    #[inline]
    fn between(before: bool, after: bool) -> Self {
        match (before, after) {
            (true, false) => Self::Lost,
            (false, true) => Self::Gained,
            _ => Self::None,
        }
    }
}

#[inline]
fn tag_of(hash: u64) -> u8 {
    // The low bits: the prefix bits are equal within a segment.
    group::FULL | hash as u8
}

/// The group where the search for a hash starts, from the `HOME_BITS` hash bits below the prefix.
#[inline]
fn home_of(below_prefix: usize, groups: usize) -> usize {
    (below_prefix * groups) >> HOME_BITS
}

#[repr(C)]
struct Header {
    len: u16,
    expiring: u16,
    /// Entries whose home is this group or before, and whose place is after it. 255 stays 255.
    overflow: [u8; GROUPS],
}

const HEADER_BYTES: usize = size_of::<Header>();
const CACHE_LINE: usize = 64;

/// The block all empty tables share. Without groups it counts as full, so nothing is ever written to it.
#[repr(C, align(16))]
struct NoSlots(Header, Group);
static NO_SLOTS: NoSlots = NoSlots(
    Header {
        len: 0,
        expiring: 0,
        overflow: [0; GROUPS],
    },
    [group::EMPTY; WIDTH],
);

/// A handle to a block: its address, and above it the block's group count (5 bits), its depth (6 bits) and whether
/// entries have an expiry (the top bit).
///
/// The directory owns the blocks and may keep several handles to one; a handle is not freed by dropping it.
#[repr(transparent)]
pub(super) struct Segment<T> {
    word: NonNull<u8>,
    entries: PhantomData<T>,
}

/// Where a walk over the entries of one home stands. Removing the entry last returned does not disturb it.
pub(super) struct HomeWalk {
    home: usize,
    group: usize,
    groups_left: usize,
    full: Mask,
}

impl<T> Segment<T> {
    const DEPTH_SHIFT: u32 = ADDRESS_BITS + 5;
    const GROUPS_MASK: usize = 31;
    const DEPTH_MASK: usize = 63;
    const EXPIRING: usize = 1 << (usize::BITS - 1);

    /// The segment of an empty table: no slots, no allocation.
    pub(super) const fn none() -> Self {
        let block: *mut u8 = (&raw const NO_SLOTS).cast_mut().cast();
        // SAFETY: the address of a static is not null.
        let word = unsafe { NonNull::new_unchecked(block) };
        Self {
            word,
            entries: PhantomData,
        }
    }

    pub(super) fn allocate(groups: usize, depth: u32) -> Self {
        debug_assert!((1..=GROUPS).contains(&groups) && depth <= MAX_DEPTH);
        let layout = Self::layout(groups);
        // SAFETY: the layout is never empty.
        let block = unsafe { alloc(layout) };
        let Some(block) = NonNull::new(block) else {
            handle_alloc_error(layout)
        };
        // SAFETY: header and control bytes lie at the start of the fresh block; all zero means no entries.
        unsafe { block.as_ptr().write_bytes(0, HEADER_BYTES + groups * WIDTH) };
        let thin = Thin::new(block);
        let labels = groups << ADDRESS_BITS | (depth as usize) << Self::DEPTH_SHIFT;
        Self {
            word: thin.0.map_addr(|address| address | labels),
            entries: PhantomData,
        }
    }

    /// Another handle to the same block.
    #[inline]
    pub(super) fn handle(&self) -> Self {
        Self {
            word: self.word,
            entries: PhantomData,
        }
    }

    /// Size of the block.
    pub(super) fn block_bytes(&self) -> usize {
        if self.groups() == 0 {
            0
        } else {
            Self::layout(self.groups()).size()
        }
    }

    /// Where the slots lie in a block. On a cache line, so that those of a full-size segment's group take two.
    #[inline]
    fn slots_start(groups: usize) -> usize {
        (HEADER_BYTES + groups * WIDTH).next_multiple_of(CACHE_LINE)
    }

    fn layout(groups: usize) -> Layout {
        let used = Self::slots_start(groups) + groups * WIDTH * size_of::<Thin>();
        let (size, align) = if groups == GROUPS {
            (4096, CACHE_LINE)
        } else {
            (used, 16)
        };
        Layout::from_size_align(size, align).expect("at most a page, aligned to a power of two")
    }

    #[inline]
    fn block(&self) -> *mut u8 {
        self.word.as_ptr().map_addr(|bits| bits & ADDRESS_MASK)
    }

    #[inline]
    pub(super) fn groups(&self) -> usize {
        self.word.addr().get() >> ADDRESS_BITS & Self::GROUPS_MASK
    }

    #[inline]
    pub(super) fn slots(&self) -> usize {
        self.groups() * WIDTH
    }

    /// Length of the hash prefix all entries share, in bits.
    #[inline]
    pub(super) fn depth(&self) -> u32 {
        (self.word.addr().get() >> Self::DEPTH_SHIFT & Self::DEPTH_MASK) as u32
    }

    /// Whether the handle says that entries have an expiry. The directory keeps that true, so that a search for such
    /// entries passes over other segments without touching them.
    #[inline]
    pub(super) fn is_labelled_expiring(&self) -> bool {
        self.word.addr().get() & Self::EXPIRING != 0
    }

    /// Another handle to the same block, labelled by what the block holds.
    pub(super) fn relabelled(&self) -> Self {
        let label = if self.expiring() > 0 {
            Self::EXPIRING
        } else {
            0
        };
        let word = self
            .word
            .as_ptr()
            .map_addr(|bits| bits & !Self::EXPIRING | label);
        // SAFETY: the address, not zero, is kept.
        let word = unsafe { NonNull::new_unchecked(word) };
        Self {
            word,
            entries: PhantomData,
        }
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: every block starts with a header, written only through `&mut self`.
        unsafe { &*self.block().cast() }
    }

    #[inline]
    fn header_mut(&mut self) -> &mut Header {
        debug_assert!(self.groups() > 0, "the shared empty block is never written");
        // SAFETY: as above; a block with groups was allocated by us, and is ours while `self` is borrowed mutably.
        unsafe { &mut *self.block().cast() }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        usize::from(self.header().len)
    }

    /// Entries that have an expiry.
    #[inline]
    pub(super) fn expiring(&self) -> usize {
        usize::from(self.header().expiring)
    }

    /// Whether there is no room for another entry at an acceptable load.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        // One group is searched in one step however full it is.
        let limit = if self.groups() == 1 {
            WIDTH
        } else {
            self.groups() * MAX_LOAD
        };
        self.len() >= limit
    }

    /// The next size up, or `None` for a segment that must be split instead.
    pub(super) fn larger(&self) -> Option<usize> {
        (self.groups() < GROUPS).then(|| (self.groups() * 2).clamp(1, GROUPS))
    }

    /// The next size down, if the entries would fill at most half of it; 0 when nothing is left.
    pub(super) fn smaller(&self) -> Option<usize> {
        let groups = self.groups();
        if self.len() == 0 {
            return (groups > 0).then_some(0);
        }
        let half = (groups / 2).next_power_of_two();
        (groups > 1 && self.len() * 4 <= self.slots()).then_some(half)
    }

    /// Whether the two halves of a prefix hold so little that one segment should take both.
    pub(super) fn merges_with(&self, buddy: &Self) -> bool {
        self.depth() == buddy.depth() && self.len() + buddy.len() <= MERGE_AT
    }

    #[inline]
    fn group(&self, group: usize) -> &Group {
        assert!(group < self.groups().max(1));
        // SAFETY: in range as just checked; the shared empty block has control bytes for one group.
        unsafe { &*self.block().add(HEADER_BYTES + group * WIDTH).cast() }
    }

    #[inline]
    fn control_mut(&mut self, index: usize) -> &mut u8 {
        assert!(index < self.slots());
        // SAFETY: in range as just checked, so not the shared empty block; control bytes are always initialized.
        unsafe { &mut *self.block().add(HEADER_BYTES + index) }
    }

    #[inline]
    fn is_used(&self, index: usize) -> bool {
        self.group(index / WIDTH)[index % WIDTH] != group::EMPTY
    }

    /// The address of slot `index`, to be read if the slot is used.
    #[inline]
    fn place(&self, index: usize) -> *mut Thin {
        self.block()
            .wrapping_add(Self::slots_start(self.groups()))
            .cast::<Thin>()
            .wrapping_add(index)
    }

    #[inline]
    fn thin(&self, index: usize) -> Thin {
        assert!(self.is_used(index));
        // SAFETY: a used slot is within the block and initialized.
        unsafe { *self.place(index) }
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        home_of(
            ((hash << self.depth()) >> (u64::BITS - HOME_BITS)) as usize,
            self.groups(),
        )
    }

    #[inline]
    fn home_at(&self, index: usize) -> usize {
        home_of(
            self.thin(index).marks().below_prefix(self.depth()),
            self.groups(),
        )
    }

    #[inline]
    fn after(&self, group: usize) -> usize {
        if group + 1 >= self.groups() {
            0
        } else {
            group + 1
        }
    }

    /// Puts a pointer into the first free slot from its home on.
    fn put(&mut self, tag: u8, thin: Thin) {
        assert!(self.len() < self.slots(), "callers make room first");
        let mut group = home_of(thin.marks().below_prefix(self.depth()), self.groups());
        loop {
            let free = !group::full(self.group(group)).0;
            if free != 0 {
                let index = group * WIDTH + free.trailing_zeros() as usize;
                *self.control_mut(index) = tag;
                // SAFETY: within the block, and free: `T`'s earlier there, if any, was moved out.
                unsafe { self.place(index).write(thin) };
                break;
            }
            let overflow = &mut self.header_mut().overflow[group];
            *overflow = overflow.saturating_add(1);
            group = self.after(group);
        }
        let header = self.header_mut();
        header.len += 1;
        header.expiring += u16::from(thin.marks().expiring());
    }

    /// Takes the pointer out of a used slot.
    fn pull(&mut self, index: usize) -> Thin {
        let thin = self.thin(index);
        let mut group = self.home_at(index);
        while group != index / WIDTH {
            let overflow = &mut self.header_mut().overflow[group];
            if *overflow != u8::MAX {
                *overflow = overflow.saturating_sub(1);
            }
            group = self.after(group);
        }
        *self.control_mut(index) = group::EMPTY;
        let header = self.header_mut();
        header.len -= 1;
        header.expiring = header
            .expiring
            .saturating_sub(u16::from(thin.marks().expiring()));
        thin
    }

    /// All used slots.
    pub(super) fn used(&self) -> impl Iterator<Item = usize> + use<'_, T> {
        (0..self.groups()).flat_map(|group| self.used_in(group).map(move |bit| group * WIDTH + bit))
    }

    /// Used slots of one group, counted within the group.
    #[inline]
    pub(super) fn used_in(&self, group: usize) -> Mask {
        group::full(self.group(group))
    }

    /// The `n`-th used slot.
    pub(super) fn nth_used(&self, mut n: usize) -> Option<usize> {
        for group in 0..self.groups() {
            let mut used = self.used_in(group);
            let here = used.0.count_ones() as usize;
            if n < here {
                return used.nth(n).map(|bit| group * WIDTH + bit);
            }
            n -= here;
        }
        None
    }

    /// The marks of a used slot; the entry is not touched.
    #[inline]
    pub(super) fn marks(&self, index: usize) -> Marks {
        self.thin(index).marks()
    }

    /// A walk over the entries whose home is that of `hash`.
    #[inline]
    pub(super) fn walk_home(&self, hash: u64) -> HomeWalk {
        let home = self.home(hash);
        HomeWalk {
            home,
            group: home,
            groups_left: self.groups(),
            full: self.used_in(home),
        }
    }

    pub(super) fn next_of_home(&self, walk: &mut HomeWalk) -> Option<usize> {
        loop {
            for bit in walk.full.by_ref() {
                let index = walk.group * WIDTH + bit;
                if self.home_at(index) == walk.home {
                    return Some(index);
                }
            }
            walk.groups_left = walk.groups_left.saturating_sub(1);
            if walk.groups_left == 0 || self.header().overflow[walk.group] == 0 {
                return None;
            }
            walk.group = self.after(walk.group);
            walk.full = self.used_in(walk.group);
        }
    }

    /// The first hash that has a later home than `hash`, or belongs to the next segment; `None` after the last.
    pub(super) fn after_home(&self, hash: u64) -> Option<u64> {
        let next = self.home(hash) + 1;
        if next >= self.groups() {
            return self.after_segment(hash);
        }
        let below_prefix = (next << HOME_BITS).div_ceil(self.groups()) as u64;
        Some(self.first_hash(hash) | (below_prefix << (u64::BITS - HOME_BITS)) >> self.depth())
    }

    /// The first hash of the next segment.
    pub(super) fn after_segment(&self, hash: u64) -> Option<u64> {
        self.first_hash(hash)
            .checked_add(1u64.checked_shl(u64::BITS - self.depth())?)
    }

    /// The lowest hash of this segment, `hash` being any of them.
    fn first_hash(&self, hash: u64) -> u64 {
        hash & !(u64::MAX.checked_shr(self.depth()).unwrap_or(0))
    }

    /// Asks for the cache lines that an insertion of `hash` reads and writes.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        self.prefetch_control(hash);
        prefetch(self.block());
        let slots = self.place(self.home(hash) * WIDTH).cast::<u8>();
        prefetch(slots);
        prefetch(slots.wrapping_add(CACHE_LINE));
    }

    /// Asks for the cache line a lookup of `hash` reads first.
    #[inline]
    pub(super) fn prefetch_control(&self, hash: u64) {
        let group = self.home(hash);
        prefetch(self.block().wrapping_add(HEADER_BYTES + group * WIDTH));
    }

    /// Asks for the slot a lookup of `hash` reads then.
    #[inline]
    pub(super) fn prefetch_slot(&self, hash: u64) {
        let group = self.home(hash);
        for bit in group::matching(self.group(group), tag_of(hash)) {
            prefetch(self.place(group * WIDTH + bit).cast());
        }
    }

    /// Asks for the entry a lookup of `hash` would compare first.
    #[inline]
    pub(super) fn prefetch_entry(&self, hash: u64) {
        let group = self.home(hash);
        for bit in group::matching(self.group(group), tag_of(hash)) {
            let thin = self.thin(group * WIDTH + bit);
            if thin.marks().hash_bits() == Marks::new(hash, self.depth(), false).hash_bits() {
                let block = thin.ptr().as_ptr();
                prefetch(block);
                prefetch(block.wrapping_add(63));
            }
        }
    }

    /// Frees the block without touching entries.
    ///
    /// # Safety
    /// No handle to the block may be used afterwards.
    pub(super) unsafe fn free(&self) {
        if self.groups() > 0 {
            // SAFETY: allocated with this layout; the caller gives up every handle.
            unsafe { dealloc(self.block(), Self::layout(self.groups())) }
        }
    }
}

impl<T: Slot> Segment<T> {
    const SAME_LAYOUT: () = assert!(
        size_of::<T>() == size_of::<Thin>() && align_of::<T>() == align_of::<Thin>(),
        "a slot is one Thin"
    );

    #[inline]
    fn entry_of(thin: Thin) -> T {
        let () = Self::SAME_LAYOUT;
        // SAFETY: `Slot` promises that `T` is transparent over `Thin`, and this one came from a `T`.
        unsafe { ptr::read((&raw const thin).cast::<T>()) }
    }

    #[inline]
    fn thin_of(entry: T) -> Thin {
        let () = Self::SAME_LAYOUT;
        let entry = std::mem::ManuallyDrop::new(entry);
        // SAFETY: as above, the other way; the original is not dropped.
        unsafe { ptr::read((&raw const entry).cast::<Thin>()) }
    }

    /// The entry in a used slot.
    #[inline]
    pub(super) fn entry(&self, index: usize) -> &T {
        let () = Self::SAME_LAYOUT;
        assert!(self.is_used(index));
        // SAFETY: a used slot holds a `T`, and stays as it is while `self` is borrowed.
        unsafe { &*self.place(index).cast::<T>() }
    }

    /// The entry in a used slot, to be changed or replaced by one with the same key. [`Segment::settle`] must follow.
    #[inline]
    pub(super) fn entry_mut(&mut self, index: usize) -> &mut T {
        let () = Self::SAME_LAYOUT;
        assert!(self.is_used(index));
        // SAFETY: as above, and `self` is borrowed mutably.
        unsafe { &mut *self.place(index).cast::<T>() }
    }

    /// Puts the marks back on a slot after `entry_mut`, and says how the entry's expiry changed.
    #[inline]
    pub(super) fn settle(&mut self, index: usize, before: Marks) -> ExpiryChange {
        let expiring = self.entry(index).has_expiry();
        let thin = self.thin(index).marked(before.with_expiring(expiring));
        // SAFETY: `thin` checked that the slot is used, so it is within the block.
        unsafe { self.place(index).write(thin) };
        let change = ExpiryChange::between(before.expiring(), expiring);
        if change != ExpiryChange::None {
            let header = self.header_mut();
            header.expiring = header.expiring.saturating_add_signed(change as i16);
        }
        change
    }

    /// The slot of the entry with `key`.
    #[inline]
    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<usize> {
        let tag = tag_of(hash);
        let hash_bits = Marks::new(hash, self.depth(), false).hash_bits();
        let mut group = self.home(hash);
        for _ in 0..self.groups() {
            for bit in group::matching(self.group(group), tag) {
                let index = group * WIDTH + bit;
                if self.thin(index).marks().hash_bits() == hash_bits
                    && self.entry(index).key() == key
                {
                    return Some(index);
                }
            }
            if self.header().overflow[group] == 0 {
                return None;
            }
            group = self.after(group);
        }
        None
    }

    /// Adds an entry. The segment must not be full.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, entry: T) {
        let marks = Marks::new(hash, self.depth(), entry.has_expiry());
        self.put(tag_of(hash), Self::thin_of(entry).marked(marks));
    }

    /// Takes the entry out of a used slot.
    #[inline]
    pub(super) fn remove(&mut self, index: usize) -> T {
        let thin = self.pull(index);
        Self::entry_of(thin)
    }

    /// A block of another size with the same entries. The old block stays to be freed.
    pub(super) fn resized(&self, groups: usize) -> Self {
        if groups == 0 {
            return Self::none();
        }
        let mut to = Self::allocate(groups, self.depth());
        for index in self.used() {
            to.put(self.tag(index), self.thin(index));
        }
        to.relabelled()
    }

    /// Two blocks with the entries of the lower and the upper half of the prefix. The old block stays to be freed.
    pub(super) fn split(&self) -> (Self, Self) {
        let depth = self.depth() + 1;
        assert!(
            depth <= MAX_DEPTH,
            "keyed hashes of different keys do not share so many bits"
        );
        let (mut low, mut high) = (Self::allocate(GROUPS, depth), Self::allocate(GROUPS, depth));
        let rehash = !Marks::reach(depth);
        if rehash {
            // All misses at once instead of one after the other: half the pause.
            self.used()
                .for_each(|index| prefetch(self.thin(index).ptr().as_ptr()));
        }
        for index in self.used() {
            let thin = self.thin(index);
            let (upper, marks) = if rehash {
                let hash = crate::hash::hash(self.entry(index).key());
                let upper = hash >> (u64::BITS - depth) & 1 != 0;
                (upper, Marks::new(hash, depth, thin.marks().expiring()))
            } else {
                (thin.marks().upper(self.depth()), thin.marks())
            };
            let side = if upper { &mut high } else { &mut low };
            side.put(self.tag(index), thin.marked(marks));
        }
        (low.relabelled(), high.relabelled())
    }

    /// One block with the entries of two halves of a prefix, `low_prefix` being the lower one's. The old blocks stay
    /// to be freed.
    pub(super) fn merged(low: &Self, high: &Self, low_prefix: u64) -> Self {
        let mut to = Self::allocate(GROUPS, low.depth() - 1);
        for (half, prefix) in [(low, low_prefix), (high, low_prefix | 1)] {
            for index in half.used() {
                let thin = half.thin(index);
                to.put(
                    half.tag(index),
                    thin.marked(thin.marks().merged(half.depth(), prefix)),
                );
            }
        }
        to.relabelled()
    }

    /// Entries that are not in the group their search starts in.
    pub(super) fn displaced(&self) -> usize {
        self.used()
            .filter(|&index| self.home_at(index) != index / WIDTH)
            .count()
    }

    fn tag(&self, index: usize) -> u8 {
        self.group(index / WIDTH)[index % WIDTH]
    }

    /// Drops all entries. Only freeing may follow.
    ///
    /// # Safety
    /// The entries must not be used or dropped again.
    pub(super) unsafe fn drop_entries(&self) {
        for index in self.used() {
            drop(Self::entry_of(self.thin(index)));
        }
    }
}

#[inline]
fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch is a hint; no address can make it fault.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch(address.cast(), _MM_HINT_T0);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
