//! The sections of INFO, as far as what they show exists. Field names and order are Redis 7.0's.

macro_rules! field {
    ($out:expr, $name:expr, $value:expr) => {
        // A string takes whatever is written to it.
        let _ = write!($out, "{}:{}\r\n", $name, $value);
    };
}

pub(super) mod memory;

use crate::config;
use crate::persistence::info;
use crate::server::Server;
use crate::start::REDIS_VERSION;
use std::fmt::Write;

/// A section's name as a request spells it, and what writes it.
type Section = (&'static str, &'static str, fn(&Server, &mut String));

const SECTIONS: &[Section] = &[
    ("server", "Server", server),
    ("clients", "Clients", clients),
    ("memory", "Memory", memory::memory),
    ("persistence", "Persistence", persistence),
    ("stats", "Stats", stats),
    ("replication", "Replication", replication),
    ("commandstats", "Commandstats", commandstats),
    ("errorstats", "Errorstats", errorstats),
    ("cluster", "Cluster", cluster),
    ("keyspace", "Keyspace", keyspace),
    (OWN, "Platform_kv", platform_kv),
];

/// Shown only when asked for by name, or with `all` and `everything`.
const EXTRA: &[&str] = &["commandstats"];

/// The section of what Redis does not have.
const OWN: &str = "platform_kv";

/// The text of the sections a request names; none means the default ones.
pub(crate) fn text(server: &Server, wanted: &[&[u8]]) -> String {
    let named = |name: &str| {
        wanted
            .iter()
            .any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    let all = named("all") || named("everything");
    let defaults = wanted.is_empty() || named("default");
    let mut text = String::new();
    for (name, title, write) in SECTIONS {
        let shown = match *name {
            // Redis has no such section: only who asks for it, or for everything there is, gets it.
            OWN => named(OWN) || named("everything"),
            name => named(name) || all || (defaults && !EXTRA.contains(&name)),
        };
        if shown {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            text.push_str(&format!("# {title}\r\n"));
            write(server, &mut text);
        }
    }
    text
}

fn server(server: &Server, out: &mut String) {
    let uptime = server.front.clock.mono_ms() / 1000;
    field!(out, "redis_version", REDIS_VERSION);
    field!(out, "redis_mode", "standalone");
    field!(out, "arch_bits", usize::BITS);
    field!(out, "multiplexing_api", "epoll");
    field!(out, "process_id", std::process::id());
    field!(out, "tcp_port", server.config.integer(config::PORT));
    field!(out, "server_time_usec", server.front.clock.now_us());
    field!(out, "uptime_in_seconds", uptime);
    field!(out, "uptime_in_days", uptime / 86_400);
    field!(out, "config_file", server.config.file);
}

fn clients(server: &Server, out: &mut String) {
    field!(out, "connected_clients", server.front.clients.len());
    field!(out, "maxclients", server.config.integer(config::MAXCLIENTS));
    field!(out, "blocked_clients", server.blocked.len());
    field!(
        out,
        "clients_in_timeout_table",
        server.blocked.with_timeout()
    );
}

fn persistence(server: &Server, out: &mut String) {
    field!(out, "loading", u8::from(server.is_loading()));
    field!(out, "rdb_changes_since_last_save", server.stats.dirty);
    for (name, value) in [info::aof, info::aof_files, info::loading]
        .into_iter()
        .flat_map(|fields| fields(server))
    {
        field!(out, name, value);
    }
}

fn stats(server: &Server, out: &mut String) {
    let front = &server.front.stats;
    let (hits, misses) = server
        .keyspace
        .iter()
        .fold((0, 0), |(hits, misses), (_, db)| {
            (hits + db.stats.hits, misses + db.stats.misses)
        });
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
    field!(out, "total_net_input_bytes", front.net_input_bytes);
    field!(out, "total_net_output_bytes", front.net_output_bytes);
    field!(out, "rejected_connections", front.connections_rejected);
    field!(out, "expired_keys", server.stats.expired_keys);
    field!(out, "evicted_keys", server.stats.evicted_keys);
    let (exceeded, now_exceeded) = server
        .eviction
        .exceeded_ms(server.front.clock.read_mono_us());
    field!(out, "total_eviction_exceeded_time", exceeded);
    field!(out, "current_eviction_exceeded_time", now_exceeded);
    field!(out, "keyspace_hits", hits);
    field!(out, "keyspace_misses", misses);
    field!(
        out,
        "pubsub_channels",
        server.front.pubsub.names(false, None).len()
    );
    field!(out, "pubsub_patterns", server.front.pubsub.pattern_count());
    field!(
        out,
        "pubsubshard_channels",
        server.front.pubsub.names(true, None).len()
    );
    field!(out, "total_error_replies", server.stats.error_replies);
    field!(out, "total_reads_processed", front.reads_processed);
    field!(out, "total_writes_processed", front.writes_processed);
}

fn replication(_: &Server, out: &mut String) {
    field!(out, "role", "master");
    field!(out, "connected_slaves", 0);
}

fn commandstats(server: &Server, out: &mut String) {
    for (id, entry) in server.front.table.iter() {
        let stats = &server.command_stats[id.index()];
        if stats.calls + stats.rejected_calls + stats.failed_calls == 0 {
            continue;
        }
        let mean = stats.usec as f64 / stats.calls.max(1) as f64;
        let line = format!(
            "calls={},usec={},usec_per_call={mean:.2},rejected_calls={},failed_calls={}",
            stats.calls, stats.usec, stats.rejected_calls, stats.failed_calls
        );
        field!(out, format!("cmdstat_{}", entry.full_name), line);
    }
}

fn errorstats(server: &Server, out: &mut String) {
    for (code, count) in &server.stats.errors {
        field!(out, format!("errorstat_{code}"), format!("count={count}"));
    }
}

fn cluster(_: &Server, out: &mut String) {
    field!(out, "cluster_enabled", 0);
}

fn keyspace(server: &Server, out: &mut String) {
    for (index, db) in server.keyspace.iter().filter(|(_, db)| !db.is_empty()) {
        let line = format!("keys={},expires={},avg_ttl=0", db.len(), db.expiring_len());
        field!(out, format!("db{index}"), line);
    }
}

fn platform_kv(server: &Server, out: &mut String) {
    for (name, figure) in server.guard.figures() {
        field!(out, format!("platform_kv_{name}"), figure);
    }
}
