//! The sorted_set type.

/// See the module.
#[derive(Clone, Default)]
pub struct SortedSet {}

impl SortedSet {
    /// The name OBJECT ENCODING gives.
    pub fn encoding(&self) -> &'static str {
        "listpack"
    }

    /// How many allocations freeing this takes, roughly.
    pub fn free_effort(&self) -> usize {
        1
    }
}
