//! The connection group, as far as it is the data node's.

mod select;
mod session;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[&select::SELECT, &session::QUIT, &session::RESET];
