//! The hash type.

/// See the module.
#[derive(Default)]
pub struct Hash {}

impl Hash {
    /// How many allocations freeing this takes, roughly.
    pub fn free_effort(&self) -> usize {
        1
    }
}
