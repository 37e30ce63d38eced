//! The bitmap group.

mod bits;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &bits::BITCOUNT,
    &bits::BITOP,
    &bits::BITPOS,
    &bits::GETBIT,
    &bits::SETBIT,
];
