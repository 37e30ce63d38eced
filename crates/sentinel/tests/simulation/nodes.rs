//! What nodes do in the world: answer Sentinels, copy from their masters, hand over, take writes.

use crate::node::{Node, bulk, node_at, simple};
use crate::world::{Conn, Happening, Key, Message, NODES, Place, SENTINELS, World};
use resp::Frame;
use sentinel::core::HELLO_CHANNEL;

impl World {
    pub(crate) fn node_request(
        &mut self,
        key: Key,
        node: usize,
        words: &[String],
        args: Vec<Vec<u8>>,
    ) {
        let conn = self.conns.get_mut(&key).unwrap();
        if let Some(queued) = &mut conn.multi
            && words[0] != "EXEC"
        {
            queued.push(args);
            return self.deliver(key, Message::Frame(simple("QUEUED")));
        }
        let reply = match words[0].as_str() {
            "PING" => simple("PONG"),
            "INFO" => bulk(self.nodes[node].info(self.now, &self.replicas_of(node))),
            "MULTI" => {
                conn.multi = Some(Vec::new());
                simple("OK")
            }
            "EXEC" => {
                let queued = conn.multi.take().unwrap_or_default();
                for command in &queued {
                    if command[0] == b"SLAVEOF" {
                        let host = String::from_utf8_lossy(&command[1]).into_owned();
                        let now = self.now;
                        self.note(format!("node {node} is told to follow {host}"));
                        self.nodes[node].follow(now, node_at(&host));
                    }
                }
                Frame::Array(queued.iter().map(|_| simple("OK")).collect())
            }
            "SUBSCRIBE" => {
                conn.subscribed = true;
                Frame::Array(vec![
                    bulk("subscribe"),
                    bulk(HELLO_CHANNEL),
                    Frame::Integer(1),
                ])
            }
            "PUBLISH" => {
                let text = words[2].clone().into_bytes();
                self.publish(node, &text);
                // Some messages come twice, the second time when they are no longer news.
                if self.faults && self.below(50) == 0 {
                    let delay = self.below(5000);
                    self.after(delay, Happening::Rumour(node, text));
                }
                Frame::Integer(1)
            }
            "FAILOVER" if words[1] == "TO" => {
                let to = node_at(&words[2]).unwrap();
                let fit =
                    self.nodes[node].follows.is_none() && self.replicas_of(node).contains(&to);
                match fit {
                    true => {
                        self.nodes[node].hands_over_to = Some(to);
                        simple("OK")
                    }
                    false => Frame::Error(b"ERR not a replica of mine".to_vec()),
                }
            }
            "FAILOVER" => {
                self.nodes[node].hands_over_to = None;
                simple("OK")
            }
            _ => simple("OK"),
        };
        self.deliver(key, Message::Frame(reply));
    }

    pub(crate) fn publish(&mut self, node: usize, text: &[u8]) {
        if !self.nodes[node].up {
            return;
        }
        let here = Place::Node(node);
        let incarnation = self.nodes[node].incarnation;
        let listens = |conn: &Conn| {
            conn.subscribed && conn.peer == here && conn.peer_incarnation == incarnation
        };
        let keys: Vec<Key> = self
            .conns
            .iter()
            .filter(|(_, conn)| listens(conn))
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            let message = Frame::Array(vec![
                bulk("message"),
                bulk(HELLO_CHANNEL),
                bulk(text.to_vec()),
            ]);
            self.deliver(key, Message::Frame(message));
        }
    }

    fn replicas_of(&self, node: usize) -> Vec<usize> {
        let is_one = |other: &&Node| other.up && other.follows == Some(node) && other.link_up;
        self.nodes
            .iter()
            .filter(is_one)
            .map(|other| other.index)
            .collect()
    }

    /// Replicas copy what their masters have.
    pub(crate) fn nodes_tick(&mut self) {
        let now = self.now;
        for index in 0..NODES {
            let node = &self.nodes[index];
            let Some(master) = node.follows else {
                continue;
            };
            let alive = |place| self.is_up(place) && self.stalled_until(place) <= now;
            let linked = alive(Place::Node(index))
                && alive(Place::Node(master))
                && !self.are_apart(Place::Node(index), Place::Node(master))
                && node.sync_at <= now;
            let end = |log: &Vec<u64>| (log.len(), log.last().copied());
            if linked && end(&self.nodes[index].log) != end(&self.nodes[master].log) {
                self.nodes[index].log = self.nodes[master].log.clone();
            }
            let node = &mut self.nodes[index];
            if node.link_up && !linked {
                node.link_down_since = now;
            }
            node.link_up = linked;
        }
        for index in 0..NODES {
            let Some(to) = self.nodes[index].hands_over_to else {
                continue;
            };
            if self.nodes[index].up && self.nodes[to].log == self.nodes[index].log {
                self.note(format!("node {index} hands over to {to}"));
                self.nodes[to].follow(now, None);
                self.nodes[index].follow(now, Some(to));
            }
        }
        self.after(10, Happening::NodesTick);
    }

    /// A client writes to the master that a Sentinel names.
    pub(crate) fn write(&mut self) {
        let asked = self.below(SENTINELS as u64) as usize;
        if self.sentinels[asked].core.is_some() {
            let now = self.now;
            let named = self.named(asked);
            let stalled = self.node_stalled_until[named] > now;
            let node = &mut self.nodes[named];
            if node.up && node.follows.is_none() && node.hands_over_to.is_none() && !stalled {
                self.written += 1;
                node.log.push(self.written);
                self.acknowledged.push(self.written);
            }
        }
        self.after(100, Happening::Write);
    }
}
