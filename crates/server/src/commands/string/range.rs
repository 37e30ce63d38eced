//! APPEND, STRLEN, GETRANGE, SUBSTR, SETRANGE: parts of a string.

use crate::commands::prelude::*;

pub(super) static APPEND: Command = Command {
    spec: CommandSpec {
        name: "append",
        group: Group::String,
        summary: "Appends to the string at a key.",
        since: "2.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 1)],
        args: &[Arg::key("key", 0), Arg::string("value")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(append)),
};

pub(super) static STRLEN: Command = Command {
    spec: CommandSpec {
        name: "strlen",
        group: Group::String,
        summary: "Returns the length of the string at a key.",
        since: "2.2.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(KeyFlags::RO, 1)],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(strlen)),
};

pub(super) static GETRANGE: Command = Command {
    spec: CommandSpec {
        name: "getrange",
        group: Group::String,
        summary: "Returns a part of the string at a key.",
        since: "2.4.0",
        complexity: "O(N)",
        arity: 4,
        flags: Flags::READONLY,
        categories: Categories::STRING,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("start"),
            Arg::integer("end"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(getrange)),
};

pub(super) static SUBSTR: Command = Command {
    spec: CommandSpec {
        name: "substr",
        group: Group::String,
        summary: "Returns a part of the string at a key.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: 4,
        flags: Flags::READONLY,
        categories: Categories::STRING,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("start"),
            Arg::integer("end"),
        ],
        deprecated: Some(("2.0.0", "`GETRANGE`")),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(getrange)),
};

pub(super) static SETRANGE: Command = Command {
    spec: CommandSpec {
        name: "setrange",
        group: Group::String,
        summary: "Overwrites a part of the string at a key.",
        since: "2.2.0",
        complexity: "O(1)",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::STRING,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("offset"),
            Arg::string("value"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(setrange)),
};

fn check_length(cx: &DataContext<'_>, len: usize, add: usize) -> CommandResult {
    match len.checked_add(add) {
        Some(total) if total <= cx.settings.proto_max_bulk_len => Ok(()),
        _ => Err(CommandError::text(
            "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
        )),
    }
}

fn append(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, suffix) = (cx.args[1], cx.args[2]);
    let old = cx
        .db
        .string(key)
        .or_wrong_type()?
        .map(|string| string.len());
    check_length(cx, old.unwrap_or(0), suffix.len())?;
    let len = if old.is_none() {
        cx.db.set_string(key, suffix, store::db::Expiry::Never);
        suffix.len()
    } else {
        let edit = |bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(suffix);
            bytes.len()
        };
        // What is appended changes nothing that is there.
        cx.db.edit_string(key, 0..0, edit).or_wrong_type()?
    };
    cx.effects.changed(key);
    cx.effects.notify(EventClass::STRING, "append", key);
    cx.reply.integer(len as i64);
    Ok(())
}

fn strlen(cx: &mut DataContext<'_>) -> CommandResult {
    let len = cx
        .db
        .string(cx.args[1])
        .or_wrong_type()?
        .map_or(0, |string| string.len());
    cx.reply.integer(len as i64);
    Ok(())
}

fn getrange(cx: &mut DataContext<'_>) -> CommandResult {
    let (start, end) = (parse_integer(cx.args[2])?, parse_integer(cx.args[3])?);
    let Some(string) = cx.db.string(cx.args[1]).or_wrong_type()? else {
        cx.reply.bulk("");
        return Ok(());
    };
    let bytes = string.bytes();
    cx.reply.bulk(&bytes[byte_range(start, end, bytes.len())]);
    Ok(())
}

/// The bytes between two inclusive positions, negative ones counted from the end.
fn byte_range(start: i64, end: i64, len: usize) -> std::ops::Range<usize> {
    let len = len as i64;
    if start < 0 && end < 0 && start > end {
        return 0..0;
    }
    let absolute = |position: i64| {
        if position < 0 {
            (len + position).max(0)
        } else {
            position
        }
    };
    let (start, end) = (absolute(start), absolute(end).min(len - 1));
    if len == 0 || start > end {
        0..0
    } else {
        start as usize..end as usize + 1
    }
}

fn setrange(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, value) = (cx.args[1], cx.args[3]);
    let offset = parse_integer(cx.args[2])?;
    let offset =
        usize::try_from(offset).map_err(|_| CommandError::text("ERR offset is out of range"))?;
    let old = cx
        .db
        .string(key)
        .or_wrong_type()?
        .map(|string| string.len());
    if value.is_empty() {
        cx.reply.integer(old.unwrap_or(0) as i64);
        return Ok(());
    }
    check_length(cx, offset, value.len())?;
    let end = offset + value.len();
    let edit = |bytes: &mut Vec<u8>| {
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[offset..end].copy_from_slice(value);
        bytes.len()
    };
    let len = cx.db.edit_string(key, offset..end, edit).or_wrong_type()?;
    cx.effects.changed(key);
    cx.effects.notify(EventClass::STRING, "setrange", key);
    cx.reply.integer(len as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::byte_range;

    #[test]
    fn ranges_are_inclusive_and_clamped() {
        assert_eq!(byte_range(0, -1, 5), 0..5);
        assert_eq!(byte_range(-3, -2, 5), 2..4);
        assert_eq!(byte_range(-100, 1, 5), 0..2);
        assert_eq!(byte_range(3, 100, 5), 3..5);
        for (start, end, len) in [(5, 10, 5), (-1, -5, 5), (0, -1, 0), (3, 2, 5)] {
            assert!(
                byte_range(start, end, len).is_empty(),
                "{start} {end} {len}"
            );
        }
    }
}
