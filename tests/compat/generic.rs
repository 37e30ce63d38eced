//! Commands of any type: existence, expiry, renaming, copying, SCAN, SORT, OBJECT, DUMP.

use tests::compat::{same, same_with};

#[test]
fn del_unlink_exists_touch_type() {
    same(
        r#"
        MSET a 1 b 2 c 3
        EXISTS a b missing a
        DEL a missing
        UNLINK b c missing
        EXISTS a b c
        DEL missing
        TOUCH a
        SET a 1
        TOUCH a a missing
        RPUSH list x
        SADD set x
        ZADD zset 1 x
        HSET hash f v
        XADD stream 1-1 f v
        SET string v
        TYPE list
        TYPE set
        TYPE zset
        TYPE hash
        TYPE stream
        TYPE string
        TYPE missing
        DEL
        UNLINK
        EXISTS
        TOUCH
        TYPE
        TYPE a b
        DBSIZE
        DBSIZE x
        "#,
    );
}

#[test]
fn keys_and_randomkey() {
    same(
        r#"
        RANDOMKEY
        KEYS *
        SET one 1
        RANDOMKEY
        MSET hello 1 hallo 2 hxllo 3 hllo 4 heello 5 "a[b" 6 "a*c" 7 "a\\d" 8
        ~ KEYS *
        ~ KEYS h?llo
        ~ KEYS h*llo
        ~ KEYS h[ae]llo
        ~ KEYS h[^e]llo
        ~ KEYS h[a-x]llo
        ~ KEYS h[x-a]llo
        ~ KEYS "a\\[b"
        ~ KEYS "a\\*c"
        ~ KEYS "a[*]c"
        ~ KEYS "a[[]b"
        ~ KEYS "a["
        ~ KEYS "h[ae"
        ~ KEYS ""
        ~ KEYS one
        ~ KEYS **o**
        KEYS
        RANDOMKEY x
        SELECT 3
        KEYS *
        "#,
    );
}

#[test]
fn expire_and_its_conditions() {
    same(
        r#"
        EXPIRE missing 10
        SET k v
        TTL k
        PTTL missing
        TTL missing
        EXPIRETIME k
        PEXPIRETIME missing
        PERSIST k
        EXPIRE k 100
        TTL k
        PERSIST k
        PERSIST missing
        TTL k
        EXPIRE k 100 XX
        EXPIRE k 100 NX
        EXPIRE k 200 NX
        EXPIRE k 50 GT
        EXPIRE k 500 GT
        TTL k
        EXPIRE k 600 LT
        EXPIRE k 50 LT
        TTL k
        EXPIRE k 60 XX GT
        EXPIRE k 40 XX LT
        PERSIST k
        EXPIRE k 10 GT
        EXPIRE k 10 LT
        TTL k
        EXPIRE k 10 NX XX
        EXPIRE k 10 NX GT
        EXPIRE k 10 GT LT
        EXPIRE k 10 AB
        EXPIRE k 10 NX AB
        EXPIRE k x
        EXPIRE k 1.5
        EXPIRE k 9223372036854775807
        EXPIRE k 9223372036854775
        EXPIRE k -9223372036854775808
        PEXPIRE k 9223372036854775807
        EXPIREAT k 9223372036854775807
        PEXPIREAT k 9223372036854775807
        PTTL k
        EXPIREAT k 33177117420
        EXPIRETIME k
        PEXPIREAT k 33177117420001
        PEXPIRETIME k
        EXPIRETIME k
        EXPIREAT k 33177117420 XX
        PEXPIRE k 100000 LT
        TTL k
        EXPIRE k -1
        EXISTS k
        SET k v
        EXPIRE k 0
        EXISTS k
        SET k v
        EXPIREAT k 1
        EXISTS k
        SET k v
        PEXPIREAT k -1 LT
        EXISTS k
        EXPIRE
        EXPIRE k
        TTL
        PERSIST
        "#,
    );
}

#[test]
fn expired_keys_are_gone_for_every_command() {
    same(
        r#"
        SET k v PX 1
        RPUSH l a
        PEXPIRE l 1
        HSET h f v
        PEXPIRE h 1
        sleep 20
        GET k
        EXISTS k l h
        TYPE l
        LPUSHX l a
        HGET h f
        TTL k
        RPUSH l new
        LRANGE l 0 -1
        TTL l
        KEYS h
        DBSIZE
        "#,
    );
}

#[test]
fn rename_and_copy() {
    same(
        r#"
        SET a 1 EX 100
        RENAME a b
        EXISTS a
        GET b
        TTL b
        RENAME missing x
        RENAME b b
        RENAMENX b b
        RENAMENX missing x
        SET c 2
        RENAMENX b c
        RENAME b c
        GET c
        TTL c
        COPY c d
        TTL d
        COPY c d
        COPY c d REPLACE
        COPY missing x
        COPY c c
        COPY c c DB 0
        COPY c c DB 1
        COPY c e DB 1 REPLACE
        COPY c e DB 99
        COPY c e DB -1
        COPY c e DB x
        COPY c e DB
        COPY c e BAD
        SELECT 1
        MGET c e
        SELECT 0
        RPUSH l a b c
        COPY l l2
        LRANGE l2 0 -1
        SADD s a b c
        COPY s s2
        ~ SMEMBERS s2
        SADD si 1 2 3
        COPY si si2
        SMEMBERS si2
        OBJECT ENCODING si2
        ZADD z 1 a 2 b
        COPY z z2
        ZRANGE z2 0 -1 WITHSCORES
        HSET h f v
        COPY h h2
        HGETALL h2
        XADD x 1-1 f v
        XGROUP CREATE x g 0
        COPY x x2
        XRANGE x2 - +
        XINFO GROUPS x2
        RENAME
        RENAME a
        RENAMENX a
        COPY a
        "#,
    );
}

#[test]
fn move_select_swapdb_flush() {
    same(
        r#"
        SET k v EX 100
        MOVE k 1
        EXISTS k
        MOVE k 1
        SELECT 1
        GET k
        TTL k
        MOVE k 1
        MOVE k 99
        MOVE k -1
        MOVE k x
        SELECT 0
        SET k other
        SELECT 1
        MOVE k 0
        SELECT 16
        SELECT -1
        SELECT x
        SELECT
        SWAPDB 0 1
        GET k
        SWAPDB 0 0
        SWAPDB 0 99
        SWAPDB -1 0
        SWAPDB a 0
        SWAPDB 0 b
        SWAPDB 0
        DBSIZE
        FLUSHDB
        DBSIZE
        SELECT 0
        DBSIZE
        FLUSHALL ASYNC
        DBSIZE
        FLUSHALL SYNC
        FLUSHDB ASYNC
        FLUSHDB BAD
        FLUSHALL BAD
        FLUSHALL SYNC ASYNC
        "#,
    );
}

#[test]
fn scan_returns_every_key_and_takes_its_options() {
    same(
        r#"
        SCAN 0
        MSET a 1 b 2 c 3
        RPUSH l x
        & SCAN 0 COUNT 1000
        & SCAN 0 MATCH a COUNT 1000
        & SCAN 0 TYPE list COUNT 1000
        & SCAN 0 TYPE LIST COUNT 1000
        & SCAN 0 TYPE none COUNT 1000
        & SCAN 0 TYPE string MATCH ? COUNT 1000
        SCAN 0 COUNT 0
        SCAN 0 COUNT -1
        SCAN 0 COUNT x
        SCAN 0 COUNT
        SCAN 0 BAD 1
        SCAN x
        SCAN -1
        SCAN 99999999999999999999
        SCAN
        SADD s a b c
        & SSCAN s 0
        & SSCAN s 0 MATCH a*
        SSCAN missing 0
        SSCAN l 0
        SSCAN s x
        SSCAN s 0 NOVALUES
        HSET h f v g w
        HSCAN h 0
        HSCAN h 0 MATCH f*
        HSCAN missing 0
        HSCAN l 0
        ZADD z 1 a 2.5 b
        ZSCAN z 0
        ZSCAN z 0 MATCH a* COUNT 100
        ZSCAN missing 0
        ZSCAN l 0
        SADD si 1 2 3
        SSCAN si 0
        SSCAN si 0 MATCH 2
        "#,
    );
}

#[test]
fn sort_by_get_limit_store() {
    same(
        r#"
        RPUSH l 3 1 2 10
        SORT l
        SORT l DESC
        SORT l ALPHA
        SORT l LIMIT 1 2
        SORT l LIMIT -1 2
        SORT l LIMIT 0 -1
        SORT l LIMIT 10 1
        SORT l LIMIT 0
        SORT l LIMIT a b
        SORT_RO l DESC
        SORT_RO l STORE x
        SORT missing
        SORT missing STORE dst
        SORT l STORE dst
        LRANGE dst 0 -1
        OBJECT ENCODING dst
        MSET w_1 30 w_2 20 w_3 10 w_10 0
        SORT l BY w_*
        SORT l BY w_* DESC
        SORT l BY nosort
        SORT l BY w_* GET #
        MSET d_1 one d_2 two
        SORT l GET d_* GET # GET missing_*
        SORT l GET d_* STORE dst
        LRANGE dst 0 -1
        HSET h_1 f 9 name x
        HSET h_2 f 8 name y
        HSET h_3 f 7
        HSET h_10 f 1
        SORT l BY h_*->f GET h_*->name GET #
        SORT l BY h_*->missing
        SORT l BY h_*-> GET h_*->
        RPUSH words banana apple cherry
        SORT words
        SORT words ALPHA
        SORT words ALPHA DESC LIMIT 0 2
        SORT words BY w_* ALPHA
        SADD s 5 3 4
        SORT s
        SORT s BY nosort LIMIT 0 1
        ZADD z 1 c 2 b 3 a
        SORT z BY nosort
        SORT z BY nosort DESC
        SORT z BY nosort LIMIT 1 1
        SORT z ALPHA
        SORT z
        SET str v
        SORT str
        SORT l BAD
        SORT l BY
        SORT l GET
        RPUSH e ""
        SORT e
        RPUSH f 1.5 1.25 -3 1e2
        SORT f
        SORT
        "#,
    );
}

#[test]
fn object_and_its_help() {
    same(
        r#"
        SET k 1
        OBJECT ENCODING k
        OBJECT ENCODING missing
        OBJECT REFCOUNT k
        SET s abc
        OBJECT REFCOUNT s
        OBJECT REFCOUNT missing
        OBJECT IDLETIME s
        OBJECT IDLETIME missing
        OBJECT FREQ s
        OBJECT FREQ missing
        OBJECT BAD s
        OBJECT ENCODING
        OBJECT
        OBJECT HELP
        OBJECT encoding k
        "#,
    );
    same_with(
        &["--maxmemory-policy", "allkeys-lfu"],
        r#"
        SET s abc
        OBJECT FREQ s
        OBJECT FREQ missing
        OBJECT IDLETIME s
        "#,
    );
}

#[test]
fn dump_is_the_same_payload_and_restore_reads_it() {
    same(
        r#"
        SET k v
        $d = DUMP k
        RESTORE k2 0 $d
        GET k2
        RESTORE k2 0 $d
        RESTORE k2 0 $d REPLACE
        RESTORE k3 100000 $d
        TTL k3
        RESTORE k4 33177117420000 $d ABSTTL
        PEXPIRETIME k4
        RESTORE k5 1 $d ABSTTL
        EXISTS k5
        RESTORE k6 -1 $d
        RESTORE k6 x $d
        RESTORE k6 0 $d IDLETIME 10
        RESTORE k7 0 $d IDLETIME -1
        RESTORE k7 0 $d FREQ 10
        RESTORE k7 0 $d FREQ 256
        RESTORE k7 0 $d FREQ
        RESTORE k7 0 $d BAD
        RESTORE k8 0 bad
        RESTORE k8 0 ""
        RESTORE k8 0 "\x00\x01v\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x01"
        DUMP missing
        DUMP
        RESTORE k
        SET n 12345
        DUMP n
        SET n -1
        DUMP n
        SET n 100000
        DUMP n
        SET n 9223372036854775807
        DUMP n
        SET t {ab*200}
        DUMP t
        SET t ""
        DUMP t
        RPUSH l a 1 {x*100} -5
        DUMP l
        HSET h a 1 b {y*40}
        DUMP h
        SADD si 1 2 300 70000
        DUMP si
        SADD st a
        DUMP st
        ZADD z 1 a 2.5 b -inf c
        DUMP z
        XADD x 1-1 a b
        XADD x 2-5 a b c d
        DUMP x
        $dl = DUMP l
        RESTORE l2 0 $dl
        LRANGE l2 0 -1
        $dh = DUMP h
        RESTORE h2 0 $dh
        HGETALL h2
        $dz = DUMP z
        RESTORE z2 0 $dz
        ZRANGE z2 0 -1 WITHSCORES
        $ds = DUMP si
        RESTORE si2 0 $ds
        SMEMBERS si2
        "#,
    );
}

#[test]
fn wait_needs_no_replicas_when_none_are_asked_for() {
    same(
        r#"
        WAIT 0 0
        WAIT 0 10
        WAIT 1 10
        WAIT -1 10
        WAIT x 10
        WAIT 0 -1
        WAIT 0
        "#,
    );
}
