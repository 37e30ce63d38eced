//! XREADGROUP: what nobody of a group was given, or what one consumer was.

use super::request::{Reader, Request, parse};
use super::{StreamsReply, WOKEN_COUNT, behind, unread, wait, wait_on};
use crate::commands::prelude::*;
use crate::commands::stream::ids::{parse_id, until_nul};
use crate::commands::stream::propagate;
use crate::commands::stream::reply::{shown, write_entries, write_entry, write_id};
use std::ops::RangeInclusive;
use store::value::{ConsumerId, Direction, Pending, StreamId};

/// From where on a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Behind(StreamId),
    /// `>`: what nobody of the group was given.
    New,
}

pub(super) fn xreadgroup(cx: &mut DataContext<'_>) -> CommandResult {
    let request = parse(cx.args, cx.now, true)?;
    let reader = request.group.expect("the parser demands a group");
    // What it gives is propagated as XCLAIM.
    cx.effects.propagate_nothing();
    if let Some(key) = cx.effects.woken_by.take() {
        return read_group_woken(cx, &request, reader, &key);
    }
    let mut starts = Vec::with_capacity(request.keys.len());
    for (key, id) in request.keys.iter().zip(request.ids) {
        let stream = cx.db.stream(key).or_wrong_type()?;
        if stream
            .and_then(|stream| stream.group(reader.group))
            .is_none()
        {
            let text = format!(
                "NOGROUP No such key '{}' or consumer group '{}' in XREADGROUP with GROUP option",
                shown(key),
                shown(reader.group)
            );
            return Err(CommandError::Text(text.into()));
        }
        starts.push(match until_nul(id) {
            b"$" => {
                return Err(CommandError::text(
                    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this \
                     consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just \
                     return an empty result set.",
                ));
            }
            b">" => From::New,
            _ => match parse_id(id, 0)? {
                // Nothing is behind it; Redis means `>` by it inside.
                StreamId::MAX => From::New,
                id => From::Behind(id),
            },
        });
    }
    let mut reply = StreamsReply::new();
    for (key, start) in request.keys.iter().zip(starts) {
        let stream = cx.db.stream(key).or_wrong_type()?;
        let group = stream.and_then(|stream| Some((stream, stream.group(reader.group)?)));
        let Some((stream, group)) = group else {
            continue;
        };
        let ids = match start {
            From::Behind(id) => behind(id),
            From::New => unread(stream, group.last_id),
        };
        let Some(ids) = ids else {
            continue;
        };
        // Who is given nothing is not noted as a consumer either.
        let consumer = consumer_of(cx, key, reader, request.no_ack)?;
        reply.begin_stream(&mut cx.reply, key);
        match start {
            From::Behind(_) => read_history(cx, key, reader, consumer, ids, request.count)?,
            From::New => {
                deliver(
                    cx,
                    key,
                    reader,
                    consumer,
                    ids,
                    request.count,
                    request.no_ack,
                )?;
            }
        }
        cx.effects.dirty += 1;
    }
    if !reply.finish(&mut cx.reply) {
        wait(cx, &request, None);
    }
    Ok(())
}

fn read_group_woken(
    cx: &mut DataContext<'_>,
    request: &Request<'_>,
    reader: Reader<'_>,
    key: &[u8],
) -> CommandResult {
    let Ok(Some(stream)) = cx.db.stream(key) else {
        return Err(CommandError::text(
            "UNBLOCKED the stream key no longer exists",
        ));
    };
    let Some(group) = stream.group(reader.group) else {
        return Err(CommandError::text(
            "NOGROUP the consumer group this client was blocked on no longer exists",
        ));
    };
    let start = group.last_id;
    if stream.history().last_id <= start {
        wait_on(cx);
        return Ok(());
    }
    let consumer = consumer_of(cx, key, reader, request.no_ack)?;
    let ids = behind(start).expect("there is a greater id");
    let count = request.count.or(Some(WOKEN_COUNT));
    let mut reply = StreamsReply::new();
    reply.begin_stream(&mut cx.reply, key);
    deliver(cx, key, reader, consumer, ids, count, request.no_ack)?;
    reply.finish(&mut cx.reply);
    cx.effects.dirty += 1;
    Ok(())
}

/// The consumer a reader is, made if there is none of its name. It is seen now.
fn consumer_of(
    cx: &mut DataContext<'_>,
    key: &[u8],
    reader: Reader<'_>,
    no_ack: bool,
) -> Result<ConsumerId, CommandError> {
    let stream = cx.db.stream_mut(key).or_wrong_type()?;
    let group = stream.and_then(|stream| stream.group_mut(reader.group));
    let group = group.expect("the caller has found the group");
    if let Some(consumer) = group.find(reader.consumer) {
        group.consumer_mut(consumer).seen_at = cx.now;
        return Ok(consumer);
    }
    let consumer = group.add_consumer(reader.consumer, cx.now);
    cx.effects.dirty += 1;
    cx.effects
        .notify(EventClass::STREAM, "xgroup-createconsumer", key);
    if no_ack {
        // Otherwise what it is given makes it known.
        cx.effects.propagate_as(&[
            b"XGROUP",
            b"CREATECONSUMER",
            key,
            reader.group,
            reader.consumer,
        ]);
    }
    Ok(consumer.expect("there is none of this name"))
}

/// Answers with entries nobody of the group was given, and notes who was given them now.
fn deliver(
    cx: &mut DataContext<'_>,
    key: &[u8],
    reader: Reader<'_>,
    consumer: ConsumerId,
    ids: RangeInclusive<StreamId>,
    count: Option<usize>,
    no_ack: bool,
) -> CommandResult {
    let Some(stream) = cx.db.stream_mut(key).or_wrong_type()? else {
        return Ok(());
    };
    let mut given = Vec::new();
    let entries = stream.range(ids, Direction::Forward);
    let entries = entries.take(count.unwrap_or(usize::MAX));
    write_entries(&mut cx.reply, entries, |id| given.push(id));
    let history = stream.history();
    let Some(group) = stream.group_mut(reader.group) else {
        return Ok(());
    };
    let pending = Pending {
        consumer,
        delivered_at: cx.now,
        deliveries: 1,
    };
    for &id in &given {
        group.entries_read = history.entries_read_after(group.entries_read, id);
        group.last_id = id;
        if !no_ack {
            // XGROUP SETID may have had the group go back: then it is taken from whom it was given before.
            group.assign(id, pending);
            let names = [key, reader.group, reader.consumer];
            propagate::claimed(cx.effects, names, id.text().as_ref(), pending, id);
        }
    }
    if no_ack && !given.is_empty() {
        let (last_id, read) = (group.last_id, group.entries_read);
        propagate::read_up_to(cx.effects, [key, reader.group], last_id, read);
    }
    Ok(())
}

/// Answers with what a consumer was given and has not acknowledged. Entries deleted since have no fields.
fn read_history(
    cx: &mut DataContext<'_>,
    key: &[u8],
    reader: Reader<'_>,
    consumer: ConsumerId,
    ids: RangeInclusive<StreamId>,
    count: Option<usize>,
) -> CommandResult {
    let Some(stream) = cx.db.stream_mut(key).or_wrong_type()? else {
        return Ok(());
    };
    let group = stream.group(reader.group);
    let group = group.expect("the caller has found the group");
    let mark = cx.reply.deferred_array();
    let mut told = 0;
    let mut still_there = Vec::new();
    let pending = group.pending_of(consumer, ids);
    for (id, _) in pending.take(count.unwrap_or(usize::MAX)) {
        match stream.get(id) {
            Some(entry) => {
                write_entry(&mut cx.reply, entry);
                still_there.push(id);
            }
            None => {
                cx.reply.array(2);
                write_id(&mut cx.reply, id);
                cx.reply.null_array();
            }
        }
        told += 1;
    }
    cx.reply.finish_array(mark, told);
    for id in still_there {
        let group = stream.group_mut(reader.group);
        if let Some(pending) = group.and_then(|group| group.pending_mut(id)) {
            pending.delivered_at = cx.now;
            pending.deliveries = pending.deliveries.saturating_add(1);
        }
    }
    Ok(())
}
