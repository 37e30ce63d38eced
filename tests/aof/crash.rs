//! Ends without warning.

use crate::{INCR, read};
use std::time::Duration;
use tests::Server;

const ALWAYS: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];

#[test]
fn the_data_comes_back_after_an_orderly_end() {
    for policy in ["always", "everysec", "no"] {
        let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", policy]);
        let mut client = server.connect();
        client.run("SET k v");
        client.run("RPUSH l 1 2 3");
        server.shutdown_and_restart();
        let mut client = server.connect();
        assert_eq!(client.run("GET k").text(), "v", "{policy}");
        assert_eq!(client.run("LLEN l").integer(), Some(3), "{policy}");
    }
}

#[test]
fn what_was_answered_is_there_after_the_process_was_killed() {
    for policy in ["always", "everysec", "no"] {
        let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", policy]);
        for round in 1..4 {
            let mut client = server.connect();
            let mut last = 0;
            for _ in 0..100 {
                last = client.run("INCR n").integer().unwrap();
            }
            assert_eq!(last, round * 100, "{policy}");
            // While a sync runs, everysec keeps what comes meanwhile in memory.
            crate::wait_until("everything is written", || {
                let info = client.run("INFO persistence").text();
                info.contains("aof_buffer_length:0\r\n")
            });
            server.crash_and_restart();
            let found = server.connect().run("GET n").text();
            assert_eq!(found, last.to_string(), "{policy}");
        }
    }
}

#[test]
fn keys_that_expired_while_the_node_was_down_are_gone() {
    let mut server = Server::start(ALWAYS);
    let mut client = server.connect();
    client.run("SET k v PX 1");
    client.run("SET stays v");
    server.crash_and_restart();
    let mut client = server.connect();
    assert!(client.run("GET k").is_null());
    assert_eq!(client.run("GET stays").text(), "v");
}

#[test]
fn with_always_no_answer_comes_before_its_write_is_in_the_file() {
    let server = Server::start(ALWAYS);
    let mut client = server.connect();
    client.run("SET k v");
    client.run("DEBUG AOF-FLUSH-SLEEP 100000");
    let mut reader = server.connect();
    let before = read(server.dir(), INCR).len();
    client.send(&tests::split_words("INCR n")).unwrap();
    let mut answers = Vec::new();
    // A read beside it sees the change, so it waits for it as well.
    while answers.last().is_none_or(String::is_empty) {
        answers.push(reader.run("GET n").text());
    }
    assert!(read(server.dir(), INCR).len() > before);
    assert_eq!(answers.last().unwrap(), "1");
    assert_eq!(client.read().unwrap().integer(), Some(1));
}

#[test]
fn with_always_messages_and_answers_to_waiting_clients_come_after_the_write_is_in_the_file() {
    let server = Server::start(&[ALWAYS, &["--notify-keyspace-events", "KEA"]].concat());
    let mut client = server.connect();
    let [mut waiting, mut listening] = [server.connect(), server.connect()];
    waiting.send(&tests::split_words("BLPOP q 0")).unwrap();
    listening.run("PSUBSCRIBE __keyevent*:rpush");
    while !client
        .run("INFO clients")
        .text()
        .contains("blocked_clients:1\r\n")
    {
        std::thread::sleep(Duration::from_millis(1));
    }
    client.run("DEBUG AOF-FLUSH-SLEEP 100000");
    let before = read(server.dir(), INCR).len();
    client.send(&tests::split_words("RPUSH q x")).unwrap();
    for answer in [waiting.read().unwrap(), listening.read().unwrap()] {
        assert!(!answer.is_error());
        assert!(read(server.dir(), INCR).len() > before, "{answer:?}");
    }
    assert_eq!(client.read().unwrap().integer(), Some(1));
}

#[test]
fn the_policy_may_change_while_the_node_writes() {
    let mut server = Server::start(ALWAYS);
    let mut client = server.connect();
    let mut last = 0;
    for policy in ["everysec", "always", "no", "always"]
        .iter()
        .cycle()
        .take(40)
    {
        client.send(&tests::split_words("INCR n")).unwrap();
        client.send(&tests::split_words("INCR n")).unwrap();
        client
            .send(&tests::split_words(&format!(
                "CONFIG SET appendfsync {policy}"
            )))
            .unwrap();
        client.read().unwrap();
        last = client.read().unwrap().integer().unwrap();
        assert_eq!(client.read().unwrap().text(), "OK");
    }
    server.crash_and_restart();
    assert_eq!(server.connect().run("GET n").text(), last.to_string());
}
