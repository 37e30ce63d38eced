//! Client-side caching: CLIENT TRACKING and the messages about changed keys.

use tests::compat::{Protocol, same, same_in};

#[test]
fn options_that_do_not_go_together_are_refused() {
    same(
        r#"
        CLIENT TRACKING
        CLIENT TRACKING x
        CLIENT TRACKING on x
        CLIENT TRACKING x redirect 999999
        CLIENT TRACKING on PREFIX a
        CLIENT TRACKING on PREFIX
        CLIENT TRACKING on REDIRECT
        CLIENT TRACKING on REDIRECT x
        CLIENT TRACKING on REDIRECT 999999
        CLIENT TRACKING on REDIRECT 0
        CLIENT TRACKING on REDIRECT -1
        CLIENT TRACKING on BCAST OPTIN
        CLIENT TRACKING on BCAST OPTOUT
        CLIENT TRACKING on OPTIN OPTOUT
        CLIENT TRACKING off BCAST OPTIN OPTOUT PREFIX a
        CLIENT TRACKING off REDIRECT 999999
        CLIENT CACHING yes
        CLIENT CACHING x
        CLIENT CACHING
        CLIENT GETREDIR
        CLIENT TRACKINGINFO
        CLIENT TRACKING on
        CLIENT GETREDIR
        CLIENT TRACKINGINFO
        CLIENT TRACKING on BCAST
        CLIENT CACHING yes
        CLIENT CACHING no
        CLIENT CACHING x
        CLIENT TRACKING on OPTIN
        CLIENT TRACKING on OPTOUT
        CLIENT CACHING no
        CLIENT CACHING yes
        CLIENT TRACKINGINFO
        PING
        CLIENT TRACKINGINFO
        CLIENT TRACKING off
        CLIENT TRACKING ON OPTOUT NOLOOP
        CLIENT CACHING NO
        CLIENT TRACKINGINFO
        MULTI
        PING
        CLIENT TRACKINGINFO
        EXEC
        CLIENT TRACKINGINFO
        CLIENT TRACKING off
        CLIENT TRACKING on BCAST PREFIX foo PREFIX foobar
        CLIENT TRACKING on BCAST PREFIX foobar PREFIX foo
        CLIENT TRACKING on BCAST PREFIX foo PREFIX bar
        CLIENT TRACKING on BCAST PREFIX foo
        CLIENT TRACKING on BCAST PREFIX ba
        CLIENT TRACKING on BCAST PREFIX zap
        CLIENT TRACKINGINFO
        CLIENT TRACKING on BCAST
        CLIENT TRACKINGINFO
        CLIENT TRACKING on BCAST PREFIX x
        CLIENT TRACKING on
        RESET
        CLIENT TRACKINGINFO
        "#,
    );
}

#[test]
fn readers_hear_of_changes_after_their_own_replies() {
    same_in(
        Protocol::Resp3,
        &[],
        r#"
        CLIENT TRACKING on
        GET k
        MGET k j
        SET k v
        b: SET k w
        GET k
        b: SET k x
        PING
        b: SET k y
        b: SET j y
        MULTI
        SET k 1
        GET j
        SET j 1
        EXEC
        PING
        PING
        PING
        HSET h f v
        HGET h f
        HDEL h f
        PING
        EXISTS gone
        b: SET gone v PX 1
        PING
        PING
        DEBUG SET-ACTIVE-EXPIRE 0
        b: SET gone v PX 1
        sleep 5
        MGET k gone
        PING
        b: FLUSHDB
        PING
        FLUSHALL
        PING
        GET k
        b: SELECT 5
        b: SET k other
        PING
        PING
        "#,
    );
}

#[test]
fn unblocked_readers_hear_of_their_own_change_after_the_reply() {
    same_in(
        Protocol::Resp3,
        &[],
        r#"
        a: RPUSH list2 x
        a: CLIENT TRACKING on
        a: LRANGE list2 0 -1
        a> BLMOVE list1 list2 LEFT LEFT 0
        RPUSH list1 foo
        a<
        a<
        a: LRANGE list2 0 -1
        a> BLPOP q 0
        RPUSH list2 y
        RPUSH q 1
        a<
        a<
        "#,
    );
}

#[test]
fn noloop_optin_and_optout_choose_what_is_told() {
    same_in(
        Protocol::Resp3,
        &[],
        r#"
        a: CLIENT TRACKING on NOLOOP
        a: GET k
        a: SET k v
        a: GET k
        b: SET k w
        a<
        c: CLIENT TRACKING on OPTIN
        c: GET k
        b: SET k x
        c!
        c: CLIENT CACHING yes
        c: GET k
        c: GET j
        b: SET j x
        b: SET k y
        c<
        c!
        d: CLIENT TRACKING on OPTOUT
        d: CLIENT CACHING no
        d: GET k
        d: GET j
        b: SET k z
        b: SET j z
        d<
        d!
        c: CLIENT CACHING yes
        c: MULTI
        c: GET k
        c: GET j
        c: EXEC
        b: SET k 1
        b: SET j 1
        c<
        c<
        c: CLIENT TRACKING off
        b: SET k 2
        c!
        "#,
    );
}

#[test]
fn broadcasts_tell_of_prefixes_at_the_end_of_the_turn() {
    same_in(
        Protocol::Resp3,
        &[],
        r#"
        a: CLIENT TRACKING on BCAST
        b: MSET k 1 j 2 l 3
        a<
        a: SET k 1
        a<
        a: MULTI
        a: SET k 1
        a: DEL nosuch
        a: SET i 2
        a: EXEC
        a<
        a: CLIENT TRACKING off
        a: CLIENT TRACKING on BCAST PREFIX a PREFIX b
        b: MSET a1 1 a2 1 b1 1 a1 1 c1 1
        a<
        a<
        b: SET c2 1
        a!
        n: CLIENT TRACKING on BCAST NOLOOP PREFIX n
        n: SET n1 1
        n!
        b: SET n2 1
        n<
        n: MULTI
        n: SET n3 v PX 1
        n: SET n4 v
        n: DEBUG SLEEP 0.01
        n: GET n3
        n: EXEC
        n<
        b: FLUSHALL
        n<
        a<
        "#,
    );
}

#[test]
fn messages_go_to_another_connection() {
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        same_in(
            protocol,
            &[],
            r#"
            r: $r = ? CLIENT ID
            r: SUBSCRIBE __redis__:invalidate
            a: CLIENT TRACKING on REDIRECT $r
            a: GET k
            a: SET k v
            r<
            a: GET k
            b: SET k w
            r<
            a: MULTI
            a: GET k
            a: SET k 1
            a: GET j
            a: SET j 1
            a: EXEC
            r<
            r<
            b: FLUSHALL
            r<
            c: CLIENT TRACKING on BCAST REDIRECT $r PREFIX c
            b: SET c1 1
            r<
            r: UNSUBSCRIBE
            a: GET k
            b: SET k v
            "#,
        );
    }
}

#[test]
fn a_lost_redirection_is_told() {
    same_in(
        Protocol::Resp3,
        &[],
        r#"
        r: $r = ? CLIENT ID
        a: CLIENT TRACKING on REDIRECT $r
        r.
        a: GET k
        b: SET k v
        a< ?
        a: GET k
        a: ? CLIENT TRACKINGINFO
        a: SET k w
        a< ?
        b: FLUSHALL
        a< ?
        a: CLIENT TRACKING on
        a: GET k
        b: SET k v
        a<
        "#,
    );
}

#[test]
fn a_full_table_forgets_keys_and_tells_their_readers() {
    same_in(
        Protocol::Resp3,
        &[],
        r#"
        DEBUG PAUSE-CRON 1
        CONFIG SET tracking-table-max-keys 2
        a: CLIENT TRACKING on
        a: MGET 1 2 3
        a: ? PING
        a< ?
        a: PING
        "#,
    );
}

#[test]
fn a_full_table_is_limited_before_a_command_and_not_after_its_reply() {
    same_in(
        Protocol::Resp3,
        &["--tracking-table-max-keys", "2"],
        r#"
        DEBUG PAUSE-CRON 1
        a: CLIENT TRACKING on
        a: MGET 1 2
        a: MULTI
        CONFIG SET tracking-table-max-keys 1
        a: ? PING
        a<
        a: EXEC
        "#,
    );
}

#[test]
fn flushall_empties_the_table_though_nobody_tracks_any_more() {
    same_in(
        Protocol::Resp3,
        &[],
        r#"
        a: CLIENT TRACKING on
        a: GET k
        a: CLIENT TRACKING off
        FLUSHALL
        a: CLIENT TRACKING on
        SET k v
        a: PING
        "#,
    );
}

#[test]
fn a_script_that_reads_tracks_the_keys_it_declares() {
    same_in(
        Protocol::Resp3,
        &[],
        r#"
        CLIENT TRACKING on
        EVAL "redis.call('set', 'k3', 'v')" 2 k1 k2
        b: MSET k1 v k2 v
        PING
        PING
        EVAL "redis.call('get', 'k3')" 2 k1 k2
        b: MSET k1 w k2 w
        PING
        PING
        PING
        EVAL_RO "redis.call('ping')" 2 k1 k2
        b: MSET k1 v k2 v
        PING
        PING
        EVAL_RO "redis.call('get', 'k1')" 2 k1 k2
        b: MSET k1 w k2 w
        PING
        PING
        PING
        "#,
    );
}
