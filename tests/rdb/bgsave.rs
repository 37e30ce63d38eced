//! BGSAVE and save points: the file holds what there was when the save began, whatever commands do meanwhile.

use crate::DUMP;
use std::fs;
use std::time::Duration;
use tests::{Connection, Server};

/// Slow enough for a test to act while it runs: the delay is for each key.
const SLOW: &[&str] = &["--rdb-key-save-delay", "20000"];

fn info_says(client: &mut Connection, field: &str) -> bool {
    let info = client.run("INFO persistence").text();
    info.contains(&format!("{field}\r\n"))
}

fn wait_until(client: &mut Connection, field: &str) {
    /// A minute of 10 ms each.
    const TRIES: usize = 6000;
    for _ in 0..TRIES {
        if info_says(client, field) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never {field}: {}", client.run("INFO persistence").text());
}

fn bgsave(client: &mut Connection) {
    assert_eq!(client.run("BGSAVE").text(), "Background saving started");
    wait_until(client, "rdb_bgsave_in_progress:0");
    assert!(info_says(client, "rdb_last_bgsave_status:ok"));
}

/// Some of every type, and of each a value so big that it is written in slices.
fn fill(client: &mut Connection) {
    for number in 0..200 {
        client.run(&format!("SET s{number} {number}"));
        client.run(&format!("SET t{number} v{number} PX 10000000"));
        client.run(&format!("RPUSH l{number} a {number} b"));
        client.run(&format!("HSET h{number} f {number}"));
        client.run(&format!("SADD i{number} 1 2 {number}"));
        client.run(&format!("ZADD z{number} {number}.5 m"));
        client.run(&format!("XADD x{number} 1-1 f {number}"));
    }
    for chunk in 0..40 {
        let numbers = || (0..100).map(|n| chunk * 100 + n);
        let pairs: String = numbers().map(|n| format!(" {n} v{n}")).collect();
        let members: String = numbers().map(|n| format!(" m{n}")).collect();
        let long: String = numbers()
            .map(|n| format!(" {n}{}", "x".repeat(80)))
            .collect();
        client.run(&format!("HSET big-hash{pairs}"));
        client.run(&format!("ZADD big-zset{pairs}"));
        client.run(&format!("SADD big-set{members}"));
        client.run(&format!("RPUSH big-list{long}"));
        for n in numbers() {
            client.run(&format!("XADD big-stream {}-1 f {}", n + 1, "y".repeat(30)));
        }
    }
    client.run(&format!("SETRANGE big-string {} x", 5 << 20));
    client.run("SELECT 3");
    client.run("SET other-db v");
    client.run("SELECT 0");
}

/// Changes and removes of everything that [`fill`] makes.
fn change(client: &mut Connection) {
    for number in (0..200).step_by(2) {
        client.run(&format!("APPEND s{number} more"));
        client.run(&format!("PERSIST t{number}"));
        client.run(&format!("LPOP l{number}"));
        client.run(&format!("HDEL h{number} f"));
        client.run(&format!("SADD i{number} word"));
        client.run(&format!("ZINCRBY z{number} 1 m"));
        client.run(&format!("XDEL x{number} 1-1"));
    }
    client.run("HSET big-hash 7 changed new v");
    client.run("HDEL big-hash 8 9 3999");
    client.run("ZADD big-zset -5 v77");
    client.run("ZREMRANGEBYRANK big-zset 0 100");
    client.run("SREM big-set m1 m3999");
    client.run("LSET big-list 2000 changed");
    client.run("LTRIM big-list 10 -10");
    client.run("XTRIM big-stream MAXLEN 500");
    client.run("SETRANGE big-string 1000 changed");
    client.run("RENAME big-set renamed");
    client.run("COPY big-hash copied");
    client.run("SWAPDB 0 3");
    client.run("FLUSHDB");
    client.run("SWAPDB 0 3");
    client.run("DEL s1 l1 big-zset");
}

#[test]
fn a_save_holds_what_there_was_when_it_began() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    fill(&mut client);
    let before = client.run("DEBUG DIGEST").text();
    assert_eq!(client.run("BGSAVE").text(), "Background saving started");
    change(&mut client);
    wait_until(&mut client, "rdb_bgsave_in_progress:0");
    assert!(info_says(&mut client, "rdb_last_bgsave_status:ok"));
    assert_ne!(client.run("DEBUG DIGEST").text(), before);
    let bytes = fs::read(server.dir().join(DUMP)).unwrap();
    let put = |dir: &std::path::Path| fs::write(dir.join(DUMP), &bytes).unwrap();
    for loaded in [Server::start_with(&[], put), Server::redis_with(&[], put)] {
        let mut client = loaded.connect();
        assert_eq!(
            client.run("DEBUG DIGEST").text(),
            before,
            "{}",
            loaded.name()
        );
    }
}

#[test]
fn saves_count_changes_from_their_beginning() {
    let server = Server::start(SLOW);
    let mut client = server.connect();
    client.run("MSET a 1 b 2 c 3");
    assert_eq!(client.run("BGSAVE").text(), "Background saving started");
    assert!(info_says(&mut client, "rdb_bgsave_in_progress:1"));
    client.run("SET d 4");
    for refused in ["BGSAVE", "BGSAVE SCHEDULE", "SAVE"] {
        assert_eq!(
            client.run(refused).text(),
            "ERR Background save already in progress"
        );
    }
    assert_eq!(client.run("BGSAVE NOW").text(), "ERR syntax error");
    wait_until(&mut client, "rdb_bgsave_in_progress:0");
    assert!(info_says(&mut client, "rdb_changes_since_last_save:1"));
}

#[test]
fn a_rewrite_waits_for_a_save_and_a_scheduled_save_for_a_rewrite() {
    let directives = [SLOW, &["--appendonly", "yes"]].concat();
    let server = Server::start(&directives);
    let mut client = server.connect();
    client.run("MSET a 1 b 2 c 3 d 4 e 5 f 6");
    client.run("BGSAVE");
    assert_eq!(
        client.run("BGREWRITEAOF").text(),
        "Background append only file rewriting scheduled"
    );
    wait_until(&mut client, "rdb_bgsave_in_progress:0");
    wait_until(&mut client, "aof_rewrite_in_progress:1");
    assert!(
        client
            .run("BGSAVE")
            .text()
            .contains("can't BGSAVE right now")
    );
    assert_eq!(
        client.run("BGSAVE SCHEDULE").text(),
        "Background saving scheduled"
    );
    wait_until(&mut client, "aof_rewrite_in_progress:0");
    wait_until(&mut client, "rdb_saves:2");
    wait_until(&mut client, "rdb_bgsave_in_progress:0");
    assert!(info_says(&mut client, "aof_last_bgrewrite_status:ok"));
    assert!(info_says(&mut client, "rdb_last_bgsave_status:ok"));
}

#[test]
fn save_points_save() {
    let server = Server::start(&["--save", "1 2"]);
    let mut client = server.connect();
    client.run("MSET a 1 b 2");
    wait_until(&mut client, "rdb_saves:1");
    wait_until(&mut client, "rdb_changes_since_last_save:0");
    assert!(server.dir().join(DUMP).exists());
    assert!(server.log().contains("2 changes in 1 seconds. Saving..."));
}

#[test]
fn flushall_gives_up_a_save_and_with_save_points_saves_the_nothing() {
    let directives = [SLOW, &["--save", "3600 1000"]].concat();
    let mut server = Server::start(&directives);
    let mut client = server.connect();
    client.run("SET k v");
    bgsave(&mut client);
    client.run("MSET a 1 b 2 c 3 d 4 e 5");
    client.run("BGSAVE");
    client.run("FLUSHALL");
    assert!(info_says(&mut client, "rdb_bgsave_in_progress:0"));
    assert!(info_says(&mut client, "rdb_changes_since_last_save:0"));
    server.crash_and_restart();
    assert_eq!(server.connect().run("DBSIZE").integer(), Some(0));
}

#[test]
fn a_node_that_stops_gives_up_its_save_and_leaves_no_temporary_file() {
    let mut server = Server::start(SLOW);
    let mut client = server.connect();
    for number in 0..500 {
        client.run(&format!("SET k{number} v"));
    }
    client.run("BGSAVE");
    server.shutdown_and_restart();
    let names: Vec<_> = fs::read_dir(server.dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("rdb"))
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn while_saving_fails_writes_are_refused() {
    let server = Server::start(&["--save", "3600 1"]);
    let mut client = server.connect();
    client.run("SET k v");
    let gone = server.dir().join("gone");
    fs::create_dir(&gone).unwrap();
    let path = fs::canonicalize(&gone).unwrap();
    assert_eq!(
        client
            .run(&format!("CONFIG SET dir {}", path.display()))
            .text(),
        "OK"
    );
    fs::remove_dir(&gone).unwrap();
    client.run("BGSAVE");
    wait_until(&mut client, "rdb_last_bgsave_status:err");
    for refused in ["SET k w", "PING"] {
        assert!(
            client
                .run(refused)
                .text()
                .starts_with("MISCONF Redis is configured to save RDB")
        );
    }
    assert_eq!(client.run("GET k").text(), "v");
    assert_eq!(
        client
            .run("CONFIG SET stop-writes-on-bgsave-error no")
            .text(),
        "OK"
    );
    assert_eq!(client.run("SET k w").text(), "OK");
    client.run("CONFIG SET stop-writes-on-bgsave-error yes");
    let dir = fs::canonicalize(server.dir()).unwrap();
    assert_eq!(
        client
            .run(&format!("CONFIG SET dir {}", dir.display()))
            .text(),
        "OK"
    );
    bgsave(&mut client);
    assert_eq!(client.run("SET k x").text(), "OK");
}

#[test]
fn what_a_save_has_written_is_not_counted_as_memory_in_use() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    // 80 MB, many times what the queue holds.
    for number in 0..800 {
        client.run(&format!(
            "SET k{number} {}",
            format!("{number:05}").repeat(20_000)
        ));
    }
    client.run("CONFIG RESETSTAT");
    let used = |client: &mut Connection, field: &str| -> u64 {
        let info = client.run("INFO memory").text();
        let line = info.lines().find_map(|line| line.strip_prefix(field));
        line.and_then(|value| value.parse().ok()).unwrap()
    };
    let before = used(&mut client, "used_memory:");
    assert_eq!(client.run("BGSAVE").text(), "Background saving started");
    wait_until(&mut client, "rdb_bgsave_in_progress:0");
    let peak = used(&mut client, "used_memory_peak:");
    assert!(peak < before + (50 << 20), "{before} {peak}");
}
