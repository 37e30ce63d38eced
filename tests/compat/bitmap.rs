//! Bitmaps: bits, counts, operations, fields.

use tests::compat::same;

#[test]
fn single_bits() {
    same(
        r#"
        SETBIT k 7 1
        SETBIT k 7 0
        SETBIT k 100 1
        GETBIT k 100
        GETBIT k 7
        GETBIT k 10000
        GETBIT missing 0
        GET k
        STRLEN k
        SETBIT k -1 1
        SETBIT k x 1
        SETBIT k 4294967296 1
        SETBIT k 1 2
        SETBIT k 1 x
        GETBIT k -1
        GETBIT k x
        SET n 12
        SETBIT n 6 1
        GET n
        GETBIT n 2
        RPUSH l a
        SETBIT l 0 1
        GETBIT l 0
        BITCOUNT l
        BITPOS l 1
        BITOP NOT d l
        SETBIT k 1
        GETBIT k
        "#,
    );
}

#[test]
fn counts_and_positions() {
    same(
        r#"
        SET k "foobar"
        BITCOUNT k
        BITCOUNT k 0 0
        BITCOUNT k 1 1
        BITCOUNT k 0 -5
        BITCOUNT k -2 -1
        BITCOUNT k 5 1
        BITCOUNT k 5 30 BYTE
        BITCOUNT k 5 30 BIT
        BITCOUNT k -10 -1 BIT
        BITCOUNT k 0
        BITCOUNT k 0 x
        BITCOUNT k 0 1 BAD
        BITCOUNT missing
        BITCOUNT missing 0 1
        BITCOUNT missing 0 x
        SET p "\xff\xf0\x00"
        BITPOS p 0
        BITPOS p 1
        BITPOS p 1 2
        BITPOS p 1 2 -1
        BITPOS p 0 0 0
        BITPOS p 0 0 0 BIT
        BITPOS p 0 5 15 BIT
        BITPOS p 1 -1 -1 BYTE
        BITPOS p 2
        BITPOS p x
        BITPOS p 1 x
        BITPOS p 1 0 x
        BITPOS p 1 0 -1 BAD
        SET all "\xff\xff"
        BITPOS all 0
        BITPOS all 0 0
        BITPOS all 0 0 -1
        BITPOS all 0 5
        SET none "\x00\x00"
        BITPOS none 1
        BITPOS none 1 0 -1
        BITPOS missing 0
        BITPOS missing 1
        BITPOS missing 1 0 -1
        BITPOS p 1 3 1
        BITCOUNT
        BITPOS k
        "#,
    );
}

#[test]
fn bitop_combines_strings_of_different_length() {
    same(
        r#"
        SET a "\xff\x0f\xaa"
        SET b "\x0f\xf0"
        BITOP AND d a b
        GET d
        BITOP OR d a b
        GET d
        BITOP XOR d a b
        GET d
        BITOP NOT d a
        GET d
        BITOP NOT d a b
        BITOP and d a missing
        GET d
        BITOP AND d missing none
        EXISTS d
        BITOP OR d a
        GET d
        BITOP NAND d a b
        BITOP AND d
        SET n 12
        BITOP OR d n a
        GET d
        SET long {ab*100}
        SET long2 {cd*90}
        BITOP XOR d long long2 a
        GET d
        "#,
    );
}
