//! What survives the end of the process: the append only file and RDB files, and how a node comes back from them.

pub(crate) mod aof;
pub(crate) mod disk;
pub(crate) mod info;
pub(crate) mod loading;
#[cfg(test)]
mod power_loss_tests;
pub(crate) mod rdb;
pub(crate) mod recovery;
pub(crate) mod shutdown;
#[cfg(test)]
mod simulated_disk;
pub(crate) mod snapshot;
