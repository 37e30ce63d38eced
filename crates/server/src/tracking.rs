//! Client-side caching: which clients may hold which keys, and telling them when those change.
//!
//! In the default mode the table remembers who read a key, and forgets it once they were told that it changed. In the
//! broadcasting mode a client is told of every changed key with one of its prefixes; those messages leave at the end of
//! the turn. A client never sees an invalidation inside of a reply: what its own command changed is told after it.

use crate::server::Server;
use front::client::{self, Clients};
use front::command::{CommandId, Flags, Group, Lookup, key_positions};
use front::{Client, ClientKey};
use indexmap::IndexMap;
use resp::Writer;
use std::collections::{BTreeMap, BTreeSet};

/// See the module.
#[derive(Default)]
pub(crate) struct Tracking {
    /// Clients that track.
    clients: usize,
    /// Who read a key in the default mode, sorted.
    readers: IndexMap<Box<[u8]>, Vec<ClientKey>>,
    /// Readers of all keys.
    items: usize,
    prefixes: BTreeMap<Box<[u8]>, Prefix>,
    /// What the running client is told after its reply.
    pending: Vec<Message>,
    /// Rounds of limiting the table that did not suffice.
    overdue: usize,
    random: u64,
}

/// A prefix of the broadcasting mode.
#[derive(Default)]
struct Prefix {
    clients: BTreeSet<ClientKey>,
    /// Keys changed in this turn.
    changed: BTreeMap<Box<[u8]>, ChangedBy>,
}

/// Who made the changes of a key: NOLOOP spares a client those that are all its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChangedBy {
    One(ClientKey),
    /// Several clients, or nobody (it expired or was evicted).
    Anybody,
}

/// An invalidation on its way.
struct Message {
    to: ClientKey,
    what: Stale,
}

/// What a client must not use any more.
enum Stale {
    Key(Box<[u8]>),
    Everything,
}

impl Tracking {
    /// Whether somebody wants to hear of changed keys.
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        !self.readers.is_empty() || !self.prefixes.is_empty()
    }

    /// Whether any client tracks.
    #[inline]
    pub(crate) fn has_clients(&self) -> bool {
        self.clients > 0
    }

    pub(crate) fn key_count(&self) -> usize {
        self.readers.len()
    }

    pub(crate) fn item_count(&self) -> usize {
        self.items
    }

    pub(crate) fn prefix_count(&self) -> usize {
        self.prefixes.len()
    }

    /// Turns tracking on, or changes how a client tracks.
    pub(crate) fn enable(&mut self, client: &mut Client, mut wanted: client::Tracking) {
        let old = client.tracking.take();
        self.clients += usize::from(old.is_none());
        if wanted.bcast {
            if wanted.prefixes.is_empty() {
                wanted.prefixes.push(Box::default());
            }
            for prefix in &wanted.prefixes {
                let entry = self.prefixes.entry(prefix.clone()).or_default();
                entry.clients.insert(client.key);
            }
            wanted
                .prefixes
                .extend(old.into_iter().flat_map(|old| old.prefixes));
            wanted.prefixes.sort_unstable();
            wanted.prefixes.dedup();
        }
        client.tracking = Some(Box::new(wanted));
    }

    /// Turns tracking off. Keys it read are forgotten when they change: finding them now would take a walk through the
    /// whole table.
    pub(crate) fn disable(&mut self, client: &mut Client) {
        let Some(old) = client.tracking.take() else {
            return;
        };
        self.clients -= 1;
        for prefix in &old.prefixes {
            if let Some(entry) = self.prefixes.get_mut(prefix) {
                entry.clients.remove(&client.key);
                if entry.clients.is_empty() {
                    self.prefixes.remove(prefix);
                }
            }
        }
    }

    fn remember(&mut self, key: &[u8], reader: ClientKey) {
        let readers = match self.readers.get_mut(key) {
            Some(readers) => readers,
            None => self.readers.entry(key.into()).or_default(),
        };
        if let Err(place) = readers.binary_search(&reader) {
            readers.insert(place, reader);
            self.items += 1;
        }
    }

    fn forget(&mut self, key: &[u8]) -> Vec<ClientKey> {
        let readers = self.readers.swap_remove(key).unwrap_or_default();
        self.items -= readers.len();
        readers
    }

    /// Any key of the table.
    fn random_key(&mut self) -> Option<Box<[u8]>> {
        // Knuth's linear congruential generator; its high bits are good enough to be fair.
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let at = (self.random >> 33) as usize % self.readers.len().max(1);
        self.readers.get_index(at).map(|(key, _)| key.clone())
    }

    fn note_for_prefixes(&mut self, key: &[u8], by: Option<ClientKey>) {
        let by = by.map_or(ChangedBy::Anybody, ChangedBy::One);
        // The prefixes of a key are not neighbours in any order worth keeping: there are few.
        for (prefix, entry) in &mut self.prefixes {
            if key.starts_with(prefix) {
                let changed = entry.changed.entry(key.into()).or_insert(by);
                if *changed != by {
                    *changed = ChangedBy::Anybody;
                }
            }
        }
    }
}

/// Whether a command of this client tracks the keys it reads.
fn remembers_reads(client: &Client) -> bool {
    client.tracking.as_ref().is_some_and(|tracking| {
        !tracking.bcast
            && match tracking.caching {
                Some(caching) => caching,
                None => !tracking.optin,
            }
    })
}

impl Server {
    /// A command has run: if it reads, its client may keep what it got. A script that called it may have told any of the
    /// keys that it declared.
    pub(crate) fn track_call(&mut self, key: ClientKey, id: CommandId, args: &[&[u8]]) {
        let spec = self.front.table.entry(id).spec;
        // What a script read, its commands have told.
        if !spec.flags.has(Flags::READONLY) || spec.group == Group::Scripting {
            return;
        }
        let Some(script) = &self.scripting.running else {
            return self.track_reads(key, id, args);
        };
        let request = script.request.clone();
        let request = request.slices();
        if let Lookup::Found(script) = self.front.table.lookup(&request) {
            self.track_reads(key, script, &request);
        }
    }

    fn track_reads(&mut self, key: ClientKey, id: CommandId, args: &[&[u8]]) {
        if !self.front.clients.get(key).is_some_and(remembers_reads) {
            return;
        }
        let Ok(keys) = key_positions(self.front.table.entry(id).spec, args) else {
            return;
        };
        for key_name in keys.iter() {
            self.tracking.remember(args[key_name.position], key);
        }
    }

    /// A key changed, by a client or by itself (it expired or was evicted): who may hold it is told.
    pub(crate) fn invalidate(&mut self, key: &[u8], by: Option<ClientKey>) {
        self.tracking.note_for_prefixes(key, by);
        for reader in self.tracking.forget(key) {
            let wants = |client: &Client| {
                client.tracking.as_ref().is_some_and(|tracking| {
                    let own = tracking.noloop && by == Some(reader);
                    !tracking.bcast && !own
                })
            };
            if self.front.clients.get(reader).is_some_and(wants) {
                self.tell(reader, Stale::Key(key.into()));
            }
        }
    }

    /// Everything changed: all clients that track are told, whatever they read.
    pub(crate) fn invalidate_all(&mut self) {
        // Those who stopped tracking may have left keys.
        self.tracking.readers = IndexMap::new();
        self.tracking.items = 0;
        if !self.tracking.has_clients() {
            return;
        }
        for key in tracking_clients(&self.front.clients) {
            self.tell(key, Stale::Everything);
        }
    }

    /// Tells a client now, or after the reply if it is the one whose command runs.
    fn tell(&mut self, to: ClientKey, what: Stale) {
        let message = Message { to, what };
        if self.running == Some(to) {
            self.tracking.pending.push(message);
        } else {
            self.send_message(&message);
        }
    }

    /// The reply of the running command is out: what it has to be told follows.
    pub(crate) fn send_pending_invalidations(&mut self) {
        for message in std::mem::take(&mut self.tracking.pending) {
            self.send_message(&message);
        }
    }

    /// The end of the turn: the changes of the turn go to those who listen to a prefix.
    pub(crate) fn broadcast_invalidations(&mut self) {
        if self.tracking.prefixes.is_empty() {
            return;
        }
        let mut messages: Vec<(ClientKey, Vec<Box<[u8]>>)> = Vec::new();
        for prefix in self.tracking.prefixes.values_mut() {
            let changed = std::mem::take(&mut prefix.changed);
            if changed.is_empty() {
                continue;
            }
            for &key in &prefix.clients {
                let noloop = self
                    .front
                    .clients
                    .get(key)
                    .and_then(|client| client.tracking.as_ref())
                    .is_some_and(|tracking| tracking.noloop);
                let keys: Vec<Box<[u8]>> = changed
                    .iter()
                    .filter(|(_, by)| !(noloop && **by == ChangedBy::One(key)))
                    .map(|(name, _)| name.clone())
                    .collect();
                if !keys.is_empty() {
                    messages.push((key, keys));
                }
            }
        }
        for (key, keys) in messages {
            self.send_invalidation(key, Some(&keys));
        }
    }

    /// Keeps the table within `tracking-table-max-keys`: keys are invalidated though they did not change.
    #[inline]
    pub(crate) fn limit_tracking_table(&mut self) {
        let limit = self.tracking_table_max_keys;
        if limit > 0 && self.tracking.key_count() > limit {
            self.shrink_tracking_table(limit);
        } else {
            self.tracking.overdue = 0;
        }
    }

    #[cold]
    fn shrink_tracking_table(&mut self, limit: usize) {
        /// Keys in one round. As long as rounds do not suffice, each does so many more.
        const KEYS_PER_ROUND: usize = 100;
        self.tracking.overdue += 1;
        for _ in 0..KEYS_PER_ROUND * self.tracking.overdue {
            if self.tracking.key_count() <= limit {
                self.tracking.overdue = 0;
                return;
            }
            let Some(key) = self.tracking.random_key() else {
                return;
            };
            for reader in self.tracking.forget(&key) {
                let tracks = |client: &Client| client.tracking.as_ref().is_some_and(|t| !t.bcast);
                if self.front.clients.get(reader).is_some_and(tracks) {
                    self.tell(reader, Stale::Key(key.clone()));
                }
            }
        }
    }

    /// CLIENT CACHING counts for one command, or one transaction.
    pub(crate) fn forget_caching_choice(&mut self, key: ClientKey) {
        let Some(client) = self.front.clients.get_mut(key) else {
            return;
        };
        let by_client_command = client
            .last_command
            .is_some_and(|id| self.front.table.entry(id).full_name.starts_with("client|"));
        if client.transaction.is_none()
            && !by_client_command
            && let Some(tracking) = &mut client.tracking
        {
            tracking.caching = None;
        }
    }

    fn send_message(&mut self, message: &Message) {
        match &message.what {
            Stale::Key(key) => self.send_invalidation(message.to, Some(std::slice::from_ref(key))),
            Stale::Everything => self.send_invalidation(message.to, None),
        }
    }

    /// Sends an invalidation of keys (of everything without) to a client, or to where it redirects them.
    fn send_invalidation(&mut self, key: ClientKey, keys: Option<&[Box<[u8]>]>) {
        let Some(client) = self.front.clients.get_mut(key) else {
            return;
        };
        let Some(tracking) = &mut client.tracking else {
            return;
        };
        let mut bytes = Vec::new();
        let Some(redirect) = tracking.redirect else {
            // RESP2 has no way to tell a client anything but replies.
            if client.resp3 {
                write_push(&mut bytes, keys);
                self.front.send(key, &bytes);
            }
            return;
        };
        let is_there = |key: &ClientKey| {
            let receiver = self.front.clients.get(*key);
            receiver.is_some_and(|receiver| !receiver.close_asap)
        };
        if let Some(receiver) = self.front.clients.by_id(redirect).filter(is_there) {
            match self.front.clients.get(receiver) {
                Some(client) if client.resp3 => write_push(&mut bytes, keys),
                Some(client) if client.is_subscribed() => write_message(&mut bytes, keys),
                _ => {}
            }
            self.front.send(receiver, &bytes);
            return;
        }
        let client = self.front.clients.get_mut(key).expect("found above");
        if let Some(tracking) = &mut client.tracking {
            tracking.broken_redirect = true;
        }
        if client.resp3 {
            let mut writer = Writer::new(&mut bytes, true);
            writer.push(2);
            writer.bulk("tracking-redir-broken");
            writer.integer(redirect as i64);
            self.front.send(key, &bytes);
        }
    }
}

fn tracking_clients(clients: &Clients) -> Vec<ClientKey> {
    clients
        .iter()
        .filter(|client| client.tracking.is_some())
        .map(|client| client.key)
        .collect()
}

fn write_push(bytes: &mut Vec<u8>, keys: Option<&[Box<[u8]>]>) {
    let mut writer = Writer::new(bytes, true);
    writer.push(2);
    writer.bulk("invalidate");
    write_keys(&mut writer, keys);
}

/// As a message of the channel that RESP2 clients redirect to.
fn write_message(bytes: &mut Vec<u8>, keys: Option<&[Box<[u8]>]>) {
    let mut writer = Writer::new(bytes, false);
    writer.array(3);
    writer.bulk("message");
    writer.bulk("__redis__:invalidate");
    write_keys(&mut writer, keys);
}

fn write_keys(writer: &mut Writer<'_>, keys: Option<&[Box<[u8]>]>) {
    let Some(keys) = keys else {
        return writer.null();
    };
    writer.array(keys.len());
    for key in keys {
        writer.bulk(key);
    }
}
