//! The set group.

mod algebra;
mod members;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &algebra::SDIFF,
    &algebra::SDIFFSTORE,
    &algebra::SINTER,
    &algebra::SINTERCARD,
    &algebra::SINTERSTORE,
    &algebra::SUNION,
    &algebra::SUNIONSTORE,
    &members::SADD,
    &members::SCARD,
    &members::SISMEMBER,
    &members::SMEMBERS,
    &members::SMISMEMBER,
    &members::SMOVE,
    &members::SPOP,
    &members::SRANDMEMBER,
    &members::SREM,
    &members::SSCAN,
];
