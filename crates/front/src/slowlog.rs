//! The slow log: the latest commands that ran longer than a limit, for SLOWLOG.

use std::collections::VecDeque;
use std::time::Duration;

/// More words than this are replaced by a count.
const MAX_ARGS: usize = 32;
/// Longer words are cut.
const MAX_ARG_BYTES: usize = 128;

/// One slow command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowEntry {
    /// Unique within the process; grows.
    pub id: u64,
    /// When it ran, in seconds of Unix time.
    pub unix_seconds: i64,
    pub duration: Duration,
    /// Words of the command, shortened as Redis shows them.
    pub args: Vec<Box<[u8]>>,
    pub client_addr: String,
    pub client_name: String,
}

/// See the module.
#[derive(Debug)]
pub struct SlowLog {
    /// `slowlog-log-slower-than`: microseconds from which a command is slow; negative: none is.
    pub slower_than_micros: i64,
    max_len: usize,
    /// The newest first.
    entries: VecDeque<SlowEntry>,
    next_id: u64,
}

impl Default for SlowLog {
    fn default() -> SlowLog {
        SlowLog {
            slower_than_micros: 10_000,
            max_len: 128,
            entries: VecDeque::new(),
            next_id: 0,
        }
    }
}

impl SlowLog {
    /// Whether a command of this duration belongs in the log.
    #[inline]
    pub fn is_slow(&self, duration: Duration) -> bool {
        let limit = u128::try_from(self.slower_than_micros);
        limit.is_ok_and(|limit| duration.as_micros() >= limit)
    }

    /// Adds a command that [`SlowLog::is_slow`] and forgets the oldest beyond the length limit. `args` must have its
    /// secrets removed already.
    pub fn add(
        &mut self,
        args: &[&[u8]],
        duration: Duration,
        unix_seconds: i64,
        client_addr: &str,
        client_name: &str,
    ) {
        self.entries.push_front(SlowEntry {
            id: self.next_id,
            unix_seconds,
            duration,
            args: shorten(args),
            client_addr: client_addr.to_string(),
            client_name: client_name.to_string(),
        });
        self.next_id += 1;
        self.entries.truncate(self.max_len);
    }

    /// `slowlog-max-len`: how many commands are kept. Those beyond it go when the next one comes.
    pub fn set_max_len(&mut self, max_len: usize) {
        self.max_len = max_len;
    }

    /// The commands, the newest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &SlowEntry> {
        self.entries.iter()
    }

    /// Forgets all commands; ids go on.
    pub fn reset(&mut self) {
        self.entries.clear();
    }
}

fn shorten(args: &[&[u8]]) -> Vec<Box<[u8]>> {
    let cut = |arg: &&[u8]| match arg.get(MAX_ARG_BYTES..) {
        None | Some([]) => Box::from(*arg),
        Some(rest) => {
            let note = format!("... ({} more bytes)", rest.len());
            [&arg[..MAX_ARG_BYTES], note.as_bytes()]
                .concat()
                .into_boxed_slice()
        }
    };
    if args.len() <= MAX_ARGS {
        return args.iter().map(cut).collect();
    }
    let (kept, rest) = args.split_at(MAX_ARGS - 1);
    let note = format!("... ({} more arguments)", rest.len());
    kept.iter()
        .map(cut)
        .chain([note.into_bytes().into_boxed_slice()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(commands: &[&str]) -> SlowLog {
        let mut log = SlowLog::default();
        for command in commands {
            let args: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
            log.add(
                &args,
                Duration::from_millis(20),
                1_700_000_000,
                "127.0.0.1:1",
                "me",
            );
        }
        log
    }

    fn shown(args: &[&[u8]]) -> Vec<String> {
        let text = |arg: Box<[u8]>| String::from_utf8(arg.into()).expect("the test has text only");
        shorten(args).into_iter().map(text).collect()
    }

    #[test]
    fn a_command_is_slow_from_the_limit_on() {
        let mut log = SlowLog::default();
        assert!(log.is_slow(Duration::from_micros(10_000)));
        assert!(!log.is_slow(Duration::from_micros(9_999)));
        log.slower_than_micros = 0;
        assert!(log.is_slow(Duration::ZERO));
        log.slower_than_micros = -1;
        assert!(!log.is_slow(Duration::MAX));
    }

    #[test]
    fn the_newest_come_first_and_the_oldest_go() {
        let mut log = log_of(&["get a", "get b", "get c"]);
        log.set_max_len(2);
        let ids = |log: &SlowLog| log.entries().map(|entry| entry.id).collect::<Vec<_>>();
        assert_eq!(ids(&log), [2, 1, 0]);
        log.add(&[b"ping"], Duration::ZERO, 0, "", "");
        assert_eq!(ids(&log), [3, 2]);
        log.set_max_len(0);
        log.add(&[b"ping"], Duration::ZERO, 0, "", "");
        assert_eq!(log.entries().len(), 0);
    }

    #[test]
    fn a_reset_keeps_ids_growing() {
        let mut log = log_of(&["get a", "get b"]);
        log.reset();
        assert_eq!(log.entries().len(), 0);
        log.add(&[b"ping"], Duration::ZERO, 0, "", "");
        assert_eq!(log.entries().next().map(|entry| entry.id), Some(2));
    }

    #[test]
    fn long_words_are_cut_and_counted() {
        let word = [b'x'; 129];
        assert_eq!(shown(&[&word[..128]]), ["x".repeat(128)]);
        assert_eq!(
            shown(&[&word]),
            [format!("{}... (1 more bytes)", "x".repeat(128))]
        );
    }

    #[test]
    fn beyond_32_words_the_last_tells_how_many_follow() {
        let args = [&b"a"[..]; 33];
        assert_eq!(shown(&args[..32]), vec!["a"; 32]);
        let shortened = shown(&args);
        assert_eq!(shortened.len(), 32);
        assert_eq!(shortened[31], "... (2 more arguments)");
    }
}
