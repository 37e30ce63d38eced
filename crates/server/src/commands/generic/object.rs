//! OBJECT: how a value is kept and when it was used.

use crate::commands::prelude::*;
use front::command::describe;
use store::db::{idle_seconds, lfu_count};
use store::entry::Entry;
use store::value::{StringRef, ValueRef};

pub(super) static OBJECT: Command = Command {
    spec: CommandSpec {
        name: "object",
        group: Group::Generic,
        summary: "Holds the commands about how values are kept.",
        since: "2.2.3",
        complexity: "Depends on subcommand.",
        arity: -2,
        ..CommandSpec::BLANK
    },
    body: Body::Container(&[&ENCODING, &FREQ, &HELP, &IDLETIME, &REFCOUNT]),
};

static ENCODING: Command = Command {
    spec: CommandSpec {
        name: "encoding",
        group: Group::Generic,
        summary: "Names the form a value is kept in.",
        since: "2.2.3",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::READONLY,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RO, 2)],
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(encoding)),
};

static FREQ: Command = Command {
    spec: CommandSpec {
        name: "freq",
        group: Group::Generic,
        summary: "Returns how often a key was used, as an LFU policy counts it.",
        since: "4.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::READONLY,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RO, 2)],
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(freq)),
};

static HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        group: Group::Generic,
        summary: "Explains the subcommands.",
        since: "6.2.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::KEYSPACE,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(help)),
};

static IDLETIME: Command = Command {
    spec: CommandSpec {
        name: "idletime",
        group: Group::Generic,
        summary: "Returns for how many seconds a key was not used.",
        since: "2.2.3",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::READONLY,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RO, 2)],
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(idletime)),
};

static REFCOUNT: Command = Command {
    spec: CommandSpec {
        name: "refcount",
        group: Group::Generic,
        summary: "Returns how many references a value has.",
        since: "2.2.3",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::READONLY,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RO, 2)],
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(refcount)),
};

/// Integers below this are shared in Redis.
const SHARED_INTEGERS: i64 = 10_000;

pub(crate) fn encoding_name(entry: &Entry) -> &'static str {
    match entry.value() {
        ValueRef::String(string) => string.encoding(entry.is_raw()),
        ValueRef::List(_) => "quicklist",
        ValueRef::Set(set) => set.encoding(),
        ValueRef::Hash(hash) => hash.encoding(),
        ValueRef::SortedSet(zset) => zset.encoding(),
        ValueRef::Stream(_) => "stream",
    }
}

fn encoding(cx: &mut DataContext<'_>) -> CommandResult {
    match cx.db.peek(cx.args[2]) {
        Some(entry) => cx.reply.bulk(encoding_name(entry)),
        None => cx.reply.null(),
    }
    Ok(())
}

fn refcount(cx: &mut DataContext<'_>) -> CommandResult {
    let settings = cx.settings;
    let shared = !(settings.memory_is_limited && settings.maxmemory_policy.needs_access_clocks());
    match cx.db.peek(cx.args[2]) {
        // Redis shares its small integers; clients see that as a count without end.
        Some(entry) => match entry.value() {
            ValueRef::String(StringRef::Int(0..SHARED_INTEGERS))
                if shared && !entry.is_unshared() =>
            {
                cx.reply.integer(i64::from(i32::MAX))
            }
            _ => cx.reply.integer(1),
        },
        None => cx.reply.null(),
    }
    Ok(())
}

fn idletime(cx: &mut DataContext<'_>) -> CommandResult {
    let (lfu, now) = (cx.settings.maxmemory_policy.counts_uses(), cx.now);
    match cx.db.peek(cx.args[2]) {
        Some(_) if lfu => Err(CommandError::text(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between \
             policies at runtime LRU and LFU data will take some time to adjust.",
        )),
        Some(entry) => {
            let idle = idle_seconds(entry.access(), now);
            cx.reply.integer(i64::from(idle));
            Ok(())
        }
        None => {
            cx.reply.null();
            Ok(())
        }
    }
}

fn freq(cx: &mut DataContext<'_>) -> CommandResult {
    let (lfu, now, decay) = (
        cx.settings.maxmemory_policy.counts_uses(),
        cx.now,
        cx.settings.lfu_decay_time,
    );
    match cx.db.peek(cx.args[2]) {
        Some(_) if !lfu => Err(CommandError::text(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
             switching between policies at runtime LRU and LFU data will take some time to adjust.",
        )),
        Some(entry) => {
            cx.reply
                .integer(i64::from(lfu_count(entry.access(), now, decay)));
            Ok(())
        }
        None => {
            cx.reply.null();
            Ok(())
        }
    }
}

fn help(cx: &mut DataContext<'_>) -> CommandResult {
    describe::help(
        &mut cx.reply,
        b"object",
        &[
            ("ENCODING <key>", "Name the form the value is kept in."),
            (
                "FREQ <key>",
                "Show how often the key was used, under an LFU policy.",
            ),
            (
                "IDLETIME <key>",
                "Show for how many seconds the key was not used.",
            ),
            ("REFCOUNT <key>", "Show how many references the value has."),
        ],
    );
    Ok(())
}
