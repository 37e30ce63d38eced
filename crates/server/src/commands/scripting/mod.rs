//! The scripting group: scripts by their text, and functions by their name.

mod eval;
mod fcall;
mod function;
mod script;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &eval::EVAL,
    &eval::EVAL_RO,
    &eval::EVALSHA,
    &eval::EVALSHA_RO,
    &fcall::FCALL,
    &fcall::FCALL_RO,
    &function::FUNCTION,
    &script::SCRIPT,
];
