//! Replication: a master sends its history to replicas byte for byte; a replica applies it and passes it on. The protocol is
//! PSYNC 2 of Redis 7.0.
//!
//! ```text
//! commands -> WriteStream of this turn -> History (offset, backlog) -> replicas            a master
//! bytes of the master -> applied one by one -> History (offset, backlog) -> its replicas   a replica
//! ```

mod backlog;
pub(crate) mod failover;
mod handshake;
mod history;
pub(crate) mod master;
pub(crate) mod replicas;
mod reunion;
pub(crate) mod wait;

use crate::config;
use crate::propagation::WriteStream;
use crate::server::{Server, hex_id};
use backlog::Backlog;
use failover::Failover;
pub(crate) use history::Point;
use history::{Former, History};
use master::{Link, Master};
use replicas::{Phase, Replica};
use reunion::Reunion;

/// See the module.
pub(crate) struct Replication {
    pub(crate) history: History,
    /// Whether this node holds what its history names: it may ask a master to go on from there.
    may_continue: bool,
    /// What this turn's commands changed, for replicas. The AOF has a stream of its own: each begins where it begins, and
    /// PUBLISH is for replicas alone.
    pub(crate) stream: WriteStream,
    /// In the order they came.
    pub(crate) replicas: Vec<Replica>,
    /// Whom this node follows.
    pub(crate) master: Option<Master>,
    /// This node is about to hand its role over.
    pub(crate) failover: Option<Failover>,
    /// This node has started again, and waits for the replicas it had.
    reunion: Option<Reunion>,
    pub(crate) stats: SyncStats,
    /// Clients that WAIT, in order.
    waiting: Vec<front::ClientKey>,
    /// Somebody waits for replicas to tell how far they are.
    asks_for_acks: bool,
    /// Seconds of the monotonic clock.
    last_second: u64,
    last_ping_second: u64,
    /// When the last replica left.
    lonely_since_second: u64,
}

/// Counters of INFO's Stats section.
#[derive(Debug, Default)]
pub(crate) struct SyncStats {
    pub(crate) full: u64,
    pub(crate) partial_ok: u64,
    pub(crate) partial_err: u64,
}

impl Replication {
    pub(crate) fn new(id: String) -> Replication {
        Replication {
            history: History::new(id),
            may_continue: false,
            stream: WriteStream::default(),
            replicas: Vec::new(),
            master: None,
            failover: None,
            reunion: None,
            stats: SyncStats::default(),
            waiting: Vec::new(),
            asks_for_acks: false,
            last_second: 0,
            last_ping_second: 0,
            lonely_since_second: 0,
        }
    }

    /// Whether commands go into the stream for replicas: there is a history to write, and it is this node's own.
    #[inline]
    pub(crate) fn wants_stream(&self) -> bool {
        self.history.backlog.is_some() && self.master.is_none()
    }

    #[inline]
    pub(crate) fn is_replica(&self) -> bool {
        self.master.is_some()
    }

    /// It is not yet known whether a replica has more than this node.
    pub(crate) fn awaits_replicas(&self) -> bool {
        self.reunion.is_some()
    }

    /// The link to the master is up, and what it sends is applied.
    pub(crate) fn is_online(&self) -> bool {
        matches!(&self.master, Some(master) if matches!(master.link, Link::Online { .. }))
    }

    /// Where the history will stand when this turn's changes are in it.
    pub(crate) fn coming_offset(&self) -> u64 {
        self.history.offset + self.stream.pending_bytes() as u64
    }

    /// Keeps at most so many bytes of the history from now on.
    pub(crate) fn resize_backlog(&mut self, bytes: usize) {
        if let Some(backlog) = &mut self.history.backlog {
            backlog.resize(bytes);
        }
    }

    /// Where the dataset will stand in its history when this turn is in it; None without a history that anybody follows.
    pub(crate) fn coming_point(&self, clients: &front::client::Clients) -> Option<Point> {
        self.history.backlog.as_ref()?;
        let (offset, db) = self.coming_place(clients);
        let online = self
            .replicas
            .iter()
            .filter(|replica| replica.phase == Phase::Online);
        Some(Point {
            id: self.history.id.clone(),
            offset,
            db,
            replicas: online.count() as u32,
        })
    }

    /// Where the history will stand when this turn is in it, and in which db the stream will be.
    fn coming_place(&self, clients: &front::client::Clients) -> (u64, u32) {
        match &self.master {
            None => (self.coming_offset(), self.stream.selected_db().unwrap_or(0)),
            Some(master) => master.coming_place(self.history.offset, clients),
        }
    }

    /// Bytes of memory of the backlog.
    pub(crate) fn backlog_memory(&self) -> usize {
        self.history.backlog.as_ref().map_or(0, Backlog::memory)
    }
}

impl Server {
    /// The dataset was loaded, and this is where it stood. A replica goes on from there; a master begins a new history, and
    /// who has all of the former one goes on with it.
    ///
    /// `left_out` are keys, by db, that had expired and were not loaded: replicas are told.
    pub(crate) fn resume_history(&mut self, point: Point, left_out: &[(u64, Box<[u8]>)]) {
        let size = self.backlog_size();
        let history = &mut self.replication.history;
        history.resume(point.offset, size);
        match &mut self.replication.master {
            Some(master) => {
                master.resume_in(point.db);
                history.id = point.id;
                self.replication.may_continue = true;
            }
            None => {
                history.former = Some(Former {
                    id: point.id,
                    end: point.offset + 1,
                    db: point.db,
                });
                for (db, key) in left_out {
                    let db = u32::try_from(*db).expect("the data was loaded");
                    self.replication.stream.append(db, &[b"DEL", key]);
                }
                self.await_replicas(point.replicas);
            }
        }
    }

    fn new_replication_id(&self) -> String {
        hex_id(self.front.clock.read_now_us() as u64 ^ u64::from(std::process::id()) << 40)
    }

    /// Whom the configuration says that this node follows.
    pub(crate) fn configured_master(&self) -> Option<Master> {
        let (host, port) = self.config.text(config::REPLICAOF).split_once(' ')?;
        Some(Master::new(host.into(), port.parse().ok()?))
    }

    pub(crate) fn backlog_size(&self) -> usize {
        self.config.integer(config::REPL_BACKLOG_SIZE) as usize
    }

    /// The end of the turn: what changed becomes history and goes to the replicas.
    pub(crate) fn feed_replicas(&mut self) {
        let replication = &mut self.replication;
        let (bytes, changing) = match &mut replication.master {
            Some(master) => {
                let bytes = master.take_applied();
                let all = bytes.len();
                (bytes, all)
            }
            None => {
                if std::mem::take(&mut replication.asks_for_acks) && replication.wants_stream() {
                    replication
                        .stream
                        .append_anywhere(&[b"REPLCONF", b"GETACK", b"*"]);
                }
                replication.stream.take()
            }
        };
        if bytes.is_empty() {
            return;
        }
        replication.history.append(&bytes, changing);
        for replica in &replication.replicas {
            if replica.takes_stream() {
                self.front.send(replica.key, &bytes);
                // Before any reply leaves: what was acknowledged is on its way even if this process ends now.
                self.front.send_now(replica.key);
            }
        }
        self.stats.net_repl_output_bytes += bytes.len() as u64
            * replication
                .replicas
                .iter()
                .filter(|replica| replica.takes_stream())
                .count() as u64;
        if self.replication.is_replica() {
            self.acknowledge(false);
        }
    }

    /// What is due by the clock.
    pub(crate) fn replication_timers(&mut self) {
        let second = self.front.clock.mono_ms() / 1000;
        let new_second = second != self.replication.last_second;
        self.replication.last_second = second;
        if self.replication.is_replica() {
            self.look_after_link(new_second);
        }
        if new_second {
            self.look_after_replicas(second);
        }
        self.sync_replicas_when_due();
        self.continue_failover();
        self.continue_reunion();
    }

    /// Whether writes wait follows from what the node is about to do.
    pub(crate) fn update_held_writes(&mut self) {
        // Who has handed over refuses them, so that clients look for the successor.
        let held = (self.shutdown.is_some() && !self.replication.is_replica())
            || self.replication.failover.is_some()
            || self.replication.reunion.is_some();
        self.hold_writes(held);
    }

    /// DEBUG CHANGE-REPL-ID: nobody can go on from what this node names so far.
    pub(crate) fn change_replication_id(&mut self) {
        self.replication.history.id = self.new_replication_id();
        self.replication.history.former = None;
    }
}
