//! The set type.

/// See the module.
#[derive(Default)]
pub struct Set {}

impl Set {
    /// How many allocations freeing this takes, roughly.
    pub fn free_effort(&self) -> usize {
        1
    }
}
