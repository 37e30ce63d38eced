//! The list type.

/// See the module.
#[derive(Default)]
pub struct List {}

impl List {
    /// How many allocations freeing this takes, roughly.
    pub fn free_effort(&self) -> usize {
        1
    }
}
