//! Commands that a data node and a Sentinel share.

mod ping;

use crate::FrontHandler;
use crate::command::Command;

/// Every shared command.
pub static COMMANDS: &[&Command<FrontHandler>] = &[&ping::PING, &ping::ECHO];
