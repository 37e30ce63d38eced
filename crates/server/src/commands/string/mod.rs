//! The string group.

mod get;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[&get::GET, &get::GETDEL];
