//! XREAD and XREADGROUP: what is new in some streams, at once or when it comes.
//!
//! A reader that waits names a moment by an id (`$` is fixed when it comes), or its group does. One key that got
//! something is enough to wake it, and then it is told of that key only.

use super::ids::{parse_id, until_nul};
use super::propagate;
use super::reply::{shown, write_entries, write_entry, write_id};
use crate::commands::prelude::*;
use crate::effects::BlockOn;
use front::UnixMillis;
use front::client::OwnedArgs;
use resp::{Deferred, Writer};
use std::ops::RangeInclusive;
use store::value::{ConsumerId, Direction, Pending, Stream, StreamId};

pub(super) static XREAD: Command = Command {
    spec: CommandSpec {
        name: "xread",
        group: Group::Stream,
        summary: "Returns entries of several streams behind given ids, or waits for some.",
        since: "5.0.0",
        complexity: "O(N) for N entries returned",
        arity: -4,
        flags: Flags::READONLY
            .and(Flags::BLOCKING)
            .and(Flags::MOVABLE_KEYS),
        categories: Categories::STREAM,
        keys: &[KeySpec::keyword(
            KeyFlags::RO.and(KeyFlags::ACCESS),
            "STREAMS",
            1,
            KEYS_AND_IDS,
        )],
        args: &[
            Arg::integer("count").token("COUNT").optional(),
            Arg::integer("milliseconds").token("BLOCK").optional(),
            Arg::block("streams", STREAMS_ARGS).token("STREAMS"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(xread)),
};

pub(super) static XREADGROUP: Command = Command {
    spec: CommandSpec {
        name: "xreadgroup",
        group: Group::Stream,
        summary: "Gives a consumer entries nobody of its group was given, or tells what it was given.",
        since: "5.0.0",
        complexity: "O(N) for N entries returned",
        arity: -7,
        flags: Flags::WRITE.and(Flags::BLOCKING).and(Flags::MOVABLE_KEYS),
        categories: Categories::STREAM,
        keys: &[KeySpec::keyword(
            KeyFlags::RO.and(KeyFlags::ACCESS),
            "STREAMS",
            4,
            KEYS_AND_IDS,
        )],
        args: &[
            Arg::block(
                "group_consumer",
                &[Arg::string("group"), Arg::string("consumer")],
            )
            .token("GROUP"),
            Arg::integer("count").token("COUNT").optional(),
            Arg::integer("milliseconds").token("BLOCK").optional(),
            Arg::flag("noack", "NOACK").optional(),
            Arg::block("streams", STREAMS_ARGS).token("STREAMS"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(xreadgroup)),
};

/// The first half of what follows.
const KEYS_AND_IDS: FindKeys = FindKeys::Range {
    last: -1,
    step: 1,
    limit: 2,
};

const STREAMS_ARGS: &[Arg] = &[Arg::key("key", 0).multiple(), Arg::string("id").multiple()];

/// A reader that waits and names no COUNT gets at most so many entries.
const WOKEN_COUNT: usize = 1000;

/// What the words of a request say.
struct Request<'a> {
    /// How many entries of each stream, at most.
    count: Option<usize>,
    /// Whether to wait, and until when; forever if that is None.
    wait: Option<Option<UnixMillis>>,
    no_ack: bool,
    group: Option<Reader<'a>>,
    keys: &'a [&'a [u8]],
    ids: &'a [&'a [u8]],
}

/// Who reads for a group.
#[derive(Clone, Copy)]
struct Reader<'a> {
    group: &'a [u8],
    consumer: &'a [u8],
}

/// From where on a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Behind(StreamId),
    /// `>`: what nobody of the group was given.
    New,
}

fn parse<'a>(
    args: &'a [&'a [u8]],
    now: UnixMillis,
    is_group: bool,
) -> Result<Request<'a>, CommandError> {
    let only_group = |option: &str| {
        Err(CommandError::err(format_args!(
            "The {option} option is only supported by XREADGROUP. You called XREAD instead."
        )))
    };
    let (mut count, mut wait, mut no_ack, mut group) = (None, None, false, None);
    let mut streams = None;
    let mut at = 1;
    while at < args.len() {
        let (word, rest) = (args[at], &args[at + 1..]);
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        at += match rest {
            [millis, ..] if is(b"BLOCK") => {
                wait = Some(parse_millis(millis, now)?);
                2
            }
            [number, ..] if is(b"COUNT") => {
                // 0 and less mean all.
                count = Some(parse_integer(number)?.max(0) as usize).filter(|&count| count > 0);
                2
            }
            [_, ..] if is(b"STREAMS") => {
                streams = Some(rest);
                break;
            }
            [_, _, ..] if is(b"GROUP") && !is_group => return only_group("GROUP"),
            [name, consumer, ..] if is(b"GROUP") => {
                group = Some(Reader {
                    group: name,
                    consumer,
                });
                3
            }
            _ if is(b"NOACK") && !is_group => return only_group("NOACK"),
            _ if is(b"NOACK") => {
                no_ack = true;
                1
            }
            _ => return Err(CommandError::Syntax),
        };
    }
    let streams = match streams {
        Some(streams) if streams.len() % 2 == 0 => streams,
        Some(_) => {
            return Err(CommandError::text(
                "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
            ));
        }
        None => return Err(CommandError::Syntax),
    };
    if is_group && group.is_none() {
        return Err(CommandError::text(
            "ERR Missing GROUP option for XREADGROUP",
        ));
    }
    let (keys, ids) = streams.split_at(streams.len() / 2);
    Ok(Request {
        count,
        wait,
        no_ack,
        group,
        keys,
        ids,
    })
}

/// The timeout of BLOCK as a wall-clock limit; 0 waits forever.
fn parse_millis(word: &[u8], now: UnixMillis) -> Result<Option<UnixMillis>, CommandError> {
    let millis = store::int::parse_i64(word).ok_or(CommandError::text(
        "ERR timeout is not an integer or out of range",
    ))?;
    match millis {
        ..0 => Err(CommandError::text("ERR timeout is negative")),
        0 => Ok(None),
        millis => Ok(Some(now.saturating_add(millis))),
    }
}

fn xread(cx: &mut DataContext<'_>) -> CommandResult {
    let request = parse(cx.args, cx.now, false)?;
    if let Some(key) = cx.effects.woken_by.take() {
        return read_woken(cx, &request, &key);
    }
    let mut starts = Vec::with_capacity(request.keys.len());
    for (key, id) in request.keys.iter().zip(request.ids) {
        let stream = cx.db.stream(key).or_wrong_type()?;
        starts.push(match until_nul(id) {
            b"$" => stream.map_or(StreamId::MIN, |stream| stream.history().last_id),
            b">" => {
                return Err(CommandError::text(
                    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
                ));
            }
            _ => parse_id(id, 0)?,
        });
    }
    let mut reply = StreamsReply::new();
    for (key, &start) in request.keys.iter().zip(&starts) {
        if let Some(stream) = cx.db.stream(key).or_wrong_type()?
            && let Some(ids) = unread(stream, start)
        {
            reply.begin_stream(&mut cx.reply, key);
            read_entries(&mut cx.reply, stream, ids, request.count);
        }
    }
    if !reply.finish(&mut cx.reply) {
        wait(cx, &request, Some(&starts));
    }
    Ok(())
}

/// The ids behind `start`, if there is an entry of one.
fn unread(stream: &Stream, start: StreamId) -> Option<RangeInclusive<StreamId>> {
    if start >= stream.history().last_id || stream.last()?.id <= start {
        return None;
    }
    behind(start)
}

/// The ids behind `id`, if there can be any.
fn behind(id: StreamId) -> Option<RangeInclusive<StreamId>> {
    Some(id.next()?..=StreamId::MAX)
}

fn read_entries(
    reply: &mut Writer<'_>,
    stream: &Stream,
    ids: RangeInclusive<StreamId>,
    count: Option<usize>,
) {
    let entries = stream.range(ids, Direction::Forward);
    write_entries(reply, entries.take(count.unwrap_or(usize::MAX)), |_| {});
}

/// A key got something while the reader waited. What came may be gone again, which makes an empty list.
fn read_woken(cx: &mut DataContext<'_>, request: &Request<'_>, key: &[u8]) -> CommandResult {
    let at = request.keys.iter().position(|&other| other == key);
    let start = at.map(|at| parse_id(request.ids[at], 0)).transpose()?;
    match (start, cx.db.stream(key).or_wrong_type()?) {
        (Some(start), Some(stream)) if stream.history().last_id > start => {
            let ids = behind(start).expect("there is a greater id");
            let count = request.count.or(Some(WOKEN_COUNT));
            let mut reply = StreamsReply::new();
            reply.begin_stream(&mut cx.reply, key);
            read_entries(&mut cx.reply, stream, ids, count);
            reply.finish(&mut cx.reply);
        }
        _ => wait_on(cx),
    }
    Ok(())
}

fn xreadgroup(cx: &mut DataContext<'_>) -> CommandResult {
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

/// A reader that was woken for nothing waits as before.
fn wait_on(cx: &mut DataContext<'_>) {
    cx.effects.block_on(&[], None);
}

/// Waits, or answers as if the time were up where that is not wanted or not possible. `starts` are what the ids meant now.
fn wait(cx: &mut DataContext<'_>, request: &Request<'_>, starts: Option<&[StreamId]>) {
    let Some(until) = request.wait.filter(|_| !cx.deny_blocking) else {
        cx.reply.null_array();
        return;
    };
    cx.effects.block_on(request.keys, until);
    let Some(BlockOn {
        request: again,
        ends_with_key,
        ..
    }) = &mut cx.effects.block
    else {
        return;
    };
    *ends_with_key = request.group.is_some();
    if let Some(starts) = starts {
        let texts: Vec<_> = starts.iter().map(|id| id.text()).collect();
        let words = cx.args.len() - request.ids.len();
        let mut args = cx.args[..words].to_vec();
        args.extend(texts.iter().map(AsRef::as_ref));
        *again = Some(OwnedArgs::new(&args));
    }
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

/// The reply: for each stream with something to tell its key and its entries.
struct StreamsReply {
    mark: Option<Deferred>,
    streams: usize,
}

impl StreamsReply {
    fn new() -> StreamsReply {
        StreamsReply {
            mark: None,
            streams: 0,
        }
    }

    /// The key; the entries follow.
    fn begin_stream(&mut self, reply: &mut Writer<'_>, key: &[u8]) {
        self.mark.get_or_insert_with(|| reply.deferred_array());
        self.streams += 1;
        if !reply.is_resp3() {
            reply.array(2);
        }
        reply.bulk(key);
    }

    /// Whether anything was told.
    fn finish(self, reply: &mut Writer<'_>) -> bool {
        let Some(mark) = self.mark else {
            return false;
        };
        if reply.is_resp3() {
            reply.finish_map(mark, self.streams);
        } else {
            reply.finish_array(mark, self.streams);
        }
        true
    }
}
