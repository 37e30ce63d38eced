//! INCR, DECR, INCRBY, DECRBY and INCRBYFLOAT: strings as counters.

use crate::commands::prelude::*;
use store::db::Expiry;
use store::float::LongDouble;
use store::value::{StringValue, Value, ValueRef};

pub(super) static INCR: Command = Command {
    spec: CommandSpec {
        name: "incr",
        group: Group::String,
        summary: "Adds one to the integer at a key.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            1,
        )],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(incr)),
};

pub(super) static DECR: Command = Command {
    spec: CommandSpec {
        name: "decr",
        group: Group::String,
        summary: "Subtracts one from the integer at a key.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            1,
        )],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(decr)),
};

pub(super) static INCRBY: Command = Command {
    spec: CommandSpec {
        name: "incrby",
        group: Group::String,
        summary: "Adds to the integer at a key.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            1,
        )],
        args: &[Arg::key("key", 0), Arg::integer("increment")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(incrby)),
};

pub(super) static DECRBY: Command = Command {
    spec: CommandSpec {
        name: "decrby",
        group: Group::String,
        summary: "Subtracts from the integer at a key.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            1,
        )],
        args: &[Arg::key("key", 0), Arg::integer("decrement")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(decrby)),
};

pub(super) static INCRBYFLOAT: Command = Command {
    spec: CommandSpec {
        name: "incrbyfloat",
        group: Group::String,
        summary: "Adds to the floating point number at a key.",
        since: "2.6.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            1,
        )],
        args: &[Arg::key("key", 0), Arg::double("increment")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(incrbyfloat)),
};

fn incr(cx: &mut DataContext<'_>) -> CommandResult {
    add(cx, 1)
}

fn decr(cx: &mut DataContext<'_>) -> CommandResult {
    add(cx, -1)
}

fn incrby(cx: &mut DataContext<'_>) -> CommandResult {
    add(cx, parse_integer(cx.args[2])?)
}

fn decrby(cx: &mut DataContext<'_>) -> CommandResult {
    let amount = parse_integer(cx.args[2])?
        .checked_neg()
        .ok_or(CommandError::text("ERR decrement would overflow"))?;
    add(cx, amount)
}

fn add(cx: &mut DataContext<'_>, amount: i64) -> CommandResult {
    let key = cx.args[1];
    let value = if let Some(mut slot) = cx.db.lookup_write(key) {
        let ValueRef::String(string) = slot.value() else {
            return Err(CommandError::WrongType);
        };
        let old = string.as_int().ok_or(CommandError::NotInteger)?;
        let value = old.checked_add(amount).ok_or(CommandError::Overflow)?;
        if !slot.set_int(value) {
            slot.replace_value(Value::String(StringValue::Int(value)));
        }
        value
    } else {
        cx.db
            .set(key, Value::String(StringValue::Int(amount)), Expiry::Never);
        amount
    };
    cx.effects.changed(key);
    cx.effects.notify(EventClass::STRING, "incrby", key);
    cx.reply.integer(value);
    Ok(())
}

fn incrbyfloat(cx: &mut DataContext<'_>) -> CommandResult {
    let key = cx.args[1];
    let old = match cx.db.lookup_write(key) {
        None => None,
        Some(slot) => match slot.value() {
            ValueRef::String(string) => {
                Some(LongDouble::parse(&string.bytes()).ok_or(CommandError::NotFloat)?)
            }
            _ => return Err(CommandError::WrongType),
        },
    };
    let amount = LongDouble::parse(cx.args[2]).ok_or(CommandError::NotFloat)?;
    let sum = match old {
        Some(old) => old.checked_add(amount),
        None => Some(amount),
    };
    let sum = sum.filter(|sum| sum.is_finite()).ok_or(CommandError::text(
        "ERR increment would produce NaN or Infinity",
    ))?;
    let mut text = Vec::new();
    sum.format(&mut text);
    cx.db.set(
        key,
        Value::String(StringValue::Bytes {
            bytes: text.clone(),
            raw: false,
        }),
        Expiry::Keep,
    );
    cx.effects.changed(key);
    cx.effects.notify(EventClass::STRING, "incrbyfloat", key);
    // The sum depends on the machine's long double; a replica takes ours.
    cx.effects.propagate_as(&[b"SET", key, &text, b"KEEPTTL"]);
    cx.reply.bulk(text);
    Ok(())
}
