//! The shared half of a process: its clients, command table, settings and counters. The owner (data node or Sentinel)
//! holds one and lends it to the event loop.

use crate::acl::{Acl, Denied, LogContext, LogEntry, LogReason, UserId};
use crate::background::Background;
use crate::client::{Client, ClientClass, ClientKey, Clients, ReplyMode};
use crate::client_care::Care;
use crate::client_memory::{ClientMemory, Share};
use crate::clock::Clock;
use crate::command::{CommandId, CommandTable};
use crate::event_loop::{Group, Poller};
use crate::gate::CommitGate;
use crate::link::LinkState;
use crate::owner_task::OwnerTask;
use crate::pubsub::PubSub;
use crate::reply_size::ReplySize;
use crate::socket::{Accepted, Listener, Socket};
use std::io;
use std::os::fd::AsFd;

/// `client-output-buffer-limit` of one class; 0 means none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit {
    pub hard_bytes: usize,
    pub soft_bytes: usize,
    pub soft_seconds: u64,
}

/// What configuration says about clients.
#[derive(Clone, Debug)]
pub struct Settings {
    pub maxclients: usize,
    /// Seconds of silence after which a client is closed; 0 never.
    pub timeout_seconds: u64,
    pub tcp_keepalive_seconds: u32,
    pub query_buffer_limit: usize,
    pub limits: resp::Limits,
    pub protected_mode: bool,
    /// Normal, replica, pubsub.
    pub output_limits: [OutputLimit; 3],
}

impl Default for Settings {
    fn default() -> Settings {
        const MB: usize = 1024 * 1024;
        let limit = |hard_bytes, soft_bytes, soft_seconds| OutputLimit {
            hard_bytes,
            soft_bytes,
            soft_seconds,
        };
        Settings {
            maxclients: 10_000,
            timeout_seconds: 0,
            tcp_keepalive_seconds: 300,
            query_buffer_limit: 1024 * MB,
            limits: resp::Limits::default(),
            protected_mode: true,
            output_limits: [
                limit(0, 0, 0),
                limit(256 * MB, 64 * MB, 60),
                limit(32 * MB, 8 * MB, 60),
            ],
        }
    }
}

/// Counters of INFO's Stats and Clients sections.
#[derive(Clone, Debug, Default)]
pub struct FrontStats {
    pub connections_received: u64,
    pub connections_rejected: u64,
    pub net_input_bytes: u64,
    pub net_output_bytes: u64,
    pub reads_processed: u64,
    pub writes_processed: u64,
    pub query_limit_disconnections: u64,
    pub output_limit_disconnections: u64,
    pub evicted_clients: u64,
    pub reply_buffer_shrinks: u64,
    pub reply_buffer_expands: u64,
}

/// What HELLO tells of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub mode: &'static str,
    /// None where there is nothing to replicate.
    pub role: Option<&'static str>,
}

/// See the module.
pub struct Front {
    pub clients: Clients,
    pub table: CommandTable,
    pub settings: Settings,
    pub identity: Identity,
    pub clock: Clock,
    pub stats: FrontStats,
    pub pubsub: PubSub,
    pub acl: Acl,
    pub background: Background,
    pub gate: CommitGate,
    pub(crate) owner_tasks: Vec<OwnerTask>,
    pub(crate) client_memory: ClientMemory,
    pub(crate) care: Care,
    pub(crate) poller: Poller,
    pub(crate) group: Group,
    /// A closed one leaves its place to the next.
    pub(crate) listeners: Vec<Option<Listener>>,
    /// Clients with something to send.
    pub(crate) pending_writes: Vec<ClientKey>,
    /// Clients whose waiting requests may run now.
    pub(crate) pending_input: Vec<ClientKey>,
    /// Clients to close at the end of the turn.
    pub(crate) closing: Vec<ClientKey>,
    /// Spare reply buffers of clients that have nothing to send.
    spare_buffers: Vec<Vec<u8>>,
    pub(crate) next_client_id: u64,
}

/// Spare reply buffers kept, and the largest one worth keeping.
const SPARE_BUFFERS: usize = 32;
const SPARE_BUFFER_BYTES: usize = 16 * 1024;
/// One read takes at most this much, so that no client holds up the others.
pub(crate) const READ_BYTES: usize = 64 * 1024;

impl Front {
    /// # Errors
    /// When the system refuses an epoll instance or a wake-up descriptor.
    pub fn new(table: CommandTable) -> io::Result<Front> {
        let poller = Poller::new()?;
        let background = Background::new(poller.waker());
        Ok(Front {
            clients: Clients::default(),
            table,
            settings: Settings::default(),
            identity: Identity {
                mode: "standalone",
                role: Some("master"),
            },
            clock: Clock::new(),
            stats: FrontStats::default(),
            pubsub: PubSub::default(),
            acl: Acl::default(),
            background,
            gate: CommitGate::default(),
            owner_tasks: Vec::new(),
            client_memory: ClientMemory::default(),
            care: Care::default(),
            poller,
            group: Group::default(),
            listeners: Vec::new(),
            pending_writes: Vec::new(),
            pending_input: Vec::new(),
            closing: Vec::new(),
            spare_buffers: Vec::new(),
            next_client_id: 1,
        })
    }

    /// Starts accepting on a listener.
    ///
    /// # Errors
    /// When the poller refuses it.
    pub fn add_listener(&mut self, listener: Listener) -> io::Result<()> {
        let free = self.listeners.iter().position(Option::is_none);
        let place = free.unwrap_or_else(|| {
            self.listeners.push(None);
            self.listeners.len() - 1
        });
        self.poller.add_listener(place, listener.as_fd())?;
        self.listeners[place] = Some(listener);
        Ok(())
    }

    /// Closes the listeners on TCP: the system refuses new connections there.
    pub fn close_tcp_listeners(&mut self) {
        for place in &mut self.listeners {
            if let Some(listener) = place.take_if(|listener| matches!(listener, Listener::Tcp(_))) {
                self.poller.remove(listener.as_fd());
            }
        }
    }

    pub(crate) fn admit(&mut self, accepted: Accepted) {
        let Accepted {
            mut socket,
            addr,
            laddr,
            loopback,
        } = accepted;
        let refusal: Option<&[u8]> = if self.clients.len() >= self.settings.maxclients {
            Some(b"-ERR max number of clients reached\r\n")
        } else if self.settings.protected_mode
            && self.acl.default_user_needs_no_password()
            && !loopback
        {
            Some(PROTECTED_MODE_REFUSAL)
        } else {
            None
        };
        self.stats.connections_received += 1;
        if let Some(text) = refusal {
            self.stats.connections_rejected += 1;
            // The peer is turned away; whether it reads why is up to it.
            let _ = io::Write::write(&mut socket, text);
            return;
        }
        if let Socket::Tcp(stream) = &socket
            && self.settings.tcp_keepalive_seconds > 0
        {
            set_keepalive(stream, self.settings.tcp_keepalive_seconds);
        }
        let key = self.insert_client(socket, addr, laddr, ClientClass::Normal);
        let client = self.clients.get(key).expect("just inserted");
        let fd = client.socket.as_fd().expect("an accepted socket");
        if let Err(error) = self.poller.add_client(key, fd) {
            crate::log_warning!("Error registering fd event for the new client: {error}");
            self.clients.remove(key);
        }
    }

    /// A client without a peer, in whose name the process runs commands of its own: those of an AOF being loaded. It is
    /// not counted and not listed; [`Front::remove_internal_client`] ends it.
    pub fn add_internal_client(&mut self) -> ClientKey {
        self.insert_client(
            Socket::Nowhere,
            String::new(),
            String::new(),
            ClientClass::Internal,
        )
    }

    /// Ends a client of [`Front::add_internal_client`].
    pub fn remove_internal_client(&mut self, key: ClientKey) {
        self.uncount(key);
        self.clients.remove(key);
    }

    pub(crate) fn insert_client(
        &mut self,
        socket: Socket,
        addr: String,
        laddr: String,
        class: ClientClass,
    ) -> ClientKey {
        let id = match class {
            // Nobody can name it.
            ClientClass::Internal => u64::MAX,
            _ => self.next_client_id,
        };
        if id == self.next_client_id {
            self.next_client_id += 1;
        }
        let (now, now_ms) = (self.clock.now(), self.clock.mono_ms());
        let authenticated = class == ClientClass::Internal || self.acl.default_user_is_open();
        self.clients.insert(|key| Client {
            id,
            key,
            socket,
            addr,
            laddr,
            name: Vec::new(),
            query: Vec::new(),
            parser: Default::default(),
            output: Default::default(),
            resp3: false,
            db: 0,
            authenticated,
            user: UserId::DEFAULT,
            created_ms: now,
            last_interaction_ms: now,
            soft_limit_since_ms: None,
            last_command: None,
            reply_mode: ReplyMode::On,
            transaction: None,
            watch_broken: false,
            watched: Vec::new(),
            watched_bytes: 0,
            subscriptions: None,
            tracking: None,
            blocked: None,
            monitor: false,
            no_evict: false,
            class,
            close_after_reply: false,
            close_asap: false,
            query_peak: 0,
            query_announced: 0,
            reply_size: ReplySize::new(now_ms),
            share: Share::default(),
            running_bytes: 0,
            running_memory: 0,
            write_pending: false,
            wants_writable: false,
            deaf: false,
            output_held: false,
            link: LinkState::No,
            last_write: 0,
            net_input_bytes: 0,
            net_output_bytes: 0,
        })
    }

    /// Appends bytes to what a client is owed, and closes it when that passes its limit.
    #[inline]
    pub fn send(&mut self, key: ClientKey, bytes: &[u8]) {
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        if client.close_asap || bytes.is_empty() {
            return;
        }
        if !client.output.has_tail() {
            let size = client.reply_size.bytes();
            let spare = self.spare_buffers.pop();
            client
                .output
                .reuse(spare.unwrap_or_else(|| Vec::with_capacity(size)));
        }
        client.output.append(bytes);
        if !client.write_pending {
            client.write_pending = true;
            self.pending_writes.push(key);
        }
        if client.output.queued() > 0 || client.soft_limit_since_ms.is_some() {
            self.check_output_limit(key);
        }
        self.recount(key);
    }

    /// The reply of a finished command: dropped if the client asked for silence.
    #[inline]
    pub fn reply(&mut self, key: ClientKey, bytes: &[u8]) {
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        if client.reply_mode == ReplyMode::On {
            self.send(key, bytes);
        }
    }

    /// The bytes a reply may have before its client is closed for them.
    pub fn reply_limit(&self, key: ClientKey) -> usize {
        let client = self.clients.get(key);
        match client.and_then(|client| self.output_limit(client)) {
            Some(limit) if limit.hard_bytes > 0 => limit.hard_bytes,
            _ => usize::MAX,
        }
    }

    fn output_limit(&self, client: &Client) -> Option<OutputLimit> {
        match client.shown_class() {
            ClientClass::Master | ClientClass::Internal => None,
            ClientClass::Normal => Some(self.settings.output_limits[0]),
            ClientClass::Replica => Some(self.settings.output_limits[1]),
            ClientClass::PubSub => Some(self.settings.output_limits[2]),
        }
    }

    pub(crate) fn check_output_limit(&mut self, key: ClientKey) {
        let now = self.clock.now();
        let limit = self
            .clients
            .get(key)
            .and_then(|client| self.output_limit(client));
        let (Some(limit), Some(client)) = (limit, self.clients.get_mut(key)) else {
            return;
        };
        let used = client.output.queued();
        let over_hard = limit.hard_bytes > 0 && used >= limit.hard_bytes;
        let over_soft = limit.soft_bytes > 0 && used >= limit.soft_bytes && {
            let since = *client.soft_limit_since_ms.get_or_insert(now);
            now - since > limit.soft_seconds as i64 * 1000
        };
        if limit.soft_bytes == 0 || used < limit.soft_bytes {
            client.soft_limit_since_ms = None;
        }
        if over_hard || over_soft {
            crate::log_warning!(
                "Client id={} addr={} scheduled to be closed ASAP for overcoming of output buffer limits.",
                client.id,
                client.addr
            );
            self.stats.output_limit_disconnections += 1;
            self.close_soon(key);
        }
    }

    /// Closes a client at the end of this turn, whatever it is still owed.
    pub fn close_soon(&mut self, key: ClientKey) {
        if let Some(client) = self.clients.get_mut(key)
            && !client.close_asap
        {
            client.close_asap = true;
            // Its memory is needed before the turn ends if that is why it has to go.
            client.output = Default::default();
            client.query = Vec::new();
            client.transaction = None;
            self.closing.push(key);
            self.recount(key);
        }
    }

    /// Whether a client must log in before it may send commands.
    pub fn needs_login(&self, key: ClientKey) -> bool {
        let authenticated = |client: &Client| client.authenticated;
        !self.clients.get(key).is_some_and(authenticated) && !self.acl.default_user_is_open()
    }

    /// Notes in the ACL log what a client was denied.
    pub fn log_denied(
        &mut self,
        key: ClientKey,
        id: CommandId,
        args: &[&[u8]],
        denied: Denied,
        context: LogContext,
    ) {
        let (reason, object) = match denied {
            Denied::Command => (
                LogReason::Command,
                self.table.entry(id).full_name.as_bytes(),
            ),
            Denied::Key(at) => (LogReason::Key, args[at]),
            Denied::Channel(at) => (LogReason::Channel, args[at]),
        };
        let object = object.to_vec();
        let Some(client) = self.clients.get(key) else {
            return;
        };
        let username = self.acl.name_of(client.user).to_vec();
        self.log_acl(key, reason, context, object, username);
    }

    /// Notes a failed login in the ACL log; `command` is the word the client sent.
    pub fn log_failed_login(&mut self, key: ClientKey, command: &[u8], username: &[u8]) {
        let context = match self.clients.get(key) {
            Some(client) if client.transaction.is_some() => LogContext::Multi,
            _ => LogContext::TopLevel,
        };
        self.log_acl(
            key,
            LogReason::Auth,
            context,
            command.to_vec(),
            username.to_vec(),
        );
    }

    fn log_acl(
        &mut self,
        key: ClientKey,
        reason: LogReason,
        context: LogContext,
        object: Vec<u8>,
        username: Vec<u8>,
    ) {
        let Some(client) = self.clients.get(key) else {
            return;
        };
        let mut client_info = Vec::new();
        crate::client_info::write_line(&mut client_info, client, client.argument_bytes(), self);
        let entry = LogEntry {
            count: 0,
            reason,
            context,
            object,
            username,
            at: self.clock.now(),
            client_info: String::from_utf8_lossy(&client_info).into_owned(),
        };
        self.acl.log.note(entry);
    }

    /// Closes the clients of users that are gone; the one whose command did it gets its reply first.
    pub fn close_clients_of(&mut self, users: &[UserId], current: ClientKey) {
        self.close_where(current, |client, _| users.contains(&client.user));
    }

    /// Closes the clients of a user that listen to channels its rules no longer allow.
    pub fn close_listeners_without_permission(&mut self, user: UserId, current: ClientKey) {
        self.close_where(current, |client, acl| {
            let (Some(rules), Some(subscriptions)) = (acl.user(user), &client.subscriptions) else {
                return false;
            };
            let denied = |channel: &[u8], pattern| !rules.may_listen(channel, pattern);
            client.user == user
                && (subscriptions
                    .channels
                    .iter()
                    .any(|name| denied(name, false))
                    || subscriptions
                        .shard_channels
                        .iter()
                        .any(|name| denied(name, false))
                    || subscriptions.patterns.iter().any(|name| denied(name, true)))
        });
    }

    fn close_where(&mut self, current: ClientKey, condemned: impl Fn(&Client, &Acl) -> bool) {
        let keys: Vec<ClientKey> = self
            .clients
            .iter()
            .filter(|client| condemned(client, &self.acl))
            .map(|client| client.key)
            .collect();
        for key in keys {
            if key != current {
                self.close_soon(key);
            } else if let Some(client) = self.clients.get_mut(key) {
                client.close_after_reply = true;
            }
        }
    }

    /// Closes a client once it has been sent everything it is owed.
    pub fn close_after_reply(&mut self, key: ClientKey) {
        if let Some(client) = self.clients.get_mut(key) {
            client.close_after_reply = true;
            if client.output.is_empty() {
                self.close_soon(key);
            }
        }
    }

    /// Lets a client's waiting requests run before the next sleep.
    pub fn resume_input(&mut self, key: ClientKey) {
        self.pending_input.push(key);
    }

    /// The end of the turn: lets go what it produced, now or when the gate opens, and sends what the sockets take.
    pub(crate) fn flush_writes(&mut self) {
        let open = self.gate.is_open();
        let mut held = Vec::new();
        for key in std::mem::take(&mut self.pending_writes) {
            if let Some(client) = self.clients.get_mut(key) {
                client.write_pending = false;
                // Who is closed at once is sent nothing more: half an answer is worse than none.
                if client.close_asap || client.output_held {
                    continue;
                }
                client.reply_size.used(client.output.len());
                let end = client.output.end();
                if open || client.passes_gate() {
                    client.output.let_go(end);
                    self.write_client(key);
                } else {
                    held.push((key, end));
                }
            }
        }
        if !held.is_empty() {
            self.gate.hold(held);
        }
    }

    /// The owner's stream is committed up to here: answers that waited for it leave.
    pub fn commit(&mut self, position: u64) {
        for (key, end) in self.gate.commit(position) {
            if let Some(client) = self.clients.get_mut(key) {
                client.output.let_go(end);
                self.write_client(key);
            }
        }
    }

    /// Sends what one client's socket takes.
    pub(crate) fn write_client(&mut self, key: ClientKey) {
        /// A client that takes more than this at once waits for its next turn.
        const WRITE_LIMIT: usize = 1024 * 1024;
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        if client.output_held || client.link == LinkState::Connecting {
            return;
        }
        let result = client.output.write_to(&mut client.socket, WRITE_LIMIT);
        self.stats.writes_processed += 1;
        match result {
            Ok(bytes) => {
                self.stats.net_output_bytes += bytes as u64;
                client.net_output_bytes += bytes as u64;
                if bytes > 0 {
                    client.last_interaction_ms = self.clock.now();
                }
            }
            Err(_) => {
                self.close_soon(key);
                return;
            }
        }
        let waiting = client.output.sendable() > 0;
        let changed = client.wants_writable != waiting;
        client.wants_writable = waiting;
        if client.output.is_empty() {
            client.soft_limit_since_ms = None;
            let spare = client.output.release();
            if spare.capacity() <= SPARE_BUFFER_BYTES && self.spare_buffers.len() < SPARE_BUFFERS {
                self.spare_buffers.push(spare);
            }
            if client.close_after_reply {
                self.close_soon(key);
            }
        }
        if changed {
            self.watch(key);
        }
        self.recount(key);
    }
}

pub(crate) fn set_keepalive(stream: &std::net::TcpStream, seconds: u32) {
    use rustix::net::sockopt;
    use std::time::Duration;
    let idle = Duration::from_secs(u64::from(seconds));
    let interval = Duration::from_secs(u64::from((seconds / 3).max(1)));
    // Keepalive only finds dead peers sooner; a system that refuses it still serves.
    let _ = sockopt::set_socket_keepalive(stream, true)
        .and_then(|()| sockopt::set_tcp_keepidle(stream, idle))
        .and_then(|()| sockopt::set_tcp_keepintvl(stream, interval))
        .and_then(|()| sockopt::set_tcp_keepcnt(stream, 3));
}

const PROTECTED_MODE_REFUSAL: &[u8] =
    b"-DENIED Redis is running in protected mode because protected \
mode is enabled and no password is set for the default user. In this mode connections are only \
accepted from the loopback interface. To accept other hosts: set a password (requirepass), or turn \
protected mode off (CONFIG SET protected-mode no from the loopback interface, or the directive in \
the configuration file), or start with '--protected-mode no'. Do not expose a server without a \
password to a network you do not trust.\r\n";
