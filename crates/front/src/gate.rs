//! The commit gate: no answer leaves before what it was made from is safe.
//!
//! The owner numbers its changes by their position in one stream, tells how far the stream is applied, and later how far
//! it is committed (synced to disk, held by enough replicas; with several conditions the owner tells the smallest). While
//! something is applied and not committed, whatever a turn produced for any client (replies to reads as well, messages,
//! answers to blocked clients) waits until the end of the stream as that turn left it is committed: nobody sees a change
//! that a crash could take back. With nothing on its way the gate is open and costs a comparison.

use crate::client::ClientKey;
use std::collections::VecDeque;

/// See the module.
#[derive(Debug, Default)]
pub struct CommitGate {
    applied: u64,
    committed: u64,
    /// Oldest first.
    held: VecDeque<Held>,
}

/// What one turn produced: for each client the end of its output, by [`crate::output_buffer::OutputBuffer::end`].
#[derive(Debug)]
struct Held {
    position: u64,
    outputs: Vec<(ClientKey, u64)>,
}

impl CommitGate {
    /// The stream is applied up to here; it never goes back.
    pub fn applied(&mut self, position: u64) {
        assert!(position >= self.applied, "a stream only grows");
        self.applied = position;
    }

    /// Whether everything applied is committed, so that answers may leave at once.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.committed >= self.applied
    }

    /// Keeps a turn's outputs until everything applied so far is committed.
    pub(crate) fn hold(&mut self, outputs: Vec<(ClientKey, u64)>) {
        debug_assert!(!self.is_open(), "an open gate holds nothing");
        match self.held.back_mut() {
            Some(last) if last.position == self.applied => last.outputs.extend(outputs),
            _ => self.held.push_back(Held {
                position: self.applied,
                outputs,
            }),
        }
    }

    /// The stream is committed up to here: what may leave now, oldest first.
    pub(crate) fn commit(&mut self, position: u64) -> Vec<(ClientKey, u64)> {
        assert!(
            position <= self.applied,
            "only what is applied can be committed"
        );
        self.committed = self.committed.max(position);
        let mut released = Vec::new();
        while self
            .held
            .front()
            .is_some_and(|held| held.position <= self.committed)
        {
            released.extend(self.held.pop_front().into_iter().flat_map(|h| h.outputs));
        }
        released
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(index: u32) -> ClientKey {
        ClientKey {
            index,
            generation: 1,
        }
    }

    #[test]
    fn a_gate_without_changes_is_open() {
        assert!(CommitGate::default().is_open());
    }

    #[test]
    fn a_reply_waits_for_everything_applied_when_it_was_made() {
        let mut gate = CommitGate::default();
        gate.applied(10);
        assert!(!gate.is_open());
        gate.hold(vec![(client(1), 5)]);
        gate.applied(20);
        gate.hold(vec![(client(2), 7)]);
        assert_eq!(gate.commit(9), []);
        assert_eq!(gate.commit(10), [(client(1), 5)]);
        assert!(!gate.is_open());
        assert_eq!(gate.commit(20), [(client(2), 7)]);
        assert!(gate.is_open());
    }

    #[test]
    fn a_read_while_a_write_is_on_its_way_waits_for_that_write() {
        let mut gate = CommitGate::default();
        gate.applied(10);
        gate.hold(vec![(client(1), 5)]);
        gate.hold(vec![(client(2), 3)]);
        assert_eq!(gate.commit(10), [(client(1), 5), (client(2), 3)]);
    }

    #[test]
    fn a_commit_of_less_than_was_committed_changes_nothing() {
        let mut gate = CommitGate::default();
        gate.applied(10);
        gate.commit(10);
        assert_eq!(gate.commit(3), []);
        assert!(gate.is_open());
    }
}
