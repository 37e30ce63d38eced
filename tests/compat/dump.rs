//! DUMP and RESTORE: the bytes of every form, old forms read, damaged ones refused.

use tests::compat::{same, same_with};
use tests::quote;

/// Steps that RESTORE the value of `body` as `key`, and look at what became of it. The payload says it is of version 9 and
/// has no checksum.
fn restored(key: &str, body: &[u8]) -> String {
    let payload = quote(&[[body, b"\x09\0", &[0; 8]].concat()]);
    format!(
        "RESTORE {key} 0 {payload} REPLACE
         TYPE {key}
         OBJECT ENCODING {key}
         DUMP {key}\n"
    )
}

const UNCHECKED: &str = "DEBUG SET-SKIP-CHECKSUM-VALIDATION 1\n";

#[test]
fn each_form_dumps_the_same_bytes() {
    same_with(
        &["--rdbcompression", "no"],
        r#"
        DUMP missing
        DUMP
        DUMP a b
        SET k bar
        DUMP k
        SET k 0
        DUMP k
        SET k -128
        DUMP k
        SET k 32768
        DUMP k
        SET k 2147483648
        DUMP k
        SET k -9223372036854775808
        DUMP k
        SET k 007
        DUMP k
        APPEND k 8
        DUMP k
        SET k ""
        DUMP k
        SET k {x*70}
        DUMP k
        SET k {xyz*7000}
        DUMP k
        RPUSH list a 1 -5000 70000 3000000000 {b*100}
        DUMP list
        CONFIG SET list-max-listpack-size 2
        RPUSH list2 a b c d e {c*5000}
        DUMP list2
        DEBUG QUICKLIST-PACKED-THRESHOLD 200b
        RPUSH list3 a {d*300} b
        DUMP list3
        SADD ints 5 -3 900
        DUMP ints
        SADD ints 70000
        DUMP ints
        SADD ints -5000000000
        DUMP ints
        SADD word one
        DUMP word
        SADD number 12 x
        SREM number x
        DUMP number
        HSET hash f v n 12 long {y*60}
        DUMP hash
        HSET table f {z*65}
        DUMP table
        ZADD zset 1 one 2.5 two -inf low 1e300 big 3 three
        DUMP zset
        ZADD tree 1 {m*65} 0.1 b inf c
        DUMP tree
        "#,
    );
}

#[test]
fn long_strings_are_compressed_and_come_back() {
    same(
        r#"
        SET k {abc*1000}
        $p = ? DUMP k
        RESTORE again 0 $p
        GET again
        STRLEN again
        RPUSH list {x*9000} {y*9000} {z*9000}
        $p = ? DUMP list
        RESTORE again 0 $p REPLACE
        LRANGE again 0 -1
        HSET hash a {x*1000} b {y*1000}
        $p = ? DUMP hash
        RESTORE again 0 $p REPLACE
        % HGETALL again
        CONFIG SET list-compress-depth 1
        RPUSH q {x*9000} {y*9000} {z*9000} {a*9000}
        $p = ? DUMP q
        CONFIG SET list-compress-depth 0
        RESTORE again 0 $p REPLACE
        LRANGE again 0 -1
        SET random "q\x01z\x93\x11\xf0\x22\x9ap\x71\x82\xe3\xd4\x05\x16\x27\x38\x49\x5a\x6b\x7c\x8d"
        DUMP random
        "#,
    );
}

#[test]
fn restore_and_its_options() {
    same(
        r#"
        SET k v
        $p = DUMP k
        RESTORE k 0 $p
        RESTORE k 0 nonsense
        RESTORE k 0 $p REPLACE
        RESTORE new 0 $p
        GET new
        TTL new
        RESTORE new 100000000 $p replace
        TTL new
        RESTORE at 4102444800000 $p ABSTTL
        PEXPIRETIME at
        RESTORE past 1000 $p ABSTTL
        EXISTS past
        RESTORE new 1000 $p ABSTTL REPLACE
        EXISTS new
        RESTORE far 9223372036854775807 $p
        EXISTS far
        RESTORE x -1 $p
        RESTORE x 1.5 $p
        RESTORE x 99999999999999999999 $p
        RESTORE x 0 $p BOGUS
        RESTORE x 0 $p IDLETIME
        RESTORE x 0 $p IDLETIME -1
        RESTORE x 0 $p IDLETIME x
        RESTORE x 0 $p IDLETIME 99999999999999999999
        RESTORE x 0 $p FREQ 256
        RESTORE x 0 $p FREQ -1
        RESTORE x 0 $p FREQ 1 IDLETIME 1
        RESTORE x 0 $p IDLETIME 1 FREQ 1
        RESTORE x 0 $p IDLETIME 10 IDLETIME 1000
        OBJECT IDLETIME x
        RESTORE y 0 $p FREQ 100
        CONFIG SET maxmemory-policy allkeys-lfu
        RESTORE z 0 $p FREQ 1 FREQ 200
        OBJECT FREQ z
        RESTORE w 0 $p
        OBJECT FREQ w
        RESTORE w 0 $p IDLETIME 5 REPLACE
        OBJECT FREQ w
        RESTORE
        RESTORE x 0
        RESTORE-ASKING r 0 $p
        GET r
        RESTORE x 0 "" REPLACE
        RESTORE x 0 short REPLACE
        RESTORE x 0 "\x00\x03bar\x0a\x00\xe6\xbeI`\xeef\xfd\x18" REPLACE
        RESTORE x 0 "\x00\x03bar\x0b\x00\xe6\xbeI`\xeef\xfd\x17" REPLACE
        RESTORE x 0 "\x00\x03bar\x0a\x00\xe6\xbeI`\xeef\xfd\x17" REPLACE
        GET x
        DEBUG SET-SKIP-CHECKSUM-VALIDATION 1
        RESTORE x 0 "\x00\x03baz\x0a\x00\xe6\xbeI`\xeef\xfd\x18" REPLACE
        GET x
        RESTORE x 0 "\x00\x03baz\x0b\x00\xe6\xbeI`\xeef\xfd\x18" REPLACE
        "#,
    );
}

#[test]
fn restore_is_an_event_and_wakes_who_waits() {
    same_with(
        &["--notify-keyspace-events", "AKE"],
        r#"
        RPUSH list a b
        $p = DUMP list
        s: PSUBSCRIBE *
        RESTORE new 0 $p
        s<
        s<
        RESTORE new 0 $p REPLACE
        s<
        s<
        RESTORE new 1 $p REPLACE ABSTTL
        s<
        s<
        RESTORE none 1 $p REPLACE ABSTTL
        s!
        b> BLPOP q 0
        RESTORE q 0 $p
        b<
        SET watched 1
        w: WATCH watched
        w: MULTI
        RESTORE watched 0 $p REPLACE
        w: PING
        w: EXEC
        "#,
    );
}

#[test]
fn every_old_form_is_read_and_kept_as_today() {
    let ziplist =
        b"\x1b\x1b\0\0\0\x16\0\0\0\x04\0\x00\x02f1\x04\x02v1\x04\x02f2\x04\x02v2\xff".as_slice();
    let scores = b"\x15\x15\0\0\0\x12\0\0\0\x04\0\x00\x01a\x03\xf2\x02\x01b\x03\xf3\xff";
    let of_ints = b"\x1e\x1e\0\0\0\x1c\0\0\0\x05\0\x00\xfe\x80\x03\xc0\x00\x80\x04\xf0\xff\xff\x7f\x05\xd0\x01\x02\x03\x04\x06\xfd\xff";
    let forms: &[(&str, &[u8])] = &[
        ("list", b"\x01\x04\x02f1\x02v1\x02f2\xc0\x07"),
        ("ziplist", &[&[10], ziplist].concat()),
        ("ints", &[&[10], of_ints.as_slice()].concat()),
        ("quicklist", &[&[14, 2], ziplist, of_ints].concat()),
        ("set", b"\x02\x02\x012\xc0\x01"),
        ("intset", b"\x0b\x0c\x02\0\0\0\x02\0\0\0\x01\0\x02\0"),
        ("hash", b"\x04\x01\x02f1\x02v1"),
        (
            "zipmap",
            b"\x09\x10\x02\x02f1\x02\x00v1\x02f2\x02\x00v2\xff",
        ),
        (
            "zipfree",
            b"\x09\x12\x02\x02f1\x02\x02v1..\x02f2\x02\x00v2\xff",
        ),
        ("hashzip", &[&[13], ziplist].concat()),
        ("zset", b"\x03\x03\x01b\x012\x01a\x031.5\x01c\xff"),
        ("zset2", b"\x05\x01\x01b\0\0\0\0\0\0\xf8\x3f"),
        ("zsetzip", &[&[12], scores.as_slice()].concat()),
    ];
    let mut script = UNCHECKED.to_owned();
    for limits in [
        "",
        "CONFIG SET hash-max-listpack-entries 1 zset-max-listpack-entries 1 set-max-intset-entries 1\n",
        "CONFIG SET hash-max-listpack-value 1 zset-max-listpack-value 0 list-max-listpack-size 2\n",
    ] {
        script += limits;
        for (key, body) in forms {
            let steps = restored(key, body);
            // Tables have no order.
            let table = !limits.is_empty() && !key.contains("list") && *key != "ints";
            let steps = if table {
                steps.replace("DUMP", "? DUMP")
            } else {
                steps
            };
            script += &steps;
        }
        script += "% HGETALL zipmap\n ZRANGE zset 0 -1 WITHSCORES\n ~ SMEMBERS intset\n";
    }
    same_with(&["--rdbcompression", "no"], &script);
}

/// A value that goes on beyond its end is another matter: Redis then reads the footer as a part of it.
#[test]
fn damaged_values_are_refused_and_keep_the_key_that_was() {
    let bodies: &[&[u8]] = &[
        b"",
        b"\x08\x01a",
        b"\x16\x01a",
        b"\xff",
        b"\x00\x0fabc",
        b"\x00\xc4",
        b"\x00\xc3\x03\x05\x00a",
        b"\x00\xc3\x02\x05\x00a",
        b"\x00\x81\x7f\xff\xff\xff\xff\xff\xff\xffabc",
        b"\x01\x00",
        b"\x01\x09\x01a",
        b"\x02\x00",
        b"\x02\x02\x01a\x01a",
        b"\x02\x81\x7f\xff\xff\xff\xff\xff\xff\xff\x01a",
        b"\x03\x01\x01a\xfd",
        b"\x04\x00",
        b"\x04\x02\x01a\x01b",
        b"\x05\x01\x01a\0\0\0\0\0\0\xf8\x7f",
        b"\x07\x81\0\0\0\0\0\0\0\x01",
        b"\x09\x02\x00\xff",
        b"\x09\x01\xff",
        b"\x0a\x0b\x0b\0\0\0\x0a\0\0\0\x00\0\xff",
        b"\x0a\x02\x0b\x0b",
        b"\x0b\x02ab",
        b"\x0b\x08\x02\0\0\0\0\0\0\0",
        b"\x0b\x08\x03\0\0\0\0\0\0\0",
        b"\x0c\x0b\x0b\0\0\0\x0a\0\0\0\x00\0\xff",
        b"\x0d\x0f\x0f\0\0\0\x0a\0\0\0\x01\0\x00\x02f1\xff",
        b"\x0e\x00",
        b"\x0e\x01\x0b\x0b\0\0\0\x0a\0\0\0\x00\0\xff",
        b"\x10\x07\x07\0\0\0\0\0\xff",
        b"\x11\x07\x07\0\0\0\0\0\xff",
        b"\x12\x01\x01\x00",
        b"\x12\x01\x03\x01a",
        b"\x12\x01\x02\x07\x07\0\0\0\0\0\xff",
    ];
    let mut script = UNCHECKED.to_owned();
    script += "CONFIG SET sanitize-dump-payload yes\nSET k kept\n";
    for body in bodies {
        script += &restored("k", body);
        script += "GET k\n";
    }
    same(&script);
}

#[test]
fn migrate_refuses_what_makes_no_sense_and_where_nobody_is() {
    same(
        r#"
        SET k v
        MIGRATE
        MIGRATE 127.0.0.1 1 k 0
        MIGRATE 127.0.0.1 1 missing 0 100
        MIGRATE 127.0.0.1 1 "" 0 100 KEYS missing other
        MIGRATE 127.0.0.1 1 "" 0 100 KEYS
        MIGRATE 127.0.0.1 1 k 0 x
        MIGRATE 127.0.0.1 1 k x 100
        MIGRATE 127.0.0.1 1 k 0 100 BOGUS
        MIGRATE 127.0.0.1 1 k 0 100 AUTH
        MIGRATE 127.0.0.1 1 k 0 100 AUTH2 user
        MIGRATE 127.0.0.1 1 k 0 100 KEYS k
        MIGRATE 127.0.0.1 1 k 0 100
        MIGRATE 127.0.0.1 1 k 0 100 COPY REPLACE
        MIGRATE no-such-host.invalid 1 k 0 100
        EXISTS k
        COMMAND GETKEYS MIGRATE h 1 k 0 10
        COMMAND GETKEYS MIGRATE h 1 "" 0 10 KEYS a b c
        COMMAND GETKEYS MIGRATE h 1 "" 0 10 AUTH keys KEYS a
        COMMAND GETKEYS MIGRATE h 1 "" 0 10
        COMMAND GETKEYS MIGRATE h 1 k 0 10 KEYS a b
        "#,
    );
}
