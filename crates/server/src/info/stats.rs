//! The Stats section.

use crate::server::Server;
use crate::stats::Rate;
use std::fmt::Write;

pub(super) fn stats(server: &Server, out: &mut String) {
    let front = &server.front.stats;
    let (hits, misses) = server
        .keyspace
        .iter()
        .fold((0, 0), |(hits, misses), (_, db)| {
            (hits + db.stats.hits, misses + db.stats.misses)
        });
    let rate = |rate: Rate| server.rates.per_second(rate);
    let kbps = |rate: Rate| format!("{:.2}", server.rates.per_second(rate) as f64 / 1024.0);
    field!(
        out,
        "total_connections_received",
        front.connections_received
    );
    field!(
        out,
        "total_commands_processed",
        server.stats.commands_processed
    );
    field!(out, "instantaneous_ops_per_sec", rate(Rate::Commands));
    field!(out, "total_net_input_bytes", front.net_input_bytes);
    field!(out, "total_net_output_bytes", front.net_output_bytes);
    let stats = &server.stats;
    field!(
        out,
        "total_net_repl_input_bytes",
        stats.net_repl_input_bytes
    );
    field!(
        out,
        "total_net_repl_output_bytes",
        stats.net_repl_output_bytes
    );
    field!(out, "instantaneous_input_kbps", kbps(Rate::InputBytes));
    field!(out, "instantaneous_output_kbps", kbps(Rate::OutputBytes));
    field!(out, "instantaneous_input_repl_kbps", "0.00");
    field!(out, "instantaneous_output_repl_kbps", "0.00");
    field!(out, "rejected_connections", front.connections_rejected);
    let syncs = &server.replication.stats;
    field!(out, "sync_full", syncs.full);
    field!(out, "sync_partial_ok", syncs.partial_ok);
    field!(out, "sync_partial_err", syncs.partial_err);
    field!(out, "expired_keys", server.stats.expired_keys);
    let expiry = &server.expiry;
    field!(
        out,
        "expired_stale_perc",
        format!("{:.2}", expiry.stale_percent)
    );
    field!(
        out,
        "expired_time_cap_reached_count",
        expiry.rounds_cut_short
    );
    field!(
        out,
        "expire_cycle_cpu_milliseconds",
        expiry.busy.as_millis()
    );
    field!(out, "evicted_keys", server.stats.evicted_keys);
    field!(out, "evicted_clients", front.evicted_clients);
    let (exceeded, now_exceeded) = server
        .eviction
        .exceeded_ms(server.front.clock.read_mono_us());
    field!(out, "total_eviction_exceeded_time", exceeded);
    field!(out, "current_eviction_exceeded_time", now_exceeded);
    field!(out, "keyspace_hits", hits);
    field!(out, "keyspace_misses", misses);
    let pubsub = &server.front.pubsub;
    field!(out, "pubsub_channels", pubsub.name_count(false));
    field!(out, "pubsub_patterns", pubsub.pattern_count());
    field!(out, "pubsubshard_channels", pubsub.name_count(true));
    // Snapshots need no fork: this is how long they took to begin, and how many did.
    let snapshots = &server.snapshot_stats;
    field!(out, "latest_fork_usec", snapshots.last_begin_us);
    field!(out, "total_forks", snapshots.begun);
    field!(
        out,
        "migrate_cached_sockets",
        server.migrate_sockets.count()
    );
    field!(out, "slave_expires_tracked_keys", 0);
    // Memory is not defragmented.
    field!(out, "active_defrag_hits", 0);
    field!(out, "active_defrag_misses", 0);
    field!(out, "active_defrag_key_hits", 0);
    field!(out, "active_defrag_key_misses", 0);
    field!(out, "total_active_defrag_time", 0);
    field!(out, "current_active_defrag_time", 0);
    field!(out, "tracking_total_keys", server.tracking.key_count());
    field!(out, "tracking_total_items", server.tracking.item_count());
    field!(
        out,
        "tracking_total_prefixes",
        server.tracking.prefix_count()
    );
    field!(out, "unexpected_error_replies", 0);
    field!(out, "total_error_replies", server.stats.error_replies);
    field!(out, "dump_payload_sanitizations", 0);
    field!(out, "total_reads_processed", front.reads_processed);
    field!(out, "total_writes_processed", front.writes_processed);
    field!(out, "io_threaded_reads_processed", 0);
    field!(out, "io_threaded_writes_processed", 0);
    field!(out, "reply_buffer_shrinks", front.reply_buffer_shrinks);
    field!(out, "reply_buffer_expands", front.reply_buffer_expands);
}
