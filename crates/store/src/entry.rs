//! A key with its value, expiry and access clock, in one allocation:
//!
//! ```text
//! header (8) | expiry (8, if any) | long lengths (8, if any) | word (8, unless an inline string) | key | inline string
//! ```
//!
//! A 16-byte key with a 16-byte string takes 40 bytes, 48 with an expiry: the same allocator class. Larger strings and
//! collections hang off the word.
#![allow(
    unsafe_code,
    reason = "the layout is the point: one allocation, no padding, a thin pointer"
)]

use crate::int::parse_i64;
use crate::snapshot::FreezeId;
use crate::table::{Slot, Thin};
use crate::value::{
    Hash, HeapString, List, Set, SortedSet, Stream, StringRef, StringValue, Value, ValueMut,
    ValueRef,
};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ptr::{self, NonNull};

/// Wall-clock milliseconds since 1970.
pub type UnixMillis = i64;

/// What the word, or its absence, means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    InlineString,
    Int,
    HeapString,
    List,
    Set,
    Hash,
    SortedSet,
    Stream,
}

const HAS_EXPIRY: u8 = 1;
const LONG: u8 = 2;
/// The string was changed in place: OBJECT ENCODING says `raw` whatever its length. Of an integer, which has no such
/// form, it says that OBJECT REFCOUNT does not count it as shared.
const RAW: u8 = 4;

#[repr(C)]
struct Header {
    kind: Kind,
    flags: u8,
    epoch: u8,
    access: Cell<[u8; 3]>,
    key_len: u8,
    value_len: u8,
}

const HEADER: usize = size_of::<Header>();
/// A string up to this many bytes lives in the entry; beyond, a separate buffer wastes less and grows in place.
const INLINE_STRING_MAX: usize = 480;
const ALIGN: usize = 8;

/// See the module.
#[repr(transparent)]
pub struct Entry(Thin);

// SAFETY: an entry owns everything it points to, and all of that is `Send`.
unsafe impl Send for Entry {}

struct Shape {
    has_expiry: bool,
    long: bool,
    word: bool,
    key_len: usize,
    inline_len: usize,
}

impl Shape {
    fn of(key_len: usize, inline_len: Option<usize>, has_expiry: bool) -> Shape {
        let long = key_len > 255 || inline_len.unwrap_or(0) > 255;
        Shape {
            has_expiry,
            long,
            word: inline_len.is_none(),
            key_len,
            inline_len: inline_len.unwrap_or(0),
        }
    }
    fn word_at(&self) -> usize {
        HEADER + 8 * (self.has_expiry as usize + self.long as usize)
    }
    fn key_at(&self) -> usize {
        self.word_at() + 8 * self.word as usize
    }
    fn size(&self) -> usize {
        self.key_at() + self.key_len + self.inline_len
    }
    fn layout(&self) -> Layout {
        Layout::from_size_align(self.size(), ALIGN).expect("keys are far below isize::MAX")
    }
}

impl Entry {
    /// An entry of a key and a value.
    pub fn new(key: &[u8], value: Value, expiry: Option<UnixMillis>) -> Entry {
        match value {
            Value::String(StringValue::Int(int)) => {
                Entry::with_word(Kind::Int, 0, key, int as u64, expiry)
            }
            Value::String(StringValue::Bytes { bytes, raw }) => {
                if bytes.len() <= INLINE_STRING_MAX {
                    let mut entry = Entry::with_inline(key, &bytes, expiry);
                    entry.set_raw(raw);
                    entry
                } else {
                    Entry::with_word(
                        Kind::HeapString,
                        RAW,
                        key,
                        into_word(Box::new(HeapString::from(bytes))),
                        expiry,
                    )
                }
            }
            Value::List(list) => Entry::with_word(Kind::List, 0, key, into_word(list), expiry),
            Value::Set(set) => Entry::with_word(Kind::Set, 0, key, into_word(set), expiry),
            Value::Hash(hash) => Entry::with_word(Kind::Hash, 0, key, into_word(hash), expiry),
            Value::SortedSet(zset) => {
                Entry::with_word(Kind::SortedSet, 0, key, into_word(zset), expiry)
            }
            Value::Stream(stream) => {
                Entry::with_word(Kind::Stream, 0, key, into_word(stream), expiry)
            }
        }
    }

    /// An entry of a string that a client sent: an integer if it reads as one.
    pub fn string(key: &[u8], bytes: &[u8], expiry: Option<UnixMillis>) -> Entry {
        if bytes.len() <= 20
            && let Some(int) = parse_i64(bytes)
        {
            return Entry::with_word(Kind::Int, 0, key, int as u64, expiry);
        }
        if bytes.len() <= INLINE_STRING_MAX {
            return Entry::with_inline(key, bytes, expiry);
        }
        Entry::with_word(
            Kind::HeapString,
            RAW,
            key,
            into_word(Box::new(HeapString::from(bytes.to_vec()))),
            expiry,
        )
    }

    fn allocate(
        shape: &Shape,
        kind: Kind,
        flags: u8,
        key: &[u8],
        expiry: Option<UnixMillis>,
    ) -> Entry {
        let layout = shape.layout();
        // SAFETY: the layout is never empty (it has a header); every byte of it is written here or by the caller, and
        // all offsets come from the one `Shape` that made the layout.
        unsafe {
            let base = alloc(layout);
            if base.is_null() {
                handle_alloc_error(layout);
            }
            let flags = flags
                | if expiry.is_some() { HAS_EXPIRY } else { 0 }
                | if shape.long { LONG } else { 0 };
            ptr::write(
                base.cast::<Header>(),
                Header {
                    kind,
                    flags,
                    epoch: 0,
                    access: Cell::new([0; 3]),
                    key_len: if shape.long { 0 } else { shape.key_len as u8 },
                    value_len: if shape.long {
                        0
                    } else {
                        shape.inline_len as u8
                    },
                },
            );
            let mut at = HEADER;
            if let Some(expiry) = expiry {
                ptr::write(base.add(at).cast::<i64>(), expiry);
                at += 8;
            }
            if shape.long {
                ptr::write(
                    base.add(at).cast::<[u32; 2]>(),
                    [shape.key_len as u32, shape.inline_len as u32],
                );
            }
            ptr::copy_nonoverlapping(key.as_ptr(), base.add(shape.key_at()), key.len());
            Entry(Thin::new(NonNull::new_unchecked(base)))
        }
    }

    fn with_word(
        kind: Kind,
        flags: u8,
        key: &[u8],
        word: u64,
        expiry: Option<UnixMillis>,
    ) -> Entry {
        let shape = Shape::of(key.len(), None, expiry.is_some());
        let entry = Entry::allocate(&shape, kind, flags, key, expiry);
        // SAFETY: a shape with a word reserves 8 aligned bytes there.
        unsafe { ptr::write(entry.base().add(shape.word_at()).cast::<u64>(), word) };
        entry
    }

    fn with_inline(key: &[u8], bytes: &[u8], expiry: Option<UnixMillis>) -> Entry {
        let shape = Shape::of(key.len(), Some(bytes.len()), expiry.is_some());
        let entry = Entry::allocate(&shape, Kind::InlineString, 0, key, expiry);
        // SAFETY: the shape reserves `inline_len` bytes after the key.
        unsafe {
            ptr::copy_nonoverlapping(
                bytes.as_ptr(),
                entry.base().add(shape.key_at() + key.len()),
                bytes.len(),
            );
        }
        entry
    }

    #[inline]
    fn base(&self) -> *mut u8 {
        self.0.ptr().as_ptr()
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: the header was written at creation and lives as long as the entry.
        unsafe { self.0.ptr().cast().as_ref() }
    }

    #[inline]
    fn header_mut(&mut self) -> &mut Header {
        // SAFETY: as above, and `&mut self` is the only access.
        unsafe { self.0.ptr().cast().as_mut() }
    }

    #[inline]
    fn shape(&self) -> Shape {
        let header = self.header();
        let has_expiry = header.flags & HAS_EXPIRY != 0;
        let long = header.flags & LONG != 0;
        let (key_len, inline_len) = if long {
            // SAFETY: the flag says the two lengths stand after the expiry.
            let lens = unsafe {
                ptr::read(
                    self.base()
                        .add(HEADER + 8 * has_expiry as usize)
                        .cast::<[u32; 2]>(),
                )
            };
            (lens[0] as usize, lens[1] as usize)
        } else {
            (header.key_len as usize, header.value_len as usize)
        };
        Shape {
            has_expiry,
            long,
            word: header.kind != Kind::InlineString,
            key_len,
            inline_len,
        }
    }

    #[inline]
    fn word(&self) -> u64 {
        let shape = self.shape();
        debug_assert!(shape.word, "inline strings have no word");
        // SAFETY: entries of a kind with a word hold it there.
        unsafe { ptr::read(self.base().add(shape.word_at()).cast::<u64>()) }
    }

    #[inline]
    fn set_word(&mut self, word: u64) {
        let shape = self.shape();
        debug_assert!(shape.word, "inline strings have no word");
        // SAFETY: as for `word`.
        unsafe { ptr::write(self.base().add(shape.word_at()).cast::<u64>(), word) };
    }

    /// The key.
    #[inline]
    pub fn key(&self) -> &[u8] {
        let shape = self.shape();
        // SAFETY: the key's bytes were written at creation and never change.
        unsafe { std::slice::from_raw_parts(self.base().add(shape.key_at()), shape.key_len) }
    }

    /// When the entry expires, if ever.
    #[inline]
    pub fn expiry(&self) -> Option<UnixMillis> {
        // SAFETY: the flag says an expiry follows the header.
        (self.header().flags & HAS_EXPIRY != 0)
            .then(|| unsafe { ptr::read(self.base().add(HEADER).cast::<i64>()) })
    }

    /// Changes the expiry; in place when there was one and is one.
    pub fn set_expiry(&mut self, expiry: Option<UnixMillis>) {
        let had = self.header().flags & HAS_EXPIRY != 0;
        match expiry {
            Some(at) if had => {
                // SAFETY: the flag says the expiry's 8 bytes are there.
                unsafe { ptr::write(self.base().add(HEADER).cast::<i64>(), at) };
            }
            None if !had => {}
            _ => {
                let (kind, flags) = (self.header().kind, self.header().flags & RAW);
                let changed = if kind == Kind::InlineString {
                    let mut changed = Entry::with_inline(self.key(), self.inline_bytes(), expiry);
                    changed.header_mut().flags |= flags;
                    changed
                } else {
                    let changed = Entry::with_word(kind, flags, self.key(), self.word(), expiry);
                    // The word belongs to the new entry: what is left drops as an integer.
                    self.header_mut().kind = Kind::Int;
                    changed
                };
                self.become_entry(changed);
            }
        }
    }

    fn become_entry(&mut self, mut other: Entry) {
        other.header_mut().access = self.header().access.clone();
        other.header_mut().epoch = self.header().epoch;
        *self = other;
    }

    /// Replaces the value; key and expiry stay. Returns the old value's entry, for whoever frees it.
    pub fn replace_value(&mut self, value: Value) -> Entry {
        let mut old = Entry::new(self.key(), value, self.expiry());
        old.header_mut().access = self.header().access.clone();
        old.header_mut().epoch = self.header().epoch;
        std::mem::swap(self, &mut old);
        old
    }

    /// Overwrites the value with a string that a client sent, in place if it fits exactly; the expiry becomes `expiry`.
    pub fn set_string(&mut self, bytes: &[u8], expiry: Option<UnixMillis>) {
        let header = self.header();
        let same_shape = expiry.is_some() == (header.flags & HAS_EXPIRY != 0);
        if header.kind == Kind::InlineString && same_shape {
            let shape = self.shape();
            if shape.inline_len == bytes.len() && (bytes.len() > 20 || parse_i64(bytes).is_none()) {
                // SAFETY: the inline string has exactly this many bytes; the source is the client's, never the entry's.
                unsafe {
                    ptr::copy_nonoverlapping(
                        bytes.as_ptr(),
                        self.base().add(shape.key_at() + shape.key_len),
                        bytes.len(),
                    );
                }
                self.set_raw(false);
                self.set_expiry(expiry);
                return;
            }
        }
        let changed = Entry::string(self.key(), bytes, expiry);
        self.become_entry(changed);
    }

    #[inline]
    fn inline_bytes(&self) -> &[u8] {
        let shape = self.shape();
        // SAFETY: an inline string's bytes follow the key.
        unsafe {
            std::slice::from_raw_parts(
                self.base().add(shape.key_at() + shape.key_len),
                shape.inline_len,
            )
        }
    }

    fn set_raw(&mut self, raw: bool) {
        let header = self.header_mut();
        header.flags = header.flags & !RAW | if raw { RAW } else { 0 };
    }

    /// The value.
    #[inline]
    pub fn value(&self) -> ValueRef<'_> {
        // SAFETY: for each kind the word is the pointer that `into_word` made from a box of this very type.
        unsafe {
            match self.header().kind {
                Kind::InlineString => ValueRef::String(StringRef::Bytes(self.inline_bytes())),
                Kind::Int => ValueRef::String(StringRef::Int(self.word() as i64)),
                Kind::HeapString => ValueRef::String(StringRef::Bytes(
                    (*from_word::<HeapString>(self.word())).bytes(),
                )),
                Kind::List => ValueRef::List(&*from_word::<List>(self.word())),
                Kind::Set => ValueRef::Set(&*from_word::<Set>(self.word())),
                Kind::Hash => ValueRef::Hash(&*from_word::<Hash>(self.word())),
                Kind::SortedSet => ValueRef::SortedSet(&*from_word::<SortedSet>(self.word())),
                Kind::Stream => ValueRef::Stream(&*from_word::<Stream>(self.word())),
            }
        }
    }

    /// The value for changes in place; a string cannot change in place through this.
    #[inline]
    pub fn value_mut(&mut self) -> ValueMut<'_> {
        // SAFETY: as for `value`, and `&mut self` makes the access exclusive.
        unsafe {
            match self.header().kind {
                Kind::InlineString | Kind::Int => ValueMut::String,
                Kind::HeapString => {
                    ValueMut::HeapString(&mut *from_word::<HeapString>(self.word()))
                }
                Kind::List => ValueMut::List(&mut *from_word::<List>(self.word())),
                Kind::Set => ValueMut::Set(&mut *from_word::<Set>(self.word())),
                Kind::Hash => ValueMut::Hash(&mut *from_word::<Hash>(self.word())),
                Kind::SortedSet => ValueMut::SortedSet(&mut *from_word::<SortedSet>(self.word())),
                Kind::Stream => ValueMut::Stream(&mut *from_word::<Stream>(self.word())),
            }
        }
    }

    /// Overwrites an integer in place; false if the value is not one.
    #[inline]
    pub fn set_int(&mut self, int: i64) -> bool {
        let is_int = self.header().kind == Kind::Int;
        if is_int {
            self.set_word(int as u64);
            self.set_raw(false);
        }
        is_int
    }

    /// Says of an integer that this key alone has it, though Redis shares small ones: COPY makes such.
    pub fn set_unshared(&mut self) {
        if self.header().kind == Kind::Int {
            self.set_raw(true);
        }
    }

    /// Whether the value is an integer that Redis would not share even if it is small.
    pub fn is_unshared(&self) -> bool {
        self.header().kind == Kind::Int && self.is_raw()
    }

    /// Whether the string was changed in place (OBJECT ENCODING `raw`).
    pub fn is_raw(&self) -> bool {
        self.header().flags & RAW != 0
    }

    /// Takes the value out.
    pub fn into_value(mut self) -> Value {
        let word = if self.shape().word { self.word() } else { 0 };
        let raw = self.is_raw();
        let kind = self.header().kind;
        if kind == Kind::InlineString {
            return Value::String(StringValue::Bytes {
                bytes: self.inline_bytes().to_vec(),
                raw,
            });
        }
        // From here on the word belongs to the value; what is left drops as an integer.
        self.header_mut().kind = Kind::Int;
        // SAFETY: the word is the pointer of a box of the kind's type, and nothing else owns it any more.
        unsafe {
            match kind {
                Kind::InlineString | Kind::Int => Value::String(StringValue::Int(word as i64)),
                Kind::HeapString => Value::String(StringValue::Bytes {
                    bytes: Box::from_raw(from_word::<HeapString>(word)).into_bytes(),
                    raw,
                }),
                Kind::List => Value::List(Box::from_raw(from_word(word))),
                Kind::Set => Value::Set(Box::from_raw(from_word(word))),
                Kind::Hash => Value::Hash(Box::from_raw(from_word(word))),
                Kind::SortedSet => Value::SortedSet(Box::from_raw(from_word(word))),
                Kind::Stream => Value::Stream(Box::from_raw(from_word(word))),
            }
        }
    }

    /// The access clock: 24 bits of LRU seconds, or LFU minutes and counter.
    #[inline]
    pub fn access(&self) -> u32 {
        let [a, b, c] = self.header().access.get();
        u32::from_le_bytes([a, b, c, 0])
    }

    /// A read moves the clock too, hence a shared reference.
    #[inline]
    pub fn set_access(&self, access: u32) {
        let [a, b, c, _] = access.to_le_bytes();
        self.header().access.set([a, b, c]);
    }

    /// The snapshot epoch this entry was last stamped with.
    #[inline]
    pub fn epoch(&self) -> u8 {
        self.header().epoch
    }

    #[inline]
    pub fn set_epoch(&mut self, epoch: u8) {
        self.header_mut().epoch = epoch;
    }

    /// Bytes of the entry's own allocation.
    pub fn allocated_bytes(&self) -> usize {
        self.shape().size()
    }

    /// The string, if it is too long to live in the entry.
    pub(crate) fn heap_string(&self) -> Option<&HeapString> {
        // SAFETY: of this kind the word is the pointer that `into_word` made from a box of such a string.
        (self.header().kind == Kind::HeapString)
            .then(|| unsafe { &*from_word::<HeapString>(self.word()) })
    }

    /// Whether freeing it takes so little that no other thread need do it. Not so while a snapshot has the value open.
    #[inline]
    pub fn is_cheap_to_free(&self) -> bool {
        /// Allocations freed at once.
        const MAX_EFFORT: usize = 64;
        match self.header().kind {
            Kind::InlineString | Kind::Int => true,
            _ => self.value().free_effort() <= MAX_EFFORT && self.frozen_id().is_none(),
        }
    }

    /// The name under which a snapshot has the value open.
    #[inline]
    pub(crate) fn frozen_id(&self) -> Option<FreezeId> {
        // SAFETY: as for `value`.
        unsafe {
            match self.header().kind {
                Kind::InlineString | Kind::Int => None,
                Kind::HeapString => (*from_word::<HeapString>(self.word())).frozen_id(),
                _ => self.value().frozen_id(),
            }
        }
    }

    /// The same entry under another key.
    pub fn renamed(mut self, key: &[u8]) -> Entry {
        let (expiry, header) = (self.expiry(), self.header());
        let (kind, raw) = (header.kind, header.flags & RAW);
        let mut renamed = if kind == Kind::InlineString {
            let mut renamed = Entry::with_inline(key, self.inline_bytes(), expiry);
            renamed.header_mut().flags |= raw;
            renamed
        } else {
            let renamed = Entry::with_word(kind, raw, key, self.word(), expiry);
            // The word belongs to the new entry: what is left drops as an integer.
            self.header_mut().kind = Kind::Int;
            renamed
        };
        renamed.header_mut().access = self.header().access.clone();
        renamed.header_mut().epoch = self.header().epoch;
        renamed
    }
}

fn into_word<T>(value: Box<T>) -> u64 {
    Box::into_raw(value).expose_provenance() as u64
}

fn from_word<T>(word: u64) -> *mut T {
    ptr::with_exposed_provenance_mut(word as usize)
}

impl Drop for Entry {
    fn drop(&mut self) {
        let shape = self.shape();
        // SAFETY: the word of each kind is a box this entry owns; the layout is the one the entry was allocated with,
        // since kind changes happen only between kinds with a word.
        unsafe {
            match self.header().kind {
                Kind::InlineString | Kind::Int => {}
                Kind::HeapString => drop(Box::from_raw(from_word::<HeapString>(self.word()))),
                Kind::List => drop(Box::from_raw(from_word::<List>(self.word()))),
                Kind::Set => drop(Box::from_raw(from_word::<Set>(self.word()))),
                Kind::Hash => drop(Box::from_raw(from_word::<Hash>(self.word()))),
                Kind::SortedSet => drop(Box::from_raw(from_word::<SortedSet>(self.word()))),
                Kind::Stream => drop(Box::from_raw(from_word::<Stream>(self.word()))),
            }
            dealloc(self.base(), shape.layout());
        }
    }
}

// SAFETY: an entry is a `Thin` and reaches its block only through `Thin::ptr`.
unsafe impl Slot for Entry {
    #[inline]
    fn key(&self) -> &[u8] {
        Entry::key(self)
    }
    #[inline]
    fn has_expiry(&self) -> bool {
        self.header().flags & HAS_EXPIRY != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(entry: &Entry) -> Vec<u8> {
        match entry.value() {
            ValueRef::String(string) => string.to_vec(),
            _ => panic!("not a string"),
        }
    }

    #[test]
    fn a_short_key_and_string_share_48_bytes_even_with_an_expiry() {
        let entry = Entry::string(&[b'k'; 16], &[b'v'; 16], Some(1));
        assert_eq!(entry.allocated_bytes(), 48);
    }

    #[test]
    fn changing_the_expiry_keeps_key_value_and_marks() {
        for (key_len, value_len) in [
            (1, 0),
            (16, 16),
            (255, 255),
            (256, 1),
            (3, 256),
            (70_000, 100_000),
        ] {
            let (key, value) = (vec![b'k'; key_len], vec![b'v'; value_len]);
            let mut entry = Entry::string(&key, &value, None);
            entry.set_access(0xabcdef);
            entry.set_epoch(7);
            for expiry in [Some(5), Some(6), None, None, Some(7)] {
                entry.set_expiry(expiry);
                assert_eq!(entry.expiry(), expiry);
                assert_eq!(entry.key(), key);
                assert_eq!(text(&entry), value);
                assert_eq!((entry.access(), entry.epoch()), (0xabcdef, 7));
            }
        }
    }

    #[test]
    fn overwriting_with_a_string_of_any_kind_reads_back_the_new_one() {
        let values: [&[u8]; 6] = [b"", b"12", b"0123456789", b"a", &[b'x'; 300], &[b'y'; 5000]];
        for first in values {
            for second in values {
                for expiry in [None, Some(9)] {
                    let mut entry = Entry::string(b"key", first, expiry);
                    entry.set_string(second, expiry);
                    assert_eq!(text(&entry), second);
                    assert_eq!(entry.expiry(), expiry);
                    let Value::String(value) = entry.into_value() else {
                        panic!("not a string")
                    };
                    assert_eq!(value.to_vec(), second);
                }
            }
        }
    }
}
