//! The master's side: who follows, how each gets the dataset, and that all get what comes after it.

use super::backlog::Backlog;
use super::history::{ID_BYTES, Refusal};
use crate::config;
use crate::persistence::snapshot::Purpose;
use crate::persistence::snapshot::writer::{Peer, Target, WriteError};
use crate::server::{Server, hex_id};
use front::{ClientClass, ClientKey};
use std::time::Duration;

/// A client that follows this node, or has told that it is about to.
pub(crate) struct Replica {
    pub(crate) key: ClientKey,
    pub(crate) phase: Phase,
    pub(crate) port: u16,
    /// The address it wants to be known by.
    pub(crate) ip: Option<String>,
    /// It takes a dataset whose length is not known before.
    takes_marks: bool,
    /// It knows that a history may get another name.
    knows_psync2: bool,
    /// It tells how far it is. Those of long ago, which send SYNC, do not.
    acknowledges: bool,
    /// It wants the dataset and nothing after it.
    pub(crate) dataset_only: bool,
    /// The offset up to which it has applied the history.
    pub(crate) acknowledged: u64,
    /// When it told so, in seconds of the monotonic clock.
    pub(crate) acknowledged_second: u64,
}

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It has only told about itself.
    Introduced,
    /// It waits for a snapshot to begin; `psync`: it will want to be told where in which history.
    Waiting {
        since_ms: u64,
        psync: bool,
    },
    /// A snapshot is on its way; what changes meanwhile is kept for it.
    Receiving,
    /// It has the snapshot, and begins with what follows once it says so.
    Loading,
    Online,
}

impl Replica {
    fn new(key: ClientKey) -> Replica {
        Replica {
            key,
            phase: Phase::Introduced,
            port: 0,
            ip: None,
            takes_marks: false,
            knows_psync2: false,
            acknowledges: true,
            dataset_only: false,
            acknowledged: 0,
            acknowledged_second: 0,
        }
    }

    /// Whether what changes is sent to it, at once or later.
    pub(crate) fn takes_stream(&self) -> bool {
        match self.phase {
            Phase::Introduced | Phase::Waiting { .. } => false,
            Phase::Receiving | Phase::Loading => !self.dataset_only,
            Phase::Online => true,
        }
    }

    /// The state as INFO names it.
    pub(crate) fn state(&self) -> Option<&'static str> {
        match self.phase {
            Phase::Introduced => None,
            Phase::Waiting { .. } => Some("wait_bgsave"),
            Phase::Receiving | Phase::Loading => Some("send_bulk"),
            Phase::Online => Some("online"),
        }
    }
}

/// What REPLCONF tells.
pub(crate) enum Told<'a> {
    Port(u16),
    Ip(&'a str),
    Capability(&'a [u8]),
    DatasetOnly(bool),
}

impl Server {
    /// Notes what a client tells about itself before it follows.
    pub(crate) fn replica_told(&mut self, key: ClientKey, told: &Told<'_>) {
        let replicas = &mut self.replication.replicas;
        let place = replicas.iter().position(|replica| replica.key == key);
        let place = place.unwrap_or_else(|| {
            replicas.push(Replica::new(key));
            replicas.len() - 1
        });
        let replica = &mut replicas[place];
        match told {
            Told::Port(port) => replica.port = *port,
            Told::Ip(ip) => replica.ip = Some((*ip).to_string()).filter(|ip| !ip.is_empty()),
            Told::Capability(name) if name.eq_ignore_ascii_case(b"eof") => {
                replica.takes_marks = true;
            }
            Told::Capability(name) if name.eq_ignore_ascii_case(b"psync2") => {
                replica.knows_psync2 = true;
            }
            Told::Capability(_) => {}
            Told::DatasetOnly(on) => replica.dataset_only = *on,
        }
    }

    /// A replica tells how far it is.
    pub(crate) fn replica_acknowledged(&mut self, key: ClientKey, offset: u64) {
        let second = self.front.clock.mono_ms() / 1000;
        let found = self.replication.replicas.iter_mut();
        let Some(replica) = found.into_iter().find(|replica| replica.key == key) else {
            return;
        };
        replica.acknowledged = replica.acknowledged.max(offset);
        replica.acknowledged_second = second;
        if replica.phase == Phase::Loading {
            self.replica_online(key);
        }
        self.answer_waiting_for_replicas();
    }

    /// The address and port by which a replica is known.
    pub(crate) fn replica_address(&self, replica: &Replica) -> (String, u16) {
        let ip = replica.ip.clone().unwrap_or_else(|| {
            let client = self.front.clients.get(replica.key);
            let host = client.and_then(|client| client.addr.rsplit_once(':'));
            let host = host.map_or("", |(host, _)| host);
            host.trim_start_matches('[').trim_end_matches(']').into()
        });
        (ip, replica.port)
    }

    fn replica_name(&self, key: ClientKey) -> String {
        let replicas = &self.replication.replicas;
        match replicas.iter().find(|replica| replica.key == key) {
            Some(replica) if replica.port != 0 => {
                let (ip, port) = self.replica_address(replica);
                format!("{ip}:{port}")
            }
            _ => match self.front.clients.get(key) {
                Some(client) => client.addr.clone(),
                None => String::new(),
            },
        }
    }

    /// PSYNC and SYNC: a client becomes a replica. `wanted` is the history it followed and the byte it wants next.
    pub(crate) fn add_replica(
        &mut self,
        key: ClientKey,
        wanted: Option<(&[u8], u64)>,
        psync: bool,
    ) {
        self.replica_told(key, &Told::Capability(b""));
        front::log_notice!(
            "Replica {} asks for synchronization",
            self.replica_name(key)
        );
        // What this turn has changed so far is history first: the replica may lack it.
        self.feed_replicas();
        if let Some((id, from)) = wanted {
            let found = self.replication.replicas.iter();
            let replica = found.into_iter().find(|replica| replica.key == key);
            let address = self.replica_address(replica.expect("noted above"));
            let is_ahead = self.replication.history.is_ahead(id, from);
            self.replica_is_back(address, from, is_ahead);
            if is_ahead && self.replication.awaits_replicas() {
                self.front.send(
                    key,
                    b"-NOMASTERLINK Can't SYNC with a replica that has more than its master\r\n",
                );
                return;
            }
        }
        self.front.set_class(key, ClientClass::Replica);
        if let Some((id, from)) = wanted {
            match self.replication.history.missing(id, from) {
                Ok(missing) => {
                    let missing = missing.map(<[u8]>::to_vec);
                    return self.continue_replica(key, &missing, from);
                }
                Err(refusal) => {
                    self.replication.stats.partial_err += u64::from(id != b"?");
                    self.log_refusal(key, refusal, id, from);
                }
            }
        }
        self.replication.stats.full += 1;
        if self.replication.history.backlog.is_none() {
            // What was changed before nobody has counted.
            self.change_replication_id();
            self.replication.history.backlog = Some(Backlog::new(self.backlog_size()));
            front::log_notice!(
                "Replication backlog created, my new replication IDs are '{}' and '{}'",
                self.replication.history.id,
                "0".repeat(ID_BYTES)
            );
        }
        let since_ms = self.front.clock.mono_ms();
        let replica = self.replica_mut(key);
        replica.phase = Phase::Waiting { since_ms, psync };
        replica.acknowledges = psync;
        let delay = self.sync_delay_ms();
        if self.is_writing_snapshot() {
            front::log_notice!(
                "Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC"
            );
        } else if delay > 0 {
            front::log_notice!("Delay next BGSAVE for diskless SYNC");
        }
    }

    fn replica_mut(&mut self, key: ClientKey) -> &mut Replica {
        let found = self.replication.replicas.iter_mut();
        found
            .into_iter()
            .find(|replica| replica.key == key)
            .expect("it was added when it asked")
    }

    fn log_refusal(&self, key: ClientKey, refusal: Refusal, id: &[u8], from: u64) {
        let name = self.replica_name(key);
        if id == b"?" {
            front::log_notice!("Full resync requested by replica {name}");
            return;
        }
        let id = String::from_utf8_lossy(id);
        match refusal {
            Refusal::OtherHistory => front::log_notice!(
                "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '{id}', my replication \
                 IDs are '{}' and '{}')",
                self.replication.history.id,
                self.replication
                    .history
                    .former
                    .as_ref()
                    .map_or("", |former| former.id.as_str())
            ),
            Refusal::NotHeld => front::log_notice!(
                "Unable to partial resync with replica {name} for lack of backlog (Replica request was: {from})."
            ),
        }
    }

    fn continue_replica(&mut self, key: ClientKey, missing: &[Vec<u8>; 2], from: u64) {
        self.replication.stats.partial_ok += 1;
        let second = self.front.clock.mono_ms() / 1000;
        let id = self.replication.history.id.clone();
        let replica = self.replica_mut(key);
        replica.phase = Phase::Online;
        replica.acknowledged_second = second;
        let answer = match replica.knows_psync2 {
            true => format!("+CONTINUE {id}\r\n"),
            false => "+CONTINUE\r\n".to_string(),
        };
        front::log_notice!(
            "Partial resynchronization request from {} accepted. Sending {} bytes of backlog starting from offset {from}.",
            self.replica_name(key),
            missing[0].len() + missing[1].len()
        );
        self.front.send(key, answer.as_bytes());
        for piece in missing {
            self.front.send(key, piece);
        }
    }

    fn sync_delay_ms(&self) -> u64 {
        match self.config.bool(config::REPL_DISKLESS_SYNC) {
            true => self.config.integer(config::REPL_DISKLESS_SYNC_DELAY) as u64 * 1000,
            false => 0,
        }
    }

    /// Begins a snapshot for those who wait, when they have waited long enough for others to join them.
    pub(crate) fn sync_replicas_when_due(&mut self) {
        let now_ms = self.front.clock.mono_ms();
        let waiting = self
            .replication
            .replicas
            .iter()
            .filter_map(|replica| match replica.phase {
                Phase::Waiting { since_ms, .. } => Some(now_ms - since_ms),
                _ => None,
            });
        let (count, longest_ms) = waiting.fold((0, 0), |(count, longest), ms: u64| {
            (count + 1, longest.max(ms))
        });
        let enough = self.config.integer(config::REPL_DISKLESS_SYNC_MAX_REPLICAS);
        let is_due = longest_ms >= self.sync_delay_ms() || (enough > 0 && count >= enough);
        if count == 0
            || !is_due
            || self.is_writing_snapshot()
            || self.is_loading()
            || self.replication.awaits_replicas()
        {
            return;
        }
        self.start_full_sync();
    }

    fn start_full_sync(&mut self) {
        // The snapshot holds what this turn has changed: the history does so first.
        self.feed_replicas();
        let waiting: Vec<(ClientKey, bool, bool)> = self
            .replication
            .replicas
            .iter()
            .filter_map(|replica| match replica.phase {
                Phase::Waiting { psync, .. } => Some((replica.key, psync, replica.takes_marks)),
                _ => None,
            })
            .collect();
        // Who does not know marks is told the length, which only a file has.
        let to_disk = !self.config.bool(config::REPL_DISKLESS_SYNC)
            || waiting.iter().any(|&(_, _, takes_marks)| !takes_marks);
        front::log_notice!(
            "Starting BGSAVE for SYNC with target: {}",
            if to_disk { "disk" } else { "replicas sockets" }
        );
        // The first command that follows selects its db.
        self.replication.stream.restart();
        let answer = format!(
            "+FULLRESYNC {} {}\r\n",
            self.replication.history.id, self.replication.history.offset
        );
        let mut peers = Vec::new();
        for (key, psync, _) in waiting {
            if psync {
                self.front.send(key, answer.as_bytes());
            }
            let socket = self.front.clone_socket(key);
            match socket {
                Ok(socket) if self.front.send_now(key) || !psync => {
                    self.front.hold_output(key);
                    self.replica_mut(key).phase = Phase::Receiving;
                    peers.push(Peer { key, socket });
                }
                _ => self.front.close_soon(key),
            }
        }
        if peers.is_empty() {
            return;
        }
        let random = self.front.clock.read_now_us() as u64;
        let mark = match to_disk {
            true => None,
            false => hex_id(random).into_bytes().try_into().ok(),
        };
        let temp = self
            .dump_path()
            .with_file_name(format!("temp-sync-{}.rdb", std::process::id()));
        let stall = Duration::from_secs(self.config.integer(config::REPL_TIMEOUT) as u64);
        let target = Target::Replicas {
            peers,
            mark,
            temp,
            stall,
        };
        self.start_snapshot(Purpose::Replicas, target);
    }

    /// The snapshot for replicas is over: these have all of it.
    pub(crate) fn full_sync_ended(&mut self, result: &Result<(), WriteError>, fed: &[ClientKey]) {
        let receiving: Vec<ClientKey> = self
            .replication
            .replicas
            .iter()
            .filter(|replica| replica.phase == Phase::Receiving)
            .map(|replica| replica.key)
            .collect();
        match result {
            Ok(()) => front::log_notice!(
                "Background RDB transfer terminated with success, {} replicas still up",
                fed.len()
            ),
            Err(WriteError::Abandoned) => front::log_warning!("Background transfer error"),
            Err(WriteError::Disk(failed, error)) => {
                self.log_save_error("temp-sync.rdb", *failed, error);
                front::log_warning!("Background transfer error");
            }
        }
        let second = self.front.clock.mono_ms() / 1000;
        for key in receiving {
            if result.is_err() || !fed.contains(&key) {
                self.front.close_soon(key);
                continue;
            }
            let replica = self.replica_mut(key);
            replica.acknowledged_second = second;
            if replica.dataset_only {
                front::log_notice!(
                    "RDB transfer completed, rdb only replica ({}) should be disconnected asap",
                    self.replica_name(key)
                );
                self.front.close_soon(key);
            } else if replica.takes_marks && replica.acknowledges {
                replica.phase = Phase::Loading;
            } else {
                self.replica_online(key);
            }
        }
    }

    fn replica_online(&mut self, key: ClientKey) {
        let second = self.front.clock.mono_ms() / 1000;
        let replica = self.replica_mut(key);
        replica.phase = Phase::Online;
        replica.acknowledged_second = second;
        self.front.release_output(key);
        front::log_notice!(
            "Synchronization with replica {} succeeded",
            self.replica_name(key)
        );
    }

    /// A client is gone; it may have been a replica.
    pub(crate) fn forget_replica(&mut self, key: ClientKey) {
        let replicas = &mut self.replication.replicas;
        let Some(place) = replicas.iter().position(|replica| replica.key == key) else {
            return;
        };
        if replicas[place].phase != Phase::Introduced {
            front::log_notice!("Connection with replica {} lost.", self.replica_name(key));
        }
        self.replication.replicas.remove(place);
        if self.replication.replicas.is_empty() {
            self.replication.lonely_since_second = self.front.clock.mono_ms() / 1000;
        }
    }

    /// All replicas have to come again: they followed a history that this node no longer writes.
    pub(crate) fn close_replicas(&mut self) {
        for replica in &self.replication.replicas {
            if replica.phase != Phase::Introduced {
                self.front.close_soon(replica.key);
            }
        }
    }

    /// How many replicas have applied the history up to an offset.
    pub(crate) fn replicas_at(&self, offset: u64) -> usize {
        let replicas = self.replication.replicas.iter();
        replicas
            .filter(|replica| replica.phase == Phase::Online && replica.acknowledged >= offset)
            .count()
    }

    /// Bytes of memory that hold what replicas have not yet taken.
    pub(crate) fn owed_to_replicas(&self) -> usize {
        let replicas = self.replication.replicas.iter();
        let owed = |replica: &Replica| {
            let client = self.front.clients.get(replica.key);
            client.map_or(0, |client| client.output.memory())
        };
        replicas.map(owed).sum()
    }

    /// Replicas that have not told yet that they have the history up to an offset, each described for the log.
    pub(crate) fn lagging_replicas(&self, offset: u64) -> impl Iterator<Item = String> {
        let second = self.front.clock.mono_ms() / 1000;
        let replicas = self.replication.replicas.iter();
        replicas
            .filter(move |replica| {
                replica.phase != Phase::Introduced && replica.acknowledged < offset
            })
            .map(move |replica| {
                format!(
                    "{} reported offset {} behind master, lag={}, state={}.",
                    self.replica_name(replica.key),
                    offset.saturating_sub(replica.acknowledged),
                    second.saturating_sub(replica.acknowledged_second),
                    replica.state().unwrap_or_default()
                )
            })
    }

    /// Replicas that are connected and up to date enough for `min-replicas-to-write`.
    pub(crate) fn good_replicas(&self) -> usize {
        let second = self.front.clock.mono_ms() / 1000;
        let max_lag = self.config.integer(config::MIN_REPLICAS_MAX_LAG) as u64;
        let replicas = self.replication.replicas.iter();
        replicas
            .filter(|replica| {
                let lag = second.saturating_sub(replica.acknowledged_second);
                replica.phase == Phase::Online && lag <= max_lag
            })
            .count()
    }

    /// Whether too few replicas are near for a write to be accepted.
    pub(crate) fn lacks_replicas(&self) -> bool {
        let wanted = self.config.integer(config::MIN_REPLICAS_TO_WRITE);
        wanted > 0
            && self.config.integer(config::MIN_REPLICAS_MAX_LAG) > 0
            && !self.replication.is_replica()
            && (self.good_replicas() as i64) < wanted
    }

    /// Once a second: signs of life in both directions, and the backlog nobody needs goes.
    pub(crate) fn look_after_replicas(&mut self, second: u64) {
        let timeout = self.config.integer(config::REPL_TIMEOUT) as u64;
        let period = self.config.integer(config::REPL_PING_REPLICA_PERIOD) as u64;
        let any = !self.replication.replicas.is_empty();
        // While this node hands over, the offset that its successor must reach stands still.
        let pings = any && self.replication.wants_stream() && self.replication.failover.is_none();
        if pings && second >= self.replication.last_ping_second + period {
            self.replication.last_ping_second = second;
            self.replication.stream.append_anywhere(&[b"PING"]);
        }
        let mut silent = Vec::new();
        for replica in &self.replication.replicas {
            match replica.phase {
                Phase::Waiting { .. } => self.front.send(replica.key, b"\n"),
                Phase::Online
                    if replica.acknowledges && second > replica.acknowledged_second + timeout =>
                {
                    silent.push(replica.key);
                }
                _ => {}
            }
        }
        for key in silent {
            front::log_warning!(
                "Disconnecting timedout replica (streaming sync): {}",
                self.replica_name(key)
            );
            self.front.close_soon(key);
        }
        let ttl = self.config.integer(config::REPL_BACKLOG_TTL) as u64;
        let lonely = second.saturating_sub(self.replication.lonely_since_second);
        if !any && ttl > 0 && lonely > ttl && self.replication.wants_stream() {
            // Whoever comes now would not be told what happens without a backlog.
            self.change_replication_id();
            self.replication.history.backlog = None;
            front::log_notice!(
                "Replication backlog freed after {ttl} seconds without connected replicas."
            );
        }
    }
}
