//! DEL, UNLINK, EXISTS, TOUCH, TYPE, KEYS, RANDOMKEY: keys as such.

use crate::commands::prelude::*;
use store::db::Db;

pub(super) static DEL: Command = Command {
    spec: CommandSpec {
        name: "del",
        group: Group::Generic,
        summary: "Deletes keys.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::WRITE,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::range(KeyFlags::RM.and(KeyFlags::DELETE), 1, -1, 1)],
        args: &[Arg::key("key", 0).multiple()],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(del)),
};

pub(super) static UNLINK: Command = Command {
    spec: CommandSpec {
        name: "unlink",
        group: Group::Generic,
        summary: "Deletes keys; their values are freed in the background.",
        since: "4.0.0",
        complexity: "O(1)",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::range(KeyFlags::RM.and(KeyFlags::DELETE), 1, -1, 1)],
        args: &[Arg::key("key", 0).multiple()],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(unlink)),
};

pub(super) static EXISTS: Command = Command {
    spec: CommandSpec {
        name: "exists",
        group: Group::Generic,
        summary: "Counts which of the keys exist.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::range(KeyFlags::RO, 1, -1, 1)],
        args: &[Arg::key("key", 0).multiple()],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(exists)),
};

pub(super) static TOUCH: Command = Command {
    spec: CommandSpec {
        name: "touch",
        group: Group::Generic,
        summary: "Counts which of the keys exist and marks them as used.",
        since: "3.2.1",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::range(KeyFlags::RO, 1, -1, 1)],
        args: &[Arg::key("key", 0).multiple()],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(touch)),
};

pub(super) static TYPE: Command = Command {
    spec: CommandSpec {
        name: "type",
        group: Group::Generic,
        summary: "Names the type of the value at a key.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RO, 1)],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(value_type)),
};

pub(super) static KEYS: Command = Command {
    spec: CommandSpec {
        name: "keys",
        group: Group::Generic,
        summary: "Returns the keys that match a pattern.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: 2,
        flags: Flags::READONLY,
        categories: Categories::KEYSPACE.and(Categories::DANGEROUS),
        args: &[Arg::pattern("pattern")],
        tips: &["request_policy:all_shards", "nondeterministic_output_order"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(keys)),
};

pub(super) static RANDOMKEY: Command = Command {
    spec: CommandSpec {
        name: "randomkey",
        group: Group::Generic,
        summary: "Returns some key.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 1,
        flags: Flags::READONLY,
        categories: Categories::KEYSPACE,
        tips: &["request_policy:all_shards", "nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(randomkey)),
};

fn del(cx: &mut DataContext<'_>) -> CommandResult {
    delete(cx, cx.settings.lazyfree_lazy_user_del)
}

fn unlink(cx: &mut DataContext<'_>) -> CommandResult {
    delete(cx, true)
}

fn delete(cx: &mut DataContext<'_>, lazy: bool) -> CommandResult {
    let mut count = 0;
    let args = cx.args;
    for key in &args[1..] {
        if cx.db.unlink(key, lazy) {
            cx.effects.deleted(key);
            count += 1;
        }
    }
    cx.reply.integer(count);
    Ok(())
}

fn exists(cx: &mut DataContext<'_>) -> CommandResult {
    count_keys(cx, |db, key| db.ask(key).is_some())
}

fn touch(cx: &mut DataContext<'_>) -> CommandResult {
    count_keys(cx, |db, key| db.lookup(key).is_some())
}

fn count_keys(
    cx: &mut DataContext<'_>,
    is_there: impl Fn(&mut Db, &[u8]) -> bool,
) -> CommandResult {
    let keys = &cx.args[1..];
    let count = keys.iter().filter(|key| is_there(cx.db, key)).count();
    cx.reply.integer(count as i64);
    Ok(())
}

fn value_type(cx: &mut DataContext<'_>) -> CommandResult {
    let name = cx
        .db
        .ask(cx.args[1])
        .map_or("none", |entry| entry.value().value_type().name());
    cx.reply.simple(name);
    Ok(())
}

fn keys(cx: &mut DataContext<'_>) -> CommandResult {
    // A lone star takes every key, the empty one too, which no pattern matches.
    let pattern = Some(cx.args[1]).filter(|pattern| *pattern != b"*");
    let now = cx.now;
    let mark = cx.reply.deferred_array();
    let mut count = 0;
    for entry in cx.db.iter() {
        let expired = entry.expiry().is_some_and(|at| now > at);
        if !expired
            && pattern.is_none_or(|pattern| front::glob::matches(pattern, entry.key(), false))
        {
            cx.reply.bulk(entry.key());
            count += 1;
        }
    }
    cx.reply.finish_array(mark, count);
    Ok(())
}

fn randomkey(cx: &mut DataContext<'_>) -> CommandResult {
    match cx.db.random_key() {
        Some(key) => cx.reply.bulk(key),
        None => cx.reply.null(),
    }
    Ok(())
}
