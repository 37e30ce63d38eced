//! Streams, groups and blocking readers included.

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
fn groups_are_made_and_unmade() {
    same(
        r#"
        XGROUP CREATE s g 0
        XGROUP CREATE s g 0 MKSTREAM
        XGROUP CREATE s g 0 MKSTREAM
        XGROUP CREATE s h $ ENTRIESREAD 5
        XGROUP CREATE s i 5-5 mkstream entriesread -1
        XGROUP CREATE s j x
        XGROUP CREATE s j - MKSTREAM
        XGROUP CREATE s j 0 ENTRIESREAD -2
        XGROUP CREATE s j 0 ENTRIESREAD x
        XGROUP CREATE s j 0 ENTRIESREAD
        XGROUP CREATE s j 0 BAD
        XGROUP CREATE s j 0 MKSTREAM MKSTREAM MKSTREAM
        XGROUP CREATE s k 0 MKSTREAM MKSTREAM MKSTREAM MKSTREAM
        XGROUP CREATE missing k x
        XGROUP CREATE missing k 0 BAD
        XGROUP CREATE
        XGROUP CREATE s j
        XADD s 7-7 f v
        XGROUP CREATE s l $
        XINFO GROUPS s
        XGROUP SETID s g $
        XGROUP SETID s g -
        XGROUP SETID s g +
        XGROUP SETID s g 7 ENTRIESREAD 3
        XGROUP SETID s g x
        XGROUP SETID s g 0 MKSTREAM
        XGROUP SETID s g 0 ENTRIESREAD
        XGROUP SETID s g 0 ENTRIESREAD 1 ENTRIESREAD 2
        XGROUP SETID s nosuch 0
        XGROUP SETID missing g 0
        XINFO GROUPS s
        XGROUP CREATECONSUMER s g alice
        XGROUP CREATECONSUMER s g alice
        XGROUP CREATECONSUMER s g bob
        XGROUP CREATECONSUMER s nosuch bob
        XGROUP CREATECONSUMER missing g bob
        XGROUP CREATECONSUMER s g
        XGROUP DELCONSUMER s g alice
        XGROUP DELCONSUMER s g alice
        XGROUP DELCONSUMER s nosuch alice
        XGROUP DELCONSUMER missing g alice
        XINFO GROUPS s
        XGROUP DESTROY s g
        XGROUP DESTROY s g
        XGROUP DESTROY missing g
        XGROUP DESTROY s
        XGROUP BAD s g
        XGROUP
        XGROUP HELP x
        XINFO HELP x
        XINFO BAD s
        XINFO
        XINFO STREAM
        XINFO STREAM missing
        XINFO STREAM missing BAD
        XINFO STREAM s BAD
        XINFO STREAM s FULL COUNT
        XINFO STREAM s FULL BAD 1
        XINFO STREAM s FULL COUNT x
        XINFO STREAM s FULL COUNT 1 2
        XINFO GROUPS missing
        XINFO GROUPS s x
        XINFO CONSUMERS missing g
        XINFO CONSUMERS s nosuch
        XINFO CONSUMERS s
        XGROUP CREATE "bin\r\nary" g 0
        XGROUP SETID s "a\x00b" 0
        XINFO CONSUMERS s "a\x00b"
        XREADGROUP GROUP "a\x00b" c STREAMS "s\r\n" >
        XPENDING "a\nb" g
        "#,
    );
}

#[test]
fn a_group_gives_each_entry_once() {
    same(
        r#"
        XADD s 1 f v
        XADD s 2 f v
        XADD s 3 f v
        XADD s 4 f v
        XADD t 1 g v
        XGROUP CREATE s g 0
        XGROUP CREATE t g 0
        XREADGROUP GROUP g alice COUNT 1 STREAMS s t > >
        XREADGROUP GROUP g bob COUNT 2 STREAMS s >
        XREADGROUP GROUP g bob STREAMS s t > 0
        XREADGROUP GROUP g bob STREAMS s t > >
        XREADGROUP GROUP g nobody STREAMS s t > >
        XINFO GROUPS s
        XREADGROUP GROUP g somebody STREAMS t 0
        XINFO GROUPS t
        XREADGROUP GROUP g alice STREAMS s 0
        XREADGROUP GROUP g bob COUNT 1 STREAMS s 0
        XREADGROUP GROUP g bob STREAMS s 2-0
        XREADGROUP GROUP g bob STREAMS s 18446744073709551615-18446744073709551615
        XREADGROUP GROUP g bob STREAMS s 18446744073709551615-18446744073709551614
        XDEL s 3
        XREADGROUP GROUP g bob STREAMS s 0
        XPENDING s g
        ? XPENDING s g - + 10
        ? XPENDING s g - + 10 bob
        XPENDING s g - + 10 carol
        XPENDING s g - + 0
        XPENDING s g - + -1
        ? XPENDING s g (1 (4 10
        XPENDING s g IDLE 1000000 - + 10
        ? XPENDING s g IDLE 0 - + 10 alice
        ? XPENDING s g IDLE -5 - + 10 alice
        XPENDING s g IDLE x - + 10
        XPENDING s g IDLE 1 - +
        XPENDING s g IDLE 1
        XPENDING s g -
        XPENDING s g - +
        XPENDING s g - + x
        XPENDING s g x + 10
        XPENDING s g - x 10
        XPENDING s g (- + 10
        XPENDING s g - (0-0 10
        XPENDING s g - + 10 a b
        XPENDING s g IDLE 1 - + 10 a b
        XPENDING s nosuch
        XPENDING missing g
        XPENDING missing g - + x
        XPENDING s
        XACK s g 1 2 2 9
        XACK s g 1
        XACK s g 3 x
        XACK s nosuch 1
        XACK missing g x
        XACK s g
        XPENDING s g
        XACK s g 3 4
        XPENDING s g
        ? XPENDING t g - + 10
        XGROUP DELCONSUMER t g alice
        XPENDING t g
        XREADGROUP GROUP g c STREAMS s $
        XREADGROUP GROUP g c STREAMS s x
        XREADGROUP GROUP g c STREAMS missing >
        XREADGROUP GROUP nosuch c STREAMS s >
        XREADGROUP GROUP g c STREAMS s t >
        XREADGROUP GROUP g c COUNT x STREAMS s >
        XREADGROUP GROUP g c BAD STREAMS s >
        XREADGROUP COUNT 1 NOACK BLOCK 1 STREAMS s >
        XREADGROUP STREAMS s GROUP g c >
        XREADGROUP GROUP g c STREAMS s
        XREADGROUP GROUP g
        XINFO GROUPS s
        "#,
    );
}

#[test]
fn a_group_without_acknowledgement_only_moves_on() {
    same(
        r#"
        XADD s 1 f v
        XADD s 2 f v
        XGROUP CREATE s g 0
        XREADGROUP GROUP g alice COUNT 1 NOACK STREAMS s >
        XPENDING s g
        XINFO GROUPS s
        XREADGROUP NOACK GROUP g alice STREAMS s 0
        XREADGROUP NOACK GROUP g alice STREAMS s >
        XINFO GROUPS s
        XGROUP SETID s g 0
        XREADGROUP GROUP g alice STREAMS s >
        XGROUP SETID s g 0
        XREADGROUP GROUP g bob COUNT 1 STREAMS s >
        XPENDING s g
        ? XPENDING s g - + 10
        XREADGROUP GROUP g alice STREAMS s 0
        XINFO GROUPS s
        "#,
    );
}

#[test]
fn the_lag_of_a_group_is_told_where_it_can_be() {
    let mut script = String::new();
    for n in 1..=6 {
        script += &format!("XADD s {n} f v\n");
    }
    script += "XGROUP CREATE s a 0\nXGROUP CREATE s b 2\nXGROUP CREATE s c 3 ENTRIESREAD 3\nXGROUP CREATE s d $\n";
    for step in [
        "XREADGROUP GROUP a x COUNT 1 STREAMS s >",
        "XREADGROUP GROUP b x COUNT 1 STREAMS s >",
        "XDEL s 2",
        "XREADGROUP GROUP a x COUNT 1 STREAMS s >",
        "XREADGROUP GROUP c x COUNT 1 NOACK STREAMS s >",
        "XDEL s 5",
        "XREADGROUP GROUP a x COUNT 1 STREAMS s >",
        "XREADGROUP GROUP c x COUNT 1 STREAMS s >",
        "XADD s 7 f v",
        "XREADGROUP GROUP a x COUNT 1 STREAMS s >",
        "XTRIM s MINID 6",
        "XREADGROUP GROUP a x COUNT 1 STREAMS s >",
        "XREADGROUP GROUP b x COUNT 1 STREAMS s >",
        "XREADGROUP GROUP d x COUNT 1 STREAMS s >",
        "XGROUP SETID s a 6",
        "XGROUP SETID s b 99",
        "XGROUP SETID s c 0",
        "XADD s 8 f v",
        "XSETID s 20 ENTRIESADDED 100 MAXDELETEDID 15",
        "XREADGROUP GROUP c x COUNT 1 STREAMS s >",
        "XDEL s 6 7 8",
        "XADD s 21 f v",
        "XREADGROUP GROUP a x COUNT 1 STREAMS s >",
        "XREADGROUP GROUP d x COUNT 1 STREAMS s >",
        "XTRIM s MAXLEN 0",
        "XREADGROUP GROUP d x COUNT 1 STREAMS s >",
    ] {
        script += &format!("{step}\nXINFO GROUPS s\nXINFO STREAM s\n");
    }
    same(&script);
}

#[test]
fn pending_entries_change_hands() {
    same(
        r#"
        XADD s 1 f v
        XADD s 2 f v
        XADD s 3 f v
        XADD s 4 f v
        XADD s 5 f v
        XGROUP CREATE s g 0
        XREADGROUP GROUP g alice COUNT 4 STREAMS s >
        XCLAIM s g bob 0 1 2
        XCLAIM s g bob 0 3 JUSTID
        XCLAIM s g bob 100000 4
        XCLAIM s g bob 0 5
        XCLAIM s g bob 0 5 FORCE TIME 1000 RETRYCOUNT 7
        XCLAIM s g bob 0 9 FORCE
        ? XINFO STREAM s FULL COUNT 0
        XCLAIM s g carol 0 1-0 TIME 99999999999999 JUSTID
        XCLAIM s g carol 0 1 TIME -5 JUSTID RETRYCOUNT 0
        XCLAIM s g carol 0 1 IDLE 99999999999999 JUSTID RETRYCOUNT -1
        XCLAIM s g carol 0 1 IDLE -9223372036854775808 JUSTID
        XCLAIM s g carol 0 1 TIME 1000 IDLE 0 JUSTID
        XCLAIM s g carol 0 2 TIME 5 LASTID 4
        XCLAIM s g carol 0 9 LASTID 7
        XINFO GROUPS s
        XCLAIM s g carol 0 TIME 5
        XCLAIM s g carol 0 BAD
        XCLAIM s g carol 0 1 BAD
        XCLAIM s g carol 0 1 TIME
        XCLAIM s g carol 0 1 TIME x
        XCLAIM s g carol 0 1 IDLE x
        XCLAIM s g carol 0 1 RETRYCOUNT x
        XCLAIM s g carol 0 1 LASTID x
        XCLAIM s g carol 0 1 JUSTID 2
        XCLAIM s g carol x 1
        XCLAIM s g carol -1 1 JUSTID
        XCLAIM s nosuch carol 0 1
        XCLAIM missing g carol x 1
        XCLAIM s g carol 0
        XDEL s 2
        XCLAIM s g dave 0 2 4 TIME 7 RETRYCOUNT 3
        XPENDING s g
        XINFO GROUPS s
        XCLAIM s g erin 100000 1
        XINFO GROUPS s
        "#,
    );
}

#[test]
fn entries_that_wait_long_are_claimed_in_order() {
    same_with(
        &["--stream-node-max-entries", "2"],
        r#"
        XADD s 1 f v
        XADD s 2 f v
        XADD s 3 f v
        XADD s 4 f v
        XADD s 5 f v
        XGROUP CREATE s g 0
        XREADGROUP GROUP g alice STREAMS s >
        XAUTOCLAIM s g bob 0 0 COUNT 2
        XAUTOCLAIM s g bob 0 (3 JUSTID
        XAUTOCLAIM s g bob 100000 - COUNT 1
        XDEL s 2
        XTRIM s MAXLEN 2
        XAUTOCLAIM s g carol 0 - COUNT 1
        XAUTOCLAIM s g carol 0 2 COUNT 1
        XAUTOCLAIM s g carol 0 2
        XPENDING s g
        XAUTOCLAIM s g carol 0 9
        XAUTOCLAIM s g carol 0 +
        XAUTOCLAIM s g carol 0 (18446744073709551615-18446744073709551615
        XAUTOCLAIM s g carol 0 x
        XAUTOCLAIM s g carol x 0
        XAUTOCLAIM s g carol -1 0 JUSTID
        XAUTOCLAIM s g carol 0 0 COUNT 0
        XAUTOCLAIM s g carol 0 0 COUNT x
        XAUTOCLAIM s g carol 0 0 COUNT 576460752303423488
        XAUTOCLAIM s g carol 0 0 COUNT
        XAUTOCLAIM s g carol 0 0 BAD
        XAUTOCLAIM s nosuch carol 0 0
        XAUTOCLAIM missing g carol 0 x
        XAUTOCLAIM missing g carol 0 0
        XAUTOCLAIM s g carol 0
        "#,
    );
    // It looks at ten for each it may claim.
    let adds = (1..=30).map(|n| format!("XADD s {n} f v\n"));
    let script = adds.collect::<String>()
        + r#"
        XGROUP CREATE s g 0
        XREADGROUP GROUP g alice STREAMS s >
        XCLAIM s g alice 0 25 TIME 5
        XAUTOCLAIM s g bob 100000 0 COUNT 1
        XAUTOCLAIM s g bob 100000 0 COUNT 2
        XAUTOCLAIM s g bob 100000 0 COUNT 3
        "#;
    same(&script);
}

#[test]
fn everything_about_a_stream_is_told() {
    same(
        r#"
        XGROUP CREATE s g 0 MKSTREAM
        XINFO STREAM s
        XINFO STREAM s FULL
        XADD s 1 f v
        XADD s 2 f v
        XADD s 3 f v
        XGROUP CREATE s h 2
        XGROUP CREATECONSUMER s h dave
        XREADGROUP GROUP g alice COUNT 2 STREAMS s >
        XCLAIM s g alice 0 1 2 TIME 5 RETRYCOUNT 1 JUSTID
        XCLAIM s g bob 0 2 3 TIME 6 RETRYCOUNT 2 JUSTID FORCE
        ? XINFO STREAM s FULL
        ? XINFO STREAM s FULL COUNT 1
        ? XINFO STREAM s FULL COUNT 0
        ? XINFO STREAM s FULL COUNT -1
        ? XINFO CONSUMERS s g
        ? XINFO CONSUMERS s h
        XINFO GROUPS s
        COPY s t
        XINFO GROUPS t
        XINFO STREAM t
        XADD t 4 f v
        XDEL t 1
        XRANGE s - +
        XRANGE t - +
        "#,
    );
}

#[test]
fn a_blocked_reader_is_woken_by_something_newer() {
    same(
        r#"
        b> XREAD BLOCK 0 STREAMS s $
        XADD s 1 f v
        b<
        b> XREAD BLOCK 0 STREAMS s t u $ 5 0
        XADD t 4 f v
        b!
        XADD t 6 f v
        b<
        b> XREAD BLOCK 0 STREAMS s s $ 0
        b<
        b> XREAD BLOCK 0 STREAMS s s $ 100
        XADD s 2 f v
        b<
        b> XREAD BLOCK 0 COUNT 1 STREAMS s 2
        MULTI
        XADD s 3 f v
        XADD s 4 f v
        EXEC
        b<
        b> XREAD BLOCK 0 STREAMS s t $ $
        MULTI
        XADD t 7 f v
        XADD s 7 f v
        EXEC
        b<
        b> XREAD BLOCK 0 STREAMS s $
        MULTI
        XADD s 8 f v
        XDEL s 8
        EXEC
        b<
        b> XREAD BLOCK 0 STREAMS s $
        MULTI
        XADD s 9 f v
        DEL s
        EXEC
        b!
        LPUSH s x
        b!
        DEL s
        XADD s 7 f v
        b!
        XADD s 10 f v
        b<
        b> XREAD BLOCK 0 STREAMS s $
        XSETID s 20
        b!
        DEL s
        b!
        COPY t s
        b!
        XADD z 100 f v
        RENAME z s
        b<
        b> XREAD BLOCK 20 STREAMS s $
        b<
        b> XREAD BLOCK 9223372036854775807 STREAMS s $
        XADD s 200 f v
        b<
        b> BLPOP s 0
        b<
        b> BLPOP x 0
        c> XREAD BLOCK 0 STREAMS x 0
        XADD x 1 f v
        c<
        b!
        DEL x
        RPUSH x a
        b<
        MULTI
        XREAD BLOCK 0 STREAMS s $
        XREAD BLOCK 0 STREAMS s 0
        EXEC
        "#,
    );
}

#[test]
fn a_blocked_reader_without_count_gets_at_most_a_thousand() {
    let mut script = String::from("b> XREAD BLOCK 0 STREAMS s 0\nMULTI\n");
    for n in 1..=1001 {
        script += &format!("XADD s {n} f v\n");
    }
    same(&(script + "EXEC\nb<"));
}

#[test]
fn a_group_serves_its_blocked_readers_in_turn() {
    same(
        r#"
        XGROUP CREATE s g $ MKSTREAM
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        c> XREADGROUP GROUP g carol BLOCK 0 STREAMS s >
        XADD s 1 f v
        b<
        c!
        XADD s 2 f v
        c<
        ? XPENDING s g - + 10
        XINFO GROUPS s
        b> XREADGROUP GROUP g bob NOACK BLOCK 0 STREAMS s >
        XADD s 3 f v
        b<
        XPENDING s g
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s 0
        b<
        b> XREADGROUP GROUP g bob BLOCK 20 STREAMS s >
        b<
        b> XREADGROUP GROUP g dave BLOCK 0 STREAMS s >
        XGROUP DELCONSUMER s g dave
        XADD s 4 f v
        b<
        b> XREADGROUP GROUP g dave BLOCK 0 STREAMS s >
        XGROUP SETID s g 0
        b!
        XADD s 5 f v
        b<
        b> XREADGROUP GROUP g dave BLOCK 0 STREAMS s >
        MULTI
        XADD s 6 f v
        XDEL s 6
        EXEC
        b<
        XINFO GROUPS s
        "#,
    );
}

#[test]
fn a_blocked_group_reader_hears_when_stream_or_group_are_gone() {
    same(
        r#"
        XGROUP CREATE s g $ MKSTREAM
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        DEL s
        b<
        XGROUP CREATE s g $ MKSTREAM
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        XGROUP DESTROY s g
        b<
        XGROUP CREATE s g $
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        SET s v
        b<
        DEL s
        XGROUP CREATE s g $ MKSTREAM
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        PEXPIRE s 30
        b<
        XGROUP CREATE s g $ MKSTREAM
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        RENAME s t
        b<
        XGROUP CREATE s g $ MKSTREAM
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        MOVE s 5
        b<
        XGROUP CREATE s g $ MKSTREAM
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        FLUSHDB
        b<
        XGROUP CREATE s g $ MKSTREAM
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        FLUSHALL
        b<
        XGROUP CREATE s g $ MKSTREAM
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        SWAPDB 0 3
        b<
        XGROUP CREATE s g $ MKSTREAM
        c: SELECT 4
        c: LPUSH s x
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        SWAPDB 0 4
        b<
        DEL s
        XGROUP CREATE s g $ MKSTREAM
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        MULTI
        DEL s
        SADD s x
        EXEC
        b<
        DEL s
        XGROUP CREATE s g $ MKSTREAM
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        MULTI
        DEL s
        XGROUP CREATE s g $ MKSTREAM
        EXEC
        b!
        MULTI
        DEL s
        XGROUP CREATE s other $ MKSTREAM
        EXEC
        b<
        DEL s
        XGROUP CREATE s g $ MKSTREAM
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        MULTI
        DEL s
        XGROUP CREATE s g $ MKSTREAM
        XADD s 1 f v
        EXEC
        b<
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        XADD u 1 f v
        RENAME u s
        b<
        DEL s
        XGROUP CREATE s g $ MKSTREAM
        b> XREADGROUP GROUP g bob BLOCK 0 STREAMS s >
        XADD u 1 f v
        XGROUP CREATE u g 0
        RENAME u s
        b<
        XGROUP CREATE s h $ MKSTREAM
        b> XREADGROUP GROUP h bob BLOCK 0 STREAMS s >
        XADD s 5 f v
        b<
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
