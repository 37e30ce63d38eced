//! XREAD and XREADGROUP: what is new in some streams, at once or when it comes.
//!
//! A reader that waits names a moment by an id (`$` is fixed when it comes), or its group does. One key that got
//! something is enough to wake it, and then it is told of that key only.

mod group;
mod request;

use super::ids::{parse_id, until_nul};
use super::reply::write_entries;
use crate::commands::prelude::*;
use crate::effects::BlockOn;
use front::client::OwnedArgs;
use group::xreadgroup;
use request::{Request, parse};
use resp::{Deferred, Writer};
use std::ops::RangeInclusive;
use store::value::{Direction, Stream, StreamId};

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
