//! The stream type: entries under ever growing ids, kept in macro nodes, and the groups that read them.
//!
//! ```text
//! Stream ── NodeIndex: id -> Node (a listpack of up to stream-node-max-entries entries)
//!        └─ groups: name -> Group ── pending entries by id
//!                                 └─ consumers
//! ```

mod frozen;
mod group;
mod history;
mod id;
mod index;
mod node;
mod range;
mod trim;

pub use group::{Consumer, ConsumerId, Group, Pending};
pub use history::History;
pub use id::{IdText, StreamId};
pub use node::{ENTRY_BYTES_MAX, Entry, Fields, InvalidNode, NodeLimits};
pub use range::{Direction, StreamRange};
pub use trim::{Trim, TrimTo};

use crate::encoding::listpack::Listpack;
use crate::memory::{extrapolate, size_class};
use crate::rdb::save::Encoder;
use crate::rdb::stream::save_rest;
use crate::snapshot::{Freeze, FreezeId};
use frozen::Frozen;
use index::NodeIndex;
use node::Node;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// See the module. An empty stream is a value like any other: it keeps its ids and groups.
#[derive(Clone, Default)]
pub struct Stream {
    nodes: NodeIndex,
    history: History,
    groups: BTreeMap<Box<[u8]>, Group>,
}

/// Why an entry cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddError {
    /// Its id is not greater than all before.
    IdTooSmall,
    /// Its fields and values exceed what a node can hold.
    TooLarge,
}

impl Stream {
    /// How many entries.
    pub fn len(&self) -> u64 {
        self.history.len
    }

    pub fn is_empty(&self) -> bool {
        self.history.len == 0
    }

    /// What the stream has been through.
    pub fn history(&self) -> History {
        self.history
    }

    /// States what the stream has been through when its entries cannot tell. The caller sees to it that no entry is
    /// newer than `last_id`.
    pub fn set_history(
        &mut self,
        last_id: StreamId,
        entries_added: Option<u64>,
        max_deleted_id: Option<StreamId>,
    ) {
        if last_id < self.history.last_id {
            self.nodes.ids_go_back();
        }
        self.history.last_id = last_id;
        if let Some(entries_added) = entries_added {
            self.history.entries_added = entries_added;
        }
        if let Some(max_deleted_id) = max_deleted_id {
            self.history.max_deleted_id = max_deleted_id;
        }
    }

    /// The id of an entry that is added at `now` without saying one; None once the last possible id was given.
    pub fn next_id(&self, now_ms: u64) -> Option<StreamId> {
        if now_ms > self.history.last_id.ms {
            Some(StreamId::new(now_ms, 0))
        } else {
            self.history.last_id.next()
        }
    }

    /// Adds an entry; `pairs` are fields and values in turn.
    pub fn add(
        &mut self,
        id: StreamId,
        pairs: &[&[u8]],
        limits: NodeLimits,
    ) -> Result<(), AddError> {
        if id <= self.history.last_id {
            return Err(AddError::IdTooSmall);
        }
        let bytes = pairs.iter().map(|item| item.len()).sum();
        if bytes > ENTRY_BYTES_MAX {
            return Err(AddError::TooLarge);
        }
        match self.nodes.last_mut() {
            Some((base, node)) if node.has_room(bytes, limits) => node.push(base, id, pairs),
            last => {
                if let Some((_, node)) = last {
                    node.close();
                }
                self.nodes.insert(id, Node::with_entry(pairs));
            }
        }
        self.history.len += 1;
        self.history.entries_added += 1;
        self.history.last_id = id;
        if self.history.len == 1 {
            self.history.first_id = id;
        }
        Ok(())
    }

    /// Deletes an entry. Returns whether there was one of this id.
    pub fn delete(&mut self, id: StreamId) -> bool {
        let Some((base, node)) = self.nodes.holding(id) else {
            return false;
        };
        let found = node
            .entries(base)
            .find(|at| at.entry.id == id && !at.deleted);
        let Some(place) = found.map(|at| at.place) else {
            return false;
        };
        if node.live() == 1 {
            self.nodes.remove(base);
        } else if let Some(node) = self.nodes.get_mut(base) {
            node.delete(&[place]);
        }
        self.history.len -= 1;
        self.history.max_deleted_id = self.history.max_deleted_id.max(id);
        if id == self.history.first_id {
            self.find_first();
        }
        true
    }

    /// The entries of these ids.
    pub fn range(&self, ids: RangeInclusive<StreamId>, direction: Direction) -> StreamRange<'_> {
        StreamRange::new(&self.nodes, ids, direction)
    }

    /// Every entry.
    pub fn entries(&self) -> StreamRange<'_> {
        self.range(StreamId::MIN..=StreamId::MAX, Direction::Forward)
    }

    /// The entry of this id.
    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        self.range(id..=id, Direction::Forward).next()
    }

    /// The last entry.
    pub fn last(&self) -> Option<Entry<'_>> {
        self.range(StreamId::MIN..=StreamId::MAX, Direction::Backward)
            .next()
    }

    fn find_first(&mut self) {
        self.history.first_id = self
            .entries()
            .next()
            .map_or(StreamId::MIN, |entry| entry.id);
    }

    // --- groups --------------------------------------------------------------------------------------------------

    /// The groups, sorted by name.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.groups.iter().map(|(name, group)| (&**name, group))
    }

    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.get(name)
    }

    pub fn group_mut(&mut self, name: &[u8]) -> Option<&mut Group> {
        self.groups.get_mut(name)
    }

    /// Adds a group; false if there is one of this name.
    pub fn add_group(&mut self, name: &[u8], group: Group) -> bool {
        if self.groups.contains_key(name) {
            return false;
        }
        self.groups.insert(name.into(), group);
        true
    }

    /// Deletes a group. Returns whether there was one of this name.
    pub fn remove_group(&mut self, name: &[u8]) -> bool {
        self.groups.remove(name).is_some()
    }

    // --- how it is kept ------------------------------------------------------------------------------------------

    /// Macro nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Nodes of the radix tree in which Redis would keep the macro nodes.
    pub fn radix_tree_nodes(&self) -> usize {
        self.nodes.tree_nodes()
    }

    /// Adds a macro node that was saved, under the id that was saved with it. What else the stream has been through is told
    /// by [`Stream::set_history`].
    ///
    /// # Errors
    /// It is no macro node, or there is one under this id.
    pub fn add_node(&mut self, base: StreamId, items: Listpack) -> Result<(), InvalidNode> {
        let node = Node::validated(items)?;
        let live = node.live();
        // Ids that are added later must be greater than all there are, even if nothing else is in order.
        let ids = node.entries(base).map(|at| at.entry.id);
        let last_id = ids.max().map_or(base, |id| id.max(base));
        if !self.nodes.insert(base, node) {
            return Err(InvalidNode);
        }
        self.history.len += live;
        self.history.last_id = self.history.last_id.max(last_id);
        self.find_first();
        Ok(())
    }

    /// The macro nodes as they are saved, with the id each is kept under.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (StreamId, &Listpack)> {
        self.nodes
            .iter()
            .map(|(base, node)| (base, node.listpack()))
    }

    // --- snapshots, see `frozen` ---------------------------------------------------------------------------------

    /// Begins to write the stream in slices.
    pub(crate) fn freeze(&mut self, freeze: Freeze) {
        let mut rest = Encoder::new(false);
        save_rest(&mut rest, self);
        self.nodes.freeze(freeze, rest.take().bytes);
    }

    pub(crate) fn frozen(&mut self) -> Option<&mut Freeze> {
        self.nodes.frozen_mut().map(Frozen::freeze_mut)
    }

    pub(crate) fn frozen_id(&self) -> Option<FreezeId> {
        self.nodes.frozen().map(|frozen| frozen.freeze().id())
    }

    /// Writes about `max_bytes` more; true when everything is written.
    pub(crate) fn write_slice(&mut self, max_bytes: usize) -> bool {
        self.nodes.write_slice(max_bytes)
    }

    /// Nothing is left to write, or nobody wants it any more.
    pub(crate) fn thaw(&mut self) {
        self.nodes.thaw();
    }

    // --- what it takes -------------------------------------------------------------------------------------------

    /// How many allocations freeing this takes, roughly.
    pub fn free_effort(&self) -> usize {
        let pending = |group: &Group| 1 + group.pending_count();
        self.nodes.tree_nodes() + self.groups.values().map(pending).sum::<usize>()
    }

    /// Bytes held from the allocator; looks at `samples` of the macro nodes, at all if 0.
    pub fn heap_bytes(&self, samples: usize) -> usize {
        let node_bytes = |(_, node): (StreamId, &Node)| node.heap_bytes();
        let nodes = extrapolate(self.nodes.len(), samples, self.nodes.iter().map(node_bytes));
        let groups = self.groups();
        let group_bytes =
            |(name, group): (&[u8], &Group)| size_class(name.len()) + group.heap_bytes();
        nodes
            + tree_bytes::<StreamId, Node>(self.nodes.len())
            + groups.map(group_bytes).sum::<usize>()
            + tree_bytes::<Box<[u8]>, Group>(self.groups.len())
    }
}

/// Bytes that a tree of so many keys and values takes, about: its nodes are rarely full.
fn tree_bytes<K, V>(len: usize) -> usize {
    (size_of::<K>() + size_of::<V>()) * len * 3 / 2
}

#[cfg(test)]
mod tests;
