//! What can be wrong with bytes that should be RDB.

use super::lzf::LzfError;
use std::fmt;
use std::io;

/// Reading stopped.
#[derive(Debug)]
pub struct LoadError {
    /// How far reading had got, in bytes from the start.
    pub offset: u64,
    pub kind: LoadErrorKind,
}

/// Why reading stopped.
#[derive(Debug)]
pub enum LoadErrorKind {
    /// The source failed.
    Io(io::Error),
    UnexpectedEnd,
    /// It does not start as an RDB file does.
    Signature,
    /// It is of a version that is not known here.
    Version(u32),
    UnknownForm(u8),
    UnknownString(u8),
    Compression(LzfError),
    /// The parts of a value contradict each other; the text says which, as Redis does.
    Corrupt(&'static str),
    /// Only a module could read this.
    Module {
        name: String,
        /// A value of the module's type, or what it keeps beside the data.
        value: bool,
    },
    /// Functions in the form of a release candidate.
    FunctionPreGa,
    Checksum {
        expected: u64,
        found: u64,
    },
}

impl LoadError {
    /// Whether the source could be read and looked like an RDB file at its start.
    pub fn is_about_content(&self) -> bool {
        !matches!(
            self.kind,
            LoadErrorKind::Io(_) | LoadErrorKind::Signature | LoadErrorKind::Version(_)
        )
    }
}

impl fmt::Display for LoadErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadErrorKind::Io(error) => write!(f, "{error}"),
            LoadErrorKind::UnexpectedEnd => write!(f, "Unexpected EOF reading RDB file"),
            LoadErrorKind::Signature => write!(f, "Wrong signature trying to load DB from file"),
            LoadErrorKind::Version(version) => {
                write!(f, "Can't handle RDB format version {version}")
            }
            LoadErrorKind::UnknownForm(byte) => write!(f, "Unknown RDB encoding type {byte}"),
            LoadErrorKind::UnknownString(byte) => {
                write!(f, "Unknown RDB string encoding type {}", byte & 0x3F)
            }
            LoadErrorKind::Compression(error) => {
                write!(f, "Invalid LZF compressed string: {error}")
            }
            LoadErrorKind::Corrupt(what) => f.write_str(what),
            LoadErrorKind::Module { name, value: true } => write!(
                f,
                "The RDB file contains module data I can't load: no matching module type '{name}'"
            ),
            LoadErrorKind::Module { name, value: false } => write!(
                f,
                "The RDB file contains AUX module data I can't load: no matching module '{name}'"
            ),
            LoadErrorKind::FunctionPreGa => write!(f, "Pre-release function format not supported."),
            LoadErrorKind::Checksum { expected, found } => write!(
                f,
                "Wrong RDB checksum expected: ({expected:x}) but got ({found:x}). Aborting now."
            ),
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (offset {})", self.kind, self.offset)
    }
}

impl std::error::Error for LoadError {}
