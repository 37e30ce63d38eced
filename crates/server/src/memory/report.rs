//! The figures themselves.

use crate::server::Server;
use front::ClientClass;
use front::memory::Allocator;

/// See the module. In bytes, where nothing else is said.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryReport {
    pub(crate) used: usize,
    pub(crate) peak: usize,
    pub(crate) startup: usize,
    pub(crate) rss: usize,
    pub(crate) system: usize,
    pub(crate) allocator: Allocator,
    pub(crate) clients: ClientMemory,
    pub(crate) aof_buffer: usize,
    pub(crate) replication_backlog: usize,
    /// Non-empty dbs.
    pub(crate) dbs: Vec<DbMemory>,
    pub(crate) keys: usize,
}

/// Sums over connected clients.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClientMemory {
    /// Everybody but replicas.
    pub(crate) normal: usize,
    pub(crate) replicas: usize,
    pub(crate) count: usize,
    pub(crate) replica_count: usize,
}

/// A db's overhead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DbMemory {
    pub(crate) index: u32,
    pub(crate) table: usize,
}

/// A ratio with the difference it comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fragmentation {
    pub(crate) ratio: f32,
    pub(crate) bytes: i64,
}

impl Fragmentation {
    fn of(outer: usize, inner: usize) -> Fragmentation {
        Fragmentation {
            ratio: outer as f32 / inner.max(1) as f32,
            bytes: outer as i64 - inner as i64,
        }
    }
}

impl MemoryReport {
    /// The figures of now.
    pub(crate) fn of(server: &Server) -> MemoryReport {
        // First, as the report itself takes memory.
        let used = front::memory::used();
        let mut dbs = Vec::new();
        for (index, db) in server.keyspace.iter().filter(|(_, db)| !db.is_empty()) {
            dbs.push(DbMemory {
                index,
                table: db.table_bytes(),
            });
        }
        MemoryReport {
            used,
            peak: server.memory.peak.max(used),
            startup: server.memory.startup,
            rss: front::memory::resident().map_or(used, |resident| resident.total),
            system: front::memory::system_total(),
            allocator: front::memory::allocator(),
            clients: client_memory(server),
            aof_buffer: server.aof_buffered(),
            replication_backlog: server.replication.backlog_memory(),
            dbs,
            keys: server.keyspace.len(),
        }
    }

    /// What is not keys and values.
    pub(crate) fn overhead(&self) -> usize {
        self.startup
            + self.replication_backlog
            + self.clients.normal
            + self.clients.replicas
            + self.aof_buffer
            + self.dbs.iter().map(|db| db.table).sum::<usize>()
    }

    /// Keys and values.
    pub(crate) fn dataset(&self) -> usize {
        self.used.saturating_sub(self.overhead())
    }

    /// What was not there when the node started.
    fn net(&self) -> usize {
        match self.used.saturating_sub(self.startup) {
            0 => 1,
            net => net,
        }
    }

    pub(crate) fn dataset_percent(&self) -> f32 {
        self.dataset() as f32 * 100.0 / self.net() as f32
    }

    pub(crate) fn peak_percent(&self) -> f32 {
        self.used as f32 * 100.0 / self.peak.max(1) as f32
    }

    pub(crate) fn bytes_per_key(&self) -> usize {
        self.net().checked_div(self.keys).unwrap_or(0)
    }

    /// Free places within the allocator's pages.
    pub(crate) fn allocator_fragmentation(&self) -> Fragmentation {
        Fragmentation::of(self.allocator.active, self.allocator.allocated)
    }

    /// Pages the allocator could give back.
    pub(crate) fn allocator_rss(&self) -> Fragmentation {
        Fragmentation::of(self.allocator.resident, self.allocator.active)
    }

    /// Memory of the process that is not the allocator's.
    pub(crate) fn rss_overhead(&self) -> Fragmentation {
        Fragmentation::of(self.rss, self.allocator.resident)
    }

    /// All of these together.
    pub(crate) fn fragmentation(&self) -> Fragmentation {
        Fragmentation::of(self.rss, self.used)
    }
}

fn client_memory(server: &Server) -> ClientMemory {
    let mut sums = ClientMemory::default();
    for client in server.front.clients.iter() {
        if client.class == ClientClass::Replica {
            sums.replicas += client.memory();
            sums.replica_count += 1;
        } else {
            sums.normal += client.memory();
            sums.count += 1;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_overhead_is_dataset() {
        let report = MemoryReport {
            used: 10_000,
            peak: 20_000,
            startup: 1000,
            keys: 90,
            clients: ClientMemory {
                normal: 300,
                replicas: 200,
                count: 1,
                replica_count: 1,
            },
            dbs: vec![DbMemory {
                index: 0,
                table: 500,
            }],
            ..MemoryReport::default()
        };
        assert_eq!((report.overhead(), report.dataset()), (2000, 8000));
        assert_eq!(report.dataset_percent(), 8000.0 * 100.0 / 9000.0);
        assert_eq!(report.peak_percent(), 50.0);
        assert_eq!(report.bytes_per_key(), 100);
    }

    #[test]
    fn an_empty_report_divides_by_nothing() {
        let report = MemoryReport::default();
        assert_eq!(report.bytes_per_key(), 0);
        assert_eq!(
            report.fragmentation(),
            Fragmentation {
                ratio: 0.0,
                bytes: 0
            }
        );
        assert_eq!(report.dataset_percent(), 0.0);
    }
}
