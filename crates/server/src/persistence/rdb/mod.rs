//! RDB files: writing them whole or not at all, and reading them on a thread of its own.

mod background;
pub(crate) mod check;
pub(crate) mod file;
pub(crate) mod reading;
pub(crate) mod save;

use front::UnixMillis;

/// What INFO and LASTSAVE tell of RDB files.
#[derive(Debug, Default)]
pub(crate) struct RdbStatus {
    /// When the dataset was last saved, or the node started.
    pub(crate) last_save: UnixMillis,
    /// When the last BGSAVE began.
    pub(crate) last_try: UnixMillis,
    /// The last save failed.
    pub(crate) last_failed: bool,
    /// How long the last BGSAVE took, in seconds; None before the first.
    pub(crate) last_seconds: Option<i64>,
    /// A BGSAVE is wanted as soon as it may begin.
    pub(crate) save_scheduled: bool,
    /// When save points are looked at again, in monotonic milliseconds.
    pub(crate) next_look_ms: u64,
    /// Saves tried since the start.
    pub(crate) saves: u64,
    /// Of the last file that was loaded.
    pub(crate) loaded_keys: u64,
    pub(crate) loaded_expired: u64,
    /// Libraries of functions that came with the data and do not load here, as their sources: they are saved with it.
    pub(crate) functions: Vec<Vec<u8>>,
}
