//! Datasets that redis-server saved come back here, and the reverse, each as an RDB file and as an append only file: equal
//! digests, values, encodings, expiries and functions.
//!
//! RDB_DATASETS and RDB_SEED choose how many and which; `make exchange` runs a thousand.

use crate::DUMP;
use crate::fill::{self, DBS};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tests::{Connection, Dataset, Random, Reply, Server};

const AOF_FOLDER: &str = "appendonlydir";

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
    let mut directives = fill::directives(&mut random);
    let preamble = if random.one_in(2) { "yes" } else { "no" };
    directives.extend(["--aof-use-rdb-preamble", preamble].map(str::to_owned));
    let directives: Vec<&str> = directives.iter().map(String::as_str).collect();
    let with_aof = [
        &directives[..],
        &["--appendonly", "yes", "--appendfsync", "always"],
    ]
    .concat();
    let saver = start(from, &with_aof, |_| ());
    let mut client = saver.connect();
    let commands = fill::commands(&mut random, KEYS);
    for chunk in commands.chunks(500) {
        client.pipeline(chunk).unwrap();
    }
    // As commands, an append only file makes what the commands made; rewritten, what an RDB file makes.
    let as_commands = random.one_in(2);
    let made = as_commands.then(|| look(&mut client));
    if !as_commands {
        assert!(!client.run("BGREWRITEAOF").is_error(), "seed {seed}");
        wait_for_rewrite(&mut client);
    }
    // What was loaded has lost how it came to be: a string that was changed in place, a table that has shrunk.
    assert_eq!(client.run("DEBUG RELOAD").text(), "OK", "seed {seed}");
    assert_eq!(client.run("SAVE").text(), "OK", "seed {seed}");
    let saved = look(&mut client);
    assert!(!saved.dataset.is_empty());
    let to = match from {
        From::Redis => From::Ours,
        From::Ours => From::Redis,
    };
    let dump = start(to, &directives, |dir| {
        fs::copy(saver.dir().join(DUMP), dir.join(DUMP)).unwrap();
    });
    same(seed, "RDB file", &directives, &saved, &dump);
    let aof = start(to, &with_aof, |dir| {
        fs::create_dir(dir.join(AOF_FOLDER)).unwrap();
        for file in fs::read_dir(saver.dir().join(AOF_FOLDER)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), dir.join(AOF_FOLDER).join(file.file_name())).unwrap();
        }
    });
    same(
        seed,
        "append only file",
        &with_aof,
        made.as_ref().unwrap_or(&saved),
        &aof,
    );
}

fn start(who: From, directives: &[&str], prepare: impl FnOnce(&Path)) -> Server {
    match who {
        From::Redis => Server::redis_with(directives, prepare),
        From::Ours => Server::start_with(directives, prepare),
    }
}

/// What a server holds.
struct Held {
    digest: String,
    dataset: Dataset,
    functions: Reply,
}

fn look(client: &mut Connection) -> Held {
    Held {
        digest: client.run("DEBUG DIGEST").text(),
        dataset: Dataset::read(client, DBS).unwrap(),
        functions: client.run("FUNCTION LIST WITHCODE").unordered_deep(),
    }
}

fn same(seed: u64, what: &str, directives: &[&str], expected: &Held, loader: &Server) {
    let found = look(&mut loader.connect());
    let differences = expected.dataset.differences(&found.dataset, 0);
    assert!(
        differences.is_empty() && expected.digest == found.digest,
        "seed {seed}, {what}, {directives:?}: digests {} and {}\n{}\nlog of {}:\n{}",
        expected.digest,
        found.digest,
        differences.join("\n"),
        loader.name(),
        loader.log_tail()
    );
    assert_eq!(expected.functions, found.functions, "seed {seed}, {what}");
}

fn wait_for_rewrite(client: &mut Connection) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let info = client.run("INFO persistence").text();
        let over = ["aof_rewrite_in_progress:0", "aof_rewrite_scheduled:0"];
        if over.iter().all(|field| info.contains(field)) {
            return assert!(info.contains("aof_last_bgrewrite_status:ok"), "{info}");
        }
        assert!(Instant::now() < deadline, "never rewritten: {info}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
