//! The two ends of a list.

use crate::commands::prelude::*;
use store::value::List;

/// LEFT is the head, RIGHT the tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Left,
    Right,
}

impl End {
    /// The end a word names.
    ///
    /// # Errors
    /// Syntax.
    pub(super) fn parse(word: &[u8]) -> Result<End, CommandError> {
        if word.eq_ignore_ascii_case(b"LEFT") {
            Ok(End::Left)
        } else if word.eq_ignore_ascii_case(b"RIGHT") {
            Ok(End::Right)
        } else {
            Err(CommandError::Syntax)
        }
    }

    pub(super) fn push_event(self) -> &'static str {
        match self {
            End::Left => "lpush",
            End::Right => "rpush",
        }
    }

    pub(super) fn pop_event(self) -> &'static str {
        match self {
            End::Left => "lpop",
            End::Right => "rpop",
        }
    }

    pub(super) fn push(self, list: &mut List, value: &[u8]) {
        match self {
            End::Left => list.items.push_front(value),
            End::Right => list.items.push_back(value),
        }
    }

    pub(super) fn pop(self, list: &mut List) -> Option<Vec<u8>> {
        match self {
            End::Left => list.items.pop_front(),
            End::Right => list.items.pop_back(),
        }
    }
}

/// The list at a key, made if it does not exist.
///
/// # Errors
/// The key holds something else.
pub(super) fn list_or_create<'a>(
    db: &'a mut store::db::Db,
    settings: &crate::DataSettings,
    key: &[u8],
) -> Result<&'a mut List, CommandError> {
    let make = || {
        List::new(
            settings.list_max_listpack_size,
            settings.list_compress_depth,
        )
    };
    db.list_or_create(key, make).or_wrong_type()
}

/// Deletes the key of a list that has become empty.
pub(super) fn remove_if_empty(cx: &mut DataContext<'_>, key: &[u8]) {
    if cx
        .db
        .list_mut(key)
        .is_ok_and(|list| list.is_some_and(|list| list.is_empty()))
    {
        cx.db.remove(key);
        cx.effects.notify(EventClass::GENERIC, "del", key);
    }
}
