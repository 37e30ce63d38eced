//! The CRC-64 that ends RDB files and DUMP payloads: the Jones polynomial 0xad93d23594c935a9, bits reflected, starting
//! from zero, nothing inverted at the end.

/// The polynomial with its bits reversed, as the reflected form needs it.
const POLYNOMIAL: u64 = 0xad93_d235_94c9_35a9_u64.reverse_bits();

/// Bytes taken in one step, each by a table of its own: the tables together still fit a first-level cache.
const SLICES: usize = 8;

static TABLES: [[u64; 256]; SLICES] = tables();

/// A checksum under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crc64(u64);

impl Crc64 {
    /// The checksum of no bytes.
    pub const fn new() -> Self {
        Self(0)
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes.as_chunks::<SLICES>();
        let mut crc = self.0;
        for chunk in chunks {
            let mixed = (crc ^ u64::from_le_bytes(*chunk)).to_le_bytes();
            // The first byte has seven more to pass through, the last none.
            crc = TABLES[7][usize::from(mixed[0])]
                ^ TABLES[6][usize::from(mixed[1])]
                ^ TABLES[5][usize::from(mixed[2])]
                ^ TABLES[4][usize::from(mixed[3])]
                ^ TABLES[3][usize::from(mixed[4])]
                ^ TABLES[2][usize::from(mixed[5])]
                ^ TABLES[1][usize::from(mixed[6])]
                ^ TABLES[0][usize::from(mixed[7])];
        }
        for &byte in rest {
            crc = TABLES[0][usize::from(crc as u8 ^ byte)] ^ crc >> 8;
        }
        self.0 = crc;
    }

    /// The checksum of all bytes taken in so far.
    #[inline]
    pub const fn value(self) -> u64 {
        self.0
    }
}

/// The checksum of `bytes`.
pub fn crc64(bytes: &[u8]) -> u64 {
    let mut crc = Crc64::new();
    crc.update(bytes);
    crc.value()
}

/// `tables()[n][b]`: what byte `b` leaves behind after `n` zero bytes.
const fn tables() -> [[u64; 256]; SLICES] {
    let mut tables = [[0; 256]; SLICES];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ POLYNOMIAL
            } else {
                crc >> 1
            };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut slice = 1;
    while slice < SLICES {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[slice - 1][byte];
            tables[slice][byte] = tables[0][(before & 0xFF) as usize] ^ before >> 8;
            byte += 1;
        }
        slice += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_check_value_of_the_variant_is_met() {
        assert_eq!(crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(crc64(b""), 0);
    }

    /// The definition, bit by bit.
    fn slow(bytes: &[u8]) -> u64 {
        bytes.iter().fold(0, |crc, &byte| {
            (0..8).fold(crc ^ u64::from(byte), |crc, _| {
                crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 }
            })
        })
    }

    proptest! {
        #[test]
        fn any_split_gives_the_sum_of_the_definition(bytes: Vec<u8>, at: prop::sample::Index) {
            let (head, tail) = bytes.split_at(at.index(bytes.len() + 1));
            let mut crc = Crc64::new();
            crc.update(head);
            crc.update(tail);
            prop_assert_eq!(crc.value(), slow(&bytes));
        }
    }
}
