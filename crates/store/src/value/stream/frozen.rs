//! What a snapshot keeps of a big stream that it writes in slices.
//!
//! The writer follows the index. A node it has not reached is kept aside before it changes or goes, and then written from
//! there. Nodes that are added meanwhile lie behind all of the snapshot's. What comes behind the nodes (ids, groups, what
//! they wait for) is laid out when the snapshot begins.

use super::StreamId;
use super::node::Node;
use crate::rdb::stream::save_node;
use crate::snapshot::Freeze;
use std::collections::BTreeMap;

/// See the module.
pub(super) struct Frozen {
    freeze: Freeze,
    /// Nodes under smaller ids are written.
    next: StreamId,
    /// The last of the snapshot's nodes in the index; None when what is left of them is kept aside.
    last: Option<StreamId>,
    /// Nodes kept aside.
    kept: BTreeMap<StreamId, Node>,
    /// What comes behind the nodes, until it is written.
    rest: Option<Vec<u8>>,
}

impl Frozen {
    /// `freeze` has what precedes the nodes in the file.
    pub(super) fn new(
        mut freeze: Freeze,
        nodes: usize,
        last: Option<StreamId>,
        rest: Vec<u8>,
    ) -> Frozen {
        freeze.expect_bytes(nodes, nodes + 1);
        freeze.hold(rest.capacity());
        Frozen {
            freeze,
            next: StreamId::MIN,
            last,
            kept: BTreeMap::new(),
            rest: Some(rest),
        }
    }

    pub(super) fn freeze(&self) -> &Freeze {
        &self.freeze
    }

    pub(super) fn freeze_mut(&mut self) -> &mut Freeze {
        &mut self.freeze
    }

    /// Whether a node of the index is yet to be written.
    fn wants(&self, base: StreamId) -> bool {
        self.next <= base
            && self.last.is_some_and(|last| base <= last)
            && !self.kept.contains_key(&base)
    }

    #[cold]
    pub(super) fn before_change(&mut self, base: StreamId, node: &Node) {
        if self.wants(base) {
            self.keep(base, node.clone());
        }
    }

    #[cold]
    pub(super) fn after_removal(&mut self, base: StreamId, node: Node) {
        if self.wants(base) {
            self.keep(base, node);
        }
    }

    /// Leaves nothing of the snapshot in the index alone.
    pub(super) fn keep_all(&mut self, nodes: &BTreeMap<StreamId, Node>) {
        for (&base, node) in nodes {
            self.before_change(base, node);
        }
        self.last = None;
    }

    fn keep(&mut self, base: StreamId, node: Node) {
        self.freeze.hold(node.heap_bytes());
        self.kept.insert(base, node);
    }

    /// Writes about `max_bytes` more; true when everything is written.
    pub(super) fn write_slice(
        &mut self,
        nodes: &BTreeMap<StreamId, Node>,
        max_bytes: usize,
    ) -> bool {
        let start = self.freeze.waiting();
        while self.freeze.waiting() < start + max_bytes {
            let in_index = self.last.filter(|&last| self.next <= last);
            let in_index = in_index.and_then(|last| nodes.range(self.next..=last).next());
            let kept = self.kept.first_key_value().map(|(&base, _)| base);
            let base = match (kept, in_index) {
                (Some(kept), in_index) if in_index.is_none_or(|(&base, _)| kept <= base) => {
                    let node = self.kept.remove(&kept).expect("it is the first");
                    self.freeze.release(node.heap_bytes());
                    self.freeze
                        .write_in_turn(|out| save_node(out, kept, node.listpack()));
                    kept
                }
                (_, Some((&base, node))) => {
                    self.freeze
                        .write_in_turn(|out| save_node(out, base, node.listpack()));
                    base
                }
                (_, None) => {
                    if let Some(rest) = self.rest.take() {
                        self.freeze.release(rest.capacity());
                        self.freeze.write_in_turn(|out| out.raw(&rest));
                    }
                    return true;
                }
            };
            match base.next() {
                Some(next) => self.next = next,
                // Nothing is behind the last possible id.
                None => self.last = None,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use crate::rdb::save::Encoder;
    use crate::snapshot::Freeze;
    use crate::value::{Group, NodeLimits, Stream, StreamId, Trim, TrimTo, ValueRef};
    use proptest::prelude::*;

    const LIMITS: NodeLimits = NodeLimits {
        bytes: 4096,
        entries: 3,
    };

    fn id(ms: u64) -> StreamId {
        StreamId::new(ms, 0)
    }

    fn saved(stream: &Stream) -> Vec<u8> {
        let mut out = Encoder::new(false);
        out.value(ValueRef::Stream(stream));
        out.take().bytes
    }

    #[derive(Clone, Debug)]
    enum Step {
        Add(u8),
        Delete(u16),
        MaxLen(u8),
        /// Everything goes, and ids begin anew.
        Restart,
        Group,
        Write(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (1..4u8).prop_map(Step::Add),
            4 => (0..60u16).prop_map(Step::Delete),
            1 => (0..20u8).prop_map(Step::MaxLen),
            1 => Just(Step::Restart),
            1 => Just(Step::Group),
            4 => (1..200u8).prop_map(Step::Write),
        ]
    }

    fn change(stream: &mut Stream, step: &Step) {
        match step {
            Step::Add(ms) => {
                let last = stream.history().last_id;
                let id = id(last.ms + u64::from(*ms));
                stream.add(id, &[b"f", b"some value"], LIMITS).unwrap();
            }
            Step::Delete(ms) => drop(stream.delete(id(u64::from(*ms)))),
            Step::MaxLen(max) => {
                stream.trim(Trim {
                    to: TrimTo::MaxLen(u64::from(*max)),
                    approximate: false,
                    limit: 0,
                });
            }
            Step::Restart => {
                change(stream, &Step::MaxLen(0));
                stream.set_history(StreamId::MIN, None, None);
            }
            Step::Group => {
                let number = stream.groups().len().to_string();
                let mut group = Group::new(stream.history().last_id, None);
                group.add_consumer(b"some consumer", 5);
                stream.add_group(number.as_bytes(), group);
            }
            Step::Write(_) => {}
        }
    }

    proptest! {
        #[test]
        fn what_is_written_in_slices_is_what_was_there_at_the_beginning(
            before in prop::collection::vec(step(), 0..40),
            during in prop::collection::vec(step(), 0..60),
        ) {
            let mut stream = Stream::default();
            before.iter().for_each(|step| change(&mut stream, step));
            let expected = saved(&stream);
            let (freeze, tally) = Freeze::for_test(Encoder::new(false));
            stream.freeze(freeze);
            let (mut found, mut done) = (Vec::new(), false);
            for step in during.iter().chain([&Step::Write(u8::MAX); 40]) {
                change(&mut stream, step);
                if let Step::Write(bytes) = step && !done {
                    done = stream.write_slice(usize::from(*bytes));
                    found.extend(stream.frozen().unwrap().take().bytes);
                }
            }
            prop_assert!(done);
            prop_assert_eq!(found, expected);
            prop_assert_eq!(stream.clone().frozen_id(), None);
            stream.thaw();
            prop_assert!(!tally.is_lost());
            prop_assert_eq!(tally.waiting_bytes(), 0);
            prop_assert_eq!(stream.frozen_id(), None);
        }
    }
}
