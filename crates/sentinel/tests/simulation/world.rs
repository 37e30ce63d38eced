//! The world: a queue of what happens when, connections that keep the order of what is sent on them, and faults.

use crate::node::{NODE_PORT, Node, bulk, node_at, node_ip, simple};
use resp::Frame;
use sentinel::core::{Action, ConnId, Core, Event, Loss};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(crate) const SENTINELS: usize = 3;
pub(crate) const NODES: usize = 3;
/// Until then the group finds itself.
const WARM_UP_MS: u64 = 15_000;
/// Until then there are faults.
pub(crate) const FAULTS_UNTIL_MS: u64 = 75_000;
/// By then everything must be well again: the longest waits (failover timeouts, INFO periods) are over.
const END_MS: u64 = 215_000;

/// A process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Sentinel(usize),
    Node(usize),
}

/// Names a connection: the Sentinel that made it, which of its lives, and its own number for it.
pub(crate) type Key = (usize, u64, ConnId);

pub(crate) struct Sentinel {
    pub(crate) core: Option<Core>,
    pub(crate) incarnation: u64,
    /// The lines on its disk.
    pub(crate) disk: Vec<String>,
    pub(crate) stalled_until: u64,
    pub(crate) next_tick: u64,
}

pub(crate) enum Message {
    Up,
    Lost(Loss),
    Frame(Frame),
}

pub(crate) struct Conn {
    pub(crate) peer: Place,
    pub(crate) peer_incarnation: u64,
    pub(crate) to_peer: VecDeque<Vec<Vec<u8>>>,
    pub(crate) to_sentinel: VecDeque<Message>,
    pub(crate) subscribed: bool,
    /// Commands between MULTI and EXEC.
    pub(crate) multi: Option<Vec<Vec<Vec<u8>>>>,
}

#[derive(Debug)]
pub(crate) enum Happening {
    Tick(usize, u64),
    Arrives(Key),
    Request(Key),
    Reply(Key),
    NodesTick,
    Write,
    Fault,
    RestartSentinel(usize),
    RestartNode(usize),
    Heal(Place, Place),
    HealAll,
    Rumour(usize, Vec<u8>),
}

/// See the module.
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) random: u64,
    pub(crate) queue: BTreeMap<(u64, u64), Happening>,
    pub(crate) next: u64,
    pub(crate) sentinels: Vec<Sentinel>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) node_stalled_until: Vec<u64>,
    pub(crate) conns: BTreeMap<Key, Conn>,
    pub(crate) apart: BTreeSet<(Place, Place)>,
    pub(crate) faults: bool,
    /// Leaders by epoch, votes by Sentinel and epoch.
    pub(crate) leaders: BTreeMap<u64, usize>,
    pub(crate) votes: BTreeMap<(usize, u64), String>,
    pub(crate) violation: Option<String>,
    pub(crate) switches: usize,
    /// Writes that a node said it has taken.
    pub(crate) acknowledged: Vec<u64>,
    pub(crate) written: u64,
    pub(crate) history: Vec<String>,
}

fn sentinel_ip(index: usize) -> String {
    format!("10.0.2.{}", index + 1)
}

const SENTINEL_PORT: u16 = 26379;

impl World {
    pub(crate) fn new(seed: u64) -> World {
        let mut world = World::without_faults(seed);
        world.faults = true;
        world.after(WARM_UP_MS, Happening::Fault);
        world.after(FAULTS_UNTIL_MS, Happening::HealAll);
        world
    }

    pub(crate) fn without_faults(seed: u64) -> World {
        let mut world = World {
            now: 0,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            queue: BTreeMap::new(),
            next: 0,
            sentinels: Vec::new(),
            nodes: vec![
                Node::new(0, None),
                Node::new(1, Some(0)),
                Node::new(2, Some(0)),
            ],
            node_stalled_until: vec![0; NODES],
            conns: BTreeMap::new(),
            apart: BTreeSet::new(),
            faults: false,
            leaders: BTreeMap::new(),
            votes: BTreeMap::new(),
            violation: None,
            switches: 0,
            acknowledged: Vec::new(),
            written: 0,
            history: Vec::new(),
        };
        for index in 0..SENTINELS {
            let disk = vec![
                format!("myid {index:040}"),
                format!("monitor m {} {NODE_PORT} 2", node_ip(0)),
                "down-after-milliseconds m 3000".to_string(),
                "failover-timeout m 10000".to_string(),
            ];
            world.sentinels.push(Sentinel {
                core: None,
                incarnation: 0,
                disk,
                stalled_until: 0,
                next_tick: 0,
            });
            world.start_sentinel(index);
        }
        world.after(10, Happening::NodesTick);
        world.after(20, Happening::Write);
        world
    }

    pub(crate) fn history(&self) -> Vec<String> {
        self.history.clone()
    }

    pub(crate) fn switches(&self) -> usize {
        self.switches
    }

    /// Runs to the end, and says what is wrong then, or was on the way.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        self.run_until(END_MS);
        if let Some(violation) = &self.violation {
            return Err(violation.clone());
        }
        self.check_end()
    }

    pub(crate) fn run_until(&mut self, end: u64) {
        while let Some((&(at, number), _)) = self.queue.first_key_value() {
            if at > end || self.violation.is_some() {
                break;
            }
            self.now = at;
            let happening = self.queue.remove(&(at, number)).unwrap();
            self.happens(happening);
        }
        self.now = end;
    }

    fn check_end(&self) -> Result<(), String> {
        let named: Vec<usize> = (0..SENTINELS).map(|index| self.named(index)).collect();
        let master = named[0];
        if named.iter().any(|node| *node != master) {
            return Err(format!("Sentinels name different masters: {named:?}"));
        }
        for node in &self.nodes {
            let expected = (node.index != master).then_some(master);
            if node.follows != expected {
                return Err(format!(
                    "node {} follows {:?}, and the master is {master}",
                    node.index, node.follows
                ));
            }
        }
        for (index, sentinel) in self.sentinels.iter().enumerate() {
            let core = sentinel.core.as_ref().unwrap();
            let group = core.master(b"m").unwrap();
            if group.instance.is_s_down() || group.failover.is_some() {
                return Err(format!("Sentinel {index} is not at rest"));
            }
            if group.peers.len() != SENTINELS - 1 {
                return Err(format!(
                    "Sentinel {index} knows {} peers",
                    group.peers.len()
                ));
            }
        }
        Ok(())
    }

    /// The node that a Sentinel names as the master.
    pub(crate) fn named(&self, sentinel: usize) -> usize {
        let core = self.sentinels[sentinel].core.as_ref().unwrap();
        node_at(&core.master(b"m").unwrap().current_addr().host).unwrap()
    }

    pub(crate) fn sentinels_that_name_another_master(&self, node: usize) -> usize {
        (0..SENTINELS)
            .filter(|index| self.named(*index) != node)
            .count()
    }

    /// Acknowledged writes that the master of the first Sentinel does not have.
    pub(crate) fn writes_lost(&self) -> usize {
        let log: BTreeSet<u64> = self.nodes[self.named(0)].log.iter().copied().collect();
        let lost = |write: &&u64| !log.contains(write);
        self.acknowledged.iter().filter(lost).count()
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }

    /// Now and then a message takes much longer than usual.
    fn delay(&mut self) -> u64 {
        match self.faults && self.below(100) == 0 {
            true => 1 + self.below(400),
            false => 1 + self.below(3),
        }
    }

    pub(crate) fn after(&mut self, delay: u64, happening: Happening) {
        self.next += 1;
        self.queue.insert((self.now + delay, self.next), happening);
    }

    pub(crate) fn note(&mut self, text: String) {
        self.history.push(format!("{} {text}", self.now));
    }

    pub(crate) fn are_apart(&self, a: Place, b: Place) -> bool {
        self.apart.contains(&(a.min(b), a.max(b)))
    }

    fn incarnation(&self, place: Place) -> u64 {
        match place {
            Place::Sentinel(index) => self.sentinels[index].incarnation,
            Place::Node(index) => self.nodes[index].incarnation,
        }
    }

    pub(crate) fn is_up(&self, place: Place) -> bool {
        match place {
            Place::Sentinel(index) => self.sentinels[index].core.is_some(),
            Place::Node(index) => self.nodes[index].up,
        }
    }

    pub(crate) fn stalled_until(&self, place: Place) -> u64 {
        match place {
            Place::Sentinel(index) => self.sentinels[index].stalled_until,
            Place::Node(index) => self.node_stalled_until[index],
        }
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Tick(index, incarnation) => self.tick(index, incarnation),
            Happening::Arrives(key) => self.arrives(key),
            Happening::Request(key) => self.request_arrives(key),
            Happening::Reply(key) => self.reply_arrives(key),
            Happening::NodesTick => self.nodes_tick(),
            Happening::Write => self.write(),
            Happening::Fault => self.fault(),
            Happening::RestartSentinel(index) => self.start_sentinel(index),
            Happening::RestartNode(index) => self.start_node(index),
            Happening::Heal(a, b) => {
                self.apart.remove(&(a.min(b), a.max(b)));
            }
            Happening::HealAll => {
                self.faults = false;
                self.apart.clear();
            }
            Happening::Rumour(node, text) => self.publish(node, &text),
        }
    }

    // Sentinels

    fn start_sentinel(&mut self, index: usize) {
        if self.sentinels[index].core.is_some() {
            return;
        }
        let seed = self.below(u64::MAX);
        let mut core = Core::new(format!("{index:040}"), seed);
        core.options.port = SENTINEL_PORT;
        core.now = self.now;
        let mut lines = self.sentinels[index].disk.clone();
        lines.sort_by_key(|line| !line.starts_with("monitor"));
        for line in &lines {
            let words: Vec<&str> = line.split(' ').collect();
            core.take_line(&words, &|_| true).unwrap();
        }
        let sentinel = &mut self.sentinels[index];
        sentinel.core = Some(core);
        sentinel.incarnation += 1;
        let incarnation = sentinel.incarnation;
        let phase = self.below(100);
        self.note(format!("sentinel {index} starts"));
        self.after(phase, Happening::Tick(index, incarnation));
    }

    fn tick(&mut self, index: usize, incarnation: u64) {
        let sentinel = &self.sentinels[index];
        if sentinel.core.is_none() || sentinel.incarnation != incarnation {
            return;
        }
        if sentinel.stalled_until > self.now {
            let wait = sentinel.stalled_until - self.now;
            return self.after(wait, Happening::Tick(index, incarnation));
        }
        if sentinel.next_tick > self.now {
            return;
        }
        self.sentinel_event(index, Event::Tick);
        if let Some(core) = &self.sentinels[index].core {
            let wait = core.next_tick_ms();
            self.sentinels[index].next_tick = self.now + wait;
            self.after(wait, Happening::Tick(index, incarnation));
        }
    }

    fn sentinel_event(&mut self, index: usize, event: Event) {
        let now = self.now;
        if let Some(core) = &mut self.sentinels[index].core {
            core.handle(now, event);
            self.carry_out(index);
            self.check_sentinel(index);
        }
    }

    fn carry_out(&mut self, index: usize) {
        loop {
            let Some(core) = &mut self.sentinels[index].core else {
                return;
            };
            let actions = core.take_actions();
            if actions.is_empty() {
                break;
            }
            for action in actions {
                self.act(index, action);
            }
        }
        // What awaits an answer looks more often.
        let Some(core) = &self.sentinels[index].core else {
            return;
        };
        let next = self.now + core.next_tick_ms();
        if next < self.sentinels[index].next_tick {
            self.sentinels[index].next_tick = next;
            let incarnation = self.sentinels[index].incarnation;
            self.after(next - self.now, Happening::Tick(index, incarnation));
        }
    }

    fn act(&mut self, index: usize, action: Action) {
        let incarnation = self.sentinels[index].incarnation;
        match action {
            Action::Connect { conn, ip, .. } => {
                let peer = match node_at(&ip) {
                    Some(node) => Place::Node(node),
                    None => {
                        let last: usize = ip.strip_prefix("10.0.2.").unwrap().parse().unwrap();
                        Place::Sentinel(last - 1)
                    }
                };
                let key = (index, incarnation, conn);
                self.conns.insert(
                    key,
                    Conn {
                        peer,
                        peer_incarnation: 0,
                        to_peer: VecDeque::new(),
                        to_sentinel: VecDeque::new(),
                        subscribed: false,
                        multi: None,
                    },
                );
                let delay = self.delay();
                self.after(delay, Happening::Arrives(key));
            }
            Action::Close { conn } => {
                self.conns.remove(&(index, incarnation, conn));
            }
            Action::Send { conn, args } => {
                let key = (index, incarnation, conn);
                if let Some(conn) = self.conns.get_mut(&key) {
                    conn.to_peer.push_back(args);
                    let delay = self.delay();
                    self.after(delay, Happening::Request(key));
                }
            }
            Action::Save => {
                let core = self.sentinels[index].core.as_ref().unwrap();
                let lines = core.lines().into_iter();
                self.sentinels[index].disk = lines
                    .map(|(_, line)| line.strip_prefix("sentinel ").unwrap().to_string())
                    .collect();
            }
            Action::Publish(notice) => {
                self.switches += usize::from(notice.channel == "+switch-master");
                self.note(format!("s{index} {} {}", notice.channel, notice.message));
            }
            Action::Log(_, text) => self.note(format!("s{index} {text}")),
            Action::Resolve { .. }
            | Action::RunScript { .. }
            | Action::KillScript { .. }
            | Action::Exit(_) => unreachable!("nothing here asks for {action:?}"),
        }
    }

    /// What must hold at every moment.
    fn check_sentinel(&mut self, index: usize) {
        let Some(core) = &self.sentinels[index].core else {
            return;
        };
        let group = core.master(b"m").unwrap();
        if let Some(leader) = &group.leader {
            let vote = self
                .votes
                .entry((index, group.leader_epoch))
                .or_insert_with(|| leader.clone());
            if vote != leader {
                self.violation = Some(format!(
                    "sentinel {index} voted for {vote} and {leader} in epoch {}",
                    group.leader_epoch
                ));
            }
        }
        if let Some(failover) = &group.failover
            && failover.is_elected()
            && !failover.forced
        {
            let leader = *self.leaders.entry(failover.epoch).or_insert(index);
            if leader != index {
                self.violation = Some(format!(
                    "{leader} and {index} both lead in epoch {}",
                    failover.epoch
                ));
            }
        }
    }

    pub(crate) fn force_failover(&mut self, index: usize) {
        let now = self.now;
        let Some(core) = &mut self.sentinels[index].core else {
            return;
        };
        core.now = now;
        let asked = core.force_failover("m");
        self.note(format!("s{index} is asked for a failover: {asked:?}"));
        self.sentinel_event(index, Event::Tick);
    }

    // Connections

    /// A connection's first packet arrives, or nothing does.
    fn arrives(&mut self, key: Key) {
        let Some(conn) = self.conns.get(&key) else {
            return;
        };
        let peer = conn.peer;
        if self.are_apart(Place::Sentinel(key.0), peer) {
            // Nobody answers; it is tried again for a while.
            return self.after(500, Happening::Arrives(key));
        }
        let message = match self.is_up(peer) {
            true => Message::Up,
            false => Message::Lost(Loss::Refused),
        };
        let incarnation = self.incarnation(peer);
        if let Some(conn) = self.conns.get_mut(&key) {
            conn.peer_incarnation = incarnation;
        }
        self.deliver(key, message);
    }

    pub(crate) fn deliver(&mut self, key: Key, message: Message) {
        if let Some(conn) = self.conns.get_mut(&key) {
            conn.to_sentinel.push_back(message);
            let delay = self.delay();
            self.after(delay, Happening::Reply(key));
        }
    }

    fn reply_arrives(&mut self, key: Key) {
        let (index, incarnation, id) = key;
        let Some(conn) = self.conns.get(&key) else {
            return;
        };
        let here = Place::Sentinel(index);
        let wait = self.stalled_until(here).saturating_sub(self.now);
        if wait > 0 || self.are_apart(here, conn.peer) {
            return self.after(wait.max(200), Happening::Reply(key));
        }
        let Some(message) = self
            .conns
            .get_mut(&key)
            .and_then(|conn| conn.to_sentinel.pop_front())
        else {
            return;
        };
        if self.sentinels[index].incarnation != incarnation {
            return;
        }
        let event = match message {
            Message::Up => Event::Connected {
                conn: id,
                local_ip: sentinel_ip(index),
            },
            Message::Lost(loss) => {
                self.conns.remove(&key);
                Event::Lost { conn: id, loss }
            }
            Message::Frame(frame) => Event::Received { conn: id, frame },
        };
        self.sentinel_event(index, event);
    }

    fn request_arrives(&mut self, key: Key) {
        let Some(conn) = self.conns.get(&key) else {
            return;
        };
        let peer = conn.peer;
        let wait = self.stalled_until(peer).saturating_sub(self.now);
        if wait > 0 || self.are_apart(Place::Sentinel(key.0), peer) {
            return self.after(wait.max(200), Happening::Request(key));
        }
        if !self.is_up(peer) || self.incarnation(peer) != conn.peer_incarnation {
            return self.deliver(key, Message::Lost(Loss::Other));
        }
        let Some(args) = self
            .conns
            .get_mut(&key)
            .and_then(|conn| conn.to_peer.pop_front())
        else {
            return;
        };
        let words: Vec<String> = args
            .iter()
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        match peer {
            Place::Node(node) => self.node_request(key, node, &words, args),
            Place::Sentinel(index) => {
                if let Some(reply) = self.ask_sentinel(index, &words) {
                    self.deliver(key, Message::Frame(reply));
                }
            }
        }
    }

    fn ask_sentinel(&mut self, index: usize, words: &[String]) -> Option<Frame> {
        let now = self.now;
        let core = self.sentinels[index].core.as_mut()?;
        match words[0].as_str() {
            "PING" => Some(simple("PONG")),
            "PUBLISH" => {
                self.sentinel_event(index, Event::Hello(words[2].clone().into_bytes()));
                Some(Frame::Integer(1))
            }
            "SENTINEL" => {
                core.now = now;
                let port = words[3].parse().unwrap();
                let epoch = words[4].parse().unwrap();
                let (down, leader, epoch) = core.asked_about(&words[2], port, epoch, &words[5]);
                self.carry_out(index);
                self.check_sentinel(index);
                Some(Frame::Array(vec![
                    Frame::Integer(down.into()),
                    bulk(leader),
                    Frame::Integer(epoch as i64),
                ]))
            }
            _ => Some(simple("OK")),
        }
    }
}
