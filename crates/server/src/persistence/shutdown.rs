//! The way out: what is saved first, and when the node had better stay.

use crate::config;
use crate::persistence::snapshot::Purpose;
use crate::server::Server;
use std::sync::atomic::Ordering;

/// How the node is asked to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shutdown {
    /// Whether the dataset is saved; None leaves it to the save points.
    pub(crate) save: Option<bool>,
    /// Stop also when saving fails.
    pub(crate) force: bool,
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
                // Nobody is waited for.
                _ => {}
            }
        }
        shutdown
    }
}

impl Server {
    /// Saves what is to be saved and ends the event loop after this turn. False if that failed: the node goes on.
    pub(crate) fn shut_down(&mut self, how: Shutdown) -> bool {
        front::log_warning!("User requested shutdown...");
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
        self.stop();
        true
    }

    /// Obeys a signal that asks to stop.
    pub(crate) fn obey_signals(&mut self) {
        if !self.stop_requested.load(Ordering::Relaxed) || self.stop {
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
        if !self.shut_down(how) {
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
                force: true
            }
        );
        assert_eq!(Shutdown::of_words("save").save, Some(true));
    }
}
