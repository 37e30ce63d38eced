//! The Keyspace section.

use crate::server::Server;
use std::fmt::Write;

pub(super) fn keyspace(server: &Server, out: &mut String) {
    let now = server.front.clock.now();
    for (index, db) in server.keyspace.iter().filter(|(_, db)| !db.is_empty()) {
        let line = format!(
            "keys={},expires={},avg_ttl={}",
            db.len(),
            db.expiring_len(),
            db.average_ttl(now)
        );
        field!(out, format!("db{index}"), line);
    }
}
