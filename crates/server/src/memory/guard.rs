//! The container guard: keeps the process from being killed at its container's memory limit.
//!
//! `maxmemory` bounds what values take, but the kernel counts pages: fragmentation, buffers and stacks come on top. When
//! these leave too little room, the guard gives free pages back, and lets values use less than `maxmemory` for as long as
//! that is needed. It acts on what the process holds, not on page cache, which the kernel takes back by itself.

use crate::config::{self, Config};
use crate::server::Server;
use front::background::Lane;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the guard sees, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sight {
    /// The container's limit.
    pub(crate) limit: usize,
    /// What the process holds that the kernel cannot take back.
    pub(crate) resident: usize,
    /// What the allocator has handed out.
    pub(crate) used: usize,
    /// `maxmemory`; 0: none.
    pub(crate) maxmemory: usize,
    /// Free pages have just been given back, so `resident` is as low as it gets.
    pub(crate) purged: bool,
    /// Allocated since the last look, whether freed again or not.
    pub(crate) allocated: usize,
    /// What the guard decided before.
    pub(crate) before: Verdict,
}

/// What it decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// What values may use for now, when that is less than `maxmemory`.
    pub(crate) cap: Option<usize>,
    /// The limit is so near that free pages should be given back, and somebody should know.
    pub(crate) pressed: bool,
    /// The limit is so near that nothing may be written at all.
    pub(crate) halted: bool,
    /// Look again after so many bytes were allocated.
    pub(crate) look_after: usize,
}

/// What is kept free below the limit, for the kernel's own memory (sockets) and for other threads.
fn margin(limit: usize) -> usize {
    const LEAST: usize = 4 << 20;
    (limit / 32).max(LEAST).min(limit / 4)
}

/// The decision.
pub(crate) fn judge(sight: Sight) -> Verdict {
    let before = sight.before;
    let margin = margin(sight.limit);
    let ceiling = sight.limit - margin;
    let room = ceiling.saturating_sub(sight.resident);
    let excess = sight.resident.saturating_sub(ceiling);
    let wanted = match sight.maxmemory {
        0 => sight.limit,
        maxmemory => maxmemory,
    };
    let cap = if excess == 0 {
        sight.used + room
    } else {
        // Together values must not become more, though some may take the places of others. What goes leaves holes at
        // first rather than free pages, so for what comes twice as much must go, and more if giving back did not help.
        let step = if sight.purged { excess } else { 0 };
        let cap = before.cap.unwrap_or(sight.used);
        cap.saturating_sub(step.max((2 * sight.allocated).min(excess)))
    };
    // Below this, values would be lost for holes that nobody fills.
    let floor = wanted.min(sight.limit) / 2;
    let cap = cap.max(floor);
    Verdict {
        cap: (cap < wanted).then_some(cap),
        // Both end later than they begin: the log need not tell of every wave.
        pressed: room < if before.pressed { 2 * margin } else { margin },
        halted: excess > if before.halted { 0 } else { margin / 2 },
        look_after: (room / 4).max(margin / 16),
    }
}

/// The most `maxmemory` that a container of `limit` has room for: some of the limit goes to the process itself and to
/// fragmentation that cannot be avoided.
pub(crate) fn fitting_maxmemory(limit: usize) -> usize {
    const PROCESS: usize = 8 << 20;
    (limit.saturating_sub(PROCESS) as u128 * 100 / 105) as usize
}

/// Refuses a configuration that must end with the process being killed.
///
/// # Errors
/// What does not fit, and what to do.
pub(crate) fn check_at_start(config: &Config, limit: Option<usize>) -> Result<(), String> {
    let maxmemory = config.integer(config::MAXMEMORY) as usize;
    let (Some(limit), true) = (limit, config.bool(config::PLATFORM_KV_CONTAINER_GUARD)) else {
        return Ok(());
    };
    let fitting = fitting_maxmemory(limit);
    if maxmemory <= fitting {
        return Ok(());
    }
    Err(format!(
        "maxmemory is {maxmemory} bytes, but the container may use {limit} in all: the process would be killed before \
         maxmemory is reached. Set maxmemory to {fitting} or less, or raise the container's memory limit. (To start \
         anyway: platform-kv-container-guard no.)"
    ))
}

/// The guard's memory between looks.
#[derive(Debug, Default)]
pub struct Guard {
    /// The container's limit, if it has one.
    limit: Option<usize>,
    limit_read_ms: Option<u64>,
    resident: usize,
    verdict: Verdict,
    next_look_ms: u64,
    /// The data thread's allocations at the last look, and those at which the next one is due.
    allocated: u64,
    next_look_allocated: u64,
    /// When pages were last given back, and whether that is done.
    purged_ms: Option<u64>,
    purge_done: Arc<AtomicBool>,
    /// How often pressure began, and how often pages were given back.
    presses: u64,
    purges: u64,
}

/// The limit is read again this often: it may be changed while the process runs.
const LIMIT_EVERY_MS: u64 = 5000;
/// Between two purges. They are another thread's work, but each takes the allocator's locks.
const PURGE_EVERY_MS: u64 = 50;
/// Between two looks when little is allocated; while everything waits for pages to come back, they are closer.
const LOOK_EVERY_MS: u64 = 100;
const LOOK_EVERY_MS_HALTED: u64 = 10;

impl Guard {
    /// What INFO shows: name and value.
    pub(crate) fn figures(&self) -> [(&'static str, u64); 7] {
        [
            ("container_limit", self.limit.unwrap_or(0) as u64),
            ("container_resident", self.resident as u64),
            ("container_guard_pressed", u64::from(self.verdict.pressed)),
            ("container_guard_halted", u64::from(self.verdict.halted)),
            ("container_guard_cap", self.verdict.cap.unwrap_or(0) as u64),
            ("container_guard_presses", self.presses),
            ("container_guard_purges", self.purges),
        ]
    }
}

impl Server {
    /// Looks at the container when that is due: by the clock, or as the allocations since the last look could have used
    /// up a good part of the room there was.
    #[inline]
    pub(crate) fn guard_container(&mut self) {
        let allocated = front::memory::allocated_by_this_thread();
        if allocated >= self.guard.next_look_allocated
            || self.front.clock.mono_ms() >= self.guard.next_look_ms
        {
            self.look_at_container(allocated);
        }
    }

    #[cold]
    fn look_at_container(&mut self, allocated: u64) {
        let now_ms = self.front.clock.mono_ms();
        let guard = &mut self.guard;
        guard.next_look_ms = now_ms + LOOK_EVERY_MS;
        guard.next_look_allocated = u64::MAX;
        if guard
            .limit_read_ms
            .is_none_or(|at| now_ms - at >= LIMIT_EVERY_MS)
        {
            guard.limit_read_ms = Some(now_ms);
            guard.limit = super::cgroup::memory_limit();
        }
        let resident = front::memory::resident().map_or(0, |resident| resident.own);
        let on = self.config.bool(config::PLATFORM_KV_CONTAINER_GUARD) && resident > 0;
        let Some(limit) = guard.limit.filter(|_| on) else {
            guard.verdict = Verdict::default();
            self.eviction.set_container(None, false);
            return;
        };
        let sight = Sight {
            limit,
            resident,
            used: front::memory::used(),
            maxmemory: self.config.integer(config::MAXMEMORY) as usize,
            purged: guard.purge_done.swap(false, Ordering::Relaxed),
            allocated: (allocated - guard.allocated) as usize,
            before: guard.verdict,
        };
        guard.allocated = allocated;
        let verdict = judge(sight);
        if verdict.pressed && !guard.verdict.pressed {
            guard.presses += 1;
            front::log_warning!(
                "The process holds {resident} of the container's {limit} bytes, {} of them in use: until there is more \
                 room, free pages are given back, and keys evicted (or writes refused) before maxmemory is reached.",
                sight.used
            );
        }
        guard.resident = resident;
        guard.verdict = verdict;
        guard.next_look_allocated = allocated + verdict.look_after as u64;
        if verdict.halted {
            guard.next_look_ms = now_ms + LOOK_EVERY_MS_HALTED;
        }
        if verdict.pressed
            && guard
                .purged_ms
                .is_none_or(|at| now_ms - at >= PURGE_EVERY_MS)
        {
            guard.purged_ms = Some(now_ms);
            guard.purges += 1;
            let done = guard.purge_done.clone();
            self.front.background.run(Lane::Free, move || {
                front::memory::purge();
                done.store(true, Ordering::Relaxed);
                None
            });
        }
        self.eviction.set_container(verdict.cap, verdict.halted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: usize = 1 << 20;

    /// The pod of 1 GiB with maxmemory 896mb: 32 MB are kept free, so the ceiling is at 992.
    fn pod(resident: usize, used: usize) -> Sight {
        Sight {
            limit: 1024 * MB,
            resident: resident * MB,
            used: used * MB,
            maxmemory: 896 * MB,
            purged: false,
            allocated: 0,
            before: Verdict::default(),
        }
    }

    #[test]
    fn with_room_maxmemory_stands() {
        let verdict = judge(pod(10, 5));
        assert_eq!(
            (verdict.cap, verdict.pressed, verdict.halted),
            (None, false, false)
        );
        assert_eq!(judge(pod(940, 895)).cap, None);
    }

    #[test]
    fn fragmentation_lowers_what_values_may_use() {
        let verdict = judge(pod(900, 600));
        assert_eq!((verdict.cap, verdict.pressed), (Some(692 * MB), false));
        assert!(judge(pod(970, 600)).pressed);
    }

    #[test]
    fn the_less_room_the_sooner_the_next_look() {
        let looks = [10, 900, 980, 1000].map(|resident| judge(pod(resident, 5)).look_after);
        assert_eq!(looks, [982 * MB / 4, 23 * MB, 3 * MB, 2 * MB]);
    }

    #[test]
    fn above_the_ceiling_nothing_grows_and_after_a_purge_it_shrinks() {
        let first = judge(pod(1000, 800));
        assert_eq!(
            (first.cap, first.pressed, first.halted),
            (Some(800 * MB), true, false)
        );
        // A client deleted values: others may take their places.
        let again = judge(Sight {
            before: first,
            ..pod(1000, 700)
        });
        assert_eq!(again.cap, Some(800 * MB));
        let written = judge(Sight {
            before: first,
            allocated: MB,
            ..pod(1000, 800)
        });
        assert_eq!(written.cap, Some(798 * MB));
        let purged = judge(Sight {
            before: first,
            purged: true,
            ..pod(1000, 800)
        });
        assert_eq!(purged.cap, Some(792 * MB));
        let next = judge(Sight {
            before: purged,
            purged: true,
            ..pod(996, 792)
        });
        assert_eq!(next.cap, Some(788 * MB));
    }

    #[test]
    fn halfway_into_the_margin_writing_stops_until_it_is_free_again() {
        let halted = judge(pod(1009, 800));
        assert!(halted.halted && halted.pressed);
        assert!(
            judge(Sight {
                before: halted,
                ..pod(993, 800)
            })
            .halted
        );
        let free = judge(Sight {
            before: halted,
            ..pod(992, 800)
        });
        assert!(!free.halted && free.pressed);
    }

    #[test]
    fn values_are_never_given_up_below_half() {
        let before = Verdict {
            cap: Some(450 * MB),
            ..judge(pod(1000, 450))
        };
        let verdict = judge(Sight {
            before,
            purged: true,
            ..pod(1020, 450)
        });
        assert_eq!(verdict.cap, Some(448 * MB));
    }

    #[test]
    fn pressure_ends_later_than_it_begins() {
        assert!(!judge(pod(950, 800)).pressed);
        let before = judge(pod(970, 800));
        assert!(before.pressed);
        assert!(
            judge(Sight {
                before,
                ..pod(950, 800)
            })
            .pressed
        );
        assert!(
            !judge(Sight {
                before,
                ..pod(900, 800)
            })
            .pressed
        );
    }

    #[test]
    fn without_maxmemory_writes_stop_short_of_the_limit() {
        let free = Sight {
            maxmemory: 0,
            ..pod(300, 250)
        };
        assert_eq!(judge(free).cap, Some(942 * MB));
        let full = Sight {
            maxmemory: 0,
            ..pod(1000, 900)
        };
        assert_eq!(judge(full).cap, Some(900 * MB));
    }

    #[test]
    fn a_tiny_container_still_has_a_ceiling() {
        for limit in [1, 4096, MB, 8 * MB] {
            let verdict = judge(Sight { limit, ..pod(1, 1) });
            assert!(verdict.cap.is_some_and(|cap| cap >= limit / 2));
        }
    }

    fn config(lines: &[&str]) -> Config {
        let lines: Vec<String> = lines.iter().map(|line| line.to_string()).collect();
        config::load(None, &lines).unwrap()
    }

    #[test]
    fn a_maxmemory_that_cannot_fit_is_refused_with_advice() {
        let gigabyte = Some(1024 * MB);
        assert_eq!(
            check_at_start(&config(&["maxmemory 896mb"]), gigabyte),
            Ok(())
        );
        let refusal = check_at_start(&config(&["maxmemory 1gb"]), gigabyte).unwrap_err();
        assert!(
            refusal.contains("platform-kv-container-guard no"),
            "{refusal}"
        );
        let fitting = fitting_maxmemory(1024 * MB);
        assert!(refusal.contains(&fitting.to_string()), "{refusal}");
        let advised = config(&[&format!("maxmemory {fitting}")]);
        assert_eq!(check_at_start(&advised, gigabyte), Ok(()));
        let off = config(&["maxmemory 1gb", "platform-kv-container-guard no"]);
        assert_eq!(check_at_start(&off, gigabyte), Ok(()));
        assert_eq!(check_at_start(&config(&["maxmemory 100gb"]), None), Ok(()));
        assert_eq!(check_at_start(&config(&[]), Some(MB)), Ok(()));
    }
}
