//! What every RESP-speaking process has: event loop, clients, command descriptions. Knows no data.

pub mod command;
pub mod commands;
mod context;

pub use context::*;
