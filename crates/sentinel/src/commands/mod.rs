//! The commands of a Sentinel: those that every process has, as far as Redis has them here, and its own.

mod info;
mod publish;
mod role;
mod sentinel;
mod shutdown;

use crate::core::Master;
use crate::process::Sentinel;
use front::FrontHandler;
use front::command::{CommandError, CommandResult, CommandTable};
use resp::Writer;

/// What runs a command of a Sentinel.
#[derive(Clone, Copy)]
pub enum Handler {
    Sentinel(SentinelHandler),
    /// Shared with data nodes.
    Front(FrontHandler),
}

pub(crate) type SentinelHandler = fn(&mut SentinelContext<'_>) -> CommandResult;

/// A command of a Sentinel.
pub(crate) type Command = front::command::Command<SentinelHandler>;

/// What such a command may touch.
pub struct SentinelContext<'a> {
    pub(crate) sentinel: &'a mut Sentinel,
    /// The request, command name first.
    pub(crate) args: &'a [&'a [u8]],
    pub(crate) reply: Writer<'a>,
    /// Monotonic milliseconds.
    pub(crate) now: u64,
}

impl SentinelContext<'_> {
    /// Keeps what the command changed, and says whether that worked.
    pub(crate) fn save_and_reply(&mut self) -> CommandResult {
        match self.sentinel.save() {
            true => {
                self.reply.ok();
                Ok(())
            }
            false => Err(CommandError::text(
                "ERR Failed to save config file. Check server logs.",
            )),
        }
    }

    /// The group of a name.
    pub(crate) fn master(&self, name: &[u8]) -> Result<&Master, CommandError> {
        let master = self.sentinel.core.master(name);
        master.ok_or(CommandError::text("ERR No such master with that name"))
    }
}

/// The shared commands that Redis has in Sentinel mode.
const SHARED: &[&str] = &[
    "acl",
    "auth",
    "client",
    "command",
    "hello",
    "ping",
    "psubscribe",
    "punsubscribe",
    "subscribe",
    "unsubscribe",
];

static COMMANDS: &[&Command] = &[
    &info::INFO,
    &publish::PUBLISH,
    &role::ROLE,
    &sentinel::SENTINEL,
    &shutdown::SHUTDOWN,
];

/// The table of a Sentinel, and what runs each command.
pub fn table() -> (CommandTable, Vec<Option<Handler>>) {
    let mut table = CommandTable::new();
    let mut handlers = Vec::new();
    let shared: Vec<_> = front::commands::COMMANDS
        .iter()
        .copied()
        .filter(|command| SHARED.contains(&command.spec.name))
        .collect();
    table.add(&shared, &mut handlers, Handler::Front);
    table.add(COMMANDS, &mut handlers, Handler::Sentinel);
    (table, handlers)
}

/// What a command file starts with.
pub(crate) mod prelude {
    pub(crate) use super::{Command, SentinelContext};
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

    #[test]
    fn every_shared_command_is_there() {
        let (table, _) = table();
        for name in SHARED {
            assert!(table.by_name(name).is_some(), "{name}");
        }
    }
}
