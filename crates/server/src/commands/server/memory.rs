//! MEMORY: what memory is used for.

use crate::commands::prelude::*;
use crate::memory::{MemoryReport, diagnose};
use front::command::describe;
use store::memory::DEFAULT_SAMPLES;

pub(super) static MEMORY: Command = Command {
    spec: CommandSpec {
        name: "memory",
        group: Group::Server,
        summary: "Holds the commands about memory.",
        since: "4.0.0",
        complexity: "Depends on subcommand.",
        arity: -2,
        ..CommandSpec::BLANK
    },
    body: Body::Container(&[&DOCTOR, &HELP, &MALLOC_STATS, &PURGE, &STATS, &USAGE]),
};

const INSPECTION_TIPS: &[&str] = &[
    "nondeterministic_output",
    "request_policy:all_shards",
    "response_policy:special",
];

static DOCTOR: Command = Command {
    spec: CommandSpec {
        name: "doctor",
        group: Group::Server,
        summary: "Tells in words what looks wrong with memory.",
        since: "4.0.0",
        complexity: "O(1)",
        arity: 2,
        tips: INSPECTION_TIPS,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(doctor)),
};

static HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        group: Group::Server,
        summary: "Explains the subcommands.",
        since: "4.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(help)),
};

static MALLOC_STATS: Command = Command {
    spec: CommandSpec {
        name: "malloc-stats",
        group: Group::Server,
        summary: "Returns the allocator's own statistics.",
        since: "4.0.0",
        complexity: "Depends on how much memory is allocated, could be slow",
        arity: 2,
        tips: INSPECTION_TIPS,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(malloc_stats)),
};

static PURGE: Command = Command {
    spec: CommandSpec {
        name: "purge",
        group: Group::Server,
        summary: "Gives free pages back to the system.",
        since: "4.0.0",
        complexity: "Depends on how much memory is allocated, could be slow",
        arity: 2,
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(purge)),
};

static STATS: Command = Command {
    spec: CommandSpec {
        name: "stats",
        group: Group::Server,
        summary: "Returns what memory is used for.",
        since: "4.0.0",
        complexity: "O(1)",
        arity: 2,
        tips: INSPECTION_TIPS,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(stats)),
};

static USAGE: Command = Command {
    spec: CommandSpec {
        name: "usage",
        group: Group::Server,
        summary: "Estimates the memory of a key with its value.",
        since: "4.0.0",
        complexity: "O(N) where N is the number of samples.",
        arity: -3,
        flags: Flags::READONLY,
        keys: &[KeySpec::one(KeyFlags::RO, 2)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("count").token("SAMPLES").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(usage)),
};

fn doctor(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.reply
        .verbatim(b"txt", diagnose(&MemoryReport::of(cx.server)));
    Ok(())
}

fn malloc_stats(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.reply
        .verbatim(b"txt", front::memory::allocator_statistics());
    Ok(())
}

fn purge(cx: &mut ServerContext<'_>) -> CommandResult {
    if !front::memory::purge() {
        return Err(CommandError::text("ERR Error purging dirty pages"));
    }
    cx.reply.ok();
    Ok(())
}

fn usage(cx: &mut DataContext<'_>) -> CommandResult {
    let samples = match &cx.args[3..] {
        [] => DEFAULT_SAMPLES,
        [word, count, ..] if word.eq_ignore_ascii_case(b"samples") => {
            let count = parse_integer(count)?;
            let samples = usize::try_from(count).map_err(|_| CommandError::Syntax)?;
            if cx.args.len() > 5 {
                return Err(CommandError::Syntax);
            }
            samples
        }
        _ => return Err(CommandError::Syntax),
    };
    match cx.db.peek(cx.args[2]) {
        Some(entry) => cx.reply.integer(entry.memory_usage(samples) as i64),
        None => cx.reply.null(),
    }
    Ok(())
}

/// A figure of MEMORY STATS.
enum Figure {
    Count(usize),
    Signed(i64),
    Ratio(f32),
}

fn stats(cx: &mut ServerContext<'_>) -> CommandResult {
    use Figure::{Count, Ratio, Signed};
    let report = MemoryReport::of(cx.server);
    let (inner, free) = (report.allocator_fragmentation(), report.allocator_rss());
    let (outside, total) = (report.rss_overhead(), report.fragmentation());
    let before_dbs = [
        ("peak.allocated", Count(report.peak)),
        ("total.allocated", Count(report.used)),
        ("startup.allocated", Count(report.startup)),
        ("replication.backlog", Count(report.replication_backlog)),
        ("clients.slaves", Count(report.clients.replicas)),
        ("clients.normal", Count(report.clients.normal)),
        ("cluster.links", Count(0)),
        ("aof.buffer", Count(report.aof_buffer)),
        ("lua.caches", Count(0)),
        ("functions.caches", Count(0)),
    ];
    let after_dbs = [
        ("overhead.total", Count(report.overhead())),
        ("keys.count", Count(report.keys)),
        ("keys.bytes-per-key", Count(report.bytes_per_key())),
        ("dataset.bytes", Count(report.dataset())),
        ("dataset.percentage", Ratio(report.dataset_percent())),
        ("peak.percentage", Ratio(report.peak_percent())),
        ("allocator.allocated", Count(report.allocator.allocated)),
        ("allocator.active", Count(report.allocator.active)),
        ("allocator.resident", Count(report.allocator.resident)),
        ("allocator-fragmentation.ratio", Ratio(inner.ratio)),
        ("allocator-fragmentation.bytes", Signed(inner.bytes)),
        ("allocator-rss.ratio", Ratio(free.ratio)),
        ("allocator-rss.bytes", Signed(free.bytes)),
        ("rss-overhead.ratio", Ratio(outside.ratio)),
        ("rss-overhead.bytes", Signed(outside.bytes)),
        ("fragmentation", Ratio(total.ratio)),
        ("fragmentation.bytes", Signed(total.bytes)),
    ];
    cx.reply
        .map(before_dbs.len() + report.dbs.len() + after_dbs.len());
    for (name, figure) in before_dbs {
        write_figure(cx, name, &figure);
    }
    for db in &report.dbs {
        cx.reply.bulk(format!("db.{}", db.index));
        cx.reply.map(3);
        write_figure(cx, "overhead.hashtable.main", &Count(db.table));
        // An expiry is kept in the entry, so it needs no table of its own.
        write_figure(cx, "overhead.hashtable.expires", &Count(0));
        write_figure(cx, "overhead.hashtable.slot-to-keys", &Count(0));
    }
    for (name, figure) in after_dbs {
        write_figure(cx, name, &figure);
    }
    Ok(())
}

fn write_figure(cx: &mut ServerContext<'_>, name: &str, figure: &Figure) {
    cx.reply.bulk(name);
    match *figure {
        Figure::Count(count) => cx.reply.integer(count as i64),
        Figure::Signed(number) => cx.reply.integer(number),
        Figure::Ratio(ratio) => {
            let mut text = Vec::new();
            store::float::format_g17(f64::from(ratio), &mut text);
            cx.reply.double_text(text);
        }
    }
}

fn help(cx: &mut ServerContext<'_>) -> CommandResult {
    describe::help(
        &mut cx.reply,
        b"memory",
        &[
            ("DOCTOR", "Tell in words what looks wrong with memory."),
            ("MALLOC-STATS", "Show the allocator's own statistics."),
            ("PURGE", "Give free pages back to the system."),
            ("STATS", "Show what memory is used for."),
            (
                "USAGE <key> [SAMPLES <count>]",
                "Estimate the memory of a key with its value. Of a collection <count> elements\n\
                 are looked at (5 if none is given), 0 means all.",
            ),
        ],
    );
    Ok(())
}
