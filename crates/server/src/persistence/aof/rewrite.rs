//! Rewriting the AOF: a new base of what the keyspace holds at one point of the write stream, and a new incr of what comes
//! after that point, then stand for everything before. Nothing old is given up before the manifest names the new files.
//!
//! ```text
//! Idle -> Opening --------> Switching -----------> Writing -------> Finishing -> Idle
//!         a helper makes    the end of the turn:   a snapshot of    a helper renames,
//!         the new incr      from here on writes    that moment is   replaces the manifest,
//!                           go into the new incr   the new base     deletes what is history
//! ```

use super::files::{AofFiles, InForce};
use super::manifest::{BaseFormat, Manifest};
use super::{AofEvent, State};
use crate::config;
use crate::persistence::disk::DiskFile;
use crate::persistence::snapshot::Purpose;
use crate::persistence::snapshot::writer::{Target, WriteError};
use crate::server::Server;
use front::UnixMillis;
use front::background::Lane;
use front::log::io_reason;
use std::io;
use std::sync::Arc;

/// See the module.
#[derive(Default)]
pub(crate) enum Rewrite {
    #[default]
    Idle,
    Opening {
        abandoned: bool,
    },
    /// Writes go into this file from the end of the turn on; None while the AOF is off.
    Switching {
        incr: Option<NewIncr>,
    },
    /// The snapshot for the base runs.
    Writing {
        format: BaseFormat,
    },
    Finishing,
}

/// The incr that a rewrite starts.
pub(crate) struct NewIncr {
    file: Arc<dyn DiskFile>,
}

/// What the rewrite does to the files, by the state in which it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The AOF is on: the new incr is in the manifest at once.
    Running,
    /// The AOF is being turned on: the new incr has a temporary name until the base is there.
    First,
    /// The AOF is off: a base alone.
    BaseOnly,
}

/// What INFO tells about rewrites.
#[derive(Debug)]
pub(crate) struct RewriteStats {
    pub(crate) last_ok: bool,
    pub(crate) last_seconds: i64,
    pub(crate) count: u64,
    pub(crate) consecutive_failures: u64,
    /// When the one that runs began.
    started: Option<UnixMillis>,
}

impl Default for RewriteStats {
    fn default() -> RewriteStats {
        RewriteStats {
            last_ok: true,
            last_seconds: -1,
            count: 0,
            consecutive_failures: 0,
            started: None,
        }
    }
}

impl RewriteStats {
    /// Seconds that the one that runs has taken, or -1.
    pub(crate) fn current_seconds(&self, now: UnixMillis) -> i64 {
        self.started.map_or(-1, |at| now / 1000 - at / 1000)
    }
}

/// Rewrites that fail again and again are tried less often: after the third, a minute passes, then two, then four, up to
/// an hour.
#[derive(Debug, Default)]
pub(crate) struct RetryLimit {
    next_delay_minutes: i64,
    next_try_seconds: Option<i64>,
}

const FAILURES_ALLOWED: u64 = 3;
const DELAY_MAX_MINUTES: i64 = 60;

impl RetryLimit {
    /// Whether a rewrite must wait; a delay that begins is logged.
    pub(crate) fn must_wait(&mut self, failures: u64, now_seconds: i64) -> bool {
        if failures < FAILURES_ALLOWED {
            *self = RetryLimit::default();
            return false;
        }
        if let Some(at) = self.next_try_seconds {
            if now_seconds < at {
                return true;
            }
            self.next_try_seconds = None;
            return false;
        }
        self.next_delay_minutes = match self.next_delay_minutes {
            0 => 1,
            minutes => (minutes * 2).min(DELAY_MAX_MINUTES),
        };
        self.next_try_seconds = Some(now_seconds + self.next_delay_minutes * 60);
        front::log_warning!(
            "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in {} minutes",
            self.next_delay_minutes
        );
        true
    }
}

/// By how much the AOF has grown since it was last rewritten, in percent, if that asks for a rewrite.
pub(crate) fn automatic(size: u64, base_size: u64, percentage: i64, min_size: i64) -> Option<u64> {
    if percentage <= 0 || size <= min_size.unsigned_abs() {
        return None;
    }
    let growth = (u128::from(size) * 100 / u128::from(base_size.max(1))).saturating_sub(100);
    (growth >= percentage.unsigned_abs().into()).then_some(growth as u64)
}

/// How the attempt to make a new incr went.
pub(crate) struct Opened {
    /// None where the AOF is off.
    incr: io::Result<Option<NewIncr>>,
    /// The manifest in force now, also after a failure.
    manifest: Manifest,
}

fn open_incr(files: &AofFiles, mut manifest: Manifest, kind: Kind) -> Opened {
    let incr = (|| {
        files.create_folder()?;
        let (name, with_incr) = match kind {
            Kind::BaseOnly => return Ok(None),
            Kind::First => (files.temp_incr_name(), None),
            Kind::Running => {
                let incr = manifest.next_incr(&files.name);
                (incr.name.clone(), Some(manifest.with_incr(incr)))
            }
        };
        front::log_notice!("Creating AOF incr file {name} on background rewrite");
        let file = files.create(&name)?;
        files.disk.sync_dir(&files.folder())?;
        if let Some(with_incr) = with_incr {
            let in_force = files
                .write_manifest(&with_incr)
                .inspect_err(|_| files.remove(&name))?;
            manifest = with_incr;
            // Nothing may be written where a power loss could make it disappear.
            in_force.durably()?;
        }
        Ok(Some(NewIncr { file }))
    })();
    Opened { incr, manifest }
}

/// Puts the finished base in its place.
///
/// # Errors
/// When that failed: the manifest is as it was.
fn install(
    files: &AofFiles,
    manifest: &Manifest,
    kind: Kind,
    format: BaseFormat,
    keep_history: bool,
) -> io::Result<Manifest> {
    let base = manifest.next_base(&files.name, format);
    let (temp_base, temp_incr) = (files.temp_base_name(), files.temp_incr_name());
    let rename = |what: &str, from: &str, to: &str| {
        files
            .disk
            .rename(&files.path(from), &files.path(to))
            .inspect(|()| {
                front::log_notice!(
                    "Successfully renamed the temporary AOF {what} file {from} into {to}"
                );
            })
    };
    rename("base", &temp_base, &base.name)?;
    let base_name = base.name.clone();
    let undo = |error| {
        files.remove(&base_name);
        Err(error)
    };
    let new = match kind {
        Kind::BaseOnly => manifest.with_base(base, 0),
        Kind::Running => manifest.with_base(base, 1),
        Kind::First => {
            let incr = manifest.next_incr(&files.name);
            if let Err(error) = rename("incr", &temp_incr, &incr.name) {
                return undo(error);
            }
            manifest.with_base(base, 0).with_incr(incr)
        }
    };
    let replaced = files
        .disk
        .sync_dir(&files.folder())
        .and_then(|()| files.write_manifest(&new));
    match replaced {
        Ok(InForce::Durably) if !keep_history => Ok(drop_history(files, new)),
        Ok(InForce::Durably) => Ok(new),
        Ok(InForce::UntilPowerLoss(error)) => {
            front::log_warning!("Fail to fsync the AOF folder: {}", io_reason(&error));
            Ok(new)
        }
        Err(error) => {
            if let (Kind::First, Some(incr)) = (kind, new.incrs.last()) {
                files.remove(&incr.name);
            }
            undo(error)
        }
    }
}

/// Deletes the files that a manifest in force no longer needs. What cannot be done now is done at the next start.
pub(crate) fn drop_history(files: &AofFiles, manifest: Manifest) -> Manifest {
    files.delete_history(&manifest.history);
    let clean = manifest.without_history();
    match files.write_manifest(&clean).and_then(InForce::durably) {
        Ok(()) => clean,
        Err(error) => {
            front::log_warning!("Can't write the AOF manifest: {}", io_reason(&error));
            manifest
        }
    }
}

impl Server {
    /// Whether a base is being written, by this or for another purpose.
    pub(crate) fn is_rewriting(&self) -> bool {
        !matches!(self.aof.rewrite, Rewrite::Idle)
    }

    /// Begins a rewrite; nothing else may be writing a snapshot.
    pub(crate) fn start_rewrite(&mut self) {
        assert!(!self.is_writing_snapshot(), "one snapshot at a time");
        let kind = self.rewrite_kind();
        self.aof.rewrite_scheduled = false;
        self.aof.rewrite = Rewrite::Opening { abandoned: false };
        self.aof.rewrite_stats.count += 1;
        self.aof.rewrite_stats.started = Some(self.front.clock.now());
        let (files, manifest) = (self.aof.files.clone(), self.aof.manifest.clone());
        self.front.background.run(Lane::Disk, move || {
            let opened = open_incr(&files, manifest, kind);
            Some(Box::new(AofEvent::Opened(opened)))
        });
    }

    fn rewrite_kind(&self) -> Kind {
        match self.aof.state {
            State::Off => Kind::BaseOnly,
            State::Starting(_) => Kind::First,
            State::On(_) => Kind::Running,
        }
    }

    /// The new incr is there, or cannot be had.
    pub(crate) fn rewrite_opened(&mut self, opened: Opened) {
        let Rewrite::Opening { abandoned } = self.aof.rewrite else {
            unreachable!("only an opening rewrite is opened");
        };
        self.aof.manifest = opened.manifest;
        if abandoned {
            return self.rewrite_abandoned();
        }
        match opened.incr {
            Ok(incr) => {
                front::log_notice!(
                    "Background append only file rewriting started by pid {}",
                    std::process::id()
                );
                self.aof.rewrite = Rewrite::Switching { incr };
            }
            Err(error) => {
                front::log_warning!(
                    "Can't open the append-only file for the rewrite: {}",
                    io_reason(&error)
                );
                self.rewrite_failed();
            }
        }
    }

    /// After the turn's changes went to the AOF: from here on they go into the new incr, and the base is what the keyspace
    /// holds now.
    pub(crate) fn switch_incr(&mut self) {
        // A base of a dataset that is half loaded would be half a base. Nothing is written meanwhile.
        if self.is_loading() {
            return;
        }
        let Rewrite::Switching { incr } = &mut self.aof.rewrite else {
            return;
        };
        if let Some(incr) = incr.take() {
            let (position, now) = (self.write_stream.end(), self.front.clock.now());
            self.aof.switch_to(incr.file, position, now);
            self.begin_aof_file();
        }
        let path = self.aof.files.path(&self.aof.files.temp_base_name());
        let (format, target) = if self.config.bool(config::AOF_USE_RDB_PREAMBLE) {
            let target = path.clone();
            (BaseFormat::Rdb, Target::Rdb { temp: path, target })
        } else {
            let seconds = self.front.clock.now() / 1000;
            let timestamp = self.aof.settings.timestamps.then_some(seconds);
            (BaseFormat::Commands, Target::Commands { path, timestamp })
        };
        self.aof.rewrite = Rewrite::Writing { format };
        self.start_snapshot(Purpose::AofBase, target);
    }

    /// The snapshot for the base is written, or not.
    pub(crate) fn base_written(&mut self, result: Result<(), WriteError>) {
        let Rewrite::Writing { format } = self.aof.rewrite else {
            unreachable!("a base is written for a rewrite");
        };
        match result {
            Ok(()) => {
                let temp = self.aof.files.temp_base_name();
                front::log_notice!("Successfully created the temporary AOF base file {temp}");
                front::log_notice!("Background AOF rewrite terminated with success");
                self.finish_rewrite(format);
            }
            Err(error) => {
                if let WriteError::Disk(_, error) = &error {
                    front::log_warning!(
                        "Write error writing append only file on disk: {}",
                        io_reason(error)
                    );
                }
                front::log_warning!("Background AOF rewrite terminated with error");
                self.rewrite_failed();
            }
        }
    }

    fn finish_rewrite(&mut self, format: BaseFormat) {
        let kind = self.rewrite_kind();
        let keep_history = self.aof.settings.keep_history;
        let (files, manifest) = (self.aof.files.clone(), self.aof.manifest.clone());
        self.aof.rewrite = Rewrite::Finishing;
        self.front.background.run(Lane::Disk, move || {
            let result = install(&files, &manifest, kind, format, keep_history);
            Some(Box::new(AofEvent::Installed(result)))
        });
    }

    /// The new files are in force, or not.
    pub(crate) fn rewrite_installed(&mut self, result: io::Result<Manifest>) {
        let manifest = match result {
            Ok(manifest) => manifest,
            Err(error) => {
                front::log_warning!(
                    "Error putting the new AOF files in place: {}",
                    io_reason(&error)
                );
                return self.rewrite_failed();
            }
        };
        self.aof.manifest = manifest;
        self.aof.first_rewrite_done();
        if let Err(error) = self.measure_aof() {
            front::log_warning!(
                "Unable to obtain the AOF file length: {}",
                io_reason(&error)
            );
        }
        self.aof.rewrite_base_size = self.aof.current_size();
        self.end_rewrite(true);
        front::log_notice!("Background AOF rewrite finished successfully");
    }

    fn rewrite_failed(&mut self) {
        let files = self.aof.files.clone();
        files.remove(&files.temp_base_name());
        if self.aof.stop_collecting() {
            front::log_notice!(
                "Removing the temp incr aof file {} in the background",
                files.temp_incr_name()
            );
            files.remove(&files.temp_incr_name());
        }
        self.end_rewrite(false);
        // Turning the AOF on goes on until it is.
        self.aof.rewrite_scheduled = matches!(self.aof.state, State::Starting(_));
    }

    fn end_rewrite(&mut self, ok: bool) {
        let stats = &mut self.aof.rewrite_stats;
        stats.last_ok = ok;
        stats.consecutive_failures = match ok {
            true => 0,
            false => stats.consecutive_failures + 1,
        };
        let now = self.front.clock.now();
        stats.last_seconds = stats.current_seconds(now);
        stats.started = None;
        self.aof.rewrite = Rewrite::Idle;
    }

    /// Ends a rewrite that nobody wants any more. What a helper is doing is waited for, not undone.
    pub(crate) fn abandon_rewrite(&mut self) {
        self.aof.rewrite_scheduled = false;
        match &mut self.aof.rewrite {
            Rewrite::Idle => return,
            Rewrite::Finishing => {}
            Rewrite::Opening { abandoned } => *abandoned = true,
            Rewrite::Switching { .. } => self.rewrite_abandoned(),
            Rewrite::Writing { .. } => {
                self.abandon_snapshot();
                self.rewrite_abandoned();
            }
        }
        front::log_notice!("Killing running AOF rewrite child: {}", std::process::id());
    }

    fn rewrite_abandoned(&mut self) {
        let files = &self.aof.files;
        files.remove(&files.temp_base_name());
        files.remove(&files.temp_incr_name());
        self.aof.rewrite_stats.started = None;
        self.aof.rewrite = Rewrite::Idle;
    }

    /// Starts a rewrite that is due: scheduled, or because the AOF has grown.
    pub(crate) fn rewrite_when_due(&mut self) {
        if self.is_writing_snapshot() || self.is_loading() {
            return;
        }
        let now_seconds = self.front.clock.now() / 1000;
        let failures = self.aof.rewrite_stats.consecutive_failures;
        if self.aof.rewrite_scheduled {
            if !self.aof.retry_limit.must_wait(failures, now_seconds) {
                self.start_rewrite();
            }
            return;
        }
        if !matches!(self.aof.state, State::On(_)) {
            return;
        }
        let growth = automatic(
            self.aof.current_size(),
            self.aof.rewrite_base_size,
            self.config.integer(config::AUTO_AOF_REWRITE_PERCENTAGE),
            self.config.integer(config::AUTO_AOF_REWRITE_MIN_SIZE),
        );
        let broken = self.aof.has_failed_sync();
        if (growth.is_some() || broken) && !self.aof.retry_limit.must_wait(failures, now_seconds) {
            match growth {
                Some(growth) => {
                    front::log_notice!("Starting automatic rewriting of AOF on {growth}% growth");
                }
                None => front::log_notice!("Rewriting the AOF into new files after a failed fsync"),
            }
            self.start_rewrite();
        }
    }
}

#[cfg(test)]
#[path = "rewrite_tests.rs"]
mod tests;
