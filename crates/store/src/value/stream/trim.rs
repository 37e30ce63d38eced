//! Cutting a stream from its beginning.

use super::{Stream, StreamId};

/// How far to cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrimTo {
    /// Until no more than so many entries are left.
    MaxLen(u64),
    /// Until no entry before this id is left.
    MinId(StreamId),
}

/// What XTRIM and XADD are asked to cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trim {
    pub to: TrimTo,
    /// Only whole macro nodes go: cheaper, and a little more may be left.
    pub approximate: bool,
    /// Stops before more entries than this would go, or never if 0.
    pub limit: u64,
}

impl Stream {
    /// Deletes entries from the beginning. Returns how many.
    pub fn trim(&mut self, trim: Trim) -> u64 {
        let before = self.history.len;
        while !trim.to.is_reached_by_length(self.history.len)
            && let Some((base, node)) = self.nodes.first()
        {
            let live = node.live();
            if trim.limit > 0 && before - self.history.len + live > trim.limit {
                break;
            }
            let goes_whole = match trim.to {
                TrimTo::MaxLen(max) => self.history.len - live >= max,
                // Of deleted entries too: the last one's id alone is looked at.
                TrimTo::MinId(min) => node
                    .entries(base)
                    .next_back()
                    .is_none_or(|last| last.entry.id < min),
            };
            if goes_whole {
                self.nodes.remove(base);
                self.history.len -= live;
                continue;
            }
            if !trim.approximate {
                self.trim_in_first_node(trim.to);
            }
            break;
        }
        let deleted = before - self.history.len;
        if deleted > 0 {
            self.find_first();
        }
        deleted
    }

    fn trim_in_first_node(&mut self, to: TrimTo) {
        let Some((base, node)) = self.nodes.first() else {
            return;
        };
        let mut left = self.history.len;
        let mut places = Vec::new();
        for at in node.entries(base) {
            let reached = match to {
                TrimTo::MaxLen(max) => left <= max,
                TrimTo::MinId(min) => at.entry.id >= min,
            };
            if reached {
                break;
            }
            if !at.deleted {
                places.push(at.place);
                left -= 1;
            }
        }
        if !places.is_empty()
            && let Some(node) = self.nodes.get_mut(base)
        {
            node.delete(&places);
            self.history.len = left;
        }
    }
}

impl TrimTo {
    fn is_reached_by_length(self, len: u64) -> bool {
        matches!(self, TrimTo::MaxLen(max) if len <= max)
    }
}
