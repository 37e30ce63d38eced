//! Gets the write stream into the AOF's current file and makes it durable as `appendfsync` says.
//!
//! - `no` and `everysec`: at the end of a turn the data thread writes what the turn changed, before its answers leave, so
//!   that the end of the process loses nothing. With `everysec` another thread syncs once a second. While it does, the
//!   data thread does not write, since the system would make it wait; after two seconds it does so all the same.
//! - `always`: what turns changed is written and synced by another thread, one round at a time; while a round runs, the
//!   next one gathers. The owner's commit gate keeps every answer until the round that carries its changes is done.
//!
//! When what follows goes to another file, nothing is written there before all of the former file is durable: a power loss
//! may take the end of the last file, and only of that, or the rest would not be what the node once held.
//!
//! A write that fails is taken back and tried again (not with `always`, where the node must stop). A sync that failed is
//! never taken for durable by a later one that succeeds: the system may have dropped the pages. Only a rewrite into new
//! files ends that state.

use crate::persistence::disk::{DiskFile, write_all};
use front::UnixMillis;
use front::log::io_reason;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// `appendfsync`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FsyncPolicy {
    No,
    EverySec,
    Always,
}

/// What the writer needs to know at the end of a turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    pub(crate) now: UnixMillis,
    /// Monotonic, to tell how long a round took.
    pub(crate) mono_us: u64,
    pub(crate) policy: FsyncPolicy,
    /// `no-appendfsync-on-rewrite`, and a snapshot is being written: leave the disk to it.
    pub(crate) skip_sync: bool,
    /// DEBUG AOF-FLUSH-SLEEP.
    pub(crate) sleep_us: u64,
}

/// More than this never waits for a sync: the data thread waits instead.
const GATHER_LIMIT_BYTES: usize = 64 * 1024 * 1024;
/// How long `everysec` puts off a write because a sync runs.
const POSTPONE_LIMIT_MS: UnixMillis = 2000;
/// The same write error is logged this often.
const ERROR_LOG_INTERVAL_MS: UnixMillis = 30_000;

/// Where syncing jobs go: another thread, one at a time in order. Tests run them when they like.
pub(crate) trait Jobs {
    fn start(&mut self, job: Box<dyn FnOnce() + Send>);
}

/// A file being appended to.
struct Segment {
    file: Arc<dyn DiskFile>,
    /// Bytes of it that are whole commands.
    size: u64,
}

/// A file that nothing is appended to any more, and that is not durable yet.
struct Former {
    file: Arc<dyn DiskFile>,
    /// Its last bytes, not yet written.
    rest: Vec<u8>,
}

impl Former {
    /// Writes what is left. On an error the rest is what the file still lacks.
    fn write(&mut self) -> io::Result<()> {
        match write_all(&*self.file, &self.rest) {
            Ok(()) => {
                self.rest = Vec::new();
                Ok(())
            }
            Err((taken, error)) => {
                self.rest.drain(..taken);
                Err(error)
            }
        }
    }
}

/// What runs on the other thread.
enum Job {
    /// Syncs the current file.
    Sync { written: u64 },
    /// Syncs the oldest of the files before it; what becomes of it no longer matters when a base has replaced it meanwhile.
    SyncFormer { file: Arc<dyn DiskFile> },
    /// Writes and syncs a round of `always`.
    Commit {
        up_to: u64,
        sync: bool,
        started_us: u64,
    },
}

/// How a job went.
enum JobResult {
    Done,
    WriteFailed(io::Error),
    SyncFailed(io::Error),
}

/// The errors that end the node with `always`.
#[derive(Debug)]
pub(crate) enum Fatal {
    Write(io::Error),
    Sync(io::Error),
}

/// Whether what was given to the writer reaches the disk.
#[derive(Debug, Default)]
pub(crate) enum Health {
    #[default]
    Good,
    /// The last write failed; it is tried again every turn.
    WriteFailed(io::Error),
    /// A sync failed: the present files may lack anything written before.
    SyncFailed(io::Error),
}

/// See the module.
pub(crate) struct Writer {
    current: Segment,
    /// Oldest first. None is written to before all of the one before it is durable, `current` last.
    former: VecDeque<Former>,
    /// Not yet written to `current`.
    buffer: Vec<u8>,
    /// Positions in the write stream: given to the writer, written, durable.
    appended: u64,
    written: u64,
    synced: u64,
    /// Answers to changes up to here may leave.
    safe: u64,
    job: Option<Job>,
    finished: Arc<Finished>,
    postponed_since: Option<UnixMillis>,
    last_sync: UnixMillis,
    last_error_log: Option<UnixMillis>,
    commit_time: Option<Duration>,
    health: Health,
    /// `aof_delayed_fsync`.
    pub(crate) delayed_syncs: u64,
}

/// How the data thread learns, or waits to learn, how a job went.
#[derive(Default)]
struct Finished {
    result: Mutex<Option<JobResult>>,
    changed: Condvar,
}

impl Finished {
    fn lock(&self) -> MutexGuard<'_, Option<JobResult>> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn set(&self, result: JobResult) {
        *self.lock() = Some(result);
        self.changed.notify_all();
    }
    fn take(&self) -> Option<JobResult> {
        self.lock().take()
    }
    fn wait(&self) -> JobResult {
        let mut result = self.lock();
        loop {
            match result.take() {
                Some(result) => return result,
                None => {
                    result = self
                        .changed
                        .wait(result)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

impl Writer {
    /// Appends to a file of `size` bytes, from a position of the write stream on.
    pub(crate) fn new(
        file: Arc<dyn DiskFile>,
        size: u64,
        position: u64,
        now: UnixMillis,
    ) -> Writer {
        Writer {
            current: Segment { file, size },
            former: VecDeque::new(),
            buffer: Vec::new(),
            appended: position,
            written: position,
            synced: position,
            safe: position,
            job: None,
            finished: Arc::default(),
            postponed_since: None,
            last_sync: now,
            last_error_log: None,
            commit_time: None,
            health: Health::Good,
            delayed_syncs: 0,
        }
    }

    /// Takes what a turn changed; the write stream then ends at `position`.
    pub(crate) fn append(&mut self, bytes: &[u8], position: u64) {
        self.buffer.extend_from_slice(bytes);
        self.appended = position;
    }

    /// Where in the write stream what was given to the writer ends.
    pub(crate) fn appended(&self) -> u64 {
        self.appended
    }

    /// What is appended from now on goes to another file.
    pub(crate) fn switch_to(&mut self, file: Arc<dyn DiskFile>) {
        let old = std::mem::replace(&mut self.current, Segment { file, size: 0 });
        self.former.push_back(Former {
            file: old.file,
            rest: std::mem::take(&mut self.buffer),
        });
    }

    /// Up to where the write stream is in the files.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// How long the round of `always` took that was found done last; told once.
    pub(crate) fn take_commit_time(&mut self) -> Option<Duration> {
        self.commit_time.take()
    }

    /// Answers to changes up to this position may leave.
    pub(crate) fn safe(&self) -> u64 {
        self.safe
    }

    /// Bytes of the current file.
    pub(crate) fn size(&self) -> u64 {
        self.current.size
    }

    /// The current file was cut while it was being read.
    pub(crate) fn set_size(&mut self, size: u64) {
        self.current.size = size;
    }

    /// Bytes not yet written, `aof_buffer_length`.
    pub(crate) fn buffered(&self) -> usize {
        self.buffer.len()
            + self
                .former
                .iter()
                .map(|former| former.rest.len())
                .sum::<usize>()
    }

    /// Whether a job runs, `aof_pending_bio_fsync`.
    pub(crate) fn is_syncing(&self) -> bool {
        self.job.is_some()
    }

    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    /// A base stands for everything before the current file: what could not be done there no longer matters.
    pub(crate) fn forget_former(&mut self) {
        if matches!(self.health, Health::SyncFailed(_)) {
            self.health = Health::Good;
        }
        self.former.clear();
    }

    /// The end of a turn.
    ///
    /// # Errors
    /// With `always`, when something could not be made durable: the node must stop, nothing more may leave.
    pub(crate) fn turn_ended(
        &mut self,
        conditions: Conditions,
        jobs: &mut dyn Jobs,
    ) -> Result<(), Fatal> {
        if self.job.is_some()
            && let Some(result) = self.finished.take()
        {
            self.job_finished(result, conditions)?;
        }
        match conditions.policy {
            FsyncPolicy::Always => {
                if self.buffered() > GATHER_LIMIT_BYTES && self.job.is_some() {
                    let result = self.finished.wait();
                    self.job_finished(result, conditions)?;
                }
                let unsynced = self.synced < self.appended && !conditions.skip_sync;
                if self.job.is_none() && (unsynced || self.buffered() > 0) {
                    self.start_commit(conditions, jobs);
                }
                Ok(())
            }
            // A round of `always` that still runs writes to the file: it comes first.
            _ if matches!(self.job, Some(Job::Commit { .. })) => Ok(()),
            policy => {
                if !self.former.is_empty()
                    && self.job.is_some()
                    && self.buffered() > GATHER_LIMIT_BYTES
                {
                    let result = self.finished.wait();
                    self.job_finished(result, conditions)?;
                }
                self.write_soon(conditions, jobs);
                self.safe = self.appended;
                let second_passed = conditions.now / 1000 > self.last_sync / 1000;
                if policy == FsyncPolicy::EverySec
                    && second_passed
                    && self.job.is_none()
                    && self.written > self.synced
                    && self.former.is_empty()
                    && !conditions.skip_sync
                {
                    self.last_sync = conditions.now;
                    let job = Job::Sync {
                        written: self.written,
                    };
                    self.start_sync(job, self.current.file.clone(), jobs);
                }
                Ok(())
            }
        }
    }

    /// Makes everything durable, waiting for the disk: before a clean end, or before the AOF is turned off or read.
    ///
    /// # Errors
    /// When something could not be written or synced.
    pub(crate) fn finish(&mut self, conditions: Conditions) -> Result<(), Fatal> {
        while self.job.is_some() {
            let result = self.finished.wait();
            self.job_finished(result, conditions)?;
        }
        while let Some(former) = self.former.front_mut() {
            former.write().map_err(Fatal::Write)?;
            former.file.sync().map_err(Fatal::Sync)?;
            self.former.pop_front();
        }
        self.write().map_err(Fatal::Write)?;
        self.current.file.sync().map_err(Fatal::Sync)?;
        self.synced = self.written;
        self.safe = self.appended;
        Ok(())
    }

    fn start_commit(&mut self, conditions: Conditions, jobs: &mut dyn Jobs) {
        let former = std::mem::take(&mut self.former);
        let bytes = std::mem::take(&mut self.buffer);
        let file = self.current.file.clone();
        let sync = !conditions.skip_sync;
        self.job = Some(Job::Commit {
            up_to: self.appended,
            sync,
            started_us: conditions.mono_us,
        });
        // What is on its way belongs to the file: its size is what it will be.
        self.current.size += bytes.len() as u64;
        let finished = self.finished.clone();
        jobs.start(Box::new(move || {
            if conditions.sleep_us > 0 {
                std::thread::sleep(Duration::from_micros(conditions.sleep_us));
            }
            for mut former in former {
                if let Err(error) = former.write() {
                    return finished.set(JobResult::WriteFailed(error));
                }
                if let Err(error) = former.file.sync() {
                    return finished.set(JobResult::SyncFailed(error));
                }
            }
            if let Err((_, error)) = write_all(&*file, &bytes) {
                return finished.set(JobResult::WriteFailed(error));
            }
            finished.set(match sync.then(|| file.sync()) {
                Some(Err(error)) => JobResult::SyncFailed(error),
                _ => JobResult::Done,
            });
        }));
    }

    fn start_sync(&mut self, job: Job, file: Arc<dyn DiskFile>, jobs: &mut dyn Jobs) {
        self.job = Some(job);
        let finished = self.finished.clone();
        jobs.start(Box::new(move || {
            finished.set(match file.sync() {
                Ok(()) => JobResult::Done,
                Err(error) => JobResult::SyncFailed(error),
            });
        }));
    }

    fn job_finished(&mut self, result: JobResult, conditions: Conditions) -> Result<(), Fatal> {
        let job = self.job.take().expect("only a job has a result");
        match (job, result) {
            (
                Job::Commit {
                    up_to,
                    sync,
                    started_us,
                },
                JobResult::Done,
            ) => {
                let took_us = conditions.mono_us.saturating_sub(started_us);
                self.commit_time = Some(Duration::from_micros(took_us));
                self.written = up_to;
                self.safe = up_to;
                if sync {
                    self.synced = up_to;
                    self.last_sync = conditions.now;
                }
                self.write_succeeded();
                Ok(())
            }
            (Job::Commit { .. }, JobResult::WriteFailed(error)) => Err(Fatal::Write(error)),
            (Job::Commit { .. }, JobResult::SyncFailed(error)) => Err(Fatal::Sync(error)),
            (Job::Sync { written }, JobResult::Done) => {
                self.synced = written;
                Ok(())
            }
            (Job::SyncFormer { file }, _) if !self.is_oldest(&file) => Ok(()),
            (Job::SyncFormer { .. }, JobResult::Done) => {
                self.former.pop_front();
                Ok(())
            }
            (_, JobResult::SyncFailed(error) | JobResult::WriteFailed(error)) => {
                if conditions.policy == FsyncPolicy::Always {
                    return Err(Fatal::Sync(error));
                }
                front::log_warning!("Fail to fsync the AOF file: {}", io_reason(&error));
                self.health = Health::SyncFailed(error);
                Ok(())
            }
        }
    }

    /// Writes on this thread, unless a sync that runs would make it wait.
    fn write_soon(&mut self, conditions: Conditions, jobs: &mut dyn Jobs) {
        if !self.former.is_empty() {
            return self.settle_former(conditions, jobs);
        }
        if self.written == self.appended && self.buffered() == 0 {
            self.postponed_since = None;
            return;
        }
        if self.job.is_some() && conditions.policy == FsyncPolicy::EverySec {
            let since = *self.postponed_since.get_or_insert(conditions.now);
            if conditions.now - since < POSTPONE_LIMIT_MS {
                return;
            }
            self.delayed_syncs += 1;
            front::log_notice!(
                "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for \
                 fsync to complete, this may slow down Redis."
            );
        }
        self.postponed_since = None;
        if conditions.sleep_us > 0 {
            std::thread::sleep(Duration::from_micros(conditions.sleep_us));
        }
        match self.write() {
            Ok(()) => self.write_succeeded(),
            Err(error) => self.write_failed(error, conditions.now),
        }
    }

    fn is_oldest(&self, file: &Arc<dyn DiskFile>) -> bool {
        let oldest = self.former.front();
        oldest.is_some_and(|former| Arc::ptr_eq(&former.file, file))
    }

    /// Brings the files before the current one to an end, one after the other.
    fn settle_former(&mut self, conditions: Conditions, jobs: &mut dyn Jobs) {
        // While one is synced there is nothing to do, and after a sync that failed only new files can help.
        if self.job.is_some() || matches!(self.health, Health::SyncFailed(_)) {
            return;
        }
        let Some(oldest) = self.former.front_mut() else {
            return;
        };
        let file = oldest.file.clone();
        match oldest.write() {
            Ok(()) => {
                let job = Job::SyncFormer { file: file.clone() };
                self.start_sync(job, file, jobs);
            }
            Err(error) => self.write_failed(error, conditions.now),
        }
    }

    fn write_failed(&mut self, error: io::Error, now: UnixMillis) {
        let quiet = self
            .last_error_log
            .is_some_and(|at| now - at < ERROR_LOG_INTERVAL_MS);
        if !quiet {
            front::log_warning!("Error writing to the AOF file: {}", io_reason(&error));
            self.last_error_log = Some(now);
        }
        // A failed sync outlasts a failed write.
        if !matches!(self.health, Health::SyncFailed(_)) {
            self.health = Health::WriteFailed(error);
        }
    }

    fn write_succeeded(&mut self) {
        if matches!(self.health, Health::WriteFailed(_)) {
            front::log_warning!("AOF write error looks solved, Redis can write again.");
            self.health = Health::Good;
            self.last_error_log = None;
        }
    }

    /// Writes what is gathered. On an error nothing half-written stays behind, if the system lets us cut it.
    fn write(&mut self) -> io::Result<()> {
        let size = self.current.size;
        match write_all(&*self.current.file, &self.buffer) {
            Ok(()) => {
                self.current.size += self.buffer.len() as u64;
                self.buffer.clear();
                /// A buffer larger than this was rare; its memory goes back.
                const BUFFER_KEPT: usize = 1024 * 1024;
                if self.buffer.capacity() > BUFFER_KEPT {
                    self.buffer = Vec::new();
                }
                self.written = self.appended;
                Ok(())
            }
            Err((0, error)) => Err(error),
            Err((taken, error)) => {
                if let Err(cut) = self.current.file.truncate(size) {
                    front::log_warning!(
                        "Could not remove short write from the append-only file.  Redis may refuse to load the AOF the \
                         next time it starts.  ftruncate: {}",
                        io_reason(&cut)
                    );
                    self.current.size += taken as u64;
                    self.buffer.drain(..taken);
                }
                Err(error)
            }
        }
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
