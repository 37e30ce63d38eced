//! What a Sentinel knows and decides, without a socket, a file or a clock: [`Core::handle`] takes the time and what happened,
//! and leaves [`Action`]s for the process around it. The same inputs always give the same actions, so a simulation can own
//! the world.
//!
//! ```text
//! health      silence -> s_down -> o_down (asking the other Sentinels)
//! election    o_down -> epoch, votes -> leader
//! failover    leader -> choose a replica -> promote -> reconfigure the others -> the group has a new master
//! hello       Sentinels tell each other who they are, and which master is the newest
//! info        what a node says of itself: replicas, roles
//! ```

mod election;
mod failover;
mod group;
mod health;
mod hello;
mod info;
mod instance;
mod link;
mod replies;
pub mod scripts;
mod state;

pub use failover::{Failover, FailoverRefused, Stage};
pub use group::MonitorError;
pub use instance::{Addr, Instance, Master, Peer, Reconf, Replica, Role, Target, Who};
pub use link::{Link, Loss};
pub use state::{GLOBAL_DIRECTIVES, StateError};

use link::Links;
use resp::Frame;
use scripts::Scripts;
use std::collections::BTreeMap;

/// Milliseconds of a clock that never goes back.
pub type Millis = u64;

/// A connection that the core asked for.
pub type ConnId = u64;

/// The channel on which Sentinels meet.
pub const HELLO_CHANNEL: &str = front::sentinel_channel::CHANNEL;

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// Time passed.
    Tick,
    /// A connection stands; this is our own address on it.
    Connected { conn: ConnId, local_ip: String },
    /// A connection ended or could not be made.
    Lost { conn: ConnId, loss: Loss },
    /// A reply, or a message of a subscription.
    Received { conn: ConnId, frame: Frame },
    /// A name's address, or none.
    Resolved { host: String, ip: Option<String> },
    /// A script ended.
    ScriptEnded { job: u64, end: scripts::End },
    /// A script could not be started or now runs as this process.
    ScriptStarted { job: u64, pid: u32 },
    /// A Sentinel's announcement arrived as a command.
    Hello(Vec<u8>),
}

/// What the process is to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Connect; `Connected` or `Lost` tells how it went.
    Connect {
        conn: ConnId,
        ip: String,
        port: u16,
    },
    Close {
        conn: ConnId,
    },
    /// Send a request.
    Send {
        conn: ConnId,
        args: Vec<Vec<u8>>,
    },
    /// Find the address of a name, away from this thread.
    Resolve {
        host: String,
    },
    /// Tell subscribers, and the log.
    Publish(Notice),
    /// Say something in the log alone.
    Log(Level, String),
    /// Write the state to disk, and wait until it is there.
    Save,
    /// Start a script.
    RunScript {
        job: u64,
        argv: Vec<String>,
    },
    KillScript {
        pid: u32,
    },
    /// End the process at once with this code: what SIMULATE-FAILURE asked for.
    Exit(u8),
}

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// In the log only.
    Debug,
    Verbose,
    Notice,
    /// Also told to the notification script.
    Warning,
}

/// An event as subscribers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub level: Level,
    pub channel: &'static str,
    pub message: String,
}

/// The periods of SENTINEL DEBUG, in milliseconds.
#[derive(Clone, Debug)]
pub struct Periods {
    pub info: Millis,
    pub ping: Millis,
    pub ask: Millis,
    pub publish: Millis,
    pub default_down_after: Millis,
    pub tilt_trigger: Millis,
    pub tilt: Millis,
    pub replica_reconf_timeout: Millis,
    pub min_link_reconnect: Millis,
    pub election_timeout: Millis,
    pub script_max_runtime: Millis,
    pub script_retry_delay: Millis,
    pub default_failover_timeout: Millis,
}

impl Default for Periods {
    fn default() -> Periods {
        Periods {
            info: 10_000,
            ping: 1000,
            ask: 1000,
            publish: 2000,
            default_down_after: 30_000,
            default_failover_timeout: 180_000,
            tilt_trigger: 2000,
            tilt: 30_000,
            replica_reconf_timeout: 10_000,
            min_link_reconnect: 15_000,
            election_timeout: 10_000,
            script_max_runtime: 60_000,
            script_retry_delay: 30_000,
        }
    }
}

impl Periods {
    /// By the names of SENTINEL DEBUG, in the order it shows them.
    pub fn named(&mut self) -> [(&'static str, &mut Millis); 13] {
        [
            ("INFO-PERIOD", &mut self.info),
            ("PING-PERIOD", &mut self.ping),
            ("ASK-PERIOD", &mut self.ask),
            ("PUBLISH-PERIOD", &mut self.publish),
            ("DEFAULT-DOWN-AFTER", &mut self.default_down_after),
            (
                "DEFAULT-FAILOVER-TIMEOUT",
                &mut self.default_failover_timeout,
            ),
            ("TILT-TRIGGER", &mut self.tilt_trigger),
            ("TILT-PERIOD", &mut self.tilt),
            ("SLAVE-RECONF-TIMEOUT", &mut self.replica_reconf_timeout),
            ("MIN-LINK-RECONNECT-PERIOD", &mut self.min_link_reconnect),
            ("ELECTION-TIMEOUT", &mut self.election_timeout),
            ("SCRIPT-MAX-RUNTIME", &mut self.script_max_runtime),
            ("SCRIPT-RETRY-DELAY", &mut self.script_retry_delay),
        ]
    }
}

/// What holds for all groups: the directives without a master's name.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub announce_ip: String,
    /// 0: the port it listens on.
    pub announce_port: u16,
    pub resolve_hostnames: bool,
    pub announce_hostnames: bool,
    /// SENTINEL SET may name scripts.
    pub scripts_may_change: bool,
    pub sentinel_user: String,
    pub sentinel_pass: String,
    /// `requirepass`: what peers are given when no `sentinel-pass` is set.
    pub requirepass: String,
    /// The port of the listener.
    pub port: u16,
}

/// What SENTINEL SIMULATE-FAILURE asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Simulated {
    pub crash_after_election: bool,
    pub crash_after_promotion: bool,
}

/// See the module.
pub struct Core {
    /// 40 hexadecimal digits.
    pub id: String,
    pub epoch: u64,
    pub options: Options,
    pub periods: Periods,
    pub simulated: Simulated,
    pub scripts: Scripts,
    pub now: Millis,
    masters: BTreeMap<String, Master>,
    links: Links,
    /// The last known address of each name.
    names: BTreeMap<String, String>,
    /// Names that are being looked up.
    resolving: Vec<String>,
    last_tick: Option<Millis>,
    /// Since when this process distrusts what it knows, having been stalled.
    tilt_since: Option<Millis>,
    random: u64,
    actions: Vec<Action>,
    /// Something changed that the next decision depends on.
    stirred: bool,
}

/// How a process ends that SIMULATE-FAILURE crashes.
pub(crate) const SIMULATED_EXIT: u8 = 99;

/// How often time must pass without anything else happening.
pub const TICK_MS: Millis = 100;

impl Core {
    /// A Sentinel that watches nothing yet. `seed` starts its random choices.
    pub fn new(id: String, seed: u64) -> Core {
        Core {
            id,
            epoch: 0,
            options: Options::default(),
            periods: Periods::default(),
            simulated: Simulated::default(),
            scripts: Scripts::default(),
            now: 0,
            masters: BTreeMap::new(),
            links: Links::default(),
            names: BTreeMap::new(),
            resolving: Vec::new(),
            last_tick: None,
            tilt_since: None,
            random: seed,
            actions: Vec::new(),
            stirred: false,
        }
    }

    /// What happened, and when. What is to be done about it is in [`Core::take_actions`].
    pub fn handle(&mut self, now: Millis, event: Event) {
        self.now = now;
        match event {
            Event::Tick => self.tick(),
            Event::Connected { conn, local_ip } => self.connected(conn, local_ip),
            Event::Lost { conn, loss } => self.lost(conn, loss),
            Event::Received { conn, frame } => self.received(conn, frame),
            Event::Resolved { host, ip } => self.resolved(host, ip),
            Event::ScriptStarted { job, pid } => self.scripts.started(job, pid),
            Event::ScriptEnded { job, end } => self.script_ended(job, end),
            Event::Hello(message) => {
                self.hello_received(&String::from_utf8_lossy(&message));
            }
        }
        self.settle();
    }

    /// Milliseconds until time matters again, if nothing happens before.
    pub fn next_tick_ms(&self) -> Millis {
        /// While everybody waits for a node to change its role, or for somebody to begin.
        const AWAITING_MS: Millis = 10;
        let awaiting = |master: &Master| match &master.failover {
            Some(failover) => failover.promoted().is_some(),
            None => {
                let begins = self.now..self.now + TICK_MS * 10;
                master.is_o_down() && begins.contains(&master.failover_not_before)
            }
        };
        match self.masters.values().any(awaiting) {
            true => AWAITING_MS,
            false => TICK_MS,
        }
    }

    /// What is to be done since the last call, in order.
    pub fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    fn tick(&mut self) {
        self.notice_stall();
        self.run_scripts();
        self.stirred = true;
    }

    /// Decides until there is nothing new to decide upon.
    pub(crate) fn settle(&mut self) {
        /// Each round is one step of a failover; there are fewer of those.
        const ROUNDS: usize = 16;
        for _ in 0..ROUNDS {
            if !std::mem::take(&mut self.stirred) {
                return;
            }
            for name in self.master_names() {
                self.with_master(&name, Core::look_after);
            }
        }
    }

    /// One look at a group: connections, what is due on them, who is down, and what to do about that.
    fn look_after(&mut self, master: &mut Master) {
        for who in master.members() {
            self.keep_connected(master, &who);
            self.send_what_is_due(master, &who);
        }
        if self.tilt_is_on() {
            return;
        }
        for who in master.members() {
            self.check_link(master, &who);
            self.check_s_down(master, &who);
        }
        self.check_o_down(master);
        self.adopt_swap(master);
        let started = self.start_failover_if_needed(master);
        self.ask_peers(master, started);
        self.advance_failover(master);
    }

    /// The names of the groups.
    pub fn master_names(&self) -> Vec<String> {
        self.masters.keys().cloned().collect()
    }

    pub fn masters(&self) -> impl Iterator<Item = &Master> {
        self.masters.values()
    }

    pub fn master(&self, name: &[u8]) -> Option<&Master> {
        self.masters.get(std::str::from_utf8(name).ok()?)
    }

    /// The connections of an instance.
    pub fn link(&self, instance: &Instance) -> &Link {
        self.links.get(instance.link)
    }

    /// Lends a group out while the rest of the core works on it.
    pub(crate) fn with_master<T>(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Core, &mut Master) -> T,
    ) -> Option<T> {
        let mut master = self.masters.remove(name)?;
        let result = work(self, &mut master);
        self.masters.insert(name.to_string(), master);
        Some(result)
    }

    pub(crate) fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Writes the state to disk before anything that comes after.
    pub(crate) fn save(&mut self) {
        self.act(Action::Save);
    }

    /// An event without an instance.
    pub(crate) fn publish(&mut self, level: Level, channel: &'static str, message: String) {
        self.act(Action::Publish(Notice {
            level,
            channel,
            message,
        }));
    }

    /// An event of a group whose text does not name the instance.
    pub(crate) fn tell(
        &mut self,
        level: Level,
        channel: &'static str,
        master: &Master,
        message: String,
    ) {
        if level == Level::Warning
            && let Some(script) = &master.notification_script
        {
            let argv = vec![script.clone(), channel.to_string(), message.clone()];
            self.schedule_script(argv);
        }
        self.publish(level, channel, message);
    }

    /// An event of an instance: its text begins with who it is.
    pub(crate) fn event(
        &mut self,
        level: Level,
        channel: &'static str,
        master: &Master,
        who: &Who,
        more: &str,
    ) {
        let mut message = self.describe(master, who);
        message.push_str(more);
        self.tell(level, channel, master, message);
    }

    /// `slave 10.0.0.2:6379 10.0.0.2 6379 @ mymaster 10.0.0.1 6379`
    fn describe(&self, master: &Master, who: &Who) -> String {
        let of = |kind: &str, instance: &Instance| {
            format!(
                "{kind} {} {} {}",
                instance.name,
                self.shown(&instance.addr.host),
                instance.addr.port
            )
        };
        let Some(instance) = master.instance(who) else {
            return of("master", &master.instance);
        };
        match who {
            Who::Master => of("master", instance),
            Who::Replica(_) | Who::Peer(_) => {
                let kind = match who {
                    Who::Replica(_) => "slave",
                    _ => "sentinel",
                };
                format!(
                    "{} @ {} {} {}",
                    of(kind, instance),
                    master.instance.name,
                    self.shown(&master.instance.addr.host),
                    master.instance.addr.port
                )
            }
        }
    }

    /// A number below `limit`.
    pub(crate) fn random_below(&mut self, limit: u64) -> u64 {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}
