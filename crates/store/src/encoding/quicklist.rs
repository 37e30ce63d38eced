//! The list: a row of listpacks, each kept small enough that moving its bytes stays cheap. Where one node ends and the
//! next begins is visible in DUMP and RDB files, so the rules for filling, splitting and merging are Redis 7.0's.
//!
//! An element too large for a listpack is a node of its own, held plainly. Nodes far from both ends may be held
//! compressed, as queues rarely look there.

use super::listpack::{self, Item, Listpack};
use crate::memory::extrapolate;
use crate::rdb::lzf;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};

/// Bytes a listpack may reach with a negative `list-max-listpack-size`: -1 for the first, -5 for the last.
const SIZE_LIMITS: [usize; 5] = [4096, 8192, 16_384, 32_768, 65_536];

/// With a limit on the number of elements, bytes are limited by this instead.
const SAFE_SIZE: usize = 8192;

/// What an element costs beside its text, rounded up.
const ELEMENT_OVERHEAD: usize = 8;

/// What merging two nodes is taken to save. A listpack's header and end mark are 7 bytes, but Redis 7.0 still reckons
/// with the 11 of its former node format, and this decides which nodes merge.
const MERGE_SAVING: usize = 11;

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

/// A list of strings.
#[derive(Clone)]
pub struct Quicklist {
    nodes: VecDeque<Node>,
    len: usize,
    fill: i16,
    compress: u16,
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// A run of elements. In the list `count` is never zero.
#[derive(Clone)]
struct Node {
    body: Body,
    count: u32,
}

#[derive(Clone)]
enum Body {
    Packed(Listpack),
    Plain(Box<[u8]>),
    Compressed(Box<Compressed>),
}

#[derive(Clone)]
struct Compressed {
    container: Container,
    bytes: Box<[u8]>,
    /// Bytes when not compressed.
    len: usize,
}

impl Quicklist {
    /// An empty list. `fill` is `list-max-listpack-size`: the most elements in a node, or, from -1 to -5, its size from
    /// 4 to 64 KiB. `compress` is `list-compress-depth`: how many nodes at either end stay uncompressed; 0 means all.
    pub fn new(fill: i32, compress: u32) -> Self {
        Self {
            nodes: VecDeque::new(),
            len: 0,
            fill: fill.clamp(-(SIZE_LIMITS.len() as i32), i32::from(i16::MAX)) as i16,
            compress: u16::try_from(compress).unwrap_or(u16::MAX),
        }
    }

    /// Number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The limit that nodes are filled to, as given to [`Quicklist::new`].
    #[inline]
    pub fn fill(&self) -> i32 {
        i32::from(self.fill)
    }

    /// The number of uncompressed nodes at either end; 0 when none is compressed.
    #[inline]
    pub fn compress_depth(&self) -> u32 {
        u32::from(self.compress)
    }

    /// Bytes held from the allocator, judged by `samples` nodes; 0: by all of them.
    pub fn memory_bytes(&self, samples: usize) -> usize {
        let sizes = self.nodes.iter().map(|node| node.body.heap_bytes());
        self.nodes.capacity() * size_of::<Node>() + extrapolate(self.nodes.len(), samples, sizes)
    }

    #[inline]
    pub fn push_back(&mut self, value: &[u8]) {
        match self.nodes.back_mut() {
            Some(node) if node.admits(value.len(), self.fill) => {
                node.edit(|pack| pack.push_back(value));
                self.len += 1;
            }
            _ => self.add_node(self.nodes.len(), Node::of(value)),
        }
    }

    #[inline]
    pub fn push_front(&mut self, value: &[u8]) {
        match self.nodes.front_mut() {
            Some(node) if node.admits(value.len(), self.fill) => {
                node.edit(|pack| pack.push_front(value));
                self.len += 1;
            }
            _ => self.add_node(0, Node::of(value)),
        }
    }

    pub fn pop_back(&mut self) -> Option<Vec<u8>> {
        let node = self.nodes.len().checked_sub(1)?;
        let at = self.nodes[node].count as usize - 1;
        Some(self.take(node, at))
    }

    pub fn pop_front(&mut self) -> Option<Vec<u8>> {
        (!self.is_empty()).then(|| self.take(0, 0))
    }

    /// The element at `index`, negative from the tail.
    pub fn get(&self, index: i64) -> Option<Vec<u8>> {
        self.get_with(index, |item| item.to_vec())
    }

    /// What `read` makes of the element at `index`, negative from the tail.
    pub fn get_with<R>(&self, index: i64, read: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let (node, at) = self.locate(self.absolute(index)?)?;
        self.nodes[node].open().items_from(at).next().map(read)
    }

    /// Visits up to `count` elements from `start` on.
    pub fn range(&self, start: usize, count: usize, mut visit: impl FnMut(Item<'_>)) {
        let Some((first, mut at)) = self.locate(start) else {
            return;
        };
        let mut left = count;
        for node in self.nodes.range(first..) {
            if left == 0 {
                return;
            }
            node.open().items_from(at).take(left).for_each(&mut visit);
            left = left.saturating_sub(node.count as usize - at);
            at = 0;
        }
    }

    /// Visits elements with their indexes from `start` towards the tail, until `visit` breaks with a result.
    pub fn scan<B>(
        &self,
        start: usize,
        mut visit: impl FnMut(usize, Item<'_>) -> ControlFlow<B>,
    ) -> Option<B> {
        let (first, mut at) = self.locate(start)?;
        let mut index = start;
        for node in self.nodes.range(first..) {
            for item in node.open().items_from(at) {
                if let ControlFlow::Break(result) = visit(index, item) {
                    return Some(result);
                }
                index += 1;
            }
            at = 0;
        }
        None
    }

    /// Visits elements with their indexes from `start` towards the head, until `visit` breaks with a result.
    pub fn scan_rev<B>(
        &self,
        start: usize,
        mut visit: impl FnMut(usize, Item<'_>) -> ControlFlow<B>,
    ) -> Option<B> {
        let (last, mut at) = self.locate(start)?;
        let mut index = start;
        for node in self.nodes.range(..=last).rev() {
            for item in node.open().items_to(at.min(node.count as usize - 1)).rev() {
                if let ControlFlow::Break(result) = visit(index, item) {
                    return Some(result);
                }
                index = index.wrapping_sub(1);
            }
            at = usize::MAX;
        }
        None
    }

    /// Replaces the element at `index`, negative from the tail; false if there is none.
    pub fn set(&mut self, index: i64, value: &[u8]) -> bool {
        let Some((node, at)) = self.absolute(index).and_then(|index| self.locate(index)) else {
            return false;
        };
        match (self.nodes[node].container(), is_large(value.len())) {
            (Container::Packed, false) => {
                self.nodes[node].edit(|pack| pack.replace(seek(pack, at), value));
                self.settle(node..node + 1);
            }
            (Container::Plain, true) => {
                self.nodes[node].body = Body::Plain(value.into());
                self.settle(node..node + 1);
            }
            _ => {
                self.insert(node, at, value, Side::After);
                self.take(node, at);
            }
        }
        true
    }

    /// Inserts before the element at `index`; false if there is none.
    pub fn insert_before(&mut self, index: usize, value: &[u8]) -> bool {
        let place = self.locate(index);
        place
            .inspect(|&(node, at)| self.insert(node, at, value, Side::Before))
            .is_some()
    }

    /// Inserts after the element at `index`; false if there is none.
    pub fn insert_after(&mut self, index: usize, value: &[u8]) -> bool {
        let place = self.locate(index);
        place
            .inspect(|&(node, at)| self.insert(node, at, value, Side::After))
            .is_some()
    }

    /// Removes the element at `index` and returns it.
    pub fn remove_at(&mut self, index: usize) -> Option<Vec<u8>> {
        self.locate(index).map(|(node, at)| self.take(node, at))
    }

    /// Removes up to `count` elements from `start` on; returns how many.
    pub fn remove_range(&mut self, start: usize, count: usize) -> usize {
        let Some((first, mut at)) = self.locate(start) else {
            return 0;
        };
        let removed = count.min(self.len - start);
        let mut left = removed;
        // Nodes between the outer two go as a whole.
        let mut emptied = first..first;
        let mut node = first;
        while left > 0 {
            let here = left.min(self.nodes[node].count as usize - at);
            if here == self.nodes[node].count as usize {
                if emptied.is_empty() {
                    emptied = node..node;
                }
                emptied.end = node + 1;
            } else {
                self.nodes[node].edit(|pack| pack.remove_range(at as i64, here));
            }
            left -= here;
            at = 0;
            node += 1;
        }
        let touched = first..node - emptied.len();
        self.nodes.drain(emptied);
        self.len -= removed;
        self.nodes_left(touched);
        removed
    }

    /// Removes up to `limit` elements equal to `value`, the first ones or, with `from_tail`, the last; returns how many.
    pub fn remove_matching(&mut self, value: &[u8], limit: usize, from_tail: bool) -> usize {
        let nodes = self.nodes.len();
        let mut left = limit;
        let mut touched = nodes..0;
        for step in 0..nodes {
            if left == 0 {
                break;
            }
            let index = if from_tail { nodes - 1 - step } else { step };
            let node = &mut self.nodes[index];
            if !node.open().items_from(0).any(|item| item.eq_bytes(value)) {
                continue;
            }
            left -= node.remove_matching(value, left, from_tail);
            touched = touched.start.min(index)..touched.end.max(index + 1);
        }
        if touched.start < touched.end {
            self.nodes.retain(|node| node.count > 0);
            self.len -= limit - left;
            self.nodes_left(touched);
        }
        limit - left
    }

    /// The nodes in order, for saving.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (Container, NodeBytes<'_>)> {
        self.nodes
            .iter()
            .map(|node| (node.container(), node.body.bytes()))
    }

    /// Adds a listpack at the tail as a node of its own, as a file has it. An empty one is left out.
    pub fn push_node_packed(&mut self, pack: Listpack) {
        // Two bytes at least to an element, so that 32 bits are enough.
        let count = pack.len() as u32;
        if count > 0 {
            self.add_node(
                self.nodes.len(),
                Node {
                    body: Body::Packed(pack),
                    count,
                },
            );
        }
    }

    /// Adds an element at the tail as a plain node, as a file has it.
    pub fn push_node_plain(&mut self, value: Vec<u8>) {
        self.add_node(self.nodes.len(), Node::plain(value.into()));
    }

    fn absolute(&self, index: i64) -> Option<usize> {
        if index >= 0 {
            usize::try_from(index).ok()
        } else {
            self.len
                .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
        }
    }

    /// The node of the element at `index` and the element's place in it, walking from the nearer end.
    fn locate(&self, index: usize) -> Option<(usize, usize)> {
        if index >= self.len {
            return None;
        }
        if index < self.len / 2 {
            let mut at = index;
            for (number, node) in self.nodes.iter().enumerate() {
                match at.checked_sub(node.count as usize) {
                    Some(beyond) => at = beyond,
                    None => return Some((number, at)),
                }
            }
        } else {
            let mut start = self.len;
            for (number, node) in self.nodes.iter().enumerate().rev() {
                start -= node.count as usize;
                if start <= index {
                    return Some((number, index - start));
                }
            }
        }
        None
    }

    /// Inserts beside the element `at` in `node`: into that node if it has room, else at the near end of the neighbour,
    /// else into a node between them, splitting this one if the place is inside.
    fn insert(&mut self, node: usize, at: usize, value: &[u8], side: Side) {
        let count = self.nodes[node].count as usize;
        let (at_edge, split_at, neighbour) = match side {
            Side::Before => (at == 0, at, node.checked_sub(1)),
            Side::After => (at == count - 1, at + 1, Some(node + 1)),
        };
        let (len, fill) = (value.len(), self.fill);
        let admits = |index: usize| {
            self.nodes
                .get(index)
                .is_some_and(|node| node.admits(len, fill))
        };
        if admits(node) {
            self.nodes[node].edit(|pack| match side {
                Side::Before => pack.insert_before(seek(pack, at), value),
                Side::After => pack.insert_after(seek(pack, at), value),
            });
            self.len += 1;
            self.settle(node..node + 1);
        } else if at_edge && let Some(neighbour) = neighbour.filter(|&index| admits(index)) {
            self.nodes[neighbour].edit(|pack| match side {
                Side::Before => pack.push_back(value),
                Side::After => pack.push_front(value),
            });
            self.len += 1;
            self.settle(neighbour..neighbour + 1);
        } else if at_edge {
            self.add_node(
                if side == Side::Before { node } else { node + 1 },
                Node::of(value),
            );
        } else {
            let tail = self.nodes[node].split_off(split_at);
            self.nodes.insert(node + 1, tail);
            if is_large(value.len()) {
                self.add_node(node + 1, Node::of(value));
                self.settle(node..node + 3);
            } else {
                match side {
                    Side::Before => self.nodes[node].edit(|pack| pack.push_back(value)),
                    Side::After => self.nodes[node + 1].edit(|pack| pack.push_front(value)),
                }
                self.len += 1;
                // The part without the new element is the one its neighbours are measured against.
                self.merge_around(if side == Side::Before { node + 1 } else { node });
            }
        }
    }

    /// Merges the pairs beside `centre`, then `centre` with what is now beside it.
    fn merge_around(&mut self, centre: usize) {
        let mut centre = centre;
        if centre >= 2 && self.merge(centre - 2) {
            centre -= 1;
        }
        self.merge(centre + 1);
        if centre >= 1 && self.merge(centre - 1) {
            centre -= 1;
        }
        self.merge(centre);
        self.settle(centre.saturating_sub(2)..centre + 3);
    }

    /// Merges a node with the one after it, if both are listpacks and the result is within the limits.
    fn merge(&mut self, left: usize) -> bool {
        let (Some(one), Some(two)) = (self.nodes.get(left), self.nodes.get(left + 1)) else {
            return false;
        };
        if one.container() == Container::Plain || two.container() == Container::Plain {
            return false;
        }
        let size = one.body.raw_len() + two.body.raw_len() - MERGE_SAVING;
        let count = i64::from(one.count) + i64::from(two.count);
        if !is_within_size(size, self.fill) && (size > SAFE_SIZE || count > i64::from(self.fill)) {
            return false;
        }
        if let Some(mut right) = self.nodes.remove(left + 1) {
            right.edit(|right| self.nodes[left].edit(|left| left.append(right)));
        }
        true
    }

    /// Removes the element `at` in `node` and returns it.
    fn take(&mut self, node: usize, at: usize) -> Vec<u8> {
        self.len -= 1;
        if self.nodes[node].container() == Container::Packed {
            let value = self.nodes[node].edit(|pack| {
                let pos = seek(pack, at);
                let value = pack.get(pos).to_vec();
                pack.remove(pos);
                value
            });
            if self.nodes[node].count > 0 {
                self.settle(node..node + 1);
                return value;
            }
            self.nodes.remove(node);
            self.nodes_left(node..node);
            return value;
        }
        let removed = self.nodes.remove(node).expect("the place came from locate");
        self.nodes_left(node..node);
        match removed.body.opened() {
            Body::Plain(value) => value.into(),
            Body::Packed(_) | Body::Compressed(_) => unreachable!("an opened plain node is plain"),
        }
    }

    /// Adds a node, and its elements to the count.
    fn add_node(&mut self, index: usize, node: Node) {
        self.len += node.count as usize;
        if self.nodes.is_empty() {
            // Most lists stay with one node.
            self.nodes.reserve_exact(1);
        }
        self.nodes.insert(index, node);
        self.settle(index..index + 1);
    }

    /// After nodes were removed: gives room back that a drained queue would keep, and settles.
    fn nodes_left(&mut self, touched: Range<usize>) {
        if self.nodes.len() < self.nodes.capacity() / 4 {
            self.nodes.shrink_to(self.nodes.capacity() / 2);
        }
        self.settle(touched);
    }

    /// Restores the rule of `compress` after nodes came, went or were opened: those at the ends are open, the `touched`
    /// and those that just came to lie behind the ends are compressed.
    #[inline]
    fn settle(&mut self, touched: Range<usize>) {
        /// The most nodes one insertion adds, pushing as many away from an end.
        const NEWLY_INNER: usize = 2;
        let (nodes, depth) = (self.nodes.len(), usize::from(self.compress));
        if depth == 0 {
            return;
        }
        for index in 0..depth.min(nodes) {
            self.nodes[index].decompress();
            self.nodes[nodes - 1 - index].decompress();
        }
        if nodes <= 2 * depth {
            return;
        }
        let inner = depth..nodes - depth;
        for step in 0..NEWLY_INNER.min(inner.len()) {
            self.nodes[inner.start + step].compress();
            self.nodes[inner.end - 1 - step].compress();
        }
        for index in touched.start.max(inner.start)..touched.end.min(inner.end) {
            self.nodes[index].compress();
        }
    }
}

impl Node {
    /// A node of one element.
    fn of(value: &[u8]) -> Self {
        if is_large(value.len()) {
            return Self::plain(value.into());
        }
        let mut pack = Listpack::with_capacity(Listpack::entry_size(value));
        pack.push_back(value);
        Self {
            body: Body::Packed(pack),
            count: 1,
        }
    }

    fn plain(value: Box<[u8]>) -> Self {
        Self {
            body: Body::Plain(value),
            count: 1,
        }
    }

    fn container(&self) -> Container {
        match &self.body {
            Body::Packed(_) => Container::Packed,
            Body::Plain(_) => Container::Plain,
            Body::Compressed(compressed) => compressed.container,
        }
    }

    /// Whether an element of `len` bytes may join.
    #[inline]
    fn admits(&self, len: usize, fill: i16) -> bool {
        if is_large(len) || self.container() == Container::Plain {
            return false;
        }
        let size = self.body.raw_len() + len + ELEMENT_OVERHEAD;
        is_within_size(size, fill) || size <= SAFE_SIZE && i64::from(self.count) < i64::from(fill)
    }

    /// The body to read from, opened if it is compressed.
    #[inline]
    fn open(&self) -> Cow<'_, Body> {
        match &self.body {
            Body::Compressed(compressed) => Cow::Owned(compressed.open()),
            open => Cow::Borrowed(open),
        }
    }

    /// Changes the listpack. Plain nodes are replaced, never edited.
    #[inline]
    fn edit<R>(&mut self, change: impl FnOnce(&mut Listpack) -> R) -> R {
        self.decompress();
        let Body::Packed(pack) = &mut self.body else {
            unreachable!("callers have asked for the container")
        };
        let result = change(pack);
        self.count = pack.len() as u32;
        result
    }

    fn split_off(&mut self, at: usize) -> Self {
        let tail = self.edit(|pack| pack.split_off(at));
        Self {
            count: tail.len() as u32,
            body: Body::Packed(tail),
        }
    }

    /// Removes up to `limit` elements equal to `value`; returns how many.
    fn remove_matching(&mut self, value: &[u8], limit: usize, from_tail: bool) -> usize {
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

    fn decompress(&mut self) {
        if let Body::Compressed(compressed) = &self.body {
            self.body = compressed.open();
        }
    }

    fn compress(&mut self) {
        let (container, raw) = match &self.body {
            Body::Packed(pack) => (Container::Packed, pack.as_bytes()),
            Body::Plain(value) => (Container::Plain, &value[..]),
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
    /// Bytes of the serialized form when not compressed.
    #[inline]
    fn raw_len(&self) -> usize {
        match self {
            Self::Packed(pack) => pack.bytes_len(),
            Self::Plain(value) => value.len(),
            Self::Compressed(compressed) => compressed.len,
        }
    }

    fn bytes(&self) -> NodeBytes<'_> {
        match self {
            Self::Packed(pack) => NodeBytes::Raw(pack.as_bytes()),
            Self::Plain(value) => NodeBytes::Raw(value),
            Self::Compressed(compressed) => NodeBytes::Lzf {
                compressed: &compressed.bytes,
                len: compressed.len,
            },
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Packed(pack) => pack.heap_bytes(),
            Self::Plain(value) => value.len(),
            Self::Compressed(compressed) => size_of::<Compressed>() + compressed.bytes.len(),
        }
    }

    fn opened(self) -> Self {
        match self {
            Self::Compressed(compressed) => compressed.open(),
            open => open,
        }
    }

    /// The elements from the one `at` to the last.
    #[inline]
    fn items_from(&self, at: usize) -> Items<'_> {
        match self {
            Self::Packed(pack) => Items::Pack(pack.iter_from(seek(pack, at))),
            Self::Plain(value) => Items::One(Some(Item::Str(value))),
            Self::Compressed(_) => unreachable!("bodies are opened before they are read"),
        }
    }

    /// The elements from the first to the one `at`.
    #[inline]
    fn items_to(&self, at: usize) -> Items<'_> {
        match self {
            Self::Packed(pack) => Items::Pack(pack.iter_to(seek(pack, at))),
            Self::Plain(value) => Items::One(Some(Item::Str(value))),
            Self::Compressed(_) => unreachable!("bodies are opened before they are read"),
        }
    }
}

impl Compressed {
    fn open(&self) -> Body {
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
enum Items<'a> {
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
fn seek(pack: &Listpack, at: usize) -> listpack::Pos {
    pack.seek(at as i64).expect("nodes count their elements")
}

#[inline]
fn is_large(len: usize) -> bool {
    len >= PACKED_THRESHOLD.get()
}

/// Whether `fill` limits bytes and `size` is within that limit.
#[inline]
fn is_within_size(size: usize, fill: i16) -> bool {
    fill < 0 && size <= SIZE_LIMITS[usize::from(fill.unsigned_abs()) - 1]
}

#[cfg(test)]
mod tests;
