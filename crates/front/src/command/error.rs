//! Every error a command can answer. `Display` is the exact text on the wire, code included, so that compatibility is
//! reviewed in one file.

use std::borrow::Cow;
use std::fmt;

/// What a handler returns.
pub type CommandResult = Result<(), CommandError>;

/// A command's error reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    WrongType,
    Syntax,
    NotInteger,
    NotFloat,
    OutOfRange,
    NoSuchKey,
    IndexOutOfRange,
    /// The value must be positive.
    NotPositive,
    /// Full name of the command, as in `config|get`.
    WrongArity(String),
    InvalidExpireTime(String),
    Overflow,
    Oom,
    NoAuth,
    NoPerm,
    Loading,
    ReadOnlyReplica,
    MasterDown,
    Misconf,
    NoReplicas,
    Busy,
    ExecAbort,
    NoProto,
    BusyKey,
    SameObject,
    /// Any other text, complete with its code.
    Text(Cow<'static, str>),
    /// A text that repeats words of the request, which may be any bytes; see [`CommandError::quoting`].
    Quoting(Vec<u8>),
}

impl CommandError {
    /// `ERR` and a text of this one command.
    pub fn err(text: impl fmt::Display) -> CommandError {
        CommandError::Text(Cow::Owned(format!("ERR {text}")))
    }
    /// A fixed text, complete with its code.
    pub const fn text(text: &'static str) -> CommandError {
        CommandError::Text(Cow::Borrowed(text))
    }
    /// A text made of parts, complete with its code, some of them words of the request. As in Redis a word ends at its
    /// first zero byte, and line ends are shown as spaces.
    pub fn quoting(parts: &[&[u8]]) -> CommandError {
        let bytes = parts
            .iter()
            .flat_map(|part| part.split(|&byte| byte == 0).next().unwrap_or_default());
        CommandError::Quoting(
            bytes
                .map(|&byte| match byte {
                    b'\r' | b'\n' => b' ',
                    other => other,
                })
                .collect(),
        )
    }
    /// The text as it goes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            CommandError::Quoting(bytes) => bytes.clone(),
            other => other.to_string().into_bytes(),
        }
    }
    /// The error code: the first word.
    pub fn code(&self) -> String {
        let text = self.to_string();
        text.split([' ', '\r', '\n'])
            .next()
            .unwrap_or("ERR")
            .to_string()
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CommandError::WrongType => {
                "WRONGTYPE Operation against a key holding the wrong kind of value"
            }
            CommandError::Syntax => "ERR syntax error",
            CommandError::NotInteger => "ERR value is not an integer or out of range",
            CommandError::NotFloat => "ERR value is not a valid float",
            CommandError::OutOfRange => "ERR value is out of range",
            CommandError::NoSuchKey => "ERR no such key",
            CommandError::IndexOutOfRange => "ERR index out of range",
            CommandError::NotPositive => "ERR value is out of range, must be positive",
            CommandError::WrongArity(name) => {
                return write!(f, "ERR wrong number of arguments for '{name}' command");
            }
            CommandError::InvalidExpireTime(name) => {
                return write!(f, "ERR invalid expire time in '{name}' command");
            }
            CommandError::Overflow => "ERR increment or decrement would overflow",
            CommandError::Oom => "OOM command not allowed when used memory > 'maxmemory'.",
            CommandError::NoAuth => "NOAUTH Authentication required.",
            CommandError::NoPerm => "NOPERM this user has no permissions to run this command",
            CommandError::Loading => "LOADING Redis is loading the dataset in memory",
            CommandError::ReadOnlyReplica => {
                "READONLY You can't write against a read only replica."
            }
            CommandError::MasterDown => {
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
            }
            CommandError::Misconf => {
                "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to \
                 persist to disk. Commands that may modify the data set are disabled, because this \
                 instance is configured to report errors during writes if RDB snapshotting fails \
                 (stop-writes-on-bgsave-error option). Please check the Redis logs for details \
                 about the RDB error."
            }
            CommandError::NoReplicas => "NOREPLICAS Not enough good replicas to write.",
            CommandError::Busy => {
                "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN \
                 NOSAVE."
            }
            CommandError::ExecAbort => {
                "EXECABORT Transaction discarded because of previous errors."
            }
            CommandError::NoProto => "NOPROTO unsupported protocol version",
            CommandError::BusyKey => "BUSYKEY Target key name already exists.",
            CommandError::SameObject => "ERR source and destination objects are the same",
            CommandError::Text(text) => text,
            CommandError::Quoting(bytes) => return f.write_str(&String::from_utf8_lossy(bytes)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_word_keeps_its_bytes_up_to_a_zero_byte_and_stays_on_one_line() {
        let error = CommandError::quoting(&[b"ERR no '", b"a\xff\r\n\x00b", b"' here"]);
        assert_eq!(error.to_bytes(), b"ERR no 'a\xff  ' here");
        assert_eq!(error.code(), "ERR");
    }
}
