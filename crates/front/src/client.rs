//! A remote party's session state: what it sent and has not been run, what it is owed, what it asked for.

use crate::client_memory::Share;
use crate::clock::UnixMillis;
use crate::command::CommandId;
use crate::link::LinkState;
use crate::output_buffer::OutputBuffer;
use crate::pubsub::Kind;
use crate::reply_size::ReplySize;
use crate::socket::Socket;
use resp::RequestParser;
use std::collections::{HashMap, HashSet};

/// Names a client for as long as it is connected; a reused slot gets another generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientKey {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl ClientKey {
    pub(crate) fn token(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }
    pub(crate) fn from_token(token: u64) -> ClientKey {
        ClientKey {
            index: token as u32,
            generation: (token >> 32) as u32,
        }
    }
}

/// The classes of `client-output-buffer-limit` and of eviction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientClass {
    Normal,
    Replica,
    PubSub,
    Master,
    /// The process itself.
    Internal,
}

impl ClientClass {
    /// The name in configuration and CLIENT KILL TYPE.
    pub fn name(self) -> &'static str {
        match self {
            ClientClass::Normal => "normal",
            ClientClass::Replica => "replica",
            ClientClass::PubSub => "pubsub",
            ClientClass::Master => "master",
            ClientClass::Internal => "internal",
        }
    }
}

/// What CLIENT REPLY asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ReplyMode {
    #[default]
    On,
    Off,
    /// CLIENT REPLY SKIP runs: its own reply is dropped, and then the next command's.
    SkipThis,
    SkipNext,
}

/// A request kept beyond its turn: queued in a transaction, or waiting for a key.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct OwnedArgs {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl OwnedArgs {
    pub fn new(args: &[&[u8]]) -> OwnedArgs {
        let mut bytes = Vec::with_capacity(args.iter().map(|arg| arg.len()).sum());
        let mut ends = Vec::with_capacity(args.len());
        for arg in args {
            bytes.extend_from_slice(arg);
            ends.push(bytes.len());
        }
        OwnedArgs { bytes, ends }
    }

    /// The arguments as slices.
    pub fn slices(&self) -> Vec<&[u8]> {
        let mut start = 0;
        self.ends
            .iter()
            .map(|&end| {
                let arg = &self.bytes[start..end];
                start = end;
                arg
            })
            .collect()
    }

    /// How many arguments.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all arguments.
    pub fn byte_count(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>()
    }
}

/// A MULTI in progress.
#[derive(Default)]
pub struct Transaction {
    pub queued: Vec<(CommandId, OwnedArgs)>,
    /// Bytes of memory held by `queued`.
    bytes: usize,
    /// A command could not be queued: EXEC will refuse.
    pub failed: bool,
    /// The flags of all queued commands together.
    pub flags: crate::command::Flags,
}

impl Transaction {
    /// Adds a command.
    pub fn queue(&mut self, id: CommandId, flags: crate::command::Flags, args: OwnedArgs) {
        self.bytes += args.memory() + size_of::<(CommandId, OwnedArgs)>();
        self.flags = self.flags.and(flags);
        self.queued.push((id, args));
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.bytes
    }
}

/// A key of WATCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedKey {
    pub db: u32,
    pub key: Box<[u8]>,
    /// It had expired already: that it vanishes is no change.
    pub stale: bool,
}

/// Channels, patterns and shard channels a client listens to.
#[derive(Default)]
pub struct Subscriptions {
    /// Bytes of memory they cost, here and in the lists of subscribers.
    pub(crate) bytes: usize,
    pub channels: HashSet<Box<[u8]>>,
    pub patterns: HashSet<Box<[u8]>>,
    pub shard_channels: HashSet<Box<[u8]>>,
}

impl Subscriptions {
    /// The names of one kind.
    pub fn of(&mut self, kind: Kind) -> &mut HashSet<Box<[u8]>> {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::ShardChannel => &mut self.shard_channels,
            Kind::Pattern => &mut self.patterns,
        }
    }

    /// Channels and patterns together, as the reply of SUBSCRIBE counts.
    pub fn count(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }
    pub fn is_empty(&self) -> bool {
        self.count() + self.shard_channels.len() == 0
    }
}

/// CLIENT TRACKING's choices.
#[derive(Clone, Debug, Default)]
pub struct Tracking {
    /// Where invalidations go instead of this client: a Redis client id.
    pub redirect: Option<u64>,
    /// The redirection target is gone, and the client was told.
    pub broken_redirect: bool,
    pub bcast: bool,
    pub optin: bool,
    pub optout: bool,
    pub noloop: bool,
    /// CLIENT CACHING's word for the next command.
    pub caching: Option<bool>,
    pub prefixes: Vec<Box<[u8]>>,
}

impl Tracking {
    /// Bytes of memory that the prefixes cost.
    pub fn memory(&self) -> usize {
        /// A prefix in the client's list, and its place in the owner's table.
        const PREFIX_BYTES: usize = 96;
        let lengths = self.prefixes.iter().map(|prefix| 2 * prefix.len());
        self.prefixes.len() * PREFIX_BYTES + lengths.sum::<usize>()
    }
}

/// Why a client's commands wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockReason {
    /// For a key (BLPOP and its kin).
    Keys,
    /// For so many replicas (WAIT).
    Replicas { wanted: usize },
    /// For the dataset to be loaded (DEBUG LOADAOF).
    Loading,
    /// For the end of CLIENT PAUSE.
    Pause,
    /// For the end of an orderly SHUTDOWN.
    Shutdown,
}

/// A blocked client's state: which command runs again, until when.
pub struct Blocked {
    pub reason: BlockReason,
    pub command: CommandId,
    pub args: OwnedArgs,
    /// Wall-clock limit; None waits forever.
    pub until: Option<UnixMillis>,
    /// When it began, monotonic microseconds.
    pub since_us: u64,
    /// The keys waited for, in the client's db.
    pub keys: Vec<Box<[u8]>>,
}

/// See the module.
pub struct Client {
    /// The id of CLIENT ID: never reused in a process.
    pub id: u64,
    pub key: ClientKey,
    pub(crate) socket: Socket,
    /// `ip:port`, or the path of the unix socket.
    pub addr: String,
    /// The local end.
    pub laddr: String,
    pub name: Vec<u8>,
    /// Bytes read and not yet run (a partial request, or requests behind a blocked one).
    pub(crate) query: Vec<u8>,
    pub(crate) parser: RequestParser,
    pub output: OutputBuffer,
    pub resp3: bool,
    pub db: u32,
    pub authenticated: bool,
    pub user: crate::acl::UserId,
    pub created_ms: UnixMillis,
    pub last_interaction_ms: UnixMillis,
    /// When the soft output limit was first exceeded.
    pub(crate) soft_limit_since_ms: Option<UnixMillis>,
    pub last_command: Option<CommandId>,
    pub reply_mode: ReplyMode,
    pub transaction: Option<Box<Transaction>>,
    /// A watched key was touched: EXEC will answer null.
    pub watch_broken: bool,
    /// What it watches; the owner keeps the reverse index.
    pub watched: Vec<WatchedKey>,
    /// Bytes of memory it costs, here and in that index.
    pub watched_bytes: usize,
    pub subscriptions: Option<Box<Subscriptions>>,
    pub tracking: Option<Box<Tracking>>,
    pub blocked: Option<Box<Blocked>>,
    pub monitor: bool,
    pub no_evict: bool,
    pub class: ClientClass,
    /// Close once everything owed is sent.
    pub close_after_reply: bool,
    /// Close at the end of this turn, owed or not.
    pub close_asap: bool,
    /// The most bytes `query` held since the last look at it.
    pub(crate) query_peak: usize,
    /// Bytes that `query` will hold once an argument that was announced is there; 0: none was.
    pub(crate) query_announced: usize,
    /// How much memory a reply buffer gets at once.
    pub reply_size: ReplySize,
    /// What it counts for in `maxmemory-clients`.
    pub(crate) share: Share,
    /// Bytes of requests that run right now; they are not in `query` meanwhile.
    pub(crate) running_bytes: usize,
    /// Bytes of memory of the query buffer they are in, if it is the client's own.
    pub(crate) running_memory: usize,
    /// Listed in `Front::pending_writes`.
    pub(crate) write_pending: bool,
    /// The poller watches for writability.
    pub(crate) wants_writable: bool,
    /// Nothing is read from it.
    pub(crate) deaf: bool,
    /// What it is owed waits: somebody else writes to its connection.
    pub(crate) output_held: bool,
    pub(crate) link: LinkState,
    /// Where the owner's stream ended after its last command that changed something.
    pub last_write: u64,
    pub net_input_bytes: u64,
    pub net_output_bytes: u64,
}

impl Client {
    /// Whether it listens to any channel or pattern.
    pub fn is_subscribed(&self) -> bool {
        self.subscriptions.as_ref().is_some_and(|s| !s.is_empty())
    }

    /// Whether the RESP2 rule holds that a subscriber may send only a few commands.
    pub fn in_subscriber_mode(&self) -> bool {
        !self.resp3 && self.is_subscribed()
    }

    /// The class CLIENT LIST and KILL sort it in: a subscriber is one only while it listens.
    pub fn shown_class(&self) -> ClientClass {
        match self.class {
            ClientClass::Normal if self.is_subscribed() => ClientClass::PubSub,
            class => class,
        }
    }

    /// What it sends is history (from the master, from an AOF): it is applied as it is.
    pub fn sends_history(&self) -> bool {
        matches!(self.class, ClientClass::Master | ClientClass::Internal)
    }

    /// What it is sent does not wait for the commit gate: replicas are who makes changes safe, and what goes over a link
    /// of our own is no answer.
    pub(crate) fn passes_gate(&self) -> bool {
        !matches!(self.class, ClientClass::Normal | ClientClass::PubSub)
    }

    pub fn is_unix(&self) -> bool {
        self.socket.is_unix()
    }

    /// Whether the client is on this machine, by the addresses that Redis takes for it.
    pub fn is_local(&self) -> bool {
        let host = self.addr.rsplit_once(':').map_or("", |(host, _)| host);
        self.is_unix() || host == "127.0.0.1" || host == "[::1]"
    }

    /// Raw descriptor, for CLIENT LIST.
    pub fn fd(&self) -> i32 {
        self.socket.fd()
    }

    /// Bytes of requests held and not yet understood, and those that run.
    pub fn query_len(&self) -> usize {
        let waiting = self.query.len().saturating_sub(self.parser.understood());
        waiting.max(self.running_bytes)
    }

    /// Bytes its own query buffer has room for.
    pub fn query_free(&self) -> usize {
        self.query.capacity() - self.query.len()
    }

    /// Bytes of the arguments kept for a request that waits.
    pub fn argument_bytes(&self) -> usize {
        self.blocked
            .as_ref()
            .map_or(0, |blocked| blocked.args.byte_count())
    }
}

/// All connected clients, and the internal ones, which nothing but their key leads to.
#[derive(Default)]
pub struct Clients {
    slots: Vec<(u32, Option<Box<Client>>)>,
    free: Vec<u32>,
    by_id: HashMap<u64, ClientKey>,
    connected: usize,
}

impl Clients {
    pub fn len(&self) -> usize {
        self.connected
    }
    pub fn is_empty(&self) -> bool {
        self.connected == 0
    }

    pub(crate) fn insert(&mut self, make: impl FnOnce(ClientKey) -> Client) -> ClientKey {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push((0, None));
            u32::try_from(self.slots.len() - 1).expect("descriptors run out before 2^32 clients")
        });
        let slot = &mut self.slots[index as usize];
        slot.0 = slot.0.wrapping_add(1) & 0x3fff_ffff;
        let key = ClientKey {
            index,
            generation: slot.0,
        };
        let client = slot.1.insert(Box::new(make(key)));
        self.connected += usize::from(client.class != ClientClass::Internal);
        if client.class != ClientClass::Internal {
            self.by_id.insert(client.id, key);
        }
        key
    }

    pub(crate) fn remove(&mut self, key: ClientKey) -> Option<Box<Client>> {
        self.get(key)?;
        let client = self.slots[key.index as usize].1.take()?;
        if client.class != ClientClass::Internal {
            self.by_id.remove(&client.id);
        }
        self.free.push(key.index);
        self.connected -= usize::from(client.class != ClientClass::Internal);
        Some(client)
    }

    /// A client is of another class from now on. One that was internal gets an id, and counts.
    pub(crate) fn set_class(&mut self, key: ClientKey, class: ClientClass, next_id: &mut u64) {
        let Some(client) = self.get_mut(key) else {
            return;
        };
        let was_internal = client.class == ClientClass::Internal;
        client.class = class;
        if was_internal && class != ClientClass::Internal {
            client.id = *next_id;
            self.by_id.insert(*next_id, key);
            *next_id += 1;
            self.connected += 1;
        }
    }

    #[inline]
    pub fn get(&self, key: ClientKey) -> Option<&Client> {
        match self.slots.get(key.index as usize) {
            Some((generation, Some(client))) if *generation == key.generation => Some(client),
            _ => None,
        }
    }

    #[inline]
    pub fn get_mut(&mut self, key: ClientKey) -> Option<&mut Client> {
        match self.slots.get_mut(key.index as usize) {
            Some((generation, Some(client))) if *generation == key.generation => Some(client),
            _ => None,
        }
    }

    /// The keys of up to `count` clients from a position on, and the position after them; the end is followed by the
    /// start.
    pub(crate) fn some_from(&self, position: usize, count: usize) -> (Vec<ClientKey>, usize) {
        let start = position.min(self.slots.len());
        let (before, from) = self.slots.split_at(start);
        let mut keys = Vec::with_capacity(count);
        let mut looked_at = 0;
        for (_, client) in from.iter().chain(before) {
            if keys.len() == count {
                break;
            }
            looked_at += 1;
            keys.extend(client.as_ref().map(|client| client.key));
        }
        (keys, (start + looked_at) % self.slots.len().max(1))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Client> {
        self.slots
            .iter()
            .filter_map(|(_, client)| client.as_deref())
            .filter(|client| client.class != ClientClass::Internal)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Client> {
        self.slots
            .iter_mut()
            .filter_map(|(_, client)| client.as_deref_mut())
            .filter(|client| client.class != ClientClass::Internal)
    }

    /// Every key in the order the clients connected, as CLIENT LIST shows them.
    pub fn keys_by_age(&self) -> Vec<ClientKey> {
        let mut keys: Vec<_> = self.iter().map(|client| (client.id, client.key)).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, key)| key).collect()
    }

    /// The client of a CLIENT ID.
    pub fn by_id(&self, id: u64) -> Option<ClientKey> {
        self.by_id.get(&id).copied()
    }
}
