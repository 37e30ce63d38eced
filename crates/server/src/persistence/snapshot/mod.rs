//! The snapshot that runs: BGSAVE and AOF rewrites write the dataset as it was at one moment, while commands go on changing
//! it. No process is forked: `store::snapshot` keeps what commands are about to change, the data thread lays out a slice
//! of the rest in each turn, and a thread of its own compresses and writes.
//!
//! ```text
//! none -> slices are handed out -> all handed out -> none
//!         (abandoned at any time)  the writer ends
//! ```

pub(crate) mod writer;

use crate::config;
use crate::server::Server;
use front::background::Lane;
use front::{ClientKey, UnixMillis};
use std::sync::Arc;
use std::time::Duration;
use store::rdb::save::Encoder;
use store::snapshot::{Chunk, Garbage, Layout, Progress, Snapshot, WholeLimits};
use writer::{Job, Queue, Target, WriteError};

/// What a snapshot is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// BGSAVE, for this many changes.
    Dump { dirty: u64 },
    /// The base of an AOF.
    AofBase,
    /// The dataset for replicas.
    Replicas,
}

/// See the module.
pub(crate) struct Running {
    number: u64,
    pub(crate) purpose: Purpose,
    /// None once everything was handed out.
    snapshot: Option<Snapshot>,
    queue: Arc<Queue>,
    started: UnixMillis,
    keys_total: usize,
    /// As last seen: bytes copied because they were about to change.
    copied: usize,
    pace: Pace,
}

/// What the writer reports at its end.
pub(crate) struct Written {
    number: u64,
    result: Result<(), WriteError>,
    /// Replicas that got all of it.
    fed: Vec<ClientKey>,
}

/// How long slices may take.
#[derive(Default)]
struct Pace {
    last_slice_us: u64,
    last_busy_us: u64,
    commands_seen: u64,
}

/// A slice when nobody is served.
const IDLE_SLICE_US: u64 = 500;
/// The longest slice while clients are served, and the shortest.
const BUSY_SLICE_US: u64 = 400;
const BUSY_SLICE_MIN_US: u64 = 40;
/// Of the time between slices, so much is spent on the next.
const SLICE_SHARE: u64 = 5;
/// Without commands for this long, nobody is served.
const IDLE_AFTER_US: u64 = 2000;

/// With more than this kept for the writer (commands change more than the disk takes), each turn waits for it a while: so
/// clients are slowed to what the disk does, instead of memory being filled.
const KEPT_BYTES_MAX: usize = 64 << 20;
const KEPT_TOO_MUCH_WAIT: Duration = Duration::from_millis(4);

impl Pace {
    /// How long the slice that begins now may take.
    fn slice_us(&mut self, now_us: u64, commands: u64) -> u64 {
        if commands != self.commands_seen {
            self.commands_seen = commands;
            self.last_busy_us = now_us;
        }
        if now_us - self.last_busy_us > IDLE_AFTER_US {
            return IDLE_SLICE_US;
        }
        let since = now_us.saturating_sub(self.last_slice_us);
        (since / SLICE_SHARE).clamp(BUSY_SLICE_MIN_US, BUSY_SLICE_US)
    }
}

/// Figures for INFO.
pub(crate) struct SnapshotProgress {
    pub(crate) keys_written: usize,
    pub(crate) keys_total: usize,
    /// Bytes copied because they were about to change.
    pub(crate) copied_bytes: usize,
}

/// What snapshots came to since the start.
#[derive(Debug, Default)]
pub(crate) struct SnapshotStats {
    /// Snapshots begun, `total_forks`.
    pub(crate) begun: u64,
    /// How long the last one took to begin, `latest_fork_usec`.
    pub(crate) last_begin_us: u64,
    /// Bytes copied by the last snapshot of each purpose, `rdb_last_cow_size` and `aof_last_cow_size`.
    pub(crate) dump_copied_bytes: usize,
    pub(crate) base_copied_bytes: usize,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing to a writer that is through.
        self.queue.abandon();
    }
}

impl Running {
    pub(crate) fn progress(&self) -> SnapshotProgress {
        SnapshotProgress {
            keys_written: self.queue.keys_written(),
            keys_total: self.keys_total,
            copied_bytes: self
                .snapshot
                .as_ref()
                .map_or(self.copied, Snapshot::bytes_before_changes),
        }
    }

    /// Seconds since it began, as INFO counts them.
    pub(crate) fn seconds(&self, now: UnixMillis) -> i64 {
        now / 1000 - self.started / 1000
    }

    /// Bytes kept for the snapshot beside the dataset.
    pub(crate) fn kept_bytes(&self) -> usize {
        self.queue.bytes() + self.snapshot.as_ref().map_or(0, Snapshot::waiting_bytes)
    }
}

impl Server {
    /// Begins a snapshot of the dataset as it is now; none may be running.
    pub(crate) fn start_snapshot(&mut self, purpose: Purpose, target: Target) {
        assert!(self.snapshot.is_none(), "one snapshot at a time");
        let begun_us = self.front.clock.read_mono_us();
        let mut options = self.rdb_options();
        if matches!(target, Target::Commands { .. }) {
            options.compress = false;
        }
        let layout = Layout {
            compress: options.compress,
            saved_use: self.saved_use(),
            whole: WholeLimits::default(),
        };
        let mut encoder = Encoder::new(options.compress);
        self.put_head(&mut encoder, purpose == Purpose::AofBase);
        let head = Chunk {
            piece: encoder.take(),
            keys: 0,
        };
        let snapshot = Snapshot::begin(&mut self.keyspace, layout);
        let (_, waker) = self.front.background.completion_sender();
        let queue = Arc::new(Queue::new(waker.clone()));
        queue.push([head].into_iter());
        self.snapshot_stats.begun += 1;
        let number = self.snapshot_stats.begun;
        let delay = self.config.integer(config::RDB_KEY_SAVE_DELAY);
        let job = Job {
            disk: self.aof.disk.clone(),
            options,
            key_delay: Duration::from_micros(u64::try_from(delay).unwrap_or(0)),
            now: self.front.clock.now(),
        };
        let shared = queue.clone();
        self.front.background.run(Lane::Snapshot, move || {
            let (result, fed) = job.run(target, &shared);
            Some(Box::new(Written {
                number,
                result,
                fed,
            }))
        });
        self.snapshot = Some(Running {
            number,
            purpose,
            keys_total: snapshot.keys_total(),
            snapshot: Some(snapshot),
            queue,
            started: self.front.clock.now(),
            copied: 0,
            pace: Pace::default(),
        });
        self.snapshot_stats.last_begin_us = self.front.clock.read_mono_us() - begun_us;
        // The turn may have been told to sleep before this began.
        waker.wake();
    }

    /// Hands out the next slice of the snapshot that runs, if any.
    pub(crate) fn advance_snapshot(&mut self) {
        let Some(running) = &mut self.snapshot else {
            return;
        };
        let Some(snapshot) = running.snapshot.as_mut() else {
            return;
        };
        let started_us = self.front.clock.read_mono_us();
        let slice_us = running
            .pace
            .slice_us(started_us, self.stats.commands_processed);
        let (mut chunks, mut garbage) = (Vec::new(), Garbage::default());
        let mut outcome = Ok(Progress::More);
        let mut now_us = started_us;
        while outcome == Ok(Progress::More)
            && now_us - started_us < slice_us
            && !running.queue.is_full()
        {
            outcome = snapshot.step(&mut self.keyspace, &mut chunks, &mut garbage);
            if !chunks.is_empty() {
                running.queue.push(chunks.drain(..));
            }
            now_us = self.front.clock.read_mono_us();
        }
        running.pace.last_slice_us = now_us;
        match outcome {
            Ok(Progress::More) => {
                if running.kept_bytes() > KEPT_BYTES_MAX {
                    running.queue.wait_for_room(KEPT_TOO_MUCH_WAIT);
                }
            }
            Ok(Progress::Done) => {
                running.copied = snapshot.bytes_before_changes();
                if let Some(snapshot) = running.snapshot.take() {
                    snapshot.end(&mut self.keyspace, &mut garbage);
                }
                let mut encoder = Encoder::new(false);
                encoder.eof();
                let end = Chunk {
                    piece: encoder.take(),
                    keys: 0,
                };
                running.queue.push([end].into_iter());
                running.queue.complete();
            }
            Err(store::snapshot::Incomplete) => {
                let purpose = running.purpose;
                self.abandon_snapshot();
                self.snapshot_ended(purpose, Err(WriteError::Abandoned), &[]);
            }
        }
        self.free_snapshot_garbage(garbage);
    }

    fn free_snapshot_garbage(&mut self, garbage: Garbage) {
        if !garbage.is_empty() {
            self.front.background.drop_later(garbage, 0, 0);
        }
    }

    /// Whether a slice could be handed out now.
    pub(crate) fn snapshot_is_due(&self) -> bool {
        self.snapshot
            .as_ref()
            .is_some_and(|running| running.snapshot.is_some() && !running.queue.is_full())
    }

    /// The writer is through.
    pub(crate) fn snapshot_written(&mut self, written: Written) {
        // One that was given up before reports too.
        if self
            .snapshot
            .as_ref()
            .is_none_or(|running| running.number != written.number)
        {
            return;
        }
        let purpose = self.abandon_snapshot().expect("it is running");
        self.snapshot_ended(purpose, written.result, &written.fed);
    }

    fn snapshot_ended(
        &mut self,
        purpose: Purpose,
        result: Result<(), WriteError>,
        fed: &[ClientKey],
    ) {
        match purpose {
            Purpose::Dump { dirty } => self.bgsave_ended(dirty, result),
            Purpose::AofBase => self.base_written(result),
            Purpose::Replicas => self.full_sync_ended(&result, fed),
        }
    }

    /// As [`Server::abandon_snapshot`], and waits a while for the file to be gone: the process is about to end.
    pub(crate) fn abandon_snapshot_and_wait(&mut self) -> Option<Purpose> {
        /// A disk that hangs may hold the writer longer.
        const WAIT: Duration = Duration::from_secs(5);
        let queue = self.snapshot.as_ref()?.queue.clone();
        let purpose = self.abandon_snapshot();
        if !queue.wait_until_finished(WAIT) {
            front::log_warning!("The snapshot's writer does not stop; its temporary file may stay");
        }
        purpose
    }

    /// Forgets the snapshot that runs and returns what it was for. Unless its writer is through, its file goes and the one
    /// before stays.
    pub(crate) fn abandon_snapshot(&mut self) -> Option<Purpose> {
        let mut running = self.snapshot.take()?;
        let copied = running.progress().copied_bytes;
        match running.purpose {
            Purpose::Dump { .. } | Purpose::Replicas => {
                self.snapshot_stats.dump_copied_bytes = copied;
            }
            Purpose::AofBase => self.snapshot_stats.base_copied_bytes = copied,
        }
        let mut garbage = Garbage::default();
        if let Some(snapshot) = running.snapshot.take() {
            snapshot.end(&mut self.keyspace, &mut garbage);
        }
        self.free_snapshot_garbage(garbage);
        Some(running.purpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_take_a_fifth_of_the_time_while_clients_are_served() {
        let mut pace = Pace {
            last_slice_us: 10_000,
            ..Pace::default()
        };
        assert_eq!(pace.slice_us(11_000, 1), 200);
        pace.last_slice_us = 11_000;
        assert_eq!(pace.slice_us(11_010, 2), BUSY_SLICE_MIN_US);
        pace.last_slice_us = 11_050;
        assert_eq!(pace.slice_us(50_000, 3), BUSY_SLICE_US);
    }

    #[test]
    fn slices_are_long_when_nobody_is_served() {
        let mut pace = Pace::default();
        pace.slice_us(10_000, 7);
        assert_eq!(pace.slice_us(10_000 + IDLE_AFTER_US, 7), BUSY_SLICE_US);
        assert_eq!(pace.slice_us(10_001 + IDLE_AFTER_US, 7), IDLE_SLICE_US);
    }
}
