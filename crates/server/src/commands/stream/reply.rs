//! Entries in replies, and what errors show of a word.

use super::ids::until_nul;
use resp::Writer;
use std::borrow::Cow;
use store::value::{Entry, StreamId};

/// An entry: its id, then its fields and values in turn.
pub(super) fn write_entry(reply: &mut Writer<'_>, entry: Entry<'_>) {
    reply.array(2);
    write_id(reply, entry.id);
    reply.array(entry.fields.len() * 2);
    let mut digits = itoa::Buffer::new();
    for (name, value) in entry.fields {
        reply.bulk(name.as_bytes(&mut digits));
        reply.bulk(value.as_bytes(&mut digits));
    }
}

/// An array of entries.
pub(super) fn write_entries<'a>(
    reply: &mut Writer<'_>,
    entries: impl Iterator<Item = Entry<'a>>,
    mut each: impl FnMut(StreamId),
) {
    let mark = reply.deferred_array();
    let mut count = 0;
    for entry in entries {
        each(entry.id);
        write_entry(reply, entry);
        count += 1;
    }
    reply.finish_array(mark, count);
}

pub(super) fn write_id(reply: &mut Writer<'_>, id: StreamId) {
    reply.bulk(id.text());
}

/// A word of the request within an error's text.
pub(super) fn shown(word: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(until_nul(word))
}
