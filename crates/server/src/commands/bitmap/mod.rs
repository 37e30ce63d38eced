//! The bitmap group.

mod bitfield;
mod bits;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &bitfield::BITFIELD,
    &bitfield::BITFIELD_RO,
    &bits::BITCOUNT,
    &bits::BITOP,
    &bits::BITPOS,
    &bits::GETBIT,
    &bits::SETBIT,
];
