//! The transactions group.

mod multi;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &multi::DISCARD,
    &multi::EXEC,
    &multi::MULTI,
    &multi::UNWATCH,
    &multi::WATCH,
];
