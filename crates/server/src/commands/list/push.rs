//! LPUSH, RPUSH, LPUSHX, RPUSHX: add to an end.

use super::end::{End, list_or_create};
use crate::commands::prelude::*;

pub(super) static LPUSH: Command = Command {
    spec: CommandSpec {
        name: "lpush",
        group: Group::List,
        summary: "Adds elements at the head of a list.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::LIST,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 1)],
        args: &[Arg::key("key", 0), Arg::string("element").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(lpush)),
};

pub(super) static RPUSH: Command = Command {
    spec: CommandSpec {
        name: "rpush",
        group: Group::List,
        summary: "Adds elements at the tail of a list.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::LIST,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 1)],
        args: &[Arg::key("key", 0), Arg::string("element").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(rpush)),
};

pub(super) static LPUSHX: Command = Command {
    spec: CommandSpec {
        name: "lpushx",
        group: Group::List,
        summary: "Adds elements at the head of a list that exists.",
        since: "2.2.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::LIST,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 1)],
        args: &[Arg::key("key", 0), Arg::string("element").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(lpushx)),
};

pub(super) static RPUSHX: Command = Command {
    spec: CommandSpec {
        name: "rpushx",
        group: Group::List,
        summary: "Adds elements at the tail of a list that exists.",
        since: "2.2.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::LIST,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 1)],
        args: &[Arg::key("key", 0), Arg::string("element").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(rpushx)),
};

fn push(cx: &mut DataContext<'_>, end: End) -> CommandResult {
    let key = cx.args[1];
    let list = list_or_create(cx.db, cx.settings, key)?;
    for value in &cx.args[2..] {
        end.push(list, value);
    }
    let len = list.len();
    cx.effects.changed_by(key, cx.args.len() as u64 - 2);
    cx.effects.notify(EventClass::LIST, end.push_event(), key);
    cx.effects.ready(key);
    cx.reply.integer(len as i64);
    Ok(())
}

fn push_existing(cx: &mut DataContext<'_>, end: End) -> CommandResult {
    if cx.db.list(cx.args[1]).or_wrong_type()?.is_none() {
        cx.reply.integer(0);
        return Ok(());
    }
    push(cx, end)
}

fn lpush(cx: &mut DataContext<'_>) -> CommandResult {
    push(cx, End::Left)
}

fn rpush(cx: &mut DataContext<'_>) -> CommandResult {
    push(cx, End::Right)
}

fn lpushx(cx: &mut DataContext<'_>) -> CommandResult {
    push_existing(cx, End::Left)
}

fn rpushx(cx: &mut DataContext<'_>) -> CommandResult {
    push_existing(cx, End::Right)
}
