//! What survives the end of the process: the append only file, and how a node comes back from its files.

pub(crate) mod aof;
pub(crate) mod disk;
pub(crate) mod info;
pub(crate) mod loading;
#[cfg(test)]
mod power_loss_tests;
pub(crate) mod recovery;
#[cfg(test)]
mod simulated_disk;
