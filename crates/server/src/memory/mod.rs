//! What the node's memory is used for, for INFO, MEMORY STATS and MEMORY DOCTOR.

pub(crate) mod cgroup;
mod doctor;
pub(crate) mod guard;
mod report;

pub(crate) use doctor::diagnose;
pub(crate) use report::MemoryReport;

use crate::server::Server;

/// What is remembered between reports.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryHistory {
    /// Bytes in use when the node was ready and empty.
    pub startup: usize,
    /// The most bytes ever in use.
    pub peak: usize,
}

impl MemoryHistory {
    /// Takes notice of the bytes in use now.
    pub(crate) fn observe(&mut self, used: usize) {
        self.peak = self.peak.max(used);
    }
}

impl Server {
    /// The periodic look at memory.
    pub(crate) fn look_after_memory(&mut self) {
        if !self.debug.cron_paused {
            self.memory.observe(front::memory::used());
            self.guard_container();
        }
    }
}
