//! A consumer group: how far it has read, who reads for it, and what was delivered and not acknowledged yet.

use super::{StreamId, tree_bytes};
use crate::entry::UnixMillis;
use crate::memory::size_class;
use std::collections::btree_map::Entry as MapEntry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// See the module.
#[derive(Clone)]
pub struct Group {
    /// The id of the last entry delivered to anybody.
    pub last_id: StreamId,
    /// How many entries the stream got up to `last_id`, if that can be told.
    pub entries_read: Option<u64>,
    /// Deliveries that wait to be acknowledged.
    pending: BTreeMap<StreamId, Pending>,
    names: BTreeMap<Box<[u8]>, ConsumerId>,
    /// By id; the places of deleted ones are used again.
    consumers: Vec<Option<Consumer>>,
    free: Vec<ConsumerId>,
}

/// A delivery that waits to be acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    pub consumer: ConsumerId,
    pub delivered_at: UnixMillis,
    /// How often the entry was delivered.
    pub deliveries: u64,
}

/// Names a consumer within its group, until it is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerId(u32);

/// One who reads for a group.
#[derive(Clone)]
pub struct Consumer {
    name: Box<[u8]>,
    /// When it last asked for something.
    pub seen_at: UnixMillis,
    /// What waits for its acknowledgement: the keys of its part of the group's pending entries.
    pending: BTreeSet<StreamId>,
}

impl Group {
    /// A group without consumers.
    pub fn new(last_id: StreamId, entries_read: Option<u64>) -> Group {
        Group {
            last_id,
            entries_read,
            pending: BTreeMap::new(),
            names: BTreeMap::new(),
            consumers: Vec::new(),
            free: Vec::new(),
        }
    }

    // --- consumers -----------------------------------------------------------------------------------------------

    /// The consumer of this name.
    pub fn find(&self, name: &[u8]) -> Option<ConsumerId> {
        self.names.get(name).copied()
    }

    /// A consumer of the group.
    pub fn consumer(&self, id: ConsumerId) -> &Consumer {
        self.consumers[id.0 as usize]
            .as_ref()
            .expect("ids of deleted consumers are not kept")
    }

    /// A consumer of the group, to change it.
    pub fn consumer_mut(&mut self, id: ConsumerId) -> &mut Consumer {
        self.consumers[id.0 as usize]
            .as_mut()
            .expect("ids of deleted consumers are not kept")
    }

    /// The consumers, sorted by name.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = (ConsumerId, &Consumer)> {
        self.names.values().map(|&id| (id, self.consumer(id)))
    }

    pub fn consumer_count(&self) -> usize {
        self.names.len()
    }

    /// Adds a consumer; None if there is one of this name.
    pub fn add_consumer(&mut self, name: &[u8], seen_at: UnixMillis) -> Option<ConsumerId> {
        if self.names.contains_key(name) {
            return None;
        }
        let consumer = Some(Consumer {
            name: name.into(),
            seen_at,
            pending: BTreeSet::new(),
        });
        let id = self.free.pop().unwrap_or_else(|| {
            let index = u32::try_from(self.consumers.len());
            self.consumers.push(None);
            ConsumerId(index.expect("consumers are far fewer than 2^32"))
        });
        self.consumers[id.0 as usize] = consumer;
        self.names.insert(name.into(), id);
        Some(id)
    }

    /// Deletes a consumer and what waits for its acknowledgement. Returns how much that was; None if there is no such
    /// consumer.
    pub fn remove_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let id = self.names.remove(name)?;
        let consumer = self.consumers[id.0 as usize].take();
        self.free.push(id);
        let pending = consumer
            .map(|consumer| consumer.pending)
            .unwrap_or_default();
        for id in &pending {
            self.pending.remove(id);
        }
        Some(pending.len())
    }

    // --- pending entries -----------------------------------------------------------------------------------------

    pub fn pending_count(&self) -> usize {
        self.pending.len()
    }

    pub fn pending(&self, id: StreamId) -> Option<Pending> {
        self.pending.get(&id).copied()
    }

    /// The pending entry of this id, to change it. Its consumer is changed by [`Group::assign`].
    pub fn pending_mut(&mut self, id: StreamId) -> Option<&mut Pending> {
        self.pending.get_mut(&id)
    }

    /// What waits in a range of ids.
    pub fn pending_range(
        &self,
        ids: RangeInclusive<StreamId>,
    ) -> impl DoubleEndedIterator<Item = (StreamId, Pending)> {
        let ids = Some(ids).filter(|ids| !ids.is_empty());
        let range = ids.map(|ids| self.pending.range(ids));
        range
            .into_iter()
            .flatten()
            .map(|(&id, &pending)| (id, pending))
    }

    /// What waits in a range of ids for the acknowledgement of one consumer.
    pub fn pending_of(
        &self,
        consumer: ConsumerId,
        ids: RangeInclusive<StreamId>,
    ) -> impl Iterator<Item = (StreamId, Pending)> {
        let ids = Some(ids).filter(|ids| !ids.is_empty());
        let range = ids.map(|ids| self.consumer(consumer).pending.range(ids));
        range.into_iter().flatten().map(|&id| {
            let pending = self.pending(id).expect("consumers list what is pending");
            (id, pending)
        })
    }

    /// Makes an entry wait for the acknowledgement of `pending.consumer`, whoever's it was before. Returns whether it
    /// did not wait at all.
    pub fn assign(&mut self, id: StreamId, pending: Pending) -> bool {
        let former = match self.pending.entry(id) {
            MapEntry::Vacant(place) => {
                place.insert(pending);
                None
            }
            MapEntry::Occupied(mut place) => Some(place.insert(pending).consumer),
        };
        if former != Some(pending.consumer) {
            if let Some(former) = former {
                self.consumer_mut(former).pending.remove(&id);
            }
            self.consumer_mut(pending.consumer).pending.insert(id);
        }
        former.is_none()
    }

    /// An entry waits no longer. Returns whether it did.
    pub fn acknowledge(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(&id) else {
            return false;
        };
        self.consumer_mut(pending.consumer).pending.remove(&id);
        true
    }

    /// Bytes held from the allocator.
    pub(super) fn heap_bytes(&self) -> usize {
        let names = self.names.keys().map(|name| size_class(name.len()) * 2);
        names.sum::<usize>()
            + tree_bytes::<Box<[u8]>, ConsumerId>(self.names.len())
            + tree_bytes::<StreamId, Pending>(self.pending.len())
            // Each is in the set of one consumer too.
            + tree_bytes::<StreamId, ()>(self.pending.len())
            + size_class(self.consumers.capacity() * size_of::<Option<Consumer>>())
            + size_class(self.free.capacity() * size_of::<ConsumerId>())
    }
}

impl Consumer {
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    pub fn pending_count(&self) -> usize {
        self.pending.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(ms: u64) -> StreamId {
        StreamId::new(ms, 0)
    }

    fn everything() -> RangeInclusive<StreamId> {
        StreamId::MIN..=StreamId::MAX
    }

    /// A group in which a has 1 and 2, b has 3.
    fn group() -> (Group, ConsumerId, ConsumerId) {
        let mut group = Group::new(StreamId::MIN, None);
        let a = group.add_consumer(b"a", 10).unwrap();
        let b = group.add_consumer(b"b", 10).unwrap();
        for (ms, consumer) in [(1, a), (2, a), (3, b)] {
            assert!(group.assign(id(ms), waiting(consumer)));
        }
        (group, a, b)
    }

    fn waiting(consumer: ConsumerId) -> Pending {
        Pending {
            consumer,
            delivered_at: 5,
            deliveries: 1,
        }
    }

    fn ids(pending: impl Iterator<Item = (StreamId, Pending)>) -> Vec<u64> {
        pending.map(|(id, _)| id.ms).collect()
    }

    #[test]
    fn what_waits_is_listed_by_group_and_by_consumer() {
        let (group, a, b) = group();
        assert_eq!(ids(group.pending_range(everything())), [1, 2, 3]);
        assert_eq!(ids(group.pending_range(id(2)..=id(2))), [2]);
        assert_eq!(ids(group.pending_range(id(3)..=id(2))), []);
        assert_eq!(ids(group.pending_of(a, everything())), [1, 2]);
        assert_eq!(ids(group.pending_of(a, id(3)..=id(2))), []);
        assert_eq!(ids(group.pending_of(b, everything())), [3]);
    }

    #[test]
    fn an_entry_waits_for_one_consumer_only() {
        let (mut group, a, b) = group();
        assert!(!group.assign(id(1), waiting(b)));
        assert!(!group.assign(id(3), waiting(b)));
        assert_eq!(ids(group.pending_of(a, everything())), [2]);
        assert_eq!(ids(group.pending_of(b, everything())), [1, 3]);
        assert_eq!(group.pending_count(), 3);
    }

    #[test]
    fn an_acknowledged_entry_waits_nowhere() {
        let (mut group, a, _) = group();
        assert!(group.acknowledge(id(1)));
        assert!(!group.acknowledge(id(1)));
        assert_eq!(group.consumer(a).pending_count(), 1);
        assert_eq!(ids(group.pending_range(everything())), [2, 3]);
    }

    #[test]
    fn a_deleted_consumer_takes_along_what_waited_for_it() {
        let (mut group, a, _) = group();
        assert_eq!(group.remove_consumer(b"a"), Some(2));
        assert_eq!(group.remove_consumer(b"a"), None);
        assert_eq!(ids(group.pending_range(everything())), [3]);
        assert_eq!(group.find(b"a"), None);
        // The place is used again, by another name.
        assert_eq!(group.add_consumer(b"c", 1), Some(a));
        assert_eq!(group.consumer(a).pending_count(), 0);
        assert_eq!(group.add_consumer(b"b", 1), None);
        let names: Vec<_> = group.consumers().map(|(_, c)| c.name().to_vec()).collect();
        assert_eq!(names, [b"b", b"c"]);
    }
}
