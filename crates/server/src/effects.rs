//! What one command changed, as the command itself describes it. Handlers note; `execute` performs.

use front::UnixMillis;
use front::client::OwnedArgs;
use std::sync::Arc;

/// Classes of keyspace events, the letters of `notify-keyspace-events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct EventClass(u16);

impl EventClass {
    pub const NONE: EventClass = EventClass(0);
    /// `K`: publish to `__keyspace@<db>__:<key>`.
    pub const KEYSPACE: EventClass = EventClass(1);
    /// `E`: publish to `__keyevent@<db>__:<event>`.
    pub const KEYEVENT: EventClass = EventClass(1 << 1);
    pub const GENERIC: EventClass = EventClass(1 << 2);
    pub const STRING: EventClass = EventClass(1 << 3);
    pub const LIST: EventClass = EventClass(1 << 4);
    pub const SET: EventClass = EventClass(1 << 5);
    pub const HASH: EventClass = EventClass(1 << 6);
    pub const SORTED_SET: EventClass = EventClass(1 << 7);
    pub const EXPIRED: EventClass = EventClass(1 << 8);
    pub const EVICTED: EventClass = EventClass(1 << 9);
    pub const STREAM: EventClass = EventClass(1 << 10);
    pub const KEY_MISS: EventClass = EventClass(1 << 11);
    pub const MODULE: EventClass = EventClass(1 << 12);
    pub const NEW: EventClass = EventClass(1 << 13);

    pub const fn and(self, other: EventClass) -> EventClass {
        EventClass(self.0 | other.0)
    }
    pub const fn has(self, other: EventClass) -> bool {
        self.0 & other.0 == other.0
    }
    #[inline]
    pub const fn any(self, other: EventClass) -> bool {
        self.0 & other.0 != 0
    }
}

/// A keyspace event.
pub struct Event {
    pub class: EventClass,
    pub name: &'static str,
    pub db: u32,
    pub key: Box<[u8]>,
}

/// What goes into the AOF and the replication stream for a command that changed something.
#[derive(Default)]
pub enum Propagation {
    /// The command as it came, if it changed anything.
    #[default]
    Verbatim,
    /// Nothing, whatever changed.
    Nothing,
    /// These commands instead, each in its db.
    Instead(Vec<(u32, OwnedArgs)>),
}

/// Where somebody cares; noting for nobody costs a branch.
#[derive(Clone, Copy, Default)]
pub struct Wanted {
    /// Event classes somebody may listen to.
    pub events: EventClass,
    /// Changed keys: a client watches or tracks.
    pub changed_keys: bool,
    /// Keys that got elements: a client is blocked on some key.
    pub ready_keys: bool,
    /// Propagated commands: there is an AOF or a replication stream.
    pub propagation: bool,
}

/// The keys a blocking command waits for, and how long.
pub struct BlockOn {
    pub keys: Vec<Box<[u8]>>,
    /// Wall-clock time of giving up; None waits forever.
    pub until: Option<UnixMillis>,
    /// The request that runs again, if not the one that came: it may have meant a moment that passes.
    pub request: Option<OwnedArgs>,
    /// Whether the wait ends, with an error, when a key stops holding what the command works on.
    pub ends_with_key: bool,
}

/// See the module.
#[derive(Default)]
pub struct Effects {
    pub wanted: Wanted,
    /// The db the running command works in.
    pub db: u32,
    /// Changes made, as `rdb_changes_since_last_save` counts them. No change, no propagation.
    pub dirty: u64,
    pub propagation: Propagation,
    pub events: Vec<Event>,
    /// Keys changed, by db.
    pub changed: Vec<(u32, Box<[u8]>)>,
    /// Keys that may serve a blocked client, by db, in the order they became ready.
    pub ready: Vec<(u32, Box<[u8]>)>,
    pub block: Option<BlockOn>,
    /// The key that woke the client whose request runs again.
    pub woken_by: Option<Arc<[u8]>>,
}

/// What FLUSHDB, FLUSHALL and SWAPDB touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushScope {
    All,
    Db(u32),
    Swap(u32, u32),
}

impl Effects {
    /// The key's value or expiry changed: one change, no event.
    #[inline]
    pub fn changed(&mut self, key: &[u8]) {
        self.changed_by(key, 1);
    }

    /// As [`Effects::changed`], counting for `changes` changes.
    #[inline]
    pub fn changed_by(&mut self, key: &[u8], changes: u64) {
        self.dirty += changes;
        self.touched(key);
    }

    /// The key changed for those who watch or track it, without counting as a change to save.
    #[inline]
    pub fn touched(&mut self, key: &[u8]) {
        self.touched_in(self.db, key);
    }

    /// As [`Effects::touched`], in another db.
    #[inline]
    pub fn touched_in(&mut self, db: u32, key: &[u8]) {
        if self.wanted.changed_keys {
            self.changed.push((db, key.into()));
        }
    }

    /// A keyspace event, in the running command's db.
    #[inline]
    pub fn notify(&mut self, class: EventClass, name: &'static str, key: &[u8]) {
        self.notify_in(self.db, class, name, key);
    }

    /// A keyspace event in another db.
    #[inline]
    pub fn notify_in(&mut self, db: u32, class: EventClass, name: &'static str, key: &[u8]) {
        if self.wanted.events.any(class) {
            self.events.push(Event {
                class,
                name,
                db,
                key: key.into(),
            });
        }
    }

    /// The key is gone: one change, with its event.
    #[inline]
    pub fn deleted(&mut self, key: &[u8]) {
        self.changed(key);
        self.notify(EventClass::GENERIC, "del", key);
    }

    /// The key got elements that a blocked client may wait for.
    #[inline]
    pub fn ready(&mut self, key: &[u8]) {
        self.ready_in(self.db, key);
    }

    /// As [`Effects::ready`], in another db.
    #[inline]
    pub fn ready_in(&mut self, db: u32, key: &[u8]) {
        if self.wanted.ready_keys {
            self.ready.push((db, key.into()));
        }
    }

    /// Propagates this command in place of the one that runs. May be called several times.
    pub fn propagate_as(&mut self, args: &[&[u8]]) {
        self.propagate_in(self.db, args);
    }

    /// As [`Effects::propagate_as`], in another db.
    pub fn propagate_in(&mut self, db: u32, args: &[&[u8]]) {
        if !self.wanted.propagation {
            return;
        }
        let command = (db, OwnedArgs::new(args));
        match &mut self.propagation {
            Propagation::Instead(commands) => commands.push(command),
            other => *other = Propagation::Instead(vec![command]),
        }
    }

    /// Propagates nothing for the command that runs.
    pub fn propagate_nothing(&mut self) {
        self.propagation = Propagation::Nothing;
    }

    /// The client waits for these keys; the same command runs again when one is ready.
    pub fn block_on(&mut self, keys: &[&[u8]], until: Option<UnixMillis>) {
        self.block = Some(BlockOn {
            keys: keys.iter().map(|&key| key.into()).collect(),
            until,
            request: None,
            ends_with_key: false,
        });
    }
}
