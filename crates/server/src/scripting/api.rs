//! What `redis.*` does. Functions answer with a value, or with nil and an error table that `sandbox.lua` raises.

use super::current;
use super::interpreter::Purpose;
use super::random::Rand48;
use super::run::{audience_of_flags, sha1_hex};
use crate::start::REDIS_VERSION;
use mlua::{Lua, MultiValue, Result, Table, Value};
use store::float;

/// A value, or nil and an error table.
type Answer = (Value, Value);

fn failure(lua: &Lua, text: impl AsRef<[u8]>) -> Result<Answer> {
    let table = lua.create_table_with_capacity(0, 2)?;
    table.raw_set("err", lua.create_string(text)?)?;
    Ok((Value::Nil, Value::Table(table)))
}

fn answer(value: impl mlua::IntoLua, lua: &Lua) -> Result<Answer> {
    Ok((value.into_lua(lua)?, Value::Nil))
}

const WRONG_COUNT: &str = "ERR wrong number of arguments";
const BAD_COMMAND_ARGUMENT: &str =
    "ERR Lua redis lib command arguments must be strings or integers";
const NO_COMMAND: &str = "ERR Please specify at least one argument for this redis lib call";

/// Puts the node's functions into `node`, for `sandbox.lua`.
pub(super) fn register(lua: &Lua, node: &Table, purpose: Purpose) -> Result<()> {
    node.raw_set("command", lua.create_function(command)?)?;
    node.raw_set("sha1hex", lua.create_function(sha1hex)?)?;
    node.raw_set("log", lua.create_function(log)?)?;
    node.raw_set("setresp", lua.create_function(setresp)?)?;
    node.raw_set("set_repl", lua.create_function(set_repl)?)?;
    node.raw_set("acl_check_cmd", lua.create_function(acl_check_cmd)?)?;
    node.raw_set("error_reply", lua.create_function(error_reply)?)?;
    node.raw_set("status_reply", lua.create_function(status_reply)?)?;
    node.raw_set("random", lua.create_function(random)?)?;
    node.raw_set("randomseed", lua.create_function(randomseed)?)?;
    node.raw_set("version", REDIS_VERSION)?;
    let number = REDIS_VERSION
        .split('.')
        .filter_map(|part| part.parse::<i64>().ok())
        .fold(0, |number, part| number << 8 | part);
    node.raw_set("version_number", number)?;
    if purpose == Purpose::Functions {
        let register = lua.create_function(super::functions::register_function)?;
        node.raw_set("register_function", register)?;
    }
    Ok(())
}

/// A request's words from Lua values; None if one of them is neither text nor number.
fn words(values: &MultiValue) -> Option<Vec<Vec<u8>>> {
    let word = |value: &Value| match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Integer(number) => Some(number.to_string().into_bytes()),
        Value::Number(number) => {
            let mut text = Vec::new();
            float::format_g17(*number, &mut text);
            Some(text)
        }
        _ => None,
    };
    values.iter().map(word).collect()
}

fn command(lua: &Lua, values: MultiValue) -> Result<Answer> {
    if values.is_empty() {
        return failure(lua, NO_COMMAND);
    }
    let Some(words) = words(&values) else {
        return failure(lua, BAD_COMMAND_ARGUMENT);
    };
    let args: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    let reply = match current::with(|server| server.command_of_script(&args)) {
        Ok(reply) => reply,
        Err(error) => return failure(lua, error.to_string()),
    };
    let (value, _) = super::convert::reply_to_lua(lua, &reply)?;
    current::with(|server| server.recycle_script_reply(reply));
    match value {
        Value::Table(table) if matches!(table.raw_get("err")?, Value::String(_)) => {
            Ok((Value::Nil, Value::Table(table)))
        }
        value => Ok((value, Value::Nil)),
    }
}

fn sha1hex(lua: &Lua, values: MultiValue) -> Result<Answer> {
    match (values.len(), words(&values)) {
        (1, Some(words)) => answer(sha1_hex(&words[0]), lua),
        // What is no text hashes as none.
        (1, None) => answer(sha1_hex(b""), lua),
        _ => failure(lua, WRONG_COUNT),
    }
}

fn log(lua: &Lua, values: MultiValue) -> Result<Answer> {
    use front::log::Level;
    if values.len() < 2 {
        return failure(lua, "ERR redis.log() requires two arguments or more.");
    }
    let level = match values.front() {
        Some(Value::Integer(number)) => *number as f64,
        Some(Value::Number(number)) => *number,
        _ => return failure(lua, "ERR First argument must be a number (log level)."),
    };
    let level = match level as i64 {
        0 => Level::Debug,
        1 => Level::Verbose,
        2 => Level::Notice,
        3 => Level::Warning,
        _ => return failure(lua, "ERR Invalid debug level."),
    };
    let text: Vec<Vec<u8>> = values
        .iter()
        .skip(1)
        .filter_map(|value| words(&MultiValue::from_iter([value.clone()])))
        .flatten()
        .collect();
    let text = text.join(b" ".as_slice());
    front::log::write(level, format_args!("{}", String::from_utf8_lossy(&text)));
    Ok((Value::Nil, Value::Nil))
}

fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Integer(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        Value::String(text) => float::parse_double(&text.as_bytes()),
        _ => None,
    }
}

fn setresp(lua: &Lua, values: MultiValue) -> Result<Answer> {
    if values.len() != 1 {
        return failure(lua, "ERR redis.setresp() requires one argument.");
    }
    let resp3 = match number(values.front()) {
        Some(2.0) => false,
        Some(3.0) => true,
        _ => return failure(lua, "ERR RESP version must be 2 or 3."),
    };
    current::with(|server| {
        if let Some(running) = &mut server.scripting.running {
            running.resp3 = resp3;
        }
    });
    Ok((Value::Nil, Value::Nil))
}

fn set_repl(lua: &Lua, values: MultiValue) -> Result<Answer> {
    if values.len() != 1 {
        return failure(lua, "ERR redis.set_repl() requires one argument.");
    }
    let flags = number(values.front()).unwrap_or(0.0) as i64;
    let Some(audience) = audience_of_flags(flags) else {
        return failure(
            lua,
            "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
        );
    };
    current::with(|server| {
        if let Some(running) = &mut server.scripting.running {
            running.audience = audience;
        }
    });
    Ok((Value::Nil, Value::Nil))
}

fn acl_check_cmd(lua: &Lua, values: MultiValue) -> Result<Answer> {
    if values.is_empty() {
        return failure(lua, NO_COMMAND);
    }
    let Some(words) = words(&values) else {
        return failure(
            lua,
            "ERR redis.acl_check_cmd() require all arguments to be strings",
        );
    };
    let args: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    match current::with(|server| server.script_may_call(&args)) {
        Some(allowed) => answer(allowed, lua),
        None => failure(lua, "ERR Invalid command passed to redis.acl_check_cmd()"),
    }
}

fn single_field(lua: &Lua, field: &str, text: &[u8]) -> Result<Table> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(field, lua.create_string(text)?)?;
    Ok(table)
}

fn one_text(values: &MultiValue) -> Option<Vec<u8>> {
    match values.front() {
        Some(Value::String(text)) if values.len() == 1 => Some(text.as_bytes().to_vec()),
        _ => None,
    }
}

/// A text of one word gets the code ERR before it; a minus sign in front, from older days, is dropped.
fn error_reply(lua: &Lua, values: MultiValue) -> Result<Table> {
    let Some(text) = one_text(&values) else {
        return single_field(lua, "err", b"ERR wrong number or type of arguments");
    };
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    let mut text = text.strip_prefix(b"-").unwrap_or(text);
    while let [rest @ .., b'\r' | b'\n'] = text {
        text = rest;
    }
    match text.contains(&b' ') {
        true => single_field(lua, "err", text),
        false => single_field(lua, "err", &[b"ERR ", text].concat()),
    }
}

fn status_reply(lua: &Lua, values: MultiValue) -> Result<Table> {
    match one_text(&values) {
        Some(text) => single_field(lua, "ok", &text),
        None => single_field(lua, "err", b"ERR wrong number or type of arguments"),
    }
}

/// `math.random`: true and a number, or false and what is wrong.
fn random(lua: &Lua, values: MultiValue) -> Result<(bool, Value)> {
    let wrong = |text: &str| Ok((false, Value::String(lua.create_string(text)?)));
    let mut limits = [0.0; 2];
    for (index, limit) in limits.iter_mut().enumerate().take(values.len()) {
        let Some(number) = number(values.get(index)) else {
            let at = index + 1;
            return wrong(&format!("bad argument #{at} to 'random' (number expected)"));
        };
        *limit = number.trunc();
    }
    let (low, high) = match values.len() {
        0 => return Ok((true, Value::Number(next_random()))),
        1 => (1.0, limits[0]),
        2 => (limits[0], limits[1]),
        _ => return wrong("wrong number of arguments"),
    };
    if low > high {
        let at = values.len();
        return wrong(&format!(
            "bad argument #{at} to 'random' (interval is empty)"
        ));
    }
    let number = (next_random() * (high - low + 1.0)).floor() + low;
    Ok((true, Value::Number(number)))
}

fn next_random() -> f64 {
    current::with(|server| server.scripting.random.next())
}

fn randomseed(_: &Lua, seed: Option<f64>) -> Result<bool> {
    let seed = seed.unwrap_or(0.0) as i64 as i32;
    current::with(|server| server.scripting.random = Rand48::new(seed));
    Ok(true)
}
