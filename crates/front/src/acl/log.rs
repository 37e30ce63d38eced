//! ACL LOG: what users were denied, newest first, repeated denials in one entry.

use crate::clock::UnixMillis;
use std::collections::VecDeque;

/// Why a request was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogReason {
    Command,
    Key,
    Channel,
    Auth,
}

impl LogReason {
    pub fn name(self) -> &'static str {
        match self {
            LogReason::Command => "command",
            LogReason::Key => "key",
            LogReason::Channel => "channel",
            LogReason::Auth => "auth",
        }
    }
}

/// Where the request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogContext {
    TopLevel,
    Multi,
    Lua,
}

impl LogContext {
    pub fn name(self) -> &'static str {
        match self {
            LogContext::TopLevel => "toplevel",
            LogContext::Multi => "multi",
            LogContext::Lua => "lua",
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub count: u64,
    pub reason: LogReason,
    pub context: LogContext,
    /// The command, key or channel; for a failed login the command's word as it was sent.
    pub object: Vec<u8>,
    pub username: Vec<u8>,
    /// When it happened last.
    pub at: UnixMillis,
    /// The client's line of CLIENT LIST, then.
    pub client_info: String,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct AclLog {
    entries: VecDeque<LogEntry>,
    /// `acllog-max-len`.
    max_len: usize,
}

/// Equal denials this close together are one entry.
const GROUPING_MS: i64 = 60_000;
/// Only the newest entries are looked through for an equal one.
const GROUPING_DEPTH: usize = 10;

impl AclLog {
    /// Limits the length; what is over goes at once.
    pub fn set_max_len(&mut self, max_len: usize) {
        self.max_len = max_len;
        self.entries.truncate(max_len);
    }

    /// Notes a denial (its `count` is ignored).
    pub fn note(&mut self, mut entry: LogEntry) {
        let equal = self.entries.iter().take(GROUPING_DEPTH).position(|old| {
            old.reason == entry.reason
                && old.context == entry.context
                && entry.at - old.at <= GROUPING_MS
                && old.object == entry.object
                && old.username == entry.username
        });
        entry.count = match equal.and_then(|at| self.entries.remove(at)) {
            Some(old) => old.count + 1,
            None => 1,
        };
        self.entries.push_front(entry);
        self.entries.truncate(self.max_len);
    }

    /// The entries, newest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &LogEntry> {
        self.entries.iter()
    }

    /// ACL LOG RESET.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(object: &str, at: UnixMillis) -> LogEntry {
        LogEntry {
            count: 0,
            reason: LogReason::Key,
            context: LogContext::TopLevel,
            object: object.into(),
            username: b"u".to_vec(),
            at,
            client_info: String::new(),
        }
    }

    #[test]
    fn equal_denials_within_a_minute_are_one_entry_and_the_newest_is_first() {
        let mut log = AclLog::default();
        log.set_max_len(2);
        log.note(entry("a", 0));
        log.note(entry("b", 1));
        log.note(entry("a", 60_000));
        let seen = |log: &AclLog| {
            let shown = log.entries().map(|e| (e.object.clone(), e.count));
            shown.collect::<Vec<_>>()
        };
        assert_eq!(seen(&log), [(b"a".to_vec(), 2), (b"b".to_vec(), 1)]);
        log.note(entry("a", 130_000));
        assert_eq!(seen(&log), [(b"a".to_vec(), 1), (b"a".to_vec(), 2)]);
        log.set_max_len(0);
        log.note(entry("a", 130_000));
        assert_eq!(log.entries().len(), 0);
    }
}
