//! The nodes of a list, in order.
//!
//! A snapshot writes them in slices. Meanwhile they are *frozen*: each has a number, and the body of one that no slice has
//! reached is kept aside before it changes or goes. Nodes never change places, so those that stay are in the order of
//! their numbers.

use super::node::{Body, Node};
use crate::rdb::save::Encoder;
use crate::snapshot::{Freeze, FreezeId};
use std::collections::{BTreeMap, VecDeque};
use std::ops::{Deref, Range};

/// See the module. Reading is that of a `VecDeque`.
pub(super) struct Nodes(State);

enum State {
    Free(VecDeque<Node>),
    Frozen(Box<Frozen>),
}

struct Frozen {
    nodes: VecDeque<Node>,
    /// Bodies kept aside, by number.
    kept: BTreeMap<u32, Body>,
    /// The number of the node to be written next.
    next: u32,
    /// Nodes up to this number are part of the snapshot.
    last: u32,
    /// Where the next node was last seen, or a little off.
    hint: usize,
    freeze: Freeze,
}

impl Deref for Nodes {
    type Target = VecDeque<Node>;

    #[inline]
    fn deref(&self) -> &VecDeque<Node> {
        match &self.0 {
            State::Free(nodes) => nodes,
            State::Frozen(frozen) => &frozen.nodes,
        }
    }
}

impl Nodes {
    pub(super) fn new() -> Nodes {
        Nodes(State::Free(VecDeque::new()))
    }

    /// For what changes no element.
    #[inline]
    fn nodes_mut(&mut self) -> &mut VecDeque<Node> {
        match &mut self.0 {
            State::Free(nodes) => nodes,
            State::Frozen(frozen) => &mut frozen.nodes,
        }
    }

    /// A node whose elements are going to change.
    #[inline]
    pub(super) fn change(&mut self, index: usize) -> &mut Node {
        match &mut self.0 {
            State::Free(nodes) => &mut nodes[index],
            State::Frozen(frozen) => {
                let node = &mut frozen.nodes[index];
                if node.number >= frozen.next {
                    frozen.freeze.hold(node.body.heap_bytes());
                    frozen.kept.insert(node.number, node.body.clone());
                    node.number = 0;
                }
                node
            }
        }
    }

    /// A node whose elements stay, for holding them in another way.
    #[inline]
    pub(super) fn repack(&mut self, index: usize, how: fn(&mut Node)) {
        how(&mut self.nodes_mut()[index]);
    }

    /// Adds a node that is not part of any snapshot.
    pub(super) fn insert(&mut self, index: usize, node: Node) {
        debug_assert!(node.number == 0, "numbers are given by `freeze`");
        self.nodes_mut().insert(index, node);
    }

    pub(super) fn remove(&mut self, index: usize) -> Node {
        self.change(index);
        self.nodes_mut()
            .remove(index)
            .expect("callers know it is there")
    }

    pub(super) fn drain(&mut self, range: Range<usize>) {
        match &mut self.0 {
            State::Free(nodes) => drop(nodes.drain(range)),
            State::Frozen(frozen) => {
                for node in frozen.nodes.drain(range) {
                    if node.number >= frozen.next {
                        frozen.freeze.hold(node.body.heap_bytes());
                        frozen.kept.insert(node.number, node.body);
                    }
                }
            }
        }
    }

    /// Drops the nodes that were emptied by changes.
    pub(super) fn drop_empty(&mut self) {
        self.nodes_mut().retain(|node| node.count > 0);
    }

    /// Most lists stay with one node.
    pub(super) fn reserve_one(&mut self) {
        self.nodes_mut().reserve_exact(1);
    }

    /// Gives back room that a drained queue would keep.
    pub(super) fn shrink(&mut self) {
        let nodes = self.nodes_mut();
        if nodes.len() < nodes.capacity() / 4 {
            nodes.shrink_to(nodes.capacity() / 2);
        }
    }

    // --- snapshots -----------------------------------------------------------------------------------------------

    /// Begins to write the nodes in slices; `freeze` has what precedes them in the file.
    pub(super) fn freeze(&mut self, mut freeze: Freeze) {
        let State::Free(nodes) = &mut self.0 else {
            unreachable!("one snapshot runs at a time, and it freezes a value once")
        };
        let mut nodes = std::mem::take(nodes);
        let last = u32::try_from(nodes.len()).expect("four billion nodes do not fit memory");
        for (node, number) in nodes.iter_mut().zip(1..) {
            node.number = number;
        }
        freeze.expect(nodes.len());
        self.0 = State::Frozen(Box::new(Frozen {
            nodes,
            kept: BTreeMap::new(),
            next: 1,
            last,
            hint: 0,
            freeze,
        }));
    }

    pub(super) fn frozen(&mut self) -> Option<&mut Freeze> {
        match &mut self.0 {
            State::Free(_) => None,
            State::Frozen(frozen) => Some(&mut frozen.freeze),
        }
    }

    pub(super) fn frozen_id(&self) -> Option<FreezeId> {
        match &self.0 {
            State::Free(_) => None,
            State::Frozen(frozen) => Some(frozen.freeze.id()),
        }
    }

    /// Writes about `max_bytes` more; true when all nodes are written.
    pub(super) fn write_slice(&mut self, max_bytes: usize) -> bool {
        match &mut self.0 {
            State::Free(_) => true,
            State::Frozen(frozen) => frozen.write_slice(max_bytes),
        }
    }

    /// Nothing is left to write, or nobody wants it any more.
    pub(super) fn thaw(&mut self) {
        if let State::Frozen(frozen) = &mut self.0 {
            let nodes = std::mem::take(&mut frozen.nodes);
            self.0 = State::Free(nodes);
        }
    }
}

impl Frozen {
    fn write_slice(&mut self, max_bytes: usize) -> bool {
        let start = self.freeze.waiting();
        while self.next <= self.last && self.freeze.waiting() < start + max_bytes {
            let number = self.next;
            if let Some(body) = self.kept.remove(&number) {
                self.freeze.release(body.heap_bytes());
                self.freeze.write_in_turn(|out| write(&body, out));
            } else {
                let at = self.find(number);
                let body = &self.nodes[at].body;
                self.freeze.write_in_turn(|out| write(body, out));
                self.hint = at + 1;
            }
            self.next += 1;
        }
        self.next > self.last
    }

    /// Where the node of a number is; it is neither written nor kept aside.
    fn find(&self, number: u32) -> usize {
        let is_it = |node: &Node| node.number == number;
        if self.nodes.get(self.hint).is_some_and(is_it) {
            return self.hint;
        }
        self.nodes
            .iter()
            .position(is_it)
            .expect("a node leaves its place only by being kept aside")
    }
}

fn write(body: &Body, out: &mut Encoder) {
    out.list_node(body.container(), body.bytes());
}

/// A copy is a list of its own, of which no snapshot knows.
impl Clone for Nodes {
    fn clone(&self) -> Nodes {
        Nodes(State::Free(VecDeque::clone(self)))
    }
}
