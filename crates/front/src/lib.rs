//! What every RESP-speaking process has: event loop, clients, command descriptions. Knows no data.

pub mod acl;
pub mod background;
pub mod client;
mod client_care;
pub mod client_info;
mod client_memory;
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
mod link;
pub mod listen;
pub mod log;
pub mod mallctl;
pub mod memory;
mod output_buffer;
pub mod process;
pub mod pubsub;
mod reply_size;
pub mod slowlog;
mod socket;
pub mod syslog;

pub use client::{Client, ClientClass, ClientKey};
pub use client_memory::WATCH_BYTES;
pub use clock::{Clock, UnixMillis};
pub use context::*;
pub use front::*;
pub use link::LinkEvent;
pub use reply_size::PeakReset;
pub use socket::Listener;
