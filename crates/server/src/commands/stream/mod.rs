//! The stream group.

mod add;
mod claim;
mod entries;
mod groups;
mod ids;
mod info;
mod pending;
mod propagate;
mod read;
mod reply;
mod rewrite;
mod trim;

pub(crate) use rewrite::rewrite;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &add::XADD,
    &claim::XAUTOCLAIM,
    &claim::XCLAIM,
    &entries::XDEL,
    &entries::XLEN,
    &entries::XRANGE,
    &entries::XREVRANGE,
    &entries::XSETID,
    &groups::XGROUP,
    &info::XINFO,
    &pending::XACK,
    &pending::XPENDING,
    &read::XREAD,
    &read::XREADGROUP,
    &trim::XTRIM,
];
