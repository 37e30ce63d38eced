//! Keeping within `maxmemory`: before a command runs, keys are deleted until memory fits again. One turn does a bounded
//! amount of that; what is left is done in the turns that follow, and meanwhile clients are served.

use crate::config::{self, Config};
use crate::effects::EventClass;
use crate::persistence::snapshot::Running;
use crate::server::Server;
use front::ClientKey;
use front::client::Transaction;
use front::command::{CommandError, CommandId, Flags, TableEntry};
use std::time::Duration;
use store::eviction::{Candidates, Policy};

/// What making room came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Memory is within its limit.
    Enough,
    /// The time for this turn is over; more will be evicted in the next ones.
    Later,
    /// Nothing can be evicted.
    Lacking,
}

/// What the configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Limits {
    /// `maxmemory`; 0: no limit.
    bytes: usize,
    policy: Policy,
    samples: usize,
    /// Microseconds one turn may take; None: as long as it needs.
    turn_us: Option<u64>,
    /// `lazyfree-lazy-eviction`
    lazy: bool,
}

/// See the module.
pub struct Eviction {
    limits: Limits,
    /// What the container leaves, when that is less than `maxmemory`.
    cap: Option<usize>,
    /// The container has no room for anything more, whatever may be evicted.
    halted: bool,
    /// What counts: the lower of the two; 0: no limit.
    limit: usize,
    candidates: Candidates,
    /// The last turn left work to the next one.
    unfinished: bool,
    /// Since when memory has been over its limit without a break, in monotonic microseconds.
    exceeded_since_us: Option<u64>,
    /// Microseconds memory was over its limit before that.
    exceeded_us: u64,
}

impl Default for Eviction {
    fn default() -> Eviction {
        Eviction {
            limits: Limits {
                bytes: 0,
                policy: Policy::NoEviction,
                samples: 0,
                turn_us: Some(0),
                lazy: false,
            },
            cap: None,
            halted: false,
            limit: 0,
            candidates: Candidates::default(),
            unfinished: false,
            exceeded_since_us: None,
            exceeded_us: 0,
        }
    }
}

impl Eviction {
    /// Follows a changed configuration.
    pub(crate) fn configure(&mut self, config: &Config) {
        let policy = config.text(config::MAXMEMORY_POLICY);
        let limits = Limits {
            bytes: config.integer(config::MAXMEMORY) as usize,
            policy: Policy::by_name(policy).expect("the directive takes no other words"),
            samples: config.integer(config::MAXMEMORY_SAMPLES) as usize,
            turn_us: turn_us(config.integer(config::MAXMEMORY_EVICTION_TENACITY) as u32),
            lazy: config.bool(config::LAZYFREE_LAZY_EVICTION),
        };
        if limits.policy != self.limits.policy {
            self.candidates.clear();
        }
        if limits.bytes != self.limits.bytes {
            // A lower limit is approached at once, not only when the next command comes.
            self.unfinished = limits.bytes > 0;
        }
        self.limits = limits;
        self.limit = lower(self.limits.bytes, self.cap);
    }

    /// Follows what the container leaves; `halted`: it has no room for anything more.
    pub(crate) fn set_container(&mut self, cap: Option<usize>, halted: bool) {
        self.cap = cap;
        self.halted = halted;
        let limit = lower(self.limits.bytes, cap);
        // Approached at once, as a lower `maxmemory` is.
        self.unfinished |= limit != 0 && (self.limit == 0 || limit < self.limit);
        self.limit = limit;
    }

    /// Milliseconds memory was over its limit: all in all, and in the present stretch.
    pub(crate) fn exceeded_ms(&self, now_us: u64) -> (u64, u64) {
        let current = self.exceeded_since_us.map_or(0, |since| now_us - since);
        ((self.exceeded_us + current) / 1000, current / 1000)
    }

    /// CONFIG RESETSTAT.
    pub(crate) fn reset_stats(&mut self) {
        self.exceeded_us = 0;
        self.exceeded_since_us = None;
    }

    /// Memory was within its limit when it was last looked at.
    fn is_settled(&self) -> bool {
        !self.unfinished && self.exceeded_since_us.is_none()
    }

    fn note(&mut self, room: Room, now_us: u64) {
        self.unfinished = room == Room::Later;
        match (room, self.exceeded_since_us) {
            (Room::Enough, Some(since)) => {
                self.exceeded_us += now_us - since;
                self.exceeded_since_us = None;
            }
            (Room::Later | Room::Lacking, None) => self.exceeded_since_us = Some(now_us),
            _ => {}
        }
    }
}

/// The lower of `maxmemory` (0: none) and a cap; 0: neither.
fn lower(maxmemory: usize, cap: Option<usize>) -> usize {
    match cap {
        None => maxmemory,
        Some(cap) if maxmemory == 0 => cap,
        Some(cap) => cap.min(maxmemory),
    }
}

/// Microseconds a turn may take at a `maxmemory-eviction-tenacity`: up to 10 in proportion, beyond 15 % more for each
/// step, at 100 without end.
fn turn_us(tenacity: u32) -> Option<u64> {
    const STEP_US: u64 = 50;
    match tenacity {
        0..=10 => Some(STEP_US * u64::from(tenacity)),
        11..100 => Some(((10 * STEP_US) as f64 * 1.15f64.powi(tenacity as i32 - 10)) as u64),
        _ => None,
    }
}

/// Whether a command must be refused while memory lacks: what may use more of it, and what a transaction would keep.
fn needs_memory(entry: &TableEntry, transaction: Option<&Transaction>) -> bool {
    if entry.spec.flags.has(Flags::DENYOOM) {
        return true;
    }
    let Some(transaction) = transaction else {
        return false;
    };
    match entry.full_name.as_str() {
        "exec" => transaction.flags.has(Flags::DENYOOM),
        name => !matches!(name, "discard" | "quit" | "reset"),
    }
}

impl Server {
    /// Makes room before a command; refuses one that needs memory if there is none.
    #[inline]
    pub(crate) fn check_memory(
        &mut self,
        key: ClientKey,
        id: CommandId,
    ) -> Result<(), CommandError> {
        self.guard_container();
        if self.make_room() != Room::Lacking && !self.eviction.halted {
            return Ok(());
        }
        let transaction = self.client_of(key).transaction.as_deref();
        match needs_memory(self.front.table.entry(id), transaction) {
            true => Err(CommandError::Oom),
            false => Ok(()),
        }
    }

    /// A dataset that is being loaded, or must stay as it is for a time, is not for eviction to change; and what a replica
    /// holds is up to its master.
    fn keeps_dataset_as_it_is(&self) -> bool {
        self.is_loading()
            || self.pause.is_active()
            || (self.replication.is_replica()
                && self.config.bool(crate::config::REPLICA_IGNORE_MAXMEMORY))
    }

    /// Deletes keys until memory fits, for as long as a turn may take.
    #[inline]
    pub(crate) fn make_room(&mut self) -> Room {
        let limit = self.eviction.limit;
        // Nearly always it fits, and this is all there is to do.
        if limit == 0 || (front::memory::used() <= limit && self.eviction.is_settled()) {
            return Room::Enough;
        }
        // What is being loaded fitted when it was saved; evicting it now would not reach the AOF. While clients are
        // paused, the dataset stays as it is.
        if self.keeps_dataset_as_it_is() {
            return Room::Enough;
        }
        let started_us = self.front.clock.read_mono_us();
        let room = self.evict(limit, started_us);
        let ended_us = self.front.clock.read_mono_us();
        self.eviction.note(room, ended_us);
        self.observe_eviction("eviction-cycle", ended_us - started_us);
        room
    }

    /// Whether memory is over its limit and nothing can be evicted.
    pub(crate) fn is_out_of_memory(&mut self) -> bool {
        self.make_room() == Room::Lacking
    }

    /// Goes on with what a turn had to leave undone. Whether there is still more to do.
    pub(crate) fn continue_eviction(&mut self) -> bool {
        self.eviction.unfinished && self.make_room() == Room::Later
    }

    #[cold]
    fn evict(&mut self, limit: usize, started_us: u64) -> Room {
        /// Keys between two looks at the clock.
        const STEP: usize = 16;
        // A dataset that is being loaded, or must stay as it is for a time, is not for eviction to change.
        let excess = self.memory_to_limit().saturating_sub(limit);
        if excess == 0 || self.keeps_dataset_as_it_is() {
            return Room::Enough;
        }
        let limits = self.eviction.limits.clone();
        let access = self.access();
        for (_, db) in self.keyspace.iter_mut() {
            db.access = access;
        }
        let mut freed = 0;
        for evicted in 1.. {
            let chosen =
                self.eviction
                    .candidates
                    .choose(&mut self.keyspace, limits.policy, limits.samples);
            let Some((db, key)) = chosen else {
                return Room::Lacking;
            };
            // What counts is what the keys held. Telling clients of them takes memory too: were that counted, it would
            // have to be made up for by more keys, of which clients would have to be told.
            freed += self.evict_key(db, &key, limits.lazy);
            if freed >= excess {
                break;
            }
            if evicted % STEP == 0
                && let Some(turn_us) = limits.turn_us
                && self.front.clock.read_mono_us() - started_us > turn_us
            {
                return Room::Later;
            }
        }
        Room::Enough
    }

    /// Deletes a key, and returns how many bytes that freed.
    fn evict_key(&mut self, db: u32, key: &[u8], lazy: bool) -> usize {
        let started_us = self.front.clock.read_mono_us();
        let before = self.memory_to_limit();
        self.keyspace.db(db).unlink(key, lazy);
        if self.keyspace.db(db).has_garbage() {
            self.free_garbage(db);
        }
        let freed = before.saturating_sub(self.memory_to_limit());
        let took_us = self.front.clock.read_mono_us() - started_us;
        self.observe_eviction("eviction-del", took_us);
        self.stats.evicted_keys += 1;
        self.prepare_effects(db);
        self.effects.touched(key);
        self.effects.notify(EventClass::EVICTED, "evicted", key);
        self.propagate_removal(db, key, lazy);
        self.settle(db);
        freed
    }

    fn observe_eviction(&mut self, event: &'static str, us: u64) {
        let unix_seconds = self.front.clock.now() / 1000;
        self.latency
            .observe(event, Duration::from_micros(us), unix_seconds);
    }

    /// Bytes that count against `maxmemory`.
    fn memory_to_limit(&self) -> usize {
        front::memory::used()
            .saturating_sub(self.front.background.pending_free_bytes())
            .saturating_sub(self.memory_not_counted())
    }

    /// Bytes that must not cause eviction, as evicting would produce more of them: what waits to be written to the AOF or
    /// a snapshot, or sent to replicas.
    pub(crate) fn memory_not_counted(&self) -> usize {
        let kept = self.snapshot.as_ref().map_or(0, Running::kept_bytes);
        self.write_stream.pending_bytes() + self.aof_buffered() + kept + self.owed_to_replicas()
    }

    /// Bytes that wait to be written to the AOF.
    pub(crate) fn aof_buffered(&self) -> usize {
        self.aof.writer().map_or(0, |writer| writer.buffered())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenacity_says_how_long_a_turn_may_take() {
        let turns = [0, 1, 10, 11, 50, 99, 100].map(turn_us);
        assert_eq!(
            turns,
            [
                Some(0),
                Some(50),
                Some(500),
                Some(575),
                Some(133_931),
                Some(126_205_358),
                None
            ]
        );
    }

    #[test]
    fn the_lower_of_maxmemory_and_the_cap_counts() {
        assert_eq!(
            [
                lower(0, None),
                lower(9, None),
                lower(0, Some(5)),
                lower(9, Some(5)),
                lower(5, Some(9))
            ],
            [0, 9, 5, 5, 5]
        );
    }

    #[test]
    fn time_over_the_limit_adds_up_over_its_stretches() {
        let mut eviction = Eviction::default();
        assert_eq!(eviction.exceeded_ms(5_000), (0, 0));
        eviction.note(Room::Lacking, 10_000);
        eviction.note(Room::Later, 15_000);
        assert_eq!(eviction.exceeded_ms(20_000), (10, 10));
        eviction.note(Room::Enough, 30_000);
        eviction.note(Room::Enough, 40_000);
        assert_eq!(eviction.exceeded_ms(50_000), (20, 0));
        eviction.note(Room::Later, 60_000);
        assert_eq!(eviction.exceeded_ms(65_000), (25, 5));
    }
}
