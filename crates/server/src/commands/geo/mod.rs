//! The geo group: places as members of sorted sets.

mod places;
mod query;
mod search;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &places::GEOADD,
    &places::GEODIST,
    &places::GEOHASH,
    &places::GEOPOS,
    &search::GEORADIUS,
    &search::GEORADIUSBYMEMBER,
    &search::GEORADIUSBYMEMBER_RO,
    &search::GEORADIUS_RO,
    &search::GEOSEARCH,
    &search::GEOSEARCHSTORE,
];
