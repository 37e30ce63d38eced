//! Readers that wait.

use tests::compat::same;

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
