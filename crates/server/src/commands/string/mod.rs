//! The string group.

mod get;
mod getex;
mod incr;
mod lcs;
mod range;
mod set;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &get::GET,
    &get::GETDEL,
    &getex::GETEX,
    &getex::MGET,
    &lcs::LCS,
    &incr::DECR,
    &incr::DECRBY,
    &incr::INCR,
    &incr::INCRBY,
    &incr::INCRBYFLOAT,
    &range::APPEND,
    &range::GETRANGE,
    &range::SETRANGE,
    &range::STRLEN,
    &range::SUBSTR,
    &set::GETSET,
    &set::MSET,
    &set::MSETNX,
    &set::PSETEX,
    &set::SET,
    &set::SETEX,
    &set::SETNX,
];
