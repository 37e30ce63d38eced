//! The last bytes of the replication stream, for replicas that come back after a break.

use std::collections::VecDeque;

/// Keeps as many of the last bytes as it may.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    bytes: VecDeque<u8>,
    limit: usize,
}

impl Backlog {
    /// An empty backlog of at most so many bytes. Memory is taken as it fills.
    pub(crate) fn new(limit: usize) -> Backlog {
        Backlog {
            bytes: VecDeque::new(),
            limit,
        }
    }

    /// Adds what was sent; the oldest bytes go.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        let kept = &bytes[bytes.len().saturating_sub(self.limit)..];
        let excess = (self.bytes.len() + kept.len()).saturating_sub(self.limit);
        self.bytes.drain(..excess);
        self.bytes.extend(kept);
    }

    /// Keeps at most so many bytes from now on.
    pub(crate) fn resize(&mut self, limit: usize) {
        self.limit = limit;
        let excess = self.bytes.len().saturating_sub(limit);
        self.bytes.drain(..excess);
        self.bytes.shrink_to(limit);
    }

    /// How many bytes it may hold.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// How many bytes it holds.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of memory held.
    pub(crate) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// The last `count` bytes, in two pieces.
    pub(crate) fn last(&self, count: usize) -> [&[u8]; 2] {
        let skipped = self.bytes.len() - count;
        let (first, second) = self.bytes.as_slices();
        match first.get(skipped..) {
            Some(first) => [first, second],
            None => [&[], &second[skipped - first.len()..]],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bytes_stay_however_they_came() {
        let mut backlog = Backlog::new(10);
        let mut all = Vec::new();
        for round in 0..40u8 {
            let piece: Vec<u8> = (0..round % 13)
                .map(|i| round.wrapping_mul(7).wrapping_add(i))
                .collect();
            backlog.append(&piece);
            all.extend(&piece);
            let held = all.len().min(10);
            assert_eq!(backlog.len(), held);
            for count in 0..=held {
                assert_eq!(backlog.last(count).concat(), all[all.len() - count..]);
            }
        }
        backlog.resize(4);
        assert_eq!(backlog.last(4).concat(), all[all.len() - 4..]);
        backlog.resize(10);
        backlog.append(b"abc");
        assert_eq!(backlog.len(), 7);
    }
}
