//! The zipmap, the small hash of Redis before 2.6: only read here, from old files and payloads.
//!
//! ```text
//! | fields u8, 254 for "count them" | length field | length free value free bytes | … | 0xFF |
//! length: u8 up to 253, or 254 and u32 LE
//! ```

const END: u8 = 0xFF;
const COUNT_UNKNOWN: u8 = 254;
const LONG: u8 = 254;

/// Bytes that are not a zipmap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZipmapError {
    /// Where the first contradiction was seen.
    pub offset: usize,
}

/// Shows every field and value, having checked all that comes before them. There is at least one.
pub fn read<'a>(
    bytes: &'a [u8],
    mut visit: impl FnMut(&'a [u8], &'a [u8]),
) -> Result<(), ZipmapError> {
    let fail = |offset| Err(ZipmapError { offset });
    let [count, entries @ .., END] = bytes else {
        return fail(0);
    };
    let (mut rest, mut seen) = (entries, 0usize);
    while !rest.is_empty() {
        let Some((field, value, behind)) = entry(rest) else {
            return fail(1 + entries.len() - rest.len());
        };
        visit(field, value);
        rest = behind;
        seen += 1;
    }
    if seen == 0 || (*count != COUNT_UNKNOWN && usize::from(*count) != seen) {
        return fail(0);
    }
    Ok(())
}

/// The field and value that `bytes` start with, and what follows.
fn entry(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (len, rest) = length(bytes)?;
    let (field, rest) = rest.split_at_checked(len)?;
    let (len, rest) = length(rest)?;
    let (&free, rest) = rest.split_first()?;
    let (value, rest) = rest.split_at_checked(len)?;
    let (_, rest) = rest.split_at_checked(usize::from(free))?;
    Some((field, value, rest))
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes.split_first()? {
        (&END, _) => None,
        (&LONG, rest) => {
            let (len, rest) = rest.split_first_chunk::<4>()?;
            Some((u32::from_le_bytes(*len) as usize, rest))
        }
        (&len, rest) => Some((usize::from(len), rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(bytes: &[u8]) -> Result<Vec<String>, usize> {
        let mut pairs = Vec::new();
        read(bytes, |field, value| {
            let pair = [field, b"=", value].concat();
            pairs.push(String::from_utf8_lossy(&pair).into_owned());
        })
        .map_err(|error| error.offset)?;
        Ok(pairs)
    }

    #[test]
    fn fields_values_and_free_bytes_are_told_apart() {
        let long = [&b"\x01f\xfe\x2c\x01\x00\x00\x00"[..], &[b'v'; 300]].concat();
        let bytes = [b"\x03\x01a\x01\x02x..", &long[..], b"\x00\x00\x00\xff"].concat();
        let long = format!("f={}", "v".repeat(300));
        assert_eq!(pairs(&bytes), Ok(vec!["a=x".into(), long, "=".into()]));
    }

    #[test]
    fn contradictions_are_found_where_they_are() {
        assert_eq!(pairs(b""), Err(0));
        assert_eq!(pairs(b"\x00\xff"), Err(0));
        assert_eq!(pairs(b"\x01\x01a\x01\x00x"), Err(0));
        assert_eq!(pairs(b"\x02\x01a\x01\x00x\xff"), Err(0));
        assert_eq!(pairs(b"\x01\x01a\x01\x01x\xff"), Err(1));
        assert_eq!(pairs(b"\x02\x01a\x01\x00x\xff\x00\xff"), Err(6));
        assert!(pairs(b"\xfe\x01a\x01\x00x\xff").is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = pairs(&bytes);
            let _ = pairs(&[&bytes[..], &[END]].concat());
        }
    }
}
