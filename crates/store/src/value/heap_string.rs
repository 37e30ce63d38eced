//! A string too long for its entry.
//!
//! A snapshot writes a very long one in pieces. Meanwhile it is *frozen*: a piece that is not written yet is kept aside
//! before it changes.

use crate::memory::size_class;
use crate::snapshot::{Freeze, FreezeId};
use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes of one piece.
const PIECE: usize = 64 * 1024;

/// See the module.
pub struct HeapString(State);

enum State {
    Free(Vec<u8>),
    Frozen(Box<Frozen>),
}

struct Frozen {
    bytes: Vec<u8>,
    /// How long it was when the snapshot began.
    len: usize,
    /// Pieces kept aside, by number.
    kept: BTreeMap<usize, Vec<u8>>,
    /// The piece to be written next.
    next: usize,
    freeze: Freeze,
}

impl From<Vec<u8>> for HeapString {
    fn from(bytes: Vec<u8>) -> HeapString {
        HeapString(State::Free(bytes))
    }
}

impl HeapString {
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            State::Free(bytes) => bytes,
            State::Frozen(frozen) => &frozen.bytes,
        }
    }

    /// Bytes held from the allocator.
    pub(crate) fn heap_bytes(&self) -> usize {
        let bytes = match &self.0 {
            State::Free(bytes) => bytes,
            State::Frozen(frozen) => &frozen.bytes,
        };
        size_class(bytes.capacity())
    }

    /// The bytes, to be changed in `changed` and behind their end only.
    pub(crate) fn edit(&mut self, changed: Range<usize>) -> &mut Vec<u8> {
        match &mut self.0 {
            State::Free(bytes) => bytes,
            State::Frozen(frozen) => {
                frozen.keep(changed);
                &mut frozen.bytes
            }
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self.0 {
            State::Free(bytes) => bytes,
            State::Frozen(frozen) => frozen.bytes,
        }
    }

    // --- snapshots -----------------------------------------------------------------------------------------------

    /// Begins to write the string in pieces; `freeze` has what precedes it in the file.
    pub(crate) fn freeze(&mut self, mut freeze: Freeze) {
        let State::Free(bytes) = &mut self.0 else {
            unreachable!("one snapshot runs at a time, and it freezes a value once")
        };
        let bytes = std::mem::take(bytes);
        let len = bytes.len();
        freeze.expect_bytes(len, len.div_ceil(PIECE));
        self.0 = State::Frozen(Box::new(Frozen {
            bytes,
            len,
            kept: BTreeMap::new(),
            next: 0,
            freeze,
        }));
    }

    pub(crate) fn frozen(&mut self) -> Option<&mut Freeze> {
        match &mut self.0 {
            State::Free(_) => None,
            State::Frozen(frozen) => Some(&mut frozen.freeze),
        }
    }

    pub(crate) fn frozen_id(&self) -> Option<FreezeId> {
        match &self.0 {
            State::Free(_) => None,
            State::Frozen(frozen) => Some(frozen.freeze.id()),
        }
    }

    /// Writes one piece more; true when all are written.
    pub(crate) fn write_slice(&mut self) -> bool {
        match &mut self.0 {
            State::Free(_) => true,
            State::Frozen(frozen) => frozen.write_slice(),
        }
    }

    /// Nothing is left to write, or nobody wants it any more.
    pub(crate) fn thaw(&mut self) {
        if let State::Frozen(frozen) = &mut self.0 {
            let bytes = std::mem::take(&mut frozen.bytes);
            self.0 = State::Free(bytes);
        }
    }
}

impl Frozen {
    fn piece(&self, number: usize) -> Range<usize> {
        number * PIECE..((number + 1) * PIECE).min(self.len)
    }

    fn keep(&mut self, changed: Range<usize>) {
        let end = changed.end.min(self.len);
        if changed.start >= end {
            return;
        }
        for number in (changed.start / PIECE).max(self.next)..end.div_ceil(PIECE) {
            let range = self.piece(number);
            let (freeze, bytes) = (&mut self.freeze, &self.bytes);
            self.kept.entry(number).or_insert_with(|| {
                freeze.hold(range.len());
                bytes[range].to_vec()
            });
        }
    }

    fn write_slice(&mut self) -> bool {
        let range = self.piece(self.next);
        if !range.is_empty() {
            let kept = self.kept.remove(&self.next);
            if kept.is_some() {
                self.freeze.release(range.len());
            }
            let piece = kept.as_deref().unwrap_or_else(|| &self.bytes[range]);
            self.freeze.write_in_turn(|out| out.raw(piece));
            self.next += 1;
        }
        self.piece(self.next).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdb::save::Encoder;

    #[test]
    fn what_is_written_is_what_was_there_whatever_changes_meanwhile() {
        let before: Vec<u8> = (0..5 * PIECE + 7).map(|n| (n / 7) as u8).collect();
        let (freeze, tally) = Freeze::for_test(Encoder::new(true));
        let mut string = HeapString::from(before.clone());
        string.freeze(freeze);
        let mut out = Vec::new();
        let edits = [
            3 * PIECE - 1..3 * PIECE + 1,
            0..1,
            before.len()..before.len(),
            2..before.len(),
        ];
        let mut edits = edits.into_iter();
        let mut done = false;
        while !done {
            if let Some(range) = edits.next() {
                let bytes = string.edit(range.clone());
                bytes[range].fill(0xee);
                bytes.extend_from_slice(b"more");
            }
            done = string.write_slice();
            let freeze = string.frozen().expect("it is frozen until it is thawed");
            out.extend(freeze.take().compress());
        }
        string.thaw();
        assert!(!tally.is_lost());
        let mut expected = Encoder::new(false);
        expected.string(&before);
        assert!(out == expected.take().compress());
        assert!(string.bytes().ends_with(b"moremoremoremore"));
        assert_eq!(tally.waiting_bytes(), 0);
    }

    #[test]
    fn a_string_that_goes_before_it_is_written_is_noticed() {
        let (freeze, tally) = Freeze::for_test(Encoder::new(true));
        let mut string = HeapString::from(vec![0; 2 * PIECE]);
        string.freeze(freeze);
        assert!(!string.write_slice());
        drop(string);
        assert!(tally.is_lost());
        assert_eq!(tally.waiting_bytes(), 0);
    }
}
