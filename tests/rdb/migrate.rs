//! MIGRATE from here to redis-server and back.

use tests::{Connection, Server};

/// Runs MIGRATE on `source`, towards `target`.
fn migrate(source: &mut Connection, target: &Server, rest: &str) -> String {
    let line = format!("MIGRATE 127.0.0.1 {} {rest}", target.port());
    source.run(&line).text()
}

fn info_has(client: &mut Connection, field: &str) -> bool {
    client.run("INFO stats").text().contains(field)
}

#[test]
fn keys_move_whole_with_their_expiry_both_ways() {
    let (ours, redis) = (Server::start(&[]), Server::redis(&[]));
    for (from, to) in [(&ours, &redis), (&redis, &ours)] {
        let (mut source, mut target) = (from.connect(), to.connect());
        source.run("RPUSH list a 1 {x*5000}");
        source.run("SET soon v PX 100000");
        target.run("SELECT 9");
        assert_eq!(migrate(&mut source, to, "list 9 5000"), "OK");
        assert_eq!(migrate(&mut source, to, "soon 9 5000"), "OK");
        assert!(info_has(&mut source, "migrate_cached_sockets:1\r\n"));
        assert_eq!(source.run("EXISTS list soon").integer(), Some(0));
        assert_eq!(target.run("LLEN list").integer(), Some(3));
        let ttl = target.run("PTTL soon").integer().unwrap();
        assert!((1..=100_000).contains(&ttl), "{ttl}");
        target.run("DEL list soon");
    }
}

#[test]
fn what_the_target_refuses_stays_and_the_rest_goes() {
    let (ours, redis) = (
        Server::start(&["--appendonly", "yes", "--appendfsync", "always"]),
        Server::redis(&[]),
    );
    let (mut source, mut target) = (ours.connect(), redis.connect());
    source.run("MSET a 1 b 2 c 3");
    target.run("SET b busy");
    assert_eq!(
        migrate(&mut source, &redis, "\"\" 0 5000 KEYS a b missing c"),
        "ERR Target instance replied with error: BUSYKEY Target key name already exists."
    );
    assert_eq!(source.run("KEYS *").items().len(), 1);
    assert_eq!(target.run("MGET a b c").items().len(), 3);
    assert_eq!(target.run("GET b").text(), "busy");
    assert_eq!(migrate(&mut source, &redis, "b 0 5000 COPY REPLACE"), "OK");
    assert_eq!(target.run("GET b").text(), "2");
    assert_eq!(source.run("GET b").text(), "2");
    let mut ours = ours;
    ours.crash_and_restart();
    assert_eq!(ours.connect().run("KEYS *").items().len(), 1);
}

#[test]
fn who_is_not_known_there_keeps_the_key() {
    let (ours, redis) = (
        Server::start(&[]),
        Server::redis(&["--requirepass", "secret"]),
    );
    let mut source = ours.connect();
    source.run("SET k v");
    let refusal = migrate(&mut source, &redis, "k 0 5000");
    assert!(refusal.contains("NOAUTH"), "{refusal}");
    let refusal = migrate(&mut source, &redis, "k 0 5000 AUTH wrong");
    assert!(refusal.contains("WRONGPASS"), "{refusal}");
    assert_eq!(source.run("EXISTS k").integer(), Some(1));
    assert_eq!(
        migrate(&mut source, &redis, "k 0 5000 AUTH2 default secret"),
        "OK"
    );
    assert_eq!(source.run("EXISTS k").integer(), Some(0));
}

#[test]
fn a_target_that_is_silent_or_gone_costs_the_timeout_and_no_key() {
    let (ours, mut redis) = (Server::start(&[]), Server::redis(&[]));
    let mut source = ours.connect();
    source.run("MSET k v l w");
    assert_eq!(migrate(&mut source, &redis, "l 0 5000"), "OK");
    // Our connection to it ends; the next one is new.
    redis.crash_and_restart();
    assert_eq!(migrate(&mut source, &redis, "k 0 5000 COPY"), "OK");
    // It takes connections, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let refusal = source
        .run(&format!("MIGRATE 127.0.0.1 {port} k 0 100"))
        .text();
    assert_eq!(refusal, "IOERR error or timeout reading to target instance");
    assert_eq!(source.run("EXISTS k").integer(), Some(1));
    assert!(info_has(&mut source, "migrate_cached_sockets:1\r\n"));
}
