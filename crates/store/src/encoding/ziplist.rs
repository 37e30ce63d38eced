//! The ziplist, which listpacks replaced in Redis 7.0: only read here, from older files and payloads.
//!
//! ```text
//! | total bytes u32 LE | offset of the last entry u32 LE | entries u16 LE | entry … entry | 0xFF |
//! entry: | bytes of the entry before it: u8, or 0xFE and u32 LE | encoding | text |
//! ```
//!
//! The count saturates at 65535, which means "count them".

use super::listpack::Item;

const HEADER: usize = 10;
const END: u8 = 0xFF;
const COUNT_UNKNOWN: u16 = u16::MAX;

/// The length of the entry before takes four more bytes.
const LONG_BEFORE: u8 = 0xFE;

/// Bytes that are not a ziplist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZiplistError {
    /// Where the first contradiction was seen.
    pub offset: usize,
}

/// Shows every element, having checked all that comes before it: known encoding, in bounds, and the length of the entry
/// before as it was. What the header says is checked first and last.
pub fn read<'a>(bytes: &'a [u8], mut visit: impl FnMut(Item<'a>)) -> Result<(), ZiplistError> {
    let fail = |offset| Err(ZiplistError { offset });
    let Some((header, _)) = bytes.split_at_checked(HEADER) else {
        return fail(bytes.len());
    };
    let total = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
    let last = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
    let count = u16::from_le_bytes([header[8], header[9]]);
    if total != bytes.len() {
        return fail(0);
    }
    let end = bytes.len() - 1;
    if end < HEADER || bytes[end] != END {
        return fail(end);
    }
    let (mut at, mut before, mut seen) = (HEADER, 0, 0usize);
    while at < end {
        let Some((item, len)) = entry(&bytes[at..end], before) else {
            return fail(at);
        };
        visit(item);
        before = len;
        at += len;
        seen += 1;
    }
    // An empty one says that its last entry is where the first would be.
    if last != at - before {
        return fail(4);
    }
    match count {
        COUNT_UNKNOWN => Ok(()),
        count if usize::from(count) == seen => Ok(()),
        _ => fail(8),
    }
}

/// The element that `bytes` start with, and how long its entry is; None unless it says that the entry before has
/// `before` bytes and ends in bounds.
fn entry(bytes: &[u8], before: usize) -> Option<(Item<'_>, usize)> {
    let (stated, rest) = match bytes.split_first()? {
        (&END, _) => return None,
        (&LONG_BEFORE, rest) => {
            let (len, rest) = rest.split_first_chunk::<4>()?;
            (u32::from_le_bytes(*len) as usize, rest)
        }
        (&len, rest) => (usize::from(len), rest),
    };
    if stated != before {
        return None;
    }
    let (item, rest) = element(rest)?;
    Some((item, bytes.len() - rest.len()))
}

/// The element behind an encoding byte, and what follows it.
fn element(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (&encoding, rest) = bytes.split_first()?;
    fn text(bytes: &[u8], len: usize) -> Option<(Item<'_>, &[u8])> {
        let (text, rest) = bytes.split_at_checked(len)?;
        Some((Item::Str(text), rest))
    }
    /// An integer of `N` bytes.
    fn int<const N: usize>(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
        let (int, rest) = bytes.split_first_chunk::<N>()?;
        let mut wide = [0; 8];
        wide[8 - N..].copy_from_slice(int);
        Some((Item::Int(i64::from_le_bytes(wide) >> (64 - 8 * N)), rest))
    }
    match encoding {
        0..0x40 => text(rest, usize::from(encoding)),
        0x40..0x80 => {
            let (&low, rest) = rest.split_first()?;
            text(rest, usize::from(encoding & 0x3F) << 8 | usize::from(low))
        }
        0x80..0xC0 => {
            let (len, rest) = rest.split_first_chunk::<4>()?;
            text(rest, u32::from_be_bytes(*len) as usize)
        }
        0xC0 => int::<2>(rest),
        0xD0 => int::<4>(rest),
        0xE0 => int::<8>(rest),
        0xF0 => int::<3>(rest),
        0xFE => int::<1>(rest),
        // Zero to twelve.
        0xF1..=0xFD => Some((Item::Int(i64::from(encoding & 0x0F) - 1), rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(bytes: &[u8]) -> Result<Vec<String>, usize> {
        let mut texts = Vec::new();
        read(bytes, |item| {
            texts.push(String::from_utf8_lossy(&item.to_vec()).into_owned());
        })
        .map_err(|error| error.offset)?;
        Ok(texts)
    }

    /// The ziplist of entries in encoded form, without the lengths before them.
    fn ziplist(entries: &[&[u8]]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        let (mut before, mut last) = (0u32, HEADER);
        for entry in entries {
            last = bytes.len();
            if before < 254 {
                bytes.push(before as u8);
            } else {
                bytes.push(LONG_BEFORE);
                bytes.extend_from_slice(&before.to_le_bytes());
            }
            bytes.extend_from_slice(entry);
            before = (bytes.len() - last) as u32;
        }
        bytes.push(END);
        let total = bytes.len() as u32;
        bytes[..4].copy_from_slice(&total.to_le_bytes());
        bytes[4..8].copy_from_slice(&(last as u32).to_le_bytes());
        bytes[8..10].copy_from_slice(&(entries.len() as u16).to_le_bytes());
        bytes
    }

    #[test]
    fn every_encoding_is_read() {
        let medium = [&[0x41, 0x2C][..], &[b'm'; 300]].concat();
        let long = [&[0x80, 0, 0, 0x40, 0][..], &[b'l'; 0x4000]].concat();
        let bytes = ziplist(&[
            b"\x03abc",
            &medium,
            &long,
            &[0xFE, 0x80],
            &[0xC0, 0, 0x80],
            &[0xF0, 0xFF, 0xFF, 0xFF],
            &[0xD0, 1, 0, 0, 0],
            &[0xE0, 0, 0, 0, 0, 0, 0, 0, 0x80],
            &[0xF1],
            &[0xFD],
        ]);
        let texts = texts(&bytes).unwrap();
        assert_eq!(texts[0], "abc");
        assert_eq!(texts[1], "m".repeat(300));
        assert_eq!(texts[2], "l".repeat(0x4000));
        assert_eq!(
            texts[3..],
            [
                "-128",
                "-32768",
                "-1",
                "1",
                "-9223372036854775808",
                "0",
                "12"
            ]
        );
        assert_eq!(super::tests::texts(&ziplist(&[])), Ok(vec![]));
    }

    #[test]
    fn contradictions_are_found_where_they_are() {
        let good = ziplist(&[b"\x01a", b"\x01b"]);
        let broken = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            texts(&bytes).unwrap_err()
        };
        assert_eq!(texts(&good[..5]), Err(5));
        assert_eq!(broken(0, 99), 0);
        assert_eq!(broken(4, 10), 4);
        assert_eq!(broken(8, 3), 8);
        assert_eq!(broken(11, 9), 10);
        assert_eq!(broken(13, 4), 13);
        assert_eq!(broken(14, 0xFF), 13);
        assert_eq!(broken(16, 0), 16);
        let mut empty = ziplist(&[]);
        empty[4] = 0;
        assert_eq!(texts(&empty), Err(4));
    }

    proptest! {
        #[test]
        fn damaged_bytes_are_read_or_refused_but_never_panic(
            texts in prop::collection::vec("[a-z]{0,20}", 0..6),
            at: prop::sample::Index,
            byte: u8,
        ) {
            let entries: Vec<Vec<u8>> = texts
                .iter()
                .map(|text| [&[text.len() as u8], text.as_bytes()].concat())
                .collect();
            let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
            let mut bytes = ziplist(&entries);
            prop_assert_eq!(super::tests::texts(&bytes), Ok(texts));
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = super::tests::texts(&bytes);
            let _ = super::tests::texts(&bytes[..at]);
        }
    }
}
