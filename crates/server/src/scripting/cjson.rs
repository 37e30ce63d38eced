//! The library `cjson`: Lua values as JSON, by the rules scripts know from Lua CJSON.

use super::arguments::{bad, general, mistyped, text};
use super::interpreter::{Checked, fine, wrong};
use mlua::{Lua, MultiValue, Result, Table, Value};
use std::cell::RefCell;
use std::rc::Rc;

/// What `encode_*` and `decode_*` change, for one codec.
#[derive(Clone, Copy, Debug)]
struct Settings {
    encode_max_depth: usize,
    decode_max_depth: usize,
    sparse_convert: bool,
    sparse_ratio: usize,
    sparse_safe: usize,
    precision: usize,
    encode_invalid_numbers: InvalidNumbers,
    decode_invalid_numbers: bool,
    keep_buffer: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InvalidNumbers {
    Refuse,
    Write,
    Null,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            encode_max_depth: 1000,
            decode_max_depth: 1000,
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            precision: 14,
            encode_invalid_numbers: InvalidNumbers::Refuse,
            decode_invalid_numbers: true,
            keep_buffer: true,
        }
    }
}

type Shared = Rc<RefCell<Settings>>;

/// A codec with settings of its own: the library is one, `cjson.new()` makes another.
pub(super) fn codec(lua: &Lua) -> Result<Table> {
    let settings = Shared::default();
    let table = lua.create_table()?;
    let add = |name: &str, function: fn(&Lua, &Shared, &MultiValue) -> Checked| {
        let settings = settings.clone();
        let call =
            lua.create_function(move |lua, values: MultiValue| function(lua, &settings, &values))?;
        table.raw_set(name, call)
    };
    add("encode", encode)?;
    add("decode", decode)?;
    add("encode_max_depth", encode_max_depth)?;
    add("decode_max_depth", decode_max_depth)?;
    add("encode_number_precision", number_precision)?;
    add("encode_sparse_array", sparse_array)?;
    add("encode_invalid_numbers", encode_invalid_numbers)?;
    add("decode_invalid_numbers", decode_invalid_numbers)?;
    add("encode_keep_buffer", keep_buffer)?;
    table.raw_set("null", Value::NULL)?;
    table.raw_set("_NAME", "cjson")?;
    table.raw_set("_VERSION", "2.1.0")?;
    Ok(table)
}

/// An integer setting at `index`, if there is one.
fn integer_in(
    values: &MultiValue,
    index: usize,
    name: &str,
    range: std::ops::RangeInclusive<i64>,
) -> std::result::Result<Option<i64>, String> {
    let number = match values.get(index) {
        None | Some(Value::Nil) => return Ok(None),
        Some(Value::Integer(number)) => *number,
        Some(Value::Number(number)) => *number as i64,
        Some(_) => return Err(mistyped(values, index, name, "number")),
    };
    if range.contains(&number) {
        return Ok(Some(number));
    }
    let (low, high) = range.into_inner();
    let what = format!("expected integer between {low} and {high}");
    Err(bad(index, name, what))
}

/// A choice at the first place, if there is one: a boolean, or one of these words.
fn choice<T: Copy>(
    values: &MultiValue,
    name: &str,
    words: &[(&str, T)],
    boolean: impl Fn(bool) -> T,
) -> std::result::Result<Option<T>, String> {
    match values.front() {
        None | Some(Value::Nil) => Ok(None),
        Some(Value::Boolean(value)) => Ok(Some(boolean(*value))),
        Some(_) => {
            let word = text(values, 0, name)?;
            let known = words.iter().find(|(known, _)| known.as_bytes() == word);
            let invalid = || {
                let word = String::from_utf8_lossy(&word);
                bad(0, name, format_args!("invalid option '{word}'"))
            };
            known.map(|(_, value)| Some(*value)).ok_or_else(invalid)
        }
    }
}

/// Answers with what a setting became, or what is wrong.
fn settled(
    lua: &Lua,
    settings: &Shared,
    change: impl FnOnce(&mut Settings) -> std::result::Result<Vec<Value>, String>,
) -> Checked {
    match change(&mut settings.borrow_mut()) {
        Ok(values) => fine(values),
        Err(text) => wrong(lua, &text),
    }
}

/// The largest depth, ratio or length there is.
const MOST: i64 = i32::MAX as i64;

fn encode_max_depth(lua: &Lua, settings: &Shared, values: &MultiValue) -> Checked {
    settled(lua, settings, |settings| {
        let depth = integer_in(values, 0, "encode_max_depth", 1..=MOST)?;
        settings.encode_max_depth = depth.map_or(settings.encode_max_depth, |depth| depth as usize);
        Ok(vec![Value::Integer(settings.encode_max_depth as i64)])
    })
}

fn decode_max_depth(lua: &Lua, settings: &Shared, values: &MultiValue) -> Checked {
    settled(lua, settings, |settings| {
        let depth = integer_in(values, 0, "decode_max_depth", 1..=MOST)?;
        settings.decode_max_depth = depth.map_or(settings.decode_max_depth, |depth| depth as usize);
        Ok(vec![Value::Integer(settings.decode_max_depth as i64)])
    })
}

fn number_precision(lua: &Lua, settings: &Shared, values: &MultiValue) -> Checked {
    settled(lua, settings, |settings| {
        let precision = integer_in(values, 0, "encode_number_precision", 1..=14)?;
        settings.precision = precision.map_or(settings.precision, |digits| digits as usize);
        Ok(vec![Value::Integer(settings.precision as i64)])
    })
}

const ON_OR_OFF: &[(&str, bool)] = &[("off", false), ("on", true)];

fn sparse_array(lua: &Lua, settings: &Shared, values: &MultiValue) -> Checked {
    const NAME: &str = "encode_sparse_array";
    settled(lua, settings, |settings| {
        let convert = choice(values, NAME, ON_OR_OFF, |value| value)?;
        let ratio = integer_in(values, 1, NAME, 0..=MOST)?;
        let safe = integer_in(values, 2, NAME, 0..=MOST)?;
        settings.sparse_convert = convert.unwrap_or(settings.sparse_convert);
        settings.sparse_ratio = ratio.map_or(settings.sparse_ratio, |ratio| ratio as usize);
        settings.sparse_safe = safe.map_or(settings.sparse_safe, |safe| safe as usize);
        Ok(vec![
            Value::Boolean(settings.sparse_convert),
            Value::Integer(settings.sparse_ratio as i64),
            Value::Integer(settings.sparse_safe as i64),
        ])
    })
}

fn encode_invalid_numbers(lua: &Lua, settings: &Shared, values: &MultiValue) -> Checked {
    const WORDS: &[(&str, InvalidNumbers)] = &[
        ("off", InvalidNumbers::Refuse),
        ("on", InvalidNumbers::Write),
        ("null", InvalidNumbers::Null),
    ];
    let null = lua.create_string("null")?;
    settled(lua, settings, |settings| {
        let chosen = choice(values, "encode_invalid_numbers", WORDS, |on| match on {
            true => InvalidNumbers::Write,
            false => InvalidNumbers::Refuse,
        })?;
        settings.encode_invalid_numbers = chosen.unwrap_or(settings.encode_invalid_numbers);
        Ok(vec![match settings.encode_invalid_numbers {
            InvalidNumbers::Refuse => Value::Boolean(false),
            InvalidNumbers::Write => Value::Boolean(true),
            InvalidNumbers::Null => Value::String(null),
        }])
    })
}

fn decode_invalid_numbers(lua: &Lua, settings: &Shared, values: &MultiValue) -> Checked {
    settled(lua, settings, |settings| {
        let chosen = choice(values, "decode_invalid_numbers", ON_OR_OFF, |on| on)?;
        settings.decode_invalid_numbers = chosen.unwrap_or(settings.decode_invalid_numbers);
        Ok(vec![Value::Boolean(settings.decode_invalid_numbers)])
    })
}

/// Every encoding has its buffer here; the setting is only remembered.
fn keep_buffer(lua: &Lua, settings: &Shared, values: &MultiValue) -> Checked {
    settled(lua, settings, |settings| {
        let chosen = choice(values, "encode_keep_buffer", ON_OR_OFF, |on| on)?;
        settings.keep_buffer = chosen.unwrap_or(settings.keep_buffer);
        Ok(vec![Value::Boolean(settings.keep_buffer)])
    })
}

fn encode(lua: &Lua, settings: &Shared, values: &MultiValue) -> Checked {
    if values.len() != 1 {
        return wrong(lua, "bad argument #1 to 'encode' (expected 1 argument)");
    }
    let mut out = Vec::new();
    match write(&values[0], &settings.borrow(), &mut out, 0)? {
        Ok(()) => fine([Value::String(lua.create_string(out)?)]),
        Err(text) => wrong(lua, &text),
    }
}

type Written = Result<std::result::Result<(), String>>;

fn refuse(kind: &str, reason: &str) -> Written {
    Ok(Err(format!("Cannot serialise {kind}: {reason}")))
}

fn write(value: &Value, settings: &Settings, out: &mut Vec<u8>, depth: usize) -> Written {
    match value {
        Value::String(text) => write_string(&text.as_bytes(), out),
        Value::Integer(number) => return write_number(*number as f64, settings, out),
        Value::Number(number) => return write_number(*number, settings, out),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Nil => out.extend_from_slice(b"null"),
        Value::Table(table) => return write_table(table, settings, out, depth + 1),
        value if *value == Value::NULL => out.extend_from_slice(b"null"),
        other => return refuse(other.type_name(), "type not supported"),
    }
    Ok(Ok(()))
}

fn write_number(number: f64, settings: &Settings, out: &mut Vec<u8>) -> Written {
    if !number.is_finite() {
        match settings.encode_invalid_numbers {
            InvalidNumbers::Refuse => return refuse("number", "must not be NaN or Inf"),
            InvalidNumbers::Null => out.extend_from_slice(b"null"),
            InvalidNumbers::Write if number.is_nan() => out.extend_from_slice(b"nan"),
            InvalidNumbers::Write if number > 0.0 => out.extend_from_slice(b"inf"),
            InvalidNumbers::Write => out.extend_from_slice(b"-inf"),
        }
        return Ok(Ok(()));
    }
    out.extend(general(number, settings.precision).bytes());
    Ok(Ok(()))
}

fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' | b'\\' | b'/' => out.extend([b'\\', byte]),
            8 => out.extend_from_slice(b"\\b"),
            9 => out.extend_from_slice(b"\\t"),
            10 => out.extend_from_slice(b"\\n"),
            12 => out.extend_from_slice(b"\\f"),
            13 => out.extend_from_slice(b"\\r"),
            0..=31 | 127 => out.extend(format!("\\u{byte:04x}").bytes()),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
}

/// How a table is written.
enum Shape {
    Object,
    /// Of this length, gaps included.
    Array(usize),
    TooSparse,
}

fn shape_of(table: &Table, settings: &Settings) -> Result<Shape> {
    let (mut max, mut items) = (0usize, 0usize);
    for pair in table.pairs::<Value, Value>() {
        let (key, _) = pair?;
        match key {
            Value::Integer(index) if index > 0 => {
                max = max.max(index as usize);
                items += 1;
            }
            _ => return Ok(Shape::Object),
        }
    }
    if items == 0 {
        return Ok(Shape::Object);
    }
    let sparse = settings.sparse_ratio > 0
        && max > items.saturating_mul(settings.sparse_ratio)
        && max > settings.sparse_safe;
    Ok(match (sparse, settings.sparse_convert) {
        (false, _) => Shape::Array(max),
        (true, true) => Shape::Object,
        (true, false) => Shape::TooSparse,
    })
}

fn write_table(table: &Table, settings: &Settings, out: &mut Vec<u8>, depth: usize) -> Written {
    if depth > settings.encode_max_depth {
        return Ok(Err(format!(
            "Cannot serialise, excessive nesting ({depth})"
        )));
    }
    match shape_of(table, settings)? {
        Shape::TooSparse => return refuse("table", "excessively sparse array"),
        Shape::Array(len) => {
            out.push(b'[');
            for index in 1..=len {
                if index > 1 {
                    out.push(b',');
                }
                if let Err(text) = write(&table.raw_get(index)?, settings, out, depth)? {
                    return Ok(Err(text));
                }
            }
            out.push(b']');
        }
        Shape::Object => {
            out.push(b'{');
            let mut first = true;
            for pair in table.pairs::<Value, Value>() {
                let (key, value) = pair?;
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                match key {
                    Value::String(text) => write_string(&text.as_bytes(), out),
                    Value::Integer(number) => out.extend(format!("\"{number}\"").bytes()),
                    Value::Number(number) => {
                        out.push(b'"');
                        if let Err(text) = write_number(number, settings, out)? {
                            return Ok(Err(text));
                        }
                        out.push(b'"');
                    }
                    _ => return refuse("table", "table key must be a number or string"),
                }
                out.push(b':');
                if let Err(text) = write(&value, settings, out, depth)? {
                    return Ok(Err(text));
                }
            }
            out.push(b'}');
        }
    }
    Ok(Ok(()))
}

fn decode(lua: &Lua, settings: &Shared, values: &MultiValue) -> Checked {
    if values.len() != 1 {
        return wrong(lua, "bad argument #1 to 'decode' (expected 1 argument)");
    }
    let text = match text(values, 0, "decode") {
        Ok(text) => text,
        Err(text) => return wrong(lua, &text),
    };
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return wrong(lua, "JSON parser does not support UTF-16 or UTF-32");
    }
    let settings = settings.borrow();
    let mut parser = Parser {
        lua,
        text: &text,
        at: 0,
        settings: &settings,
    };
    let parsed = parser.document()?;
    match parsed {
        Ok(value) => fine([value]),
        Err(text) => wrong(lua, &text),
    }
}

/// What the parser found, with where it begins.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    Text(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Error(&'static str),
}

impl Token {
    fn name(&self) -> &'static str {
        match self {
            Token::ObjectBegin => "T_OBJ_BEGIN",
            Token::ObjectEnd => "T_OBJ_END",
            Token::ArrayBegin => "T_ARR_BEGIN",
            Token::ArrayEnd => "T_ARR_END",
            Token::Text(_) => "T_STRING",
            Token::Number(_) => "T_NUMBER",
            Token::Boolean(_) => "T_BOOLEAN",
            Token::Null => "T_NULL",
            Token::Colon => "T_COLON",
            Token::Comma => "T_COMMA",
            Token::End => "T_END",
            Token::Error(what) => what,
        }
    }
}

struct Parser<'a> {
    lua: &'a Lua,
    text: &'a [u8],
    at: usize,
    settings: &'a Settings,
}

type Parsed = Result<std::result::Result<Value, String>>;

fn expected(what: &str, (token, at): &(Token, usize)) -> Parsed {
    let (found, at) = (token.name(), at + 1);
    Ok(Err(format!(
        "Expected {what} but found {found} at character {at}"
    )))
}

impl Parser<'_> {
    fn document(&mut self) -> Parsed {
        let first = self.token();
        let value = match self.value(first, 0)? {
            Ok(value) => value,
            Err(text) => return Ok(Err(text)),
        };
        match self.token() {
            (Token::End, _) => Ok(Ok(value)),
            other => expected("the end", &other),
        }
    }

    fn value(&mut self, token: (Token, usize), depth: usize) -> Parsed {
        let at = token.1;
        Ok(Ok(match token.0 {
            Token::Text(text) => Value::String(self.lua.create_string(text)?),
            Token::Number(number) => Value::Number(number),
            Token::Boolean(value) => Value::Boolean(value),
            Token::Null => Value::NULL,
            Token::ObjectBegin | Token::ArrayBegin if depth >= self.settings.decode_max_depth => {
                let (depth, at) = (depth + 1, at + 1);
                return Ok(Err(format!(
                    "Found too many nested data structures ({depth}) at character {at}"
                )));
            }
            Token::ObjectBegin => return self.object(depth + 1),
            Token::ArrayBegin => return self.array(depth + 1),
            _ => return expected("value", &token),
        }))
    }

    fn object(&mut self, depth: usize) -> Parsed {
        let table = self.lua.create_table()?;
        let mut token = self.token();
        if token.0 == Token::ObjectEnd {
            return Ok(Ok(Value::Table(table)));
        }
        loop {
            let Token::Text(key) = token.0 else {
                return expected("object key string", &token);
            };
            let colon = self.token();
            if colon.0 != Token::Colon {
                return expected("colon", &colon);
            }
            let next = self.token();
            match self.value(next, depth)? {
                Ok(value) => table.raw_set(self.lua.create_string(key)?, value)?,
                Err(text) => return Ok(Err(text)),
            }
            let next = self.token();
            match next.0 {
                Token::ObjectEnd => return Ok(Ok(Value::Table(table))),
                Token::Comma => token = self.token(),
                _ => return expected("comma or object end", &next),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Parsed {
        let table = self.lua.create_table()?;
        let mut token = self.token();
        if token.0 == Token::ArrayEnd {
            return Ok(Ok(Value::Table(table)));
        }
        for index in 1i64.. {
            match self.value(token, depth)? {
                Ok(value) => table.raw_set(index, value)?,
                Err(text) => return Ok(Err(text)),
            }
            let next = self.token();
            match next.0 {
                Token::ArrayEnd => break,
                Token::Comma => token = self.token(),
                _ => return expected("comma or array end", &next),
            }
        }
        Ok(Ok(Value::Table(table)))
    }

    fn token(&mut self) -> (Token, usize) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        let start = self.at;
        let Some(&first) = self.text.get(start) else {
            return (Token::End, start);
        };
        let simple = match first {
            b'{' => Some(Token::ObjectBegin),
            b'}' => Some(Token::ObjectEnd),
            b'[' => Some(Token::ArrayBegin),
            b']' => Some(Token::ArrayEnd),
            b':' => Some(Token::Colon),
            b',' => Some(Token::Comma),
            _ => None,
        };
        if let Some(token) = simple {
            self.at += 1;
            return (token, start);
        }
        if first == b'"' {
            return (self.string(), start);
        }
        let left = &self.text[start..];
        for (word, token) in [
            (b"true".as_slice(), Token::Boolean(true)),
            (b"false", Token::Boolean(false)),
            (b"null", Token::Null),
        ] {
            if left.starts_with(word) {
                self.at += word.len();
                return (token, start);
            }
        }
        (self.number(left), start)
    }

    /// A number as C reads it; words for what is no number only if the codec takes them.
    fn number(&mut self, left: &[u8]) -> Token {
        let digits = left.strip_prefix(b"-").unwrap_or(left);
        let starts = match digits.first() {
            Some(b'0'..=b'9') => true,
            Some(b'i' | b'I' | b'n' | b'N') => self.settings.decode_invalid_numbers,
            _ => false,
        };
        if !starts {
            return Token::Error("invalid token");
        }
        let end = left
            .iter()
            .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')))
            .unwrap_or(left.len());
        // The longest part that reads as a number; what follows is the next token.
        let parsed = (1..=end).rev().find_map(|end| {
            let word = std::str::from_utf8(&left[..end]).ok()?;
            Some((parse_c_number(word)?, end))
        });
        match parsed {
            Some((number, taken)) => {
                let bad = !number.is_finite() || hex_or_leading_zero(left);
                if bad && !self.settings.decode_invalid_numbers {
                    return Token::Error("invalid number");
                }
                self.at += taken;
                Token::Number(number)
            }
            None => Token::Error("invalid token"),
        }
    }

    fn string(&mut self) -> Token {
        self.at += 1;
        let mut out = Vec::new();
        loop {
            let Some(&byte) = self.text.get(self.at) else {
                return Token::Error("unexpected end of string");
            };
            self.at += 1;
            match byte {
                b'"' => return Token::Text(out),
                b'\\' => {
                    let Some(&escaped) = self.text.get(self.at) else {
                        return Token::Error("unexpected end of string");
                    };
                    self.at += 1;
                    match escaped {
                        b'"' | b'\\' | b'/' => out.push(escaped),
                        b'b' => out.push(8),
                        b'f' => out.push(12),
                        b'n' => out.push(b'\n'),
                        b'r' => out.push(b'\r'),
                        b't' => out.push(b'\t'),
                        b'u' => match self.unicode() {
                            Some(character) => {
                                let mut buffer = [0; 4];
                                out.extend(character.encode_utf8(&mut buffer).bytes());
                            }
                            None => return Token::Error("invalid unicode escape code"),
                        },
                        _ => return Token::Error("invalid escape code"),
                    }
                }
                byte => out.push(byte),
            }
        }
    }

    /// The character of `\uXXXX`, two of them for those beyond 16 bits.
    fn unicode(&mut self) -> Option<char> {
        let first = self.code_unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(u32::from(first));
        }
        if self.text.get(self.at..self.at + 2)? != b"\\u" {
            return None;
        }
        self.at += 2;
        let second = self.code_unit()?;
        char::decode_utf16([first, second]).next()?.ok()
    }

    fn code_unit(&mut self) -> Option<u16> {
        let digits = std::str::from_utf8(self.text.get(self.at..self.at + 4)?).ok()?;
        let number = u16::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(number)
    }
}

fn hex_or_leading_zero(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    matches!(digits, [b'0', b'x' | b'X' | b'0'..=b'9', ..])
}

fn parse_c_number(word: &str) -> Option<f64> {
    let (negative, digits) = match word.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, word),
    };
    let hex = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    let number = match hex {
        Some(hex) => u64::from_str_radix(hex, 16).ok()? as f64,
        None => digits.parse().ok()?,
    };
    Some(if negative { -number } else { number })
}
