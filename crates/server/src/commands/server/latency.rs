//! LATENCY: what took long, and how long each command takes.

use crate::commands::prelude::*;
use front::command::{CommandId, describe};

pub(super) static LATENCY: Command = Command {
    spec: CommandSpec {
        name: "latency",
        group: Group::Server,
        summary: "Holds the commands about delays.",
        since: "2.8.13",
        complexity: "Depends on subcommand.",
        arity: -2,
        ..CommandSpec::BLANK
    },
    body: Body::Container(&[
        &DOCTOR, &GRAPH, &HELP, &HISTOGRAM, &HISTORY, &LATEST, &RESET,
    ]),
};

/// What most subcommands have in common.
const SPEC: CommandSpec = CommandSpec {
    group: Group::Server,
    since: "2.8.13",
    complexity: "O(1)",
    flags: Flags::ADMIN
        .and(Flags::NOSCRIPT)
        .and(Flags::LOADING)
        .and(Flags::STALE),
    tips: &[
        "nondeterministic_output",
        "request_policy:all_nodes",
        "response_policy:special",
    ],
    ..CommandSpec::BLANK
};

static DOCTOR: Command = Command {
    spec: CommandSpec {
        name: "doctor",
        summary: "Explains the spikes of the latency monitor.",
        arity: 2,
        ..SPEC
    },
    body: Body::Run(Handler::Server(doctor)),
};

static GRAPH: Command = Command {
    spec: CommandSpec {
        name: "graph",
        summary: "Draws the spikes of an event.",
        arity: 3,
        args: &[Arg::string("event")],
        ..SPEC
    },
    body: Body::Run(Handler::Server(graph)),
};

static HISTOGRAM: Command = Command {
    spec: CommandSpec {
        name: "histogram",
        summary: "Returns how many calls of commands took at most how long.",
        since: "7.0.0",
        complexity: "O(N) where N is the number of commands with calls",
        arity: -2,
        args: &[Arg::string("command").optional().multiple()],
        ..SPEC
    },
    body: Body::Run(Handler::Server(histogram)),
};

static HISTORY: Command = Command {
    spec: CommandSpec {
        name: "history",
        summary: "Returns the spikes of an event.",
        arity: 3,
        args: &[Arg::string("event")],
        ..SPEC
    },
    body: Body::Run(Handler::Server(history)),
};

static LATEST: Command = Command {
    spec: CommandSpec {
        name: "latest",
        summary: "Returns the latest spike of each event.",
        arity: 2,
        ..SPEC
    },
    body: Body::Run(Handler::Server(latest)),
};

static RESET: Command = Command {
    spec: CommandSpec {
        name: "reset",
        summary: "Forgets the spikes of the named events, or of all.",
        arity: -2,
        args: &[Arg::string("event").optional().multiple()],
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..SPEC
    },
    body: Body::Run(Handler::Server(reset)),
};

static HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        group: Group::Server,
        summary: "Explains the subcommands.",
        since: "2.8.13",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(help)),
};

fn doctor(cx: &mut ServerContext<'_>) -> CommandResult {
    let text = cx.server.latency.doctor(cx.now / 1000);
    cx.reply.verbatim(b"txt", text);
    Ok(())
}

fn graph(cx: &mut ServerContext<'_>) -> CommandResult {
    let event = cx.args[2];
    let text = cx.server.latency.graph(event, cx.now / 1000);
    let text = text.ok_or_else(|| {
        CommandError::quoting(&[b"ERR No samples available for event '", event, b"'"])
    })?;
    cx.reply.verbatim(b"txt", text);
    Ok(())
}

fn history(cx: &mut ServerContext<'_>) -> CommandResult {
    let reply = &mut cx.reply;
    let Some(history) = cx.server.latency.event(cx.args[2]) else {
        reply.array(0);
        return Ok(());
    };
    reply.array(history.spikes().len());
    for spike in history.spikes() {
        reply.array(2);
        reply.integer(spike.unix_seconds);
        reply.integer(spike.millis as i64);
    }
    Ok(())
}

fn latest(cx: &mut ServerContext<'_>) -> CommandResult {
    let reply = &mut cx.reply;
    reply.array(cx.server.latency.events().len());
    for (event, history) in cx.server.latency.events() {
        let latest = history.latest();
        reply.array(4);
        reply.bulk(event);
        reply.integer(latest.unix_seconds);
        reply.integer(latest.millis as i64);
        reply.integer(history.worst_millis() as i64);
    }
    Ok(())
}

fn reset(cx: &mut ServerContext<'_>) -> CommandResult {
    let count = cx.server.latency.reset(&cx.args[2..]);
    cx.reply.integer(count as i64);
    Ok(())
}

fn histogram(cx: &mut ServerContext<'_>) -> CommandResult {
    let server = &*cx.server;
    let table = &server.front.table;
    let called = |id: &CommandId| server.command_stats[id.index()].latency.calls() > 0;
    let wanted: Vec<CommandId> = match &cx.args[2..] {
        [] => table.iter().map(|(id, _)| id).filter(called).collect(),
        // A container stands for itself and its subcommands.
        names => names
            .iter()
            .filter_map(|name| table.by_name(name))
            .flat_map(|id| std::iter::once(id).chain(table.entry(id).subcommands.iter().copied()))
            .filter(called)
            .collect(),
    };
    let reply = &mut cx.reply;
    reply.map(wanted.len());
    for id in wanted {
        let latency = &server.command_stats[id.index()].latency;
        let buckets = latency.buckets();
        reply.bulk(&table.entry(id).full_name);
        reply.map(2);
        reply.bulk("calls");
        reply.integer(latency.calls() as i64);
        reply.bulk("histogram_usec");
        reply.map(buckets.len());
        for (micros, calls) in buckets {
            reply.integer(micros as i64);
            reply.integer(calls as i64);
        }
    }
    Ok(())
}

fn help(cx: &mut ServerContext<'_>) -> CommandResult {
    describe::help(
        &mut cx.reply,
        b"latency",
        &[
            ("DOCTOR", "Explain the spikes, and what may help."),
            ("GRAPH <event>", "Draw the spikes of the event."),
            ("HISTORY <event>", "Show the spikes of the event."),
            ("LATEST", "Show the latest spike of each event."),
            (
                "RESET [<event> ...]",
                "Forget the spikes of these events (default: of all).",
            ),
            (
                "HISTOGRAM [<command> ...]",
                "Show how many calls of these commands took at most how long\n\
                 (default: of all commands).",
            ),
        ],
    );
    Ok(())
}
