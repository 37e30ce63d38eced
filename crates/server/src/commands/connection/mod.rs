//! The connection group, as far as it is the data node's.

mod client;
mod select;
mod session;

use super::Command;
pub(super) use client::SUBCOMMANDS as CLIENT_SUBCOMMANDS;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[&select::SELECT, &session::QUIT, &session::RESET];
