//! ZRANK, ZREVRANK, ZCOUNT, ZLEXCOUNT: how many members are where.

use super::bounds::{parse_lex_range, parse_score_range};
use crate::commands::prelude::*;
use store::value::Order;

pub(super) static ZRANK: Command = Command {
    spec: CommandSpec {
        name: "zrank",
        group: Group::SortedSet,
        summary: "Returns how many members come before one.",
        since: "2.0.0",
        complexity: "O(log(N))",
        arity: 3,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0), Arg::string("member")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zrank)),
};

pub(super) static ZREVRANK: Command = Command {
    spec: CommandSpec {
        name: "zrevrank",
        group: Group::SortedSet,
        summary: "Returns how many members come behind one.",
        since: "2.0.0",
        complexity: "O(log(N))",
        arity: 3,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0), Arg::string("member")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zrevrank)),
};

pub(super) static ZCOUNT: Command = Command {
    spec: CommandSpec {
        name: "zcount",
        group: Group::SortedSet,
        summary: "Counts the members with a score in a range.",
        since: "2.0.0",
        complexity: "O(log(N))",
        arity: 4,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0), Arg::double("min"), Arg::double("max")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zcount)),
};

pub(super) static ZLEXCOUNT: Command = Command {
    spec: CommandSpec {
        name: "zlexcount",
        group: Group::SortedSet,
        summary: "Counts the members between two others in byte order.",
        since: "2.8.9",
        complexity: "O(log(N))",
        arity: 4,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0), Arg::string("min"), Arg::string("max")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zlexcount)),
};

fn zrank(cx: &mut DataContext<'_>) -> CommandResult {
    reply_rank(cx, Order::Ascending)
}

fn zrevrank(cx: &mut DataContext<'_>) -> CommandResult {
    reply_rank(cx, Order::Descending)
}

fn reply_rank(cx: &mut DataContext<'_>, order: Order) -> CommandResult {
    let set = cx.db.sorted_set(cx.args[1]).or_wrong_type()?;
    match set.and_then(|set| set.rank(cx.args[2], order)) {
        Some(rank) => cx.reply.integer(rank as i64),
        None => cx.reply.null(),
    }
    Ok(())
}

fn zcount(cx: &mut DataContext<'_>) -> CommandResult {
    let range = parse_score_range(cx.args[2], cx.args[3])?;
    let set = cx.db.sorted_set(cx.args[1]).or_wrong_type()?;
    let count = set.map_or(0, |set| set.ranks_by_score(&range).len());
    cx.reply.integer(count as i64);
    Ok(())
}

fn zlexcount(cx: &mut DataContext<'_>) -> CommandResult {
    let range = parse_lex_range(cx.args[2], cx.args[3])?;
    let set = cx.db.sorted_set(cx.args[1]).or_wrong_type()?;
    let count = set.map_or(0, |set| set.ranks_by_lex(&range, Order::Ascending).len());
    cx.reply.integer(count as i64);
    Ok(())
}
