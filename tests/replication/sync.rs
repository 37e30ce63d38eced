//! Getting the dataset, and what is written meanwhile and later.

use crate::{
    PAIRINGS, PROMPT, Start, assert_same_data, field, follow, number, wait_for_sync, wait_until,
};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use tests::{Random, Server};

/// Some of every type, in two dbs, with and without TTL.
const DATA: &[&str] = &[
    "SET s v",
    "SET n 12345",
    "SET gone v PX 1",
    "SET later v EX 1000",
    "RPUSH l a b c 1 2 3",
    "SADD st a b c",
    "SADD numbers 1 2 3",
    "HSET h f v g w",
    "ZADD z 1 a 2.5 b",
    "XADD x 1-1 f v",
    "XGROUP CREATE x g 0",
    "PFADD p a b c",
    "FUNCTION LOAD \"#!lua name=lib\\nredis.register_function('f', function() return 1 end)\"",
    "SELECT 5",
    "SET other db",
    "SELECT 0",
];

/// Commands whose effects are not what they say.
const CHANGES: &[&str] = &[
    "SET s w EX 100",
    "INCRBYFLOAT n 0.5",
    "SPOP st",
    "SPOP numbers 2",
    "EXPIRE l 1000",
    "LPOP l 2",
    "GETDEL later",
    "HINCRBYFLOAT h f2 1.5",
    "XADD x * f v",
    "EVAL \"redis.call('set', 'e', 1) redis.call('incr', 'e')\" 0",
    "MULTI",
    "SET a 1",
    "INCR a",
    "EXEC",
    "SELECT 3",
    "SET third 1",
    "SELECT 0",
    "COPY s s2 DB 5",
    "SWAPDB 3 5",
    "SET short v PX 20",
    "RENAME z z2",
    "SORT l ALPHA STORE sorted",
    "FLUSHDB",
    "SET end 1",
];

#[test]
fn replicas_of_both_programs_get_the_dataset_and_what_follows() {
    for to_disk in ["yes", "no"] {
        for (start_master, start_replica) in PAIRINGS {
            let directives = [PROMPT, &["--repl-diskless-sync", to_disk]].concat();
            let master = start_master(&directives);
            let replica = start_replica(&directives);
            let mut above = master.connect();
            replica.connect().run("SET not-of-this-history 1");
            for line in DATA {
                above.run(line);
            }
            follow(&replica, &master);
            wait_for_sync(&master, &replica);
            assert_same_data(&[&master, &replica]);
            let mut below = replica.connect();
            let functions = below.run("FUNCTION LIST").text();
            assert_eq!(above.run("FUNCTION LIST").text(), functions);
            for line in CHANGES {
                above.run(line);
            }
            above.run("GET short");
            wait_for_sync(&master, &replica);
            assert_same_data(&[&master, &replica]);
            assert_eq!(field(&mut below, "role"), "slave");
            assert_eq!(number(&mut above, "sync_full"), 1);
        }
    }
}

#[test]
fn what_is_written_during_a_sync_is_not_lost() {
    for (start_master, start_replica) in PAIRINGS {
        let (master, replica) = (start_master(PROMPT), start_replica(PROMPT));
        let mut above = master.connect();
        above.run("DEBUG POPULATE 20000 key 100");
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut writer = master.connect();
                let mut random = Random::new(7);
                while !stop.load(Ordering::Relaxed) {
                    let key = random.below(20_000);
                    writer.run(&format!("APPEND key:{key} x"));
                    writer.run(&format!("RPUSH list:{} {key}", key % 10));
                    writer.run(&format!("DEL key:{}", random.below(20_000)));
                }
            });
            follow(&replica, &master);
            let mut below = replica.connect();
            wait_until("the link is up", || {
                field(&mut below, "master_link_status") == "up"
            });
            stop.store(true, Ordering::Relaxed);
        });
        wait_for_sync(&master, &replica);
        assert_same_data(&[&master, &replica]);
    }
}

#[test]
fn replicas_that_come_together_share_a_snapshot() {
    let directives = ["--repl-diskless-sync-delay", "1"];
    let master = Server::start(&directives);
    master.connect().run("DEBUG POPULATE 1000 key 100");
    let replicas = [
        Server::start(PROMPT),
        Server::redis(PROMPT),
        Server::start(PROMPT),
    ];
    for replica in &replicas {
        follow(replica, &master);
    }
    for replica in &replicas {
        wait_for_sync(&master, replica);
        assert_same_data(&[&master, replica]);
    }
    let log = master.log();
    let snapshots = log.matches("Starting BGSAVE for SYNC").count();
    assert_eq!(snapshots, 1, "{log}");
}

#[test]
fn a_replica_keeps_its_append_only_file_up_to_date() {
    let master = Server::redis(PROMPT);
    let aof = [PROMPT, &["--appendonly", "yes", "--appendfsync", "always"]].concat();
    let mut replica = Server::start(&aof);
    replica.connect().run("SET old 1");
    master.connect().run("SET a 1");
    follow(&replica, &master);
    wait_for_sync(&master, &replica);
    master.connect().run("SET b 2");
    wait_for_sync(&master, &replica);
    let mut below = replica.connect();
    wait_until("the new AOF is there", || {
        number(&mut below, "aof_rewrite_in_progress") == 0
            && number(&mut below, "aof_rewrite_scheduled") == 0
    });
    drop(below);
    replica.crash_and_restart();
    let mut below = replica.connect();
    assert_eq!(below.run("MGET old a b").items()[1].text(), "1");
    assert_eq!(below.run("GET b").text(), "2");
    assert!(below.run("GET old").is_null());
}

#[test]
fn a_replica_of_long_ago_gets_the_dataset_and_the_stream() {
    let master = Server::start(PROMPT);
    let mut above = master.connect();
    above.run("SET a 1");
    let mut replica = TcpStream::connect(("127.0.0.1", master.port())).unwrap();
    replica.write_all(b"SYNC\r\n").unwrap();
    wait_until("it is online", || {
        field(&mut above, "slave0").contains("state=online")
    });
    above.run("SET b 2");
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    let has = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    while !has(&received, b"SET\r\n$1\r\nb\r\n") {
        let count = replica.read(&mut buffer).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&received));
        received.extend_from_slice(&buffer[..count]);
    }
    assert!(
        has(&received, b"\r\nREDIS0010"),
        "a length and the dataset come first"
    );
}

#[test]
fn a_flush_during_a_sync_does_not_end_it() {
    for start_replica in [Server::start as Start, Server::redis] {
        let directives = [PROMPT, &["--rdb-key-save-delay", "2000"]].concat();
        let (master, replica) = (Server::start(&directives), start_replica(PROMPT));
        let mut above = master.connect();
        above.run("DEBUG POPULATE 500 key 10");
        follow(&replica, &master);
        wait_until("the snapshot is on its way", || {
            field(&mut above, "slave0").contains("state=send_bulk")
        });
        above.run("FLUSHALL");
        above.run("SET a 1");
        wait_for_sync(&master, &replica);
        assert_eq!(number(&mut above, "sync_full"), 1);
        assert_same_data(&[&master, &replica]);
    }
}
