//! Hashes: fields, counters, random fields, encodings.

use tests::compat::{same, same_with};

#[test]
fn fields_come_and_go() {
    same(
        r#"
        HSET h a 1 b 2
        HSET h a 3 c 4
        HMSET h d 5 e 6
        HSETNX h a 9
        HSETNX h z 9
        HGET h a
        HGET h missing
        HGET missing a
        HMGET h a missing b
        HMGET missing a b
        HGETALL h
        HGETALL missing
        HKEYS h
        HVALS h
        HKEYS missing
        HVALS missing
        HLEN h
        HLEN missing
        HEXISTS h a
        HEXISTS h x
        HEXISTS missing x
        HSTRLEN h a
        HSTRLEN h x
        HSTRLEN missing x
        HDEL h a x a
        HDEL missing a
        HDEL h b c d e z
        EXISTS h
        HSET h "" ""
        HGET h ""
        HGETALL h
        HSET h
        HSET h a
        HSET h a b c
        HMSET h a
        HMSET h a b c
        HSETNX h a
        HGET h
        HMGET h
        HGETALL
        HDEL h
        HLEN
        HEXISTS h
        HSTRLEN h
        "#,
    );
}

#[test]
fn hash_commands_refuse_other_types() {
    same(
        r#"
        SET k v
        HSET k a 1
        HMSET k a 1
        HSETNX k a 1
        HGET k a
        HMGET k a
        HGETALL k
        HKEYS k
        HVALS k
        HLEN k
        HEXISTS k a
        HSTRLEN k a
        HDEL k a
        HINCRBY k a 1
        HINCRBYFLOAT k a 1
        HRANDFIELD k
        HRANDFIELD k 2
        "#,
    );
}

#[test]
fn counters_in_fields() {
    same(
        r#"
        HINCRBY h n 5
        HINCRBY h n -10
        HINCRBY h n x
        HINCRBY h n 9223372036854775807
        HINCRBY h n 9223372036854775807
        HSET h max 9223372036854775807
        HINCRBY h max 1
        HSET h min -9223372036854775808
        HINCRBY h min -1
        HSET h bad abc
        HINCRBY h bad 1
        HSET h sp " 1"
        HINCRBY h sp 1
        HSET h f 1.5
        HINCRBY h f 1
        HINCRBYFLOAT h f 1
        HINCRBYFLOAT h f 0.1
        HINCRBYFLOAT h new 3.14
        HINCRBYFLOAT h n 1e2
        HINCRBYFLOAT h bad 1
        HINCRBYFLOAT h sp 1
        HINCRBYFLOAT h f x
        HINCRBYFLOAT h f inf
        HINCRBYFLOAT h f nan
        HSET h big 1e4931
        HINCRBYFLOAT h big 1e4932
        HINCRBYFLOAT h big 9e4932
        HINCRBY h n
        HINCRBYFLOAT h n
        "#,
    );
}

#[test]
fn random_fields() {
    same(
        r#"
        HRANDFIELD missing
        HRANDFIELD missing 5
        HRANDFIELD missing 5 WITHVALUES
        HSET h a 1
        HRANDFIELD h
        HRANDFIELD h 1
        HRANDFIELD h 5 WITHVALUES
        HRANDFIELD h -3 WITHVALUES
        HRANDFIELD h -2
        HRANDFIELD h 0
        HRANDFIELD h 0 WITHVALUES
        HSET h b 2 c 3
        % HRANDFIELD h 3 WITHVALUES
        ? HRANDFIELD h 2
        ? HRANDFIELD h 2 WITHVALUES
        ? HRANDFIELD h -10 WITHVALUES
        HRANDFIELD h x
        HRANDFIELD h 1 BAD
        HRANDFIELD h 1 WITHVALUES x
        HRANDFIELD h -9223372036854775808
        HRANDFIELD h -9223372036854775808 WITHVALUES
        HRANDFIELD h 9223372036854775807 WITHVALUES
        HRANDFIELD
        "#,
    );
}

#[test]
fn encodings_change_at_their_limits() {
    same_with(
        &[
            "--hash-max-listpack-entries",
            "3",
            "--hash-max-listpack-value",
            "10",
        ],
        r#"
        HSET h a 1 b 2 c 3
        OBJECT ENCODING h
        HSET h a 5
        OBJECT ENCODING h
        HSET h d 4
        OBJECT ENCODING h
        HDEL h d
        OBJECT ENCODING h
        % HGETALL h
        ~ HKEYS h
        ~ HVALS h
        HMGET h a b c
        HSET v f 1234567890
        OBJECT ENCODING v
        HSET v f 12345678901
        OBJECT ENCODING v
        HSET w 12345678901 x
        OBJECT ENCODING w
        HSETNX y f 12345678901
        OBJECT ENCODING y
        HINCRBYFLOAT z f 123456789.25
        OBJECT ENCODING z
        & HSCAN h 0 COUNT 100
        HSTRLEN h a
        HINCRBY h a 10
        COPY h hh
        % HGETALL hh
        "#,
    );
}
