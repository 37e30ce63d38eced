//! RESP2 and RESP3: bytes to requests, values to bytes. No I/O.

mod request;
mod writer;
mod frame;
pub mod inline;

pub use frame::*;
pub use request::*;
pub use writer::*;
