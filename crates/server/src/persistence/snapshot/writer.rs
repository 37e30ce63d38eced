//! The writing side of a snapshot: a thread that takes pieces from a queue, compresses them and puts them on the disk. What
//! the queue holds is counted, so that the data thread hands out no more than the disk takes.

use super::super::aof::base::CommandEncoder;
use super::super::disk::{Disk, write_all};
use super::super::rdb::file::{RdbWriter, WriteOptions};
use super::super::rdb::save::Failed;
use front::event_loop::Waker;
use front::{ClientKey, UnixMillis};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;
use store::rdb::load::{Item, LoadSettings, Loader};
use store::rdb::save::Finisher;
use store::snapshot::Chunk;

/// With this much queued, the data thread hands out no more.
const FULL_BYTES: usize = 4 << 20;
/// Below this it goes on.
const ROOM_BYTES: usize = FULL_BYTES / 2;

/// A replica, and the connection over which it gets the dataset.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) key: ClientKey,
    pub(crate) socket: TcpStream,
}

/// Where a snapshot goes.
#[derive(Debug)]
pub(crate) enum Target {
    /// An RDB file, written beside its place and moved there.
    Rdb { temp: PathBuf, target: PathBuf },
    /// The base of an AOF as commands; with a timestamp annotation of this second before them, if any.
    Commands {
        path: PathBuf,
        timestamp: Option<i64>,
    },
    /// The connections of replicas: with a mark at once, without one by way of the file `temp`, whose length they are told.
    /// Who takes nothing for as long as `stall` is given up.
    Replicas {
        peers: Vec<Peer>,
        mark: Option<[u8; 40]>,
        temp: PathBuf,
        stall: Duration,
    },
}

/// What went wrong.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// Nobody wants the file any more. What was written of it is gone.
    Abandoned,
    Disk(Failed, io::Error),
}

/// The queue, as both threads see it.
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    /// Makes the data thread look when there is room again.
    waker: Waker,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Chunk>,
    bytes: usize,
    /// Keys whose bytes are written.
    keys_written: usize,
    /// Nothing comes any more.
    complete: bool,
    abandoned: bool,
    /// The writer is through, one way or the other.
    finished: bool,
}

impl Queue {
    pub(crate) fn new(waker: Waker) -> Queue {
        Queue {
            state: Mutex::default(),
            changed: Condvar::new(),
            waker,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics holding it")
    }

    // --- the data thread ---------------------------------------------------------------------------------------------

    pub(crate) fn push(&self, chunks: impl Iterator<Item = Chunk>) {
        let mut state = self.lock();
        for chunk in chunks {
            state.bytes += chunk.piece.bytes.len();
            state.chunks.push_back(chunk);
        }
        self.changed.notify_all();
    }

    /// Everything was pushed.
    pub(crate) fn complete(&self) {
        self.lock().complete = true;
        self.changed.notify_all();
    }

    /// The writer is to stop, and to remove what it wrote.
    pub(crate) fn abandon(&self) {
        self.lock().abandoned = true;
        self.changed.notify_all();
    }

    /// Waits until the writer has stopped; false if it did not in this time.
    pub(crate) fn wait_until_finished(&self, at_most: Duration) -> bool {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), at_most, |state| !state.finished)
            .expect("nobody panics holding it");
        state.finished
    }

    /// Waits until the queue takes more again, or so long.
    pub(crate) fn wait_for_room(&self, at_most: Duration) {
        drop(
            self.changed
                .wait_timeout_while(self.lock(), at_most, |state| state.bytes >= ROOM_BYTES),
        );
    }

    pub(crate) fn is_full(&self) -> bool {
        self.lock().bytes >= FULL_BYTES
    }

    /// Bytes that wait to be written.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn is_abandoned(&self) -> bool {
        self.lock().abandoned
    }

    pub(crate) fn keys_written(&self) -> usize {
        self.lock().keys_written
    }

    // --- the writer --------------------------------------------------------------------------------------------------

    /// Waits for the next chunk; None after the last.
    fn next(&self) -> Result<Option<Chunk>, WriteError> {
        let mut state = self
            .changed
            .wait_while(self.lock(), |state| {
                state.chunks.is_empty() && !state.complete && !state.abandoned
            })
            .expect("nobody panics holding it");
        if state.abandoned {
            return Err(WriteError::Abandoned);
        }
        Ok(state.chunks.pop_front())
    }

    /// A chunk of this size is written. Rests for `key_delay` for each of its keys.
    fn written(&self, bytes: usize, keys: usize, key_delay: Duration) {
        // Else all that this thread frees would seem to be in use until the end, and keys would be evicted for it.
        front::memory::publish_helper_thread();
        let mut state = self.lock();
        let had_room = state.bytes < ROOM_BYTES;
        state.bytes -= bytes;
        if !had_room && state.bytes < ROOM_BYTES {
            self.waker.wake();
            self.changed.notify_all();
        }
        for _ in 0..keys {
            state.keys_written += 1;
            if !key_delay.is_zero() {
                (state, _) = self
                    .changed
                    .wait_timeout_while(state, key_delay, |state| !state.abandoned)
                    .expect("nobody panics holding it");
            }
        }
    }

    fn finish(&self) {
        self.lock().finished = true;
        self.changed.notify_all();
    }
}

/// How a snapshot is written.
pub(crate) struct Job {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) options: WriteOptions,
    /// `rdb-key-save-delay`, for tests of slow saves.
    pub(crate) key_delay: Duration,
    pub(crate) now: UnixMillis,
}

impl Job {
    /// Writes what comes through the queue.
    ///
    /// # Errors
    /// Those of the disk; nothing is left of the file then. Beside the result: the replicas that got all of it.
    pub(crate) fn run(
        self,
        target: Target,
        queue: &Queue,
    ) -> (Result<(), WriteError>, Vec<ClientKey>) {
        let mut fed = Vec::new();
        let result = match target {
            Target::Rdb { temp, target } => self.write_rdb(queue, temp, target),
            Target::Commands { path, timestamp } => {
                let result = self.write_commands(queue, path.clone(), timestamp);
                if result.is_err() {
                    // The error that matters is the first.
                    let _ = self.disk.remove(&path);
                }
                result
            }
            Target::Replicas {
                peers,
                mark,
                temp,
                stall,
            } => {
                let mut peers = Peers {
                    peers,
                    stall,
                    queue,
                };
                let result = match mark {
                    Some(mark) => self.stream_to(&mut peers, &mark),
                    None => {
                        let result = self.send_file(&mut peers, &temp);
                        // It was for them alone; after an error it may be gone already.
                        let _ = self.disk.remove(&temp);
                        result
                    }
                };
                fed.extend(peers.peers.iter().map(|peer| peer.key));
                result
            }
        };
        queue.finish();
        (result, fed)
    }

    fn stream_to(&self, peers: &mut Peers<'_>, mark: &[u8; 40]) -> Result<(), WriteError> {
        let queue = peers.queue;
        let mut finisher = Finisher::new(self.options.checksum);
        peers.send(&[b"$EOF:", mark.as_slice(), b"\r\n"].concat())?;
        while let Some(Chunk { piece, keys }) = queue.next()? {
            let bytes = piece.bytes.len();
            peers.send(&finisher.finish(piece))?;
            queue.written(bytes, keys, self.key_delay);
        }
        peers.send(&finisher.checksum())?;
        peers.send(mark)
    }

    fn send_file(&self, peers: &mut Peers<'_>, temp: &Path) -> Result<(), WriteError> {
        /// Read and sent together.
        const PIECE: usize = 256 * 1024;
        self.write_rdb(peers.queue, temp.to_path_buf(), temp.to_path_buf())?;
        let failed = |error| WriteError::Disk(Failed::Write, error);
        let mut file = self.disk.open(temp).map_err(failed)?;
        let length = self.disk.size(temp).map_err(failed)?;
        peers.send(format!("${length}\r\n").as_bytes())?;
        let mut piece = vec![0; PIECE];
        loop {
            match file.read(&mut piece).map_err(failed)? {
                0 => return Ok(()),
                bytes => peers.send(&piece[..bytes])?,
            }
        }
    }

    fn write_rdb(&self, queue: &Queue, temp: PathBuf, target: PathBuf) -> Result<(), WriteError> {
        let mut writer = RdbWriter::create(self.disk.clone(), temp, target, self.options)
            .map_err(|error| WriteError::Disk(Failed::Open, error))?;
        let failed = |error| WriteError::Disk(Failed::Write, error);
        let result = (|| {
            while let Some(Chunk { piece, keys }) = queue.next()? {
                let bytes = piece.bytes.len();
                writer.write(piece).map_err(failed)?;
                queue.written(bytes, keys, self.key_delay);
            }
            writer.finish().map_err(failed)
        })();
        if result.is_err() {
            writer.abandon();
        }
        result
    }

    /// Reads the bytes of the RDB format as a loader would, and writes each entry as the commands that make it.
    fn write_commands(
        &self,
        queue: &Queue,
        path: PathBuf,
        timestamp: Option<i64>,
    ) -> Result<(), WriteError> {
        let file = self
            .disk
            .create(&path)
            .map_err(|error| WriteError::Disk(Failed::Open, error))?;
        let failed = |error| WriteError::Disk(Failed::Write, error);
        let mut encoder =
            CommandEncoder::new(|bytes: &[u8]| write_all(&*file, bytes).map_err(|(_, e)| e));
        if let Some(seconds) = timestamp {
            encoder.timestamp(seconds);
        }
        let reader = ChunkReader {
            queue,
            key_delay: self.key_delay,
            finisher: Finisher::new(false),
            bytes: Vec::new(),
            at: 0,
            checksum_given: false,
        };
        let mut loader = Loader::new(reader, LoadSettings::defaults(self.now), false);
        let mut db = 0;
        loop {
            // What the store laid out can be read: only an abandoned queue ends early.
            let item = loader.next_item().map_err(|_| WriteError::Abandoned)?;
            match item {
                None => break,
                Some(Item::SelectDb(index)) => {
                    db = u32::try_from(index).expect("the number of a db of ours");
                }
                Some(Item::Function(code)) => encoder.library(&code),
                Some(Item::Entry(entry)) => {
                    encoder.entry(db, entry.key(), entry.value(), entry.expiry());
                }
                Some(_) => {}
            }
        }
        encoder.finish().map_err(failed)?;
        file.sync().map_err(failed)
    }
}

/// The replicas that still take what they are sent.
struct Peers<'a> {
    peers: Vec<Peer>,
    stall: Duration,
    queue: &'a Queue,
}

impl Peers<'_> {
    /// Sends to all at the pace of the slowest. Who cannot be reached is left out from then on.
    ///
    /// # Errors
    /// When nobody is left, or nobody wants it any more.
    fn send(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let (stall, queue) = (self.stall, self.queue);
        self.peers.retain_mut(|peer| {
            let sent = send_all(&mut peer.socket, bytes, stall, queue);
            if let Err(error) = &sent {
                front::log_warning!("Diskless rdb transfer, a replica is lost: {error}");
                // The data thread sees it close.
                let _ = peer.socket.shutdown(Shutdown::Both);
            }
            sent.is_ok()
        });
        match self.peers.is_empty() || queue.is_abandoned() {
            true => Err(WriteError::Abandoned),
            false => Ok(()),
        }
    }
}

fn send_all(
    socket: &mut TcpStream,
    mut bytes: &[u8],
    stall: Duration,
    queue: &Queue,
) -> io::Result<()> {
    /// Between two looks at whether it is still wanted.
    const STEP: Duration = Duration::from_millis(200);
    let mut waited = Duration::ZERO;
    while !bytes.is_empty() {
        match socket.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                bytes = &bytes[count..];
                waited = Duration::ZERO;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if waited >= stall || queue.is_abandoned() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                let step = Timespec {
                    tv_sec: 0,
                    tv_nsec: i64::from(STEP.subsec_nanos()),
                };
                let mut wanted = [PollFd::new(socket, PollFlags::OUT)];
                if poll(&mut wanted, Some(&step))? == 0 {
                    waited += STEP;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The bytes that come through the queue.
struct ChunkReader<'a> {
    queue: &'a Queue,
    key_delay: Duration,
    finisher: Finisher,
    bytes: Vec<u8>,
    at: usize,
    checksum_given: bool,
}

impl Read for ChunkReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.bytes.len() {
            self.at = 0;
            match self.queue.next() {
                Err(_) => return Err(io::ErrorKind::ConnectionAborted.into()),
                Ok(Some(Chunk { piece, keys })) => {
                    let queued = piece.bytes.len();
                    self.bytes = self.finisher.finish(piece);
                    self.queue.written(queued, keys, self.key_delay);
                }
                Ok(None) if self.checksum_given => return Ok(0),
                Ok(None) => {
                    self.checksum_given = true;
                    self.bytes = self.finisher.checksum().to_vec();
                }
            }
        }
        let count = buffer.len().min(self.bytes.len() - self.at);
        buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
