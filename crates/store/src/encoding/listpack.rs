//! The listpack: a short sequence of strings and integers in one allocation, byte for byte as Redis lays it out, because
//! DUMP, RDB files and replication carry these bytes as they are.
//!
//! ```text
//! | total bytes u32 LE | elements u16 LE | entry … entry | 0xFF |
//! entry: | encoding and value | length of that, readable from its end |
//! ```
//!
//! Every entry ends with its own length, so both directions walk without an index. The element count saturates at 65535,
//! which means "count them". Bytes from outside enter through [`Listpack::from_bytes_validated`] only; after that every
//! offset found inside can be trusted.

mod walk;

pub use walk::Tail;

use crate::int::parse_i64;
use std::ops::Range;

const HEADER: usize = 6;
const END: u8 = 0xFF;
const COUNT_UNKNOWN: u16 = u16::MAX;

/// Redis refuses to grow a listpack beyond this many bytes (its offsets have 32 bits).
pub const MAX_BYTES: usize = 1 << 30;

// The first byte of an entry: seven bits are the integer itself, or the leading bits name an encoding.
const STR_6BIT: u8 = 0b1000_0000;
const INT_13BIT: u8 = 0b1100_0000;
const STR_12BIT: u8 = 0b1110_0000;
const STR_32BIT: u8 = 0xF0;
const INT_16BIT: u8 = 0xF1;
const INT_24BIT: u8 = 0xF2;
const INT_32BIT: u8 = 0xF3;
const INT_64BIT: u8 = 0xF4;

/// A listpack. Always well-formed.
#[derive(Clone, PartialEq, Eq)]
pub struct Listpack {
    bytes: Vec<u8>,
}

/// An element: text in integer form is stored, and found again, as the integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    Str(&'a [u8]),
    Int(i64),
}

/// The place of an element: valid for the listpack that gave it, until that listpack changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pos(usize);

/// Bytes that are not a listpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListpackError {
    /// Where the first contradiction was seen.
    pub offset: usize,
}

impl Default for Listpack {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Listpack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl std::fmt::Display for ListpackError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "invalid listpack at offset {}", self.offset)
    }
}

impl std::error::Error for ListpackError {}

impl Listpack {
    /// An empty listpack.
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// An empty listpack with room for entries of `entry_bytes` in all.
    pub fn with_capacity(entry_bytes: usize) -> Self {
        let mut bytes = Vec::with_capacity(size_class(HEADER + entry_bytes + 1));
        bytes.extend_from_slice(&[HEADER as u8 + 1, 0, 0, 0, 0, 0, END]);
        Self { bytes }
    }

    /// Takes bytes from a file or a peer after checking every entry, forwards and backwards.
    pub fn from_bytes_validated(bytes: Vec<u8>) -> Result<Self, ListpackError> {
        let fail = |offset| Err(ListpackError { offset });
        if bytes.len() <= HEADER || total_in_header(&bytes) != bytes.len() {
            return fail(0);
        }
        let end = bytes.len() - 1;
        if bytes[end] != END {
            return fail(end);
        }
        let (mut at, mut count) = (HEADER, 0usize);
        while at < end {
            let Some(entry) = checked_entry_len(&bytes[at..end]) else {
                return fail(at);
            };
            at += entry;
            count += 1;
        }
        match count_in_header(&bytes) {
            COUNT_UNKNOWN => {}
            stated if usize::from(stated) == count => {}
            _ => return fail(4),
        }
        Ok(Self { bytes })
    }

    /// The serialized form, as it goes into an RDB file.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The serialized form, moved out.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Bytes of the serialized form.
    #[inline]
    pub fn bytes_len(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes held from the allocator.
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Number of elements. From 65535 on they are counted one by one.
    #[inline]
    pub fn len(&self) -> usize {
        match count_in_header(&self.bytes) {
            COUNT_UNKNOWN => self.iter().count(),
            count => usize::from(count),
        }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.end() == HEADER
    }

    /// Whether `add` more bytes stay within [`MAX_BYTES`].
    #[inline]
    pub fn would_fit(&self, add: usize) -> bool {
        self.bytes.len().saturating_add(add) <= MAX_BYTES
    }

    /// The bytes an entry for `value` takes.
    #[inline]
    pub fn entry_size(value: &[u8]) -> usize {
        Encoded::new(Item::of(value)).len()
    }

    #[inline]
    pub fn first(&self) -> Option<Pos> {
        self.pos_at(HEADER)
    }

    #[inline]
    pub fn last(&self) -> Option<Pos> {
        self.before(self.end())
    }

    #[inline]
    pub fn next(&self, pos: Pos) -> Option<Pos> {
        self.pos_at(self.after(pos))
    }

    #[inline]
    pub fn prev(&self, pos: Pos) -> Option<Pos> {
        self.before(pos.0)
    }

    /// The element at `index`, negative from the tail, walking from the nearer end.
    pub fn seek(&self, index: i64) -> Option<Pos> {
        let mut index = index;
        if count_in_header(&self.bytes) != COUNT_UNKNOWN {
            let count = self.len() as i64;
            if index < -count || index >= count {
                return None;
            }
            if index < 0 {
                index += count;
            }
            if index > count / 2 {
                index -= count;
            }
        }
        if index >= 0 {
            (0..index).try_fold(self.first()?, |pos, _| self.next(pos))
        } else {
            (index + 1..0).try_fold(self.last()?, |pos, _| self.prev(pos))
        }
    }

    #[inline]
    pub fn get(&self, pos: Pos) -> Item<'_> {
        decode(&self.bytes[pos.0..]).0
    }

    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            bytes: &self.bytes,
            front: HEADER,
            back: self.end(),
        }
    }

    /// The elements from `pos` to the tail.
    #[inline]
    pub fn iter_from(&self, pos: Pos) -> Iter<'_> {
        Iter {
            bytes: &self.bytes,
            front: pos.0,
            back: self.end(),
        }
    }

    /// The elements from the head to the one at `pos`, which is the last.
    #[inline]
    pub fn iter_to(&self, pos: Pos) -> Iter<'_> {
        Iter {
            bytes: &self.bytes,
            front: HEADER,
            back: self.after(pos),
        }
    }

    /// The first element equal to `needle`, looking at one element and passing over `skip`: 1 looks at the fields of
    /// field-value pairs.
    pub fn find(&self, needle: &[u8], skip: usize) -> Option<Pos> {
        let number = parse_i64(needle);
        let end = self.end();
        let mut at = HEADER;
        while at < end {
            let (item, len) = decode(&self.bytes[at..]);
            let equal = match item {
                Item::Str(text) => text == needle,
                Item::Int(value) => number == Some(value),
            };
            if equal {
                return Some(Pos(at));
            }
            at += len + backlen_len(len);
            for _ in 0..skip {
                if at >= end {
                    break;
                }
                at += entry_len(&self.bytes[at..]);
            }
        }
        None
    }

    #[inline]
    pub fn push_back(&mut self, value: &[u8]) {
        self.put(self.end()..self.end(), Item::of(value), 1);
    }

    #[inline]
    pub fn push_back_int(&mut self, value: i64) {
        self.put(self.end()..self.end(), Item::Int(value), 1);
    }

    #[inline]
    pub fn push_front(&mut self, value: &[u8]) {
        self.put(HEADER..HEADER, Item::of(value), 1);
    }

    /// Inserts before the element at `pos`; returns the new element's place.
    pub fn insert_before(&mut self, pos: Pos, value: &[u8]) -> Pos {
        self.put(pos.0..pos.0, Item::of(value), 1)
    }

    /// Inserts after the element at `pos`; returns the new element's place.
    pub fn insert_after(&mut self, pos: Pos, value: &[u8]) -> Pos {
        let at = self.after(pos);
        self.put(at..at, Item::of(value), 1)
    }

    /// Puts `value` in the place of the element at `pos`.
    pub fn replace(&mut self, pos: Pos, value: &[u8]) -> Pos {
        self.put(pos.0..self.after(pos), Item::of(value), 0)
    }

    /// Puts the integer `value` in the place of the element at `pos`.
    pub fn replace_int(&mut self, pos: Pos, value: i64) -> Pos {
        self.put(pos.0..self.after(pos), Item::Int(value), 0)
    }

    /// Removes the element at `pos`; returns the one that followed it.
    pub fn remove(&mut self, pos: Pos) -> Option<Pos> {
        let range = pos.0..self.after(pos);
        self.cut(range, 1);
        self.pos_at(pos.0)
    }

    /// Removes up to `count` elements from `start` on, negative from the tail. A `start` outside removes nothing.
    pub fn remove_range(&mut self, start: i64, count: usize) {
        let Some(Pos(from)) = self.seek(start) else {
            return;
        };
        let (mut to, mut removed) = (from, 0);
        while removed < count && to < self.end() {
            to += entry_len(&self.bytes[to..]);
            removed += 1;
        }
        self.cut(from..to, removed);
    }

    /// Adds the elements of `other` at the tail.
    pub fn append(&mut self, other: &Self) {
        let count = self.len() + other.len();
        let entries = &other.bytes[HEADER..other.end()];
        self.resize(self.end()..self.end(), entries.len());
        let end = self.end();
        self.bytes[end - entries.len()..end].copy_from_slice(entries);
        self.set_count(count);
    }

    /// Keeps the first `index` elements and returns the others.
    pub fn split_off(&mut self, index: usize) -> Self {
        let count = self.len();
        let at = i64::try_from(index)
            .ok()
            .and_then(|index| self.seek(index))
            .map_or(self.end(), |pos| pos.0);
        let entries = &self.bytes[at..self.end()];
        let mut tail = Self::with_capacity(entries.len());
        tail.bytes.pop();
        tail.bytes.extend_from_slice(entries);
        tail.bytes.push(END);
        tail.set_total();
        tail.set_count(count.saturating_sub(index));
        self.resize(at..self.end(), 0);
        self.set_count(count.min(index));
        tail
    }

    /// Offset of the end mark.
    #[inline]
    fn end(&self) -> usize {
        self.bytes.len() - 1
    }

    #[inline]
    fn pos_at(&self, at: usize) -> Option<Pos> {
        (at < self.end()).then_some(Pos(at))
    }

    /// Offset behind the entry at `pos`.
    #[inline]
    fn after(&self, pos: Pos) -> usize {
        pos.0 + entry_len(&self.bytes[pos.0..])
    }

    /// The entry that ends at offset `at`.
    #[inline]
    fn before(&self, at: usize) -> Option<Pos> {
        (at > HEADER).then(|| Pos(at - entry_len_before(&self.bytes[..at])))
    }

    /// Writes an entry over the bytes in `range`, which hold a whole entry or none.
    fn put(&mut self, range: Range<usize>, item: Item<'_>, added: usize) -> Pos {
        let start = range.start;
        let encoded = Encoded::new(item);
        self.resize(range, encoded.len());
        encoded.write(&mut self.bytes[start..]);
        self.count_changed(added, 0);
        Pos(start)
    }

    fn cut(&mut self, range: Range<usize>, removed: usize) {
        self.resize(range, 0);
        self.count_changed(0, removed);
    }

    /// Gives the bytes in `range` the new length `len`, moving what follows.
    fn resize(&mut self, range: Range<usize>, len: usize) {
        let (old_total, old) = (self.bytes.len(), range.len());
        if len == old {
            return;
        }
        let total = old_total - old + len;
        if len > old {
            if total > self.bytes.capacity() {
                self.bytes.reserve_exact(size_class(total) - old_total);
            }
            self.bytes.resize(total, 0);
        }
        self.bytes
            .copy_within(range.end..old_total, range.start + len);
        if len < old {
            self.bytes.truncate(total);
            if self.bytes.capacity() / 2 > total {
                self.bytes.shrink_to(size_class(total));
            }
        }
        self.set_total();
    }

    #[inline]
    fn set_total(&mut self) {
        let total =
            u32::try_from(self.bytes.len()).expect("growth is kept within MAX_BYTES by would_fit");
        self.bytes[..4].copy_from_slice(&total.to_le_bytes());
    }

    /// Once unknown, the count stays unknown: below 65535 elements too, as long as nobody counts.
    #[inline]
    fn count_changed(&mut self, added: usize, removed: usize) {
        let count = count_in_header(&self.bytes);
        if count != COUNT_UNKNOWN {
            self.set_count(usize::from(count) + added - removed);
        }
    }

    #[inline]
    fn set_count(&mut self, count: usize) {
        let count = u16::try_from(count).unwrap_or(COUNT_UNKNOWN);
        self.bytes[4..HEADER].copy_from_slice(&count.to_le_bytes());
    }
}

impl<'a> Item<'a> {
    /// How a listpack holds `value`.
    #[inline]
    pub fn of(value: &'a [u8]) -> Self {
        parse_i64(value).map_or(Self::Str(value), Self::Int)
    }

    /// Length as text.
    #[inline]
    #[expect(
        clippy::len_without_is_empty,
        reason = "emptiness of one element is a question nobody has"
    )]
    pub fn len(&self) -> usize {
        match self {
            Self::Str(text) => text.len(),
            Self::Int(value) => {
                let magnitude = value.unsigned_abs();
                usize::from(*value < 0) + magnitude.checked_ilog10().unwrap_or(0) as usize + 1
            }
        }
    }

    /// The element as text; an integer is printed into `buffer`.
    #[inline]
    pub fn as_bytes<'b>(&'b self, buffer: &'b mut itoa::Buffer) -> &'b [u8] {
        match self {
            Self::Str(text) => text,
            Self::Int(value) => buffer.format(*value).as_bytes(),
        }
    }

    /// Appends the element as text.
    #[inline]
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes(&mut itoa::Buffer::new()));
    }

    #[inline]
    pub fn to_vec(&self) -> Vec<u8> {
        self.as_bytes(&mut itoa::Buffer::new()).to_vec()
    }

    /// Whether the element's text is `bytes`.
    #[inline]
    pub fn eq_bytes(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Str(text) => *text == bytes,
            Self::Int(value) => parse_i64(bytes) == Some(*value),
        }
    }
}

/// Elements of a listpack, from either end.
#[derive(Clone)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    front: usize,
    back: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        if self.front >= self.back {
            return None;
        }
        let (item, len) = decode(&self.bytes[self.front..]);
        self.front += len + backlen_len(len);
        Some(item)
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        self.back -= entry_len_before(&self.bytes[..self.back]);
        Some(decode(&self.bytes[self.back..]).0)
    }
}

impl<'a> IntoIterator for &'a Listpack {
    type Item = Item<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Whether no two elements have the same text. A keyed hash decides, so that one wrong "no" takes some 10^10 elements.
pub fn all_distinct<'a>(items: impl Iterator<Item = Item<'a>>) -> bool {
    let mut digits = itoa::Buffer::new();
    let mut hashes: Vec<u64> = items
        .map(|item| crate::hash::hash(item.as_bytes(&mut digits)))
        .collect();
    hashes.sort_unstable();
    hashes.windows(2).all(|two| two[0] != two[1])
}

/// An entry ready to be written: encoding byte with length or integer, then the text, then the back length.
struct Encoded<'a> {
    head: [u8; 9],
    head_len: usize,
    text: &'a [u8],
}

impl<'a> Encoded<'a> {
    #[inline]
    fn new(item: Item<'a>) -> Self {
        match item {
            Item::Str(text) => Self::str(text),
            Item::Int(value) => Self::int(value),
        }
    }

    #[inline]
    fn str(text: &'a [u8]) -> Self {
        let len = text.len();
        if len < 1 << 6 {
            Self::with_head(&[STR_6BIT | len as u8], text)
        } else if len < 1 << 12 {
            Self::with_head(&[STR_12BIT | (len >> 8) as u8, len as u8], text)
        } else {
            let [a, b, c, d, ..] = len.to_le_bytes();
            Self::with_head(&[STR_32BIT, a, b, c, d], text)
        }
    }

    #[inline]
    fn int(value: i64) -> Self {
        let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
        match value {
            0..=127 => Self::with_head(&[a], b""),
            -4096..=4095 => Self::with_head(&[INT_13BIT | b & 0b1_1111, a], b""),
            -0x8000..=0x7FFF => Self::with_head(&[INT_16BIT, a, b], b""),
            -0x80_0000..=0x7F_FFFF => Self::with_head(&[INT_24BIT, a, b, c], b""),
            -0x8000_0000..=0x7FFF_FFFF => Self::with_head(&[INT_32BIT, a, b, c, d], b""),
            _ => Self::with_head(&[INT_64BIT, a, b, c, d, e, f, g, h], b""),
        }
    }

    #[inline]
    fn with_head(head: &[u8], text: &'a [u8]) -> Self {
        let mut padded = [0; 9];
        padded[..head.len()].copy_from_slice(head);
        Self {
            head: padded,
            head_len: head.len(),
            text,
        }
    }

    /// Length of the whole entry.
    #[inline]
    fn len(&self) -> usize {
        let len = self.head_len + self.text.len();
        len + backlen_len(len)
    }

    #[inline]
    fn write(&self, out: &mut [u8]) {
        let (head, out) = out.split_at_mut(self.head_len);
        head.copy_from_slice(&self.head[..self.head_len]);
        let (text, out) = out.split_at_mut(self.text.len());
        text.copy_from_slice(self.text);
        let len = self.head_len + self.text.len();
        let groups = backlen_len(len);
        for (index, byte) in out[..groups].iter_mut().enumerate() {
            let bits = (len >> (7 * (groups - 1 - index))) as u8 & 0x7F;
            // The reader comes from behind and stops at the byte without the mark.
            *byte = if index == 0 { bits } else { bits | 0x80 };
        }
    }
}

/// The element an entry starts with, and how many bytes it takes without its back length.
#[inline]
fn decode(entry: &[u8]) -> (Item<'_>, usize) {
    fn str(entry: &[u8], head: usize, len: usize) -> (Item<'_>, usize) {
        (Item::Str(&entry[head..head + len]), head + len)
    }
    match entry[0] {
        value @ 0..=0x7F => (Item::Int(i64::from(value)), 1),
        head @ STR_6BIT..INT_13BIT => str(entry, 1, usize::from(head & 0x3F)),
        head @ INT_13BIT..STR_12BIT => {
            let value = i64::from(head & 0x1F) << 8 | i64::from(entry[1]);
            (Item::Int(value << 51 >> 51), 2)
        }
        head @ STR_12BIT..STR_32BIT => str(
            entry,
            2,
            usize::from(head & 0x0F) << 8 | usize::from(entry[1]),
        ),
        STR_32BIT => str(entry, 5, len_32bit(entry)),
        INT_16BIT => (Item::Int(little_endian::<2>(entry)), 3),
        INT_24BIT => (Item::Int(little_endian::<3>(entry)), 4),
        INT_32BIT => (Item::Int(little_endian::<4>(entry)), 5),
        _ => (Item::Int(little_endian::<8>(entry)), 9),
    }
}

/// The signed integer in the `N` bytes behind the encoding byte.
#[inline]
fn little_endian<const N: usize>(entry: &[u8]) -> i64 {
    let mut bytes = [0; 8];
    bytes[8 - N..].copy_from_slice(&entry[1..=N]);
    i64::from_le_bytes(bytes) >> (64 - 8 * N)
}

#[inline]
fn len_32bit(entry: &[u8]) -> usize {
    u32::from_le_bytes([entry[1], entry[2], entry[3], entry[4]]) as usize
}

/// Length of the whole entry that starts here.
#[inline]
fn entry_len(entry: &[u8]) -> usize {
    let len = match entry[0] {
        0..=0x7F => 1,
        head @ STR_6BIT..INT_13BIT => 1 + usize::from(head & 0x3F),
        INT_13BIT..STR_12BIT => 2,
        head @ STR_12BIT..STR_32BIT => 2 + (usize::from(head & 0x0F) << 8 | usize::from(entry[1])),
        STR_32BIT => 5 + len_32bit(entry),
        INT_16BIT => 3,
        INT_24BIT => 4,
        INT_32BIT => 5,
        _ => 9,
    };
    len + backlen_len(len)
}

/// Length of the whole entry that ends here.
#[inline]
fn entry_len_before(bytes: &[u8]) -> usize {
    let (len, groups) = backlen(bytes).expect("entries were written here or validated");
    len + groups
}

/// Reads a back length from its end: the length and how many bytes it took.
#[inline]
fn backlen(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut len = 0;
    for (index, &byte) in bytes.iter().rev().take(5).enumerate() {
        len |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((len, index + 1));
        }
    }
    None
}

/// Bytes of the back length of an entry of `len` bytes. The odd limits (16383 would fit two groups) are the format's.
#[inline]
fn backlen_len(len: usize) -> usize {
    match len {
        0..=127 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    }
}

/// Length of the entry that `bytes` must start with, if it is one: known encoding, in bounds, back length in agreement.
fn checked_entry_len(bytes: &[u8]) -> Option<usize> {
    let head_len = match bytes[0] {
        STR_12BIT..STR_32BIT => 2,
        STR_32BIT => 5,
        0..STR_12BIT | INT_16BIT..=INT_64BIT => 1,
        _ => return None,
    };
    if bytes.len() < head_len {
        return None;
    }
    let len = entry_len(bytes);
    let (stated, groups) = backlen(bytes.get(..len)?)?;
    (stated + groups == len && groups == backlen_len(stated)).then_some(len)
}

#[inline]
fn total_in_header(bytes: &[u8]) -> usize {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize
}

#[inline]
fn count_in_header(bytes: &[u8]) -> u16 {
    u16::from_le_bytes([bytes[4], bytes[5]])
}

/// What the allocator hands out for a request of `bytes` anyway (four classes to each doubling, 16 apart at least):
/// room that costs nothing, and growth by a fifth or more once a listpack is large.
fn size_class(bytes: usize) -> usize {
    let spacing = (bytes.max(2) - 1).ilog2().saturating_sub(2).max(4);
    bytes.next_multiple_of(1 << spacing)
}

#[cfg(test)]
mod tests;
