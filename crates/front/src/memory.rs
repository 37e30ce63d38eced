//! Exact memory accounting from the allocator's own per-thread counters: what was allocated and freed, by size class, at
//! no cost per allocation. The data thread reads its own counters; helper threads publish theirs after each job.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};
use tikv_jemalloc_ctl::thread::{self, ThreadLocal};

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

/// Makes a helper thread's allocations and frees visible in [`used`].
pub fn publish_helper_thread() {
    let now = this_thread();
    let before = PUBLISHED.replace(now);
    HELPERS.fetch_add(now - before, Ordering::Relaxed);
}
