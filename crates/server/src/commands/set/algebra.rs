//! SINTER, SUNION, SDIFF, their STORE forms and SINTERCARD.

use crate::commands::prelude::*;
use store::db::Expiry;
use store::value::{Set, Value};

pub(super) static SINTER: Command = Command {
    spec: CommandSpec {
        name: "sinter",
        group: Group::Set,
        summary: "Returns the members that all sets have.",
        since: "1.0.0",
        complexity: "O(N*M)",
        arity: -2,
        flags: Flags::READONLY,
        categories: Categories::SET,
        keys: &[KeySpec::range(KeyFlags::RO.and(KeyFlags::ACCESS), 1, -1, 1)],
        args: &[Arg::key("key", 0).multiple()],
        tips: &["nondeterministic_output_order"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(sinter)),
};

pub(super) static SINTERSTORE: Command = Command {
    spec: CommandSpec {
        name: "sinterstore",
        group: Group::Set,
        summary: "Stores the members that all sets have.",
        since: "1.0.0",
        complexity: "O(N*M)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::SET,
        keys: &[
            KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1),
            KeySpec::range(KeyFlags::RO.and(KeyFlags::ACCESS), 2, -1, 1),
        ],
        args: &[Arg::key("destination", 0), Arg::key("key", 1).multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(sinterstore)),
};

pub(super) static SINTERCARD: Command = Command {
    spec: CommandSpec {
        name: "sintercard",
        group: Group::Set,
        summary: "Counts the members that all sets have.",
        since: "7.0.0",
        complexity: "O(N*M)",
        arity: -3,
        flags: Flags::READONLY.and(Flags::MOVABLE_KEYS),
        categories: Categories::SET,
        keys: &[KeySpec::keynum(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::integer("numkeys"),
            Arg::key("key", 0).multiple(),
            Arg::integer("limit").token("LIMIT").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(sintercard)),
};

pub(super) static SUNION: Command = Command {
    spec: CommandSpec {
        name: "sunion",
        group: Group::Set,
        summary: "Returns the members that any of the sets has.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::READONLY,
        categories: Categories::SET,
        keys: &[KeySpec::range(KeyFlags::RO.and(KeyFlags::ACCESS), 1, -1, 1)],
        args: &[Arg::key("key", 0).multiple()],
        tips: &["nondeterministic_output_order"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(sunion)),
};

pub(super) static SUNIONSTORE: Command = Command {
    spec: CommandSpec {
        name: "sunionstore",
        group: Group::Set,
        summary: "Stores the members that any of the sets has.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::SET,
        keys: &[
            KeySpec::one(KeyFlags::OW.and(KeyFlags::UPDATE), 1),
            KeySpec::range(KeyFlags::RO.and(KeyFlags::ACCESS), 2, -1, 1),
        ],
        args: &[Arg::key("destination", 0), Arg::key("key", 1).multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(sunionstore)),
};

pub(super) static SDIFF: Command = Command {
    spec: CommandSpec {
        name: "sdiff",
        group: Group::Set,
        summary: "Returns the members that the first set alone has.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::READONLY,
        categories: Categories::SET,
        keys: &[KeySpec::range(KeyFlags::RO.and(KeyFlags::ACCESS), 1, -1, 1)],
        args: &[Arg::key("key", 0).multiple()],
        tips: &["nondeterministic_output_order"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(sdiff)),
};

pub(super) static SDIFFSTORE: Command = Command {
    spec: CommandSpec {
        name: "sdiffstore",
        group: Group::Set,
        summary: "Stores the members that the first set alone has.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::SET,
        keys: &[
            KeySpec::one(KeyFlags::OW.and(KeyFlags::UPDATE), 1),
            KeySpec::range(KeyFlags::RO.and(KeyFlags::ACCESS), 2, -1, 1),
        ],
        args: &[Arg::key("destination", 0), Arg::key("key", 1).multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(sdiffstore)),
};

#[derive(Clone, Copy)]
enum Operation {
    Inter,
    Union,
    Diff,
}

/// The members that an operation over the sets of `keys` gives, at most `limit` of them.
fn compute(
    cx: &mut DataContext<'_>,
    operation: Operation,
    keys: &[&[u8]],
    limit: usize,
) -> Result<Vec<Vec<u8>>, CommandError> {
    // Every key is checked before anything is computed, as clients expect of WRONGTYPE.
    let mut lens = Vec::with_capacity(keys.len());
    for key in keys {
        lens.push(cx.db.set_value(key).or_wrong_type()?.map_or(0, Set::len));
    }
    let contains = |cx: &mut DataContext<'_>, key: &[u8], member: &[u8]| {
        cx.db
            .set_value(key)
            .is_ok_and(|set| set.is_some_and(|set| set.contains(member)))
    };
    let members = |cx: &mut DataContext<'_>, key: &[u8]| {
        cx.db
            .set_value(key)
            .ok()
            .flatten()
            .map_or_else(Vec::new, Set::members)
    };
    match operation {
        Operation::Inter => {
            let smallest = (0..keys.len())
                .min_by_key(|&index| lens[index])
                .unwrap_or(0);
            let mut found = Vec::new();
            for member in members(cx, keys[smallest]) {
                if found.len() >= limit {
                    break;
                }
                let everywhere = (0..keys.len())
                    .filter(|&index| index != smallest)
                    .all(|index| contains(cx, keys[index], &member));
                if everywhere {
                    found.push(member);
                }
            }
            Ok(found)
        }
        Operation::Diff => {
            let mut found = members(cx, keys[0]);
            found.retain(|member| !keys[1..].iter().any(|key| contains(cx, key, member)));
            Ok(found)
        }
        Operation::Union => {
            let mut union = Set::default();
            for key in keys {
                for member in members(cx, key) {
                    union.add(&member, cx.settings.set_max_intset_entries);
                }
            }
            Ok(union.members())
        }
    }
}

fn reply_members(cx: &mut DataContext<'_>, operation: Operation) -> CommandResult {
    let args = cx.args;
    let members = compute(cx, operation, &args[1..], usize::MAX)?;
    cx.reply.set(members.len());
    for member in members {
        cx.reply.bulk(member);
    }
    Ok(())
}

fn store_members(
    cx: &mut DataContext<'_>,
    operation: Operation,
    event: &'static str,
) -> CommandResult {
    let args = cx.args;
    let target = args[1];
    let members = compute(cx, operation, &args[2..], usize::MAX)?;
    let mut set = Set::default();
    for member in &members {
        set.add(member, cx.settings.set_max_intset_entries);
    }
    if members.is_empty() {
        if cx.db.remove(target) {
            cx.effects.deleted(target);
        }
    } else {
        cx.db.set(target, Value::Set(Box::new(set)), Expiry::Never);
        cx.effects.changed(target);
        cx.effects.notify(EventClass::SET, event, target);
    }
    cx.reply.integer(members.len() as i64);
    Ok(())
}

fn sinter(cx: &mut DataContext<'_>) -> CommandResult {
    reply_members(cx, Operation::Inter)
}

fn sunion(cx: &mut DataContext<'_>) -> CommandResult {
    reply_members(cx, Operation::Union)
}

fn sdiff(cx: &mut DataContext<'_>) -> CommandResult {
    reply_members(cx, Operation::Diff)
}

fn sinterstore(cx: &mut DataContext<'_>) -> CommandResult {
    store_members(cx, Operation::Inter, "sinterstore")
}

fn sunionstore(cx: &mut DataContext<'_>) -> CommandResult {
    store_members(cx, Operation::Union, "sunionstore")
}

fn sdiffstore(cx: &mut DataContext<'_>) -> CommandResult {
    store_members(cx, Operation::Diff, "sdiffstore")
}

fn sintercard(cx: &mut DataContext<'_>) -> CommandResult {
    let args = cx.args;
    let numkeys = store::int::parse_i64(args[1])
        .and_then(|count| usize::try_from(count).ok())
        .filter(|&count| count > 0)
        .ok_or(CommandError::text("ERR numkeys should be greater than 0"))?;
    if numkeys > args.len() - 2 {
        return Err(CommandError::text(
            "ERR Number of keys can't be greater than number of args",
        ));
    }
    let (keys, options) = args[2..].split_at(numkeys);
    let mut limit = usize::MAX;
    for pair in options.chunks(2) {
        let [name, value] = pair else {
            return Err(CommandError::Syntax);
        };
        if !name.eq_ignore_ascii_case(b"LIMIT") {
            return Err(CommandError::Syntax);
        }
        let number = store::int::parse_i64(value)
            .and_then(|limit| usize::try_from(limit).ok())
            .ok_or(CommandError::text("ERR LIMIT can't be negative"))?;
        limit = if number == 0 { usize::MAX } else { number };
    }
    let count = compute(cx, Operation::Inter, keys, limit)?.len();
    cx.reply.integer(count as i64);
    Ok(())
}
