//! Strings: an integer where the text is one, else bytes.

use std::borrow::Cow;

/// The longest string whose encoding is `embstr`, in bytes.
const EMBSTR_MAX: usize = 44;

/// An owned string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StringValue {
    Int(i64),
    /// `raw`: it was changed in place, so OBJECT ENCODING says `raw` whatever its length.
    Bytes {
        bytes: Vec<u8>,
        raw: bool,
    },
}

/// A string to read.
#[derive(Clone, Copy, Debug)]
pub enum StringRef<'a> {
    Int(i64),
    Bytes(&'a [u8]),
}

impl StringValue {
    /// The value of bytes that a client sent: an integer if they read as one.
    pub fn from_bytes(bytes: Vec<u8>) -> StringValue {
        match crate::int::parse_i64(&bytes) {
            Some(int) => StringValue::Int(int),
            None => StringValue::Bytes { bytes, raw: false },
        }
    }

    /// The text.
    pub fn to_vec(&self) -> Vec<u8> {
        match self {
            StringValue::Int(int) => int.to_string().into_bytes(),
            StringValue::Bytes { bytes, .. } => bytes.clone(),
        }
    }
}

impl<'a> StringRef<'a> {
    /// The text; an integer is printed.
    #[inline]
    pub fn bytes(self) -> Cow<'a, [u8]> {
        match self {
            StringRef::Int(int) => Cow::Owned(int.to_string().into_bytes()),
            StringRef::Bytes(bytes) => Cow::Borrowed(bytes),
        }
    }

    /// The text as an owned vector.
    pub fn to_vec(self) -> Vec<u8> {
        self.bytes().into_owned()
    }

    /// Length of the text in bytes.
    #[inline]
    pub fn len(self) -> usize {
        match self {
            StringRef::Int(int) => itoa::Buffer::new().format(int).len(),
            StringRef::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether the text is empty.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The integer the text reads as.
    #[inline]
    pub fn as_int(self) -> Option<i64> {
        match self {
            StringRef::Int(int) => Some(int),
            StringRef::Bytes(bytes) => crate::int::parse_i64(bytes),
        }
    }

    /// The name OBJECT ENCODING gives; `raw` as [`crate::entry::Entry::is_raw`] says.
    pub fn encoding(self, raw: bool) -> &'static str {
        match self {
            StringRef::Int(_) => "int",
            StringRef::Bytes(bytes) if !raw && bytes.len() <= EMBSTR_MAX => "embstr",
            StringRef::Bytes(_) => "raw",
        }
    }
}
