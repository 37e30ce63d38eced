//! Sentinels from outside: groups of real redis-server nodes, watched by platform-kv's Sentinels, by redis-sentinel, or both.

#![allow(
    clippy::unwrap_used,
    reason = "a test helper that fails should fail the test"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "black-box tests wait in real time"
)]

mod commands;
mod discovery;
mod failover;
mod planned;
mod state;

use std::time::{Duration, Instant};
use tests::{Connection, Reply, Server};

/// How a Sentinel is started, whichever it is.
type Start = fn(&str) -> Server;

/// Waits for something that a loaded machine may take long to do.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !is_so() {
        assert!(Instant::now() < deadline, "still not: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Nodes and the Sentinels that watch them.
struct Group {
    /// The master first, as it was at the start.
    nodes: Vec<Server>,
    sentinels: Vec<Server>,
}

/// The text of a Sentinel's file for a master on this port.
fn file(port: u16, quorum: usize) -> String {
    format!(
        "sentinel monitor mymaster 127.0.0.1 {port} {quorum}\nsentinel down-after-milliseconds mymaster 2000\n\
         sentinel failover-timeout mymaster 10000\n"
    )
}

impl Group {
    /// A master, so many replicas, and a Sentinel for each way to start one; all know each other when this returns.
    fn start(replicas: usize, sentinels: &[Start]) -> Group {
        Group::start_on(Server::redis, replicas, sentinels)
    }

    /// The same with nodes of another kind.
    fn start_on(node: fn(&[&str]) -> Server, replicas: usize, sentinels: &[Start]) -> Group {
        let node = || node(&["--repl-diskless-sync-delay", "0"]);
        let nodes: Vec<Server> = (0..=replicas).map(|_| node()).collect();
        let master = nodes[0].port();
        for replica in &nodes[1..] {
            let request = format!("REPLICAOF 127.0.0.1 {master}");
            assert_eq!(replica.connect().run(&request).text(), "OK");
        }
        for replica in &nodes[1..] {
            let mut client = replica.connect();
            wait_until("a replica is in sync", || {
                client
                    .run("INFO replication")
                    .text()
                    .contains("master_link_status:up")
            });
        }
        let quorum = sentinels.len() / 2 + 1;
        let text = file(master, quorum);
        let sentinels: Vec<Server> = sentinels.iter().map(|start| start(&text)).collect();
        let group = Group { nodes, sentinels };
        let others = group.sentinels.len() - 1;
        for sentinel in &group.sentinels {
            wait_until("every Sentinel knows everybody", || {
                let master = group_master(sentinel);
                field(&master, "num-slaves") == replicas.to_string()
                    && field(&master, "num-other-sentinels") == others.to_string()
                    && field(&master, "flags") == "master"
            });
        }
        group
    }

    fn node(&self, port: u16) -> &Server {
        let node = self.nodes.iter().find(|node| node.port() == port);
        node.expect("it is a node of this group")
    }

    /// Waits until all Sentinels name the same master, and another one than this.
    fn wait_for_switch(&self, old: u16) -> u16 {
        let mut new = old;
        wait_until("all Sentinels name the same new master", || {
            let ports: Vec<u16> = self.sentinels.iter().map(master_port).collect();
            new = ports[0];
            new != old && ports.iter().all(|port| *port == new)
        });
        new
    }
}

/// The port of the master as a Sentinel names it.
fn master_port(sentinel: &Server) -> u16 {
    let reply = sentinel
        .connect()
        .run("SENTINEL GET-MASTER-ADDR-BY-NAME mymaster");
    reply.items()[1].text().parse().unwrap()
}

/// What a Sentinel says of the master.
fn group_master(sentinel: &Server) -> Reply {
    sentinel.connect().run("SENTINEL MASTER mymaster")
}

/// A field of a flat list of names and values.
fn field(reply: &Reply, name: &str) -> String {
    let pair = reply.items().chunks(2).find(|pair| pair[0].text() == name);
    pair.map(|pair| pair[1].text()).unwrap_or_default()
}

fn names(reply: &Reply) -> Vec<String> {
    reply.items().chunks(2).map(|pair| pair[0].text()).collect()
}

/// A line of a node's INFO; nothing if it closes the connection just then, as it does when its role changes.
fn says(node: &Server, name: &str) -> String {
    let words = ["INFO", "replication"].map(|word| word.as_bytes().to_vec());
    let reply = node.connect().call(&words);
    let text = reply.map(|reply| reply.text()).unwrap_or_default();
    let start = format!("{name}:");
    let line = text.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_default().trim_end().to_string()
}
