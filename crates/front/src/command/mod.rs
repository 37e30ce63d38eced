//! Commands as data: declaration, table, key extraction, description, errors.

pub mod contract;
pub mod describe;
mod error;
mod keys;
mod spec;
mod table;
mod words;

pub use error::*;
pub use keys::*;
pub use spec::*;
pub use table::*;
pub use words::*;
