//! BGSAVE: when the dataset is saved while commands go on, and what came of it.

use crate::config;
use crate::persistence::snapshot::Purpose;
use crate::persistence::snapshot::writer::{Target, WriteError};
use crate::server::Server;
use front::command::CommandError;

/// After a save failed, save points wait this long before the next try.
const RETRY_SECONDS: i64 = 5;
/// Save points count in seconds; so often they are looked at, and not in every turn.
const LOOK_EVERY_MS: u64 = 100;

/// The first save point that is due: its seconds and changes. `points` is the directive's text, pairs of those.
fn due_save_point(points: &str, changes: u64, seconds: i64) -> Option<(i64, u64)> {
    let mut numbers = points
        .split_ascii_whitespace()
        .map_while(|word| word.parse::<i64>().ok());
    while let (Some(after), Some(at_least)) = (numbers.next(), numbers.next()) {
        if changes >= at_least.unsigned_abs() && seconds > after {
            return Some((after, at_least.unsigned_abs()));
        }
    }
    None
}

impl Server {
    /// Whether a BGSAVE runs, or a dataset is on its way to replicas: both are saves to those who ask.
    pub(crate) fn is_saving(&self) -> bool {
        self.snapshot
            .as_ref()
            .is_some_and(|running| running.purpose != Purpose::AofBase)
    }

    /// Begins a BGSAVE; nothing else may be writing a snapshot.
    pub(crate) fn start_bgsave(&mut self) {
        self.rdb.saves += 1;
        self.rdb.save_scheduled = false;
        self.rdb.last_try = self.front.clock.now();
        front::log_notice!("Background saving started by pid {}", std::process::id());
        let target = self.dump_path();
        let temp = target.with_file_name(self.bgsave_temp_name());
        let dirty = self.stats.dirty;
        self.start_snapshot(Purpose::Dump { dirty }, Target::Rdb { temp, target });
    }

    /// The file that the last BGSAVE writes until it is whole. Each has its own: the writer of one that was given up may
    /// not have removed its file yet.
    fn bgsave_temp_name(&self) -> String {
        format!("temp-{}.{}.rdb", std::process::id(), self.rdb.saves)
    }

    /// A BGSAVE that began with so many changes is over.
    pub(crate) fn bgsave_ended(&mut self, dirty: u64, result: Result<(), WriteError>) {
        let now = self.front.clock.now();
        self.rdb.last_seconds = Some((now - self.rdb.last_try) / 1000);
        match result {
            Ok(()) => {
                front::log_notice!("DB saved on disk");
                front::log_notice!("Background saving terminated with success");
                self.stats.dirty = self.stats.dirty.saturating_sub(dirty);
                self.rdb.last_save = now;
                self.rdb.last_failed = false;
            }
            Err(error) => {
                if let WriteError::Disk(failed, error) = error {
                    self.log_save_error(&self.bgsave_temp_name(), failed, &error);
                }
                front::log_warning!("Background saving error");
                self.rdb.last_failed = true;
            }
        }
    }

    /// Ends a BGSAVE that nobody wants any more.
    pub(crate) fn kill_bgsave(&mut self) {
        let running = self.snapshot.as_ref().map(|running| running.purpose);
        // Replicas are told by the stream what became of their snapshot's data.
        if matches!(running, Some(Purpose::Dump { .. })) {
            self.abandon_snapshot();
            front::log_warning!("Background saving terminated by signal 10");
            let took_ms = self.front.clock.now() - self.rdb.last_try;
            self.rdb.last_seconds = Some(took_ms / 1000);
        }
    }

    /// Begins a BGSAVE that is due: scheduled, or by a save point.
    pub(crate) fn save_when_due(&mut self) {
        if self.is_writing_snapshot() || self.is_loading() {
            return;
        }
        let now = self.front.clock.now();
        if self.rdb.last_failed && (now - self.rdb.last_try) / 1000 <= RETRY_SECONDS {
            return;
        }
        if self.rdb.save_scheduled {
            return self.start_bgsave();
        }
        let now_ms = self.front.clock.mono_ms();
        if now_ms < self.rdb.next_look_ms {
            return;
        }
        self.rdb.next_look_ms = now_ms + LOOK_EVERY_MS;
        let since_save = now / 1000 - self.rdb.last_save / 1000;
        let points = self.config.text(config::SAVE);
        if let Some((seconds, changes)) = due_save_point(points, self.stats.dirty, since_save) {
            front::log_notice!("{changes} changes in {seconds} seconds. Saving...");
            self.start_bgsave();
        }
    }

    /// Whether a snapshot is being written, or a rewrite is about to begin one.
    pub(crate) fn is_writing_snapshot(&self) -> bool {
        self.snapshot.is_some() || self.is_rewriting()
    }

    /// Why writes are refused because saving fails, if they are.
    pub(crate) fn save_refusal(&self) -> Option<CommandError> {
        (self.rdb.last_failed
            && self.config.bool(config::STOP_WRITES_ON_BGSAVE_ERROR)
            && !self.config.text(config::SAVE).is_empty())
        .then_some(CommandError::Misconf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_save_point_is_due_with_enough_changes_after_its_seconds() {
        const POINTS: &str = "3600 1 300 100";
        assert_eq!(due_save_point(POINTS, 0, 10_000), None);
        assert_eq!(due_save_point(POINTS, 1, 3600), None);
        assert_eq!(due_save_point(POINTS, 1, 3601), Some((3600, 1)));
        assert_eq!(due_save_point(POINTS, 99, 301), None);
        assert_eq!(due_save_point(POINTS, 100, 301), Some((300, 100)));
        assert_eq!(due_save_point("", 100, 301), None);
    }
}
