//! What goes wrong in the world.

use crate::world::{
    Conn, FAULTS_UNTIL_MS, Happening, Key, Message, NODES, Place, SENTINELS, World,
};
use sentinel::core::Loss;

impl World {
    pub(crate) fn fault(&mut self) {
        if self.now >= FAULTS_UNTIL_MS {
            return;
        }
        let sentinel = self.below(SENTINELS as u64) as usize;
        let node = self.below(NODES as u64) as usize;
        match self.below(6) {
            0 => {
                self.crash_node(node);
                let delay = 200 + self.below(20_000);
                self.after(delay, Happening::RestartNode(node));
            }
            1 => {
                self.crash_sentinel(sentinel);
                let delay = 100 + self.below(10_000);
                self.after(delay, Happening::RestartSentinel(sentinel));
            }
            2 => {
                let stall = 500 + self.below(12_000);
                self.note(format!("node {node} stalls for {stall} ms"));
                self.node_stalled_until[node] = self.now + stall;
            }
            3 => {
                let stall = 500 + self.below(10_000);
                self.note(format!("sentinel {sentinel} stalls for {stall} ms"));
                self.sentinels[sentinel].stalled_until = self.now + stall;
            }
            4 => self.part(sentinel, node),
            _ => self.force_failover(sentinel),
        }
        let pause = 500 + self.below(8000);
        self.after(pause, Happening::Fault);
    }

    /// One side of the network does not hear of the other for a while.
    fn part(&mut self, sentinel: usize, node: usize) {
        let whole_host = self.below(2) == 0;
        let places = (0..SENTINELS)
            .map(Place::Sentinel)
            .chain((0..NODES).map(Place::Node));
        let alone = match whole_host {
            true => vec![Place::Sentinel(sentinel), Place::Node(node)],
            false => vec![Place::Node(node)],
        };
        let long = 1000 + self.below(20_000);
        self.note(format!("{alone:?} are alone for {long} ms"));
        let others: Vec<Place> = places.filter(|place| !alone.contains(place)).collect();
        for a in &alone {
            for b in &others {
                self.apart.insert((*a.min(b), *a.max(b)));
                self.after(long, Happening::Heal(*a, *b));
            }
        }
    }

    pub(crate) fn crash_node(&mut self, node: usize) {
        if self.nodes[node].up {
            self.note(format!("node {node} crashes"));
            self.nodes[node].up = false;
            self.nodes[node].hands_over_to = None;
            self.nodes[node].link_up = false;
            self.nodes[node].link_down_since = self.now;
            self.reset_conns(Place::Node(node));
        }
    }

    pub(crate) fn start_node(&mut self, node: usize) {
        if !self.nodes[node].up {
            self.note(format!("node {node} starts"));
            self.nodes[node].up = true;
            self.nodes[node].incarnation += 1;
            self.node_stalled_until[node] = 0;
        }
    }

    fn crash_sentinel(&mut self, index: usize) {
        if self.sentinels[index].core.take().is_some() {
            self.note(format!("sentinel {index} crashes"));
            self.sentinels[index].stalled_until = 0;
            self.sentinels[index].next_tick = 0;
            self.conns.retain(|(owner, ..), _| *owner != index);
            self.reset_conns(Place::Sentinel(index));
        }
    }

    /// The system ends the connections of a process that is gone.
    fn reset_conns(&mut self, place: Place) {
        let of_place = |conn: &Conn| conn.peer == place && conn.peer_incarnation != 0;
        let keys: Vec<Key> = self
            .conns
            .iter()
            .filter(|(_, conn)| of_place(conn))
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            self.deliver(key, Message::Lost(Loss::Other));
        }
    }
}
