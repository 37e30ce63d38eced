//! Geo: positions, distances, searches.

use tests::compat::same;

const SICILY: &str = "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania \
                      13.583333 37.316667 Agrigento 12.433333 38.016667 Trapani";

#[test]
fn adding_and_reading() {
    same(&format!(
        r#"
        {SICILY}
        GEOADD g 13.361389 38.115556 Palermo
        GEOADD g CH 13.4 38.2 Palermo 1 1 New
        GEOADD g NX 5 5 Palermo 2 2 Newer
        GEOADD g XX CH 13.361389 38.115556 Palermo 3 3 None
        GEOADD g NX XX 1 1 a
        GEOADD g 181 1 a
        GEOADD g 1 86 a
        GEOADD g -181 1 a
        GEOADD g x 1 a
        GEOADD g 1 1
        GEOADD g 1 1 a 2 2
        GEOPOS g Palermo missing Catania
        GEOPOS missing a
        GEOPOS g
        GEOHASH g Palermo missing Catania
        GEOHASH missing a
        GEODIST g Palermo Catania
        GEODIST g Palermo Catania km
        GEODIST g Palermo Catania mi
        GEODIST g Palermo Catania ft
        GEODIST g Palermo Catania xx
        GEODIST g Palermo missing
        GEODIST missing a b
        GEODIST g Palermo
        ZRANGE g 0 -1 WITHSCORES
        SET s v
        GEOADD s 1 1 a
        GEOPOS s a
        GEODIST s a b
        GEOHASH s a
        GEOSEARCH s FROMLONLAT 1 1 BYRADIUS 1 km
        "#
    ));
}

#[test]
fn geosearch() {
    same(&format!(
        r#"
        {SICILY}
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km DESC WITHDIST WITHCOORD WITHHASH
        GEOSEARCH g FROMMEMBER Palermo BYRADIUS 150 km ASC COUNT 2
        GEOSEARCH g FROMMEMBER Palermo BYRADIUS 150 km COUNT 1 ANY
        GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHDIST
        GEOSEARCH g FROMLONLAT 15 37 BYBOX 100 400 mi DESC
        GEOSEARCH g FROMMEMBER missing BYRADIUS 150 km
        GEOSEARCH missing FROMLONLAT 15 37 BYRADIUS 200 km
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS -1 km
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS x km
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 xx
        GEOSEARCH g FROMLONLAT 15 37 BYBOX -1 1 km
        GEOSEARCH g FROMLONLAT 15 37
        GEOSEARCH g BYRADIUS 200 km
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 0
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT -1
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ANY
        GEOSEARCH g FROMLONLAT 15 37 FROMMEMBER a BYRADIUS 200 km
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km BYBOX 1 1 km
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km STORE d
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km BAD
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km
        ZRANGE d 0 -1 WITHSCORES
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST ASC COUNT 2
        ZRANGE d 0 -1 WITHSCORES
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 1 m
        EXISTS d
        GEOSEARCHSTORE d missing FROMLONLAT 15 37 BYRADIUS 1 m
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST
        GEOSEARCH g FROMLONLAT 0 0 BYRADIUS 22000 km ASC
        "#
    ));
}

#[test]
fn georadius_and_its_variants() {
    same(&format!(
        r#"
        {SICILY}
        GEORADIUS g 15 37 200 km ASC
        GEORADIUS g 15 37 200 km WITHDIST WITHCOORD WITHHASH DESC
        GEORADIUS g 15 37 200 km COUNT 2 ASC
        GEORADIUS g 15 37 200 km STORE d
        ZRANGE d 0 -1 WITHSCORES
        GEORADIUS g 15 37 200 km STOREDIST d
        ZRANGE d 0 -1 WITHSCORES
        GEORADIUS g 15 37 200 km STORE d WITHDIST
        GEORADIUS g 200 37 200 km
        GEORADIUS g 15 37 x km
        GEORADIUS missing 15 37 200 km
        GEORADIUS missing 15 37 200 km STORE d
        GEORADIUS_RO g 15 37 200 km ASC
        GEORADIUS_RO g 15 37 200 km STORE d
        GEORADIUSBYMEMBER g Palermo 100 km ASC WITHDIST
        GEORADIUSBYMEMBER g missing 100 km
        GEORADIUSBYMEMBER_RO g Palermo 100 km ASC
        GEORADIUSBYMEMBER missing Palermo 100 km
        GEORADIUS g 15 37 200
        "#
    ));
}
