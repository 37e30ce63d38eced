//! The list: a row of listpacks, each kept small enough that moving its bytes stays cheap. Where one node ends and the
//! next begins is visible in DUMP and RDB files, so the rules for filling, splitting and merging are Redis 7.0's.
//!
//! An element too large for a listpack is a node of its own, held plainly. Nodes far from both ends may be held
//! compressed, as queues rarely look there.

mod node;
mod nodes;

pub use node::{Container, NodeBytes, set_packed_threshold};

use super::listpack::{Item, Listpack};
use crate::memory::extrapolate;
use crate::snapshot::{Freeze, FreezeId};
use node::{Body, MERGE_SAVING, Node, SAFE_SIZE, SIZE_LIMITS, is_large, is_within_size, seek};
use nodes::Nodes;
use std::ops::{ControlFlow, Range};

/// A list of strings.
#[derive(Clone)]
pub struct Quicklist {
    nodes: Nodes,
    len: usize,
    fill: i16,
    compress: u16,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

impl Quicklist {
    /// An empty list. `fill` is `list-max-listpack-size`: the most elements in a node, or, from -1 to -5, its size from
    /// 4 to 64 KiB. `compress` is `list-compress-depth`: how many nodes at either end stay uncompressed; 0 means all.
    pub fn new(fill: i32, compress: u32) -> Self {
        Self {
            nodes: Nodes::new(),
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
        match self.nodes.back() {
            Some(node) if node.admits(value.len(), self.fill) => {
                let last = self.nodes.len() - 1;
                self.nodes.change(last).edit(|pack| pack.push_back(value));
                self.len += 1;
            }
            _ => self.add_node(self.nodes.len(), Node::of(value)),
        }
    }

    #[inline]
    pub fn push_front(&mut self, value: &[u8]) {
        match self.nodes.front() {
            Some(node) if node.admits(value.len(), self.fill) => {
                self.nodes.change(0).edit(|pack| pack.push_front(value));
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
                self.nodes
                    .change(node)
                    .edit(|pack| pack.replace(seek(pack, at), value));
                self.settle(node..node + 1);
            }
            (Container::Plain, true) => {
                self.nodes.change(node).body = Body::Plain(value.into());
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
                self.nodes
                    .change(node)
                    .edit(|pack| pack.remove_range(at as i64, here));
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
            let body = self.nodes[index].open();
            let found = body.items_from(0).any(|item| item.eq_bytes(value));
            drop(body);
            if !found {
                continue;
            }
            let node = self.nodes.change(index);
            left -= node.remove_matching(value, left, from_tail);
            touched = touched.start.min(index)..touched.end.max(index + 1);
        }
        if touched.start < touched.end {
            self.nodes.drop_empty();
            self.len -= limit - left;
            self.nodes_left(touched);
        }
        limit - left
    }

    // --- snapshots, see `nodes` ----------------------------------------------------------------------------------

    pub(crate) fn freeze(&mut self, freeze: Freeze) {
        self.nodes.freeze(freeze);
    }

    pub(crate) fn frozen(&mut self) -> Option<&mut Freeze> {
        self.nodes.frozen()
    }

    pub(crate) fn frozen_id(&self) -> Option<FreezeId> {
        self.nodes.frozen_id()
    }

    pub(crate) fn write_slice(&mut self, max_bytes: usize) -> bool {
        self.nodes.write_slice(max_bytes)
    }

    pub(crate) fn thaw(&mut self) {
        self.nodes.thaw();
    }

    /// The nodes in order, for saving.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (Container, NodeBytes<'_>)> {
        self.nodes
            .iter()
            .map(|node| (node.container(), node.body.bytes()))
    }

    /// Adds a listpack at the tail as a node of its own, as a file has it. An empty one is left out.
    pub fn push_node_packed(&mut self, pack: Listpack) {
        if !pack.is_empty() {
            self.add_node(self.nodes.len(), Node::packed(pack));
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
            self.nodes.change(node).edit(|pack| match side {
                Side::Before => pack.insert_before(seek(pack, at), value),
                Side::After => pack.insert_after(seek(pack, at), value),
            });
            self.len += 1;
            self.settle(node..node + 1);
        } else if at_edge && let Some(neighbour) = neighbour.filter(|&index| admits(index)) {
            self.nodes.change(neighbour).edit(|pack| match side {
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
            let tail = self.nodes.change(node).split_off(split_at);
            self.nodes.insert(node + 1, tail);
            if is_large(value.len()) {
                self.add_node(node + 1, Node::of(value));
                self.settle(node..node + 3);
            } else {
                match side {
                    Side::Before => self.nodes.change(node).edit(|pack| pack.push_back(value)),
                    Side::After => self
                        .nodes
                        .change(node + 1)
                        .edit(|pack| pack.push_front(value)),
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
        let mut right = self.nodes.remove(left + 1);
        right.edit(|right| self.nodes.change(left).edit(|left| left.append(right)));
        true
    }

    /// Removes the element `at` in `node` and returns it.
    fn take(&mut self, node: usize, at: usize) -> Vec<u8> {
        self.len -= 1;
        if self.nodes[node].container() == Container::Packed {
            let value = self.nodes.change(node).edit(|pack| {
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
        let removed = self.nodes.remove(node);
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
            self.nodes.reserve_one();
        }
        self.nodes.insert(index, node);
        self.settle(index..index + 1);
    }

    /// After nodes were removed: gives room back that a drained queue would keep, and settles.
    fn nodes_left(&mut self, touched: Range<usize>) {
        self.nodes.shrink();
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
            self.nodes.repack(index, Node::decompress);
            self.nodes.repack(nodes - 1 - index, Node::decompress);
        }
        if nodes <= 2 * depth {
            return;
        }
        let inner = depth..nodes - depth;
        for step in 0..NEWLY_INNER.min(inner.len()) {
            self.nodes.repack(inner.start + step, Node::compress);
            self.nodes.repack(inner.end - 1 - step, Node::compress);
        }
        for index in touched.start.max(inner.start)..touched.end.min(inner.end) {
            self.nodes.repack(index, Node::compress);
        }
    }
}

#[cfg(test)]
mod tests;
