//! What each command may be called with, read from COMMAND DOCS of redis-server: a command that lands here is generated
//! from the day both servers know it.

use tests::{Connection, Reply};

/// One command, or one subcommand of a container.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// `["SET"]`, `["OBJECT", "ENCODING"]`.
    pub(crate) words: Vec<Vec<u8>>,
    /// As in COMMAND DOCS: `string`, `sorted-set`, …
    pub(crate) group: String,
    pub(crate) arguments: Vec<Argument>,
}

/// One argument, possibly optional or repeated.
#[derive(Clone, Debug)]
pub(crate) struct Argument {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// A word before the argument: `COUNT` of `COUNT 3`.
    pub(crate) token: Option<Vec<u8>>,
    pub(crate) optional: bool,
    pub(crate) multiple: bool,
    /// The token comes before each repetition.
    pub(crate) multiple_token: bool,
}

/// What an argument is made of.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Key,
    Text,
    Integer,
    Double,
    Pattern,
    UnixTime,
    /// Nothing but the token.
    Token,
    OneOf(Vec<Argument>),
    Block(Vec<Argument>),
}

impl Command {
    /// The name in lower case, a space before a subcommand.
    pub(crate) fn name(&self) -> String {
        let words: Vec<_> = self
            .words
            .iter()
            .map(|word| String::from_utf8_lossy(word).to_lowercase())
            .collect();
        words.join(" ")
    }
}

/// The commands that both servers know.
pub(crate) fn common_commands(redis: &mut Connection, ours: &mut Connection) -> Vec<Command> {
    let mut commands = Vec::new();
    let known = ours.run("COMMAND LIST");
    for (name, docs) in pairs(&redis.run("COMMAND DOCS")) {
        if known
            .items()
            .iter()
            .any(|item| item.text().eq_ignore_ascii_case(&name))
        {
            add(&mut commands, Vec::new(), &name, docs);
        }
    }
    commands.retain(|command| {
        // A container may know fewer subcommands.
        let [container, subcommand] = &command.words[..] else {
            return true;
        };
        let full = format!(
            "{}|{}",
            String::from_utf8_lossy(container),
            String::from_utf8_lossy(subcommand)
        );
        !ours.run(&format!("COMMAND INFO {full}")).items()[0].is_null()
    });
    assert!(!commands.is_empty(), "no command is known to both");
    commands.sort_by_key(Command::name);
    commands
}

fn add(commands: &mut Vec<Command>, container: Vec<Vec<u8>>, name: &str, docs: &Reply) {
    let mut words = container;
    let own = name.rsplit('|').next().unwrap_or(name);
    words.push(own.to_uppercase().into_bytes());
    let subcommands = field(docs, "subcommands").map(pairs).unwrap_or_default();
    for (name, docs) in &subcommands {
        add(commands, words.clone(), name, docs);
    }
    if subcommands.is_empty() {
        commands.push(Command {
            words,
            group: field(docs, "group").map(Reply::text).unwrap_or_default(),
            arguments: field(docs, "arguments").map(arguments).unwrap_or_default(),
        });
    }
}

fn arguments(list: &Reply) -> Vec<Argument> {
    list.items().iter().map(argument).collect()
}

fn argument(docs: &Reply) -> Argument {
    let text = |name| field(docs, name).map(Reply::text).unwrap_or_default();
    let inner = || field(docs, "arguments").map(arguments).unwrap_or_default();
    let flags: Vec<String> = field(docs, "flags")
        .map(|flags| flags.items().iter().map(Reply::text).collect())
        .unwrap_or_default();
    let has = |flag: &str| flags.iter().any(|known| known == flag);
    Argument {
        name: text("name"),
        kind: match text("type").as_str() {
            "key" => Kind::Key,
            "string" => Kind::Text,
            "integer" => Kind::Integer,
            "double" => Kind::Double,
            "pattern" => Kind::Pattern,
            "unix-time" => Kind::UnixTime,
            "pure-token" => Kind::Token,
            "oneof" => Kind::OneOf(inner()),
            "block" => Kind::Block(inner()),
            other => panic!("COMMAND DOCS names a type this does not know: {other}"),
        },
        token: field(docs, "token").map(|token| token.text().into_bytes()),
        optional: has("optional"),
        multiple: has("multiple"),
        multiple_token: has("multiple_token"),
    }
}

/// The pairs of a map as RESP2 shows it: names and values alternate.
fn pairs(map: &Reply) -> Vec<(String, &Reply)> {
    map.items()
        .chunks_exact(2)
        .map(|pair| (pair[0].text(), &pair[1]))
        .collect()
}

fn field<'a>(map: &'a Reply, name: &str) -> Option<&'a Reply> {
    pairs(map)
        .into_iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value)
}
