//! What a stream has been through: enough to tell how far a group is behind without counting entries.

use super::{Group, StreamId};

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// How many entries there are.
    pub len: u64,
    /// The id of the first one, 0-0 if there is none.
    pub first_id: StreamId,
    /// The greatest id ever given, be it of an entry deleted since.
    pub last_id: StreamId,
    /// The greatest id of an entry deleted one by one; trimming leaves no gaps and does not count.
    pub max_deleted_id: StreamId,
    /// How many entries were ever added.
    pub entries_added: u64,
}

impl History {
    /// How many entries the stream got up to and including `id`, where that can be told: gaps left by XDEL hide it.
    pub fn entries_up_to(&self, id: StreamId) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if self.len == 0 && id <= self.last_id {
            return Some(self.entries_added);
        }
        if id >= self.last_id {
            return (id == self.last_id).then_some(self.entries_added);
        }
        if self.has_gap() || id > self.first_id {
            return None;
        }
        let before_first = self.entries_added.saturating_sub(self.len);
        Some(before_first + u64::from(id == self.first_id))
    }

    /// Whether an entry may be missing among those that are left.
    fn has_gap(&self) -> bool {
        self.max_deleted_id != StreamId::MIN && self.max_deleted_id >= self.first_id
    }

    /// Whether an entry may be missing at or after `id`, so that counting on from `id` would be wrong.
    fn has_gap_from(&self, id: StreamId) -> bool {
        self.len > 0 && self.has_gap() && id <= self.max_deleted_id
    }

    /// How many entries a group has not read yet, where that can be told.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        let read = match group.entries_read {
            _ if self.entries_added == 0 => return Some(0),
            Some(read) if !self.has_gap_from(group.last_id) => read,
            _ => self.entries_up_to(group.last_id)?,
        };
        Some(self.entries_added.wrapping_sub(read).cast_signed())
    }

    /// What a group's count of read entries becomes once it was given `id`, the next it had not seen.
    pub fn entries_read_after(&self, entries_read: Option<u64>, id: StreamId) -> Option<u64> {
        match entries_read {
            Some(read) if !self.has_gap_from(id) => Some(read + 1),
            _ if self.entries_added > 0 => self.entries_up_to(id),
            unknown => unknown,
        }
    }
}
