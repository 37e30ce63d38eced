//! Sentinel: watches masters, agrees with other Sentinels on who is down, and replaces a master that is.
//!
//! [`core`] decides, without a socket, a file or a clock; everything else here carries out what it decides.

mod commands;
mod config_file;
pub mod core;
mod helpers;
mod info;
mod process;
mod settings;
mod start;

pub use commands::table;
pub use start::main;
