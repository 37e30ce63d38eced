//! One node of a list: a listpack, or one large element, compressed or not.

use crate::encoding::listpack::{self, Item, Listpack};
use crate::rdb::lzf;
use std::borrow::Cow;
use std::cell::Cell;

/// Bytes a listpack may reach with a negative `list-max-listpack-size`: -1 for the first, -5 for the last.
pub(super) const SIZE_LIMITS: [usize; 5] = [4096, 8192, 16_384, 32_768, 65_536];

/// With a limit on the number of elements, bytes are limited by this instead.
pub(super) const SAFE_SIZE: usize = 8192;

/// What an element costs beside its text, rounded up.
const ELEMENT_OVERHEAD: usize = 8;

/// What merging two nodes is taken to save. A listpack's header and end mark are 7 bytes, but Redis 7.0 still reckons
/// with the 11 of its former node format, and this decides which nodes merge.
pub(super) const MERGE_SAVING: usize = 11;

/// Smaller nodes are not worth compressing, nor are those that shrink by no more than `MIN_COMPRESS_GAIN`.
const MIN_COMPRESS_SIZE: usize = 48;
const MIN_COMPRESS_GAIN: usize = 8;

const DEFAULT_PACKED_THRESHOLD: usize = 1 << 30;
const MAX_PACKED_THRESHOLD: usize = (1 << 32) - (1 << 20);

thread_local! {
    /// The data has one thread, and a setting that only tests of huge elements touch is not worth a field in each list.
    static PACKED_THRESHOLD: Cell<usize> = const { Cell::new(DEFAULT_PACKED_THRESHOLD) };
}

/// Sets from how many bytes on an element is a plain node, for this thread's lists (DEBUG QUICKLIST-PACKED-THRESHOLD).
/// Zero restores the default of 1 GiB. False, and no change, if listpacks could not hold what is smaller.
pub fn set_packed_threshold(bytes: usize) -> bool {
    let accepted = bytes <= MAX_PACKED_THRESHOLD;
    if accepted {
        PACKED_THRESHOLD.set(if bytes == 0 {
            DEFAULT_PACKED_THRESHOLD
        } else {
            bytes
        });
    }
    accepted
}

/// How a node holds its elements; the numbers are those of RDB files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// One element, as it is.
    Plain = 1,
    /// A listpack.
    Packed = 2,
}

/// A node's serialized form, for saving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeBytes<'a> {
    Raw(&'a [u8]),
    /// Compressed from `len` bytes.
    Lzf {
        compressed: &'a [u8],
        len: usize,
    },
}

impl NodeBytes<'_> {
    #[allow(clippy::len_without_is_empty, reason = "nodes are never empty")]
    pub fn len(&self) -> usize {
        match self {
            NodeBytes::Raw(bytes) => bytes.len(),
            NodeBytes::Lzf { compressed, .. } => compressed.len(),
        }
    }
}

/// A run of elements. In the list `count` is never zero.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) body: Body,
    pub(super) count: u32,
    /// Its number in a snapshot that has not written it yet; 0 if no snapshot wants it. Means nothing while none runs.
    pub(super) number: u32,
}

#[derive(Clone)]
pub(super) enum Body {
    Packed(Listpack),
    Plain(Box<[u8]>),
    Compressed(Box<Compressed>),
}

#[derive(Clone)]
pub(super) struct Compressed {
    container: Container,
    bytes: Box<[u8]>,
    /// Bytes when not compressed.
    len: usize,
}

impl Node {
    /// A node of one element.
    pub(super) fn of(value: &[u8]) -> Self {
        if is_large(value.len()) {
            return Self::plain(value.into());
        }
        let mut pack = Listpack::with_capacity(Listpack::entry_size(value));
        pack.push_back(value);
        Self {
            body: Body::Packed(pack),
            count: 1,
            number: 0,
        }
    }

    pub(super) fn plain(value: Box<[u8]>) -> Self {
        Self {
            body: Body::Plain(value),
            count: 1,
            number: 0,
        }
    }

    /// A node of a listpack that is not empty.
    pub(super) fn packed(pack: Listpack) -> Self {
        Self {
            // Two bytes at least to an element, so that 32 bits are enough.
            count: pack.len() as u32,
            body: Body::Packed(pack),
            number: 0,
        }
    }

    pub(super) fn container(&self) -> Container {
        self.body.container()
    }

    /// Whether an element of `len` bytes may join.
    #[inline]
    pub(super) fn admits(&self, len: usize, fill: i16) -> bool {
        if is_large(len) || self.container() == Container::Plain {
            return false;
        }
        let size = self.body.raw_len() + len + ELEMENT_OVERHEAD;
        is_within_size(size, fill) || size <= SAFE_SIZE && i64::from(self.count) < i64::from(fill)
    }

    /// The body to read from, opened if it is compressed.
    #[inline]
    pub(super) fn open(&self) -> Cow<'_, Body> {
        match &self.body {
            Body::Compressed(compressed) => Cow::Owned(compressed.open()),
            open => Cow::Borrowed(open),
        }
    }

    /// Changes the listpack. Plain nodes are replaced, never edited.
    #[inline]
    pub(super) fn edit<R>(&mut self, change: impl FnOnce(&mut Listpack) -> R) -> R {
        self.decompress();
        let Body::Packed(pack) = &mut self.body else {
            unreachable!("callers have asked for the container")
        };
        let result = change(pack);
        self.count = pack.len() as u32;
        result
    }

    pub(super) fn split_off(&mut self, at: usize) -> Self {
        Self::packed(self.edit(|pack| pack.split_off(at)))
    }

    /// Removes up to `limit` elements equal to `value`; returns how many.
    pub(super) fn remove_matching(&mut self, value: &[u8], limit: usize, from_tail: bool) -> usize {
        if self.container() == Container::Plain {
            self.count = 0;
            return 1;
        }
        self.edit(|pack| {
            let mut removed = 0;
            let mut pos = if from_tail { pack.last() } else { pack.first() };
            while let Some(here) = pos
                && removed < limit
            {
                let hit = pack.get(here).eq_bytes(value);
                pos = match (from_tail, hit) {
                    (true, _) => pack.prev(here),
                    (false, true) => pack.remove(here),
                    (false, false) => pack.next(here),
                };
                if hit {
                    removed += 1;
                    if from_tail {
                        pack.remove(here);
                    }
                }
            }
            removed
        })
    }

    pub(super) fn decompress(&mut self) {
        if let Body::Compressed(compressed) = &self.body {
            self.body = compressed.open();
        }
    }

    pub(super) fn compress(&mut self) {
        let container = self.body.container();
        let raw = match &self.body {
            Body::Packed(pack) => pack.as_bytes(),
            Body::Plain(value) => &value[..],
            Body::Compressed(_) => return,
        };
        if raw.len() < MIN_COMPRESS_SIZE {
            return;
        }
        if let Some(bytes) = lzf::compress(raw)
            && bytes.len() + MIN_COMPRESS_GAIN < raw.len()
        {
            let (bytes, len) = (bytes.into_boxed_slice(), raw.len());
            self.body = Body::Compressed(Box::new(Compressed {
                container,
                bytes,
                len,
            }));
        }
    }
}

impl Body {
    pub(super) fn container(&self) -> Container {
        match self {
            Self::Packed(_) => Container::Packed,
            Self::Plain(_) => Container::Plain,
            Self::Compressed(compressed) => compressed.container,
        }
    }

    /// Bytes of the serialized form when not compressed.
    #[inline]
    pub(super) fn raw_len(&self) -> usize {
        match self {
            Self::Packed(pack) => pack.bytes_len(),
            Self::Plain(value) => value.len(),
            Self::Compressed(compressed) => compressed.len,
        }
    }

    pub(super) fn bytes(&self) -> NodeBytes<'_> {
        match self {
            Self::Packed(pack) => NodeBytes::Raw(pack.as_bytes()),
            Self::Plain(value) => NodeBytes::Raw(value),
            Self::Compressed(compressed) => NodeBytes::Lzf {
                compressed: &compressed.bytes,
                len: compressed.len,
            },
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Packed(pack) => pack.heap_bytes(),
            Self::Plain(value) => value.len(),
            Self::Compressed(compressed) => size_of::<Compressed>() + compressed.bytes.len(),
        }
    }

    pub(super) fn opened(self) -> Self {
        match self {
            Self::Compressed(compressed) => compressed.open(),
            open => open,
        }
    }

    /// The elements from the one `at` to the last.
    #[inline]
    pub(super) fn items_from(&self, at: usize) -> Items<'_> {
        match self {
            Self::Packed(pack) => Items::Pack(pack.iter_from(seek(pack, at))),
            Self::Plain(value) => Items::One(Some(Item::Str(value))),
            Self::Compressed(_) => unreachable!("bodies are opened before they are read"),
        }
    }

    /// The elements from the first to the one `at`.
    #[inline]
    pub(super) fn items_to(&self, at: usize) -> Items<'_> {
        match self {
            Self::Packed(pack) => Items::Pack(pack.iter_to(seek(pack, at))),
            Self::Plain(value) => Items::One(Some(Item::Str(value))),
            Self::Compressed(_) => unreachable!("bodies are opened before they are read"),
        }
    }
}

impl Compressed {
    pub(super) fn open(&self) -> Body {
        let raw = lzf::decompress(&self.bytes, self.len).expect("compressed here");
        match self.container {
            Container::Plain => Body::Plain(raw.into()),
            Container::Packed => Body::Packed(
                Listpack::from_bytes_validated(raw).expect("a listpack when it was compressed"),
            ),
        }
    }
}

/// Elements of one node.
pub(super) enum Items<'a> {
    Pack(listpack::Iter<'a>),
    One(Option<Item<'a>>),
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        match self {
            Self::Pack(items) => items.next(),
            Self::One(item) => item.take(),
        }
    }
}

impl DoubleEndedIterator for Items<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        match self {
            Self::Pack(items) => items.next_back(),
            Self::One(item) => item.take(),
        }
    }
}

#[inline]
pub(super) fn seek(pack: &Listpack, at: usize) -> listpack::Pos {
    pack.seek(at as i64).expect("nodes count their elements")
}

#[inline]
pub(super) fn is_large(len: usize) -> bool {
    len >= PACKED_THRESHOLD.get()
}

/// Whether `fill` limits bytes and `size` is within that limit.
#[inline]
pub(super) fn is_within_size(size: usize, fill: i16) -> bool {
    fill < 0 && size <= SIZE_LIMITS[usize::from(fill.unsigned_abs()) - 1]
}
