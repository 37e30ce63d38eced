//! Strings: SET and its options, counters, ranges.

use tests::compat::same;

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
        "#,
    );
}
