//! Sorted sets: members and scores, ranges, ranks, algebra, pops, those that wait.

use tests::compat::{same, same_with};

/// The same script on both forms that a sorted set has in memory.
fn same_in_both_forms(script: &str) {
    same(script);
    same_with(&["--zset-max-listpack-entries", "0"], script);
}

#[test]
fn members_get_scores() {
    same_in_both_forms(
        r#"
        ZADD z 1 a 2 b 3 c
        ZADD z 1 a 5 b
        ZADD z CH 1 a 6 b 7 d
        ZADD z NX 100 a 8 e
        ZADD z XX 100 a 9 f
        ZADD z XX CH 1 a 9 f
        ZADD z GT 0 a 7 b 9 g
        ZADD z LT CH 0 a 70 b 9 h
        ZADD z GT XX CH 3 a 3 i
        ZADD z INCR 5 a
        ZADD z INCR NX 5 a
        ZADD z INCR XX 5 none
        ZADD z INCR GT -5 a
        ZADD z INCR LT -5 a
        ZADD z INCR 0 a
        ZADD new INCR 5 a
        ZADD missing XX 1 a
        ZADD missing XX INCR 1 a
        EXISTS missing
        ZINCRBY z 2.5 a
        ZINCRBY z -1e3 newer
        ZINCRBY z inf inf
        ZINCRBY z -inf inf
        ZADD z INCR -inf inf
        ZRANGE z 0 -1 WITHSCORES
        ZCARD z
        ZCARD missing
        ZSCORE z a
        ZSCORE z none
        ZSCORE missing a
        ZMSCORE z a none b
        ZMSCORE missing a b
        ZREM z a none b
        ZREM z a
        ZREM missing a
        ZREM new a b c
        EXISTS new
        ZADD z 1 same 2 same 3 same
        ZSCORE z same
        ZADD z nx ch incr 1 fresh
        ZADD z Gt cH 5 fresh
        "#,
    );
}

#[test]
fn bad_requests_to_change_members() {
    same(
        r#"
        ZADD k NX XX 1 a
        ZADD k GT LT 1 a
        ZADD k NX GT 1 a
        ZADD k NX LT 1 a
        ZADD k XX NX GT 1 a
        ZADD k INCR 1 a 2 b
        ZADD k 1 a 2
        ZADD k 1 a x b
        ZADD k nan a
        ZADD k INCR nan a
        ZADD k NX
        ZADD k NX CH
        ZADD k NX CH XX
        ZADD k x a
        ZADD k "" a
        ZADD k " 1" a
        ZADD k "1 " a
        ZADD k 1e400 a
        ZADD k 1e-400 a
        ZADD k 0x10 a
        ZADD k INCR inf a
        ZADD k INCR -inf a
        ZADD k 1 b INCR 2 c
        ZINCRBY k x a
        ZINCRBY k nan a
        ZINCRBY k NX a
        ZINCRBY k 1
        ZINCRBY k 1 a b
        EXISTS k
        ZRANGE k 0 -1 WITHSCORES
        ZADD
        ZADD k
        ZADD k 1
        ZREM k
        ZSCORE k
        ZMSCORE k
        ZCARD
        ZRANK k
        ZRANK k a b
        "#,
    );
}

#[test]
fn scores_are_printed_as_redis_prints_them() {
    same_in_both_forms(
        r#"
        ZADD z 0 a -0 b 0.1 c 1e17 d 1e16 e 123456789012345678 f 3.0 g 1e-5 h 0.0001 i inf j -inf k 1e300 l 4503599627370496 m
        ZADD z 4503599627370497 n 9007199254740993 o 5e-324 p -1.5 q 1.7976931348623157e308 r -4503599627370496 s 100 t +5 u .5 v
        ZRANGE z 0 -1 WITHSCORES
        ZSCORE z b
        ZMSCORE z a b c d e f g h i j k l m n o p q r s t u v
        ZINCRBY z 0.1 c
        ZINCRBY z 0.7 c
        ZINCRBY z 1 b
        ZINCRBY z -1 b
        ZINCRBY z -0 b
        & ZSCAN z 0 COUNT 1000
        ZPOPMIN z 3
        ZPOPMAX z 3
        OBJECT ENCODING z
        "#,
    );
}

#[test]
fn ranges_by_rank() {
    same_in_both_forms(
        r#"
        ZADD z 1 a 2 b 2 bb 2 c 3 d 10 7
        ZRANGE z 0 -1
        ZRANGE z 0 -1 WITHSCORES
        ZRANGE z 1 2
        ZRANGE z -3 -2 WITHSCORES
        ZRANGE z -100 100
        ZRANGE z 3 2
        ZRANGE z 6 9
        ZRANGE z -1 -7
        ZRANGE z 9223372036854775807 -9223372036854775808
        ZRANGE z 0 -1 REV
        ZRANGE z 0 1 REV WITHSCORES
        ZREVRANGE z 0 -1
        ZREVRANGE z 1 3 WITHSCORES
        ZREVRANGE z -2 -1 WITHSCORES
        ZREVRANGE z 5 100
        ZREVRANGE z 6 100
        ZRANGE missing 0 -1
        ZRANGE missing 0 -1 WITHSCORES
        ZREVRANGE missing 0 -1
        ZRANGE z 0 x
        ZRANGE z x 0
        ZRANGE z 0 -1 FOO
        ZRANGE z 0 -1 LIMIT 0 1
        ZRANGE z 0 -1 LIMIT 1 -1
        ZRANGE z 0 -1 LIMIT 1
        ZRANGE z 0 -1 LIMIT x 1
        ZRANGE z 0 -1 BYSCORE BYLEX
        ZRANGE z 0 -1 BYSCORE BYSCORE
        ZRANGE z 0 -1 REV REV
        ZRANGE z 0 -1 WITHSCORES WITHSCORES
        ZREVRANGE z 0 -1 REV
        ZREVRANGE z 0 -1 BYSCORE
        ZREVRANGE z 0 -1 LIMIT 0 1
        ZRANGE z 0
        ZREVRANGE z 0
        ZRANK z a
        ZRANK z 7
        ZRANK z bb
        ZRANK z none
        ZRANK missing a
        ZREVRANK z a
        ZREVRANK z 7
        ZREVRANK z bb
        ZREVRANK z none
        ZREVRANK missing a
        "#,
    );
}

#[test]
fn ranges_by_score() {
    same_in_both_forms(
        r#"
        ZADD z -inf lowest 1 a 2 b 2 bb 2 c 3 d 10 7 inf highest
        ZRANGEBYSCORE z -inf +inf
        ZRANGEBYSCORE z -inf inf WITHSCORES
        ZRANGEBYSCORE z (-inf (inf
        ZRANGEBYSCORE z (1 2 WITHSCORES
        ZRANGEBYSCORE z 1 (2
        ZRANGEBYSCORE z (2 (2
        ZRANGEBYSCORE z 2 2 LIMIT 1 1
        ZRANGEBYSCORE z 2 2 LIMIT 1 -1 WITHSCORES
        ZRANGEBYSCORE z 2 2 WITHSCORES LIMIT 0 2
        ZRANGEBYSCORE z 2 2 LIMIT -1 2
        ZRANGEBYSCORE z 2 2 LIMIT 3 2
        ZRANGEBYSCORE z 2 2 LIMIT 0 0
        ZRANGEBYSCORE z 5 4
        ZRANGEBYSCORE z 4 5
        ZREVRANGEBYSCORE z inf -inf
        ZREVRANGEBYSCORE z 3 1 WITHSCORES
        ZREVRANGEBYSCORE z (3 (1
        ZREVRANGEBYSCORE z 1 3
        ZREVRANGEBYSCORE z 3 1 LIMIT 1 2
        ZREVRANGEBYSCORE z 3 1 LIMIT 1 -1
        ZREVRANGEBYSCORE z 3 1 LIMIT -1 1
        ZRANGE z 1 3 BYSCORE
        ZRANGE z (1 3 BYSCORE WITHSCORES LIMIT 1 2
        ZRANGE z 3 1 BYSCORE REV
        ZRANGE z 3 1 BYSCORE REV LIMIT 0 2 WITHSCORES
        ZRANGE z 1 3 BYSCORE REV
        ZCOUNT z -inf inf
        ZCOUNT z 2 2
        ZCOUNT z (1 3
        ZCOUNT z 3 1
        ZCOUNT z (2 (2
        ZCOUNT missing 0 1
        ZRANGEBYSCORE missing 0 1
        ZRANGEBYSCORE z x 1
        ZRANGEBYSCORE z 1 ((2
        ZRANGEBYSCORE z 1 nan
        ZRANGEBYSCORE z "" 2
        ZRANGEBYSCORE z " 1" 2
        ZRANGEBYSCORE z 1 "2 "
        ZRANGEBYSCORE z 1 2 LIMIT 0
        ZRANGEBYSCORE z 1 2 LIMIT 0 x
        ZRANGEBYSCORE z 1 2 BYSCORE
        ZRANGEBYSCORE z 1 2 REV
        ZRANGEBYSCORE z 1 2 FOO
        ZRANGE z [a 2 BYSCORE
        ZCOUNT z x 1
        ZCOUNT z 1 [2
        ZCOUNT z 1
        ZREMRANGEBYSCORE z x 1
        ZREMRANGEBYSCORE z 3 2
        ZREMRANGEBYSCORE z (1 (3
        ZRANGE z 0 -1
        ZREMRANGEBYSCORE z -inf inf
        EXISTS z
        ZREMRANGEBYSCORE z -inf inf
        "#,
    );
}

#[test]
fn ranges_by_member() {
    same_in_both_forms(
        r#"
        ZADD z 0 "" 0 a 0 aa 0 b 0 c 0 12 0 d
        ZRANGEBYLEX z - +
        ZRANGEBYLEX z [a [b
        ZRANGEBYLEX z (a (b
        ZRANGEBYLEX z [ [
        ZRANGEBYLEX z ( (b
        ZRANGEBYLEX z + -
        ZRANGEBYLEX z - -
        ZRANGEBYLEX z + +
        ZRANGEBYLEX z [b [a
        ZRANGEBYLEX z [b [b
        ZRANGEBYLEX z (b [b
        ZRANGEBYLEX z - + LIMIT 1 2
        ZRANGEBYLEX z - + LIMIT 1 -5
        ZRANGEBYLEX z - + LIMIT -1 2
        ZREVRANGEBYLEX z + -
        ZREVRANGEBYLEX z [c [aa
        ZREVRANGEBYLEX z (c (aa
        ZREVRANGEBYLEX z + - LIMIT 2 2
        ZREVRANGEBYLEX z [a [c
        ZRANGE z [a (c BYLEX
        ZRANGE z (c [a BYLEX REV LIMIT 0 2
        ZRANGE z - + BYLEX WITHSCORES
        ZLEXCOUNT z - +
        ZLEXCOUNT z [a (c
        ZLEXCOUNT z (a (a
        ZLEXCOUNT missing - +
        ZRANGEBYLEX missing - +
        ZRANGEBYLEX z a b
        ZRANGEBYLEX z - b
        ZRANGEBYLEX z -a +
        ZRANGEBYLEX z - +a
        ZRANGEBYLEX z "" +
        ZRANGEBYLEX z 1 2
        ZRANGEBYLEX z "-\x00" "+\x00x"
        ZRANGEBYLEX z - + WITHSCORES
        ZRANGEBYLEX z - + LIMIT 1
        ZLEXCOUNT z a b
        ZLEXCOUNT z -
        ZREMRANGEBYLEX z a b
        ZREMRANGEBYLEX z [x [y
        ZREMRANGEBYLEX z (a [b
        ZRANGE z 0 -1
        ZREMRANGEBYLEX z - +
        EXISTS z
        ZREMRANGEBYLEX z - +
        "#,
    );
}

#[test]
fn ranges_of_members_with_mixed_scores_follow_the_listpack() {
    same(
        r#"
        ZADD z 1 a 2 c 3 b 4 d 5 aa
        ZRANGEBYLEX z [a [b
        ZREVRANGEBYLEX z [b [a
        ZRANGEBYLEX z [b [d
        ZREVRANGEBYLEX z [d [b
        ZREVRANGEBYLEX z [aa -
        ZLEXCOUNT z [a [b
        ZLEXCOUNT z [c +
        ZREMRANGEBYLEX z [b [d
        ZRANGE z 0 -1
        "#,
    );
}

#[test]
fn members_are_removed_by_rank() {
    same_in_both_forms(
        r#"
        ZADD z 1 a 2 b 3 c 4 d 5 e
        ZREMRANGEBYRANK z 1 2
        ZRANGE z 0 -1
        ZREMRANGEBYRANK z -1 -1
        ZREMRANGEBYRANK z 5 6
        ZREMRANGEBYRANK z 3 1
        ZREMRANGEBYRANK z x 1
        ZREMRANGEBYRANK z 0 x
        ZREMRANGEBYRANK missing 0 -1
        ZREMRANGEBYRANK z 0 -1
        EXISTS z
        "#,
    );
}

#[test]
fn ranges_are_stored() {
    same_in_both_forms(
        r#"
        ZADD z 1 a 2 b 2.5 c 4 d
        ZRANGESTORE d z 0 -1
        ZRANGE d 0 -1 WITHSCORES
        OBJECT ENCODING d
        ZRANGESTORE d z (1 3 BYSCORE
        ZRANGE d 0 -1 WITHSCORES
        ZRANGESTORE d z 4 2 BYSCORE REV LIMIT 1 1
        ZRANGE d 0 -1 WITHSCORES
        ZRANGESTORE d z 0 1 REV
        ZRANGE d 0 -1 WITHSCORES
        ZRANGESTORE d z - + BYLEX LIMIT 1 2
        ZRANGE d 0 -1 WITHSCORES
        EXPIRE d 1000
        ZRANGESTORE d z 0 0
        TTL d
        ZRANGESTORE d z 9 10
        EXISTS d
        ZRANGESTORE d missing 0 -1
        SET d x
        ZRANGESTORE d z 0 0
        TYPE d
        ZRANGESTORE z z 0 1
        ZRANGE z 0 -1
        ZRANGESTORE d z 0 -1 WITHSCORES
        ZRANGESTORE d z 0 -1 LIMIT 1 2
        ZRANGESTORE d z x y
        ZRANGESTORE d z
        SET s x
        ZRANGESTORE d s 0 -1
        "#,
    );
}

#[test]
fn unions_intersections_and_differences() {
    same_in_both_forms(
        r#"
        ZADD a 1 x 2 y 3 z 10 5
        ZADD b 10 y 20 z 30 w
        ZADD c 100 z 0.1 y
        SADD s x z 5 q
        SADD i 5 6
        ZUNION 2 a b
        ZUNION 2 a b WITHSCORES
        ZUNION 3 a b c WITHSCORES AGGREGATE MIN
        ZUNION 3 a b c AGGREGATE max WITHSCORES
        ZUNION 2 a b WEIGHTS 2 3 WITHSCORES
        ZUNION 2 a b WITHSCORES WEIGHTS 2 -1 AGGREGATE SUM
        ZUNION 2 a s WITHSCORES
        ZUNION 2 s i WITHSCORES WEIGHTS 2 0.5
        ZUNION 2 a missing WITHSCORES
        ZUNION 1 missing
        ZUNION 2 a a WITHSCORES
        ZINTER 2 a b WITHSCORES
        ZINTER 3 a b c WITHSCORES AGGREGATE MAX
        ZINTER 3 a b c WITHSCORES WEIGHTS 1 10 100
        ZINTER 2 a s WITHSCORES
        ZINTER 2 a missing
        ZINTER 2 a a WITHSCORES
        ZINTER 2 s i
        ZDIFF 2 a b WITHSCORES
        ZDIFF 1 a
        ZDIFF 2 a a
        ZDIFF 2 missing a
        ZDIFF 3 a missing s WITHSCORES
        ZDIFF 2 s a WITHSCORES
        ZDIFF 9 a missing c c c c c c c WITHSCORES
        ZDIFF 8 s c c c c c c c
        ZINTERCARD 2 a b
        ZINTERCARD 2 a b LIMIT 1
        ZINTERCARD 2 a b LIMIT 0
        ZINTERCARD 2 a s LIMIT 10
        ZINTERCARD 2 a missing
        ZUNIONSTORE d 2 a b
        ZRANGE d 0 -1 WITHSCORES
        ZUNIONSTORE d 2 a b WEIGHTS 1 inf
        ZRANGE d 0 -1 WITHSCORES
        ZINTERSTORE d 2 a b AGGREGATE MIN
        ZRANGE d 0 -1 WITHSCORES
        OBJECT ENCODING d
        ZDIFFSTORE d 2 a b
        ZRANGE d 0 -1 WITHSCORES
        ZDIFFSTORE d 2 a a
        EXISTS d
        ZINTERSTORE d 2 a missing
        ZUNIONSTORE d 1 missing
        ZUNIONSTORE a 2 a b
        ZRANGE a 0 -1 WITHSCORES
        ZADD inf inf m -inf n
        ZADD minf -inf m inf n
        ZUNION 2 inf minf WITHSCORES
        ZINTER 2 inf minf WITHSCORES
        ZINTER 2 inf minf WITHSCORES WEIGHTS 0 0
        ZINTER 2 inf minf WITHSCORES WEIGHTS 1 0
        ZUNION 2 inf minf WITHSCORES WEIGHTS 1 0
        "#,
    );
}

#[test]
fn bad_requests_to_combine() {
    same(
        r#"
        ZADD k 1 a
        SET string x
        ZUNION 0 k
        ZUNION -1 k
        ZUNION x k
        ZUNION 2 k
        ZUNION 1 k WEIGHTS
        ZUNION 1 k WEIGHTS x
        ZUNION 1 k WEIGHTS nan
        ZUNION 1 k WEIGHTS 1 2
        ZUNION 1 k AGGREGATE
        ZUNION 1 k AGGREGATE foo
        ZUNION 1 k FOO
        ZUNION 1 string WEIGHTS x
        ZUNION 2 missing string
        ZINTER 2 missing string
        ZDIFF 2 missing string
        ZINTER 0 k
        ZDIFF 0 k
        ZDIFF 1 k WEIGHTS 1
        ZDIFF 1 k AGGREGATE SUM
        ZDIFFSTORE d 1 k WITHSCORES
        ZUNIONSTORE d 1 k WITHSCORES
        ZUNIONSTORE d 0 k
        ZINTERSTORE d -1 k
        ZDIFFSTORE d 0 k
        ZUNIONSTORE string 1 k
        TYPE string
        ZINTERCARD 0 k
        ZINTERCARD 3 k
        ZINTERCARD a k
        ZINTERCARD 1 k LIMIT -1
        ZINTERCARD 1 k LIMIT x
        ZINTERCARD 1 k FOO
        ZINTERCARD 1 k LIMIT
        ZINTERCARD 1 k LIMIT 1 LIMIT 2
        ZUNION
        ZUNION 1
        ZUNIONSTORE d 1
        ZINTERCARD 1
        "#,
    );
}

#[test]
fn pops_take_from_an_end() {
    same_in_both_forms(
        r#"
        ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h
        ZPOPMIN z
        ZPOPMAX z
        ZPOPMIN z 2
        ZPOPMAX z 2
        ZPOPMIN z 0
        ZPOPMIN z -1
        ZPOPMIN z x
        ZPOPMIN z 1 2
        ZPOPMIN missing
        ZPOPMIN missing 2
        ZPOPMAX missing
        ZPOPMAX z 100
        EXISTS z
        ZADD z 1 a 2 b 3 c
        ZADD y 4 d 5 e
        ZMPOP 2 missing z MIN
        ZMPOP 2 z y MAX COUNT 10
        ZMPOP 2 z y MAX COUNT 1
        ZMPOP 1 missing MIN
        ZMPOP 0 z MIN
        ZMPOP x z MIN
        ZMPOP 3 z y
        ZMPOP 1 z FOO
        ZMPOP 1 y MIN COUNT 0
        ZMPOP 1 y MIN COUNT -1
        ZMPOP 1 y MIN COUNT 1 COUNT 2
        ZMPOP 1 y MIN FOO 2
        ZMPOP 1 y MIN COUNT
        BZPOPMIN missing y 0
        BZPOPMAX missing y 0.01
        ZADD y 4 d 5 e
        BZMPOP 0 2 missing y MAX COUNT 5
        BZMPOP 0.01 2 missing y MAX COUNT 5
        BZMPOP x 1 y MIN
        BZMPOP -1 1 y MIN
        BZMPOP 0 0 y MIN
        BZMPOP 0 1 y FOO
        BZPOPMIN y x
        BZPOPMIN y -1
        BZPOPMIN y
        BZMPOP 0 1 y
        SET s x
        ZPOPMIN s
        ZPOPMIN s 0
        ZMPOP 1 s MIN
        BZPOPMIN s 0
        BZMPOP 0 1 s MIN
        ZADD y 4 d
        BZPOPMIN s y 0
        MULTI
        BZPOPMIN missing 0
        BZMPOP 0 1 missing MIN
        ZPOPMIN y
        EXEC
        "#,
    );
}

#[test]
fn those_that_wait_are_served_in_order() {
    same(
        r#"
        b> BZPOPMIN z 0
        c> BZPOPMAX y z 0
        d> BZMPOP 0 2 y z MIN COUNT 10
        ZADD z 1 a 2 b 3 c 4 d
        b<
        c<
        d<
        ZCARD z
        b> BZPOPMIN z 0
        SET z x
        b!
        DEL z
        LPUSH z x
        b!
        DEL z
        SADD z x
        DEL z
        ZADD z 1 a
        b<
        b> BZPOPMIN z 0
        MULTI
        ZADD z 1 a
        DEL z
        SET z x
        EXEC
        b!
        DEL z
        ZADD y 5 five
        RENAME y z
        b<
        b> BZPOPMAX z 0
        ZADD y 6 six
        ZUNIONSTORE z 1 y
        b<
        b> BZPOPMAX z 0
        ZRANGESTORE z y 0 -1
        b<
        b> BZPOPMAX z 0
        COPY y z
        b<
        b> BZPOPMIN z 0.05
        c> BZMPOP 0.05 1 z MIN
        sleep 200
        b<
        c<
        b> BLPOP z 0
        c> BZPOPMIN z 0
        d> BLPOP z 0
        ZADD z 1 a
        c<
        b!
        LPUSH z x y
        b<
        d<
        "#,
    );
}

#[test]
fn random_members() {
    same_in_both_forms(
        r#"
        ZRANDMEMBER missing
        ZRANDMEMBER missing 5
        ZRANDMEMBER missing 5 WITHSCORES
        ZADD z 1 a
        ZRANDMEMBER z
        ZRANDMEMBER z 1
        ZRANDMEMBER z 5
        ZRANDMEMBER z 5 WITHSCORES
        ZRANDMEMBER z -3
        ZRANDMEMBER z -3 WITHSCORES
        ZRANDMEMBER z 0
        ZRANDMEMBER z 0 WITHSCORES
        ZRANDMEMBER z x
        ZRANDMEMBER z -9223372036854775808
        ZRANDMEMBER z 9223372036854775807 WITHSCORES
        ZRANDMEMBER z -9223372036854775807 WITHSCORES
        ZRANDMEMBER z 1 FOO
        ZRANDMEMBER z 1 WITHSCORES x
        ZADD z 2 b 3 c 4 d
        ? ZRANDMEMBER z
        ~ ZRANDMEMBER z 4
        ~ ZRANDMEMBER z 10
        ? ZRANDMEMBER z 2
        ? ZRANDMEMBER z 2 WITHSCORES
        ? ZRANDMEMBER z -10
        "#,
    );
}

#[test]
fn scans_show_members_with_scores() {
    same_in_both_forms(
        r#"
        ZADD z 1 a 2.5 b 3 17 -0 c 1e17 d 1e18 e 5e18 f inf g
        & ZSCAN z 0 COUNT 1000
        & ZSCAN z 0 MATCH nothing
        ZSCAN z 0 MATCH a
        ZSCAN z 0 MATCH 1*
        ZSCAN z 0 COUNT 0
        ZSCAN z 0 COUNT x
        ZSCAN z 0 FOO
        ZSCAN z x
        ZSCAN missing 0
        ZSCAN missing 0 FOO
        ZSCAN missing x
        SET s x
        ZSCAN s 0
        ZSCAN s 0 FOO
        ZSCAN s x
        SSCAN s 0 FOO
        HSCAN s 0 FOO
        SSCAN missing 0 FOO
        HSCAN missing 0 FOO
        "#,
    );
}

#[test]
fn sorted_set_commands_refuse_other_types() {
    same(
        r#"
        SET k v
        ZADD z 1 a
        ZADD k 1 a
        ZADD k XX 1 a
        ZINCRBY k 1 a
        ZREM k a
        ZCARD k
        ZSCORE k a
        ZMSCORE k a
        ZRANK k a
        ZREVRANK k a
        ZCOUNT k 0 1
        ZLEXCOUNT k - +
        ZRANGE k 0 -1
        ZRANGE k x -1
        ZRANGEBYSCORE k 0 1
        ZRANGEBYLEX k - +
        ZREVRANGE k 0 -1
        ZREVRANGEBYSCORE k 1 0
        ZREVRANGEBYLEX k + -
        ZREMRANGEBYRANK k 0 -1
        ZREMRANGEBYSCORE k 0 1
        ZREMRANGEBYLEX k - +
        ZRANDMEMBER k
        ZRANDMEMBER k 2
        GET z
        LPUSH z a
        SADD z a
        HSET z a b
        INCR z
        TYPE z
        SCAN 0 TYPE zset
        "#,
    );
}

#[test]
fn encodings_change_at_their_limits() {
    same_with(
        &[
            "--zset-max-listpack-entries",
            "3",
            "--zset-max-listpack-value",
            "4",
        ],
        r#"
        ZADD z 1 a 2 b 3 c
        OBJECT ENCODING z
        ZADD z 1 d
        OBJECT ENCODING z
        ZREM z d c b
        OBJECT ENCODING z
        ZADD y 1 abcd
        OBJECT ENCODING y
        ZADD y 1 abcde
        OBJECT ENCODING y
        ZUNIONSTORE u 2 y z
        OBJECT ENCODING u
        ZUNIONSTORE u 1 z
        OBJECT ENCODING u
        ZRANGESTORE r y 0 -1
        OBJECT ENCODING r
        COPY y copy
        OBJECT ENCODING copy
        CONFIG SET zset-max-listpack-value 100
        ZDIFFSTORE d 2 y z
        OBJECT ENCODING d
        CONFIG SET zset-max-listpack-entries 0
        ZADD n 1 a
        OBJECT ENCODING n
        "#,
    );
}

#[test]
fn keyspace_events_of_sorted_sets() {
    same_with(
        &["--notify-keyspace-events", "KEA"],
        r#"
        b: PSUBSCRIBE *
        ZADD z 1 a 2 b 3 c 4 d 5 e 6 f
        b<
        b<
        ZADD z 1 a
        b!
        ZINCRBY z 1 a
        b<
        b<
        ZINCRBY z 0 a
        b!
        ZREM z a
        b<
        b<
        ZPOPMIN z
        b<
        b<
        ZMPOP 1 z MAX
        b<
        b<
        ZREMRANGEBYRANK z 0 0
        b<
        b<
        ZUNIONSTORE u 1 z
        b<
        b<
        ZRANGESTORE r z 0 0
        b<
        b<
        ZRANGESTORE r z 9 9
        b<
        b<
        ZREMRANGEBYSCORE z 4 4
        b<
        b<
        ZREMRANGEBYLEX z - +
        b<
        b<
        b<
        b<
        b!
        "#,
    );
}

#[test]
fn a_score_of_minus_zero_shows_in_replies_and_is_stored_as_zero() {
    same(
        r#"
        ZADD a 0 m -5 n
        ZUNION 1 a WEIGHTS -16 WITHSCORES
        ZUNION 2 a a WEIGHTS -17 103 WITHSCORES
        ZINTER 1 a WEIGHTS -1 WITHSCORES
        ZDIFF 1 a WITHSCORES
        ZUNIONSTORE d 1 a WEIGHTS -16
        ZRANGE d 0 -1 WITHSCORES
        OBJECT ENCODING d
        ZADD a 3 {long*100}
        ZUNIONSTORE d 1 a WEIGHTS -16
        ZRANGE d 0 -1 WITHSCORES
        OBJECT ENCODING d
        ZUNIONSTORE d 1 missing
        EXISTS d
        "#,
    );
}
