//! What a master and a replica may do, and what they say of themselves.

use crate::{PROMPT, field, follow, number, wait_for_sync, wait_until};
use std::path::Path;
use tests::{Connection, Server};

/// Runs the same steps against a master and a replica of each program; the replies are to be the same.
fn same(steps: impl Fn(&Server, &Server) -> Vec<String>) {
    let [expected, found] = [Server::redis, Server::start].map(|start| {
        let (master, replica) = (start(PROMPT), start(PROMPT));
        master.connect().run("SET a 1");
        follow(&replica, &master);
        wait_for_sync(&master, &replica);
        steps(&master, &replica)
    });
    assert_eq!(expected, found);
}

fn replies(client: &mut Connection, lines: &[&str]) -> Vec<String> {
    let replies = lines
        .iter()
        .map(|line| format!("{line}: {:?}", client.run(line)));
    replies.collect()
}

#[test]
fn a_replica_reads_and_does_not_write() {
    same(|_, replica| {
        replies(
            &mut replica.connect(),
            &[
                "GET a",
                "SET a 2",
                "MULTI",
                "SET a 3",
                "EXEC",
                "EVAL \"return redis.call('get', 'a')\" 0",
                "EVAL \"return redis.call('set', 'a', 2)\" 0",
                "BLPOP l 0.01",
                "WAIT 0 0",
                "REPLCONF x",
                "REPLCONF x y",
                "CONFIG SET replica-read-only no",
                "SET b 2",
                "GET b",
            ],
        )
    });
}

#[test]
fn a_replica_hides_what_has_expired_until_the_master_says_so() {
    same(|master, replica| {
        let (mut above, mut below) = (master.connect(), replica.connect());
        above.run("DEBUG SET-ACTIVE-EXPIRE 0");
        above.run("SET short v PX 100");
        wait_for_sync(master, replica);
        wait_until("it has expired", || below.run("GET short").is_null());
        let mut seen = replies(&mut below, &["EXISTS short", "TTL short", "DBSIZE"]);
        above.run("GET short");
        wait_for_sync(master, replica);
        seen.extend(replies(&mut below, &["DBSIZE"]));
        seen
    });
}

#[test]
fn stale_data_is_served_only_where_allowed() {
    same(|_, replica| {
        let mut below = replica.connect();
        below.run("CONFIG SET replica-serve-stale-data no");
        let mut seen = replies(&mut below, &["GET a"]);
        below.run("REPLICAOF 127.0.0.1 1");
        seen.extend(replies(
            &mut below,
            &[
                "GET a",
                "PING",
                "MULTI",
                "GET a",
                "EXEC",
                "CONFIG GET replicaof",
            ],
        ));
        below.run("CONFIG SET replica-serve-stale-data yes");
        seen.extend(replies(
            &mut below,
            &["GET a", "SET a 1", "REPLICAOF NO ONE", "SET a 2"],
        ));
        seen
    });
}

#[test]
fn wait_counts_replicas_that_have_the_write() {
    same(|master, replica| {
        let mut above = master.connect();
        let mut seen = replies(
            &mut above,
            &[
                "WAIT 0 0",
                "SET b 1",
                "WAIT 1 10000",
                "WAIT x 0",
                "WAIT 1 x",
                "WAIT 1 -1",
            ],
        );
        replica.connect().run("REPLICAOF NO ONE");
        wait_until("it is gone", || number(&mut above, "connected_slaves") == 0);
        seen.extend(replies(&mut above, &["SET d 1", "WAIT 1 50"]));
        seen
    });
}

#[test]
fn writes_need_as_many_replicas_as_configured() {
    same(|master, replica| {
        let mut above = master.connect();
        above.run("CONFIG SET min-replicas-to-write 1");
        let mut seen = replies(&mut above, &["SET b 1", "GET b"]);
        seen.push(field(&mut above, "min_slaves_good_slaves"));
        replica.connect().run("REPLICAOF NO ONE");
        wait_until("it is gone", || number(&mut above, "connected_slaves") == 0);
        seen.extend(replies(
            &mut above,
            &["SET b 1", "GET b", "MULTI", "SET b 1", "EXEC"],
        ));
        seen
    });
}

#[test]
fn clients_that_wait_for_a_key_are_told_that_their_master_is_one_no_more() {
    same(|master, replica| {
        let (mut above, mut waiting) = (master.connect(), master.connect());
        waiting
            .send(&tests::split_words("BLPOP nothing 0"))
            .unwrap();
        wait_until("it waits", || number(&mut above, "blocked_clients") == 1);
        replica.connect().run("REPLICAOF NO ONE");
        follow(master, replica);
        vec![
            format!("{:?}", waiting.read()),
            format!("{:?}", waiting.read()),
        ]
    });
}

#[test]
fn info_and_role_name_the_same_things() {
    same(|master, replica| {
        let names = |client: &mut Connection| -> Vec<String> {
            let info = client.run("INFO replication").text();
            let names = info
                .lines()
                .map(|line| line.split(':').next().unwrap().to_string());
            names.collect()
        };
        let mut seen = Vec::new();
        for server in [master, replica] {
            let mut client = server.connect();
            seen.extend(names(&mut client));
            seen.push(format!("{:?}", client.run("ROLE").shape()));
            let list = client.run("CLIENT LIST").text();
            let flags = |line: &str| {
                line.split(' ')
                    .find(|word| word.starts_with("flags="))
                    .map(str::to_string)
            };
            seen.extend(list.lines().filter_map(flags));
        }
        seen
    });
}

#[test]
fn what_fails_on_a_replica_is_told_in_its_log() {
    let (master, replica) = (Server::start(PROMPT), Server::start(PROMPT));
    follow(&replica, &master);
    wait_for_sync(&master, &replica);
    let mut above = master.connect();
    above.run("DEBUG REPLICATE nonsense");
    above.run("SET a 1");
    wait_for_sync(&master, &replica);
    let log = replica.log();
    assert!(
        log.contains("== CRITICAL ==") && log.contains("nonsense"),
        "{log}"
    );
    assert_eq!(replica.connect().run("GET a").text(), "1");
}

#[test]
fn a_script_chooses_who_hears_of_its_effects() {
    let aof = [PROMPT, tests::AOF_OF_COMMANDS].concat();
    let [expected, found] = [Server::redis, Server::start].map(|start| {
        let (mut master, replica) = (start(&aof), start(PROMPT));
        follow(&replica, &master);
        wait_for_sync(&master, &replica);
        master.connect().run(
            "EVAL \"redis.call('set','a',1) redis.set_repl(redis.REPL_AOF) redis.call('set','b',1) \
             redis.set_repl(redis.REPL_REPLICA) redis.call('set','c',1) redis.set_repl(redis.REPL_NONE) \
             redis.call('set','d',1)\" 0",
        );
        wait_for_sync(&master, &replica);
        let mut seen = replies(&mut replica.connect(), &["MGET a b c d"]);
        master.crash_and_restart();
        seen.extend(replies(&mut master.connect(), &["MGET a b c d"]));
        seen
    });
    assert_eq!(expected, found);
}

#[test]
fn a_replica_loads_the_scripts_of_its_append_only_file() {
    let [expected, found] = [Server::redis_with, Server::start_with].map(|start| {
        let directives = ["--appendonly", "yes", "--replicaof", "127.0.0.1 0"];
        let server = start(&directives, |dir: &Path| {
            let folder = dir.join("appendonlydir");
            std::fs::create_dir(&folder).unwrap();
            let manifest = "file appendonly.aof.1.incr.aof seq 1 type i\n";
            std::fs::write(folder.join("appendonly.aof.manifest"), manifest).unwrap();
            let script = "redis.call('incr',KEYS[1])";
            let command = format!(
                "*4\r\n$4\r\neval\r\n${}\r\n{script}\r\n$1\r\n1\r\n$1\r\na\r\n",
                script.len()
            );
            let incr = folder.join("appendonly.aof.1.incr.aof");
            std::fs::write(incr, command.repeat(2)).unwrap();
        });
        replies(
            &mut server.connect(),
            &["GET a", "EVAL \"return redis.call('incr','a')\" 0"],
        )
    });
    assert_eq!(expected, found);
}
