//! Whether a request may run now: the checks between the command table and the handler, in the order clients know.

use crate::config::{DirectiveId, ENABLE_DEBUG_COMMAND};
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
        if flags.has(Flags::ADMIN)
            && entry.full_name == "debug"
            && !self.allows_protected(ENABLE_DEBUG_COMMAND, client)
        {
            return Err(CommandError::text(
                "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it \
                 from a local connection, otherwise you need to set this option in the configuration file, and then \
                 restart the server.",
            ));
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

    /// Whether a directive of `no`, `yes` and `local` lets this client do what it protects.
    pub(crate) fn allows_protected(&self, directive: DirectiveId, client: &Client) -> bool {
        match self.config.text(directive) {
            "yes" => true,
            "local" => client.is_local(),
            _ => false,
        }
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
