//! The stream type.

/// See the module.
#[derive(Clone, Default)]
pub struct Stream {}

impl Stream {
    /// How many allocations freeing this takes, roughly.
    pub fn free_effort(&self) -> usize {
        1
    }
}
