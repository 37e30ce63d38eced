//! WAIT: a client goes on when enough replicas have what it wrote.

use crate::server::Server;
use front::ClientKey;
use front::client::BlockReason;

impl Server {
    /// Parks a client until replicas have what it wrote; `until` is the time of giving up, if any.
    pub(crate) fn wait_for_replicas(
        &mut self,
        key: ClientKey,
        wanted: usize,
        until: Option<i64>,
        args: &[&[u8]],
    ) {
        self.park_request(key, BlockReason::Replicas { wanted }, until, args);
        self.replication.waiting.push(key);
        self.ask_for_acknowledgements();
    }

    /// Replicas are to tell how far they are.
    pub(crate) fn ask_for_acknowledgements(&mut self) {
        self.replication.asks_for_acks = true;
    }

    /// Replicas told how far they are: whose wait is over?
    pub(crate) fn answer_waiting_for_replicas(&mut self) {
        for key in std::mem::take(&mut self.replication.waiting) {
            let Some(client) = self.front.clients.get(key) else {
                continue;
            };
            let offset = client.last_write;
            let wanted = match client.blocked.as_ref().map(|blocked| blocked.reason) {
                Some(BlockReason::Replicas { wanted }) => wanted,
                _ => continue,
            };
            let count = self.replicas_at(offset);
            if count < wanted {
                self.replication.waiting.push(key);
            } else if self.unpark(key).is_some() {
                self.front.reply(key, format!(":{count}\r\n").as_bytes());
            }
        }
    }
}
