//! The Server section.

use crate::config;
use crate::server::Server;
use front::process::{ServerFacts, server_section};
use std::fmt::Write;
use store::db::lru_clock;

pub(super) fn server(server: &Server, out: &mut String) {
    let clock = &server.front.clock;
    let facts = ServerFacts {
        mode: "standalone",
        run_id: &server.run_id,
        port: server.config.integer(config::PORT),
        hz: server.config.integer(config::HZ),
        lru_clock: lru_clock(clock.now()),
        config_file: &server.config.file,
    };
    server_section(clock, &facts, out);
    if let Some(pending) = &server.shutdown {
        let left = pending.milliseconds_left(clock.mono_ms());
        field!(out, "shutdown_in_milliseconds", left);
    }
}
