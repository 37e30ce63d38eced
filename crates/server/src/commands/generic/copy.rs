//! COPY: the value of a key under another name.

use crate::commands::prelude::*;
use store::entry::Entry;

pub(super) static COPY: Command = Command {
    spec: CommandSpec {
        name: "copy",
        group: Group::Generic,
        summary: "Copies the value and expiry of a key to another key.",
        since: "6.2.0",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::KEYSPACE,
        keys: &[
            KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1),
            KeySpec::one(KeyFlags::OW.and(KeyFlags::UPDATE), 2),
        ],
        args: &[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::integer("destination-db").token("DB").optional(),
            Arg::flag("replace", "REPLACE").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(copy)),
};

fn copy(cx: &mut ServerContext<'_>) -> CommandResult {
    let (source, target) = (cx.args[1], cx.args[2]);
    let (mut db, mut replace) = (cx.db, false);
    let mut words = cx.args[3..].iter();
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case(b"REPLACE") {
            replace = true;
        } else if word.eq_ignore_ascii_case(b"DB")
            && let Some(index) = words.next()
        {
            db = parse_db_index(index, cx.server.keyspace.count())?;
        } else {
            return Err(CommandError::Syntax);
        }
    }
    if db == cx.db && source == target {
        return Err(CommandError::SameObject);
    }
    let Some(entry) = cx.db().lookup(source) else {
        cx.reply.integer(0);
        return Ok(());
    };
    let mut copy = Entry::new(
        target,
        entry.value().duplicate(entry.is_raw()),
        entry.expiry(),
    );
    copy.set_unshared();
    let target_db = cx.server.keyspace.db(db);
    if target_db.peek(target).is_some() && !replace {
        cx.reply.integer(0);
        return Ok(());
    }
    target_db.insert_entry(copy);
    let effects = cx.effects();
    effects.dirty += 1;
    effects.touched_in(db, target);
    effects.notify_in(db, EventClass::GENERIC, "copy_to", target);
    effects.ready_in(db, target);
    cx.reply.integer(1);
    Ok(())
}
