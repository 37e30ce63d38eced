//! The arguments of library functions, taken as Lua takes them: numbers as text, text as numbers.

use mlua::{MultiValue, Value};

/// What is wrong with the argument at `index` of the function `name`.
pub(super) fn bad(index: usize, name: &str, what: impl std::fmt::Display) -> String {
    format!("bad argument #{} to '{name}' ({what})", index + 1)
}

/// As [`bad`], for an argument of another type than `expected`.
pub(super) fn mistyped(values: &MultiValue, index: usize, name: &str, expected: &str) -> String {
    let got = match values.get(index) {
        None => "no value",
        // Lua knows one type of numbers.
        Some(Value::Integer(_)) => "number",
        Some(value) => value.type_name(),
    };
    bad(index, name, format_args!("{expected} expected, got {got}"))
}

/// A number.
///
/// # Errors
/// What is there instead.
pub(super) fn number(values: &MultiValue, index: usize, name: &str) -> Result<f64, String> {
    let number = match values.get(index) {
        Some(Value::Integer(number)) => Some(*number as f64),
        Some(Value::Number(number)) => Some(*number),
        Some(Value::String(text)) => store::float::parse_double(&text.as_bytes()),
        _ => None,
    };
    number.ok_or_else(|| mistyped(values, index, name, "number"))
}

/// A text.
///
/// # Errors
/// What is there instead.
pub(super) fn text(values: &MultiValue, index: usize, name: &str) -> Result<Vec<u8>, String> {
    match values.get(index) {
        Some(Value::String(text)) => Ok(text.as_bytes().to_vec()),
        Some(Value::Integer(number)) => Ok(number.to_string().into_bytes()),
        Some(Value::Number(number)) => Ok(general(*number, LUA_PRECISION).into_bytes()),
        _ => Err(mistyped(values, index, name, "string")),
    }
}

/// Significant digits of a number that Lua makes a text of.
const LUA_PRECISION: usize = 14;

/// A number as C's `%.{precision}g`.
pub(super) fn general(number: f64, precision: usize) -> String {
    if !number.is_finite() {
        let sign = if number.is_sign_negative() { "-" } else { "" };
        let word = if number.is_nan() { "nan" } else { "inf" };
        return format!("{sign}{word}");
    }
    let scientific = format!("{number:.*e}", precision - 1);
    let (digits, exponent) = scientific.split_once('e').expect("it has an exponent");
    let exponent: i32 = exponent.parse().expect("an exponent is a number");
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text.to_string(),
    };
    if exponent < -4 || exponent >= precision as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(digits), exponent.abs());
    }
    let decimals = (precision as i32 - 1 - exponent) as usize;
    trimmed(&format!("{number:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::general;

    #[test]
    fn numbers_have_as_many_digits_as_asked() {
        for (number, text) in [
            (0.1, "0.1"),
            (1.0 / 3.0, "0.33333333333333"),
            (1e14, "1e+14"),
            (12345678901234.0, "12345678901234"),
            (-1.5e-7, "-1.5e-07"),
            (0.0, "0"),
            (-0.0, "-0"),
            (100.0, "100"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(general(number, 14), text);
        }
        assert_eq!(general(1234.5, 3), "1.23e+03");
    }
}
