//! Descriptions derived from the table: the replies of COMMAND INFO and COMMAND DOCS, the HELP of containers, and
//! `docs/commands.md`.

use resp::Writer;

use super::spec::{Arg, ArgKind, BeginSearch, FindKeys, Flags, Group, KeySpec};
use super::{CommandId, CommandTable, TableEntry};

/// One command in the form of COMMAND INFO.
pub fn info(reply: &mut Writer<'_>, table: &CommandTable, id: CommandId) {
    let entry = table.entry(id);
    let spec = entry.spec;
    let keys = entry.key_shape;
    reply.array(10);
    reply.bulk(&entry.full_name);
    reply.integer(spec.arity.into());
    let flags = if keys.movable {
        spec.flags.and(Flags::MOVABLE_KEYS)
    } else {
        spec.flags
    };
    names(reply, flags.without(Flags::INTERNAL).names());
    reply.integer(keys.first.into());
    reply.integer(keys.last.into());
    reply.integer(keys.step.into());
    names(
        reply,
        entry.categories.names().map(|name| format!("@{name}")),
    );
    reply.set(spec.tips.len());
    for tip in spec.tips {
        reply.bulk(tip);
    }
    reply.set(spec.keys.len());
    for key_spec in spec.keys {
        key_spec_info(reply, key_spec);
    }
    // RESP3 clients of Redis get an empty set here, but an array of subcommands.
    match entry.subcommands.len() {
        0 => reply.set(0),
        count => reply.array(count),
    }
    for &subcommand in &entry.subcommands {
        info(reply, table, subcommand);
    }
}

/// A set of statuses, as flags and categories appear.
pub fn names<T: AsRef<[u8]>>(reply: &mut Writer<'_>, names: impl Iterator<Item = T>) {
    let mark = reply.deferred_set();
    let mut count = 0;
    for name in names {
        reply.simple(name);
        count += 1;
    }
    reply.finish_set(mark, count);
}

fn key_spec_info(reply: &mut Writer<'_>, spec: &KeySpec) {
    let integer = |reply: &mut Writer<'_>, name: &str, value: i32| {
        reply.bulk(name);
        reply.integer(value.into());
    };
    reply.map(3);
    reply.bulk("flags");
    names(reply, spec.flags.names());

    reply.bulk("begin_search");
    match spec.begin {
        BeginSearch::Index(index) => {
            typed_map(reply, "index", 1);
            integer(reply, "index", index);
        }
        BeginSearch::Keyword(word, from) => {
            typed_map(reply, "keyword", 2);
            reply.bulk("keyword");
            reply.bulk(word);
            integer(reply, "startfrom", from);
        }
        BeginSearch::Unknown => typed_map(reply, "unknown", 0),
    }

    reply.bulk("find_keys");
    match spec.find {
        FindKeys::Range { last, step, limit } => {
            typed_map(reply, "range", 3);
            integer(reply, "lastkey", last);
            integer(reply, "keystep", step);
            integer(reply, "limit", limit);
        }
        FindKeys::KeyNum {
            keynum,
            first,
            step,
        } => {
            typed_map(reply, "keynum", 3);
            integer(reply, "keynumidx", keynum);
            integer(reply, "firstkey", first);
            integer(reply, "keystep", step);
        }
        FindKeys::Unknown => typed_map(reply, "unknown", 0),
    }
}

/// Opens a map with a type and a "spec" of so many pairs, which the caller writes.
fn typed_map(reply: &mut Writer<'_>, kind: &str, pairs: usize) {
    reply.map(2);
    reply.bulk("type");
    reply.bulk(kind);
    reply.bulk("spec");
    reply.map(pairs);
}

/// A command's name and its description in the form of COMMAND DOCS.
pub fn docs(reply: &mut Writer<'_>, table: &CommandTable, id: CommandId) {
    let entry = table.entry(id);
    let spec = entry.spec;
    reply.bulk(&entry.full_name);
    let mark = reply.deferred_map();
    let mut pairs = 0;
    let mut field = |reply: &mut Writer<'_>, name: &str| {
        reply.bulk(name);
        pairs += 1;
    };
    let (deprecated_since, replaced_by) = spec.deprecated.unwrap_or_default();
    let text = [
        ("summary", spec.summary),
        ("since", spec.since),
        ("group", spec.group.name()),
        ("complexity", spec.complexity),
    ];
    for (name, value) in text {
        if !value.is_empty() {
            field(reply, name);
            reply.bulk(value);
        }
    }
    if spec.deprecated.is_some() || spec.internal {
        field(reply, "doc_flags");
        let deprecated = spec.deprecated.map(|_| "deprecated");
        names(
            reply,
            deprecated
                .into_iter()
                .chain(spec.internal.then_some("syscmd")),
        );
    }
    for (name, value) in [
        ("deprecated_since", deprecated_since),
        ("replaced_by", replaced_by),
    ] {
        if !value.is_empty() {
            field(reply, name);
            reply.bulk(value);
        }
    }
    if !spec.args.is_empty() {
        field(reply, "arguments");
        args_docs(reply, spec.args);
    }
    if entry.is_container() {
        field(reply, "subcommands");
        reply.map(entry.subcommands.len());
        for &subcommand in &entry.subcommands {
            docs(reply, table, subcommand);
        }
    }
    reply.finish_map(mark, pairs);
}

fn args_docs(reply: &mut Writer<'_>, args: &[Arg]) {
    reply.array(args.len());
    for arg in args {
        let mark = reply.deferred_map();
        let mut pairs = 0;
        let mut field = |reply: &mut Writer<'_>, name: &str| {
            reply.bulk(name);
            pairs += 1;
        };
        let (kind, key_spec, inner): (_, _, &[Arg]) = match arg.kind {
            ArgKind::String => ("string", None, &[]),
            ArgKind::Integer => ("integer", None, &[]),
            ArgKind::Double => ("double", None, &[]),
            ArgKind::Key(key_spec) => ("key", Some(key_spec), &[]),
            ArgKind::Pattern(key_spec) => ("pattern", key_spec, &[]),
            ArgKind::UnixTime => ("unix-time", None, &[]),
            ArgKind::PureToken => ("pure-token", None, &[]),
            ArgKind::OneOf(inner) => ("oneof", None, inner),
            ArgKind::Block(inner) => ("block", None, inner),
        };
        field(reply, "name");
        reply.bulk(arg.name);
        field(reply, "type");
        reply.bulk(kind);
        if let Some(key_spec) = key_spec {
            field(reply, "key_spec_index");
            reply.integer(key_spec as i64);
        }
        let text = [
            ("token", arg.token),
            ("since", arg.since),
            ("deprecated_since", arg.deprecated_since),
        ];
        for (name, value) in text {
            if let Some(value) = value {
                field(reply, name);
                reply.bulk(value);
            }
        }
        if arg.optional || arg.multiple || arg.multiple_token {
            field(reply, "flags");
            let flags = [
                (arg.optional, "optional"),
                (arg.multiple, "multiple"),
                (arg.multiple_token, "multiple_token"),
            ];
            names(
                reply,
                flags
                    .into_iter()
                    .filter(|(set, _)| *set)
                    .map(|(_, name)| name),
            );
        }
        if !inner.is_empty() {
            field(reply, "arguments");
            args_docs(reply, inner);
        }
        reply.finish_map(mark, pairs);
    }
}

/// The HELP reply of a container: each subcommand's syntax and, indented, its text (lines split by `\n`). `title` is the
/// container as the client wrote it.
pub fn help(reply: &mut Writer<'_>, title: &[u8], subcommands: &[(&str, &str)]) {
    let mark = reply.deferred_array();
    let title = title.to_ascii_uppercase();
    reply.simple(
        [
            &title[..],
            b" <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        ]
        .concat(),
    );
    let mut lines = 1;
    for (syntax, text) in subcommands.iter().chain(&[("HELP", "Prints this help.")]) {
        reply.simple(syntax);
        lines += 1;
        for line in text.lines() {
            reply.simple(format!("    {line}"));
            lines += 1;
        }
    }
    reply.finish_array(mark, lines);
}

/// A command's syntax as the pages show it: `GETEX key [EX seconds | PERSIST]`.
pub fn syntax(entry: &TableEntry) -> String {
    let mut line = entry.full_name.replace('|', " ").to_uppercase();
    for arg in entry.spec.args {
        line.push(' ');
        line.push_str(&arg_syntax(arg, false));
    }
    line
}

/// `in_choice`: the argument stands between bars, which need no brackets inside.
fn arg_syntax(arg: &Arg, in_choice: bool) -> String {
    let join = |args: &[Arg], separator: &str, in_choice| {
        args.iter()
            .map(|arg| arg_syntax(arg, in_choice))
            .collect::<Vec<_>>()
            .join(separator)
    };
    let value = match arg.kind {
        ArgKind::PureToken => String::new(),
        ArgKind::Block(inner) => join(inner, " ", false),
        ArgKind::OneOf(inner) => {
            let choices = join(inner, " | ", true);
            let bracketed = arg.optional && !arg.multiple && arg.token.is_none();
            if (in_choice && arg.token.is_none()) || bracketed {
                choices
            } else {
                format!("<{choices}>")
            }
        }
        _ => arg.name.to_string(),
    };
    let token = match arg.token {
        Some("") => "\"\"",
        Some(token) => token,
        None => "",
    };
    let space = if token.is_empty() || value.is_empty() {
        ""
    } else {
        " "
    };
    let once = format!("{token}{space}{value}");
    let text = match (arg.multiple, arg.multiple_token) {
        (false, _) => once,
        (true, false) => format!("{once} [{value} ...]"),
        (true, true) => format!("{once} [{once} ...]"),
    };
    if arg.optional && !in_choice {
        format!("[{text}]")
    } else {
        text
    }
}

/// `docs/commands.md`: every command, by group.
pub fn markdown(table: &CommandTable) -> String {
    let mut page = format!(
        "# Commands\n\nGenerated from the command table by `make docs`; do not edit.\n\n\
         {} commands, {} with their subcommands. COMMAND INFO and COMMAND DOCS tell clients the \
         same.\n",
        table.count(),
        table.len(),
    );
    for group in Group::ALL {
        let mut commands: Vec<_> = table
            .iter()
            .map(|(_, entry)| entry)
            .filter(|entry| entry.spec.group == *group && !entry.is_container())
            .collect();
        if commands.is_empty() {
            continue;
        }
        commands.sort_by_key(|entry| &entry.full_name);
        let (first, rest) = group.name().split_at(1);
        page += &format!("\n## {}{}\n", first.to_uppercase(), rest.replace('-', " "));
        for entry in commands {
            page += &command_markdown(entry);
        }
    }
    page
}

fn command_markdown(entry: &TableEntry) -> String {
    let spec = entry.spec;
    let mut text = spec.summary.to_string();
    if let Some((since, instead)) = spec.deprecated {
        text += &match instead {
            "" => format!(" Deprecated since {since}."),
            _ => format!(" Deprecated since {since}: use {instead}."),
        };
    }
    if spec.internal {
        text += " For other nodes and tests, not for applications.";
    }
    let mut facts = vec![format!("Since {}", spec.since)];
    if !spec.complexity.is_empty() {
        facts.push(spec.complexity.to_string());
    }
    let flags = spec.flags.without(Flags::INTERNAL);
    facts.extend(flags.names().map(str::to_string));
    facts.extend(entry.categories.names().map(|name| format!("@{name}")));
    let name = entry.full_name.replace('|', " ").to_uppercase();
    format!(
        "\n### {name}\n\n    {}\n\n{text}\n\n{}\n",
        syntax(entry),
        facts.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::{Body, Categories, Command, CommandSpec, KeyFlags};
    use super::*;

    static SET: Command<()> = Command {
        spec: CommandSpec {
            name: "set",
            group: Group::String,
            summary: "Sets a string.",
            arity: -3,
            flags: Flags::WRITE.and(Flags::DENYOOM),
            categories: Categories::STRING,
            keys: &[KeySpec::one(KeyFlags::RW, 1)],
            args: &[
                Arg::key("key", 0),
                Arg::one_of("condition", &[Arg::flag("nx", "NX"), Arg::flag("xx", "XX")])
                    .optional()
                    .since("2.6.12"),
                Arg::integer("seconds").token("EX").optional(),
            ],
            ..CommandSpec::BLANK
        },
        body: Body::Run(()),
    };
    static LOAD: Command<()> = Command {
        spec: CommandSpec {
            name: "load",
            group: Group::Server,
            summary: "Loads.",
            complexity: "",
            deprecated: Some(("7.0.0", "`RUN`")),
            internal: true,
            arity: -3,
            args: &[
                Arg::one_of(
                    "how",
                    &[Arg::flag("none", ""), Arg::string("path").token("FROM")],
                ),
                Arg::block("pairs", &[Arg::string("name"), Arg::string("value")])
                    .token("CONFIG")
                    .optional()
                    .multiple()
                    .multiple_token(),
                Arg::string("arg").token("ARGS").optional().multiple(),
            ],
            ..CommandSpec::BLANK
        },
        body: Body::Run(()),
    };
    static CODE: Command<()> = Command {
        spec: CommandSpec {
            name: "code",
            group: Group::Server,
            arity: -2,
            ..CommandSpec::BLANK
        },
        body: Body::Container(&[&LOAD]),
    };

    fn table() -> CommandTable {
        let mut table = CommandTable::new();
        table.add(&[&SET, &CODE], &mut Vec::new(), |()| ());
        table
    }

    fn written(resp3: bool, write: impl FnOnce(&mut Writer<'_>)) -> String {
        let mut out = Vec::new();
        write(&mut Writer::new(&mut out, resp3));
        String::from_utf8(out)
            .expect("only text was written")
            .replace("\r\n", " ")
    }

    #[test]
    fn info_shows_the_derived_facts() {
        let table = table();
        let set = table.by_name("set").expect("it was added");
        assert_eq!(
            written(true, |reply| info(reply, &table, set)),
            "*10 $3 set :-3 ~2 +write +denyoom :1 :1 :1 ~3 +@write +@string +@slow ~0 ~1 %3 $5 flags \
             ~1 +RW $12 begin_search %2 $4 type $5 index $4 spec %1 $5 index :1 $9 find_keys %2 $4 \
             type $5 range $4 spec %3 $7 lastkey :0 $7 keystep :1 $5 limit :0 ~0 "
        );
        let code = table.by_name("code").expect("it was added");
        assert_eq!(
            written(false, |reply| info(reply, &table, code)),
            "*10 $4 code :-2 *0 :0 :0 :0 *1 +@slow *0 *0 *1 *10 $9 code|load :-3 *0 :0 :0 :0 *1 \
             +@slow *0 *0 *0 "
        );
    }

    #[test]
    fn docs_leave_out_what_a_command_does_not_have() {
        let table = table();
        let set = table.by_name("set").expect("it was added");
        assert_eq!(
            written(true, |reply| docs(reply, &table, set)),
            "$3 set %5 $7 summary $14 Sets a string. $5 since $5 1.0.0 $5 group $6 string $10 \
             complexity $4 O(1) $9 arguments *3 %3 $4 name $3 key $4 type $3 key $14 key_spec_index \
             :0 %5 $4 name $9 condition $4 type $5 oneof $5 since $6 2.6.12 $5 flags ~1 +optional \
             $9 arguments *2 %3 $4 name $2 nx $4 type $10 pure-token $5 token $2 NX %3 $4 name $2 xx \
             $4 type $10 pure-token $5 token $2 XX %4 $4 name $7 seconds $4 type $7 integer $5 token \
             $2 EX $5 flags ~1 +optional "
        );
        let load = table.by_name("code|load").expect("it was added");
        let text = written(false, |reply| docs(reply, &table, load));
        assert!(
            text.starts_with(
                "$9 code|load *14 $7 summary $6 Loads. $5 since $5 1.0.0 $5 group $6 server $9 \
                 doc_flags *2 +deprecated +syscmd $16 deprecated_since $5 7.0.0 $11 replaced_by $5 \
                 `RUN` $9 arguments *3 "
            ),
            "{text}"
        );
    }

    #[test]
    fn syntax_reads_like_the_manual() {
        let table = table();
        let of = |name: &str| syntax(table.entry(table.by_name(name).expect("it was added")));
        assert_eq!(of("set"), "SET key [NX | XX] [EX seconds]");
        assert_eq!(
            of("code|load"),
            "CODE LOAD <\"\" | FROM path> [CONFIG name value [CONFIG name value ...]] \
             [ARGS arg [arg ...]]"
        );
    }

    #[test]
    fn help_indents_the_texts_and_ends_with_itself() {
        assert_eq!(
            written(false, |reply| help(
                reply,
                b"Code",
                &[("LOAD <path>", "Load a file.\nAll.")]
            )),
            "*6 +CODE <subcommand> [<arg> [value] [opt] ...]. Subcommands are: +LOAD <path> \
             +    Load a file. +    All. +HELP +    Prints this help. "
        );
    }

    #[test]
    fn the_page_lists_what_can_be_called_by_group() {
        let page = markdown(&table());
        let headings: Vec<_> = page.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(
            headings,
            [
                "# Commands",
                "## String",
                "### SET",
                "## Server",
                "### CODE LOAD"
            ]
        );
        assert!(
            page.contains("\nSets a string.\n\nSince 1.0.0, O(1), write, denyoom, @write, @string")
        );
        assert!(page.contains("Loads. Deprecated since 7.0.0: use `RUN`. For other nodes"));
    }
}
