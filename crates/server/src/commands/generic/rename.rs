//! RENAME and RENAMENX; MOVE to another db.

use crate::commands::prelude::*;

pub(super) static RENAME: Command = Command {
    spec: CommandSpec {
        name: "rename",
        group: Group::Generic,
        summary: "Renames a key, replacing the key of the new name.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::WRITE,
        categories: Categories::KEYSPACE,
        keys: &[
            KeySpec::one(KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE), 1),
            KeySpec::one(KeyFlags::OW.and(KeyFlags::UPDATE), 2),
        ],
        args: &[Arg::key("key", 0), Arg::key("newkey", 1)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(rename)),
};

pub(super) static RENAMENX: Command = Command {
    spec: CommandSpec {
        name: "renamenx",
        group: Group::Generic,
        summary: "Renames a key unless the new name exists.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[
            KeySpec::one(KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE), 1),
            KeySpec::one(KeyFlags::OW.and(KeyFlags::INSERT), 2),
        ],
        args: &[Arg::key("key", 0), Arg::key("newkey", 1)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(renamenx)),
};

pub(super) static MOVE: Command = Command {
    spec: CommandSpec {
        name: "move",
        group: Group::Generic,
        summary: "Moves a key to another db.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            1,
        )],
        args: &[Arg::key("key", 0), Arg::integer("db")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(move_key)),
};

fn rename(cx: &mut DataContext<'_>) -> CommandResult {
    rename_key(cx, true)?;
    cx.reply.ok();
    Ok(())
}

fn renamenx(cx: &mut DataContext<'_>) -> CommandResult {
    let renamed = rename_key(cx, false)?;
    cx.reply.integer(i64::from(renamed));
    Ok(())
}

fn rename_key(cx: &mut DataContext<'_>, replace: bool) -> Result<bool, CommandError> {
    let (old, new) = (cx.args[1], cx.args[2]);
    if cx.db.peek(old).is_none() {
        return Err(CommandError::NoSuchKey);
    }
    let same = old == new;
    let taken = cx.db.peek(new).is_some();
    if same || (taken && !replace) {
        return Ok(same && replace);
    }
    if taken {
        cx.db.remove(new);
    }
    let entry = cx.db.take(old).expect("it was there a moment ago");
    cx.db.insert_entry(entry.renamed(new));
    cx.effects.touched(old);
    cx.effects.changed(new);
    cx.effects.notify(EventClass::GENERIC, "rename_from", old);
    cx.effects.notify(EventClass::GENERIC, "rename_to", new);
    cx.effects.ready(new);
    Ok(true)
}

fn move_key(cx: &mut ServerContext<'_>) -> CommandResult {
    let key = cx.args[1];
    let target = parse_db_index(cx.args[2], cx.server.keyspace.count())?;
    if target == cx.db {
        return Err(CommandError::SameObject);
    }
    let source = cx.db;
    let (from, to) = cx.server.keyspace.two(source, target);
    if from.peek(key).is_none() || to.peek(key).is_some() {
        cx.reply.integer(0);
        return Ok(());
    }
    let entry = from.take(key).expect("it was there a moment ago");
    to.insert_entry(entry);
    let effects = cx.effects();
    effects.changed(key);
    effects.notify(EventClass::GENERIC, "move_from", key);
    effects.notify_in(target, EventClass::GENERIC, "move_to", key);
    effects.touched_in(target, key);
    effects.ready_in(target, key);
    cx.reply.integer(1);
    Ok(())
}
