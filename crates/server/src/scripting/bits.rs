//! The library `bit`: operations on 32-bit integers, as scripts know them from Lua BitOp.

use super::arguments;
use super::interpreter::{Checked, fine, wrong};
use mlua::{Lua, MultiValue, Result, Table, Value};

/// The library's functions.
pub(super) fn library(lua: &Lua) -> Result<Table> {
    let table = lua.create_table()?;
    fold(lua, &table, "tobit", |first, _| first)?;
    fold(lua, &table, "band", |a, b| a & b)?;
    fold(lua, &table, "bor", |a, b| a | b)?;
    fold(lua, &table, "bxor", |a, b| a ^ b)?;
    unary(lua, &table, "bnot", |a| !a)?;
    unary(lua, &table, "bswap", i32::swap_bytes)?;
    shift(lua, &table, "lshift", |a, n| ((a as u32) << n) as i32)?;
    shift(lua, &table, "rshift", |a, n| ((a as u32) >> n) as i32)?;
    shift(lua, &table, "arshift", |a, n| a >> n)?;
    shift(lua, &table, "rol", i32::rotate_left)?;
    shift(lua, &table, "ror", i32::rotate_right)?;
    table.raw_set("tohex", lua.create_function(tohex)?)?;
    Ok(table)
}

/// A number modulo 2^32, rounded to the nearest integer (halves to even).
fn to_bits(number: f64) -> i32 {
    const MODULUS: f64 = 4_294_967_296.0;
    if !number.is_finite() {
        return 0;
    }
    number.round_ties_even().rem_euclid(MODULUS) as u32 as i32
}

/// The argument at `index`, or what is wrong with it.
fn argument(values: &MultiValue, index: usize, name: &str) -> std::result::Result<i32, String> {
    arguments::number(values, index, name).map(to_bits)
}

fn number(value: i32) -> Value {
    Value::Number(f64::from(value))
}

fn fold(lua: &Lua, table: &Table, name: &'static str, combine: fn(i32, i32) -> i32) -> Result<()> {
    let function = lua.create_function(move |lua, values: MultiValue| -> Checked {
        let mut result = match argument(&values, 0, name) {
            Ok(first) => first,
            Err(text) => return wrong(lua, &text),
        };
        for index in 1..values.len() {
            match argument(&values, index, name) {
                Ok(next) => result = combine(result, next),
                Err(text) => return wrong(lua, &text),
            }
        }
        fine([number(result)])
    })?;
    table.raw_set(name, function)
}

fn unary(lua: &Lua, table: &Table, name: &'static str, change: fn(i32) -> i32) -> Result<()> {
    let function = lua.create_function(move |lua, values: MultiValue| -> Checked {
        match argument(&values, 0, name) {
            Ok(value) => fine([number(change(value))]),
            Err(text) => wrong(lua, &text),
        }
    })?;
    table.raw_set(name, function)
}

fn shift(lua: &Lua, table: &Table, name: &'static str, change: fn(i32, u32) -> i32) -> Result<()> {
    let function = lua.create_function(move |lua, values: MultiValue| -> Checked {
        let both = argument(&values, 0, name).and_then(|a| Ok((a, argument(&values, 1, name)?)));
        match both {
            Ok((value, by)) => fine([number(change(value, by as u32 & 31))]),
            Err(text) => wrong(lua, &text),
        }
    })?;
    table.raw_set(name, function)
}

/// Hexadecimal digits: 8 of them, or as many as asked; a negative count asks for capitals.
fn tohex(lua: &Lua, values: MultiValue) -> Checked {
    let value = match argument(&values, 0, "tohex") {
        Ok(value) => value,
        Err(text) => return wrong(lua, &text),
    };
    let count = match values.len() {
        1 => 8,
        _ => match argument(&values, 1, "tohex") {
            Ok(count) => count,
            Err(text) => return wrong(lua, &text),
        },
    };
    let digits = count.unsigned_abs().min(8) as usize;
    let text = match count < 0 {
        true => format!("{value:08X}"),
        false => format!("{value:08x}"),
    };
    fine([Value::String(lua.create_string(&text[8 - digits..])?)])
}

#[cfg(test)]
mod tests {
    use super::to_bits;

    #[test]
    fn numbers_wrap_at_32_bits() {
        assert_eq!(to_bits(-1.0), -1);
        assert_eq!(to_bits(4_294_967_296.0), 0);
        assert_eq!(to_bits(4_294_967_295.0), -1);
        assert_eq!(to_bits(2_147_483_648.0), i32::MIN);
        assert_eq!(to_bits(1.5), 2);
        assert_eq!(to_bits(f64::NAN), 0);
    }
}
