//! Taking from an end: LPOP, LMPOP, LMOVE and their kin, and the forms that wait.

use super::end::{End, list_or_create, remove_if_empty};
use crate::blocking::wait;
use crate::commands::prelude::*;
use crate::first_of_keys::FirstOfKeys;
use crate::words::parse_timeout;

pub(super) static LPOP: Command = Command {
    spec: CommandSpec {
        name: "lpop",
        group: Group::List,
        summary: "Takes elements from the head of a list.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::LIST,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
            1,
        )],
        args: &[
            Arg::key("key", 0),
            Arg::integer("count").optional().since("6.2.0"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(lpop)),
};

pub(super) static RPOP: Command = Command {
    spec: CommandSpec {
        name: "rpop",
        group: Group::List,
        summary: "Takes elements from the tail of a list.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::LIST,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
            1,
        )],
        args: &[
            Arg::key("key", 0),
            Arg::integer("count").optional().since("6.2.0"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(rpop)),
};

pub(super) static LMPOP: Command = Command {
    spec: CommandSpec {
        name: "lmpop",
        group: Group::List,
        summary: "Takes elements from the first list that has any.",
        since: "7.0.0",
        complexity: "O(N+M)",
        arity: -4,
        flags: Flags::WRITE.and(Flags::MOVABLE_KEYS),
        categories: Categories::LIST,
        keys: &[KeySpec::keynum(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
            1,
        )],
        args: &[
            Arg::integer("numkeys"),
            Arg::key("key", 0).multiple(),
            Arg::one_of(
                "where",
                &[Arg::flag("left", "LEFT"), Arg::flag("right", "RIGHT")],
            ),
            Arg::integer("count").token("COUNT").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(lmpop)),
};

pub(super) static BLMPOP: Command = Command {
    spec: CommandSpec {
        name: "blmpop",
        group: Group::List,
        summary: "Takes elements from the first list that has any, or waits for one.",
        since: "7.0.0",
        complexity: "O(N+M)",
        arity: -5,
        flags: Flags::WRITE.and(Flags::BLOCKING).and(Flags::MOVABLE_KEYS),
        categories: Categories::LIST,
        keys: &[KeySpec::keynum(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
            2,
        )],
        args: &[
            Arg::double("timeout"),
            Arg::integer("numkeys"),
            Arg::key("key", 0).multiple(),
            Arg::one_of(
                "where",
                &[Arg::flag("left", "LEFT"), Arg::flag("right", "RIGHT")],
            ),
            Arg::integer("count").token("COUNT").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(blmpop)),
};

pub(super) static BLPOP: Command = Command {
    spec: CommandSpec {
        name: "blpop",
        group: Group::List,
        summary: "Takes an element from the head of the first list that has one, or waits.",
        since: "2.0.0",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::NOSCRIPT).and(Flags::BLOCKING),
        categories: Categories::LIST,
        keys: &[KeySpec::range(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
            1,
            -2,
            1,
        )],
        args: &[Arg::key("key", 0).multiple(), Arg::double("timeout")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(blpop)),
};

pub(super) static BRPOP: Command = Command {
    spec: CommandSpec {
        name: "brpop",
        group: Group::List,
        summary: "Takes an element from the tail of the first list that has one, or waits.",
        since: "2.0.0",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::NOSCRIPT).and(Flags::BLOCKING),
        categories: Categories::LIST,
        keys: &[KeySpec::range(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
            1,
            -2,
            1,
        )],
        args: &[Arg::key("key", 0).multiple(), Arg::double("timeout")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(brpop)),
};

pub(super) static LMOVE: Command = Command {
    spec: CommandSpec {
        name: "lmove",
        group: Group::List,
        summary: "Moves an element from one list's end to another's.",
        since: "6.2.0",
        complexity: "O(1)",
        arity: 5,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::LIST,
        keys: &[
            KeySpec::one(KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE), 1),
            KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 2),
        ],
        args: &[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::one_of(
                "wherefrom",
                &[Arg::flag("left", "LEFT"), Arg::flag("right", "RIGHT")],
            ),
            Arg::one_of(
                "whereto",
                &[Arg::flag("left", "LEFT"), Arg::flag("right", "RIGHT")],
            ),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(lmove)),
};

pub(super) static RPOPLPUSH: Command = Command {
    spec: CommandSpec {
        name: "rpoplpush",
        group: Group::List,
        summary: "Moves an element from one list's tail to another's head.",
        since: "1.2.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::LIST,
        keys: &[
            KeySpec::one(KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE), 1),
            KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 2),
        ],
        args: &[Arg::key("source", 0), Arg::key("destination", 1)],
        deprecated: Some(("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments")),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(rpoplpush)),
};

pub(super) static BLMOVE: Command = Command {
    spec: CommandSpec {
        name: "blmove",
        group: Group::List,
        summary: "Moves an element from one list's end to another's, or waits for one.",
        since: "6.2.0",
        complexity: "O(1)",
        arity: 6,
        flags: Flags::WRITE
            .and(Flags::DENYOOM)
            .and(Flags::NOSCRIPT)
            .and(Flags::BLOCKING),
        categories: Categories::LIST,
        keys: &[
            KeySpec::one(KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE), 1),
            KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 2),
        ],
        args: &[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::one_of(
                "wherefrom",
                &[Arg::flag("left", "LEFT"), Arg::flag("right", "RIGHT")],
            ),
            Arg::one_of(
                "whereto",
                &[Arg::flag("left", "LEFT"), Arg::flag("right", "RIGHT")],
            ),
            Arg::double("timeout"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(blmove)),
};

pub(super) static BRPOPLPUSH: Command = Command {
    spec: CommandSpec {
        name: "brpoplpush",
        group: Group::List,
        summary: "Moves an element from one list's tail to another's head, or waits for one.",
        since: "2.2.0",
        complexity: "O(1)",
        arity: 4,
        flags: Flags::WRITE
            .and(Flags::DENYOOM)
            .and(Flags::NOSCRIPT)
            .and(Flags::BLOCKING),
        categories: Categories::LIST,
        keys: &[
            KeySpec::one(KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE), 1),
            KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 2),
        ],
        args: &[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::double("timeout"),
        ],
        deprecated: Some(("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments")),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(brpoplpush)),
};

fn lpop(cx: &mut DataContext<'_>) -> CommandResult {
    pop(cx, End::Left, "lpop")
}

fn rpop(cx: &mut DataContext<'_>) -> CommandResult {
    pop(cx, End::Right, "rpop")
}

/// Takes up to `count` elements and notes it.
fn take(
    cx: &mut DataContext<'_>,
    key: &[u8],
    end: End,
    count: usize,
) -> Result<Vec<Vec<u8>>, CommandError> {
    let mut taken = Vec::new();
    if let Some(list) = cx.db.list_mut(key).or_wrong_type()? {
        while taken.len() < count
            && let Some(value) = end.pop(list)
        {
            taken.push(value);
        }
    }
    if !taken.is_empty() {
        cx.effects.changed_by(key, taken.len() as u64);
        cx.effects.notify(EventClass::LIST, end.pop_event(), key);
        remove_if_empty(cx, key);
    }
    Ok(taken)
}

fn pop(cx: &mut DataContext<'_>, end: End, name: &str) -> CommandResult {
    let key = cx.args[1];
    let count = match cx.args {
        [_, _] => None,
        [_, _, count] => Some(
            store::int::parse_i64(count)
                .and_then(|count| usize::try_from(count).ok())
                .ok_or(CommandError::NotPositive)?,
        ),
        _ => return Err(CommandError::WrongArity(name.into())),
    };
    if cx.db.list(key).or_wrong_type()?.is_none() {
        match count {
            Some(_) => cx.reply.null_array(),
            None => cx.reply.null(),
        }
        return Ok(());
    }
    let taken = take(cx, key, end, count.unwrap_or(1))?;
    if count.is_some() {
        cx.reply.array(taken.len());
    }
    for value in taken {
        cx.reply.bulk(value);
    }
    Ok(())
}

/// Pops from the first list that has elements; false if none has.
fn pop_first(
    cx: &mut DataContext<'_>,
    request: &FirstOfKeys<'_, End>,
) -> Result<bool, CommandError> {
    for key in request.keys {
        if cx.db.list(key).or_wrong_type()?.is_none() {
            continue;
        }
        let taken = take(cx, key, request.end, request.count)?;
        cx.reply.array(2);
        cx.reply.bulk(key);
        cx.reply.array(taken.len());
        for value in &taken {
            cx.reply.bulk(value);
        }
        let name: &[u8] = if request.end == End::Left {
            b"LPOP"
        } else {
            b"RPOP"
        };
        cx.effects
            .propagate_as(&[name, key, &decimal(taken.len() as i64)]);
        return Ok(true);
    }
    Ok(false)
}

fn lmpop(cx: &mut DataContext<'_>) -> CommandResult {
    let args = cx.args;
    if !pop_first(cx, &FirstOfKeys::parse(&args[1..], End::parse)?)? {
        cx.reply.null_array();
    }
    Ok(())
}

fn blmpop(cx: &mut DataContext<'_>) -> CommandResult {
    let args = cx.args;
    let request = FirstOfKeys::parse(&args[2..], End::parse)?;
    let until = parse_timeout(args[1], cx.now)?;
    if !pop_first(cx, &request)? {
        wait(cx, request.keys, until, |reply| reply.null_array());
    }
    Ok(())
}

fn blpop(cx: &mut DataContext<'_>) -> CommandResult {
    blocking_pop(cx, End::Left)
}

fn brpop(cx: &mut DataContext<'_>) -> CommandResult {
    blocking_pop(cx, End::Right)
}

fn blocking_pop(cx: &mut DataContext<'_>, end: End) -> CommandResult {
    let args = cx.args;
    let (keys, timeout) = (&args[1..args.len() - 1], args[args.len() - 1]);
    let until = parse_timeout(timeout, cx.now)?;
    for key in keys {
        if cx.db.list(key).or_wrong_type()?.is_none() {
            continue;
        }
        let taken = take(cx, key, end, 1)?;
        cx.reply.array(2);
        cx.reply.bulk(key);
        cx.reply.bulk(&taken[0]);
        cx.effects
            .propagate_as(&[if end == End::Left { b"LPOP" } else { b"RPOP" }, key]);
        return Ok(());
    }
    wait(cx, keys, until, |reply| reply.null_array());
    Ok(())
}

/// Moves one element; false if the source has none.
fn move_element(
    cx: &mut DataContext<'_>,
    [source, target]: [&[u8]; 2],
    [from, to]: [End; 2],
) -> Result<bool, CommandError> {
    if cx.db.list(source).or_wrong_type()?.is_none() {
        return Ok(false);
    }
    cx.db.list(target).or_wrong_type()?;
    let list = cx
        .db
        .list_mut(source)
        .or_wrong_type()?
        .expect("looked up above");
    let value = from.pop(list).expect("an empty list is never kept");
    to.push(list_or_create(cx.db, cx.settings, target)?, &value);
    cx.effects.changed(source);
    cx.effects.touched(target);
    cx.effects.notify(EventClass::LIST, to.push_event(), target);
    cx.effects
        .notify(EventClass::LIST, from.pop_event(), source);
    remove_if_empty(cx, source);
    cx.effects.ready(target);
    cx.reply.bulk(value);
    Ok(true)
}

fn lmove(cx: &mut DataContext<'_>) -> CommandResult {
    let ends = [End::parse(cx.args[3])?, End::parse(cx.args[4])?];
    if !move_element(cx, [cx.args[1], cx.args[2]], ends)? {
        cx.reply.null();
    }
    Ok(())
}

fn rpoplpush(cx: &mut DataContext<'_>) -> CommandResult {
    if !move_element(cx, [cx.args[1], cx.args[2]], [End::Right, End::Left])? {
        cx.reply.null();
    }
    Ok(())
}

fn blmove(cx: &mut DataContext<'_>) -> CommandResult {
    let [_, source, target, from, to, timeout] = *cx.args else {
        return Err(CommandError::Syntax);
    };
    let ends = [End::parse(from)?, End::parse(to)?];
    blocking_move(cx, ends, timeout, &[b"LMOVE", source, target, from, to])
}

fn brpoplpush(cx: &mut DataContext<'_>) -> CommandResult {
    let (source, target, timeout) = (cx.args[1], cx.args[2], cx.args[3]);
    let ends = [End::Right, End::Left];
    blocking_move(cx, ends, timeout, &[b"RPOPLPUSH", source, target])
}

/// Moves an element or waits for one. The AOF and replicas hear of `unblocking`, as they never wait.
fn blocking_move(
    cx: &mut DataContext<'_>,
    ends: [End; 2],
    timeout: &[u8],
    unblocking: &[&[u8]],
) -> CommandResult {
    let (source, target) = (cx.args[1], cx.args[2]);
    let until = parse_timeout(timeout, cx.now)?;
    if move_element(cx, [source, target], ends)? {
        cx.effects.propagate_as(unblocking);
    } else {
        wait(cx, &[source], until, |reply| reply.null());
    }
    Ok(())
}
