//! Strings: SET and its options, counters, ranges.

use tests::compat::{same, same_with};

#[test]
fn set_and_get_keep_any_bytes() {
    same(
        r#"
        SET k v
        GET k
        SET k "a b\x00\xff\r\n"
        GET k
        SET "" ""
        GET ""
        STRLEN ""
        GET missing
        SET k {x*20000}
        GET k
        STRLEN k
        STRLEN missing
        DBSIZE
        "#,
    );
}

#[test]
fn string_commands_refuse_other_types() {
    same(
        r#"
        RPUSH l a
        GET l
        GETSET l v
        GETDEL l
        GETEX l
        GETEX l EX 10
        APPEND l x
        STRLEN l
        SETRANGE l 0 x
        GETRANGE l 0 1
        SUBSTR l 0 1
        INCR l
        INCRBY l 2
        DECR l
        DECRBY l 2
        INCRBYFLOAT l 1.5
        SETNX l v
        SET l v GET
        SET l v NX GET
        MGET l
        MSETNX l v
        LRANGE l 0 -1
        SET l v
        GET l
        "#,
    );
}

#[test]
fn string_commands_check_their_arity() {
    same(
        r#"
        GET
        GET a b
        SET
        SET k
        SETNX k
        SETNX k v x
        SETEX k 1
        PSETEX k 1
        GETSET k
        GETDEL
        GETDEL k k
        GETEX
        APPEND k
        STRLEN
        STRLEN k k
        SETRANGE k 1
        GETRANGE k 1
        SUBSTR k 1
        INCR
        INCR k k
        INCRBY k
        DECR
        DECRBY k
        INCRBYFLOAT k
        MGET
        MSET
        MSET k
        MSET k v k
        MSETNX
        MSETNX k v k
        "#,
    );
}

#[test]
fn set_conditions_and_get() {
    same(
        r#"
        SET k v XX
        SET k v NX
        SET k w NX
        GET k
        SET k w XX
        GET k
        SET k x GET
        SET new x GET
        SET k y NX GET
        GET k
        SET fresh y NX GET
        GET fresh
        SET k z XX GET
        SET none z XX GET
        EXISTS none
        SET k v NX XX
        SET k v nx
        SET k v Xx
        SET k v GET GET
        SET k v BAD
        SET k v NX EX
        "#,
    );
}

#[test]
fn set_expiry_options() {
    same(
        r#"
        SET k v EX 100
        TTL k
        SET k v PX 100000
        TTL k
        SET k v
        TTL k
        SET k v EX 100
        SET k w KEEPTTL
        TTL k
        SET k v EXAT 33177117420
        EXPIRETIME k
        SET k v PXAT 33177117420000
        PEXPIRETIME k
        SET k v EX 0
        SET k v EX -1
        SET k v PX 0
        SET k v EXAT 0
        SET k v PXAT -5
        SET k v EX x
        SET k v EX 1.5
        SET k v EX 9223372036854775807
        SET k v EX 9223372036854775
        SET k v PX 9223372036854775807
        SET k v PXAT 9223372036854775807
        SET k v EXAT 9223372036854775807
        SET k v EX 99999999999999999999
        SET k v EX 10 PX 10
        SET k v EX 10 KEEPTTL
        SET k v KEEPTTL EX 10
        SET k v EX 10 EXAT 10
        SET gone v PXAT 1
        EXISTS gone
        GET gone
        SET gone v EXAT 1
        GET gone
        SET k v EX 100 NX
        SET k v XX EX 50
        TTL k
        "#,
    );
}

#[test]
fn setex_psetex_setnx_getset() {
    same(
        r#"
        SETEX k 10 v
        TTL k
        SETEX k 0 v
        SETEX k -1 v
        SETEX k x v
        SETEX k 9223372036854775807 v
        PSETEX k 10000 v
        TTL k
        PSETEX k 0 v
        PSETEX k -10 v
        PSETEX k 9223372036854775807 v
        SETNX k w
        SETNX n w
        GET n
        GETSET k x
        TTL k
        GETSET missing x
        GET missing
        "#,
    );
}

#[test]
fn getex_and_getdel() {
    same(
        r#"
        SET k v
        GETEX k
        TTL k
        GETEX k EX x
        GETEX missing EX x
        GETEX missing EX 0
        GETEX missing FOR 1
        GETEX k EX 100
        TTL k
        GETEX k PX 100000
        TTL k
        GETEX k PERSIST
        TTL k
        GETEX k EXAT 33177117420
        EXPIRETIME k
        GETEX k PXAT 33177117420000
        PEXPIRETIME k
        GETEX k EX 0
        GETEX k EX -1
        GETEX k EX x
        GETEX k EX
        GETEX k EX 10 PX 10
        GETEX k PERSIST EX 10
        GETEX k KEEPTTL
        GETEX k NX
        GETEX k BAD
        GETEX missing EX 10
        GETEX missing PERSIST
        GETEX k PXAT 1
        EXISTS k
        SET k v
        GETDEL k
        GETDEL k
        EXISTS k
        "#,
    );
}

#[test]
fn append_setrange_getrange() {
    same(
        r#"
        APPEND k abc
        APPEND k ""
        APPEND k def
        GET k
        APPEND new ""
        EXISTS new
        SET n 12
        APPEND n 3
        INCR n
        SETRANGE k 1 XY
        GET k
        SETRANGE k 10 Z
        GET k
        SETRANGE k 3 ""
        SETRANGE missing 3 ""
        EXISTS missing
        SETRANGE missing 3 x
        GET missing
        SETRANGE k -1 x
        SETRANGE k x x
        SETRANGE k 536870912 x
        SETRANGE k 536870911 ""
        SETRANGE k 9223372036854775807 x
        SETRANGE n 1 9
        GET n
        SET k "Hello world"
        GETRANGE k 0 4
        GETRANGE k -5 -1
        GETRANGE k 0 -1
        GETRANGE k 4 2
        GETRANGE k -1 -5
        GETRANGE k -100 3
        GETRANGE k 5 100
        GETRANGE k 100 200
        GETRANGE k -100 -200
        GETRANGE k -200 -100
        GETRANGE k 0 -100
        GETRANGE missing 0 -1
        GETRANGE k a 1
        GETRANGE k 0 b
        GETRANGE n 0 0
        GETRANGE k -9223372036854775808 9223372036854775807
        SUBSTR k 1 3
        "#,
    );
}

#[test]
fn integer_counters() {
    same(
        r#"
        INCR k
        INCR k
        INCRBY k 10
        DECR k
        DECRBY k 20
        GET k
        OBJECT ENCODING k
        SET k 9223372036854775806
        INCR k
        INCR k
        INCRBY k 1
        DECRBY k -1
        SET k -9223372036854775807
        DECR k
        DECR k
        INCRBY k -1
        DECRBY k 9223372036854775807
        DECRBY k -9223372036854775808
        INCRBY k x
        INCRBY k 1.0
        INCRBY k ""
        INCRBY k " 1"
        INCRBY k 9223372036854775808
        INCRBY k +1
        INCRBY k 01
        INCRBY k -0
        SET k " 11"
        INCR k
        SET k "11 "
        INCR k
        SET k 01
        INCR k
        SET k +1
        INCR k
        SET k -0
        INCR k
        SET k ""
        INCR k
        SET k 1.0
        INCR k
        SET k 1e3
        INCR k
        SET k 0x10
        INCR k
        SET k abc
        DECR k
        SET k 17
        EXPIRE k 100
        INCR k
        TTL k
        "#,
    );
}

#[test]
fn incrbyfloat_formats_as_long_double() {
    same(
        r#"
        INCRBYFLOAT k 1
        INCRBYFLOAT k 0.25
        INCRBYFLOAT k 1.5e3
        INCRBYFLOAT k -1501.25
        GET k
        SET k 3.0
        INCRBYFLOAT k 1.1
        SET k 10.50
        INCRBYFLOAT k 0.1
        INCRBYFLOAT k -5
        SET k 5.0e3
        INCRBYFLOAT k 2.0e2
        SET k 1
        INCRBYFLOAT k 0.000000000000000001
        INCRBYFLOAT k 1e18
        SET k 0.1
        INCRBYFLOAT k 0.2
        SET k 123456789012345678
        INCRBYFLOAT k 0.5
        SET k 1e300
        INCRBYFLOAT k 1e300
        SET k 1e4931
        INCRBYFLOAT k 1e4931
        INCRBYFLOAT k 9e4932
        SET k 1
        INCRBYFLOAT k inf
        INCRBYFLOAT k -inf
        INCRBYFLOAT k nan
        INCRBYFLOAT k abc
        INCRBYFLOAT k ""
        INCRBYFLOAT k " 1"
        INCRBYFLOAT k "1 "
        INCRBYFLOAT k 0x1p3
        INCRBYFLOAT k +1
        SET k abc
        INCRBYFLOAT k 1
        SET k "1 "
        INCRBYFLOAT k 1
        SET k " 1"
        INCRBYFLOAT k 1
        SET k -0
        INCRBYFLOAT k 0
        SET k -1
        INCRBYFLOAT k 1
        SET k 1
        EXPIRE k 100
        INCRBYFLOAT k 1
        TTL k
        OBJECT ENCODING k
        "#,
    );
}

#[test]
fn mset_mget_msetnx() {
    same(
        r#"
        MSET a 1 b 2 c 3
        MGET a b c missing a
        MSET a x a y
        GET a
        SET b v EX 100
        MSET b 2
        TTL b
        MSETNX d 1 e 2
        MSETNX f 1 e 2
        EXISTS f
        MSETNX g 1 g 2
        GET g
        RPUSH l a
        MGET a l
        MSET l v
        GET l
        "#,
    );
}

#[test]
fn string_encodings() {
    same(
        r#"
        SET k 12345
        OBJECT ENCODING k
        SET k 9223372036854775807
        OBJECT ENCODING k
        SET k 9223372036854775808
        OBJECT ENCODING k
        SET k 012
        OBJECT ENCODING k
        SET k {x*44}
        OBJECT ENCODING k
        SET k {x*45}
        OBJECT ENCODING k
        SET k abc
        APPEND k d
        OBJECT ENCODING k
        SET k abc
        SETRANGE k 0 x
        OBJECT ENCODING k
        SET k 5
        APPEND k 5
        OBJECT ENCODING k
        GETSET k 7
        OBJECT ENCODING k
        INCRBYFLOAT k 1
        OBJECT ENCODING k
        SETEX k 10 77
        OBJECT ENCODING k
        MSET k 78
        OBJECT ENCODING k
        "#,
    );
}

#[test]
fn longest_common_subsequences() {
    same(
        r#"
        MSET a ohmytext b mynewtext e "" long {ab*500} longer {ba*600}
        LCS a b
        LCS a b LEN
        LCS a b IDX
        LCS a b IDX WITHMATCHLEN
        LCS a b IDX MINMATCHLEN 4
        LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN
        LCS a b IDX MINMATCHLEN -4
        LCS a b MINMATCHLEN 4
        LCS a b WITHMATCHLEN LEN
        LCS b a IDX WITHMATCHLEN
        LCS a a IDX
        LCS a e
        LCS e e LEN
        LCS e a IDX
        LCS a missing
        LCS missing missing IDX
        LCS long longer LEN
        LCS long longer IDX MINMATCHLEN 2 WITHMATCHLEN
        MSET rna1 CACCTTCCCAGGTAACAAACCAACCAACTTTCGATCTCTTGTAGATCTGTTCTCTAAACGAACTTTAAAATCTGTGTGGCTGTCACTCGGCTGCATGCTTAGTGCACTCACGCAGTATAATTAATAACTAATTACTGTCGTTGACAGGACACGAGTAACTCGTCTATCTTCTGCAGGCTGCTTACGGTTTCGTCCGTGTTGCAGCCGATCATCAGCACATCTAGGTTTCGTCCGGGTGTG rna2 ATTAAAGGTTTATACCTTCCCAGGTAACAAACCAACCAACTTTCGATCTCTTGTAGATCTGTTCTCTAAACGAACTTTAAAATCTGTGTGGCTGTCACTCGGCTGCATGCTTAGTGCACTCACGCAGTATAATTAATAACTAATTACTGTCGTTGACAGGACACGAGTAACTCGTCTATCTTCTGCAGGCTGCTTACGGTTTCGTCCGTGTTGCAGCCGATCATCAGCACATCTAGGTTT
        LCS rna1 rna2
        LCS rna1 rna2 IDX WITHMATCHLEN
        LCS rna2 rna1 IDX MINMATCHLEN 5
        INCR n
        LCS n n IDX
        LCS a b LEN IDX
        LCS a b FOO
        LCS a b MINMATCHLEN
        LCS a b MINMATCHLEN x
        LPUSH l x
        LCS a l
        LCS l a FOO
        LCS a
        CONFIG SET proto-max-bulk-len 1mb
        MSET big1 {x*1000} big2 {y*1000}
        LCS big1 big2
        LCS big1 big2 LEN
        LCS big1 a LEN
        "#,
    );
}

#[test]
fn lcs_looks_up_both_keys_also_when_the_first_is_wrong() {
    same_with(
        &["--notify-keyspace-events", "Km"],
        r#"
        HSET h f v
        SET s text
        b: PSUBSCRIBE *
        LCS h missing
        b<
        LCS missing h
        b<
        LCS h h
        LCS s missing
        b<
        b!
        "#,
    );
}

#[test]
fn an_option_may_be_said_twice_but_not_two_that_exclude_each_other() {
    same(
        r#"
        SET k v EX 100 EX 2000
        ? TTL k
        SET k v EX 100 PX 100000
        SET k v EX 100 EXAT 4102444800
        SET k v KEEPTTL KEEPTTL
        SET k v KEEPTTL EX 100
        SET k v EX 100 KEEPTTL
        SET k v NX NX
        SET k v NX XX
        SET k v GET GET
        SET k v EX 100 EX
        GETEX k PERSIST PERSIST
        TTL k
        GETEX k EX 100 EX 2000
        GETEX k EX 100 PX 2000
        GETEX k PERSIST EX 100
        GETEX k EX 100 PERSIST
        GETEX k EX 100 EX
        GETEX k EXAT 4102444800 EXAT 4102444801
        EXPIRETIME k
        "#,
    );
}
