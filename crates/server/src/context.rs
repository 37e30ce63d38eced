//! What a data node's command gets to work with. The type says how far it may reach.

use crate::effects::Effects;
use crate::server::Server;
use crate::settings::DataSettings;
use front::command::{CommandError, CommandResult};
use front::{ClientKey, FrontHandler, UnixMillis};
use resp::Writer;
use store::db::{Db, WrongType};

/// What runs a command of a data node.
#[derive(Clone, Copy)]
pub enum Handler {
    /// Works on one db: most commands.
    Data(fn(&mut DataContext<'_>) -> CommandResult),
    /// Needs more of the node: several dbs, configuration, persistence, other clients.
    Server(fn(&mut ServerContext<'_>) -> CommandResult),
    /// Shared with Sentinel.
    Front(FrontHandler),
}

/// What a command on one db may touch.
pub struct DataContext<'a> {
    pub db: &'a mut Db,
    /// The request, command name first.
    pub args: &'a [&'a [u8]],
    pub reply: Writer<'a>,
    pub effects: &'a mut Effects,
    pub settings: &'a DataSettings,
    /// The time, fixed for the whole command.
    pub now: UnixMillis,
    /// Blocking is not possible here (inside MULTI or a script): a blocking command answers as if its time were up.
    pub deny_blocking: bool,
    /// The command came from the master or the AOF: it is applied as it is.
    pub from_master: bool,
}

/// What a command that needs the whole node may touch.
pub struct ServerContext<'a> {
    pub server: &'a mut Server,
    pub client: ClientKey,
    /// The request, command name first.
    pub args: &'a [&'a [u8]],
    /// Where the reply goes. It reaches the client after everything that was sent to it meanwhile.
    pub reply: Writer<'a>,
    /// The time, fixed for the whole command.
    pub now: UnixMillis,
    /// The db the client has selected.
    pub db: u32,
    /// Blocking is not possible here (inside MULTI or a script).
    pub deny_blocking: bool,
    /// As [`DataContext::from_master`].
    pub from_master: bool,
}

impl ServerContext<'_> {
    /// What a command on the selected db needs.
    pub fn data(&mut self) -> DataContext<'_> {
        let server = &mut *self.server;
        DataContext {
            db: server.keyspace.db(self.db),
            args: self.args,
            reply: self.reply.reborrow(),
            effects: &mut server.effects,
            settings: &server.settings,
            now: self.now,
            deny_blocking: self.deny_blocking,
            from_master: self.from_master,
        }
    }
    /// The db the client has selected.
    pub fn db(&mut self) -> &mut Db {
        self.server.keyspace.db(self.db)
    }
    /// What the command notes for `execute` to perform.
    pub fn effects(&mut self) -> &mut Effects {
        &mut self.server.effects
    }
    /// The client that sent the command.
    pub fn client(&mut self) -> &mut front::Client {
        self.server
            .front
            .clients
            .get_mut(self.client)
            .expect("a client outlives its command")
    }
}

/// Turns the store's one error into the wire's.
pub trait OrWrongType<T> {
    /// # Errors
    /// `CommandError::WrongType` for `WrongType`.
    fn or_wrong_type(self) -> Result<T, CommandError>;
}

impl<T> OrWrongType<T> for Result<T, WrongType> {
    #[inline]
    fn or_wrong_type(self) -> Result<T, CommandError> {
        self.map_err(|WrongType| CommandError::WrongType)
    }
}
