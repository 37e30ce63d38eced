//! Connections to instances: one for commands, and one that listens where Sentinels announce themselves. Sentinels that are
//! in several groups share theirs.

use super::instance::{ConnUse, Use};
use super::{Action, ConnId, Core, HELLO_CHANNEL, Master, Millis, Target, Who};
use std::collections::{BTreeMap, VecDeque};

/// Names a link.
pub(crate) type LinkId = u64;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nobody listens at the address: the host answers, the process is not there.
    Refused,
    /// Everything else: closed, reset, unreachable, no address.
    Other,
}

/// What a reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Ping,
    Info,
    Hello,
    /// Whether the master is down, and perhaps for a vote.
    MasterDown,
    /// The end of the transaction that makes a replica the master or gives it another one.
    RoleChange,
    /// That the master hand over to the chosen replica.
    HandOver,
    /// The answer tells nothing.
    Nothing,
}

/// A request without its reply.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) asked: Asked,
    pub(crate) target: Target,
}

/// One connection.
///
/// ```text
/// Closed -> Connecting -> Up -> Closed
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conn {
    Closed,
    Connecting(ConnId),
    Up(ConnId),
}

impl Conn {
    pub(crate) fn id(self) -> Option<ConnId> {
        match self {
            Conn::Closed => None,
            Conn::Connecting(id) | Conn::Up(id) => Some(id),
        }
    }
}

/// The connections to one instance, and how it answers on them.
#[derive(Clone, Debug)]
pub struct Link {
    /// How many groups use it.
    pub refs: usize,
    pub(crate) commands: Conn,
    pub(crate) subscription: Conn,
    pub(crate) commands_since: Millis,
    pub(crate) subscription_since: Millis,
    pub(crate) subscription_heard: Millis,
    /// A node's announcements are heard; None where there are none to hear.
    pub(crate) subscribed: Option<bool>,
    /// Replies on the way to what came before SUBSCRIBE.
    pub(crate) introductions: usize,
    pub(crate) tried_at: Option<Millis>,
    pub(crate) pending: VecDeque<Pending>,
    pub last_ping_sent: Option<Millis>,
    /// The oldest PING without an answer.
    pub waiting_since: Option<Millis>,
    /// The last answer that proves it works.
    pub last_ok_reply: Millis,
    pub last_reply: Millis,
    /// Since when every attempt to connect has been refused.
    pub(crate) refused_since: Option<Millis>,
    pub(crate) local_ip: String,
}

impl Link {
    fn new(now: Millis) -> Link {
        Link {
            refs: 1,
            commands: Conn::Closed,
            subscription: Conn::Closed,
            commands_since: 0,
            subscription_since: 0,
            subscription_heard: 0,
            subscribed: None,
            introductions: 0,
            tried_at: None,
            pending: VecDeque::new(),
            last_ping_sent: None,
            // As if a PING were out: an instance that never answers is down some time after it was first heard of.
            waiting_since: Some(now),
            last_ok_reply: now,
            last_reply: now,
            refused_since: None,
            local_ip: String::new(),
        }
    }

    /// Both connections do what they are for.
    pub fn is_connected(&self) -> bool {
        self.takes_commands() && self.subscribed != Some(false)
    }

    pub(crate) fn takes_commands(&self) -> bool {
        matches!(self.commands, Conn::Up(_))
    }

    pub fn pending_commands(&self) -> usize {
        self.pending.len()
    }

    fn is_pending(&self, asked: Asked) -> bool {
        self.pending.iter().any(|pending| pending.asked == asked)
    }
}

/// All links, and who is connected over which connection.
#[derive(Debug, Default)]
pub(crate) struct Links {
    links: BTreeMap<LinkId, Link>,
    conns: BTreeMap<ConnId, ConnUse>,
    next: u64,
}

impl Links {
    pub(crate) fn add(&mut self, now: Millis) -> LinkId {
        self.next += 1;
        self.links.insert(self.next, Link::new(now));
        self.next
    }

    pub(crate) fn get(&self, id: LinkId) -> &Link {
        self.links.get(&id).expect("an instance holds its link")
    }

    pub(crate) fn get_mut(&mut self, id: LinkId) -> &mut Link {
        self.links.get_mut(&id).expect("an instance holds its link")
    }

    pub(crate) fn usage(&self, conn: ConnId) -> Option<ConnUse> {
        self.conns.get(&conn).copied()
    }

    fn open(&mut self, link: LinkId, usage: Use) -> ConnId {
        self.next += 1;
        let conn = self.next;
        self.conns.insert(conn, ConnUse { conn, link, usage });
        conn
    }
}

const SUBSCRIBE: &str = "SUBSCRIBE";
/// Requests without a reply that one link may have.
const MAX_PENDING: usize = 100;
/// How long to wait after a refused attempt before the next one.
const REFUSED_RETRY_MS: Millis = 100;

/// For how long: a process that is started again is there by then.
const REFUSED_EAGER_MS: Millis = 30_000;
/// A connection that lasted this long was a good one.
const STEADY_MS: Millis = 1000;

impl Core {
    /// Takes back one use of a link, and closes it after the last.
    pub(crate) fn release_link(&mut self, id: LinkId) {
        let link = self.links.get_mut(id);
        link.refs -= 1;
        if link.refs == 0 {
            self.close_link(id);
            self.links.links.remove(&id);
        }
    }

    pub(crate) fn close_link(&mut self, id: LinkId) {
        self.close_conn(id, Use::Commands);
        self.close_conn(id, Use::Subscription);
    }

    /// Connects to a group's nodes anew, as what they are told of a connection has changed.
    pub(crate) fn reconnect_nodes(&mut self, master: &Master) {
        let replicas = master.replicas.values().map(|replica| &replica.instance);
        let links: Vec<LinkId> = std::iter::once(&master.instance)
            .chain(replicas)
            .map(|instance| instance.link)
            .collect();
        for link in links {
            self.close_link(link);
        }
    }

    /// Connects to the other Sentinels anew.
    pub fn reconnect_peers(&mut self) {
        let links: Vec<LinkId> = self
            .masters
            .values()
            .flat_map(|master| master.peers.values().map(|peer| peer.instance.link))
            .collect();
        for link in links {
            self.close_link(link);
        }
    }

    pub(crate) fn close_conn(&mut self, id: LinkId, usage: Use) {
        let link = self.links.get_mut(id);
        let conn = match usage {
            Use::Commands => {
                link.pending.clear();
                std::mem::replace(&mut link.commands, Conn::Closed)
            }
            Use::Subscription => {
                link.subscribed = link.subscribed.map(|_| false);
                std::mem::replace(&mut link.subscription, Conn::Closed)
            }
        };
        if let Some(conn) = conn.id() {
            self.links.conns.remove(&conn);
            self.act(Action::Close { conn });
        }
    }

    /// Opens what is closed, now and then.
    pub(crate) fn keep_connected(&mut self, master: &mut Master, who: &Who) {
        let Some(instance) = master.instance(who) else {
            return;
        };
        let (id, addr) = (instance.link, instance.addr.clone());
        let subscribes = !matches!(who, Who::Peer(_));
        let now = self.now;
        let link = self.links.get(id);
        let open =
            link.commands != Conn::Closed && (!subscribes || link.subscription != Conn::Closed);
        // What ended on purpose, or just now, may be back any moment, or turn out to be gone.
        let ended = link.refused_since.into_iter().chain(instance.leaving_since);
        let eager = ended
            .max()
            .is_some_and(|since| now - since < REFUSED_EAGER_MS);
        let wait = match eager {
            true => REFUSED_RETRY_MS,
            false => self.periods.ping,
        };
        if open || addr.port == 0 || link.tried_at.is_some_and(|at| now < at + wait) {
            return;
        }
        let Some(ip) = self.ip_of(&addr.host) else {
            self.links.get_mut(id).tried_at = Some(now);
            return self.resolve(&addr.host);
        };
        if !is_ip(&addr.host) {
            // It may be elsewhere by now; the last known address does until that is known.
            self.resolve(&addr.host);
        }
        self.links.get_mut(id).tried_at = Some(now);
        let mut uses = vec![Use::Commands];
        if subscribes {
            uses.push(Use::Subscription);
        }
        for usage in uses {
            let link = self.links.get(id);
            let conn = match usage {
                Use::Commands => link.commands,
                Use::Subscription => link.subscription,
            };
            if conn != Conn::Closed {
                continue;
            }
            let conn = self.links.open(id, usage);
            let link = self.links.get_mut(id);
            match usage {
                Use::Commands => {
                    link.pending.clear();
                    (link.commands, link.commands_since) = (Conn::Connecting(conn), now);
                }
                Use::Subscription => {
                    (link.subscription, link.subscription_since) = (Conn::Connecting(conn), now);
                    link.subscription_heard = now;
                    link.subscribed = Some(false);
                    link.introductions = 0;
                }
            }
            self.act(Action::Connect {
                conn,
                ip: ip.clone(),
                port: addr.port,
            });
        }
    }

    /// A connection stands: who we are, and what we want on it.
    pub(crate) fn connected(&mut self, conn: ConnId, local_ip: String) {
        let Some(usage) = self.links.usage(conn) else {
            return;
        };
        let now = self.now;
        let link = self.links.get_mut(usage.link);
        link.refused_since = None;
        link.local_ip = local_ip;
        match usage.usage {
            Use::Commands => (link.commands, link.commands_since) = (Conn::Up(conn), now),
            Use::Subscription => {
                (link.subscription, link.subscription_since) = (Conn::Up(conn), now);
                link.subscription_heard = now;
            }
        }
        let Some(target) = self.user_of(usage.link) else {
            return;
        };
        self.with_master(&target.master.clone(), |core, master| {
            core.introduce(master, &target.who, usage);
        });
        self.stirred = true;
    }

    /// Whose link it is; the first group that uses it.
    pub(crate) fn user_of(&self, link: LinkId) -> Option<Target> {
        self.masters.values().find_map(|master| {
            let uses = |who: &Who| master.instance(who).is_some_and(|i| i.link == link);
            let who = master.members().into_iter().find(uses)?;
            Some(master.target(&who))
        })
    }

    fn introduce(&mut self, master: &mut Master, who: &Who, conn: ConnUse) {
        let (user, password) = match who {
            Who::Peer(_) if !self.options.sentinel_pass.is_empty() => (
                self.options.sentinel_user.clone(),
                self.options.sentinel_pass.clone(),
            ),
            Who::Peer(_) => (String::new(), self.options.requirepass.clone()),
            _ => (master.auth_user.clone(), master.auth_pass.clone()),
        };
        if !password.is_empty() {
            let mut words = vec!["AUTH", &user, &password];
            if user.is_empty() {
                words.remove(1);
            }
            self.send_on(conn, master, who, Asked::Nothing, &words);
        }
        let purpose = match conn.usage {
            Use::Commands => "cmd",
            Use::Subscription => "pubsub",
        };
        let name = format!("sentinel-{}-{purpose}", &self.id[..8]);
        self.send_on(
            conn,
            master,
            who,
            Asked::Nothing,
            &["CLIENT", "SETNAME", &name],
        );
        match conn.usage {
            Use::Commands => self.ping(master, who),
            Use::Subscription => self.send_on(
                conn,
                master,
                who,
                Asked::Nothing,
                &[SUBSCRIBE, HELLO_CHANNEL],
            ),
        }
    }

    fn send_on(&mut self, conn: ConnUse, master: &Master, who: &Who, asked: Asked, words: &[&str]) {
        let renamed = match who {
            Who::Peer(_) => None,
            _ => master.renamed_commands.get(&words[0].to_ascii_lowercase()),
        };
        let mut args: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        if let Some(renamed) = renamed {
            args[0] = renamed.clone().into_bytes();
        }
        let target = master.target(who);
        let link = self.links.get_mut(conn.link);
        match conn.usage {
            Use::Commands => link.pending.push_back(Pending { asked, target }),
            Use::Subscription => link.introductions += usize::from(words[0] != SUBSCRIBE),
        }
        self.act(Action::Send {
            conn: conn.conn,
            args,
        });
    }

    /// Sends a request to a member; false if there is no connection.
    pub(crate) fn request(
        &mut self,
        master: &Master,
        who: &Who,
        asked: Asked,
        words: &[&str],
    ) -> bool {
        let Some(instance) = master.instance(who) else {
            return false;
        };
        let link = instance.link;
        let Conn::Up(conn) = self.links.get(link).commands else {
            return false;
        };
        let usage = Use::Commands;
        let conn = ConnUse { conn, link, usage };
        self.send_on(conn, master, who, asked, words);
        true
    }

    pub(crate) fn ping(&mut self, master: &Master, who: &Who) {
        if self.request(master, who, Asked::Ping, &["PING"])
            && let Some(instance) = master.instance(who)
        {
            let now = self.now;
            let link = self.links.get_mut(instance.link);
            link.last_ping_sent = Some(now);
            link.waiting_since.get_or_insert(now);
        }
    }

    /// Asks a node at once what it is.
    pub(crate) fn ask_info(&mut self, master: &Master, who: &Who) {
        if let Some(instance) = master.instance(who)
            && !self.links.get(instance.link).is_pending(Asked::Info)
        {
            self.request(master, who, Asked::Info, &["INFO"]);
        }
    }

    /// INFO, PING and the announcement, each in its period.
    pub(crate) fn send_what_is_due(&mut self, master: &mut Master, who: &Who) {
        let Some(instance) = master.instance(who) else {
            return;
        };
        let link = self.links.get(instance.link);
        if !link.takes_commands() || link.pending.len() >= MAX_PENDING * link.refs {
            return;
        }
        let now = self.now;
        let is_node = !matches!(who, Who::Peer(_));
        let ping_period = self.periods.ping.min(master.down_after);
        // Behind a new connection there may be a node with another role: it was started again, or closed the former
        // connection to tell that its role has changed.
        let info_due = instance.info_at.is_none_or(|at| {
            at < link.commands_since || now.saturating_sub(at) > self.info_period(master, who)
        });
        let ping_due = now.saturating_sub(link.last_reply) > ping_period
            && link
                .last_ping_sent
                .is_none_or(|at| now.saturating_sub(at) > ping_period / 2);
        let publish_due = instance
            .last_publish
            .is_none_or(|at| now.saturating_sub(at) > self.periods.publish);
        if is_node && info_due {
            self.ask_info(master, who);
        }
        if ping_due {
            self.ping(master, who);
        }
        if publish_due {
            self.announce_to(master, who);
        }
    }

    /// While a group changes, its replicas are asked more often; the one that is being promoted, as often as can be.
    fn info_period(&self, master: &Master, who: &Who) -> Millis {
        /// While something is going on.
        const BUSY_MS: Millis = 1000;
        /// While everybody waits for this one answer.
        const AWAITED_MS: Millis = 20;
        let usual = self.periods.info;
        let Who::Replica(name) = who else {
            return usual;
        };
        let awaited = master
            .failover
            .as_ref()
            .is_some_and(|failover| failover.awaits(name));
        let link_down = master
            .replicas
            .get(name)
            .is_some_and(|replica| replica.master_link_down != 0);
        match () {
            () if awaited => AWAITED_MS,
            () if master.is_o_down() || master.failover.is_some() || link_down => {
                BUSY_MS.min(usual)
            }
            () => usual,
        }
    }

    /// A connection ended or could not be made.
    pub(crate) fn lost(&mut self, conn: ConnId, loss: Loss) {
        let Some(usage) = self.links.conns.remove(&conn) else {
            return;
        };
        let now = self.now;
        let link = self.links.get_mut(usage.link);
        match usage.usage {
            Use::Commands => {
                let was_up = matches!(link.commands, Conn::Up(_));
                link.commands = Conn::Closed;
                link.pending.clear();
                if was_up && now.saturating_sub(link.commands_since) > STEADY_MS {
                    // Why it ended shows as soon as somebody tries to connect again.
                    link.tried_at = None;
                }
                link.refused_since = match loss {
                    Loss::Refused => link.refused_since.or(Some(now)),
                    Loss::Other => None,
                };
            }
            Use::Subscription => {
                link.subscription = Conn::Closed;
                link.subscribed = Some(false);
            }
        }
        self.stirred = true;
    }

    /// The address of a host, as far as it is known.
    pub(crate) fn ip_of(&self, host: &str) -> Option<String> {
        match is_ip(host) {
            true => Some(host.to_string()),
            false => self.names.get(host).cloned(),
        }
    }

    /// A host as clients and peers are told: by name only if that is wanted.
    pub fn shown(&self, host: &str) -> String {
        match self.options.announce_hostnames {
            true => host.to_string(),
            false => self.ip_of(host).unwrap_or_else(|| host.to_string()),
        }
    }

    pub(crate) fn same_host(&self, a: &str, b: &str) -> bool {
        a.eq_ignore_ascii_case(b)
            || match (self.ip_of(a), self.ip_of(b)) {
                (Some(a), Some(b)) => a.eq_ignore_ascii_case(&b),
                _ => false,
            }
    }

    /// Starts to look up a name, unless that is being done.
    pub(crate) fn resolve(&mut self, host: &str) {
        if self.options.resolve_hostnames && !self.resolving.iter().any(|known| known == host) {
            self.resolving.push(host.to_string());
            self.act(Action::Resolve {
                host: host.to_string(),
            });
        }
    }

    pub(crate) fn resolved(&mut self, host: String, ip: Option<String>) {
        self.resolving.retain(|known| *known != host);
        // A name that is gone keeps its last address: the node may still be there, and a failover must not wait for it.
        let Some(ip) = ip else {
            return;
        };
        let known = self.names.insert(host.clone(), ip.clone());
        if known.as_ref() == Some(&ip) {
            return;
        }
        let mut moved = Vec::new();
        for master in self.masters.values() {
            for who in master.members() {
                let instance = master.instance(&who).expect("it is a member");
                if instance.addr.host == host {
                    moved.push(instance.link);
                }
            }
        }
        for link in moved {
            if known.is_some() {
                self.close_link(link);
            }
            self.links.get_mut(link).tried_at = None;
        }
        self.stirred = true;
    }
}

pub(crate) fn is_ip(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}
