//! The set group.

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[];
