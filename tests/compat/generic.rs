//! Commands of any type: existence, expiry, renaming, copying, SCAN, SORT, OBJECT, DUMP.

use tests::compat::{same, same_with};

#[test]
fn cursors_are_read_as_c_reads_unsigned_numbers() {
    same(
        r#"
        SCAN -1
        SCAN ""
        SCAN +5
        SCAN " 5"
        SCAN 5x
        SCAN 18446744073709551615
        SCAN 18446744073709551616
        SCAN -18446744073709551615
        SCAN -18446744073709551616
        SCAN "1\x00"
        SCAN +
        SCAN 0x1
        SSCAN missing -1
        "#,
    );
}

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
        HSET hash f v
        SET string v
        TYPE list
        TYPE set
        TYPE hash
        TYPE string
        TYPE missing
        DEL
        UNLINK
        EXISTS
        TOUCH
        TYPE
        TYPE a b
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
        ? PTTL k
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
        MOVE k 2147483648
        MOVE k 9223372036854775808
        COPY k c DB 2147483648
        COPY k c DB -1
        SELECT 2147483648
        SELECT -2147483649
        EXPIRE k 100 "no\xff\r\nsuch\x00option"
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
        SCAN 99999999999999999999
        SCAN
        SADD s a b c
        & SSCAN s 0
        & SSCAN s 0 MATCH a*
        SSCAN missing 0
        SSCAN l 0
        SSCAN s x
        SSCAN s 0 NOVALUES
        SSCAN missing 0 NOVALUES
        SSCAN missing 0 COUNT 0
        SSCAN s 0 COUNT 0
        HSCAN missing 0 COUNT
        HSCAN missing -1
        SSCAN missing ""
        SSCAN missing "1 "
        HSET h f v g w
        HSCAN h 0
        HSCAN h 0 MATCH f*
        HSCAN missing 0
        HSCAN l 0
        SADD si 1 2 3
        SSCAN si 0
        SSCAN si 0 MATCH 2
        "#,
    );
}

#[test]
fn a_copy_of_a_small_integer_is_not_shared() {
    same(
        r#"
        SET a 5
        OBJECT REFCOUNT a
        COPY a b
        OBJECT REFCOUNT b
        OBJECT ENCODING b
        EXPIRE b 100
        OBJECT REFCOUNT b
        COPY b c
        OBJECT REFCOUNT c
        INCR b
        OBJECT REFCOUNT b
        SET c 6
        OBJECT REFCOUNT c
        "#,
    );
}

#[test]
fn touch_counts_as_a_use_and_exists_does_not() {
    let lfu = &["--maxmemory-policy", "allkeys-lfu", "--lfu-log-factor", "0"];
    same_with(
        lfu,
        r#"
        SET a 1
        OBJECT FREQ a
        EXISTS a a a
        OBJECT FREQ a
        TOUCH a a missing
        OBJECT FREQ a
        "#,
    );
}
