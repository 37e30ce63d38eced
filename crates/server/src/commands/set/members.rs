//! Set members: add, remove, test, count, move, walk, choose.

use crate::commands::generic::scan::scan_value;
use crate::commands::prelude::*;
use crate::random_choice::{Choice, parse_choice};
use crate::replies::text;
use store::db::Db;
use store::value::Set;

pub(super) static SADD: Command = Command {
    spec: CommandSpec {
        name: "sadd",
        group: Group::Set,
        summary: "Adds members to a set.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::SET,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 1)],
        args: &[Arg::key("key", 0), Arg::string("member").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(sadd)),
};

pub(super) static SREM: Command = Command {
    spec: CommandSpec {
        name: "srem",
        group: Group::Set,
        summary: "Removes members from a set.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::SET,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::DELETE), 1)],
        args: &[Arg::key("key", 0), Arg::string("member").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(srem)),
};

pub(super) static SISMEMBER: Command = Command {
    spec: CommandSpec {
        name: "sismember",
        group: Group::Set,
        summary: "Tells whether a set has a member.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SET,
        keys: &[KeySpec::one(KeyFlags::RO, 1)],
        args: &[Arg::key("key", 0), Arg::string("member")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(sismember)),
};

pub(super) static SMISMEMBER: Command = Command {
    spec: CommandSpec {
        name: "smismember",
        group: Group::Set,
        summary: "Tells which of the members a set has.",
        since: "6.2.0",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0), Arg::string("member").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(smismember)),
};

pub(super) static SCARD: Command = Command {
    spec: CommandSpec {
        name: "scard",
        group: Group::Set,
        summary: "Counts the members of a set.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SET,
        keys: &[KeySpec::one(KeyFlags::RO, 1)],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(scard)),
};

pub(super) static SMEMBERS: Command = Command {
    spec: CommandSpec {
        name: "smembers",
        group: Group::Set,
        summary: "Returns all members of a set.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: 2,
        flags: Flags::READONLY,
        categories: Categories::SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output_order"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(smembers)),
};

pub(super) static SMOVE: Command = Command {
    spec: CommandSpec {
        name: "smove",
        group: Group::Set,
        summary: "Moves a member from one set to another.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 4,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::SET,
        keys: &[
            KeySpec::one(KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE), 1),
            KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 2),
        ],
        args: &[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::string("member"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(smove)),
};

pub(super) static SPOP: Command = Command {
    spec: CommandSpec {
        name: "spop",
        group: Group::Set,
        summary: "Removes random members and returns them.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::SET,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
            1,
        )],
        args: &[
            Arg::key("key", 0),
            Arg::integer("count").optional().since("3.2.0"),
        ],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(spop)),
};

pub(super) static SRANDMEMBER: Command = Command {
    spec: CommandSpec {
        name: "srandmember",
        group: Group::Set,
        summary: "Returns random members.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: -2,
        flags: Flags::READONLY,
        categories: Categories::SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("count").optional().since("2.6.0"),
        ],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(srandmember)),
};

pub(super) static SSCAN: Command = Command {
    spec: CommandSpec {
        name: "sscan",
        group: Group::Set,
        summary: "Walks over the members of a set in steps.",
        since: "2.8.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::READONLY,
        categories: Categories::SET,
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
    body: Body::Run(Handler::Data(sscan)),
};

fn sadd(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, intset_max) = (cx.args[1], cx.settings.set_max_intset_entries);
    let set = cx.db.set_or_create(key, Set::default).or_wrong_type()?;
    let added = cx.args[2..]
        .iter()
        .filter(|member| set.add(member, intset_max))
        .count();
    if added > 0 {
        cx.effects.changed_by(key, added as u64);
        cx.effects.notify(EventClass::SET, "sadd", key);
    }
    cx.reply.integer(added as i64);
    Ok(())
}

/// Deletes the key of a set that has become empty.
fn remove_if_empty(cx: &mut DataContext<'_>, key: &[u8]) -> CommandResult {
    if cx
        .db
        .set_value_mut(key)
        .or_wrong_type()?
        .is_some_and(|set| set.is_empty())
    {
        cx.db.remove(key);
        cx.effects.notify(EventClass::GENERIC, "del", key);
    }
    Ok(())
}

fn srem(cx: &mut DataContext<'_>) -> CommandResult {
    let key = cx.args[1];
    let Some(set) = cx.db.set_value_mut(key).or_wrong_type()? else {
        cx.reply.integer(0);
        return Ok(());
    };
    let removed = cx.args[2..]
        .iter()
        .filter(|member| set.remove(member))
        .count();
    if removed > 0 {
        cx.effects.changed_by(key, removed as u64);
        cx.effects.notify(EventClass::SET, "srem", key);
        remove_if_empty(cx, key)?;
    }
    cx.reply.integer(removed as i64);
    Ok(())
}

fn sismember(cx: &mut DataContext<'_>) -> CommandResult {
    let set = cx.db.set_value(cx.args[1]).or_wrong_type()?;
    let found = set.is_some_and(|set| set.contains(cx.args[2]));
    cx.reply.integer(i64::from(found));
    Ok(())
}

fn smismember(cx: &mut DataContext<'_>) -> CommandResult {
    let set = cx.db.set_value(cx.args[1]).or_wrong_type()?;
    cx.reply.array(cx.args.len() - 2);
    for member in &cx.args[2..] {
        cx.reply
            .integer(i64::from(set.is_some_and(|set| set.contains(member))));
    }
    Ok(())
}

fn scard(cx: &mut DataContext<'_>) -> CommandResult {
    let len = cx
        .db
        .set_value(cx.args[1])
        .or_wrong_type()?
        .map_or(0, Set::len);
    cx.reply.integer(len as i64);
    Ok(())
}

fn smembers(cx: &mut DataContext<'_>) -> CommandResult {
    let set = cx.db.set_value(cx.args[1]).or_wrong_type()?;
    cx.reply.set(set.map_or(0, Set::len));
    if let Some(set) = set {
        set.for_each(|member| cx.reply.bulk(member));
    }
    Ok(())
}

fn smove(cx: &mut DataContext<'_>) -> CommandResult {
    let (source, target, member) = (cx.args[1], cx.args[2], cx.args[3]);
    let Some(set) = cx.db.set_value(source).or_wrong_type()? else {
        cx.reply.integer(0);
        return Ok(());
    };
    let held = set.contains(member);
    cx.db.set_value(target).or_wrong_type()?;
    if source == target || !held {
        cx.reply.integer(i64::from(held));
        return Ok(());
    }
    if let Some(set) = cx.db.set_value_mut(source).or_wrong_type()? {
        set.remove(member);
    }
    cx.effects.changed(source);
    cx.effects.notify(EventClass::SET, "srem", source);
    remove_if_empty(cx, source)?;
    let intset_max = cx.settings.set_max_intset_entries;
    let added = cx
        .db
        .set_or_create(target, Set::default)
        .or_wrong_type()?
        .add(member, intset_max);
    if added {
        cx.effects.changed(target);
        cx.effects.notify(EventClass::SET, "sadd", target);
    }
    cx.reply.integer(1);
    Ok(())
}

/// How many members one propagated SREM names.
const SREM_BATCH: usize = 1024;

fn spop(cx: &mut DataContext<'_>) -> CommandResult {
    let key = cx.args[1];
    let mut rng = cx.db.random_source();
    let count = match cx.args {
        [_, _] => None,
        [_, _, count] => {
            let count = store::int::parse_i64(count).and_then(|count| usize::try_from(count).ok());
            Some(count.ok_or(CommandError::NotPositive)?)
        }
        _ => return Err(CommandError::Syntax),
    };
    let Some(set) = cx.db.set_value_mut(key).or_wrong_type()? else {
        match count {
            Some(_) => cx.reply.set(0),
            None => cx.reply.null(),
        }
        return Ok(());
    };
    let mut popped: Vec<Vec<u8>> = Vec::new();
    let wanted = count.unwrap_or(1).min(set.len());
    let whole = wanted == set.len();
    if whole {
        popped = set.members();
    } else {
        while popped.len() < wanted
            && let Some(member) = set.random(&mut rng)
        {
            let member = member.into_owned();
            set.remove(&member);
            popped.push(member);
        }
    }
    match count {
        Some(_) => {
            cx.reply.set(popped.len());
            popped.iter().for_each(|member| cx.reply.bulk(member));
        }
        None => cx.reply.bulk(&popped[0]),
    }
    if popped.is_empty() {
        return Ok(());
    }
    cx.effects.changed_by(key, popped.len() as u64);
    cx.effects.notify(EventClass::SET, "spop", key);
    // The choice was random: a replica must make the same.
    if whole {
        cx.db.remove(key);
        cx.effects.notify(EventClass::GENERIC, "del", key);
    }
    if whole && count.is_some() {
        cx.effects.propagate_as(&[b"DEL", key]);
    } else {
        for batch in popped.chunks(SREM_BATCH) {
            let mut command: Vec<&[u8]> = vec![b"SREM", key];
            command.extend(batch.iter().map(Vec::as_slice));
            cx.effects.propagate_as(&command);
        }
    }
    Ok(())
}

fn srandmember(cx: &mut DataContext<'_>) -> CommandResult {
    let mut rng = cx.db.random_source();
    let choice = match cx.args {
        [_, _] => None,
        [_, _, count] => Some(parse_choice(count)?),
        _ => return Err(CommandError::Syntax),
    };
    let set = cx.db.set_value(cx.args[1]).or_wrong_type()?;
    let Some(choice) = choice else {
        match set.and_then(|set| set.random(&mut rng)) {
            Some(member) => cx.reply.bulk(member),
            None => cx.reply.null(),
        }
        return Ok(());
    };
    let Some(set) = set else {
        cx.reply.array(0);
        return Ok(());
    };
    match choice {
        Choice::Distinct(count) => {
            cx.reply.array(count.min(set.len()));
            set.choose(count, &mut rng, |member| text(&mut cx.reply, member));
        }
        Choice::Repeating(count) => {
            cx.reply.array(count);
            for _ in 0..count {
                if cx.reply.is_full() {
                    break;
                }
                let member = set.random(&mut rng).expect("an empty set is never kept");
                cx.reply.bulk(member);
            }
        }
    }
    Ok(())
}

fn sscan(cx: &mut DataContext<'_>) -> CommandResult {
    scan_value(cx, Db::set_value, |set, cursor, options, found| {
        set.scan(cursor, options.count, |member| {
            if options.matches(member) {
                found.push(member);
            }
        })
    })
}
