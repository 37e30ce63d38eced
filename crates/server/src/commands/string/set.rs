//! SET and its older forms: SETNX, SETEX, PSETEX, GETSET, MSET, MSETNX.

use super::get::reply_string;
use crate::commands::prelude::*;
use crate::expire::{Unit, parse_expiry};
use front::UnixMillis;
use store::db::Expiry;

pub(super) static SET: Command = Command {
    spec: CommandSpec {
        name: "set",
        group: Group::String,
        summary: "Sets a key to a string, with conditions and an expiry if asked.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::STRING,
        keys: &[KeySpec::one(
            KeyFlags::RW
                .and(KeyFlags::ACCESS)
                .and(KeyFlags::UPDATE)
                .and(KeyFlags::VARIABLE_FLAGS),
            1,
        )],
        args: &[
            Arg::key("key", 0),
            Arg::string("value"),
            Arg::one_of("condition", &[Arg::flag("nx", "NX"), Arg::flag("xx", "XX")])
                .optional()
                .since("2.6.12"),
            Arg::flag("get", "GET").optional().since("6.2.0"),
            Arg::one_of(
                "expiration",
                &[
                    Arg::integer("seconds").token("EX").since("2.6.12"),
                    Arg::integer("milliseconds").token("PX").since("2.6.12"),
                    Arg::unix_time("unix-time-seconds")
                        .token("EXAT")
                        .since("6.2.0"),
                    Arg::unix_time("unix-time-milliseconds")
                        .token("PXAT")
                        .since("6.2.0"),
                    Arg::flag("keepttl", "KEEPTTL").since("6.0.0"),
                ],
            )
            .optional(),
        ],
        // With GET it also reads, which a write-only ACL rule forbids.
        keys_fn: Some(|args| {
            let reads = args
                .iter()
                .skip(3)
                .any(|word| word.eq_ignore_ascii_case(b"get"));
            let flags = match reads {
                true => KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
                false => KeyFlags::OW.and(KeyFlags::UPDATE),
            };
            (args.len() > 1).then(|| vec![(1, flags)])
        }),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(set)),
};

pub(super) static SETNX: Command = Command {
    spec: CommandSpec {
        name: "setnx",
        group: Group::String,
        summary: "Sets a key to a string if it does not exist.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(KeyFlags::OW.and(KeyFlags::INSERT), 1)],
        args: &[Arg::key("key", 0), Arg::string("value")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(setnx)),
};

pub(super) static SETEX: Command = Command {
    spec: CommandSpec {
        name: "setex",
        group: Group::String,
        summary: "Sets a key to a string that expires, in seconds.",
        since: "2.0.0",
        complexity: "O(1)",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::STRING,
        keys: &[KeySpec::one(KeyFlags::OW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("seconds"),
            Arg::string("value"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(setex)),
};

pub(super) static PSETEX: Command = Command {
    spec: CommandSpec {
        name: "psetex",
        group: Group::String,
        summary: "Sets a key to a string that expires, in milliseconds.",
        since: "2.6.0",
        complexity: "O(1)",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::STRING,
        keys: &[KeySpec::one(KeyFlags::OW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("milliseconds"),
            Arg::string("value"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(psetex)),
};

pub(super) static GETSET: Command = Command {
    spec: CommandSpec {
        name: "getset",
        group: Group::String,
        summary: "Sets a key to a string and returns the one before.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            1,
        )],
        args: &[Arg::key("key", 0), Arg::string("value")],
        deprecated: Some(("6.2.0", "`SET` with the `!GET` argument")),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(getset)),
};

pub(super) static MSET: Command = Command {
    spec: CommandSpec {
        name: "mset",
        group: Group::String,
        summary: "Sets several keys to strings.",
        since: "1.0.1",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::STRING,
        keys: &[KeySpec::range(KeyFlags::OW.and(KeyFlags::UPDATE), 1, -1, 2)],
        args: &[Arg::block("key_value", &[Arg::key("key", 0), Arg::string("value")]).multiple()],
        tips: &[
            "request_policy:multi_shard",
            "response_policy:all_succeeded",
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(mset)),
};

pub(super) static MSETNX: Command = Command {
    spec: CommandSpec {
        name: "msetnx",
        group: Group::String,
        summary: "Sets several keys to strings if none of them exists.",
        since: "1.0.1",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::STRING,
        keys: &[KeySpec::range(KeyFlags::OW.and(KeyFlags::INSERT), 1, -1, 2)],
        args: &[Arg::block("key_value", &[Arg::key("key", 0), Arg::string("value")]).multiple()],
        tips: &["request_policy:multi_shard", "response_policy:agg_min"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(msetnx)),
};

/// What the options of SET ask for.
#[derive(Default)]
struct Options<'a> {
    only_new: bool,
    only_existing: bool,
    get: bool,
    keep_ttl: bool,
    /// The unit and the word of EX, PX, EXAT or PXAT.
    expiry: Option<(Unit, &'a [u8])>,
}

fn parse_options<'a>(words: &[&'a [u8]]) -> Result<Options<'a>, CommandError> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let unit = Unit::of_option(word);
        if word.eq_ignore_ascii_case(b"NX") && !options.only_existing {
            options.only_new = true;
        } else if word.eq_ignore_ascii_case(b"XX") && !options.only_new {
            options.only_existing = true;
        } else if word.eq_ignore_ascii_case(b"GET") {
            options.get = true;
        } else if word.eq_ignore_ascii_case(b"KEEPTTL") && options.expiry.is_none() {
            options.keep_ttl = true;
        } else if let Some(unit) = unit
            && !options.keep_ttl
            // Said again it counts anew.
            && options.expiry.is_none_or(|(known, _)| known == unit)
            && let Some(value) = words.next()
        {
            options.expiry = Some((unit, value));
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok(options)
}

fn set(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, value) = (cx.args[1], cx.args[2]);
    if cx.args.len() == 3 {
        cx.db.set_string(key, value, Expiry::Never);
        cx.effects.changed(key);
        cx.effects.notify(EventClass::STRING, "set", key);
        cx.reply.ok();
        return Ok(());
    }
    let options = parse_options(&cx.args[3..])?;
    let expiry = match options.expiry {
        Some((unit, word)) => Some(parse_expiry(word, unit, cx.now, "set")?),
        None => None,
    };
    if options.get {
        cx.db.access.quiet = false;
        let old = cx.db.string(key).or_wrong_type()?;
        reply_string(&mut cx.reply, old);
    }
    let exists = (options.only_new || options.only_existing) && cx.db.peek(key).is_some();
    if (options.only_new && exists) || (options.only_existing && !exists) {
        if !options.get {
            cx.reply.null();
        }
        return Ok(());
    }
    store(cx, key, value, expiry, options.keep_ttl);
    // Replicas and the AOF need the time itself, and only that: the rest was decided here.
    if let Some(at) = expiry {
        cx.effects
            .propagate_as(&[b"SET", key, value, b"PXAT", &decimal(at)]);
    } else if options.get {
        let mut kept = cx.args.to_vec();
        let options = kept.split_off(3);
        kept.extend(
            options
                .iter()
                .filter(|word| !word.eq_ignore_ascii_case(b"GET")),
        );
        cx.effects.propagate_as(&kept);
    }
    if !options.get {
        cx.reply.ok();
    }
    Ok(())
}

/// Stores a string and notes it.
fn store(
    cx: &mut DataContext<'_>,
    key: &[u8],
    value: &[u8],
    expiry: Option<UnixMillis>,
    keep_ttl: bool,
) {
    let mode = match expiry {
        Some(at) => Expiry::At(at),
        None if keep_ttl => Expiry::Keep,
        None => Expiry::Never,
    };
    cx.db.set_string(key, value, mode);
    cx.effects.changed(key);
    cx.effects.notify(EventClass::STRING, "set", key);
    if expiry.is_some() {
        cx.effects.notify(EventClass::GENERIC, "expire", key);
    }
}

fn setnx(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, value) = (cx.args[1], cx.args[2]);
    let absent = cx.db.peek(key).is_none();
    if absent {
        store(cx, key, value, None, false);
    }
    cx.reply.integer(i64::from(absent));
    Ok(())
}

fn setex(cx: &mut DataContext<'_>) -> CommandResult {
    set_expiring(cx, Unit::Seconds, "setex")
}

fn psetex(cx: &mut DataContext<'_>) -> CommandResult {
    set_expiring(cx, Unit::Milliseconds, "psetex")
}

fn set_expiring(cx: &mut DataContext<'_>, unit: Unit, name: &str) -> CommandResult {
    let (key, value) = (cx.args[1], cx.args[3]);
    let at = parse_expiry(cx.args[2], unit, cx.now, name)?;
    store(cx, key, value, Some(at), false);
    cx.effects
        .propagate_as(&[b"SET", key, value, b"PXAT", &decimal(at)]);
    cx.reply.ok();
    Ok(())
}

fn getset(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, value) = (cx.args[1], cx.args[2]);
    cx.db.access.quiet = false;
    let old = cx.db.string(key).or_wrong_type()?;
    reply_string(&mut cx.reply, old);
    store(cx, key, value, None, false);
    cx.effects.propagate_as(&[b"SET", key, value]);
    Ok(())
}

fn mset(cx: &mut DataContext<'_>) -> CommandResult {
    set_pairs(cx, "mset")?;
    cx.reply.ok();
    Ok(())
}

fn msetnx(cx: &mut DataContext<'_>) -> CommandResult {
    check_pairs(cx, "msetnx")?;
    let args = cx.args;
    if args[1..]
        .iter()
        .step_by(2)
        .any(|key| cx.db.peek(key).is_some())
    {
        cx.reply.integer(0);
        return Ok(());
    }
    set_pairs(cx, "msetnx")?;
    cx.reply.integer(1);
    Ok(())
}

fn check_pairs(cx: &DataContext<'_>, name: &str) -> CommandResult {
    match cx.args.len().is_multiple_of(2) {
        true => Err(CommandError::WrongArity(name.into())),
        false => Ok(()),
    }
}

fn set_pairs(cx: &mut DataContext<'_>, name: &str) -> CommandResult {
    check_pairs(cx, name)?;
    for pair in cx.args[1..].chunks_exact(2) {
        store(cx, pair[0], pair[1], None, false);
    }
    Ok(())
}
