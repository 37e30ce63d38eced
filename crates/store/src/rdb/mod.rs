//! The RDB format: bytes only; files belong to the server.

pub mod crc64;
pub mod dump;
pub mod format;
pub mod lzf;
pub mod save;
pub(crate) mod stream;
