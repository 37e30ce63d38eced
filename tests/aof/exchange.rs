//! AOFs that redis-server wrote come back here, and the reverse.

use crate::{MANIFEST, command, commands, read};
use std::fs;
use std::path::Path;
use tests::{AOF_OF_COMMANDS as AOF, Connection, Server};

const WRITES: &[&str] = &[
    "SET s v",
    "SET n 12345",
    "APPEND s w",
    "SETRANGE s 10 x",
    "INCRBYFLOAT f 0.1",
    "EXPIRE s 1000",
    "RPUSH l a b c 1 2 3",
    "LPOP l",
    "SADD st a b c 1 2",
    "SPOP st",
    "HSET h f v g w",
    "HINCRBYFLOAT h x 2.5",
    "ZADD z 1 a 2.5 b inf c",
    "ZINCRBY z 1 a",
    "SELECT 3",
    "SET other \"\\x00\\xff\\r\\n\"",
    "SETEX e 100 v",
    "GETDEL other",
    "PFADD hll a b c",
    "SETBIT bits 100 1",
    "MULTI",
    "SET t 1",
    "INCR t",
    "EXEC",
    "MOVE t 4",
    "SELECT 0",
    "COPY l l2",
    "RENAME l2 l3",
    "SWAPDB 3 5",
];

const READS: &[&str] = &[
    "GET s",
    "GET n",
    "GET f",
    "LRANGE l 0 -1",
    "SCARD st",
    "HGET h f",
    "HGET h x",
    "ZRANGE z 0 -1 WITHSCORES",
    "LRANGE l3 0 -1",
    "SELECT 5",
    "EXISTS other e t",
    "PEXPIRETIME e",
    "PFCOUNT hll",
    "BITCOUNT bits",
    "SELECT 4",
    "GET t",
    "SELECT 0",
    "PEXPIRETIME s",
    "DBSIZE",
];

fn run_all(client: &mut Connection, lines: &[&str]) -> Vec<String> {
    lines
        .iter()
        .map(|line| format!("{line}: {:?}", client.run(line)))
        .collect()
}

/// Copies the AOF of a server that is gone.
fn copy_aof(from: &Path, to: &Path) {
    let folder = from.join("appendonlydir");
    fs::create_dir_all(to.join("appendonlydir")).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(
            entry.path(),
            to.join("appendonlydir").join(entry.file_name()),
        )
        .unwrap();
    }
}

#[test]
fn what_redis_server_wrote_comes_back_here() {
    let redis = Server::redis(AOF);
    let mut client = redis.connect();
    run_all(&mut client, WRITES);
    let expected = run_all(&mut client, READS);
    let ours = Server::start_with(AOF, |dir| copy_aof(redis.dir(), dir));
    assert_eq!(run_all(&mut ours.connect(), READS), expected);
}

#[test]
fn what_we_wrote_comes_back_in_redis_server() {
    let ours = Server::start(AOF);
    let mut client = ours.connect();
    run_all(&mut client, WRITES);
    let expected = run_all(&mut client, READS);
    let redis = Server::redis_with(AOF, |dir| copy_aof(ours.dir(), dir));
    assert_eq!(run_all(&mut redis.connect(), READS), expected);
}

#[test]
fn both_write_the_same_bytes_for_the_same_commands() {
    // SPOP picks by chance, relative times become absolute ones.
    let lines = WRITES.iter().filter(|line| {
        !["SPOP", "EXPIRE", "SETEX"]
            .iter()
            .any(|word| line.starts_with(word))
    });
    let lines: Vec<&str> = lines.copied().collect();
    let [redis, ours] = [Server::redis(AOF), Server::start(AOF)].map(|server| {
        run_all(&mut server.connect(), &lines);
        String::from_utf8_lossy(&read(server.dir(), crate::INCR)).into_owned()
    });
    assert_eq!(ours, redis);
}

#[test]
fn both_write_the_same_manifest_at_the_first_start() {
    let [redis, ours] = [Server::redis(AOF), Server::start(AOF)]
        .map(|server| String::from_utf8(read(server.dir(), MANIFEST)).unwrap());
    assert_eq!(ours, redis);
}

#[test]
fn an_old_style_aof_moves_into_the_folder_as_with_redis_server() {
    let prepare = |dir: &Path| {
        fs::write(
            dir.join("appendonly.aof"),
            commands(&["SET a 1", "SET b 2"]),
        )
        .unwrap();
    };
    for server in [
        Server::redis_with(AOF, prepare),
        Server::start_with(AOF, prepare),
    ] {
        assert_eq!(server.connect().run("GET b").text(), "2");
        assert!(!server.dir().join("appendonly.aof").exists());
        assert_eq!(
            String::from_utf8(read(server.dir(), MANIFEST)).unwrap(),
            "file appendonly.aof seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
        );
        assert_eq!(
            read(server.dir(), "appendonly.aof").len(),
            2 * command("SET a 1").len()
        );
    }
}

#[test]
fn functions_come_back_after_a_rewrite_with_either_base() {
    for preamble in ["yes", "no"] {
        let mut server = Server::start(&[
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--aof-use-rdb-preamble",
            preamble,
        ]);
        let mut client = server.connect();
        let code = r##"FUNCTION LOAD "#!lua name=l\nredis.register_function('f', function() return 'here' end)""##;
        assert_eq!(client.run(code).text(), "l");
        assert!(!client.run("BGREWRITEAOF").is_error());
        crate::wait_until("the rewrite ends", || {
            let info = client.run("INFO persistence").text();
            info.contains("aof_rewrite_in_progress:0\r\n")
                && info.contains("aof_rewrite_scheduled:0\r\n")
        });
        server.crash_and_restart();
        assert_eq!(
            server.connect().run("FCALL f 0").text(),
            "here",
            "{preamble}"
        );
    }
}
