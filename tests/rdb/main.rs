//! RDB files from outside: random datasets that go to redis-server and come from it, what damage does, what a node saves
//! and when.

#![allow(
    clippy::unwrap_used,
    reason = "a test helper that fails should fail the test"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "black-box tests wait in real time"
)]

mod bgsave;
mod damage;
mod exchange;
mod fill;
mod migrate;
mod save;

const DUMP: &str = "dump.rdb";
