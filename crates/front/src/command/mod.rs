//! Commands as data: declaration, table, key extraction, description, errors.

pub mod describe;
mod error;
pub mod keys;
mod spec;
mod table;

pub use error::*;
pub use spec::*;
pub use table::*;
