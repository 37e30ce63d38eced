//! The way out: what is saved first, and when the node had better stay.

use crate::config;
use crate::persistence::snapshot::Purpose;
use crate::replication::failover::Failover;
use crate::server::Server;
use front::command::CommandError;
use front::{ClientKey, sentinel_channel};
use std::sync::atomic::Ordering;

/// The answer to who asked when the node goes on.
pub(crate) const FAILED: &str = "ERR Errors trying to SHUTDOWN. Check logs.";

/// How the node is asked to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shutdown {
    /// Whether the dataset is saved; None leaves it to the save points.
    pub(crate) save: Option<bool>,
    /// Stop also when saving fails.
    pub(crate) force: bool,
    /// Wait for no replica.
    pub(crate) now: bool,
}

/// A shutdown that waits for replicas to have all there is.
pub(crate) struct PendingShutdown {
    how: Shutdown,
    /// In monotonic milliseconds.
    until_ms: u64,
    /// The offset that they shall have.
    offset: u64,
    /// The role was handed over; the node stays so long to tell that.
    stays_until_ms: Option<u64>,
    /// Who asked for it.
    client: Option<ClientKey>,
}

/// How long a node that has handed its role over stays, in milliseconds.
const STAYS_MS: u64 = 500;

impl PendingShutdown {
    /// Milliseconds until it happens whatever replicas have.
    pub(crate) fn milliseconds_left(&self, now_ms: u64) -> u64 {
        self.until_ms.saturating_sub(now_ms)
    }
}

/// What became of a request to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requested {
    /// The event loop ends after this turn.
    Stops,
    /// It will, when replicas have all there is.
    Waits,
    /// The dataset could not be saved: the node goes on.
    Failed,
}

impl Shutdown {
    /// The words of `shutdown-on-sigterm` and `shutdown-on-sigint`.
    fn of_words(text: &str) -> Shutdown {
        let mut shutdown = Shutdown::default();
        for word in text.split_whitespace() {
            match word {
                "save" => shutdown.save = Some(true),
                "nosave" => shutdown.save = Some(false),
                "force" => shutdown.force = true,
                "now" => shutdown.now = true,
                _ => {}
            }
        }
        shutdown
    }
}

impl Server {
    /// Stops, or holds writes back and waits until replicas have what was written.
    pub(crate) fn request_shutdown(
        &mut self,
        how: Shutdown,
        client: Option<ClientKey>,
    ) -> Requested {
        front::log_warning!("User requested shutdown...");
        let timeout = self.config.integer(config::SHUTDOWN_TIMEOUT) as u64;
        self.feed_replicas();
        let offset = self.replication.history.offset;
        let lagging = self.lagging_replicas(offset).count();
        let hands_over = self.has_successor();
        let waits = lagging > 0 || hands_over;
        if how.now || timeout == 0 || !waits || self.is_loading() {
            return match self.shut_down(how) {
                true => Requested::Stops,
                false => Requested::Failed,
            };
        }
        if hands_over {
            front::log_notice!("Handing over to a replica before shutting down.");
            self.start_failover(Failover::to_anybody());
        } else {
            front::log_notice!("Waiting for {lagging} lagging replicas before shutting down.");
            self.ask_for_acknowledgements();
        }
        self.shutdown = Some(PendingShutdown {
            how,
            until_ms: self.front.clock.mono_ms() + timeout * 1000,
            offset,
            stays_until_ms: None,
            client,
        });
        self.update_held_writes();
        Requested::Waits
    }

    /// Stops if that was asked for and replicas have all there is, or have had time enough.
    pub(crate) fn continue_shutdown(&mut self) {
        let Some(pending) = &self.shutdown else {
            return;
        };
        let how = pending.how;
        let has_time = pending.milliseconds_left(self.front.clock.mono_ms()) > 0;
        if self.replication.failover.is_some() && has_time {
            return;
        }
        if self.replication.is_replica() {
            // Whoever took over has everything. The Sentinels come and ask who that is.
            let now_ms = self.front.clock.mono_ms();
            let Some(pending) = &mut self.shutdown else {
                return;
            };
            let stays_until_ms = *pending.stays_until_ms.get_or_insert(now_ms + STAYS_MS);
            if now_ms >= stays_until_ms && !self.shut_down(how) {
                self.abort_shutdown();
            }
            return;
        }
        let lagging: Vec<String> = self.lagging_replicas(pending.offset).collect();
        if !lagging.is_empty() && has_time {
            return;
        }
        for line in &lagging {
            front::log_notice!("Lagging replica {line}");
        }
        let all = self.replication.replicas.len();
        front::log_notice!(
            "{} of {all} replicas are in sync when shutting down.",
            all - lagging.len()
        );
        if !self.shut_down(how) {
            self.abort_shutdown();
        }
    }

    /// Gives a shutdown up that waits: the node goes on. False if there is none.
    pub(crate) fn abort_shutdown(&mut self) -> bool {
        let Some(pending) = self.shutdown.take() else {
            return false;
        };
        self.stop_requested.store(false, Ordering::Relaxed);
        self.abort_failover();
        self.update_held_writes();
        if let Some(client) = pending.client {
            self.refuse_blocked(client, &CommandError::text(FAILED));
        }
        true
    }

    /// Saves what is to be saved and ends the event loop after this turn. False if that failed: the node goes on.
    fn shut_down(&mut self, how: Shutdown) -> bool {
        let has_save_points = !self.config.text(config::SAVE).is_empty();
        if let Some(purpose) = self.abandon_snapshot_and_wait() {
            match purpose {
                Purpose::Dump { .. } | Purpose::Replicas => {
                    front::log_warning!("There is a child saving an .rdb. Killing it!");
                }
                Purpose::AofBase => {
                    front::log_warning!("There is a child rewriting the AOF. Killing it!");
                    self.abandon_rewrite();
                }
            }
        }
        // What is loaded so far is not the dataset.
        let save = !self.is_loading() && how.save.unwrap_or(has_save_points);
        if save {
            front::log_notice!("Saving the final RDB snapshot before exiting.");
            if !self.save() {
                if !how.force {
                    front::log_warning!("Error trying to save the DB, can't exit.");
                    front::log_warning!(
                        "Errors trying to shut down the server. Check the logs for more information."
                    );
                    return false;
                }
                front::log_warning!("Error trying to save the DB. Exit anyway.");
            }
        }
        self.front.publish(
            false,
            sentinel_channel::CHANNEL.as_bytes(),
            sentinel_channel::LEAVING.as_bytes(),
        );
        self.stop();
        true
    }

    /// Obeys a signal that asks to stop.
    pub(crate) fn obey_signals(&mut self) {
        if !self.stop_requested.load(Ordering::Relaxed) || self.stop || self.shutdown.is_some() {
            return;
        }
        let (name, directive) = match self.stop_signal.load(Ordering::Relaxed) as i32 {
            signal_hook::consts::SIGINT => ("SIGINT", config::SHUTDOWN_ON_SIGINT),
            _ => ("SIGTERM", config::SHUTDOWN_ON_SIGTERM),
        };
        front::log_warning!("Received {name} scheduling shutdown...");
        if self.is_loading() {
            return self.stop();
        }
        let how = Shutdown::of_words(self.config.text(directive));
        if self.request_shutdown(how, None) == Requested::Failed {
            // The next signal asks again, and does not end the process at once.
            self.stop_requested.store(false, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_for_signals_say_how_to_stop() {
        assert_eq!(Shutdown::of_words("default"), Shutdown::default());
        assert_eq!(
            Shutdown::of_words("nosave now force"),
            Shutdown {
                save: Some(false),
                force: true,
                now: true
            }
        );
        assert_eq!(Shutdown::of_words("save").save, Some(true));
    }
}
