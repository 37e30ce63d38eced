//! FAILOVER: a master hands over to a replica, and nothing that was acknowledged is missing there.

use crate::{PAIRINGS, PROMPT, assert_same_data, field, follow, number, wait_for_sync, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use std::sync::atomic::{AtomicBool, Ordering};
use tests::Server;

#[test]
fn a_master_hands_over_under_writes_and_nothing_is_lost() {
    for (start_master, start_replica) in PAIRINGS {
        let (master, replica) = (start_master(PROMPT), start_replica(PROMPT));
        follow(&replica, &master);
        wait_for_sync(&master, &replica);
        let stop = AtomicBool::new(false);
        let written = std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut client = master.connect();
                let mut written = 0;
                while !stop.load(Ordering::Relaxed) {
                    match client.run("RPUSH l x").integer() {
                        Some(length) => written = length,
                        // It is a replica by now.
                        None => break,
                    }
                }
                written
            });
            let (mut above, mut below) = (master.connect(), replica.connect());
            wait_until("writes go on", || above.run("LLEN l").integer() > Some(50));
            assert_eq!(above.run("FAILOVER TIMEOUT 20000").text(), "OK");
            wait_until("the roles have changed", || {
                field(&mut below, "role") == "master" && field(&mut above, "role") == "slave"
            });
            wait_until("the hand-over is done", || {
                field(&mut above, "master_failover_state") == "no-failover"
            });
            stop.store(true, Ordering::Relaxed);
            writer.join().unwrap()
        });
        wait_for_sync(&replica, &master);
        let mut next = replica.connect();
        assert_eq!(next.run("LLEN l").integer(), Some(written));
        assert_eq!(number(&mut next, "sync_full"), 0);
        assert_same_data(&[&master, &replica]);
    }
}

#[test]
fn a_hand_over_that_cannot_be_is_refused_or_given_up() {
    let [expected, found] = [Server::redis, Server::start].map(|start| {
        let (master, replica) = (start(PROMPT), start(PROMPT));
        let mut above = master.connect();
        let mut seen = Vec::new();
        let mut run = |line: &str| seen.push(format!("{line}: {:?}", above.run(line)));
        run("FAILOVER");
        run("FAILOVER ABORT");
        run("FAILOVER x");
        run("FAILOVER TO 127.0.0.1");
        run("FAILOVER TIMEOUT 0");
        follow(&replica, &master);
        wait_for_sync(&master, &replica);
        run("FAILOVER TO 127.0.0.1 1");
        run("FAILOVER FORCE");
        run("FAILOVER FORCE TIMEOUT 10");
        let pid = Pid::from_raw(replica.pid() as i32).unwrap();
        kill_process(pid, Signal::STOP).unwrap();
        run("SET a 1");
        run("FAILOVER TIMEOUT 100000");
        run("FAILOVER");
        run("REPLICAOF NO ONE");
        run("FAILOVER ABORT");
        run("SET a 2");
        run("FAILOVER TIMEOUT 50");
        wait_until("it is given up", || {
            field(&mut master.connect(), "master_failover_state") == "no-failover"
        });
        run("SET a 3");
        run("ROLE");
        kill_process(pid, Signal::CONT).unwrap();
        wait_for_sync(&master, &replica);
        seen.pop();
        let mut below = replica.connect();
        seen.push(format!("{:?}", below.run("FAILOVER")));
        seen.push(format!("{:?}", below.run("GET a")));
        seen
    });
    assert_eq!(expected, found);
}

#[test]
fn what_is_published_reaches_subscribers_of_replicas() {
    for (start_master, start_replica) in PAIRINGS {
        let (master, replica) = (start_master(PROMPT), start_replica(PROMPT));
        follow(&replica, &master);
        wait_for_sync(&master, &replica);
        let mut listener = replica.connect();
        listener.run("SUBSCRIBE news");
        let mut above = master.connect();
        above.run("PUBLISH news one");
        above.run("EVAL \"redis.call('publish', 'news', 'two')\" 0");
        for line in ["MULTI", "SET a 1", "PUBLISH news three", "EXEC"] {
            above.run(line);
        }
        for expected in ["one", "two", "three"] {
            assert_eq!(listener.read().unwrap().items()[2].text(), expected);
        }
    }
}
