//! The state of a data node, and how the event loop drives it.

use crate::blocking::BlockedClients;
use crate::commands;
use crate::commands::generic::MigrateSockets;
use crate::commands::server::DebugSwitches;
use crate::config::Config;
use crate::context::Handler;
use crate::effects::{Effects, EventClass};
use crate::eviction::Eviction;
use crate::expire_cycle::ExpiryStats;
use crate::memory::MemoryHistory;
use crate::memory::guard::Guard;
use crate::monitor::Monitors;
use crate::oom_score::OomScore;
use crate::pause::Pause;
use crate::persistence::aof::{Aof, AofEvent};
use crate::persistence::loading::Loading;
use crate::persistence::rdb::RdbStatus;
use crate::persistence::shutdown::PendingShutdown;
use crate::persistence::snapshot::{Running, SnapshotStats, Written};
use crate::propagation::{Propagated, WriteStream};
use crate::replication::master::ReplicationEvent;
use crate::replication::{Replication, SyncStats};
use crate::scripting::Scripting;
use crate::settings::DataSettings;
use crate::stats::{CommandStats, Rates, Stats};
use crate::tracking::Tracking;
use crate::watch::WatchedKeys;
use front::background::Completion;
use front::command::CommandId;
use front::event_loop::{Execution, Service};
use front::latency::LatencyMonitor;
use front::slowlog::SlowLog;
use front::{Client, ClientClass, ClientKey, Front, LinkEvent};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use store::db::{Access, AccessPolicy, ExpiredEntries};
use store::keyspace::Keyspace;

/// A data node. One thread owns it; nothing in it is shared.
pub struct Server {
    pub front: Front,
    pub keyspace: Keyspace,
    pub config: Config,
    /// The folder the process works in, as last set by `dir`.
    pub(crate) working_dir: String,
    /// Directives that data commands read, from `config`.
    pub settings: DataSettings,
    /// Keyspace events somebody may listen to.
    pub notify: EventClass,
    pub effects: Effects,
    /// What this turn's commands changed, on its way to the AOF and the replicas.
    pub write_stream: WriteStream,
    pub(crate) aof: Aof,
    /// The dataset is being loaded.
    pub(crate) loading: Option<Box<Loading>>,
    pub(crate) rdb: RdbStatus,
    /// The snapshot that is being written.
    pub(crate) snapshot: Option<Running>,
    pub(crate) snapshot_stats: SnapshotStats,
    pub(crate) migrate_sockets: MigrateSockets,
    pub blocked: BlockedClients,
    pub watched: WatchedKeys,
    pub stats: Stats,
    pub(crate) rates: Rates,
    pub(crate) expiry: ExpiryStats,
    /// Names this process: 40 hexadecimal digits.
    pub(crate) run_id: String,
    pub(crate) replication: Replication,
    pub eviction: Eviction,
    pub memory: MemoryHistory,
    pub guard: Guard,
    pub(crate) oom_score: OomScore,
    /// By command id.
    pub command_stats: Vec<CommandStats>,
    pub(crate) debug: DebugSwitches,
    pub(crate) slowlog: SlowLog,
    pub(crate) latency: LatencyMonitor,
    /// `latency-tracking`: whether calls are sorted into histograms.
    pub(crate) latency_tracking: bool,
    pub(crate) pause: Pause,
    pub(crate) monitors: Monitors,
    pub(crate) tracking: Tracking,
    /// `tracking-table-max-keys`; 0: no limit.
    pub(crate) tracking_table_max_keys: usize,
    /// Whose command runs: what it has to be told waits for its reply.
    pub(crate) running: Option<ClientKey>,
    pub scripting: Scripting,
    pub(crate) handlers: Vec<Option<Handler>>,
    /// By command id: the command looks at keys only to change them.
    pub(crate) quiet_lookups: Vec<bool>,
    /// The running command's reply, until it is done.
    pub(crate) reply_scratch: Vec<u8>,
    /// The reply to a script's command, until it is read.
    pub(crate) script_reply: Vec<u8>,
    /// Commands of the running unit (a command, a transaction, a script) to propagate together.
    pub(crate) unit: Vec<Propagated>,
    /// How deep commands are nested: 1 in a command, 2 in a command of EXEC.
    pub(crate) depth: u32,
    /// Inside a transaction or a script, where nothing may block.
    pub(crate) deny_blocking: bool,
    /// It stops as soon as replicas have all there is.
    pub(crate) shutdown: Option<PendingShutdown>,
    pub(crate) stop: bool,
    /// It stops because it cannot go on; the log says why.
    pub(crate) failed: bool,
    /// Set by SIGTERM and SIGINT.
    pub(crate) stop_requested: Arc<AtomicBool>,
    /// The one that came last.
    pub(crate) stop_signal: Arc<AtomicUsize>,
}

impl Server {
    /// An empty node of a configuration; `seed` starts its random choices.
    ///
    /// # Errors
    /// When the system refuses an event loop, or the configuration cannot be followed here.
    pub fn new(config: Config, seed: u64) -> io::Result<Server> {
        let (mut table, handlers) = commands::table();
        let quiet_lookups = table
            .iter()
            .map(|(_, entry)| !entry.spec.reads_keys())
            .collect();
        let command_stats = (0..table.len()).map(|_| CommandStats::default()).collect();
        for (old, new) in &config.renamed_commands {
            let result = match new.as_str() {
                "" => table.remove(old.as_bytes()),
                new => table.rename(old.as_bytes(), new),
            };
            result.map_err(|error| io::Error::other(format!("rename-command {old}: {error}")))?;
        }
        let mut server = Server {
            front: Front::new(table)?,
            aof: Aof::new(&config),
            loading: None,
            rdb: RdbStatus::default(),
            snapshot: None,
            snapshot_stats: SnapshotStats::default(),
            migrate_sockets: MigrateSockets::default(),
            keyspace: Keyspace::new(config.integer(crate::config::DATABASES) as usize, seed),
            config,
            working_dir: String::new(),
            settings: DataSettings::default(),
            notify: EventClass::NONE,
            effects: Effects::default(),
            write_stream: WriteStream::default(),
            blocked: BlockedClients::default(),
            watched: WatchedKeys::default(),
            stats: Stats::default(),
            rates: Rates::default(),
            expiry: ExpiryStats::default(),
            run_id: hex_id(seed ^ 1),
            replication: Replication::new(hex_id(seed ^ 2)),
            eviction: Eviction::default(),
            memory: MemoryHistory::default(),
            guard: Guard::default(),
            oom_score: OomScore::default(),
            command_stats,
            debug: DebugSwitches::default(),
            slowlog: SlowLog::default(),
            latency: LatencyMonitor::default(),
            latency_tracking: true,
            pause: Pause::default(),
            monitors: Monitors::default(),
            tracking: Tracking::default(),
            tracking_table_max_keys: 0,
            running: None,
            scripting: Scripting::default(),
            handlers,
            quiet_lookups,
            reply_scratch: Vec::new(),
            script_reply: Vec::new(),
            unit: Vec::new(),
            depth: 0,
            deny_blocking: false,
            shutdown: None,
            stop: false,
            failed: false,
            stop_requested: Arc::default(),
            stop_signal: Arc::default(),
        };
        server.apply_config().map_err(|(id, reason)| {
            io::Error::other(format!("{}: {reason}", crate::config::directive(id).name))
        })?;
        server.load_users().map_err(io::Error::other)?;
        server.replication.master = server.configured_master();
        server.memory.startup = front::memory::used();
        Ok(server)
    }

    /// How a command that starts now sees and touches entries.
    pub(crate) fn access(&self) -> Access {
        Access {
            now: self.front.clock.now(),
            expired: if self.is_loading() {
                // What comes next in the file was written while the key was there.
                ExpiredEntries::Keep
            } else if self.pause.is_active() || self.replication.is_replica() {
                ExpiredEntries::Hide
            } else {
                ExpiredEntries::Delete
            },
            policy: if self.settings.maxmemory_policy.counts_uses() {
                AccessPolicy::Lfu {
                    log_factor: self.settings.lfu_log_factor,
                    decay_minutes: self.settings.lfu_decay_time,
                }
            } else {
                AccessPolicy::Lru
            },
            no_touch: false,
            lazy_free: self.settings.lazy_free,
            quiet: false,
            note_misses: self.notify.any(EventClass::KEY_MISS),
            note_new: !self.is_loading() && self.notify.any(EventClass::NEW),
        }
    }

    /// Hands big removed values to the thread that frees them.
    pub(crate) fn free_garbage(&mut self, db: u32) {
        let garbage = self.keyspace.db(db).take_garbage();
        self.front
            .background
            .drop_later(garbage.entries, garbage.lazy, garbage.bytes);
    }

    /// CONFIG RESETSTAT: counters start again from zero.
    pub(crate) fn reset_stats(&mut self) {
        let dirty = self.stats.dirty;
        self.stats = Stats {
            dirty,
            ..Stats::default()
        };
        self.replication.stats = SyncStats::default();
        self.command_stats.fill(CommandStats::default());
        self.rates = Rates::default();
        self.expiry = ExpiryStats::default();
        self.front.stats = Default::default();
        self.front.background.reset_freed_objects();
        self.eviction.reset_stats();
        for (_, db) in self.keyspace.iter_mut() {
            db.stats = Default::default();
        }
    }

    /// Ends the event loop after this turn.
    pub fn stop(&mut self) {
        self.stop = true;
    }

    /// Ends the event loop because the node cannot go on: the process ends with an error, nothing is saved.
    pub(crate) fn fail(&mut self) {
        self.failed = true;
        self.stop = true;
    }

    /// Whether anybody reads what is propagated.
    pub(crate) fn stream_wanted(&self) -> bool {
        self.loading.is_none() && (self.aof.wants_stream() || self.replication.wants_stream())
    }

    /// A command that ran in `db` goes to whoever takes changes.
    pub(crate) fn propagate(&mut self, db: u32, args: &[&[u8]]) {
        if self.aof.wants_stream() {
            self.write_stream.append(db, args);
        }
        if self.replication.wants_stream() {
            self.replication.stream.append(db, args);
        }
    }

    /// The name a command has in statistics and errors.
    pub(crate) fn full_name(&self, id: CommandId) -> &str {
        &self.front.table.entry(id).full_name
    }
}

pub(crate) use front::process::hex_id;

/// How often housekeeping runs without anything else to do, in milliseconds.
const TIMER_MS: u64 = 100;

impl Service for Server {
    fn front(&mut self) -> &mut Front {
        &mut self.front
    }

    fn prefetch(&mut self, requests: &[(ClientKey, &[&[u8]])]) {
        self.prefetch_keys(requests);
    }

    fn execute(&mut self, client: ClientKey, args: &[&[u8]]) -> Execution {
        self.execute_request(client, args)
    }

    fn run_timers(&mut self) -> u64 {
        self.front.clock.update();
        self.obey_signals();
        if self.load_some() {
            return 0;
        }
        self.time_out_blocked();
        let counters = || {
            let front = &self.front.stats;
            [
                self.stats.commands_processed,
                front.net_input_bytes,
                front.net_output_bytes,
            ]
        };
        self.rates.sample(self.front.clock.mono_ms(), counters);
        self.end_due_pause();
        if !self.debug.cron_paused {
            self.limit_tracking_table();
        }
        if !self.is_loading() && !self.debug.cron_paused {
            self.expire_due_keys();
        }
        if !self.debug.cron_paused {
            self.save_when_due();
        }
        self.rewrite_when_due();
        self.replication_timers();
        self.continue_shutdown();
        self.migrate_sockets.close_idle(self.front.clock.now());
        self.look_after_memory();
        if !self.debug.cron_paused {
            self.front.care_for_clients();
        }
        if self.continue_eviction() || self.snapshot_is_due() {
            return 0;
        }
        self.blocked
            .next_timeout(self.front.clock.now())
            .into_iter()
            .chain(self.pause.milliseconds_left(self.front.clock.now()))
            .fold(TIMER_MS, u64::min)
    }

    fn before_sleep(&mut self) {
        self.front.identity.role = Some(match self.replication.is_replica() {
            true => "replica",
            false => "master",
        });
        self.broadcast_invalidations();
        self.feed_aof();
        self.feed_replicas();
        self.switch_incr();
        self.advance_snapshot();
        self.write_stream.turn_done();
    }

    fn completed(&mut self, completion: Completion) {
        match completion.downcast::<AofEvent>() {
            Ok(event) => self.aof_event(*event),
            Err(other) => match other.downcast::<Written>() {
                Ok(written) => self.snapshot_written(*written),
                Err(other) => {
                    if let Ok(event) = other.downcast::<ReplicationEvent>() {
                        self.replication_event(*event);
                    }
                }
            },
        }
    }

    fn applied(&mut self, client: ClientKey, bytes: &[u8]) {
        self.master_applied(client, bytes);
    }

    fn link_event(&mut self, link: ClientKey, event: LinkEvent<'_>) {
        self.master_link_event(link, event);
    }

    fn disconnected(&mut self, client: &mut Client) {
        match client.class {
            ClientClass::Master => self.master_lost(client.key, client.db),
            _ => self.forget_replica(client.key),
        }
        self.watched.forget(client);
        self.blocked.forget(client);
        self.pause.forget(client.key);
        self.monitors.forget(client.key);
        self.tracking.disable(client);
    }

    fn stopping(&mut self) -> bool {
        self.stop
    }
}
