//! The command table: every command of a process by name, built once at start from the owners' lists.

use super::spec::CommandSpec;

/// A command's position in the table. Run-time facts (calls, latency, ACL bit) are kept in vectors by this id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(pub u16);

/// One row of the table.
pub struct TableEntry {
    pub spec: &'static CommandSpec,
    /// `get`, or `config|get` for a subcommand.
    pub full_name: String,
    pub parent: Option<CommandId>,
    pub subcommands: Vec<CommandId>,
}
