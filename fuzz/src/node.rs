//! A whole node in this process, and a connection to it, both driven by hand: the same input takes the same way.

use front::Listener;
use front::event_loop::{Service, before_sleep, turn};
use server::Server;
use server::config::Config;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Directives that keep hostile requests off the machine, and memory small.
pub(crate) const SAFE: &[&str] = &[
    "save \"\"",
    "loglevel warning",
    "proto-max-bulk-len 1mb",
    "maxmemory 200mb",
    "maxmemory-policy allkeys-random",
    // A random choice of a billion members is a right answer.
    "client-output-buffer-limit normal 64mb 64mb 0",
    "rename-command SHUTDOWN \"\"",
    "rename-command MIGRATE \"\"",
];
/// Some of these are not there in every build: a directive that renames nothing is an error.
const AWAY: &[&str] = &["REPLICAOF", "SLAVEOF", "FAILOVER", "PSYNC", "SYNC"];
/// Turns without a byte after which the node has nothing more to say.
const QUIET_TURNS: usize = 3;
const SOCKET: &str = "node.sock";

pub(crate) struct Node {
    pub(crate) server: Server,
    stream: UnixStream,
}

/// The lines as a configuration, which is one.
pub(crate) fn config(lines: &[&str]) -> Config {
    let mut lines: Vec<String> = lines.iter().map(|line| line.to_string()).collect();
    let (table, _) = server::commands::table();
    for name in AWAY.iter().filter(|name| table.by_name(name).is_some()) {
        lines.push(format!("rename-command {name} \"\""));
    }
    server::config::load(None, &lines).expect("these lines are right")
}

impl Node {
    pub(crate) fn new(lines: &[&str]) -> Node {
        Node::of(config(lines)).expect("a node can be had of this configuration")
    }

    /// A node of a configuration that may be refused.
    pub(crate) fn of(config: Config) -> Option<Node> {
        let mut server = Server::new(config, 1).ok()?;
        let listener = Listener::unix(SOCKET, None).expect("the working folder takes a socket");
        server
            .front
            .add_listener(listener)
            .expect("the poller takes a listener");
        let stream = UnixStream::connect(Path::new(SOCKET)).expect("the node listens");
        stream.set_nonblocking(true).expect("a socket");
        let mut node = Node { server, stream };
        node.turn();
        Some(node)
    }

    /// Loads what lies in the working folder. False if the node refuses to start.
    pub(crate) fn recover(&mut self) -> bool {
        if self.server.recover().is_err() {
            return false;
        }
        while self.server.is_loading() && !self.server.stopping() {
            self.turn();
        }
        !self.server.stopping()
    }

    fn turn(&mut self) {
        let wait_ms = u64::from(self.server.is_loading());
        turn(&mut self.server, wait_ms).expect("the poller works");
        self.server.run_timers();
        before_sleep(&mut self.server);
    }

    /// Sends bytes and returns all that comes back until the node is quiet. A node that closes the connection gets the
    /// rest of nothing.
    pub(crate) fn send(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut replies = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        let mut quiet = 0;
        while quiet < QUIET_TURNS && !self.server.stopping() {
            quiet += 1;
            match self.stream.write(bytes) {
                Ok(count) if count > 0 => (bytes, quiet) = (&bytes[count..], 0),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
            self.turn();
            loop {
                match self.stream.read(&mut buffer) {
                    Ok(0) => return replies,
                    Ok(count) => {
                        replies.extend_from_slice(&buffer[..count]);
                        quiet = 0;
                    }
                    Err(_) => break,
                }
            }
        }
        replies
    }

    /// Sends a command of words.
    pub(crate) fn call(&mut self, words: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        resp::encode_command(words, &mut bytes);
        self.send(&bytes)
    }

    /// Sends a command written as a line, quotes as in redis-cli.
    pub(crate) fn run(&mut self, line: &str) -> Vec<u8> {
        let words = resp::inline::split_args(line.as_bytes()).expect("quotes that are closed");
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        self.call(&words)
    }
}
