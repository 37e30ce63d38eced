//! RDB files: writing them whole or not at all, and reading them on a thread of its own.

pub(crate) mod check;
pub(crate) mod file;
pub(crate) mod reading;
mod save;

use front::UnixMillis;

/// What INFO and LASTSAVE tell of RDB files.
#[derive(Debug, Default)]
pub(crate) struct RdbStatus {
    /// When the dataset was last saved, or the node started.
    pub(crate) last_save: UnixMillis,
    /// Saves tried since the start.
    pub(crate) saves: u64,
    /// Of the last file that was loaded.
    pub(crate) loaded_keys: u64,
    pub(crate) loaded_expired: u64,
    /// Libraries of functions that came with the data and do not load here, as their sources: they are saved with it.
    pub(crate) functions: Vec<Vec<u8>>,
}
