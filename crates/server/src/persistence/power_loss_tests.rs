//! A whole node on a simulated disk that loses its power, again and again: with `appendfsync always` nothing that was
//! answered may be missing afterwards, and with every policy what comes back is what the node held at some earlier moment.
//!
//! `POWER_LOSSES` says how often (`make power-loss` does it ten thousand times); a failure names its seed.

use super::disk::Disk;
use super::simulated_disk::{Operation, SimulatedDisk};
use crate::config::{self, Config};
use crate::server::Server;
use front::ClientKey;
use front::event_loop::{Service, turn};
use std::sync::Arc;

/// As many as make the ordinary tests not much longer.
const POWER_LOSSES: u64 = 120;
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// Repeatable chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end.max(1)
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

/// A node and what it was told.
struct Node {
    server: Server,
    client: ClientKey,
    disk: SimulatedDisk,
    /// Numbers put into the list so far, and the position of the write stream at which each became part of it.
    written: Vec<u64>,
}

impl Node {
    /// Starts a node from what is on a disk; None when it refuses.
    fn start(disk: &SimulatedDisk, policy: &str, preamble: &str) -> Option<Node> {
        let mut config = Config::default();
        for (id, value) in [
            (config::APPENDONLY, "yes"),
            (config::APPENDFSYNC, policy),
            (config::AOF_USE_RDB_PREAMBLE, preamble),
            (config::AUTO_AOF_REWRITE_PERCENTAGE, "0"),
            (config::DATABASES, "2"),
            (config::SAVE, ""),
            (config::LOGLEVEL, "warning"),
        ] {
            config.set(id, &[value]).unwrap();
        }
        let mut server = Server::new(config, 1).unwrap();
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        server.aof.disk = shared;
        server.recover().ok()?;
        while server.is_loading() {
            turn(&mut server, 10).unwrap();
            server.run_timers();
        }
        if server.failed {
            return None;
        }
        let client = server.front.add_internal_client();
        Some(Node {
            server,
            client,
            disk: disk.clone(),
            written: Vec::new(),
        })
    }

    fn run(&mut self, line: &str) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let id = match self.server.front.table.lookup(&words) {
            front::command::Lookup::Found(id) => id,
            _ => panic!("no command: {line}"),
        };
        let mut reply = Vec::new();
        self.server.call(self.client, id, &words, &mut reply);
        self.server.finish_unit();
        String::from_utf8_lossy(&reply).into_owned()
    }

    /// Appends the next number to the list, and to two keys in one transaction.
    fn write(&mut self) {
        // Clients are refused then.
        if self.server.aof.refusal().is_some() {
            return;
        }
        let number = self.written.len();
        self.run("MULTI");
        self.queue(&format!("RPUSH log {number}"));
        self.queue("INCR a");
        self.queue("INCR b");
        self.run("EXEC");
        self.written.push(self.server.write_stream.end());
    }

    fn queue(&mut self, line: &str) {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        self.server.execute_request(self.client, &words);
    }

    fn end_turn(&mut self) {
        self.server.before_sleep();
    }

    /// Lets helpers come to an end, and what they tell be heard.
    fn hear(&mut self) {
        turn(&mut self.server, 1).unwrap();
        self.server.run_timers();
    }

    /// How many of the writes were answered.
    fn answered(&self) -> usize {
        let safe = self.server.aof.writer().map_or(0, |writer| writer.safe());
        self.written
            .iter()
            .take_while(|position| **position <= safe)
            .count()
    }

    /// How many writes the dataset holds; it must be the first ones, each whole.
    fn held(&mut self) -> usize {
        let count = |reply: String| {
            let digits: String = reply.chars().filter(char::is_ascii_digit).collect();
            digits.parse::<usize>().unwrap_or(0)
        };
        let length = count(self.run("LLEN log"));
        let mut expected = format!("*{length}\r\n");
        for number in 0..length {
            let number = number.to_string();
            expected.push_str(&format!("${}\r\n{number}\r\n", number.len()));
        }
        assert_eq!(self.run("LRANGE log 0 -1"), expected);
        for key in ["a", "b"] {
            let reply = self.run(&format!("GET {key}"));
            let value = reply.split("\r\n").nth(1).unwrap_or("0").to_string();
            assert_eq!(count(value), length, "{key}: {reply}");
        }
        length
    }
}

/// Breaks the disk for a while.
fn break_disk(disk: &SimulatedDisk, chance: &mut Chance) {
    let broken = match chance.below(4) {
        0 => return disk.set_room(chance.below(200)),
        1 => (Operation::Sync, EIO),
        2 => (Operation::Write, ENOSPC),
        _ => (Operation::Rename, EIO),
    };
    let mut passes = chance.below(3);
    disk.set_fault(move |operation, _| {
        if operation != broken.0 {
            return None;
        }
        if passes > 0 {
            passes -= 1;
            return None;
        }
        Some(broken.1)
    });
}

/// Lives of one disk until something is wrong.
fn lives(seed: u64, losses: u64) {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let policy = ["always", "everysec", "no"][seed as usize % 3];
    let preamble = ["yes", "no"][seed as usize / 3 % 2];
    let mut disk = SimulatedDisk::default();
    let mut written = 0;
    for life in 0..losses {
        let name = || format!("seed {seed}, life {life}, appendfsync {policy}");
        let mut node = Node::start(&disk, policy, preamble)
            .unwrap_or_else(|| panic!("{}: it does not start: {:?}", name(), disk.names()));
        let held = node.held();
        assert!(held <= written, "{}: more than was written", name());
        // What came back goes on as if it had been written and answered in this life.
        node.written = vec![0; held];
        for _ in 0..chance.below(30) {
            for _ in 0..chance.below(4) {
                node.write();
            }
            node.end_turn();
            if node.server.stop {
                break;
            }
            match chance.below(12) {
                0..4 => node.hear(),
                4 if !node.server.is_rewriting() => node.server.start_rewrite(),
                5 => break_disk(&node.disk, &mut chance),
                6 => node.disk.heal(),
                _ => {}
            }
        }
        let answered = node.answered();
        written = node.written.len();
        disk = node.disk.after_power_loss(|end| chance.below(end));
        if policy == "always" {
            let mut after = Node::start(&disk, policy, preamble).unwrap_or_else(|| {
                panic!("{}: it does not start again: {:?}", name(), disk.names())
            });
            let held = after.held();
            assert!(
                held >= answered,
                "{}: {answered} answered, {held} there",
                name()
            );
        }
        // A later life starts from this disk as it is: a start that was cut short must do no harm.
        if chance.one_in(3) {
            disk = disk.after_power_loss(|end| chance.below(end));
        }
    }
}

#[test]
fn a_node_comes_back_from_every_power_loss() {
    let losses = std::env::var("POWER_LOSSES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(POWER_LOSSES);
    const LOSSES_OF_ONE_DISK: u64 = 10;
    for seed in 0..losses / LOSSES_OF_ONE_DISK {
        lives(seed, LOSSES_OF_ONE_DISK);
    }
}
