//! The hyperloglog group.

mod count;
mod debug;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &count::PFADD,
    &count::PFCOUNT,
    &debug::PFDEBUG,
    &count::PFMERGE,
    &debug::PFSELFTEST,
];
