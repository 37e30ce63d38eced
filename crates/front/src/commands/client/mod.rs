//! CLIENT: who is connected, and what a connection asks for itself. What its owner has to do for it, as pausing others, it leaves
//! as an [`crate::OwnerTask`].

mod identity;
mod kill;
mod list;
mod pause;
mod session;
mod tracking;
mod unblock;

use crate::ClientClass;
use crate::command::describe;
use crate::command::*;
use crate::{FrontContext, FrontHandler};

pub(crate) static CLIENT: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "client",
        group: Group::Connection,
        summary: "Holds the commands about client connections.",
        since: "2.4.0",
        complexity: "Depends on subcommand.",
        arity: -2,
        ..CommandSpec::BLANK
    },
    body: Body::Container(&[
        &tracking::CACHING,
        &identity::GETNAME,
        &tracking::GETREDIR,
        &HELP,
        &identity::ID,
        &list::INFO,
        &kill::KILL,
        &list::LIST,
        &session::NO_EVICT,
        &pause::PAUSE,
        &session::REPLY,
        &identity::SETNAME,
        &tracking::TRACKING,
        &tracking::TRACKINGINFO,
        &unblock::UNBLOCK,
        &pause::UNPAUSE,
    ]),
};

/// What most subcommands have in common.
const ANY_TIME: Flags = Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE);
const ADMIN_ANY_TIME: Flags = ANY_TIME.and(Flags::ADMIN);

static HELP: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "help",
        group: Group::Connection,
        summary: "Explains the subcommands.",
        since: "5.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::CONNECTION,
        ..CommandSpec::BLANK
    },
    body: Body::Run(help),
};

fn help(cx: &mut FrontContext<'_>) -> CommandResult {
    describe::help(
        &mut cx.reply,
        b"client",
        &[
            (
                "CACHING (YES|NO)",
                "Choose whether the keys of the next command are tracked.",
            ),
            ("GETNAME", "Show the name of this connection."),
            (
                "GETREDIR",
                "Show the connection that messages about changed keys go to.",
            ),
            ("ID", "Show the number of this connection."),
            ("INFO", "Show the facts about this connection."),
            ("KILL <ip:port>", "Close the connection from this address."),
            (
                "KILL <option> <value> [<option> <value> [...]]",
                "Close the connections that all options fit:\n\
                 * ADDR (<ip:port>|<unixsocket>:0): from this address.\n\
                 * LADDR (<ip:port>|<unixsocket>:0): to this address of the server.\n\
                 * ID <id>: of this number.\n\
                 * TYPE (NORMAL|MASTER|REPLICA|PUBSUB): of this type.\n\
                 * USER <username>: of this user.\n\
                 * SKIPME (YES|NO): whether to spare this connection (default: yes).",
            ),
            (
                "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID <id> [<id> ...]]",
                "Show the facts about all connections, those of a type, or those of these\nnumbers.",
            ),
            (
                "NO-EVICT (ON|OFF)",
                "Choose whether this connection may be closed to save memory.",
            ),
            (
                "PAUSE <timeout> [WRITE|ALL]",
                "Let all clients wait, or those that write, for so many milliseconds.",
            ),
            (
                "REPLY (ON|OFF|SKIP)",
                "Choose which commands of this connection get a reply.",
            ),
            ("SETNAME <name>", "Name this connection."),
            (
                "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]] [OPTIN]",
                "         [OPTOUT] [NOLOOP]\n\
                 Turn messages about changed keys on and off.",
            ),
            ("TRACKINGINFO", "Show how this connection tracks keys."),
            (
                "UNBLOCK <clientid> [TIMEOUT|ERROR]",
                "End the wait of a client that is blocked.",
            ),
            ("UNPAUSE", "End CLIENT PAUSE."),
        ],
    );
    Ok(())
}

/// A client class as LIST and KILL name it.
fn parse_class(word: &[u8]) -> Result<ClientClass, CommandError> {
    let names: [(&[u8], ClientClass); 5] = [
        (b"normal", ClientClass::Normal),
        (b"slave", ClientClass::Replica),
        (b"replica", ClientClass::Replica),
        (b"pubsub", ClientClass::PubSub),
        (b"master", ClientClass::Master),
    ];
    names
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name))
        .map(|(_, class)| *class)
        .ok_or_else(|| CommandError::quoting(&[b"ERR Unknown client type '", word, b"'"]))
}

/// `ON` or `OFF`.
fn parse_on_off(word: &[u8]) -> Result<bool, CommandError> {
    match word.to_ascii_lowercase().as_slice() {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err(CommandError::Syntax),
    }
}
