//! The hash group.

mod fields;
mod numbers;
mod scan;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &fields::HDEL,
    &fields::HEXISTS,
    &fields::HGET,
    &fields::HGETALL,
    &fields::HKEYS,
    &fields::HLEN,
    &fields::HMGET,
    &fields::HMSET,
    &fields::HSET,
    &fields::HSETNX,
    &fields::HSTRLEN,
    &fields::HVALS,
    &numbers::HINCRBY,
    &numbers::HINCRBYFLOAT,
    &scan::HRANDFIELD,
    &scan::HSCAN,
];
