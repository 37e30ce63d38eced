//! The commands of a data node, in Redis's own groups: one file per command family, one list per group.

pub mod bitmap;
pub mod connection;
pub mod generic;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod list;
pub mod replication;
pub mod scripting;
pub mod server;
pub mod set;
pub mod sorted_set;
pub mod stream;
pub mod string;
pub mod transactions;

use crate::context::Handler;
use front::command::CommandTable;

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
    replication::COMMANDS,
    scripting::COMMANDS,
    server::COMMANDS,
    set::COMMANDS,
    sorted_set::COMMANDS,
    stream::COMMANDS,
    string::COMMANDS,
    transactions::COMMANDS,
];

/// The table of a data node, and what runs each command.
pub fn table() -> (CommandTable, Vec<Option<Handler>>) {
    let mut table = CommandTable::new();
    let mut handlers = Vec::new();
    table.add(front::commands::COMMANDS, &mut handlers, Handler::Front);
    for group in GROUPS {
        table.add(group, &mut handlers, |handler| handler);
    }
    (table, handlers)
}

/// What a command file starts with.
pub(crate) mod prelude {
    pub(crate) use super::Command;
    pub(crate) use crate::context::{DataContext, Handler, OrWrongType, ServerContext};
    pub(crate) use crate::effects::EventClass;
    pub(crate) use crate::words::{decimal, parse_db_index, parse_integer};
    pub(crate) use front::command::*;
}

#[cfg(test)]
mod tests {
    use super::*;
    use front::command::contract;

    #[test]
    fn every_command_keeps_the_contract() {
        assert_eq!(contract::violations(&table().0), Vec::<String>::new());
    }
}
