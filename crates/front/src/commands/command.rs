//! COMMAND: what commands there are, and which keys a request names.

use crate::command::{
    Arg, Body, Categories, Command, CommandError, CommandId, CommandResult, CommandSpec,
    CommandTable, Flags, Group, Key, Lookup, describe, has_keys, key_positions,
};
use crate::{FrontContext, FrontHandler, glob};

const SPEC: CommandSpec = CommandSpec {
    group: Group::Server,
    since: "2.8.13",
    flags: Flags::LOADING.and(Flags::STALE),
    categories: Categories::CONNECTION,
    ..CommandSpec::BLANK
};
const ANY_ORDER: &[&str] = &["nondeterministic_output_order"];
const NAMES: &[Arg] = &[Arg::string("command-name").optional().multiple()];

pub(super) static COMMAND: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "command",
        summary: "Describes all commands.",
        complexity: "O(N) where N is the number of commands",
        arity: -1,
        tips: ANY_ORDER,
        ..SPEC
    },
    body: Body::RunOrContainer(
        all_info,
        &[
            &COUNT,
            &DOCS,
            &GETKEYS,
            &GETKEYSANDFLAGS,
            &HELP,
            &INFO,
            &LIST,
        ],
    ),
};

static COUNT: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "count",
        summary: "Counts the commands.",
        arity: 2,
        ..SPEC
    },
    body: Body::Run(|cx| {
        cx.reply.integer(cx.front.table.count() as i64);
        Ok(())
    }),
};

static DOCS: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "docs",
        summary: "Returns the documentation of the given commands, or of all.",
        since: "7.0.0",
        complexity: "O(N) where N is the number of commands described",
        arity: -2,
        args: NAMES,
        tips: ANY_ORDER,
        ..SPEC
    },
    body: Body::Run(docs),
};

static GETKEYS: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "getkeys",
        summary: "Returns the keys of a request.",
        complexity: "O(N) where N is the number of words of the request",
        arity: -4,
        ..SPEC
    },
    body: Body::Run(getkeys),
};

static GETKEYSANDFLAGS: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "getkeysandflags",
        summary: "Returns the keys of a request and what would be done with each.",
        since: "7.0.0",
        complexity: "O(N) where N is the number of words of the request",
        arity: -4,
        ..SPEC
    },
    body: Body::Run(getkeysandflags),
};

static HELP: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "help",
        summary: "Lists the subcommands.",
        since: "5.0.0",
        arity: 2,
        ..SPEC
    },
    body: Body::Run(help),
};

static INFO: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "info",
        summary: "Describes the given commands, or all.",
        complexity: "O(N) where N is the number of commands described",
        arity: -2,
        args: NAMES,
        tips: ANY_ORDER,
        ..SPEC
    },
    body: Body::Run(info),
};

static LIST: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "list",
        summary: "Lists the names of commands, all or those of a module, an ACL category or a pattern.",
        since: "7.0.0",
        complexity: "O(N) where N is the number of commands",
        arity: -2,
        args: &[Arg::one_of(
            "filterby",
            &[
                Arg::string("module-name").token("MODULE"),
                Arg::string("category").token("ACLCAT"),
                Arg::pattern("pattern").token("PATTERN"),
            ],
        )
        .token("FILTERBY")
        .optional()],
        tips: ANY_ORDER,
        ..SPEC
    },
    body: Body::Run(list),
};

fn all_info(cx: &mut FrontContext<'_>) -> CommandResult {
    cx.reply.array(cx.front.table.count());
    for (id, _) in cx.front.table.top_level() {
        describe::info(&mut cx.reply, &cx.front.table, id);
    }
    Ok(())
}

fn info(cx: &mut FrontContext<'_>) -> CommandResult {
    let names = &cx.args[2..];
    if names.is_empty() {
        return all_info(cx);
    }
    cx.reply.array(names.len());
    for name in names {
        match cx.front.table.by_name(name) {
            Some(id) => describe::info(&mut cx.reply, &cx.front.table, id),
            None => cx.reply.null(),
        }
    }
    Ok(())
}

fn docs(cx: &mut FrontContext<'_>) -> CommandResult {
    let names = &cx.args[2..];
    let wanted: Vec<CommandId> = match names {
        [] => cx.front.table.top_level().map(|(id, _)| id).collect(),
        _ => names
            .iter()
            .filter_map(|name| cx.front.table.by_name(name))
            .collect(),
    };
    cx.reply.map(wanted.len());
    for id in wanted {
        describe::docs(&mut cx.reply, &cx.front.table, id);
    }
    Ok(())
}

fn list(cx: &mut FrontContext<'_>) -> CommandResult {
    let filter = match cx.args[2..] {
        [] => Filter::None,
        [by, kind, value] if by.eq_ignore_ascii_case(b"filterby") => {
            Filter::parse(kind, value).ok_or(CommandError::Syntax)?
        }
        _ => return Err(CommandError::Syntax),
    };
    let table = &cx.front.table;
    let mark = cx.reply.deferred_array();
    let mut count = 0;
    for (_, command) in table.top_level() {
        let subcommands = command.subcommands.iter().map(|&id| table.entry(id));
        for entry in std::iter::once(command).chain(subcommands) {
            let listed = match filter {
                Filter::None => true,
                Filter::Nothing => false,
                Filter::Category(category) => entry.categories.has(category),
                Filter::Pattern(pattern) => {
                    glob::matches(pattern, entry.full_name.as_bytes(), true)
                }
            };
            if listed {
                cx.reply.bulk(&entry.full_name);
                count += 1;
            }
        }
    }
    cx.reply.finish_array(mark, count);
    Ok(())
}

/// What COMMAND LIST shows.
enum Filter<'a> {
    None,
    Category(Categories),
    Pattern(&'a [u8]),
    /// There are no modules, and a category may not exist.
    Nothing,
}

impl Filter<'_> {
    fn parse<'a>(kind: &[u8], value: &'a [u8]) -> Option<Filter<'a>> {
        match kind.to_ascii_lowercase().as_slice() {
            b"module" => Some(Filter::Nothing),
            b"aclcat" => Some(Categories::by_name(value).map_or(Filter::Nothing, Filter::Category)),
            b"pattern" => Some(Filter::Pattern(value)),
            _ => None,
        }
    }
}

fn getkeys(cx: &mut FrontContext<'_>) -> CommandResult {
    let request = &cx.args[2..];
    let keys = keys_of(&cx.front.table, request)?;
    cx.reply.array(keys.len());
    for key in keys {
        cx.reply.bulk(request[key.position]);
    }
    Ok(())
}

fn getkeysandflags(cx: &mut FrontContext<'_>) -> CommandResult {
    let request = &cx.args[2..];
    let keys = keys_of(&cx.front.table, request)?;
    cx.reply.array(keys.len());
    for key in keys {
        cx.reply.array(2);
        cx.reply.bulk(request[key.position]);
        describe::names(&mut cx.reply, key.flags.names());
    }
    Ok(())
}

fn keys_of(table: &CommandTable, request: &[&[u8]]) -> Result<Vec<Key>, CommandError> {
    let Lookup::Found(id) = table.lookup(request) else {
        return Err(CommandError::text("ERR Invalid command specified"));
    };
    let entry = table.entry(id);
    if !has_keys(entry.spec) {
        return Err(CommandError::text("ERR The command has no key arguments"));
    }
    if !entry.arity_accepts(request.len()) {
        return Err(CommandError::text(
            "ERR Invalid number of arguments specified for command",
        ));
    }
    let keys: Vec<Key> = key_positions(entry.spec, request)
        .map(|keys| keys.iter().collect())
        .unwrap_or_default();
    if keys.is_empty() && !entry.spec.flags.has(Flags::NO_MANDATORY_KEYS) {
        return Err(CommandError::text(
            "ERR Invalid arguments specified for command",
        ));
    }
    Ok(keys)
}

fn help(cx: &mut FrontContext<'_>) -> CommandResult {
    describe::help(
        &mut cx.reply,
        cx.args[0],
        &[
            ("(no subcommand)", "Describe all commands."),
            ("COUNT", "Tell how many commands there are."),
            (
                "LIST [FILTERBY <MODULE <name>|ACLCAT <category>|PATTERN <pattern>>]",
                "List the names of commands, subcommands included.",
            ),
            (
                "INFO [<command-name> ...]",
                "Describe the given commands, or all.",
            ),
            (
                "DOCS [<command-name> ...]",
                "Return the documentation of the given commands, or of all.",
            ),
            ("GETKEYS <full-command>", "Return the keys of a request."),
            (
                "GETKEYSANDFLAGS <full-command>",
                "Return the keys of a request and what would be done with each.",
            ),
        ],
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{KeyFlags, KeySpec};
    use crate::{ClientKey, Front};

    static MSET: Command<FrontHandler> = Command {
        spec: CommandSpec {
            name: "mset",
            arity: -3,
            flags: Flags::WRITE,
            keys: &[KeySpec::range(KeyFlags::OW.and(KeyFlags::UPDATE), 1, -1, 2)],
            ..CommandSpec::BLANK
        },
        body: Body::Run(help),
    };
    static EVAL: Command<FrontHandler> = Command {
        spec: CommandSpec {
            name: "eval",
            arity: -3,
            flags: Flags::NO_MANDATORY_KEYS,
            keys: &[KeySpec::keynum(KeyFlags::RW, 2)],
            ..CommandSpec::BLANK
        },
        body: Body::Run(help),
    };
    static ZUNION: Command<FrontHandler> = Command {
        spec: CommandSpec {
            name: "zunion",
            arity: -3,
            keys: &[KeySpec::keynum(KeyFlags::RO, 1)],
            ..CommandSpec::BLANK
        },
        body: Body::Run(help),
    };

    /// The reply to a request given as words, line ends shown as spaces.
    fn run(request: &str) -> Result<String, String> {
        let mut handlers = Vec::new();
        let mut table = CommandTable::new();
        table.add(
            &[&COMMAND, &MSET, &EVAL, &ZUNION],
            &mut handlers,
            |handler| handler,
        );
        let args: Vec<&[u8]> = request.split(' ').map(str::as_bytes).collect();
        let Lookup::Found(id) = table.lookup(&args) else {
            panic!("{request} names no command")
        };
        let handler = handlers[id.index()].expect("COMMAND and its subcommands all have handlers");
        let mut front = Front::new(table).expect("the system has an epoll instance for us");
        let client = ClientKey {
            index: 0,
            generation: 0,
        };
        let mut out = Vec::new();
        let reply = resp::Writer::new(&mut out, true);
        handler(&mut FrontContext {
            front: &mut front,
            client,
            args: &args,
            reply,
        })
        .map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out)
            .expect("only text was written")
            .replace("\r\n", " "))
    }

    #[test]
    fn the_bare_word_and_info_without_names_describe_all() {
        assert_eq!(run("COMMAND COUNT"), Ok(":4 ".into()));
        assert!(
            run("COMMAND").is_ok_and(|text| text.starts_with("*4 *10 $7 command :-1 ~2 +loading"))
        );
        assert_eq!(run("COMMAND"), run("COMMAND INFO"));
        assert!(
            run("COMMAND DOCS").is_ok_and(|text| text.starts_with("%4 $7 command %5 $7 summary"))
        );
    }

    #[test]
    fn unknown_names_are_null_in_info_and_absent_in_docs() {
        assert!(
            run("COMMAND INFO nosuch command|COUNT")
                .is_ok_and(|text| text.starts_with("*2 _ *10 $13 command|count :2 "))
        );
        assert!(
            run("COMMAND DOCS nosuch command|count")
                .is_ok_and(|text| text.starts_with("%1 $13 command|count %4 "))
        );
    }

    #[test]
    fn list_filters_commands_and_subcommands() {
        assert!(run("COMMAND LIST").is_ok_and(|text| text.starts_with("*11 $7 command $13 ")));
        assert_eq!(
            run("COMMAND LIST filterby pattern *LI*"),
            Ok("*1 $12 command|list ".into())
        );
        assert_eq!(
            run("COMMAND LIST FILTERBY ACLCAT Write"),
            Ok("*1 $4 mset ".into())
        );
        assert_eq!(run("COMMAND LIST FILTERBY ACLCAT nosuch"), Ok("*0 ".into()));
        assert_eq!(run("COMMAND LIST FILTERBY MODULE x"), Ok("*0 ".into()));
        for wrong in [
            "x",
            "FILTERBY",
            "FILTERBY PATTERN",
            "FILTERBY x y",
            "FILTERBY PATTERN x y",
        ] {
            assert_eq!(
                run(&format!("COMMAND LIST {wrong}")),
                Err("ERR syntax error".into())
            );
        }
    }

    #[test]
    fn keys_and_their_flags_are_found_in_a_request() {
        assert_eq!(
            run("COMMAND GETKEYS mset a 1 b 2"),
            Ok("*2 $1 a $1 b ".into())
        );
        assert_eq!(
            run("COMMAND GETKEYSANDFLAGS mset a 1"),
            Ok("*1 *2 $1 a ~2 +OW +update ".into())
        );
        assert_eq!(run("COMMAND GETKEYS eval x 0"), Ok("*0 ".into()));
    }

    #[test]
    fn a_request_without_proper_keys_is_refused_with_the_reason() {
        let error = |request| run(&format!("COMMAND GETKEYS {request}")).expect_err(request);
        assert_eq!(error("nosuch a"), "ERR Invalid command specified");
        assert_eq!(error("command nosuch"), "ERR Invalid command specified");
        assert_eq!(
            error("command count"),
            "ERR The command has no key arguments"
        );
        assert_eq!(
            error("mset a"),
            "ERR Invalid number of arguments specified for command"
        );
        assert_eq!(
            error("zunion x a"),
            "ERR Invalid arguments specified for command"
        );
    }
}
