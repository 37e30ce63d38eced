//! The Replication section.

use crate::config;
use crate::server::Server;
use std::fmt::Write;

pub(super) fn replication(server: &Server, out: &mut String) {
    field!(out, "role", "master");
    field!(out, "connected_slaves", 0);
    field!(out, "master_failover_state", "no-failover");
    field!(out, "master_replid", server.replid);
    field!(out, "master_replid2", "0".repeat(40));
    field!(out, "master_repl_offset", 0);
    field!(out, "second_repl_offset", -1);
    field!(out, "repl_backlog_active", 0);
    field!(
        out,
        "repl_backlog_size",
        server.config.integer(config::REPL_BACKLOG_SIZE)
    );
    field!(out, "repl_backlog_first_byte_offset", 0);
    field!(out, "repl_backlog_histlen", 0);
}
