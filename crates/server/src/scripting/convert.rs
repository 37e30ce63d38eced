//! Replies as Lua values, and Lua values as replies.
//!
//! A script that did not call `redis.setresp(3)` sees RESP2: nil is `false`, maps are lists. The rules are those of the
//! Redis documentation's page on Lua data types.

use mlua::{Lua, Result, Table, Value};
use resp::Writer;
use store::float;

/// Reads one reply as a Lua value; an error becomes a table with `err`. Returns the value and how many bytes it took.
///
/// # Panics
/// If the bytes are not a whole reply: they were written by this node a moment ago.
pub(super) fn reply_to_lua(lua: &Lua, reply: &[u8]) -> Result<(Value, usize)> {
    let end = memchr::memchr(b'\n', reply).expect("a reply's first line ends") + 1;
    let line = &reply[1..end - 2];
    let count = || -> i64 { store::int::parse_i64(line).expect("a length is a number") };
    Ok(match reply[0] {
        b':' => (Value::Number(count() as f64), end),
        b'+' => (single(lua, "ok", line)?, end),
        b'-' => (single(lua, "err", line)?, end),
        b'$' if count() < 0 => (Value::Boolean(false), end),
        b'$' => {
            let until = end + count() as usize;
            (
                Value::String(lua.create_string(&reply[end..until])?),
                until + 2,
            )
        }
        b'*' if count() < 0 => (Value::Boolean(false), end),
        b'*' | b'>' => {
            let table = lua.create_table_with_capacity(count() as usize, 0)?;
            let mut at = end;
            for index in 1..=count() {
                let (value, bytes) = reply_to_lua(lua, &reply[at..])?;
                table.raw_set(index, value)?;
                at += bytes;
            }
            (Value::Table(table), at)
        }
        b'_' => (Value::Nil, end),
        b'#' => (Value::Boolean(line == b"t"), end),
        b',' => {
            let number = float::parse_double(line).expect("a double is a number");
            (single_value(lua, "double", Value::Number(number))?, end)
        }
        b'(' => (single(lua, "big_number", line)?, end),
        b'=' => {
            let until = end + count() as usize;
            let verbatim = lua.create_table()?;
            verbatim.raw_set("format", lua.create_string(&reply[end..end + 3])?)?;
            verbatim.raw_set("string", lua.create_string(&reply[end + 4..until])?)?;
            let value = single_value(lua, "verbatim_string", Value::Table(verbatim))?;
            (value, until + 2)
        }
        b'%' => {
            let map = lua.create_table()?;
            let mut at = end;
            for _ in 0..count() {
                let (key, bytes) = reply_to_lua(lua, &reply[at..])?;
                at += bytes;
                let (value, bytes) = reply_to_lua(lua, &reply[at..])?;
                at += bytes;
                map.raw_set(key, value)?;
            }
            (single_value(lua, "map", Value::Table(map))?, at)
        }
        b'~' => {
            let set = lua.create_table()?;
            let mut at = end;
            for _ in 0..count() {
                let (member, bytes) = reply_to_lua(lua, &reply[at..])?;
                at += bytes;
                set.raw_set(member, true)?;
            }
            (single_value(lua, "set", Value::Table(set))?, at)
        }
        // Attributes are not shown to scripts: what they belong to follows.
        b'|' => {
            let mut at = end;
            for _ in 0..count() * 2 {
                at += reply_to_lua(lua, &reply[at..])?.1;
            }
            let (value, bytes) = reply_to_lua(lua, &reply[at..])?;
            (value, at + bytes)
        }
        other => unreachable!("no reply begins with {other}"),
    })
}

fn single(lua: &Lua, field: &str, text: &[u8]) -> Result<Value> {
    single_value(lua, field, Value::String(lua.create_string(text)?))
}

fn single_value(lua: &Lua, field: &str, value: Value) -> Result<Value> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(field, value)?;
    Ok(Value::Table(table))
}

/// How deep a returned table may nest: more than anybody returns, and far less than the stack has room for.
const MAX_DEPTH: usize = 200;

/// Writes what a script returned. `script_resp3` is what the script chose with `redis.setresp`.
pub(super) fn lua_to_reply(
    value: &Value,
    reply: &mut Writer<'_>,
    script_resp3: bool,
) -> Result<()> {
    write_value(value, reply, script_resp3, 0)
}

fn write_value(
    value: &Value,
    reply: &mut Writer<'_>,
    script_resp3: bool,
    depth: usize,
) -> Result<()> {
    if depth > MAX_DEPTH {
        reply.error("ERR reached lua stack limit");
        return Ok(());
    }
    match value {
        Value::String(text) => reply.bulk(&*text.as_bytes()),
        Value::Integer(number) => reply.integer(*number),
        Value::Number(number) => reply.integer(truncated(*number)),
        Value::Boolean(value) if script_resp3 => reply.bool(*value),
        Value::Boolean(true) => reply.integer(1),
        Value::Table(table) => return write_table(table, reply, script_resp3, depth),
        _ => reply.null(),
    }
    Ok(())
}

/// A number as an integer; what does not fit is the smallest integer, as the processor converts it.
fn truncated(number: f64) -> i64 {
    /// 2^63, the first number beyond.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) {
        number as i64
    } else {
        i64::MIN
    }
}

fn write_table(
    table: &Table,
    reply: &mut Writer<'_>,
    script_resp3: bool,
    depth: usize,
) -> Result<()> {
    // One look decides for the common case: a plain list has none of the special fields.
    if let Value::String(text) = table.raw_get("err")? {
        reply.error(one_line(&text.as_bytes()));
        return Ok(());
    }
    if let Value::String(text) = table.raw_get("ok")? {
        reply.simple(one_line(&text.as_bytes()));
        return Ok(());
    }
    match table.raw_get("double")? {
        Value::Number(number) => return write_double(number, reply),
        Value::Integer(number) => return write_double(number as f64, reply),
        _ => {}
    }
    if let Value::Table(map) = table.raw_get("map")? {
        let mark = reply.deferred_map();
        let mut pairs = 0;
        for pair in map.pairs::<Value, Value>() {
            let (key, value) = pair?;
            write_value(&key, reply, script_resp3, depth + 1)?;
            write_value(&value, reply, script_resp3, depth + 1)?;
            pairs += 1;
        }
        reply.finish_map(mark, pairs);
        return Ok(());
    }
    if let Value::Table(set) = table.raw_get("set")? {
        let mark = reply.deferred_set();
        let mut members = 0;
        for pair in set.pairs::<Value, Value>() {
            let (member, _) = pair?;
            write_value(&member, reply, script_resp3, depth + 1)?;
            members += 1;
        }
        reply.finish_set(mark, members);
        return Ok(());
    }
    if let Value::String(number) = table.raw_get("big_number")? {
        reply.big_number(one_line(&number.as_bytes()));
        return Ok(());
    }
    if let Value::Table(verbatim) = table.raw_get("verbatim_string")?
        && let Value::String(text) = verbatim.raw_get("string")?
        && let Value::String(format) = verbatim.raw_get("format")?
    {
        let mut padded = [b' '; 3];
        for (to, from) in padded.iter_mut().zip(format.as_bytes().iter()) {
            *to = *from;
        }
        reply.verbatim(&padded, &*text.as_bytes());
        return Ok(());
    }
    let mark = reply.deferred_array();
    let mut count = 0;
    loop {
        let value: Value = table.raw_get(count + 1)?;
        if value.is_nil() {
            break;
        }
        write_value(&value, reply, script_resp3, depth + 1)?;
        count += 1;
    }
    reply.finish_array(mark, count);
    Ok(())
}

fn write_double(number: f64, reply: &mut Writer<'_>) -> Result<()> {
    let mut text = Vec::new();
    float::format_double(number, &mut text);
    reply.double_text(text);
    Ok(())
}

/// Status and error lines cannot contain line ends.
pub(super) fn one_line(text: &[u8]) -> Vec<u8> {
    let space = |&byte: &u8| match byte {
        b'\r' | b'\n' => b' ',
        byte => byte,
    };
    text.iter().map(space).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_the_range_become_the_smallest_integer() {
        assert_eq!(truncated(3.9), 3);
        assert_eq!(truncated(-3.9), -3);
        for number in [f64::NAN, f64::INFINITY, -f64::INFINITY, 1e19] {
            assert_eq!(truncated(number), i64::MIN);
        }
    }

    #[test]
    fn a_reply_makes_the_way_to_lua_and_back() {
        let lua = Lua::new();
        for (resp3, text) in [
            (false, "*3\r\n:1\r\n$1\r\na\r\n*1\r\n+OK\r\n"),
            (false, "-ERR x\r\n"),
            (false, "$-1\r\n"),
            (true, "%1\r\n$1\r\na\r\n,1.5\r\n"),
            (true, "~1\r\n$1\r\na\r\n"),
            (true, "#t\r\n"),
            (true, "=7\r\ntxt:abc\r\n"),
            (true, "(123\r\n"),
            (true, "_\r\n"),
        ] {
            let (value, taken) = reply_to_lua(&lua, text.as_bytes()).unwrap();
            assert_eq!(taken, text.len());
            let mut out = Vec::new();
            lua_to_reply(&value, &mut Writer::new(&mut out, resp3), resp3).unwrap();
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }

    #[test]
    fn a_table_in_itself_ends() {
        let lua = Lua::new();
        let table: Value = lua.load("local t = {} t[1] = t return t").eval().unwrap();
        let mut out = Vec::new();
        lua_to_reply(&table, &mut Writer::new(&mut out, false), false).unwrap();
        assert!(out.ends_with(b"-ERR reached lua stack limit\r\n"));
    }
}
