//! Lists, blocking ones included.

use tests::compat::same;

#[test]
fn push_pop_and_length() {
    same(
        r#"
        LPUSH l a b c
        RPUSH l d e
        LRANGE l 0 -1
        LLEN l
        LPUSHX l x y
        RPUSHX l z
        LPUSHX missing x
        RPUSHX missing x
        EXISTS missing
        LPOP l
        RPOP l
        LPOP l 2
        RPOP l 2
        LPOP l 0
        RPOP l 0
        LPOP l -1
        LPOP l x
        LPOP l 100
        EXISTS l
        LPOP l
        RPOP l 5
        LPOP missing 0
        LLEN missing
        LRANGE missing 0 -1
        LPOP l 1 2
        LPUSH
        LPUSH l
        RPUSHX l
        LLEN
        LPOP
        OBJECT ENCODING l
        RPUSH l a
        OBJECT ENCODING l
        "#,
    );
}

#[test]
fn list_commands_refuse_other_types() {
    same(
        r#"
        SET s v
        LPUSH s a
        RPUSH s a
        LPUSHX s a
        RPUSHX s a
        LPOP s
        RPOP s 1
        LLEN s
        LRANGE s 0 -1
        LINDEX s 0
        LSET s 0 a
        LINSERT s BEFORE a b
        LREM s 0 a
        LTRIM s 0 1
        LPOS s a
        LMOVE s d LEFT LEFT
        RPOPLPUSH s d
        RPUSH l a
        LMOVE l s LEFT LEFT
        RPOPLPUSH l s
        LRANGE l 0 -1
        LMPOP 1 s LEFT
        BLPOP s 1
        BLMOVE s l LEFT LEFT 1
        BRPOPLPUSH l s 1
        BLMPOP 1 1 s LEFT
        "#,
    );
}

#[test]
fn index_range_set_trim() {
    same(
        r#"
        RPUSH l a b c d e
        LINDEX l 0
        LINDEX l -1
        LINDEX l 5
        LINDEX l -6
        LINDEX l x
        LINDEX missing 0
        LRANGE l 1 3
        LRANGE l -3 -2
        LRANGE l 3 1
        LRANGE l -100 100
        LRANGE l 5 10
        LRANGE l a b
        LRANGE l 0
        LSET l 0 A
        LSET l -1 E
        LSET l 5 x
        LSET l -6 x
        LSET l x x
        LSET missing 0 x
        LRANGE l 0 -1
        LTRIM l 1 -2
        LRANGE l 0 -1
        LTRIM l x 1
        LTRIM missing 0 1
        LTRIM l -100 1
        LRANGE l 0 -1
        LTRIM l 5 10
        EXISTS l
        RPUSH l a
        LTRIM l 1 0
        EXISTS l
        "#,
    );
}

#[test]
fn insert_remove_and_search() {
    same(
        r#"
        RPUSH l a b c b a b
        LINSERT l BEFORE b x
        LINSERT l AFTER a y
        LINSERT l after missing y
        LINSERT l MIDDLE b x
        LINSERT missing BEFORE a b
        LRANGE l 0 -1
        LREM l 1 b
        LREM l -1 a
        LREM l 0 b
        LREM l 0 missing
        LREM missing 0 a
        LREM l x a
        LRANGE l 0 -1
        DEL l
        RPUSH l a b c 1 2 3 c c 1
        LPOS l c
        LPOS l c RANK 2
        LPOS l c RANK -1
        LPOS l c RANK 0
        LPOS l c COUNT x
        LPOS l c MAXLEN 99999999999999999999
        LPOS missing c COUNT -1
        BLMPOP x 0 missing LEFT
        BLMPOP x 1 missing LEFT COUNT 0
        BLMPOP x 1 missing LEFT
        LMPOP 1 missing LEFT COUNT 0 more
        LMPOP 1 missing LEFT COUNT 1 more
        LPOS l c RANK 4
        LPOS l c RANK -9223372036854775808
        LPOS l c COUNT 0
        LPOS l c COUNT 2
        LPOS l c COUNT -1
        LPOS l c COUNT 0 RANK -1
        LPOS l c COUNT 0 MAXLEN 3
        LPOS l c MAXLEN 2
        LPOS l c MAXLEN -1
        LPOS l c RANK -1 MAXLEN 1 COUNT 0
        LPOS l 1 COUNT 0
        LPOS l missing
        LPOS l missing COUNT 0
        LPOS missing a
        LPOS missing a COUNT 1
        LPOS l c BAD
        LPOS l c RANK
        LPOS l c RANK x
        "#,
    );
}

#[test]
fn moves_between_lists() {
    same(
        r#"
        RPUSH a 1 2 3
        LMOVE a b LEFT RIGHT
        LMOVE a b RIGHT LEFT
        LRANGE b 0 -1
        LMOVE a a LEFT RIGHT
        LMOVE missing b LEFT LEFT
        LMOVE a b UP LEFT
        LMOVE a b LEFT DOWN
        RPOPLPUSH a b
        EXISTS a
        RPOPLPUSH a b
        RPUSH r 1 2 3
        RPOPLPUSH r r
        LMOVE r r LEFT LEFT
        LRANGE r 0 -1
        LMPOP 2 missing r LEFT
        LMPOP 1 r RIGHT COUNT 10
        LMPOP 1 r LEFT
        RPUSH r a b c d
        LMPOP 1 r LEFT COUNT 2
        LMPOP 0 r LEFT
        LMPOP -1 r LEFT
        LMPOP x r LEFT
        LMPOP 1 r UP
        LMPOP 2 r LEFT
        LMPOP 1 r LEFT COUNT 0
        LMPOP 1 r LEFT COUNT -1
        LMPOP 1 r LEFT COUNT x
        LMPOP 1 r LEFT COUNT
        LMPOP 1 r LEFT COUNT 1 COUNT 2
        LMPOP 1 r LEFT BAD
        LMOVE a b LEFT
        RPOPLPUSH a
        "#,
    );
}

#[test]
fn blocking_commands_answer_at_once_when_there_is_something() {
    same(
        r#"
        RPUSH a 1 2 3 4 5 6
        BLPOP a 0
        BRPOP missing a 0
        BLMOVE a b LEFT RIGHT 0
        BRPOPLPUSH a b 0
        BLMPOP 0 2 missing a LEFT COUNT 2
        LRANGE b 0 -1
        EXISTS a
        BLPOP missing 0.01
        BRPOP missing 0.01
        BLMOVE missing b LEFT LEFT 0.01
        BRPOPLPUSH missing b 0.01
        BLMPOP 0.01 1 missing LEFT
        BLPOP a -1
        BLPOP a x
        BLPOP a 1e400
        BLPOP a nan
        BLMOVE a b LEFT LEFT -1
        BLMOVE a b UP LEFT 0
        BLMPOP -1 1 a LEFT
        BLMPOP x 1 a LEFT
        BLMPOP 1 0 a LEFT
        BLPOP a
        BRPOP
        "#,
    );
}

#[test]
fn a_blocked_client_gets_what_is_pushed() {
    same(
        r#"
        b> BLPOP q r 0
        RPUSH r x
        b<
        LLEN r
        b> BRPOP q 0
        RPUSH q 1 2 3
        b<
        LRANGE q 0 -1
        DEL q
        b> BLMOVE q d LEFT RIGHT 0
        LPUSH q a
        b<
        LRANGE d 0 -1
        b> BLMPOP 0 2 p q LEFT COUNT 2
        RPUSH q 1 2 3
        b<
        LRANGE q 0 -1
        b> BLPOP s 0.05
        b<
        "#,
    );
}

#[test]
fn the_client_that_waited_longest_is_served_first() {
    same(
        r#"
        b> BLPOP q 0
        c> BLPOP q 0
        d> BRPOP q 0
        RPUSH q 1
        b<
        c!
        RPUSH q 2 3
        c<
        d<
        LLEN q
        "#,
    );
}

#[test]
fn chains_of_blocked_moves_are_followed() {
    same(
        r#"
        b> BLMOVE a b LEFT LEFT 0
        c> BLMOVE b c LEFT LEFT 0
        d> BLPOP c 0
        RPUSH a x
        b<
        c<
        d<
        EXISTS a b c
        b> BRPOPLPUSH q q 0
        RPUSH q y
        b<
        LRANGE q 0 -1
        DEL q
        b> BLMOVE src str LEFT LEFT 0
        SET str v
        RPUSH src x
        b<
        LRANGE src 0 -1
        "#,
    );
}

#[test]
fn blocking_inside_multi_does_not_block() {
    same(
        r#"
        MULTI
        BLPOP q 0
        BLMOVE q r LEFT LEFT 0
        BLMPOP 0 1 q LEFT
        BRPOPLPUSH q r 0
        EXEC
        "#,
    );
}
