//! The connection group, as far as it is the data node's.

mod client;
mod hello;
mod select;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &client::CLIENT,
    &hello::AUTH,
    &hello::HELLO,
    &hello::QUIT,
    &hello::RESET,
    &select::SELECT,
];
