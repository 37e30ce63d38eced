//! The server group.

mod bgrewriteaof;
mod config;
mod debug;
mod flush;
mod info;
mod latency;
mod memory;
mod monitor;
mod save;
mod shutdown;
mod slowlog;
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
    &latency::LATENCY,
    &memory::MEMORY,
    &monitor::MONITOR,
    &super::generic::dump::RESTORE_ASKING,
    &save::BGSAVE,
    &save::LASTSAVE,
    &save::SAVE,
    &shutdown::SHUTDOWN,
    &slowlog::SLOWLOG,
    &time::TIME,
];
