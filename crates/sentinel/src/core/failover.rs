//! Replacing a master: the leader's way from its election to a group that follows somebody else.
//!
//! ```text
//! WaitStart -> SelectReplica -> [HandOver ->] SendPromotion -> WaitPromotion -> ReconfReplicas -> UpdateConfig
//!     |             |               |               |                |
//!     not elected   nobody fit      (falls back)    no connection    no promotion        -> the failover is given up
//! ```
//!
//! From `ReconfReplicas` on the replica is the master: clients are told at that moment, not when everybody follows.

use super::link::Asked;
use super::{Addr, Core, Level, Master, Millis, Reconf, Replica, Role, Who};
use resp::Frame;

/// A failover that this Sentinel tries to lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failover {
    pub epoch: u64,
    started: Millis,
    /// SENTINEL FAILOVER asked for it: no vote is needed.
    pub forced: bool,
    pub stage: Stage,
    since: Millis,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    WaitStart,
    SelectReplica,
    /// The old master was asked to hand over.
    HandOver {
        replica: String,
    },
    SendPromotion {
        replica: String,
    },
    WaitPromotion {
        replica: String,
    },
    ReconfReplicas {
        replica: String,
    },
    UpdateConfig {
        replica: String,
    },
}

impl Stage {
    /// As SENTINEL MASTERS shows it.
    pub fn name(&self) -> &'static str {
        match self {
            Stage::WaitStart => "wait_start",
            Stage::SelectReplica => "select_slave",
            Stage::HandOver { .. } | Stage::SendPromotion { .. } => "send_slaveof_noone",
            Stage::WaitPromotion { .. } => "wait_promotion",
            Stage::ReconfReplicas { .. } => "reconf_slaves",
            Stage::UpdateConfig { .. } => "update_config",
        }
    }
}

impl Failover {
    pub(crate) fn promoted(&self) -> Option<&str> {
        match &self.stage {
            Stage::WaitStart | Stage::SelectReplica => None,
            Stage::HandOver { replica }
            | Stage::SendPromotion { replica }
            | Stage::WaitPromotion { replica }
            | Stage::ReconfReplicas { replica }
            | Stage::UpdateConfig { replica } => Some(replica),
        }
    }

    /// The group has a new master.
    pub(crate) fn is_past_promotion(&self) -> bool {
        matches!(
            self.stage,
            Stage::ReconfReplicas { .. } | Stage::UpdateConfig { .. }
        )
    }

    /// It leads, and is about to change nodes or has done so.
    pub fn is_elected(&self) -> bool {
        self.stage != Stage::WaitStart
    }

    pub(crate) fn awaits(&self, replica: &str) -> bool {
        self.stage.awaits(replica)
    }
}

/// Why SENTINEL FAILOVER does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailoverRefused {
    InProgress,
    NoGoodReplica,
}

/// Voters leave a leader alone for this many failover timeouts.
const ATTEMPT_TIMEOUTS: u64 = 2;
/// A split election is repeated after this much, and what a Sentinel waits for its turn.
const RETRY_MS: Millis = 50;
/// A candidate whose peers do not answer tries again after this much.
const UNANSWERED_MS: Millis = 3000;
/// The replicas' offsets are asked for once more before one is chosen; who has not answered by then counts as it was.
const FRESH_OFFSETS_MS: Millis = 200;
/// How long a master may take to hand over before its replica is promoted without its help.
const HAND_OVER_MS: Millis = 3000;

/// The replica to promote: the one that lags least among those that work, may be promoted, and were in touch with the master.
pub(crate) fn choose_replica(core: &Core, master: &Master) -> Option<String> {
    let now = core.now;
    let down_for = master.instance.s_down_since.map_or(0, |since| now - since);
    let longest_link_down = down_for + master.down_after * 10;
    let info_valid = match master.instance.is_s_down() {
        true => core.periods.ping * 5,
        false => core.periods.info * 3,
    };
    let fit = |replica: &&Replica| {
        let link = core.link(&replica.instance);
        !replica.instance.is_s_down()
            && link.is_connected()
            && now - link.last_ok_reply <= core.periods.ping * 5
            && replica.priority != 0
            && replica
                .instance
                .info_at
                .is_some_and(|at| now - at <= info_valid)
            && replica.master_link_down <= longest_link_down
    };
    let rank = |replica: &&Replica| {
        let run_id = replica.instance.run_id.clone();
        // Who has told no id comes last.
        let run_id = (run_id.is_none(), run_id);
        (replica.priority, std::cmp::Reverse(replica.offset), run_id)
    };
    let chosen = master.replicas.values().filter(fit).min_by_key(rank)?;
    Some(chosen.instance.name.clone())
}

impl Core {
    /// True if one was started just now.
    pub(crate) fn start_failover_if_needed(&mut self, master: &mut Master) -> bool {
        if !master.is_o_down() || master.failover.is_some() {
            return false;
        }
        if self.now < master.failover_not_before && !self.leader_is_gone(master) {
            /// A wait worth telling of.
            const LONG_MS: Millis = 1000;
            let wait = master.failover_not_before - self.now;
            if !master.delay_logged && wait > LONG_MS {
                master.delay_logged = true;
                let text =
                    format!("Next failover delay: I will not start a failover for {wait} ms");
                self.act(super::Action::Log(Level::Warning, text));
            }
            return false;
        }
        self.start_failover(master, false);
        true
    }

    /// The Sentinel that this one voted for is down itself: nobody will lead the failover it was to lead.
    fn leader_is_gone(&self, master: &Master) -> bool {
        master
            .leader
            .as_ref()
            .and_then(|leader| master.peers.get(leader))
            .is_some_and(|peer| peer.instance.is_s_down())
    }

    fn start_failover(&mut self, master: &mut Master, forced: bool) {
        self.epoch += 1;
        let now = self.now;
        master.failover = Some(Failover {
            epoch: self.epoch,
            started: now,
            forced,
            stage: Stage::WaitStart,
            since: now,
        });
        master.failover_not_before = now + master.failover_timeout * ATTEMPT_TIMEOUTS;
        master.delay_logged = false;
        self.save();
        let epoch = self.epoch.to_string();
        self.tell(Level::Warning, "+new-epoch", master, epoch);
        self.event(Level::Warning, "+try-failover", master, &Who::Master, "");
        self.stirred = true;
    }

    /// SENTINEL FAILOVER.
    ///
    /// # Errors
    /// Why there is no failover now.
    pub fn force_failover(&mut self, name: &str) -> Option<Result<(), FailoverRefused>> {
        self.with_master(name, |core, master| {
            if master.failover.is_some() {
                return Err(FailoverRefused::InProgress);
            }
            if choose_replica(core, master).is_none() {
                return Err(FailoverRefused::NoGoodReplica);
            }
            let text = format!(
                "Executing user requested FAILOVER of '{}'",
                master.instance.name
            );
            core.act(super::Action::Log(Level::Warning, text));
            core.start_failover(master, true);
            Ok(())
        })
    }

    /// One step of the failover, if the time for it has come.
    pub(crate) fn advance_failover(&mut self, master: &mut Master) {
        let Some(failover) = &master.failover else {
            return;
        };
        match failover.stage.clone() {
            Stage::WaitStart => self.wait_start(master),
            Stage::SelectReplica => self.select_replica(master),
            Stage::HandOver { replica } => self.wait_hand_over(master, replica),
            Stage::SendPromotion { replica } => self.send_promotion(master, replica),
            Stage::WaitPromotion { .. } => {
                if self.stage_age(master) > master.failover_timeout {
                    self.give_up(master, "-failover-abort-slave-timeout");
                }
            }
            Stage::ReconfReplicas { replica } => self.reconf_replicas(master, &replica),
            Stage::UpdateConfig { replica } => {
                let new = master
                    .replicas
                    .get(&replica)
                    .map(|r| r.instance.addr.clone());
                if let Some(new) = new {
                    self.switch_to(master, new);
                }
            }
        }
    }

    fn stage_age(&self, master: &Master) -> Millis {
        let failover = master.failover.as_ref();
        failover.map_or(0, |failover| self.now - failover.since)
    }

    fn enter(&mut self, master: &mut Master, stage: Stage) {
        if let Some(failover) = &mut master.failover {
            failover.stage = stage;
            failover.since = self.now;
        }
        self.stirred = true;
    }

    /// Ends a failover that cannot succeed.
    fn give_up(&mut self, master: &mut Master, channel: &'static str) {
        self.event(Level::Warning, channel, master, &Who::Master, "");
        master.failover = None;
        self.stirred = true;
    }

    fn wait_start(&mut self, master: &mut Master) {
        let failover = master.failover.as_ref().expect("there is one");
        let (epoch, forced, age) = (failover.epoch, failover.forced, self.now - failover.started);
        let (leader, split) = self.election(master, epoch);
        if !forced && leader.as_deref() != Some(&self.id) {
            let limit = self.periods.election_timeout.min(master.failover_timeout);
            // Votes that are missing cannot make another one the leader if nobody has voted for one.
            let rivals = master.peers.values().any(|peer| {
                peer.leader_epoch == epoch
                    && peer
                        .leader
                        .as_ref()
                        .is_some_and(|leader| *leader != self.id)
            });
            let unanswered = !rivals && age > limit.min(UNANSWERED_MS);
            if split || leader.is_some() || unanswered || age > limit {
                self.give_up(master, "-failover-abort-not-elected");
            }
            if split || unanswered {
                let turn = self.turn_to_start(master);
                master.failover_not_before = self.now + RETRY_MS + turn;
            }
            return;
        }
        self.event(Level::Warning, "+elected-leader", master, &Who::Master, "");
        if self.simulated.crash_after_election {
            self.act(super::Action::Exit(super::SIMULATED_EXIT));
        }
        self.enter(master, Stage::SelectReplica);
        self.event(
            Level::Notice,
            "+failover-state-select-slave",
            master,
            &Who::Master,
            "",
        );
        for name in master.replicas.keys().cloned().collect::<Vec<_>>() {
            self.ask_info(master, &Who::Replica(name));
        }
    }

    fn select_replica(&mut self, master: &mut Master) {
        let since = master.failover.as_ref().expect("there is one").since;
        let awaited = master.replicas.values().any(|replica| {
            self.link(&replica.instance).is_connected()
                && !replica.instance.is_s_down()
                && replica.instance.info_at.is_none_or(|at| at < since)
        });
        if awaited && self.now - since < FRESH_OFFSETS_MS {
            return;
        }
        let Some(replica) = choose_replica(self, master) else {
            return self.give_up(master, "-failover-abort-no-good-slave");
        };
        let who = Who::Replica(replica.clone());
        self.event(Level::Warning, "+selected-slave", master, &who, "");
        let may_hand_over = master.coordinated_failover
            && master.failover.as_ref().is_some_and(|f| f.forced)
            && !master.instance.is_s_down()
            && master.instance.role_reported == Role::Master;
        self.enter(
            master,
            Stage::SendPromotion {
                replica: replica.clone(),
            },
        );
        self.event(
            Level::Notice,
            "+failover-state-send-slaveof-noone",
            master,
            &who,
            "",
        );
        if may_hand_over && self.ask_hand_over(master, &replica) {
            self.enter(master, Stage::HandOver { replica });
        }
    }

    /// The master pauses its clients, waits until the replica has everything, and changes places with it.
    fn ask_hand_over(&mut self, master: &Master, replica: &str) -> bool {
        let addr = &master.replicas[replica].instance.addr;
        let (ip, port) = (self.ip_of(&addr.host), addr.port.to_string());
        let ip = ip.unwrap_or_else(|| addr.host.clone());
        let timeout = HAND_OVER_MS.min(master.failover_timeout).to_string();
        let words = ["FAILOVER", "TO", &ip, &port, "TIMEOUT", &timeout];
        self.request(master, &Who::Master, Asked::HandOver, &words)
    }

    pub(crate) fn hand_over_answered(&mut self, master: &mut Master, frame: &Frame) {
        let stage = master.failover.as_ref().map(|failover| &failover.stage);
        let Some(Stage::HandOver { replica }) = stage else {
            return;
        };
        let replica = replica.clone();
        match frame.as_error() {
            None => self.ask_info(master, &Who::Replica(replica)),
            Some(reason) => {
                let text = format!(
                    "The master does not hand over, its replica is promoted without it: {}",
                    String::from_utf8_lossy(reason)
                );
                self.act(super::Action::Log(Level::Notice, text));
                self.enter(master, Stage::SendPromotion { replica });
            }
        }
    }

    fn wait_hand_over(&mut self, master: &mut Master, replica: String) {
        let late = self.stage_age(master) > HAND_OVER_MS.min(master.failover_timeout);
        if late || !self.link(&master.instance).takes_commands() && master.instance.is_s_down() {
            let words = ["FAILOVER", "ABORT"];
            self.request(master, &Who::Master, Asked::Nothing, &words);
            self.enter(master, Stage::SendPromotion { replica });
        }
    }

    fn send_promotion(&mut self, master: &mut Master, replica: String) {
        let who = Who::Replica(replica.clone());
        if !self.send_replicaof(master, &who, None) {
            if self.stage_age(master) > master.failover_timeout {
                self.give_up(master, "-failover-abort-slave-timeout");
            }
            return;
        }
        self.event(
            Level::Notice,
            "+failover-state-wait-promotion",
            master,
            &who,
            "",
        );
        self.enter(master, Stage::WaitPromotion { replica });
    }

    /// The chosen replica says that it is the master.
    pub(crate) fn promotion_seen(&mut self, master: &mut Master, name: &str) {
        let who = Who::Replica(name.to_string());
        let failover = master.failover.as_ref().expect("there is one");
        master.config_epoch = failover.epoch;
        let waited = matches!(failover.stage, Stage::HandOver { .. });
        self.enter(
            master,
            Stage::ReconfReplicas {
                replica: name.to_string(),
            },
        );
        self.save();
        if waited {
            self.event(
                Level::Notice,
                "+failover-state-wait-promotion",
                master,
                &who,
                "",
            );
        }
        self.event(Level::Warning, "+promoted-slave", master, &who, "");
        if self.simulated.crash_after_promotion {
            self.act(super::Action::Exit(super::SIMULATED_EXIT));
        }
        self.event(
            Level::Warning,
            "+failover-state-reconf-slaves",
            master,
            &Who::Master,
            "",
        );
        let (old, new) = (
            master.instance.addr.clone(),
            master.replicas[name].instance.addr.clone(),
        );
        self.announce_switch(master, &new);
        self.run_reconfig_script(master, "leader", &old, &new);
        self.announce_at_once(master);
        // An old master that is still there must not take one more write.
        if self.link(&master.instance).takes_commands() {
            self.send_replicaof(master, &Who::Master, Some(&new));
        }
    }

    fn reconf_replicas(&mut self, master: &mut Master, promoted: &str) {
        let now = self.now;
        let addr = master.replicas[promoted].instance.addr.clone();
        let under_way = |replica: &Replica| {
            matches!(
                replica.reconf,
                Reconf::Sent { .. } | Reconf::InProgress { .. }
            )
        };
        let names: Vec<String> = master.replicas.keys().cloned().collect();
        for name in names {
            let who = Who::Replica(name.clone());
            let replica = &master.replicas[&name];
            if name == promoted || replica.reconf == Reconf::Done {
                continue;
            }
            if let Reconf::Sent { at } = replica.reconf
                && now - at > self.periods.replica_reconf_timeout
            {
                self.event(
                    Level::Notice,
                    "-slave-reconf-sent-timeout",
                    master,
                    &who,
                    "",
                );
                self.set_reconf(master, &name, Reconf::Done);
                continue;
            }
            let busy = master.replicas.values().filter(|r| under_way(r)).count();
            if under_way(&master.replicas[&name]) || busy >= master.parallel_syncs as usize {
                continue;
            }
            if self.send_replicaof(master, &who, Some(&addr)) {
                self.set_reconf(master, &name, Reconf::Sent { at: now });
                self.event(Level::Notice, "+slave-reconf-sent", master, &who, "");
            }
        }
        self.end_when_all_follow(master, promoted, &addr);
    }

    fn end_when_all_follow(&mut self, master: &mut Master, promoted: &str, addr: &Addr) {
        if master.replicas[promoted].instance.is_s_down() {
            return;
        }
        let missing = master.replicas.values().any(|replica| {
            replica.instance.name != promoted
                && replica.reconf != Reconf::Done
                && !replica.instance.is_s_down()
        });
        let late = self.stage_age(master) > master.failover_timeout;
        if missing && !late {
            return;
        }
        if late && missing {
            self.event(
                Level::Warning,
                "+failover-end-for-timeout",
                master,
                &Who::Master,
                "",
            );
        }
        self.event(Level::Warning, "+failover-end", master, &Who::Master, "");
        if late {
            let names: Vec<String> = master.replicas.keys().cloned().collect();
            for name in names {
                let who = Who::Replica(name.clone());
                let untold = master.replicas[&name].reconf == Reconf::No;
                if name != promoted && untold && self.send_replicaof(master, &who, Some(addr)) {
                    self.event(Level::Notice, "+slave-reconf-sent-be", master, &who, "");
                }
            }
        }
        self.enter(
            master,
            Stage::UpdateConfig {
                replica: promoted.to_string(),
            },
        );
    }

    /// Gives a node another master, or none, keeps that in its configuration file, and closes its clients' connections, so
    /// that they ask where the master is. False if there is no connection.
    pub(crate) fn send_replicaof(&mut self, master: &Master, who: &Who, of: Option<&Addr>) -> bool {
        let (host, port) = match of {
            None => ("NO".to_string(), "ONE".to_string()),
            Some(addr) => (self.shown(&addr.host), addr.port.to_string()),
        };
        let requests: [&[&str]; 6] = [
            &["MULTI"],
            &["SLAVEOF", &host, &port],
            &["CONFIG", "REWRITE"],
            &["CLIENT", "KILL", "TYPE", "normal"],
            &["CLIENT", "KILL", "TYPE", "pubsub"],
            &["EXEC"],
        ];
        let (last, before) = requests.split_last().expect("there are six");
        for words in before {
            if !self.request(master, who, Asked::Nothing, words) {
                return false;
            }
        }
        self.request(master, who, Asked::RoleChange, last)
    }
}
