//! Who listens to which channel and pattern.

use crate::client::ClientKey;
use std::collections::HashMap;

/// Subscribers by channel, shard channel and pattern, in order of subscription.
#[derive(Default)]
pub struct PubSub {
    pub channels: HashMap<Box<[u8]>, Vec<ClientKey>>,
    pub shard_channels: HashMap<Box<[u8]>, Vec<ClientKey>>,
    pub patterns: HashMap<Box<[u8]>, Vec<ClientKey>>,
}
