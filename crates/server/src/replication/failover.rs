//! FAILOVER: this master hands its role to one of its replicas, which has everything when it takes over.
//!
//! ```text
//! none -> waiting for a replica that has everything (writes wait) -> following it, which makes it the master -> none
//! ```

use super::replicas::Phase;
use crate::config::Extent;
use crate::server::Server;
use front::Client;

/// A hand-over in progress.
pub(crate) struct Failover {
    /// Who shall take over; None: whoever has everything first.
    pub(crate) target: Option<(String, u16)>,
    /// When the time is up, hand over all the same: what the target lacks is lost.
    pub(crate) force: bool,
    /// In monotonic milliseconds.
    pub(crate) until_ms: Option<u64>,
    pub(crate) is_following: bool,
}

impl Failover {
    /// A hand-over to whoever has everything first, for as long as it takes.
    pub(crate) fn to_anybody() -> Failover {
        Failover {
            target: None,
            force: false,
            until_ms: None,
            is_following: false,
        }
    }

    /// The state as INFO names it.
    pub(crate) fn state(failover: Option<&Failover>) -> &'static str {
        match failover {
            None => "no-failover",
            Some(failover) if failover.is_following => "failover-in-progress",
            Some(_) => "waiting-for-sync",
        }
    }
}

/// By the name that Sentinels give their connections.
fn is_sentinel(client: &Client) -> bool {
    client.name.starts_with(b"sentinel-") && client.name.ends_with(b"-cmd")
}

impl Server {
    /// Begins to hand over.
    pub(crate) fn start_failover(&mut self, failover: Failover) {
        front::log_notice!("FAILOVER requested.");
        self.replication.failover = Some(failover);
        self.update_held_writes();
        self.ask_for_acknowledgements();
        self.continue_failover();
    }

    /// Hands over if a replica has everything, or the time is up.
    pub(crate) fn continue_failover(&mut self) {
        let Some(failover) = &self.replication.failover else {
            return;
        };
        if failover.is_following {
            return;
        }
        let offset = self.replication.coming_offset();
        let in_sync = self.replication.replicas.iter().find_map(|replica| {
            let address = self.replica_address(replica);
            let is_meant = failover.target.as_ref().is_none_or(|t| *t == address);
            let has_all = replica.phase == Phase::Online && replica.acknowledged >= offset;
            (is_meant && has_all).then_some(address)
        });
        let now_ms = self.front.clock.mono_ms();
        let is_late = failover.until_ms.is_some_and(|until_ms| now_ms >= until_ms);
        let successor = match (in_sync, &failover.target) {
            (Some(address), _) => address,
            (None, Some(target)) if is_late && failover.force => {
                front::log_notice!(
                    "Failover to {}:{} time out exceeded, failing over.",
                    target.0,
                    target.1
                );
                target.clone()
            }
            (None, _) if is_late => {
                front::log_notice!(
                    "Replica never caught up before timeout, failover cannot be forced."
                );
                return self.end_failover();
            }
            (None, _) => return,
        };
        front::log_notice!("Failover target is {}:{}", successor.0, successor.1);
        if let Some(failover) = &mut self.replication.failover {
            failover.is_following = true;
        }
        self.follow_master(successor.0, successor.1);
    }

    /// The hand-over is done, or given up: clients go on.
    pub(crate) fn end_failover(&mut self) {
        if self.replication.failover.take().is_some() {
            self.update_held_writes();
        }
    }

    /// A role was handed over. Sentinels ask what a node is when they connect anew; and the role outlasts the process: else
    /// a successor that starts again would follow who follows it.
    pub(crate) fn role_handed_over(&mut self) {
        let sentinels = self
            .front
            .clients
            .iter()
            .filter(|client| is_sentinel(client));
        for key in sentinels.map(|client| client.key).collect::<Vec<_>>() {
            self.front.close_after_reply(key);
        }
        if self.config.file.is_empty() {
            return;
        }
        if let Err(reason) = self.rewrite_config_file(Extent::Changed) {
            front::log_warning!(
                "The new role is not in the configuration file: {reason}. Make the file writable and run CONFIG REWRITE."
            );
        }
    }

    /// Whether this is a master that Sentinels watch, with a replica that could take over: then it need not be missed.
    pub(crate) fn has_successor(&self) -> bool {
        let mut replicas = self.replication.replicas.iter();
        !self.replication.is_replica()
            && self.replication.failover.is_none()
            && replicas.any(|replica| replica.phase == Phase::Online)
            && self.front.clients.iter().any(is_sentinel)
    }

    /// FAILOVER ABORT: this node stays the master. False if there is nothing to give up.
    pub(crate) fn abort_failover(&mut self) -> bool {
        let Some(failover) = &self.replication.failover else {
            return false;
        };
        front::log_notice!("Failover manually aborted");
        if failover.is_following {
            self.promote();
        }
        self.end_failover();
        true
    }
}
