//! What a node saves, and when: SAVE, the way out, DEBUG RELOAD; and what it does when it cannot.

use crate::DUMP;
use std::fs;
use std::time::Duration;
use tests::Server;

const POINTS: &[&str] = &["--save", "3600 1"];

#[test]
fn a_node_with_save_points_saves_on_its_way_out() {
    let mut server = Server::start(POINTS);
    server.connect().run("SET k v");
    server.shutdown_and_restart();
    let mut client = server.connect();
    assert_eq!(client.run("GET k").text(), "v");
    assert_eq!(client.run("SHUTDOWN BOGUS").text(), "ERR syntax error");
    let info = client.run("INFO persistence").text();
    assert!(info.contains("rdb_changes_since_last_save:0\r\n"), "{info}");
    assert!(info.contains("rdb_last_load_keys_loaded:1\r\n"), "{info}");
}

#[test]
fn a_node_without_save_points_saves_only_when_told_to() {
    let mut server = Server::start(&[]);
    server.connect().run("SET k v");
    server.shutdown_and_restart();
    let mut client = server.connect();
    assert_eq!(client.run("DBSIZE").integer(), Some(0));
    client.run("SET k v");
    assert_eq!(client.run("SAVE").text(), "OK");
    client.run("SET unsaved v");
    server.crash_and_restart();
    assert_eq!(server.connect().run("DBSIZE").integer(), Some(1));
}

#[test]
fn expired_keys_are_saved_and_left_out_when_loading() {
    let mut server = Server::start(&[]);
    let mut client = server.connect();
    client.run("DEBUG SET-ACTIVE-EXPIRE 0");
    client.run("SET stays v");
    client.run("SET goes v PX 1");
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(client.run("SAVE").text(), "OK");
    server.crash_and_restart();
    let info = server.connect().run("INFO persistence").text();
    assert!(info.contains("rdb_last_load_keys_loaded:1\r\n"), "{info}");
    assert!(info.contains("rdb_last_load_keys_expired:1\r\n"), "{info}");
}

#[test]
fn debug_reload_brings_back_what_was_saved() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.run("SET k v");
    client.run("HSET h f v");
    let digest = client.run("DEBUG DIGEST").text();
    assert_eq!(client.run("DEBUG RELOAD").text(), "OK");
    assert_eq!(client.run("DEBUG DIGEST").text(), digest);
    client.run("SET k other");
    client.run("SET extra 1");
    assert_eq!(client.run("DEBUG RELOAD NOSAVE NOFLUSH MERGE").text(), "OK");
    assert_eq!(client.run("GET k").text(), "v");
    assert_eq!(client.run("DBSIZE").integer(), Some(3));
    assert_eq!(client.run("DEBUG RELOAD NOSAVE").text(), "OK");
    assert_eq!(client.run("DEBUG DIGEST").text(), digest);
    client.run("MULTI");
    client.run("DEBUG RELOAD");
    assert_eq!(client.run("EXEC").items()[0].text(), "OK");
    assert_eq!(client.run("DEBUG DIGEST").text(), digest);
}

#[test]
fn a_node_that_cannot_save_says_so_keeps_the_file_and_stays() {
    let server = Server::start(POINTS);
    let mut client = server.connect();
    client.run("SET k v");
    assert_eq!(client.run("SAVE").text(), "OK");
    let before = fs::read(server.dir().join(DUMP)).unwrap();
    // A folder of the temporary file's name is in the way.
    let temp = server.dir().join(format!("temp-{}.rdb", server.pid()));
    fs::create_dir(&temp).unwrap();
    client.run("SET k w");
    assert_eq!(client.run("SAVE").text(), "ERR");
    assert_eq!(
        client.run("SHUTDOWN").text(),
        "ERR Errors trying to SHUTDOWN. Check logs."
    );
    assert_eq!(client.run("DEBUG RELOAD").text(), "ERR");
    assert_eq!(client.run("GET k").text(), "w");
    assert_eq!(fs::read(server.dir().join(DUMP)).unwrap(), before);
    fs::remove_dir(&temp).unwrap();
    assert_eq!(client.run("SAVE").text(), "OK");
    assert_ne!(fs::read(server.dir().join(DUMP)).unwrap(), before);
}

#[test]
fn with_an_aof_a_dump_alone_is_loaded_and_becomes_its_base() {
    let directives = &["--appendonly", "yes", "--appendfsync", "always"];
    let dump = b"REDIS0003\xfe\x00\x00\x01a\x011\xff";
    let mut server = Server::start_with(directives, |dir| {
        fs::write(dir.join(DUMP), dump).unwrap();
    });
    server.connect().run("SET b 2");
    let base = server.dir().join("appendonlydir/appendonly.aof.1.base.rdb");
    assert!(fs::read(base).unwrap().starts_with(b"REDIS0010"));
    fs::remove_file(server.dir().join(DUMP)).unwrap();
    server.crash_and_restart();
    assert_eq!(server.connect().run("MGET a b").items().len(), 2);
    assert_eq!(server.connect().run("GET a").text(), "1");
}
