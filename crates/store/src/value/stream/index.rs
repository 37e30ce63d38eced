//! The macro nodes of a stream by the id each is kept under, and how many nodes a radix tree of these ids would have.
//!
//! XINFO STREAM tells the shape of the radix tree in which Redis keeps macro nodes. Here they are in an ordered map; the
//! shape is counted along. Redis's tree has one node for every place where ids part, one for every run of bytes between
//! such places (the byte right behind a parting belongs to the parting), one for every id, and an empty tree has its root.

use super::StreamId;
use super::frozen::Frozen;
use super::node::Node;
use crate::snapshot::Freeze;
use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::ops::RangeInclusive;

/// See the module.
pub(super) struct NodeIndex {
    nodes: BTreeMap<StreamId, Node>,
    tree_nodes: usize,
    /// While a snapshot writes the nodes in slices.
    frozen: Option<Box<Frozen>>,
}

impl Default for NodeIndex {
    fn default() -> NodeIndex {
        NodeIndex {
            nodes: BTreeMap::new(),
            tree_nodes: 1,
            frozen: None,
        }
    }
}

/// A copy is an index of its own, of which no snapshot knows.
impl Clone for NodeIndex {
    fn clone(&self) -> NodeIndex {
        NodeIndex {
            nodes: self.nodes.clone(),
            tree_nodes: self.tree_nodes,
            frozen: None,
        }
    }
}

impl NodeIndex {
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Nodes of the radix tree that Redis would have.
    pub(super) fn tree_nodes(&self) -> usize {
        self.tree_nodes
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (StreamId, &Node)> {
        self.nodes.iter().map(|(&base, node)| (base, node))
    }

    /// The first node.
    pub(super) fn first(&self) -> Option<(StreamId, &Node)> {
        self.nodes
            .first_key_value()
            .map(|(&base, node)| (base, node))
    }

    /// The last node, to change it.
    #[inline]
    pub(super) fn last_mut(&mut self) -> Option<(StreamId, &mut Node)> {
        let mut last = self.nodes.last_entry()?;
        let base = *last.key();
        if let Some(frozen) = &mut self.frozen {
            frozen.before_change(base, last.get_mut());
        }
        Some((base, last.into_mut()))
    }

    /// The node kept under `base`, to change it.
    pub(super) fn get_mut(&mut self, base: StreamId) -> Option<&mut Node> {
        let node = self.nodes.get_mut(&base)?;
        if let Some(frozen) = &mut self.frozen {
            frozen.before_change(base, node);
        }
        Some(node)
    }

    /// The node in which an entry of this id is, if it is anywhere.
    pub(super) fn holding(&self, id: StreamId) -> Option<(StreamId, &Node)> {
        self.nodes
            .range(..=id)
            .next_back()
            .map(|(&base, node)| (base, node))
    }

    /// The nodes in which entries of these ids can be.
    pub(super) fn overlapping(&self, ids: RangeInclusive<StreamId>) -> Range<'_, StreamId, Node> {
        let (start, end) = ids.into_inner();
        let start = self.holding(start).map_or(start, |(base, _)| base);
        // A range must not end before it starts; what a single id holds is then passed over.
        self.nodes.range(start..=end.max(start))
    }

    /// Adds a node; false if there already is one under this id.
    pub(super) fn insert(&mut self, base: StreamId, node: Node) -> bool {
        if self.nodes.contains_key(&base) {
            return false;
        }
        self.tree_nodes += self.tree_nodes_for(base);
        self.nodes.insert(base, node);
        true
    }

    pub(super) fn remove(&mut self, base: StreamId) {
        let Some(node) = self.nodes.remove(&base) else {
            return;
        };
        self.tree_nodes -= self.tree_nodes_for(base);
        if let Some(frozen) = &mut self.frozen {
            frozen.after_removal(base, node);
        }
    }

    // --- snapshots, see `frozen` ---------------------------------------------------------------------------------

    /// Begins to write the nodes in slices.
    pub(super) fn freeze(&mut self, freeze: Freeze, rest: Vec<u8>) {
        let last = self.nodes.last_key_value().map(|(&base, _)| base);
        let frozen = Frozen::new(freeze, self.nodes.len(), last, rest);
        self.frozen = Some(Box::new(frozen));
    }

    pub(super) fn frozen(&self) -> Option<&Frozen> {
        self.frozen.as_deref()
    }

    pub(super) fn frozen_mut(&mut self) -> Option<&mut Frozen> {
        self.frozen.as_deref_mut()
    }

    /// Writes about `max_bytes` more; true when everything is written.
    pub(super) fn write_slice(&mut self, max_bytes: usize) -> bool {
        let frozen = self.frozen.as_mut();
        frozen.is_none_or(|frozen| frozen.write_slice(&self.nodes, max_bytes))
    }

    /// Nothing is left to write, or nobody wants it any more.
    pub(super) fn thaw(&mut self) {
        self.frozen = None;
    }

    /// Nodes may be added from here on under ids that were given before.
    pub(super) fn ids_go_back(&mut self) {
        if let Some(frozen) = &mut self.frozen {
            frozen.keep_all(&self.nodes);
        }
    }

    /// How many nodes the radix tree has more with an id that is not in it.
    fn tree_nodes_for(&self, id: StreamId) -> usize {
        const LEAF: usize = 1;
        let before = |id| self.nodes.range(..id).next_back().map(|(&id, _)| id);
        let after = |id| {
            let mut from = self.nodes.range(id..);
            from.next().map(|(&id, _)| id)
        };
        let shared = |other: Option<StreamId>| other.map(|other| id.shared_bytes(other));
        // Where the id leaves the path of those that are there.
        let Some(parting) = shared(before(id)).max(shared(after(id))) else {
            // The root becomes the run of all its bytes.
            return LEAF;
        };
        let new_branch = LEAF + usize::from(parting + 1 < StreamId::BYTES);
        // The ids that share the way up to there, and how far they all go on together.
        let (lowest, highest) = (id.padded(parting, 0), id.padded(parting, u8::MAX));
        let first = after(lowest).expect("a neighbour shares these bytes");
        let last = highest
            .next()
            .map_or_else(|| self.nodes.last_key_value().map(|(&id, _)| id), before);
        let last = last.expect("a neighbour shares these bytes");
        let run_end = first.shared_bytes(last);
        if run_end == parting {
            return new_branch;
        }
        // A run is cut in two by a new parting: the place before, where the run began, lies with those who left earlier.
        let outside = shared(before(first)).max(shared(last.next().and_then(after)));
        let run_start = outside.map_or(0, |parting| parting + 1);
        let parts = usize::from(parting > run_start) + usize::from(run_end > parting + 1);
        // The run itself is gone.
        parts + new_branch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Counts what the module describes, byte by byte.
    fn counted(ids: &[[u8; 16]], depth: usize, behind_parting: bool) -> usize {
        if ids.is_empty() {
            return 1;
        }
        if ids.len() == 1 && depth == 16 {
            return 1;
        }
        let nexts: BTreeSet<u8> = ids.iter().map(|id| id[depth]).collect();
        let under = |byte: u8| -> Vec<_> {
            let under = ids.iter().copied();
            under.filter(|id| id[depth] == byte).collect()
        };
        if nexts.len() > 1 {
            let below = nexts
                .iter()
                .map(|&byte| counted(&under(byte), depth + 1, true));
            return 1 + below.sum::<usize>();
        }
        let run_starts = depth == 0 || behind_parting;
        usize::from(run_starts) + counted(ids, depth + 1, false)
    }

    fn check(index: &NodeIndex) {
        let ids: Vec<_> = index.nodes.keys().map(|id| id.to_bytes()).collect();
        assert_eq!(index.tree_nodes(), counted(&ids, 0, false), "{ids:?}");
    }

    #[test]
    fn the_shape_is_counted_as_redis_counts_it() {
        // redis-server 7.0.15 with one entry a node.
        let mut index = NodeIndex::default();
        let node = || Node::with_entry(&[b"f", b"v"]);
        let mut shapes = vec![index.tree_nodes()];
        for ms in [1, 2, 300, 301, 70_000] {
            index.insert(StreamId::new(ms, 0), node());
            shapes.push(index.tree_nodes());
        }
        assert_eq!(shapes, [1, 2, 6, 9, 12, 15]);
    }

    #[test]
    fn the_shape_follows_ids_that_come_and_go() {
        let mut random = 1u64;
        let mut draw = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let node = Node::with_entry(&[b"f", b"v"]);
        for spread in [3, 300, 100_000] {
            let mut index = NodeIndex::default();
            for _ in 0..300 {
                let part = |n: u64| n << (8 * (n % 7)) | n;
                let id = StreamId::new(part(draw(spread)), part(draw(3)));
                let id = if draw(50) == 0 { StreamId::MAX } else { id };
                if draw(2) == 0 {
                    index.remove(id);
                } else {
                    index.insert(id, node.clone());
                }
                check(&index);
            }
            while let Some((base, _)) = index.first() {
                index.remove(base);
                check(&index);
            }
        }
    }
}
