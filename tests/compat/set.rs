//! Sets: members, algebra, random members, encodings.

use tests::compat::{same, same_with};

#[test]
fn members_come_and_go() {
    same(
        r#"
        SADD s a b c a
        SADD s c d
        SCARD s
        SISMEMBER s a
        SISMEMBER s x
        SISMEMBER missing x
        SMISMEMBER s a x b
        SMISMEMBER missing a b
        ~ SMEMBERS s
        SMEMBERS missing
        SREM s a x
        SREM missing a
        SREM s b c d
        EXISTS s
        SCARD s
        SMOVE missing d a
        SADD a 1 2 3
        SADD b 3 4
        SMOVE a b 1
        SMOVE a b 3
        SMOVE a b 9
        SMOVE a a 2
        SMOVE a new 2
        EXISTS a
        SMEMBERS b
        SMEMBERS new
        SADD s
        SCARD
        SISMEMBER s
        SMISMEMBER s
        SMEMBERS
        SREM s
        SMOVE a b
        "#,
    );
}

#[test]
fn set_commands_refuse_other_types() {
    same(
        r#"
        SET k v
        SADD s a
        SADD k a
        SREM k a
        SCARD k
        SISMEMBER k a
        SMISMEMBER k a
        SMEMBERS k
        SMOVE k s a
        SMOVE s k a
        SMOVE s k missing
        SPOP k
        SPOP k 2
        SRANDMEMBER k
        SRANDMEMBER k 2
        SINTER s k
        SINTER k s
        SINTER missing k
        SUNION s k
        SDIFF s k
        SDIFF k s
        SINTERCARD 2 s k
        SINTERSTORE d s k
        SUNIONSTORE d s k
        SDIFFSTORE d s k
        SINTERSTORE k s s
        TYPE k
        "#,
    );
}

#[test]
fn intersections_unions_differences() {
    same(
        r#"
        SADD a 1 2 3 4
        SADD b 3 4 5
        SADD c x y 3
        ~ SINTER a b
        ~ SINTER a b c
        SINTER a missing
        SINTER missing
        ~ SUNION a b c
        SUNION missing none
        ~ SUNION a missing
        ~ SDIFF a b
        ~ SDIFF c a
        SDIFF missing a
        ~ SDIFF a c c c c c c c c missing
        ~ SDIFF a missing
        ~ SDIFF a a
        SINTERSTORE d a b
        SMEMBERS d
        SINTERSTORE d a missing
        EXISTS d
        SUNIONSTORE d a b
        SMEMBERS d
        OBJECT ENCODING d
        SUNIONSTORE d a c
        ~ SMEMBERS d
        OBJECT ENCODING d
        SDIFFSTORE d a b
        SMEMBERS d
        SDIFFSTORE a a a
        EXISTS a
        SADD a 1 2 3 4
        SUNIONSTORE a a b
        SMEMBERS a
        SINTERCARD 2 a b
        SINTERCARD 2 a b LIMIT 1
        SINTERCARD 2 a b LIMIT 0
        SINTERCARD 2 a b LIMIT -1
        SINTERCARD 2 a b LIMIT x
        SINTERCARD 2 a b LIMIT
        SINTERCARD 0 a
        SINTERCARD x a
        SINTERCARD 3 a b
        SINTERCARD 1 a b
        SINTERCARD 1 missing
        SINTER
        SINTERSTORE d
        SINTERCARD
        "#,
    );
}

#[test]
fn random_members_and_pops() {
    same(
        r#"
        SRANDMEMBER missing
        SRANDMEMBER missing 5
        SPOP missing
        SPOP missing 5
        SADD s a
        SRANDMEMBER s
        SRANDMEMBER s 1
        SRANDMEMBER s 5
        SRANDMEMBER s -3
        SRANDMEMBER s 0
        SRANDMEMBER s x
        SRANDMEMBER s -9223372036854775808
        SADD s b c
        ? SRANDMEMBER s
        ~ SRANDMEMBER s 3
        ~ SRANDMEMBER s 10
        ? SRANDMEMBER s 2
        ? SRANDMEMBER s -10
        ? SPOP s
        SPOP s 0
        SPOP s -1
        SPOP s x
        ? SPOP s 1
        SCARD s
        ? SPOP s 10
        EXISTS s
        SADD i 1 2 3
        ~ SPOP i 3
        EXISTS i
        SADD i 1 2 3
        ~ SPOP i 100
        SPOP i 1 2
        SRANDMEMBER i 1 2
        SPOP
        SRANDMEMBER
        "#,
    );
}

#[test]
fn encodings_change_at_their_limits() {
    same_with(
        &["--set-max-intset-entries", "4"],
        r#"
        SADD s 1 2 3 4
        OBJECT ENCODING s
        SADD s 5
        OBJECT ENCODING s
        SADD t 1 2
        SADD t x
        OBJECT ENCODING t
        SREM t x
        OBJECT ENCODING t
        SADD u 9223372036854775807 -9223372036854775808
        OBJECT ENCODING u
        SMEMBERS u
        SADD u 9223372036854775808
        OBJECT ENCODING u
        SADD v 01
        OBJECT ENCODING v
        SADD w -0
        OBJECT ENCODING w
        SADD x 100 -5 70000 3
        SMEMBERS x
        SISMEMBER x 70000
        SISMEMBER x 070000
        SREM x 70000
        SUNIONSTORE y x s
        OBJECT ENCODING y
        "#,
    );
}
