//! Links that break: what was missed meanwhile comes from the backlog, to the byte.

use crate::{PAIRINGS, PROMPT, assert_same_data, field, follow, number, wait_for_sync, wait_until};
use tests::Server;

#[test]
fn a_broken_link_goes_on_from_the_backlog() {
    for (start_master, start_replica) in PAIRINGS {
        let (master, replica) = (start_master(PROMPT), start_replica(PROMPT));
        let (mut above, mut below) = (master.connect(), replica.connect());
        above.run("SELECT 4");
        above.run("SET a 1");
        follow(&replica, &master);
        wait_for_sync(&master, &replica);
        for round in 0..4 {
            above.run(&format!("RPUSH l {round}"));
            wait_for_sync(&master, &replica);
            match round % 2 {
                0 => above.run("CLIENT KILL TYPE replica"),
                _ => below.run("CLIENT KILL TYPE master"),
            };
            above.run(&format!("RPUSH l more {round}"));
            wait_until("the replica is back", || {
                number(&mut above, "sync_partial_ok") == round + 1
            });
        }
        wait_for_sync(&master, &replica);
        assert_same_data(&[&master, &replica]);
        assert_eq!(number(&mut above, "sync_full"), 1);
    }
}

#[test]
fn a_replica_that_missed_too_much_gets_everything_again() {
    let directives = [PROMPT, &["--repl-backlog-size", "16384"]].concat();
    let (master, replica) = (Server::start(&directives), Server::start(PROMPT));
    let mut above = master.connect();
    follow(&replica, &master);
    wait_for_sync(&master, &replica);
    let mut below = replica.connect();
    below.run("REPLICAOF 127.0.0.1 1");
    above.run("DEBUG POPULATE 1 big 1");
    above.run(&format!("SET long {}", "x".repeat(20_000)));
    wait_until("the master noticed", || {
        number(&mut above, "connected_slaves") == 0
    });
    follow(&replica, &master);
    wait_for_sync(&master, &replica);
    assert_eq!(number(&mut above, "sync_full"), 2);
    // The first time it asked to go on from a history of its own.
    assert_eq!(number(&mut above, "sync_partial_err"), 2);
    assert_eq!(below.run("STRLEN long").integer(), Some(20_000));
}

#[test]
fn a_chain_passes_the_bytes_of_its_master_on() {
    for start_middle in [Server::start, Server::redis] {
        let (top, middle, bottom) = (
            Server::redis(PROMPT),
            start_middle(PROMPT),
            Server::start(PROMPT),
        );
        let mut above = top.connect();
        above.run("SET a 1");
        follow(&middle, &top);
        wait_for_sync(&top, &middle);
        follow(&bottom, &middle);
        wait_for_sync(&middle, &bottom);
        above.run("SELECT 7");
        for line in [
            "MULTI",
            "SET b 1",
            "INCR b",
            "EXEC",
            "SPOP nothing",
            "SET c 1 EX 100",
        ] {
            above.run(line);
        }
        wait_for_sync(&top, &middle);
        wait_for_sync(&middle, &bottom);
        assert_same_data(&[&top, &middle, &bottom]);
        let offset = number(&mut above, "master_repl_offset");
        assert_eq!(number(&mut bottom.connect(), "master_repl_offset"), offset);
        let id = field(&mut above, "master_replid");
        assert_eq!(field(&mut bottom.connect(), "master_replid"), id);
    }
}

#[test]
fn a_replica_that_changes_its_master_stays_in_the_db_of_the_stream() {
    let (top, middle, bottom) = (
        Server::start(PROMPT),
        Server::start(PROMPT),
        Server::start(PROMPT),
    );
    let mut above = top.connect();
    above.run("SELECT 7");
    above.run("SET a 1");
    for replica in [&middle, &bottom] {
        follow(replica, &top);
        wait_for_sync(&top, replica);
    }
    above.run("SET b 1");
    wait_for_sync(&top, &bottom);
    follow(&bottom, &middle);
    wait_for_sync(&middle, &bottom);
    above.run("SET c 1");
    wait_for_sync(&top, &middle);
    wait_for_sync(&middle, &bottom);
    assert_eq!(number(&mut middle.connect(), "sync_partial_ok"), 1);
    assert_same_data(&[&top, &middle, &bottom]);
}

#[test]
fn who_followed_a_promoted_replica_goes_on_without_a_full_sync() {
    for start_heir in [Server::start, Server::redis] {
        let (old, heir, other) = (
            Server::start(PROMPT),
            start_heir(PROMPT),
            Server::start(PROMPT),
        );
        old.connect().run("SET a 1");
        follow(&heir, &old);
        wait_for_sync(&old, &heir);
        follow(&other, &old);
        wait_for_sync(&old, &other);
        let id = field(&mut old.connect(), "master_replid");
        heir.connect().run("REPLICAOF NO ONE");
        let mut next = heir.connect();
        assert_eq!(field(&mut next, "master_replid2"), id);
        for server in [&other, &old] {
            follow(server, &heir);
            wait_until("it goes on", || {
                field(&mut server.connect(), "master_link_status") == "up"
            });
        }
        next.run("SET b 2");
        let (mut one, mut two) = (other.connect(), old.connect());
        wait_until("both have it", || {
            one.run("GET b").text() == "2" && two.run("GET b").text() == "2"
        });
        assert_eq!(number(&mut next, "sync_full"), 0);
        assert_eq!(number(&mut next, "sync_partial_ok"), 2);
        assert_same_data(&[&heir, &other, &old]);
    }
}
