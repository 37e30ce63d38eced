//! What a command is, stated once as plain data. COMMAND, COMMAND DOCS, ACL categories, key extraction, arity checks and
//! `docs/commands.md` are all derived from these statics.

/// Redis's grouping of commands, as COMMAND DOCS names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Generic,
    String,
    List,
    Set,
    SortedSet,
    Hash,
    PubSub,
    Transactions,
    Connection,
    Server,
    Scripting,
    HyperLogLog,
    Cluster,
    Sentinel,
    Geo,
    Stream,
    Bitmap,
}

impl Group {
    /// Every group, in the order of `docs/commands.md`.
    pub const ALL: &[Group] = &[
        Group::Generic,
        Group::String,
        Group::Bitmap,
        Group::List,
        Group::Hash,
        Group::Set,
        Group::SortedSet,
        Group::Stream,
        Group::Geo,
        Group::HyperLogLog,
        Group::PubSub,
        Group::Transactions,
        Group::Scripting,
        Group::Connection,
        Group::Server,
        Group::Sentinel,
        Group::Cluster,
    ];

    /// The name in COMMAND DOCS.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::List => "list",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Hash => "hash",
            Group::PubSub => "pubsub",
            Group::Transactions => "transactions",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Scripting => "scripting",
            Group::HyperLogLog => "hyperloglog",
            Group::Cluster => "cluster",
            Group::Sentinel => "sentinel",
            Group::Geo => "geo",
            Group::Stream => "stream",
            Group::Bitmap => "bitmap",
        }
    }
}

macro_rules! flag_set {
    ($(#[$doc:meta])* $name:ident: $repr:ty { $($flag:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
        pub struct $name($repr);

        impl $name {
            /// No flag at all.
            pub const NONE: $name = $name(0);
            flag_set!(@consts $name, 0, $($flag,)*);
            /// Every flag with its wire name, in wire order.
            pub const ALL: &'static [($name, &'static str)] = &[$(($name::$flag, $text)),*];

            /// Both sets together.
            pub const fn and(self, other: $name) -> $name {
                $name(self.0 | other.0)
            }
            /// This set without the flags of `other`.
            pub const fn without(self, other: $name) -> $name {
                $name(self.0 & !other.0)
            }
            /// Whether every flag of `other` is set here.
            #[inline]
            pub const fn has(self, other: $name) -> bool {
                self.0 & other.0 == other.0
            }
            /// Whether any flag of `other` is set here.
            #[inline]
            pub const fn any(self, other: $name) -> bool {
                self.0 & other.0 != 0
            }
            /// The flag of this wire name, in any case.
            pub fn by_name(name: &[u8]) -> Option<$name> {
                let is = |(_, known): &&($name, &str)| known.as_bytes().eq_ignore_ascii_case(name);
                Self::ALL.iter().find(is).map(|(flag, _)| *flag)
            }
            /// The wire names of the flags that are set, in wire order.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                Self::ALL.iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| *name)
            }
        }
    };
    (@consts $name:ident, $bit:expr, $flag:ident, $($rest:ident,)*) => {
        #[allow(missing_docs, reason = "the wire name beside it says it")]
        pub const $flag: $name = $name(1 << ($bit));
        flag_set!(@consts $name, $bit + 1, $($rest,)*);
    };
    (@consts $name:ident, $bit:expr,) => {};
}

flag_set! {
    /// Command flags, as COMMAND INFO lists them.
    Flags: u32 {
        WRITE = "write",
        READONLY = "readonly",
        DENYOOM = "denyoom",
        MODULE = "module",
        ADMIN = "admin",
        PUBSUB = "pubsub",
        NOSCRIPT = "noscript",
        BLOCKING = "blocking",
        LOADING = "loading",
        STALE = "stale",
        SKIP_MONITOR = "skip_monitor",
        SKIP_SLOWLOG = "skip_slowlog",
        ASKING = "asking",
        FAST = "fast",
        NO_AUTH = "no_auth",
        MAY_REPLICATE = "may_replicate",
        NO_MANDATORY_KEYS = "no_mandatory_keys",
        PROTECTED = "protected",
        NO_ASYNC_LOADING = "no_async_loading",
        NO_MULTI = "no_multi",
        MOVABLE_KEYS = "movablekeys",
        ALLOW_BUSY = "allow_busy",
    }
}

impl Flags {
    /// What only the server goes by; clients are not told.
    pub const INTERNAL: Flags = Flags::MAY_REPLICATE.and(Flags::PROTECTED);
}

flag_set! {
    /// ACL categories. Most are derived from flags and group; a spec states only the others.
    Categories: u32 {
        KEYSPACE = "keyspace",
        READ = "read",
        WRITE = "write",
        SET = "set",
        SORTED_SET = "sortedset",
        LIST = "list",
        HASH = "hash",
        STRING = "string",
        BITMAP = "bitmap",
        HYPERLOGLOG = "hyperloglog",
        GEO = "geo",
        STREAM = "stream",
        PUBSUB = "pubsub",
        ADMIN = "admin",
        FAST = "fast",
        SLOW = "slow",
        BLOCKING = "blocking",
        DANGEROUS = "dangerous",
        CONNECTION = "connection",
        TRANSACTION = "transaction",
        SCRIPTING = "scripting",
    }
}

flag_set! {
    /// What a command does with the keys of a key spec.
    KeyFlags: u16 {
        RO = "RO",
        RW = "RW",
        OW = "OW",
        RM = "RM",
        ACCESS = "access",
        UPDATE = "update",
        INSERT = "insert",
        DELETE = "delete",
        NOT_KEY = "not_key",
        INCOMPLETE = "incomplete",
        VARIABLE_FLAGS = "variable_flags",
    }
}

/// Where the keys of a spec begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeginSearch {
    /// At a fixed argument index (the command name is 0).
    Index(i32),
    /// After a keyword, searched from this index (negative: from the end, backwards).
    Keyword(&'static str, i32),
    /// Only the command itself can tell.
    Unknown,
}

/// How the keys continue from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindKeys {
    /// Up to `last` (relative to the beginning; negative: from the end of the arguments), every `step`; a `limit` of 2
    /// or more takes only that fraction of the remaining arguments.
    Range { last: i32, step: i32, limit: i32 },
    /// The number of keys stands at `keynum` and the first key at `first`, both relative to the beginning.
    KeyNum { keynum: i32, first: i32, step: i32 },
    /// Only the command itself can tell.
    Unknown,
}

/// One rule of finding keys among the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    pub flags: KeyFlags,
    pub begin: BeginSearch,
    pub find: FindKeys,
}

impl KeySpec {
    /// A single key at an index.
    pub const fn one(flags: KeyFlags, index: i32) -> KeySpec {
        KeySpec::range(flags, index, 0, 1)
    }
    /// Keys from `index` up to `last` (relative, or negative from the end), every `step`.
    pub const fn range(flags: KeyFlags, index: i32, last: i32, step: i32) -> KeySpec {
        KeySpec {
            flags,
            begin: BeginSearch::Index(index),
            find: FindKeys::Range {
                last,
                step,
                limit: 0,
            },
        }
    }
    /// A count of keys at `index`, the keys after it.
    pub const fn keynum(flags: KeyFlags, index: i32) -> KeySpec {
        KeySpec {
            flags,
            begin: BeginSearch::Index(index),
            find: FindKeys::KeyNum {
                keynum: 0,
                first: 1,
                step: 1,
            },
        }
    }
    /// Keys after a keyword.
    pub const fn keyword(
        flags: KeyFlags,
        word: &'static str,
        from: i32,
        find: FindKeys,
    ) -> KeySpec {
        KeySpec {
            flags,
            begin: BeginSearch::Keyword(word, from),
            find,
        }
    }
    /// Keys that no rule finds.
    pub const fn unknown(flags: KeyFlags) -> KeySpec {
        KeySpec {
            flags,
            begin: BeginSearch::Unknown,
            find: FindKeys::Unknown,
        }
    }
}

/// The kind of an argument in COMMAND DOCS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    String,
    Integer,
    Double,
    /// A key, found by the key spec of this index.
    Key(usize),
    /// A glob pattern; if it stands for keys, the key spec of this index describes them.
    Pattern(Option<usize>),
    UnixTime,
    PureToken,
    OneOf(&'static [Arg]),
    Block(&'static [Arg]),
}

/// One argument of a command's syntax, in the words of COMMAND DOCS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arg {
    pub name: &'static str,
    pub kind: ArgKind,
    pub token: Option<&'static str>,
    pub optional: bool,
    pub multiple: bool,
    pub multiple_token: bool,
    pub since: Option<&'static str>,
    pub deprecated_since: Option<&'static str>,
}

impl Arg {
    const fn new(name: &'static str, kind: ArgKind) -> Arg {
        Arg {
            name,
            kind,
            token: None,
            optional: false,
            multiple: false,
            multiple_token: false,
            since: None,
            deprecated_since: None,
        }
    }
    pub const fn string(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::String)
    }
    pub const fn integer(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::Integer)
    }
    pub const fn double(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::Double)
    }
    /// A key, found by the key spec of index `spec`.
    pub const fn key(name: &'static str, spec: usize) -> Arg {
        Arg::new(name, ArgKind::Key(spec))
    }
    pub const fn pattern(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::Pattern(None))
    }
    /// A pattern of keys, described by the key spec of index `spec`.
    pub const fn key_pattern(name: &'static str, spec: usize) -> Arg {
        Arg::new(name, ArgKind::Pattern(Some(spec)))
    }
    pub const fn unix_time(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::UnixTime)
    }
    /// A bare word such as NX.
    pub const fn flag(name: &'static str, token: &'static str) -> Arg {
        let mut arg = Arg::new(name, ArgKind::PureToken);
        arg.token = Some(token);
        arg
    }
    pub const fn one_of(name: &'static str, of: &'static [Arg]) -> Arg {
        Arg::new(name, ArgKind::OneOf(of))
    }
    pub const fn block(name: &'static str, of: &'static [Arg]) -> Arg {
        Arg::new(name, ArgKind::Block(of))
    }
    pub const fn token(mut self, token: &'static str) -> Arg {
        self.token = Some(token);
        self
    }
    pub const fn optional(mut self) -> Arg {
        self.optional = true;
        self
    }
    pub const fn multiple(mut self) -> Arg {
        self.multiple = true;
        self
    }
    pub const fn multiple_token(mut self) -> Arg {
        self.multiple_token = true;
        self
    }
    pub const fn since(mut self, version: &'static str) -> Arg {
        self.since = Some(version);
        self
    }
    pub const fn deprecated_since(mut self, version: &'static str) -> Arg {
        self.deprecated_since = Some(version);
        self
    }
}

/// Finds the keys of commands whose key specs cannot: (position, flags) pairs, or `None` for bad arguments.
pub type KeysFn = fn(&[&[u8]]) -> Option<Vec<(usize, KeyFlags)>>;

/// The declaration of a command or subcommand.
#[derive(Clone, Copy)]
pub struct CommandSpec {
    /// Lowercase; a subcommand's own word only.
    pub name: &'static str,
    pub group: Group,
    /// One sentence, for COMMAND DOCS and HELP.
    pub summary: &'static str,
    pub since: &'static str,
    pub complexity: &'static str,
    /// Words including the name; negative: at least that many.
    pub arity: i32,
    pub flags: Flags,
    /// Only those that flags do not imply (see [`CommandSpec::acl_categories`]).
    pub categories: Categories,
    pub keys: &'static [KeySpec],
    pub args: &'static [Arg],
    /// Command tips, as COMMAND INFO lists them.
    pub tips: &'static [&'static str],
    /// (version since which it is deprecated, what to use instead)
    pub deprecated: Option<(&'static str, &'static str)>,
    /// A command only other nodes send.
    pub internal: bool,
    /// An exception where key specs do not suffice; each use says why.
    pub keys_fn: Option<KeysFn>,
}

impl CommandSpec {
    /// What a spec is unless it says otherwise.
    pub const BLANK: CommandSpec = CommandSpec {
        name: "",
        group: Group::Generic,
        summary: "",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 0,
        flags: Flags::NONE,
        categories: Categories::NONE,
        keys: &[],
        args: &[],
        tips: &[],
        deprecated: None,
        internal: false,
        keys_fn: None,
    };

    /// Whether it looks up keys to read them. What only changes keys looks at them as well, but that is no hit or miss.
    pub fn reads_keys(&self) -> bool {
        !self.flags.has(Flags::WRITE) || self.keys.iter().any(|keys| keys.flags.has(KeyFlags::RO))
    }

    /// The ACL categories: the stated ones and those that the flags imply.
    pub fn acl_categories(&self) -> Categories {
        let mut set = self.categories;
        let flags = self.flags;
        if flags.has(Flags::WRITE) {
            set = set.and(Categories::WRITE);
        }
        if flags.has(Flags::READONLY) && !set.has(Categories::SCRIPTING) {
            set = set.and(Categories::READ);
        }
        if flags.has(Flags::ADMIN) {
            set = set.and(Categories::ADMIN).and(Categories::DANGEROUS);
        }
        if flags.has(Flags::PUBSUB) {
            set = set.and(Categories::PUBSUB);
        }
        if flags.has(Flags::FAST) {
            set = set.and(Categories::FAST);
        }
        if flags.has(Flags::BLOCKING) {
            set = set.and(Categories::BLOCKING);
        }
        if !set.has(Categories::FAST) {
            set = set.and(Categories::SLOW);
        }
        set
    }
}

/// A command: its declaration and what runs it. `H` is the owner's handler type.
pub struct Command<H: 'static> {
    pub spec: CommandSpec,
    pub body: Body<H>,
}

/// A handler, or the subcommands of a container.
pub enum Body<H: 'static> {
    Run(H),
    Container(&'static [&'static Command<H>]),
    /// Subcommands, and a handler for the bare word: COMMAND alone is so.
    RunOrContainer(H, &'static [&'static Command<H>]),
}
