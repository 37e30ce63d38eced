//! Who is down: in this Sentinel's own view (s_down), and for a master in the view of enough Sentinels (o_down).
//!
//! Silence for `down-after-milliseconds` is what Redis goes by. A refused connection is better evidence: the host answers,
//! the process is gone. After some refusals in a row (`refused-down-after-milliseconds`) a master counts as down at once.

use super::instance::Use;
use super::link::{Asked, Conn};
use super::{Core, Level, Master, Millis, Role, Who};
use resp::Frame;

/// An answer of a peer counts for so many ask periods.
const ANSWER_VALID_PERIODS: u64 = 5;
/// While a master has only just gone down, peers that have not noticed are asked this often.
const EAGER_ASK_MS: Millis = 100;
/// How long that lasts.
const EAGER_FOR_MS: Millis = 2000;
/// Sentinels that see a master go down at the same moment start elections so far apart, in the order of their ids: the first
/// one has the votes of the others before they begin.
const START_STEP_MS: Millis = 150;
const START_SPREAD_MS: Millis = 50;

impl Core {
    /// Whether this process was stalled and distrusts what it knows.
    pub fn tilt_is_on(&self) -> bool {
        self.tilt_since.is_some()
    }

    /// Since when, in milliseconds ago.
    pub fn tilt_age(&self) -> Option<Millis> {
        self.tilt_since.map(|since| self.now - since)
    }

    /// A process that was stalled has heard nothing because it did not listen. It begins to measure silence anew, and acts
    /// again after one round of PINGs; the clock cannot go back, so the long blindness of Redis is not needed.
    pub(crate) fn notice_stall(&mut self) {
        let now = self.now;
        let last = self.last_tick.replace(now);
        let gap = now - last.unwrap_or(now);
        if gap > self.periods.tilt_trigger {
            self.tilt_since = Some(now);
            self.publish(Level::Warning, "+tilt", "#tilt mode entered".into());
            for name in self.master_names() {
                self.with_master(&name, |core, master| core.forgive_silence(master, gap));
            }
        }
        let enough = self.periods.tilt.min(self.periods.ping);
        if let Some(since) = self.tilt_since
            && now - since >= enough
            && gap <= self.periods.tilt_trigger
        {
            self.tilt_since = None;
            self.publish(Level::Warning, "-tilt", "#tilt mode exited".into());
        }
    }

    fn forgive_silence(&mut self, master: &mut Master, gap: Millis) {
        let now = self.now;
        for who in master.members() {
            let instance = master.instance_mut(&who).expect("it is a member");
            instance.role_reported_since = (instance.role_reported_since + gap).min(now);
            if instance.is_s_down() {
                continue;
            }
            let link = self.links.get_mut(instance.link);
            link.waiting_since = link.waiting_since.map(|_| now);
            link.last_ok_reply = (link.last_ok_reply + gap).min(now);
            link.refused_since = link.refused_since.map(|_| now);
        }
    }

    /// A connection on which nothing comes is made anew: the fault may be the connection's.
    pub(crate) fn check_link(&mut self, master: &Master, who: &Who) {
        let Some(instance) = master.instance(who) else {
            return;
        };
        let (now, id) = (self.now, instance.link);
        let half_down_after = master.down_after / 2;
        let link = self.links.get(id);
        let silent = link
            .waiting_since
            .is_some_and(|since| now - since > half_down_after)
            && now - link.last_reply > half_down_after;
        let old = |since: Millis| now - since > self.periods.min_link_reconnect;
        let close_commands =
            matches!(link.commands, Conn::Up(_)) && old(link.commands_since) && silent;
        let close_subscription = matches!(link.subscription, Conn::Up(_))
            && old(link.subscription_since)
            && now - link.subscription_heard > self.periods.publish * 3;
        // An attempt that nobody answers: the next one may find another way.
        let give_up_commands = matches!(link.commands, Conn::Connecting(_))
            && now - link.commands_since > self.periods.ping.max(half_down_after);
        let give_up_subscription = matches!(link.subscription, Conn::Connecting(_))
            && now - link.subscription_since > self.periods.ping.max(half_down_after);
        if close_commands || give_up_commands {
            self.close_conn(id, Use::Commands);
        }
        if close_subscription || give_up_subscription {
            self.close_conn(id, Use::Subscription);
        }
    }

    pub(crate) fn check_s_down(&mut self, master: &mut Master, who: &Who) {
        let down = self.is_down(master, who);
        let now = self.now;
        let Some(instance) = master.instance_mut(who) else {
            return;
        };
        match (down, instance.is_s_down()) {
            (true, false) => {
                instance.s_down_since = Some(now);
                instance.last_down = Some(now);
                self.event(Level::Warning, "+sdown", master, who, "");
                if *who == Who::Master {
                    for peer in master.peers.values_mut() {
                        peer.asked_at = None;
                    }
                }
                self.stirred = true;
            }
            (false, true) => {
                instance.s_down_since = None;
                instance.script_kill_sent = false;
                self.event(Level::Warning, "-sdown", master, who, "");
                self.stirred = true;
            }
            _ => {}
        }
    }

    fn is_down(&self, master: &Master, who: &Who) -> bool {
        let Some(instance) = master.instance(who) else {
            return false;
        };
        let now = self.now;
        let link = self.links.get(instance.link);
        let silence = match link.waiting_since {
            Some(since) => now - since,
            None if !link.takes_commands() => now - link.last_ok_reply,
            None => 0,
        };
        if silence > master.down_after {
            return true;
        }
        if *who != Who::Master {
            return false;
        }
        // Who has said good-bye and is gone will not answer after some more attempts either.
        let patience = match instance.leaving_since {
            Some(_) => 0,
            None => master.refused_down_after,
        };
        let refused = master.refused_down_after > 0
            && link
                .refused_since
                .is_some_and(|since| now - since >= patience);
        let says_replica = instance.role_reported == Role::Replica
            && now - instance.role_reported_since > master.down_after + self.periods.info * 2;
        let loads_for_long = master.reboot_down_after > 0
            && instance
                .rebooted_at
                .is_some_and(|at| now - at > master.reboot_down_after);
        refused || says_replica || loads_for_long
    }

    /// Enough Sentinels say that the master is down, this one among them.
    pub(crate) fn check_o_down(&mut self, master: &mut Master) {
        let votes = 1 + master.peers.values().filter(|peer| peer.says_down).count();
        let down = master.instance.is_s_down() && votes >= master.quorum as usize;
        if down && !master.is_o_down() {
            master.o_down_since = Some(self.now);
            master.instance.last_down = Some(self.now);
            let wait = self.turn_to_start(master);
            master.failover_not_before = master.failover_not_before.max(self.now + wait);
            let more = format!(" #quorum {votes}/{}", master.quorum);
            self.event(Level::Warning, "+odown", master, &Who::Master, &more);
        } else if !down && master.is_o_down() {
            master.o_down_since = None;
            self.event(Level::Warning, "-odown", master, &Who::Master, "");
        }
    }

    /// How long this Sentinel leaves the first word to those whose ids come before its own.
    pub(crate) fn turn_to_start(&mut self, master: &Master) -> Millis {
        let before = |id: &String| *id < self.id && !master.peers[id].instance.is_s_down();
        let rank = master.peers.keys().filter(|id| before(id)).count() as Millis;
        // In a large group the last ones must not wait for long.
        const RANKS: Millis = 4;
        rank % RANKS * START_STEP_MS + self.random_below(START_SPREAD_MS)
    }

    /// Asks the other Sentinels whether they see the master down, and for their vote if this one stands for election.
    pub(crate) fn ask_peers(&mut self, master: &mut Master, at_once: bool) {
        let now = self.now;
        let names: Vec<String> = master.peers.keys().cloned().collect();
        for name in names {
            let valid = self.periods.ask * ANSWER_VALID_PERIODS;
            let peer = master.peers.get_mut(&name).expect("its name is from there");
            if now - peer.answered_at > valid {
                peer.says_down = false;
                peer.leader = None;
            }
            let Some(down_since) = master.instance.s_down_since else {
                continue;
            };
            let eager = !peer.says_down && now - down_since < EAGER_FOR_MS;
            let period = match eager {
                true => EAGER_ASK_MS.min(self.periods.ask),
                false => self.periods.ask,
            };
            let due = peer.asked_at.is_none_or(|at| now - at >= period);
            if !(due || at_once) {
                continue;
            }
            let candidate = match master.failover {
                Some(_) => self.id.clone(),
                None => "*".to_string(),
            };
            let addr = master.instance.addr.clone();
            let ip = self.ip_of(&addr.host).unwrap_or(addr.host);
            let (port, epoch) = (addr.port.to_string(), self.epoch.to_string());
            let words = [
                "SENTINEL",
                "is-master-down-by-addr",
                &ip,
                &port,
                &epoch,
                &candidate,
            ];
            let who = Who::Peer(name.clone());
            if self.request(master, &who, Asked::MasterDown, &words) {
                let peer = master.peers.get_mut(&name).expect("its name is from there");
                peer.asked_at = Some(now);
            }
        }
    }

    /// `[down, leader or *, leader's epoch]`
    pub(crate) fn peer_answered(&mut self, master: &mut Master, name: &str, frame: &Frame) {
        let Some([down, leader, epoch]) = frame.as_items() else {
            return;
        };
        let (Some(down), Some(leader), Some(epoch)) =
            (down.as_integer(), leader.as_bytes(), epoch.as_integer())
        else {
            return;
        };
        let peer = master.peers.get_mut(name).expect("checked by the caller");
        peer.answered_at = self.now;
        peer.says_down = down == 1;
        if leader != b"*" {
            let leader = String::from_utf8_lossy(leader).into_owned();
            let epoch = epoch.max(0) as u64;
            let news = peer.leader_epoch != epoch;
            peer.leader = Some(leader.clone());
            peer.leader_epoch = epoch;
            if news {
                let text = format!("{name} voted for {leader} {epoch}");
                self.act(super::Action::Log(Level::Notice, text));
            }
        }
        self.stirred = true;
    }

    /// What this Sentinel answers when a peer asks about an address.
    pub(crate) fn sees_down(&self, ip: &str, port: u16) -> bool {
        !self.tilt_is_on()
            && self
                .masters
                .values()
                .any(|master| self.is_at(master, ip, port) && master.instance.is_s_down())
    }

    /// The group whose master is at an address.
    pub(crate) fn master_at(&self, ip: &str, port: u16) -> Option<String> {
        let found = self
            .masters
            .values()
            .find(|master| self.is_at(master, ip, port))?;
        Some(found.instance.name.clone())
    }

    fn is_at(&self, master: &Master, ip: &str, port: u16) -> bool {
        master.instance.addr.port == port && self.same_host(&master.instance.addr.host, ip)
    }
}
