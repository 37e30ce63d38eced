//! Places: adding, measuring, searching, storing what was found.

use tests::compat::{same, same_with};

/// Some places in and around Sicily.
const SICILY: &str = r#"
        GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
        GEOADD g 12.758489 38.788135 edge1 17.241510 38.788135 edge2
"#;

fn same_in_sicily(script: &str) {
    same(&format!("{SICILY}{script}"));
}

#[test]
fn places_are_added_as_scores() {
    same_in_sicily(
        r#"
        GEOADD g NX 1 1 Palermo 2 2 new
        GEOADD g XX CH 13.5 38 Palermo 3 3 none
        GEOADD g CH 13.5 38 Palermo 3 3 newer
        GEOADD g nx ch 4 4 newest
        ZRANGE g 0 -1 WITHSCORES
        GEOADD g NX XX 1 1 a
        GEOADD g NX CH XX
        GEOADD g GT 1 1 a
        GEOADD g INCR 1 1 a
        GEOADD g NX 1 1
        GEOADD g 1 1 a 2 2
        GEOADD g 200 1 a
        GEOADD g 1 90 a
        GEOADD g -180 -85.05112878 corner 180 85.05112878 other
        GEOADD g 1 85.06 a
        GEOADD g 1e300 inf a
        GEOADD g x 1 a
        GEOADD g 1 x a
        GEOADD g nan 1 a
        GEOADD g 1 1 a x 1 b
        GEOADD g 1 1
        ZSCORE g a
        ZSCORE g corner
        ZSCORE g other
        SET s x
        GEOADD s 1 1 a
        OBJECT ENCODING g
        "#,
    );
}

#[test]
fn places_by_name() {
    same_in_sicily(
        r#"
        GEOPOS g Palermo none Catania
        GEOPOS g
        GEOPOS missing a b
        GEOHASH g Palermo none Catania edge1
        GEOHASH g
        GEOHASH missing a
        GEODIST g Palermo Catania
        GEODIST g Palermo Catania km
        GEODIST g Palermo Catania M
        GEODIST g Palermo Catania Ft
        GEODIST g Palermo Catania MI
        GEODIST g Palermo Palermo
        GEODIST g Palermo none
        GEODIST missing a b
        GEODIST g Palermo Catania foo
        GEODIST g Palermo Catania km x
        GEODIST missing a b foo
        GEODIST g a
        ZADD z -1 negative 0 zero 1e300 huge inf infinite 4503599627370496 beyond 0.5 half -inf lowest
        GEOPOS z negative zero huge infinite beyond half lowest
        GEOHASH z negative zero huge infinite beyond half lowest
        GEODIST z negative zero
        SET s x
        GEOPOS s a
        GEOHASH s a
        GEODIST s a b
        GEODIST s a b foo
        "#,
    );
}

#[test]
fn searches_find_places_in_shapes() {
    same_in_sicily(
        r#"
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km DESC
        GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHCOORD WITHDIST
        GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km WITHHASH WITHCOORD WITHDIST DESC COUNT 2
        GEOSEARCH g BYRADIUS 300000 m FROMMEMBER Palermo ASC
        GEOSEARCH g FROMMEMBER Catania BYRADIUS 100 mi WITHDIST
        GEOSEARCH g FROMMEMBER Catania BYRADIUS 0 m
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 2000 km COUNT 1
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 2000 km COUNT 2 ASC
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 2000 km COUNT 2 DESC
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 2000 km COUNT 2 ANY
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 2000 km COUNT 2 ANY DESC WITHDIST
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 2000 km COUNT 100 ANY
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 20000 km ASC
        GEOSEARCH g FROMLONLAT -170 -80 BYRADIUS 20015 km ASC
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 m
        GEOSEARCH missing FROMLONLAT 15 37 BYRADIUS 200 km
        GEOSEARCH missing FROMMEMBER none BYRADIUS 200 km
        GEORADIUS g 15 37 200 km WITHDIST
        GEORADIUS g 15 37 200 km WITHCOORD COUNT 1
        GEORADIUS_RO g 15 37 200 km WITHHASH DESC
        GEORADIUSBYMEMBER g Palermo 200 km WITHDIST ASC
        GEORADIUSBYMEMBER_RO g Palermo 200 km COUNT 1 ANY
        GEORADIUS missing 15 37 200 km
        GEORADIUSBYMEMBER missing m 200 km
        GEORADIUSBYMEMBER missing m -200 foo
        "#,
    );
}

#[test]
fn what_was_found_is_stored() {
    same_in_sicily(
        r#"
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km
        ZRANGE d 0 -1 WITHSCORES
        OBJECT ENCODING d
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 800 800 km STOREDIST
        ZRANGE d 0 -1 WITHSCORES
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 1 m
        EXISTS d
        GEORADIUS g 15 37 200 km STORE d
        ZRANGE d 0 -1 WITHSCORES
        GEORADIUSBYMEMBER g Palermo 200 mi STOREDIST d
        ZRANGE d 0 -1 WITHSCORES
        GEORADIUS g 15 37 2000 km COUNT 1 STOREDIST d
        ZRANGE d 0 -1 WITHSCORES
        GEORADIUS g 15 37 200 km STOREDIST d STORE e
        EXISTS d e
        GEORADIUS missing 15 37 200 km STORE d
        EXISTS d
        GEOSEARCHSTORE e missing FROMMEMBER m BYRADIUS 1 km
        EXISTS e
        SET s x
        GEOSEARCHSTORE s g FROMMEMBER Palermo BYRADIUS 1 km
        TYPE s
        GEOSEARCHSTORE g g FROMMEMBER Palermo BYRADIUS 1 km
        ZRANGE g 0 -1
        "#,
    );
}

#[test]
fn bad_searches() {
    same_in_sicily(
        r#"
        GEOSEARCH g FROMMEMBER none BYRADIUS 1 km
        GEOSEARCH missing FROMLONLAT 15 37 BYRADIUS 1 foo
        GEOSEARCH g FROMLONLAT 15 37 ASC DESC ASC
        geosearch g FROMLONLAT 15 37 WITHDIST ASC WITHDIST
        GEOSEARCH g BYRADIUS 1 km WITHDIST ASC
        GEOSEARCH missing BYRADIUS 1 km WITHDIST ASC
        GEOSEARCHSTORE d g BYRADIUS 1 km ASC ASC
        GEOSEARCH g FROMLONLAT 15 37 FROMMEMBER Palermo BYRADIUS 1 km
        GEOSEARCH missing FROMMEMBER a FROMMEMBER b BYRADIUS 1 km
        GEOSEARCH g FROMMEMBER Palermo FROMMEMBER Catania BYRADIUS 1 km
        GEOSEARCH g FROMLONLAT 1 1 FROMLONLAT 15 37 BYRADIUS 1 km BYRADIUS 200 km
        GEOSEARCH g FROMLONLAT 1 1 BYBOX 1 1 km BYRADIUS 200 km
        GEOSEARCH g FROMLONLAT 1 1 FROMMEMBER Palermo BYRADIUS 200 km
        GEOSEARCH missing FROMMEMBER a FROMLONLAT 1 1 BYRADIUS 1 km
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km BYBOX 1 1 km
        GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 1 km BYBOX 1 1 km
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS -1 km
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS -1 foo
        GEOSEARCH g FROMLONLAT 15 37 BYBOX -1 1 km
        GEOSEARCH g FROMLONLAT 15 37 BYBOX x 1 km
        GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 x km
        GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 1 foo
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS x km
        GEOSEARCH g FROMLONLAT 200 37 BYRADIUS 1 km
        GEOSEARCH g FROMLONLAT x 37 BYRADIUS 1 km
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km ANY
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km COUNT 0
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km COUNT -1 ANY
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km COUNT x
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km COUNT
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km COUNT 1 FOO
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km STORE x
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km STOREDIST
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km STORE x
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST
        GEOSEARCHSTORE d g FROMLONLAT 15 37 WITHDIST WITHHASH WITHCOORD
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200
        GEORADIUS g 15 37 200 km WITHDIST STORE d
        GEORADIUS g 15 37 200 km STORE
        GEORADIUS g 15 37 200 km STOREDIST
        GEORADIUS_RO g 15 37 200 km STORE d
        GEORADIUSBYMEMBER_RO g Palermo 200 km STOREDIST d
        GEORADIUSBYMEMBER g none 200 km
        GEORADIUSBYMEMBER g Palermo x km
        GEORADIUSBYMEMBER g Palermo 1 foo
        GEORADIUSBYMEMBER missing Palermo 1 foo FOO
        GEORADIUS g 15 37 -200 km
        GEORADIUS g 15 37 200 foo
        GEORADIUS g x 37 200 km
        GEORADIUS g 15 37 200 km FROMLONLAT 1 1
        GEORADIUS g 15 37 200 km BYRADIUS 3 km
        GEORADIUS g 15 37 200 km ANY
        GEORADIUS g 15 37 200
        SET s x
        GEOSEARCH s FROMLONLAT 15 37 BYRADIUS foo km
        GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS foo km
        GEORADIUS s x 37 200 km
        GEORADIUSBYMEMBER s x y z
        "#,
    );
}

#[test]
fn random_places_are_found_as_redis_finds_them() {
    let mut script = String::new();
    let mut state = 7u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut coordinates = || {
        let longitude = random(3_600_000) as f64 / 10_000.0 - 180.0;
        let latitude = random(1_700_000) as f64 / 10_000.0 - 85.0;
        format!("{longitude} {latitude}")
    };
    for number in 0..300 {
        script += &format!("GEOADD g {} p{number}\n", coordinates());
    }
    for step in 0..60u32 {
        let size = f64::from(step) * f64::from(step) * 5.0;
        let center = coordinates();
        script += &format!("GEOSEARCH g FROMLONLAT {center} BYRADIUS {size} km WITHDIST ASC\n");
        script += &format!("GEOSEARCH g FROMLONLAT {center} BYRADIUS {size} mi\n");
        let height = size / 3.0 + 100.0;
        script += &format!("GEOSEARCH g FROMLONLAT {center} BYBOX {size} {height} km WITHHASH\n");
    }
    same(&script);
    same_with(&["--zset-max-listpack-entries", "0"], &script);
}

#[test]
fn keyspace_events_of_places() {
    same_with(
        &["--notify-keyspace-events", "KEA"],
        r#"
        b: PSUBSCRIBE *
        GEOADD g 13.361389 38.115556 Palermo
        b<
        b<
        GEOADD g 13.361389 38.115556 Palermo
        b!
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km
        b<
        b<
        GEORADIUS g 15 37 200 km STORE d
        b<
        b<
        GEORADIUS g 15 37 1 m STORE d
        b<
        b<
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 1 m
        b!
        "#,
    );
}
