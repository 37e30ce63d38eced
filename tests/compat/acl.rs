//! ACL: users, rules, what they allow, and what is told of it.

use tests::compat::{same, same_with};

#[test]
fn users_come_change_and_go() {
    same(
        r#"
        ACL WHOAMI
        ACL USERS
        ACL LIST
        ACL GETUSER default
        ACL GETUSER nobody
        ACL SETUSER bob
        ACL GETUSER bob
        ACL SETUSER al on >pw #9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 ~foo* %R~x %W~y &ch* +get
        ACL SETUSER al %W~x (~z +set) "(%RW~q" +@hash "allchannels)" sanitize-payload
        ACL GETUSER al
        ACL LIST
        ACL SETUSER al clearselectors !9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 <pw
        ACL GETUSER al
        ACL SETUSER al reset
        ACL GETUSER al
        ACL SETUSER al ALLKEYS AllChannels ALLCOMMANDS NoPass ON
        ACL LIST
        ACL DELUSER nobody bob
        ACL DELUSER default
        ACL USERS
        ACL DELUSER
        ACL SETUSER
        ACL WHOAMI x
        ACL
        ACL nothing
        "#,
    );
}

#[test]
fn a_wrong_rule_is_named_and_changes_nothing() {
    same(
        r#"
        ACL SETUSER t on ~k
        ACL SETUSER t ~other +nothing
        ACL SETUSER t -config|nothing
        ACL SETUSER t +config|get|x
        ACL SETUSER t +get|
        ACL SETUSER t +get|a|b
        ACL SETUSER t +@nothing
        ACL SETUSER t nothing
        ACL SETUSER t #12
        ACL SETUSER t !12
        ACL SETUSER t <missing
        ACL SETUSER t %X~a
        ACL SETUSER t %~a
        ACL SETUSER t "~a b"
        ACL SETUSER t (+get
        ACL SETUSER t (on)
        ACL SETUSER t ((+get))
        ACL SETUSER t (+get))
        ACL SETUSER t x)
        ACL SETUSER t allkeys ~x
        ACL SETUSER t allchannels &x
        ACL SETUSER t "(&* &x)"
        ACL SETUSER "a b" on
        ACL SETUSER t ""
        ACL GETUSER t
        ACL GENPASS 0
        ACL GENPASS 4097
        ACL GENPASS x
        ACL GENPASS 1 2
        ? ACL GENPASS
        ? ACL GENPASS 5
        ACL CAT
        ACL CAT nothing
        ACL CAT a b
        ACL LOG
        ACL LOG x
        ACL LOG -1
        ACL LOG 1 2
        ACL LOG RESET
        ACL LOAD
        ACL SAVE
        "#,
    );
}

#[test]
fn commands_are_described_by_what_comes_closest() {
    same(
        r#"
        ACL SETUSER t +@all -@dangerous
        ACL GETUSER t
        ACL SETUSER t reset +@hash
        ACL GETUSER t
        ACL SETUSER t reset +@all -get
        ACL GETUSER t
        ACL SETUSER t reset +select|0
        ACL GETUSER t
        ACL SETUSER t reset +@all -config +config|get
        ACL GETUSER t
        "#,
    );
}

#[test]
fn permissions_are_checked_for_commands_keys_and_channels() {
    same(
        r#"
        ACL SETUSER u on nopass ~a* %R~r* %W~w* &c* +@all -@dangerous -select +select|0
        SET r1 x
        SET b x
        u: AUTH u any
        u: ACL WHOAMI
        u: KEYS *
        u: GET b
        u: SET b 1
        u: GET r1
        u: SET r1 1
        u: SET w1 1
        u: SET w1 1 GET
        u: GET w1
        u: COPY r1 w1 REPLACE
        u: COPY w1 r1
        u: MGET a1 b
        u: EXISTS w1 b
        u: SELECT 0
        u: SELECT 1
        u: PUBLISH d x
        u: PUBLISH cx x
        u: SPUBLISH d x
        u: MULTI
        u: GET b
        u: EXEC
        u: SUBSCRIBE d
        u: PSUBSCRIBE c*x
        u: PSUBSCRIBE c*
        ACL DRYRUN u GET b
        ACL DRYRUN u GET r1
        ACL DRYRUN u PUBLISH d x
        ACL DRYRUN u KEYS *
        ACL DRYRUN u NOTHING x
        ACL DRYRUN u GET
        ACL DRYRUN nobody GET x
        "#,
    );
}

#[test]
fn rules_that_change_count_for_connections_that_are_open() {
    same(
        r#"
        ACL SETUSER u on nopass ~* &* +@all
        u: AUTH u any
        u: MULTI
        u: SET k v
        u: GET k
        ACL SETUSER u -set
        u: EXEC
        u: MULTI
        u: GET k
        u: PUBLISH c x
        ACL SETUSER u resetkeys resetchannels
        u: EXEC
        ACL SETUSER u off
        u: PING
        v: AUTH u any
        ACL SETUSER default -ping
        PING
        v: PING
        "#,
    );
}

#[test]
fn a_password_is_asked_for_and_a_wrong_one_is_logged() {
    same_with(
        &["--requirepass", "secret"],
        r#"
        PING
        AUTH wrong
        AUTH default wrong
        HELLO 2
        HELLO 2 AUTH default wrong
        AUTH secret
        PING
        ACL LIST
        CONFIG GET requirepass
        CONFIG SET requirepass other
        ACL LIST
        v: PING
        v: AUTH other
        v: PING
        CONFIG SET requirepass ""
        w: PING
        w: AUTH x
        w: AUTH default x
        w: AUTH nobody x
        w: AUTH a b c
        RESET
        PING
        "#,
    );
}

#[test]
fn users_can_stand_in_the_configuration() {
    same_with(
        &[
            "--user", "default", "on", "nopass", "~*", "+@all", "-echo", "--user", "bob", "on",
            ">pw", "~*", "+@all",
        ],
        r#"
        ACL LIST
        ECHO x
        PUBLISH c x
        b: AUTH bob pw
        b: ECHO x
        "#,
    );
}

#[test]
fn a_dry_run_shows_an_unknown_name_up_to_its_first_nul() {
    same(
        r#"
        ACL DRYRUN "\x00\xff\r\n" set h m
        ACL DRYRUN "a\r\n\xff" set h m
        ACL DRYRUN default "no\x00thing" h m
        ACL DRYRUN default "\xff\r\n" h m
        "#,
    );
}
