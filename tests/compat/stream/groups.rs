//! Consumer groups.

use tests::compat::{same, same_with};

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
