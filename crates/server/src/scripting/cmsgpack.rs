//! The library `cmsgpack`: Lua values as MessagePack (<https://github.com/msgpack/msgpack/blob/master/spec.md>).

use super::arguments::{self, text};
use super::interpreter::{Checked, fine, wrong};
use mlua::{Lua, MultiValue, Result, Table, Value};

/// Tables nested deeper than this are written as nil.
const MAX_DEPTH: usize = 16;

/// The library's functions.
pub(super) fn library(lua: &Lua) -> Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("pack", lua.create_function(pack)?)?;
    table.raw_set("unpack", lua.create_function(unpack)?)?;
    table.raw_set("unpack_one", lua.create_function(unpack_one)?)?;
    table.raw_set("unpack_limit", lua.create_function(unpack_limit)?)?;
    table.raw_set("_NAME", "cmsgpack")?;
    table.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    table.raw_set("_COPYRIGHT", "platform-kv")?;
    table.raw_set("_DESCRIPTION", "MessagePack for Lua")?;
    Ok(table)
}

fn pack(lua: &Lua, values: MultiValue) -> Checked {
    if values.is_empty() {
        return wrong(
            lua,
            "bad argument #0 to 'pack' (MessagePack pack needs input.)",
        );
    }
    let mut out = Vec::new();
    for value in &values {
        write(value, &mut out, 0)?;
    }
    fine([Value::String(lua.create_string(out)?)])
}

fn write(value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<()> {
    match value {
        Value::String(text) => write_bytes(&text.as_bytes(), out),
        Value::Boolean(value) => out.push(if *value { 0xc3 } else { 0xc2 }),
        Value::Integer(number) => write_integer(*number, out),
        Value::Number(number) => write_number(*number, out),
        Value::Table(table) if depth < MAX_DEPTH => return write_table(table, out, depth),
        _ => out.push(0xc0),
    }
    Ok(())
}

fn write_number(number: f64, out: &mut Vec<u8>) {
    /// 2^63, the first number beyond.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if number.trunc() == number && (-LIMIT..LIMIT).contains(&number) {
        write_integer(number as i64, out);
    } else if f64::from(number as f32) == number {
        out.push(0xca);
        out.extend((number as f32).to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend(number.to_be_bytes());
    }
}

fn write_integer(number: i64, out: &mut Vec<u8>) {
    match number {
        0..=0x7f => out.push(number as u8),
        0x80..=0xff => out.extend([0xcc, number as u8]),
        0x100..=0xffff => {
            out.push(0xcd);
            out.extend((number as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(0xce);
            out.extend((number as u32).to_be_bytes());
        }
        0x1_0000_0000.. => {
            out.push(0xcf);
            out.extend((number as u64).to_be_bytes());
        }
        -32..=-1 => out.push(number as u8),
        -128..=-33 => out.extend([0xd0, number as u8]),
        -0x8000..=-129 => {
            out.push(0xd1);
            out.extend((number as i16).to_be_bytes());
        }
        -0x8000_0000..=-0x8001 => {
            out.push(0xd2);
            out.extend((number as i32).to_be_bytes());
        }
        _ => {
            out.push(0xd3);
            out.extend(number.to_be_bytes());
        }
    }
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    match bytes.len() {
        length @ 0..=31 => out.push(0xa0 | length as u8),
        length @ 32..=0xff => out.extend([0xd9, length as u8]),
        length @ 0x100..=0xffff => {
            out.push(0xda);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(0xdb);
            out.extend((length as u32).to_be_bytes());
        }
    }
    out.extend_from_slice(bytes);
}

/// The head of a list or map: short form, 16 bits, 32 bits.
fn write_count(count: usize, codes: (u8, u8, u8), out: &mut Vec<u8>) {
    match count {
        0..=15 => out.push(codes.0 | count as u8),
        16..=0xffff => {
            out.push(codes.1);
            out.extend((count as u16).to_be_bytes());
        }
        _ => {
            out.push(codes.2);
            out.extend((count as u32).to_be_bytes());
        }
    }
}

/// A table is a list if its keys are the numbers from 1 on, without a gap.
fn write_table(table: &Table, out: &mut Vec<u8>, depth: usize) -> Result<()> {
    let (mut pairs, mut max, mut list) = (0usize, 0usize, true);
    for pair in table.pairs::<Value, Value>() {
        let (key, _) = pair?;
        pairs += 1;
        match key {
            Value::Integer(index) if index > 0 => max = max.max(index as usize),
            _ => list = false,
        }
    }
    if list && max == pairs {
        write_count(pairs, (0x90, 0xdc, 0xdd), out);
        for index in 1..=pairs {
            write(&table.raw_get(index)?, out, depth + 1)?;
        }
        return Ok(());
    }
    write_count(pairs, (0x80, 0xde, 0xdf), out);
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        write(&key, out, depth + 1)?;
        write(&value, out, depth + 1)?;
    }
    Ok(())
}

/// Why bytes could not be read.
enum Unreadable {
    Truncated,
    Bad,
}

struct Reader<'a> {
    lua: &'a Lua,
    left: &'a [u8],
}

/// Nesting of hostile input: every level takes stack.
const MAX_READ_DEPTH: usize = 200;

impl Reader<'_> {
    fn take(&mut self, count: usize) -> std::result::Result<&[u8], Unreadable> {
        let (taken, left) = self
            .left
            .split_at_checked(count)
            .ok_or(Unreadable::Truncated)?;
        self.left = left;
        Ok(taken)
    }

    fn unsigned(&mut self, bytes: usize) -> std::result::Result<u64, Unreadable> {
        let taken = self.take(bytes)?;
        Ok(taken
            .iter()
            .fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn signed(&mut self, bytes: usize) -> std::result::Result<f64, Unreadable> {
        let unused = 64 - 8 * bytes as u32;
        Ok(((self.unsigned(bytes)? << unused) as i64 >> unused) as f64)
    }

    fn text(&mut self, length: u64) -> Result<std::result::Result<Value, Unreadable>> {
        let lua = self.lua.clone();
        match self.take(length as usize) {
            Ok(bytes) => Ok(Ok(Value::String(lua.create_string(bytes)?))),
            Err(error) => Ok(Err(error)),
        }
    }

    fn list(&mut self, count: u64, depth: usize) -> Result<std::result::Result<Value, Unreadable>> {
        let table = self.lua.create_table()?;
        for index in 1..=count {
            match self.value(depth + 1)? {
                Ok(value) => table.raw_set(index, value)?,
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(Value::Table(table)))
    }

    fn map(&mut self, count: u64, depth: usize) -> Result<std::result::Result<Value, Unreadable>> {
        let table = self.lua.create_table()?;
        for _ in 0..count {
            let key = match self.value(depth + 1)? {
                Ok(key) => key,
                Err(error) => return Ok(Err(error)),
            };
            let value = match self.value(depth + 1)? {
                Ok(value) => value,
                Err(error) => return Ok(Err(error)),
            };
            // Lua has no such keys.
            let unusable =
                matches!(key, Value::Nil) || matches!(key, Value::Number(n) if n.is_nan());
            if unusable {
                return Ok(Err(Unreadable::Bad));
            }
            table.raw_set(key, value)?;
        }
        Ok(Ok(Value::Table(table)))
    }

    fn value(&mut self, depth: usize) -> Result<std::result::Result<Value, Unreadable>> {
        if depth > MAX_READ_DEPTH {
            return Ok(Err(Unreadable::Bad));
        }
        let code = match self.unsigned(1) {
            Ok(code) => code as u8,
            Err(error) => return Ok(Err(error)),
        };
        /// A length or count of so many bytes, then what it is of.
        macro_rules! sized {
            ($bytes:expr, $read:ident $(, $depth:expr)?) => {
                match self.unsigned($bytes) {
                    Ok(count) => self.$read(count $(, $depth)?),
                    Err(error) => Ok(Err(error)),
                }
            };
        }
        let number = match code {
            0x00..=0x7f => Ok(f64::from(code)),
            0xe0..=0xff => Ok(f64::from(code as i8)),
            0xca => self
                .unsigned(4)
                .map(|bits| f64::from(f32::from_bits(bits as u32))),
            0xcb => self.unsigned(8).map(f64::from_bits),
            0xcc => self.unsigned(1).map(|number| number as f64),
            0xcd => self.unsigned(2).map(|number| number as f64),
            0xce => self.unsigned(4).map(|number| number as f64),
            0xcf => self.unsigned(8).map(|number| number as f64),
            0xd0 => self.signed(1),
            0xd1 => self.signed(2),
            0xd2 => self.signed(4),
            0xd3 => self.signed(8),
            0xc0 => return Ok(Ok(Value::Nil)),
            0xc2 => return Ok(Ok(Value::Boolean(false))),
            0xc3 => return Ok(Ok(Value::Boolean(true))),
            0x80..=0x8f => return self.map(u64::from(code & 15), depth),
            0x90..=0x9f => return self.list(u64::from(code & 15), depth),
            0xa0..=0xbf => return self.text(u64::from(code & 31)),
            0xc4 | 0xd9 => return sized!(1, text),
            0xc5 | 0xda => return sized!(2, text),
            0xc6 | 0xdb => return sized!(4, text),
            0xdc => return sized!(2, list, depth),
            0xdd => return sized!(4, list, depth),
            0xde => return sized!(2, map, depth),
            0xdf => return sized!(4, map, depth),
            _ => Err(Unreadable::Bad),
        };
        Ok(number.map(Value::Number))
    }
}

fn unpack(lua: &Lua, values: MultiValue) -> Checked {
    read(lua, &values, None, 0, "unpack")
}

fn unpack_one(lua: &Lua, values: MultiValue) -> Checked {
    match integer(&values, 1, "unpack_one") {
        Ok(offset) => read(lua, &values, Some(1), offset.unwrap_or(0), "unpack_one"),
        Err(text) => wrong(lua, &text),
    }
}

fn unpack_limit(lua: &Lua, values: MultiValue) -> Checked {
    const NAME: &str = "unpack_limit";
    let limit = arguments::number(&values, 1, NAME);
    match limit.and_then(|limit| Ok((limit, integer(&values, 2, NAME)?))) {
        Ok((limit, offset)) => read(lua, &values, Some(limit as i64), offset.unwrap_or(0), NAME),
        Err(text) => wrong(lua, &text),
    }
}

fn integer(
    values: &MultiValue,
    index: usize,
    name: &str,
) -> std::result::Result<Option<i64>, String> {
    match values.get(index) {
        None | Some(Value::Nil) => Ok(None),
        Some(_) => arguments::number(values, index, name).map(|number| Some(number as i64)),
    }
}

/// Reads values: all of them, or up to `limit` from `offset` on, and then says first where the next one begins (-1 at
/// the end).
fn read(lua: &Lua, values: &MultiValue, limit: Option<i64>, offset: i64, name: &str) -> Checked {
    let bytes = match text(values, 0, name) {
        Ok(bytes) => bytes,
        Err(text) => return wrong(lua, &text),
    };
    if offset < 0 || limit.is_some_and(|limit| limit < 0) {
        let limit = limit.unwrap_or(0);
        return wrong(
            lua,
            &format!("Invalid request to unpack with offset of {offset} and limit of {limit}."),
        );
    }
    let Some(left) = bytes.get(offset as usize..) else {
        return wrong(
            lua,
            &format!(
                "Start offset {offset} greater than input length {}.",
                bytes.len()
            ),
        );
    };
    let mut reader = Reader { lua, left };
    let mut found = Vec::new();
    let most = match limit {
        None | Some(0) => usize::MAX,
        Some(limit) => limit as usize,
    };
    while !reader.left.is_empty() && found.len() < most {
        match reader.value(0)? {
            Ok(value) => found.push(value),
            Err(Unreadable::Truncated) => return wrong(lua, "Missing bytes in input."),
            Err(Unreadable::Bad) => return wrong(lua, "Bad data format in input."),
        }
    }
    if limit.is_some() {
        let next = match reader.left.len() {
            0 => -1.0,
            left => (bytes.len() - left) as f64,
        };
        found.insert(0, Value::Number(next));
    }
    fine(found)
}
