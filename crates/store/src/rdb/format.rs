//! The numbers of the format: what starts an item, which form a value has, how long something is.
//!
//! ```text
//! file:    "REDIS" version(4 digits) item* EOF checksum(8, little endian)
//! entry:   [EXPIRETIME_MS at] [IDLE seconds | FREQ count] form key value
//! length:  00llllll | 01llllll llllllll | 0x80 u32 BE | 0x81 u64 BE | 11ssssss a special string
//! ```

/// The version written, that of Redis 7.0.
pub const VERSION: u16 = 10;

/// The newest version read: that of Redis 7.2, whose forms are all known here.
pub const NEWEST_VERSION_READ: u16 = 11;

/// What every file starts with, before the four digits of its version.
pub const MAGIC: &[u8; 5] = b"REDIS";

/// What starts an item that is not an entry's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// The source of one library of functions.
    Function2 = 245,
    /// Functions as release candidates of 7.0 wrote them.
    FunctionPreGa = 246,
    ModuleAux = 247,
    Idle = 248,
    Freq = 249,
    Aux = 250,
    ResizeDb = 251,
    ExpireTimeMs = 252,
    ExpireTime = 253,
    SelectDb = 254,
    Eof = 255,
}

/// The form a value is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    String = 0,
    List = 1,
    Set = 2,
    /// Scores as text.
    SortedSet = 3,
    Hash = 4,
    /// Scores as eight bytes.
    SortedSet2 = 5,
    /// A module's value as release candidates of 4.0 wrote it.
    ModulePreGa = 6,
    Module2 = 7,
    HashZipmap = 9,
    ListZiplist = 10,
    SetIntset = 11,
    SortedSetZiplist = 12,
    HashZiplist = 13,
    /// Nodes are ziplists.
    ListQuicklist = 14,
    StreamListpacks = 15,
    HashListpack = 16,
    SortedSetListpack = 17,
    /// Nodes are listpacks or plain.
    ListQuicklist2 = 18,
    StreamListpacks2 = 19,
    /// From here on: Redis 7.2.
    SetListpack = 20,
    StreamListpacks3 = 21,
}

impl Opcode {
    const ALL: [Opcode; 11] = [
        Opcode::Function2,
        Opcode::FunctionPreGa,
        Opcode::ModuleAux,
        Opcode::Idle,
        Opcode::Freq,
        Opcode::Aux,
        Opcode::ResizeDb,
        Opcode::ExpireTimeMs,
        Opcode::ExpireTime,
        Opcode::SelectDb,
        Opcode::Eof,
    ];

    /// The opcode of a byte, if it is one.
    pub fn from_byte(byte: u8) -> Option<Opcode> {
        Self::ALL.into_iter().find(|opcode| *opcode as u8 == byte)
    }
}

impl Form {
    const ALL: [Form; 21] = [
        Form::String,
        Form::List,
        Form::Set,
        Form::SortedSet,
        Form::Hash,
        Form::SortedSet2,
        Form::ModulePreGa,
        Form::Module2,
        Form::HashZipmap,
        Form::ListZiplist,
        Form::SetIntset,
        Form::SortedSetZiplist,
        Form::HashZiplist,
        Form::ListQuicklist,
        Form::StreamListpacks,
        Form::HashListpack,
        Form::SortedSetListpack,
        Form::ListQuicklist2,
        Form::StreamListpacks2,
        Form::SetListpack,
        Form::StreamListpacks3,
    ];

    /// The form of a byte, if it is one.
    pub fn from_byte(byte: u8) -> Option<Form> {
        Self::ALL.into_iter().find(|form| *form as u8 == byte)
    }
}

// The two leading bits of a length, and the first bytes of the long ones.
pub(super) const LENGTH_14BIT: u8 = 0b01 << 6;
pub(super) const LENGTH_32BIT: u8 = 0x80;
pub(super) const LENGTH_64BIT: u8 = 0x81;

// Special strings: the first byte.
pub(super) const STRING_INT8: u8 = 0b11 << 6;
pub(super) const STRING_INT16: u8 = 0b11 << 6 | 1;
pub(super) const STRING_INT32: u8 = 0b11 << 6 | 2;
pub(super) const STRING_LZF: u8 = 0b11 << 6 | 3;

/// How many bytes a length takes.
pub(super) const fn length_size(len: u64) -> usize {
    if len < 1 << 6 {
        1
    } else if len < 1 << 14 {
        2
    } else if len <= u32::MAX as u64 {
        5
    } else {
        9
    }
}

/// Appends a length.
pub(super) fn put_length(out: &mut Vec<u8>, len: u64) {
    match length_size(len) {
        1 => out.push(len as u8),
        2 => out.extend_from_slice(&[LENGTH_14BIT | (len >> 8) as u8, len as u8]),
        5 => {
            out.push(LENGTH_32BIT);
            out.extend_from_slice(&(len as u32).to_be_bytes());
        }
        _ => {
            out.push(LENGTH_64BIT);
            out.extend_from_slice(&len.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_is_both_an_opcode_and_a_form() {
        for byte in 0..=255 {
            assert!(Opcode::from_byte(byte).is_none() || Form::from_byte(byte).is_none());
        }
    }

    #[test]
    fn lengths_take_the_bytes_they_are_said_to_take() {
        for (len, bytes) in [
            (0, &[0][..]),
            (63, &[63]),
            (64, &[0x40, 64]),
            (16_383, &[0x7F, 0xFF]),
            (16_384, &[0x80, 0, 0, 0x40, 0]),
            (u64::from(u32::MAX), &[0x80, 0xFF, 0xFF, 0xFF, 0xFF]),
            (1 << 32, &[0x81, 0, 0, 0, 1, 0, 0, 0, 0]),
        ] {
            let mut out = Vec::new();
            put_length(&mut out, len);
            assert_eq!(out, bytes);
            assert_eq!(out.len(), length_size(len));
        }
    }
}
