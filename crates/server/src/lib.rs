//! The data node: commands, execution, persistence, INFO, configuration.

mod admission;
mod blocking;
mod call_stats;
pub mod check_aof;
mod collation;
pub mod commands;
pub mod config;
pub mod context;
pub mod effects;
mod eviction;
mod execute;
mod expire;
mod expire_cycle;
mod first_of_keys;
mod info;
mod listen;
mod memory;
mod monitor;
mod pause;
mod persistence;
mod propagation;
mod random_choice;
mod redact;
mod replies;
mod scripting;
mod server;
mod settings;
mod start;
mod stats;
mod tracking;
mod watch;
mod words;

pub use server::Server;
pub use settings::DataSettings;
pub use start::main;
