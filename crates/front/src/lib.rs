//! What every RESP-speaking process has: event loop, clients, command descriptions. Knows no data.

pub mod acl;
pub mod background;
pub mod client;
pub mod client_info;
pub mod clock;
pub mod command;
pub mod commands;
mod context;
pub mod event_loop;
mod front;
pub mod gate;
pub mod glob;
pub mod histogram;
pub mod latency;
pub mod log;
pub mod mallctl;
pub mod memory;
mod output_buffer;
pub mod pubsub;
pub mod slowlog;
mod socket;
pub mod syslog;

pub use client::{Client, ClientClass, ClientKey};
pub use clock::{Clock, UnixMillis};
pub use context::*;
pub use front::*;
pub use socket::Listener;
