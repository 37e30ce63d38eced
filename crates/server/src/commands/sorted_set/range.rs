//! ZRANGE in all its forms: by rank, score or member, from either end, to the client or into another key.

use super::bounds::{parse_lex_range, parse_score_range};
use crate::commands::prelude::*;
use crate::replies::{members_with_scores, text};
use std::ops::Range;
use store::db::Expiry;
use store::value::{LexRange, Order, ScoreRange, SortedSet, Value};

pub(super) static ZRANGE: Command = Command {
    spec: CommandSpec {
        name: "zrange",
        group: Group::SortedSet,
        summary: "Returns the members of a range of ranks, scores or names.",
        since: "1.2.0",
        complexity: "O(log(N)+M)",
        arity: -4,
        flags: Flags::READONLY,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("start"),
            Arg::string("stop"),
            Arg::one_of(
                "sortby",
                &[Arg::flag("byscore", "BYSCORE"), Arg::flag("bylex", "BYLEX")],
            )
            .optional()
            .since("6.2.0"),
            Arg::flag("rev", "REV").optional().since("6.2.0"),
            Arg::block(
                "offset_count",
                &[Arg::integer("offset"), Arg::integer("count")],
            )
            .token("LIMIT")
            .optional()
            .since("6.2.0"),
            Arg::flag("withscores", "WITHSCORES").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zrange)),
};

pub(super) static ZRANGEBYLEX: Command = Command {
    spec: CommandSpec {
        name: "zrangebylex",
        group: Group::SortedSet,
        summary: "Returns the members between two others in byte order.",
        since: "2.8.9",
        complexity: "O(log(N)+M)",
        arity: -4,
        flags: Flags::READONLY,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("min"),
            Arg::string("max"),
            Arg::block(
                "offset_count",
                &[Arg::integer("offset"), Arg::integer("count")],
            )
            .token("LIMIT")
            .optional(),
        ],
        deprecated: Some(("6.2.0", "`ZRANGE` with the `BYLEX` argument")),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zrangebylex)),
};

pub(super) static ZRANGEBYSCORE: Command = Command {
    spec: CommandSpec {
        name: "zrangebyscore",
        group: Group::SortedSet,
        summary: "Returns the members with a score in a range.",
        since: "1.0.5",
        complexity: "O(log(N)+M)",
        arity: -4,
        flags: Flags::READONLY,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::double("min"),
            Arg::double("max"),
            Arg::flag("withscores", "WITHSCORES")
                .optional()
                .since("2.0.0"),
            Arg::block(
                "offset_count",
                &[Arg::integer("offset"), Arg::integer("count")],
            )
            .token("LIMIT")
            .optional(),
        ],
        deprecated: Some(("6.2.0", "`ZRANGE` with the `BYSCORE` argument")),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zrangebyscore)),
};

pub(super) static ZRANGESTORE: Command = Command {
    spec: CommandSpec {
        name: "zrangestore",
        group: Group::SortedSet,
        summary: "Stores the members of a range in another key.",
        since: "6.2.0",
        complexity: "O(log(N)+M)",
        arity: -5,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::SORTED_SET,
        keys: &[
            KeySpec::one(KeyFlags::OW.and(KeyFlags::UPDATE), 1),
            KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 2),
        ],
        args: &[
            Arg::key("dst", 0),
            Arg::key("src", 1),
            Arg::string("min"),
            Arg::string("max"),
            Arg::one_of(
                "sortby",
                &[Arg::flag("byscore", "BYSCORE"), Arg::flag("bylex", "BYLEX")],
            )
            .optional(),
            Arg::flag("rev", "REV").optional(),
            Arg::block(
                "offset_count",
                &[Arg::integer("offset"), Arg::integer("count")],
            )
            .token("LIMIT")
            .optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zrangestore)),
};

pub(super) static ZREVRANGE: Command = Command {
    spec: CommandSpec {
        name: "zrevrange",
        group: Group::SortedSet,
        summary: "Returns the members of a range of ranks, highest first.",
        since: "1.2.0",
        complexity: "O(log(N)+M)",
        arity: -4,
        flags: Flags::READONLY,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("start"),
            Arg::integer("stop"),
            Arg::flag("withscores", "WITHSCORES").optional(),
        ],
        deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` argument")),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zrevrange)),
};

pub(super) static ZREVRANGEBYLEX: Command = Command {
    spec: CommandSpec {
        name: "zrevrangebylex",
        group: Group::SortedSet,
        summary: "Returns the members between two others in byte order, last first.",
        since: "2.8.9",
        complexity: "O(log(N)+M)",
        arity: -4,
        flags: Flags::READONLY,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("max"),
            Arg::string("min"),
            Arg::block(
                "offset_count",
                &[Arg::integer("offset"), Arg::integer("count")],
            )
            .token("LIMIT")
            .optional(),
        ],
        deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments")),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zrevrangebylex)),
};

pub(super) static ZREVRANGEBYSCORE: Command = Command {
    spec: CommandSpec {
        name: "zrevrangebyscore",
        group: Group::SortedSet,
        summary: "Returns the members with a score in a range, highest first.",
        since: "2.2.0",
        complexity: "O(log(N)+M)",
        arity: -4,
        flags: Flags::READONLY,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::double("max"),
            Arg::double("min"),
            Arg::flag("withscores", "WITHSCORES").optional(),
            Arg::block(
                "offset_count",
                &[Arg::integer("offset"), Arg::integer("count")],
            )
            .token("LIMIT")
            .optional(),
        ],
        deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments")),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zrevrangebyscore)),
};

/// What the two words after the key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// Which of the options a command takes.
#[derive(Clone, Copy)]
struct Form {
    /// Fixed by the command's name, or chosen with BYSCORE and BYLEX.
    by: Option<By>,
    /// Fixed by the command's name, or chosen with REV.
    order: Option<Order>,
    with_scores: bool,
}

/// Which members a request asks for.
struct Query<'a> {
    bounds: Bounds<'a>,
    order: Order,
    /// LIMIT: members to pass over; a negative number passes over all.
    offset: i64,
    /// LIMIT: members to take; a negative number takes all.
    count: i64,
    with_scores: bool,
}

enum Bounds<'a> {
    Ranks(i64, i64),
    Scores(ScoreRange),
    Members(LexRange<'a>),
}

impl<'a> Query<'a> {
    /// Reads the words after the key.
    fn parse(words: &[&'a [u8]], form: Form) -> Result<Query<'a>, CommandError> {
        let (mut by, mut order) = (form.by, form.order);
        let (mut offset, mut count, mut with_scores) = (0, -1, false);
        let mut options = &words[2..];
        while let [option, rest @ ..] = options {
            options = rest;
            match option.to_ascii_uppercase().as_slice() {
                b"WITHSCORES" if form.with_scores => with_scores = true,
                b"LIMIT" if rest.len() >= 2 => {
                    offset = parse_integer(rest[0])?;
                    count = parse_integer(rest[1])?;
                    options = &rest[2..];
                }
                b"REV" if order.is_none() => order = Some(Order::Descending),
                b"BYLEX" if by.is_none() => by = Some(By::Lex),
                b"BYSCORE" if by.is_none() => by = Some(By::Score),
                _ => return Err(CommandError::Syntax),
            }
        }
        let (by, order) = (by.unwrap_or(By::Rank), order.unwrap_or(Order::Ascending));
        if count != -1 && by == By::Rank {
            return Err(CommandError::text(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if with_scores && by == By::Lex {
            return Err(CommandError::text(
                "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
            ));
        }
        // A range that is walked down names its upper end first.
        let (min, max) = match order {
            Order::Ascending => (words[0], words[1]),
            Order::Descending => (words[1], words[0]),
        };
        let bounds = match by {
            By::Rank => Bounds::Ranks(parse_integer(words[0])?, parse_integer(words[1])?),
            By::Score => Bounds::Scores(parse_score_range(min, max)?),
            By::Lex => Bounds::Members(parse_lex_range(min, max)?),
        };
        Ok(Query {
            bounds,
            order,
            offset,
            count,
            with_scores,
        })
    }

    fn ranks(&self, set: &SortedSet) -> Range<usize> {
        let ranks = match &self.bounds {
            Bounds::Ranks(start, stop) => return ranks_by_index(set, *start, *stop, self.order),
            Bounds::Scores(range) => set.ranks_by_score(range),
            Bounds::Members(range) => set.ranks_by_lex(range, self.order),
        };
        limited(ranks, self.order, self.offset, self.count)
    }
}

/// The ranks between two indices, negative ones from the end, both included, in the order in which they are counted.
pub(super) fn ranks_by_index(set: &SortedSet, start: i64, stop: i64, order: Order) -> Range<usize> {
    let len = set.len() as i64;
    let from_end = |index: i64| if index < 0 { index + len } else { index };
    let (start, stop) = (from_end(start).max(0), from_end(stop).min(len - 1));
    if start > stop {
        return 0..0;
    }
    let ranks = match order {
        Order::Ascending => start..stop + 1,
        Order::Descending => len - 1 - stop..len - start,
    };
    ranks.start as usize..ranks.end as usize
}

/// What LIMIT leaves of a range, counted in the order of the walk.
fn limited(ranks: Range<usize>, order: Order, offset: i64, count: i64) -> Range<usize> {
    let Ok(offset) = usize::try_from(offset) else {
        return 0..0;
    };
    let skipped = offset.min(ranks.len());
    let taken = usize::try_from(count)
        .unwrap_or(usize::MAX)
        .min(ranks.len() - skipped);
    match order {
        Order::Ascending => ranks.start + skipped..ranks.start + skipped + taken,
        Order::Descending => ranks.end - skipped - taken..ranks.end - skipped,
    }
}

fn reply_range(cx: &mut DataContext<'_>, form: Form) -> CommandResult {
    let query = Query::parse(&cx.args[2..], form)?;
    let Some(set) = cx.db.sorted_set(cx.args[1]).or_wrong_type()? else {
        cx.reply.array(0);
        return Ok(());
    };
    let members = set.iter_ranks(query.ranks(set), query.order);
    if query.with_scores {
        members_with_scores(&mut cx.reply, members);
    } else {
        cx.reply.array(members.len());
        for ranked in members {
            text(&mut cx.reply, ranked.member);
        }
    }
    Ok(())
}

fn zrange(cx: &mut DataContext<'_>) -> CommandResult {
    reply_range(
        cx,
        Form {
            by: None,
            order: None,
            with_scores: true,
        },
    )
}

fn zrevrange(cx: &mut DataContext<'_>) -> CommandResult {
    reply_fixed(cx, By::Rank, Order::Descending)
}

fn zrangebyscore(cx: &mut DataContext<'_>) -> CommandResult {
    reply_fixed(cx, By::Score, Order::Ascending)
}

fn zrevrangebyscore(cx: &mut DataContext<'_>) -> CommandResult {
    reply_fixed(cx, By::Score, Order::Descending)
}

fn zrangebylex(cx: &mut DataContext<'_>) -> CommandResult {
    reply_fixed(cx, By::Lex, Order::Ascending)
}

fn zrevrangebylex(cx: &mut DataContext<'_>) -> CommandResult {
    reply_fixed(cx, By::Lex, Order::Descending)
}

fn reply_fixed(cx: &mut DataContext<'_>, by: By, order: Order) -> CommandResult {
    reply_range(
        cx,
        Form {
            by: Some(by),
            order: Some(order),
            with_scores: true,
        },
    )
}

fn zrangestore(cx: &mut DataContext<'_>) -> CommandResult {
    let (target, source) = (cx.args[1], cx.args[2]);
    let form = Form {
        by: None,
        order: None,
        with_scores: false,
    };
    let query = Query::parse(&cx.args[3..], form)?;
    let limits = cx.settings.sorted_set_limits();
    let mut result = SortedSet::default();
    if let Some(set) = cx.db.sorted_set(source).or_wrong_type()? {
        let mut digits = itoa::Buffer::new();
        for ranked in set.iter_ranks(query.ranks(set), Order::Ascending) {
            result.insert(ranked.member.as_bytes(&mut digits), ranked.score, limits);
        }
    }
    store_result(cx, target, result, "zrangestore");
    Ok(())
}

/// Puts the result of a command at a key, or deletes the key if there is none, and replies how many members it has.
pub(crate) fn store_result(
    cx: &mut DataContext<'_>,
    target: &[u8],
    result: SortedSet,
    event: &'static str,
) {
    let len = result.len();
    if len > 0 {
        let value = Value::SortedSet(Box::new(result));
        cx.db.set(target, value, Expiry::Never);
        cx.effects.changed(target);
        cx.effects.notify(EventClass::SORTED_SET, event, target);
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
    fn a_limit_counts_from_the_end_where_the_walk_starts() {
        assert_eq!(limited(2..9, Order::Ascending, 1, 3), 3..6);
        assert_eq!(limited(2..9, Order::Descending, 1, 3), 5..8);
        assert_eq!(limited(2..9, Order::Descending, 5, 3), 2..4);
        assert_eq!(limited(2..9, Order::Ascending, 5, -1), 7..9);
        assert!(limited(2..9, Order::Ascending, 9, 3).is_empty());
        assert!(limited(2..9, Order::Descending, -1, 3).is_empty());
        assert!(limited(2..9, Order::Descending, i64::MAX, i64::MAX).is_empty());
    }

    #[test]
    fn indices_count_from_either_end() {
        let limits = store::value::SortedSetLimits {
            entries: 128,
            value: 64,
        };
        let mut set = SortedSet::default();
        (0..5u8).for_each(|number| {
            set.insert(&[b'a' + number], f64::from(number), limits);
        });
        let ranks = |start, stop, order| ranks_by_index(&set, start, stop, order);
        assert_eq!(ranks(0, -1, Order::Ascending), 0..5);
        assert_eq!(ranks(1, 2, Order::Descending), 2..4);
        assert_eq!(ranks(-2, 100, Order::Ascending), 3..5);
        assert!(ranks(5, 9, Order::Ascending).is_empty());
        assert!(ranks(i64::MIN, -6, Order::Ascending).is_empty());
        assert!(ranks(2, 1, Order::Descending).is_empty());
    }
}
