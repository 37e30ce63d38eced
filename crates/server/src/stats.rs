//! Counters that INFO shows.

use std::collections::BTreeMap;

/// Counters of one command.
#[derive(Clone, Debug, Default)]
pub struct CommandStats {
    pub calls: u64,
    pub usec: u64,
    pub rejected_calls: u64,
    pub failed_calls: u64,
}

/// Counters of the whole node.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub commands_processed: u64,
    pub expired_keys: u64,
    pub evicted_keys: u64,
    pub error_replies: u64,
    /// Error replies by code.
    pub errors: BTreeMap<String, u64>,
    /// Changes since the last successful save.
    pub dirty: u64,
}
