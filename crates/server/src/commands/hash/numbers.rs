//! HINCRBY and HINCRBYFLOAT: hash fields as counters.

use crate::commands::prelude::*;
use store::float::LongDouble;
use store::value::Hash;

pub(super) static HINCRBY: Command = Command {
    spec: CommandSpec {
        name: "hincrby",
        group: Group::Hash,
        summary: "Adds to the integer in a field.",
        since: "2.0.0",
        complexity: "O(1)",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            1,
        )],
        args: &[
            Arg::key("key", 0),
            Arg::string("field"),
            Arg::integer("increment"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hincrby)),
};

pub(super) static HINCRBYFLOAT: Command = Command {
    spec: CommandSpec {
        name: "hincrbyfloat",
        group: Group::Hash,
        summary: "Adds to the floating point number in a field.",
        since: "2.6.0",
        complexity: "O(1)",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            1,
        )],
        args: &[
            Arg::key("key", 0),
            Arg::string("field"),
            Arg::double("increment"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hincrbyfloat)),
};

fn hincrby(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, field) = (cx.args[1], cx.args[2]);
    let amount = parse_integer(cx.args[3])?;
    let limits = cx.settings.hash_limits();
    let old = match cx
        .db
        .hash(key)
        .or_wrong_type()?
        .and_then(|hash| hash.get(field))
    {
        Some(value) => store::int::parse_i64(&value)
            .ok_or(CommandError::text("ERR hash value is not an integer"))?,
        None => 0,
    };
    let sum = old.checked_add(amount).ok_or(CommandError::Overflow)?;
    cx.db
        .hash_or_create(key, Hash::default)
        .or_wrong_type()?
        .set(field, &decimal(sum), limits);
    cx.effects.changed(key);
    cx.effects.notify(EventClass::HASH, "hincrby", key);
    cx.reply.integer(sum);
    Ok(())
}

fn hincrbyfloat(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, field) = (cx.args[1], cx.args[2]);
    let amount = LongDouble::parse(cx.args[3]).ok_or(CommandError::NotFloat)?;
    if !amount.is_finite() {
        return Err(CommandError::text("ERR value is NaN or Infinity"));
    }
    let limits = cx.settings.hash_limits();
    let old = match cx
        .db
        .hash(key)
        .or_wrong_type()?
        .and_then(|hash| hash.get(field))
    {
        Some(value) => Some(
            LongDouble::parse(&value).ok_or(CommandError::text("ERR hash value is not a float"))?,
        ),
        None => None,
    };
    let sum = match old {
        Some(old) => old.checked_add(amount),
        None => Some(amount),
    };
    let sum = sum.filter(|sum| sum.is_finite()).ok_or(CommandError::text(
        "ERR increment would produce NaN or Infinity",
    ))?;
    let mut text = Vec::new();
    sum.format(&mut text);
    cx.db
        .hash_or_create(key, Hash::default)
        .or_wrong_type()?
        .set(field, &text, limits);
    cx.effects.changed(key);
    cx.effects.notify(EventClass::HASH, "hincrbyfloat", key);
    // The sum depends on the machine's long double; a replica takes ours.
    cx.effects.propagate_as(&[b"HSET", key, field, &text]);
    cx.reply.bulk(text);
    Ok(())
}
