//! Reading a file: one item after the other from a source of bytes, on any thread. Who loads decides what an item means:
//! which expired entries to keep, what to do with two of the same key.

use super::error::LoadErrorKind;
use super::format::{Form, MAGIC, NEWEST_VERSION_READ, Opcode};
use super::load_value::{module_name, read_value};
use super::reader::{Reader, Result};
use crate::db::{Access, KnownUse};
use crate::entry::{Entry, UnixMillis};
use crate::value::{HashLimits, SortedSetLimits};
use std::io::Read;

/// Files before this version end without a checksum.
const FIRST_VERSION_WITH_CHECKSUM: u32 = 5;

/// How values are to be kept, from the configuration.
#[derive(Clone, Copy, Debug)]
pub struct LoadSettings {
    pub hash: HashLimits,
    pub set_intset_max: usize,
    pub sorted_set: SortedSetLimits,
    pub list_fill: i32,
    pub list_compress: u32,
    /// The time, and what access clocks mean.
    pub access: Access,
}

/// One item of a file.
pub enum Item {
    /// What the file says about itself.
    Aux {
        name: Vec<u8>,
        value: Vec<u8>,
    },
    /// Entries that follow belong to this database.
    SelectDb(u64),
    /// How many entries this database has, and how many of them expire: a hint.
    ResizeDb {
        entries: u64,
        expiring: u64,
    },
    /// The source of a library of functions.
    Function(Vec<u8>),
    Entry(Entry),
    /// A collection without elements, which old bugs wrote: the key it would have.
    Empty {
        key: Vec<u8>,
        form: Form,
    },
    /// What a module kept beside the data, passed over.
    ModuleAux {
        name: String,
        /// Where it starts.
        offset: u64,
    },
    /// A value of a module's type, passed over.
    ModuleValue {
        expiry: Option<UnixMillis>,
    },
}

/// What is known of a file's checksum once its end was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// The version has none.
    Absent,
    /// It was saved without.
    Disabled,
    /// Nobody wanted to know.
    Unchecked,
    Right,
}

/// What is being read, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Start,
    Type,
    Expiry,
    Key,
    Value,
    Checksum,
    Length,
    Aux,
    ModuleAux,
    Function,
}

/// Reads a file; see the module.
pub struct Loader<R> {
    reader: Reader<R>,
    settings: LoadSettings,
    version: Option<u32>,
    step: Step,
    key: Vec<u8>,
    form: Option<Form>,
    checksum: Option<Checksum>,
    pass_over_modules: bool,
}

/// What stands before an entry's form.
#[derive(Default)]
struct Before {
    expiry: Option<UnixMillis>,
    known_use: Option<KnownUse>,
}

impl LoadSettings {
    /// The settings of a node without configuration, at a time.
    pub fn defaults(now: UnixMillis) -> LoadSettings {
        LoadSettings {
            hash: HashLimits {
                entries: 512,
                value: 64,
            },
            set_intset_max: 512,
            sorted_set: SortedSetLimits {
                entries: 128,
                value: 64,
            },
            list_fill: -2,
            list_compress: 0,
            access: Access {
                now,
                ..Access::default()
            },
        }
    }
}

impl<R: Read> Loader<R> {
    /// A loader of a file from its start; `check` its checksum at the end.
    pub fn new(source: R, settings: LoadSettings, check: bool) -> Loader<R> {
        Loader {
            reader: Reader::new(source, check),
            settings,
            version: None,
            step: Step::Start,
            key: Vec::new(),
            form: None,
            checksum: None,
            pass_over_modules: false,
        }
    }

    /// Passes over what only modules can read, instead of refusing it.
    pub fn passing_over_modules(mut self) -> Loader<R> {
        self.pass_over_modules = true;
        self
    }

    /// The next item; None at the end of the file, whose checksum is then known.
    ///
    /// # Errors
    /// When the bytes are not RDB, or stop. Nothing can be read after that.
    pub fn next_item(&mut self) -> Result<Option<Item>> {
        let version = match self.version {
            Some(version) => version,
            None => self.read_signature()?,
        };
        if self.checksum.is_some() {
            return Ok(None);
        }
        let mut before = Before::default();
        loop {
            self.form = None;
            self.step = Step::Type;
            let byte = self.reader.byte()?;
            let Some(opcode) = Opcode::from_byte(byte) else {
                return self.read_entry(byte, &before).map(Some);
            };
            match opcode {
                Opcode::ExpireTime => {
                    self.step = Step::Expiry;
                    let seconds = i32::from_le_bytes(self.reader.array()?);
                    before.expiry = Some(i64::from(seconds) * 1000);
                }
                Opcode::ExpireTimeMs => {
                    self.step = Step::Expiry;
                    before.expiry = Some(i64::from_le_bytes(self.reader.array()?));
                }
                Opcode::Freq => {
                    before.known_use = Some(KnownUse::Freq(self.reader.byte()?));
                }
                Opcode::Idle => {
                    before.known_use = Some(KnownUse::IdleSeconds(self.reader.length()?));
                }
                Opcode::SelectDb => {
                    self.step = Step::Length;
                    return Ok(Some(Item::SelectDb(self.reader.length()?)));
                }
                Opcode::ResizeDb => {
                    self.step = Step::Length;
                    return Ok(Some(Item::ResizeDb {
                        entries: self.reader.length()?,
                        expiring: self.reader.length()?,
                    }));
                }
                Opcode::Aux => {
                    self.step = Step::Aux;
                    return Ok(Some(Item::Aux {
                        name: self.reader.string()?,
                        value: self.reader.string()?,
                    }));
                }
                Opcode::Function2 => {
                    self.step = Step::Function;
                    return Ok(Some(Item::Function(self.reader.string()?)));
                }
                Opcode::FunctionPreGa => {
                    self.step = Step::Function;
                    return Err(self.reader.error(LoadErrorKind::FunctionPreGa));
                }
                Opcode::ModuleAux => {
                    self.step = Step::ModuleAux;
                    let name = module_name(self.reader.length()?);
                    if self.pass_over_modules {
                        // When it is to be loaded, before or after the data, in the form of a part.
                        self.reader.length()?;
                        self.reader.length()?;
                        let offset = self.reader.offset();
                        self.pass_over_parts()?;
                        return Ok(Some(Item::ModuleAux { name, offset }));
                    }
                    let value = false;
                    return Err(self.reader.error(LoadErrorKind::Module { name, value }));
                }
                Opcode::Eof => {
                    self.step = Step::Checksum;
                    self.checksum = Some(self.read_checksum(version)?);
                    return Ok(None);
                }
            }
        }
    }

    fn read_signature(&mut self) -> Result<u32> {
        let start: [u8; 9] = self.reader.array()?;
        let Some(digits) = start.strip_prefix(MAGIC) else {
            return Err(self.reader.error(LoadErrorKind::Signature));
        };
        // Anything but digits is a version nobody knows, as it is to Redis.
        let version = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(0);
        if !(1..=u32::from(NEWEST_VERSION_READ)).contains(&version) {
            return Err(self.reader.error(LoadErrorKind::Version(version)));
        }
        self.version = Some(version);
        Ok(version)
    }

    fn read_entry(&mut self, byte: u8, before: &Before) -> Result<Item> {
        let Some(form) = Form::from_byte(byte) else {
            return Err(self.reader.error(LoadErrorKind::UnknownForm(byte)));
        };
        self.form = Some(form);
        self.step = Step::Key;
        self.reader.string_into(&mut self.key)?;
        self.step = Step::Value;
        if self.pass_over_modules && form == Form::Module2 {
            self.reader.length()?;
            self.pass_over_parts()?;
            let expiry = before.expiry;
            return Ok(Item::ModuleValue { expiry });
        }
        let Some(value) = read_value(&mut self.reader, form, &self.settings)? else {
            let key = self.key.clone();
            return Ok(Item::Empty { key, form });
        };
        let entry = Entry::new(&self.key, value, before.expiry);
        entry.set_access(self.settings.access.clock_of_new(before.known_use));
        Ok(Item::Entry(entry))
    }

    /// The parts of a module's data, each with its kind before it, to their end.
    fn pass_over_parts(&mut self) -> Result<()> {
        const END: u64 = 0;
        const SIGNED: u64 = 1;
        const UNSIGNED: u64 = 2;
        const FLOAT: u64 = 3;
        const DOUBLE: u64 = 4;
        const STRING: u64 = 5;
        loop {
            match self.reader.length()? {
                END => return Ok(()),
                SIGNED | UNSIGNED => drop(self.reader.length()?),
                FLOAT => drop(self.reader.array::<4>()?),
                DOUBLE => drop(self.reader.array::<8>()?),
                STRING => drop(self.reader.string()?),
                _ => return Err(self.reader.corrupt("Unknown part of a module's data")),
            }
        }
    }

    fn read_checksum(&mut self, version: u32) -> Result<Checksum> {
        if version < FIRST_VERSION_WITH_CHECKSUM {
            return Ok(Checksum::Absent);
        }
        let expected = self.reader.checksum();
        let found = u64::from_le_bytes(self.reader.array()?);
        match expected {
            None => Ok(Checksum::Unchecked),
            Some(_) if found == 0 => Ok(Checksum::Disabled),
            Some(expected) if expected == found => Ok(Checksum::Right),
            // As Redis words it, the file's is the expected one.
            Some(computed) => Err(self.reader.error(LoadErrorKind::Checksum {
                expected: found,
                found: computed,
            })),
        }
    }

    /// How many bytes were read.
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// What was read last, or was being read when an error came.
    pub fn step(&self) -> Step {
        self.step
    }

    /// The key of the entry read last.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The form of the entry that is being read.
    pub fn form(&self) -> Option<Form> {
        self.form
    }

    /// What is known of the checksum, once the end was read.
    pub fn checksum(&self) -> Option<Checksum> {
        self.checksum
    }

    /// Gives back the source, and what was read from it but belongs to what follows the RDB data.
    pub fn into_source(self) -> (Vec<u8>, R) {
        self.reader.into_source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::AccessPolicy;
    use crate::rdb::save::{Encoder, Finisher, Preamble, SavedUse};
    use crate::value::ValueRef;
    use proptest::prelude::*;

    const NOW: UnixMillis = 1_700_000_000_000;

    fn settings() -> LoadSettings {
        LoadSettings::defaults(NOW)
    }

    /// All items in words.
    fn items(file: &[u8]) -> std::result::Result<Vec<String>, String> {
        items_with(file, settings()).0
    }

    fn items_with(
        file: &[u8],
        settings: LoadSettings,
    ) -> (std::result::Result<Vec<String>, String>, Option<Checksum>) {
        let mut loader = Loader::new(file, settings, true);
        let mut items = Vec::new();
        loop {
            match loader.next_item() {
                Ok(Some(item)) => items.push(in_words(&item)),
                Ok(None) => return (Ok(items), loader.checksum()),
                Err(error) => return (Err(error.to_string()), None),
            }
        }
    }

    fn in_words(item: &Item) -> String {
        let text = String::from_utf8_lossy;
        match item {
            Item::Aux { name, value } => format!("{} is {}", text(name), text(value)),
            Item::SelectDb(db) => format!("db {db}"),
            Item::ResizeDb { entries, expiring } => format!("{entries} entries, {expiring} expire"),
            Item::Function(code) => format!("library {}", text(code)),
            Item::Empty { key, .. } => format!("{} is empty", text(key)),
            Item::ModuleAux { name, offset } => format!("data of {name} from {offset} on"),
            Item::ModuleValue { expiry } => format!("a module's value until {expiry:?}"),
            Item::Entry(entry) => {
                let ValueRef::String(string) = entry.value() else {
                    return format!("{} is no string", text(entry.key()));
                };
                let expiry = entry.expiry().map(|at| format!(" until {at}"));
                format!(
                    "{}={}{} used {}",
                    text(entry.key()),
                    text(&string.to_vec()),
                    expiry.unwrap_or_default(),
                    entry.access()
                )
            }
        }
    }

    fn file() -> Vec<u8> {
        let mut encoder = Encoder::new(true);
        encoder.preamble(&Preamble {
            redis_version: "7.0.15",
            unix_seconds: 1_700_000_000,
            used_memory: 1 << 20,
            replication: None,
            aof_base: true,
        });
        encoder.function(b"#!lua name=l\n...");
        encoder.select_db(0);
        encoder.resize_db(2, 1);
        let entry = Entry::string(b"a", b"1", Some(NOW + 5));
        entry.set_access(crate::db::lru_clock(NOW - 60_000));
        encoder.entry(&entry, SavedUse::Idle { now: NOW });
        let entry = Entry::string(b"b", &[b'x'; 50], None);
        entry.set_access(77);
        let decay_minutes = 0;
        let now = NOW;
        encoder.entry(&entry, SavedUse::Freq { now, decay_minutes });
        encoder.select_db(300);
        encoder.entry(&Entry::string(b"c", b"", None), SavedUse::None);
        encoder.eof();
        let mut finisher = Finisher::new(true);
        let mut file = finisher.finish(encoder.take());
        file.extend_from_slice(&finisher.checksum());
        file
    }

    #[test]
    fn a_file_gives_its_items_in_order() {
        let used = crate::db::lru_clock(NOW);
        let expected = [
            "redis-ver is 7.0.15".into(),
            "redis-bits is 64".into(),
            "ctime is 1700000000".into(),
            "used-mem is 1048576".into(),
            "aof-base is 1".into(),
            "library #!lua name=l\n...".into(),
            "db 0".into(),
            "2 entries, 1 expire".into(),
            format!("a=1 until {} used {}", NOW + 5, used - 60),
            format!("b={} used {used}", "x".repeat(50)),
            "db 300".into(),
            format!("c= used {used}"),
        ];
        let (items, checksum) = items_with(&file(), settings());
        assert_eq!(items.unwrap(), expected);
        assert_eq!(checksum, Some(Checksum::Right));
    }

    #[test]
    fn what_is_known_of_use_counts_if_the_policy_can_express_it() {
        let mut lfu = settings();
        lfu.access.policy = AccessPolicy::Lfu {
            log_factor: 10,
            decay_minutes: 1,
        };
        let minute = (NOW / 60_000) as u32 & 0xFFFF;
        let items = items_with(&file(), lfu).0.unwrap();
        assert!(items[8].ends_with(&format!(" used {}", minute << 8 | 5)));
        assert!(items[9].ends_with(&format!(" used {}", minute << 8 | 77)));
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_that_says_where() {
        let file = file();
        for len in 0..file.len() {
            let error = items(&file[..len]).unwrap_err();
            let offset: usize = error
                .strip_prefix("Unexpected EOF reading RDB file (offset ")
                .and_then(|rest| rest.strip_suffix(')'))
                .and_then(|offset| offset.parse().ok())
                .unwrap();
            assert!(offset <= len && offset + 60 > len, "{offset} of {len}");
        }
    }

    #[test]
    fn a_changed_byte_shows_in_the_checksum_if_nowhere_else() {
        let file = file();
        for at in 0..file.len() - 8 {
            let mut damaged = file.clone();
            damaged[at] ^= 0x20;
            assert!(items(&damaged).is_err(), "{at}");
        }
    }

    #[test]
    fn old_versions_have_seconds_and_no_checksum() {
        let file = b"REDIS0003\xfe\x00\xfd\x00\xf1\x53\x65\x00\x01k\x01v\xff";
        let (items, checksum) = items_with(file, settings());
        let used = crate::db::lru_clock(NOW);
        let expected = format!("k=v until {NOW} used {used}");
        assert_eq!(items.unwrap(), ["db 0", &expected]);
        assert_eq!(checksum, Some(Checksum::Absent));
    }

    #[test]
    fn a_checksum_of_zero_is_none() {
        let file = [&b"REDIS0009\xff"[..], &[0; 8]].concat();
        let (items, checksum) = items_with(&file, settings());
        assert_eq!(items.unwrap(), [""; 0]);
        assert_eq!(checksum, Some(Checksum::Disabled));
        let mut loader = Loader::new(&file[..], settings(), false);
        assert!(loader.next_item().unwrap().is_none());
        assert_eq!(loader.checksum(), Some(Checksum::Unchecked));
    }

    #[test]
    fn what_follows_the_end_is_given_back() {
        let file = [&file(), &b"*1\r\n"[..]].concat();
        let mut loader = Loader::new(&file[..], settings(), true);
        while loader.next_item().unwrap().is_some() {}
        assert!(loader.next_item().unwrap().is_none());
        let (mut rest, mut source) = loader.into_source();
        source.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"*1\r\n");
    }

    #[test]
    fn what_cannot_be_loaded_is_named() {
        let error = |file: &[u8]| items(file).unwrap_err();
        assert_eq!(
            error(b"RODIS0009\xff"),
            "Wrong signature trying to load DB from file (offset 9)"
        );
        for (digits, version) in [("0012", 12), ("9999", 9999), ("0000", 0), ("00x1", 0)] {
            let file = format!("REDIS{digits}......");
            let expected = format!("Can't handle RDB format version {version} (offset 9)");
            assert_eq!(error(file.as_bytes()), expected);
        }
        assert_eq!(
            error(b"REDIS0010\xf6"),
            "Pre-release function format not supported. (offset 10)"
        );
        assert_eq!(
            error(b"REDIS0010\x16\x01k"),
            "Unknown RDB encoding type 22 (offset 10)"
        );
        let id = [0x81, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(
            error(&[&b"REDIS0010\xf7"[..], &id].concat()),
            "The RDB file contains AUX module data I can't load: no matching module 'AAAAAAAAA' (offset 19)"
        );
        assert_eq!(
            error(&[&b"REDIS0010\x07\x01k"[..], &id].concat()),
            "The RDB file contains module data I can't load: no matching module type 'AAAAAAAAA' (offset 21)"
        );
    }

    #[test]
    fn what_modules_kept_can_be_passed_over() {
        let id = b"\x81\0\0\0\0\0\0\0\x01";
        let parts = b"\x01\x05\x02\x40\x60\x03abcd\x04abcdefgh\x05\x03abc\x00";
        let file = [
            &b"REDIS0003\xf7"[..],
            id,
            b"\x02\x05",
            parts,
            b"\x07\x01k",
            id,
            parts,
            b"\xff",
        ]
        .concat();
        let mut loader = Loader::new(&file[..], settings(), true).passing_over_modules();
        let mut next = || loader.next_item().unwrap().as_ref().map(in_words);
        assert_eq!(next().unwrap(), "data of AAAAAAAAA from 21 on");
        assert_eq!(next().unwrap(), "a module's value until None");
        assert_eq!(next(), None);
    }

    #[test]
    fn a_key_of_an_empty_collection_is_told_and_reading_goes_on() {
        let file = b"REDIS0003\x02\x01s\x00\x00\x01k\x01v\xff";
        let items = items(file).unwrap();
        assert_eq!(items[0], "s is empty");
        assert!(items[1].starts_with("k=v"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, at: prop::sample::Index) {
            let _ = items(&bytes);
            let _ = items(&[&b"REDIS0010"[..], &bytes].concat());
            let mut file = file();
            let at = at.index(file.len());
            let end = file.len().min(at + bytes.len());
            file[at..end].copy_from_slice(&bytes[..end - at]);
            let _ = items(&file);
        }
    }
}
