//! The hyperloglog group.

mod count;

use super::Command;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[&count::PFADD, &count::PFCOUNT, &count::PFMERGE];
