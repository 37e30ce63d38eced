//! Who a Sentinel watches: the master of each group, its replicas, the other Sentinels.

use super::failover::Failover;
use super::link::LinkId;
use super::{ConnId, Millis};
use std::collections::BTreeMap;

/// Where an instance is: a name or an IP address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addr {
    pub host: String,
    /// 0: nobody is to connect there.
    pub port: u16,
}

impl Addr {
    pub fn new(host: impl Into<String>, port: u16) -> Addr {
        Addr {
            host: host.into(),
            port,
        }
    }
}

/// What a node says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Master,
    Replica,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Role::Master => "master",
            Role::Replica => "slave",
        }
    }
}

/// Which member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    Master,
    /// By `ip:port`.
    Replica(String),
    /// By its id.
    Peer(String),
}

/// A member of a named group: to whom a reply belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub master: String,
    pub who: Who,
}

/// What masters, replicas and Sentinels have in common.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The group's name, `ip:port`, or a Sentinel's id.
    pub name: String,
    pub run_id: Option<String>,
    pub addr: Addr,
    pub(crate) link: LinkId,
    pub s_down_since: Option<Millis>,
    /// When it last went down.
    pub(crate) last_down: Option<Millis>,
    /// When this Sentinel last announced itself to it.
    pub(crate) last_publish: Option<Millis>,
    /// When it last answered INFO, and with what.
    pub info_at: Option<Millis>,
    pub info_text: String,
    pub role_reported: Role,
    pub role_reported_since: Millis,
    /// It came back as another process and has not answered PING since.
    pub(crate) rebooted_at: Option<Millis>,
    /// When it said that it ends; it has not been back since.
    pub(crate) leaving_since: Option<Millis>,
    /// A script that keeps it busy was told to end.
    pub script_kill_sent: bool,
}

impl Instance {
    pub(crate) fn new(name: String, addr: Addr, link: LinkId, role: Role, now: Millis) -> Instance {
        Instance {
            name,
            run_id: None,
            addr,
            link,
            s_down_since: None,
            last_down: None,
            last_publish: None,
            info_at: None,
            info_text: String::new(),
            role_reported: role,
            role_reported_since: now,
            rebooted_at: None,
            leaving_since: None,
            script_kill_sent: false,
        }
    }

    pub fn is_s_down(&self) -> bool {
        self.s_down_since.is_some()
    }
}

/// A group: its master, and everything that belongs to it.
#[derive(Clone, Debug)]
pub struct Master {
    pub instance: Instance,
    pub replicas: BTreeMap<String, Replica>,
    pub peers: BTreeMap<String, Peer>,
    pub config_epoch: u64,
    pub quorum: u32,
    pub down_after: Millis,
    pub failover_timeout: Millis,
    pub parallel_syncs: u32,
    /// A node that loads its data for longer than this after a restart counts as down; 0: never for that.
    pub reboot_down_after: Millis,
    /// A node whose address refuses connections for this long counts as down; 0: only silence counts.
    pub refused_down_after: Millis,
    /// SENTINEL FAILOVER asks the old master to hand over before it promotes.
    pub coordinated_failover: bool,
    pub auth_user: String,
    pub auth_pass: String,
    pub notification_script: Option<String>,
    pub client_reconfig_script: Option<String>,
    /// What the nodes call commands that were renamed there.
    pub renamed_commands: BTreeMap<String, String>,
    pub o_down_since: Option<Millis>,
    /// Whom this Sentinel voted for, and in which epoch.
    pub leader: Option<String>,
    pub leader_epoch: u64,
    pub failover: Option<Failover>,
    /// No failover of our own before this.
    pub(crate) failover_not_before: Millis,
    /// The log has the time of the next attempt.
    pub(crate) delay_logged: bool,
}

/// How far a replica has come in following a new master.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reconf {
    #[default]
    No,
    Sent {
        at: Millis,
    },
    InProgress {
        at: Millis,
    },
    Done,
}

/// A replica of a group.
#[derive(Clone, Debug)]
pub struct Replica {
    pub instance: Instance,
    pub reconf: Reconf,
    /// Milliseconds for which its link to the master has been down, as it says.
    pub master_link_down: Millis,
    pub master_link_up: bool,
    pub master_addr: Option<Addr>,
    /// Since when it follows that master.
    pub(crate) master_addr_since: Millis,
    pub priority: u32,
    pub offset: u64,
    pub announced: bool,
    /// It is to follow the new master, and nobody has told it yet.
    pub(crate) must_follow: bool,
    /// It was the master that was replaced, and has not been seen as a replica since.
    pub(crate) was_master: bool,
}

/// Another Sentinel of a group.
#[derive(Clone, Debug)]
pub struct Peer {
    pub instance: Instance,
    pub last_hello: Millis,
    /// It answered that the master is down.
    pub says_down: bool,
    pub(crate) answered_at: Millis,
    pub(crate) asked_at: Option<Millis>,
    /// Whom it voted for, as it says.
    pub leader: Option<String>,
    pub leader_epoch: u64,
}

impl Master {
    /// Everyone, the master first.
    pub(crate) fn members(&self) -> Vec<Who> {
        let mut all = vec![Who::Master];
        all.extend(self.replicas.keys().cloned().map(Who::Replica));
        all.extend(self.peers.keys().cloned().map(Who::Peer));
        all
    }

    pub fn instance(&self, who: &Who) -> Option<&Instance> {
        match who {
            Who::Master => Some(&self.instance),
            Who::Replica(name) => self.replicas.get(name).map(|replica| &replica.instance),
            Who::Peer(name) => self.peers.get(name).map(|peer| &peer.instance),
        }
    }

    pub(crate) fn instance_mut(&mut self, who: &Who) -> Option<&mut Instance> {
        match who {
            Who::Master => Some(&mut self.instance),
            Who::Replica(name) => self
                .replicas
                .get_mut(name)
                .map(|replica| &mut replica.instance),
            Who::Peer(name) => self.peers.get_mut(name).map(|peer| &mut peer.instance),
        }
    }

    pub(crate) fn target(&self, who: &Who) -> Target {
        Target {
            master: self.instance.name.clone(),
            who: who.clone(),
        }
    }

    pub fn is_o_down(&self) -> bool {
        self.o_down_since.is_some()
    }

    /// The replica that is on its way to be the master, or already is and the others follow.
    pub fn promoted(&self) -> Option<&Replica> {
        let name = self.failover.as_ref()?.promoted()?;
        self.replicas.get(name)
    }

    /// The replica that is the master by now, though the failover goes on.
    pub fn successor(&self) -> Option<&Replica> {
        match self.failover.as_ref()?.is_past_promotion() {
            true => self.promoted(),
            false => None,
        }
    }

    /// Where clients find the master: the successor from its promotion on.
    pub fn current_addr(&self) -> &Addr {
        match self.successor() {
            Some(replica) => &replica.instance.addr,
            None => &self.instance.addr,
        }
    }
}

/// The two connections to an instance, by what they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Commands,
    Subscription,
}

/// A connection in use: whose, and for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnUse {
    pub(crate) conn: ConnId,
    pub(crate) link: LinkId,
    pub(crate) usage: Use,
}
