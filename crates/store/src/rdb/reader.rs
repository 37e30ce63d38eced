//! The small parts of the format, read from a source of bytes: integers, lengths, strings. Memory is taken as bytes
//! arrive, so what a length promises costs nothing.

use super::crc64::Crc64;
use super::error::{LoadError, LoadErrorKind};
use super::format::{
    LENGTH_14BIT, LENGTH_32BIT, LENGTH_64BIT, STRING_INT8, STRING_INT16, STRING_INT32, STRING_LZF,
};
use super::lzf;
use std::io::{self, Read};

/// Bytes asked of a source at once.
const BUFFER: usize = 64 * 1024;

/// The two leading bits of a first byte, and what the others then are.
const KIND_MASK: u8 = 0b11 << 6;

/// Reads the parts; see the module.
pub struct Reader<R> {
    source: R,
    buffer: Box<[u8]>,
    /// What is in the buffer and not taken yet.
    at: usize,
    end: usize,
    /// Where in the source the buffer starts.
    buffer_offset: u64,
    /// The checksum of all bytes before `summed` in the buffer; None when nobody will ask.
    crc: Option<Crc64>,
    summed: usize,
}

/// The first byte or bytes of a string: how long it is, or what it is instead.
enum StringHead {
    Plain(usize),
    Int(i64),
    Lzf,
}

/// Why a reader stopped.
pub type Result<T> = std::result::Result<T, LoadError>;

impl<R: Read> Reader<R> {
    /// A reader of a source; `checksum` to keep one.
    pub fn new(source: R, checksum: bool) -> Reader<R> {
        Reader::with_buffer(source, checksum, BUFFER)
    }

    /// As [`Reader::new`], for sources that are known to be short.
    pub fn with_buffer(source: R, checksum: bool, size: usize) -> Reader<R> {
        Reader {
            source,
            buffer: vec![0; size.clamp(16, BUFFER)].into(),
            at: 0,
            end: 0,
            buffer_offset: 0,
            crc: checksum.then(Crc64::new),
            summed: 0,
        }
    }

    /// How many bytes were taken.
    pub fn offset(&self) -> u64 {
        self.buffer_offset + self.at as u64
    }

    /// Gives back the source, and what was read from it but not taken.
    pub fn into_source(self) -> (Vec<u8>, R) {
        (self.buffer[self.at..self.end].to_vec(), self.source)
    }

    /// The checksum of all bytes taken, if one is kept.
    pub fn checksum(&mut self) -> Option<u64> {
        self.sum_up();
        self.crc.map(Crc64::value)
    }

    /// An error at this place.
    #[cold]
    pub fn error(&self, kind: LoadErrorKind) -> LoadError {
        LoadError {
            offset: self.offset(),
            kind,
        }
    }

    /// A contradiction at this place.
    #[cold]
    pub fn corrupt(&self, what: &'static str) -> LoadError {
        self.error(LoadErrorKind::Corrupt(what))
    }

    /// Whether the source has no more bytes.
    pub fn at_end(&mut self) -> Result<bool> {
        Ok(self.at == self.end && self.fill()? == 0)
    }

    #[inline]
    pub fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    /// The next `N` bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.ensure(N)?;
        let bytes = self.buffer[self.at..self.at + N]
            .try_into()
            .expect("the slice has N bytes");
        self.at += N;
        Ok(bytes)
    }

    /// A number of elements or bytes, where nothing else may stand.
    #[inline]
    pub fn length(&mut self) -> Result<u64> {
        let first = self.byte()?;
        match self.length_after(first)? {
            Some(len) => Ok(len),
            None => Err(self.corrupt("Length expected, but there is a special string")),
        }
    }

    /// The length that `first` starts; None if it starts a special string.
    #[inline]
    fn length_after(&mut self, first: u8) -> Result<Option<u64>> {
        Ok(Some(match first & KIND_MASK {
            0 => u64::from(first),
            LENGTH_14BIT => u64::from(first & !KIND_MASK) << 8 | u64::from(self.byte()?),
            LENGTH_32BIT => match first {
                LENGTH_32BIT => u64::from(u32::from_be_bytes(self.array()?)),
                LENGTH_64BIT => u64::from_be_bytes(self.array()?),
                _ => return Err(self.corrupt("Unknown length encoding")),
            },
            _ => return Ok(None),
        }))
    }

    fn string_head(&mut self) -> Result<StringHead> {
        let first = self.byte()?;
        if let Some(len) = self.length_after(first)? {
            // More than memory can address is more than any source has.
            return match usize::try_from(len) {
                Ok(len) if len <= isize::MAX as usize => Ok(StringHead::Plain(len)),
                _ => Err(self.error(LoadErrorKind::UnexpectedEnd)),
            };
        }
        Ok(match first {
            STRING_INT8 => StringHead::Int(i64::from(i8::from_le_bytes(self.array()?))),
            STRING_INT16 => StringHead::Int(i64::from(i16::from_le_bytes(self.array()?))),
            STRING_INT32 => StringHead::Int(i64::from(i32::from_le_bytes(self.array()?))),
            STRING_LZF => StringHead::Lzf,
            other => return Err(self.error(LoadErrorKind::UnknownString(other))),
        })
    }

    /// Puts the next string in place of what is in `out`. It is shorter than 4 GiB: no part of a value may be longer.
    pub fn string_into(&mut self, out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        match self.string_head()? {
            StringHead::Plain(len) => {
                self.check_string_len(len)?;
                self.append(out, len)
            }
            StringHead::Int(int) => {
                out.extend_from_slice(itoa::Buffer::new().format(int).as_bytes());
                Ok(())
            }
            StringHead::Lzf => {
                let compressed_len = self.length()?;
                let len = self.length()?;
                let mut compressed = Vec::new();
                let (Ok(compressed_len), Ok(len)) =
                    (usize::try_from(compressed_len), usize::try_from(len))
                else {
                    return Err(self.error(LoadErrorKind::UnexpectedEnd));
                };
                self.check_string_len(len)?;
                self.append(&mut compressed, compressed_len)?;
                *out = lzf::decompress(&compressed, len)
                    .map_err(|error| self.error(LoadErrorKind::Compression(error)))?;
                Ok(())
            }
        }
    }

    fn check_string_len(&self, len: usize) -> Result<()> {
        match u32::try_from(len) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.corrupt("Strings of 4 GiB and more are not supported")),
        }
    }

    /// The next string.
    pub fn string(&mut self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.string_into(&mut out)?;
        Ok(out)
    }

    /// Appends the next `len` bytes. If they are not all there, the error says where they start.
    pub fn append(&mut self, out: &mut Vec<u8>, len: usize) -> Result<()> {
        /// Room is made for this much at once, or for as much again as has arrived.
        const STEP: usize = 1 << 20;
        let start = self.offset();
        let short = || LoadError {
            offset: start,
            kind: LoadErrorKind::UnexpectedEnd,
        };
        let mut left = len;
        if left <= self.buffer.len() {
            out.reserve_exact(left);
        }
        loop {
            let here = left.min(self.end - self.at);
            out.extend_from_slice(&self.buffer[self.at..self.at + here]);
            self.at += here;
            left -= here;
            if left == 0 {
                return Ok(());
            }
            if left < self.buffer.len() {
                if self.fill()? == 0 {
                    return Err(short());
                }
                continue;
            }
            // Long strings come straight from the source.
            self.sum_up();
            self.buffer_offset += self.at as u64;
            (self.at, self.end, self.summed) = (0, 0, 0);
            let step = left.min(out.len().max(STEP));
            out.reserve_exact(step);
            let from = out.len();
            let read = (&mut self.source).take(step as u64).read_to_end(out);
            let arrived = &out[from..];
            if let Some(crc) = &mut self.crc {
                crc.update(arrived);
            }
            self.buffer_offset += arrived.len() as u64;
            left -= arrived.len();
            match read {
                Err(error) => return Err(self.error(LoadErrorKind::Io(error))),
                Ok(read) if read < step => {
                    return Err(short());
                }
                Ok(_) => {}
            }
        }
    }

    /// Has at least `len` bytes in the buffer, which is larger than that.
    #[inline]
    fn ensure(&mut self, len: usize) -> Result<()> {
        while self.end - self.at < len {
            if self.fill()? == 0 {
                return Err(self.error(LoadErrorKind::UnexpectedEnd));
            }
        }
        Ok(())
    }

    /// Reads more behind what is left in the buffer; how much.
    #[cold]
    fn fill(&mut self) -> Result<usize> {
        self.sum_up();
        self.buffer.copy_within(self.at..self.end, 0);
        self.buffer_offset += self.at as u64;
        self.end -= self.at;
        (self.at, self.summed) = (0, 0);
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(LoadErrorKind::Io(error))),
            }
        }
    }

    fn sum_up(&mut self) {
        if let Some(crc) = &mut self.crc {
            crc.update(&self.buffer[self.summed..self.at]);
        }
        self.summed = self.at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdb::crc64::crc64;
    use crate::rdb::save::Encoder;
    use proptest::prelude::*;

    /// A source that gives its bytes in small helpings.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let len = out.len().min(self.1);
            self.0.read(&mut out[..len])
        }
    }

    fn failure(bytes: &[u8]) -> String {
        let error = Reader::new(bytes, false).string().unwrap_err();
        error.to_string()
    }

    #[test]
    fn strings_that_promise_more_than_there_is_cost_nothing() {
        let huge = [&[LENGTH_32BIT], &[0xFF; 4][..], b"abc"].concat();
        assert_eq!(failure(&huge), "Unexpected EOF reading RDB file (offset 5)");
        let huger = [&[LENGTH_64BIT], &[0x7F; 8][..], b"abc"].concat();
        assert_eq!(
            failure(&huger),
            "Strings of 4 GiB and more are not supported (offset 9)"
        );
        let compressed = [&[STRING_LZF, 2, LENGTH_32BIT], &[0xFF; 4][..], &[0, b'a']].concat();
        assert_eq!(
            failure(&compressed),
            "Invalid LZF compressed string: invalid LZF stream at offset 2 (offset 9)"
        );
    }

    #[test]
    fn what_is_no_string_is_named() {
        assert_eq!(failure(&[]), "Unexpected EOF reading RDB file (offset 0)");
        assert_eq!(
            failure(&[0xC4]),
            "Unknown RDB string encoding type 4 (offset 1)"
        );
        assert_eq!(failure(&[0x82]), "Unknown length encoding (offset 1)");
        assert_eq!(
            failure(&[0xC1, 1]),
            "Unexpected EOF reading RDB file (offset 1)"
        );
        assert_eq!(
            failure(&[3, b'a', b'b']),
            "Unexpected EOF reading RDB file (offset 1)"
        );
    }

    #[test]
    fn what_was_not_taken_is_given_back() {
        let mut reader = Reader::new(&b"\x02abrest"[..], false);
        reader.string().unwrap();
        let (mut rest, mut source) = reader.into_source();
        source.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"rest");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn strings_written_are_strings_read_however_they_arrive(
            strings in prop::collection::vec(
                prop_oneof![
                    any::<i64>().prop_map(|int| int.to_string().into_bytes()),
                    any::<i16>().prop_map(|int| int.to_string().into_bytes()),
                    prop::collection::vec(any::<u8>(), 0..100),
                    (any::<u8>(), 0..200_000usize).prop_map(|(byte, len)| vec![byte; len]),
                ],
                0..8,
            ),
            compress: bool,
            helping in 1..5000usize,
        ) {
            let mut encoder = Encoder::new(compress);
            strings.iter().for_each(|string| encoder.string(string));
            let bytes = encoder.take().compress();
            let mut reader = Reader::new(Slow(&bytes, helping), true);
            for string in &strings {
                prop_assert_eq!(&reader.string().unwrap(), string);
            }
            prop_assert!(reader.at_end().unwrap());
            prop_assert_eq!(reader.offset(), bytes.len() as u64);
            prop_assert_eq!(reader.checksum(), Some(crc64(&bytes)));
        }
    }
}
