//! Commands that a data node and a Sentinel share.

mod acl;
mod command;
mod ping;
mod pubsub;

use crate::FrontHandler;
use crate::command::Command;

/// Every shared command.
pub static COMMANDS: &[&Command<FrontHandler>] = &[
    &acl::ACL,
    &command::COMMAND,
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
