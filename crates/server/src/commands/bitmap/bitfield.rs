//! BITFIELD and BITFIELD_RO: integers of any width inside a string.

use super::bits::bit_offset;
use crate::commands::prelude::*;
use store::bits::{Field, Overflow};

pub(super) static BITFIELD: Command = Command {
    spec: CommandSpec {
        name: "bitfield",
        group: Group::Bitmap,
        summary: "Reads and changes integers of any width inside a string.",
        since: "3.2.0",
        complexity: "O(1)",
        arity: -2,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::BITMAP,
        keys: &[KeySpec::one(
            KeyFlags::RW
                .and(KeyFlags::ACCESS)
                .and(KeyFlags::UPDATE)
                .and(KeyFlags::VARIABLE_FLAGS),
            1,
        )],
        args: &[
            Arg::key("key", 0),
            Arg::one_of(
                "operation",
                &[
                    Arg::block(
                        "encoding_offset",
                        &[Arg::string("encoding"), Arg::integer("offset")],
                    )
                    .token("GET"),
                    Arg::block(
                        "write",
                        &[
                            Arg::one_of(
                                "wrap_sat_fail",
                                &[
                                    Arg::flag("wrap", "WRAP"),
                                    Arg::flag("sat", "SAT"),
                                    Arg::flag("fail", "FAIL"),
                                ],
                            )
                            .token("OVERFLOW")
                            .optional(),
                            Arg::one_of(
                                "write_operation",
                                &[
                                    Arg::block(
                                        "encoding_offset_value",
                                        &[
                                            Arg::string("encoding"),
                                            Arg::integer("offset"),
                                            Arg::integer("value"),
                                        ],
                                    )
                                    .token("SET"),
                                    Arg::block(
                                        "encoding_offset_increment",
                                        &[
                                            Arg::string("encoding"),
                                            Arg::integer("offset"),
                                            Arg::integer("increment"),
                                        ],
                                    )
                                    .token("INCRBY"),
                                ],
                            ),
                        ],
                    ),
                ],
            )
            .optional()
            .multiple(),
        ],
        keys_fn: Some(keys),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(bitfield)),
};

pub(super) static BITFIELD_RO: Command = Command {
    spec: CommandSpec {
        name: "bitfield_ro",
        group: Group::Bitmap,
        summary: "Reads integers of any width inside a string.",
        since: "6.0.0",
        complexity: "O(1)",
        arity: -2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::BITMAP,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::block(
                "encoding_offset",
                &[Arg::string("encoding"), Arg::integer("offset")],
            )
            .token("GET")
            .optional()
            .multiple()
            .multiple_token(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(bitfield_ro)),
};

/// Whether a request writes is seen in its words alone.
fn keys(args: &[&[u8]]) -> Option<Vec<(usize, KeyFlags)>> {
    let mut words = &args[2..];
    while let [word, rest @ ..] = words {
        let skipped = match word.to_ascii_uppercase().as_slice() {
            b"GET" if rest.len() >= 2 => 2,
            b"OVERFLOW" if !rest.is_empty() => 1,
            // A write, or an error.
            _ => {
                return Some(vec![(
                    1,
                    KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
                )]);
            }
        };
        words = &rest[skipped..];
    }
    Some(vec![(1, KeyFlags::RO.and(KeyFlags::ACCESS))])
}

/// One thing to do with one field.
struct Step {
    field: Field,
    offset: u64,
    action: Action,
}

enum Action {
    Get,
    Set(i64, Overflow),
    IncrBy(i64, Overflow),
}

impl Step {
    fn writes(&self) -> bool {
        !matches!(self.action, Action::Get)
    }

    /// Does it, and returns what to reply.
    fn perform(&self, bytes: &mut [u8]) -> Option<i64> {
        let old = self.field.get(bytes, self.offset);
        match self.action {
            Action::Get => Some(old),
            Action::Set(value, overflow) => {
                let new = self.field.fit(value, 0, overflow)?;
                self.field.put(bytes, self.offset, new);
                Some(old)
            }
            Action::IncrBy(increment, overflow) => {
                let new = self.field.fit(old, increment, overflow)?;
                self.field.put(bytes, self.offset, new);
                Some(new)
            }
        }
    }
}

fn parse_steps(cx: &DataContext<'_>) -> Result<Vec<Step>, CommandError> {
    let mut words = &cx.args[2..];
    let mut overflow = Overflow::Wrap;
    let mut steps = Vec::new();
    while let [name, rest @ ..] = words {
        let name = name.to_ascii_uppercase();
        let taken = match (name.as_slice(), rest) {
            (b"OVERFLOW", [kind, ..]) => {
                overflow = match kind.to_ascii_uppercase().as_slice() {
                    b"WRAP" => Overflow::Wrap,
                    b"SAT" => Overflow::Sat,
                    b"FAIL" => Overflow::Fail,
                    _ => {
                        return Err(CommandError::text("ERR Invalid OVERFLOW type specified"));
                    }
                };
                1
            }
            (b"GET", [field, offset, ..]) => {
                let (field, offset) = parse_place(cx, field, offset)?;
                steps.push(Step {
                    field,
                    offset,
                    action: Action::Get,
                });
                2
            }
            (b"SET" | b"INCRBY", [field, offset, number, ..]) => {
                let (field, offset) = parse_place(cx, field, offset)?;
                let number = parse_integer(number)?;
                let action = match name.as_slice() {
                    b"SET" => Action::Set(number, overflow),
                    _ => Action::IncrBy(number, overflow),
                };
                steps.push(Step {
                    field,
                    offset,
                    action,
                });
                3
            }
            _ => return Err(CommandError::Syntax),
        };
        words = &rest[taken..];
    }
    Ok(steps)
}

/// A field's type and where it begins; `#2` is behind two fields of that type.
fn parse_place(
    cx: &DataContext<'_>,
    field: &[u8],
    offset: &[u8],
) -> Result<(Field, u64), CommandError> {
    let field = Field::parse(field).ok_or(CommandError::text(
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
    ))?;
    let offset = match offset {
        [b'#', index @ ..] => bit_offset(cx, index, u64::from(field.width()))?,
        offset => bit_offset(cx, offset, 1)?,
    };
    Ok((field, offset))
}

fn bitfield(cx: &mut DataContext<'_>) -> CommandResult {
    let steps = parse_steps(cx)?;
    match steps.iter().any(Step::writes) {
        true => write(cx, &steps),
        false => read(cx, &steps),
    }
}

fn bitfield_ro(cx: &mut DataContext<'_>) -> CommandResult {
    let steps = parse_steps(cx)?;
    if steps.iter().any(Step::writes) {
        return Err(CommandError::text(
            "ERR BITFIELD_RO only supports the GET subcommand",
        ));
    }
    read(cx, &steps)
}

fn read(cx: &mut DataContext<'_>, steps: &[Step]) -> CommandResult {
    // A request without writes is a lookup like any other, whatever else the command can do.
    cx.db.access.quiet = false;
    let string = cx.db.string(cx.args[1]).or_wrong_type()?;
    let bytes = string
        .map(store::value::StringRef::bytes)
        .unwrap_or_default();
    cx.reply.array(steps.len());
    for step in steps {
        cx.reply.integer(step.field.get(&bytes, step.offset));
    }
    Ok(())
}

fn write(cx: &mut DataContext<'_>, steps: &[Step]) -> CommandResult {
    let key = cx.args[1];
    let written = || steps.iter().filter(|step| step.writes());
    let first = written().map(|step| step.offset / 8).min().unwrap_or(0) as usize;
    let needed = written()
        .map(|step| step.field.bytes_needed(step.offset))
        .max()
        .unwrap_or(0) as usize;
    let mut changes = 0;
    let edit = |bytes: &mut Vec<u8>| {
        let grows = bytes.len() < needed;
        if grows {
            bytes.resize(needed, 0);
        }
        let results: Vec<Option<i64>> = steps
            .iter()
            .map(|step| {
                let before = step.field.get(bytes, step.offset);
                let result = step.perform(bytes);
                let changed = grows || before != step.field.get(bytes, step.offset);
                changes += u64::from(step.writes() && result.is_some() && changed);
                result
            })
            .collect();
        (results, grows)
    };
    let (results, grew) = cx
        .db
        .edit_string(key, first..needed, edit)
        .or_wrong_type()?;
    cx.reply.array(results.len());
    for result in results {
        match result {
            Some(number) => cx.reply.integer(number),
            None => cx.reply.null(),
        }
    }
    if changes > 0 {
        cx.effects.changed_by(key, changes);
        cx.effects.notify(EventClass::STRING, "setbit", key);
    } else if grew {
        // Every number overflowed, but the string is longer: a replica must hear of it.
        cx.effects.changed(key);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_read_make_a_reader() {
        let flags = |text: &str| {
            let words: Vec<&[u8]> = text.split(' ').map(str::as_bytes).collect();
            keys(&words).expect("always found")[0].1
        };
        assert!(flags("bitfield k").has(KeyFlags::RO));
        assert!(flags("bitfield k get u8 0 overflow set get set 0").has(KeyFlags::RO));
        assert!(flags("bitfield k get u8 0 incrby u8 0 1").has(KeyFlags::RW));
        assert!(flags("bitfield k get u8").has(KeyFlags::RW));
    }
}
