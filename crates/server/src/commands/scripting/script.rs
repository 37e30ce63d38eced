//! SCRIPT: the scripts the node knows, and the one that runs.

use crate::commands::prelude::*;
use crate::scripting::sha1_hex;

pub(super) static SCRIPT: Command = Command {
    spec: CommandSpec {
        name: "script",
        group: Group::Scripting,
        summary: "Holds the commands about scripts.",
        since: "2.6.0",
        complexity: "Depends on subcommand.",
        arity: -2,
        ..CommandSpec::BLANK
    },
    body: Body::Container(&[&DEBUG, &EXISTS, &FLUSH, &HELP, &KILL, &LOAD]),
};

static DEBUG: Command = Command {
    spec: CommandSpec {
        name: "debug",
        group: Group::Scripting,
        summary: "Asks for the debugger, which this server does not have.",
        since: "3.2.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::NOSCRIPT,
        categories: Categories::SCRIPTING,
        args: &[Arg::one_of(
            "mode",
            &[
                Arg::flag("yes", "YES"),
                Arg::flag("sync", "SYNC"),
                Arg::flag("no", "NO"),
            ],
        )],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(debug)),
};

static EXISTS: Command = Command {
    spec: CommandSpec {
        name: "exists",
        group: Group::Scripting,
        summary: "Tells which scripts the node knows.",
        since: "2.6.0",
        complexity: "O(N) with N being the number of scripts to check (so checking a single script is an O(1) operation).",
        arity: -3,
        flags: Flags::NOSCRIPT,
        categories: Categories::SCRIPTING,
        args: &[Arg::string("sha1").multiple()],
        tips: &[
            "request_policy:all_shards",
            "response_policy:agg_logical_and",
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(exists)),
};

static FLUSH: Command = Command {
    spec: CommandSpec {
        name: "flush",
        group: Group::Scripting,
        summary: "Forgets all scripts.",
        since: "2.6.0",
        complexity: "O(N) with N being the number of scripts in cache",
        arity: -2,
        flags: Flags::NOSCRIPT,
        categories: Categories::SCRIPTING,
        args: &[Arg::one_of(
            "async",
            &[Arg::flag("async", "ASYNC"), Arg::flag("sync", "SYNC")],
        )
        .optional()
        .since("6.2.0")],
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(flush)),
};

static HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        group: Group::Scripting,
        summary: "Explains the subcommands.",
        since: "5.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::SCRIPTING,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(help)),
};

static KILL: Command = Command {
    spec: CommandSpec {
        name: "kill",
        group: Group::Scripting,
        summary: "Ends the script that runs.",
        since: "2.6.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::NOSCRIPT.and(Flags::ALLOW_BUSY),
        categories: Categories::SCRIPTING,
        tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(kill)),
};

static LOAD: Command = Command {
    spec: CommandSpec {
        name: "load",
        group: Group::Scripting,
        summary: "Makes the node know a script.",
        since: "2.6.0",
        complexity: "O(N) with N being the length in bytes of the script body.",
        arity: 3,
        flags: Flags::NOSCRIPT.and(Flags::STALE),
        categories: Categories::SCRIPTING,
        args: &[Arg::string("script")],
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(load)),
};

fn debug(cx: &mut ServerContext<'_>) -> CommandResult {
    let mode = cx.args[2];
    if mode.eq_ignore_ascii_case(b"NO") {
        cx.reply.ok();
        return Ok(());
    }
    if mode.eq_ignore_ascii_case(b"YES") || mode.eq_ignore_ascii_case(b"SYNC") {
        return Err(CommandError::text("ERR This server has no script debugger"));
    }
    Err(CommandError::text("ERR Use SCRIPT DEBUG YES/SYNC/NO"))
}

fn exists(cx: &mut ServerContext<'_>) -> CommandResult {
    let names = &cx.args[2..];
    cx.reply.array(names.len());
    for name in names {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let known = cx.server.scripting.cache.contains(&name);
        cx.reply.integer(i64::from(known));
    }
    Ok(())
}

/// What SCRIPT FLUSH and FUNCTION FLUSH may be told; either way it is done at once.
pub(super) fn check_flush_mode(args: &[&[u8]], error: CommandError) -> CommandResult {
    let is_mode =
        |word: &[u8]| word.eq_ignore_ascii_case(b"SYNC") || word.eq_ignore_ascii_case(b"ASYNC");
    match args {
        [_, _] => Ok(()),
        [_, _, mode] if is_mode(mode) => Ok(()),
        _ => Err(error),
    }
}

fn flush(cx: &mut ServerContext<'_>) -> CommandResult {
    let error = CommandError::text("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
    check_flush_mode(cx.args, error)?;
    cx.server.flush_scripts();
    cx.reply.ok();
    Ok(())
}

fn kill(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.server.kill_script(false)?;
    cx.reply.ok();
    Ok(())
}

fn load(cx: &mut ServerContext<'_>) -> CommandResult {
    let name = sha1_hex(cx.args[2]);
    if !cx.server.scripting.cache.contains(&name) {
        cx.server.compile_script(&name, cx.args[2])?;
    }
    cx.reply.bulk(name);
    Ok(())
}

fn help(cx: &mut ServerContext<'_>) -> CommandResult {
    let lines = [
        "SCRIPT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "DEBUG (YES|SYNC|NO)",
        "    NO is all this server can do: it has no debugger.",
        "EXISTS <sha1> [<sha1> ...]",
        "    Tell which of these scripts the node knows.",
        "FLUSH [ASYNC|SYNC]",
        "    Forget all scripts.",
        "KILL",
        "    End the script that runs, if it has not written.",
        "LOAD <script>",
        "    Make the node know a script without running it.",
        "HELP",
        "    Print this help.",
    ];
    cx.reply.array(lines.len());
    for line in lines {
        cx.reply.simple(line);
    }
    Ok(())
}
