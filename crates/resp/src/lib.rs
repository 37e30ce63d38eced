//! RESP2 and RESP3: bytes to requests, values to bytes. No I/O.

pub mod inline;
mod request;
mod writer;

pub use request::*;
pub use writer::*;
