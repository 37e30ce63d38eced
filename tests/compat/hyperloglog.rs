//! HyperLogLogs: estimates and stored bytes.

use tests::compat::{same, same_with};

#[test]
fn counting_and_merging() {
    same(
        r#"
        PFADD h
        PFADD h
        PFADD h a b c
        PFADD h a
        PFCOUNT h
        PFCOUNT missing
        PFADD g c d e f
        PFCOUNT h g missing
        PFMERGE m h g
        PFCOUNT m
        PFMERGE m
        PFMERGE new
        PFCOUNT new
        GET h
        STRLEN m
        SET s v
        PFADD s a
        PFCOUNT s
        PFCOUNT h s
        PFMERGE m s
        PFMERGE s h
        RPUSH l a
        PFADD l a
        PFCOUNT l
        SET bad "HYLL\x05"
        PFCOUNT bad
        SET bad "HYLL\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        PFCOUNT bad
        PFADD
        PFCOUNT
        PFMERGE
        "#,
    );
}

#[test]
fn dense_and_sparse_forms() {
    same_with(
        &["--hll-sparse-max-bytes", "40"],
        r#"
        PFADD h 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20
        PFCOUNT h
        STRLEN h
        PFADD i 1
        PFMERGE i h
        GET i
        "#,
    );
}

#[test]
fn the_first_key_that_is_wrong_says_what_is_wrong() {
    same(
        r#"
        PFADD h a
        SET corrupt "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80"
        SET other text
        RPUSH list a
        PFMERGE h corrupt other
        PFMERGE h other corrupt
        PFMERGE corrupt list
        PFCOUNT h corrupt list
        PFCOUNT h list corrupt
        PFMERGE new corrupt
        EXISTS new
        PFCOUNT h
        "#,
    );
}

#[test]
fn a_look_inside() {
    same(
        r#"
        PFADD h a b c
        PFDEBUG ENCODING h
        PFDEBUG DECODE h
        PFDEBUG GETREG h
        PFDEBUG ENCODING h
        PFDEBUG DECODE h
        PFDEBUG TODENSE h
        PFCOUNT h
        PFADD i a b c
        PFDEBUG todense i
        PFDEBUG FOO i
        PFDEBUG FOO missing
        PFDEBUG ENCODING missing
        LPUSH l x
        PFDEBUG ENCODING l
        SET s x
        PFDEBUG ENCODING s
        PFDEBUG FOO s
        PFDEBUG
        PFDEBUG ENCODING
        PFDEBUG ENCODING h i
        PFSELFTEST
        PFSELFTEST x
        "#,
    );
}
