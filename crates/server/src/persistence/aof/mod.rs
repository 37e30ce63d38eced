//! The append only file: the write stream on disk, from which the node comes back.
//!
//! ```text
//!            CONFIG SET appendonly yes           first rewrite done
//!   Off ------------------------------> Starting ------------------> On
//!    ^         start with appendonly yes --------------------------> On
//!    +------------- CONFIG SET appendonly no --------- Starting, On
//! ```
//! `Starting` collects writes in a temporary incr: without the base that the first rewrite makes, they are nothing to
//! come back from, so what was there before stays valid until then.

mod annotation;
pub(crate) mod base;
mod decoder;
pub(crate) mod files;
mod lifecycle;
pub(crate) mod loader;
pub(crate) mod manifest;
pub(crate) mod rewrite;
pub(crate) mod writer;

use crate::config;
use crate::config::Config;
use crate::persistence::disk::{Disk, DiskFile, RealDisk};
use crate::server::Server;
use annotation::Annotator;
use files::{AofFiles, ReadError};
use front::background::{Background, Lane};
use front::command::CommandError;
use front::log::io_reason;
use front::{Clock, UnixMillis};
use manifest::Manifest;
use rewrite::{Opened, RetryLimit, Rewrite, RewriteStats};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use writer::{Conditions, Fatal, FsyncPolicy, Health, Jobs, Writer};

/// What the directives say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AofSettings {
    pub(crate) policy: FsyncPolicy,
    pub(crate) timestamps: bool,
    pub(crate) load_truncated: bool,
    pub(crate) keep_history: bool,
}

impl AofSettings {
    fn of(config: &Config) -> AofSettings {
        AofSettings {
            policy: match config.text(config::APPENDFSYNC) {
                "always" => FsyncPolicy::Always,
                "no" => FsyncPolicy::No,
                _ => FsyncPolicy::EverySec,
            },
            timestamps: config.bool(config::AOF_TIMESTAMP_ENABLED),
            load_truncated: config.bool(config::AOF_LOAD_TRUNCATED),
            keep_history: config.bool(config::AOF_DISABLE_AUTO_GC),
        }
    }
}

/// See the module.
pub(crate) enum State {
    Off,
    /// None until the first rewrite begins, and after it failed: then nothing is collected.
    Starting(Option<Writer>),
    On(Writer),
}

/// What helper threads report.
pub(crate) enum AofEvent {
    /// The writer has something to look at.
    Synced,
    Opened(Opened),
    Installed(io::Result<Manifest>),
}

/// See the module.
pub(crate) struct Aof {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) settings: AofSettings,
    pub(crate) files: AofFiles,
    pub(crate) manifest: Manifest,
    pub(crate) state: State,
    annotator: Annotator,
    /// The second of the last timestamp annotation.
    last_timestamp: i64,
    /// DEBUG AOF-FLUSH-SLEEP.
    pub(crate) flush_sleep_us: u64,
    /// Bytes of the base.
    pub(crate) base_size: u64,
    /// Bytes of the base and of every incr but the one being written.
    pub(crate) earlier_size: u64,
    /// Bytes of all files after the last rewrite, `aof_base_size`.
    pub(crate) rewrite_base_size: u64,
    pub(crate) rewrite: Rewrite,
    pub(crate) rewrite_stats: RewriteStats,
    /// A rewrite is wanted as soon as it may begin.
    pub(crate) rewrite_scheduled: bool,
    retry_limit: RetryLimit,
}

/// The commit lane as the writer sees it: each finished job wakes the loop.
struct CommitLane<'a>(&'a mut Background);

impl Jobs for CommitLane<'_> {
    fn start(&mut self, job: Box<dyn FnOnce() + Send>) {
        self.0.run(Lane::Commit, move || {
            job();
            Some(Box::new(AofEvent::Synced))
        });
    }
}

impl Aof {
    pub(crate) fn new(config: &Config) -> Aof {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        Aof {
            files: AofFiles::of(disk.clone(), config),
            disk,
            settings: AofSettings::of(config),
            manifest: Manifest::default(),
            state: State::Off,
            annotator: Annotator::default(),
            last_timestamp: 0,
            flush_sleep_us: 0,
            base_size: 0,
            earlier_size: 0,
            rewrite_base_size: 0,
            rewrite: Rewrite::default(),
            rewrite_stats: RewriteStats::default(),
            rewrite_scheduled: false,
            retry_limit: RetryLimit::default(),
        }
    }

    /// Follows changed directives.
    pub(crate) fn configure(&mut self, config: &Config) {
        self.settings = AofSettings::of(config);
    }

    pub(crate) fn is_on(&self) -> bool {
        !matches!(self.state, State::Off)
    }

    /// Whether what commands change is to be collected.
    pub(crate) fn wants_stream(&self) -> bool {
        self.writer().is_some()
    }

    pub(crate) fn writer(&self) -> Option<&Writer> {
        match &self.state {
            State::Off | State::Starting(None) => None,
            State::Starting(Some(writer)) | State::On(writer) => Some(writer),
        }
    }

    fn writer_mut(&mut self) -> Option<&mut Writer> {
        match &mut self.state {
            State::Off | State::Starting(None) => None,
            State::Starting(Some(writer)) | State::On(writer) => Some(writer),
        }
    }

    /// What the write stream brings after `position` goes into this file.
    fn switch_to(&mut self, file: Arc<dyn DiskFile>, position: u64, now: UnixMillis) {
        match &mut self.state {
            State::Off => {}
            State::On(writer) => {
                self.earlier_size += writer.size();
                writer.switch_to(file);
            }
            State::Starting(writer) => *writer = Some(Writer::new(file, 0, position, now)),
        }
    }

    /// The base that makes the collected writes complete is there.
    fn first_rewrite_done(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Off) {
            State::Starting(Some(writer)) => State::On(writer),
            mut other => {
                if let State::On(writer) = &mut other {
                    writer.forget_former();
                }
                other
            }
        };
    }

    /// Gives up what was collected while starting. Returns whether there was something.
    fn stop_collecting(&mut self) -> bool {
        match &mut self.state {
            State::Starting(writer) => writer.take().is_some(),
            _ => false,
        }
    }

    fn has_failed_sync(&self) -> bool {
        self.writer()
            .is_some_and(|writer| matches!(writer.health(), Health::SyncFailed(_)))
    }

    /// Bytes of all files, `aof_current_size`.
    pub(crate) fn current_size(&self) -> u64 {
        self.earlier_size + self.writer().map_or(0, Writer::size)
    }

    fn conditions(&self, clock: &Clock) -> Conditions {
        let (now, mono_us) = (clock.now(), clock.mono_us());
        Conditions {
            now,
            mono_us,
            policy: self.settings.policy,
            skip_sync: false,
            sleep_us: self.flush_sleep_us,
        }
    }

    /// Why writes are refused now, if they are.
    pub(crate) fn refusal(&self) -> Option<CommandError> {
        let error = match self.writer()?.health() {
            Health::Good => return None,
            Health::WriteFailed(error) | Health::SyncFailed(error) => io_reason(error),
        };
        Some(CommandError::Text(
            format!("MISCONF Errors writing to the AOF file: {error}").into(),
        ))
    }
}

impl AofFiles {
    /// Where the directives put the AOF now.
    pub(crate) fn of(disk: Arc<dyn Disk>, config: &Config) -> AofFiles {
        AofFiles {
            disk,
            dir: config.text(config::DIR).into(),
            folder_name: config.text(config::APPENDDIRNAME).into(),
            name: config.text(config::APPENDFILENAME).into(),
        }
    }
}

/// The log lines of a manifest that cannot be used.
pub(crate) fn manifest_report(files: &AofFiles, error: &ReadError) -> Vec<String> {
    match error {
        ReadError::Manifest(error) => error.log_lines(),
        ReadError::Io(error) => vec![format!(
            "Fatal error: can't open the AOF file {} for reading: {}",
            files.manifest_name(),
            io_reason(error)
        )],
    }
}

impl Server {
    /// What the AOF takes next is the start of a file: each file selects its db by itself.
    fn begin_aof_file(&mut self) {
        self.write_stream.restart();
        self.aof.annotator.restart();
    }

    /// The end of a turn: what it changed goes to the AOF, and the gate learns what may leave.
    pub(crate) fn feed_aof(&mut self) {
        let now = self.front.clock.now();
        let position = self.write_stream.end();
        let conditions = self.aof.conditions(&self.front.clock);
        let timestamps = self.aof.settings.timestamps;
        let last_timestamp = &mut self.aof.last_timestamp;
        let (State::On(writer) | State::Starting(Some(writer))) = &mut self.aof.state else {
            return;
        };
        let stream = self.write_stream.since(writer.appended());
        if !stream.is_empty() {
            if timestamps && now / 1000 > *last_timestamp {
                *last_timestamp = now / 1000;
                let annotation = format!("#TS:{last_timestamp}\r\n");
                writer.append(annotation.as_bytes(), position);
            }
            writer.append(stream, position);
        }
        if let Some(point) = self.replication.coming_point(&self.front.clients) {
            let annotations = self.aof.annotator.annotate(&point);
            if !annotations.is_empty() {
                writer.append(annotations.as_bytes(), position);
            }
        }
        self.front.gate.applied(writer.appended());
        let (was_syncing, written) = (writer.is_syncing(), writer.written());
        let started_ns = self.front.clock.read_mono_ns();
        let result = writer.turn_ended(conditions, &mut CommitLane(&mut self.front.background));
        if writer.written() > written {
            let took = Duration::from_nanos(self.front.clock.read_mono_ns() - started_ns);
            let (took, event) = match writer.take_commit_time() {
                // The round that is done ran beside the turns it answers.
                Some(round) => (round, "aof-fsync-always"),
                None if was_syncing => (took, "aof-write-pending-fsync"),
                None => (took, "aof-write-alone"),
            };
            for event in [event, "aof-write"] {
                self.latency.observe(event, took, now / 1000);
            }
        }
        let safe = writer.safe();
        match result {
            Ok(()) => self.front.commit(safe),
            // The gate stays closed: nobody hears of what is not durable.
            Err(fatal) => self.stop_for_disk(&fatal),
        }
    }

    /// What a helper thread reports.
    pub(crate) fn aof_event(&mut self, event: AofEvent) {
        match event {
            // The end of the turn asks for it.
            AofEvent::Synced => {}
            AofEvent::Opened(opened) => self.rewrite_opened(opened),
            AofEvent::Installed(result) => self.rewrite_installed(result),
        }
    }

    fn stop_for_disk(&mut self, fatal: &Fatal) {
        match fatal {
            Fatal::Write(error) => {
                front::log_warning!("Error writing to the AOF file: {}", io_reason(error));
                front::log_warning!(
                    "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting..."
                );
            }
            Fatal::Sync(error) => front::log_warning!(
                "Can't persist AOF for fsync error when the AOF fsync policy is 'always': {}. Exiting...",
                io_reason(error)
            ),
        }
        self.fail();
    }
}
