//! What a node says of itself in INFO: its replicas, its role, whom it follows; and what follows from that.

use super::failover::Stage;
use super::{Addr, Core, Level, Master, Millis, Reconf, Role, Who};

/// The part of an INFO text that matters here.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Facts {
    run_id: Option<String>,
    role: Option<Role>,
    replicas: Vec<Addr>,
    master_host: Option<String>,
    master_port: Option<u16>,
    master_link_up: bool,
    master_link_down: Millis,
    priority: Option<u32>,
    offset: Option<u64>,
    announced: Option<bool>,
}

impl Facts {
    pub(crate) fn of(text: &str) -> Facts {
        let mut facts = Facts::default();
        for line in text.lines() {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            match name {
                "run_id" if value.len() == 40 => facts.run_id = Some(value.to_string()),
                "role" => {
                    facts.role = match value {
                        "master" => Some(Role::Master),
                        "slave" => Some(Role::Replica),
                        _ => None,
                    }
                }
                "master_host" => facts.master_host = Some(value.to_string()),
                "master_port" => facts.master_port = value.parse().ok(),
                "master_link_status" => facts.master_link_up = value == "up",
                "master_link_down_since_seconds" => {
                    // -1: it never was up.
                    facts.master_link_down = value
                        .parse::<i64>()
                        .map_or(0, |seconds| seconds.saturating_mul(1000).max(0) as Millis);
                }
                "slave_priority" => facts.priority = value.parse().ok(),
                "slave_repl_offset" => facts.offset = value.parse().ok(),
                "replica_announced" => facts.announced = value.parse().ok().map(|n: u8| n != 0),
                name if is_replica_field(name) => facts.replicas.extend(replica_addr(value)),
                _ => {}
            }
        }
        facts
    }
}

fn is_replica_field(name: &str) -> bool {
    name.strip_prefix("slave")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `ip=10.0.0.1,port=6379,state=online,...`, or from before Redis 2.8 `10.0.0.1,6379,online`.
fn replica_addr(value: &str) -> Option<Addr> {
    let field = |name: &str| {
        value
            .split(',')
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    };
    let (host, port) = match (field("ip"), field("port")) {
        (Some(host), Some(port)) => (host, port),
        _ => {
            let mut words = value.split(',');
            (words.next()?, words.next()?)
        }
    };
    let port = port.parse().ok().filter(|&port| port > 0)?;
    (!host.is_empty()).then(|| Addr::new(host, port))
}

impl Core {
    pub(crate) fn info_received(&mut self, master: &mut Master, who: &Who, text: String) {
        let facts = Facts::of(&text);
        let now = self.now;
        let instance = master.instance_mut(who).expect("checked by the caller");
        instance.info_text = text;
        instance.info_at = Some(now);
        self.note_run_id(master, who, &facts);
        if *who == Who::Master && facts.role == Some(Role::Master) {
            for addr in &facts.replicas {
                self.add_replica(master, addr, true);
            }
        }
        if let Who::Replica(name) = who {
            self.note_replica_facts(master, name, &facts);
        }
        let role = facts.role.unwrap_or(Role::Master);
        self.note_role(master, who, role);
        if !self.tilt_is_on() {
            match who {
                Who::Replica(name) => self.replica_reported(master, name, role),
                // What a master that became a replica means shows in health.
                Who::Master | Who::Peer(_) => {}
            }
        }
        self.stirred |= master.failover.is_some() || role != expected(who);
    }

    fn note_run_id(&mut self, master: &mut Master, who: &Who, facts: &Facts) {
        let Some(run_id) = &facts.run_id else {
            return;
        };
        let instance = master.instance(who).expect("checked by the caller");
        let rebooted = instance
            .run_id
            .as_ref()
            .is_some_and(|known| known != run_id);
        if rebooted {
            self.event(Level::Notice, "+reboot", master, who, "");
        }
        let now = self.now;
        let instance = master.instance_mut(who).expect("checked by the caller");
        if rebooted && *who == Who::Master {
            instance.rebooted_at = Some(now);
        }
        instance.run_id = Some(run_id.clone());
    }

    fn note_replica_facts(&mut self, master: &mut Master, name: &str, facts: &Facts) {
        let now = self.now;
        let replica = master
            .replicas
            .get_mut(name)
            .expect("checked by the caller");
        replica.master_link_down = facts.master_link_down;
        if facts.role == Some(Role::Replica) {
            replica.was_master = false;
            replica.master_link_up = facts.master_link_up;
            if let (Some(host), Some(port)) = (&facts.master_host, facts.master_port) {
                let addr = Addr::new(host.clone(), port);
                if replica.master_addr.as_ref() != Some(&addr) {
                    replica.master_addr = Some(addr);
                    replica.master_addr_since = now;
                }
            }
            if let Some(priority) = facts.priority {
                replica.priority = priority;
            }
            if let Some(offset) = facts.offset {
                replica.offset = offset;
            }
            if let Some(announced) = facts.announced {
                replica.announced = announced;
            }
        }
    }

    fn note_role(&mut self, master: &mut Master, who: &Who, role: Role) {
        let now = self.now;
        let instance = master.instance_mut(who).expect("checked by the caller");
        if instance.role_reported == role {
            return;
        }
        instance.role_reported = role;
        instance.role_reported_since = now;
        if let Who::Replica(name) = who
            && role == Role::Replica
            && let Some(replica) = master.replicas.get_mut(name)
        {
            replica.master_addr_since = now;
        }
        let channel = match role == expected(who) {
            true => "+role-change",
            false => "-role-change",
        };
        let more = format!(" new reported role is {}", role.name());
        self.event(Level::Verbose, channel, master, who, &more);
    }

    /// A replica said which role it has, and whom it follows.
    fn replica_reported(&mut self, master: &mut Master, name: &str, role: Role) {
        let awaited = master
            .failover
            .as_ref()
            .is_some_and(|failover| failover.awaits(name));
        match role {
            Role::Master if awaited => self.promotion_seen(master, name),
            Role::Master => self.convert_to_replica_when_sane(master, name),
            Role::Replica => {
                self.fix_master_when_sane(master, name);
                self.follow_reconf(master, name);
            }
        }
    }

    /// A node that should be a replica says that it is a master: an old master that came back, most likely.
    fn convert_to_replica_when_sane(&mut self, master: &mut Master, name: &str) {
        let who = Who::Replica(name.to_string());
        let replica = &master.replicas[name];
        let wait = self.periods.publish * 4;
        let is_promoted = master
            .promoted()
            .is_some_and(|promoted| promoted.instance.name == name);
        if is_promoted || !self.looks_sane(master) {
            return;
        }
        // A replica that has just become a master may be what another Sentinel has promoted, and the news of it is still on
        // its way. The master that was replaced is no such thing: every write it takes will be lost.
        let may_be_new = !replica.was_master;
        let steady = self.up_for(master, &who, wait)
            && self.now - replica.instance.role_reported_since > wait;
        if may_be_new && !steady {
            return;
        }
        let addr = master.instance.addr.clone();
        if self.send_replicaof(master, &who, Some(&addr)) {
            self.event(Level::Notice, "+convert-to-slave", master, &who, "");
        }
    }

    /// A replica follows somebody else than its group's master.
    fn fix_master_when_sane(&mut self, master: &mut Master, name: &str) {
        let who = Who::Replica(name.to_string());
        let replica = &master.replicas[name];
        let follows = replica
            .master_addr
            .as_ref()
            .is_some_and(|addr| self.same_addr(addr, &master.instance.addr));
        let wait = master.failover_timeout;
        let must_follow = replica.must_follow;
        let steady = self.up_for(master, &who, wait)
            && self.looks_sane(master)
            && self.now - replica.master_addr_since > wait;
        if follows || replica.master_addr.is_none() || !(must_follow || steady) {
            return;
        }
        let addr = master.instance.addr.clone();
        if self.send_replicaof(master, &who, Some(&addr)) {
            if let Some(replica) = master.replicas.get_mut(name) {
                replica.must_follow = false;
            }
            self.event(Level::Notice, "+fix-slave-config", master, &who, "");
        }
    }

    /// During a failover: does this replica follow the new master by now?
    fn follow_reconf(&mut self, master: &mut Master, name: &str) {
        let who = Who::Replica(name.to_string());
        let Some(promoted) = master
            .promoted()
            .map(|replica| replica.instance.addr.clone())
        else {
            return;
        };
        let replica = &master.replicas[name];
        let follows = replica
            .master_addr
            .as_ref()
            .is_some_and(|addr| self.same_addr(addr, &promoted));
        let link_up = replica.master_link_up;
        if let Reconf::Sent { at } = replica.reconf
            && follows
        {
            self.set_reconf(master, name, Reconf::InProgress { at });
            self.event(Level::Notice, "+slave-reconf-inprog", master, &who, "");
        }
        if let Reconf::InProgress { .. } = master.replicas[name].reconf
            && link_up
        {
            self.set_reconf(master, name, Reconf::Done);
            self.event(Level::Notice, "+slave-reconf-done", master, &who, "");
        }
    }

    pub(crate) fn set_reconf(&mut self, master: &mut Master, name: &str, reconf: Reconf) {
        if let Some(replica) = master.replicas.get_mut(name) {
            replica.reconf = reconf;
        }
    }

    pub(crate) fn same_addr(&self, a: &Addr, b: &Addr) -> bool {
        a.port == b.port && self.same_host(&a.host, &b.host)
    }

    /// The master works, says it is one, and said so a short time ago.
    fn looks_sane(&self, master: &Master) -> bool {
        let instance = &master.instance;
        instance.role_reported == Role::Master
            && !instance.is_s_down()
            && !master.is_o_down()
            && instance
                .info_at
                .is_some_and(|at| self.now - at < self.periods.info * 2)
    }

    /// A member has not been down for so long.
    fn up_for(&self, master: &Master, who: &Who, wait: Millis) -> bool {
        let instance = master.instance(who).expect("checked by the caller");
        !instance.is_s_down() && instance.last_down.is_none_or(|at| self.now - at > wait)
    }

    /// The master follows one of its replicas, which is a master: somebody swapped them on purpose, with FAILOVER. That is a
    /// fact, not a choice: no vote is needed to follow it.
    pub(crate) fn adopt_swap(&mut self, master: &mut Master) {
        if master.failover.is_some() || master.instance.role_reported != Role::Replica {
            return;
        }
        let facts = Facts::of(&master.instance.info_text);
        let (Some(host), Some(port)) = (facts.master_host, facts.master_port) else {
            return;
        };
        let follows = Addr::new(host, port);
        let now = self.now;
        let successor = master.replicas.values().find(|replica| {
            let heard = replica
                .instance
                .info_at
                .is_some_and(|at| at >= master.instance.role_reported_since);
            heard
                && !replica.instance.is_s_down()
                && self.same_addr(&replica.instance.addr, &follows)
        });
        let Some(successor) = successor else {
            // Its successor is asked what it is.
            let names: Vec<String> = master.replicas.keys().cloned().collect();
            for name in names {
                if self.same_addr(&master.replicas[&name].instance.addr, &follows) {
                    self.ask_info(master, &Who::Replica(name));
                }
            }
            return;
        };
        if successor.instance.role_reported != Role::Master
            || now - master.instance.role_reported_since > self.periods.info * 2
        {
            return;
        }
        let new = successor.instance.addr.clone();
        self.epoch += 1;
        master.config_epoch = self.epoch;
        let epoch = self.epoch.to_string();
        self.tell(Level::Warning, "+new-epoch", master, epoch);
        self.announce_switch(master, &new);
        self.switch_to(master, new);
        // The others still follow the old master. One Sentinel is enough to tell them.
        let first = master.peers.keys().all(|id| self.id < *id);
        for replica in master.replicas.values_mut() {
            replica.must_follow = first && !replica.was_master;
        }
        self.announce_at_once(master);
    }
}

fn expected(who: &Who) -> Role {
    match who {
        Who::Replica(_) => Role::Replica,
        Who::Master | Who::Peer(_) => Role::Master,
    }
}

impl Stage {
    /// Whether the group waits for this replica to say that it is the master.
    pub(crate) fn awaits(&self, name: &str) -> bool {
        match self {
            Stage::HandOver { replica, .. } | Stage::WaitPromotion { replica } => replica == name,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_names_its_replicas_in_both_forms() {
        let facts = Facts::of(
            "role:master\r\nslave0:ip=10.0.0.2,port=6380,state=online,offset=1,lag=0\r\nslave1:10.0.0.3,6381,online\r\n\
             slave_priority:5\r\nslave2:ip=,port=1\r\n",
        );
        assert_eq!(facts.role, Some(Role::Master));
        assert_eq!(
            facts.replicas,
            [Addr::new("10.0.0.2", 6380), Addr::new("10.0.0.3", 6381)]
        );
    }

    #[test]
    fn a_replica_says_whom_it_follows_and_how_far_it_is() {
        let facts = Facts::of(
            "role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\nmaster_link_status:down\r\n\
             master_link_down_since_seconds:7\r\nslave_priority:0\r\nslave_repl_offset:99\r\nreplica_announced:0\r\n",
        );
        assert_eq!(facts.role, Some(Role::Replica));
        assert_eq!(facts.master_host.as_deref(), Some("10.0.0.1"));
        assert_eq!(facts.master_link_down, 7000);
        assert_eq!((facts.priority, facts.offset), (Some(0), Some(99)));
        assert_eq!(facts.announced, Some(false));
        assert!(!facts.master_link_up);
    }

    #[test]
    fn nonsense_is_passed_over() {
        let text = "role\nrole:king\nslave0:\nmaster_port:99999\nslave_priority:-1\nrun_id:short\n";
        assert_eq!(Facts::of(text), Facts::default());
    }
}
