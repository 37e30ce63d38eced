//! The dataset: keyspace, entries, encodings, expiry, eviction, RDB bytes. No I/O, no clock.

pub mod bits;
pub mod db;
pub mod digest;
pub mod element;
pub mod encoding;
pub mod entry;
mod epoch;
pub mod eviction;
pub mod float;
pub mod geohash;
pub mod hash;
pub mod hyperloglog;
pub mod int;
pub mod keyspace;
pub mod lcs;
pub mod memory;
pub mod random;
pub mod rdb;
pub mod snapshot;
pub mod table;
pub mod value;
