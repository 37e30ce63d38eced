//! Server commands: COMMAND, CONFIG, INFO, DEBUG, SLOWLOG, LATENCY, MEMORY.

use tests::compat::same;

#[test]
fn config_get_and_set() {
    same(
        r#"
        CONFIG GET maxmemory
        CONFIG GET MAXMEMORY
        CONFIG GET nosuch
        % CONFIG GET maxmemory-policy maxmemory
        % CONFIG GET *-max-listpack-*
        % CONFIG GET *ziplist*
        % CONFIG GET slave-*
        CONFIG GET slave-read-only
        CONFIG SET maxmemory 100mb
        CONFIG GET maxmemory
        CONFIG SET maxmemory 1k
        CONFIG SET maxmemory 1kb
        CONFIG SET maxmemory x
        CONFIG SET maxmemory -1
        CONFIG SET maxmemory 0
        CONFIG SET maxmemory-policy bad
        CONFIG SET maxmemory-policy allkeys-lru
        CONFIG GET maxmemory-policy
        CONFIG SET nosuch 1
        CONFIG SET port
        CONFIG SET databases 5
        CONFIG SET hz 100 maxmemory-samples 7
        % CONFIG GET hz maxmemory-samples
        CONFIG SET hz 10 nosuch 1
        CONFIG SET maxmemory-samples 9 maxmemory-samples 10
        CONFIG SET maxmemory-samples 0
        CONFIG SET appendfsync sometimes
        CONFIG SET appendfsync no
        CONFIG GET appendfsync
        CONFIG SET save "100 1 200 2"
        CONFIG GET save
        CONFIG SET save ""
        CONFIG GET save
        CONFIG SET save "x"
        CONFIG SET save "100"
        CONFIG SET client-output-buffer-limit "normal 1 2 3"
        CONFIG GET client-output-buffer-limit
        CONFIG SET client-output-buffer-limit "bad 1 2 3"
        CONFIG SET oom-score-adj-values "1 2 3"
        CONFIG SET latency-tracking-info-percentiles "50 99.9"
        CONFIG GET latency-tracking-info-percentiles
        CONFIG SET list-max-ziplist-size -3
        CONFIG GET list-max-listpack-size
        CONFIG SET lazyfree-lazy-user-del maybe
        CONFIG SET lua-time-limit 100
        CONFIG GET busy-reply-threshold
        CONFIG GET
        CONFIG SET
        CONFIG SET maxmemory
        CONFIG RESETSTAT
        CONFIG RESETSTAT x
        CONFIG REWRITE
        "#,
    );
}

#[test]
fn every_directive_is_listed_with_its_default() {
    same(
        r#"
        CONFIG SET dir /
        CONFIG SET proc-title-template x
        % CONFIG GET [a-bd-km-or-z]*
        % CONFIG GET l[a-np-z]*
        % CONFIG GET c*
        % CONFIG GET pid*
        % CONFIG GET pr*
        "#,
    );
}

#[test]
fn digests_agree() {
    same(
        r#"
        SET k v
        RPUSH l a b c
        SADD s a b c
        HSET h f v g w
        SET t v EX 1000
        "#,
    );
}

#[test]
fn info_answers_a_text_and_nothing_for_an_unknown_section() {
    same(
        r#"
        ? INFO
        ? INFO server Clients
        ? INFO everything
        INFO nosuch
        "#,
    );
}
