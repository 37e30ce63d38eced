//! Whether a request may run now: the checks between the command table and the handler, in the order clients know.

use crate::config::{
    DirectiveId, ENABLE_DEBUG_COMMAND, REPLICA_READ_ONLY, REPLICA_SERVE_STALE_DATA,
};
use crate::server::Server;
use front::acl::LogContext;
use front::command::{CommandError, CommandId, Flags};
use front::commands::allowed_while_subscribed;
use front::{Client, ClientClass, ClientKey};

/// What a replica answers that has lost its master and is not to serve what it still has.
pub(crate) const MASTER_DOWN: &str =
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";

/// What changes the dataset or looks at it.
const TOUCHES_KEYSPACE: Flags = Flags::WRITE.and(Flags::READONLY).and(Flags::MAY_REPLICATE);

impl Server {
    /// Everything that may stand in the way of a request that is known and complete.
    pub(crate) fn admit(
        &mut self,
        key: ClientKey,
        id: CommandId,
        args: &[&[u8]],
    ) -> Result<(), CommandError> {
        let entry = self.front.table.entry(id);
        let flags = entry.spec.flags;
        // What the master did is done; nobody asks whether it may be.
        if self.client_of(key).class == ClientClass::Master {
            return Ok(());
        }
        if flags.has(Flags::PROTECTED)
            && !self.allows_protected(ENABLE_DEBUG_COMMAND, self.client_of(key))
        {
            return Err(CommandError::text(
                "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it \
                 from a local connection, otherwise you need to set this option in the configuration file, and then \
                 restart the server.",
            ));
        }
        if !flags.has(Flags::NO_AUTH) && self.front.needs_login(key) {
            return Err(CommandError::NoAuth);
        }
        if self.client_of(key).transaction.is_some() && flags.has(Flags::NO_MULTI) {
            return Err(CommandError::text(
                "ERR Command not allowed inside a transaction",
            ));
        }
        self.check_permission(key, id, args)?;
        self.check_memory(key, id)?;
        let client = self.client_of(key);
        let entry = self.front.table.entry(id);
        // EXEC does what it has queued.
        let all_flags = match &client.transaction {
            Some(transaction) if entry.full_name == "exec" => flags.and(transaction.flags),
            _ => flags,
        };
        if (all_flags.has(Flags::WRITE) || entry.full_name == "ping")
            && !self.replication.is_replica()
            && let Some(error) = self.save_refusal().or_else(|| self.aof.refusal())
        {
            return Err(error);
        }
        if all_flags.has(Flags::WRITE)
            && let Some(error) = self.write_refusal()
        {
            return Err(error);
        }
        if client.in_subscriber_mode() && !allowed_while_subscribed(&entry.full_name) {
            return Err(CommandError::err(format_args!(
                "Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in \
                 this context",
                entry.full_name
            )));
        }
        if self.serves_no_stale_data() && !self.is_fine_when_stale(client, flags) {
            return Err(CommandError::text(MASTER_DOWN));
        }
        if self.is_loading() && !flags.has(Flags::LOADING) {
            return Err(CommandError::Loading);
        }
        if let Some(error) = self.busy_error()
            && !flags.has(Flags::ALLOW_BUSY)
        {
            return Err(error);
        }
        // A monitor only listens, like a replica.
        if (client.monitor || client.class == ClientClass::Replica) && flags.any(TOUCHES_KEYSPACE) {
            return Err(CommandError::text(
                "ERR Replica can't interact with the keyspace",
            ));
        }
        Ok(())
    }

    /// Why a write cannot be accepted by a node in this role, if so.
    pub(crate) fn write_refusal(&self) -> Option<CommandError> {
        if self.lacks_replicas() {
            return Some(CommandError::text(
                "NOREPLICAS Not enough good replicas to write.",
            ));
        }
        if self.replication.is_replica() && self.config.bool(REPLICA_READ_ONLY) {
            return Some(CommandError::text(
                "READONLY You can't write against a read only replica.",
            ));
        }
        None
    }

    /// A replica without its master may hold old data, and its owner does not want that served.
    pub(crate) fn serves_no_stale_data(&self) -> bool {
        self.replication.is_replica()
            && !self.replication.is_online()
            && !self.config.bool(REPLICA_SERVE_STALE_DATA)
    }

    fn is_fine_when_stale(&self, client: &Client, flags: Flags) -> bool {
        let queued = client.transaction.iter().flat_map(|queue| &queue.queued);
        let mut queued = queued.map(|(id, _)| self.front.table.entry(*id).spec.flags);
        flags.has(Flags::STALE) && queued.all(|flags| flags.has(Flags::STALE))
    }

    /// Whether a directive of `no`, `yes` and `local` lets this client do what it protects.
    pub(crate) fn allows_protected(&self, directive: DirectiveId, client: &Client) -> bool {
        match self.config.text(directive) {
            "yes" => true,
            "local" => client.is_local(),
            _ => false,
        }
    }

    pub(crate) fn client_of(&self, key: ClientKey) -> &Client {
        self.front
            .clients
            .get(key)
            .expect("the client sent a request")
    }

    /// EXEC's second look at a command that was allowed when it was queued.
    pub(crate) fn check_queued(
        &mut self,
        key: ClientKey,
        id: CommandId,
        args: &[&[u8]],
    ) -> Result<(), CommandError> {
        let Some(client) = self.front.clients.get(key) else {
            return Ok(());
        };
        let checked = self
            .front
            .acl
            .check(&self.front.table, client.user, id, args);
        checked.map_err(|denied| {
            self.front.log_denied(key, id, args, denied, LogContext::Multi);
            let reason = denied.reason_at_exec();
            CommandError::Text(
                format!(
                    "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. \
                     This command is no longer allowed for the following reason: {reason}"
                )
                .into(),
            )
        })
    }

    /// Whether the client's user may do this; a denial goes to the ACL log.
    pub(crate) fn check_permission(
        &mut self,
        key: ClientKey,
        id: CommandId,
        args: &[&[u8]],
    ) -> Result<(), CommandError> {
        let client = self.client_of(key);
        let checked = self
            .front
            .acl
            .check(&self.front.table, client.user, id, args);
        let Err(denied) = checked else {
            return Ok(());
        };
        let context = match client.transaction {
            Some(_) => LogContext::Multi,
            None => LogContext::TopLevel,
        };
        self.front.log_denied(key, id, args, denied, context);
        Err(denied.error(&self.front.table.entry(id).full_name))
    }
}
