//! What replicas and the AOF hear of a change to a group: where entries ended up, not how.

use crate::effects::Effects;
use crate::words::decimal;
use store::value::{Pending, StreamId};

/// An entry waits for a consumer's acknowledgement. `id` is as the client wrote it, if it did; a replica deletes what waits
/// there for an entry that is gone.
pub(super) fn claimed(
    effects: &mut Effects,
    [key, group, consumer]: [&[u8]; 3],
    id: &[u8],
    pending: Pending,
    last_id: StreamId,
) {
    if !effects.wanted.propagation {
        return;
    }
    effects.propagate_as(&[
        b"XCLAIM",
        key,
        group,
        consumer,
        b"0",
        id,
        b"TIME",
        &decimal(pending.delivered_at),
        b"RETRYCOUNT",
        &decimal(pending.deliveries.cast_signed()),
        b"FORCE",
        b"JUSTID",
        b"LASTID",
        last_id.text().as_ref(),
    ]);
}

/// How far a group has read.
pub(super) fn read_up_to(
    effects: &mut Effects,
    [key, group]: [&[u8]; 2],
    last_id: StreamId,
    entries_read: Option<u64>,
) {
    let entries_read = entries_read.map_or(-1, u64::cast_signed);
    effects.propagate_as(&[
        b"XGROUP",
        b"SETID",
        key,
        group,
        last_id.text().as_ref(),
        b"ENTRIESREAD",
        &decimal(entries_read),
    ]);
}
