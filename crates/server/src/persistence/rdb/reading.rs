//! Reading an RDB file on another thread than the data's, which gets batches of entries that it only has to insert.

use crate::replication::Point;
use front::UnixMillis;
use std::fmt;
use std::io::Read;
use std::time::Duration;
use store::entry::Entry;
use store::rdb::LoadError;
use store::rdb::load::{Checksum, Item, LoadSettings, Loader};

/// How a file is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadSettings {
    pub(crate) values: LoadSettings,
    /// Compare the checksum at the end.
    pub(crate) check: bool,
    /// Leave out entries that expired before this. None keeps them: what follows may speak of them, or a master.
    pub(crate) expired_before: Option<UnixMillis>,
    /// How long to rest after each key, for tests of slow loads.
    pub(crate) key_delay: Duration,
}

/// Entries of one database.
pub(crate) struct Entries {
    pub(crate) db: u64,
    pub(crate) entries: Vec<Entry>,
    /// How much of the file was read to have them.
    pub(crate) offset: u64,
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self
            .entries
            .iter()
            .map(|entry| String::from_utf8_lossy(entry.key()));
        f.debug_list().entries(keys).finish()
    }
}

/// What a file told beside its entries.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) keys: u64,
    pub(crate) expired: u64,
    pub(crate) empty: u64,
    pub(crate) functions: Vec<Vec<u8>>,
    /// Those of `expired` that replicas may still have, by db: the data stands in a replication history.
    pub(crate) left_out: Vec<(u64, Box<[u8]>)>,
    /// Memory the data took where it was saved.
    pub(crate) used_memory: u64,
}

/// What the reading thread hands over.
pub(crate) enum Found {
    Entries(Entries),
    /// Told as soon as it is known.
    UsedMemory(u64),
    /// Where in a replication history the data stands.
    Point(Point),
}

/// Entries in a batch, unless they are large.
const BATCH_ENTRIES: usize = 1024;
/// Bytes of the file in a batch.
const BATCH_BYTES: u64 = 1 << 20;
/// So many keys without a value are named in the log.
const EMPTY_KEYS_NAMED: u64 = 10;

/// Reads a file to its end and hands over what it finds; `send` says whether anybody still wants it. Returns what was read
/// from the source but belongs to what follows, and where that starts.
///
/// # Errors
/// Where and why the file cannot be read.
pub(crate) fn read<R: Read>(
    source: R,
    settings: ReadSettings,
    mut send: impl FnMut(Found) -> bool,
) -> Result<(Report, u64, Vec<u8>, R), Box<LoadError>> {
    let mut loader = Loader::new(source, settings.values, settings.check);
    let mut report = Report::default();
    let mut batch = Batch::default();
    let mut point = (None, None, 0);
    while let Some(item) = loader.next_item()? {
        match item {
            Item::Entry(entry) => {
                if !settings.key_delay.is_zero() {
                    std::thread::sleep(settings.key_delay);
                }
                let expired = settings
                    .expired_before
                    .is_some_and(|now| entry.expiry().is_some_and(|at| at < now));
                if expired {
                    report.expired += 1;
                    if point.0.is_some() {
                        report.left_out.push((batch.db, entry.key().into()));
                    }
                    continue;
                }
                report.keys += 1;
                batch.entries.push(entry);
                let offset = loader.offset();
                let full = batch.entries.len() >= BATCH_ENTRIES || offset >= batch.due;
                if full && !batch.hand_over(offset, &mut send) {
                    break;
                }
            }
            Item::SelectDb(db) => {
                if !batch.hand_over(loader.offset(), &mut send) {
                    break;
                }
                batch.db = db;
            }
            Item::Empty { key, .. } => {
                report.empty += 1;
                if report.empty <= EMPTY_KEYS_NAMED {
                    front::log_notice!(
                        "rdbLoadObject skipping empty key: {}",
                        String::from_utf8_lossy(&key)
                    );
                }
            }
            Item::Function(code) => report.functions.push(code),
            Item::Aux { name, value } => {
                if let Some(bytes) = tell_aux(&name, &value, settings.values.access.now) {
                    report.used_memory = bytes;
                    send(Found::UsedMemory(bytes));
                }
                let text = String::from_utf8_lossy(&value);
                match name.as_slice() {
                    b"repl-id" => point.0 = Some(text.into_owned()),
                    b"repl-offset" => point.1 = text.parse().ok(),
                    b"repl-stream-db" => point.2 = text.parse().unwrap_or(0),
                    _ => {}
                }
            }
            // Tables grow without a pause: they need no hint. What belongs to modules is refused, not passed over.
            Item::ResizeDb { .. } | Item::ModuleAux { .. } | Item::ModuleValue { .. } => {}
        }
    }
    batch.hand_over(loader.offset(), &mut send);
    if let (Some(id), Some(offset), db) = point {
        send(Found::Point(Point {
            id,
            offset,
            db,
            replicas: 0,
        }));
    }
    if loader.checksum() == Some(Checksum::Disabled) {
        front::log_notice!("RDB file was saved with checksum disabled: no check performed.");
    }
    let offset = loader.offset();
    let (rest, source) = loader.into_source();
    Ok((report, offset, rest, source))
}

#[derive(Default)]
struct Batch {
    db: u64,
    entries: Vec<Entry>,
    /// The offset from which on it is large.
    due: u64,
}

impl Batch {
    fn hand_over(&mut self, offset: u64, send: &mut impl FnMut(Found) -> bool) -> bool {
        self.due = offset + BATCH_BYTES;
        if self.entries.is_empty() {
            return true;
        }
        send(Found::Entries(Entries {
            db: self.db,
            entries: std::mem::take(&mut self.entries),
            offset,
        }))
    }
}

/// Logs what a file says about itself, as Redis does. Returns the memory its data took, if that is what it says.
fn tell_aux(name: &[u8], value: &[u8], now: UnixMillis) -> Option<u64> {
    let text = String::from_utf8_lossy(value);
    let number = text.parse::<i64>().unwrap_or(0);
    match name {
        [b'%', ..] => front::log_notice!("RDB '{}': {text}", String::from_utf8_lossy(name)),
        b"redis-ver" => front::log_notice!("Loading RDB produced by version {text}"),
        b"ctime" => {
            let age = (now / 1000).saturating_sub(number).max(0);
            front::log_notice!("RDB age {age} seconds");
        }
        b"used-mem" => {
            let megabytes = number as f64 / f64::from(1 << 20);
            front::log_notice!("RDB memory usage when created {megabytes:.2} Mb");
            return Some(number.unsigned_abs());
        }
        b"aof-base" | b"aof-preamble" if number != 0 => front::log_notice!("RDB is base AOF"),
        _ => {}
    }
    None
}
