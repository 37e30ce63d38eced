//! One numbered database: entries by key, with lazy expiry and the access clocks that eviction reads.
//!
//! Reads go through `lookup`, writes through `lookup_write`: the one way to a mutable entry, so that a snapshot can keep
//! what an entry was before its first change.

use crate::entry::{Entry, UnixMillis};
use crate::eviction::{Order, score};
use crate::hash::hash;
use crate::memory::DEFAULT_SAMPLES;
use crate::snapshot::Entries;
use crate::table::{SlotMut, Table, Verdict};
use crate::value::{
    Hash, List, Set, SortedSet, Stream, StringRef, StringValue, Value, ValueMut, ValueRef,
};
use std::ops::Range;

/// What happens to an entry whose expiry has passed when somebody looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ExpiredEntries {
    /// It is deleted, and the deletion noted in [`Db::take_notices`].
    #[default]
    Delete,
    /// It looks absent but stays: a replica deletes only what its master deletes.
    Hide,
    /// It is there: the dataset is being loaded, or the master itself writes.
    Keep,
}

/// How the access clock of entries moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AccessPolicy {
    /// Seconds of last access, modulo 2^24.
    #[default]
    Lru,
    /// 16 bits of minutes of last decay, 8 bits of a logarithmic counter.
    Lfu { log_factor: u32, decay_minutes: u32 },
}

/// What the time and the configuration say while a command runs; set before each one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Access {
    pub now: UnixMillis,
    pub expired: ExpiredEntries,
    pub policy: AccessPolicy,
    /// Reads leave access clocks alone (a snapshot or an inspection is not a use).
    pub no_touch: bool,
    pub lazy_free: LazyFree,
    /// Lookups neither count as hits and misses nor are noted: a command that looks at a key only to change it.
    pub quiet: bool,
    /// Somebody wants to hear of keys that were read and are not there.
    pub note_misses: bool,
    /// Somebody wants to hear of keys that are new.
    pub note_new: bool,
}

/// Which removals count as lazily freed. Big values are always freed by another thread; the `lazyfree-*` directives only
/// decide whether clients are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LazyFree {
    /// `lazyfree-lazy-expire`
    pub expire: bool,
    /// `lazyfree-lazy-server-del`: what a command replaces or removes without being asked to.
    pub server_del: bool,
}

/// Big entries for another thread to free.
#[derive(Default)]
pub struct Garbage {
    pub entries: Vec<Entry>,
    /// How many of them count as lazily freed.
    pub lazy: usize,
    /// What they hold, about.
    pub bytes: usize,
}

/// What happened to a key beside what a command itself tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It had expired, and is deleted: that is yet to be propagated.
    Expired(Box<[u8]>),
    /// It was read and is not there.
    Missed(Box<[u8]>),
    /// It is new.
    Created(Box<[u8]>),
}

/// A use of an entry that a file or a command tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownUse {
    IdleSeconds(u64),
    /// The logarithmic counter.
    Freq(u8),
}

impl Access {
    /// The access clock of a new entry; what is known of its use counts if the policy can express it.
    pub fn clock_of_new(&self, known: Option<KnownUse>) -> u32 {
        match (self.policy, known) {
            (AccessPolicy::Lru, Some(KnownUse::IdleSeconds(idle))) => {
                lru_clock(self.now).wrapping_sub(idle as u32) & LRU_CLOCK_MASK
            }
            (AccessPolicy::Lfu { .. }, Some(KnownUse::Freq(count))) => {
                lfu_minutes(self.now) << 8 | u32::from(count)
            }
            _ => first_access(self),
        }
    }
}

/// Counters of INFO.
#[derive(Clone, Copy, Debug, Default)]
pub struct DbStats {
    pub hits: u64,
    pub misses: u64,
}

/// The value is of another type than the command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongType;

/// What a key is to somebody who looks without touching anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Absent,
    /// It has expired, and nobody has deleted it yet.
    Stale,
    Live,
}

/// What becomes of the expiry when a value is overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    Never,
    Keep,
    At(UnixMillis),
}

impl Expiry {
    /// The new expiry of an entry whose old one is `old`.
    fn over(self, old: Option<UnixMillis>) -> Option<UnixMillis> {
        match self {
            Expiry::Never => None,
            Expiry::Keep => old,
            Expiry::At(at) => Some(at),
        }
    }
}

/// See the module.
#[derive(Default)]
pub struct Db {
    entries: Entries,
    pub access: Access,
    pub stats: DbStats,
    rng: u64,
    /// What happened since the last [`Db::take_notices`], in its order.
    notices: Vec<Notice>,
    /// Big entries removed since the last [`Db::take_garbage`].
    garbage: Garbage,
    /// Where active expiry continues.
    expire_cursor: u64,
}

impl Db {
    /// How many keys, expired and not yet deleted ones included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many keys have an expiry.
    pub fn expiring_len(&self) -> usize {
        self.entries.expiring_len()
    }

    // --- reading -------------------------------------------------------------------------------------------------

    /// The entry of a key, for reading: moves its access clock and counts a hit or a miss.
    #[inline]
    pub fn lookup(&mut self, key: &[u8]) -> Option<&Entry> {
        let hash = hash(key);
        self.expire_if_due(hash, key);
        match self.entries.find(hash, key) {
            Some(entry)
                if self.access.expired != ExpiredEntries::Hide || !due(entry, self.access.now) =>
            {
                self.stats.hits += u64::from(!self.access.quiet);
                touch(entry, &self.access, &mut self.rng);
                Some(entry)
            }
            _ => {
                miss(key, &self.access, &mut self.stats, &mut self.notices);
                None
            }
        }
    }

    /// The entry of a key, asked about and counted, but not used: its access clock stays.
    pub fn ask(&mut self, key: &[u8]) -> Option<&Entry> {
        if self.peek(key).is_some() {
            self.stats.hits += u64::from(!self.access.quiet);
        } else {
            miss(key, &self.access, &mut self.stats, &mut self.notices);
        }
        self.peek(key)
    }

    /// The entry of a key, seen without being used: no access clock, no counters.
    pub fn peek(&mut self, key: &[u8]) -> Option<&Entry> {
        let hash = hash(key);
        self.expire_if_due(hash, key);
        let now = self.access.now;
        let hide = self.access.expired == ExpiredEntries::Hide;
        self.entries
            .find(hash, key)
            .filter(|entry| !(hide && due(entry, now)))
    }

    /// Whether a key is there: no use, and nothing is deleted.
    pub fn presence(&self, key: &[u8], now: UnixMillis) -> Presence {
        match self.entries.find(hash(key), key) {
            None => Presence::Absent,
            Some(entry) if due(entry, now) => Presence::Stale,
            Some(_) => Presence::Live,
        }
    }

    /// The value of a key, for reading.
    #[inline]
    pub fn get(&mut self, key: &[u8]) -> Option<ValueRef<'_>> {
        self.lookup(key).map(Entry::value)
    }

    /// The values of several keys at once, each used as by [`Db::get`]. The first that does not fit ends it: the keys
    /// behind it are not looked at.
    ///
    /// # Errors
    /// `WrongType` when `fits` says no.
    pub fn get_many(
        &mut self,
        keys: &[&[u8]],
        fits: impl Fn(&ValueRef<'_>) -> bool,
    ) -> Result<Vec<Option<ValueRef<'_>>>, WrongType> {
        let mut there = Vec::with_capacity(keys.len());
        for key in keys {
            let value = self.get(key);
            if value.as_ref().is_some_and(|value| !fits(value)) {
                return Err(WrongType);
            }
            there.push(value.is_some());
        }
        Ok(keys
            .iter()
            .zip(there)
            .map(|(key, there)| {
                let entry = self.entries.find(hash(key), key).filter(|_| there);
                entry.map(Entry::value)
            })
            .collect())
    }

    /// Whether the key exists, as EXISTS asks.
    pub fn contains(&mut self, key: &[u8]) -> bool {
        self.lookup(key).is_some()
    }

    // --- writing -------------------------------------------------------------------------------------------------

    /// The entry of a key, for changing. The only way to a mutable entry.
    #[inline]
    pub fn lookup_write(&mut self, key: &[u8]) -> Option<SlotMut<'_, Entry>> {
        let hash = hash(key);
        self.expire_if_due(hash, key);
        let slot = self.entries.find_mut(hash, key)?;
        touch(&slot, &self.access, &mut self.rng);
        Some(slot)
    }

    /// The value of a key, for changes in place; a string is replaced instead.
    #[inline]
    fn value_mut(&mut self, key: &[u8]) -> Option<ValueMut<'_>> {
        let hash = hash(key);
        self.expire_if_due(hash, key);
        let entry = self.entries.get_mut(hash, key)?;
        touch(entry, &self.access, &mut self.rng);
        Some(entry.value_mut())
    }

    /// Sets a key to a string that a client sent.
    #[inline]
    pub fn set_string(&mut self, key: &[u8], bytes: &[u8], expiry: Expiry) {
        let hash = hash(key);
        self.expire_if_due(hash, key);
        let Some(mut slot) = self.entries.find_mut(hash, key) else {
            let entry = Entry::string(key, bytes, expiry.over(None));
            entry.set_access(first_access(&self.access));
            self.entries.insert_unique(hash, entry);
            self.note_created(key);
            return;
        };
        let expiry = expiry.over(slot.expiry());
        if slot.is_cheap_to_free() {
            slot.set_string(bytes, expiry);
            touch(&slot, &self.access, &mut self.rng);
        } else {
            drop(slot);
            self.replace(hash, Entry::string(key, bytes, expiry));
        }
    }

    /// Sets a key to a value, whatever it was before.
    pub fn set(&mut self, key: &[u8], value: Value, expiry: Expiry) {
        let hash = hash(key);
        self.expire_if_due(hash, key);
        let old = self.entries.find(hash, key).and_then(Entry::expiry);
        self.replace(hash, Entry::new(key, value, expiry.over(old)));
    }

    /// Puts an entry into the table, as a use of its key.
    fn replace(&mut self, hash: u64, entry: Entry) {
        match self.entries.find(hash, entry.key()) {
            Some(old) => {
                entry.set_access(old.access());
                touch(&entry, &self.access, &mut self.rng);
            }
            None => entry.set_access(first_access(&self.access)),
        }
        self.insert(hash, entry);
    }

    fn insert(&mut self, hash: u64, entry: Entry) {
        let new = self.access.note_new.then(|| Box::<[u8]>::from(entry.key()));
        match self.entries.insert(hash, entry) {
            Some(old) => self.discard(old, self.access.lazy_free.server_del),
            None => self.notices.extend(new.map(Notice::Created)),
        }
    }

    fn note_created(&mut self, key: &[u8]) {
        if self.access.note_new {
            self.notices.push(Notice::Created(key.into()));
        }
    }

    /// Adds an entry made elsewhere (moved from another key or db, or loaded), replacing what was there.
    pub fn insert_entry(&mut self, entry: Entry) {
        self.insert(hash(entry.key()), entry);
    }

    /// Adds loaded entries. One whose key is there replaces it if `merge`.
    ///
    /// # Errors
    /// The key that is there twice, without `merge`.
    pub fn insert_loaded(&mut self, entries: Vec<Entry>, merge: bool) -> Result<(), Box<[u8]>> {
        /// Places in the table that are fetched from memory together.
        const TOGETHER: usize = 16;
        let mut entries = entries.into_iter();
        loop {
            let mut group = [const { None }; TOGETHER];
            for (slot, entry) in group.iter_mut().zip(entries.by_ref()) {
                let hash = hash(entry.key());
                self.entries.prefetch(hash);
                *slot = Some((hash, entry));
            }
            if group[0].is_none() {
                return Ok(());
            }
            for (hash, entry) in group.into_iter().flatten() {
                if self.entries.find(hash, entry.key()).is_none() {
                    self.entries.insert_unique(hash, entry);
                } else if merge {
                    self.insert_entry(entry);
                } else {
                    return Err(entry.key().into());
                }
            }
        }
    }

    /// Takes an entry out, to be put elsewhere; for good there is [`Db::remove`].
    pub fn take(&mut self, key: &[u8]) -> Option<Entry> {
        let hash = hash(key);
        self.expire_if_due(hash, key);
        self.entries.take(hash, key)
    }

    /// Deletes a key that a command has emptied or replaces. A big value is freed later, on another thread.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        self.unlink(key, self.access.lazy_free.server_del)
    }

    /// Deletes a key; `lazy`: a big value counts as lazily freed.
    pub fn unlink(&mut self, key: &[u8], lazy: bool) -> bool {
        match self.take(key) {
            Some(entry) => {
                self.discard(entry, lazy);
                true
            }
            None => false,
        }
    }

    /// Deletes everything and hands it to the caller to free, but for what a running snapshot needs.
    pub fn take_all(&mut self) -> Table<Entry> {
        self.expire_cursor = 0;
        self.entries.take_all()
    }

    /// The expiry of a key: None if it does not exist, Some(None) if it has none.
    pub fn expiry(&mut self, key: &[u8]) -> Option<Option<UnixMillis>> {
        self.peek(key).map(Entry::expiry)
    }

    /// Changes the expiry of a key; false if it does not exist.
    pub fn set_expiry(&mut self, key: &[u8], expiry: Option<UnixMillis>) -> bool {
        match self.lookup_write(key) {
            Some(mut slot) => {
                slot.set_expiry(expiry);
                true
            }
            None => false,
        }
    }

    /// Frees an entry: small ones at once, big ones later, counted if `lazy`.
    pub fn discard(&mut self, entry: Entry, lazy: bool) {
        if !entry.is_cheap_to_free()
            && let Some(entry) = self.entries.discard(entry)
        {
            self.garbage.lazy += usize::from(lazy);
            self.garbage.bytes += entry.memory_usage(DEFAULT_SAMPLES);
            self.garbage.entries.push(entry);
        }
    }

    /// The entries, for a snapshot.
    pub(crate) fn entries(&mut self) -> &mut Entries {
        &mut self.entries
    }

    // --- typed access --------------------------------------------------------------------------------------------

    /// The string of a key.
    #[inline]
    pub fn string(&mut self, key: &[u8]) -> Result<Option<StringRef<'_>>, WrongType> {
        match self.get(key) {
            None => Ok(None),
            Some(ValueRef::String(string)) => Ok(Some(string)),
            Some(_) => Err(WrongType),
        }
    }

    /// Lets `change` edit the bytes of a string in place (an absent key starts empty): those in `changed`, and those it
    /// adds. The value becomes `raw`, as after APPEND or SETRANGE; the expiry stays.
    pub fn edit_string<R>(
        &mut self,
        key: &[u8],
        changed: Range<usize>,
        change: impl FnOnce(&mut Vec<u8>) -> R,
    ) -> Result<R, WrongType> {
        let Some(mut slot) = self.lookup_write(key) else {
            let mut bytes = Vec::new();
            let result = change(&mut bytes);
            self.set(
                key,
                Value::String(StringValue::Bytes { bytes, raw: true }),
                Expiry::Never,
            );
            return Ok(result);
        };
        if let ValueMut::HeapString(string) = slot.value_mut() {
            return Ok(change(string.edit(changed)));
        }
        let ValueRef::String(string) = slot.value() else {
            return Err(WrongType);
        };
        let mut bytes = string.to_vec();
        let result = change(&mut bytes);
        slot.replace_value(Value::String(StringValue::Bytes { bytes, raw: true }));
        Ok(result)
    }
}

macro_rules! typed_access {
    ($($type:ident: $read:ident, $write:ident, $create:ident;)*) => {
        impl Db {
            $(
                /// The value of a key, for reading.
                #[inline]
                pub fn $read(&mut self, key: &[u8]) -> Result<Option<&$type>, WrongType> {
                    match self.get(key) {
                        None => Ok(None),
                        Some(ValueRef::$type(value)) => Ok(Some(value)),
                        Some(_) => Err(WrongType),
                    }
                }

                /// The value of a key, for changing. Who empties it calls [`Db::remove`].
                #[inline]
                pub fn $write(&mut self, key: &[u8]) -> Result<Option<&mut $type>, WrongType> {
                    match self.value_mut(key) {
                        None => Ok(None),
                        Some(ValueMut::$type(value)) => Ok(Some(value)),
                        Some(_) => Err(WrongType),
                    }
                }

                /// The value of a key, for changing; made by `make` if the key does not exist. Who leaves it empty calls
                /// [`Db::remove`].
                #[inline]
                pub fn $create(&mut self, key: &[u8], make: impl FnOnce() -> $type) -> Result<&mut $type, WrongType> {
                    let hash = hash(key);
                    self.expire_if_due(hash, key);
                    if self.entries.find(hash, key).is_none() {
                        let entry = Entry::new(key, Value::$type(Box::new(make())), None);
                        entry.set_access(first_access(&self.access));
                        self.entries.insert_unique(hash, entry);
                        self.note_created(key);
                    }
                    self.$write(key).map(|value| value.expect("it was there or has just been inserted"))
                }
            )*
        }
    };
}

typed_access! {
    List: list, list_mut, list_or_create;
    Set: set_value, set_value_mut, set_or_create;
    Hash: hash, hash_mut, hash_or_create;
    SortedSet: sorted_set, sorted_set_mut, sorted_set_or_create;
    Stream: stream, stream_mut, stream_or_create;
}

impl Db {
    // --- walking -------------------------------------------------------------------------------------------------

    /// One step of SCAN: shows about `count` entries from `cursor` on and returns the next cursor, 0 at the end.
    pub fn scan(&self, cursor: u64, count: usize, visit: impl FnMut(&Entry)) -> u64 {
        self.entries.scan(cursor, count, visit)
    }

    /// Every entry, expired ones included.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// A random key that has not expired; None if the db is empty or nothing but expired keys turned up.
    pub fn random_key(&mut self) -> Option<Box<[u8]>> {
        /// On a replica expired keys stay; give up rather than search forever.
        const TRIES: usize = 100;
        for _ in 0..TRIES {
            let entry = self.entries.random(&mut xorshift(&mut self.rng))?;
            let key: Box<[u8]> = entry.key().into();
            if !due(entry, self.access.now) || self.access.expired == ExpiredEntries::Keep {
                return Some(key);
            }
            self.expire_if_due(hash(&key), &key);
        }
        None
    }

    /// Shows `n` randomly chosen entries to eviction; only those with an expiry if `expiring`.
    pub fn sample(&mut self, n: usize, expiring: bool, visit: impl FnMut(&Entry)) -> usize {
        let mut rng = xorshift(&mut self.rng);
        if expiring {
            self.entries.sample_expiring(&mut rng, n, visit)
        } else {
            self.entries.sample(&mut rng, n, visit)
        }
    }

    /// How many milliseconds the keys with an expiry have left on average, from a sample.
    pub fn average_ttl(&self, now: UnixMillis) -> u64 {
        /// Enough for a figure that people look at.
        const SAMPLE: usize = 32;
        let mut state = self.rng;
        let (mut count, mut left) = (0, 0);
        self.entries
            .sample_expiring(&mut xorshift(&mut state), SAMPLE, |entry| {
                if let Some(expiry) = entry.expiry() {
                    count += 1;
                    left += i128::from((expiry.saturating_sub(now)).max(0));
                }
            });
        (left / count.max(1)) as u64
    }

    /// How soon eviction would take the key; None if it is not one to take.
    pub(crate) fn eviction_score(&self, key: &[u8], order: Order, volatile: bool) -> Option<u64> {
        let entry = self.entries.find(hash(key), key)?;
        let candidate = !volatile || entry.expiry().is_some();
        candidate.then(|| score(entry, order, self.access.now, self.access.policy))
    }

    /// Fetches what a lookup of this key will read; first of three steps, each of which needs what the one before fetched.
    #[inline]
    pub fn prefetch_control(&self, hash: u64) {
        self.entries.prefetch_control(hash);
    }

    /// Second step.
    #[inline]
    pub fn prefetch_slot(&self, hash: u64) {
        self.entries.prefetch_slot(hash);
    }

    /// Last step: the entry itself.
    #[inline]
    pub fn prefetch_entry(&self, hash: u64) {
        self.entries.prefetch_entry(hash);
    }

    /// Bytes of the table itself, without entries.
    pub fn table_bytes(&self) -> usize {
        self.entries.memory_bytes()
    }

    /// Size and load of the table.
    pub fn table_stats(&self) -> crate::table::Stats {
        self.entries.stats()
    }

    /// Seeds the random choices of eviction and RANDOMKEY.
    pub fn seed_random(&mut self, seed: u64) {
        self.rng = seed;
    }

    /// A source of random numbers for one command.
    pub fn random_source(&mut self) -> impl FnMut() -> u64 + use<> {
        let mut state = xorshift(&mut self.rng)();
        move || xorshift(&mut state)()
    }

    // --- expiry --------------------------------------------------------------------------------------------------

    #[inline]
    fn expire_if_due(&mut self, hash: u64, key: &[u8]) {
        if self.entries.expiring_len() == 0 || self.access.expired != ExpiredEntries::Delete {
            return;
        }
        if self
            .entries
            .find(hash, key)
            .is_some_and(|entry| due(entry, self.access.now))
        {
            self.delete_expired(hash, key);
        }
    }

    #[cold]
    fn delete_expired(&mut self, hash: u64, key: &[u8]) {
        if let Some(entry) = self.entries.take(hash, key) {
            self.notices.push(Notice::Expired(key.into()));
            self.discard(entry, self.access.lazy_free.expire);
        }
    }

    /// One step of active expiry: looks at about `max` entries with an expiry and deletes those that are due. Returns how
    /// many were looked at and how many deleted.
    pub fn expire_some(&mut self, max: usize) -> (usize, usize) {
        let now = self.access.now;
        let mut seen = 0;
        let mut removed = Vec::new();
        let judge = |entry: &Entry| {
            seen += 1;
            if due(entry, now) {
                Verdict::Remove
            } else {
                Verdict::Keep
            }
        };
        self.expire_cursor =
            self.entries
                .visit_expiring(self.expire_cursor, max, judge, &mut removed);
        let count = removed.len();
        for entry in removed {
            self.notices.push(Notice::Expired(entry.key().into()));
            self.discard(entry, self.access.lazy_free.expire);
        }
        (seen, count)
    }

    /// Whether something happened that nobody has asked for yet.
    #[inline]
    pub fn has_notices(&self) -> bool {
        !self.notices.is_empty()
    }

    /// What happened to keys since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Whether big entries wait to be freed.
    #[inline]
    pub fn has_garbage(&self) -> bool {
        !self.garbage.entries.is_empty()
    }

    /// The big entries removed since the last call, for another thread to free.
    pub fn take_garbage(&mut self) -> Garbage {
        std::mem::take(&mut self.garbage)
    }
}

#[inline]
fn due(entry: &Entry, now: UnixMillis) -> bool {
    entry.expiry().is_some_and(|at| now > at)
}

/// Seconds per unit of the LRU clock are one; it wraps after 194 days.
const LRU_CLOCK_MASK: u32 = (1 << 24) - 1;
/// A new key starts with this LFU count, so that it is not evicted before it could be used.
const LFU_INITIAL: u32 = 5;

/// The LRU clock of a time.
pub fn lru_clock(now: UnixMillis) -> u32 {
    (now / 1000) as u32 & LRU_CLOCK_MASK
}

/// Seconds since an LRU clock was set.
pub fn idle_seconds(clock: u32, now: UnixMillis) -> u32 {
    lru_clock(now).wrapping_sub(clock) & LRU_CLOCK_MASK
}

fn lfu_minutes(now: UnixMillis) -> u32 {
    (now / 60_000) as u32 & 0xffff
}

#[inline]
fn first_access(access: &Access) -> u32 {
    match access.policy {
        AccessPolicy::Lru => lru_clock(access.now),
        AccessPolicy::Lfu { .. } => lfu_minutes(access.now) << 8 | LFU_INITIAL,
    }
}

/// A key that a lookup did not find.
#[cold]
fn miss(key: &[u8], access: &Access, stats: &mut DbStats, notices: &mut Vec<Notice>) {
    if access.quiet {
        return;
    }
    stats.misses += 1;
    if access.note_misses {
        notices.push(Notice::Missed(key.into()));
    }
}

#[inline]
fn touch(entry: &Entry, access: &Access, rng: &mut u64) {
    if access.no_touch {
        return;
    }
    match access.policy {
        AccessPolicy::Lru => entry.set_access(lru_clock(access.now)),
        AccessPolicy::Lfu {
            log_factor,
            decay_minutes,
        } => {
            let count = lfu_count(entry.access(), access.now, decay_minutes);
            let random = xorshift(rng)() >> 11;
            let count = lfu_increment(count, log_factor, random as f64 / (1u64 << 53) as f64);
            entry.set_access(lfu_minutes(access.now) << 8 | u32::from(count));
        }
    }
}

/// The LFU counter as of now: it loses one for every `decay_minutes` since it was last touched.
pub fn lfu_count(clock: u32, now: UnixMillis, decay_minutes: u32) -> u8 {
    let elapsed = lfu_minutes(now).wrapping_sub(clock >> 8) & 0xffff;
    let periods = elapsed.checked_div(decay_minutes).unwrap_or(0);
    (clock & 0xff).saturating_sub(periods) as u8
}

/// The LFU counter grows with probability 1 / ((count - initial) * factor + 1). `random` is in 0..1.
fn lfu_increment(count: u8, log_factor: u32, random: f64) -> u8 {
    let base = u32::from(count).saturating_sub(LFU_INITIAL);
    let probability = 1.0 / (f64::from(base) * f64::from(log_factor) + 1.0);
    if count < 255 && random < probability {
        count + 1
    } else {
        count
    }
}

fn xorshift(state: &mut u64) -> impl FnMut() -> u64 {
    if *state == 0 {
        *state = 0x9e37_79b9_7f4a_7c15;
    }
    move || {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}
