//! GETEX and MGET: read strings, the first one changing its expiry.

use super::get::reply_string;
use crate::commands::prelude::*;
use crate::expire::{Unit, parse_expiry};
use store::value::ValueRef;

pub(super) static GETEX: Command = Command {
    spec: CommandSpec {
        name: "getex",
        group: Group::String,
        summary: "Returns the string at a key and changes its expiry.",
        since: "6.2.0",
        complexity: "O(1)",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            1,
        )],
        args: &[
            Arg::key("key", 0),
            Arg::one_of(
                "expiration",
                &[
                    Arg::integer("seconds").token("EX"),
                    Arg::integer("milliseconds").token("PX"),
                    Arg::unix_time("unix-time-seconds").token("EXAT"),
                    Arg::unix_time("unix-time-milliseconds").token("PXAT"),
                    Arg::flag("persist", "PERSIST"),
                ],
            )
            .optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(getex)),
};

pub(super) static MGET: Command = Command {
    spec: CommandSpec {
        name: "mget",
        group: Group::String,
        summary: "Returns the strings at several keys.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::range(KeyFlags::RO.and(KeyFlags::ACCESS), 1, -1, 1)],
        args: &[Arg::key("key", 0).multiple()],
        tips: &["request_policy:multi_shard"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(mget)),
};

/// What GETEX does to the expiry.
enum Change<'a> {
    Nothing,
    Persist,
    /// Not yet read: a missing key is answered before the time is looked at.
    To(&'a [u8], Unit),
}

/// The same option may be said again and counts anew; two different ones exclude each other.
fn parse_change<'a>(options: &[&'a [u8]]) -> Result<Change<'a>, CommandError> {
    let mut change = Change::Nothing;
    let mut words = options.iter();
    while let Some(word) = words.next() {
        change = match (change, Unit::of_option(word)) {
            (Change::Nothing | Change::Persist, None) if word.eq_ignore_ascii_case(b"PERSIST") => {
                Change::Persist
            }
            (Change::Nothing, Some(unit)) => {
                Change::To(words.next().ok_or(CommandError::Syntax)?, unit)
            }
            (Change::To(_, known), Some(unit)) if known == unit => {
                Change::To(words.next().ok_or(CommandError::Syntax)?, unit)
            }
            _ => return Err(CommandError::Syntax),
        };
    }
    Ok(change)
}

fn getex(cx: &mut DataContext<'_>) -> CommandResult {
    let key = cx.args[1];
    let change = parse_change(&cx.args[2..])?;
    cx.db.access.quiet = false;
    let string = cx.db.string(key).or_wrong_type()?;
    let exists = string.is_some();
    reply_string(&mut cx.reply, string);
    if !exists {
        return Ok(());
    }
    match change {
        Change::Nothing => {}
        Change::Persist => {
            if cx.db.expiry(key).flatten().is_some() {
                cx.db.set_expiry(key, None);
                cx.effects.changed(key);
                cx.effects.notify(EventClass::GENERIC, "persist", key);
                cx.effects.propagate_as(&[b"PERSIST", key]);
            }
        }
        Change::To(time, unit) => {
            let at = parse_expiry(time, unit, cx.now, "getex")?;
            if at <= cx.now && !cx.from_master {
                cx.db.remove(key);
                cx.effects.deleted(key);
                cx.effects.propagate_as(&[b"DEL", key]);
            } else {
                cx.db.set_expiry(key, Some(at));
                cx.effects.changed(key);
                cx.effects.notify(EventClass::GENERIC, "expire", key);
                cx.effects.propagate_as(&[b"PEXPIREAT", key, &decimal(at)]);
            }
        }
    }
    Ok(())
}

fn mget(cx: &mut DataContext<'_>) -> CommandResult {
    let args = cx.args;
    cx.reply.array(args.len() - 1);
    for key in &args[1..] {
        match cx.db.get(key) {
            Some(ValueRef::String(string)) => reply_string(&mut cx.reply, Some(string)),
            _ => cx.reply.null(),
        }
    }
    Ok(())
}
