//! The writing side of a snapshot: a thread that takes pieces from a queue, compresses them and puts them on the disk. What
//! the queue holds is counted, so that the data thread hands out no more than the disk takes.

use super::super::aof::base::CommandEncoder;
use super::super::disk::{Disk, write_all};
use super::super::rdb::file::{RdbWriter, WriteOptions};
use super::super::rdb::save::Failed;
use front::UnixMillis;
use front::event_loop::Waker;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;
use store::rdb::load::{Item, LoadSettings, Loader};
use store::rdb::save::Finisher;
use store::snapshot::Chunk;

/// With this much queued, the data thread hands out no more.
const FULL_BYTES: usize = 4 << 20;
/// Below this it goes on.
const ROOM_BYTES: usize = FULL_BYTES / 2;

/// Where a snapshot goes.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// An RDB file, written beside its place and moved there.
    Rdb { temp: PathBuf, target: PathBuf },
    /// The base of an AOF as commands; with a timestamp annotation of this second before them, if any.
    Commands {
        path: PathBuf,
        timestamp: Option<i64>,
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
    pub(crate) target: Target,
    pub(crate) options: WriteOptions,
    /// `rdb-key-save-delay`, for tests of slow saves.
    pub(crate) key_delay: Duration,
    pub(crate) now: UnixMillis,
}

impl Job {
    /// Writes what comes through the queue.
    ///
    /// # Errors
    /// Those of the disk; nothing is left of the file then.
    pub(crate) fn run(&self, queue: &Queue) -> Result<(), WriteError> {
        let result = match &self.target {
            Target::Rdb { temp, target } => self.write_rdb(queue, temp.clone(), target.clone()),
            Target::Commands { path, timestamp } => {
                let result = self.write_commands(queue, path.clone(), *timestamp);
                if result.is_err() {
                    // The error that matters is the first.
                    let _ = self.disk.remove(path);
                }
                result
            }
        };
        queue.finish();
        result
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
