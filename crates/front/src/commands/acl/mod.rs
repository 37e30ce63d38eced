//! ACL: users and what they may do.

mod inspect;
mod log;
mod users;

use crate::FrontHandler;
use crate::command::*;

pub(super) static ACL: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "acl",
        group: Group::Server,
        summary: "Holds the commands about users and their permissions.",
        since: "6.0.0",
        complexity: "Depends on subcommand.",
        arity: -2,
        ..CommandSpec::BLANK
    },
    body: Body::Container(&[
        &inspect::CAT,
        &inspect::DRYRUN,
        &inspect::GENPASS,
        &inspect::GETUSER,
        &inspect::HELP,
        &inspect::LIST,
        &inspect::USERS,
        &inspect::WHOAMI,
        &log::LOG,
        &users::DELUSER,
        &users::LOAD,
        &users::SAVE,
        &users::SETUSER,
    ]),
};

/// Of subcommands that anybody may run.
const PLAIN: Flags = Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE);
/// Of subcommands that show or change other users.
const ADMIN: Flags = PLAIN.and(Flags::ADMIN);

/// A wrong number of words that the arity alone does not show.
fn too_many_words(subcommand: &[u8]) -> CommandError {
    CommandError::quoting(&[
        b"ERR unknown subcommand or wrong number of arguments for '",
        subcommand,
        b"'. Try ACL HELP.",
    ])
}
