//! XINFO: what a stream, its groups and their consumers are like.

use super::groups::no_group;
use super::reply::{write_entries, write_entry, write_id};
use crate::commands::prelude::*;
use front::command::describe;
use resp::Writer;
use store::value::{ConsumerId, Group as ConsumerGroup, History, Pending, Stream, StreamId};

pub(super) static XINFO: Command = Command {
    spec: CommandSpec {
        name: "xinfo",
        group: Group::Stream,
        summary: "Holds the commands about what streams are like.",
        since: "5.0.0",
        complexity: "Depends on subcommand.",
        arity: -2,
        ..CommandSpec::BLANK
    },
    body: Body::Container(&[&CONSUMERS, &GROUPS, &HELP, &STREAM]),
};

static CONSUMERS: Command = Command {
    spec: CommandSpec {
        name: "consumers",
        group: Group::Stream,
        summary: "Lists the consumers of a group.",
        since: "5.0.0",
        complexity: "O(N)",
        arity: 4,
        flags: Flags::READONLY,
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 2)],
        args: &[Arg::key("key", 0), Arg::string("groupname")],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(consumers)),
};

static GROUPS: Command = Command {
    spec: CommandSpec {
        name: "groups",
        group: Group::Stream,
        summary: "Lists the groups of a stream.",
        since: "5.0.0",
        complexity: "O(N)",
        arity: 3,
        flags: Flags::READONLY,
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 2)],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(groups)),
};

static STREAM: Command = Command {
    spec: CommandSpec {
        name: "stream",
        group: Group::Stream,
        summary: "Describes a stream.",
        since: "5.0.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::READONLY,
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 2)],
        args: &[
            Arg::key("key", 0),
            Arg::block("full", &[Arg::integer("count").token("COUNT").optional()])
                .token("FULL")
                .optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(stream)),
};

static HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        group: Group::Stream,
        summary: "Explains the subcommands.",
        since: "5.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::STREAM,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(help)),
};

fn consumers(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, name) = (cx.args[2], cx.args[3]);
    let stream = cx.db.stream(key).or_wrong_type()?;
    let stream = stream.ok_or(CommandError::NoSuchKey)?;
    let group = stream.group(name).ok_or_else(|| no_group(key, name))?;
    let reply = &mut cx.reply;
    reply.array(group.consumer_count());
    for (_, consumer) in group.consumers() {
        reply.map(3);
        reply.bulk("name");
        reply.bulk(consumer.name());
        reply.bulk("pending");
        reply.integer(consumer.pending_count() as i64);
        reply.bulk("idle");
        reply.integer(cx.now.saturating_sub(consumer.seen_at).max(0));
    }
    Ok(())
}

fn groups(cx: &mut DataContext<'_>) -> CommandResult {
    let stream = cx.db.stream(cx.args[2]).or_wrong_type()?;
    let stream = stream.ok_or(CommandError::NoSuchKey)?;
    let reply = &mut cx.reply;
    reply.array(stream.groups().len());
    for (name, group) in stream.groups() {
        reply.map(6);
        reply.bulk("name");
        reply.bulk(name);
        reply.bulk("consumers");
        reply.integer(group.consumer_count() as i64);
        reply.bulk("pending");
        reply.integer(group.pending_count() as i64);
        write_progress(reply, group, stream.history());
    }
    Ok(())
}

/// How far a group has read: three pairs.
fn write_progress(reply: &mut Writer<'_>, group: &ConsumerGroup, history: History) {
    let known = |reply: &mut Writer<'_>, number: Option<i64>| match number {
        Some(number) => reply.integer(number),
        None => reply.null(),
    };
    reply.bulk("last-delivered-id");
    write_id(reply, group.last_id);
    reply.bulk("entries-read");
    known(reply, group.entries_read.map(u64::cast_signed));
    reply.bulk("lag");
    known(reply, history.lag(group));
}

/// Entries and pending entries that XINFO STREAM FULL shows of each list unless told otherwise.
const DEFAULT_COUNT: usize = 10;

/// How many FULL shows of each list; None without FULL.
fn parse_full(args: &[&[u8]]) -> Result<Option<usize>, CommandError> {
    let is = |word: &[u8], name: &[u8]| word.eq_ignore_ascii_case(name);
    match &args[3..] {
        [] => Ok(None),
        [full] if is(full, b"FULL") => Ok(Some(DEFAULT_COUNT)),
        [full, option, count] if is(full, b"FULL") && is(option, b"COUNT") => {
            Ok(Some(match parse_integer(count)? {
                ..0 => DEFAULT_COUNT,
                0 => usize::MAX,
                count => count as usize,
            }))
        }
        _ => Err(unknown_subcommand_or_arity(args)),
    }
}

fn stream(cx: &mut DataContext<'_>) -> CommandResult {
    let stream = cx.db.stream(cx.args[2]).or_wrong_type()?;
    let stream = stream.ok_or(CommandError::NoSuchKey)?;
    let full = parse_full(cx.args)?;
    let (reply, history) = (&mut cx.reply, stream.history());
    reply.map(if full.is_some() { 9 } else { 10 });
    reply.bulk("length");
    reply.integer(history.len as i64);
    reply.bulk("radix-tree-keys");
    reply.integer(stream.node_count() as i64);
    reply.bulk("radix-tree-nodes");
    reply.integer(stream.radix_tree_nodes() as i64);
    reply.bulk("last-generated-id");
    write_id(reply, history.last_id);
    reply.bulk("max-deleted-entry-id");
    write_id(reply, history.max_deleted_id);
    reply.bulk("entries-added");
    reply.integer(history.entries_added.cast_signed());
    reply.bulk("recorded-first-entry-id");
    write_id(reply, history.first_id);
    match full {
        None => write_ends(reply, stream),
        Some(count) => write_everything(reply, stream, count),
    }
    Ok(())
}

fn write_ends(reply: &mut Writer<'_>, stream: &Stream) {
    reply.bulk("groups");
    reply.integer(stream.groups().len() as i64);
    for (name, entry) in [
        ("first-entry", stream.entries().next()),
        ("last-entry", stream.last()),
    ] {
        reply.bulk(name);
        match entry {
            Some(entry) => write_entry(reply, entry),
            None => reply.null(),
        }
    }
}

fn write_everything(reply: &mut Writer<'_>, stream: &Stream, count: usize) {
    reply.bulk("entries");
    write_entries(reply, stream.entries().take(count), |_| {});
    reply.bulk("groups");
    reply.array(stream.groups().len());
    for (name, group) in stream.groups() {
        reply.map(7);
        reply.bulk("name");
        reply.bulk(name);
        write_progress(reply, group, stream.history());
        reply.bulk("pel-count");
        reply.integer(group.pending_count() as i64);
        reply.bulk("pending");
        reply.array(group.pending_count().min(count));
        for (id, pending) in group.pending_range(EVERY_ID).take(count) {
            reply.array(4);
            write_id(reply, id);
            reply.bulk(group.consumer(pending.consumer).name());
            write_delivery(reply, pending);
        }
        reply.bulk("consumers");
        reply.array(group.consumer_count());
        for (id, _) in group.consumers() {
            write_consumer(reply, group, id, count);
        }
    }
}

const EVERY_ID: std::ops::RangeInclusive<StreamId> = StreamId::MIN..=StreamId::MAX;

fn write_consumer(reply: &mut Writer<'_>, group: &ConsumerGroup, id: ConsumerId, count: usize) {
    let consumer = group.consumer(id);
    reply.map(4);
    reply.bulk("name");
    reply.bulk(consumer.name());
    reply.bulk("seen-time");
    reply.integer(consumer.seen_at);
    reply.bulk("pel-count");
    reply.integer(consumer.pending_count() as i64);
    reply.bulk("pending");
    reply.array(consumer.pending_count().min(count));
    for (id, pending) in group.pending_of(id, EVERY_ID).take(count) {
        reply.array(3);
        write_id(reply, id);
        write_delivery(reply, pending);
    }
}

fn write_delivery(reply: &mut Writer<'_>, pending: Pending) {
    reply.integer(pending.delivered_at);
    reply.integer(pending.deliveries.cast_signed());
}

fn help(cx: &mut DataContext<'_>) -> CommandResult {
    describe::help(
        &mut cx.reply,
        b"xinfo",
        &[
            (
                "CONSUMERS <key> <groupname>",
                "List the consumers of the group.",
            ),
            ("GROUPS <key>", "List the groups of the stream."),
            (
                "STREAM <key> [FULL [COUNT <count>]]",
                "Describe the stream, with FULL its entries and groups as well.",
            ),
        ],
    );
    Ok(())
}
