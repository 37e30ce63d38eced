//! The sorted_set type.

/// See the module.
#[derive(Default)]
pub struct SortedSet {}

impl SortedSet {
    /// How many allocations freeing this takes, roughly.
    pub fn free_effort(&self) -> usize {
        1
    }
}
