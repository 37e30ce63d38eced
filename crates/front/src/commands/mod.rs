//! Commands that a data node and a Sentinel share.

mod acl;
mod client;
mod command;
mod hello;
mod ping;
mod pubsub;

use crate::FrontHandler;
use crate::command::Command;

/// Every shared command.
pub static COMMANDS: &[&Command<FrontHandler>] = &[
    &acl::ACL,
    &client::CLIENT,
    &command::COMMAND,
    &hello::AUTH,
    &hello::HELLO,
    &ping::ECHO,
    &ping::PING,
    &pubsub::PSUBSCRIBE,
    &pubsub::PUBLISH,
    &pubsub::PUBSUB,
    &pubsub::PUNSUBSCRIBE,
    &pubsub::SPUBLISH,
    &pubsub::SSUBSCRIBE,
    &pubsub::SUBSCRIBE,
    &pubsub::SUNSUBSCRIBE,
    &pubsub::UNSUBSCRIBE,
];

/// Whether a RESP2 client that listens to channels may send this command.
pub fn allowed_while_subscribed(name: &str) -> bool {
    matches!(
        name,
        "ping"
            | "subscribe"
            | "ssubscribe"
            | "psubscribe"
            | "unsubscribe"
            | "sunsubscribe"
            | "punsubscribe"
            | "quit"
            | "reset"
    )
}
