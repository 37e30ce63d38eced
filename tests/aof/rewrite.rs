//! Rewrites, and turning the AOF on and off.

use crate::{FOLDER, MANIFEST, command, read, wait_until};
use std::fs;
use tests::{Connection, Server};

const AOF: &[&str] = &[
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
    "--auto-aof-rewrite-percentage",
    "0",
];

fn manifest(server: &Server) -> String {
    String::from_utf8(read(server.dir(), MANIFEST)).unwrap()
}

fn names(server: &Server) -> Vec<String> {
    let entries = fs::read_dir(server.dir().join(FOLDER)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Sequence numbers and kinds of the manifest's files: `2b 2i`.
fn segments(server: &Server) -> String {
    let text = manifest(server);
    let lines = text.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        format!("{}{}", words[3], words[5])
    });
    lines.collect::<Vec<_>>().join(" ")
}

fn wait_for_rewrite(client: &mut Connection) {
    wait_until("the rewrite ends", || {
        let info = client.run("INFO persistence").text();
        info.contains("aof_rewrite_in_progress:0\r\n")
            && info.contains("aof_rewrite_scheduled:0\r\n")
    });
}

fn rewrite(client: &mut Connection) {
    assert_eq!(
        client.run("BGREWRITEAOF").text(),
        "Background append only file rewriting started"
    );
    wait_for_rewrite(client);
}

#[test]
fn a_rewrite_keeps_the_data_and_drops_what_came_before() {
    let mut server = Server::start(AOF);
    let mut client = server.connect();
    for _ in 0..100 {
        client.run("INCR n");
    }
    client.run("RPUSH l 1 b 3");
    client.run("SADD s 1 2 x");
    client.run("HSET h f v");
    client.run("ZADD z 1.5 a inf b");
    client.run("SELECT 3");
    client.run("SET k v PX 100000000");
    let expiry = client.run("PEXPIRETIME k").integer();
    rewrite(&mut client);
    assert_eq!(segments(&server), "2b 2i");
    assert_eq!(names(&server).len(), 3, "{:?}", names(&server));
    client.run("SET after 1");
    server.crash_and_restart();
    let mut client = server.connect();
    assert_eq!(client.run("GET n").text(), "100");
    assert_eq!(client.run("LRANGE l 0 -1").items().len(), 3);
    assert_eq!(client.run("SMEMBERS s").items().len(), 3);
    assert_eq!(client.run("HGET h f").text(), "v");
    assert_eq!(client.run("ZSCORE z b").text(), "inf");
    client.run("SELECT 3");
    assert_eq!(client.run("GET after").text(), "1");
    assert_eq!(client.run("PEXPIRETIME k").integer(), expiry);
    assert_eq!(client.run("DBSIZE").integer(), Some(2));
}

#[test]
fn a_rewrite_under_writes_loses_and_doubles_nothing() {
    let mut server = Server::start(AOF);
    let mut client = server.connect();
    let mut sum = 0;
    for round in 0..5 {
        client.run("BGREWRITEAOF");
        for _ in 0..200 {
            client.send(&tests::split_words("INCR n")).unwrap();
            client.send(&tests::split_words("RPUSH l x")).unwrap();
        }
        for _ in 0..200 {
            sum += 1;
            assert_eq!(client.read().unwrap().integer(), Some(sum), "{round}");
            assert_eq!(client.read().unwrap().integer(), Some(sum), "{round}");
        }
        wait_for_rewrite(&mut client);
    }
    server.crash_and_restart();
    let mut client = server.connect();
    assert_eq!(client.run("GET n").text(), sum.to_string());
    assert_eq!(client.run("LLEN l").integer(), Some(sum));
}

#[test]
fn a_rewrite_while_one_runs_is_refused() {
    let directives = [AOF, &["--rdb-key-save-delay", "100000"]].concat();
    let server = Server::start(&directives);
    let mut client = server.connect();
    client.run("MSET a 1 b 2 c 3");
    assert_eq!(
        client.run("BGREWRITEAOF").text(),
        "Background append only file rewriting started"
    );
    assert_eq!(
        client.run("BGREWRITEAOF").text(),
        "ERR Background append only file rewriting already in progress"
    );
    // Within a transaction it would hold a part of what that changes.
    wait_for_rewrite(&mut client);
    client.run("MULTI");
    client.run("BGREWRITEAOF");
    client.run("BGSAVE");
    let answers = client.run("EXEC");
    assert_eq!(
        format!("{:?}", answers.items()),
        "[+Background append only file rewriting scheduled, +Background saving scheduled]"
    );
}

#[test]
fn an_aof_turned_on_later_holds_what_was_there_and_what_comes() {
    let mut server = Server::start(&["--appendonly", "no", "--appendfsync", "always"]);
    let mut client = server.connect();
    client.run("SET before 1");
    assert_eq!(client.run("CONFIG SET appendonly yes").text(), "OK");
    client.run("SET after 1");
    wait_for_rewrite(&mut client);
    assert_eq!(segments(&server), "1b 1i");
    assert_eq!(names(&server).len(), 3, "{:?}", names(&server));
    client.run("SET later 1");
    assert_eq!(client.run("CONFIG SET appendonly no").text(), "OK");
    client.run("SET unwritten 1");
    assert_eq!(client.run("DEBUG LOADAOF").text(), "OK");
    assert_eq!(client.run("DBSIZE").integer(), Some(3));
    // Off and on again: new numbers, nothing of the old is left.
    assert_eq!(client.run("CONFIG SET appendonly yes").text(), "OK");
    wait_for_rewrite(&mut client);
    assert_eq!(segments(&server), "2b 2i");
    client.run("SET last 1");
    server.crash_and_restart();
    // The command line still says no: the AOF is left aside, and whole.
    assert_eq!(server.connect().run("DBSIZE").integer(), Some(0));
    assert_eq!(segments(&server), "2b 2i");
}

#[test]
fn a_rewrite_without_an_aof_makes_a_base_alone() {
    let server = Server::start(&["--appendonly", "no", "--appendfsync", "always"]);
    let mut client = server.connect();
    client.run("SET k v");
    rewrite(&mut client);
    assert_eq!(segments(&server), "1b");
    assert_eq!(client.run("CONFIG SET appendonly yes").text(), "OK");
    wait_for_rewrite(&mut client);
    assert_eq!(segments(&server), "2b 1i");
}

#[test]
fn history_stays_while_asked_for_and_goes_afterwards() {
    let server = Server::start(AOF);
    let mut client = server.connect();
    client.run("CONFIG SET aof-disable-auto-gc yes");
    rewrite(&mut client);
    rewrite(&mut client);
    assert_eq!(segments(&server), "3b 2h 2h 1h 1h 3i");
    assert_eq!(names(&server).len(), 7, "{:?}", names(&server));
    client.run("CONFIG SET aof-disable-auto-gc no");
    wait_until("history goes", || {
        segments(&server) == "3b 3i" && names(&server).len() == 3
    });
}

#[test]
fn an_aof_that_has_grown_is_rewritten_by_itself() {
    let server = Server::start(&[
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--auto-aof-rewrite-min-size",
        "4kb",
    ]);
    let mut client = server.connect();
    for number in 0..100 {
        client.run(&format!("SET k {number}{{x*100}}"));
    }
    wait_until("an automatic rewrite", || segments(&server) != "1b 1i");
    wait_for_rewrite(&mut client);
    let info = client.run("INFO persistence").text();
    assert!(info.contains("aof_last_bgrewrite_status:ok\r\n"), "{info}");
    let stays = client.run("GET k").text();
    assert!(stays.starts_with("99"));
}

#[test]
fn each_file_says_in_which_db_its_commands_run() {
    let server = Server::start(AOF);
    let mut client = server.connect();
    client.run("SELECT 5");
    client.run("SET a 1");
    rewrite(&mut client);
    client.run("SET b 2");
    let incr = read(server.dir(), "appendonly.aof.2.incr.aof");
    assert!(incr.starts_with(&command("SELECT 5")));
}

#[test]
fn timestamps_mark_when_commands_ran() {
    let server = Server::start(&[AOF, &["--aof-timestamp-enabled", "yes"]].concat());
    let mut client = server.connect();
    client.run("SET a 1");
    let incr = read(server.dir(), "appendonly.aof.1.incr.aof");
    assert!(
        incr.starts_with(b"#TS:"),
        "{}",
        String::from_utf8_lossy(&incr)
    );
    assert_eq!(client.run("DEBUG LOADAOF").text(), "OK");
    assert_eq!(client.run("GET a").text(), "1");
}

#[test]
fn a_rewrite_that_begins_while_the_aof_is_loaded_holds_all_of_it() {
    let mut server = Server::start(AOF);
    let mut client = server.connect();
    for number in 0..1000 {
        client.run(&format!("SET k{number} {{x*1000}}"));
    }
    for _ in 0..5 {
        client.send(&tests::split_words("BGREWRITEAOF")).unwrap();
        client.send(&tests::split_words("DEBUG LOADAOF")).unwrap();
        client.read().unwrap();
        assert_eq!(client.read().unwrap().text(), "OK");
        wait_for_rewrite(&mut client);
    }
    assert_eq!(segments(&server), "6b 6i");
    server.crash_and_restart();
    assert_eq!(server.connect().run("DBSIZE").integer(), Some(1000));
}

#[test]
fn slow_writes_show_in_the_latency_monitor() {
    for (policy, event) in [("always", "aof-fsync-always"), ("no", "aof-write-alone")] {
        let directives = [
            AOF,
            &["--appendfsync", policy, "--latency-monitor-threshold", "20"],
        ];
        let server = Server::start(&directives.concat());
        let mut client = server.connect();
        client.run("DEBUG AOF-FLUSH-SLEEP 30000");
        client.run("SET k v");
        for event in [event, "aof-write"] {
            wait_until("the event is kept", || {
                !client
                    .run(&format!("LATENCY HISTORY {event}"))
                    .items()
                    .is_empty()
            });
        }
    }
}
