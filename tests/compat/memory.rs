//! Memory: MEMORY, maxmemory and eviction, lazy freeing.

use tests::compat::{same, same_with};

#[test]
fn memory_commands_answer_alike() {
    same(
        r#"
        ? MEMORY STATS
        ? MEMORY DOCTOR
        ? MEMORY MALLOC-STATS
        MEMORY PURGE
        MEMORY USAGE nokey
        SET k v
        ? MEMORY USAGE k
        ? MEMORY USAGE k SAMPLES 0
        MEMORY USAGE k SAMPLES -1
        MEMORY USAGE k SAMPLES x
        MEMORY USAGE k SAMPLES
        MEMORY USAGE k FOO 1
        MEMORY USAGE k SAMPLES 1 2
        MEMORY USAGE
        MEMORY DOCTOR x
        MEMORY nosuch
        MEMORY
        ? MEMORY HELP
        "#,
    );
}

#[test]
fn what_needs_memory_is_refused_when_there_is_none() {
    same(
        r#"
        SET k v
        RPUSH l a b c
        CONFIG SET maxmemory 1
        SET k w
        GET k
        DEL nosuch
        RPOP l
        LPUSH l x
        APPEND k x
        EXPIRE k 100
        RENAME k k2
        MULTI
        GET k2
        WATCH x
        MULTI
        EXEC
        GET k2
        MULTI
        PING
        DISCARD
        MULTI
        RESET
        CONFIG SET maxmemory 0
        MULTI
        SET k v
        CONFIG SET maxmemory 1
        EXEC
        CONFIG SET maxmemory 0
        b: SUBSCRIBE news
        b: SET k v
        MULTI
        SET k v
        b2: CONFIG SET maxmemory 1
        EXEC
        GET k
        CONFIG SET maxmemory 0
        MULTI
        GET k
        b2: CONFIG SET maxmemory 1
        EXEC
        % INFO errorstats
        "#,
    );
}

#[test]
fn volatile_policies_refuse_when_nothing_has_an_expiry() {
    for policy in [
        "volatile-lru",
        "volatile-lfu",
        "volatile-random",
        "volatile-ttl",
    ] {
        same_with(
            &["--maxmemory-policy", policy],
            r#"
            SET k v
            CONFIG SET maxmemory 1
            SET k w
            GET k
            CONFIG SET maxmemory 0
            SET k w
            "#,
        );
    }
}

#[test]
fn evicting_all_keys_tells_those_who_listen_and_watch() {
    same_with(
        &[
            "--notify-keyspace-events",
            "KEA",
            "--maxmemory-eviction-tenacity",
            "100",
        ],
        r#"
        SET k v
        b: PSUBSCRIBE __key*__:*
        c: WATCH k
        c: MULTI
        c: PING
        CONFIG SET maxmemory-policy allkeys-random
        CONFIG SET maxmemory 1
        GET k
        b<
        b<
        CONFIG SET maxmemory 0
        c: EXEC
        DBSIZE
        "#,
    );
}

#[test]
fn references_are_counted_as_if_small_integers_were_shared() {
    same(
        r#"
        SET a 1
        OBJECT REFCOUNT a
        CONFIG SET maxmemory 1gb
        OBJECT REFCOUNT a
        CONFIG SET maxmemory-policy allkeys-random
        SET a 1
        OBJECT REFCOUNT a
        CONFIG SET maxmemory-policy allkeys-lru
        SET a 1
        OBJECT REFCOUNT a
        CONFIG SET maxmemory-policy volatile-lfu
        SET a 1
        OBJECT REFCOUNT a
        CONFIG SET maxmemory 0
        SET a 1
        OBJECT REFCOUNT a
        "#,
    );
}

#[test]
fn access_is_told_by_the_policy_in_force() {
    same(
        r#"
        SET a text
        ? OBJECT IDLETIME a
        OBJECT FREQ a
        CONFIG SET maxmemory-policy allkeys-lfu
        SET b text
        ? OBJECT IDLETIME b
        OBJECT FREQ b
        OBJECT FREQ nosuch
        CONFIG SET maxmemory-policy volatile-lru
        SET b text
        ? OBJECT IDLETIME b
        OBJECT FREQ b
        "#,
    );
}

#[test]
fn debug_replybuffer_takes_its_two_settings() {
    same_with(
        &["--enable-debug-command", "yes"],
        r#"
        DEBUG REPLYBUFFER PEAK-RESET-TIME 100
        DEBUG REPLYBUFFER peak-reset-time never
        DEBUG REPLYBUFFER peak-reset-time reset
        DEBUG REPLYBUFFER resizing 0
        DEBUG REPLYBUFFER RESIZING 1
        DEBUG REPLYBUFFER nosuch 1
        "#,
    );
}

#[test]
fn a_client_over_the_output_limit_gets_nothing_more() {
    same(
        r#"
        SETRANGE big 300000 x
        HSET h f v
        b: CLIENT SETNAME b
        CONFIG SET client-output-buffer-limit "normal 200000 0 0"
        b> GET big
        sleep 20
        b<
        c: HRANDFIELD h -100000000
        d: SRANDMEMBER nosuch -100000000
        CONFIG SET client-output-buffer-limit "normal 0 0 0"
        PING
        "#,
    );
}

#[test]
fn evicting_clients_is_configured_in_bytes_or_percent() {
    same(
        r#"
        CONFIG SET maxmemory-clients 5%
        CONFIG GET maxmemory-clients
        CONFIG SET maxmemory-clients 10mb
        CONFIG GET maxmemory-clients
        CLIENT NO-EVICT ON
        CONFIG SET maxmemory-clients 1
        PING
        "#,
    );
}

#[test]
fn the_kernel_is_told_whom_to_end_first() {
    same(
        r#"
        CONFIG SET oom-score-adj-values "1 2 3"
        CONFIG SET oom-score-adj absolute
        CONFIG GET oom-score-adj
        CONFIG SET oom-score-adj relative
        CONFIG SET oom-score-adj yes
        CONFIG GET oom-score-adj
        CONFIG SET oom-score-adj no
        CONFIG SET oom-score-adj-values "2001 0 0"
        CONFIG SET oom-score-adj-values "1 2"
        CONFIG SET oom-score-adj maybe
        "#,
    );
}
