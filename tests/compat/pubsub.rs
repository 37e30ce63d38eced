//! Channels, patterns and shard channels.

use tests::compat::{Protocol, same, same_in, same_with};

#[test]
fn subscribers_get_messages() {
    same(
        r#"
        PUBLISH ch nobody
        b: SUBSCRIBE ch other
        b<
        PUBLISH ch hello
        b<
        PUBLISH other "a\x00b"
        b<
        PUBLISH none x
        b!
        b: SUBSCRIBE ch
        c: PSUBSCRIBE c* x*
        c<
        PUBLISH ch both
        b<
        c<
        b: UNSUBSCRIBE ch missing
        b<
        PUBLISH ch now
        c<
        b!
        b: UNSUBSCRIBE
        b: UNSUBSCRIBE
        b: PUNSUBSCRIBE
        c: PUNSUBSCRIBE c*
        c: PUNSUBSCRIBE
        PUBLISH ch end
        PUBLISH
        PUBLISH ch
        SUBSCRIBE
        PSUBSCRIBE
        "#,
    );
}

#[test]
fn introspection() {
    same(
        r#"
        PUBSUB CHANNELS
        PUBSUB NUMPAT
        PUBSUB NUMSUB
        b: SUBSCRIBE one two
        b<
        c: PSUBSCRIBE o* t*
        c<
        d: SUBSCRIBE one
        ~ PUBSUB CHANNELS
        PUBSUB CHANNELS o*
        PUBSUB CHANNELS x*
        PUBSUB NUMSUB one two none
        PUBSUB NUMPAT
        PUBSUB SHARDCHANNELS
        PUBSUB SHARDNUMSUB one
        PUBSUB BAD
        PUBSUB
        PUBSUB CHANNELS a b
        d.
        PUBSUB NUMSUB one
        "#,
    );
}

#[test]
fn a_resp2_subscriber_may_only_do_a_few_things() {
    same_in(
        Protocol::Resp2,
        &[],
        r#"
        b: SUBSCRIBE ch
        b: GET k
        b: SET k v
        b: PING
        b: PING hello
        b: PUBLISH ch x
        b: MULTI
        b: HELLO
        b: CLIENT ID
        b: SUBSCRIBE second
        b: UNSUBSCRIBE second ch
        b<
        b: GET k
        b: SUBSCRIBE ch
        b: RESET
        b: GET k
        "#,
    );
}

#[test]
fn a_resp3_subscriber_may_do_anything() {
    same_in(
        Protocol::Resp3,
        &[],
        r#"
        b: SUBSCRIBE ch
        b: SET k v
        b: GET k
        b: PING
        b: PING hello
        PUBLISH ch x
        b<
        b: MULTI
        b: GET k
        b: EXEC
        "#,
    );
}

#[test]
fn shard_channels() {
    same(
        r#"
        b: SSUBSCRIBE sh
        SPUBLISH sh hello
        b<
        PUBLISH sh other
        b!
        PUBSUB SHARDCHANNELS
        PUBSUB SHARDNUMSUB sh none
        b: SUNSUBSCRIBE sh
        b: SUNSUBSCRIBE
        SPUBLISH sh x
        SPUBLISH
        SSUBSCRIBE
        "#,
    );
}

#[test]
fn a_closed_client_no_longer_counts() {
    same(
        r#"
        b: SUBSCRIBE ch
        PUBLISH ch x
        b<
        b.
        PUBLISH ch y
        PUBSUB CHANNELS
        "#,
    );
}

#[test]
fn keyspace_events() {
    same_with(
        &["--notify-keyspace-events", "KEA"],
        r#"
        b: PSUBSCRIBE __key*
        SET k v
        b<
        b<
        EXPIRE k 100
        b<
        b<
        DEL k
        b<
        b<
        DEL k
        b!
        RPUSH l a b
        b<
        b<
        LPOP l 2
        b<
        b<
        b<
        b<
        RPUSH l a
        b<
        b<
        LMOVE l m LEFT RIGHT
        b<
        b<
        b<
        b<
        b<
        b<
        SETBIT bits 9 0
        b<
        b<
        SETBIT bits 9 0
        b!
        SETBIT bits 9 1
        b<
        b<
        SADD s a
        b<
        b<
        SREM s a
        b<
        b<
        b<
        b<
        HSET h f v
        b<
        b<
        HDEL h f
        b<
        b<
        b<
        b<
        SET a 1
        b<
        b<
        RENAME a c
        b<
        b<
        b<
        b<
        INCR c
        b<
        b<
        APPEND c x
        b<
        b<
        SET x v PX 10
        b<
        b<
        b<
        b<
        sleep 30
        GET x
        b<
        b<
        CONFIG SET notify-keyspace-events Elg
        CONFIG GET notify-keyspace-events
        RPUSH l a
        b<
        b!
        CONFIG SET notify-keyspace-events KEA
        CONFIG GET notify-keyspace-events
        CONFIG SET notify-keyspace-events bad
        CONFIG SET notify-keyspace-events ""
        RPUSH l a
        b!
        "#,
    );
}

#[test]
fn a_key_that_is_read_and_missing_is_an_event_and_one_that_is_changed_is_not() {
    same_with(
        &["--notify-keyspace-events", "EAm"],
        r#"
        b: PSUBSCRIBE __keyevent*
        SADD s a
        b<
        GET missing
        b<
        TTL missing
        b<
        TYPE missing
        b<
        OBJECT ENCODING missing
        LPOP missing
        HDEL missing f
        b!
        SET k v GET
        b<
        b<
        GETDEL nothing
        b<
        SDIFFSTORE d s missing
        b<
        b<
        SUNION missing k missing
        b<
        b!
        PFMERGE hll missing
        b<
        b<
        b<
        SET x v PX 10
        b<
        b<
        sleep 30
        SET x w
        b<
        b<
        "#,
    );
}

#[test]
fn new_keys_have_an_event_before_what_made_them() {
    same(
        r#"
        CONFIG SET notify-keyspace-events EKAn
        a: PSUBSCRIBE __keyevent*
        SET s v
        a<
        a<
        SET s w
        a<
        RPUSH l a
        a<
        a<
        RPUSH l b
        a<
        HSET h f v
        a<
        a<
        SADD t 1
        a<
        a<
        ZADD z 1 a
        a<
        a<
        APPEND p x
        a<
        a<
        RENAME s r
        a<
        a<
        a<
        COPY r c
        a<
        a<
        MSET m 1 n 2 m 3
        a<
        a<
        a<
        a<
        a<
        SINTERSTORE d t t
        a<
        a<
        MOVE r 5
        a<
        a<
        a<
        INCR i
        a<
        a<
        SETRANGE g 3 x
        a<
        a<
        a!
        "#,
    );
}
