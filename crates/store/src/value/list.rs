//! The list type: a quicklist whatever its size.

use crate::encoding::quicklist::Quicklist;

/// See the module.
#[derive(Clone)]
pub struct List {
    /// Its elements.
    pub items: Quicklist,
}

impl List {
    /// An empty list with nodes of `fill` (`list-max-listpack-size`), of which all but `compress` at each end are
    /// compressed (`list-compress-depth`).
    pub fn new(fill: i32, compress: u32) -> List {
        List {
            items: Quicklist::new(fill, compress),
        }
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Bytes held from the allocator, judged by `samples` nodes; 0: by all of them.
    pub fn heap_bytes(&self, samples: usize) -> usize {
        self.items.memory_bytes(samples)
    }

    /// How many allocations freeing this takes, roughly.
    pub fn free_effort(&self) -> usize {
        self.items.node_count()
    }
}
