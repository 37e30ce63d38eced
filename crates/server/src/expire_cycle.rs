//! Active expiry: keys that nobody looks at are deleted too, a little in every round of the timers.

use crate::server::Server;
use std::time::Duration;

/// Entries looked at in one step, and in one round for each db: a round stays far below a millisecond.
const STEP: usize = 64;
const STEPS_PER_ROUND: usize = 16;
/// A round that left few due keys is followed by the next one after so many milliseconds: turns are much shorter.
const PAUSE_MS: u64 = 1;

/// What INFO tells of active expiry.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExpiryStats {
    /// How many of the keys with an expiry are probably due, in percent: a running average.
    pub(crate) stale_percent: f64,
    /// Rounds that ended with many due keys left.
    pub(crate) rounds_cut_short: u64,
    /// Time spent.
    pub(crate) busy: Duration,
    /// When the next round is due, in monotonic milliseconds.
    next_round_ms: u64,
}

impl ExpiryStats {
    fn note_round(&mut self, seen: usize, expired: usize, cut_short: bool, took: Duration) {
        /// The weight of a round in the average.
        const WEIGHT: f64 = 0.05;
        let percent = match seen {
            0 => 0.0,
            seen => expired as f64 * 100.0 / seen as f64,
        };
        self.stale_percent = percent * WEIGHT + self.stale_percent * (1.0 - WEIGHT);
        self.rounds_cut_short += u64::from(cut_short);
        self.busy += took;
    }
}

impl Server {
    /// Deletes keys whose time has come, and propagates their deletion.
    pub(crate) fn expire_due_keys(&mut self) {
        // A replica is told by its master when a key is gone.
        if !self.debug.active_expire || self.pause.is_active() || self.replication.is_replica() {
            return;
        }
        let now_ms = self.front.clock.mono_ms();
        if now_ms < self.expiry.next_round_ms {
            return;
        }
        let started_ns = self.front.clock.read_mono_ns();
        let access = self.access();
        let (mut all_seen, mut all_expired, mut cut_short) = (0, 0, false);
        for index in 0..self.keyspace.count() as u32 {
            let db = self.keyspace.begin(index, access);
            if db.expiring_len() == 0 {
                continue;
            }
            let mut more = true;
            for _ in 0..STEPS_PER_ROUND {
                let (seen, expired) = db.expire_some(STEP);
                all_seen += seen;
                all_expired += expired;
                // Few of those seen were due: the rest can wait for the next round.
                more = expired * 10 >= seen && seen > 0;
                if !more {
                    break;
                }
            }
            cut_short |= more;
            self.settle_expired(index);
        }
        let took = Duration::from_nanos(self.front.clock.read_mono_ns() - started_ns);
        self.expiry
            .note_round(all_seen, all_expired, cut_short, took);
        if !cut_short {
            self.expiry.next_round_ms = now_ms + PAUSE_MS;
        }
        let unix_seconds = self.front.clock.now() / 1000;
        self.latency.observe("expire-cycle", took, unix_seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stale_share_follows_the_rounds_slowly() {
        let mut stats = ExpiryStats::default();
        stats.note_round(100, 50, true, Duration::from_millis(2));
        assert!((stats.stale_percent - 2.5).abs() < 1e-9);
        for _ in 0..200 {
            stats.note_round(0, 0, false, Duration::ZERO);
        }
        assert!(stats.stale_percent < 0.01);
        assert_eq!(stats.rounds_cut_short, 1);
        assert_eq!(stats.busy, Duration::from_millis(2));
    }
}
