//! Every directive of redis.conf, stated once: CONFIG GET, SET, REWRITE, the file parser, the command line and
//! `docs/configuration.md` derive from this list.

use super::kind::Kind;
use super::kind::Kind::{
    Bool, Choice, Choices, Integer, Memory, MemoryOrPercent, Octal, Special, Text,
};
use super::special;

/// A directive's row in [`DIRECTIVES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DirectiveId(pub(crate) u16);

/// What CONFIG may do with a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DirectiveFlag {
    /// Only the file and the command line set it.
    Immutable,
    /// CONFIG SET needs `enable-protected-configs`.
    Protected,
    /// A secret: never logged.
    Sensitive,
    /// CONFIG GET shows it by its exact name only.
    Hidden,
    /// Redis has no such directive: CONFIG GET shows it to patterns that begin as its name does, so that tools which know
    /// Redis's directives do not meet it.
    Own,
    /// CONFIG SET refuses while the dataset is loading.
    DenyLoading,
    /// Takes several words.
    MultiArg,
}

/// One directive.
pub(crate) struct Directive {
    pub(crate) name: &'static str,
    /// The other name it is known by, or empty.
    pub(crate) alias: &'static str,
    pub(crate) kind: Kind,
    pub(crate) flags: &'static [DirectiveFlag],
}

impl Directive {
    pub(crate) fn has(&self, flag: DirectiveFlag) -> bool {
        self.flags.contains(&flag)
    }
}

/// What the names of directives that Redis does not have begin with.
pub(crate) const OWN_PREFIX: &[u8] = b"platform-kv-";

const I32_MAX: i64 = i32::MAX as i64;
const I32_MIN: i64 = i32::MIN as i64;
const U32_MAX: i64 = u32::MAX as i64;

macro_rules! directives {
    ($($id:ident = $name:literal, $alias:literal, $kind:expr, [$($flag:ident)*];)*) => {
        #[derive(Clone, Copy)]
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "positions named like the constants below")]
        enum Position { $($id),* }

        $(
            #[doc = concat!("`", $name, "`")]
            pub const $id: DirectiveId = DirectiveId(Position::$id as u16);
        )*

        /// Every directive, in the order of CONFIG GET *.
        pub(crate) static DIRECTIVES: &[Directive] = &[
            $(Directive { name: $name, alias: $alias, kind: $kind, flags: &[$(DirectiveFlag::$flag),*] }),*
        ];
    };
}

directives! {
    ACL_PUBSUB_DEFAULT = "acl-pubsub-default", "", Choice(&["allchannels", "resetchannels"], "resetchannels"), [];
    ACLFILE = "aclfile", "", Text(""), [Immutable];
    ACLLOG_MAX_LEN = "acllog-max-len", "", Integer(128, 0, i64::MAX), [];
    ACTIVE_DEFRAG_CYCLE_MAX = "active-defrag-cycle-max", "", Integer(25, 1, 99), [];
    ACTIVE_DEFRAG_CYCLE_MIN = "active-defrag-cycle-min", "", Integer(1, 1, 99), [];
    ACTIVE_DEFRAG_IGNORE_BYTES = "active-defrag-ignore-bytes", "", Memory(104857600, 1), [];
    ACTIVE_DEFRAG_MAX_SCAN_FIELDS = "active-defrag-max-scan-fields", "", Integer(1000, 1, i64::MAX), [];
    ACTIVE_DEFRAG_THRESHOLD_LOWER = "active-defrag-threshold-lower", "", Integer(10, 0, 1000), [];
    ACTIVE_DEFRAG_THRESHOLD_UPPER = "active-defrag-threshold-upper", "", Integer(100, 0, 1000), [];
    ACTIVE_EXPIRE_EFFORT = "active-expire-effort", "", Integer(1, 1, 10), [];
    ACTIVEDEFRAG = "activedefrag", "", Bool(false), [];
    ACTIVEREHASHING = "activerehashing", "", Bool(true), [];
    ALWAYS_SHOW_LOGO = "always-show-logo", "", Bool(false), [Immutable];
    AOF_DISABLE_AUTO_GC = "aof-disable-auto-gc", "", Bool(false), [];
    AOF_LOAD_TRUNCATED = "aof-load-truncated", "", Bool(true), [];
    AOF_REWRITE_INCREMENTAL_FSYNC = "aof-rewrite-incremental-fsync", "", Bool(true), [];
    AOF_TIMESTAMP_ENABLED = "aof-timestamp-enabled", "", Bool(false), [];
    AOF_USE_RDB_PREAMBLE = "aof-use-rdb-preamble", "", Bool(true), [];
    AOF_REWRITE_CPULIST = "aof_rewrite_cpulist", "", Text(""), [Immutable];
    APPENDDIRNAME = "appenddirname", "", Text("appendonlydir"), [Immutable];
    APPENDFILENAME = "appendfilename", "", Text("appendonly.aof"), [Immutable];
    APPENDFSYNC = "appendfsync", "", Choice(&["everysec", "always", "no"], "everysec"), [];
    APPENDONLY = "appendonly", "", Bool(false), [DenyLoading];
    AUTO_AOF_REWRITE_MIN_SIZE = "auto-aof-rewrite-min-size", "", Memory(67108864, 0), [];
    AUTO_AOF_REWRITE_PERCENTAGE = "auto-aof-rewrite-percentage", "", Integer(100, 0, I32_MAX), [];
    BGSAVE_CPULIST = "bgsave_cpulist", "", Text(""), [Immutable];
    BIND = "bind", "", Special("* -::*", special::bind), [MultiArg];
    BIND_SOURCE_ADDR = "bind-source-addr", "", Text(""), [];
    BIO_CPULIST = "bio_cpulist", "", Text(""), [Immutable];
    BUSY_REPLY_THRESHOLD = "busy-reply-threshold", "lua-time-limit", Integer(5000, 0, i64::MAX), [];
    CLIENT_OUTPUT_BUFFER_LIMIT = "client-output-buffer-limit", "", Special("normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60", special::client_output_buffer_limit), [MultiArg];
    CLIENT_QUERY_BUFFER_LIMIT = "client-query-buffer-limit", "", Memory(1073741824, 1048576), [];
    CLUSTER_ALLOW_PUBSUBSHARD_WHEN_DOWN = "cluster-allow-pubsubshard-when-down", "", Bool(true), [];
    CLUSTER_ALLOW_READS_WHEN_DOWN = "cluster-allow-reads-when-down", "", Bool(false), [];
    CLUSTER_ALLOW_REPLICA_MIGRATION = "cluster-allow-replica-migration", "", Bool(true), [];
    CLUSTER_ANNOUNCE_BUS_PORT = "cluster-announce-bus-port", "", Integer(0, 0, 65535), [];
    CLUSTER_ANNOUNCE_HOSTNAME = "cluster-announce-hostname", "", Special("", special::hostname), [];
    CLUSTER_ANNOUNCE_IP = "cluster-announce-ip", "", Text(""), [];
    CLUSTER_ANNOUNCE_PORT = "cluster-announce-port", "", Integer(0, 0, 65535), [];
    CLUSTER_ANNOUNCE_TLS_PORT = "cluster-announce-tls-port", "", Integer(0, 0, 65535), [];
    CLUSTER_CONFIG_FILE = "cluster-config-file", "", Text("nodes.conf"), [Immutable];
    CLUSTER_ENABLED = "cluster-enabled", "", Bool(false), [Immutable];
    CLUSTER_LINK_SENDBUF_LIMIT = "cluster-link-sendbuf-limit", "", Memory(0, 0), [];
    CLUSTER_MIGRATION_BARRIER = "cluster-migration-barrier", "", Integer(1, 0, I32_MAX), [];
    CLUSTER_NODE_TIMEOUT = "cluster-node-timeout", "", Integer(15000, 0, i64::MAX), [];
    CLUSTER_PORT = "cluster-port", "", Integer(0, 0, 65535), [Immutable];
    CLUSTER_PREFERRED_ENDPOINT_TYPE = "cluster-preferred-endpoint-type", "", Choice(&["ip", "hostname", "unknown-endpoint"], "ip"), [];
    CLUSTER_REPLICA_NO_FAILOVER = "cluster-replica-no-failover", "cluster-slave-no-failover", Bool(false), [];
    CLUSTER_REPLICA_VALIDITY_FACTOR = "cluster-replica-validity-factor", "cluster-slave-validity-factor", Integer(10, 0, I32_MAX), [];
    CLUSTER_REQUIRE_FULL_COVERAGE = "cluster-require-full-coverage", "", Bool(true), [];
    CRASH_LOG_ENABLED = "crash-log-enabled", "", Bool(true), [];
    CRASH_MEMCHECK_ENABLED = "crash-memcheck-enabled", "", Bool(true), [];
    DAEMONIZE = "daemonize", "", Bool(false), [Immutable];
    DATABASES = "databases", "", Integer(16, 1, I32_MAX), [Immutable];
    DBFILENAME = "dbfilename", "", Text("dump.rdb"), [Protected];
    DIR = "dir", "", Special("", special::dir), [Protected DenyLoading];
    DISABLE_THP = "disable-thp", "", Bool(true), [Immutable];
    DYNAMIC_HZ = "dynamic-hz", "", Bool(true), [];
    ENABLE_DEBUG_COMMAND = "enable-debug-command", "", Choice(&["no", "yes", "local"], "no"), [Immutable];
    ENABLE_MODULE_COMMAND = "enable-module-command", "", Choice(&["no", "yes", "local"], "no"), [Immutable];
    ENABLE_PROTECTED_CONFIGS = "enable-protected-configs", "", Choice(&["no", "yes", "local"], "no"), [Immutable];
    HASH_MAX_LISTPACK_ENTRIES = "hash-max-listpack-entries", "hash-max-ziplist-entries", Integer(512, 0, i64::MAX), [];
    HASH_MAX_LISTPACK_VALUE = "hash-max-listpack-value", "hash-max-ziplist-value", Memory(64, 0), [];
    HLL_SPARSE_MAX_BYTES = "hll-sparse-max-bytes", "", Memory(3000, 0), [];
    HZ = "hz", "", Integer(10, 0, I32_MAX), [];
    IGNORE_WARNINGS = "ignore-warnings", "", Text(""), [];
    IO_THREADS = "io-threads", "", Integer(1, 1, 128), [Immutable];
    IO_THREADS_DO_READS = "io-threads-do-reads", "", Bool(false), [Immutable];
    JEMALLOC_BG_THREAD = "jemalloc-bg-thread", "", Bool(true), [];
    LATENCY_MONITOR_THRESHOLD = "latency-monitor-threshold", "", Integer(0, 0, i64::MAX), [];
    LATENCY_TRACKING = "latency-tracking", "", Bool(true), [];
    LATENCY_TRACKING_INFO_PERCENTILES = "latency-tracking-info-percentiles", "", Special("50 99 99.9", special::percentiles), [MultiArg];
    LAZYFREE_LAZY_EVICTION = "lazyfree-lazy-eviction", "", Bool(false), [];
    LAZYFREE_LAZY_EXPIRE = "lazyfree-lazy-expire", "", Bool(false), [];
    LAZYFREE_LAZY_SERVER_DEL = "lazyfree-lazy-server-del", "", Bool(false), [];
    LAZYFREE_LAZY_USER_DEL = "lazyfree-lazy-user-del", "", Bool(false), [];
    LAZYFREE_LAZY_USER_FLUSH = "lazyfree-lazy-user-flush", "", Bool(false), [];
    LFU_DECAY_TIME = "lfu-decay-time", "", Integer(1, 0, I32_MAX), [];
    LFU_LOG_FACTOR = "lfu-log-factor", "", Integer(10, 0, I32_MAX), [];
    LIST_COMPRESS_DEPTH = "list-compress-depth", "", Integer(0, 0, I32_MAX), [];
    LIST_MAX_LISTPACK_SIZE = "list-max-listpack-size", "list-max-ziplist-size", Integer(-2, I32_MIN, I32_MAX), [];
    LOGFILE = "logfile", "", Text(""), [Immutable];
    LOGLEVEL = "loglevel", "", Choice(&["debug", "verbose", "notice", "warning"], "notice"), [];
    MASTERAUTH = "masterauth", "", Text(""), [Sensitive];
    MASTERUSER = "masteruser", "", Text(""), [Sensitive];
    MAXCLIENTS = "maxclients", "", Integer(10000, 1, U32_MAX), [];
    MAXMEMORY = "maxmemory", "", Memory(0, 0), [];
    MAXMEMORY_CLIENTS = "maxmemory-clients", "", MemoryOrPercent("0"), [];
    MAXMEMORY_EVICTION_TENACITY = "maxmemory-eviction-tenacity", "", Integer(10, 0, 100), [];
    MAXMEMORY_POLICY = "maxmemory-policy", "", Choice(&["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction"], "noeviction"), [];
    MAXMEMORY_SAMPLES = "maxmemory-samples", "", Integer(5, 1, I32_MAX), [];
    MIN_REPLICAS_MAX_LAG = "min-replicas-max-lag", "min-slaves-max-lag", Integer(10, 0, I32_MAX), [];
    MIN_REPLICAS_TO_WRITE = "min-replicas-to-write", "min-slaves-to-write", Integer(0, 0, I32_MAX), [];
    NO_APPENDFSYNC_ON_REWRITE = "no-appendfsync-on-rewrite", "", Bool(false), [];
    NOTIFY_KEYSPACE_EVENTS = "notify-keyspace-events", "", Special("", special::notify_keyspace_events), [];
    OOM_SCORE_ADJ = "oom-score-adj", "", Choice(&["no", "yes", "relative", "absolute"], "no"), [];
    OOM_SCORE_ADJ_VALUES = "oom-score-adj-values", "", Special("0 200 800", special::oom_score_adj_values), [MultiArg];
    PIDFILE = "pidfile", "", Text(""), [Immutable];
    PORT = "port", "", Integer(6379, 0, 65535), [];
    PROC_TITLE_TEMPLATE = "proc-title-template", "", Special("{title} {listen-addr} {server-mode}", special::proc_title_template), [];
    PROPAGATION_ERROR_BEHAVIOR = "propagation-error-behavior", "", Choice(&["ignore", "panic", "panic-on-replicas"], "ignore"), [];
    PROTECTED_MODE = "protected-mode", "", Bool(true), [];
    PROTO_MAX_BULK_LEN = "proto-max-bulk-len", "", Memory(536870912, 1048576), [];
    RDB_DEL_SYNC_FILES = "rdb-del-sync-files", "", Bool(false), [];
    RDB_SAVE_INCREMENTAL_FSYNC = "rdb-save-incremental-fsync", "", Bool(true), [];
    RDBCHECKSUM = "rdbchecksum", "", Bool(true), [Immutable];
    RDBCOMPRESSION = "rdbcompression", "", Bool(true), [];
    REPL_BACKLOG_SIZE = "repl-backlog-size", "", Memory(1048576, 1), [];
    REPL_BACKLOG_TTL = "repl-backlog-ttl", "", Integer(3600, 0, i64::MAX), [];
    REPL_DISABLE_TCP_NODELAY = "repl-disable-tcp-nodelay", "", Bool(false), [];
    REPL_DISKLESS_LOAD = "repl-diskless-load", "", Choice(&["disabled", "on-empty-db", "swapdb"], "disabled"), [DenyLoading];
    REPL_DISKLESS_SYNC = "repl-diskless-sync", "", Bool(true), [];
    REPL_DISKLESS_SYNC_DELAY = "repl-diskless-sync-delay", "", Integer(5, 0, I32_MAX), [];
    REPL_DISKLESS_SYNC_MAX_REPLICAS = "repl-diskless-sync-max-replicas", "", Integer(0, 0, I32_MAX), [];
    REPL_PING_REPLICA_PERIOD = "repl-ping-replica-period", "repl-ping-slave-period", Integer(10, 1, I32_MAX), [];
    REPL_TIMEOUT = "repl-timeout", "", Integer(60, 1, I32_MAX), [];
    REPLICA_ANNOUNCE_IP = "replica-announce-ip", "slave-announce-ip", Text(""), [];
    REPLICA_ANNOUNCE_PORT = "replica-announce-port", "slave-announce-port", Integer(0, 0, 65535), [];
    REPLICA_ANNOUNCED = "replica-announced", "", Bool(true), [];
    REPLICA_IGNORE_DISK_WRITE_ERRORS = "replica-ignore-disk-write-errors", "", Bool(false), [];
    REPLICA_IGNORE_MAXMEMORY = "replica-ignore-maxmemory", "slave-ignore-maxmemory", Bool(true), [];
    REPLICA_LAZY_FLUSH = "replica-lazy-flush", "slave-lazy-flush", Bool(false), [];
    REPLICA_PRIORITY = "replica-priority", "slave-priority", Integer(100, 0, I32_MAX), [];
    REPLICA_READ_ONLY = "replica-read-only", "slave-read-only", Bool(true), [];
    REPLICA_SERVE_STALE_DATA = "replica-serve-stale-data", "slave-serve-stale-data", Bool(true), [];
    REPLICAOF = "replicaof", "slaveof", Special("", special::replicaof), [Immutable MultiArg];
    REQUIREPASS = "requirepass", "", Text(""), [Sensitive];
    SANITIZE_DUMP_PAYLOAD = "sanitize-dump-payload", "", Choice(&["no", "yes", "clients"], "no"), [];
    SAVE = "save", "", Special("3600 1 300 100 60 10000", special::save), [MultiArg];
    SERVER_CPULIST = "server_cpulist", "", Text(""), [Immutable];
    SET_MAX_INTSET_ENTRIES = "set-max-intset-entries", "", Integer(512, 0, i64::MAX), [];
    SET_PROC_TITLE = "set-proc-title", "", Bool(true), [Immutable];
    SHUTDOWN_ON_SIGINT = "shutdown-on-sigint", "", Choices(&["default", "save", "nosave", "now", "force"], "default"), [MultiArg];
    SHUTDOWN_ON_SIGTERM = "shutdown-on-sigterm", "", Choices(&["default", "save", "nosave", "now", "force"], "default"), [MultiArg];
    SHUTDOWN_TIMEOUT = "shutdown-timeout", "", Integer(10, 0, I32_MAX), [];
    SLOWLOG_LOG_SLOWER_THAN = "slowlog-log-slower-than", "", Integer(10000, -1, i64::MAX), [];
    SLOWLOG_MAX_LEN = "slowlog-max-len", "", Integer(128, 0, i64::MAX), [];
    SOCKET_MARK_ID = "socket-mark-id", "", Integer(0, 0, U32_MAX), [Immutable];
    STOP_WRITES_ON_BGSAVE_ERROR = "stop-writes-on-bgsave-error", "", Bool(true), [];
    STREAM_NODE_MAX_BYTES = "stream-node-max-bytes", "", Memory(4096, 0), [];
    STREAM_NODE_MAX_ENTRIES = "stream-node-max-entries", "", Integer(100, 0, i64::MAX), [];
    SUPERVISED = "supervised", "", Choice(&["upstart", "systemd", "auto", "no"], "no"), [Immutable];
    SYSLOG_ENABLED = "syslog-enabled", "", Bool(false), [Immutable];
    SYSLOG_FACILITY = "syslog-facility", "", Choice(&["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"], "local0"), [Immutable];
    SYSLOG_IDENT = "syslog-ident", "", Text("redis"), [Immutable];
    TCP_BACKLOG = "tcp-backlog", "", Integer(511, 0, I32_MAX), [Immutable];
    TCP_KEEPALIVE = "tcp-keepalive", "", Integer(300, 0, I32_MAX), [];
    TIMEOUT = "timeout", "", Integer(0, 0, I32_MAX), [];
    TLS_AUTH_CLIENTS = "tls-auth-clients", "", Choice(&["no", "yes", "optional"], "yes"), [];
    TLS_CA_CERT_DIR = "tls-ca-cert-dir", "", Text(""), [];
    TLS_CA_CERT_FILE = "tls-ca-cert-file", "", Text(""), [];
    TLS_CERT_FILE = "tls-cert-file", "", Text(""), [];
    TLS_CIPHERS = "tls-ciphers", "", Text(""), [];
    TLS_CIPHERSUITES = "tls-ciphersuites", "", Text(""), [];
    TLS_CLIENT_CERT_FILE = "tls-client-cert-file", "", Text(""), [];
    TLS_CLIENT_KEY_FILE = "tls-client-key-file", "", Text(""), [];
    TLS_CLIENT_KEY_FILE_PASS = "tls-client-key-file-pass", "", Text(""), [];
    TLS_CLUSTER = "tls-cluster", "", Bool(false), [];
    TLS_DH_PARAMS_FILE = "tls-dh-params-file", "", Text(""), [];
    TLS_KEY_FILE = "tls-key-file", "", Text(""), [];
    TLS_KEY_FILE_PASS = "tls-key-file-pass", "", Text(""), [];
    TLS_PORT = "tls-port", "", Integer(0, 0, 65535), [];
    TLS_PREFER_SERVER_CIPHERS = "tls-prefer-server-ciphers", "", Bool(false), [];
    TLS_PROTOCOLS = "tls-protocols", "", Text(""), [];
    TLS_REPLICATION = "tls-replication", "", Bool(false), [];
    TLS_SESSION_CACHE_SIZE = "tls-session-cache-size", "", Integer(20480, 0, I32_MAX), [];
    TLS_SESSION_CACHE_TIMEOUT = "tls-session-cache-timeout", "", Integer(300, 0, I32_MAX), [];
    TLS_SESSION_CACHING = "tls-session-caching", "", Bool(true), [];
    TRACKING_TABLE_MAX_KEYS = "tracking-table-max-keys", "", Integer(1000000, 0, i64::MAX), [];
    UNIXSOCKET = "unixsocket", "", Text(""), [Immutable];
    UNIXSOCKETPERM = "unixsocketperm", "", Octal(0), [Immutable];
    ZSET_MAX_LISTPACK_ENTRIES = "zset-max-listpack-entries", "zset-max-ziplist-entries", Integer(128, 0, i64::MAX), [];
    ZSET_MAX_LISTPACK_VALUE = "zset-max-listpack-value", "zset-max-ziplist-value", Memory(64, 0), [];
    PLATFORM_KV_CONTAINER_GUARD = "platform-kv-container-guard", "", Bool(true), [Own];
    PLATFORM_KV_LOG_FORMAT = "platform-kv-log-format", "", Choice(&["redis", "json"], "redis"), [Own];
    RDB_KEY_SAVE_DELAY = "rdb-key-save-delay", "", Integer(0, I32_MIN, I32_MAX), [Hidden];
    KEY_LOAD_DELAY = "key-load-delay", "", Integer(0, I32_MIN, I32_MAX), [Hidden];
    WATCHDOG_PERIOD = "watchdog-period", "", Integer(0, 0, I32_MAX), [Hidden];
    USE_EXIT_ON_PANIC = "use-exit-on-panic", "", Bool(false), [Hidden];
    LOADING_PROCESS_EVENTS_INTERVAL_BYTES = "loading-process-events-interval-bytes", "", Integer(2097152, 1024, I32_MAX), [Hidden];
}
