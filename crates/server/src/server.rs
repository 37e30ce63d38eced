//! The state of a data node, and how the event loop drives it.

use crate::blocking::BlockedClients;
use crate::commands;
use crate::context::Handler;
use crate::effects::Effects;
use crate::propagation::WriteStream;
use crate::settings::DataSettings;
use crate::stats::{CommandStats, Stats};
use crate::watch::WatchedKeys;
use front::background::Completion;
use front::client::OwnedArgs;
use front::command::{CommandId, CommandTable};
use front::event_loop::Service;
use front::{Client, ClientKey, Front};
use std::io;
use store::db::{Access, AccessPolicy, ExpiredEntries};
use store::keyspace::Keyspace;

/// A data node. One thread owns it; nothing in it is shared.
pub struct Server {
    pub front: Front,
    pub keyspace: Keyspace,
    pub settings: DataSettings,
    pub effects: Effects,
    /// What this turn's commands changed, on its way to the AOF and the replicas.
    pub write_stream: WriteStream,
    pub blocked: BlockedClients,
    pub watched: WatchedKeys,
    pub stats: Stats,
    /// By command id.
    pub command_stats: Vec<CommandStats>,
    pub(crate) handlers: Vec<Option<Handler>>,
    /// The running command's reply, until it is done.
    pub(crate) reply_scratch: Vec<u8>,
    /// Commands of the running unit (a command, a transaction, a script) to propagate together.
    pub(crate) unit: Vec<(u32, OwnedArgs)>,
    /// How deep commands are nested: 1 in a command, 2 in a command of EXEC.
    pub(crate) depth: u32,
    /// Inside a transaction or a script, where nothing may block.
    pub(crate) deny_blocking: bool,
    pub(crate) stop: bool,
}

impl Server {
    /// An empty node with `databases` dbs.
    ///
    /// # Errors
    /// When the system refuses an event loop.
    pub fn new(databases: usize, seed: u64) -> io::Result<Server> {
        let mut table = CommandTable::new();
        let mut handlers = Vec::new();
        table.add(front::commands::COMMANDS, &mut handlers, Handler::Front);
        for group in commands::GROUPS {
            table.add(group, &mut handlers, |handler| handler);
        }
        let command_stats = (0..table.len()).map(|_| CommandStats::default()).collect();
        Ok(Server {
            front: Front::new(table)?,
            keyspace: Keyspace::new(databases, seed),
            settings: DataSettings::default(),
            effects: Effects::default(),
            write_stream: WriteStream::default(),
            blocked: BlockedClients::default(),
            watched: WatchedKeys::default(),
            stats: Stats::default(),
            command_stats,
            handlers,
            reply_scratch: Vec::new(),
            unit: Vec::new(),
            depth: 0,
            deny_blocking: false,
            stop: false,
        })
    }

    /// How a command that starts now sees and touches entries.
    pub(crate) fn access(&self) -> Access {
        Access {
            now: self.front.clock.now(),
            expired: ExpiredEntries::Delete,
            policy: if self.settings.maxmemory_policy_is_lfu {
                AccessPolicy::Lfu {
                    log_factor: self.settings.lfu_log_factor,
                    decay_minutes: self.settings.lfu_decay_time,
                }
            } else {
                AccessPolicy::Lru
            },
            no_touch: false,
        }
    }

    /// Hands big removed values to the thread that frees them.
    pub(crate) fn free_garbage(&mut self, db: u32) {
        let garbage = self.keyspace.db(db).take_garbage();
        let objects = garbage.len();
        self.front.background.drop_later(Box::new(garbage), objects);
    }

    /// Ends the event loop after this turn.
    pub fn stop(&mut self) {
        self.stop = true;
    }

    /// The name a command has in statistics and errors.
    pub(crate) fn full_name(&self, id: CommandId) -> &str {
        &self.front.table.entry(id).full_name
    }
}

/// How often housekeeping runs without anything else to do, in milliseconds.
const TIMER_MS: u64 = 100;

impl Service for Server {
    fn front(&mut self) -> &mut Front {
        &mut self.front
    }

    fn prefetch(&mut self, client: ClientKey, requests: &[&[&[u8]]]) {
        self.prefetch_keys(client, requests);
    }

    fn execute(&mut self, client: ClientKey, args: &[&[u8]]) {
        self.execute_request(client, args);
    }

    fn run_timers(&mut self) -> u64 {
        self.front.clock.update();
        self.time_out_blocked();
        self.blocked.next_timeout(self.front.clock.now()).unwrap_or(TIMER_MS).min(TIMER_MS)
    }

    fn before_sleep(&mut self) {
        self.write_stream.buffer.clear();
    }

    fn completed(&mut self, _completion: Completion) {}

    fn disconnected(&mut self, client: &mut Client) {
        self.watched.forget(client);
        self.blocked.forget(client);
    }

    fn stopping(&mut self) -> bool {
        self.stop
    }
}
