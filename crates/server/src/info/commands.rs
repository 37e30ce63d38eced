//! The Commandstats, Errorstats and Latencystats sections.

use crate::config::{self, special};
use crate::server::Server;
use std::fmt::Write;

pub(super) fn commandstats(server: &Server, out: &mut String) {
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

pub(super) fn errorstats(server: &Server, out: &mut String) {
    for (code, count) in &server.stats.errors {
        // What the field's own form needs cannot be part of a name.
        let code = code.replace([':', '#', '\r', '\n'], "_");
        field!(out, format!("errorstat_{code}"), format!("count={count}"));
    }
}

pub(super) fn latencystats(server: &Server, out: &mut String) {
    let text = server
        .config
        .text(config::LATENCY_TRACKING_INFO_PERCENTILES);
    let percentiles = special::numbers(text);
    for (id, entry) in server.front.table.iter() {
        let latency = &server.command_stats[id.index()].latency;
        if latency.calls() > 0 {
            let name = format!("latency_percentiles_usec_{}", entry.full_name);
            field!(out, name, latency.percentile_list(&percentiles));
        }
    }
}
