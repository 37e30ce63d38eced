//! Differences that are no mistake: Redis promises no order, no choice or no instant there. Each has its reason; whatever is
//! not here is a finding.

use ::tests::Reply;

use crate::generate::{Step, lower};

enum Allowed {
    /// Items in any order.
    Order,
    /// Pairs in any order.
    PairOrder,
    /// Other items of the same types and number.
    Choice,
    /// As many items, where LIMIT takes a part of what SORT leaves in any order: a set that BY says not to sort, or texts
    /// whose weights are equal.
    PartOfUnsorted,
    /// Numbers apart by at most so much, at any depth.
    Within(i64),
    /// `[cursor, items]`: any cursor with any part of the items; all of them, in any order, when a scan is whole. `cursor` is
    /// where the request has its own.
    Scan { cursor: usize, width: usize },
}

const HASH_ORDER: &str = "hash tables keep no order";
const RANDOM: &str = "the choice is random";
const CLOCK: &str = "two servers read the clock at two moments";

const EXPLAINED: &[(&[&str], Allowed, &str)] = &[
    (
        &[
            "smembers",
            "sinter",
            "sunion",
            "sdiff",
            "keys",
            "hkeys",
            "hvals",
            "sort",
            "sort_ro",
            "pubsub channels",
            "pubsub shardchannels",
        ],
        Allowed::Order,
        HASH_ORDER,
    ),
    (&["sort", "sort_ro"], Allowed::PartOfUnsorted, HASH_ORDER),
    (&["hgetall"], Allowed::PairOrder, HASH_ORDER),
    (
        &["scan"],
        Allowed::Scan {
            cursor: 1,
            width: 1,
        },
        HASH_ORDER,
    ),
    (
        &["sscan"],
        Allowed::Scan {
            cursor: 2,
            width: 1,
        },
        HASH_ORDER,
    ),
    (
        &["hscan", "zscan"],
        Allowed::Scan {
            cursor: 2,
            width: 2,
        },
        HASH_ORDER,
    ),
    (
        &["unsubscribe", "punsubscribe", "sunsubscribe"],
        Allowed::Choice,
        HASH_ORDER,
    ),
    (
        &[
            "srandmember",
            "hrandfield",
            "zrandmember",
            "spop",
            "randomkey",
        ],
        Allowed::Choice,
        RANDOM,
    ),
    (&["ttl", "expiretime"], Allowed::Within(1), CLOCK),
    (&["pttl", "pexpiretime"], Allowed::Within(1000), CLOCK),
    (&["xadd"], Allowed::Choice, CLOCK),
    (
        &["object idletime"],
        Allowed::Choice,
        "redis-server shares the small numbers it stores: they are as old as it is",
    ),
    (
        &["xpending", "xinfo stream", "xinfo consumers", "object freq"],
        Allowed::Within(1000),
        CLOCK,
    ),
];

/// Whether the two replies to a request may differ as they do.
pub(crate) fn explained(words: &[Vec<u8>], expected: &Reply, found: &Reply) -> bool {
    let mut name = words.first().map(|word| lower(word)).unwrap_or_default();
    if matches!(name.as_str(), "pubsub" | "xinfo" | "object")
        && let Some(subcommand) = words.get(1)
    {
        name = format!("{name} {}", lower(subcommand));
    }
    EXPLAINED
        .iter()
        .filter(|(names, ..)| names.contains(&name.as_str()))
        .any(|(_, allowed, _)| allowed.accepts(words, expected, found))
}

/// SORT looks up the weights of a set's members in the order in which the set has them, which is none: events of keys missed
/// one after the other come in any order where there was a SORT.
pub(crate) fn misses_of_sort_in_any_order(steps: &[Step], mut events: Vec<Reply>) -> Vec<Reply> {
    let sorts = |step: &Step| matches!(lower(&step.words[0]).as_str(), "sort" | "sort_ro");
    if steps.iter().any(sorts) {
        let missed = |event: &Reply| format!("{event:?}").contains("keymiss");
        for run in events.chunk_by_mut(|a, b| missed(a) && missed(b)) {
            run.sort_by_key(|event| format!("{event:?}"));
        }
    }
    events
}

impl Allowed {
    fn accepts(&self, words: &[Vec<u8>], expected: &Reply, found: &Reply) -> bool {
        if expected.is_error() || found.is_error() {
            return false;
        }
        match self {
            Allowed::Order => expected.clone().unordered() == found.clone().unordered(),
            Allowed::PairOrder => {
                expected.clone().unordered_chunks(2) == found.clone().unordered_chunks(2)
            }
            Allowed::Choice => expected.clone().shape() == found.clone().shape(),
            Allowed::PartOfUnsorted => {
                let has = |option| words.iter().any(|word| lower(word) == option);
                let unsorted = words
                    .windows(2)
                    .any(|pair| lower(&pair[0]) == "by" && !pair[1].contains(&b'*'));
                (unsorted || (has("by") && has("alpha")))
                    && has("limit")
                    && expected.items().len() == found.items().len()
            }
            Allowed::Within(slack) => within(expected, found, *slack),
            Allowed::Scan { cursor, width } => {
                scans_agree(words.get(*cursor), expected, found, *width)
            }
        }
    }
}

fn within(expected: &Reply, found: &Reply, slack: i64) -> bool {
    match (expected, found) {
        (Reply::Line(b':', _), Reply::Line(b':', _)) => {
            match (expected.integer(), found.integer()) {
                // A sentinel like -1 is no time.
                (Some(a), Some(b)) => a == b || (a >= 0 && b >= 0 && (a - b).abs() <= slack),
                _ => false,
            }
        }
        (Reply::Group(kind, Some(a)), Reply::Group(other, Some(b))) => {
            kind == other && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| within(a, b, slack))
        }
        _ => expected == found,
    }
}

fn scans_agree(cursor: Option<&Vec<u8>>, expected: &Reply, found: &Reply, width: usize) -> bool {
    let parts = |reply: &Reply| match reply.items() {
        [cursor, items @ Reply::Group(..)] => {
            Some((cursor.text(), items.clone().unordered_chunks(width)))
        }
        _ => None,
    };
    let from_the_start = cursor.is_some_and(|cursor| cursor == b"0");
    match (parts(expected), parts(found)) {
        (Some((a, expected)), Some((b, found))) if from_the_start && a == "0" && b == "0" => {
            expected == found
        }
        (Some(_), Some(_)) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::tests::split_words;

    fn reply(bytes: &[u8]) -> Reply {
        Reply::read(&mut &bytes[..]).unwrap()
    }

    fn check(command: &str, a: &[u8], b: &[u8]) -> bool {
        explained(&split_words(command), &reply(a), &reply(b))
    }

    #[test]
    fn another_order_is_explained_where_there_is_none_and_nowhere_else() {
        let (a, b) = (&b"*2\r\n:1\r\n:2\r\n"[..], &b"*2\r\n:2\r\n:1\r\n"[..]);
        assert!(check("SMEMBERS s", a, b));
        assert!(!check("LRANGE l 0 -1", a, b));
        assert!(!check("SMEMBERS s", a, b"*2\r\n:2\r\n:3\r\n"));
    }

    #[test]
    fn a_part_of_a_set_as_it_lies_may_be_another_but_not_a_sorted_one() {
        let (a, b) = (&b"*1\r\n$1\r\na\r\n"[..], &b"*1\r\n$1\r\nb\r\n"[..]);
        assert!(check("SORT s BY nosort LIMIT 0 1", a, b));
        assert!(!check("SORT s ALPHA LIMIT 0 1", a, b));
        assert!(!check("SORT s BY w_* LIMIT 0 1", a, b));
        assert!(check("SORT s BY w_* ALPHA LIMIT 0 1", a, b));
        assert!(!check("SORT s BY nosort", a, b));
    }

    #[test]
    fn keys_that_sort_missed_come_in_any_order_and_other_events_in_theirs() {
        let events = |texts: &[&str]| -> Vec<Reply> {
            let line = |text: &&str| reply(format!("+{text}\r\n").as_bytes());
            texts.iter().map(line).collect()
        };
        let same = |command: &str, a: &[&str], b: &[&str]| {
            let step = Step {
                connection: 0,
                words: split_words(command),
            };
            let [a, b] = [a, b].map(|texts| {
                misses_of_sort_in_any_order(std::slice::from_ref(&step), events(texts))
            });
            a == b
        };
        let (a, b) = (
            ["keymiss 1", "keymiss 2", "set"],
            ["keymiss 2", "keymiss 1", "set"],
        );
        assert!(same("SORT s BY w_*", &a, &b));
        assert!(!same("MGET 1 2", &a, &b));
        assert!(!same(
            "SORT s BY w_*",
            &a,
            &["keymiss 1", "set", "keymiss 2"]
        ));
        assert!(!same(
            "SORT s BY w_*",
            &a,
            &["keymiss 1", "keymiss 3", "set"]
        ));
    }

    #[test]
    fn times_may_be_near_but_a_missing_expiry_is_not() {
        assert!(check("PTTL k", b":1000\r\n", b":998\r\n"));
        assert!(!check("PTTL k", b":1\r\n", b":-1\r\n"));
        assert!(!check("PTTL k", b":5000\r\n", b":1\r\n"));
    }

    #[test]
    fn a_whole_scan_has_the_same_items_and_a_part_of_one_any() {
        let whole = b"*2\r\n$1\r\n0\r\n*2\r\n:1\r\n:2\r\n";
        assert!(check(
            "SSCAN s 0",
            whole,
            b"*2\r\n$1\r\n0\r\n*2\r\n:2\r\n:1\r\n"
        ));
        assert!(!check("SSCAN s 0", whole, b"*2\r\n$1\r\n0\r\n*1\r\n:2\r\n"));
        assert!(check("SSCAN s 0", whole, b"*2\r\n$1\r\n5\r\n*1\r\n:2\r\n"));
    }

    #[test]
    fn an_error_is_never_explained_by_anything() {
        assert!(!check("SPOP s", b"-ERR a\r\n", b"-ERR b\r\n"));
    }
}
