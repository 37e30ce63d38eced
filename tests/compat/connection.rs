//! Connections: PING, HELLO, AUTH, CLIENT, RESET.

use tests::Server;
use tests::compat::{Protocol, same, same_in, same_with};

#[test]
fn ping_echo_and_unknown_commands() {
    same(
        r#"
        PING
        PING hello
        PING a b
        ping
        ECHO hello
        ECHO
        ECHO a b
        NOSUCH
        NOSUCH a b "c d"
        NOSUCH {x*300}
        {x*300}
        "no\r\nsuch" "a\r\nb"
        ""
        CONFIG NOSUCH
        CLIENT NOSUCH a
        QUIT
        "#,
    );
}

#[test]
fn hello_switches_the_protocol() {
    same_in(
        Protocol::Resp2,
        &[],
        r#"
        ? HELLO
        ? HELLO 2
        ? HELLO 3
        HGETALL missing
        GET missing
        ? HELLO
        ? HELLO 2
        GET missing
        HELLO 1
        HELLO 4
        HELLO x
        HELLO 3 AUTH
        HELLO 3 AUTH default
        HELLO 3 BAD
        ? HELLO 3 SETNAME me
        CLIENT GETNAME
        HELLO 3 SETNAME "a b"
        CLIENT GETNAME
        RESET
        GET missing
        CLIENT GETNAME
        "#,
    );
}

#[test]
fn a_password_is_asked_for() {
    same_with(
        &["--requirepass", "secret"],
        r#"
        GET k
        PING
        HELLO
        HELLO 3
        AUTH wrong
        AUTH default wrong
        AUTH nobody secret
        AUTH a b c
        AUTH
        RESET
        NOSUCH
        AUTH secret
        GET k
        RESET
        GET k
        AUTH default secret
        GET k
        CONFIG GET requirepass
        CONFIG SET requirepass ""
        b: GET k
        b: AUTH x
        "#,
    );
    same("AUTH x\nAUTH default x\nAUTH default \"\"\nAUTH nobody x");
}

#[test]
fn reset_forgets_the_state_of_the_connection() {
    same(
        r#"
        SELECT 3
        MULTI
        SET a 1
        RESET
        EXEC
        GET a
        CLIENT GETNAME
        WATCH k
        RESET
        RESET
        GET k
        RESET x
        "#,
    );
}

#[test]
fn client_list_and_info_choose_their_clients() {
    same(
        r#"
        ? CLIENT LIST
        ? CLIENT LIST TYPE normal
        CLIENT LIST TYPE nosuch
        CLIENT LIST TYPE
        CLIENT LIST TYPE normal x
        CLIENT LIST TYPE pubsub
        CLIENT LIST TYPE REPLICA
        CLIENT LIST TYPE slave
        CLIENT LIST TYPE master
        CLIENT LIST ID
        CLIENT LIST ID x
        CLIENT LIST ID 1 type normal
        CLIENT LIST ID -1
        CLIENT LIST ID 0 999999
        CLIENT LIST nosuch
        ? CLIENT INFO
        CLIENT INFO x
        CLIENT NOSUCH
        CLIENT NO-EVICT ON
        CLIENT NO-EVICT off
        CLIENT NO-EVICT x
        CLIENT NO-EVICT
        CLIENT
        CLIENT HELP x
        "#,
    );
}

#[test]
fn client_kill_closes_those_that_all_filters_fit() {
    same(
        r#"
        CLIENT KILL
        CLIENT KILL nosuch
        CLIENT KILL 127.0.0.1:1
        CLIENT KILL id
        CLIENT KILL id x
        CLIENT KILL ID 999999
        CLIENT KILL id 0
        CLIENT KILL id -1
        CLIENT KILL id 1 x
        CLIENT KILL addr 1.2.3.4:1
        CLIENT KILL addr a:1 LADDR b:1
        CLIENT KILL type nosuch
        CLIENT KILL TYPE master
        CLIENT KILL TYPE slave skipme no
        CLIENT KILL skipme x
        CLIENT KILL skipme no id 999999
        CLIENT KILL user nobody
        CLIENT KILL maxage 1
        $id = ? CLIENT ID
        a: PING
        b: SUBSCRIBE x
        CLIENT KILL TYPE pubsub
        b<
        CLIENT KILL ID $id
        ? CLIENT KILL TYPE normal
        a<
        ? CLIENT KILL SKIPME NO USER default
        PING
        c: CLIENT KILL id 999999
        "#,
    );
}

#[test]
fn client_reply_chooses_which_commands_get_one() {
    same(
        r#"
        a> CLIENT REPLY OFF
        a> PING
        a> NOSUCH
        a> CLIENT REPLY SKIP
        a!
        a: CLIENT REPLY ON
        a> CLIENT REPLY skip
        a> PING 1
        a: PING 2
        a> CLIENT REPLY SKIP
        a: CLIENT REPLY ON
        a: PING
        a> CLIENT REPLY SKIP
        a> MULTI
        a: GET k
        a: EXEC
        a> CLIENT REPLY SKIP
        a: SUBSCRIBE x
        a: UNSUBSCRIBE
        a> CLIENT REPLY OFF
        a: SUBSCRIBE x
        PUBLISH x y
        a<
        a> PING
        a!
        CLIENT REPLY
        CLIENT REPLY x
        CLIENT REPLY on on
        "#,
    );
}

#[test]
fn client_pause_lets_clients_wait() {
    same(
        r#"
        CLIENT PAUSE
        CLIENT PAUSE x
        CLIENT PAUSE -1
        CLIENT PAUSE 10 x
        CLIENT PAUSE 10 write x
        CLIENT PAUSE 99999999999999999999
        CLIENT UNPAUSE x
        SET k v
        CLIENT PAUSE 100000 WRITE
        GET k
        a> SET k a
        b: MULTI
        b: GET k
        b: EXEC
        b> PUBLISH c m
        a!
        b!
        SET k
        GET k
        CLIENT UNPAUSE
        a<
        b<
        GET k
        CLIENT UNPAUSE
        MULTI
        SET e 1 PX 5
        CLIENT PAUSE 100000 WRITE
        SET f 1
        EXEC
        sleep 10
        GET e
        EXISTS e
        DBSIZE
        CLIENT UNPAUSE
        GET e
        DBSIZE
        CLIENT PAUSE 30
        a: PING 1
        CLIENT PAUSE 30 all
        b: CLIENT UNPAUSE
        b: SET k 1
        "#,
    );
}

#[test]
fn a_pause_of_writes_holds_scripts_unless_they_declare_to_write_nothing() {
    same(
        r##"
        SET k v
        FUNCTION LOAD "#!lua name=lib\nredis.register_function('w', function(keys) return redis.call('set', 'k', 'w') end)\nredis.register_function{function_name='r', callback=function(keys) return redis.call('get', 'k') end, flags={'no-writes'}}"
        CLIENT PAUSE 100000 WRITE
        EVAL_RO "return redis.call('get', 'k')" 0
        EVAL "#!lua flags=no-writes\nreturn redis.call('get', 'k')" 0
        FCALL r 0
        FCALL_RO r 0
        a> EVAL "return redis.call('set', 'k', 'a')" 0
        a!
        b> EVAL "#!lua\nreturn redis.call('get', 'k')" 0
        b!
        c> FCALL w 0
        c!
        d> EVALSHA 0000000000000000000000000000000000000000 0
        d!
        e> FCALL_RO w 0
        e!
        f: MULTI
        f> EVAL "return redis.call('set', 'k', 'f')" 0
        f!
        GET k
        CLIENT UNPAUSE
        a<
        b<
        c<
        d<
        e<
        f<
        f: DISCARD
        GET k
        "##,
    );
}

#[test]
fn client_unblock_ends_a_wait() {
    same(
        r#"
        CLIENT UNBLOCK
        CLIENT UNBLOCK x
        CLIENT UNBLOCK x nosuch
        CLIENT UNBLOCK 1 timeout x
        CLIENT UNBLOCK 999999
        CLIENT UNBLOCK -1
        a: $a = ? CLIENT ID
        CLIENT UNBLOCK $a
        a> BLPOP q 0
        CLIENT UNBLOCK $a
        a<
        a> BLMOVE q w LEFT LEFT 0
        CLIENT UNBLOCK $a TIMEOUT
        a<
        a> BLPOP q 0
        CLIENT UNBLOCK $a ERROR
        a<
        CLIENT UNBLOCK $a ERROR
        a: PING
        INFO errorstats
        "#,
    );
}

/// What a monitor sees of the steps of others, without times and addresses.
fn monitored(server: &Server) -> Vec<String> {
    let mut monitor = server.connect();
    let mut worker = server.connect();
    assert!(!monitor.run("MONITOR").is_error());
    // A second one is passed over in silence.
    monitor
        .send(&[b"MONITOR".to_vec()])
        .expect("it is connected");
    let steps = [
        "SET k \"a b\\r\\n\\x00\\\"\"",
        "SELECT 5",
        "NOSUCH",
        "SET k",
        "SET k 1 2 3 4",
        "AUTH secret",
        "AUTH user secret",
        "HELLO 2 AUTH nobody secret SETNAME x",
        "CONFIG GET port",
        "CLIENT ID",
        "CLIENT LIST",
        "MULTI",
        "SET j 1",
        "CONFIG GET port",
        "GET j",
        "EXEC",
        "MULTI",
        "NOSUCH",
        "EXEC",
        "EXEC",
        "PUBLISH c m",
        "EVAL \"redis.call('set', KEYS[1], 'v') return redis.call('get', KEYS[1])\" 1 k",
        "EVAL_RO \"return redis.call('get', 'k')\" 0",
        "EVAL \"no Lua\" 0",
        "EVALSHA 0000000000000000000000000000000000000000 0",
        "FCALL nosuch 0",
        "ECHO end",
    ];
    for step in steps {
        worker.run(step);
    }
    let mut lines = Vec::new();
    loop {
        let line = monitor.read().expect("something ran").text();
        let parts = || {
            let (before, rest) = line.split_once(" [")?;
            let (db, rest) = rest.split_once(' ')?;
            let (_, words) = rest.split_once("] ")?;
            Some((before.split_once('.')?, db, words))
        };
        let ((seconds, micros), db, words) = parts().expect("a line has its parts");
        assert!(
            seconds.parse::<u64>().is_ok() && micros.len() == 6,
            "{line}"
        );
        lines.push(format!("[{db}] {words}"));
        if words == "\"ECHO\" \"end\"" {
            break;
        }
    }
    lines.push(format!("{:?}", monitor.run("GET k")));
    lines.push(format!("{:?}", monitor.run("PUBLISH c m")));
    lines.push(format!("{:?}", monitor.run("RESET")));
    lines.push(format!("{:?}", monitor.run("GET k")));
    worker.run("PING");
    lines.push(format!("{:?}", monitor.run("PING")));
    lines
}

#[test]
fn monitors_see_what_runs_without_secrets_and_only_listen() {
    let seen = monitored(&Server::start(&[]));
    assert_eq!(seen, monitored(&Server::redis(&[])));
}
