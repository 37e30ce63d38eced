//! Writing the format, in two steps so that the thread that owns the data does little: an [`Encoder`] lays out values,
//! copying strings as they are; a [`Finisher`], on a thread that has time, compresses the long ones and keeps the
//! checksum.
//!
//! A big collection may be written in slices: [`Encoder::entry_head`], [`Encoder::length`], then its elements one by one.

use super::crc64::Crc64;
use super::format::{
    Form, MAGIC, Opcode, STRING_INT8, STRING_INT16, STRING_INT32, STRING_LZF, VERSION, length_size,
    put_length,
};
use super::lzf;
use crate::db::{idle_seconds, lfu_count};
use crate::encoding::quicklist::{Container, NodeBytes};
use crate::entry::{Entry, UnixMillis};
use crate::int::parse_i64;
use crate::value::{Order, Ranked, StringRef, ValueRef};

/// Strings up to this many bytes are not worth compressing.
const COMPRESS_ABOVE: usize = 20;

/// The most digits and sign of an integer that a special string holds.
const INT_STRING_MAX: usize = 11;

/// Lays out the format's bytes; see the module.
pub struct Encoder {
    piece: Piece,
    compress: bool,
}

/// Bytes of the format whose long strings are not compressed yet.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Piece {
    pub bytes: Vec<u8>,
    /// Strings worth trying to compress, in order.
    long_strings: Vec<LongString>,
}

/// A string of `len` bytes, whose length prefix starts at `at`.
#[derive(Debug, PartialEq, Eq)]
struct LongString {
    at: usize,
    len: usize,
}

/// Which use of entries is written beside them: what the eviction policy will ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SavedUse {
    None,
    /// Seconds since the last use.
    Idle {
        now: UnixMillis,
    },
    /// The logarithmic counter.
    Freq {
        now: UnixMillis,
        decay_minutes: u32,
    },
}

/// What a file says about itself before the data.
#[derive(Clone, Copy, Debug)]
pub struct Preamble<'a> {
    /// The version of Redis the file is for.
    pub redis_version: &'a str,
    pub unix_seconds: i64,
    pub used_memory: u64,
    /// Where in a replication history the data stands.
    pub replication: Option<ReplicationPoint<'a>>,
    /// The file is the base of an append only file.
    pub aof_base: bool,
}

/// A place in a replication history.
#[derive(Clone, Copy, Debug)]
pub struct ReplicationPoint<'a> {
    /// The database that the stream has selected there.
    pub stream_db: u32,
    pub replid: &'a str,
    pub offset: u64,
}

impl Encoder {
    /// An encoder; `compress` (`rdbcompression`) has long strings noted for compression.
    pub fn new(compress: bool) -> Encoder {
        Encoder {
            piece: Piece::default(),
            compress,
        }
    }

    /// Bytes laid out since the last [`Encoder::take`].
    pub fn len(&self) -> usize {
        self.piece.bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.piece.bytes.is_empty()
    }

    /// Takes what was laid out. May be called between any two calls: pieces are finished one after the other.
    pub fn take(&mut self) -> Piece {
        std::mem::take(&mut self.piece)
    }

    // --- the frame of a file -------------------------------------------------------------------------------------

    /// The first bytes and what the file says about itself.
    pub fn preamble(&mut self, preamble: &Preamble<'_>) {
        self.piece.bytes.extend_from_slice(MAGIC);
        self.piece
            .bytes
            .extend_from_slice(format!("{VERSION:04}").as_bytes());
        let mut text = itoa::Buffer::new();
        self.aux("redis-ver", preamble.redis_version);
        self.aux("redis-bits", text.format(usize::BITS));
        self.aux("ctime", text.format(preamble.unix_seconds));
        self.aux("used-mem", text.format(preamble.used_memory));
        if let Some(point) = &preamble.replication {
            self.aux("repl-stream-db", text.format(point.stream_db));
            self.aux("repl-id", point.replid);
            self.aux("repl-offset", text.format(point.offset));
        }
        self.aux("aof-base", if preamble.aof_base { "1" } else { "0" });
    }

    fn aux(&mut self, name: &str, value: &str) {
        self.opcode(Opcode::Aux);
        self.string(name.as_bytes());
        self.string(value.as_bytes());
    }

    /// The source of one library of functions. Libraries come before the data.
    pub fn function(&mut self, code: &[u8]) {
        self.opcode(Opcode::Function2);
        self.string(code);
    }

    /// Entries that follow belong to this database.
    pub fn select_db(&mut self, db: u32) {
        self.opcode(Opcode::SelectDb);
        self.length(db as usize);
    }

    /// How many entries this database has, and how many of them expire: for the loader to make room.
    pub fn resize_db(&mut self, entries: usize, expiring: usize) {
        self.opcode(Opcode::ResizeDb);
        self.length(entries);
        self.length(expiring);
    }

    /// The end; [`Finisher::checksum`] follows.
    pub fn eof(&mut self) {
        self.opcode(Opcode::Eof);
    }

    // --- entries -------------------------------------------------------------------------------------------------

    /// A whole entry.
    pub fn entry(&mut self, entry: &Entry, saved_use: SavedUse) {
        let value = entry.value();
        self.entry_head(entry, form_of(value), saved_use);
        self.value(value);
    }

    /// All of an entry that comes before its value.
    pub fn entry_head(&mut self, entry: &Entry, form: Form, saved_use: SavedUse) {
        if let Some(at) = entry.expiry() {
            self.opcode(Opcode::ExpireTimeMs);
            self.piece.bytes.extend_from_slice(&at.to_le_bytes());
        }
        match saved_use {
            SavedUse::None => {}
            SavedUse::Idle { now } => {
                self.opcode(Opcode::Idle);
                self.length(idle_seconds(entry.access(), now) as usize);
            }
            SavedUse::Freq { now, decay_minutes } => {
                self.opcode(Opcode::Freq);
                let count = lfu_count(entry.access(), now, decay_minutes);
                self.piece.bytes.push(count);
            }
        }
        self.piece.bytes.push(form as u8);
        self.string(entry.key());
    }

    /// A value with its form before it, as DUMP has it.
    pub fn form_and_value(&mut self, value: ValueRef<'_>) {
        self.piece.bytes.push(form_of(value) as u8);
        self.value(value);
    }

    /// A value in the form that [`form_of`] says.
    pub fn value(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::String(StringRef::Bytes(bytes)) => self.string(bytes),
            ValueRef::String(StringRef::Int(int)) => self.int_string(int),
            ValueRef::List(list) => {
                let nodes = list.items.nodes();
                self.length(nodes.len());
                nodes.for_each(|(container, bytes)| self.list_node(container, bytes));
            }
            ValueRef::Set(set) => match set.intset() {
                Some(intset) => self.string(intset.as_bytes()),
                None => {
                    self.length(set.len());
                    set.for_each(|member| self.string(member));
                }
            },
            ValueRef::Hash(hash) => match hash.listpack() {
                Some(listpack) => self.string(listpack.as_bytes()),
                None => {
                    self.length(hash.len());
                    hash.for_each(|field, value| self.hash_field(field, value));
                }
            },
            ValueRef::SortedSet(sorted_set) => match sorted_set.listpack() {
                Some(listpack) => self.string(listpack.as_bytes()),
                None => {
                    self.length(sorted_set.len());
                    let mut digits = itoa::Buffer::new();
                    for Ranked { member, score } in
                        sorted_set.iter_ranks(0..sorted_set.len(), Order::Descending)
                    {
                        self.sorted_set_member(member.as_bytes(&mut digits), score);
                    }
                }
            },
            ValueRef::Stream(stream) => super::stream::save(self, stream),
        }
    }

    // --- elements of collections written in slices -----------------------------------------------------------------

    /// A number of elements, or of bytes.
    #[inline]
    pub fn length(&mut self, len: usize) {
        put_length(&mut self.piece.bytes, len as u64);
    }

    /// A field of [`Form::Hash`].
    #[inline]
    pub fn hash_field(&mut self, field: &[u8], value: &[u8]) {
        self.string(field);
        self.string(value);
    }

    /// A member of [`Form::SortedSet2`]. The order does not matter to readers; Redis writes the greatest first.
    #[inline]
    pub fn sorted_set_member(&mut self, member: &[u8], score: f64) {
        self.string(member);
        self.piece.bytes.extend_from_slice(&score.to_le_bytes());
    }

    /// A node of [`Form::ListQuicklist2`].
    pub fn list_node(&mut self, container: Container, bytes: NodeBytes<'_>) {
        self.length(container as usize);
        match bytes {
            NodeBytes::Raw(bytes) => self.string(bytes),
            // What memory holds compressed, the file does too.
            NodeBytes::Lzf { compressed, len } => put_lzf(&mut self.piece.bytes, compressed, len),
        }
    }

    /// A string: a member of [`Form::Set`], or any other part of the format that is one.
    #[inline]
    pub fn string(&mut self, bytes: &[u8]) {
        if bytes.len() <= INT_STRING_MAX
            && let Some(int) = parse_i64(bytes)
            && let Ok(int) = i32::try_from(int)
        {
            return put_int(&mut self.piece.bytes, int);
        }
        if self.compress && bytes.len() > COMPRESS_ABOVE {
            self.piece.long_strings.push(LongString {
                at: self.piece.bytes.len(),
                len: bytes.len(),
            });
        }
        self.length(bytes.len());
        self.piece.bytes.extend_from_slice(bytes);
    }

    fn int_string(&mut self, int: i64) {
        match i32::try_from(int) {
            Ok(int) => put_int(&mut self.piece.bytes, int),
            Err(_) => self.string(itoa::Buffer::new().format(int).as_bytes()),
        }
    }

    /// Bytes as they are, for forms that have fields of a fixed size.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.piece.bytes.extend_from_slice(bytes);
    }

    #[inline]
    fn opcode(&mut self, opcode: Opcode) {
        self.piece.bytes.push(opcode as u8);
    }
}

impl Piece {
    /// The final bytes: long strings compressed where that saves something.
    pub fn compress(self) -> Vec<u8> {
        if self.long_strings.is_empty() {
            return self.bytes;
        }
        let mut out = Vec::with_capacity(self.bytes.len());
        let mut done = 0;
        for LongString { at, len } in self.long_strings {
            let start = at + length_size(len as u64);
            let Some(compressed) = lzf::compress(&self.bytes[start..start + len]) else {
                continue;
            };
            out.extend_from_slice(&self.bytes[done..at]);
            put_lzf(&mut out, &compressed, len);
            done = start + len;
        }
        out.extend_from_slice(&self.bytes[done..]);
        out
    }
}

/// Turns pieces into a file's bytes, in order.
#[derive(Default)]
pub struct Finisher {
    /// None when `rdbchecksum` is off.
    crc: Option<Crc64>,
}

impl Finisher {
    /// `checksum` as `rdbchecksum` says.
    pub fn new(checksum: bool) -> Finisher {
        Finisher {
            crc: checksum.then(Crc64::new),
        }
    }

    /// The next piece's final bytes.
    pub fn finish(&mut self, piece: Piece) -> Vec<u8> {
        let bytes = piece.compress();
        if let Some(crc) = &mut self.crc {
            crc.update(&bytes);
        }
        bytes
    }

    /// What follows [`Encoder::eof`]; zero tells readers that there is no checksum.
    pub fn checksum(&self) -> [u8; 8] {
        self.crc.map_or(0, Crc64::value).to_le_bytes()
    }
}

/// The form in which a value is written whole.
pub fn form_of(value: ValueRef<'_>) -> Form {
    match value {
        ValueRef::String(_) => Form::String,
        ValueRef::List(_) => Form::ListQuicklist2,
        ValueRef::Set(set) if set.intset().is_some() => Form::SetIntset,
        ValueRef::Set(_) => Form::Set,
        ValueRef::Hash(hash) if hash.listpack().is_some() => Form::HashListpack,
        ValueRef::Hash(_) => Form::Hash,
        ValueRef::SortedSet(set) if set.listpack().is_some() => Form::SortedSetListpack,
        ValueRef::SortedSet(_) => Form::SortedSet2,
        ValueRef::Stream(_) => Form::StreamListpacks2,
    }
}

#[inline]
fn put_int(out: &mut Vec<u8>, int: i32) {
    if let Ok(int) = i8::try_from(int) {
        out.extend_from_slice(&[STRING_INT8, int as u8]);
    } else if let Ok(int) = i16::try_from(int) {
        out.push(STRING_INT16);
        out.extend_from_slice(&int.to_le_bytes());
    } else {
        out.push(STRING_INT32);
        out.extend_from_slice(&int.to_le_bytes());
    }
}

fn put_lzf(out: &mut Vec<u8>, compressed: &[u8], len: usize) {
    out.push(STRING_LZF);
    put_length(out, compressed.len() as u64);
    put_length(out, len as u64);
    out.extend_from_slice(compressed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdb::crc64::crc64;
    use crate::value::{Hash, HashLimits, List, Set, SortedSet, SortedSetLimits};

    fn file_of(build: impl FnOnce(&mut Encoder)) -> Vec<u8> {
        let mut encoder = Encoder::new(true);
        build(&mut encoder);
        let mut finisher = Finisher::new(true);
        let mut file = finisher.finish(encoder.take());
        file.extend_from_slice(&finisher.checksum());
        file
    }

    fn dumped(value: ValueRef<'_>) -> Vec<u8> {
        let payload = crate::rdb::dump::dump(value, true);
        payload[..payload.len() - 10].to_vec()
    }

    #[test]
    fn a_file_says_what_it_is_then_its_entries_then_its_checksum() {
        let entry = Entry::string(b"b", b"foo", Some(0x01a2_0bf2_7f79));
        entry.set_access(5);
        let file = file_of(|encoder| {
            encoder.preamble(&Preamble {
                redis_version: "7.0.15",
                unix_seconds: 0x6b05_1adf,
                used_memory: 0x0010_3f00,
                replication: None,
                aof_base: false,
            });
            encoder.select_db(3);
            encoder.resize_db(3, 1);
            let now = 5 * 60_000;
            encoder.entry(
                &entry,
                SavedUse::Freq {
                    now,
                    decay_minutes: 1,
                },
            );
            encoder.eof();
        });
        let (body, checksum) = file.split_at(file.len() - 8);
        // As redis-server 7.0.15 wrote it; the access clock is that of minute 0.
        assert_eq!(
            body,
            b"REDIS0010\xfa\x09redis-ver\x067.0.15\xfa\x0aredis-bits\xc0\x40\xfa\x05ctime\xc2\xdf\x1a\x05\x6b\
              \xfa\x08used-mem\xc2\x00\x3f\x10\x00\xfa\x08aof-base\xc0\x00\xfe\x03\xfb\x03\x01\
              \xfc\x79\x7f\xf2\x0b\xa2\x01\x00\x00\xf9\x00\x00\x01b\x03foo\xff"
        );
        assert_eq!(checksum, crc64(body).to_le_bytes());
    }

    #[test]
    fn idle_time_comes_between_expiry_and_value() {
        let entry = Entry::string(b"k", b"v", None);
        entry.set_access(100);
        let mut encoder = Encoder::new(true);
        encoder.entry(&entry, SavedUse::Idle { now: 170_000 });
        assert_eq!(encoder.take().compress(), b"\xf8\x40\x46\x00\x01k\x01v");
    }

    #[test]
    fn texts_that_are_small_integers_become_binary_and_others_stay_text() {
        let string = |text: &str| {
            let mut encoder = Encoder::new(true);
            encoder.string(text.as_bytes());
            encoder.take().compress()
        };
        assert_eq!(string("-128"), [0xC0, 0x80]);
        assert_eq!(string("128"), [0xC1, 128, 0]);
        assert_eq!(string("-32769"), [0xC2, 0xFF, 0x7F, 0xFF, 0xFF]);
        assert_eq!(string("2147483648"), b"\x0a2147483648");
        assert_eq!(string("01"), b"\x0201");
        let int = dumped(ValueRef::String(StringRef::Int(-2_147_483_649)));
        assert_eq!(int, b"\x00\x0b-2147483649");
    }

    #[test]
    fn long_strings_are_compressed_only_by_the_second_step_and_only_if_it_helps() {
        let run = [b'a'; 100];
        let mut random = [0u8; 100];
        let mut state = 1u32;
        for byte in &mut random {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8;
        }
        for compress in [true, false] {
            let mut encoder = Encoder::new(compress);
            encoder.string(&run);
            encoder.string(&random);
            encoder.string(&run);
            let piece = encoder.take();
            assert_eq!(piece.bytes.len(), 3 * 102);
            let bytes = piece.compress();
            let plain = |bytes: &[u8]| [b"\x40\x64", bytes].concat();
            let run = if compress {
                let shorter = lzf::compress(&run).expect("a run shrinks");
                [&[0xC3, shorter.len() as u8, 0x40, 0x64], &*shorter].concat()
            } else {
                plain(&run)
            };
            assert_eq!(bytes, [&*run, &plain(&random), &run].concat());
        }
    }

    #[test]
    fn a_collection_in_slices_is_the_same_as_in_one_piece() {
        let limits = HashLimits {
            entries: 0,
            value: 64,
        };
        let mut hash = Hash::default();
        for n in 0..100 {
            hash.set(format!("field{n}").as_bytes(), &[b'v'; 30], limits);
        }
        let whole = dumped(ValueRef::Hash(&hash));
        let mut encoder = Encoder::new(true);
        let mut finisher = Finisher::new(true);
        let mut sliced = vec![Form::Hash as u8];
        encoder.length(hash.len());
        hash.for_each(|field, value| {
            encoder.hash_field(field, value);
            sliced.extend(finisher.finish(encoder.take()));
        });
        assert_eq!(sliced, whole);
        assert_eq!(finisher.checksum(), crc64(&whole[1..]).to_le_bytes());
    }

    #[test]
    fn each_form_in_memory_has_its_form_in_the_file() {
        let mut list = List::new(-2, 0);
        list.items.push_back(b"a");
        let listpack = b"\x0a\0\0\0\x01\0\x81a\x02\xff";
        assert_eq!(
            dumped(ValueRef::List(&list)),
            [b"\x12\x01\x02\x0a".as_slice(), listpack].concat()
        );
        let mut set = Set::default();
        set.add(b"7", 512);
        assert_eq!(
            dumped(ValueRef::Set(&set)),
            b"\x0b\x0a\x02\0\0\0\x01\0\0\0\x07\0"
        );
        set.add(b"word", 512);
        assert_eq!(dumped(ValueRef::Set(&set)), b"\x02\x02\xc0\x07\x04word");
        let mut hash = Hash::default();
        hash.set(
            b"f",
            b"1",
            HashLimits {
                entries: 9,
                value: 64,
            },
        );
        assert_eq!(
            dumped(ValueRef::Hash(&hash)),
            b"\x10\x0c\x0c\0\0\0\x02\0\x81f\x02\x01\x01\xff"
        );
        hash.set(
            b"g",
            b"1",
            HashLimits {
                entries: 1,
                value: 64,
            },
        );
        assert_eq!(dumped(ValueRef::Hash(&hash))[..2], [4, 2]);
        let limits = |entries| SortedSetLimits { entries, value: 64 };
        let mut zset = SortedSet::default();
        zset.insert(b"m", 1.0, limits(1));
        assert_eq!(
            dumped(ValueRef::SortedSet(&zset)),
            b"\x11\x0c\x0c\0\0\0\x02\0\x81m\x02\x01\x01\xff"
        );
        zset.insert(b"n", 1.5, limits(1));
        assert_eq!(
            dumped(ValueRef::SortedSet(&zset)),
            b"\x05\x02\x01n\0\0\0\0\0\0\xf8\x3f\x01m\0\0\0\0\0\0\xf0\x3f"
        );
    }
}
