//! The server group.

mod config;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[&config::CONFIG];
