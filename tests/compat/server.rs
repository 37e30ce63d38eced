//! Server commands: COMMAND, CONFIG, INFO, DEBUG, SLOWLOG, LATENCY, MEMORY.

use tests::compat::{same, same_with};

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
        CONFIG HELP
        CONFIG
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
fn command_tells_of_itself() {
    same(
        r#"
        COMMAND COUNT
        ~~ COMMAND INFO get
        ~~ COMMAND INFO get nosuch set
        ~~ COMMAND INFO config|get
        ~~ COMMAND INFO zunionstore
        COMMAND GETKEYS GET k
        COMMAND GETKEYS MSET a 1 b 2
        COMMAND GETKEYS ZUNIONSTORE d 2 a b
        COMMAND GETKEYS EVAL x 2 a b c
        COMMAND GETKEYS XREAD STREAMS a b 0 0
        COMMAND GETKEYS SORT k BY w STORE d
        COMMAND GETKEYS PING
        COMMAND GETKEYS NOSUCH
        COMMAND GETKEYS GET
        COMMAND GETKEYSANDFLAGS SET k v
        COMMAND GETKEYSANDFLAGS LMOVE a b LEFT LEFT
        COMMAND GETKEYSANDFLAGS COPY a b
        ~ COMMAND LIST FILTERBY PATTERN x*
        ~ COMMAND LIST FILTERBY ACLCAT hyperloglog
        COMMAND LIST FILTERBY ACLCAT nosuch
        COMMAND LIST FILTERBY BAD x
        COMMAND DOCS nosuch
        COMMAND BAD
        COMMAND HELP
        "#,
    );
}

#[test]
fn all_commands_are_listed() {
    same("~ COMMAND LIST");
    same("~~ COMMAND");
}

#[test]
fn info_has_its_sections() {
    same(
        r#"
        ? INFO
        ? INFO all
        ? INFO everything
        ? INFO server clients
        INFO nosuch
        SET k v EX 100
        SELECT 5
        SET k v
        CONFIG RESETSTAT
        INFO errorstats
        NOSUCH
        GET
        INFO errorstats
        INFO cluster
        INFO modules
        "#,
    );
}

#[test]
fn debug_subcommands() {
    same(
        r#"
        DEBUG HELP
        DEBUG NOSUCH
        DEBUG SLEEP 0
        DEBUG SET-ACTIVE-EXPIRE 0
        SET k v PX 1
        sleep 5
        DBSIZE
        GET k
        DBSIZE
        DEBUG SET-ACTIVE-EXPIRE 1
        DEBUG STRINGMATCH-LEN 10 *
        DEBUG PROTOCOL string
        DEBUG PROTOCOL integer
        DEBUG PROTOCOL double
        DEBUG PROTOCOL null
        DEBUG PROTOCOL array
        DEBUG PROTOCOL set
        DEBUG PROTOCOL map
        DEBUG PROTOCOL bignum
        DEBUG PROTOCOL true
        DEBUG PROTOCOL false
        DEBUG PROTOCOL verbatim
        DEBUG PROTOCOL nosuch
        DEBUG POPULATE 10
        DBSIZE
        GET key:3
        DEBUG POPULATE 3 p 20
        GET p:2
        DEBUG OBJECT missing
        DEBUG LISTPACK missing
        DEBUG DIGEST-VALUE missing
        FLUSHALL
        DEBUG DIGEST
        "#,
    );
}

#[test]
fn digests_agree() {
    same(
        r#"
        SET k v
        DEBUG DIGEST-VALUE k missing
        RPUSH l a b c
        SADD s a b c
        ZADD z 1 a 2.5 b
        HSET h f v g w
        SET t v EX 1000
        DEBUG DIGEST-VALUE k l s z h t
        DEBUG DIGEST
        "#,
    );
}

#[test]
fn slowlog() {
    same_with(
        &["--slowlog-log-slower-than", "1000000"],
        r#"
        SLOWLOG GET
        SLOWLOG LEN
        SLOWLOG RESET
        SLOWLOG GET 5
        SLOWLOG GET -1
        SLOWLOG GET -2
        SLOWLOG GET x
        SLOWLOG BAD
        SLOWLOG
        SLOWLOG HELP
        CONFIG SET slowlog-log-slower-than 0
        PING
        CONFIG SET slowlog-log-slower-than -1
        SLOWLOG LEN
        ? SLOWLOG GET
        SLOWLOG RESET
        SLOWLOG LEN
        "#,
    );
}

#[test]
fn latency() {
    same(
        r#"
        LATENCY LATEST
        LATENCY HISTORY command
        LATENCY RESET
        LATENCY RESET command
        LATENCY HISTORY
        LATENCY BAD
        LATENCY HELP
        LATENCY HISTOGRAM nosuch
        LATENCY GRAPH command
        CONFIG SET latency-monitor-threshold 20
        DEBUG SLEEP 0.03
        ? LATENCY LATEST
        ? LATENCY HISTORY command
        LATENCY RESET command
        LATENCY LATEST
        "#,
    );
}

#[test]
fn memory() {
    same(
        r#"
        MEMORY USAGE missing
        SET k v
        ? MEMORY USAGE k
        ? MEMORY USAGE k SAMPLES 5
        MEMORY USAGE k SAMPLES -1
        MEMORY USAGE k SAMPLES x
        MEMORY USAGE k BAD
        MEMORY USAGE
        MEMORY DOCTOR
        MEMORY PURGE
        MEMORY BAD
        MEMORY HELP
        "#,
    );
}

#[test]
fn persistence_commands_answer() {
    same(
        r#"
        SAVE
        ? LASTSAVE
        BGSAVE
        sleep 300
        BGSAVE BAD
        BGREWRITEAOF
        sleep 300
        SAVE x
        LASTSAVE x
        ROLE
        REPLICAOF NO ONE
        REPLICAOF x y
        SLAVEOF NO ONE
        LOLWUT VERSION x
        ? LOLWUT
        ? TIME
        TIME x
        SHUTDOWN BAD
        SHUTDOWN SAVE NOSAVE
        SHUTDOWN ABORT
        FAILOVER
        PSYNC
        REPLCONF x
        REPLCONF BAD x
        MODULE LIST
        CLUSTER INFO
        READONLY
        ASKING
        "#,
    );
}

#[test]
fn acl_basics() {
    same(
        r#"
        ACL WHOAMI
        ACL USERS
        ACL LIST
        ~ ACL CAT
        ~ ACL CAT hyperloglog
        ACL CAT nosuch
        ACL GETUSER nosuch
        ACL GETUSER default
        ACL SETUSER u on >pw ~k* +get &ch*
        ACL GETUSER u
        ACL LIST
        ACL SETUSER u +@list
        ACL SETUSER u BAD
        ACL SETUSER u +nosuch
        ACL SETUSER "a b"
        b: AUTH u pw
        b: ACL WHOAMI
        b: GET k1
        b: GET other
        b: SET k1 v
        b: LPUSH k1 a
        b: PUBLISH x y
        ACL DRYRUN u GET k1
        ACL DRYRUN u GET x
        ACL DRYRUN u SET k1 v
        ACL DRYRUN nosuch GET k
        ACL DELUSER u nosuch
        b<
        ACL DELUSER default
        ? ACL GENPASS 5
        ACL GENPASS 0
        ACL GENPASS x
        ? ACL GENPASS
        ACL LOAD
        ACL SAVE
        ? ACL LOG
        ACL LOG RESET
        ACL LOG
        ACL LOG x
        ACL BAD
        ACL HELP
        "#,
    );
}
