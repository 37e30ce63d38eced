//! A data node as far as a Sentinel sees it: its role, its replicas, its offset.

use resp::Frame;

/// Where node number `index` is.
pub(crate) fn node_ip(index: usize) -> String {
    format!("10.0.1.{}", index + 1)
}

pub(crate) const NODE_PORT: u16 = 6379;

/// The number of the node at an address.
pub(crate) fn node_at(ip: &str) -> Option<usize> {
    let last: usize = ip.strip_prefix("10.0.1.")?.parse().ok()?;
    last.checked_sub(1)
}

/// See the module.
pub(crate) struct Node {
    pub(crate) index: usize,
    pub(crate) up: bool,
    /// Counts its processes: another one has another run id.
    pub(crate) incarnation: u64,
    /// Whom it follows; none: it is a master. Kept across restarts, as CONFIG REWRITE does.
    pub(crate) follows: Option<usize>,
    pub(crate) link_up: bool,
    /// When it may be in sync again.
    pub(crate) sync_at: u64,
    pub(crate) link_down_since: u64,
    /// Everything that was written to it, in order.
    pub(crate) log: Vec<u64>,
    /// FAILOVER: it hands over to this node as soon as that has everything.
    pub(crate) hands_over_to: Option<usize>,
}

impl Node {
    pub(crate) fn new(index: usize, follows: Option<usize>) -> Node {
        Node {
            index,
            up: true,
            incarnation: 1,
            follows,
            link_up: false,
            sync_at: 0,
            link_down_since: 0,
            log: Vec::new(),
            hands_over_to: None,
        }
    }

    pub(crate) fn follow(&mut self, now: u64, master: Option<usize>) {
        if self.follows == master {
            return;
        }
        /// A handshake and a partial resync.
        const SYNC_MS: u64 = 30;
        self.follows = master;
        self.hands_over_to = None;
        self.link_up = false;
        self.link_down_since = now;
        self.sync_at = now + SYNC_MS;
    }

    /// The text of INFO; `replicas` are those in sync with it.
    pub(crate) fn info(&self, now: u64, replicas: &[usize]) -> String {
        let run_id = format!("{:039}{}", self.incarnation, self.index);
        let mut text = format!("run_id:{run_id}\r\n");
        match self.follows {
            None => {
                text.push_str("role:master\r\n");
                for (number, replica) in replicas.iter().enumerate() {
                    let ip = node_ip(*replica);
                    text.push_str(&format!(
                        "slave{number}:ip={ip},port={NODE_PORT},state=online\r\n"
                    ));
                }
            }
            Some(master) => {
                let status = if self.link_up { "up" } else { "down" };
                let down = match self.link_up {
                    true => 0,
                    false => (now - self.link_down_since) / 1000,
                };
                text.push_str(&format!(
                    "role:slave\r\nmaster_host:{}\r\nmaster_port:{NODE_PORT}\r\nmaster_link_status:{status}\r\n\
                     master_link_down_since_seconds:{down}\r\nslave_priority:100\r\nslave_repl_offset:{}\r\n\
                     replica_announced:1\r\n",
                    node_ip(master),
                    self.log.len()
                ));
            }
        }
        text
    }
}

pub(crate) fn simple(text: &str) -> Frame {
    Frame::Simple(text.as_bytes().to_vec())
}

pub(crate) fn bulk(text: impl Into<Vec<u8>>) -> Frame {
    Frame::Bulk(text.into())
}
