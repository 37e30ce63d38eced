//! ZUNION, ZINTER, ZDIFF, their STORE forms and ZINTERCARD: sorted sets and sets combined.

use super::range::store_result;
use crate::commands::prelude::*;
use crate::replies::{members_with_scores, text};
use store::float::parse_double;
use store::value::{Set, SortedSet, SortedSetLimits, ValueRef};

pub(super) static ZDIFF: Command = Command {
    spec: CommandSpec {
        name: "zdiff",
        group: Group::SortedSet,
        summary: "Returns the members that the first sorted set alone has.",
        since: "6.2.0",
        complexity: "O(N*K+M*log(M))",
        arity: -3,
        flags: Flags::READONLY.and(Flags::MOVABLE_KEYS),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::keynum(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::integer("numkeys"),
            Arg::key("key", 0).multiple(),
            Arg::flag("withscores", "WITHSCORES").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zdiff)),
};

pub(super) static ZDIFFSTORE: Command = Command {
    spec: CommandSpec {
        name: "zdiffstore",
        group: Group::SortedSet,
        summary: "Stores the members that the first sorted set alone has.",
        since: "6.2.0",
        complexity: "O(N*K+M*log(M))",
        arity: -4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS),
        categories: Categories::SORTED_SET,
        keys: &[
            KeySpec::one(KeyFlags::OW.and(KeyFlags::UPDATE), 1),
            KeySpec::keynum(KeyFlags::RO.and(KeyFlags::ACCESS), 2),
        ],
        args: &[
            Arg::key("destination", 0),
            Arg::integer("numkeys"),
            Arg::key("key", 1).multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zdiffstore)),
};

pub(super) static ZINTER: Command = Command {
    spec: CommandSpec {
        name: "zinter",
        group: Group::SortedSet,
        summary: "Returns the members that all sorted sets have.",
        since: "6.2.0",
        complexity: "O(N*K+M*log(M))",
        arity: -3,
        flags: Flags::READONLY.and(Flags::MOVABLE_KEYS),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::keynum(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::integer("numkeys"),
            Arg::key("key", 0).multiple(),
            Arg::integer("weight")
                .token("WEIGHTS")
                .optional()
                .multiple(),
            Arg::one_of(
                "aggregate",
                &[
                    Arg::flag("sum", "SUM"),
                    Arg::flag("min", "MIN"),
                    Arg::flag("max", "MAX"),
                ],
            )
            .token("AGGREGATE")
            .optional(),
            Arg::flag("withscores", "WITHSCORES").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zinter)),
};

pub(super) static ZINTERCARD: Command = Command {
    spec: CommandSpec {
        name: "zintercard",
        group: Group::SortedSet,
        summary: "Counts the members that all sorted sets have.",
        since: "7.0.0",
        complexity: "O(N*K)",
        arity: -3,
        flags: Flags::READONLY.and(Flags::MOVABLE_KEYS),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::keynum(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::integer("numkeys"),
            Arg::key("key", 0).multiple(),
            Arg::integer("limit").token("LIMIT").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zintercard)),
};

pub(super) static ZINTERSTORE: Command = Command {
    spec: CommandSpec {
        name: "zinterstore",
        group: Group::SortedSet,
        summary: "Stores the members that all sorted sets have.",
        since: "2.0.0",
        complexity: "O(N*K+M*log(M))",
        arity: -4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS),
        categories: Categories::SORTED_SET,
        keys: &[
            KeySpec::one(KeyFlags::OW.and(KeyFlags::UPDATE), 1),
            KeySpec::keynum(KeyFlags::RO.and(KeyFlags::ACCESS), 2),
        ],
        args: &[
            Arg::key("destination", 0),
            Arg::integer("numkeys"),
            Arg::key("key", 1).multiple(),
            Arg::integer("weight")
                .token("WEIGHTS")
                .optional()
                .multiple(),
            Arg::one_of(
                "aggregate",
                &[
                    Arg::flag("sum", "SUM"),
                    Arg::flag("min", "MIN"),
                    Arg::flag("max", "MAX"),
                ],
            )
            .token("AGGREGATE")
            .optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zinterstore)),
};

pub(super) static ZUNION: Command = Command {
    spec: CommandSpec {
        name: "zunion",
        group: Group::SortedSet,
        summary: "Returns the members that any of the sorted sets has.",
        since: "6.2.0",
        complexity: "O(N)+O(M*log(M))",
        arity: -3,
        flags: Flags::READONLY.and(Flags::MOVABLE_KEYS),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::keynum(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::integer("numkeys"),
            Arg::key("key", 0).multiple(),
            Arg::integer("weight")
                .token("WEIGHTS")
                .optional()
                .multiple(),
            Arg::one_of(
                "aggregate",
                &[
                    Arg::flag("sum", "SUM"),
                    Arg::flag("min", "MIN"),
                    Arg::flag("max", "MAX"),
                ],
            )
            .token("AGGREGATE")
            .optional(),
            Arg::flag("withscores", "WITHSCORES").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zunion)),
};

pub(super) static ZUNIONSTORE: Command = Command {
    spec: CommandSpec {
        name: "zunionstore",
        group: Group::SortedSet,
        summary: "Stores the members that any of the sorted sets has.",
        since: "2.0.0",
        complexity: "O(N)+O(M*log(M))",
        arity: -4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS),
        categories: Categories::SORTED_SET,
        keys: &[
            KeySpec::one(KeyFlags::OW.and(KeyFlags::UPDATE), 1),
            KeySpec::keynum(KeyFlags::RO.and(KeyFlags::ACCESS), 2),
        ],
        args: &[
            Arg::key("destination", 0),
            Arg::integer("numkeys"),
            Arg::key("key", 1).multiple(),
            Arg::integer("weight")
                .token("WEIGHTS")
                .optional()
                .multiple(),
            Arg::one_of(
                "aggregate",
                &[
                    Arg::flag("sum", "SUM"),
                    Arg::flag("min", "MIN"),
                    Arg::flag("max", "MAX"),
                ],
            )
            .token("AGGREGATE")
            .optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zunionstore)),
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Inter,
    Diff,
}

/// AGGREGATE: what a member that several inputs have gets as its score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn of(self, score: f64, other: f64) -> f64 {
        match self {
            // Opposite infinities make nothing.
            Aggregate::Sum => number_or_zero(score + other),
            Aggregate::Min if other < score => other,
            Aggregate::Max if other > score => other,
            Aggregate::Min | Aggregate::Max => score,
        }
    }
}

fn number_or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// A key's value, as something with members and scores.
#[derive(Clone, Copy)]
enum Members<'a> {
    Absent,
    Set(&'a Set),
    SortedSet(&'a SortedSet),
}

/// The score of a set's members.
const SET_SCORE: f64 = 1.0;

impl<'a> Members<'a> {
    fn of(value: Option<ValueRef<'a>>) -> Result<Members<'a>, CommandError> {
        match value {
            None => Ok(Members::Absent),
            Some(ValueRef::Set(set)) => Ok(Members::Set(set)),
            Some(ValueRef::SortedSet(set)) => Ok(Members::SortedSet(set)),
            Some(_) => Err(CommandError::WrongType),
        }
    }

    fn len(self) -> usize {
        match self {
            Members::Absent => 0,
            Members::Set(set) => set.len(),
            Members::SortedSet(set) => set.len(),
        }
    }

    fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Members::Absent => None,
            Members::Set(set) => set.contains(member).then_some(SET_SCORE),
            Members::SortedSet(set) => set.score(member),
        }
    }

    /// Shows members until `visit` says no.
    fn show_while(self, mut visit: impl FnMut(&[u8], f64) -> bool) {
        let mut digits = itoa::Buffer::new();
        match self {
            Members::Absent => {}
            Members::Set(set) => {
                let _ = set
                    .iter()
                    .all(|member| visit(member.as_bytes(&mut digits), SET_SCORE));
            }
            Members::SortedSet(set) => {
                let _ = set
                    .iter()
                    .all(|ranked| visit(ranked.member.as_bytes(&mut digits), ranked.score));
            }
        }
    }
}

/// An input and what its scores are multiplied with.
#[derive(Clone, Copy)]
struct Input<'a> {
    members: Members<'a>,
    weight: f64,
}

impl Input<'_> {
    fn weighted(self, score: f64) -> f64 {
        number_or_zero(self.weight * score)
    }
}

type Words<'a> = &'a [&'a [u8]];

/// The keys of a request and the words behind them.
fn split_keys<'a>(words: Words<'a>, command: &str) -> Result<(Words<'a>, Words<'a>), CommandError> {
    let count = parse_integer(words[0])?;
    let Some(count) = usize::try_from(count).ok().filter(|&count| count > 0) else {
        return Err(CommandError::err(format_args!(
            "at least 1 input key is needed for '{command}' command"
        )));
    };
    if count > words.len() - 1 {
        return Err(CommandError::Syntax);
    }
    Ok(words[1..].split_at(count))
}

/// Reads the words behind the keys.
struct Options {
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
}

impl Options {
    fn parse(
        mut words: &[&[u8]],
        keys: usize,
        operation: Operation,
        stores: bool,
    ) -> Result<Options, CommandError> {
        let mut options = Options {
            weights: vec![1.0; keys],
            aggregate: Aggregate::Sum,
            with_scores: false,
        };
        while let [option, rest @ ..] = words {
            match option.to_ascii_uppercase().as_slice() {
                b"WEIGHTS" if operation != Operation::Diff && rest.len() >= keys => {
                    let (weights, behind) = rest.split_at(keys);
                    for (weight, word) in options.weights.iter_mut().zip(weights) {
                        *weight = parse_double(word)
                            .ok_or(CommandError::text("ERR weight value is not a float"))?;
                    }
                    words = behind;
                }
                b"AGGREGATE" if operation != Operation::Diff && !rest.is_empty() => {
                    options.aggregate = match rest[0].to_ascii_uppercase().as_slice() {
                        b"SUM" => Aggregate::Sum,
                        b"MIN" => Aggregate::Min,
                        b"MAX" => Aggregate::Max,
                        _ => return Err(CommandError::Syntax),
                    };
                    words = &rest[1..];
                }
                b"WITHSCORES" if !stores => {
                    options.with_scores = true;
                    words = rest;
                }
                _ => return Err(CommandError::Syntax),
            }
        }
        Ok(options)
    }
}

/// The members that any of the inputs has.
fn union(inputs: &[Input<'_>]) -> Set {
    /// More integers than this are found faster in a table than in an intset.
    const INTSET_MEMBERS: usize = 512;
    let mut union = Set::default();
    for input in inputs {
        input.members.show_while(|member, _| {
            union.add(member, INTSET_MEMBERS);
            true
        });
    }
    union
}

/// What the operation gives.
fn combine(
    operation: Operation,
    mut inputs: Vec<Input<'_>>,
    aggregate: Aggregate,
    limits: SortedSetLimits,
) -> SortedSet {
    let mut result = SortedSet::default();
    if operation != Operation::Diff {
        // The smallest first: it bounds an intersection, and sums are made in this order.
        inputs.sort_by_key(|input| input.members.len());
    }
    let Some((first, others)) = inputs.split_first() else {
        return result;
    };
    match operation {
        Operation::Union => {
            for input in &inputs {
                input.members.show_while(|member, score| {
                    let score = input.weighted(score);
                    let mut left_zero = None;
                    result.update(member, limits, |sum| {
                        let total = sum.map_or(score, |sum| aggregate.of(sum, score));
                        // From -0 to 0 is no change to a sorted set, but one that replies show.
                        left_zero = sum
                            .filter(|sum| total == 0.0 && sum.to_bits() != total.to_bits())
                            .map(|_| total);
                        Some(total)
                    });
                    if let Some(total) = left_zero {
                        result.remove(member);
                        result.insert(member, total, limits);
                    }
                    true
                });
            }
        }
        Operation::Inter => first.members.show_while(|member, score| {
            let total = others.iter().try_fold(first.weighted(score), |sum, other| {
                let score = other.members.score(member)?;
                Some(aggregate.of(sum, other.weight * score))
            });
            if let Some(total) = total {
                result.insert(member, total, limits);
            }
            true
        }),
        Operation::Diff => {
            let members = inputs.iter().map(|input| input.members.len()).sum();
            let probes = first.members.len().saturating_mul(others.len());
            // Many small sets are cheaper to look through once than to ask for every member.
            let merged = (probes > members).then(|| union(others));
            let is_gone = |member: &[u8]| match &merged {
                Some(merged) => merged.contains(member),
                None => others
                    .iter()
                    .any(|other| other.members.score(member).is_some()),
            };
            first.members.show_while(|member, score| {
                if !is_gone(member) {
                    result.insert(member, score, limits);
                }
                true
            });
        }
    }
    result
}

/// Reads `words` (count, keys, options) and computes; also whether scores are wanted in the reply.
fn compute(
    cx: &mut DataContext<'_>,
    operation: Operation,
    words: &[&[u8]],
    stores: bool,
    command: &str,
) -> Result<(SortedSet, bool), CommandError> {
    let (keys, words) = split_keys(words, command)?;
    // A listpack has no -0, which replies show, and so does what is too large for a listpack.
    let no_listpack = SortedSetLimits {
        entries: 0,
        value: 0,
    };
    let members = cx
        .db
        .get_many(keys, |value| {
            matches!(value, ValueRef::SortedSet(_) | ValueRef::Set(_))
        })
        .or_wrong_type()?
        .into_iter()
        .map(Members::of)
        .collect::<Result<Vec<_>, _>>()?;
    let options = Options::parse(words, keys.len(), operation, stores)?;
    let inputs = members
        .into_iter()
        .zip(&options.weights)
        .map(|(members, &weight)| Input { members, weight })
        .collect();
    let result = combine(operation, inputs, options.aggregate, no_listpack);
    let result = match stores {
        true => result.packed(cx.settings.sorted_set_limits()),
        false => result,
    };
    Ok((result, options.with_scores))
}

fn reply_members(cx: &mut DataContext<'_>, operation: Operation, command: &str) -> CommandResult {
    let args = cx.args;
    let (result, with_scores) = compute(cx, operation, &args[1..], false, command)?;
    if with_scores {
        members_with_scores(&mut cx.reply, result.iter());
    } else {
        cx.reply.array(result.len());
        for ranked in result.iter() {
            text(&mut cx.reply, ranked.member);
        }
    }
    Ok(())
}

fn store_members(
    cx: &mut DataContext<'_>,
    operation: Operation,
    command: &'static str,
) -> CommandResult {
    let args = cx.args;
    let (result, _) = compute(cx, operation, &args[2..], true, command)?;
    store_result(cx, args[1], result, command);
    Ok(())
}

fn zunion(cx: &mut DataContext<'_>) -> CommandResult {
    reply_members(cx, Operation::Union, "zunion")
}

fn zinter(cx: &mut DataContext<'_>) -> CommandResult {
    reply_members(cx, Operation::Inter, "zinter")
}

fn zdiff(cx: &mut DataContext<'_>) -> CommandResult {
    reply_members(cx, Operation::Diff, "zdiff")
}

fn zunionstore(cx: &mut DataContext<'_>) -> CommandResult {
    store_members(cx, Operation::Union, "zunionstore")
}

fn zinterstore(cx: &mut DataContext<'_>) -> CommandResult {
    store_members(cx, Operation::Inter, "zinterstore")
}

fn zdiffstore(cx: &mut DataContext<'_>) -> CommandResult {
    store_members(cx, Operation::Diff, "zdiffstore")
}

fn zintercard(cx: &mut DataContext<'_>) -> CommandResult {
    let args = cx.args;
    let (keys, words) = split_keys(&args[1..], "zintercard")?;
    let mut inputs = cx
        .db
        .get_many(keys, |value| {
            matches!(value, ValueRef::SortedSet(_) | ValueRef::Set(_))
        })
        .or_wrong_type()?
        .into_iter()
        .map(Members::of)
        .collect::<Result<Vec<_>, _>>()?;
    let mut limit = usize::MAX;
    for pair in words.chunks(2) {
        let [name, value] = pair else {
            return Err(CommandError::Syntax);
        };
        if !name.eq_ignore_ascii_case(b"LIMIT") {
            return Err(CommandError::Syntax);
        }
        limit = store::int::parse_i64(value)
            .and_then(|limit| usize::try_from(limit).ok())
            .ok_or(CommandError::text("ERR LIMIT can't be negative"))?;
    }
    if limit == 0 {
        limit = usize::MAX;
    }
    inputs.sort_by_key(|members| members.len());
    let mut count = 0;
    inputs[0].show_while(|member, _| {
        let everywhere = inputs[1..]
            .iter()
            .all(|other| other.score(member).is_some());
        count += usize::from(everywhere);
        count < limit
    });
    cx.reply.integer(count as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opposite_infinities_sum_to_zero() {
        let infinity = f64::INFINITY;
        assert_eq!(Aggregate::Sum.of(infinity, -infinity), 0.0);
        assert_eq!(Aggregate::Min.of(infinity, -infinity), -infinity);
        assert_eq!(Aggregate::Max.of(-infinity, infinity), infinity);
        let input = Input {
            members: Members::Absent,
            weight: 0.0,
        };
        assert_eq!(input.weighted(infinity), 0.0);
    }
}
