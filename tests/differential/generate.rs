//! Random requests that follow the grammar of each command, with keys and values from small pools so that they meet,
//! and now and then one that breaks the grammar.

use tests::Random;

use crate::grammar::{Argument, Command, Kind};
use crate::values;

/// A request and the connection it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) connection: usize,
    pub(crate) words: Vec<Vec<u8>>,
}

/// Connections of a scenario.
pub(crate) const CONNECTIONS: usize = 2;

/// How often a group is chosen. What is not here is not generated.
const GROUPS: &[(&str, usize)] = &[
    ("string", 15),
    ("hash", 12),
    ("list", 12),
    ("set", 12),
    ("sorted-set", 20),
    ("generic", 14),
    ("bitmap", 5),
    ("hyperloglog", 3),
    ("geo", 4),
    ("stream", 12),
    ("pubsub", 3),
    ("transactions", 3),
    ("connection", 2),
    ("server", 2),
    ("scripting", 3),
];

/// The groups whose every difference is explained: what runs without being asked for others.
pub(crate) const SETTLED_GROUPS: &[&str] = &[
    "string",
    "hash",
    "list",
    "set",
    "sorted-set",
    "stream",
    "generic",
    "bitmap",
    "hyperloglog",
    "geo",
    "scripting",
    "pubsub",
    "transactions",
    "connection",
    "server",
];

/// Commands that would undo too much, or wait, if they were as frequent as others: one in so many is kept.
const RARE: &[(&str, usize)] = &[
    ("flushall", 30),
    ("flushdb", 10),
    ("swapdb", 3),
    ("del", 2),
    ("unlink", 2),
    ("blpop", 5),
    ("brpop", 5),
    ("blmove", 5),
    ("brpoplpush", 5),
    ("blmpop", 5),
    ("bzpopmin", 5),
    ("bzpopmax", 5),
    ("bzmpop", 5),
];

/// What is never generated, and why.
const EXCLUDED: &[(&str, &str)] = &[
    ("wait", "blocks without replicas"),
    ("migrate", "needs a second server; compat scripts have one"),
    ("dump", "the bytes may be compressed differently"),
    ("restore", "a random payload is an error at once"),
    ("auth", "adds nothing without users"),
    (
        "hello",
        "names the version, and changes the protocol of the scenario",
    ),
    ("reset", "changes the protocol of the scenario"),
    ("quit", "ends the connection"),
    ("pfselftest", "tests redis-server's inside"),
    ("pfdebug", "shows redis-server's inside"),
];

/// The commands of these groups that stay in: most of them show or change the process, not the dataset.
const INCLUDED_OF: &[(&str, &[&str])] = &[
    (
        "scripting",
        &["eval", "eval_ro", "script exists", "script load"],
    ),
    (
        "server",
        &[
            "acl cat",
            "acl dryrun",
            "command getkeys",
            "command getkeysandflags",
            "dbsize",
            "flushall",
            "flushdb",
            "swapdb",
        ],
    ),
    (
        "connection",
        &[
            "echo",
            "ping",
            "select",
            "client getname",
            "client setname",
            "client trackinginfo",
        ],
    ),
];

/// Groups whose requests always follow the grammar: transactions, which must end; COMMAND, which says much when cut short.
const UNSPOILT_GROUPS: &[&str] = &["transactions", "server"];

/// Each request confirms as many times as it names channels.
pub(crate) fn confirms_each_channel(name: &str) -> bool {
    matches!(
        name,
        "subscribe" | "psubscribe" | "ssubscribe" | "unsubscribe" | "punsubscribe" | "sunsubscribe"
    )
}

/// Makes the requests of one scenario.
pub(crate) struct Generator<'a> {
    random: Random,
    groups: Vec<(usize, Vec<&'a Command>)>,
    /// Requests left in the open transaction of each connection.
    in_transaction: [Option<usize>; CONNECTIONS],
}

impl<'a> Generator<'a> {
    /// `only` names groups; empty takes all.
    pub(crate) fn new(commands: &'a [Command], only: &[String], random: Random) -> Generator<'a> {
        let groups = GROUPS
            .iter()
            .filter(|(group, _)| only.is_empty() || only.iter().any(|name| name == group))
            .map(|&(group, weight)| {
                let of_group: Vec<_> = commands
                    .iter()
                    .filter(|command| command.group == group && is_generated(command))
                    .collect();
                (weight, of_group)
            })
            .filter(|(_, commands)| !commands.is_empty())
            .collect();
        Generator {
            random,
            groups,
            in_transaction: [None; CONNECTIONS],
        }
    }

    /// Directives for a scenario: limits at which encodings change, so that small values have all of them.
    pub(crate) fn settings(&mut self) -> Vec<Vec<Vec<u8>>> {
        const LIMITS: &[(&str, &[&str])] = &[
            ("list-max-listpack-size", &["-2", "-1", "2", "5", "128"]),
            ("list-compress-depth", &["0", "1", "2"]),
            ("hash-max-listpack-entries", &["128", "4", "0", "512"]),
            ("hash-max-listpack-value", &["64", "8", "1000"]),
            ("zset-max-listpack-entries", &["128", "4", "0"]),
            ("zset-max-listpack-value", &["64", "8"]),
            ("set-max-intset-entries", &["512", "4", "0"]),
            ("stream-node-max-entries", &["100", "3", "1"]),
            ("stream-node-max-bytes", &["4096", "40"]),
            ("hll-sparse-max-bytes", &["3000", "100", "0"]),
            ("notify-keyspace-events", &["KEA", "KEA", "Kg$", "EAm", ""]),
            (
                "maxmemory-policy",
                &["noeviction", "allkeys-lru", "allkeys-lfu"],
            ),
        ];
        LIMITS
            .iter()
            .map(|(name, choices)| {
                // The first is the default.
                let value = if self.random.one_in(2) {
                    choices[0]
                } else {
                    self.random.pick(choices)
                };
                ["CONFIG", "SET", name, value]
                    .map(|word| word.as_bytes().to_vec())
                    .to_vec()
            })
            .collect()
    }

    /// About `count` requests.
    pub(crate) fn steps(&mut self, count: usize) -> Vec<Step> {
        let mut steps = Vec::with_capacity(count);
        while steps.len() < count {
            let connection = self.random.below(CONNECTIONS);
            for _ in 0..self.random.between(1, 40) {
                self.add_step(connection, &mut steps);
            }
            // A subscriber of RESP2 may do little else: it does not stay one for long.
            for command in ["UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"] {
                let confirmed = steps.iter().rev().take(40).any(|step: &Step| {
                    step.words
                        .first()
                        .is_some_and(|word| confirms_each_channel(&lower(word)))
                });
                if confirmed && self.in_transaction[connection].is_none() {
                    let words = vec![command.as_bytes().to_vec()];
                    steps.push(Step { connection, words });
                }
            }
        }
        steps
    }

    fn add_step(&mut self, connection: usize, steps: &mut Vec<Step>) {
        let mut push = |words: Vec<Vec<u8>>| steps.push(Step { connection, words });
        match &mut self.in_transaction[connection] {
            Some(0) => {
                self.in_transaction[connection] = None;
                let end: &[u8] = if self.random.one_in(8) {
                    b"DISCARD"
                } else {
                    b"EXEC"
                };
                return push(vec![end.to_vec()]);
            }
            Some(left) => *left -= 1,
            None => {}
        }
        let command = self.choose();
        let name = command.name();
        match name.as_str() {
            "multi" if self.in_transaction[connection].is_none() => {
                self.in_transaction[connection] = Some(self.random.below(8));
                return push(vec![b"MULTI".to_vec()]);
            }
            // A transaction ends when its time has come, and its confirmations would not fit into EXEC's reply.
            "exec" | "discard" if self.in_transaction[connection].is_some() => return,
            // Inside EXEC redis-server writes confirmations, and messages to the publisher itself, into the middle of the list.
            name if self.in_transaction[connection].is_some()
                && (confirms_each_channel(name) || name == "publish" || name == "spublish") =>
            {
                return;
            }
            _ => {}
        }
        let mut words = self.words(command);
        let may_spoil =
            !confirms_each_channel(&name) && !UNSPOILT_GROUPS.contains(&command.group.as_str());
        if may_spoil && self.random.one_in(20) {
            self.spoil(&mut words);
        }
        values::keep_apart_from_the_clock(&mut words);
        let has = |option: &str| words.iter().position(|word| lower(word) == option);
        let random_effect = name == "spop" || (name == "xadd" && has("*").is_some());
        let mut key = words.get(1).filter(|_| random_effect).cloned();
        // Texts of equal weight are stored in any order.
        if name == "sort"
            && has("by").is_some()
            && has("alpha").is_some()
            && let Some(store) = has("store")
        {
            key = words.get(store + 1).cloned();
        }
        if let Some(key) = lex_range_of(&name, &words) {
            push(equal_scores(key));
        }
        push(words);
        if let Some(key) = key {
            push(vec![b"DEL".to_vec(), key]);
        }
    }

    fn choose(&mut self) -> &'a Command {
        let total: usize = self.groups.iter().map(|(weight, _)| weight).sum();
        loop {
            let mut at = self.random.below(total);
            let commands = self
                .groups
                .iter()
                .find(|(weight, _)| {
                    let found = at < *weight;
                    at = at.saturating_sub(*weight);
                    found
                })
                .map(|(_, commands)| commands)
                .expect("at is below the sum of the weights");
            let command = commands[self.random.below(commands.len())];
            let name = command.name();
            let rare = RARE.iter().find(|(rare, _)| *rare == name);
            if rare.is_none_or(|&(_, n)| self.random.one_in(n)) {
                return command;
            }
        }
    }

    /// A request that follows the grammar.
    fn words(&mut self, command: &Command) -> Vec<Vec<u8>> {
        let mut parts: Vec<Part> = command.words.iter().cloned().map(Part::Word).collect();
        if self.random.one_in(30) {
            parts = parts.into_iter().map(|part| self.recase(part)).collect();
        }
        let mut arguments: Vec<&Argument> = command.arguments.iter().collect();
        if self.random.one_in(10) {
            // Options are accepted in any order, most of the time.
            let first = arguments.iter().position(|a| a.optional).unwrap_or(0);
            for at in first..arguments.len() {
                let other = self
                    .random
                    .between(first as i64, arguments.len() as i64 - 1);
                arguments.swap(at, other as usize);
            }
        }
        for argument in arguments {
            self.argument(command, argument, &mut parts);
        }
        self.count_keys(parts)
    }

    fn argument(&mut self, command: &Command, argument: &Argument, parts: &mut Vec<Part>) {
        if argument.optional && self.random.below(10) < 6 {
            return;
        }
        let times = match argument.multiple {
            false => 1,
            true if self.random.one_in(60) => self.random.between(20, 200),
            true => self.random.between(1, 4),
        };
        for time in 0..times {
            if let Some(token) = &argument.token
                && (time == 0 || argument.multiple_token)
                && !matches!(argument.kind, Kind::Token)
            {
                parts.push(Part::Word(token.clone()));
            }
            match &argument.kind {
                Kind::Token => parts.push(Part::Word(argument.token.clone().unwrap_or_default())),
                Kind::OneOf(choices) => {
                    let choice = &choices[self.random.below(choices.len())];
                    self.argument(command, choice, parts);
                }
                Kind::Block(inner) => {
                    for argument in inner {
                        self.argument(command, argument, parts);
                    }
                }
                Kind::Key => parts.push(Part::Key(values::key(&mut self.random, command))),
                Kind::Integer if argument.name == "numkeys" => parts.push(Part::CountOfKeys),
                _ => parts.push(Part::Word(values::value(
                    &mut self.random,
                    command,
                    argument,
                ))),
            }
        }
    }

    /// Replaces the count by the number of keys behind it, mostly.
    fn count_keys(&mut self, parts: Vec<Part>) -> Vec<Vec<u8>> {
        let counts: Vec<usize> = (0..parts.len())
            .map(|at| {
                let after = &parts[at + 1..];
                after
                    .iter()
                    .take_while(|part| matches!(part, Part::Key(_)))
                    .count()
            })
            .collect();
        parts
            .into_iter()
            .zip(counts)
            .map(|(part, count)| match part {
                Part::Word(word) | Part::Key(word) => word,
                Part::CountOfKeys if self.random.one_in(15) => values::junk(&mut self.random),
                Part::CountOfKeys => count.to_string().into_bytes(),
            })
            .collect()
    }

    fn recase(&mut self, part: Part) -> Part {
        let Part::Word(word) = part else { return part };
        let flip = |byte: u8, random: &mut Random| {
            if random.one_in(2) {
                byte.to_ascii_lowercase()
            } else {
                byte
            }
        };
        Part::Word(
            word.into_iter()
                .map(|byte| flip(byte, &mut self.random))
                .collect(),
        )
    }

    /// Breaks the grammar in one place.
    fn spoil(&mut self, words: &mut Vec<Vec<u8>>) {
        let at = self.random.between(1, words.len() as i64) as usize;
        match self.random.below(5) {
            0 if at < words.len() => {
                words.remove(at);
            }
            1 if at < words.len() => words.insert(at, words[at].clone()),
            2 if at < words.len() => words[at] = values::junk(&mut self.random),
            3 if at < words.len() => words.truncate(at),
            _ => words.insert(at, values::junk(&mut self.random)),
        }
    }
}

enum Part {
    Word(Vec<u8>),
    Key(Vec<u8>),
    CountOfKeys,
}

/// The key a range of members is asked of.
fn lex_range_of<'a>(name: &str, words: &'a [Vec<u8>]) -> Option<&'a Vec<u8>> {
    match name {
        "zrangebylex" | "zrevrangebylex" | "zlexcount" | "zremrangebylex" => words.get(1),
        "zrange" if words.iter().any(|word| lower(word) == "bylex") => words.get(1),
        "zrangestore" if words.iter().any(|word| lower(word) == "bylex") => words.get(2),
        _ => None,
    }
}

/// Members are in order where scores are equal only; where they are not, what redis-server finds depends on the levels its
/// skip list happens to have.
fn equal_scores(key: &[u8]) -> Vec<Vec<u8>> {
    [&b"ZUNIONSTORE"[..], key, b"1", key, b"WEIGHTS", b"0"]
        .map(<[u8]>::to_vec)
        .to_vec()
}

pub(crate) fn lower(word: &[u8]) -> String {
    String::from_utf8_lossy(word).to_lowercase()
}

fn is_generated(command: &Command) -> bool {
    let name = command.name();
    let container = name.split(' ').next().unwrap_or_default();
    let excluded = EXCLUDED
        .iter()
        .any(|(excluded, _)| *excluded == name || *excluded == container);
    let included = INCLUDED_OF
        .iter()
        .find(|(group, _)| *group == command.group)
        .is_none_or(|(_, names)| names.contains(&name.as_str()));
    // Each project explains its commands in its own words.
    let help = name.ends_with(" help");
    included && !excluded && !help
}
