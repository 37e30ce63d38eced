//! The payload of DUMP and RESTORE: a value, then what tells whether it is whole.
//!
//! ```text
//! form value | version u16 LE | CRC-64 of all before u64 LE
//! ```

use super::crc64::crc64;
use super::error::{LoadError, LoadErrorKind};
use super::format::{Form, Opcode, VERSION};
use super::load::LoadSettings;
use super::load_value::read_value;
use super::reader::Reader;
use super::save::Encoder;
use crate::value::{Value, ValueRef};

const CHECKSUM: usize = 8;
const FOOTER: usize = 2 + CHECKSUM;

/// The payload of a value; `compress` as `rdbcompression` says.
pub fn dump(value: ValueRef<'_>, compress: bool) -> Vec<u8> {
    let mut encoder = Encoder::new(compress);
    encoder.form_and_value(value);
    with_footer(encoder)
}

/// The payload of FUNCTION DUMP: the code of every library.
pub fn dump_functions<'a>(codes: impl Iterator<Item = &'a [u8]>, compress: bool) -> Vec<u8> {
    let mut encoder = Encoder::new(compress);
    for code in codes {
        encoder.function(code);
    }
    with_footer(encoder)
}

fn with_footer(mut encoder: Encoder) -> Vec<u8> {
    let mut payload = encoder.take().compress();
    payload.extend_from_slice(&VERSION.to_le_bytes());
    let checksum = crc64(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// The form and value of a payload, if it is of a version that 7.0.15 takes and arrived as it was sent; `check` its
/// checksum.
pub fn intact(payload: &[u8], check: bool) -> Option<&[u8]> {
    let (body, footer) = payload.split_at_checked(payload.len().checked_sub(FOOTER)?)?;
    let (version, checksum) = footer.split_first_chunk::<2>()?;
    let known = u16::from_le_bytes(*version) <= VERSION;
    let right = !check || crc64(&payload[..payload.len() - CHECKSUM]).to_le_bytes() == *checksum;
    (known && right).then_some(body)
}

/// The value in what [`intact`] returned.
///
/// # Errors
/// When it is not one, or empty.
pub fn restore(body: &[u8], settings: &LoadSettings) -> Result<Value, LoadError> {
    let mut reader = Reader::with_buffer(body, false, body.len());
    let byte = reader.byte()?;
    let Some(form) = Form::from_byte(byte) else {
        return Err(reader.error(LoadErrorKind::UnknownForm(byte)));
    };
    read_value(&mut reader, form, settings)?
        .ok_or_else(|| reader.corrupt("The value has no elements"))
}

/// The code of the libraries in what [`intact`] returned for a payload of FUNCTION DUMP.
///
/// # Errors
/// When something else is in it.
pub fn restore_functions(body: &[u8]) -> Result<Vec<Vec<u8>>, LoadError> {
    let mut reader = Reader::with_buffer(body, false, body.len().max(1));
    let mut codes = Vec::new();
    while !reader.at_end()? {
        let byte = reader.byte()?;
        if Opcode::from_byte(byte) != Some(Opcode::Function2) {
            return Err(reader.error(LoadErrorKind::UnknownForm(byte)));
        }
        codes.push(reader.string()?);
    }
    Ok(codes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{StringRef, StringValue};

    #[test]
    fn libraries_come_back_from_their_payload() {
        let codes = [b"#!lua name=a\nx".as_slice(), b""];
        let payload = dump_functions(codes.into_iter(), true);
        let body = intact(&payload, true).expect("it was just made");
        assert_eq!(restore_functions(body).expect("it is whole"), codes);
        assert!(restore_functions(&body[..body.len() - 1]).is_err());
        assert!(restore_functions(b"\x00\x03bar").is_err());
    }

    #[test]
    fn a_payload_is_intact_until_a_bit_changes_or_it_is_from_the_future() {
        // As redis-server 7.0.15 dumps the string `bar`.
        let payload = b"\x00\x03bar\x0a\x00\xe6\xbeI`\xeef\xfd\x17";
        let value = ValueRef::String(StringRef::Bytes(b"bar"));
        assert_eq!(dump(value, true), payload);
        assert_eq!(intact(payload, true), Some(&b"\x00\x03bar"[..]));
        for at in 0..payload.len() {
            let mut damaged = payload.to_vec();
            damaged[at] ^= 1;
            assert_eq!(intact(&damaged, true), None);
        }
        let mut newer = payload.to_vec();
        newer[5] = 11;
        assert_eq!(intact(&newer, false), None);
        newer[5] = 2;
        assert!(intact(&newer, false).is_some());
        for len in 0..FOOTER {
            assert_eq!(intact(&payload[..len], false), None);
        }
    }

    #[test]
    fn a_value_comes_back_and_what_is_none_is_refused() {
        let settings = LoadSettings::defaults(0);
        let Ok(Value::String(string)) = restore(b"\x00\xc0\x07", &settings) else {
            panic!("not a string")
        };
        assert_eq!(string, StringValue::Int(7));
        let refusal = |body: &[u8]| restore(body, &settings).err().unwrap().to_string();
        assert_eq!(refusal(b""), "Unexpected EOF reading RDB file (offset 0)");
        assert_eq!(refusal(b"\x08"), "Unknown RDB encoding type 8 (offset 1)");
        assert_eq!(refusal(b"\x04\x00"), "The value has no elements (offset 2)");
    }
}
