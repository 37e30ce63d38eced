//! INFO: a section is a file or a function, its fields in the order Redis 7.0 shows them.

/// Appends one line; a string takes whatever is written to it.
macro_rules! field {
    ($out:expr, $name:expr, $value:expr) => {
        let _ = write!($out, "{}:{}\r\n", $name, $value);
    };
}

mod clients;
mod commands;
mod keyspace;
pub(super) mod memory;
mod persistence;
mod replication;
mod server;
mod stats;

use crate::server::Server;
use std::fmt::Write;

/// A section's name as a request spells it, its title, and what writes it.
struct Section {
    name: &'static str,
    title: &'static str,
    shown: Shown,
    write: fn(&Server, &mut String),
}

/// When a section is shown without being named.
#[derive(Clone, Copy, PartialEq)]
enum Shown {
    ByDefault,
    /// With `all` and `everything`.
    WithAll,
    /// With `everything`: Redis has no such section.
    WithEverything,
}

impl Section {
    const fn new(
        name: &'static str,
        title: &'static str,
        shown: Shown,
        write: fn(&Server, &mut String),
    ) -> Section {
        Section {
            name,
            title,
            shown,
            write,
        }
    }
}

/// In the order they are shown.
const SECTIONS: &[Section] = &[
    Section::new("server", "Server", Shown::ByDefault, server::server),
    Section::new("clients", "Clients", Shown::ByDefault, clients::clients),
    Section::new("memory", "Memory", Shown::ByDefault, memory::memory),
    Section::new(
        "persistence",
        "Persistence",
        Shown::ByDefault,
        persistence::persistence,
    ),
    Section::new("stats", "Stats", Shown::ByDefault, stats::stats),
    Section::new(
        "replication",
        "Replication",
        Shown::ByDefault,
        replication::replication,
    ),
    Section::new("cpu", "CPU", Shown::ByDefault, |_, out| {
        front::process::cpu_section(out);
    }),
    // There are no modules, and clients look for the title.
    Section::new("modules", "Modules", Shown::ByDefault, |_, _| ()),
    Section::new(
        "commandstats",
        "Commandstats",
        Shown::WithAll,
        commands::commandstats,
    ),
    Section::new(
        "errorstats",
        "Errorstats",
        Shown::ByDefault,
        commands::errorstats,
    ),
    Section::new(
        "latencystats",
        "Latencystats",
        Shown::WithAll,
        commands::latencystats,
    ),
    Section::new("cluster", "Cluster", Shown::ByDefault, |_, out| {
        field!(out, "cluster_enabled", 0);
    }),
    Section::new("keyspace", "Keyspace", Shown::ByDefault, keyspace::keyspace),
    Section::new(
        "platform_kv",
        "Platform_kv",
        Shown::WithEverything,
        platform_kv,
    ),
];

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
    for section in SECTIONS {
        let shown = match section.shown {
            Shown::ByDefault => all || defaults,
            Shown::WithAll => all,
            Shown::WithEverything => named("everything"),
        };
        if shown || named(section.name) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            let _ = write!(text, "# {}\r\n", section.title);
            (section.write)(server, &mut text);
        }
    }
    text
}

fn platform_kv(server: &Server, out: &mut String) {
    for (name, figure) in server.guard.figures() {
        field!(out, format!("platform_kv_{name}"), figure);
    }
}
