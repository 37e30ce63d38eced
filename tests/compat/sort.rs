//! SORT: by themselves, by other keys, with what other keys hold.

use tests::compat::{same, same_with};

#[test]
fn numbers_and_texts_are_sorted() {
    same(
        r#"
        RPUSH l 3 10 1 2 -5 1.5 0x10 inf 1e2
        SORT l
        SORT l DESC
        SORT l ASC
        SORT l DESC ASC
        SORT l ALPHA
        SORT l ALPHA DESC
        SORT l LIMIT 0 3
        SORT l LIMIT 2 3
        SORT l LIMIT 2 3 DESC
        SORT l LIMIT -1 2
        SORT l LIMIT 1 -1
        SORT l LIMIT 3 0
        SORT l LIMIT 100 2
        SORT l LIMIT 8 100
        SORT l LIMIT 0 9223372036854775807
        SORT l LIMIT 9223372036854775807 9223372036854775807
        SORT_RO l LIMIT 1 2
        SORT missing
        SORT missing ALPHA GET # GET x
        RPUSH w a ab 1 "" B
        SORT w
        SORT w DESC LIMIT 0 1
        SORT w ALPHA
        SORT w ALPHA LIMIT 1 2
        SADD s 3 1 2 10
        SORT s
        SORT s DESC LIMIT 1 2
        SADD t c a b
        SORT t
        SORT t ALPHA
        ZADD z 3 1 2 2 1 3
        SORT z
        SORT z DESC
        RPUSH e "" " 7" "\t6" 5
        SORT e
        RPUSH bad " "
        SORT bad
        DEL bad
        RPUSH bad "1 "
        SORT bad
        DEL bad
        RPUSH bad nan
        SORT bad
        DEL bad
        RPUSH bad "5\x00x" 3
        SORT bad
        RPUSH n "b\x00z" "b\x00a" B a
        SORT n ALPHA
        SORT n ALPHA DESC
        SORT n ALPHA STORE d
        LRANGE d 0 -1
        "#,
    );
}

#[test]
fn numbers_out_of_range_are_no_weights() {
    for weight in ["1e400", "-1e400", "1e-400", "1e-310"] {
        same(&format!("RPUSH l {weight} 1\nSORT l"));
    }
}

#[test]
fn other_keys_give_weights_and_replies() {
    same(
        r#"
        RPUSH l 1 2 3 4
        MSET w_1 30 w_2 10 w_3 20
        MSET n_1 one n_2 two n_3 three n_4 ""
        HSET h_1 w 9 name x
        HSET h_2 w 8 name z
        HSET h_3 w 7 name y
        SORT l BY w_*
        SORT l BY w_* DESC
        SORT l BY w_* DESC LIMIT 0 2
        SORT l BY w_* GET n_*
        SORT l BY w_* GET # GET n_* GET w_*
        SORT l BY n_*
        SORT l BY n_* ALPHA
        SORT l BY n_* ALPHA DESC GET n_*
        SORT l BY h_*->w
        SORT l BY h_*->w DESC GET h_*->name GET #
        SORT l BY h_*->name ALPHA
        SORT l BY h_*->none ALPHA
        SORT l BY h_* GET h_*
        SORT l BY l*->w GET l->x GET l*->
        SORT l GET h_*-> GET *->w GET * GET ## GET "" GET x
        SORT l GET h_*->name->name GET h_*->w
        SORT l BY none_*
        SORT l BY none_* ALPHA
        SORT l BY none_* ALPHA DESC
        SORT_RO l BY w_* GET n_*
        MSET w_1 1 w_2 1 w_3 1 w_4 1
        SORT l BY w_*
        SORT l BY w_* DESC
        SET w_2 x
        SORT l BY w_*
        SORT l BY w_* ALPHA
        SET w_2 ""
        SORT l BY w_*
        SADD s 5 4 6
        MSET w_4 3 w_5 2 w_6 1
        SORT s BY w_* GET # GET w_*
        ZADD z 1 5 2 4 3 6
        SORT z BY w_*
        "#,
    );
}

#[test]
fn without_a_star_nothing_is_sorted() {
    same(
        r#"
        RPUSH l 4 2 3 1
        SORT l BY nosort
        SORT l BY nosort DESC
        SORT l BY nosort LIMIT 1 2
        SORT l BY nosort LIMIT 1 2 DESC
        SORT l BY nosort LIMIT 3 10 DESC
        SORT l BY nosort LIMIT 10 2
        SORT l BY nosort BY w_*
        SORT l BY w_* BY nosort
        SORT l BY nosort GET # GET x_*
        ZADD z 3 a 1 b 2 c
        SORT z BY nosort
        SORT z BY nosort DESC
        SORT z BY nosort LIMIT 1 1
        SORT z BY nosort DESC LIMIT 0 2
        SORT z BY nosort DESC LIMIT 2 2
        OBJECT ENCODING z
        SORT z BY nosort STORE d
        LRANGE d 0 -1
        ZADD y 1 1
        SORT_RO y LIMIT 5 5
        OBJECT ENCODING y
        SADD s 3 1 2
        SORT s BY nosort
        SORT s BY nosort DESC
        SORT s BY nosort LIMIT 1 1
        SORT s BY nosort STORE d
        LRANGE d 0 -1
        SORT s BY nosort DESC STORE d
        LRANGE d 0 -1
        SADD t c a b
        ~ SORT t BY nosort
        EVAL "return redis.call('sort', KEYS[1], 'by', 'nosort', 'get', '#')" 1 t
        EVAL "return redis.call('sort_ro', KEYS[1], 'by', 'nosort', 'desc')" 1 t
        SORT t BY nosort STORE d GET #
        LRANGE d 0 -1
        SORT l BY ""
        "#,
    );
}

#[test]
fn results_are_stored() {
    same(
        r#"
        RPUSH l 3 1 2
        SET n_1 one
        SORT l STORE d
        LRANGE d 0 -1
        TYPE d
        OBJECT ENCODING d
        EXPIRE d 1000
        SORT l STORE d GET # GET n_*
        LRANGE d 0 -1
        TTL d
        SORT l LIMIT 10 1 STORE d
        EXISTS d
        SORT l STORE d STORE e
        EXISTS d e
        SORT missing STORE e
        EXISTS e
        SET s x
        SORT l STORE s
        TYPE s
        SORT l STORE l
        LRANGE l 0 -1
        b> BLPOP waited 0
        SORT l STORE waited DESC
        b<
        "#,
    );
}

#[test]
fn bad_sorts() {
    same(
        r#"
        RPUSH l 3 1 2
        SET s x
        SORT l FOO
        SORT l LIMIT 1
        SORT l LIMIT x 1
        SORT l LIMIT 1 x
        SORT l BY
        SORT l GET
        SORT l STORE
        SORT_RO l STORE d
        SORT s
        SORT s FOO
        SORT s BY x* GET y
        SORT_RO s
        SORT
        SORT_RO
        HSET h a b
        SORT h
        COMMAND GETKEYSANDFLAGS SORT k BY x* GET # STORE d
        COMMAND GETKEYSANDFLAGS SORT k STORE d STORE e
        COMMAND GETKEYSANDFLAGS SORT k BY STORE GET STORE
        COMMAND GETKEYSANDFLAGS SORT k STORE
        COMMAND GETKEYSANDFLAGS SORT k LIMIT 1 STORE STORE d
        COMMAND GETKEYSANDFLAGS SORT_RO k BY STORE STORE d
        "#,
    );
}

#[test]
fn keyspace_events_of_sort() {
    same_with(
        &["--notify-keyspace-events", "KEA"],
        r#"
        RPUSH l 3 1 2
        b: PSUBSCRIBE *
        SORT l
        b!
        SORT l STORE d
        b<
        b<
        SORT l LIMIT 9 9 STORE d
        b<
        b<
        "#,
    );
}

#[test]
fn patterns_need_the_right_to_read_every_key() {
    same(
        r#"
        RPUSH l 2 1
        ACL SETUSER bob on nopass +@all ~l ~m
        b: AUTH bob x
        b: SORT l BY w_*
        b: SORT l BY w_* FOO
        b: SORT l BY nosort GET w_*
        b: SORT l GET #
        b: SORT l BY nosort GET nostar
        b: SORT l GET
        b: SORT l BY nosort
        b: SORT_RO l BY w_*
        b: SORT l STORE m
        b: SORT l STORE n
        ACL SETUSER bob ~* resetkeys %R~*
        b: SORT l BY w_* GET #
        b: SORT l STORE m
        ACL SETUSER bob resetkeys ~l (+sort ~*)
        b: SORT l BY w_* GET #
        b: SORT_RO l BY w_* GET #
        "#,
    );
}
