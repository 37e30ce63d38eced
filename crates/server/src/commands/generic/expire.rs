//! EXPIRE and its kin, TTL and its kin, PERSIST.

use crate::commands::prelude::*;
use crate::expire::{Unit, absolute};
use store::entry::Entry;

pub(super) static EXPIRE: Command = Command {
    spec: CommandSpec {
        name: "expire",
        group: Group::Generic,
        summary: "Sets when a key expires, in seconds from now.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("seconds"),
            Arg::one_of(
                "condition",
                &[
                    Arg::flag("nx", "NX"),
                    Arg::flag("xx", "XX"),
                    Arg::flag("gt", "GT"),
                    Arg::flag("lt", "LT"),
                ],
            )
            .optional()
            .since("7.0.0"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(expire)),
};

pub(super) static PEXPIRE: Command = Command {
    spec: CommandSpec {
        name: "pexpire",
        group: Group::Generic,
        summary: "Sets when a key expires, in milliseconds from now.",
        since: "2.6.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("milliseconds"),
            Arg::one_of(
                "condition",
                &[
                    Arg::flag("nx", "NX"),
                    Arg::flag("xx", "XX"),
                    Arg::flag("gt", "GT"),
                    Arg::flag("lt", "LT"),
                ],
            )
            .optional()
            .since("7.0.0"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(pexpire)),
};

pub(super) static EXPIREAT: Command = Command {
    spec: CommandSpec {
        name: "expireat",
        group: Group::Generic,
        summary: "Sets when a key expires, in seconds since 1970.",
        since: "1.2.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::unix_time("unix-time-seconds"),
            Arg::one_of(
                "condition",
                &[
                    Arg::flag("nx", "NX"),
                    Arg::flag("xx", "XX"),
                    Arg::flag("gt", "GT"),
                    Arg::flag("lt", "LT"),
                ],
            )
            .optional()
            .since("7.0.0"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(expireat)),
};

pub(super) static PEXPIREAT: Command = Command {
    spec: CommandSpec {
        name: "pexpireat",
        group: Group::Generic,
        summary: "Sets when a key expires, in milliseconds since 1970.",
        since: "2.6.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::unix_time("unix-time-milliseconds"),
            Arg::one_of(
                "condition",
                &[
                    Arg::flag("nx", "NX"),
                    Arg::flag("xx", "XX"),
                    Arg::flag("gt", "GT"),
                    Arg::flag("lt", "LT"),
                ],
            )
            .optional()
            .since("7.0.0"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(pexpireat)),
};

pub(super) static TTL: Command = Command {
    spec: CommandSpec {
        name: "ttl",
        group: Group::Generic,
        summary: "Returns how long a key still lives, in seconds.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(ttl)),
};

pub(super) static PTTL: Command = Command {
    spec: CommandSpec {
        name: "pttl",
        group: Group::Generic,
        summary: "Returns how long a key still lives, in milliseconds.",
        since: "2.6.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(pttl)),
};

pub(super) static EXPIRETIME: Command = Command {
    spec: CommandSpec {
        name: "expiretime",
        group: Group::Generic,
        summary: "Returns when a key expires, in seconds since 1970.",
        since: "7.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(expiretime)),
};

pub(super) static PEXPIRETIME: Command = Command {
    spec: CommandSpec {
        name: "pexpiretime",
        group: Group::Generic,
        summary: "Returns when a key expires, in milliseconds since 1970.",
        since: "7.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(pexpiretime)),
};

pub(super) static PERSIST: Command = Command {
    spec: CommandSpec {
        name: "persist",
        group: Group::Generic,
        summary: "Removes the expiry of a key.",
        since: "2.2.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(persist)),
};

fn expire(cx: &mut DataContext<'_>) -> CommandResult {
    change_expiry(cx, Unit::Seconds, "expire")
}

fn pexpire(cx: &mut DataContext<'_>) -> CommandResult {
    change_expiry(cx, Unit::Milliseconds, "pexpire")
}

fn expireat(cx: &mut DataContext<'_>) -> CommandResult {
    change_expiry(cx, Unit::SecondsAt, "expireat")
}

fn pexpireat(cx: &mut DataContext<'_>) -> CommandResult {
    change_expiry(cx, Unit::MillisecondsAt, "pexpireat")
}

/// When EXPIRE applies.
#[derive(Default)]
struct Conditions {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

fn parse_conditions(words: &[&[u8]]) -> Result<Conditions, CommandError> {
    let mut conditions = Conditions::default();
    for word in words {
        match word.to_ascii_uppercase().as_slice() {
            b"NX" => conditions.nx = true,
            b"XX" => conditions.xx = true,
            b"GT" => conditions.gt = true,
            b"LT" => conditions.lt = true,
            _ => {
                return Err(CommandError::quoting(&[b"ERR Unsupported option ", word]));
            }
        }
    }
    if conditions.nx && (conditions.xx || conditions.gt || conditions.lt) {
        return Err(CommandError::text(
            "ERR NX and XX, GT or LT options at the same time are not compatible",
        ));
    }
    if conditions.gt && conditions.lt {
        return Err(CommandError::text(
            "ERR GT and LT options at the same time are not compatible",
        ));
    }
    Ok(conditions)
}

impl Conditions {
    /// Whether a key with this expiry gets the new one. No expiry counts as later than any.
    fn allow(&self, old: Option<i64>, new: i64) -> bool {
        !(self.nx && old.is_some()
            || self.xx && old.is_none()
            || self.gt && old.is_none_or(|old| new <= old)
            || self.lt && old.is_some_and(|old| new >= old))
    }
}

fn change_expiry(cx: &mut DataContext<'_>, unit: Unit, name: &str) -> CommandResult {
    let key = cx.args[1];
    let conditions = parse_conditions(&cx.args[3..])?;
    let number = parse_integer(cx.args[2])?;
    let at = absolute(number, unit, cx.now)
        .ok_or_else(|| CommandError::InvalidExpireTime(name.into()))?;
    let Some(old) = cx.db.expiry(key) else {
        cx.reply.integer(0);
        return Ok(());
    };
    if !conditions.allow(old, at) {
        cx.reply.integer(0);
        return Ok(());
    }
    if at <= cx.now && !cx.from_master {
        cx.db.remove(key);
        cx.effects.deleted(key);
        cx.effects.propagate_as(&[b"DEL", key]);
    } else {
        cx.db.set_expiry(key, Some(at));
        cx.effects.changed(key);
        cx.effects.notify(EventClass::GENERIC, "expire", key);
        // A relative time would expire later on a replica that hears of it later.
        cx.effects.propagate_as(&[b"PEXPIREAT", key, &decimal(at)]);
    }
    cx.reply.integer(1);
    Ok(())
}

fn ttl(cx: &mut DataContext<'_>) -> CommandResult {
    // Rounded to the nearest second, as clients have come to expect.
    reply_expiry(cx, |at, now| ((at - now).max(0) + 500) / 1000)
}

fn pttl(cx: &mut DataContext<'_>) -> CommandResult {
    reply_expiry(cx, |at, now| (at - now).max(0))
}

fn expiretime(cx: &mut DataContext<'_>) -> CommandResult {
    reply_expiry(cx, |at, _| (at + 500) / 1000)
}

fn pexpiretime(cx: &mut DataContext<'_>) -> CommandResult {
    reply_expiry(cx, |at, _| at)
}

/// -2 without the key, -1 without an expiry.
fn reply_expiry(cx: &mut DataContext<'_>, show: impl Fn(i64, i64) -> i64) -> CommandResult {
    let value = match cx.db.ask(cx.args[1]).map(Entry::expiry) {
        None => -2,
        Some(None) => -1,
        Some(Some(at)) => show(at, cx.now),
    };
    cx.reply.integer(value);
    Ok(())
}

fn persist(cx: &mut DataContext<'_>) -> CommandResult {
    let key = cx.args[1];
    let had = cx.db.expiry(key).flatten().is_some();
    if had {
        cx.db.set_expiry(key, None);
        cx.effects.changed(key);
        cx.effects.notify(EventClass::GENERIC, "persist", key);
    }
    cx.reply.integer(i64::from(had));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_without_expiry_lives_longer_than_any() {
        let gt = Conditions {
            gt: true,
            ..Conditions::default()
        };
        let lt = Conditions {
            lt: true,
            ..Conditions::default()
        };
        assert!(!gt.allow(None, 5) && gt.allow(Some(4), 5) && !gt.allow(Some(5), 5));
        assert!(lt.allow(None, 5) && lt.allow(Some(6), 5) && !lt.allow(Some(5), 5));
    }
}
