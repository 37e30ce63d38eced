//! Bitmaps: bits, counts, operations, fields.

use tests::compat::{same, same_with};

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

#[test]
fn fields_of_any_width() {
    same(
        r#"
        BITFIELD b SET u8 0 255 GET u8 0 GET i8 0 GET u4 2 GET i4 2
        BITFIELD b INCRBY u8 0 1
        BITFIELD b SET i5 3 -7 GET i5 3 GET u5 3 INCRBY i5 3 100
        BITFIELD b SET u63 100 9223372036854775807 GET u63 100 INCRBY u63 100 1
        BITFIELD b SET i64 #1 -9223372036854775808 GET i64 #1 INCRBY i64 #1 -1
        BITFIELD b GET i64 64 GET u8 #3 GET u8 100000
        BITFIELD b OVERFLOW SAT SET u8 0 250 INCRBY u8 0 10 INCRBY u8 0 -300
        BITFIELD b OVERFLOW SAT INCRBY i8 8 1000 INCRBY i8 8 -1000 SET u4 0 -1
        BITFIELD b OVERFLOW FAIL SET u8 0 255 INCRBY u8 0 1 SET u8 0 256 SET i8 0 128
        BITFIELD b OVERFLOW FAIL INCRBY u8 0 -300 OVERFLOW WRAP INCRBY u8 0 300 overflow sat incrby u8 0 -1000
        BITFIELD b SET u8 0 -1 SET u8 8 511 SET i8 16 200
        GET b
        OBJECT ENCODING b
        SET n 12345
        BITFIELD n GET u8 0
        OBJECT ENCODING n
        BITFIELD n SET u8 0 49
        OBJECT ENCODING n
        GET n
        EXPIRE n 1000
        BITFIELD n SET u8 #10 65
        TTL n
        STRLEN n
        BITFIELD grown OVERFLOW FAIL INCRBY u8 800 256
        STRLEN grown
        BITFIELD missing GET u8 0 GET i64 5
        EXISTS missing
        BITFIELD missing
        BITFIELD_RO b GET u8 0 GET i16 #1
        BITFIELD_RO missing GET u8 0
        BITFIELD_RO b
        "#,
    );
}

#[test]
fn bad_fields() {
    same(
        r#"
        BITFIELD k OVERFLOW FOO GET u8 0
        BITFIELD k OVERFLOW
        BITFIELD k GET u64 0
        BITFIELD k GET i65 0
        BITFIELD k GET u0 0
        BITFIELD k GET i0 0
        BITFIELD k GET x8 0
        BITFIELD k GET u 0
        BITFIELD k GET "" 0
        BITFIELD k GET u08 0
        BITFIELD k GET u8 -1
        BITFIELD k GET u8 #-1
        BITFIELD k GET u8 #
        BITFIELD k GET u8 #x
        BITFIELD k GET u8 ##1
        BITFIELD k GET u8 4294967296
        BITFIELD k GET u8 4294967295
        BITFIELD k GET u8 #536870911
        BITFIELD k GET u8 #536870912
        BITFIELD k GET u63 #9223372036854775807
        BITFIELD k SET u8 0 x
        BITFIELD k SET u8 0
        BITFIELD k SET u8 0 1 FOO
        BITFIELD k INCRBY u8 0 9223372036854775808
        BITFIELD k FOO
        BITFIELD k GET u8
        BITFIELD_RO k SET u8 0 1
        BITFIELD_RO k OVERFLOW WRAP GET u8 0
        BITFIELD_RO k GET u8 0 OVERFLOW WRAP
        BITFIELD_RO k FOO
        EXISTS k
        LPUSH l a
        BITFIELD l
        BITFIELD l GET u8 0
        BITFIELD l SET u8 0 1
        BITFIELD l SET u8 0 x
        BITFIELD_RO l GET u8 0
        BITFIELD
        COMMAND GETKEYSANDFLAGS BITFIELD k GET u8 0
        COMMAND GETKEYSANDFLAGS BITFIELD k SET u8 0 1
        COMMAND GETKEYSANDFLAGS BITFIELD k
        COMMAND GETKEYSANDFLAGS BITFIELD k GET SET 0 OVERFLOW SET
        COMMAND GETKEYSANDFLAGS BITFIELD k FOO
        COMMAND GETKEYSANDFLAGS BITFIELD_RO k GET u8 0
        "#,
    );
}

#[test]
fn random_fields_are_read_and_changed_as_redis_does() {
    let mut script = String::new();
    let mut state = 3u64;
    let mut random = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..400 {
        let signed = random(2) == 0;
        let width = 1 + random(if signed { 64 } else { 63 });
        let field = format!("{}{width}", if signed { 'i' } else { 'u' });
        let offset = random(200);
        let number = match random(4) {
            0 => i64::MAX - random(3) as i64,
            1 => i64::MIN + random(3) as i64,
            2 => random(1 << width.min(40)) as i64,
            _ => -(random(1 << width.min(40)) as i64),
        };
        let overflow = ["WRAP", "SAT", "FAIL"][random(3) as usize];
        let action = ["SET", "INCRBY"][random(2) as usize];
        script += &format!(
            "BITFIELD b OVERFLOW {overflow} {action} {field} {offset} {number} GET {field} {offset}\n"
        );
    }
    script += "GET b\n";
    same(&script);
}

#[test]
fn bits_that_stay_as_they_are_are_no_change() {
    same_with(
        &["--notify-keyspace-events", "KEA"],
        r#"
        b: PSUBSCRIBE *
        SETBIT k 0 0
        b<
        b<
        SETBIT k 0 0
        b!
        SETBIT k 90 0
        b<
        b<
        SETBIT k 90 1
        b<
        b<
        SETBIT k 90 1
        BITFIELD k SET u8 0 0 INCRBY u8 0 0
        b!
        BITFIELD k SET u8 0 1
        b<
        b<
        BITFIELD k OVERFLOW FAIL INCRBY u8 0 300
        b!
        "#,
    );
}
