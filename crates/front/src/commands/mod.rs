//! Commands that a data node and a Sentinel share.

mod command;
mod ping;

use crate::FrontHandler;
use crate::command::Command;

/// Every shared command.
pub static COMMANDS: &[&Command<FrontHandler>] = &[&command::COMMAND, &ping::PING, &ping::ECHO];
