//! The Clients section.

use crate::config;
use crate::server::Server;
use front::ClientClass;
use std::fmt::Write;

pub(super) fn clients(server: &Server, out: &mut String) {
    let clients = &server.front.clients;
    let (mut replicas, mut tracking) = (0, 0);
    for client in clients.iter() {
        replicas += usize::from(client.class == ClientClass::Replica);
        tracking += usize::from(client.tracking.is_some());
    }
    let (input, output) = server.front.recent_buffer_peaks();
    field!(out, "connected_clients", clients.len() - replicas);
    field!(out, "cluster_connections", 0);
    field!(out, "maxclients", server.config.integer(config::MAXCLIENTS));
    field!(out, "client_recent_max_input_buffer", input);
    field!(out, "client_recent_max_output_buffer", output);
    field!(out, "blocked_clients", server.blocked.len());
    field!(out, "tracking_clients", tracking);
    field!(
        out,
        "clients_in_timeout_table",
        server.blocked.with_timeout()
    );
}
