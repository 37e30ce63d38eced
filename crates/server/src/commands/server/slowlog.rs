//! SLOWLOG: the latest commands that ran long.

use crate::commands::prelude::*;
use front::command::describe;

pub(super) static SLOWLOG: Command = Command {
    spec: CommandSpec {
        name: "slowlog",
        group: Group::Server,
        summary: "Holds the commands about slow commands.",
        since: "2.2.12",
        complexity: "Depends on subcommand.",
        arity: -2,
        ..CommandSpec::BLANK
    },
    body: Body::Container(&[&GET, &HELP, &LEN, &RESET]),
};

const ADMIN: Flags = Flags::ADMIN.and(Flags::LOADING).and(Flags::STALE);

static GET: Command = Command {
    spec: CommandSpec {
        name: "get",
        group: Group::Server,
        summary: "Returns the latest slow commands.",
        since: "2.2.12",
        complexity: "O(N) where N is the number of commands returned",
        arity: -2,
        flags: ADMIN,
        args: &[Arg::integer("count").optional()],
        tips: &["request_policy:all_nodes", "nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(get)),
};

static LEN: Command = Command {
    spec: CommandSpec {
        name: "len",
        group: Group::Server,
        summary: "Counts the slow commands that are kept.",
        since: "2.2.12",
        complexity: "O(1)",
        arity: 2,
        flags: ADMIN,
        tips: &[
            "request_policy:all_nodes",
            "response_policy:agg_sum",
            "nondeterministic_output",
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(len)),
};

static RESET: Command = Command {
    spec: CommandSpec {
        name: "reset",
        group: Group::Server,
        summary: "Forgets the slow commands.",
        since: "2.2.12",
        complexity: "O(N) where N is the number of commands kept",
        arity: 2,
        flags: ADMIN,
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(reset)),
};

static HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        group: Group::Server,
        summary: "Explains the subcommands.",
        since: "6.2.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(help)),
};

fn get(cx: &mut ServerContext<'_>) -> CommandResult {
    /// How many are shown unless asked otherwise.
    const DEFAULT_COUNT: usize = 10;
    const BAD_COUNT: CommandError =
        CommandError::text("ERR count should be greater than or equal to -1");
    let count = match cx.args[2..] {
        [] => DEFAULT_COUNT,
        [word] => match store::int::parse_i64(word).ok_or(BAD_COUNT)? {
            -1 => usize::MAX,
            count => usize::try_from(count).map_err(|_| BAD_COUNT)?,
        },
        _ => return Err(unknown_subcommand_or_arity(cx.args)),
    };
    let log = &cx.server.slowlog;
    let reply = &mut cx.reply;
    reply.array(log.entries().len().min(count));
    for entry in log.entries().take(count) {
        reply.array(6);
        reply.integer(entry.id as i64);
        reply.integer(entry.unix_seconds);
        reply.integer(entry.duration.as_micros() as i64);
        reply.array(entry.args.len());
        for arg in &entry.args {
            reply.bulk(arg);
        }
        reply.bulk(&entry.client_addr);
        reply.bulk(&entry.client_name);
    }
    Ok(())
}

fn len(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.reply.integer(cx.server.slowlog.entries().len() as i64);
    Ok(())
}

fn reset(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.server.slowlog.reset();
    cx.reply.ok();
    Ok(())
}

fn help(cx: &mut ServerContext<'_>) -> CommandResult {
    describe::help(
        &mut cx.reply,
        b"slowlog",
        &[
            (
                "GET [<count>]",
                "Show the latest slow commands (default: 10, -1 means all). Each has\n\
                 its number, the time, how many microseconds it took, its words, and the\n\
                 client's address and name.",
            ),
            ("LEN", "Show how many slow commands are kept."),
            ("RESET", "Forget the slow commands."),
        ],
    );
    Ok(())
}
