//! Entries in the order of their ids, or against it, read where they are.

use super::StreamId;
use super::index::NodeIndex;
use super::node::{Entries, Entry, EntryAt, Node};
use std::collections::btree_map::Range;
use std::ops::RangeInclusive;

/// Which way a range is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

/// The entries of a range of ids.
pub struct StreamRange<'a> {
    ids: RangeInclusive<StreamId>,
    direction: Direction,
    nodes: Range<'a, StreamId, Node>,
    current: Option<Entries<'a>>,
}

impl<'a> StreamRange<'a> {
    pub(super) fn new(
        nodes: &'a NodeIndex,
        ids: RangeInclusive<StreamId>,
        direction: Direction,
    ) -> StreamRange<'a> {
        StreamRange {
            nodes: nodes.overlapping(ids.clone()),
            ids,
            direction,
            current: None,
        }
    }

    #[inline]
    fn next_in_node(&mut self) -> Option<EntryAt<'a>> {
        let entries = self.current.as_mut()?;
        match self.direction {
            Direction::Forward => entries.next(),
            Direction::Backward => entries.next_back(),
        }
    }
}

impl<'a> Iterator for StreamRange<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            while let Some(at) = self.next_in_node() {
                if !at.deleted && self.ids.contains(&at.entry.id) {
                    return Some(at.entry);
                }
            }
            let (&base, node) = match self.direction {
                Direction::Forward => self.nodes.next()?,
                Direction::Backward => self.nodes.next_back()?,
            };
            self.current = Some(node.entries(base));
        }
    }
}
