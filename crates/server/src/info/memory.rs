//! The Memory section.

use crate::config;
use crate::memory::MemoryReport;
use crate::scripting::ScriptMemory;
use crate::server::Server;
use std::fmt::Write;

pub(super) fn memory(server: &Server, out: &mut String) {
    let report = MemoryReport::of(server);
    let maxmemory = server.config.integer(config::MAXMEMORY) as usize;
    let ratio = |value: f32| format!("{value:.2}");
    let percent = |value: f32| format!("{value:.2}%");
    field!(out, "used_memory", report.used);
    field!(out, "used_memory_human", human(report.used));
    field!(out, "used_memory_rss", report.rss);
    field!(out, "used_memory_rss_human", human(report.rss));
    field!(out, "used_memory_peak", report.peak);
    field!(out, "used_memory_peak_human", human(report.peak));
    field!(out, "used_memory_peak_perc", percent(report.peak_percent()));
    field!(out, "used_memory_overhead", report.overhead());
    field!(out, "used_memory_startup", report.startup);
    field!(out, "used_memory_dataset", report.dataset());
    field!(
        out,
        "used_memory_dataset_perc",
        percent(report.dataset_percent())
    );
    field!(out, "allocator_allocated", report.allocator.allocated);
    field!(out, "allocator_active", report.allocator.active);
    field!(out, "allocator_resident", report.allocator.resident);
    field!(out, "total_system_memory", report.system);
    field!(out, "total_system_memory_human", human(report.system));
    let scripts = ScriptMemory::of(&server.scripting);
    field!(out, "used_memory_lua", scripts.eval_vm);
    field!(out, "used_memory_vm_eval", scripts.eval_vm);
    field!(out, "used_memory_lua_human", human(scripts.eval_vm));
    field!(out, "used_memory_scripts_eval", scripts.cached);
    field!(out, "number_of_cached_scripts", scripts.cached_count);
    field!(out, "number_of_functions", scripts.functions_count);
    field!(out, "number_of_libraries", scripts.libraries_count);
    field!(out, "used_memory_vm_functions", scripts.functions_vm);
    let vm = scripts.eval_vm + scripts.functions_vm;
    field!(out, "used_memory_vm_total", vm);
    field!(out, "used_memory_vm_total_human", human(vm));
    field!(out, "used_memory_functions", scripts.libraries);
    let kept = scripts.cached + scripts.libraries;
    field!(out, "used_memory_scripts", kept);
    field!(out, "used_memory_scripts_human", human(kept));
    field!(out, "maxmemory", maxmemory);
    field!(out, "maxmemory_human", human(maxmemory));
    field!(
        out,
        "maxmemory_policy",
        server.config.text(config::MAXMEMORY_POLICY)
    );
    let inner = report.allocator_fragmentation();
    field!(out, "allocator_frag_ratio", ratio(inner.ratio));
    field!(out, "allocator_frag_bytes", inner.bytes);
    let free = report.allocator_rss();
    field!(out, "allocator_rss_ratio", ratio(free.ratio));
    field!(out, "allocator_rss_bytes", free.bytes);
    let outside = report.rss_overhead();
    field!(out, "rss_overhead_ratio", ratio(outside.ratio));
    field!(out, "rss_overhead_bytes", outside.bytes);
    let total = report.fragmentation();
    field!(out, "mem_fragmentation_ratio", ratio(total.ratio));
    field!(out, "mem_fragmentation_bytes", total.bytes);
    field!(
        out,
        "mem_not_counted_for_evict",
        server.memory_not_counted()
    );
    field!(out, "mem_replication_backlog", report.replication_backlog);
    field!(
        out,
        "mem_total_replication_buffers",
        report.replication_backlog
    );
    field!(out, "mem_clients_slaves", report.clients.replicas);
    field!(out, "mem_clients_normal", report.clients.normal);
    field!(out, "mem_cluster_links", 0);
    field!(out, "mem_aof_buffer", report.aof_buffer);
    field!(
        out,
        "mem_allocator",
        format!("jemalloc-{}", front::memory::allocator_version())
    );
    field!(out, "active_defrag_running", 0);
    field!(
        out,
        "lazyfree_pending_objects",
        server.front.background.pending_free_objects()
    );
    field!(
        out,
        "lazyfreed_objects",
        server.front.background.freed_objects()
    );
}

/// An amount with two decimals in the largest unit it reaches.
pub(super) fn human(bytes: usize) -> String {
    const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while amount >= 1024.0 && units.len() > 0 {
        amount /= 1024.0;
        unit = units.next();
    }
    format!("{amount:.2}{}", unit.unwrap_or(&""))
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn amounts_are_shown_in_the_largest_unit_they_reach() {
        let shown = [
            0,
            1023,
            1024,
            1_108_408,
            25_276_514_304,
            1 << 40,
            usize::MAX,
        ]
        .map(human);
        assert_eq!(
            shown,
            [
                "0B",
                "1023B",
                "1.00K",
                "1.06M",
                "23.54G",
                "1.00T",
                "16384.00P"
            ]
        );
    }
}
