//! Numbers with a fraction as clients see them: the texts Redis 7.0 accepts and the digits it
//! answers with.
//!
//! Scores and most other replies print like C's `%.17g`, distances with four digits, INCRBYFLOAT like
//! `%.17Lf` of an 80-bit `long double`. Shortest-digits printing (Redis 7.2 and later) would be
//! different bytes.

use std::io::Write;

use rustc_apfloat::ieee::{Double, X87DoubleExtended};
use rustc_apfloat::{Float, FloatConvert, Round};

/// Texts this long are no `long double` for Redis, whatever they say.
const LONG_DOUBLE_TEXT_LIMIT: usize = 5 * 1024;

/// Up to this magnitude a listpack holds a whole score as an integer.
const LISTPACK_INTEGERS: f64 = (1u64 << 62) as f64;

/// Below this magnitude 17 significant digits show every digit of a whole double.
const PLAIN_INTEGERS: f64 = 1e17;

/// Appends a double as Redis 7.0 replies it: `3`, `0.10000000000000001`, `1e+17`, `-0`, `inf`,
/// `nan`.
pub fn format_double(value: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(DoubleText::new(value).as_bytes());
}

/// The integer a score stands for, where a listpack of Redis holds it as one (magnitude up to
/// 2^62). A negative zero becomes plain zero.
pub fn as_listpack_integer(value: f64) -> Option<i64> {
    (value.abs() <= LISTPACK_INTEGERS && value.trunc() == value).then_some(value as i64)
}

/// Appends a double as C's `%.17g` does.
pub fn format_g17(value: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(DoubleText::g17(value).as_bytes());
}

/// The longest text: a sign, 17 digits, a point and an exponent.
const MAX_TEXT: usize = "-1.2345678901234567e-308".len();

/// The text of a double, without an allocation.
pub struct DoubleText {
    bytes: [u8; MAX_TEXT],
    len: usize,
}

impl DoubleText {
    /// As [`format_double`].
    #[inline]
    pub fn new(value: f64) -> Self {
        // Zero has a sign to show.
        if value.abs() < PLAIN_INTEGERS && value.trunc() == value && value != 0.0 {
            let mut text = Self::EMPTY;
            text.push(itoa::Buffer::new().format(value as i64).as_bytes());
            return text;
        }
        Self::g17(value)
    }

    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    const EMPTY: Self = Self {
        bytes: [0; MAX_TEXT],
        len: 0,
    };

    fn g17(value: f64) -> Self {
        let mut text = Self::EMPTY;
        if value.is_sign_negative() {
            text.push(b"-");
        }
        if !value.is_finite() {
            text.push(if value.is_nan() { b"nan" } else { b"inf" });
            return text;
        }
        let (digits, exponent) = significant_digits(value.abs());
        let digits = &digits[..digits
            .iter()
            .rposition(|&b| b != b'0')
            .map_or(1, |last| last + 1)];
        match exponent {
            -4..0 => {
                text.push(b"0.");
                text.push(&b"000"[..(-exponent - 1) as usize]);
                text.push(digits);
            }
            0..17 => {
                let whole = exponent as usize + 1;
                if digits.len() <= whole {
                    text.push(digits);
                    text.push(&[b'0'; 17][..whole - digits.len()]);
                } else {
                    text.push_with_point(digits, whole);
                }
            }
            _ => {
                text.push_with_point(digits, 1);
                text.push(if exponent < 0 { b"e-" } else { b"e+" });
                if exponent.abs() < 10 {
                    text.push(b"0");
                }
                text.push(itoa::Buffer::new().format(exponent.abs()).as_bytes());
            }
        }
        text
    }

    #[inline]
    fn push(&mut self, part: &[u8]) {
        self.bytes[self.len..self.len + part.len()].copy_from_slice(part);
        self.len += part.len();
    }

    fn push_with_point(&mut self, digits: &[u8], whole: usize) {
        self.push(&digits[..whole]);
        if digits.len() > whole {
            self.push(b".");
            self.push(&digits[whole..]);
        }
    }
}

/// The 17 correctly rounded leading digits of a finite double and the power of ten of the first.
fn significant_digits(magnitude: f64) -> ([u8; 17], i32) {
    let mut text = [0; 24];
    let mut rest = &mut text[..];
    write!(rest, "{magnitude:.16e}").expect("d.dddddddddddddddde-ddd fits");
    let unused = rest.len();
    let text = &text[..text.len() - unused];
    // 'd', '.', 16 digits, 'e', then the exponent.
    let exponent = str::from_utf8(&text[19..])
        .ok()
        .and_then(|digits| digits.parse().ok());
    let mut digits = [0; 17];
    digits[0] = text[0];
    digits[1..].copy_from_slice(&text[2..18]);
    (digits, exponent.expect("the exponent is a small integer"))
}

/// Appends a double with this many digits after the point, as Redis prints distances: scaled to an
/// integer first, ties to even. That is not always C's `%.4f`, which rounds the exact value.
pub fn format_fixed(value: f64, digits: u32, out: &mut Vec<u8>) {
    let scale = 10i64.pow(digits);
    let units = (value * scale as f64).round_ties_even() as i64;
    let sign = if units < 0 { "-" } else { "" };
    let (whole, fraction) = (
        (units / scale).unsigned_abs(),
        (units % scale).unsigned_abs(),
    );
    let width = digits as usize;
    write!(out, "{sign}{whole}.{fraction:0width$}").expect("writing to memory");
}

/// Reads a score, coordinate or other double argument: what C's `strtod` takes in full, including
/// hexadecimal and infinities. Refused like in Redis: surrounding blanks, NaN, and numbers too
/// large or too small for a double.
pub fn parse_double(text: &[u8]) -> Option<f64> {
    match Literal::recognize(text)? {
        Literal::Infinity { negative } => Some(infinity(negative)),
        Literal::Number(number) => {
            let value = number.to_double();
            let out_of_range = value.is_infinite() || (value == 0.0 && !number.is_zero());
            (!out_of_range).then_some(value)
        }
    }
}

/// Reads a text that SORT orders by: as [`parse_range_bound`], but numbers too large or too small
/// for full precision are refused.
pub fn parse_weight(text: &[u8]) -> Option<f64> {
    let text = text.split(|&b| b == 0).next().unwrap_or_default();
    let number = match text.iter().position(|b| !is_blank(*b)) {
        Some(start) => parse_double(&text[start..])?,
        None => return text.is_empty().then_some(0.0),
    };
    (!number.is_subnormal()).then_some(number)
}

/// Reads a bound of a score range (without its parenthesis). Redis reads these as C strings with a
/// bare `strtod`: leading blanks pass, text behind a NUL byte is not seen, nothing at all is zero,
/// too large is infinite.
pub fn parse_range_bound(text: &[u8]) -> Option<f64> {
    let text = text.split(|&b| b == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let blanks = text.iter().take_while(|b| is_blank(**b)).count();
    match Literal::recognize(&text[blanks..])? {
        Literal::Infinity { negative } => Some(infinity(negative)),
        Literal::Number(number) => Some(number.to_double()),
    }
}

fn infinity(negative: bool) -> f64 {
    if negative {
        f64::NEG_INFINITY
    } else {
        f64::INFINITY
    }
}

/// What C's `isspace` says.
fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'\x0b'
}

/// The 80-bit extended double in which Redis computes INCRBYFLOAT and HINCRBYFLOAT on x86, the same
/// on every CPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LongDouble(X87DoubleExtended);

impl LongDouble {
    /// Reads what C's `strtold` takes in full. Refused like in Redis: surrounding blanks, NaN,
    /// numbers out of range, texts of 5 KiB and more. Infinities pass: a sum with one fails in
    /// [`checked_add`](Self::checked_add).
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() >= LONG_DOUBLE_TEXT_LIMIT {
            return None;
        }
        match Literal::recognize(text)? {
            Literal::Infinity { negative } => Some(infinity(negative).into()),
            Literal::Number(number) => {
                let value: X87DoubleExtended = number.round();
                let out_of_range = value.is_infinite() || (value.is_zero() && !number.is_zero());
                (!out_of_range).then_some(Self(value))
            }
        }
    }

    /// The rounded sum, or nothing when it would be infinite or not a number.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let sum = Self((self.0 + other.0).value);
        sum.is_finite().then_some(sum)
    }

    /// Whether this is neither infinite nor NaN.
    pub fn is_finite(self) -> bool {
        self.0.is_finite()
    }

    /// The nearest double; infinite when out of its range.
    pub fn to_f64(self) -> f64 {
        let nearest: Double = self.0.convert(&mut false).value;
        f64::from_bits(nearest.to_bits() as u64)
    }

    /// Appends the number for humans: `%.17Lf` without trailing zeros, and zero without a sign.
    pub fn format(self, out: &mut Vec<u8>) {
        let bits = self.0.to_bits();
        let negative = bits >> 79 != 0;
        if !self.is_finite() {
            let text: &[u8] = if self.0.is_nan() { b"nan" } else { b"inf" };
            out.extend_from_slice(if negative { b"-" } else { b"" });
            out.extend_from_slice(text);
            return;
        }
        // The value is mantissa * 2^exponent. Exponent field 0 (denormals) means the same scale as
        // 1.
        let mantissa = bits as u64;
        let exponent = ((bits >> 64) as i32 & 0x7fff).max(1) - 16383 - 63;
        let start = out.len();
        if negative {
            out.push(b'-');
        }
        if exponent >= 0 {
            push_shifted(mantissa, exponent as u32, out);
            return;
        }
        let (whole, fraction) = round_to_17_decimals(mantissa, exponent.unsigned_abs());
        if whole == 0 && fraction == 0 {
            out.truncate(start);
        }
        out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
        if fraction != 0 {
            write!(out, ".{fraction:017}").expect("writing to memory");
            let kept = out
                .iter()
                .rposition(|&b| b != b'0')
                .map_or(0, |last| last + 1);
            out.truncate(kept);
        }
    }
}

impl From<f64> for LongDouble {
    fn from(value: f64) -> Self {
        Self(
            Double::from_bits(value.to_bits().into())
                .convert(&mut false)
                .value,
        )
    }
}

/// `mantissa / 2^shift` in units of 10^-17, ties to even, split at the decimal point.
fn round_to_17_decimals(mantissa: u64, shift: u32) -> (u64, u64) {
    const UNITS: u128 = 10u128.pow(17);
    // 64 + 57 bits: the product fits, and a shift by 122 and more leaves less than half a unit.
    let product = u128::from(mantissa) * UNITS;
    if shift > 121 {
        return (0, 0);
    }
    let floor = product >> shift;
    let dropped = product & ((1 << shift) - 1);
    let half = 1 << (shift - 1);
    let up = dropped > half || (dropped == half && floor & 1 == 1);
    let units = floor + u128::from(up);
    ((units / UNITS) as u64, (units % UNITS) as u64)
}

/// Appends all decimal digits of `mantissa * 2^shift`.
fn push_shifted(mantissa: u64, shift: u32, out: &mut Vec<u8>) {
    const CHUNK: u64 = 1_000_000_000;
    // 32-bit limbs, lowest first.
    let wide = u128::from(mantissa) << (shift % 32);
    let mut limbs = vec![0u32; (shift / 32) as usize];
    limbs.extend([wide as u32, (wide >> 32) as u32, (wide >> 64) as u32]);
    let mut chunks = Vec::new();
    while limbs.iter().any(|&limb| limb != 0) {
        let mut remainder = 0;
        for limb in limbs.iter_mut().rev() {
            let part = remainder << 32 | u64::from(*limb);
            *limb = (part / CHUNK) as u32;
            remainder = part % CHUNK;
        }
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        chunks.push(remainder);
    }
    write!(out, "{}", chunks.pop().unwrap_or(0)).expect("writing to memory");
    for chunk in chunks.iter().rev() {
        write!(out, "{chunk:09}").expect("writing to memory");
    }
}

/// What a number text spells, by the grammar of `strtod` in the C locale. NaN is not among what
/// Redis takes.
enum Literal<'a> {
    Infinity { negative: bool },
    Number(Number<'a>),
}

struct Number<'a> {
    text: &'a str,
    /// The part of `text` before the exponent, without sign and `0x`.
    mantissa: &'a [u8],
    hexadecimal: bool,
    has_exponent: bool,
}

impl<'a> Literal<'a> {
    fn recognize(text: &'a [u8]) -> Option<Self> {
        let (negative, unsigned) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") {
            return Some(Self::Infinity { negative });
        }
        let hexadecimal = matches!(unsigned, [b'0', b'x' | b'X', ..]);
        let digits = if hexadecimal {
            &unsigned[2..]
        } else {
            unsigned
        };
        let is_digit = |b: &u8| {
            if hexadecimal {
                b.is_ascii_hexdigit()
            } else {
                b.is_ascii_digit()
            }
        };
        let exponent_mark = if hexadecimal { b'p' } else { b'e' };

        let end = digits
            .iter()
            .position(|b| !is_digit(b) && *b != b'.')
            .unwrap_or(digits.len());
        let (mantissa, exponent) = digits.split_at(end);
        let points = mantissa.iter().filter(|&&b| b == b'.').count();
        let has_digits = mantissa.len() > points;
        let exponent_ok = match exponent {
            [] => true,
            [mark, rest @ ..] if mark.eq_ignore_ascii_case(&exponent_mark) => {
                let digits = rest
                    .strip_prefix(b"-")
                    .or(rest.strip_prefix(b"+"))
                    .unwrap_or(rest);
                !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
            }
            _ => false,
        };
        (points <= 1 && has_digits && exponent_ok).then(|| {
            Self::Number(Number {
                text: str::from_utf8(text).expect("every byte was recognized as ASCII"),
                mantissa,
                hexadecimal,
                has_exponent: !exponent.is_empty(),
            })
        })
    }
}

impl Number<'_> {
    fn is_zero(&self) -> bool {
        self.mantissa.iter().all(|b| matches!(b, b'0' | b'.'))
    }

    fn to_double(&self) -> f64 {
        if self.hexadecimal {
            f64::from_bits(self.round::<Double>().to_bits() as u64)
        } else {
            self.text
                .parse()
                .expect("the grammar of Rust includes decimal numbers of C")
        }
    }

    fn round<F: Float>(&self) -> F {
        let rounded = if self.hexadecimal && !self.has_exponent {
            F::from_str_r(&format!("{}p0", self.text), Round::NearestTiesToEven)
        } else {
            F::from_str_r(self.text, Round::NearestTiesToEven)
        };
        rounded.expect("the grammar was checked").value
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("numbers print as ASCII")
    }

    fn increment(value: &str, by: &str) -> String {
        let sum = LongDouble::parse(value.as_bytes())
            .zip(LongDouble::parse(by.as_bytes()))
            .map(|(value, by)| value.checked_add(by));
        match sum {
            None => "not a float".into(),
            Some(None) => "NaN or Infinity".into(),
            Some(Some(sum)) => text(|out| sum.format(out)),
        }
    }

    /// Left what a client sends, right what redis-server 7.0.15 answers to ZADD and ZSCORE.
    const SCORES: &[(&str, &str)] = &[
        ("0", "0"),
        ("-0", "-0"),
        ("3", "3"),
        ("-17", "-17"),
        (".5", "0.5"),
        ("5.", "5"),
        ("+1", "1"),
        ("0.1", "0.10000000000000001"),
        ("3.14", "3.1400000000000001"),
        ("100000", "100000"),
        ("123456.5", "123456.5"),
        ("0.0001", "0.0001"),
        ("0.00001", "1.0000000000000001e-05"),
        ("4503599627370496", "4503599627370496"),
        ("9007199254740993", "9007199254740992"),
        ("12345678901234567", "12345678901234568"),
        ("99999999999999999", "1e+17"),
        ("1e17", "1e+17"),
        ("1e16", "10000000000000000"),
        ("123456789012345678", "1.2345678901234568e+17"),
        ("1.7976931348623158e308", "1.7976931348623157e+308"),
        ("1e-310", "9.9999999999999694e-311"),
        ("4.9e-324", "4.9406564584124654e-324"),
        ("0e-99999", "0"),
        ("0x10", "16"),
        ("0X1P-3", "0.125"),
        ("0x.8", "0.5"),
        ("-0x1.8p1", "-3"),
        ("0x1.fffffffffffff7p1023", "1.7976931348623157e+308"),
        ("inf", "inf"),
        ("+Inf", "inf"),
        ("-INFINITY", "-inf"),
    ];

    const NO_SCORES: &[&str] = &[
        "",
        " ",
        " 1",
        "1 ",
        "\t1",
        ".",
        "-",
        "+-1",
        "1e",
        "1e+",
        "1_0",
        "1.2.3",
        "0x",
        "0x.",
        "0x1p",
        "0x1.p",
        "1p3",
        "nan",
        "-nan",
        "nan(1)",
        "infinit",
        "in",
        "1e400",
        "-1e309",
        "1e-400",
        "0x1p5000",
        "0x1p-5000",
        "1e99999999999999999999",
        "1\0",
    ];

    #[test]
    fn scores_print_with_seventeen_significant_digits() {
        for (sent, answered) in SCORES {
            let value = parse_double(sent.as_bytes()).expect(sent);
            assert_eq!(text(|out| format_double(value, out)), *answered, "{sent}");
            assert_eq!(text(|out| format_g17(value, out)), *answered, "{sent}");
        }
        assert_eq!(text(|out| format_double(f64::NAN, out)), "nan");
        assert_eq!(text(|out| format_double(-f64::NAN, out)), "-nan");
    }

    #[test]
    fn texts_that_are_not_wholly_a_number_in_range_are_no_scores() {
        for sent in NO_SCORES {
            assert_eq!(parse_double(sent.as_bytes()), None, "{sent:?}");
        }
        assert_eq!(parse_double(b"\xff"), None);
    }

    #[test]
    fn weights_are_read_as_c_strings_of_full_precision() {
        for (text, weight) in [
            (b"".as_slice(), 0.0),
            (b" 7", 7.0),
            (b"\x0b\t-0x10", -16.0),
            (b"5\0x", 5.0),
            (b"-inf", f64::NEG_INFINITY),
        ] {
            assert_eq!(parse_weight(text), Some(weight), "{text:?}");
        }
        for text in ["  ", "7 ", "nan", "1e400", "1e-400", "1e-310", "1e"] {
            assert_eq!(parse_weight(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn range_bounds_are_read_as_c_strings() {
        let bound = |text: &[u8]| parse_range_bound(text);
        assert_eq!(bound(b""), Some(0.0));
        assert_eq!(bound(b"\x007"), Some(0.0));
        assert_eq!(bound(b" \t\x0b1.5"), Some(1.5));
        assert_eq!(bound(b"1.5\0junk"), Some(1.5));
        assert_eq!(bound(b"1e400"), Some(f64::INFINITY));
        assert_eq!(bound(b"-0x1p5000"), Some(f64::NEG_INFINITY));
        assert_eq!(bound(b"1e-400"), Some(0.0));
        assert_eq!(bound(b"-inf"), Some(f64::NEG_INFINITY));
        for refused in [&b"nan"[..], b" ", b"1 ", b"(1", b"0x1.p", b"one"] {
            assert_eq!(bound(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn whole_doubles_up_to_two_to_the_62_are_integers_in_a_listpack() {
        assert_eq!(as_listpack_integer(-0.0), Some(0));
        assert_eq!(as_listpack_integer(-12.0), Some(-12));
        assert_eq!(as_listpack_integer(4611686018427387904.0), Some(1 << 62));
        assert_eq!(as_listpack_integer(-4611686018427387904.0), Some(-1 << 62));
        assert_eq!(as_listpack_integer(4611686018427388928.0), None);
        assert_eq!(as_listpack_integer(0.5), None);
        assert_eq!(as_listpack_integer(f64::INFINITY), None);
        assert_eq!(as_listpack_integer(f64::NAN), None);
    }

    #[test]
    fn fixed_digits_round_the_scaled_value() {
        let fixed = |value| text(|out| format_fixed(value, 4, out));
        assert_eq!(fixed(166274.15156960033), "166274.1516");
        // More than the tie, but not once scaled: GEOSEARCH of redis-server 7.0.15 says so.
        assert_eq!(fixed(13957743.229050001), "13957743.2290");
        assert_eq!(fixed(0.03125), "0.0312");
        assert_eq!(fixed(0.0), "0.0000");
        assert_eq!(fixed(-0.5), "-0.5000");
    }

    #[test]
    fn increments_have_the_precision_of_an_80_bit_long_double() {
        // As redis-server 7.0.15 answers INCRBYFLOAT on x86-64.
        let facts = [
            ("0", "0.1", "0.1"),
            ("10.50", "0.1", "10.6"),
            ("3.0e3", "200", "3200"),
            ("5.0e3", "-5.0e3", "0"),
            ("0", "-1e-30", "0"),
            ("-0", "-0", "0"),
            ("1", "1e-17", "1.00000000000000001"),
            ("1", "1.11", "2.11"),
            ("1.4", "1.7", "3.1"),
            ("17179869184", "1.5", "17179869185.5"),
            ("9223372036854775807", "0", "9223372036854775807"),
            ("18446744073709551616", "1", "18446744073709551616"),
            ("1e20", "0", "100000000000000000000"),
            ("1e30", "0", "1000000000000000000024696061952"),
            ("0x10", "0x1p-3", "16.125"),
            ("1e-400", "0", "0"),
            ("", "1", "not a float"),
            (" 1", "1", "not a float"),
            ("1", "1 ", "not a float"),
            ("nan", "1", "not a float"),
            ("1e4933", "0", "not a float"),
            ("1e-5000", "0", "not a float"),
            ("inf", "1", "NaN or Infinity"),
            ("inf", "-inf", "NaN or Infinity"),
            ("1.1e4932", "1.1e4932", "NaN or Infinity"),
        ];
        for (value, by, answered) in facts {
            assert_eq!(increment(value, by), answered, "{value} + {by}");
        }
    }

    #[test]
    fn a_long_double_text_has_less_than_five_kibibytes() {
        let longest = "0".repeat(5 * 1024 - 1);
        assert_eq!(increment(&longest, "1"), "1");
        assert_eq!(increment(&format!("0{longest}"), "1"), "not a float");
    }

    #[test]
    fn the_largest_long_double_prints_all_its_digits() {
        let largest = increment("1.18973149535723176502e4932", "0");
        assert_eq!(largest.len(), 4933);
        assert!(
            largest
                .starts_with("118973149535723176502126385303097020516906332229462420044032373389")
        );
        assert!(largest.ends_with("86811989770240"), "{largest}");
    }

    #[test]
    fn doubles_print_as_long_doubles_for_coordinates() {
        let human = |value: f64| text(|out| LongDouble::from(value).format(out));
        assert_eq!(human(13.361389338970184), "13.36138933897018433");
        assert_eq!(human(-0.0), "0");
        assert_eq!(human(f64::NEG_INFINITY), "-inf");
        assert_eq!(human(f64::NAN), "nan");
        assert_eq!(LongDouble::from(0.1).to_f64(), 0.1);
    }

    proptest! {
        #[test]
        fn every_double_survives_its_reply(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(!value.is_nan());
            let reply = text(|out| format_double(value, out));
            prop_assert_eq!(parse_double(reply.as_bytes()).map(f64::to_bits), Some(bits));
        }

        #[test]
        fn no_text_upsets_the_parsers(text in "[0-9a-fA-FxXpPeEinfty.+\\- ]{0,12}") {
            let (double, bound) = (parse_double(text.as_bytes()), parse_range_bound(text.as_bytes()));
            prop_assert!(double.is_none() || double == bound);
            if let Some(long) = LongDouble::parse(text.as_bytes()) {
                prop_assert!(!long.0.is_nan());
            }
        }
    }
}
