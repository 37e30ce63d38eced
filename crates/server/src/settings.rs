//! Configuration values that data commands read while they run, in one small struct kept beside the data.

use store::db::{Access, LazyFree};
use store::eviction::Policy;
use store::rdb::load::LoadSettings;
use store::value::{HashLimits, SortedSetLimits};

/// See the module. Sizes in bytes, counts in elements; names follow the directives.
#[derive(Clone, Debug)]
pub struct DataSettings {
    pub proto_max_bulk_len: usize,
    pub hash_max_listpack_entries: usize,
    pub hash_max_listpack_value: usize,
    pub set_max_intset_entries: usize,
    pub zset_max_listpack_entries: usize,
    pub zset_max_listpack_value: usize,
    /// Negative: -1..-5 for 4..64 KiB; positive: entries per node.
    pub list_max_listpack_size: i32,
    pub list_compress_depth: u32,
    pub hll_sparse_max_bytes: usize,
    pub stream_node_max_bytes: usize,
    pub stream_node_max_entries: usize,
    pub lazyfree_lazy_user_del: bool,
    pub lazyfree_lazy_user_flush: bool,
    pub lazy_free: LazyFree,
    pub lfu_log_factor: u32,
    pub lfu_decay_time: u32,
    pub maxmemory_policy: Policy,
    /// `maxmemory` is set.
    pub memory_is_limited: bool,
    pub rdb_compression: bool,
}

impl Default for DataSettings {
    fn default() -> DataSettings {
        DataSettings {
            proto_max_bulk_len: 512 * 1024 * 1024,
            hash_max_listpack_entries: 512,
            hash_max_listpack_value: 64,
            set_max_intset_entries: 512,
            zset_max_listpack_entries: 128,
            zset_max_listpack_value: 64,
            list_max_listpack_size: -2,
            list_compress_depth: 0,
            hll_sparse_max_bytes: 3000,
            stream_node_max_bytes: 4096,
            stream_node_max_entries: 100,
            lazyfree_lazy_user_del: false,
            lazyfree_lazy_user_flush: false,
            lazy_free: LazyFree::default(),
            lfu_log_factor: 10,
            lfu_decay_time: 1,
            maxmemory_policy: Policy::NoEviction,
            memory_is_limited: false,
            rdb_compression: true,
        }
    }
}

impl DataSettings {
    /// When a hash is no longer kept as a listpack.
    pub(crate) fn hash_limits(&self) -> HashLimits {
        HashLimits {
            entries: self.hash_max_listpack_entries,
            value: self.hash_max_listpack_value,
        }
    }

    /// When a sorted set is no longer kept as a listpack.
    pub(crate) fn sorted_set_limits(&self) -> SortedSetLimits {
        SortedSetLimits {
            entries: self.zset_max_listpack_entries,
            value: self.zset_max_listpack_value,
        }
    }

    /// How values from a file or a payload are to be kept.
    pub(crate) fn load_settings(&self, access: Access) -> LoadSettings {
        LoadSettings {
            hash: self.hash_limits(),
            set_intset_max: self.set_max_intset_entries,
            sorted_set: self.sorted_set_limits(),
            list_fill: self.list_max_listpack_size,
            list_compress: self.list_compress_depth,
            access,
        }
    }
}
