//! What a changed directive does to the running node.

use super::*;
use crate::server::Server;
use crate::settings::DataSettings;
use front::log::Level;
use std::io;
use store::db::LazyFree;
use store::eviction::Policy;

impl Server {
    /// Makes the running node follow its configuration.
    ///
    /// # Errors
    /// The reason why a value cannot be followed here.
    pub(crate) fn apply_config(&mut self) -> Result<(), (DirectiveId, String)> {
        let config = &self.config;
        if config.bool(ACTIVEDEFRAG) {
            return Err((
                ACTIVEDEFRAG,
                "Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified Jemalloc \
                 like the one shipped by default with the Redis source distribution"
                    .into(),
            ));
        }
        let size = |id| config.integer(id) as usize;
        self.settings = DataSettings {
            proto_max_bulk_len: size(PROTO_MAX_BULK_LEN),
            hash_max_listpack_entries: size(HASH_MAX_LISTPACK_ENTRIES),
            hash_max_listpack_value: size(HASH_MAX_LISTPACK_VALUE),
            set_max_intset_entries: size(SET_MAX_INTSET_ENTRIES),
            zset_max_listpack_entries: size(ZSET_MAX_LISTPACK_ENTRIES),
            zset_max_listpack_value: size(ZSET_MAX_LISTPACK_VALUE),
            list_max_listpack_size: config.integer(LIST_MAX_LISTPACK_SIZE) as i32,
            list_compress_depth: config.integer(LIST_COMPRESS_DEPTH) as u32,
            hll_sparse_max_bytes: size(HLL_SPARSE_MAX_BYTES),
            stream_node_max_bytes: size(STREAM_NODE_MAX_BYTES),
            stream_node_max_entries: size(STREAM_NODE_MAX_ENTRIES),
            lazyfree_lazy_user_del: config.bool(LAZYFREE_LAZY_USER_DEL),
            lazyfree_lazy_user_flush: config.bool(LAZYFREE_LAZY_USER_FLUSH),
            lazy_free: LazyFree {
                expire: config.bool(LAZYFREE_LAZY_EXPIRE),
                server_del: config.bool(LAZYFREE_LAZY_SERVER_DEL),
            },
            lfu_log_factor: config.integer(LFU_LOG_FACTOR) as u32,
            lfu_decay_time: config.integer(LFU_DECAY_TIME) as u32,
            maxmemory_policy: Policy::by_name(config.text(MAXMEMORY_POLICY)).unwrap_or_default(),
            memory_is_limited: config.integer(MAXMEMORY) > 0,
            rdb_compression: config.bool(RDBCOMPRESSION),
        };
        self.eviction.configure(config);
        let backlog = size(REPL_BACKLOG_SIZE);
        self.oom_score.follow(config)?;
        self.slowlog.slower_than_micros = config.integer(SLOWLOG_LOG_SLOWER_THAN);
        self.slowlog.set_max_len(size(SLOWLOG_MAX_LEN));
        self.latency.threshold_millis = config.integer(LATENCY_MONITOR_THRESHOLD) as u64;
        self.replication.resize_backlog(backlog);
        self.tracking_table_max_keys = size(TRACKING_TABLE_MAX_KEYS);
        self.latency_tracking = config.bool(LATENCY_TRACKING);
        let settings = &mut self.front.settings;
        if size(MAXCLIENTS) > settings.maxclients {
            let allowed = crate::open_files::allow_clients(size(MAXCLIENTS) as u64);
            if allowed < size(MAXCLIENTS) as u64 {
                return Err((
                    MAXCLIENTS,
                    format!(
                        "The operating system is not able to handle the specified number of clients, try with {allowed}"
                    ),
                ));
            }
        }
        settings.maxclients = size(MAXCLIENTS);
        settings.timeout_seconds = config.integer(TIMEOUT) as u64;
        settings.tcp_keepalive_seconds = config.integer(TCP_KEEPALIVE) as u32;
        settings.query_buffer_limit = size(CLIENT_QUERY_BUFFER_LIMIT);
        settings.limits.max_bulk_len = size(PROTO_MAX_BULK_LEN);
        settings.protected_mode = config.bool(PROTECTED_MODE);
        settings.output_limits = special::output_limits(config.text(CLIENT_OUTPUT_BUFFER_LIMIT));
        let client_memory = memory_or_percent(config.text(MAXMEMORY_CLIENTS), size(MAXMEMORY));
        self.front.limit_client_memory(client_memory);
        let acl = &mut self.front.acl;
        acl.set_requirepass(config.text(REQUIREPASS));
        acl.new_users_get_all_channels = config.text(ACL_PUBSUB_DEFAULT) == "allchannels";
        acl.log.set_max_len(size(ACLLOG_MAX_LEN));
        acl.file = config.text(ACLFILE).into();
        self.aof.configure(&self.config);
        self.notify =
            special::event_classes(config.text(NOTIFY_KEYSPACE_EVENTS)).unwrap_or_default();
        let level = match config.text(LOGLEVEL) {
            "debug" => Level::Debug,
            "verbose" => Level::Verbose,
            "notice" => Level::Notice,
            _ => Level::Warning,
        };
        let json = config.text(PLATFORM_KV_LOG_FORMAT) == "json";
        front::log::configure(|log| (log.level, log.json) = (level, json));
        crate::crash::configure(
            config.bool(CRASH_LOG_ENABLED),
            config.bool(USE_EXIT_ON_PANIC),
        );
        self.follow_dir()
            .map_err(|error| (DIR, front::log::io_reason(&error)))
    }

    /// Goes into the folder of `dir` unless that is what it was last told.
    fn follow_dir(&mut self) -> io::Result<()> {
        let dir = self.config.text(DIR);
        // A folder that somebody has removed meanwhile is no reason to refuse other directives.
        if dir == self.working_dir && !dir.is_empty() {
            return Ok(());
        }
        if !dir.is_empty() {
            std::env::set_current_dir(dir)?;
        }
        let now = std::env::current_dir()?.display().to_string();
        self.config.set(DIR, &[&now]).map_err(io::Error::other)?;
        self.working_dir = now;
        Ok(())
    }

    /// Writes the running configuration, users included, into its file.
    ///
    /// # Errors
    /// The reason, in the words clients know.
    pub(crate) fn rewrite_config_file(&self, extent: Extent) -> Result<(), String> {
        let front = &self.front;
        let users: Vec<String> = match front.acl.file.is_empty() {
            true => front.acl.lines(&front.table),
            false => Vec::new(),
        }
        .iter()
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
        self.config.rewrite_file(&users, extent)
    }

    /// Takes over the users of the configuration or of its ACL file, at start.
    ///
    /// # Errors
    /// Why the users cannot be what was asked for.
    pub(crate) fn load_users(&mut self) -> Result<(), String> {
        let front = &mut self.front;
        for (name, rules) in &self.config.users {
            let wrong = |wrong: front::acl::UserRuleError| {
                let rule = String::from_utf8_lossy(&wrong.rule).into_owned();
                format!(
                    "Error loading ACL rule '{rule}' for the user named '{name}': {}",
                    wrong.error
                )
            };
            front
                .acl
                .set_user(&front.table, name.as_bytes(), rules)
                .map_err(wrong)?;
        }
        if !front.acl.file.is_empty() {
            front.acl.load(&front.table).map_err(|report| {
                format!("Aborting Redis startup because of ACL errors: {report}")
            })?;
        }
        Ok(())
    }
}

/// Bytes of a text that is a number of bytes or `n%` of `whole`; a part of no limit is no limit.
fn memory_or_percent(text: &str, whole: usize) -> usize {
    match text.strip_suffix('%') {
        Some(percent) => {
            let percent: u128 = percent.parse().unwrap_or(0);
            (whole as u128 * percent / 100).min(usize::MAX as u128) as usize
        }
        None => text.parse().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::memory_or_percent;

    #[test]
    fn a_share_of_maxmemory_is_taken_of_it() {
        assert_eq!(memory_or_percent("3000000", 100), 3_000_000);
        assert_eq!(memory_or_percent("7%", 6 << 20), 440_401);
        assert_eq!(memory_or_percent("7%", 0), 0);
        assert_eq!(memory_or_percent("0", 100), 0);
    }
}
