//! Which history of changes the dataset belongs to and how far it is: ids, the offset in bytes, and the backlog. Whether a
//! replica may continue is decided here, by what it says about itself.

use super::backlog::Backlog;

/// Bytes of an id: hexadecimal digits.
pub(crate) const ID_BYTES: usize = 40;

/// A place in a history, as files keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) id: String,
    pub(crate) offset: u64,
    /// The db that the stream has selected there.
    pub(crate) db: u32,
    /// Replicas that were connected then.
    pub(crate) replicas: u32,
}

/// The history that another one went on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Former {
    pub(crate) id: String,
    /// The offset behind its last byte.
    pub(crate) end: u64,
    /// The db that its stream had selected there.
    pub(crate) db: u32,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct History {
    /// Names the history that is written on.
    pub(crate) id: String,
    pub(crate) former: Option<Former>,
    /// Bytes of the history so far.
    pub(crate) offset: u64,
    /// The offset behind the last byte that changed the dataset: what came after it are signs of life and messages.
    changed_at: u64,
    pub(crate) backlog: Option<Backlog>,
}

impl History {
    pub(crate) fn new(id: String) -> History {
        History {
            id,
            former: None,
            offset: 0,
            changed_at: 0,
            backlog: None,
        }
    }

    /// Bytes of the history that are still here.
    pub(crate) fn held_bytes(&self) -> usize {
        self.backlog.as_ref().map_or(0, Backlog::len)
    }

    /// The offset of the first byte in the backlog.
    pub(crate) fn backlog_start(&self) -> u64 {
        self.offset + 1 - self.held_bytes() as u64
    }

    /// The history grows by these bytes, of which the first `changing` hold all that changes the dataset.
    pub(crate) fn append(&mut self, bytes: &[u8], changing: usize) {
        if changing > 0 {
            self.changed_at = self.offset + changing as u64;
        }
        self.offset += bytes.len() as u64;
        if let Some(backlog) = &mut self.backlog {
            backlog.append(bytes);
        }
    }

    /// What a replica lacks that followed the history `id` and wants the byte at offset `from` next.
    ///
    /// # Errors
    /// Why it cannot continue.
    pub(crate) fn missing(&self, id: &[u8], from: u64) -> Result<[&[u8]; 2], Refusal> {
        let is_former = |former: &Former| former.id.as_bytes() == id && from <= former.end;
        if self.id.as_bytes() != id && !self.former.as_ref().is_some_and(is_former) {
            return Err(Refusal::OtherHistory);
        }
        let Some(backlog) = &self.backlog else {
            return Err(Refusal::NotHeld);
        };
        if from < self.backlog_start() || from > self.offset + 1 {
            return Err(Refusal::NotHeld);
        }
        Ok(backlog.last((self.offset + 1 - from) as usize))
    }

    /// Whether who followed the history `id` and wants the byte at offset `from` next has more of the former history than
    /// this node ever had.
    pub(crate) fn is_ahead(&self, id: &[u8], from: u64) -> bool {
        let of_former = |former: &Former| former.id.as_bytes() == id && from > former.end;
        self.former.as_ref().is_some_and(of_former)
    }

    /// What to ask a master for: a history and the offset of the first byte that is missing here.
    pub(crate) fn next(&self) -> (String, u64) {
        (self.id.clone(), self.offset + 1)
    }

    /// This node is to follow another one. As long as nothing has changed the dataset in a history of its own, it is still
    /// where the former one ended, and more nodes know that one. Returns the db that the stream has selected there.
    pub(crate) fn rejoin(&mut self) -> Option<u32> {
        let former = self.former.clone()?;
        if self.changed_at >= former.end {
            return None;
        }
        let limit = self.backlog.as_ref().map_or(0, Backlog::limit);
        self.follow(former.id, former.end - 1, limit);
        Some(former.db)
    }

    /// The dataset that was loaded is that of this offset.
    pub(crate) fn resume(&mut self, offset: u64, backlog_bytes: usize) {
        self.offset = offset;
        self.changed_at = offset;
        self.backlog = Some(Backlog::new(backlog_bytes));
    }

    /// Another history begins here, with the stream in this db: what was followed so far becomes the former one.
    pub(crate) fn branch(&mut self, id: String, db: u32) {
        let former = std::mem::replace(&mut self.id, id);
        self.former = Some(Former {
            id: former,
            end: self.offset + 1,
            db,
        });
    }

    /// Another history is followed from this offset on; nothing of it is held yet.
    pub(crate) fn follow(&mut self, id: String, offset: u64, backlog_bytes: usize) {
        *self = History {
            id,
            former: None,
            offset,
            changed_at: offset,
            backlog: Some(Backlog::new(backlog_bytes)),
        };
    }
}

/// Why a replica cannot continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    OtherHistory,
    /// The bytes it lacks are no longer here, or were never.
    NotHeld,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let mut history = History::new("a".repeat(ID_BYTES));
        history.offset = 100;
        history.backlog = Some(Backlog::new(10));
        history.append(b"0123456789ab", 12);
        history
    }

    #[test]
    fn a_replica_continues_from_what_the_backlog_holds() {
        let history = history();
        let id = "a".repeat(ID_BYTES);
        let missing = |from| history.missing(id.as_bytes(), from).map(|p| p.concat());
        assert_eq!(history.backlog_start(), 103);
        assert_eq!(missing(113), Ok(vec![]));
        assert_eq!(missing(112), Ok(b"b".to_vec()));
        assert_eq!(missing(103), Ok(b"23456789ab".to_vec()));
        assert_eq!(missing(102), Err(Refusal::NotHeld));
        assert_eq!(missing(114), Err(Refusal::NotHeld));
        assert_eq!(history.missing(b"?", 103), Err(Refusal::OtherHistory));
    }

    #[test]
    fn who_followed_the_former_history_continues_up_to_where_it_ended() {
        let mut history = history();
        history.branch("b".repeat(ID_BYTES), 7);
        history.append(b"xy", 2);
        let former = "a".repeat(ID_BYTES);
        let missing = |from| history.missing(former.as_bytes(), from).map(|p| p.concat());
        assert_eq!(missing(113), Ok(b"xy".to_vec()));
        assert_eq!(missing(112), Ok(b"bxy".to_vec()));
        assert_eq!(missing(114), Err(Refusal::OtherHistory));
        assert!(history.is_ahead(former.as_bytes(), 114));
        assert!(!history.is_ahead(former.as_bytes(), 113));
        assert!(!history.is_ahead(b"?", 114));
    }

    #[test]
    fn who_changed_nothing_since_the_former_history_rejoins_it() {
        let mut history = history();
        history.branch("b".repeat(ID_BYTES), 7);
        history.append(b"ping", 0);
        assert_eq!(history.next(), ("b".repeat(ID_BYTES), 117));
        assert_eq!(history.rejoin(), Some(7));
        assert_eq!(history.next(), ("a".repeat(ID_BYTES), 113));
        assert_eq!(history.held_bytes(), 0);

        history.branch("c".repeat(ID_BYTES), 7);
        history.append(b"set ping", 3);
        assert_eq!(history.rejoin(), None);
        assert_eq!(history.next(), ("c".repeat(ID_BYTES), 121));
    }

    #[test]
    fn nobody_continues_without_a_backlog() {
        let history = History::new("a".repeat(ID_BYTES));
        let id = history.id.clone();
        assert_eq!(history.missing(id.as_bytes(), 1), Err(Refusal::NotHeld));
    }
}
