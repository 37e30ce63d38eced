//! GET and GETDEL: read a string.

use crate::commands::prelude::*;
use store::value::StringRef;

pub(super) static GET: Command = Command {
    spec: CommandSpec {
        name: "get",
        group: Group::String,
        summary: "Returns the string at a key.",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(get)),
};

pub(super) static GETDEL: Command = Command {
    spec: CommandSpec {
        name: "getdel",
        group: Group::String,
        summary: "Returns the string at a key and deletes the key.",
        since: "6.2.0",
        arity: 2,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
            1,
        )],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(getdel)),
};

/// Replies with a string, or null.
pub(super) fn reply_string(reply: &mut resp::Writer<'_>, string: Option<StringRef<'_>>) {
    match string {
        Some(StringRef::Bytes(bytes)) => reply.bulk(bytes),
        Some(StringRef::Int(int)) => reply.bulk_int(int),
        None => reply.null(),
    }
}

fn get(cx: &mut DataContext<'_>) -> CommandResult {
    let string = cx.db.string(cx.args[1]).or_wrong_type()?;
    reply_string(&mut cx.reply, string);
    Ok(())
}

fn getdel(cx: &mut DataContext<'_>) -> CommandResult {
    let key = cx.args[1];
    cx.db.access.quiet = false;
    let Some(string) = cx.db.string(key).or_wrong_type()? else {
        cx.reply.null();
        return Ok(());
    };
    reply_string(&mut cx.reply, Some(string));
    cx.db.remove(key);
    cx.effects.deleted(key);
    // A replica needs only the deletion.
    cx.effects.propagate_as(&[b"DEL", key]);
    Ok(())
}
