//! XACK and XPENDING: what was given to a group's consumers and not acknowledged.

use super::entries::parse_ids;
use super::ids::parse_range;
use super::reply::{shown, write_id};
use crate::commands::prelude::*;
use std::ops::RangeInclusive;
use store::value::{Group as ConsumerGroup, Pending, StreamId};

pub(super) static XACK: Command = Command {
    spec: CommandSpec {
        name: "xack",
        group: Group::Stream,
        summary: "Acknowledges entries and counts those that were not acknowledged yet.",
        since: "5.0.0",
        complexity: "O(log(N)) for each entry",
        arity: -4,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::string("id").multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(xack)),
};

pub(super) static XPENDING: Command = Command {
    spec: CommandSpec {
        name: "xpending",
        group: Group::Stream,
        summary: "Tells what waits to be acknowledged.",
        since: "5.0.0",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::READONLY,
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::block(
                "filters",
                &[
                    Arg::integer("min-idle-time")
                        .token("IDLE")
                        .optional()
                        .since("6.2.0"),
                    Arg::string("start"),
                    Arg::string("end"),
                    Arg::integer("count"),
                    Arg::string("consumer").optional(),
                ],
            )
            .optional(),
        ],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(xpending)),
};

fn xack(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, name) = (cx.args[1], cx.args[2]);
    // To Redis this is a read.
    cx.db.access.quiet = false;
    let stream = cx.db.stream(key).or_wrong_type()?;
    if stream.and_then(|stream| stream.group(name)).is_none() {
        cx.reply.integer(0);
        return Ok(());
    }
    let ids = parse_ids(&cx.args[3..])?;
    let stream = cx.db.stream_mut(key).or_wrong_type()?;
    let group = stream.and_then(|stream| stream.group_mut(name));
    let acknowledged = group.map_or(0, |group| {
        ids.into_iter().filter(|&id| group.acknowledge(id)).count()
    });
    cx.effects.dirty += acknowledged as u64;
    cx.reply.integer(acknowledged as i64);
    Ok(())
}

/// Which pending entries XPENDING lists.
struct Filter<'a> {
    min_idle_ms: i64,
    ids: RangeInclusive<StreamId>,
    count: usize,
    consumer: Option<&'a [u8]>,
}

fn parse_filter<'a>(words: &[&'a [u8]]) -> Result<Option<Filter<'a>>, CommandError> {
    /// Start, end, count.
    const LEAST: usize = 3;
    /// IDLE with its value and a consumer as well.
    const MOST: usize = 6;
    if words.is_empty() {
        return Ok(None);
    }
    if !(LEAST..=MOST).contains(&words.len()) {
        return Err(CommandError::Syntax);
    }
    let (mut min_idle_ms, mut words) = (0, words);
    if words[0].eq_ignore_ascii_case(b"IDLE") {
        min_idle_ms = parse_integer(words[1])?;
        words = &words[2..];
        if words.len() < LEAST {
            return Err(CommandError::Syntax);
        }
    }
    let count = parse_integer(words[2])?.max(0) as usize;
    Ok(Some(Filter {
        min_idle_ms,
        ids: parse_range(words[0], words[1])?,
        count,
        consumer: words.get(LEAST).copied(),
    }))
}

fn xpending(cx: &mut DataContext<'_>) -> CommandResult {
    let filter = parse_filter(&cx.args[3..])?;
    let (key, name) = (cx.args[1], cx.args[2]);
    let stream = cx.db.stream(key).or_wrong_type()?;
    let group = stream.and_then(|stream| stream.group(name));
    let group = group.ok_or_else(|| no_key_or_group(key, name))?;
    match filter {
        None => summary(&mut cx.reply, group),
        Some(filter) => list(&mut cx.reply, group, &filter, cx.now),
    }
    Ok(())
}

/// The error of commands that need a stream with a group.
pub(super) fn no_key_or_group(key: &[u8], group: &[u8]) -> CommandError {
    let text = format!(
        "NOGROUP No such key '{}' or consumer group '{}'",
        shown(key),
        shown(group)
    );
    CommandError::Text(text.into())
}

fn summary(reply: &mut resp::Writer<'_>, group: &ConsumerGroup) {
    reply.array(4);
    reply.integer(group.pending_count() as i64);
    let mut all = group.pending_range(StreamId::MIN..=StreamId::MAX);
    let Some((first, _)) = all.next() else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    write_id(reply, first);
    write_id(reply, all.next_back().map_or(first, |(last, _)| last));
    let mark = reply.deferred_array();
    let mut count = 0;
    for (_, consumer) in group.consumers() {
        if consumer.pending_count() > 0 {
            reply.array(2);
            reply.bulk(consumer.name());
            reply.bulk_int(consumer.pending_count() as i64);
            count += 1;
        }
    }
    reply.finish_array(mark, count);
}

fn list(reply: &mut resp::Writer<'_>, group: &ConsumerGroup, filter: &Filter<'_>, now: i64) {
    let ids = filter.ids.clone();
    let mark = reply.deferred_array();
    let mut count = 0;
    let mut show = |(id, pending): (StreamId, Pending)| {
        reply.array(4);
        write_id(reply, id);
        reply.bulk(group.consumer(pending.consumer).name());
        reply.integer(idle_ms(pending, now).max(0));
        reply.integer(pending.deliveries.cast_signed());
        count += 1;
    };
    let is_idle = |(_, pending): &(StreamId, Pending)| {
        filter.min_idle_ms == 0 || idle_ms(*pending, now) >= filter.min_idle_ms
    };
    match filter.consumer.map(|name| group.find(name)) {
        None => {
            let pending = group.pending_range(ids).filter(is_idle);
            pending.take(filter.count).for_each(&mut show);
        }
        Some(Some(consumer)) => {
            let pending = group.pending_of(consumer, ids).filter(is_idle);
            pending.take(filter.count).for_each(&mut show);
        }
        Some(None) => {}
    }
    reply.finish_array(mark, count);
}

/// How long ago a pending entry was given; negative if the clock went back.
pub(super) fn idle_ms(pending: Pending, now: i64) -> i64 {
    now.saturating_sub(pending.delivered_at)
}
