//! Nodes that start again know where they were: nobody needs the whole dataset again.

use crate::{PROMPT, Start, assert_same_data, field, follow, number, wait_for_sync, wait_until};
use tests::Server;

const AOF: &[&str] = &[
    "--repl-diskless-sync-delay",
    "0",
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
];
/// As the test harness gives `--save ''` first, these come after it.
const RDB: &[&str] = &["--repl-diskless-sync-delay", "0", "--save", "10000 1"];

#[test]
fn a_replica_that_crashed_goes_on_from_its_append_only_file() {
    for start_master in [Server::start as Start, Server::redis] {
        let master = start_master(PROMPT);
        let place = format!("127.0.0.1 {}", master.port());
        let mut replica = Server::start(&[AOF, &["--replicaof", &place]].concat());
        let mut above = master.connect();
        wait_for_sync(&master, &replica);
        wait_until("the replica has a new AOF", || {
            number(&mut replica.connect(), "aof_rewrite_in_progress") == 0
        });
        for line in ["SELECT 3", "SET a 1", "MULTI", "INCR a", "INCR a", "EXEC"] {
            above.run(line);
        }
        wait_for_sync(&master, &replica);
        replica.crash_and_restart();
        above.run("INCR a");
        wait_for_sync(&master, &replica);
        assert_eq!(number(&mut above, "sync_full"), 1);
        assert_eq!(number(&mut above, "sync_partial_ok"), 1);
        assert_same_data(&[&master, &replica]);
    }
}

#[test]
fn a_replica_that_starts_again_as_a_master_goes_on_when_it_is_told_to_follow() {
    let (master, mut replica) = (Server::start(PROMPT), Server::start(AOF));
    follow(&replica, &master);
    wait_for_sync(&master, &replica);
    let mut above = master.connect();
    above.run("SELECT 4");
    above.run("SET a 1");
    wait_for_sync(&master, &replica);
    wait_until("the replica has a new AOF", || {
        number(&mut replica.connect(), "aof_rewrite_in_progress") == 0
    });
    replica.shutdown_and_restart();
    let mut below = replica.connect();
    assert_eq!(field(&mut below, "role"), "master");
    // As a Sentinel does, before it makes a replica of the node.
    below.run("PUBLISH __sentinel__:hello something");
    above.run("SET a 2");
    follow(&replica, &master);
    wait_for_sync(&master, &replica);
    assert_eq!(number(&mut above, "sync_full"), 1);
    assert_same_data(&[&master, &replica]);
}

#[test]
fn replicas_of_a_master_that_starts_again_go_on() {
    for start_replica in [Server::start as Start, Server::redis] {
        for (directives, crashes) in [(AOF, true), (AOF, false), (RDB, false)] {
            let (mut master, replica) = (Server::start(directives), start_replica(PROMPT));
            follow(&replica, &master);
            wait_for_sync(&master, &replica);
            for line in ["SET a 1", "SELECT 5", "SET b 1"] {
                master.connect().run(line);
            }
            wait_for_sync(&master, &replica);
            let id = field(&mut master.connect(), "master_replid");
            match crashes {
                true => master.crash_and_restart(),
                false => master.shutdown_and_restart(),
            }
            let mut above = master.connect();
            assert_eq!(field(&mut above, "master_replid2"), id);
            above.run("SET c 1");
            wait_for_sync(&master, &replica);
            assert_eq!(number(&mut above, "sync_full"), 0);
            assert_eq!(number(&mut above, "sync_partial_ok"), 1);
            assert_same_data(&[&master, &replica]);
        }
    }
}

#[test]
fn a_rewrite_keeps_the_place_in_the_history() {
    let (master, mut replica) = (Server::start(PROMPT), Server::start(AOF));
    follow(&replica, &master);
    wait_for_sync(&master, &replica);
    let mut above = master.connect();
    above.run("SET a 1");
    wait_for_sync(&master, &replica);
    let mut below = replica.connect();
    wait_until("a rewrite can begin", || {
        !below.run("BGREWRITEAOF").is_error()
    });
    wait_until("it is done", || {
        number(&mut below, "aof_rewrite_in_progress") == 0
            && number(&mut below, "aof_rewrite_scheduled") == 0
    });
    replica.crash_and_restart();
    follow(&replica, &master);
    wait_for_sync(&master, &replica);
    assert_eq!(number(&mut above, "sync_full"), 1);
    assert_same_data(&[&master, &replica]);
}

#[test]
fn redis_reads_an_append_only_file_that_tells_its_place() {
    let (master, replica) = (Server::start(AOF), Server::start(PROMPT));
    follow(&replica, &master);
    wait_for_sync(&master, &replica);
    master.connect().run("SET a 1");
    let redis = Server::redis_with(AOF, |dir| {
        let (from, to) = (
            master.dir().join("appendonlydir"),
            dir.join("appendonlydir"),
        );
        std::fs::create_dir(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    });
    assert_same_data(&[&master, &redis]);
}

#[test]
fn replicas_are_told_of_keys_that_expired_while_their_master_was_away() {
    let (mut master, replica) = (Server::start(RDB), Server::start(PROMPT));
    follow(&replica, &master);
    wait_for_sync(&master, &replica);
    let mut above = master.connect();
    above.run("DEBUG SET-ACTIVE-EXPIRE 0");
    above.run("SELECT 2");
    above.run("SET short v PX 50");
    above.run("SET stays v");
    wait_for_sync(&master, &replica);
    std::thread::sleep(std::time::Duration::from_millis(60));
    drop(above);
    master.shutdown_and_restart();
    wait_for_sync(&master, &replica);
    assert_eq!(number(&mut master.connect(), "sync_full"), 0);
    let mut below = replica.connect();
    below.run("SELECT 2");
    wait_until("the key is gone", || {
        below.run("DBSIZE").integer() == Some(1)
    });
    assert_same_data(&[&master, &replica]);
}
