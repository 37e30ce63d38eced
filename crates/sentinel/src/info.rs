//! INFO of a Sentinel: a section is a function, in the order Redis shows them.

use crate::process::Sentinel;
use front::process::{ServerFacts, cpu_section, server_section};
use std::fmt::Write;

/// Appends one line; a string takes whatever is written to it.
macro_rules! field {
    ($out:expr, $name:expr, $value:expr) => {
        let _ = write!($out, "{}:{}\r\n", $name, $value);
    };
}

type Section = (&'static str, &'static str, fn(&Sentinel, &mut String));

const SECTIONS: &[Section] = &[
    ("server", "Server", server),
    ("clients", "Clients", clients),
    ("stats", "Stats", stats),
    ("cpu", "CPU", |_, out| cpu_section(out)),
    ("sentinel", "Sentinel", sentinel),
];

/// The text of the sections a request names; none means all of them.
pub(crate) fn text(sentinel: &Sentinel, wanted: &[&[u8]]) -> String {
    let named = |name: &str| {
        wanted
            .iter()
            .any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    let all = wanted.is_empty() || named("all") || named("everything") || named("default");
    let mut text = String::new();
    for (name, title, write) in SECTIONS {
        if all || named(name) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            let _ = write!(text, "# {title}\r\n");
            write(sentinel, &mut text);
        }
    }
    text
}

/// Timer rounds a second.
const HZ: i64 = 10;

fn server(sentinel: &Sentinel, out: &mut String) {
    let clock = &sentinel.front.clock;
    let file = sentinel.file.display().to_string();
    let facts = ServerFacts {
        mode: "sentinel",
        run_id: &sentinel.run_id,
        port: sentinel.settings.port.into(),
        hz: HZ,
        // Seconds in 24 bits, as Redis counts them.
        lru_clock: ((clock.now() / 1000) & 0xff_ffff) as u32,
        config_file: &file,
    };
    server_section(clock, &facts, out);
}

fn clients(sentinel: &Sentinel, out: &mut String) {
    let (input, output) = sentinel.front.recent_buffer_peaks();
    field!(out, "connected_clients", sentinel.front.clients.len());
    field!(out, "cluster_connections", 0);
    field!(out, "maxclients", sentinel.front.settings.maxclients);
    field!(out, "client_recent_max_input_buffer", input);
    field!(out, "client_recent_max_output_buffer", output);
    field!(out, "blocked_clients", 0);
    field!(out, "tracking_clients", 0);
    field!(out, "clients_in_timeout_table", 0);
}

fn stats(sentinel: &Sentinel, out: &mut String) {
    let front = &sentinel.front.stats;
    let pubsub = &sentinel.front.pubsub;
    field!(
        out,
        "total_connections_received",
        front.connections_received
    );
    field!(out, "total_commands_processed", sentinel.commands_processed);
    field!(out, "total_net_input_bytes", front.net_input_bytes);
    field!(out, "total_net_output_bytes", front.net_output_bytes);
    field!(out, "rejected_connections", front.connections_rejected);
    field!(out, "pubsub_channels", pubsub.name_count(false));
    field!(out, "pubsub_patterns", pubsub.pattern_count());
    field!(out, "total_error_replies", sentinel.error_replies);
    field!(out, "total_reads_processed", front.reads_processed);
    field!(out, "total_writes_processed", front.writes_processed);
}

fn sentinel(sentinel: &Sentinel, out: &mut String) {
    let core = &sentinel.core;
    let tilt = core.tilt_age();
    let simulated = u8::from(core.simulated.crash_after_election)
        + 2 * u8::from(core.simulated.crash_after_promotion);
    field!(out, "sentinel_masters", core.masters().count());
    field!(out, "sentinel_tilt", u8::from(tilt.is_some()));
    let since = tilt.map_or(-1, |age| (age / 1000) as i64);
    field!(out, "sentinel_tilt_since_seconds", since);
    field!(out, "sentinel_running_scripts", core.scripts.running());
    field!(
        out,
        "sentinel_scripts_queue_length",
        core.scripts.jobs().count()
    );
    field!(out, "sentinel_simulate_failure_flags", simulated);
    for (number, master) in core.masters().enumerate() {
        let status = match master.successor() {
            Some(successor) if successor.instance.is_s_down() => "sdown",
            Some(_) => "ok",
            None if master.is_o_down() => "odown",
            None if master.instance.is_s_down() => "sdown",
            None => "ok",
        };
        let addr = master.current_addr();
        let name = format!("master{number}");
        let facts = format!(
            "name={},status={status},address={}:{},slaves={},sentinels={}",
            master.instance.name,
            core.shown(&addr.host),
            addr.port,
            master.replicas.len(),
            master.peers.len() + 1
        );
        field!(out, name, facts);
    }
}
