//! A master that crashed and lost what its replicas have: it does not serve as master on its own word.

use crate::{PROMPT, Start, assert_same_data, field, follow, number, wait_for_sync, wait_until};
use std::fs::OpenOptions;
use tests::Server;

const AOF: &[&str] = &[
    "--repl-diskless-sync-delay",
    "0",
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
];

#[test]
fn a_replica_that_has_more_than_its_restarted_master_becomes_the_master() {
    for start_replica in [Server::start as Start, Server::redis] {
        let (mut master, replica) = (Server::start(AOF), start_replica(PROMPT));
        follow(&replica, &master);
        wait_for_sync(&master, &replica);
        let mut above = master.connect();
        for number in 0..100 {
            above.run(&format!("SET k{number} {number}"));
        }
        let incr = master.dir().join("appendonlydir/appendonly.aof.1.incr.aof");
        let kept = incr.metadata().unwrap().len();
        for line in ["SET late 1", "RPUSH list a b c", "SELECT 3", "SET other 1"] {
            above.run(line);
        }
        wait_for_sync(&master, &replica);
        drop(above);
        // What the disk had not yet got when the crash came.
        master.crash();
        let file = OpenOptions::new().write(true).open(&incr).unwrap();
        file.set_len(kept).unwrap();
        master.start_again();
        let mut below = replica.connect();
        wait_until("the replica leads", || {
            field(&mut below, "role") == "master"
        });
        wait_for_sync(&replica, &master);
        assert_eq!(below.run("GET late").text(), "1");
        assert_eq!(number(&mut below, "sync_full"), 0);
        assert_same_data(&[&master, &replica]);
        assert!(master.connect().run("SET a 1").is_error());
        assert_eq!(below.run("SET a 1").text(), "OK");
    }
}

#[test]
fn a_restarted_master_serves_writes_when_its_replicas_are_back_or_were_waited_for() {
    let (mut master, replica) = (Server::start(AOF), Server::start(PROMPT));
    follow(&replica, &master);
    wait_for_sync(&master, &replica);
    master.connect().run("SET a 1");
    wait_for_sync(&master, &replica);
    master.crash_and_restart();
    assert_eq!(master.connect().run("SET a 2").text(), "OK");
    assert_eq!(field(&mut master.connect(), "role"), "master");
    wait_for_sync(&master, &replica);
    drop(replica);
    master.crash_and_restart();
    assert_eq!(master.connect().run("SET a 3").text(), "OK");
    assert_eq!(field(&mut master.connect(), "role"), "master");
}
