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
