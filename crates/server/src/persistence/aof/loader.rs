//! Reads the files of an AOF, or an RDB file, on a thread of its own and hands the data thread batches: commands, already
//! split, that it only runs; entries that it only inserts. Nothing here changes a file.

use super::annotation::{self, Annotation};
use super::decoder::{self, Item, Span};
use crate::persistence::disk::Disk;
use crate::persistence::rdb::reading::{self, Entries, Found, ReadSettings, Report};
use crate::replication::Point;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use store::rdb::{LoadError, LoadErrorKind};

/// What a file is to the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Base,
    Incr,
    /// No part of an AOF, but an RDB file.
    Dump,
}

/// A file to be read.
#[derive(Clone, Debug)]
pub(crate) struct FileToLoad {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) part: Part,
    pub(crate) size: u64,
}

/// Commands from one file, in order.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    /// The number of arguments of each command.
    commands: Vec<usize>,
    /// Where in the file the bytes begin.
    pub(crate) offset: u64,
    /// Where in a replication history the dataset stands after the commands, if the file says so.
    pub(crate) point: Option<Point>,
}

impl Batch {
    fn tells_something(&self) -> bool {
        !self.commands.is_empty() || self.point.is_some()
    }

    /// Each command's arguments.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &[Span]> {
        let mut rest = self.spans.as_slice();
        self.commands.iter().map(move |&args| {
            let (command, after) = rest.split_at(args);
            rest = after;
            command
        })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why a file cannot be read to its end.
#[derive(Debug)]
pub(crate) enum Stop {
    Io(io::Error),
    /// It ends in the middle of a command, or of a transaction. What comes before `valid_to` is whole.
    Truncated {
        valid_to: u64,
        in_transaction: bool,
    },
    /// It holds something else than commands.
    Format {
        at: u64,
        expected: &'static str,
    },
    /// The RDB data that it is, or begins with, cannot be read.
    Rdb(Box<LoadError>),
}

/// What the reading thread tells.
#[derive(Debug)]
pub(crate) enum Message {
    Commands(Batch),
    Entries(Entries),
    /// The memory that RDB data took where it was saved.
    UsedMemory(u64),
    /// Where in a replication history RDB data stands.
    Point(Point),
    /// The RDB data of a file is done.
    RdbEnded(Report),
    /// The file of this index is done.
    FileEnded {
        index: usize,
    },
    /// Nothing more comes.
    Stopped {
        index: usize,
        stop: Stop,
    },
}

/// What RDB data starts with.
const MAGIC: &[u8] = b"REDIS";
/// Bytes read at once; a batch has about as many.
const READ_BYTES: usize = 256 * 1024;
/// Batches read ahead of the data thread.
const BATCHES_AHEAD: usize = 16;

/// Starts reading. `wake` is called after each message. When the receiver is dropped, the thread ends.
pub(crate) fn start(
    disk: Arc<dyn Disk>,
    files: Vec<FileToLoad>,
    rdb: ReadSettings,
    wake: impl Fn() + Send + 'static,
) -> Receiver<Message> {
    let (sender, receiver) = sync_channel(BATCHES_AHEAD);
    let run = move || {
        let send = |message| {
            let sent = sender.send(message).is_ok();
            wake();
            front::memory::publish_helper_thread();
            sent
        };
        let mut id = None;
        for (index, file) in files.iter().enumerate() {
            let message = match read_file(&*disk, file, rdb, &mut id, &send) {
                Ok(()) => Message::FileEnded { index },
                Err(stop) => Message::Stopped { index, stop },
            };
            let stopped = matches!(message, Message::Stopped { .. });
            if !send(message) || stopped {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("loader".into())
        .spawn(run)
        .expect("a thread can be started at this early point");
    receiver
}

/// Whether a command opens or closes a transaction.
fn transaction_change(args: &[Span], bytes: &[u8]) -> Option<bool> {
    let &[(start, length)] = args else {
        return None;
    };
    match bytes[start..start + length].to_ascii_lowercase().as_slice() {
        b"multi" => Some(true),
        b"exec" | b"discard" => Some(false),
        _ => None,
    }
}

/// Sends a file's commands. A receiver that is gone ends it as if the file did. `id` is that of the replication history that
/// annotations speak of, as the last of them named it.
fn read_file(
    disk: &dyn Disk,
    file: &FileToLoad,
    rdb: ReadSettings,
    id: &mut Option<String>,
    send: &dyn Fn(Message) -> bool,
) -> Result<(), Stop> {
    let mut input = disk.open(&file.path).map_err(|error| match file.part {
        Part::Base | Part::Incr => Stop::Io(error),
        Part::Dump => Stop::Rdb(Box::new(LoadError {
            offset: 0,
            kind: LoadErrorKind::Io(error),
        })),
    })?;
    let mut batch = Batch::default();
    read_up_to(&mut *input, &mut batch.bytes, MAGIC.len()).map_err(Stop::Io)?;
    if batch.bytes == MAGIC || file.part == Part::Dump {
        let start = std::mem::take(&mut batch.bytes);
        let (offset, rest, source) =
            read_rdb(Cursor::new(start).chain(input), file.part, rdb, send)?;
        if file.part == Part::Dump {
            return Ok(());
        }
        if !rest.is_empty() {
            front::log_notice!("Reading the remaining AOF tail...");
        }
        (batch.offset, batch.bytes, input) = (offset, rest, source.into_inner().1);
    }
    // The first bytes of `batch.bytes` that are whole items.
    let mut whole = 0;
    let mut transaction_start = None;
    let mut wanted = READ_BYTES;
    loop {
        let left = file
            .size
            .saturating_sub(batch.offset + batch.bytes.len() as u64);
        // What the file claims allocates nothing that the file does not hold.
        let ask = wanted.min(left as usize).max(READ_BYTES);
        let got = read_up_to(&mut *input, &mut batch.bytes, ask).map_err(Stop::Io)?;
        let incomplete = loop {
            match decoder::decode(&batch.bytes[whole..], &mut batch.spans) {
                Ok(Item::Command { args, end }) => {
                    let first = batch.spans.len() - args;
                    for (start, _) in &mut batch.spans[first..] {
                        *start += whole;
                    }
                    match transaction_change(&batch.spans[first..], &batch.bytes) {
                        Some(true) if transaction_start.is_none() => {
                            transaction_start = Some(batch.offset + whole as u64);
                        }
                        Some(false) => transaction_start = None,
                        _ => {}
                    }
                    batch.commands.push(args);
                    batch.point = None;
                    whole += end;
                }
                Ok(Item::Annotation { end }) => {
                    match annotation::parse(&batch.bytes[whole..whole + end]) {
                        Some(Annotation::History(name)) => *id = Some(name.into()),
                        Some(Annotation::Offset {
                            offset,
                            db,
                            replicas,
                        }) => {
                            batch.point = id.clone().map(|id| Point {
                                id,
                                offset,
                                db,
                                replicas,
                            });
                        }
                        None => {}
                    }
                    whole += end;
                }
                Ok(Item::Incomplete { at_least }) => break at_least,
                Err(error) => {
                    let at = batch.offset + (whole + error.at) as u64;
                    if is_cut_and_zeros(&batch.bytes[whole..])
                        && rest_is_zero(&mut *input).map_err(Stop::Io)?
                    {
                        let valid_to = transaction_start.unwrap_or(batch.offset + whole as u64);
                        send(Message::Commands(batch));
                        return Err(Stop::Truncated {
                            valid_to,
                            in_transaction: transaction_start.is_some(),
                        });
                    }
                    send(Message::Commands(batch));
                    return Err(Stop::Format {
                        at,
                        expected: error.expected,
                    });
                }
            }
        };
        let rest = batch.bytes.len() - whole;
        let end = batch.offset + whole as u64;
        if got == 0 {
            if batch.tells_something() && !send(Message::Commands(batch)) {
                return Ok(());
            }
            return match (rest, transaction_start) {
                (0, None) => Ok(()),
                (_, start) => Err(Stop::Truncated {
                    valid_to: start.unwrap_or(end),
                    in_transaction: start.is_some(),
                }),
            };
        }
        wanted = incomplete.saturating_sub(rest);
        if batch.tells_something() {
            let mut next = Batch {
                offset: end,
                ..Batch::default()
            };
            next.bytes.reserve(rest + READ_BYTES);
            next.bytes.extend_from_slice(&batch.bytes[whole..]);
            batch.bytes.truncate(whole);
            if !send(Message::Commands(std::mem::replace(&mut batch, next))) {
                return Ok(());
            }
            whole = 0;
        }
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// Whether bytes are the start of a command, and zeros. After a power loss the length of a file may have reached the disk
/// without its last bytes: that is a file cut short, not one that is broken.
fn is_cut_and_zeros(bytes: &[u8]) -> bool {
    let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    let cut = decoder::decode(&bytes[..bytes.len() - zeros], &mut Vec::new());
    zeros > 0 && matches!(cut, Ok(Item::Incomplete { .. }))
}

/// Whether only zeros follow.
fn rest_is_zero(input: &mut dyn Read) -> io::Result<bool> {
    let mut bytes = vec![0; READ_BYTES];
    loop {
        match input.read(&mut bytes) {
            Ok(0) => return Ok(true),
            Ok(count) if is_zero(&bytes[..count]) => {}
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The RDB data that a source begins with. Returns where what follows starts, what was read of that already, and the
/// source of the rest.
fn read_rdb<R: Read>(
    source: R,
    part: Part,
    settings: ReadSettings,
    send: &dyn Fn(Message) -> bool,
) -> Result<(u64, Vec<u8>, R), Stop> {
    let settings = match part {
        Part::Dump => settings,
        Part::Base | Part::Incr => {
            front::log_notice!("Reading RDB base file on AOF loading...");
            ReadSettings {
                // The commands that follow were run while these entries were there.
                expired_before: None,
                ..settings
            }
        }
    };
    let (report, offset, rest, source) = reading::read(source, settings, |found| {
        send(match found {
            Found::Entries(entries) => Message::Entries(entries),
            Found::UsedMemory(bytes) => Message::UsedMemory(bytes),
            Found::Point(point) => Message::Point(point),
        })
    })
    .map_err(Stop::Rdb)?;
    send(Message::RdbEnded(report));
    Ok((offset, rest, source))
}

/// Appends up to `count` bytes; fewer only at the end of the input.
fn read_up_to(input: &mut dyn Read, bytes: &mut Vec<u8>, count: usize) -> io::Result<usize> {
    let mut taken = input.take(count as u64);
    taken.read_to_end(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persistence::simulated_disk::SimulatedDisk;
    use std::time::Duration;
    use store::rdb::load::LoadSettings;

    fn rdb_settings() -> ReadSettings {
        ReadSettings {
            values: LoadSettings::defaults(1000),
            check: true,
            expired_before: Some(1000),
            key_delay: Duration::ZERO,
        }
    }

    fn file(disk: &SimulatedDisk, name: &str) -> FileToLoad {
        FileToLoad {
            name: name.into(),
            path: name.into(),
            part: Part::Incr,
            size: disk.bytes(name).len() as u64,
        }
    }

    /// Loads one file: its commands as text, and how it ended.
    fn load(bytes: &[u8]) -> (Vec<String>, Result<(), Stop>) {
        let disk = SimulatedDisk::default();
        disk.put("f", bytes);
        let messages = start(
            Arc::new(disk.clone()),
            vec![file(&disk, "f")],
            rdb_settings(),
            || {},
        );
        let mut commands = Vec::new();
        for message in messages {
            match message {
                Message::Commands(batch) => commands.extend(batch.commands().map(|args| {
                    let words = args.iter().map(|&(start, length)| {
                        String::from_utf8_lossy(&batch.bytes()[start..start + length]).into_owned()
                    });
                    words.collect::<Vec<_>>().join(" ")
                })),
                Message::FileEnded { index: 0 } => return (commands, Ok(())),
                Message::Stopped { index: 0, stop } => return (commands, Err(stop)),
                other => panic!("{other:?}"),
            }
        }
        panic!("the loader went away");
    }

    fn command(words: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        resp::encode_command(words, &mut bytes);
        bytes
    }

    #[test]
    fn commands_come_in_order_over_many_batches() {
        let mut bytes = b"#TS:1\r\n".to_vec();
        let mut expected = Vec::new();
        for number in 0..50_000 {
            let value = "x".repeat(number % 40);
            bytes.extend(command(&["SET", &number.to_string(), &value]));
            if number % 1000 == 0 {
                bytes.extend(b"#TS:2\r\n");
            }
            expected.push(format!("SET {number} {value}"));
        }
        let (commands, result) = load(&bytes);
        assert!(result.is_ok());
        assert_eq!(commands, expected);
    }

    #[test]
    fn a_value_larger_than_many_batches_is_one_argument() {
        let value = "v".repeat(READ_BYTES * 9 + 7);
        let bytes = [command(&["SET", "k", &value]), command(&["DEL", "k"])].concat();
        let (commands, result) = load(&bytes);
        assert!(result.is_ok());
        assert_eq!(commands, [format!("SET k {value}"), "DEL k".into()]);
    }

    #[test]
    fn a_cut_anywhere_leaves_the_whole_commands_before_it() {
        let commands = [
            command(&["SET", "a", "1"]),
            command(&["SET", "b", "2"]),
            command(&["SET", "c", "3"]),
        ];
        let bytes = commands.concat();
        for cut in 0..bytes.len() {
            let whole = cut / commands[0].len();
            let (loaded, result) = load(&bytes[..cut]);
            assert_eq!(loaded.len(), whole);
            match result {
                Ok(()) => assert_eq!(cut % commands[0].len(), 0),
                Err(Stop::Truncated {
                    valid_to,
                    in_transaction: false,
                }) => assert_eq!(valid_to as usize, whole * commands[0].len()),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn zeros_to_the_end_of_the_file_are_a_cut() {
        let commands = [command(&["SET", "a", "1"]), command(&["SET", "b", "2"])];
        let bytes = commands.concat();
        let all = (0..bytes.len()).map(|cut| (cut, 1));
        for (cut, zeros) in all.chain([(30, READ_BYTES * 2), (50, READ_BYTES)]) {
            let torn = [&bytes[..cut], &vec![0; zeros]].concat();
            match load(&torn).1 {
                Err(Stop::Truncated { valid_to, .. }) => {
                    let whole = cut / commands[0].len() * commands[0].len();
                    assert_eq!(valid_to as usize, whole, "{cut} {zeros}");
                }
                other => panic!("{cut} {zeros}: {other:?}"),
            }
            let mended = [&torn[..], b"x"].concat();
            assert!(
                matches!(
                    load(&mended).1,
                    Err(Stop::Format { .. } | Stop::Truncated { .. })
                ),
                "{cut} {zeros}"
            );
        }
    }

    #[test]
    fn a_transaction_without_its_end_is_cut_off_as_a_whole() {
        let before = [command(&["multi"]), command(&["exec"]), command(&["PING"])].concat();
        let open = [command(&["MULTI"]), command(&["SET", "a", "1"])].concat();
        for half in ["", "*3\r\n$3\r\nSE"] {
            let bytes = [&before[..], &open, half.as_bytes()].concat();
            match load(&bytes).1 {
                Err(Stop::Truncated {
                    valid_to,
                    in_transaction: true,
                }) => assert_eq!(valid_to as usize, before.len()),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_broken_place_is_told_with_its_offset_after_the_commands_before_it() {
        let good = command(&["SET", "a", "1"]);
        let bytes = [&good[..], b"!!!", &good].concat();
        let (commands, result) = load(&bytes);
        assert_eq!(commands.len(), 1);
        assert!(matches!(result, Err(Stop::Format { at, .. }) if at as usize == good.len()));
    }

    #[test]
    fn a_claimed_length_beyond_the_file_is_a_cut() {
        let result = load(b"*1\r\n$99999999999\r\nx").1;
        assert!(matches!(result, Err(Stop::Truncated { valid_to: 0, .. })));
    }

    #[test]
    fn an_empty_file_holds_nothing() {
        let (commands, result) = load(b"");
        assert!(commands.is_empty() && result.is_ok());
    }

    #[test]
    fn files_are_read_one_after_the_other_until_one_cannot() {
        let disk = SimulatedDisk::default();
        disk.put("a", &command(&["PING"]));
        disk.put("b", b"?");
        let files = vec![file(&disk, "a"), file(&disk, "b"), file(&disk, "a")];
        let messages: Vec<Message> = start(Arc::new(disk), files, rdb_settings(), || {})
            .iter()
            .collect();
        assert!(matches!(messages[1], Message::FileEnded { index: 0 }));
        assert!(matches!(
            messages.last(),
            Some(Message::Stopped {
                index: 1,
                stop: Stop::Format { at: 0, .. }
            })
        ));
    }
}
