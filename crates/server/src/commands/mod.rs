//! The commands of a data node, in Redis's own groups: one file per command family, one list per group.

pub mod bitmap;
pub mod connection;
pub mod generic;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod list;
pub mod pubsub;
pub mod server;
pub mod set;
pub mod sorted_set;
pub mod string;
pub mod transactions;

use crate::context::Handler;

/// A command of a data node.
pub type Command = front::command::Command<Handler>;

/// Every group's list.
pub static GROUPS: &[&[&Command]] = &[
    bitmap::COMMANDS,
    connection::COMMANDS,
    generic::COMMANDS,
    geo::COMMANDS,
    hash::COMMANDS,
    hyperloglog::COMMANDS,
    list::COMMANDS,
    pubsub::COMMANDS,
    server::COMMANDS,
    set::COMMANDS,
    sorted_set::COMMANDS,
    string::COMMANDS,
    transactions::COMMANDS,
];

/// What a command file starts with.
pub(crate) mod prelude {
    pub(crate) use super::Command;
    pub(crate) use crate::context::{DataContext, Handler, OrWrongType, ServerContext};
    pub(crate) use crate::effects::EventClass;
    pub(crate) use crate::words::{decimal, parse_integer};
    pub(crate) use front::command::*;
}
