//! Helpers of the black-box suites: starting servers, talking to them, comparing them.
//!
//! - [`Server::start`] runs the built platform-kv, [`Server::redis`] the real redis-server 7.0.15, which
//!   is the oracle: what it answers is right. Both get a free port and a folder of their own, and are
//!   killed when dropped.
//! - [`Connection`] sends commands or raw bytes and reads one [`Reply`] at a time. A reply keeps every
//!   byte, so equal replies are equal on the wire.
//! - [`Dataset`] is all a server holds, to compare two of them.
//! - [`compat`] runs a script of commands on both servers and compares each reply.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails should end the test it helps"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "black-box tests wait in real time"
)]

pub mod compat;
mod connection;
mod dataset;
mod random;
mod reply;
mod server;
mod words;

pub use connection::Connection;
pub use dataset::Dataset;
pub use random::Random;
pub use reply::{Reply, ReplyError};
pub use server::{
    AOF_OF_COMMANDS, Scratch, Server, check_aof, platform_kv_binary, redis_check_aof,
};
pub use words::{quote, split_words};
