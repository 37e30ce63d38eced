//! DEBUG: what tests and the curious may do to a node. Off unless `enable-debug-command` allows it.
//!
//! DEBUG is one command in the table, as clients know it; its subcommands are the rows of [`SUBCOMMANDS`].

mod allocator;
mod crash;
mod dataset;
mod persistence;
mod protocol;
mod switches;

use crate::commands::prelude::*;
use crate::config::Extent;
use front::command::describe;
pub(crate) use switches::DebugSwitches;

pub(super) static DEBUG: Command = Command {
    spec: CommandSpec {
        name: "debug",
        group: Group::Server,
        summary: "Inspects and disturbs the server, for tests.",
        since: "1.0.0",
        complexity: "Depends on subcommand.",
        arity: -2,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::PROTECTED),
        internal: true,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(debug)),
};

/// One subcommand of DEBUG.
struct Subcommand {
    name: &'static str,
    /// Words it takes after its name, at least and at most.
    words: (usize, usize),
    /// Its arguments and what it does, for DEBUG HELP.
    help: (&'static str, &'static str),
    run: fn(&mut ServerContext<'_>) -> CommandResult,
}

/// In the order of DEBUG HELP.
static SUBCOMMANDS: &[Subcommand] = &[
    Subcommand {
        name: "AOF-FLUSH-SLEEP",
        words: (1, 1),
        help: ("<microsec>", "Wait so long before each write to the AOF."),
        run: persistence::aof_flush_sleep,
    },
    Subcommand {
        name: "ASSERT",
        words: (0, 0),
        help: ("", "End the process as a failed assertion does."),
        run: crash::assert_failure,
    },
    Subcommand {
        name: "CHANGE-REPL-ID",
        words: (0, 0),
        help: (
            "",
            "Give the history of the dataset another name, as after a failover.",
        ),
        run: switches::change_replid,
    },
    Subcommand {
        name: "CONFIG-REWRITE-FORCE-ALL",
        words: (0, 0),
        help: (
            "",
            "As CONFIG REWRITE, with the directives that have their default value too.",
        ),
        run: rewrite_all,
    },
    Subcommand {
        name: "DIGEST",
        words: (0, 0),
        help: ("", "Show a digest of the whole dataset."),
        run: dataset::digest,
    },
    Subcommand {
        name: "DIGEST-VALUE",
        words: (0, usize::MAX),
        help: ("<key> [<key> ...]", "Show a digest of each key's value."),
        run: dataset::digest_value,
    },
    Subcommand {
        name: "ERROR",
        words: (1, 1),
        help: ("<text>", "Answer an error of this text."),
        run: error,
    },
    Subcommand {
        name: "HTSTATS",
        words: (1, 1),
        help: ("<dbid>", "Show how full the tables of a db are."),
        run: dataset::htstats,
    },
    Subcommand {
        name: "HTSTATS-KEY",
        words: (1, 1),
        help: ("<key>", "Show how full the table of a value is."),
        run: dataset::htstats_key,
    },
    Subcommand {
        name: "LOADAOF",
        words: (0, 0),
        help: (
            "",
            "Write the AOF, empty the dbs and load the AOF. Other clients are answered\n\
             -LOADING meanwhile.",
        ),
        run: persistence::loadaof,
    },
    Subcommand {
        name: "LOG",
        words: (1, 1),
        help: ("<message>", "Write a line into the log."),
        run: log,
    },
    Subcommand {
        name: "MALLCTL",
        words: (1, 2),
        help: (
            "<name> [<number>]",
            "Show (or set) a number of the allocator.",
        ),
        run: allocator::number,
    },
    Subcommand {
        name: "MALLCTL-STR",
        words: (1, 2),
        help: (
            "<name> [VOID]",
            "Show a text of the allocator, or do what needs no value.",
        ),
        run: allocator::text,
    },
    Subcommand {
        name: "OBJECT",
        words: (1, 2),
        help: ("<key>", "Show how a key's value is kept."),
        run: dataset::object,
    },
    Subcommand {
        name: "OOM",
        words: (0, 0),
        help: ("", "End the process as a lack of memory does."),
        run: crash::out_of_memory,
    },
    Subcommand {
        name: "PANIC",
        words: (0, 0),
        help: ("", "End the process as a panic does."),
        run: crash::panic,
    },
    Subcommand {
        name: "PAUSE-CRON",
        words: (1, 1),
        help: ("<0|1>", "1 stops the periodic work, 0 resumes it."),
        run: switches::pause_cron,
    },
    Subcommand {
        name: "POPULATE",
        words: (1, 3),
        help: (
            "<count> [<prefix>] [<size>]",
            "Create string keys <prefix>:0, <prefix>:1 and so on (the prefix is `key`),\n\
             of <size> bytes each. They are not propagated.",
        ),
        run: dataset::populate,
    },
    Subcommand {
        name: "PROTOCOL",
        words: (1, 1),
        help: (
            "<type>",
            "Answer an example of a reply type: string, integer, double, bignum, null,\n\
             array, set, map, attrib, push, verbatim, true, false.",
        ),
        run: protocol::protocol,
    },
    Subcommand {
        name: "QUICKLIST-PACKED-THRESHOLD",
        words: (1, 1),
        help: (
            "<size>",
            "List elements of this size and larger get a node of their own.\n0 restores the default.",
        ),
        run: switches::quicklist_packed_threshold,
    },
    Subcommand {
        name: "RELOAD",
        words: (0, 3),
        help: (
            "[MERGE] [NOFLUSH] [NOSAVE]",
            "Save the dataset, empty the keyspace and load what was saved. NOSAVE loads the\n\
             file that is there, NOFLUSH empties nothing, MERGE lets loaded keys replace others.",
        ),
        run: persistence::reload,
    },
    Subcommand {
        name: "REPLICATE",
        words: (1, usize::MAX),
        help: (
            "<word> [<word> ...]",
            "Send a command to the replicas, whatever it is, without running it.",
        ),
        run: switches::replicate,
    },
    Subcommand {
        name: "REPLYBUFFER",
        words: (2, 2),
        help: (
            "<PEAK-RESET-TIME ms|never|reset> | <RESIZING 0|1>",
            "After how long a client's reply buffer follows a lower peak, and whether reply\n\
             buffers follow their peaks at all.",
        ),
        run: switches::replybuffer,
    },
    Subcommand {
        name: "SEGFAULT",
        words: (0, 0),
        help: ("", "End the process by SIGSEGV."),
        run: crash::segfault,
    },
    Subcommand {
        name: "SET-ACTIVE-EXPIRE",
        words: (1, 1),
        help: (
            "<0|1>",
            "0 stops deleting expired keys that nobody looks at, 1 resumes it.",
        ),
        run: switches::set_active_expire,
    },
    Subcommand {
        name: "SET-DISABLE-DENY-SCRIPTS",
        words: (1, 1),
        help: (
            "<0|1>",
            "1 lets scripts call commands that are denied to them, 0 forbids it again.",
        ),
        run: switches::set_disable_deny_scripts,
    },
    Subcommand {
        name: "SET-SKIP-CHECKSUM-VALIDATION",
        words: (1, 1),
        help: (
            "<0|1>",
            "1 stops checking the checksums of RDB files and RESTORE, 0 resumes it.",
        ),
        run: switches::set_skip_checksum_validation,
    },
    Subcommand {
        name: "SLEEP",
        words: (1, 1),
        help: ("<seconds>", "Do nothing for so long. Decimals allowed."),
        run: sleep,
    },
];

fn debug(cx: &mut ServerContext<'_>) -> CommandResult {
    let (name, words) = (cx.args[1], cx.args.len() - 2);
    if name.eq_ignore_ascii_case(b"HELP") && words == 0 {
        help(cx);
        return Ok(());
    }
    let found = SUBCOMMANDS.iter().find(|subcommand| {
        name.eq_ignore_ascii_case(subcommand.name.as_bytes())
            && (subcommand.words.0..=subcommand.words.1).contains(&words)
    });
    match found {
        Some(subcommand) => (subcommand.run)(cx),
        None => Err(unknown_subcommand_or_arity(cx.args)),
    }
}

fn help(cx: &mut ServerContext<'_>) {
    let lines: Vec<(String, &str)> = SUBCOMMANDS
        .iter()
        .map(|subcommand| {
            let (syntax, text) = subcommand.help;
            (
                format!("{} {syntax}", subcommand.name).trim_end().into(),
                text,
            )
        })
        .collect();
    let lines: Vec<(&str, &str)> = lines
        .iter()
        .map(|(syntax, text)| (syntax.as_str(), *text))
        .collect();
    describe::help(&mut cx.reply, b"debug", &lines);
}

fn rewrite_all(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.server
        .rewrite_config_file(Extent::All)
        .map_err(|reason| {
            CommandError::err(format_args!("CONFIG-REWRITE-FORCE-ALL failed: {reason}"))
        })?;
    cx.reply.ok();
    Ok(())
}

/// The error text, whatever it is: clients' own tests use it.
fn error(cx: &mut ServerContext<'_>) -> CommandResult {
    Err(CommandError::quoting(&[cx.args[2]]))
}

fn log(cx: &mut ServerContext<'_>) -> CommandResult {
    front::log_warning!("DEBUG LOG: {}", String::from_utf8_lossy(cx.args[2]));
    cx.reply.ok();
    Ok(())
}

fn sleep(cx: &mut ServerContext<'_>) -> CommandResult {
    let seconds = String::from_utf8_lossy(cx.args[2]);
    // As clients know it: what is no number is no time.
    let seconds: f64 = seconds.trim().parse().unwrap_or(0.0);
    if let Ok(duration) = std::time::Duration::try_from_secs_f64(seconds) {
        std::thread::sleep(duration);
    }
    cx.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subcommands_are_listed_once_and_in_order() {
        let names: Vec<&str> = SUBCOMMANDS.iter().map(|row| row.name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
        assert!(SUBCOMMANDS.iter().all(|row| row.words.0 <= row.words.1));
    }
}
