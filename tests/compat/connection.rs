//! Connections: PING, HELLO, AUTH, CLIENT, RESET.

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
        HELLO 3 AUTH default bad
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
        ACL WHOAMI
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
fn client_names_ids_and_info() {
    same(
        r#"
        CLIENT GETNAME
        CLIENT SETNAME me
        CLIENT GETNAME
        CLIENT SETNAME "a b"
        CLIENT SETNAME "a\nb"
        CLIENT SETNAME ""
        CLIENT GETNAME
        ? CLIENT ID
        ? CLIENT INFO
        ? CLIENT LIST
        ? CLIENT LIST TYPE normal
        CLIENT LIST TYPE bad
        CLIENT LIST TYPE replica
        CLIENT LIST TYPE pubsub
        $id = ? CLIENT ID
        ? CLIENT LIST ID $id
        CLIENT LIST ID 99999999
        CLIENT LIST ID x
        CLIENT LIST ID
        CLIENT LIST BAD
        CLIENT GETREDIR
        CLIENT REPLY BAD
        CLIENT NO-EVICT on
        CLIENT NO-EVICT off
        CLIENT NO-EVICT bad
        CLIENT HELP
        CLIENT
        CLIENT ID x
        CLIENT SETNAME
        CLIENT SETINFO lib-name x
        CLIENT NO-TOUCH on
        "#,
    );
}

#[test]
fn client_kill() {
    same(
        r#"
        CLIENT KILL ID 99999999
        CLIENT KILL ID x
        CLIENT KILL ID 0
        CLIENT KILL TYPE bad
        CLIENT KILL BAD x
        CLIENT KILL 1.2.3.4:5
        CLIENT KILL ADDR 1.2.3.4:5
        CLIENT KILL ID
        CLIENT KILL
        CLIENT KILL USER nobody
        CLIENT KILL SKIPME x
        b: SUBSCRIBE ch
        CLIENT KILL TYPE pubsub
        b<
        c: PING
        CLIENT KILL TYPE normal SKIPME yes
        c<
        PING
        "#,
    );
}

#[test]
fn client_reply_modes() {
    same(
        r#"
        b> CLIENT REPLY OFF
        b!
        b> SET k v
        b!
        b: CLIENT REPLY ON
        b: GET k
        b> CLIENT REPLY SKIP
        b> PING
        b!
        b: PING
        "#,
    );
}

#[test]
fn client_pause_and_unblock() {
    same(
        r#"
        CLIENT PAUSE 50
        CLIENT UNPAUSE
        CLIENT PAUSE x
        CLIENT PAUSE -1
        CLIENT PAUSE 50 BAD
        CLIENT PAUSE 100000 WRITE
        GET k
        b> SET k v
        b!
        CLIENT UNPAUSE
        b<
        CLIENT UNPAUSE x
        CLIENT UNBLOCK 99999999
        CLIENT UNBLOCK x
        b: PING
        $id = ? CLIENT ID
        CLIENT UNBLOCK $id
        CLIENT UNBLOCK $id BAD
        CLIENT UNBLOCK
        "#,
    );
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
        SUBSCRIBE ch
        RESET
        GET k
        RESET x
        "#,
    );
}

#[test]
fn client_side_caching_needs_resp3_or_a_redirect() {
    same(
        r#"
        CLIENT TRACKING ON BCAST PREFIX foo PREFIX foobar
        CLIENT TRACKING ON PREFIX foo
        CLIENT TRACKING ON OPTIN OPTOUT
        CLIENT TRACKING ON REDIRECT 99999999
        CLIENT TRACKING BAD
        CLIENT TRACKING ON BAD
        CLIENT TRACKING OFF
        CLIENT CACHING YES
        CLIENT TRACKINGINFO
        CLIENT GETREDIR
        "#,
    );
    same_in(
        Protocol::Resp3,
        &[],
        r#"
        b: CLIENT TRACKING ON
        b: CLIENT TRACKINGINFO
        b: GET k
        SET k v
        b<
        SET k w
        b!
        b: MGET k l
        DEL l
        b!
        FLUSHALL
        b<
        b: CLIENT TRACKING OFF
        b: CLIENT TRACKING ON OPTIN
        b: GET k
        SET k v
        b!
        b: CLIENT CACHING YES
        b: GET k
        SET k w
        b<
        b: CLIENT CACHING NO
        b: CLIENT TRACKING OFF
        b: CLIENT TRACKING ON BCAST PREFIX user: NOLOOP
        b: CLIENT TRACKINGINFO
        SET user:1 a
        b<
        SET other a
        b!
        b: SET user:2 own
        b!
        "#,
    );
}
