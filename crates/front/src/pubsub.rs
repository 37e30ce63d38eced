//! Who listens to which channel, shard channel and pattern, and how a message reaches them.

use crate::client::{Client, ClientKey};
use crate::client_memory::SUBSCRIPTION_BYTES;
use crate::front::Front;
use crate::glob;
use resp::Writer;
use std::collections::HashMap;

type Subscribers = HashMap<Box<[u8]>, Vec<ClientKey>>;

/// What can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Channel,
    ShardChannel,
    Pattern,
}

/// Subscribers by name, in order of subscription.
#[derive(Default)]
pub struct PubSub {
    channels: Subscribers,
    shard_channels: Subscribers,
    patterns: Subscribers,
}

impl PubSub {
    fn of(&mut self, kind: Kind) -> &mut Subscribers {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::ShardChannel => &mut self.shard_channels,
            Kind::Pattern => &mut self.patterns,
        }
    }

    /// Names with at least one subscriber that match a glob pattern (all without one).
    pub fn names(&self, shard: bool, pattern: Option<&[u8]>) -> Vec<&[u8]> {
        let names = if shard {
            &self.shard_channels
        } else {
            &self.channels
        };
        names
            .keys()
            .map(|name| &**name)
            .filter(|name| pattern.is_none_or(|pattern| glob::matches(pattern, name, false)))
            .collect()
    }

    /// How many names have a subscriber.
    pub fn name_count(&self, shard: bool) -> usize {
        match shard {
            true => self.shard_channels.len(),
            false => self.channels.len(),
        }
    }

    /// How many clients subscribe to a channel itself.
    pub fn subscribers(&self, shard: bool, name: &[u8]) -> usize {
        let names = if shard {
            &self.shard_channels
        } else {
            &self.channels
        };
        names.get(name).map_or(0, Vec::len)
    }

    /// How many different patterns are subscribed to.
    pub fn pattern_count(&self) -> usize {
        self.patterns.len()
    }

    /// Adds a subscription; false if the client had it.
    pub fn subscribe(&mut self, client: &mut Client, kind: Kind, name: &[u8]) -> bool {
        let subscriptions = client.subscriptions.get_or_insert_default();
        let new = subscriptions.of(kind).insert(name.into());
        if new {
            subscriptions.bytes += name.len() + SUBSCRIPTION_BYTES;
            self.of(kind)
                .entry(name.into())
                .or_default()
                .push(client.key);
        }
        new
    }

    /// Ends a subscription; false if the client had none.
    pub fn unsubscribe(&mut self, client: &mut Client, kind: Kind, name: &[u8]) -> bool {
        let Some(subscriptions) = &mut client.subscriptions else {
            return false;
        };
        let had = subscriptions.of(kind).remove(name);
        if had {
            subscriptions.bytes -= name.len() + SUBSCRIPTION_BYTES;
            self.drop_subscriber(kind, name, client.key);
        }
        had
    }

    fn drop_subscriber(&mut self, kind: Kind, name: &[u8], key: ClientKey) {
        let names = self.of(kind);
        if let Some(subscribers) = names.get_mut(name) {
            subscribers.retain(|&subscriber| subscriber != key);
            if subscribers.is_empty() {
                names.remove(name);
            }
        }
    }

    /// Ends all of a client's subscriptions.
    pub fn forget(&mut self, client: &mut Client) {
        let Some(mut subscriptions) = client.subscriptions.take() else {
            return;
        };
        for kind in [Kind::Channel, Kind::ShardChannel, Kind::Pattern] {
            for name in subscriptions.of(kind).drain() {
                self.drop_subscriber(kind, &name, client.key);
            }
        }
    }
}

impl Front {
    /// Sends a message to everyone who listens; returns how many that are.
    pub fn publish(&mut self, shard: bool, channel: &[u8], message: &[u8]) -> usize {
        let names = if shard {
            &self.pubsub.shard_channels
        } else {
            &self.pubsub.channels
        };
        let mut receivers: Vec<(ClientKey, Option<Box<[u8]>>)> = names
            .get(channel)
            .into_iter()
            .flatten()
            .map(|&key| (key, None))
            .collect();
        if !shard {
            for (pattern, subscribers) in &self.pubsub.patterns {
                if glob::matches(pattern, channel, false) {
                    receivers.extend(subscribers.iter().map(|&key| (key, Some(pattern.clone()))));
                }
            }
        }
        let word = if shard { "smessage" } else { "message" };
        let plain = [false, true].map(|resp3| encode(resp3, &[word.as_bytes(), channel, message]));
        for (key, pattern) in &receivers {
            let Some(client) = self.clients.get(*key) else {
                continue;
            };
            let resp3 = client.resp3;
            match pattern {
                None => self.send(*key, &plain[usize::from(resp3)]),
                Some(pattern) => {
                    let bytes = encode(resp3, &[b"pmessage", pattern, channel, message]);
                    self.send(*key, &bytes);
                }
            }
        }
        receivers.len()
    }
}

fn encode(resp3: bool, words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, resp3);
    writer.push(words.len());
    for word in words {
        writer.bulk(word);
    }
    bytes
}
