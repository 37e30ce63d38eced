//! A whole group of this machine: it comes up, survives what happens to its members, and a drill finds nothing lost.

#![allow(
    clippy::unwrap_used,
    reason = "a test helper that fails should fail the test"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "black-box tests wait in real time"
)]

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tests::{Connection, Scratch, platform_kv_binary};

/// The first of three ports in a row that are free.
fn three_free_ports() -> u16 {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        let others = (1..3).map(|next| TcpListener::bind(("127.0.0.1", port.saturating_add(next))));
        if port < u16::MAX - 3 && others.collect::<Result<Vec<_>, _>>().is_ok() {
            return port;
        }
    }
}

/// `platform-kv up`, stopped as Ctrl-C does when dropped.
struct Group {
    child: Child,
    lines: Receiver<String>,
    port: u16,
    sentinel_port: u16,
    _dir: Scratch,
}

impl Group {
    fn start() -> Group {
        let dir = Scratch::new();
        let (port, sentinel_port) = (three_free_ports(), three_free_ports());
        let mut child = Command::new(platform_kv_binary())
            .arg("up")
            .arg("--dir")
            .arg(dir.path())
            .args(["--port", &port.to_string()])
            .args(["--sentinel-port", &sentinel_port.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Group {
            child,
            lines,
            port,
            sentinel_port,
            _dir: dir,
        }
    }

    /// Waits for a line of its state.
    fn wait_for(&self, is_meant: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_secs(90);
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if is_meant(&line) => return line,
                Ok(line) => seen.push(line),
                Err(_) => panic!("not seen; what was seen:\n{}", seen.join("\n")),
            }
        }
    }

    /// Waits until all is well, and the Sentinels know of the replicas.
    fn wait_until_well(&self) {
        self.wait_for(|line| {
            line.contains("3 of 3 Sentinels, they name")
                && line.matches("replica").count() == 2
                && !line.contains("not connected")
                && !line.contains("behind")
        });
        let deadline = Instant::now() + Duration::from_secs(60);
        let known = |port: u16| {
            let mut sentinel = Connection::open(port).unwrap();
            sentinel.run("SENTINEL REPLICAS mymaster").items().len() == 2
        };
        while !(0..3).all(|index| known(self.sentinel_port + index)) {
            assert!(Instant::now() < deadline, "the replicas are not found");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn drill(&self, fault: &str) -> String {
        let output = Command::new(platform_kv_binary())
            .args(["drill", "--seconds", "5", "--fault", fault])
            .args(["--sentinel", &format!("127.0.0.1:{}", self.sentinel_port)])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}{errors}");
        text
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::INT);
        let _ = self.child.wait();
    }
}

/// The number that a drill reports under this name.
fn figure(report: &str, name: &str) -> f64 {
    let line = report.lines().find_map(|line| line.strip_prefix(name));
    let words = line.unwrap_or_else(|| panic!("no '{name}' in {report}"));
    words
        .split_ascii_whitespace()
        .next()
        .unwrap()
        .trim_end_matches(',')
        .parse()
        .unwrap()
}

#[test]
fn a_planned_failover_loses_nothing_and_copies_nothing() {
    let group = Group::start();
    group.wait_until_well();
    let report = group.drill("failover");
    assert!(figure(&report, "acknowledged writes") > 0.0, "{report}");
    assert_eq!(figure(&report, "lost"), 0.0, "{report}");
    assert_eq!(figure(&report, "full resyncs"), 0.0, "{report}");
    let first = group.port;
    group.wait_for(|line| !line.contains(&format!("{first} master")) && line.contains("master"));
}

#[test]
fn a_member_that_is_killed_comes_back_and_nothing_acknowledged_is_lost() {
    let group = Group::start();
    group.wait_until_well();
    let report = group.drill("kill");
    assert_eq!(figure(&report, "lost"), 0.0, "{report}");
    group.wait_for(|line| line.contains("starting it again"));
    group.wait_until_well();
}

#[test]
fn a_master_that_is_told_to_stop_hands_over_first() {
    let group = Group::start();
    group.wait_until_well();
    let report = group.drill("term");
    assert_eq!(figure(&report, "lost"), 0.0, "{report}");
    assert_eq!(figure(&report, "full resyncs"), 0.0, "{report}");
    let first = group.port;
    group.wait_for(|line| line.contains(&format!("{first} replica")));
}
