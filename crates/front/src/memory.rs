//! Exact memory accounting from the allocator's own per-thread counters: what was allocated and freed, by size class, at
//! no cost per allocation. The data thread reads its own counters; helper threads publish theirs after each job.
#![allow(
    unsafe_code,
    reason = "asking the allocator for a purge has no safe wrapper"
)]

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};
use tikv_jemalloc_ctl::thread::{self, ThreadLocal};
use tikv_jemalloc_ctl::{epoch, stats, stats_print, version};

type Counters = (ThreadLocal<u64>, ThreadLocal<u64>);

thread_local! {
    static COUNTERS: Option<Counters> = thread::allocatedp::mib()
        .and_then(|allocated| Ok((allocated.read()?, thread::deallocatedp::mib()?.read()?)))
        .ok();
    static PUBLISHED: Cell<i64> = const { Cell::new(0) };
}

/// The sum of what helper threads published.
static HELPERS: AtomicI64 = AtomicI64::new(0);

fn this_thread() -> i64 {
    COUNTERS.with(|counters| match counters {
        Some((allocated, deallocated)) => allocated.get().wrapping_sub(deallocated.get()) as i64,
        None => 0,
    })
}

/// Bytes allocated by the process, as seen from the data thread.
#[inline]
pub fn used() -> usize {
    (this_thread() + HELPERS.load(Ordering::Relaxed)).max(0) as usize
}

/// Bytes the calling thread has ever allocated.
#[inline]
pub fn allocated_by_this_thread() -> u64 {
    COUNTERS.with(|counters| {
        counters
            .as_ref()
            .map_or(0, |(allocated, _)| allocated.get())
    })
}

/// Makes a helper thread's allocations and frees visible in [`used`].
pub fn publish_helper_thread() {
    let now = this_thread();
    let before = PUBLISHED.replace(now);
    HELPERS.fetch_add(now - before, Ordering::Relaxed);
}

/// The allocator's own figures, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocator {
    /// Handed out, by size class.
    pub allocated: usize,
    /// Pages that hold any of that.
    pub active: usize,
    /// Pages that hold or held something and are still in memory.
    pub resident: usize,
}

/// The allocator's figures of now; zeros from another allocator.
pub fn allocator() -> Allocator {
    let read = || -> Result<Allocator, tikv_jemalloc_ctl::Error> {
        epoch::advance()?;
        Ok(Allocator {
            allocated: stats::allocated::read()?,
            active: stats::active::read()?,
            resident: stats::resident::read()?,
        })
    };
    read().unwrap_or_default()
}

/// As in `5.3.0`.
pub fn allocator_version() -> &'static str {
    let full = version::read().unwrap_or_default();
    full.split('-').next().unwrap_or(full)
}

/// The allocator's statistics as a text for people.
pub fn allocator_statistics() -> Vec<u8> {
    let mut text = Vec::new();
    // A text that breaks off is still worth showing.
    let _ = stats_print::stats_print(&mut text, stats_print::Options::default());
    text
}

/// Gives free pages back to the system; false if the allocator cannot.
pub fn purge() -> bool {
    /// Every arena.
    const NAME: &std::ffi::CStr = c"arena.4096.purge";
    // SAFETY: the name ends in a zero byte, and the call neither reads nor writes memory of ours.
    let result = unsafe {
        tikv_jemalloc_sys::mallctl(
            NAME.as_ptr(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            0,
        )
    };
    result == 0
}

/// Bytes of the process that are in memory, as the system counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resident {
    pub total: usize,
    /// Without pages of files, which the system can take back.
    pub own: usize,
}

/// None where the system does not tell.
pub fn resident() -> Option<Resident> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = statm.split(' ').skip(1).map(str::parse::<usize>);
    let (total, shared) = (pages.next()?.ok()?, pages.next()?.ok()?);
    let page = rustix::param::page_size();
    Some(Resident {
        total: total * page,
        own: total.saturating_sub(shared) * page,
    })
}

/// Bytes of memory the machine has.
pub fn system_total() -> usize {
    let info = rustix::system::sysinfo();
    info.totalram as usize * (info.mem_unit as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_in_memory_and_the_machine_has_more() {
        let Resident { total, own } = resident().expect("Linux has /proc");
        assert!(
            own > 100_000 && own < total && total < system_total(),
            "{own} {total}"
        );
    }
}
