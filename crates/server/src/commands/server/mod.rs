//! The server group.

mod bgrewriteaof;
mod config;
mod debug;
mod flush;
mod info;
mod memory;
mod monitor;
mod shutdown;
mod time;

use super::Command;
pub(crate) use debug::DebugSwitches;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &bgrewriteaof::BGREWRITEAOF,
    &config::CONFIG,
    &debug::DEBUG,
    &flush::DBSIZE,
    &flush::FLUSHALL,
    &flush::FLUSHDB,
    &flush::SWAPDB,
    &info::INFO,
    &memory::MEMORY,
    &monitor::MONITOR,
    &shutdown::SHUTDOWN,
    &time::TIME,
];
