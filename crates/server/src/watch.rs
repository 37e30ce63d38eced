//! WATCH: which clients must see their next EXEC fail when a key changes.

use crate::effects::FlushScope;
use front::client::{Clients, WatchedKey};
use front::{Client, ClientKey, UnixMillis};
use std::collections::HashMap;
use store::db::Presence;
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
    pub fn watch(&mut self, client: &mut Client, db: u32, key: &[u8], present: Presence) {
        if client.watched.iter().any(|w| w.db == db && *w.key == *key) {
            return;
        }
        client.watched_bytes += key.len() + front::WATCH_BYTES;
        client.watched.push(WatchedKey {
            db,
            key: key.into(),
            stale: present == Presence::Stale,
        });
        let watchers = self.watchers.entry((db, key.into())).or_default();
        watchers.push(client.key);
    }

    /// Ends all of a client's watches.
    pub fn forget(&mut self, client: &mut Client) {
        client.watched_bytes = 0;
        for watched in client.watched.drain(..) {
            let entry = (watched.db, watched.key);
            if let Some(clients) = self.watchers.get_mut(&entry) {
                clients.retain(|&key| key != client.key);
                if clients.is_empty() {
                    self.watchers.remove(&entry);
                }
            }
        }
    }

    /// Whether a key has expired since the client watches it, and nobody has noticed.
    pub fn any_expired(&self, client: &Client, keyspace: &mut Keyspace, now: UnixMillis) -> bool {
        client.watched.iter().any(|watched| {
            let present = keyspace.db(watched.db).presence(&watched.key, now);
            !watched.stale && present == Presence::Stale
        })
    }

    /// A key changed; or it was deleted as it had expired.
    pub fn touch(&self, clients: &mut Clients, db: u32, key: &[u8], by_expiry: bool) {
        if self.watchers.is_empty() {
            return;
        }
        let watchers = self.watchers.get(&(db, Box::from(key)));
        for &watcher in watchers.into_iter().flatten() {
            let Some(client) = clients.get_mut(watcher) else {
                continue;
            };
            let mut watched = client.watched.iter_mut();
            let watched = watched.find(|w| w.db == db && *w.key == *key);
            match watched {
                // To its watcher it was gone before.
                Some(watched) if by_expiry && watched.stale => watched.stale = false,
                _ => client.watch_broken = true,
            }
        }
    }

    /// Whole databases are about to be emptied or exchanged: watched keys that exist on either side change.
    pub fn touch_all(
        &self,
        clients: &mut Clients,
        keyspace: &mut Keyspace,
        scope: FlushScope,
        now: UnixMillis,
    ) {
        for ((db, key), watchers) in &self.watchers {
            // What there will be instead.
            let other = match scope {
                FlushScope::All => None,
                FlushScope::Db(flushed) if *db == flushed => None,
                FlushScope::Swap(a, b) if *db == a => Some(b),
                FlushScope::Swap(a, b) if *db == b => Some(a),
                FlushScope::Db(_) | FlushScope::Swap(..) => continue,
            };
            let before = keyspace.db(*db).presence(key, now);
            let after = other.map_or(Presence::Absent, |db| keyspace.db(db).presence(key, now));
            let broken = before == Presence::Live || after == Presence::Live;
            for &watcher in watchers {
                let Some(client) = clients.get_mut(watcher) else {
                    continue;
                };
                client.watch_broken |= broken;
                for watched in &mut client.watched {
                    if watched.db == *db && watched.key == *key {
                        watched.stale = after == Presence::Stale;
                    }
                }
            }
        }
    }
}
