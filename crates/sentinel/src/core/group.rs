//! Who belongs to a group: watching a master, finding its replicas and Sentinels, forgetting them.

use super::instance::Reconf;
use super::{Addr, Core, Instance, Level, Master, Peer, Replica, Role, Who};
use std::collections::BTreeMap;

/// Why a master cannot be watched; `Display` is what SENTINEL MONITOR answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonitorError {
    Quorum,
    Port,
    /// A name where only addresses are allowed.
    Host,
    Duplicate,
}

impl std::fmt::Display for MonitorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            MonitorError::Quorum => "Quorum must be 1 or greater.",
            MonitorError::Port => "Invalid port number.",
            MonitorError::Host => "Can't resolve instance hostname.",
            MonitorError::Duplicate => "Duplicate master name.",
        })
    }
}

/// What a group has unless it says otherwise.
const PARALLEL_SYNCS: u32 = 1;
/// An address that refuses connections for this long has no node any more: longer than a process that is started again at
/// once needs, much shorter than any silence that means something.
pub(crate) const REFUSED_DOWN_AFTER_MS: u64 = 600;
/// What a replica has that has not told its priority.
const REPLICA_PRIORITY: u32 = 100;

impl Core {
    /// Begins to watch a master.
    ///
    /// # Errors
    /// Why that cannot be.
    pub fn monitor(
        &mut self,
        name: &str,
        host: &str,
        port: i64,
        quorum: i64,
    ) -> Result<(), MonitorError> {
        let quorum = u32::try_from(quorum).ok().filter(|&quorum| quorum > 0);
        let quorum = quorum.ok_or(MonitorError::Quorum)?;
        let port = u16::try_from(port).map_err(|_| MonitorError::Port)?;
        if !super::link::is_ip(host) && !self.options.resolve_hostnames {
            return Err(MonitorError::Host);
        }
        if self.masters.contains_key(name) {
            return Err(MonitorError::Duplicate);
        }
        let instance = self.instance(name.to_string(), Addr::new(host, port), Role::Master);
        let master = Master {
            instance,
            replicas: BTreeMap::new(),
            peers: BTreeMap::new(),
            config_epoch: 0,
            quorum,
            down_after: self.periods.default_down_after,
            failover_timeout: self.periods.default_failover_timeout,
            parallel_syncs: PARALLEL_SYNCS,
            reboot_down_after: 0,
            refused_down_after: REFUSED_DOWN_AFTER_MS,
            coordinated_failover: true,
            auth_user: String::new(),
            auth_pass: String::new(),
            notification_script: None,
            client_reconfig_script: None,
            renamed_commands: BTreeMap::new(),
            o_down_since: None,
            leader: None,
            leader_epoch: 0,
            failover: None,
            failover_not_before: 0,
            delay_logged: false,
        };
        if super::link::is_ip(host) {
            self.masters.insert(name.to_string(), master);
        } else {
            self.masters.insert(name.to_string(), master);
            self.resolve(host);
        }
        self.stirred = true;
        Ok(())
    }

    /// Tells that a group is watched: at start, and after SENTINEL MONITOR.
    pub fn announce_monitor(&mut self, name: &str) {
        self.with_master(name, |core, master| {
            let more = format!(" quorum {}", master.quorum);
            core.event(Level::Warning, "+monitor", master, &Who::Master, &more);
        });
    }

    /// Ends watching a group; false if there is none of that name.
    pub fn remove(&mut self, name: &str) -> bool {
        let Some(mut master) = self.masters.remove(name) else {
            return false;
        };
        self.event(Level::Warning, "-monitor", &master, &Who::Master, "");
        self.forget_replicas(&mut master);
        self.forget_peers(&mut master);
        self.release_link(master.instance.link);
        true
    }

    /// Forgets everything about the groups whose names match but who their masters are. Returns how many there are.
    pub fn reset(&mut self, matches: impl Fn(&str) -> bool) -> usize {
        let mut count = 0;
        for name in self.master_names() {
            if matches(&name) {
                count += 1;
                self.with_master(&name, |core, master| {
                    core.forget_replicas(master);
                    core.forget_peers(master);
                    core.start_anew(master);
                    core.event(Level::Warning, "+reset-master", master, &Who::Master, "");
                });
            }
        }
        if count > 0 {
            self.stirred = true;
            self.settle();
        }
        count
    }

    fn instance(&mut self, name: String, addr: Addr, role: Role) -> Instance {
        let link = self.links.add(self.now);
        Instance::new(name, addr, link, role, self.now)
    }

    fn forget_replicas(&mut self, master: &mut Master) {
        for (_, replica) in std::mem::take(&mut master.replicas) {
            self.release_link(replica.instance.link);
        }
    }

    fn forget_peers(&mut self, master: &mut Master) {
        for (_, peer) in std::mem::take(&mut master.peers) {
            self.release_link(peer.instance.link);
        }
    }

    /// The master as if it had just been heard of.
    fn start_anew(&mut self, master: &mut Master) {
        self.release_link(master.instance.link);
        let (name, addr) = (master.instance.name.clone(), master.instance.addr.clone());
        master.instance = self.instance(name, addr, Role::Master);
        master.o_down_since = None;
        master.leader = None;
        master.failover = None;
        master.failover_not_before = 0;
        master.delay_logged = false;
    }

    /// The group has another master from now on; the old one becomes one of its replicas.
    pub(crate) fn switch_to(&mut self, master: &mut Master, new: Addr) {
        let mut others: Vec<Addr> = master
            .replicas
            .values()
            .map(|replica| replica.instance.addr.clone())
            .filter(|addr| !self.same_addr(addr, &new))
            .collect();
        if !self.same_addr(&master.instance.addr, &new) {
            others.push(master.instance.addr.clone());
        }
        self.forget_replicas(master);
        let old = std::mem::replace(&mut master.instance.addr, new);
        self.start_anew(master);
        for addr in others {
            self.add_replica(master, &addr, false);
            self.event_of_replica(master, &addr);
        }
        for replica in master.replicas.values_mut() {
            replica.was_master = replica.instance.addr == old;
        }
        self.save();
        self.stirred = true;
    }

    fn event_of_replica(&mut self, master: &Master, addr: &Addr) {
        let who = Who::Replica(self.replica_name(addr));
        self.event(Level::Notice, "+slave", master, &who, "");
    }

    fn replica_name(&self, addr: &Addr) -> String {
        let host = self.shown(&addr.host);
        match host.contains(':') {
            true => format!("[{host}]:{}", addr.port),
            false => format!("{host}:{}", addr.port),
        }
    }

    /// A replica that was not known before; `tell` those who listen, and keep it.
    pub(crate) fn add_replica(&mut self, master: &mut Master, addr: &Addr, tell: bool) {
        let known = |replica: &Replica| self.same_addr(&replica.instance.addr, addr);
        let is_name = !super::link::is_ip(&addr.host);
        if master.replicas.values().any(known)
            || self.same_addr(&master.instance.addr, addr)
            || is_name && !self.options.resolve_hostnames
        {
            return;
        }
        let name = self.replica_name(addr);
        let instance = self.instance(name.clone(), addr.clone(), Role::Replica);
        let replica = Replica {
            instance,
            reconf: Reconf::No,
            master_link_down: 0,
            master_link_up: false,
            master_addr: None,
            master_addr_since: self.now,
            priority: REPLICA_PRIORITY,
            offset: 0,
            announced: true,
            was_master: false,
            must_follow: false,
        };
        master.replicas.insert(name, replica);
        if is_name {
            self.resolve(&addr.host);
        }
        if tell {
            self.event_of_replica(master, addr);
            self.save();
        }
        self.stirred = true;
    }

    /// Another Sentinel of the group. If it is in another group as well, both use one link.
    pub(crate) fn add_peer(&mut self, master: &mut Master, id: &str, addr: Addr) {
        let shared = self.masters.values().find_map(|other| {
            let peer = other.peers.get(id)?;
            self.same_addr(&peer.instance.addr, &addr)
                .then_some(peer.instance.link)
        });
        let mut instance = match shared {
            Some(link) => {
                self.links.get_mut(link).refs += 1;
                Instance::new(id.to_string(), addr, link, Role::Master, self.now)
            }
            None => self.instance(id.to_string(), addr, Role::Master),
        };
        instance.run_id = Some(id.to_string());
        let peer = Peer {
            instance,
            last_hello: self.now,
            says_down: false,
            answered_at: self.now,
            asked_at: None,
            leader: None,
            leader_epoch: 0,
        };
        master.peers.insert(id.to_string(), peer);
        self.stirred = true;
    }

    pub(crate) fn remove_peer(&mut self, master: &mut Master, id: &str) {
        if let Some(peer) = master.peers.remove(id) {
            self.release_link(peer.instance.link);
        }
    }
}
