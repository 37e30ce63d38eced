//! The RDB format: bytes only; files belong to the server.

pub mod crc64;
pub mod lzf;
