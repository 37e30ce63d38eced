//! The append only file from outside: what comes back after an end or a crash, what damage does, and files that go to
//! redis-server and come from it.

#![allow(
    clippy::unwrap_used,
    reason = "a test helper that fails should fail the test"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "black-box tests wait in real time"
)]

mod check;
mod crash;
mod damage;
mod exchange;
mod kill;
mod loading;
mod rewrite;
mod streams;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Where the AOF lies in a server's folder.
const FOLDER: &str = "appendonlydir";
const INCR: &str = "appendonly.aof.1.incr.aof";
const MANIFEST: &str = "appendonly.aof.manifest";

/// A command as an AOF holds it.
fn command(line: &str) -> Vec<u8> {
    let words = tests::split_words(line);
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n", word.len()).into_bytes());
        bytes.extend(word);
        bytes.extend(b"\r\n");
    }
    bytes
}

fn commands(lines: &[&str]) -> Vec<u8> {
    lines.iter().flat_map(|line| command(line)).collect()
}

/// Puts an AOF of one incr into a folder.
fn put_incr(dir: &Path, bytes: &[u8]) {
    put(dir, INCR, bytes);
    put_manifest(dir, &format!("file {INCR} seq 1 type i\n"));
}

fn put_manifest(dir: &Path, text: &str) {
    put(dir, MANIFEST, text.as_bytes());
}

fn put(dir: &Path, name: &str, bytes: &[u8]) {
    let folder = dir.join(FOLDER);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), bytes).unwrap();
}

fn read(dir: &Path, name: &str) -> Vec<u8> {
    fs::read(dir.join(FOLDER).join(name)).unwrap()
}

/// Waits until something is so.
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
