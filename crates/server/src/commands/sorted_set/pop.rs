//! Taking from an end: ZPOPMIN, ZMPOP and their kin, and the forms that wait.

use super::remove::removed;
use crate::blocking::wait;
use crate::commands::prelude::*;
use crate::first_of_keys::FirstOfKeys;
use crate::replies::{double, text};
use crate::words::parse_timeout;
use store::value::Order;

pub(super) static ZPOPMIN: Command = Command {
    spec: CommandSpec {
        name: "zpopmin",
        group: Group::SortedSet,
        summary: "Takes the members with the lowest scores.",
        since: "5.0.0",
        complexity: "O(M*log(N))",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
            1,
        )],
        args: &[Arg::key("key", 0), Arg::integer("count").optional()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zpopmin)),
};

pub(super) static ZPOPMAX: Command = Command {
    spec: CommandSpec {
        name: "zpopmax",
        group: Group::SortedSet,
        summary: "Takes the members with the highest scores.",
        since: "5.0.0",
        complexity: "O(M*log(N))",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
            1,
        )],
        args: &[Arg::key("key", 0), Arg::integer("count").optional()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zpopmax)),
};

pub(super) static ZMPOP: Command = Command {
    spec: CommandSpec {
        name: "zmpop",
        group: Group::SortedSet,
        summary: "Takes members from the first sorted set that has any.",
        since: "7.0.0",
        complexity: "O(K)+O(M*log(N))",
        arity: -4,
        flags: Flags::WRITE.and(Flags::MOVABLE_KEYS),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::keynum(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
            1,
        )],
        args: &[
            Arg::integer("numkeys"),
            Arg::key("key", 0).multiple(),
            Arg::one_of("where", &[Arg::flag("min", "MIN"), Arg::flag("max", "MAX")]),
            Arg::integer("count").token("COUNT").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zmpop)),
};

pub(super) static BZPOPMIN: Command = Command {
    spec: CommandSpec {
        name: "bzpopmin",
        group: Group::SortedSet,
        summary: "Takes the lowest member of the first sorted set that has one, or waits.",
        since: "5.0.0",
        complexity: "O(log(N))",
        arity: -3,
        flags: Flags::WRITE
            .and(Flags::NOSCRIPT)
            .and(Flags::BLOCKING)
            .and(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::range(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
            1,
            -2,
            1,
        )],
        args: &[Arg::key("key", 0).multiple(), Arg::double("timeout")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(bzpopmin)),
};

pub(super) static BZPOPMAX: Command = Command {
    spec: CommandSpec {
        name: "bzpopmax",
        group: Group::SortedSet,
        summary: "Takes the highest member of the first sorted set that has one, or waits.",
        since: "5.0.0",
        complexity: "O(log(N))",
        arity: -3,
        flags: Flags::WRITE
            .and(Flags::NOSCRIPT)
            .and(Flags::BLOCKING)
            .and(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::range(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
            1,
            -2,
            1,
        )],
        args: &[Arg::key("key", 0).multiple(), Arg::double("timeout")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(bzpopmax)),
};

pub(super) static BZMPOP: Command = Command {
    spec: CommandSpec {
        name: "bzmpop",
        group: Group::SortedSet,
        summary: "Takes members from the first sorted set that has any, or waits for one.",
        since: "7.0.0",
        complexity: "O(K)+O(M*log(N))",
        arity: -5,
        flags: Flags::WRITE.and(Flags::BLOCKING).and(Flags::MOVABLE_KEYS),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::keynum(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
            2,
        )],
        args: &[
            Arg::double("timeout"),
            Arg::integer("numkeys"),
            Arg::key("key", 0).multiple(),
            Arg::one_of("where", &[Arg::flag("min", "MIN"), Arg::flag("max", "MAX")]),
            Arg::integer("count").token("COUNT").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(bzmpop)),
};

/// The end that MIN or MAX names.
fn parse_end(word: &[u8]) -> Result<Order, CommandError> {
    if word.eq_ignore_ascii_case(b"MIN") {
        Ok(Order::Ascending)
    } else if word.eq_ignore_ascii_case(b"MAX") {
        Ok(Order::Descending)
    } else {
        Err(CommandError::Syntax)
    }
}

/// The command that takes from this end without waiting, as the AOF and replicas hear it.
fn command_name(order: Order) -> &'static [u8] {
    match order {
        Order::Ascending => b"ZPOPMIN",
        Order::Descending => b"ZPOPMAX",
    }
}

/// How taken members are laid out in the reply.
#[derive(Clone, Copy)]
enum Layout {
    /// Member and score of the only one, inside a larger array.
    Bare,
    /// A list of members and scores; of pairs in RESP3.
    Protocol,
    /// A list of pairs, whatever the protocol.
    Pairs,
}

/// Takes up to `count` members, which there must be, and writes them into the reply. Returns how many.
fn take(
    cx: &mut DataContext<'_>,
    key: &[u8],
    order: Order,
    count: usize,
    layout: Layout,
) -> Result<usize, CommandError> {
    let Some(set) = cx.db.sorted_set_mut(key).or_wrong_type()? else {
        return Ok(0);
    };
    let ranks = set.first_ranks(order, count);
    let members = set.iter_ranks(ranks.clone(), order);
    let nested = match layout {
        Layout::Bare => false,
        Layout::Protocol => cx.reply.is_resp3(),
        Layout::Pairs => true,
    };
    match layout {
        Layout::Bare => {}
        _ if nested => cx.reply.array(members.len()),
        _ => cx.reply.array(2 * members.len()),
    }
    for ranked in members {
        if nested {
            cx.reply.array(2);
        }
        text(&mut cx.reply, ranked.member);
        double(&mut cx.reply, ranked.score);
    }
    let taken = set.remove_ranks(ranks);
    let event = match order {
        Order::Ascending => "zpopmin",
        Order::Descending => "zpopmax",
    };
    removed(cx, key, taken, event);
    Ok(taken)
}

fn zpopmin(cx: &mut DataContext<'_>) -> CommandResult {
    pop(cx, Order::Ascending)
}

fn zpopmax(cx: &mut DataContext<'_>) -> CommandResult {
    pop(cx, Order::Descending)
}

fn pop(cx: &mut DataContext<'_>, order: Order) -> CommandResult {
    let key = cx.args[1];
    let count = match cx.args {
        [_, _] => None,
        [_, _, count] => Some(
            store::int::parse_i64(count)
                .and_then(|count| usize::try_from(count).ok())
                .ok_or(CommandError::NotPositive)?,
        ),
        _ => return Err(CommandError::Syntax),
    };
    if cx.db.sorted_set(key).or_wrong_type()?.is_none() || count == Some(0) {
        cx.reply.array(0);
        return Ok(());
    }
    match count {
        Some(count) => take(cx, key, order, count, Layout::Protocol)?,
        None => {
            cx.reply.array(2);
            take(cx, key, order, 1, Layout::Bare)?
        }
    };
    Ok(())
}

/// Takes from the first sorted set that has members; false if none has.
fn pop_first(
    cx: &mut DataContext<'_>,
    request: &FirstOfKeys<'_, Order>,
) -> Result<bool, CommandError> {
    for key in request.keys {
        if cx.db.sorted_set(key).or_wrong_type()?.is_none() {
            continue;
        }
        cx.reply.array(2);
        cx.reply.bulk(key);
        let taken = take(cx, key, request.end, request.count, Layout::Pairs)?;
        cx.effects
            .propagate_as(&[command_name(request.end), key, &decimal(taken as i64)]);
        return Ok(true);
    }
    Ok(false)
}

fn zmpop(cx: &mut DataContext<'_>) -> CommandResult {
    let args = cx.args;
    if !pop_first(cx, &FirstOfKeys::parse(&args[1..], parse_end)?)? {
        cx.reply.null_array();
    }
    Ok(())
}

fn bzmpop(cx: &mut DataContext<'_>) -> CommandResult {
    let args = cx.args;
    let request = FirstOfKeys::parse(&args[2..], parse_end)?;
    let until = parse_timeout(args[1], cx.now)?;
    if !pop_first(cx, &request)? {
        wait(cx, request.keys, until, |reply| reply.null_array());
    }
    Ok(())
}

fn bzpopmin(cx: &mut DataContext<'_>) -> CommandResult {
    blocking_pop(cx, Order::Ascending)
}

fn bzpopmax(cx: &mut DataContext<'_>) -> CommandResult {
    blocking_pop(cx, Order::Descending)
}

fn blocking_pop(cx: &mut DataContext<'_>, order: Order) -> CommandResult {
    let args = cx.args;
    let (keys, timeout) = (&args[1..args.len() - 1], args[args.len() - 1]);
    let until = parse_timeout(timeout, cx.now)?;
    for key in keys {
        if cx.db.sorted_set(key).or_wrong_type()?.is_none() {
            continue;
        }
        cx.reply.array(3);
        cx.reply.bulk(key);
        take(cx, key, order, 1, Layout::Bare)?;
        cx.effects.propagate_as(&[command_name(order), key]);
        return Ok(());
    }
    wait(cx, keys, until, |reply| reply.null_array());
    Ok(())
}
