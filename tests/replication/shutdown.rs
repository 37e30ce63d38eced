//! A master that stops: its replicas get everything first, unless they are too far behind for too long.

use crate::{PROMPT, follow, number, wait_for_sync, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use tests::{Server, split_words};

fn signal(server: &Server, signal: Signal) {
    let pid = Pid::from_raw(server.pid() as i32).unwrap();
    kill_process(pid, signal).unwrap();
}

#[test]
fn a_master_that_stops_waits_for_its_replicas() {
    for start_replica in [Server::start, Server::redis] {
        let (mut master, replica) = (Server::start(PROMPT), start_replica(PROMPT));
        follow(&replica, &master);
        wait_for_sync(&master, &replica);
        signal(&replica, Signal::STOP);
        let mut above = master.connect();
        above.run("SET a 1");
        signal(&master, Signal::TERM);
        wait_until("it waits", || master.log().contains("lagging replica"));
        // Writes wait, reads do not.
        let mut writer = master.connect();
        writer.send(&split_words("SET b 1")).unwrap();
        assert_eq!(above.run("GET a").text(), "1");
        assert!(number(&mut above, "shutdown_in_milliseconds") > 0);
        signal(&replica, Signal::CONT);
        assert!(master.wait_for_end().success());
        let log = master.log();
        assert!(log.contains("1 of 1 replicas are in sync"), "{log}");
        let mut below = replica.connect();
        assert_eq!(below.run("GET a").text(), "1");
        assert!(below.run("GET b").is_null());
    }
}

#[test]
fn a_shutdown_that_waits_can_be_given_up() {
    let (master, replica) = (Server::start(PROMPT), Server::start(PROMPT));
    follow(&replica, &master);
    wait_for_sync(&master, &replica);
    signal(&replica, Signal::STOP);
    let (mut client, mut other) = (master.connect(), master.connect());
    client.run("SET a 1");
    client.send(&split_words("SHUTDOWN")).unwrap();
    wait_until("it waits", || {
        number(&mut other, "shutdown_in_milliseconds") > 0
    });
    other.send(&split_words("SET b 1")).unwrap();
    wait_until("the write waits", || {
        number(&mut master.connect(), "blocked_clients") == 2
    });
    assert_eq!(master.connect().run("SHUTDOWN ABORT").text(), "OK");
    assert!(
        client
            .read()
            .unwrap()
            .text()
            .contains("Errors trying to SHUTDOWN")
    );
    assert_eq!(other.read().unwrap().text(), "OK");
    assert!(master.connect().run("SHUTDOWN ABORT").is_error());
    signal(&replica, Signal::CONT);
    wait_for_sync(&master, &replica);
}

#[test]
fn replicas_that_stay_behind_are_waited_for_only_so_long() {
    let directives = [PROMPT, &["--shutdown-timeout", "1"]].concat();
    let (mut master, replica) = (Server::start(&directives), Server::start(PROMPT));
    follow(&replica, &master);
    wait_for_sync(&master, &replica);
    signal(&replica, Signal::STOP);
    master.connect().run("SET a 1");
    signal(&master, Signal::TERM);
    assert!(master.wait_for_end().success());
    signal(&replica, Signal::CONT);
    let log = master.log();
    assert!(log.contains("0 of 1 replicas are in sync"), "{log}");
}
