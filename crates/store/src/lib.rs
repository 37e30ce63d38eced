//! The dataset: keyspace, entries, encodings, expiry, eviction, RDB bytes. No I/O, no clock.

pub mod encoding;
pub mod float;
pub mod glob;
pub mod hash;
pub mod int;
pub mod rdb;
pub mod table;
