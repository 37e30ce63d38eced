//! Active expiry: keys that nobody looks at are deleted too, a little in every round of the timers.

use crate::server::Server;

/// Entries looked at in one step, and in one round for each db: a round stays far below a millisecond.
const STEP: usize = 64;
const STEPS_PER_ROUND: usize = 16;

impl Server {
    /// Deletes keys whose time has come, and propagates their deletion.
    pub(crate) fn expire_due_keys(&mut self) {
        if !self.debug.active_expire || self.pause.is_active() {
            return;
        }
        let access = self.access();
        for index in 0..self.keyspace.count() as u32 {
            let db = self.keyspace.begin(index, access);
            if db.expiring_len() == 0 {
                continue;
            }
            for _ in 0..STEPS_PER_ROUND {
                let (seen, expired) = db.expire_some(STEP);
                // Few of those seen were due: the rest can wait for the next round.
                if expired * 10 < seen || seen == 0 {
                    break;
                }
            }
            self.settle_expired(index);
        }
    }
}
