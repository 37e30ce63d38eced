//! RESP2 and RESP3: bytes to requests, values to bytes. No I/O.

mod frame;
pub mod inline;
mod request;
mod writer;

pub use frame::*;
pub use request::*;
pub use writer::*;
