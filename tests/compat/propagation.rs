//! What the AOF and replicas hear: the same bytes as redis-server writes for the same commands.

use std::fs;
use std::time::Duration;
use tests::{AOF_OF_COMMANDS as AOF, Connection, Server, split_words};

/// What a server has written for `lines`; a line that starts with `b> ` comes from another client, which waits.
fn written(server: &Server, lines: &[&str]) -> String {
    let mut client = server.connect();
    let mut waiting: Vec<Connection> = Vec::new();
    for line in lines {
        match line.strip_prefix("b> ") {
            None => {
                client.run(line);
            }
            Some(line) => {
                let mut other = server.connect();
                let before = blocked(&mut client);
                other.send(&split_words(line)).expect("it is there");
                wait_until(|| blocked(&mut client) > before);
                waiting.push(other);
            }
        }
    }
    for mut client in waiting {
        client.read().expect("everybody is served");
    }
    // A last command that is found again says that all before it is there.
    client.run("SET the end");
    let path = server.dir().join("appendonlydir/appendonly.aof.1.incr.aof");
    let read = || String::from_utf8_lossy(&fs::read(&path).expect("there is one")).into_owned();
    wait_until(|| read().ends_with("end\r\n"));
    read()
}

/// How many clients wait.
fn blocked(client: &mut Connection) -> u32 {
    let info = client.run("INFO clients").text();
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("blocked_clients:"));
    line.and_then(|count| count.trim().parse().ok())
        .expect("INFO says so")
}

fn wait_until(mut done: impl FnMut() -> bool) {
    /// Twenty seconds of 5 ms each.
    const TRIES: usize = 4000;
    for _ in 0..TRIES {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it never happens");
}

fn same_propagation(script: &str) {
    let lines: Vec<&str> = script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let [redis, ours] =
        [Server::redis(AOF), Server::start(AOF)].map(|server| written(&server, &lines));
    assert_eq!(ours.replace("\r\n", " "), redis.replace("\r\n", " "));
}

#[test]
fn of_sorted_sets() {
    same_propagation(
        r#"
        ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h
        ZADD z 1 a
        ZADD z GT 1 a
        ZADD z CH GT 1.5 a
        ZADD z INCR 1 a
        ZINCRBY z 0 a
        ZINCRBY z 1.1 a
        ZADD z XX 1 none
        ZPOPMIN z
        ZPOPMIN z 2
        ZPOPMAX missing
        ZMPOP 2 missing z MIN
        ZMPOP 1 z MAX COUNT 100
        ZMPOP 1 z MAX COUNT 100
        ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h
        BZPOPMIN missing z 0
        BZPOPMAX z 0
        BZMPOP 0 1 z MAX COUNT 2
        ZRANGESTORE zz z 0 1
        ZRANGESTORE zz z 10 11
        ZRANGESTORE zz z 10 11
        ZREMRANGEBYRANK z 0 0
        ZREMRANGEBYRANK z 9 9
        ZREMRANGEBYLEX z [x [y
        ZUNIONSTORE u 1 z
        ZINTERSTORE u 2 z nothing
        ZINTERSTORE u 2 z nothing
        ZDIFFSTORE d 2 z nothing
        ZREM z none
        ZREM z d e
        ZREMRANGEBYSCORE z -inf inf
        ZREMRANGEBYSCORE z -inf inf
        "#,
    );
}

#[test]
fn of_lists() {
    same_propagation(
        r#"
        RPUSH l 1 2 3 4 5 6 7 8 9
        LMOVE l m LEFT RIGHT
        BLMOVE l m Left RIGHT 0
        BLMOVE l m RIGHT left 0
        BRPOPLPUSH l m 0
        RPOPLPUSH l m
        BLPOP missing l 0
        BRPOP l 0
        LMPOP 1 l LEFT
        BLMPOP 0 1 l RIGHT COUNT 10
        LPOP m 2
        LREM m 0 nothing
        LTRIM m 0 1
        "#,
    );
}

#[test]
fn of_clients_that_waited() {
    same_propagation(
        r#"
        b> BZPOPMIN z 0
        ZADD z 1 a
        b> BZPOPMAX y z 0
        b> BZMPOP 0 2 y z MIN COUNT 3
        ZADD z 1 a 2 b 3 c 4 d 5 e 6 f
        b> BZMPOP 0 1 x MAX
        MULTI
        ZADD x 1 a 2 b
        ZADD x 3 c
        EXEC
        DEL x z
        b> BLPOP l 0
        b> BLMPOP 0 1 l RIGHT COUNT 2
        b> BLMOVE l m left right 0
        b> BLMOVE l m right left 0
        RPUSH l 1 2 3 4 5
        b> BRPOPLPUSH n m 0
        RPUSH n x
        b> BZPOPMIN dest 0
        ZUNIONSTORE dest 1 z
        ZADD z 7 seven
        ZUNIONSTORE dest 1 z
        b> BLPOP sorted 0
        SORT m STORE sorted ALPHA
        "#,
    );
}

#[test]
fn of_places() {
    same_propagation(
        r#"
        GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
        GEOADD g nx ch 13.361389 38.115556 x
        GEOADD g XX ch 13.361389 38.115556 none
        GEOADD g XX 13.4 38.115556 x
        GEOADD g 13.4 38.115556 x
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km
        GEORADIUS g 15 37 200 km STORE d
        GEORADIUSBYMEMBER g x 200 km STOREDIST d
        GEORADIUS g 15 37 1 m STORE d
        GEORADIUS g 15 37 1 m STORE d
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 1 m
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km
        "#,
    );
}

#[test]
fn of_sort_bits_and_hyperloglogs() {
    same_propagation(
        r#"
        RPUSH l 3 1 2
        SORT l STORE sorted
        SORT l LIMIT 5 5 STORE sorted
        SORT l LIMIT 5 5 STORE sorted
        SORT l
        SORT_RO l
        BITFIELD b SET u8 0 1
        BITFIELD b GET u8 0
        BITFIELD b INCRBY u8 0 0
        BITFIELD b SET u8 0 1
        BITFIELD b OVERFLOW FAIL INCRBY u8 0 255
        BITFIELD b OVERFLOW FAIL INCRBY u8 0 255 SET u8 8 1
        SETBIT s 0 0
        SETBIT s 0 0
        SETBIT s 90 0
        SETBIT s 90 1
        SETBIT s 90 1
        PFADD h a b c
        PFCOUNT h
        PFCOUNT h
        PFADD h a
        PFADD h2
        PFADD h2
        PFMERGE h3 h h2
        PFDEBUG ENCODING h
        PFDEBUG TODENSE h
        PFDEBUG TODENSE h
        PFDEBUG GETREG h3
        PFDEBUG GETREG h3
        LCS b b
        SADD one 1
        SPOP one
        SADD three 1 2 3
        SPOP three 3
        SADD one 1
        SPOP one 1
        "#,
    );
}
