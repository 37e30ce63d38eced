//! kill -9 under load, again and again. With every policy what comes back is the first part of what was written, each
//! transaction whole; with `appendfsync always` it holds everything that was answered.
//!
//! `KILL_ROUNDS` says how often (`make kills` does it a thousand times).

use std::thread;
use std::time::Duration;
use tests::{Connection, Random, Server};

/// As many as make the ordinary tests not much longer.
const KILL_ROUNDS: u64 = 4;
const WRITERS: u64 = 4;

/// Writes numbers until the connection breaks: list `log:<writer>` gets each, and two counters with it, in one
/// transaction. Returns how many were answered.
fn write_until_killed(mut client: Connection, writer: u64, from: u64) -> u64 {
    /// Transactions on their way at a time.
    const DEPTH: u64 = 8;
    let send = |client: &mut Connection, number: u64| {
        for line in [
            "MULTI".to_string(),
            format!("RPUSH log:{writer} {number}"),
            format!("INCR a:{writer}"),
            format!("INCR b:{writer}"),
            "EXEC".to_string(),
        ] {
            client.send(&tests::split_words(&line))?;
        }
        Ok::<(), tests::ReplyError>(())
    };
    let mut answered = from;
    let mut sent = from;
    loop {
        while sent < answered + DEPTH {
            if send(&mut client, sent).is_err() {
                return answered;
            }
            sent += 1;
        }
        // +OK, three times +QUEUED, and the answer of EXEC.
        for _ in 0..5 {
            if client.read().is_err() {
                return answered;
            }
        }
        answered += 1;
    }
}

/// How many numbers a writer's list holds: they must be the first ones, with the counters at the same.
fn held(client: &mut Connection, writer: u64) -> u64 {
    let list = client.run(&format!("LRANGE log:{writer} 0 -1"));
    let numbers: Vec<String> = list.items().iter().map(|item| item.text()).collect();
    let expected: Vec<String> = (0..numbers.len()).map(|n| n.to_string()).collect();
    assert_eq!(numbers, expected, "writer {writer}");
    for key in ["a", "b"] {
        let value = client.run(&format!("GET {key}:{writer}")).text();
        let value = if value.is_empty() { "0".into() } else { value };
        assert_eq!(value, numbers.len().to_string(), "{key}:{writer}");
    }
    numbers.len() as u64
}

fn rounds() -> u64 {
    std::env::var("KILL_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(KILL_ROUNDS)
}

fn kill_under_load(policy: &str) {
    let mut server = Server::start(&[
        "--appendonly",
        "yes",
        "--appendfsync",
        policy,
        "--auto-aof-rewrite-min-size",
        "16kb",
    ]);
    let mut random = Random::new(7);
    let mut present = vec![0; WRITERS as usize];
    for round in 0..rounds() {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let client = server.connect();
                let from = present[writer as usize];
                thread::spawn(move || write_until_killed(client, writer, from))
            })
            .collect();
        let mut client = server.connect();
        thread::sleep(Duration::from_millis(
            random.between(20, 170).unsigned_abs(),
        ));
        if random.below(2) == 0 {
            client.run("BGREWRITEAOF");
            thread::sleep(Duration::from_millis(random.between(0, 30).unsigned_abs()));
        }
        server.crash_and_restart();
        let mut client = server.connect();
        for (writer, handle) in writers.into_iter().enumerate() {
            let answered = handle.join().unwrap();
            let held = held(&mut client, writer as u64);
            if policy == "always" {
                assert!(
                    held >= answered,
                    "round {round}, writer {writer}: {answered} answered, {held} there"
                );
            }
            present[writer] = held;
        }
        // Short lists keep the checks short.
        if round % 10 == 9 {
            client.run("FLUSHALL");
            present.fill(0);
        }
    }
}

#[test]
fn with_always_nothing_that_was_answered_is_missing_after_a_kill() {
    kill_under_load("always");
}

#[test]
fn with_everysec_the_first_part_of_what_was_written_is_there_after_a_kill() {
    kill_under_load("everysec");
}

#[test]
fn without_syncs_the_first_part_of_what_was_written_is_there_after_a_kill() {
    kill_under_load("no");
}
