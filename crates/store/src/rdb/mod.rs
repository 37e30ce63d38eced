//! The RDB format: bytes only; files belong to the server.

pub mod crc64;
pub mod dump;
pub mod error;
pub mod format;
pub mod load;
mod load_value;
pub mod lzf;
pub mod reader;
pub mod save;
pub(crate) mod stream;

pub use error::{LoadError, LoadErrorKind};
