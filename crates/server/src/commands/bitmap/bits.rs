//! SETBIT, GETBIT, BITCOUNT, BITPOS, BITOP: strings as rows of bits.

use crate::commands::prelude::*;
use store::bits::{self, BitOp, Unit};
use store::db::Expiry;
use store::value::{StringValue, Value};

pub(super) static SETBIT: Command = Command {
    spec: CommandSpec {
        name: "setbit",
        group: Group::Bitmap,
        summary: "Sets or clears a bit and returns what it was.",
        since: "2.2.0",
        complexity: "O(1)",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::BITMAP,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            1,
        )],
        args: &[
            Arg::key("key", 0),
            Arg::integer("offset"),
            Arg::integer("value"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(setbit)),
};

pub(super) static GETBIT: Command = Command {
    spec: CommandSpec {
        name: "getbit",
        group: Group::Bitmap,
        summary: "Returns a bit.",
        since: "2.2.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::BITMAP,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0), Arg::integer("offset")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(getbit)),
};

pub(super) static BITCOUNT: Command = Command {
    spec: CommandSpec {
        name: "bitcount",
        group: Group::Bitmap,
        summary: "Counts the bits that are set.",
        since: "2.6.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::READONLY,
        categories: Categories::BITMAP,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::block(
                "index",
                &[
                    Arg::integer("start"),
                    Arg::integer("end"),
                    Arg::one_of(
                        "index_unit",
                        &[Arg::flag("byte", "BYTE"), Arg::flag("bit", "BIT")],
                    )
                    .optional()
                    .since("7.0.0"),
                ],
            )
            .optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(bitcount)),
};

pub(super) static BITPOS: Command = Command {
    spec: CommandSpec {
        name: "bitpos",
        group: Group::Bitmap,
        summary: "Returns the position of the first bit that is set, or clear.",
        since: "2.8.7",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::READONLY,
        categories: Categories::BITMAP,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("bit"),
            Arg::block(
                "index",
                &[
                    Arg::integer("start"),
                    Arg::block(
                        "end_index",
                        &[
                            Arg::integer("end"),
                            Arg::one_of(
                                "index_unit",
                                &[Arg::flag("byte", "BYTE"), Arg::flag("bit", "BIT")],
                            )
                            .optional()
                            .since("7.0.0"),
                        ],
                    )
                    .optional(),
                ],
            )
            .optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(bitpos)),
};

pub(super) static BITOP: Command = Command {
    spec: CommandSpec {
        name: "bitop",
        group: Group::Bitmap,
        summary: "Combines strings bit by bit and stores the result.",
        since: "2.6.0",
        complexity: "O(N)",
        arity: -4,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::BITMAP,
        keys: &[
            KeySpec::one(KeyFlags::OW.and(KeyFlags::UPDATE), 2),
            KeySpec::range(KeyFlags::RO.and(KeyFlags::ACCESS), 3, -1, 1),
        ],
        args: &[
            Arg::string("operation"),
            Arg::key("destkey", 0),
            Arg::key("key", 1).multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(bitop)),
};

/// A bit's position, within what a string may hold: `word` counts steps of `width` bits.
///
/// # Errors
/// Not a number, or too large.
pub(super) fn bit_offset(
    cx: &DataContext<'_>,
    word: &[u8],
    width: u64,
) -> Result<u64, CommandError> {
    let most = (cx.settings.proto_max_bulk_len as u64).saturating_mul(8);
    store::int::parse_i64(word)
        .and_then(|offset| u64::try_from(offset).ok()?.checked_mul(width))
        .filter(|&offset| offset < most)
        .ok_or(CommandError::text(
            "ERR bit offset is not an integer or out of range",
        ))
}

fn setbit(cx: &mut DataContext<'_>) -> CommandResult {
    let key = cx.args[1];
    let offset = bit_offset(cx, cx.args[2], 1)?;
    let bit = match cx.args[3] {
        b"0" => false,
        b"1" => true,
        _ => {
            return Err(CommandError::text(
                "ERR bit is not an integer or out of range",
            ));
        }
    };
    let byte = (offset / 8) as usize;
    let edit = |bytes: &mut Vec<u8>| {
        let needed = byte + 1;
        let grows = bytes.len() < needed;
        if grows {
            bytes.resize(needed, 0);
        }
        (grows, bits::set(bytes, offset, bit))
    };
    let (grew, before) = cx
        .db
        .edit_string(key, byte..byte + 1, edit)
        .or_wrong_type()?;
    if grew || before != bit {
        cx.effects.changed(key);
        cx.effects.notify(EventClass::STRING, "setbit", key);
    }
    cx.reply.integer(i64::from(before));
    Ok(())
}

fn getbit(cx: &mut DataContext<'_>) -> CommandResult {
    let offset = bit_offset(cx, cx.args[2], 1)?;
    let string = cx.db.string(cx.args[1]).or_wrong_type()?;
    let bit = string.is_some_and(|string| bits::get(&string.bytes(), offset));
    cx.reply.integer(i64::from(bit));
    Ok(())
}

fn parse_unit(word: &[u8]) -> Result<Unit, CommandError> {
    if word.eq_ignore_ascii_case(b"BIT") {
        Ok(Unit::Bit)
    } else if word.eq_ignore_ascii_case(b"BYTE") {
        Ok(Unit::Byte)
    } else {
        Err(CommandError::Syntax)
    }
}

fn bitcount(cx: &mut DataContext<'_>) -> CommandResult {
    let args = cx.args;
    let Some(string) = cx.db.string(args[1]).or_wrong_type()? else {
        cx.reply.integer(0);
        return Ok(());
    };
    let bytes = string.bytes();
    let count = match &args[2..] {
        [] => bits::count_ones(&bytes),
        [start, end, unit @ ..] if unit.len() <= 1 => {
            let (start, end) = (parse_integer(start)?, parse_integer(end)?);
            let unit = unit
                .first()
                .map_or(Ok(Unit::Byte), |word| parse_unit(word))?;
            bits::count_ones_in(&bytes, start, end, unit)
        }
        _ => return Err(CommandError::Syntax),
    };
    cx.reply.integer(count as i64);
    Ok(())
}

fn bitpos(cx: &mut DataContext<'_>) -> CommandResult {
    let args = cx.args;
    let bit = match parse_integer(args[2])? {
        0 => false,
        1 => true,
        _ => return Err(CommandError::text("ERR The bit argument must be 1 or 0.")),
    };
    let Some(string) = cx.db.string(args[1]).or_wrong_type()? else {
        // An absent key is an endless row of clear bits.
        cx.reply.integer(if bit { -1 } else { 0 });
        return Ok(());
    };
    let bytes = string.bytes();
    let (start, end, unit) = match &args[3..] {
        [] => (0, None, Unit::Byte),
        [start] => (parse_integer(start)?, None, Unit::Byte),
        [start, end] => (parse_integer(start)?, Some(parse_integer(end)?), Unit::Byte),
        [start, end, unit] => (
            parse_integer(start)?,
            Some(parse_integer(end)?),
            parse_unit(unit)?,
        ),
        _ => return Err(CommandError::Syntax),
    };
    cx.reply
        .integer(bits::position(&bytes, bit, start, end, unit));
    Ok(())
}

fn bitop(cx: &mut DataContext<'_>) -> CommandResult {
    let args = cx.args;
    let op = match args[1].to_ascii_uppercase().as_slice() {
        b"AND" => BitOp::And,
        b"OR" => BitOp::Or,
        b"XOR" => BitOp::Xor,
        b"NOT" => BitOp::Not,
        _ => return Err(CommandError::Syntax),
    };
    let (target, keys) = (args[2], &args[3..]);
    if op == BitOp::Not && keys.len() != 1 {
        return Err(CommandError::text(
            "ERR BITOP NOT must be called with a single source key.",
        ));
    }
    let mut sources: Vec<Vec<u8>> = Vec::with_capacity(keys.len());
    for key in keys {
        let string = cx.db.string(key).or_wrong_type()?;
        sources.push(string.map(|string| string.to_vec()).unwrap_or_default());
    }
    let slices: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
    let result = bits::combine(op, &slices);
    cx.reply.integer(result.len() as i64);
    if result.is_empty() {
        if cx.db.remove(target) {
            cx.effects.deleted(target);
        }
    } else {
        let value = StringValue::Bytes {
            bytes: result,
            raw: true,
        };
        cx.db.set(target, Value::String(value), Expiry::Never);
        cx.effects.changed(target);
        cx.effects.notify(EventClass::STRING, "set", target);
    }
    Ok(())
}
