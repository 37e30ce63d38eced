//! Compat scripts, a file for each of Redis's command groups; `tests::compat` says how to write one.

mod acl;
mod bitmap;
mod command;
mod connection;
mod dump;
mod generic;
mod geo;
mod hash;
mod hyperloglog;
mod list;
mod memory;
mod propagation;
mod protocol;
mod pubsub;
mod scripting;
mod server;
mod set;
mod sort;
mod sorted_set;
mod stream;
mod string;
mod tracking;
mod transactions;
