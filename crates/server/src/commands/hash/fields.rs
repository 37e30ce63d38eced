//! Hash fields: set, read, delete, count.

use crate::commands::prelude::*;
use store::value::Hash;

pub(super) static HSET: Command = Command {
    spec: CommandSpec {
        name: "hset",
        group: Group::Hash,
        summary: "Sets fields of a hash.",
        since: "2.0.0",
        complexity: "O(1)",
        arity: -4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::block("field_value", &[Arg::string("field"), Arg::string("value")]).multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hset)),
};

pub(super) static HMSET: Command = Command {
    spec: CommandSpec {
        name: "hmset",
        group: Group::Hash,
        summary: "Sets fields of a hash.",
        since: "2.0.0",
        complexity: "O(N)",
        arity: -4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::block("field_value", &[Arg::string("field"), Arg::string("value")]).multiple(),
        ],
        deprecated: Some(("4.0.0", "`HSET` with multiple field-value pairs")),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hmset)),
};

pub(super) static HSETNX: Command = Command {
    spec: CommandSpec {
        name: "hsetnx",
        group: Group::Hash,
        summary: "Sets a field of a hash if it does not exist.",
        since: "2.0.0",
        complexity: "O(1)",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("field"),
            Arg::string("value"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hsetnx)),
};

pub(super) static HGET: Command = Command {
    spec: CommandSpec {
        name: "hget",
        group: Group::Hash,
        summary: "Returns the value of a field.",
        since: "2.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0), Arg::string("field")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hget)),
};

pub(super) static HMGET: Command = Command {
    spec: CommandSpec {
        name: "hmget",
        group: Group::Hash,
        summary: "Returns the values of several fields.",
        since: "2.0.0",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0), Arg::string("field").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hmget)),
};

pub(super) static HDEL: Command = Command {
    spec: CommandSpec {
        name: "hdel",
        group: Group::Hash,
        summary: "Deletes fields of a hash.",
        since: "2.0.0",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::DELETE), 1)],
        args: &[Arg::key("key", 0), Arg::string("field").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hdel)),
};

pub(super) static HEXISTS: Command = Command {
    spec: CommandSpec {
        name: "hexists",
        group: Group::Hash,
        summary: "Tells whether a field exists.",
        since: "2.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(KeyFlags::RO, 1)],
        args: &[Arg::key("key", 0), Arg::string("field")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hexists)),
};

pub(super) static HLEN: Command = Command {
    spec: CommandSpec {
        name: "hlen",
        group: Group::Hash,
        summary: "Counts the fields of a hash.",
        since: "2.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(KeyFlags::RO, 1)],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hlen)),
};

pub(super) static HSTRLEN: Command = Command {
    spec: CommandSpec {
        name: "hstrlen",
        group: Group::Hash,
        summary: "Returns the length of a field's value.",
        since: "3.2.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(KeyFlags::RO, 1)],
        args: &[Arg::key("key", 0), Arg::string("field")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hstrlen)),
};

pub(super) static HGETALL: Command = Command {
    spec: CommandSpec {
        name: "hgetall",
        group: Group::Hash,
        summary: "Returns all fields and values.",
        since: "2.0.0",
        complexity: "O(N)",
        arity: 2,
        flags: Flags::READONLY,
        categories: Categories::HASH,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output_order"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hgetall)),
};

pub(super) static HKEYS: Command = Command {
    spec: CommandSpec {
        name: "hkeys",
        group: Group::Hash,
        summary: "Returns all fields.",
        since: "2.0.0",
        complexity: "O(N)",
        arity: 2,
        flags: Flags::READONLY,
        categories: Categories::HASH,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output_order"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hkeys)),
};

pub(super) static HVALS: Command = Command {
    spec: CommandSpec {
        name: "hvals",
        group: Group::Hash,
        summary: "Returns all values.",
        since: "2.0.0",
        complexity: "O(N)",
        arity: 2,
        flags: Flags::READONLY,
        categories: Categories::HASH,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output_order"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hvals)),
};

/// Sets the fields of the request; returns how many are new.
fn set_fields(cx: &mut DataContext<'_>, name: &str) -> Result<i64, CommandError> {
    if !cx.args.len().is_multiple_of(2) {
        return Err(CommandError::WrongArity(name.into()));
    }
    let (key, limits) = (cx.args[1], cx.settings.hash_limits());
    let hash = cx.db.hash_or_create(key, Hash::default).or_wrong_type()?;
    let mut created = 0;
    for pair in cx.args[2..].chunks_exact(2) {
        created += i64::from(hash.set(pair[0], pair[1], limits));
    }
    cx.effects.changed_by(key, (cx.args.len() as u64 - 2) / 2);
    cx.effects.notify(EventClass::HASH, "hset", key);
    Ok(created)
}

fn hset(cx: &mut DataContext<'_>) -> CommandResult {
    let created = set_fields(cx, "hset")?;
    cx.reply.integer(created);
    Ok(())
}

fn hmset(cx: &mut DataContext<'_>) -> CommandResult {
    set_fields(cx, "hmset")?;
    cx.reply.ok();
    Ok(())
}

fn hsetnx(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, field, value) = (cx.args[1], cx.args[2], cx.args[3]);
    let limits = cx.settings.hash_limits();
    let hash = cx.db.hash_or_create(key, Hash::default).or_wrong_type()?;
    let absent = hash.get(field).is_none();
    if absent {
        hash.set(field, value, limits);
        cx.effects.changed(key);
        cx.effects.notify(EventClass::HASH, "hset", key);
    }
    cx.reply.integer(i64::from(absent));
    Ok(())
}

fn hget(cx: &mut DataContext<'_>) -> CommandResult {
    match cx
        .db
        .hash(cx.args[1])
        .or_wrong_type()?
        .and_then(|hash| hash.get(cx.args[2]))
    {
        Some(value) => cx.reply.bulk(value),
        None => cx.reply.null(),
    }
    Ok(())
}

fn hmget(cx: &mut DataContext<'_>) -> CommandResult {
    let hash = cx.db.hash(cx.args[1]).or_wrong_type()?;
    cx.reply.array(cx.args.len() - 2);
    for field in &cx.args[2..] {
        match hash.and_then(|hash| hash.get(field)) {
            Some(value) => cx.reply.bulk(value),
            None => cx.reply.null(),
        }
    }
    Ok(())
}

fn hdel(cx: &mut DataContext<'_>) -> CommandResult {
    let key = cx.args[1];
    let Some(hash) = cx.db.hash_mut(key).or_wrong_type()? else {
        cx.reply.integer(0);
        return Ok(());
    };
    let deleted = cx.args[2..]
        .iter()
        .filter(|field| hash.remove(field))
        .count();
    let emptied = hash.is_empty();
    if deleted > 0 {
        cx.effects.changed_by(key, deleted as u64);
        cx.effects.notify(EventClass::HASH, "hdel", key);
        if emptied {
            cx.db.remove(key);
            cx.effects.notify(EventClass::GENERIC, "del", key);
        }
    }
    cx.reply.integer(deleted as i64);
    Ok(())
}

fn hexists(cx: &mut DataContext<'_>) -> CommandResult {
    let hash = cx.db.hash(cx.args[1]).or_wrong_type()?;
    let exists = hash.is_some_and(|hash| hash.get(cx.args[2]).is_some());
    cx.reply.integer(i64::from(exists));
    Ok(())
}

fn hlen(cx: &mut DataContext<'_>) -> CommandResult {
    let len = cx.db.hash(cx.args[1]).or_wrong_type()?.map_or(0, Hash::len);
    cx.reply.integer(len as i64);
    Ok(())
}

fn hstrlen(cx: &mut DataContext<'_>) -> CommandResult {
    let hash = cx.db.hash(cx.args[1]).or_wrong_type()?;
    let len = hash
        .and_then(|hash| hash.get(cx.args[2]))
        .map_or(0, |value| value.len());
    cx.reply.integer(len as i64);
    Ok(())
}

fn hgetall(cx: &mut DataContext<'_>) -> CommandResult {
    let hash = cx.db.hash(cx.args[1]).or_wrong_type()?;
    cx.reply.map(hash.map_or(0, Hash::len));
    if let Some(hash) = hash {
        hash.for_each(|field, value| {
            cx.reply.bulk(field);
            cx.reply.bulk(value);
        });
    }
    Ok(())
}

fn hkeys(cx: &mut DataContext<'_>) -> CommandResult {
    let hash = cx.db.hash(cx.args[1]).or_wrong_type()?;
    cx.reply.array(hash.map_or(0, Hash::len));
    if let Some(hash) = hash {
        hash.for_each(|field, _| cx.reply.bulk(field));
    }
    Ok(())
}

fn hvals(cx: &mut DataContext<'_>) -> CommandResult {
    let hash = cx.db.hash(cx.args[1]).or_wrong_type()?;
    cx.reply.array(hash.map_or(0, Hash::len));
    if let Some(hash) = hash {
        hash.for_each(|_, value| cx.reply.bulk(value));
    }
    Ok(())
}
