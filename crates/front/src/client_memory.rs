//! What clients cost in memory, and who has to go when all of them together cost more than `maxmemory-clients`: the
//! largest first.

use crate::client::{Client, ClientClass, ClientKey};
use crate::client_info;
use crate::front::Front;

/// A name in a client's set of subscriptions, and the client's place in the list of the name's subscribers.
pub(crate) const SUBSCRIPTION_BYTES: usize = 64;
/// A watched key in the client's list, and the client's place in the list of the key's watchers.
pub const WATCH_BYTES: usize = 96;

impl Client {
    /// Bytes queued by MULTI, `multi-mem` of CLIENT LIST.
    pub fn transaction_memory(&self) -> usize {
        self.transaction.as_ref().map_or(0, |queue| queue.memory())
    }

    /// Bytes of memory this client costs, `tot-mem` of CLIENT LIST. Takes no longer for a client that has much.
    pub fn memory(&self) -> usize {
        size_of::<Client>()
            + self.query.capacity()
            + self.running_memory
            + self.output.memory()
            + self.transaction_memory()
            + self.name.capacity()
            + self.addr.capacity()
            + self.laddr.capacity()
            + self
                .blocked
                .as_ref()
                .map_or(0, |blocked| blocked.args.memory())
            + self.watched_bytes
            + self.subscriptions.as_ref().map_or(0, |set| set.bytes)
            + self
                .tracking
                .as_ref()
                .map_or(0, |tracking| tracking.memory())
    }

    /// Whether `maxmemory-clients` counts it.
    fn is_counted(&self) -> bool {
        match self.class {
            ClientClass::Normal | ClientClass::PubSub => !self.close_asap,
            ClientClass::Replica | ClientClass::Master | ClientClass::Internal => false,
        }
    }
}

/// Sizes of one bucket are within a factor of 2; the first has all below its end, the last all above its start.
const BUCKETS: usize = 19;
const FIRST_BUCKET_END: usize = 1 << 16;

fn bucket_of(bytes: usize) -> usize {
    let doublings = (bytes / FIRST_BUCKET_END)
        .checked_ilog2()
        .map_or(0, |log| log + 1);
    (doublings as usize).min(BUCKETS - 1)
}

/// What a client counts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    bytes: usize,
    /// Its bucket and place there, if it may be evicted.
    place: Option<(u8, u32)>,
}

/// The clients by size. Kept only while `maxmemory-clients` sets a limit.
#[derive(Debug, Default)]
pub(crate) struct ClientMemory {
    /// 0: no limit.
    limit: usize,
    /// What all counted clients cost.
    total: usize,
    buckets: [Vec<ClientKey>; BUCKETS],
}

impl ClientMemory {
    #[inline]
    pub(crate) fn is_limited(&self) -> bool {
        self.limit > 0
    }

    fn is_over(&self) -> bool {
        self.limit > 0 && self.total > self.limit
    }

    /// A client of the last bucket that has any.
    fn largest(&self) -> Option<ClientKey> {
        self.buckets
            .iter()
            .rev()
            .find_map(|bucket| bucket.first().copied())
    }
}

impl Front {
    /// Follows `maxmemory-clients`, in bytes; 0: no limit.
    pub fn limit_client_memory(&mut self, limit: usize) {
        let before = std::mem::replace(&mut self.client_memory.limit, limit);
        if (before > 0) == (limit > 0) {
            return;
        }
        let keys: Vec<ClientKey> = self.clients.iter().map(|client| client.key).collect();
        for key in keys {
            match limit {
                0 => self.uncount(key),
                _ => self.count(key),
            }
        }
    }

    /// Looks again at what a client costs. To be called where that may have changed.
    #[inline]
    pub(crate) fn recount(&mut self, key: ClientKey) {
        if self.client_memory.is_limited() {
            self.count(key);
        }
    }

    fn count(&mut self, key: ClientKey) {
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        let bytes = if client.is_counted() {
            client.memory()
        } else {
            0
        };
        let bucket = (client.is_counted() && !client.no_evict).then(|| bucket_of(bytes) as u8);
        let before = client.share;
        client.share.bytes = bytes;
        self.client_memory.total = self.client_memory.total - before.bytes + bytes;
        if before.place.map(|(bucket, _)| bucket) == bucket {
            return;
        }
        self.leave_bucket(key);
        if let Some(bucket) = bucket {
            let members = &mut self.client_memory.buckets[usize::from(bucket)];
            let place = Some((bucket, members.len() as u32));
            members.push(key);
            if let Some(client) = self.clients.get_mut(key) {
                client.share.place = place;
            }
        }
    }

    /// A client is gone, or clients are no longer counted.
    pub(crate) fn uncount(&mut self, key: ClientKey) {
        self.leave_bucket(key);
        if let Some(client) = self.clients.get_mut(key) {
            self.client_memory.total -= std::mem::take(&mut client.share).bytes;
        }
    }

    fn leave_bucket(&mut self, key: ClientKey) {
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        let Some((bucket, index)) = client.share.place.take() else {
            return;
        };
        let members = &mut self.client_memory.buckets[usize::from(bucket)];
        members.swap_remove(index as usize);
        // The last one has taken its place.
        if let Some(&moved) = members.get(index as usize)
            && let Some(client) = self.clients.get_mut(moved)
        {
            client.share.place = Some((bucket, index));
        }
    }

    /// Closes the largest clients until the others are within the limit.
    pub(crate) fn evict_clients(&mut self) {
        while self.client_memory.is_over() {
            let Some(key) = self.client_memory.largest() else {
                return;
            };
            if let Some(client) = self.clients.get(key) {
                let mut line = Vec::new();
                client_info::write_line(&mut line, client, client.argument_bytes(), self);
                crate::log_notice!("Evicting client: {}", String::from_utf8_lossy(&line));
            }
            self.stats.evicted_clients += 1;
            self.close_soon(key);
        }
    }

    /// Before a request runs: whether its client may still have it, now that all clients' memory is looked at.
    pub(crate) fn may_use_memory(&mut self, key: ClientKey) -> bool {
        if !self.client_memory.is_limited() {
            return true;
        }
        self.count(key);
        self.evict_clients();
        self.clients
            .get(key)
            .is_some_and(|client| !client.close_asap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::CommandTable;

    fn front(limit: usize) -> Front {
        let mut front = Front::new(CommandTable::new()).unwrap();
        front.limit_client_memory(limit);
        front
    }

    /// A client that holds so many bytes more than an idle one.
    fn client(front: &mut Front, bytes: usize) -> ClientKey {
        let key = front.add_internal_client();
        let client = front.clients.get_mut(key).unwrap();
        client.class = ClientClass::Normal;
        client.name.reserve_exact(bytes);
        front.recount(key);
        key
    }

    fn closed(front: &Front, keys: &[ClientKey]) -> Vec<bool> {
        keys.iter()
            .map(|&key| front.clients.get(key).unwrap().close_asap)
            .collect()
    }

    #[test]
    fn buckets_double() {
        let buckets = [0, 65_535, 65_536, 131_071, 131_072, 1 << 20, usize::MAX].map(bucket_of);
        assert_eq!(buckets, [0, 0, 1, 1, 2, 5, BUCKETS - 1]);
    }

    #[test]
    fn the_largest_go_until_the_others_fit() {
        let mut front = front(2_000_000);
        let keys = [100, 900_000, 200_000, 300_000].map(|bytes| client(&mut front, bytes));
        front.evict_clients();
        assert_eq!(closed(&front, &keys), [false; 4]);
        let late = client(&mut front, 800_000);
        front.evict_clients();
        assert_eq!(closed(&front, &keys), [false, true, false, false]);
        assert_eq!(closed(&front, &[late]), [false]);
        assert_eq!(front.stats.evicted_clients, 1);
    }

    #[test]
    fn who_is_not_to_be_evicted_counts_all_the_same() {
        let mut front = front(1_000_000);
        let keys = [900_000, 300_000].map(|bytes| client(&mut front, bytes));
        front.clients.get_mut(keys[0]).unwrap().no_evict = true;
        front.recount(keys[0]);
        front.evict_clients();
        assert_eq!(closed(&front, &keys), [false, true]);
        front.clients.get_mut(keys[0]).unwrap().no_evict = false;
        assert!(front.may_use_memory(keys[0]));
        front.limit_client_memory(1);
        assert!(!front.may_use_memory(keys[0]));
    }

    #[test]
    fn a_lower_limit_counts_those_who_are_there_and_none_forgets_them() {
        let mut front = front(0);
        let keys = [100_000, 200_000].map(|bytes| client(&mut front, bytes));
        front.limit_client_memory(250_000);
        front.evict_clients();
        assert_eq!(closed(&front, &keys), [false, true]);
        front.limit_client_memory(0);
        assert_eq!(front.client_memory.total, 0);
        assert_eq!(front.client_memory.largest(), None);
    }

    #[test]
    fn shrinking_clients_change_places() {
        let mut front = front(10_000_000);
        let keys = [400_000, 500_000, 450_000].map(|bytes| client(&mut front, bytes));
        front.clients.get_mut(keys[0]).unwrap().name = Vec::new();
        front.recount(keys[0]);
        front.uncount(keys[2]);
        assert_eq!(front.client_memory.largest(), Some(keys[1]));
        front.uncount(keys[1]);
        assert_eq!(front.client_memory.largest(), Some(keys[0]));
        front.uncount(keys[0]);
        assert_eq!(front.client_memory.total, 0);
    }
}
