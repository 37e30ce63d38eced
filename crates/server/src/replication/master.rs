//! The replica's side: the link to the master, the dataset that comes over it, and the stream after it.
//!
//! ```text
//! Idle -> Resolving -> Connecting -> Talking -> Receiving -> Settling -> Loading -> Online
//!   ^                                   \___________________________________________/ |
//!   \___________ whatever goes wrong, and when the connection is lost ________________/
//! ```

use super::backlog::Backlog;
use super::handshake::{Handshake, Introduction, Step, Transfer};
use super::history::ID_BYTES;
use crate::config;
use crate::effects::FlushScope;
use crate::persistence::aof::loader::{FileToLoad, Part};
use crate::persistence::disk::{DiskFile, write_all};
use crate::persistence::loading::Then;
use crate::server::Server;
use front::background::Lane;
use front::client::{BlockReason, Clients};
use front::command::CommandError;
use front::log::io_reason;
use front::{ClientClass, ClientKey, LinkEvent, UnixMillis, sentinel_channel};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;

/// Whom this node follows.
pub(crate) struct Master {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) link: Link,
    /// When something came over the link last, in seconds of the monotonic clock.
    pub(crate) last_io_second: u64,
    /// Since when it is down; None: it is up, or was never.
    pub(crate) down_since: Option<UnixMillis>,
    /// The db that the stream has selected where the link broke.
    db: u32,
    /// Tells attempts apart: an answer to an earlier one comes too late.
    attempt: u64,
}

/// See the module.
pub(crate) enum Link {
    /// The next attempt begins in this second of the monotonic clock.
    Idle {
        next_second: u64,
    },
    Resolving,
    Connecting {
        key: ClientKey,
    },
    Talking {
        key: ClientKey,
        handshake: Handshake,
        input: Vec<u8>,
    },
    Receiving(Receiving),
    /// All has come, and is made durable.
    Settling(Arrived),
    Loading(Arrived),
    Online {
        key: ClientKey,
        /// Bytes that were applied in this turn.
        applied: Vec<u8>,
        /// Bytes of a transaction that has not ended: they count when it does.
        unapplied: Vec<u8>,
        /// The offset that the master was told last.
        acknowledged: u64,
    },
}

/// Which dataset comes, or has come.
pub(crate) struct Arrived {
    key: ClientKey,
    id: String,
    offset: u64,
    /// What came behind the dataset: the stream begins with it.
    following: Vec<u8>,
}

/// A dataset on its way into a file.
pub(crate) struct Receiving {
    arrived: Arrived,
    /// The line before the data, as far as it is here.
    head: Vec<u8>,
    transfer: Option<Transfer>,
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    received: u64,
    /// The last bytes received: they may be the mark.
    tail: Vec<u8>,
}

/// What a helper thread has to tell about replication.
pub(crate) enum ReplicationEvent {
    Resolved {
        attempt: u64,
        result: io::Result<SocketAddr>,
    },
    /// The dataset is durable and in its place.
    Settled {
        attempt: u64,
        result: io::Result<u64>,
    },
}

impl Master {
    pub(crate) fn new(host: String, port: u16) -> Master {
        Master {
            host,
            port,
            link: Link::Idle { next_second: 0 },
            last_io_second: 0,
            down_since: None,
            db: 0,
            attempt: 0,
        }
    }

    /// The bytes that were applied since the last call.
    pub(super) fn take_applied(&mut self) -> Vec<u8> {
        match &mut self.link {
            Link::Online { applied, .. } => std::mem::take(applied),
            _ => Vec::new(),
        }
    }

    /// The stream goes on in this db.
    pub(super) fn resume_in(&mut self, db: u32) {
        self.db = db;
    }

    /// Where the history will stand at the end of this turn, if it stands at `offset` now, and in which db.
    pub(super) fn coming_place(&self, offset: u64, clients: &Clients) -> (u64, u32) {
        match &self.link {
            Link::Online { key, applied, .. } => {
                let db = clients.get(*key).map_or(self.db, |client| client.db);
                (offset + applied.len() as u64, db)
            }
            _ => (offset, self.db),
        }
    }

    /// The connection, whatever it is good for yet.
    fn connection(&self) -> Option<ClientKey> {
        match &self.link {
            Link::Idle { .. } | Link::Resolving => None,
            Link::Connecting { key } | Link::Talking { key, .. } | Link::Online { key, .. } => {
                Some(*key)
            }
            Link::Receiving(receiving) => Some(receiving.arrived.key),
            Link::Settling(arrived) | Link::Loading(arrived) => Some(arrived.key),
        }
    }

    /// The state as ROLE names it.
    pub(crate) fn state(&self) -> &'static str {
        match &self.link {
            Link::Idle { .. } | Link::Resolving => "connect",
            Link::Connecting { .. } => "connecting",
            Link::Talking { handshake, .. } if handshake.has_begun() => "handshake",
            Link::Talking { .. } => "connecting",
            Link::Receiving(_) | Link::Settling(_) | Link::Loading(_) => "sync",
            Link::Online { .. } => "connected",
        }
    }

    /// Bytes of a dataset that is on its way: received, and expected if that is known.
    pub(crate) fn transfer(&self) -> Option<(u64, Option<u64>)> {
        match &self.link {
            Link::Receiving(receiving) => {
                let total = match receiving.transfer {
                    Some(Transfer::Bytes(total)) => Some(total),
                    _ => None,
                };
                Some((receiving.received, total))
            }
            Link::Settling(_) | Link::Loading(_) => Some((0, None)),
            _ => None,
        }
    }
}

impl Server {
    /// REPLICAOF: this node follows another one from now on.
    pub(crate) fn follow_master(&mut self, host: String, port: u16) {
        // What this turn has changed is part of the history that the node leaves.
        self.feed_replicas();
        let was_master = !self.replication.is_replica();
        let (_, mut db) = self.replication.coming_place(&self.front.clients);
        self.drop_link();
        self.unblock_all_for_new_role();
        if was_master {
            if let Some(rejoined) = self.replication.history.rejoin() {
                db = rejoined;
                // They may have what is left behind here.
                self.close_replicas();
            }
            self.replication.may_continue = true;
            front::log_notice!(
                "Before turning into a replica, using my own master parameters to synthesize a cached master: I may be able \
                 to synchronize with the new master with just a partial transfer."
            );
        }
        let mut master = Master::new(host, port);
        master.down_since = Some(self.front.clock.now());
        master.resume_in(db);
        self.replication.master = Some(master);
        self.role_changed();
    }

    /// REPLICAOF NO ONE: this node writes its own history from now on.
    pub(crate) fn promote(&mut self) {
        self.feed_replicas();
        let (_, db) = self.replication.coming_place(&self.front.clients);
        self.drop_link();
        self.replication.master = None;
        let id = self.new_replication_id();
        front::log_warning!(
            "Setting secondary replication ID to {}, valid up to offset: {}. New replication ID is {id}",
            self.replication.history.id,
            self.replication.history.offset + 1
        );
        self.replication.history.branch(id, db);
        self.replication.stream.restart();
        self.replication.lonely_since_second = self.front.clock.mono_ms() / 1000;
        // They come again and are told the new id.
        self.close_replicas();
        self.role_changed();
    }

    fn role_changed(&mut self) {
        let words = match &self.replication.master {
            Some(master) => vec![master.host.clone(), master.port.to_string()],
            None => Vec::new(),
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.config
            .set(config::REPLICAOF, &words)
            .expect("a host and a port");
        // A score that the system refuses now was refused before.
        let _ = self.oom_score.follow(&self.config);
        self.front.publish(
            false,
            sentinel_channel::CHANNEL.as_bytes(),
            sentinel_channel::ROLE_CHANGED.as_bytes(),
        );
    }

    /// Clients that wait for a key could wait for ever, or be served by a node that must not.
    fn unblock_all_for_new_role(&mut self) {
        let blocked = self.front.clients.iter().filter_map(|client| {
            let blocked = client.blocked.as_ref()?;
            let waits = matches!(
                blocked.reason,
                BlockReason::Keys | BlockReason::Replicas { .. }
            );
            waits.then_some(client.key)
        });
        for key in blocked.collect::<Vec<_>>() {
            self.refuse_blocked(
                key,
                &CommandError::text(
                    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
                ),
            );
            self.front.close_after_reply(key);
        }
    }

    /// Ends the connection to the master, if there is one. What was applied counts.
    fn drop_link(&mut self) {
        self.feed_replicas();
        let Some(master) = &mut self.replication.master else {
            return;
        };
        let key = master.connection();
        master.attempt += 1;
        let link = std::mem::replace(&mut master.link, Link::Idle { next_second: 0 });
        if let Some(key) = key {
            self.front.close_soon(key);
        }
        if let Link::Receiving(receiving) = &link {
            // What came of it is of no use.
            let _ = self.aof.disk.remove(&receiving.path);
        }
        if matches!(link, Link::Loading(_)) {
            self.abandon_loading();
        }
    }

    /// An attempt failed: the next one begins in a second.
    fn give_up_link(&mut self, reason: &str) {
        front::log_warning!("{reason}");
        self.drop_link();
        let next_second = self.front.clock.mono_ms() / 1000 + 1;
        if let Some(master) = &mut self.replication.master {
            master.link = Link::Idle { next_second };
        }
    }

    /// The timers of the link: attempts, silence, signs of life.
    pub(super) fn look_after_link(&mut self, new_second: bool) {
        let second = self.front.clock.mono_ms() / 1000;
        let timeout = self.config.integer(config::REPL_TIMEOUT) as u64;
        let is_loading = self.is_loading();
        let Some(master) = &mut self.replication.master else {
            return;
        };
        let silent = second > master.last_io_second + timeout;
        match &master.link {
            Link::Idle { next_second } if *next_second <= second && !is_loading => {
                self.start_connecting();
            }
            Link::Connecting { .. } | Link::Talking { .. } if silent => {
                self.give_up_link("Timeout connecting to the MASTER...");
            }
            Link::Receiving(_) if silent => self.give_up_link(
                "Timeout receiving bulk data from MASTER... If the problem persists try to set the 'repl-timeout' parameter \
                 in redis.conf to a larger value.",
            ),
            Link::Online { key, .. } if silent => {
                let key = *key;
                front::log_warning!("MASTER timeout: no data nor PING received...");
                self.front.close_soon(key);
            }
            Link::Online { .. } if new_second => self.acknowledge(true),
            // It would take the node for dead.
            Link::Settling(arrived) | Link::Loading(arrived) if new_second => {
                let key = arrived.key;
                self.front.send(key, b"\n");
            }
            _ => {}
        }
    }

    fn start_connecting(&mut self) {
        let second = self.front.clock.mono_ms() / 1000;
        let Some(master) = &mut self.replication.master else {
            return;
        };
        front::log_notice!("Connecting to MASTER {}:{}", master.host, master.port);
        master.attempt += 1;
        master.last_io_second = second;
        master.link = Link::Resolving;
        let (host, port, attempt) = (master.host.clone(), master.port, master.attempt);
        if let Ok(ip) = host.parse::<IpAddr>() {
            return self.connect_to_master(SocketAddr::new(ip, port));
        }
        // A name server may take its time.
        self.front.background.run(Lane::Names, move || {
            let found = (host.as_str(), port).to_socket_addrs();
            let result = found.and_then(|mut addresses| {
                addresses
                    .next()
                    .ok_or_else(|| io::Error::other("the name has no address"))
            });
            Some(Box::new(ReplicationEvent::Resolved { attempt, result }))
        });
    }

    fn connect_to_master(&mut self, address: SocketAddr) {
        let from = self.config.text(config::BIND_SOURCE_ADDR).parse().ok();
        match self.front.connect(address, from) {
            Ok(key) => {
                if let Some(master) = &mut self.replication.master {
                    master.link = Link::Connecting { key };
                }
                front::log_notice!("MASTER <-> REPLICA sync started");
            }
            Err(error) => {
                self.give_up_link(&format!(
                    "Unable to connect to MASTER: {}",
                    io_reason(&error)
                ));
            }
        }
    }

    /// What a helper thread did for the link.
    pub(crate) fn replication_event(&mut self, event: ReplicationEvent) {
        let current = self
            .replication
            .master
            .as_ref()
            .map(|master| master.attempt);
        match event {
            ReplicationEvent::Resolved { attempt, result } if current == Some(attempt) => {
                match result {
                    Ok(address) => self.connect_to_master(address),
                    Err(error) => self.give_up_link(&format!(
                        "Unable to connect to MASTER: {}",
                        io_reason(&error)
                    )),
                }
            }
            ReplicationEvent::Settled { attempt, result } if current == Some(attempt) => {
                self.dataset_settled(result);
            }
            // It belongs to an attempt that was given up.
            _ => {}
        }
    }

    /// Something happened on the connection to the master while it is not yet served as a client.
    pub(crate) fn master_link_event(&mut self, key: ClientKey, event: LinkEvent<'_>) {
        let second = self.front.clock.mono_ms() / 1000;
        let Some(master) = &mut self.replication.master else {
            return self.front.close_soon(key);
        };
        if master.connection() != Some(key) {
            return self.front.close_soon(key);
        }
        master.last_io_second = second;
        match event {
            LinkEvent::Connected => {
                front::log_notice!("Non blocking connect for SYNC fired the event.");
                let (handshake, request) = Handshake::begin(self.introduction());
                self.front.send(key, &request);
                if let Some(master) = &mut self.replication.master {
                    master.link = Link::Talking {
                        key,
                        handshake,
                        input: Vec::new(),
                    };
                }
            }
            LinkEvent::Received(bytes) => self.link_received(bytes),
            LinkEvent::Lost(error) => {
                let what = match master.link {
                    Link::Connecting { .. } => "Error condition on socket for SYNC",
                    Link::Talking { .. } => "Error reading from the MASTER during the handshake",
                    _ => "I/O error trying to sync with MASTER",
                };
                self.give_up_link(&format!("{what}: {}", io_reason(&error)));
            }
        }
    }

    fn introduction(&self) -> Introduction {
        let text = |id| self.config.text(id).to_string();
        let announced = self.config.integer(config::REPLICA_ANNOUNCE_PORT);
        let port = match announced {
            0 => self.config.integer(config::PORT),
            announced => announced,
        };
        Introduction {
            user: text(config::MASTERUSER),
            password: text(config::MASTERAUTH),
            port: u16::try_from(port).unwrap_or(0),
            ip: text(config::REPLICA_ANNOUNCE_IP),
            next: self
                .replication
                .may_continue
                .then(|| self.replication.history.next()),
            hands_over: self.replication.failover.is_some(),
        }
    }

    fn link_received(&mut self, bytes: &[u8]) {
        self.stats.net_repl_input_bytes += bytes.len() as u64;
        let Some(master) = &mut self.replication.master else {
            return;
        };
        match &mut master.link {
            Link::Talking { input, .. } => {
                input.extend_from_slice(bytes);
                self.talk();
            }
            Link::Receiving(_) => self.dataset_received(bytes),
            _ => {}
        }
    }

    /// Answers the lines that the master has sent.
    fn talk(&mut self) {
        /// No answer of a handshake is longer.
        const LINE_MAX: usize = 16 * 1024;
        loop {
            let Some(Master {
                link:
                    Link::Talking {
                        key,
                        handshake,
                        input,
                    },
                ..
            }) = &mut self.replication.master
            else {
                return;
            };
            let key = *key;
            let Some(end) = input.iter().position(|&byte| byte == b'\n') else {
                if input.len() > LINE_MAX {
                    self.give_up_link("The master's answer in the handshake is too long");
                }
                return;
            };
            let line: Vec<u8> = input.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let step = handshake.line(line.trim_end_matches(['\r', '\n']));
            let rest = match step {
                Step::FullSync { .. } | Step::Continue { .. } => std::mem::take(input),
                _ => Vec::new(),
            };
            match step {
                Step::Wait => {}
                Step::Send(request) => self.front.send(key, &request),
                Step::GiveUp(reason) => {
                    self.give_up_link(&reason);
                    return self.failover_refused();
                }
                Step::FullSync { .. } if self.replication.failover.is_some() => {
                    self.give_up_link("The failover target would not go on from this node's data");
                    return self.failover_refused();
                }
                Step::FullSync { id, offset } => {
                    let arrived = Arrived {
                        key,
                        id,
                        offset,
                        following: Vec::new(),
                    };
                    self.start_receiving(arrived);
                    return self.dataset_received(&rest);
                }
                Step::Continue { id } => return self.continue_stream(key, id, &rest),
            }
        }
    }

    fn continue_stream(&mut self, key: ClientKey, id: Option<String>, received: &[u8]) {
        front::log_notice!("Successful partial resynchronization with master.");
        let (_, db) = self.replication.coming_place(&self.front.clients);
        let history = &mut self.replication.history;
        if let Some(id) = id.filter(|id| *id != history.id) {
            front::log_warning!("Master replication ID changed to {id}");
            history.branch(id, db);
            // They have to hear of it too.
            self.close_replicas();
        }
        let size = self.backlog_size();
        let history = &mut self.replication.history;
        if history.backlog.is_none() {
            history.backlog = Some(Backlog::new(size));
        }
        front::log_notice!("MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.");
        self.stream_begins(key, received);
        if self.replication.failover.is_some() {
            self.end_failover();
            self.role_handed_over();
        }
    }

    /// Who was to take over will not: this node stays the master.
    fn failover_refused(&mut self) {
        if self.replication.failover.is_some() {
            front::log_notice!("Failover target rejected psync request");
            self.promote();
            self.end_failover();
        }
    }

    /// From now on the master's connection is served like a client's.
    fn stream_begins(&mut self, key: ClientKey, received: &[u8]) {
        let second = self.front.clock.mono_ms() / 1000;
        let Some(master) = &mut self.replication.master else {
            return;
        };
        master.last_io_second = second;
        master.down_since = None;
        master.link = Link::Online {
            key,
            applied: Vec::new(),
            unapplied: Vec::new(),
            acknowledged: 0,
        };
        let db = master.db;
        self.replication.may_continue = true;
        self.front.serve_link(key, ClientClass::Master, received);
        if let Some(client) = self.front.clients.get_mut(key) {
            client.db = db;
        }
        self.acknowledge(true);
    }

    fn start_receiving(&mut self, arrived: Arrived) {
        front::log_notice!("Full resync from master: {}:{}", arrived.id, arrived.offset);
        let name = format!(
            "temp-{}.{}.rdb",
            self.front.clock.now() / 1000,
            std::process::id()
        );
        let path = self.dump_path().with_file_name(name);
        match self.aof.disk.create(&path) {
            Ok(file) => {
                if let Some(master) = &mut self.replication.master {
                    master.link = Link::Receiving(Receiving {
                        arrived,
                        head: Vec::new(),
                        transfer: None,
                        file,
                        path,
                        received: 0,
                        tail: Vec::new(),
                    });
                }
            }
            Err(error) => self.give_up_link(&format!(
                "Opening the temp file needed for MASTER <-> REPLICA synchronization: {}",
                io_reason(&error)
            )),
        }
    }

    fn dataset_received(&mut self, bytes: &[u8]) {
        let Some(Master {
            link: Link::Receiving(receiving),
            ..
        }) = &mut self.replication.master
        else {
            return;
        };
        match receiving.take(bytes) {
            Ok(Received::More) => {}
            Ok(Received::All { length, following }) => {
                receiving.arrived.following = following;
                self.settle_dataset(length);
            }
            Err(reason) => self.give_up_link(&reason),
        }
    }

    /// The dataset is here: it is made durable, and takes the place of the former dump.
    fn settle_dataset(&mut self, length: u64) {
        let target = self.dump_path();
        let Some(master) = &mut self.replication.master else {
            return;
        };
        let next = Link::Idle { next_second: 0 };
        let Link::Receiving(receiving) = std::mem::replace(&mut master.link, next) else {
            unreachable!("a dataset was received");
        };
        let attempt = master.attempt;
        let Receiving {
            arrived,
            file,
            path,
            ..
        } = receiving;
        // What the master sends next waits in the network until the dataset is loaded.
        self.front.listen_to(arrived.key, false);
        master.link = Link::Settling(arrived);
        let disk = self.aof.disk.clone();
        self.front.background.run(Lane::Disk, move || {
            let result = file
                .truncate(length)
                .and_then(|()| file.sync())
                .and_then(|()| disk.rename(&path, &target))
                .map(|()| length);
            if result.is_err() {
                // The error that matters is the first.
                let _ = disk.remove(&path);
            }
            Some(Box::new(ReplicationEvent::Settled { attempt, result }))
        });
    }

    fn dataset_settled(&mut self, result: io::Result<u64>) {
        let size = match result {
            Ok(size) => size,
            Err(error) => {
                return self.give_up_link(&format!(
                    "Failed trying to rename the temp DB into {} in MASTER <-> REPLICA synchronization: {}",
                    self.config.text(config::DBFILENAME),
                    io_reason(&error)
                ));
            }
        };
        let backlog = self.backlog_size();
        let Some(master) = &mut self.replication.master else {
            return;
        };
        let next = Link::Idle { next_second: 0 };
        let Link::Settling(arrived) = std::mem::replace(&mut master.link, next) else {
            unreachable!("a dataset was settled");
        };
        master.db = 0;
        let (id, offset) = (arrived.id.clone(), arrived.offset);
        master.link = Link::Loading(arrived);
        // What this node was is over: its replicas have to come again.
        self.close_replicas();
        self.replication.history.follow(id, offset, backlog);
        self.replication.may_continue = false;
        front::log_notice!("MASTER <-> REPLICA sync: Flushing old data");
        self.turn_aof_off();
        self.empty(
            FlushScope::All,
            self.config.bool(config::REPLICA_LAZY_FLUSH),
        );
        self.flush_functions();
        front::log_notice!("MASTER <-> REPLICA sync: Loading DB in memory");
        let path = self.dump_path();
        let file = FileToLoad {
            name: path.display().to_string(),
            path,
            part: Part::Dump,
            size,
        };
        self.start_loading(vec![file], false, Then::Follow);
    }

    /// The master's dataset is loaded: its stream follows.
    pub(crate) fn master_loaded(&mut self) {
        let Some(Master {
            link: Link::Loading(arrived),
            ..
        }) = &mut self.replication.master
        else {
            return;
        };
        let (key, following) = (arrived.key, std::mem::take(&mut arrived.following));
        self.stats.dirty = 0;
        self.rdb.last_save = self.front.clock.now();
        front::log_notice!("MASTER <-> REPLICA sync: Finished with success");
        self.front.listen_to(key, true);
        self.stream_begins(key, &following);
        // What was written before the new dataset came is of no use any more.
        if let Err(reason) = self.follow_appendonly() {
            front::log_warning!(
                "Can't turn the append only file on after the synchronization: {reason}"
            );
        }
    }

    /// The master's dataset cannot be loaded: nothing of it stays.
    pub(crate) fn master_not_loaded(&mut self) {
        self.empty(FlushScope::All, false);
        self.give_up_link(
            "Failed trying to load the MASTER synchronization DB from disk, check server logs.",
        );
    }

    /// A request of the master was served.
    pub(crate) fn master_applied(&mut self, key: ClientKey, bytes: &[u8]) {
        let second = self.front.clock.mono_ms() / 1000;
        let in_transaction = self
            .front
            .clients
            .get(key)
            .is_some_and(|client| client.transaction.is_some());
        let Some(master) = &mut self.replication.master else {
            return;
        };
        let Link::Online {
            key: current,
            applied,
            unapplied,
            ..
        } = &mut master.link
        else {
            return;
        };
        if *current != key {
            return;
        }
        master.last_io_second = second;
        self.stats.net_repl_input_bytes += bytes.len() as u64;
        if in_transaction || !unapplied.is_empty() {
            unapplied.extend_from_slice(bytes);
        } else {
            applied.extend_from_slice(bytes);
        }
        if !in_transaction {
            applied.append(unapplied);
        }
    }

    /// Tells the master how far this node is, if it does not know or wants to hear it again.
    pub(crate) fn acknowledge(&mut self, again: bool) {
        let offset = self.replication.history.offset;
        let Some(Master {
            link: Link::Online {
                key, acknowledged, ..
            },
            ..
        }) = &mut self.replication.master
        else {
            return;
        };
        if *acknowledged == offset && !again {
            return;
        }
        *acknowledged = offset;
        let mut number = itoa::Buffer::new();
        let mut request = Vec::new();
        resp::encode_command(
            &[
                b"REPLCONF".as_slice(),
                b"ACK",
                number.format(offset).as_bytes(),
            ],
            &mut request,
        );
        let key = *key;
        self.front.send(key, &request);
    }

    /// The master's connection is gone.
    pub(crate) fn master_lost(&mut self, key: ClientKey, db: u32) {
        self.feed_replicas();
        let now = self.front.clock.now();
        let Some(master) = &mut self.replication.master else {
            return;
        };
        if !matches!(&master.link, Link::Online { key: current, .. } if *current == key) {
            return;
        }
        front::log_warning!("Connection with master lost.");
        front::log_notice!("Caching the disconnected master state.");
        master.db = db;
        master.down_since = Some(now);
        master.link = Link::Idle { next_second: 0 };
    }
}

/// How far a transfer is.
enum Received {
    More,
    /// The dataset has so many bytes; `following` came behind it.
    All {
        length: u64,
        following: Vec<u8>,
    },
}

impl Receiving {
    /// Takes what came.
    ///
    /// # Errors
    /// What is wrong with it, or with the disk.
    fn take(&mut self, mut bytes: &[u8]) -> Result<Received, String> {
        /// The line before the data is shorter.
        const HEAD_MAX: usize = 1024;
        while self.transfer.is_none() {
            let end = bytes.iter().position(|&byte| byte == b'\n');
            let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
            self.head.extend_from_slice(line);
            bytes = rest;
            if end.is_none() {
                return match self.head.len() {
                    0..=HEAD_MAX => Ok(Received::More),
                    _ => Err("The line before the dataset is too long".into()),
                };
            }
            let line = std::mem::take(&mut self.head);
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            // An empty one only says that the master is still there.
            if !line.is_empty() {
                let transfer = Transfer::parse(line)?;
                front::log_notice!(
                    "MASTER <-> REPLICA sync: receiving {}",
                    match &transfer {
                        Transfer::Bytes(count) => format!("{count} bytes from master to disk"),
                        Transfer::UntilMark(_) =>
                            "streamed RDB from master with EOF to disk".to_string(),
                    }
                );
                self.transfer = Some(transfer);
            }
        }
        let transfer = self.transfer.as_ref().expect("it has begun");
        let (bytes, following) = match transfer {
            Transfer::Bytes(total) => {
                bytes.split_at((total - self.received).min(bytes.len() as u64) as usize)
            }
            // The master waits to be told that the mark was seen.
            Transfer::UntilMark(_) => (bytes, &[][..]),
        };
        write_all(&*self.file, bytes).map_err(|(_, error)| {
            format!(
                "Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA synchronization: {}",
                io_reason(&error)
            )
        })?;
        self.received += bytes.len() as u64;
        match transfer {
            Transfer::Bytes(total) if *total == self.received => Ok(Received::All {
                length: self.received,
                following: following.to_vec(),
            }),
            Transfer::Bytes(_) => Ok(Received::More),
            Transfer::UntilMark(mark) => {
                self.tail
                    .extend_from_slice(&bytes[bytes.len().saturating_sub(ID_BYTES)..]);
                let excess = self.tail.len().saturating_sub(ID_BYTES);
                self.tail.drain(..excess);
                match self.tail == mark {
                    true => Ok(Received::All {
                        length: self.received - ID_BYTES as u64,
                        following: Vec::new(),
                    }),
                    false => Ok(Received::More),
                }
            }
        }
    }
}
