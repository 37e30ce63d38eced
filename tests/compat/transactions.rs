//! MULTI, EXEC, WATCH.

use tests::compat::{Protocol, same, same_in};

#[test]
fn discard_without_multi_keeps_the_watches() {
    same(
        r#"
        WATCH k
        DISCARD
        b: SET k 1
        MULTI
        EXEC
        "#,
    );
}

#[test]
fn exec_of_a_subscriber_says_why_the_transaction_is_discarded() {
    same_in(
        Protocol::Resp2,
        &[],
        "SUBSCRIBE c
        eXeC
        EXEC x
        UNSUBSCRIBE c
        EXEC",
    );
}

#[test]
fn multi_queues_and_exec_runs() {
    same(
        r#"
        MULTI
        SET a 1
        INCR a
        GET a
        LPUSH a x
        EXEC
        GET a
        MULTI
        EXEC
        MULTI
        SET a 9
        DISCARD
        GET a
        EXEC
        DISCARD
        MULTI
        MULTI
        EXEC
        MULTI
        WATCH a
        EXEC
        MULTI x
        EXEC x
        DISCARD x
        WATCH
        UNWATCH x
        UNWATCH
        "#,
    );
}

#[test]
fn an_error_while_queueing_aborts() {
    same(
        r#"
        MULTI
        SET a 1
        NOSUCH x
        GET
        EXEC
        EXISTS a
        MULTI
        SET a 1 BAD
        SET b 1
        EXEC
        EXISTS a b
        MULTI
        GET
        DISCARD
        MULTI
        PING
        EXEC
        "#,
    );
}

#[test]
fn watched_keys_abort_exec_when_touched() {
    same(
        r#"
        SET k 1
        WATCH k
        b: SET k 2
        MULTI
        SET k 3
        EXEC
        GET k
        WATCH k
        MULTI
        SET k 3
        EXEC
        WATCH k
        b: SET k 4
        UNWATCH
        MULTI
        PING
        EXEC
        WATCH missing
        b: SET missing 1
        MULTI
        PING
        EXEC
        WATCH k
        b: DEL nothing
        b: EXPIRE k 100
        MULTI
        PING
        EXEC
        WATCH k
        b: GET k
        b: SETNX k 1
        MULTI
        PING
        EXEC
        WATCH k
        b: FLUSHALL
        MULTI
        PING
        EXEC
        WATCH none
        b: FLUSHALL
        MULTI
        PING
        EXEC
        WATCH k
        b: SELECT 1
        b: SET k other
        MULTI
        PING
        EXEC
        WATCH k
        b: SWAPDB 0 1
        MULTI
        PING
        EXEC
        WATCH k
        SET k own
        MULTI
        PING
        EXEC
        WATCH k
        DISCARD
        MULTI
        DISCARD
        b: SET k y
        MULTI
        PING
        EXEC
        "#,
    );
}

#[test]
fn an_expired_watched_key_aborts_exec() {
    same(
        r#"
        SET k v PX 30
        WATCH k
        sleep 60
        MULTI
        PING
        EXEC
        SET gone v PXAT 1
        WATCH gone
        MULTI
        PING
        EXEC
        "#,
    );
}

#[test]
fn what_may_stand_in_a_transaction() {
    same(
        r#"
        MULTI
        SELECT 2
        SET k v
        SELECT 0
        GET k
        ? TIME
        RESET
        PING
        SELECT 2
        GET k
        MULTI
        SHUTDOWN NOSAVE
        DISCARD
        PING
        "#,
    );
}

#[test]
fn a_key_that_had_expired_before_watch_does_not_break_it() {
    same(
        r#"
        DEBUG SET-ACTIVE-EXPIRE 0
        SET x v PX 1
        sleep 5
        WATCH x
        MULTI
        PING
        EXEC
        SET x v PX 1
        sleep 5
        WATCH x
        EXISTS x
        MULTI
        PING
        EXEC
        SET x v PX 1
        sleep 5
        WATCH x
        FLUSHDB
        MULTI
        PING
        EXEC
        SET x v PX 1
        sleep 5
        WATCH x
        SET x w
        MULTI
        PING
        EXEC
        SET x v PX 1
        sleep 5
        WATCH x
        SWAPDB 0 1
        MULTI
        PING
        EXEC
        SELECT 1
        WATCH y
        SET y v
        MULTI
        PING
        EXEC
        SET z v PX 1
        WATCH z
        sleep 5
        MULTI
        PING
        EXEC
        "#,
    );
}
