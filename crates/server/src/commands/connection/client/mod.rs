//! The subcommands of CLIENT that concern data: tracking keys, pausing, ending waits.

mod pause;
mod tracking;
mod unblock;

use crate::commands::Command;
use front::commands::client::{ADMIN_ANY_TIME, ANY_TIME, parse_on_off};

/// They come to those that every process has.
pub(in crate::commands) static SUBCOMMANDS: &[&Command] = &[
    &tracking::CACHING,
    &tracking::GETREDIR,
    &pause::PAUSE,
    &tracking::TRACKING,
    &tracking::TRACKINGINFO,
    &unblock::UNBLOCK,
    &pause::UNPAUSE,
];
