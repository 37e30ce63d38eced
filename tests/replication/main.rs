//! Replication from outside: masters and replicas of platform-kv and redis-server in every pairing end with the same data at
//! the same offset, and say so.

#![allow(
    clippy::unwrap_used,
    reason = "a test helper that fails should fail the test"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "black-box tests wait in real time"
)]

mod failover;
mod links;
mod restart;
mod reunion;
mod roles;
mod shutdown;
mod sync;

use std::time::{Duration, Instant};
use tests::{Connection, Server};

/// A sync begins when it is asked for, and replicas tell at once that they are there.
const PROMPT: &[&str] = &["--repl-diskless-sync-delay", "0"];

/// How a server is started, whichever it is.
type Start = fn(&[&str]) -> Server;

/// Master and replica: ours with redis-server both ways, and ours alone.
const PAIRINGS: [(Start, Start); 3] = [
    (Server::start, Server::redis),
    (Server::redis, Server::start),
    (Server::start, Server::start),
];

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "still not: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A field of INFO.
fn field(client: &mut Connection, name: &str) -> String {
    let info = client.run("INFO").text();
    let start = format!("{name}:");
    let line = info.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_default().trim_end().to_string()
}

fn number(client: &mut Connection, name: &str) -> i64 {
    field(client, name).parse().unwrap_or(-1)
}

fn follow(replica: &Server, master: &Server) {
    let request = format!("REPLICAOF 127.0.0.1 {}", master.port());
    assert!(replica.connect().run(&request).text().contains("OK"));
}

/// Waits until a replica is online and has all that its master has.
fn wait_for_sync(master: &Server, replica: &Server) {
    let (mut above, mut below) = (master.connect(), replica.connect());
    wait_until("the replica has everything", || {
        field(&mut below, "master_link_status") == "up"
            && number(&mut above, "master_repl_offset") == number(&mut below, "slave_repl_offset")
            && field(&mut above, "slave0").contains("state=online")
    });
}

fn digest(server: &Server) -> String {
    server.connect().run("DEBUG DIGEST").text()
}

fn assert_same_data(servers: &[&Server]) {
    let digests: Vec<String> = servers.iter().map(|server| digest(server)).collect();
    assert!(
        digests.windows(2).all(|pair| pair[0] == pair[1]),
        "{digests:?}"
    );
}
