//! Datasets that redis-server saved come back here, and the reverse: equal digests, values, encodings and expiries.
//!
//! RDB_DATASETS and RDB_SEED choose how many and which; `make exchange` runs a thousand.

use crate::DUMP;
use crate::fill::{self, DBS};
use std::fs;
use tests::Dataset;
use tests::{Connection, Random, Server};

/// How many datasets go each way unless RDB_DATASETS says otherwise.
const DATASETS: u64 = 3;
const KEYS: usize = 120;

#[derive(Clone, Copy)]
enum From {
    Redis,
    Ours,
}

#[test]
fn what_redis_server_saved_comes_back_here() {
    for_each_seed(|seed| exchange(seed, From::Redis));
}

#[test]
fn what_we_saved_comes_back_in_redis_server() {
    for_each_seed(|seed| exchange(seed, From::Ours));
}

fn for_each_seed(run: impl Fn(u64)) {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    let first = number("RDB_SEED").unwrap_or(1);
    for seed in first..first + number("RDB_DATASETS").unwrap_or(DATASETS) {
        run(seed);
    }
}

fn exchange(seed: u64, from: From) {
    let mut random = Random::new(seed);
    let directives = fill::directives(&mut random);
    let directives: Vec<&str> = directives.iter().map(String::as_str).collect();
    let saver = match from {
        From::Redis => Server::redis(&directives),
        From::Ours => Server::start(&directives),
    };
    let mut client = saver.connect();
    let commands = fill::commands(&mut random, KEYS);
    for chunk in commands.chunks(500) {
        client.pipeline(chunk).unwrap();
    }
    // What was loaded has lost how it came to be: a string that was changed in place, a table that has shrunk.
    assert_eq!(client.run("DEBUG RELOAD").text(), "OK", "seed {seed}");
    assert_eq!(client.run("SAVE").text(), "OK", "seed {seed}");
    let (digest, dataset) = look(&mut client);
    let prepare = |dir: &std::path::Path| {
        fs::copy(saver.dir().join(DUMP), dir.join(DUMP)).unwrap();
    };
    let loader = match from {
        From::Redis => Server::start_with(&directives, prepare),
        From::Ours => Server::redis_with(&directives, prepare),
    };
    let (found_digest, found) = look(&mut loader.connect());
    let differences = dataset.differences(&found, 0);
    assert!(
        differences.is_empty() && digest == found_digest,
        "seed {seed}, {directives:?}: digests {digest} and {found_digest}\n{}\nlog of {}:\n{}",
        differences.join("\n"),
        loader.name(),
        loader.log_tail()
    );
    assert!(!dataset.is_empty());
}

fn look(client: &mut Connection) -> (String, Dataset) {
    let digest = client.run("DEBUG DIGEST").text();
    (digest, Dataset::read(client, DBS).unwrap())
}
