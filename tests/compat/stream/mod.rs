//! Streams.

mod blocking;
mod groups;

use tests::compat::{same, same_with};

#[test]
fn entries_are_added_and_read_in_order() {
    same(
        r#"
        XADD s 5-5 a 1 b two
        XADD s 5-6 a -70000 b "x\x00\r\ny"
        XADD s 6-0 a 1 c 3
        XADD s 7 a 1
        XADD s 9-* a 1
        XADD s 9-* a 2
        XADD s 12-* "" ""
        XLEN s
        XRANGE s - +
        XREVRANGE s + -
        XRANGE s 5-6 7
        XRANGE s (5-6 (9-1
        XREVRANGE s (9-1 (5-6
        XRANGE s 6 6
        XRANGE s 9 5
        XRANGE s 100 +
        XRANGE s - + COUNT 2
        XREVRANGE s + - COUNT 2
        XRANGE s - + COUNT 0
        XRANGE s - + COUNT -5
        XRANGE s - + COUNT 2 COUNT 1
        XRANGE s - + COUNT
        XRANGE s - + COUNT x
        XRANGE s - + LIMIT 2
        XRANGE s - + COUNT 1 x
        XRANGE missing - +
        XRANGE missing - + COUNT 0
        XREVRANGE missing + -
        XLEN missing
        TYPE s
        OBJECT ENCODING s
        XRANGE s
        XRANGE s -
        XLEN
        XLEN s s
        "#,
    );
}

#[test]
fn ids_are_read_as_redis_reads_them() {
    let long = "0".repeat(200);
    same(&format!(
        r#"
        XADD s 5-5 f v
        XADD s "" f v
        XADD s - f v
        XADD s + f v
        XADD s 5-* f v
        XADD s 5--5 f v
        XADD s -5 f v
        XADD s -- f v
        XADD s 5- f v
        XADD s 5-+ f v
        XADD s +6 f v
        XADD s " 7" f v
        XADD s "7 " f v
        XADD s 008 f v
        XADD s 8-007 f v
        XADD s -05 f v
        XADD s 9--05 f v
        XADD s 10-18446744073709551615 f v
        XADD s 10-18446744073709551616 f v
        XADD s 10-* f v
        XADD s 18446744073709551616 f v
        XADD s 0-0 f v
        XADD s 0 f v
        XADD s 0-* f v
        XADD s *-5 f v
        XADD s 11-** f v
        XADD s "11-* " f v
        XADD s 3-* f v
        XADD s x f v
        XADD s 11-1-1 f v
        XADD s "12\x0099" f v
        XADD s "13-3\x009" f v
        XADD s "\t\r\n 14" f v
        XADD s "15-\t5" f v
        XADD s {zeros_127} f v
        XADD s {long} f v
        XADD s "17-*\x00x" f v
        XRANGE s - +
        XRANGE s (- +
        XRANGE s - (+
        XRANGE s ( +
        XRANGE s (x +
        XRANGE s - x
        XRANGE s 5-* +
        XRANGE s (18446744073709551615-18446744073709551615 +
        XRANGE s - (0-0
        XRANGE s (0 (0
        XRANGE s "-\x00x" "+\x00"
        XRANGE missing x +
        ? XADD s * f v
        ? XADD s "*\x00x" f v
        XADD s 18446744073709551615-18446744073709551614 f v
        XADD s * f v
        XADD s * f v
        XADD s 18446744073709551615-18446744073709551615 f v
        XADD s 5 f v
        XADD s 18446744073709551615-* f v
        XADD t 0-* f v
        XADD t 0-* f v
        XADD u 0 f v
        EXISTS u
        "#,
        zeros_127 = format_args!("{}16", "0".repeat(125)),
    ));
}

#[test]
fn wrong_forms_of_xadd_are_refused() {
    same(
        r#"
        XADD
        XADD s
        XADD s *
        XADD s * f
        XADD s * f v f
        XADD s 5 f v f
        XADD s NOMKSTREAM * f v
        XADD s NOMKSTREAM NOMKSTREAM NOMKSTREAM
        XADD s NOMKSTREAM 5 f
        XADD s MAXLEN 5
        XADD s MAXLEN 5 f v
        XADD s MAXLEN x * f v
        XADD s MAXLEN -1 * f v
        XADD s MAXLEN ~ * f v
        XADD s MAXLEN = 5 MINID 5 * f v
        XADD s MAXLEN 5 MAXLEN 5 * f v
        XADD s MINID x * f v
        XADD s MINID - * f v
        XADD s LIMIT 5 * f v
        XADD s LIMIT 0 * f v
        XADD s LIMIT -1 * f v
        XADD s LIMIT x * f v
        XADD s MAXLEN 5 LIMIT 5 * f v
        XADD s MAXLEN = 5 LIMIT 0 * f v
        XADD s MAXLEN ~ 5 LIMIT 5 LIMIT * f v
        XADD s bad * f v
        EXISTS s
        SET str v
        XADD str * f v
        XADD str 0-0 f v
        XADD str NOMKSTREAM * f v
        XLEN str
        XRANGE str - +
        XRANGE str - + COUNT 0
        XDEL str 1
        XTRIM str MAXLEN 1
        XREAD STREAMS str 0
        XREADGROUP GROUP g c STREAMS str >
        XSETID str 1-1
        XACK str g 1
        XPENDING str g
        XCLAIM str g c 0 1
        XAUTOCLAIM str g c 0 0
        XGROUP CREATE str g 0
        XGROUP CREATE str g 0 MKSTREAM
        XGROUP SETID str g 0
        XGROUP DESTROY str g
        XGROUP CREATECONSUMER str g c
        XGROUP DELCONSUMER str g c
        XINFO STREAM str
        XINFO GROUPS str
        XINFO CONSUMERS str g
        "#,
    );
}

#[test]
fn entries_are_deleted() {
    same(
        r#"
        XADD s 1 f v
        XADD s 2 f v
        XADD s 3 g v
        XADD s 4 f v
        XDEL s 2
        XDEL s 2
        XDEL s 3 9 3 x
        XLEN s
        XDEL s 3 9 3
        XRANGE s - +
        XREVRANGE s + -
        XINFO STREAM s
        XDEL s 1 4
        XINFO STREAM s
        EXISTS s
        XADD s 4 f v
        XADD s 5 f v
        XINFO STREAM s
        XDEL missing 1
        XDEL missing x
        XDEL s
        "#,
    );
}

#[test]
fn streams_are_trimmed_to_the_entry() {
    same_with(
        &["--stream-node-max-entries", "3"],
        r#"
        XADD s 1 f v
        XADD s 2 f v
        XADD s 3 f v
        XADD s 4 f v
        XADD s 5 f v
        XADD s 6 f v
        XADD s 7 f v
        XADD s 8 f v
        XINFO STREAM s
        XTRIM s MAXLEN ~ 6
        XTRIM s MAXLEN ~ 5
        XINFO STREAM s
        XTRIM s MAXLEN 4
        XTRIM s MAXLEN = 4
        XINFO STREAM s
        XTRIM s MINID ~ 7
        XTRIM s MINID 8
        XINFO STREAM s
        XTRIM s MAXLEN 0
        XINFO STREAM s
        XADD s MAXLEN 2 9 f v
        XADD s MAXLEN = 2 10 f v
        XADD s MAXLEN 2 11 f v
        XADD s MAXLEN ~ 2 12 f v
        XADD s MAXLEN ~ 2 LIMIT 1 13 f v
        XADD s MAXLEN ~ 2 LIMIT 2 14 f v
        XADD s MAXLEN ~ 2 LIMIT 0 15 f v
        XADD s MINID 12 16 f v
        XADD s MINID ~ 15 17 f v
        XADD s MINID 99 18 f v
        XADD s NOMKSTREAM MAXLEN 1 19 f v
        XADD s MAXLEN 0 20 f v
        XRANGE s - +
        XINFO STREAM s
        XADD s 21 f v
        XADD s 22 f v
        XADD s 23 f v
        XDEL s 23
        XTRIM s MINID 23
        XINFO STREAM s
        XADD s 24 f v
        XINFO STREAM s
        XTRIM missing MAXLEN 1
        XTRIM missing MAXLEN x
        XTRIM s
        XTRIM s MAXLEN
        XTRIM s MAXLEN ~
        XTRIM s MAXLEN =
        XTRIM s MAXLEN = =
        XTRIM s MAXLEN ~ 1 LIMIT
        XTRIM s BAD 1
        XTRIM s MAXLEN 1 BAD
        XTRIM s NOMKSTREAM MAXLEN 1
        XTRIM s LIMIT 1 MAXLEN
        XTRIM s LIMIT 1 LIMIT 2
        XTRIM s MAXLEN 1 LIMIT 1
        XTRIM s MAXLEN ~ 1 LIMIT -1
        XTRIM s MINID x
        XTRIM s MINID (1
        "#,
    );
}

#[test]
fn an_approximate_trim_stops_after_a_hundred_nodes() {
    let adds = (1..=310).map(|n| format!("XADD s {n} f v\n"));
    let script = adds.collect::<String>()
        + "XTRIM s MAXLEN ~ 1
        XTRIM s MAXLEN ~ 1 LIMIT 1000000
        XINFO STREAM s";
    same_with(&["--stream-node-max-entries", "3"], &script);
    same_with(&["--stream-node-max-entries", "0"], &script);
    same_with(&["--stream-node-max-bytes", "100"], &script);
    same_with(&["--stream-node-max-bytes", "0"], &script);
}

#[test]
fn the_shape_of_the_tree_is_that_of_redis() {
    let mut script = String::new();
    let mut number = 1u64;
    for step in 0..120u64 {
        number += (step * step * 37) % 1000 + 1;
        script += &format!("XADD s {number}-{} f v\nXINFO STREAM s\n", step % 5 * 300);
        if step % 3 == 0 {
            script += &format!("XDEL s {}-0\nXTRIM s MINID {}\n", number - 1, number / 3);
        }
    }
    same_with(&["--stream-node-max-entries", "1"], &script);
    same_with(&["--stream-node-max-entries", "2"], &script);
}

#[test]
fn the_history_of_a_stream_is_set() {
    same(
        r#"
        XADD s 5-5 f v
        XADD s 6-5 f v
        XSETID s 6-4
        XSETID s 6-5
        XSETID s 9
        XINFO STREAM s
        XSETID s 9 ENTRIESADDED 1
        XSETID s 9 ENTRIESADDED 100 MAXDELETEDID 7-0
        XINFO STREAM s
        XSETID s 9 ENTRIESADDED -1
        XSETID s 9 ENTRIESADDED x
        XSETID s 9 ENTRIESADDED
        XSETID s 9 MAXDELETEDID 10
        XSETID s 9 MAXDELETEDID x
        XSETID s 9 MAXDELETEDID 0-0
        XSETID s 9 BAD 5
        XSETID s 9 BAD
        XSETID s x
        XSETID s -
        XSETID s 9 10
        XSETID s 9 10 11
        XINFO STREAM s
        XDEL s 5-5 6-5
        XSETID s 6-9
        XSETID s 8 ENTRIESADDED 0
        XINFO STREAM s
        XSETID missing 1
        XSETID missing x
        XSETID s
        XADD s 8-1 f v
        "#,
    );
}

#[test]
fn readers_get_what_is_behind_their_ids() {
    same(
        r#"
        XADD s 1 f v
        XADD s 2 f v
        XADD t 1 g v
        XREAD STREAMS s t 0 0
        XREAD COUNT 1 STREAMS s t 0 0
        XREAD COUNT 0 STREAMS s 0
        XREAD COUNT -1 STREAMS s 0
        XREAD STREAMS s t 2 0
        XREAD STREAMS s t 2 1
        XREAD STREAMS s $
        XREAD STREAMS missing 0
        XREAD STREAMS missing s 0 0
        XREAD STREAMS s s 0 1
        XREAD STREAMS s 1-18446744073709551615
        XREAD STREAMS s 18446744073709551615-18446744073709551615
        XREAD BLOCK 10 STREAMS s 0
        XREAD BLOCK 10 STREAMS s $
        XREAD BLOCK 10 STREAMS missing 0
        XREAD BLOCK 10 COUNT 1 BLOCK 5 STREAMS s t 0 0
        XREAD BLOCK -1 STREAMS s 0
        XREAD BLOCK x STREAMS s 0
        XREAD BLOCK 1.5 STREAMS s 0
        XREAD COUNT x STREAMS s 0
        XREAD COUNT STREAMS s 0
        XREAD STREAMS s
        XREAD STREAMS s t 0
        XREAD STREAMS s x
        XREAD STREAMS s >
        XREAD STREAMS s +
        XREAD STREAMS s t x 0
        XREAD BAD STREAMS s 0
        XREAD COUNT 1 BLOCK 1
        XREAD GROUP g c STREAMS s >
        XREAD NOACK STREAMS s 0
        XREAD
        XDEL s 2
        XREAD STREAMS s 1
        XREAD BLOCK 10 STREAMS s 1
        "#,
    );
}

#[test]
fn events_of_streams() {
    same_with(
        &["--notify-keyspace-events", "KEA"],
        r#"
        b: PSUBSCRIBE __key*
        XADD s 1 f v
        b<
        b<
        XADD s MAXLEN 1 2 f v
        b<
        b<
        b<
        b<
        XADD s 3 f v
        b<
        b<
        XTRIM s MAXLEN 1
        b<
        b<
        XTRIM s MAXLEN 1
        XDEL s 1
        XDEL s 3
        b<
        b<
        XSETID s 9
        b<
        b<
        XGROUP CREATE s g 0
        b<
        b<
        XGROUP CREATE t g 0 MKSTREAM
        b<
        b<
        XGROUP SETID s g 0
        b<
        b<
        XGROUP CREATECONSUMER s g c
        b<
        b<
        XGROUP CREATECONSUMER s g c
        XGROUP DELCONSUMER s g c
        b<
        b<
        XADD s 10 f v
        b<
        b<
        XREADGROUP GROUP g c STREAMS s >
        b<
        b<
        XCLAIM s g d 0 10
        b<
        b<
        XAUTOCLAIM s g e 0 0
        b<
        b<
        XACK s g 10
        XGROUP DESTROY s g
        b<
        b<
        b!
        "#,
    );
}

#[test]
fn payloads_of_streams_are_those_of_redis() {
    let mut script = String::new();
    for n in 1..=60u32 {
        let fields = ["f", "f g", "g f", "other"][n as usize % 4];
        let pairs: Vec<String> = fields
            .split(' ')
            .map(|field| format!("{field} {}", i64::from(n * n * n) * 7919 - 50_000))
            .collect();
        script += &format!("XADD s {}-{} {}\n", n / 3, n, pairs.join(" "));
        match n % 7 {
            0 => script += &format!("XDEL s {}-{}\n", (n - 3) / 3, n - 3),
            3 => script += &format!("XTRIM s MAXLEN {}\n", 40 - n / 3),
            5 => script += &format!("XGROUP CREATE s g{n} {} ENTRIESREAD {}\n", n / 4, n % 3),
            _ => {}
        }
        script += "DUMP s\n";
    }
    script += r#"
        $payload = DUMP s
        RESTORE t 0 $payload
        RESTORE t 0 $payload
        DUMP t
        XINFO STREAM t
        XINFO GROUPS t
        XRANGE t - +
        XADD t 1000 f v
        XADD t 1000 f v
        XGROUP CREATE e g $ MKSTREAM
        DUMP e
        XADD e 5 f v
        XDEL e 5
        DUMP e
        XADD e 6 f v
        XADD e 7 f v
        XDEL e 7
        XTRIM e MINID 7
        DUMP e
    "#;
    for limits in [["4096", "100"], ["4096", "4"], ["90", "0"], ["0", "0"]] {
        let [bytes, entries] = limits;
        let directives = [
            "--rdbcompression",
            "no",
            "--stream-node-max-bytes",
            bytes,
            "--stream-node-max-entries",
            entries,
        ];
        same_with(&directives, &script);
    }
}

#[test]
fn keys_of_stream_requests() {
    same(
        r#"
        COMMAND GETKEYS XREAD STREAMS a 0
        COMMAND GETKEYS XREAD COUNT 2 BLOCK 5 STREAMS a b 0 $
        COMMAND GETKEYS XREAD COUNT 2 BLOCK 5 streams a b c 0 0 0
        COMMAND GETKEYS XREAD STREAMS a b 0
        COMMAND GETKEYS XREAD STREAMS a
        COMMAND GETKEYS XREAD COUNT 1 BLOCK 1
        COMMAND GETKEYS XREAD a b c d
        COMMAND GETKEYS XREADGROUP GROUP STREAMS c STREAMS a >
        COMMAND GETKEYS XREADGROUP GROUP g STREAMS STREAMS a b > >
        COMMAND GETKEYS XREADGROUP GROUP g c COUNT 1 NOACK STREAMS a >
        COMMAND GETKEYS XREADGROUP NOACK GROUP g c STREAMS STREAMS STREAMS
        COMMAND GETKEYSANDFLAGS XREAD STREAMS a 0
        COMMAND GETKEYSANDFLAGS XREADGROUP GROUP g c STREAMS a >
        COMMAND GETKEYSANDFLAGS XADD a * f v
        COMMAND GETKEYSANDFLAGS XGROUP CREATE a g 0
        COMMAND GETKEYSANDFLAGS XINFO STREAM a
        COMMAND GETKEYS XGROUP HELP
        "#,
    );
}

#[test]
fn looks_at_missing_streams_are_reported() {
    let steps = [
        ("XLEN s", 1),
        ("XRANGE s - +", 1),
        ("XREVRANGE s + -", 1),
        ("XREAD STREAMS s 0", 2),
        ("XREAD BLOCK 1 STREAMS s t 0 $", 4),
        ("XREADGROUP GROUP g c STREAMS s >", 1),
        ("XACK s g x", 1),
        ("XPENDING s g", 1),
        ("XCLAIM s g c 0 1", 1),
        ("XAUTOCLAIM s g c x 1", 1),
        ("XINFO STREAM s", 1),
        ("XINFO GROUPS s", 1),
        ("XINFO CONSUMERS s g", 1),
        ("XADD s NOMKSTREAM 1 f v", 0),
        ("XDEL s 1", 0),
        ("XTRIM s MAXLEN 1", 0),
        ("XSETID s 1", 0),
        ("XGROUP CREATE s g 0", 0),
        ("XGROUP DESTROY s g", 0),
    ];
    let mut script = String::from("b: PSUBSCRIBE __keyevent*\n");
    for (step, events) in steps {
        script += &format!("{step}\n{}b!\n", "b<\n".repeat(events));
    }
    same_with(&["--notify-keyspace-events", "Em"], &script);
}

#[test]
fn watched_streams_change_with_their_entries_only() {
    let steps = [
        "XADD s 10 f v",
        "XADD s NOMKSTREAM MAXLEN 9 11 f v",
        "XDEL s 1",
        "XDEL s 99",
        "XTRIM s MAXLEN 100",
        "XTRIM s MAXLEN 1",
        "XSETID s 99",
        "XGROUP CREATE s h 0",
        "XGROUP SETID s g 0",
        "XGROUP CREATECONSUMER s g c",
        "XREADGROUP GROUP g c STREAMS s >",
        "XCLAIM s g d 0 1 2 3 10 11",
        "XAUTOCLAIM s g d 0 0",
        "XACK s g 2 3 11",
        "XGROUP DELCONSUMER s g c",
        "XGROUP DESTROY s g",
        "XGROUP CREATE n g 0 MKSTREAM",
    ];
    let mut script =
        String::from("XADD s 1 f v\nXADD s 2 f v\nXADD s 3 f v\nXGROUP CREATE s g 0\n");
    for step in steps {
        script += &format!("WATCH s n\nb: {step}\nMULTI\nPING\nEXEC\n");
    }
    same(&script);
}
