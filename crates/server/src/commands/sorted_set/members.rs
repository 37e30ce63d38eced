//! ZCARD, ZSCORE, ZMSCORE, ZSCAN: members and their scores, whatever their order.

use crate::commands::generic::scan::{Found, ScanOptions, scan_value};
use crate::commands::prelude::*;
use crate::replies::double;
use store::db::Db;
use store::encoding::listpack::Listpack;
use store::float::DoubleText;
use store::value::SortedSet;

pub(super) static ZCARD: Command = Command {
    spec: CommandSpec {
        name: "zcard",
        group: Group::SortedSet,
        summary: "Counts the members of a sorted set.",
        since: "1.2.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO, 1)],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zcard)),
};

pub(super) static ZSCORE: Command = Command {
    spec: CommandSpec {
        name: "zscore",
        group: Group::SortedSet,
        summary: "Returns the score of a member.",
        since: "1.2.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0), Arg::string("member")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zscore)),
};

pub(super) static ZMSCORE: Command = Command {
    spec: CommandSpec {
        name: "zmscore",
        group: Group::SortedSet,
        summary: "Returns the scores of several members.",
        since: "6.2.0",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0), Arg::string("member").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zmscore)),
};

pub(super) static ZSCAN: Command = Command {
    spec: CommandSpec {
        name: "zscan",
        group: Group::SortedSet,
        summary: "Walks over the members of a sorted set in steps.",
        since: "2.8.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::READONLY,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("cursor"),
            Arg::pattern("pattern").token("MATCH").optional(),
            Arg::integer("count").token("COUNT").optional(),
        ],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zscan)),
};

fn zcard(cx: &mut DataContext<'_>) -> CommandResult {
    let set = cx.db.sorted_set(cx.args[1]).or_wrong_type()?;
    cx.reply.integer(set.map_or(0, SortedSet::len) as i64);
    Ok(())
}

fn reply_score(reply: &mut resp::Writer<'_>, score: Option<f64>) {
    match score {
        Some(score) => double(reply, score),
        None => reply.null(),
    }
}

fn zscore(cx: &mut DataContext<'_>) -> CommandResult {
    let set = cx.db.sorted_set(cx.args[1]).or_wrong_type()?;
    let score = set.and_then(|set| set.score(cx.args[2]));
    reply_score(&mut cx.reply, score);
    Ok(())
}

fn zmscore(cx: &mut DataContext<'_>) -> CommandResult {
    let set = cx.db.sorted_set(cx.args[1]).or_wrong_type()?;
    cx.reply.array(cx.args.len() - 2);
    for member in &cx.args[2..] {
        reply_score(&mut cx.reply, set.and_then(|set| set.score(member)));
    }
    Ok(())
}

fn zscan(cx: &mut DataContext<'_>) -> CommandResult {
    scan_value(cx, Db::sorted_set, |set, cursor, options, found| {
        if let Some(listpack) = set.listpack() {
            show_as_kept(listpack, options, found);
            return 0;
        }
        set.scan(cursor, options.count, |member, score| {
            if options.matches(member) {
                found.push(member);
                found.push(DoubleText::new(score).as_bytes());
            }
        })
    })
}

/// Shows the pairs of a listpack as they are in it: of a score that is an integer there, all digits.
fn show_as_kept(listpack: &Listpack, options: &ScanOptions<'_>, found: &mut Found<'_>) {
    let mut digits = itoa::Buffer::new();
    let mut items = listpack.iter();
    while let (Some(member), Some(score)) = (items.next(), items.next()) {
        let member = member.as_bytes(&mut digits);
        if options.matches(member) {
            found.push(member);
            found.push(score.as_bytes(&mut digits));
        }
    }
}
