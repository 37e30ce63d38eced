//! The payload of DUMP and RESTORE: a value, then what tells whether it is whole.
//!
//! ```text
//! form value | version u16 LE | CRC-64 of all before u64 LE
//! ```

use super::crc64::crc64;
use super::format::VERSION;
use super::save::Encoder;
use crate::value::ValueRef;

/// The payload of a value; `compress` as `rdbcompression` says.
pub fn dump(value: ValueRef<'_>, compress: bool) -> Vec<u8> {
    let mut encoder = Encoder::new(compress);
    encoder.form_and_value(value);
    let mut payload = encoder.take().compress();
    payload.extend_from_slice(&VERSION.to_le_bytes());
    let checksum = crc64(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}
