//! SINTER, SUNION, SDIFF, their STORE forms and SINTERCARD.

use crate::commands::prelude::*;
use resp::Writer;
use store::db::Expiry;
use store::value::{Set, Value, ValueRef};

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

/// The sets of several keys; what does not exist is `None`.
fn sets<'a>(
    cx: &'a mut DataContext<'_>,
    keys: &[&[u8]],
) -> Result<Vec<Option<&'a Set>>, CommandError> {
    let values = cx
        .db
        .get_many(keys, |value| matches!(value, ValueRef::Set(_)))
        .or_wrong_type()?;
    Ok(values
        .into_iter()
        .map(|value| match value {
            Some(ValueRef::Set(set)) => Some(set),
            _ => None,
        })
        .collect())
}

/// Shows the members that all sets have, until `visit` says no.
fn intersect(sets: &[Option<&Set>], mut visit: impl FnMut(&[u8]) -> bool) {
    let Some(sets) = sets.iter().copied().collect::<Option<Vec<&Set>>>() else {
        return;
    };
    let smallest = sets
        .iter()
        .copied()
        .min_by_key(|set| set.len())
        .expect("there is a key");
    let mut digits = itoa::Buffer::new();
    for member in smallest.iter() {
        let member = member.as_bytes(&mut digits);
        let everywhere = sets
            .iter()
            .all(|set| std::ptr::eq(*set, smallest) || set.contains(member));
        if everywhere && !visit(member) {
            return;
        }
    }
}

/// Everything that any of the sets has.
fn union(sets: &[&Set], intset_max: usize) -> Set {
    let mut union = Set::default();
    for set in sets {
        set.for_each(|member| {
            union.add(member, intset_max);
        });
    }
    union
}

/// Shows the members that an operation over the sets of `keys` gives.
fn compute(
    cx: &mut DataContext<'_>,
    operation: Operation,
    keys: &[&[u8]],
    mut visit: impl FnMut(&[u8]),
) -> CommandResult {
    let intset_max = cx.settings.set_max_intset_entries;
    let sets = sets(cx, keys)?;
    match operation {
        Operation::Inter => intersect(&sets, |member| {
            visit(member);
            true
        }),
        Operation::Diff => {
            let (first, others) = sets.split_first().expect("there is a key");
            let Some(first) = first else {
                return Ok(());
            };
            let others: Vec<&Set> = others.iter().copied().flatten().collect();
            let probes = first.len().saturating_mul(others.len());
            let members = first.len() + others.iter().map(|set| set.len()).sum::<usize>();
            // Many small sets are cheaper to look through once than to ask for every member.
            let merged = (probes > members).then(|| union(&others, intset_max));
            let others = merged.as_ref().map_or(others, |merged| vec![merged]);
            let mut digits = itoa::Buffer::new();
            for member in first.iter() {
                let member = member.as_bytes(&mut digits);
                if !others.iter().any(|set| set.contains(member)) {
                    visit(member);
                }
            }
        }
        Operation::Union => {
            let mut union = Set::default();
            for set in sets.into_iter().flatten() {
                set.for_each(|member| {
                    if union.add(member, intset_max) {
                        visit(member);
                    }
                });
            }
        }
    }
    Ok(())
}

fn reply_members(cx: &mut DataContext<'_>, operation: Operation) -> CommandResult {
    let args = cx.args;
    let mut words = Vec::new();
    let mut writer = Writer::new(&mut words, cx.reply.is_resp3());
    let mut count = 0;
    compute(cx, operation, &args[1..], |member| {
        writer.bulk(member);
        count += 1;
    })?;
    cx.reply.set(count);
    cx.reply.raw(&words);
    Ok(())
}

fn store_members(
    cx: &mut DataContext<'_>,
    operation: Operation,
    event: &'static str,
) -> CommandResult {
    let (args, intset_max) = (cx.args, cx.settings.set_max_intset_entries);
    let target = args[1];
    let mut set = Set::default();
    compute(cx, operation, &args[2..], |member| {
        set.add(member, intset_max);
    })?;
    let len = set.len();
    if len > 0 {
        cx.db.set(target, Value::Set(Box::new(set)), Expiry::Never);
        cx.effects.changed(target);
        cx.effects.notify(EventClass::SET, event, target);
    } else if cx.db.remove(target) {
        cx.effects.deleted(target);
    }
    cx.reply.integer(len as i64);
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
    let mut count = 0;
    intersect(&sets(cx, keys)?, |_| {
        count += 1;
        count < limit
    });
    cx.reply.integer(count as i64);
    Ok(())
}
