//! WATCH: which clients must see their next EXEC fail when a key changes.

use crate::effects::FlushScope;
use front::client::Clients;
use front::{Client, ClientKey, UnixMillis};
use std::collections::HashMap;
use store::keyspace::Keyspace;

/// Watching clients by db and key; each client lists its own watched keys as well.
#[derive(Default)]
pub struct WatchedKeys {
    watchers: HashMap<(u32, Box<[u8]>), Vec<ClientKey>>,
}

impl WatchedKeys {
    /// Whether nobody watches anything.
    pub fn is_empty(&self) -> bool {
        self.watchers.is_empty()
    }

    /// Starts watching; a key watched already stays watched once.
    pub fn watch(&mut self, client: &mut Client, db: u32, key: &[u8]) {
        let entry = (db, Box::from(key));
        if client.watched.contains(&entry) {
            return;
        }
        client.watched.push(entry.clone());
        self.watchers.entry(entry).or_default().push(client.key);
    }

    /// Ends all of a client's watches.
    pub fn forget(&mut self, client: &mut Client) {
        for entry in client.watched.drain(..) {
            if let Some(clients) = self.watchers.get_mut(&entry) {
                clients.retain(|&key| key != client.key);
                if clients.is_empty() {
                    self.watchers.remove(&entry);
                }
            }
        }
    }

    /// Whether a key the client watches has expired without anybody noticing.
    pub fn any_expired(&self, client: &Client, keyspace: &mut Keyspace, now: UnixMillis) -> bool {
        client.watched.iter().any(|(db, key)| {
            let db = keyspace.db(*db);
            let present = db.len();
            // Looking deletes what is due.
            db.access.now = now;
            db.peek(key).is_none() && db.len() < present
        })
    }

    /// A key changed.
    pub fn touch(&self, clients: &mut Clients, db: u32, key: &[u8]) {
        if self.watchers.is_empty() {
            return;
        }
        for &watcher in self
            .watchers
            .get(&(db, Box::from(key)))
            .into_iter()
            .flatten()
        {
            if let Some(client) = clients.get_mut(watcher) {
                client.watch_broken = true;
            }
        }
    }

    /// Whole databases are about to be emptied or exchanged: watched keys that exist on either side change.
    pub fn touch_all(&self, clients: &mut Clients, keyspace: &mut Keyspace, scope: FlushScope) {
        for ((db, key), watchers) in &self.watchers {
            let exists = match scope {
                FlushScope::All => keyspace.db(*db).peek(key).is_some(),
                FlushScope::Db(flushed) => *db == flushed && keyspace.db(*db).peek(key).is_some(),
                FlushScope::Swap(a, b) => {
                    (*db == a || *db == b)
                        && (keyspace.db(a).peek(key).is_some()
                            || keyspace.db(b).peek(key).is_some())
                }
            };
            for &watcher in watchers.iter().filter(|_| exists) {
                if let Some(client) = clients.get_mut(watcher) {
                    client.watch_broken = true;
                }
            }
        }
    }
}
