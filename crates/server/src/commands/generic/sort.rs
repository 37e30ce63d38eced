//! SORT and SORT_RO: elements of a list, set or sorted set, ordered by themselves or by what other keys hold.

use super::sort_pattern::Pattern;
use crate::collation;
use crate::commands::prelude::*;
use std::cmp::Ordering;
use std::ops::Range;
use store::db::{Db, Expiry};
use store::float::parse_weight;
use store::value::{List, Order, Value, ValueRef, ValueType};

pub(super) static SORT: Command = Command {
    spec: CommandSpec {
        name: "sort",
        group: Group::Generic,
        summary: "Sorts the elements of a list, set or sorted set, and may store the result.",
        since: "1.0.0",
        complexity: "O(N+M*log(M))",
        arity: -2,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS),
        categories: Categories::SET
            .and(Categories::SORTED_SET)
            .and(Categories::LIST)
            .and(Categories::DANGEROUS),
        keys: &[
            KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1),
            KeySpec::unknown(KeyFlags::RO.and(KeyFlags::ACCESS)),
            KeySpec::unknown(KeyFlags::OW.and(KeyFlags::UPDATE)),
        ],
        args: &[
            Arg::key("key", 0),
            Arg::key_pattern("pattern", 1).token("BY").optional(),
            Arg::block(
                "offset_count",
                &[Arg::integer("offset"), Arg::integer("count")],
            )
            .token("LIMIT")
            .optional(),
            Arg::key_pattern("pattern", 1)
                .token("GET")
                .optional()
                .multiple()
                .multiple_token(),
            Arg::one_of(
                "order",
                &[Arg::flag("asc", "ASC"), Arg::flag("desc", "DESC")],
            )
            .optional(),
            Arg::flag("sorting", "ALPHA").optional(),
            Arg::key("destination", 2).token("STORE").optional(),
        ],
        keys_fn: Some(keys),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(sort)),
};

pub(super) static SORT_RO: Command = Command {
    spec: CommandSpec {
        name: "sort_ro",
        group: Group::Generic,
        summary: "Sorts the elements of a list, set or sorted set.",
        since: "7.0.0",
        complexity: "O(N+M*log(M))",
        arity: -2,
        flags: Flags::READONLY.and(Flags::MOVABLE_KEYS),
        categories: Categories::SET
            .and(Categories::SORTED_SET)
            .and(Categories::LIST)
            .and(Categories::DANGEROUS),
        keys: &[
            KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1),
            KeySpec::unknown(KeyFlags::RO.and(KeyFlags::ACCESS)),
        ],
        args: &[
            Arg::key("key", 0),
            Arg::key_pattern("pattern", 1).token("BY").optional(),
            Arg::block(
                "offset_count",
                &[Arg::integer("offset"), Arg::integer("count")],
            )
            .token("LIMIT")
            .optional(),
            Arg::key_pattern("pattern", 1)
                .token("GET")
                .optional()
                .multiple()
                .multiple_token(),
            Arg::one_of(
                "order",
                &[Arg::flag("asc", "ASC"), Arg::flag("desc", "DESC")],
            )
            .optional(),
            Arg::flag("sorting", "ALPHA").optional(),
        ],
        keys_fn: Some(readonly_keys),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(sort_ro)),
};

/// The words after the key.
#[derive(Default)]
struct Options<'a> {
    descending: bool,
    alpha: bool,
    offset: i64,
    /// LIMIT: a negative number takes all.
    count: i64,
    by: Option<Pattern<'a>>,
    /// BY a pattern without a star: the elements stay as they are.
    unsorted: bool,
    get: Vec<Pattern<'a>>,
    store: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(
        mut words: &[&'a [u8]],
        may_store: bool,
        may_follow_patterns: bool,
    ) -> Result<Options<'a>, CommandError> {
        let mut options = Options {
            count: -1,
            ..Options::default()
        };
        while let [option, rest @ ..] = words {
            words = rest;
            match (option.to_ascii_uppercase().as_slice(), rest) {
                (b"ASC", _) => options.descending = false,
                (b"DESC", _) => options.descending = true,
                (b"ALPHA", _) => options.alpha = true,
                (b"LIMIT", [offset, count, rest @ ..]) => {
                    options.offset = parse_integer(offset)?;
                    options.count = parse_integer(count)?;
                    words = rest;
                }
                (b"STORE", [key, rest @ ..]) if may_store => {
                    options.store = Some(*key);
                    words = rest;
                }
                (b"BY", [pattern, rest @ ..]) => {
                    let pattern = Pattern::parse(pattern);
                    if pattern.has_star() && !may_follow_patterns {
                        return Err(denied("BY"));
                    }
                    options.unsorted |= !pattern.has_star();
                    options.by = Some(pattern);
                    words = rest;
                }
                (b"GET", _) if !rest.is_empty() && !may_follow_patterns => {
                    return Err(denied("GET"));
                }
                (b"GET", [pattern, rest @ ..]) => {
                    options.get.push(Pattern::parse(pattern));
                    words = rest;
                }
                _ => return Err(CommandError::Syntax),
            }
        }
        Ok(options)
    }

    /// The elements LIMIT leaves, of so many.
    fn range(&self, len: usize) -> Range<usize> {
        let start = usize::try_from(self.offset).unwrap_or(0).min(len);
        let count = usize::try_from(self.count).unwrap_or(usize::MAX);
        start..start.saturating_add(count).min(len)
    }
}

fn denied(option: &str) -> CommandError {
    CommandError::err(format_args!(
        "{option} option of SORT denied due to insufficient ACL permissions."
    ))
}

/// The keys of a request, which the key specs cannot find: STORE may be anywhere, and names of other options are
/// patterns after BY and GET.
fn keys(args: &[&[u8]]) -> Option<Vec<(usize, KeyFlags)>> {
    let mut keys = vec![(1, KeyFlags::RO.and(KeyFlags::ACCESS))];
    let mut target = None;
    let mut at = 2;
    while let Some(word) = args.get(at) {
        let skipped = match word.to_ascii_uppercase().as_slice() {
            b"LIMIT" => 2,
            b"BY" | b"GET" => 1,
            b"STORE" if at + 1 < args.len() => {
                target = Some((at + 1, KeyFlags::OW.and(KeyFlags::UPDATE)));
                1
            }
            _ => 0,
        };
        at += 1 + skipped;
    }
    keys.extend(target);
    Some(keys)
}

/// The same of SORT_RO, which knows no STORE.
fn readonly_keys(args: &[&[u8]]) -> Option<Vec<(usize, KeyFlags)>> {
    keys(args).map(|mut keys| {
        keys.truncate(1);
        keys
    })
}

/// What an element is ordered by.
enum Weight {
    Number(f64),
    /// A text as it compares; of an element whose BY key does not exist, nothing.
    Text(Option<Vec<u8>>),
}

struct Element {
    bytes: Vec<u8>,
    weight: Weight,
}

fn order(a: &Element, b: &Element) -> Ordering {
    match (&a.weight, &b.weight) {
        // Equal numbers are told apart by the elements themselves.
        (Weight::Number(x), Weight::Number(y)) => x
            .partial_cmp(y)
            .unwrap_or(Ordering::Equal)
            .then_with(|| a.bytes.cmp(&b.bytes)),
        (Weight::Text(x), Weight::Text(y)) => x.cmp(y),
        _ => Ordering::Equal,
    }
}

fn sort(cx: &mut ServerContext<'_>) -> CommandResult {
    let options = Options::parse(&cx.args[2..], true, may_follow_patterns(cx))?;
    let in_script = cx.server.scripting.running.is_some();
    run(&mut cx.data(), options, in_script)
}

fn sort_ro(cx: &mut ServerContext<'_>) -> CommandResult {
    let options = Options::parse(&cx.args[2..], false, may_follow_patterns(cx))?;
    let in_script = cx.server.scripting.running.is_some();
    run(&mut cx.data(), options, in_script)
}

/// Whether the client's user may read the keys that patterns lead to: they can be any.
fn may_follow_patterns(cx: &ServerContext<'_>) -> bool {
    let front = &cx.server.front;
    match (front.clients.get(cx.client), front.table.lookup(cx.args)) {
        (Some(client), Lookup::Found(id)) => {
            front
                .acl
                .may_read_any_key(&front.table, client.user, id, cx.args)
        }
        // Nobody sent it: it comes from a file.
        _ => true,
    }
}

fn run(cx: &mut DataContext<'_>, mut options: Options<'_>, in_script: bool) -> CommandResult {
    let key = cx.args[1];
    let value_type = cx.db.get(key).map(|value| value.value_type());
    match value_type {
        None | Some(ValueType::List | ValueType::Set) => {}
        Some(ValueType::SortedSet) => {
            // Clients see it: after SORT, Redis says of every sorted set that it is a skiplist.
            if let Some(set) = cx.db.sorted_set_mut(key).or_wrong_type()? {
                set.leave_listpack();
            }
        }
        Some(_) => return Err(CommandError::WrongType),
    }
    let must_be_stable = options.store.is_some() || in_script;
    if options.unsorted && value_type == Some(ValueType::Set) && must_be_stable {
        // A set has no order of its own: what is stored, or what a script goes by, must be the same on every replica.
        options.unsorted = false;
        options.alpha = true;
        options.by = None;
    }
    let elements = if options.unsorted {
        in_own_order(cx.db, key, &options)
    } else {
        sorted(cx.db, key, &options)?
    };
    match options.store {
        None => reply_elements(cx, &elements, &options.get),
        Some(target) => store_elements(cx, target, &elements, &options.get),
    }
    Ok(())
}

/// The elements that LIMIT leaves, in the order in which the value has them.
fn in_own_order(db: &mut Db, key: &[u8], options: &Options<'_>) -> Vec<Vec<u8>> {
    let mut elements = Vec::new();
    match db.peek(key).map(store::entry::Entry::value) {
        Some(ValueRef::List(list)) => {
            let range = options.range(list.len());
            let start = match options.descending {
                true => list.len() - range.end,
                false => range.start,
            };
            list.items.range(start, range.len(), |item| {
                elements.push(item.to_vec());
            });
            if options.descending {
                elements.reverse();
            }
        }
        Some(ValueRef::SortedSet(set)) => {
            let (range, len) = (options.range(set.len()), set.len());
            let members = match options.descending {
                true => set.iter_ranks(len - range.end..len - range.start, Order::Descending),
                false => set.iter_ranks(range, Order::Ascending),
            };
            elements.extend(members.map(|ranked| ranked.member.to_vec()));
        }
        Some(ValueRef::Set(set)) => {
            let range = options.range(set.len());
            let members = set.iter().skip(range.start).take(range.len());
            elements.extend(members.map(|member| member.to_vec()));
        }
        _ => {}
    }
    elements
}

/// Every element of a value.
fn all(db: &mut Db, key: &[u8]) -> Vec<Vec<u8>> {
    let whole = Options {
        count: -1,
        ..Options::default()
    };
    in_own_order(db, key, &whole)
}

/// The elements that LIMIT leaves of the sorted ones.
fn sorted(db: &mut Db, key: &[u8], options: &Options<'_>) -> Result<Vec<Vec<u8>>, CommandError> {
    let mut elements = Vec::new();
    let mut all_numbers = true;
    for bytes in all(db, key) {
        let subject = match &options.by {
            Some(by) => by.lookup(db, &bytes),
            None => Some(bytes.clone()),
        };
        let weight = if !options.alpha {
            let number = subject.map_or(Some(0.0), |text| parse_weight(&text));
            all_numbers &= number.is_some();
            Weight::Number(number.unwrap_or_default())
        } else if options.store.is_some() {
            // Replicas may live in other languages: what is stored is in byte order.
            Weight::Text(subject)
        } else {
            Weight::Text(subject.map(|text| collation::key(&text)))
        };
        elements.push(Element { bytes, weight });
    }
    if !all_numbers {
        return Err(CommandError::text(
            "ERR One or more scores can't be converted into double",
        ));
    }
    let range = options.range(elements.len());
    let compare = |a: &Element, b: &Element| match options.descending {
        true => order(b, a),
        false => order(a, b),
    };
    if range.len() == elements.len() {
        elements.sort_by(compare);
    } else if !range.is_empty() {
        // Only what is wanted gets its exact place.
        elements.select_nth_unstable_by(range.start, compare);
        let behind = &mut elements[range.start..];
        if range.len() < behind.len() {
            behind.select_nth_unstable_by(range.len(), compare);
        }
        behind[..range.len()].sort_by(compare);
    }
    let elements = elements.into_iter().skip(range.start).take(range.len());
    Ok(elements.map(|element| element.bytes).collect())
}

fn reply_elements(cx: &mut DataContext<'_>, elements: &[Vec<u8>], get: &[Pattern<'_>]) {
    cx.reply.array(elements.len() * get.len().max(1));
    for element in elements {
        if get.is_empty() {
            cx.reply.bulk(element);
        }
        for pattern in get {
            match pattern.lookup(cx.db, element) {
                Some(text) => cx.reply.bulk(text),
                None => cx.reply.null(),
            }
        }
    }
}

fn store_elements(
    cx: &mut DataContext<'_>,
    target: &[u8],
    elements: &[Vec<u8>],
    get: &[Pattern<'_>],
) {
    let (fill, compress) = (
        cx.settings.list_max_listpack_size,
        cx.settings.list_compress_depth,
    );
    let mut list = List::new(fill, compress);
    for element in elements {
        if get.is_empty() {
            list.items.push_back(element);
        }
        for pattern in get {
            let text = pattern.lookup(cx.db, element);
            list.items.push_back(text.as_deref().unwrap_or_default());
        }
    }
    let len = list.len();
    if len > 0 {
        cx.db
            .set(target, Value::List(Box::new(list)), Expiry::Never);
        cx.effects.changed_by(target, len as u64);
        cx.effects.notify(EventClass::LIST, "sortstore", target);
        cx.effects.ready(target);
    } else if cx.db.remove(target) {
        cx.effects.deleted(target);
    }
    cx.reply.integer(len as i64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_leaves_what_is_there() {
        let range = |offset, count, len| {
            Options {
                offset,
                count,
                ..Options::default()
            }
            .range(len)
        };
        assert_eq!(range(0, -1, 5), 0..5);
        assert_eq!(range(-3, 2, 5), 0..2);
        assert_eq!(range(4, 10, 5), 4..5);
        assert!(range(9, 10, 5).is_empty());
        assert_eq!(range(1, i64::MAX, 5), 1..5);
        assert!(range(2, 0, 5).is_empty());
    }

    #[test]
    fn the_last_store_names_the_key() {
        let positions = |text: &str| {
            let words: Vec<&[u8]> = text.split(' ').map(str::as_bytes).collect();
            let keys = keys(&words).expect("always found");
            keys.iter().map(|key| key.0).collect::<Vec<_>>()
        };
        assert_eq!(positions("sort k"), [1]);
        assert_eq!(positions("sort k store"), [1]);
        assert_eq!(positions("sort k store a limit 0 store STORE b"), [1, 8]);
        assert_eq!(positions("sort k by store get store"), [1]);
    }
}
