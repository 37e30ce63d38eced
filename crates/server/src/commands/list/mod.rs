//! The list group.

mod end;
mod inside;
mod pop;
mod push;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &inside::LINDEX,
    &inside::LINSERT,
    &inside::LLEN,
    &inside::LPOS,
    &inside::LRANGE,
    &inside::LREM,
    &inside::LSET,
    &inside::LTRIM,
    &pop::BLMOVE,
    &pop::BLMPOP,
    &pop::BLPOP,
    &pop::BRPOP,
    &pop::BRPOPLPUSH,
    &pop::LMOVE,
    &pop::LMPOP,
    &pop::LPOP,
    &pop::RPOP,
    &pop::RPOPLPUSH,
    &push::LPUSH,
    &push::LPUSHX,
    &push::RPUSH,
    &push::RPUSHX,
];
