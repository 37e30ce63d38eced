//! ZREM and ZREMRANGEBY*: members leave.

use super::bounds::{parse_lex_range, parse_score_range};
use super::range::ranks_by_index;
use crate::commands::prelude::*;
use std::ops::Range;
use store::value::{Order, SortedSet};

pub(super) static ZREM: Command = Command {
    spec: CommandSpec {
        name: "zrem",
        group: Group::SortedSet,
        summary: "Removes members from a sorted set.",
        since: "1.2.0",
        complexity: "O(M*log(N))",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::DELETE), 1)],
        args: &[Arg::key("key", 0), Arg::string("member").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zrem)),
};

pub(super) static ZREMRANGEBYLEX: Command = Command {
    spec: CommandSpec {
        name: "zremrangebylex",
        group: Group::SortedSet,
        summary: "Removes the members between two others in byte order.",
        since: "2.8.9",
        complexity: "O(log(N)+M)",
        arity: 4,
        flags: Flags::WRITE,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::DELETE), 1)],
        args: &[Arg::key("key", 0), Arg::string("min"), Arg::string("max")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zremrangebylex)),
};

pub(super) static ZREMRANGEBYRANK: Command = Command {
    spec: CommandSpec {
        name: "zremrangebyrank",
        group: Group::SortedSet,
        summary: "Removes the members of a range of ranks.",
        since: "2.0.0",
        complexity: "O(log(N)+M)",
        arity: 4,
        flags: Flags::WRITE,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::DELETE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("start"),
            Arg::integer("stop"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zremrangebyrank)),
};

pub(super) static ZREMRANGEBYSCORE: Command = Command {
    spec: CommandSpec {
        name: "zremrangebyscore",
        group: Group::SortedSet,
        summary: "Removes the members with a score in a range.",
        since: "1.2.0",
        complexity: "O(log(N)+M)",
        arity: 4,
        flags: Flags::WRITE,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::DELETE), 1)],
        args: &[Arg::key("key", 0), Arg::double("min"), Arg::double("max")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zremrangebyscore)),
};

/// Notes that members were removed, and deletes the key of a sorted set that has become empty.
pub(super) fn removed(cx: &mut DataContext<'_>, key: &[u8], count: usize, event: &'static str) {
    cx.effects.changed_by(key, count as u64);
    cx.effects.notify(EventClass::SORTED_SET, event, key);
    if cx
        .db
        .sorted_set_mut(key)
        .is_ok_and(|set| set.is_some_and(|set| set.is_empty()))
    {
        cx.db.remove(key);
        cx.effects.notify(EventClass::GENERIC, "del", key);
    }
}

fn zrem(cx: &mut DataContext<'_>) -> CommandResult {
    let key = cx.args[1];
    let mut count = 0;
    if let Some(set) = cx.db.sorted_set_mut(key).or_wrong_type()? {
        count = cx.args[2..]
            .iter()
            .filter(|member| set.remove(member).is_some())
            .count();
    }
    if count > 0 {
        removed(cx, key, count, "zrem");
    }
    cx.reply.integer(count as i64);
    Ok(())
}

fn zremrangebyscore(cx: &mut DataContext<'_>) -> CommandResult {
    let range = parse_score_range(cx.args[2], cx.args[3])?;
    remove_ranks(cx, "zremrangebyscore", |set| set.ranks_by_score(&range))
}

fn zremrangebylex(cx: &mut DataContext<'_>) -> CommandResult {
    let range = parse_lex_range(cx.args[2], cx.args[3])?;
    remove_ranks(cx, "zremrangebylex", |set| {
        set.ranks_by_lex(&range, Order::Ascending)
    })
}

fn zremrangebyrank(cx: &mut DataContext<'_>) -> CommandResult {
    let (start, stop) = (parse_integer(cx.args[2])?, parse_integer(cx.args[3])?);
    remove_ranks(cx, "zremrangebyrank", |set| {
        ranks_by_index(set, start, stop, Order::Ascending)
    })
}

fn remove_ranks(
    cx: &mut DataContext<'_>,
    event: &'static str,
    ranks: impl FnOnce(&SortedSet) -> Range<usize>,
) -> CommandResult {
    let key = cx.args[1];
    let mut count = 0;
    if let Some(set) = cx.db.sorted_set_mut(key).or_wrong_type()? {
        count = set.remove_ranks(ranks(set));
    }
    if count > 0 {
        removed(cx, key, count, event);
    }
    cx.reply.integer(count as i64);
    Ok(())
}
