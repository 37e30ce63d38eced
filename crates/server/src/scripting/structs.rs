//! The library `struct`: numbers and strings as packed bytes, by a format such as `>I4s`.

use super::arguments::{bad, number, text};
use super::interpreter::{Checked, fine, wrong};
use mlua::{Lua, MultiValue, Result, Table, Value};

/// The library's functions.
pub(super) fn library(lua: &Lua) -> Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("pack", lua.create_function(pack)?)?;
    table.raw_set("unpack", lua.create_function(unpack)?)?;
    table.raw_set("size", lua.create_function(size)?)?;
    Ok(table)
}

/// The widest integer.
const MAX_INTEGER: usize = 32;
/// What `!` without a number aligns to.
const MAX_ALIGN: usize = 8;

/// One item of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Integer {
        bytes: usize,
        signed: bool,
    },
    Float,
    Double,
    /// Ends with a NUL.
    Text,
    /// Of a fixed length; 0 takes the whole string, or as many bytes as the number before it says.
    Chars(usize),
    Padding,
}

impl Item {
    fn bytes(self) -> usize {
        match self {
            Item::Integer { bytes, .. } => bytes,
            Item::Float => 4,
            Item::Double => 8,
            Item::Chars(count) => count,
            Item::Padding => 1,
            Item::Text => 0,
        }
    }
}

/// Reads a format item by item, keeping byte order and alignment.
struct Format<'a> {
    left: &'a [u8],
    big_endian: bool,
    align: usize,
}

impl Format<'_> {
    fn new(text: &[u8]) -> Format<'_> {
        Format {
            left: text,
            big_endian: cfg!(target_endian = "big"),
            align: 1,
        }
    }

    fn number(&mut self) -> std::result::Result<Option<usize>, String> {
        let digits = self
            .left
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (number, rest) = self.left.split_at(digits);
        self.left = rest;
        if digits == 0 {
            return Ok(None);
        }
        let text = std::str::from_utf8(number).expect("digits are ASCII");
        match text.parse::<i32>() {
            Ok(number) => Ok(Some(number as usize)),
            Err(_) => Err("integral size overflow".into()),
        }
    }

    fn integer(&mut self, default: usize, signed: bool) -> std::result::Result<Item, String> {
        let bytes = self.number()?.unwrap_or(default);
        if bytes > MAX_INTEGER {
            return Err(format!(
                "integral size {bytes} is larger than limit of {MAX_INTEGER}"
            ));
        }
        Ok(Item::Integer { bytes, signed })
    }

    /// The next item and how many bytes of padding go before it at `offset`; None at the end.
    fn next(
        &mut self,
        offset: usize,
        name: &str,
    ) -> std::result::Result<Option<(Item, usize)>, String> {
        while let Some((&code, rest)) = self.left.split_first() {
            self.left = rest;
            let item = match code {
                b'b' => Item::Integer {
                    bytes: 1,
                    signed: true,
                },
                b'B' => Item::Integer {
                    bytes: 1,
                    signed: false,
                },
                b'h' => Item::Integer {
                    bytes: 2,
                    signed: true,
                },
                b'H' => Item::Integer {
                    bytes: 2,
                    signed: false,
                },
                b'l' => Item::Integer {
                    bytes: 8,
                    signed: true,
                },
                b'L' | b'T' => Item::Integer {
                    bytes: 8,
                    signed: false,
                },
                b'i' => self.integer(4, true)?,
                b'I' => self.integer(4, false)?,
                b'f' => Item::Float,
                b'd' => Item::Double,
                b's' => Item::Text,
                b'x' => Item::Padding,
                b'c' => Item::Chars(self.number()?.unwrap_or(1)),
                b' ' => continue,
                b'<' => {
                    self.big_endian = false;
                    continue;
                }
                b'>' => {
                    self.big_endian = true;
                    continue;
                }
                b'!' => {
                    self.align = self.number()?.unwrap_or(MAX_ALIGN);
                    if !self.align.is_power_of_two() {
                        return Err(format!("alignment {} is not a power of 2", self.align));
                    }
                    continue;
                }
                // Measuring passes over what it does not know.
                _ if name == "size" => continue,
                other => {
                    let option = other as char;
                    return Err(bad(
                        0,
                        name,
                        format_args!("invalid format option '{option}'"),
                    ));
                }
            };
            let align = match item {
                Item::Chars(_) | Item::Text | Item::Padding => 1,
                item => item.bytes().min(self.align),
            };
            let padding = match align {
                0 | 1 => 0,
                align => (align - offset % align) % align,
            };
            return Ok(Some((item, padding)));
        }
        Ok(None)
    }

    fn ordered<const N: usize>(&self, mut bytes: [u8; N]) -> [u8; N] {
        if self.big_endian {
            bytes.reverse();
        }
        bytes
    }
}

fn pack(lua: &Lua, values: MultiValue) -> Checked {
    match packed(&values) {
        Ok(bytes) => fine([Value::String(lua.create_string(bytes)?)]),
        Err(text) => wrong(lua, &text),
    }
}

fn packed(values: &MultiValue) -> std::result::Result<Vec<u8>, String> {
    let text = self::text(values, 0, "pack")?;
    let mut format = Format::new(&text);
    let mut out = Vec::new();
    let mut index = 1;
    while let Some((item, padding)) = format.next(out.len(), "pack")? {
        out.resize(out.len() + padding, 0);
        match item {
            Item::Padding => {
                out.push(0);
                continue;
            }
            Item::Integer { bytes, .. } => {
                let number = number(values, index, "pack")?;
                let number = if number < 0.0 {
                    number as i64 as u64
                } else {
                    number as u64
                };
                let start = out.len();
                // Beyond 8 bytes the number is extended with zeros.
                out.extend(
                    (0..bytes).map(|at| number.checked_shr(8 * at as u32).unwrap_or(0) as u8),
                );
                if format.big_endian {
                    out[start..].reverse();
                }
            }
            Item::Float => {
                let number = number(values, index, "pack")? as f32;
                out.extend(format.ordered(number.to_le_bytes()));
            }
            Item::Double => {
                let number = number(values, index, "pack")?;
                out.extend(format.ordered(number.to_le_bytes()));
            }
            Item::Text | Item::Chars(_) => {
                let text = self::text(values, index, "pack")?;
                match item {
                    Item::Chars(0) => out.extend_from_slice(&text),
                    Item::Chars(count) => {
                        // One too many, as scripts have always been told.
                        let too_short = || bad(index + 1, "pack", "string too short");
                        let part = text.get(..count).ok_or_else(too_short)?;
                        out.extend_from_slice(part);
                    }
                    _ => {
                        out.extend_from_slice(&text);
                        out.push(0);
                    }
                }
            }
        }
        index += 1;
    }
    Ok(out)
}

fn unpack(lua: &Lua, values: MultiValue) -> Checked {
    match unpacked(lua, &values)? {
        Ok(values) => fine(values),
        Err(text) => wrong(lua, &text),
    }
}

fn unpacked(lua: &Lua, values: &MultiValue) -> Result<std::result::Result<Vec<Value>, String>> {
    let (text, data) = match text(values, 0, "unpack")
        .and_then(|format| Ok((format, text(values, 1, "unpack")?)))
    {
        Ok(both) => both,
        Err(text) => return Ok(Err(text)),
    };
    let mut at = match values.get(2) {
        None => 0,
        Some(_) => match number(values, 2, "unpack") {
            Ok(number) if number >= 1.0 => number as usize - 1,
            Ok(_) => return Ok(Err(bad(2, "unpack", "offset must be 1 or greater"))),
            Err(text) => return Ok(Err(text)),
        },
    };
    let mut format = Format::new(&text);
    let mut out: Vec<Value> = Vec::new();
    let too_short = || Ok(Err(bad(1, "unpack", "data string too short")));
    loop {
        let (item, padding) = match format.next(at, "unpack") {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err(text) => return Ok(Err(text)),
        };
        let Some(field) = at
            .checked_add(padding)
            .and_then(|start| Some((start, start.checked_add(item.bytes())?)))
            .and_then(|(start, end)| data.get(start..end))
        else {
            return too_short();
        };
        at += padding;
        match item {
            Item::Padding => {}
            Item::Integer { bytes, signed } => {
                let mut number = 0u64;
                for index in 0..bytes {
                    let byte = if format.big_endian {
                        field[index]
                    } else {
                        field[bytes - 1 - index]
                    };
                    number = number << 8 | u64::from(byte);
                }
                let number = match signed {
                    false => number as f64,
                    true if bytes < 8 && bytes > 0 => {
                        let unused = 64 - 8 * bytes as u32;
                        ((number << unused) as i64 >> unused) as f64
                    }
                    true => number as i64 as f64,
                };
                out.push(Value::Number(number));
            }
            Item::Float => {
                let bytes = format.ordered(field.try_into().expect("4 bytes"));
                out.push(Value::Number(f64::from(f32::from_le_bytes(bytes))));
            }
            Item::Double => {
                let bytes = format.ordered(field.try_into().expect("8 bytes"));
                out.push(Value::Number(f64::from_le_bytes(bytes)));
            }
            Item::Chars(count) => {
                let count = match (count, out.last()) {
                    (0, Some(Value::Number(number))) => {
                        let count = *number;
                        out.pop();
                        // Negative numbers and those beyond the data find no such range below.
                        if count < 0.0 {
                            usize::MAX
                        } else {
                            count as usize
                        }
                    }
                    (0, _) => return Ok(Err("format 'c0' needs a previous size".into())),
                    (count, _) => count,
                };
                let Some(field) = at.checked_add(count).and_then(|end| data.get(at..end)) else {
                    return too_short();
                };
                out.push(Value::String(lua.create_string(field)?));
                at += count;
                continue;
            }
            Item::Text => {
                let Some(length) = memchr::memchr(0, &data[at..]) else {
                    return Ok(Err("unfinished string in data".into()));
                };
                out.push(Value::String(lua.create_string(&data[at..at + length])?));
                at += length + 1;
                continue;
            }
        }
        at += item.bytes();
    }
    out.push(Value::Number((at + 1) as f64));
    Ok(Ok(out))
}

fn size(lua: &Lua, values: MultiValue) -> Checked {
    let measured = text(&values, 0, "size").and_then(|text| {
        let mut format = Format::new(&text);
        let mut total = 0usize;
        while let Some((item, padding)) = format.next(total, "size")? {
            let bytes = match item {
                Item::Text => return Err(bad(0, "size", "option 's' has no fixed size")),
                Item::Chars(0) => return Err(bad(0, "size", "option 'c0' has no fixed size")),
                item => item.bytes(),
            };
            total = total
                .checked_add(padding + bytes)
                .ok_or("format too large")?;
        }
        Ok(total)
    });
    match measured {
        Ok(total) => fine([Value::Number(total as f64)]),
        Err(text) => wrong(lua, &text),
    }
}
