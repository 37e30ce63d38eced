//! A dump that cannot be read stops the start: the log names the place, and the file stays as it is.

use crate::DUMP;
use std::fs;
use std::path::Path;
use tests::Server;

const GOOD: &[u8] =
    b"REDIS0003\xfe\x00\x00\x01a\x011\x0b\x04ints\x0a\x02\0\0\0\x01\0\0\0\x07\0\xff";

/// Starts a node next to a dump of these bytes, which it must refuse and leave alone.
fn refused(bytes: &[u8]) -> String {
    Server::refuses_to_start(
        &[],
        |dir| fs::write(dir.join(DUMP), bytes).unwrap(),
        |dir| {
            assert_eq!(fs::read(dir.join(DUMP)).unwrap(), bytes);
            assert_eq!(names(dir), [DUMP, "log"]);
        },
    )
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_good_file_of_an_old_version_is_loaded() {
    let server = Server::start_with(&[], |dir| fs::write(dir.join(DUMP), GOOD).unwrap());
    let mut client = server.connect();
    assert_eq!(client.run("GET a").text(), "1");
    assert!(client.run("SISMEMBER ints 7").integer() == Some(1));
    let info = client.run("INFO persistence").text();
    assert!(info.contains("rdb_last_load_keys_loaded:2\r\n"), "{info}");
}

#[test]
fn a_truncated_file_is_refused() {
    let log = refused(&GOOD[..GOOD.len() - 6]);
    assert!(log.contains("Short read or OOM loading DB"), "{log}");
    assert!(log.contains("reading dump.rdb at offset 23"), "{log}");
    let log = refused(b"");
    assert!(log.contains("Unexpected EOF reading RDB file"), "{log}");
}

#[test]
fn a_broken_value_is_refused_with_its_key() {
    let mut bytes = GOOD.to_vec();
    let width = bytes.windows(4).position(|four| four == b"ints").unwrap() + 5;
    bytes[width] = 3;
    let log = refused(&bytes);
    assert!(log.contains("-> Intset integrity check failed."), "{log}");
    assert!(log.contains("Reading key 'ints'"), "{log}");
    assert!(
        log.ends_with("Terminating server after rdb file reading failure."),
        "{log}"
    );
}

#[test]
fn a_wrong_checksum_is_refused() {
    let log = refused(b"REDIS0010\xfe\x00\x00\x01a\x011\xffchecksum");
    assert!(
        log.contains("Wrong RDB checksum expected: (6d75736b63656863)"),
        "{log}"
    );
    assert!(log.contains("RDB CRC error"), "{log}");
}

#[test]
fn what_is_no_dump_of_a_known_version_is_refused() {
    let log = refused(b"something else entirely");
    assert!(
        log.contains("Wrong signature trying to load DB from file"),
        "{log}"
    );
    let log = refused(b"REDIS0012\xff\0\0\0\0\0\0\0\0");
    assert!(log.contains("Can't handle RDB format version 12"), "{log}");
    assert!(log.contains("Fatal error loading the DB"), "{log}");
}

#[test]
fn a_key_that_is_there_twice_and_a_db_that_is_not_are_refused() {
    let log = refused(b"REDIS0003\xfe\x00\x00\x01a\x011\x00\x01a\x012\xff");
    assert!(log.contains("RDB has duplicated key 'a' in DB 0"), "{log}");
    let log = refused(b"REDIS0003\xfe\x40\x63\x00\x01a\x011\xff");
    assert!(
        log.contains("configured to handle more than 16 databases"),
        "{log}"
    );
}
