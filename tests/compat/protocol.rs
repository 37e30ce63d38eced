//! The wire below commands: inline requests, malformed requests, limits.

use tests::compat::{Protocol, same, same_in, same_with};

#[test]
fn inline_requests() {
    same(
        r#"
        raw "PING\r\n"
        raw "PING\n"
        raw "   PING   hello  \r\n"
        raw "\r\n\r\nPING\r\n"
        raw "SET k \"a b\\x00\\n\"\r\n"
        raw "GET k\r\n"
        raw "SET 'single q' 'it\\'s'\r\n"
        raw "GET 'single q'\r\n"
        raw "GET \"unbalanced\r\n"
        "#,
    );
    same(r#"raw "GET \"a\"b\r\n""#);
    same(r#"raw "GET 'a'b\r\n""#);
}

#[test]
fn malformed_requests_are_answered_and_the_connection_closed() {
    for bytes in [
        r"*1\r\nPING\r\n",
        r"*1\r\n:4\r\nPING\r\n",
        r"*x\r\n",
        r"*1\r\n$x\r\nPING\r\n",
        r"*1\r\n$-1\r\n",
        r"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$536870913\r\n",
        r"*2147483648\r\n",
        r"*1\r\n$4294967297\r\n",
        r"*1\r\n$99999999999999999999\r\n",
        r"*99999999999999999999\r\n",
    ] {
        same(&format!("b: raw \"{bytes}\"\nb<"));
    }
}

#[test]
fn empty_requests_are_skipped() {
    same(
        r#"
        raw "*0\r\n*1\r\n$4\r\nPING\r\n"
        raw "*-1\r\n*1\r\n$4\r\nPING\r\n"
        raw "*-5\r\nPING\r\n"
        "#,
    );
}

#[test]
fn pipelined_and_split_requests() {
    same(
        r#"
        b> raw "*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\nPING\r\n"
        b<
        b<
        b<
        b> raw "*2\r"
        b> raw "\n$4\r\nEC"
        b> raw "HO\r\n$5\r\nhel"
        b!
        b> raw "lo\r\n"
        b<
        b> raw "PI"
        b!
        b> raw "NG\r\n"
        b<
        "#,
    );
}

#[test]
fn an_inline_request_has_a_limit() {
    same("b: raw \"{x*66000}\"\nb<");
    same("b: raw \"*{1*66000}\"\nb<");
    same("b: raw \"*1\\r\\n${1*66000}\"\nb<");
}

#[test]
fn clients_that_did_not_authenticate_have_small_limits() {
    same_with(&["--requirepass", "x"], "b: raw \"*11\\r\\n\"\nb<");
    same_with(
        &["--requirepass", "x"],
        "b: raw \"*1\\r\\n$16385\\r\\n\"\nb<",
    );
}

#[test]
fn bulk_limit_is_a_directive() {
    same_with(
        &["--proto-max-bulk-len", "1mb"],
        r#"
        b: raw "*1\r\n$1048577\r\n"
        b<
        SET k {x*1048576}
        STRLEN k
        APPEND k x
        SETRANGE k 1048576 x
        "#,
    );
}

#[test]
fn web_requests_are_cut_off() {
    same("b: raw \"POST / HTTP/1.1\\r\\n\"");
    same("b: raw \"Host: x\\r\\n\"");
    same_in(Protocol::Resp2, &[], "b: raw \"GET / HTTP/1.1\\r\\n\"");
}

#[test]
fn errors_quote_words_up_to_a_nul_and_on_one_line() {
    same(
        r#"
        ACL CAT "a\xff\r\nb\x00c"
        ACL SETUSER u "+a\xff\r\nb\x00c"
        ACL SETUSER u "(a\xff\r\nb\x00c"
        LATENCY GRAPH "a\xff\r\nb\x00c"
        CLIENT LIST TYPE "a\xff\r\nb\x00c"
        CLIENT KILL USER "a\xff\r\nb\x00c"
        FUNCTION LOAD "a\xff\r\nb\x00c" code
        FUNCTION LIST "a\xff\r\nb\x00c"
        CLIENT TRACKING ON BCAST PREFIX "\xff\r\n" PREFIX "\xff\r\nb"
        "#,
    );
}
