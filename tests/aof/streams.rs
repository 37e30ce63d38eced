//! Streams in the AOF: what readers and claimers did becomes exact commands, and a base of commands makes them again.

use crate::{FOLDER, INCR, read, wait_until};
use tests::{AOF_OF_COMMANDS, Connection, Server};

/// Directives of both servers: small nodes, so that a few entries need several.
fn directives() -> Vec<&'static str> {
    [AOF_OF_COMMANDS, &["--stream-node-max-entries", "3"]].concat()
}

/// Steps of the main client, and behind `b>` of one that may block.
const WRITES: &str = r#"
    XADD s 1 f v
    XADD s 1-* f v
    XADD s 2-* f v
    XADD s 3 f v g 7
    XADD s MAXLEN 4 4 f v
    XADD s MAXLEN ~ 2 5 f v
    XADD s MAXLEN ~ 2 LIMIT 1 6 f v
    XADD s MAXLEN = 100 7-* f v
    XADD s MINID ~ 5 8 f v
    XADD s MINID 3 9 f v
    XADD s NOMKSTREAM MAXLEN ~ 100 LIMIT 5 10-* f v
    XADD absent NOMKSTREAM 5 f v
    XTRIM s MAXLEN ~ 7
    XTRIM s MAXLEN ~ 3
    XTRIM s MINID ~ 7 LIMIT 1000
    XTRIM s MAXLEN 4
    XTRIM s MAXLEN 4
    XDEL s 9 99
    XDEL s 9
    XSETID s 20 ENTRIESADDED 50 MAXDELETEDID 9-0
    XGROUP CREATE s g 0
    XGROUP CREATE n g $ MKSTREAM ENTRIESREAD 0
    XGROUP CREATECONSUMER s g alice
    XGROUP CREATECONSUMER s g alice
    XREADGROUP GROUP g alice COUNT 1 STREAMS s >
    XREADGROUP GROUP g bob STREAMS s n > >
    XREADGROUP GROUP g bob STREAMS s n > >
    XREADGROUP GROUP g bob STREAMS s 0
    XADD s 21 f v
    XREADGROUP GROUP g carol NOACK STREAMS s >
    XREADGROUP GROUP g dave NOACK STREAMS s >
    XACK s g 8 99
    XACK s g 8
    XCLAIM s g erin 0 7 10 TIME 5 RETRYCOUNT 3
    XCLAIM s g erin 0 21-0 FORCE JUSTID
    XCLAIM s g erin 100000 21
    XCLAIM s g erin 0 99 LASTID 30
    XDEL s 21
    XCLAIM s g frank 0 21
    XAUTOCLAIM s g frank 0 0
    XDEL s 7
    XAUTOCLAIM s g frank 0 0 JUSTID
    XGROUP SETID s g 5 ENTRIESREAD 2
    XGROUP DELCONSUMER s g frank
    XGROUP DELCONSUMER s g frank
    XGROUP DESTROY n g
    XGROUP DESTROY n g
    MULTI
    XADD s 22 f v
    XREADGROUP GROUP g bob STREAMS s >
    XADD s MAXLEN 0 23 f v
    EXEC
    XGROUP CREATE b g $ MKSTREAM
    b> XREADGROUP GROUP g zoe BLOCK 0 STREAMS b >
    XADD b 1 f v
    b<
    b> XREADGROUP GROUP g yan NOACK BLOCK 0 STREAMS b >
    XADD b 2 f v
    b<
    b> XREADGROUP GROUP g zoe NOACK BLOCK 10 STREAMS b >
    b<
    XADD b 3 f v
    XADD e MAXLEN 0 5 f v
"#;

/// What the streams are like afterwards.
const READS: &[&str] = &[
    "XRANGE s - +",
    "XRANGE b - +",
    "XINFO STREAM s",
    "XINFO STREAM n",
    "XINFO STREAM b",
    "XINFO STREAM e",
    "XINFO GROUPS s",
    "XINFO GROUPS b",
    "XPENDING s g",
    "XPENDING b g",
];

fn write_all(server: &Server) -> Connection {
    let (mut client, mut reader) = (server.connect(), server.connect());
    for step in WRITES.lines().map(str::trim) {
        match step.strip_prefix('b') {
            Some("<") => drop(reader.read().unwrap()),
            Some(words) if words.starts_with('>') => {
                reader.send(&tests::split_words(&words[1..])).unwrap();
                // One that waits for a short time only may be through before anybody looks.
                if !words.contains("BLOCK 0") {
                    continue;
                }
                wait_until("the reader blocks", || {
                    let info = client.run("INFO clients").text();
                    info.contains("blocked_clients:1\r\n")
                });
            }
            _ if step.is_empty() => {}
            _ => drop(client.run(step)),
        }
    }
    client
}

/// The commands of an AOF, one a line, without the times at which entries were given.
fn commands_of(server: &Server, name: &str) -> Vec<String> {
    let text = String::from_utf8(read(server.dir(), name)).unwrap();
    let text = text.trim_end();
    let words = text.split("\r\n").filter(|word| !word.starts_with('$'));
    let mut commands = Vec::<String>::new();
    let mut before = "";
    for word in words {
        if word.starts_with('*') {
            commands.push(String::new());
        } else if let Some(command) = commands.last_mut() {
            *command += if before == "TIME" && word.len() > 5 {
                "<now>"
            } else {
                word
            };
            command.push(' ');
        }
        before = word;
    }
    commands
}

fn looks(client: &mut Connection) -> Vec<String> {
    let look = |line: &&str| format!("{line}: {:?}", client.run(line));
    READS.iter().map(look).collect()
}

#[test]
fn both_write_the_same_commands_for_streams() {
    let [redis, ours] =
        [Server::redis(&directives()), Server::start(&directives())].map(|server| {
            drop(write_all(&server));
            commands_of(&server, INCR)
        });
    assert!(redis.len() > 50, "{redis:#?}");
    assert_eq!(ours, redis);
}

#[test]
fn streams_come_back_as_they_do_in_redis_server() {
    let [redis, ours] =
        [Server::redis(&directives()), Server::start(&directives())].map(|mut server| {
            drop(write_all(&server));
            server.crash_and_restart();
            looks(&mut server.connect())
        });
    assert_eq!(ours, redis);
}

#[test]
fn both_rewrite_streams_as_the_same_commands() {
    let [redis, ours] =
        [Server::redis(&directives()), Server::start(&directives())].map(|mut server| {
            let mut client = write_all(&server);
            client.run("BGREWRITEAOF");
            let base = "appendonly.aof.2.base.aof";
            wait_until("the rewrite ends", || {
                let info = client.run("INFO persistence").text();
                info.contains("aof_rewrite_in_progress:0\r\n")
                    && info.contains("aof_rewrite_scheduled:0\r\n")
                    && server.dir().join(FOLDER).join(base).exists()
            });
            let mut commands = commands_of(&server, base);
            // Keys come in no order; what belongs to one stays together.
            let key = |command: &String| {
                let mut words = command.split(' ');
                words.find(|word| word.len() == 1).map(str::to_owned)
            };
            commands.sort_by_key(key);
            server.crash_and_restart();
            (commands, looks(&mut server.connect()))
        });
    assert_eq!(ours, redis);
}
