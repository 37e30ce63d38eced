//! The commands of replication. Redis lists them with those of the server and the generic ones.

mod failover;
mod psync;
mod replconf;
mod replicaof;
mod role;
mod wait;

use super::Command;

/// Every command of this folder.
pub static COMMANDS: &[&Command] = &[
    &failover::FAILOVER,
    &psync::PSYNC,
    &psync::SYNC,
    &replconf::REPLCONF,
    &replicaof::REPLICAOF,
    &replicaof::SLAVEOF,
    &role::ROLE,
    &wait::WAIT,
];
