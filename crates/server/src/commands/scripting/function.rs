//! FUNCTION: the libraries the node keeps, and the function that runs.

use super::script::check_flush_mode;
use crate::commands::prelude::*;
use crate::scripting::{Library, RestorePolicy};
use resp::Writer;

pub(super) static FUNCTION: Command = Command {
    spec: CommandSpec {
        name: "function",
        group: Group::Scripting,
        summary: "Holds the commands about functions.",
        since: "7.0.0",
        complexity: "Depends on subcommand.",
        arity: -2,
        ..CommandSpec::BLANK
    },
    body: Body::Container(&[
        &DELETE, &DUMP, &FLUSH, &HELP, &KILL, &LIST, &LOAD, &RESTORE, &STATS,
    ]),
};

static DELETE: Command = Command {
    spec: CommandSpec {
        name: "delete",
        group: Group::Scripting,
        summary: "Deletes a library.",
        since: "7.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::WRITE.and(Flags::NOSCRIPT),
        categories: Categories::SCRIPTING,
        args: &[Arg::string("library-name")],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(delete)),
};

static DUMP: Command = Command {
    spec: CommandSpec {
        name: "dump",
        group: Group::Scripting,
        summary: "Returns all libraries as bytes.",
        since: "7.0.0",
        complexity: "O(N) where N is the number of functions",
        arity: 2,
        flags: Flags::NOSCRIPT,
        categories: Categories::SCRIPTING,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(dump)),
};

static FLUSH: Command = Command {
    spec: CommandSpec {
        name: "flush",
        group: Group::Scripting,
        summary: "Deletes all libraries.",
        since: "7.0.0",
        complexity: "O(N) where N is the number of functions deleted",
        arity: -2,
        flags: Flags::WRITE.and(Flags::NOSCRIPT),
        categories: Categories::SCRIPTING,
        args: &[Arg::one_of(
            "async",
            &[Arg::flag("async", "ASYNC"), Arg::flag("sync", "SYNC")],
        )
        .optional()],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(flush)),
};

static HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        group: Group::Scripting,
        summary: "Explains the subcommands.",
        since: "7.0.0",
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
        summary: "Ends the function that runs.",
        since: "7.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::NOSCRIPT.and(Flags::ALLOW_BUSY),
        categories: Categories::SCRIPTING,
        tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(kill)),
};

static LIST: Command = Command {
    spec: CommandSpec {
        name: "list",
        group: Group::Scripting,
        summary: "Shows the libraries.",
        since: "7.0.0",
        complexity: "O(N) where N is the number of functions",
        arity: -2,
        flags: Flags::NOSCRIPT,
        categories: Categories::SCRIPTING,
        args: &[
            Arg::string("library-name-pattern")
                .token("LIBRARYNAME")
                .optional(),
            Arg::flag("withcode", "WITHCODE").optional(),
        ],
        tips: &["nondeterministic_output_order"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(list)),
};

static LOAD: Command = Command {
    spec: CommandSpec {
        name: "load",
        group: Group::Scripting,
        summary: "Loads a library.",
        since: "7.0.0",
        complexity: "O(1) (considering compilation time is redundant)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::NOSCRIPT),
        categories: Categories::SCRIPTING,
        args: &[
            Arg::flag("replace", "REPLACE").optional(),
            Arg::string("function-code"),
        ],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(load)),
};

static RESTORE: Command = Command {
    spec: CommandSpec {
        name: "restore",
        group: Group::Scripting,
        summary: "Loads the libraries of a dump.",
        since: "7.0.0",
        complexity: "O(N) where N is the number of functions on the payload",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::NOSCRIPT),
        categories: Categories::SCRIPTING,
        args: &[
            Arg::string("serialized-value"),
            Arg::one_of(
                "policy",
                &[
                    Arg::flag("flush", "FLUSH"),
                    Arg::flag("append", "APPEND"),
                    Arg::flag("replace", "REPLACE"),
                ],
            )
            .optional(),
        ],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(restore)),
};

static STATS: Command = Command {
    spec: CommandSpec {
        name: "stats",
        group: Group::Scripting,
        summary: "Shows the function that runs, and how many there are.",
        since: "7.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::NOSCRIPT.and(Flags::ALLOW_BUSY),
        categories: Categories::SCRIPTING,
        tips: &[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(stats)),
};

/// A library that changed is one change to save, and goes to the replicas as it came.
fn changed(cx: &mut ServerContext<'_>) {
    cx.effects().dirty += 1;
    cx.reply.ok();
}

fn delete(cx: &mut ServerContext<'_>) -> CommandResult {
    let name = String::from_utf8_lossy(cx.args[2]);
    if !cx.server.scripting.functions.delete(&name) {
        return Err(CommandError::text("ERR Library not found"));
    }
    changed(cx);
    Ok(())
}

fn dump(cx: &mut ServerContext<'_>) -> CommandResult {
    let libraries = cx.server.scripting.functions.libraries();
    let codes = libraries.map(|(_, library)| library.code.as_slice());
    let compress = cx.server.config.bool(crate::config::RDBCOMPRESSION);
    let payload = store::rdb::dump::dump_functions(codes, compress);
    cx.reply.bulk(payload);
    Ok(())
}

fn restore(cx: &mut ServerContext<'_>) -> CommandResult {
    let policy = match cx.args[3..] {
        [] => RestorePolicy::Append,
        [word] if word.eq_ignore_ascii_case(b"APPEND") => RestorePolicy::Append,
        [word] if word.eq_ignore_ascii_case(b"REPLACE") => RestorePolicy::Replace,
        [word] if word.eq_ignore_ascii_case(b"FLUSH") => RestorePolicy::Flush,
        [_] => {
            return Err(CommandError::text(
                "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
            ));
        }
        _ => {
            return Err(CommandError::quoting(&[
                b"ERR unknown subcommand or wrong number of arguments for '",
                cx.args[1],
                b"'. Try FUNCTION HELP.",
            ]));
        }
    };
    let check = !cx.server.debug.skip_checksum_validation;
    let body = store::rdb::dump::intact(cx.args[2], check).ok_or(CommandError::text(
        "ERR DUMP payload version or checksum are wrong",
    ))?;
    let codes = store::rdb::dump::restore_functions(body)
        .map_err(|_| CommandError::text("ERR given type is not a function"))?;
    cx.server.restore_functions(&codes, policy)?;
    changed(cx);
    Ok(())
}

fn flush(cx: &mut ServerContext<'_>) -> CommandResult {
    let error = CommandError::text("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
    check_flush_mode(cx.args, error)?;
    cx.server.flush_functions();
    changed(cx);
    Ok(())
}

fn kill(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.server.kill_script(true)?;
    cx.reply.ok();
    Ok(())
}

fn load(cx: &mut ServerContext<'_>) -> CommandResult {
    let (code, options) = cx.args[2..].split_last().expect("the arity asks for one");
    let mut replace = false;
    for option in options {
        if !option.eq_ignore_ascii_case(b"REPLACE") {
            return Err(CommandError::quoting(&[
                b"ERR Unknown option given: ",
                option,
            ]));
        }
        replace = true;
    }
    let name = cx.server.load_library(code, replace)?;
    cx.effects().dirty += 1;
    cx.reply.bulk(name);
    Ok(())
}

fn list(cx: &mut ServerContext<'_>) -> CommandResult {
    let (mut with_code, mut pattern) = (false, None);
    let mut words = cx.args[2..].iter();
    while let Some(word) = words.next() {
        if !with_code && word.eq_ignore_ascii_case(b"WITHCODE") {
            with_code = true;
        } else if pattern.is_none() && word.eq_ignore_ascii_case(b"LIBRARYNAME") {
            let missing = CommandError::text("ERR library name argument was not given");
            pattern = Some(*words.next().ok_or(missing)?);
        } else {
            return Err(CommandError::quoting(&[b"ERR Unknown argument ", word]));
        }
    }
    let libraries = cx.server.scripting.functions.libraries();
    let wanted = |name: &str| match pattern {
        Some(pattern) => front::glob::matches(pattern, name.as_bytes(), true),
        None => true,
    };
    let mark = cx.reply.deferred_array();
    let mut count = 0;
    for (name, library) in libraries.filter(|(name, _)| wanted(name)) {
        write_library(&mut cx.reply, name, library, with_code);
        count += 1;
    }
    cx.reply.finish_array(mark, count);
    Ok(())
}

fn write_library(reply: &mut Writer<'_>, name: &str, library: &Library, with_code: bool) {
    reply.map(if with_code { 4 } else { 3 });
    reply.bulk("library_name");
    reply.bulk(name);
    reply.bulk("engine");
    reply.bulk("LUA");
    reply.bulk("functions");
    reply.array(library.functions.len());
    for function in &library.functions {
        reply.map(3);
        reply.bulk("name");
        reply.bulk(&function.name);
        reply.bulk("description");
        match &function.description {
            Some(text) => reply.bulk(text),
            None => reply.null(),
        }
        reply.bulk("flags");
        let flags: Vec<&str> = function.flags.names().collect();
        reply.set(flags.len());
        for flag in flags {
            reply.simple(flag);
        }
    }
    if with_code {
        reply.bulk("library_code");
        reply.bulk(&library.code);
    }
}

fn stats(cx: &mut ServerContext<'_>) -> CommandResult {
    if let Some(error) = cx.server.busy_error()
        && !cx.server.function_is_running()
    {
        return Err(error);
    }
    cx.reply.map(2);
    cx.reply.bulk("running_script");
    match (&cx.server.scripting.running, cx.server.script_running_ms()) {
        (Some(running), Some(running_ms)) => {
            cx.reply.map(3);
            cx.reply.bulk("name");
            cx.reply.bulk(&running.name);
            cx.reply.bulk("command");
            let words = running.request.slices();
            cx.reply.array(words.len());
            for word in words {
                cx.reply.bulk(word);
            }
            cx.reply.bulk("duration_ms");
            cx.reply.integer(running_ms as i64);
        }
        _ => cx.reply.null(),
    }
    let functions = &cx.server.scripting.functions;
    cx.reply.bulk("engines");
    cx.reply.map(1);
    cx.reply.bulk("LUA");
    cx.reply.map(2);
    cx.reply.bulk("libraries_count");
    cx.reply.integer(functions.libraries().len() as i64);
    cx.reply.bulk("functions_count");
    cx.reply.integer(functions.count() as i64);
    Ok(())
}

fn help(cx: &mut ServerContext<'_>) -> CommandResult {
    let lines = [
        "FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "DELETE <library>",
        "    Delete a library.",
        "DUMP",
        "    Return all libraries as bytes, for RESTORE.",
        "FLUSH [ASYNC|SYNC]",
        "    Delete all libraries.",
        "KILL",
        "    End the function that runs, if it has not written.",
        "LIST [LIBRARYNAME <pattern>] [WITHCODE]",
        "    Show the libraries and their functions.",
        "LOAD [REPLACE] <code>",
        "    Load a library.",
        "RESTORE <payload> [FLUSH|APPEND|REPLACE]",
        "    Load the libraries of a DUMP: in the place of all others, beside them, or over those of equal name.",
        "STATS",
        "    Show the function that runs, and how many there are.",
        "HELP",
        "    Print this help.",
    ];
    cx.reply.array(lines.len());
    for line in lines {
        cx.reply.simple(line);
    }
    Ok(())
}
