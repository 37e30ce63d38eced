//! DUMP and RESTORE: a value as bytes, in the form RDB files have it.

use crate::commands::prelude::*;
use store::db::{ExpiredEntries, KnownUse};
use store::entry::Entry;
use store::rdb::dump;

pub(super) static DUMP: Command = Command {
    spec: CommandSpec {
        name: "dump",
        group: Group::Generic,
        summary: "Returns the value of a key as bytes for RESTORE.",
        since: "2.6.0",
        complexity: "O(N), N being the size of the value",
        arity: 2,
        flags: Flags::READONLY,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(dump)),
};

pub(super) static RESTORE: Command = Command {
    spec: CommandSpec {
        name: "restore",
        group: Group::Generic,
        summary: "Creates a key from the bytes that DUMP returned.",
        ..RESTORE_SPEC
    },
    body: Body::Run(Handler::Server(restore)),
};

pub(in crate::commands) static RESTORE_ASKING: Command = Command {
    spec: CommandSpec {
        name: "restore-asking",
        group: Group::Server,
        summary: "Does what RESTORE does, for a cluster that moves keys.",
        since: "3.0.0",
        flags: RESTORE_SPEC.flags.and(Flags::ASKING),
        internal: true,
        ..RESTORE_SPEC
    },
    body: Body::Run(Handler::Server(restore)),
};

const RESTORE_SPEC: CommandSpec = CommandSpec {
    since: "2.6.0",
    complexity: "O(N), N being the size of the value; O(N*log(N)) for a sorted set",
    arity: -4,
    flags: Flags::WRITE.and(Flags::DENYOOM),
    categories: Categories::KEYSPACE.and(Categories::DANGEROUS),
    keys: &[KeySpec::one(KeyFlags::OW.and(KeyFlags::UPDATE), 1)],
    args: &[
        Arg::key("key", 0),
        Arg::integer("ttl"),
        Arg::string("serialized-value"),
        Arg::flag("replace", "REPLACE").optional().since("3.0.0"),
        Arg::flag("absttl", "ABSTTL").optional().since("5.0.0"),
        Arg::integer("seconds")
            .token("IDLETIME")
            .optional()
            .since("5.0.0"),
        Arg::integer("frequency")
            .token("FREQ")
            .optional()
            .since("5.0.0"),
    ],
    ..CommandSpec::BLANK
};

fn dump(cx: &mut DataContext<'_>) -> CommandResult {
    let compress = cx.settings.rdb_compression;
    match cx.db.get(cx.args[1]) {
        Some(value) => cx.reply.bulk(dump::dump(value, compress)),
        None => cx.reply.null(),
    }
    Ok(())
}

/// The options of RESTORE.
#[derive(Debug, Default, PartialEq)]
struct Options {
    replace: bool,
    absolute_ttl: bool,
    known_use: Option<KnownUse>,
}

impl Options {
    fn parse(words: &[&[u8]]) -> Result<Options, CommandError> {
        let mut options = Options::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word.eq_ignore_ascii_case(b"REPLACE") {
                options.replace = true;
            } else if word.eq_ignore_ascii_case(b"ABSTTL") {
                options.absolute_ttl = true;
            } else if word.eq_ignore_ascii_case(b"IDLETIME")
                && !matches!(options.known_use, Some(KnownUse::Freq(_)))
                && let Some(seconds) = words.next()
            {
                let seconds = u64::try_from(parse_integer(seconds)?)
                    .map_err(|_| CommandError::text("ERR Invalid IDLETIME value, must be >= 0"))?;
                options.known_use = Some(KnownUse::IdleSeconds(seconds));
            } else if word.eq_ignore_ascii_case(b"FREQ")
                && !matches!(options.known_use, Some(KnownUse::IdleSeconds(_)))
                && let Some(count) = words.next()
            {
                let count = u8::try_from(parse_integer(count)?).map_err(|_| {
                    CommandError::text("ERR Invalid FREQ value, must be >= 0 and <= 255")
                })?;
                options.known_use = Some(KnownUse::Freq(count));
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(options)
    }
}

fn restore(cx: &mut ServerContext<'_>) -> CommandResult {
    let (key, payload) = (cx.args[1], cx.args[3]);
    let options = Options::parse(&cx.args[4..])?;
    if !options.replace && cx.db().peek(key).is_some() {
        return Err(CommandError::BusyKey);
    }
    let ttl = parse_integer(cx.args[2])?;
    if ttl < 0 {
        return Err(CommandError::text("ERR Invalid TTL value, must be >= 0"));
    }
    let check = !cx.server.debug.skip_checksum_validation;
    let body = dump::intact(payload, check).ok_or(CommandError::text(
        "ERR DUMP payload version or checksum are wrong",
    ))?;
    let settings = cx.server.settings.load_settings(cx.server.access());
    let value = dump::restore(body, &settings).map_err(|error| {
        front::log_warning!(
            "RESTORE of a bad payload: at offset {}: {}",
            error.offset,
            error.kind
        );
        CommandError::text("ERR Bad data format")
    })?;
    let expiry = match ttl {
        0 => None,
        at if options.absolute_ttl => Some(at),
        // What leaves the range of time wraps into the past, as in Redis.
        relative => Some(relative.wrapping_add(cx.now)),
    };
    // Only who deletes expired entries may leave out what is already due.
    let due =
        expiry.is_some_and(|at| at <= cx.now) && settings.access.expired == ExpiredEntries::Delete;
    if due {
        if options.replace && cx.db().remove(key) {
            let effects = cx.effects();
            effects.deleted(key);
            effects.propagate_as(&[b"DEL", key]);
        }
        cx.reply.ok();
        return Ok(());
    }
    let entry = Entry::new(key, value, expiry);
    entry.set_access(settings.access.clock_of_new(options.known_use));
    cx.db().insert_entry(entry);
    let args = cx.args;
    let effects = cx.effects();
    effects.changed(key);
    effects.notify(EventClass::GENERIC, "restore", key);
    effects.ready(key);
    if let Some(at) = expiry
        && !options.absolute_ttl
    {
        let at = decimal(at);
        let mut command = args.to_vec();
        command[2] = &at;
        command.push(b"ABSTTL");
        effects.propagate_as(&command);
    }
    cx.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
        Options::parse(&words).map_err(|error| error.to_string())
    }

    #[test]
    fn options_come_in_any_order_and_the_last_of_a_kind_counts() {
        assert_eq!(
            parse("freq 3 ABSTTL Replace FREQ 255"),
            Ok(Options {
                replace: true,
                absolute_ttl: true,
                known_use: Some(KnownUse::Freq(255)),
            })
        );
        let idle = parse("IDLETIME 7 idletime 9").unwrap();
        assert_eq!(idle.known_use, Some(KnownUse::IdleSeconds(9)));
    }

    #[test]
    fn a_policy_has_either_idle_time_or_frequency() {
        let syntax = Err("ERR syntax error".to_string());
        assert_eq!(parse("IDLETIME 1 FREQ 1"), syntax);
        assert_eq!(parse("FREQ 1 IDLETIME 1"), syntax);
        assert_eq!(parse("FREQ"), syntax);
        assert_eq!(parse("nonsense"), syntax);
        let range = Err("ERR Invalid FREQ value, must be >= 0 and <= 255".to_string());
        assert_eq!(parse("FREQ 256"), range);
        assert_eq!(parse("FREQ -1"), range);
    }
}
