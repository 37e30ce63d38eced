//! Whether a request may run now: the checks between the command table and the handler, in the order clients know.

use crate::server::Server;
use front::Client;
use front::command::{CommandError, Flags, TableEntry};

impl Server {
    /// Checks that do not depend on the request's arguments.
    pub(crate) fn admit(&self, client: &Client, entry: &TableEntry) -> Result<(), CommandError> {
        let flags = entry.spec.flags;
        if !client.authenticated && !flags.has(Flags::NO_AUTH) {
            return Err(CommandError::NoAuth);
        }
        if client.in_subscriber_mode() && !allowed_while_subscribed(&entry.full_name) {
            return Err(CommandError::err(format_args!(
                "Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in \
                 this context",
                entry.full_name
            )));
        }
        Ok(())
    }
}

fn allowed_while_subscribed(name: &str) -> bool {
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
