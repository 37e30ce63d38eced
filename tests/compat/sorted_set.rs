//! Sorted sets: adding, ranges of every kind, algebra, pops, blocking ones.

use tests::compat::{same, same_with};

#[test]
fn zadd_and_its_options() {
    same(
        r#"
        ZADD z 1 a 2 b 3 c
        ZADD z 1 a
        ZADD z 5 a 6 d
        ZADD z CH 7 a 1 e
        ZADD z NX 100 a 100 f
        ZADD z XX 100 a 100 g
        ZADD z XX CH 50 a 50 h
        ZADD z GT CH 40 a 60 b
        ZADD z LT CH 40 a 70 b
        ZADD z GT 1 new
        ZADD z XX GT 1 newer
        ZADD z INCR 5 a
        ZADD z INCR 5 fresh
        ZADD z NX INCR 5 a
        ZADD z XX INCR 5 none
        ZADD z GT INCR -5 a
        ZADD z LT INCR -5 a
        ZADD z INCR 1 a 2 b
        ZADD z NX XX 1 a
        ZADD z NX GT 1 a
        ZADD z NX LT 1 a
        ZADD z GT LT 1 a
        ZADD z 1
        ZADD z 1 a 2
        ZADD z x a
        ZADD z nan a
        ZADD z 1 ok nan bad
        ZADD z inf i -inf j +inf k
        ZADD z INCR -inf i
        ZADD z 1e400 o
        ZADD z 0x10 hex
        ZADD z 1.5e3 exp
        ZADD z " 1" sp
        ZADD z "" sp
        ZADD z 3.0 three 0.1 tenth 1e21 big 1e-7 tiny -0 negzero 17179869184 two34
        ZRANGE z 0 -1 WITHSCORES
        ZCARD z
        ZADD
        ZADD z
        ZADD z NX
        ZADD z BAD 1 a
        "#,
    );
}

#[test]
fn scores_ranks_and_removal() {
    same(
        r#"
        ZADD z 1 a 2 b 2 c 3.5 d
        ZSCORE z a
        ZSCORE z d
        ZSCORE z missing
        ZSCORE missing a
        ZMSCORE z a missing d
        ZMSCORE missing a b
        ZRANK z a
        ZRANK z c
        ZRANK z missing
        ZRANK missing a
        ZREVRANK z a
        ZREVRANK z c
        ZREVRANK z missing
        ZINCRBY z 5 a
        ZINCRBY z -1.25 new
        ZINCRBY z x a
        ZINCRBY z nan a
        ZINCRBY z inf a
        ZINCRBY z -inf a
        ZREM z a missing
        ZREM missing a
        ZRANGE z 0 -1 WITHSCORES
        ZCOUNT z -inf +inf
        ZCOUNT z (2 3.5
        ZCOUNT z 2 (3.5
        ZCOUNT z (2 (2
        ZCOUNT z 5 1
        ZCOUNT z x 1
        ZCOUNT z 1 (x
        ZCOUNT missing 0 1
        ZREM z b c d new
        EXISTS z
        ZSCORE z
        ZMSCORE z
        ZRANK z
        ZREVRANK z
        ZINCRBY z 1
        ZREM z
        ZCOUNT z 1
        ZCARD
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
        ZINCRBY k 1 a
        ZREM k a
        ZCARD k
        ZCOUNT k 0 1
        ZLEXCOUNT k - +
        ZSCORE k a
        ZMSCORE k a
        ZRANK k a
        ZREVRANK k a
        ZRANGE k 0 -1
        ZREVRANGE k 0 -1
        ZRANGEBYSCORE k 0 1
        ZREVRANGEBYSCORE k 1 0
        ZRANGEBYLEX k - +
        ZREVRANGEBYLEX k + -
        ZRANGESTORE d k 0 -1
        ZREMRANGEBYRANK k 0 1
        ZREMRANGEBYSCORE k 0 1
        ZREMRANGEBYLEX k - +
        ZPOPMIN k
        ZPOPMAX k 2
        ZMPOP 1 k MIN
        ZRANDMEMBER k
        ZUNION 2 z k
        ZINTER 2 z k
        ZDIFF 2 z k
        ZDIFF 2 k z
        ZINTERCARD 2 z k
        ZUNIONSTORE d 2 z k
        ZINTERSTORE d 2 z k
        ZDIFFSTORE d 2 z k
        ZRANGESTORE k z 0 -1
        TYPE k
        BZPOPMIN d k 1
        "#,
    );
}

#[test]
fn ranges_by_rank_score_and_lex() {
    same(
        r#"
        ZADD z 1 a 2 b 3 c 4 d 5 e
        ZRANGE z 0 -1
        ZRANGE z 1 2 WITHSCORES
        ZRANGE z -2 -1
        ZRANGE z 3 1
        ZRANGE z 10 20
        ZRANGE z -100 100 REV
        ZRANGE z 0 1 REV WITHSCORES
        ZREVRANGE z 0 1
        ZREVRANGE z 0 -1 WITHSCORES
        ZRANGE z 2 4 BYSCORE
        ZRANGE z (2 4 BYSCORE
        ZRANGE z 2 (4 BYSCORE WITHSCORES
        ZRANGE z 4 2 BYSCORE REV
        ZRANGE z -inf +inf BYSCORE LIMIT 1 2
        ZRANGE z -inf +inf BYSCORE LIMIT 1 -1
        ZRANGE z -inf +inf BYSCORE LIMIT -1 2
        ZRANGE z -inf +inf BYSCORE LIMIT 10 2
        ZRANGE z 0 -1 LIMIT 1 2
        ZRANGE z 0 -1 BYSCORE BYLEX
        ZRANGE z - + BYLEX WITHSCORES
        ZRANGE z 0 -1 BAD
        ZRANGE z x 1
        ZRANGE z x 1 BYSCORE
        ZRANGE missing 0 -1
        ZRANGEBYSCORE z 2 4
        ZRANGEBYSCORE z 2 4 WITHSCORES LIMIT 1 1
        ZRANGEBYSCORE z (1 (3
        ZRANGEBYSCORE z 4 2
        ZRANGEBYSCORE z -inf inf LIMIT 0
        ZRANGEBYSCORE z x 1
        ZREVRANGEBYSCORE z 4 2
        ZREVRANGEBYSCORE z +inf (3 WITHSCORES
        ZREVRANGEBYSCORE z +inf -inf LIMIT 1 2
        ZADD l 0 a 0 b 0 c 0 dd 0 e
        ZRANGEBYLEX l - +
        ZRANGEBYLEX l [b [d
        ZRANGEBYLEX l (b (e
        ZRANGEBYLEX l [b [b
        ZRANGEBYLEX l + -
        ZRANGEBYLEX l b c
        ZRANGEBYLEX l [b c
        ZRANGEBYLEX l - + LIMIT 1 2
        ZREVRANGEBYLEX l + -
        ZREVRANGEBYLEX l (e [b LIMIT 0 2
        ZRANGE l [b (e BYLEX
        ZRANGE l (e [b BYLEX REV
        ZLEXCOUNT l - +
        ZLEXCOUNT l [b (dd
        ZLEXCOUNT l b c
        ZLEXCOUNT missing - +
        ZLEXCOUNT l (a (a
        ZRANGEBYLEX l [ [zz
        ZRANGE z 0
        ZRANGEBYSCORE z 1
        ZRANGEBYLEX l -
        ZREVRANGE z 0
        "#,
    );
}

#[test]
fn rangestore_and_range_removal() {
    same(
        r#"
        ZADD z 1 a 2 b 3 c 4 d 5 e
        ZRANGESTORE d z 1 3
        ZRANGE d 0 -1 WITHSCORES
        ZRANGESTORE d z 2 4 BYSCORE
        ZRANGE d 0 -1 WITHSCORES
        ZRANGESTORE d z 4 2 BYSCORE REV LIMIT 0 2
        ZRANGE d 0 -1 WITHSCORES
        ZRANGESTORE d z [b (d BYLEX
        ZRANGE d 0 -1
        ZRANGESTORE d z 9 10
        EXISTS d
        ZRANGESTORE d missing 0 -1
        ZRANGESTORE z z 0 2
        ZRANGE z 0 -1
        ZRANGESTORE d z 0 -1 WITHSCORES
        ZRANGESTORE d z 0 -1 LIMIT 0 1
        ZADD z 4 d 5 e 6 f 7 g
        ZREMRANGEBYRANK z 0 0
        ZREMRANGEBYRANK z -1 -1
        ZREMRANGEBYRANK z 5 3
        ZREMRANGEBYRANK z x 1
        ZREMRANGEBYSCORE z 2 (4
        ZREMRANGEBYSCORE z x 1
        ZREMRANGEBYSCORE z 10 1
        ZREMRANGEBYLEX z [e [e
        ZREMRANGEBYLEX z a b
        ZRANGE z 0 -1 WITHSCORES
        ZREMRANGEBYRANK z 0 -1
        EXISTS z
        ZREMRANGEBYRANK missing 0 -1
        ZREMRANGEBYSCORE missing 0 1
        ZREMRANGEBYLEX missing - +
        "#,
    );
}

#[test]
fn unions_intersections_differences() {
    same(
        r#"
        ZADD a 1 x 2 y 3 z
        ZADD b 10 y 20 z 30 w
        SADD s z v
        ZUNION 2 a b
        ZUNION 2 a b WITHSCORES
        ZUNION 2 a b WEIGHTS 2 0.5 WITHSCORES
        ZUNION 2 a b AGGREGATE MIN WITHSCORES
        ZUNION 2 a b AGGREGATE MAX WITHSCORES
        ZUNION 3 a b s AGGREGATE SUM WITHSCORES
        ZUNION 2 a missing WITHSCORES
        ZUNION 2 a a WITHSCORES
        ZINTER 2 a b WITHSCORES
        ZINTER 3 a b s WEIGHTS 1 2 3 WITHSCORES
        ZINTER 2 a missing
        ZDIFF 2 a b WITHSCORES
        ZDIFF 2 a s WITHSCORES
        ZDIFF 3 a b s
        ZDIFF 2 missing a
        ZDIFF 1 a WITHSCORES
        ZDIFF 2 a b WEIGHTS 1 2
        ZDIFF 2 a b AGGREGATE MIN
        ZUNIONSTORE d 2 a b
        ZRANGE d 0 -1 WITHSCORES
        ZINTERSTORE d 2 a b WEIGHTS 1 -1
        ZRANGE d 0 -1 WITHSCORES
        ZDIFFSTORE d 2 a b
        ZRANGE d 0 -1 WITHSCORES
        ZUNIONSTORE d 2 a b WITHSCORES
        ZINTERSTORE d 2 a missing
        EXISTS d
        ZUNIONSTORE a 2 a b AGGREGATE MAX
        ZRANGE a 0 -1 WITHSCORES
        ZINTERCARD 2 a b
        ZINTERCARD 2 a b LIMIT 1
        ZINTERCARD 2 a b LIMIT 0
        ZINTERCARD 2 a b LIMIT -1
        ZINTERCARD 2 a b LIMIT
        ZINTERCARD 2 a missing
        ZINTERCARD 0 a
        ZUNION 0 a
        ZUNION -1 a
        ZUNION x a
        ZUNION 3 a b
        ZUNION 2 a b WEIGHTS 1
        ZUNION 2 a b WEIGHTS 1 x
        ZUNION 2 a b WEIGHTS 1 nan
        ZUNION 2 a b AGGREGATE AVG
        ZUNION 2 a b AGGREGATE
        ZUNION 2 a b BAD
        ZUNIONSTORE d 0 a
        ZINTERSTORE d 0 a
        ZDIFFSTORE d 0 a
        ZADD i inf p
        ZADD j -inf p
        ZUNION 2 i j WITHSCORES
        ZUNION 1 i WEIGHTS 0 WITHSCORES
        ZUNION 1 s WEIGHTS 5 WITHSCORES
        "#,
    );
}

#[test]
fn pops_and_random_members() {
    same(
        r#"
        ZADD z 1 a 2 b 3 c 4 d
        ZPOPMIN z
        ZPOPMAX z
        ZPOPMIN z 0
        ZPOPMIN z -1
        ZPOPMIN z x
        ZPOPMIN missing
        ZPOPMAX missing 5
        ZPOPMIN z 10
        EXISTS z
        ZADD z 1 a 2 b 3 c 4 d 5 e
        ZPOPMAX z 2
        ZMPOP 1 z MIN
        ZMPOP 2 missing z MAX COUNT 5
        ZMPOP 1 z MIN
        ZMPOP 0 z MIN
        ZMPOP 1 z UP
        ZMPOP 1 z MIN COUNT 0
        ZMPOP 1 z MIN COUNT x
        ZMPOP 1 z MIN COUNT 1 COUNT 2
        ZMPOP 2 z MIN
        ZPOPMIN z 1 2
        ZRANDMEMBER missing
        ZRANDMEMBER missing 2
        ZADD r 1 a
        ZRANDMEMBER r
        ZRANDMEMBER r 5 WITHSCORES
        ZRANDMEMBER r -2
        ZRANDMEMBER r -2 WITHSCORES
        ZRANDMEMBER r 0
        ZADD r 2 b
        ? ZRANDMEMBER r -5 WITHSCORES
        ? ZRANDMEMBER r 1
        ZRANDMEMBER r x
        ZRANDMEMBER r 1 BAD
        ZRANDMEMBER r -9223372036854775808
        ZRANDMEMBER r -9223372036854775808 WITHSCORES
        ZRANDMEMBER
        ZPOPMIN
        "#,
    );
}

#[test]
fn blocking_pops() {
    same(
        r#"
        ZADD z 1 a 2 b 3 c
        BZPOPMIN z 0
        BZPOPMAX missing z 0
        BZMPOP 0 1 z MIN COUNT 5
        BZPOPMIN z 0.01
        BZMPOP 0.01 1 z MAX
        BZPOPMIN z -1
        BZPOPMIN z x
        BZMPOP 0 0 z MIN
        BZMPOP 0 1 z UP
        b> BZPOPMIN p q 0
        ZADD q 5 x 1 y
        b<
        ZRANGE q 0 -1
        c> BZPOPMAX p 0
        d> BZMPOP 0 1 p MIN COUNT 2
        ZADD p 1 a 2 b 3 c
        c<
        d<
        EXISTS p
        b> BZPOPMIN p 0
        SADD p x
        b!
        DEL p
        ZADD other 1 o
        ZUNIONSTORE p 1 other
        b<
        MULTI
        BZPOPMIN none 0
        BZMPOP 0 1 none MIN
        EXEC
        BZPOPMIN
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
            "10",
        ],
        r#"
        ZADD z 1 a 2 b 3 c
        OBJECT ENCODING z
        ZADD z 4 d
        OBJECT ENCODING z
        ZREM z d
        OBJECT ENCODING z
        ZRANGE z 0 -1 WITHSCORES
        ZADD v 1 1234567890
        OBJECT ENCODING v
        ZADD v 1 12345678901
        OBJECT ENCODING v
        ZUNIONSTORE d 2 z v
        OBJECT ENCODING d
        ZRANGESTORE d z 0 1
        OBJECT ENCODING d
        ZADD e 1 a 1 b 1 c 1 d 1 e
        ZRANGEBYLEX e [b [d
        ZRANK e d
        ZREVRANK e d
        ZRANGEBYSCORE e 1 1 LIMIT 2 2
        ZREMRANGEBYLEX e [b [c
        ZPOPMAX e 2
        & ZSCAN z 0 COUNT 100
        ZADD z 10 a
        ZADD z 0 c
        ZRANGE z 0 -1 WITHSCORES
        ZCOUNT z 1 5
        ZINCRBY z 100 b
        ZREVRANGE z 0 -1 WITHSCORES
        "#,
    );
}

#[test]
fn doubles_are_written_alike() {
    same(
        r#"
        ZADD z 0.1 a 0.30000000000000004 b 1e17 c 1e16 d 123456789012345678 e 1.7976931348623157e308 f 5e-324 g 3 h -1.5 i 1e20 j 1e21 k 1e22 l 0.00001 m 0.0001 n 100000000000000000000000 o
        ZRANGE z 0 -1 WITHSCORES
        ZMSCORE z a b c d e f g h i j k l m n o
        ZINCRBY z 0.2 a
        ZINCRBY z 1e-5 m
        ZSCAN z 0
        "#,
    );
}
