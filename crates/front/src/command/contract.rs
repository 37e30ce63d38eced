//! What must hold for every command of a table. Each crate that lists commands calls [`violations`] from a test.
//!
//! Redundancy that a test compares is documentation: arity follows from the arguments, `movablekeys` from the key specs,
//! and both are stated so that a reader sees them.

use super::spec::{Arg, ArgKind, FindKeys, Flags, KeyFlags, KeySpec};
use super::{CommandTable, MAX_KEY_SPECS, TableEntry, has_keys};

/// Commands whose arity is not what their arguments say, as in Redis. All check their arguments themselves.
const ARITY_EXCEPTIONS: &[&str] = &[
    "client|kill", // new filters come in pairs, the old form is one word: the tree does not say so
    "command|getkeys",
    "command|getkeysandflags", // a whole request follows, the tree shows none
    "debug",                   // no arguments documented
    "geohash",
    "geopos",  // no member is allowed, the tree demands one
    "pfmerge", // no source is allowed, the tree demands one
    "psync",   // takes a third word on failover
    "quit",
    "replconf",                  // any words
    "sentinel|config",           // SET wants two words more, GET one
    "sentinel|simulate-failure", // the tree lets the mode be left out
];

/// Commands whose key specs disagree with their flags, as in Redis.
const WRITE_EXCEPTIONS: &[&str] = &[
    "pfcount",    // read-only, but rewrites the cached cardinality in its keys
    "xreadgroup", // writes the group's position, not the entries
];

/// A property of a command, and what to say of one that lacks it.
type Rule = (fn(&TableEntry) -> bool, &'static str);

const RULES: &[Rule] = &[
    (has_lowercase_name, "has a name that is not lowercase"),
    (has_summary, "has a summary that is not a sentence"),
    (has_version, "has no version in `since`"),
    (arity_agrees, "has another arity than its arguments say"),
    (reads_or_writes, "claims both to write and to be read-only"),
    (writes_agree, "writes keys otherwise than its flags say"),
    (
        one_access_per_key,
        "has a key spec that is not one of RO, RW, OW and RM",
    ),
    (
        few_key_specs,
        "has more key specs than key extraction keeps",
    ),
    (steps_forward, "has a key spec that does not step forward"),
    (
        key_args_exist,
        "has a key argument of a key spec that does not exist",
    ),
    (keys_have_args, "has a key spec that no argument uses"),
    (
        movable_agrees,
        "states `movablekeys` otherwise than its key specs do",
    ),
    (
        finds_unknown_keys,
        "has keys that no key spec finds and no function that does",
    ),
];

/// Every breach of the contract, each as a sentence that names the command. Empty if all is well.
pub fn violations(table: &CommandTable) -> Vec<String> {
    let of = |entry: &TableEntry| {
        let broken = RULES.iter().filter(|(holds, _)| !holds(entry));
        broken
            .map(|(_, what)| format!("{} {what}", entry.full_name))
            .collect::<Vec<_>>()
    };
    table.iter().flat_map(|(_, entry)| of(entry)).collect()
}

fn has_lowercase_name(entry: &TableEntry) -> bool {
    let name = entry.spec.name;
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed)
}

fn has_summary(entry: &TableEntry) -> bool {
    let text = entry.spec.summary;
    text.starts_with(|first: char| first.is_uppercase()) && text.ends_with('.')
}

fn has_version(entry: &TableEntry) -> bool {
    let parts: Vec<_> = entry.spec.since.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| part.parse::<u8>().is_ok())
}

fn reads_or_writes(entry: &TableEntry) -> bool {
    !entry.spec.flags.has(Flags::WRITE.and(Flags::READONLY))
}

fn arity_agrees(entry: &TableEntry) -> bool {
    if entry.is_container() || ARITY_EXCEPTIONS.contains(&entry.full_name.as_str()) {
        return true;
    }
    let words = 1 + usize::from(entry.parent.is_some());
    let (least, exact) = words_of(entry.spec.args);
    let least = (words + least) as i32;
    entry.spec.arity == if exact { least } else { -least }
}

/// The least number of words these arguments take, and whether they never take more.
fn words_of(args: &[Arg]) -> (usize, bool) {
    let each = args.iter().map(word_of);
    each.fold((0, true), |(sum, exact), (least, always)| {
        (sum + least, exact && always)
    })
}

fn word_of(arg: &Arg) -> (usize, bool) {
    if arg.optional {
        return (0, false);
    }
    let (least, exact) = match arg.kind {
        ArgKind::PureToken => (0, true),
        ArgKind::Block(inner) => words_of(inner),
        ArgKind::OneOf(inner) => {
            let least = inner.iter().map(|arg| word_of(arg).0).min().unwrap_or(0);
            (least, inner.iter().all(|arg| word_of(arg) == (least, true)))
        }
        _ => (1, true),
    };
    (
        least + usize::from(arg.token.is_some()),
        exact && !arg.multiple,
    )
}

/// A write with keys changes at least one of them, a read-only command none.
fn writes_agree(entry: &TableEntry) -> bool {
    let changes = KeyFlags::RW.and(KeyFlags::OW).and(KeyFlags::RM);
    let changes_keys = entry.spec.keys.iter().any(|key| key.flags.any(changes));
    let agrees = match entry.spec.flags {
        flags if flags.has(Flags::WRITE) => changes_keys || !has_keys(entry.spec),
        flags if flags.has(Flags::READONLY) => !changes_keys,
        _ => true,
    };
    agrees || WRITE_EXCEPTIONS.contains(&entry.full_name.as_str())
}

fn one_access_per_key(entry: &TableEntry) -> bool {
    let spec = entry.spec;
    let accesses = [KeyFlags::RO, KeyFlags::RW, KeyFlags::OW, KeyFlags::RM];
    let is_one =
        |flags: KeyFlags| accesses.iter().filter(|access| flags.has(**access)).count() == 1;
    spec.keys
        .iter()
        .all(|key| key.flags.has(KeyFlags::NOT_KEY) || is_one(key.flags))
}

fn steps_forward(entry: &TableEntry) -> bool {
    let spec = entry.spec;
    spec.keys.iter().all(|key| match key.find {
        FindKeys::Range { step, limit, .. } => step >= 1 && limit >= 0,
        FindKeys::KeyNum {
            keynum,
            first,
            step,
        } => keynum >= 0 && first >= 1 && step >= 1,
        FindKeys::Unknown => true,
    })
}

/// The key specs that arguments refer to, at any depth.
fn key_refs(args: &[Arg]) -> Vec<usize> {
    let of = |arg: &Arg| match arg.kind {
        ArgKind::Key(spec) | ArgKind::Pattern(Some(spec)) => vec![spec],
        ArgKind::OneOf(inner) | ArgKind::Block(inner) => key_refs(inner),
        _ => Vec::new(),
    };
    args.iter().flat_map(of).collect()
}

fn key_args_exist(entry: &TableEntry) -> bool {
    let spec = entry.spec;
    key_refs(spec.args)
        .iter()
        .all(|&index| index < spec.keys.len())
}

fn keys_have_args(entry: &TableEntry) -> bool {
    let spec = entry.spec;
    let refs = key_refs(spec.args);
    let is_used =
        |(index, key): (usize, &KeySpec)| refs.contains(&index) || key.flags.has(KeyFlags::NOT_KEY);
    spec.keys.iter().enumerate().all(is_used)
}

fn few_key_specs(entry: &TableEntry) -> bool {
    entry.spec.keys.len() <= MAX_KEY_SPECS
}

fn movable_agrees(entry: &TableEntry) -> bool {
    entry.key_shape.movable == entry.spec.flags.has(Flags::MOVABLE_KEYS)
}

fn finds_unknown_keys(entry: &TableEntry) -> bool {
    let is_hard = |key: &KeySpec| {
        key.find == FindKeys::Unknown
            || key
                .flags
                .any(KeyFlags::INCOMPLETE.and(KeyFlags::VARIABLE_FLAGS))
    };
    entry.spec.keys_fn.is_some() || !entry.spec.keys.iter().any(is_hard)
}

#[cfg(test)]
mod tests {
    use super::super::{Body, Command, CommandSpec};
    use super::*;

    const GOOD: CommandSpec = CommandSpec {
        name: "good",
        summary: "Does well.",
        arity: -3,
        flags: Flags::WRITE,
        keys: &[KeySpec::one(KeyFlags::RW, 1)],
        args: &[Arg::key("key", 0), Arg::string("value").multiple()],
        ..CommandSpec::BLANK
    };

    fn check(spec: CommandSpec) -> Vec<String> {
        let command: &'static Command<()> = Box::leak(Box::new(Command {
            spec,
            body: Body::Run(()),
        }));
        let mut table = CommandTable::new();
        table.add(&[command], &mut Vec::new(), |()| ());
        violations(&table)
    }

    #[test]
    fn the_shared_commands_keep_the_contract() {
        let mut table = CommandTable::new();
        table.add(crate::commands::COMMANDS, &mut Vec::new(), |handler| {
            handler
        });
        assert_eq!(violations(&table), Vec::<String>::new());
    }

    #[test]
    fn each_breach_is_named() {
        assert_eq!(check(GOOD), Vec::<String>::new());
        let upper = check(CommandSpec {
            name: "Good",
            ..GOOD
        });
        assert_eq!(upper, ["Good has a name that is not lowercase"]);
        let arity = check(CommandSpec { arity: 3, ..GOOD });
        assert_eq!(arity, ["good has another arity than its arguments say"]);
        let reads = check(CommandSpec {
            flags: Flags::READONLY,
            ..GOOD
        });
        assert_eq!(reads, ["good writes keys otherwise than its flags say"]);
        let both = check(CommandSpec {
            flags: Flags::WRITE.and(Flags::READONLY),
            ..GOOD
        });
        assert_eq!(both, ["good claims both to write and to be read-only"]);
        let unused = check(CommandSpec {
            arity: -2,
            args: &GOOD.args[1..],
            ..GOOD
        });
        assert_eq!(unused, ["good has a key spec that no argument uses"]);
        let missing = check(CommandSpec { keys: &[], ..GOOD });
        assert_eq!(
            missing,
            ["good has a key argument of a key spec that does not exist"]
        );
        let movable = check(CommandSpec {
            flags: Flags::WRITE.and(Flags::MOVABLE_KEYS),
            ..GOOD
        });
        assert_eq!(
            movable,
            ["good states `movablekeys` otherwise than its key specs do"]
        );
    }

    #[test]
    fn words_are_counted_through_options_choices_and_blocks() {
        const TREE: &[Arg] = &[
            Arg::one_of("side", &[Arg::flag("l", "LEFT"), Arg::string("other")]),
            Arg::block("limit", &[Arg::integer("offset"), Arg::integer("count")]).token("LIMIT"),
        ];
        assert_eq!(words_of(TREE), (4, true));
        const UNEVEN: &[Arg] = &[Arg::one_of(
            "id",
            &[Arg::string("id"), Arg::string("name").token("BY")],
        )];
        assert_eq!(words_of(UNEVEN), (1, false));
        assert_eq!(words_of(&[Arg::string("extra").optional()]), (0, false));
    }
}
