//! The server group.

mod config;
mod flush;
mod info;
mod shutdown;
mod time;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &config::CONFIG,
    &flush::DBSIZE,
    &flush::FLUSHALL,
    &flush::FLUSHDB,
    &flush::SWAPDB,
    &info::INFO,
    &shutdown::SHUTDOWN,
    &time::TIME,
];
