//! The Replication section.

use crate::config;
use crate::replication::failover::Failover;
use crate::replication::master::Master;
use crate::server::Server;
use std::fmt::Write;

pub(super) fn replication(server: &Server, out: &mut String) {
    let replication = &server.replication;
    let history = &replication.history;
    match &replication.master {
        None => {
            field!(out, "role", "master");
        }
        Some(master) => replica(server, master, out),
    }
    let replicas: Vec<_> = replication
        .replicas
        .iter()
        .filter_map(|replica| Some((replica, replica.state()?)))
        .collect();
    field!(out, "connected_slaves", replicas.len());
    if server.config.integer(config::MIN_REPLICAS_TO_WRITE) > 0
        && server.config.integer(config::MIN_REPLICAS_MAX_LAG) > 0
    {
        field!(out, "min_slaves_good_slaves", server.good_replicas());
    }
    let second = server.front.clock.mono_ms() / 1000;
    for (index, (replica, state)) in replicas.into_iter().enumerate() {
        let (ip, port) = server.replica_address(replica);
        let lag = match state {
            "online" => second.saturating_sub(replica.acknowledged_second),
            _ => 0,
        };
        let _ = write!(
            out,
            "slave{index}:ip={ip},port={port},state={state},offset={},lag={lag}\r\n",
            replica.acknowledged
        );
    }
    let failover = Failover::state(replication.failover.as_ref());
    field!(out, "master_failover_state", failover);
    field!(out, "master_replid", history.id);
    let (former, end) = match &history.former {
        Some(former) => (former.id.clone(), former.end as i64),
        None => ("0".repeat(40), -1),
    };
    field!(out, "master_replid2", former);
    field!(out, "master_repl_offset", history.offset);
    field!(out, "second_repl_offset", end);
    let held = history.backlog.as_ref();
    field!(out, "repl_backlog_active", u8::from(held.is_some()));
    field!(out, "repl_backlog_size", server.backlog_size());
    let first = held.map_or(0, |_| history.backlog_start());
    field!(out, "repl_backlog_first_byte_offset", first);
    field!(out, "repl_backlog_histlen", history.held_bytes());
}

/// What a replica tells of its master.
fn replica(server: &Server, master: &Master, out: &mut String) {
    let now = server.front.clock.now();
    let second = server.front.clock.mono_ms() / 1000;
    let is_up = server.replication.is_online();
    let offset = server.replication.history.offset;
    field!(out, "role", "slave");
    field!(out, "master_host", master.host);
    field!(out, "master_port", master.port);
    field!(out, "master_link_status", if is_up { "up" } else { "down" });
    let silence = second.saturating_sub(master.last_io_second) as i64;
    field!(
        out,
        "master_last_io_seconds_ago",
        if is_up { silence } else { -1 }
    );
    let transfer = master.transfer();
    field!(out, "master_sync_in_progress", u8::from(transfer.is_some()));
    field!(out, "slave_read_repl_offset", offset);
    field!(out, "slave_repl_offset", offset);
    if let Some((received, total)) = transfer {
        let total = total.map_or(-1, |total| total as i64);
        let left = if total < 0 {
            -1
        } else {
            total - received as i64
        };
        let percent = match total {
            1.. => received as f64 * 100.0 / total as f64,
            _ => 0.0,
        };
        field!(out, "master_sync_total_bytes", total);
        field!(out, "master_sync_read_bytes", received);
        field!(out, "master_sync_left_bytes", left);
        field!(out, "master_sync_perc", format!("{percent:.2}"));
        field!(out, "master_sync_last_io_seconds_ago", silence);
    }
    if !is_up {
        let down = master.down_since.map_or(-1, |since| (now - since) / 1000);
        field!(out, "master_link_down_since_seconds", down);
    }
    field!(
        out,
        "slave_priority",
        server.config.integer(config::REPLICA_PRIORITY)
    );
    field!(
        out,
        "slave_read_only",
        u8::from(server.config.bool(config::REPLICA_READ_ONLY))
    );
    field!(
        out,
        "replica_announced",
        u8::from(server.config.bool(config::REPLICA_ANNOUNCED))
    );
}
