//! Server commands: COMMAND, CONFIG, INFO, DEBUG, SLOWLOG, LATENCY, MEMORY.

use tests::compat::{Protocol, same, same_in, same_with};

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

#[test]
fn debug_answers_every_type_of_the_protocol() {
    same(
        r#"
        DEBUG PROTOCOL string
        DEBUG PROTOCOL INTEGER
        DEBUG PROTOCOL double
        DEBUG PROTOCOL bignum
        DEBUG PROTOCOL null
        DEBUG PROTOCOL array
        DEBUG PROTOCOL set
        DEBUG PROTOCOL map
        DEBUG PROTOCOL attrib
        DEBUG PROTOCOL verbatim
        DEBUG PROTOCOL true
        DEBUG PROTOCOL false
        DEBUG PROTOCOL nosuch
        DEBUG PROTOCOL
        "#,
    );
    same_in(Protocol::Resp3, &[], "a> DEBUG PROTOCOL push\na<\na<\n");
}

#[test]
fn debug_inspects_and_fills_a_db() {
    same_with(
        &["--enable-debug-command", "local"],
        r#"
        DEBUG POPULATE 3 a 5
        MGET a:0 a:1 a:2
        DEBUG POPULATE 2
        MGET key:0 key:1
        DEBUG POPULATE 1 z 12
        GET z:0
        SET b:0 mine
        WATCH b:0 b:1
        DEBUG POPULATE 2 b 0
        MULTI
        MGET b:0 b:1
        EXEC
        DEBUG POPULATE 0
        DEBUG POPULATE -1
        DEBUG POPULATE x
        DEBUG POPULATE 2 k x
        DEBUG POPULATE 2 k -1
        DEBUG POPULATE 1 k 4 5
        DEBUG OBJECT nosuch
        DEBUG HTSTATS 16
        DEBUG HTSTATS -1
        DEBUG HTSTATS x
        DEBUG HTSTATS
        DEBUG HTSTATS-KEY nosuch
        DEBUG HTSTATS-KEY key:0
        ? DEBUG HTSTATS 0
        ? DEBUG OBJECT a:0
        DEBUG SLEEP 0
        DEBUG SLEEP x
        DEBUG SLEEP
        DEBUG SLEEP 0 0
        DEBUG SET-ACTIVE-EXPIRE x
        DEBUG SET-ACTIVE-EXPIRE 1
        DEBUG SET-ACTIVE-EXPIRE
        DEBUG SET-SKIP-CHECKSUM-VALIDATION 0
        DEBUG SET-DISABLE-DENY-SCRIPTS 0
        DEBUG PAUSE-CRON 0
        DEBUG QUICKLIST-PACKED-THRESHOLD 100b
        DEBUG QUICKLIST-PACKED-THRESHOLD x
        DEBUG QUICKLIST-PACKED-THRESHOLD 10gb
        DEBUG QUICKLIST-PACKED-THRESHOLD 4gb
        DEBUG QUICKLIST-PACKED-THRESHOLD 0
        DEBUG LOG hello
        DEBUG LOG
        DEBUG ERROR "hello world"
        DEBUG ERROR "BAD x\r\ny"
        DEBUG NOSUCH
        DEBUG HELP x
        DEBUG
        "#,
    );
}

#[test]
fn debug_is_refused_unless_the_configuration_allows_it() {
    same_with(
        &["--enable-debug-command", "no"],
        r#"
        DEBUG HELP
        DEBUG
        MULTI
        DEBUG SLEEP 0
        EXEC
        CONFIG GET enable-debug-command
        CONFIG SET enable-debug-command yes
        "#,
    );
}

#[test]
fn directives_of_our_own_hide_from_patterns_that_redis_knows() {
    same(
        r#"
        CONFIG GET pl*
        CONFIG GET *guard*
        "#,
    );
}
