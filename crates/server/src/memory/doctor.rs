//! MEMORY DOCTOR: what looks wrong with memory, in words.

use super::MemoryReport;

/// Below this much there is nothing to be said.
const LITTLE: usize = 5 << 20;
const MB: f64 = 1_048_576.0;

/// The findings, as one text.
pub(crate) fn diagnose(report: &MemoryReport) -> String {
    if report.used < LITTLE {
        return "The node is empty or nearly so: there is too little memory in use to judge it.\n"
            .into();
    }
    let findings: Vec<String> = CHECKS.iter().filter_map(|check| check(report)).collect();
    if findings.is_empty() {
        return "No memory problem found.\n".into();
    }
    let mut text = String::from("Memory problems found:\n\n");
    for finding in findings {
        text.push_str(" * ");
        text.push_str(&finding);
        text.push_str("\n\n");
    }
    text
}

/// A check says what it finds.
type Check = fn(&MemoryReport) -> Option<String>;

const CHECKS: &[Check] = &[
    past_peak,
    fragmentation,
    allocator_fragmentation,
    allocator_rss,
    process_overhead,
    client_buffers,
    replica_buffers,
];

/// Fragmentation in small heaps is noise.
const NOISE: i64 = 10 << 20;

fn past_peak(report: &MemoryReport) -> Option<String> {
    (report.peak as f64 > report.used as f64 * 1.5).then(|| {
        format!(
            "Peak: {:.1} MB were in use once, {:.1} MB are now. Pages of that time may still be resident, which makes \
             mem_fragmentation_ratio ({:.2}) look bad; they are used again when the dataset grows. MEMORY PURGE gives \
             back what is wholly free.",
            report.peak as f64 / MB,
            report.used as f64 / MB,
            report.fragmentation().ratio
        )
    })
}

fn fragmentation(report: &MemoryReport) -> Option<String> {
    let total = report.fragmentation();
    (total.ratio > 1.4 && total.bytes > NOISE).then(|| {
        format!(
            "Fragmentation: the process holds {:.2} times what is in use ({:.1} MB more). The points below tell where; \
             if there are none, other memory of the process is meant.",
            total.ratio,
            total.bytes as f64 / MB
        )
    })
}

fn allocator_fragmentation(report: &MemoryReport) -> Option<String> {
    let inner = report.allocator_fragmentation();
    (inner.ratio > 1.1 && inner.bytes > NOISE).then(|| {
        format!(
            "Allocator fragmentation: pages in use are {:.2} times as large as what they hold. Values of changing sizes \
             cause this; activedefrag moves them together.",
            inner.ratio
        )
    })
}

fn allocator_rss(report: &MemoryReport) -> Option<String> {
    let free = report.allocator_rss();
    (free.ratio > 1.1 && free.bytes > NOISE).then(|| {
        format!(
            "Free pages: the allocator keeps {:.1} MB that nothing uses. MEMORY PURGE gives them back.",
            free.bytes as f64 / MB
        )
    })
}

fn process_overhead(report: &MemoryReport) -> Option<String> {
    let outside = report.rss_overhead();
    (outside.ratio > 1.1 && outside.bytes > NOISE).then(|| {
        format!(
            "Process overhead: {:.1} MB of the process are not the allocator's: thread stacks, code, mapped files.",
            outside.bytes as f64 / MB
        )
    })
}

fn client_buffers(report: &MemoryReport) -> Option<String> {
    /// A client that is doing well needs far less.
    const LARGE: usize = 200 << 10;
    let clients = report.clients;
    let each = clients.normal.checked_div(clients.count)?;
    (each > LARGE).then(|| {
        format!(
            "Client buffers: {each} bytes for each client on average. Some do not read what they asked for, or send \
             very large requests: CLIENT LIST shows tot-mem of each; client-output-buffer-limit and maxmemory-clients \
             set limits."
        )
    })
}

fn replica_buffers(report: &MemoryReport) -> Option<String> {
    const LARGE: usize = 10 << 20;
    let clients = report.clients;
    let each = clients.replicas.checked_div(clients.replica_count)?;
    (each > LARGE).then(|| {
        format!(
            "Replica buffers: {each} bytes for each replica on average. A replica or its network is too slow for the \
             write load."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::report::ClientMemory;
    use super::*;
    use front::memory::Allocator;

    fn healthy() -> MemoryReport {
        const USED: usize = 100 << 20;
        MemoryReport {
            used: USED,
            peak: USED,
            rss: USED + USED / 20,
            allocator: Allocator {
                allocated: USED,
                active: USED + (1 << 20),
                resident: USED + (2 << 20),
            },
            clients: ClientMemory {
                normal: 1000,
                replicas: 0,
                count: 1,
                replica_count: 0,
            },
            ..MemoryReport::default()
        }
    }

    #[test]
    fn a_healthy_or_nearly_empty_node_has_no_findings() {
        assert!(diagnose(&healthy()).starts_with("No memory problem"));
        assert!(
            diagnose(&MemoryReport {
                used: 1000,
                ..healthy()
            })
            .contains("too little")
        );
    }

    #[test]
    fn each_problem_is_named() {
        let sick = MemoryReport {
            peak: 300 << 20,
            rss: 500 << 20,
            allocator: Allocator {
                allocated: 100 << 20,
                active: 200 << 20,
                resident: 300 << 20,
            },
            clients: ClientMemory {
                normal: 1 << 20,
                replicas: 1 << 30,
                count: 2,
                replica_count: 1,
            },
            ..healthy()
        };
        let text = diagnose(&sick);
        for word in [
            "Peak:",
            "Fragmentation:",
            "Allocator fragmentation:",
            "Free pages:",
            "Process overhead:",
            "Client buffers:",
            "Replica buffers:",
        ] {
            assert!(text.contains(word), "{word} in {text}");
        }
    }
}
