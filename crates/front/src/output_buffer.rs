//! Bytes waiting to be sent to a client: a tail that replies are appended to, and full chunks before it. A slow reader
//! costs what it has not read, and nothing is ever moved once written. Bytes leave only once they were let go: the end of
//! the turn, or the commit gate, does that.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

/// A tail longer than this becomes a chunk of its own, so that growing it never copies megabytes.
const CHUNK_BYTES: usize = 64 * 1024;
/// How many chunks one system call takes.
const CHUNKS_PER_WRITE: usize = 64;

/// See the module.
#[derive(Default)]
pub struct OutputBuffer {
    chunks: VecDeque<Vec<u8>>,
    tail: Vec<u8>,
    /// Bytes of the first chunk (or of the tail, without chunks) that the socket took.
    sent: usize,
    /// Bytes in `chunks`.
    chunk_bytes: usize,
    /// Bytes of memory in `chunks`.
    chunk_memory: usize,
    /// Bytes the socket ever took.
    sent_ever: u64,
    /// Bytes ever that may leave.
    let_go: u64,
}

impl OutputBuffer {
    /// Bytes not yet sent.
    pub fn len(&self) -> usize {
        self.chunk_bytes + self.tail.len() - self.sent
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes ever appended: the mark of what is in the buffer now.
    pub fn end(&self) -> u64 {
        self.sent_ever + self.len() as u64
    }

    /// Lets everything up to a mark of [`OutputBuffer::end`] leave.
    pub fn let_go(&mut self, up_to: u64) {
        self.let_go = self.let_go.max(up_to);
    }

    /// Bytes that may leave now.
    pub fn sendable(&self) -> usize {
        (self.let_go.saturating_sub(self.sent_ever) as usize).min(self.len())
    }

    /// Bytes in the tail, `obl` of CLIENT LIST.
    pub fn tail_len(&self) -> usize {
        if self.chunks.is_empty() {
            self.tail.len() - self.sent
        } else {
            self.tail.len()
        }
    }

    /// Full chunks, `oll` of CLIENT LIST.
    pub fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.chunk_memory + self.tail.capacity()
    }

    /// Bytes that make a queue of their own: none while all of them fit a first reply buffer. This is what the limits of
    /// output buffers mean, and `omem` of CLIENT LIST.
    pub fn queued(&self) -> usize {
        /// As much as a client may be owed without being slow.
        const FIRST_BUFFER: usize = 16 * 1024;
        match self.len() {
            0..=FIRST_BUFFER => 0,
            queued => queued,
        }
    }

    /// Appends a reply.
    #[inline]
    pub fn append(&mut self, bytes: &[u8]) {
        if self.tail.len() + bytes.len() > CHUNK_BYTES && !self.tail.is_empty() {
            self.seal();
        }
        self.tail.extend_from_slice(bytes);
    }

    fn seal(&mut self) {
        let tail = std::mem::take(&mut self.tail);
        self.chunk_bytes += tail.len();
        self.chunk_memory += tail.capacity();
        self.chunks.push_back(tail);
    }

    /// Lets `write` produce bytes straight into the tail.
    #[inline]
    pub fn with_tail<R>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        if self.tail.len() > CHUNK_BYTES {
            self.seal();
        }
        write(&mut self.tail)
    }

    /// Writes what the socket takes of the bytes that may leave. Returns the bytes taken; `WouldBlock` is not an error.
    ///
    /// # Errors
    /// Those of the socket; a socket that takes nothing is `WriteZero`.
    pub fn write_to(&mut self, socket: &mut impl io::Write, limit: usize) -> io::Result<usize> {
        let mut total = 0;
        while self.sendable() > 0 && total < limit {
            let sendable = self.sendable();
            let result = if self.chunks.is_empty() {
                socket.write(&self.tail[self.sent..self.sent + sendable])
            } else {
                let mut slices = [IoSlice::new(&[]); CHUNKS_PER_WRITE];
                let mut count = 0;
                let mut left = sendable;
                let parts = self.chunks.iter().chain(std::iter::once(&self.tail));
                for (index, part) in parts.take(CHUNKS_PER_WRITE).enumerate() {
                    let part = if index == 0 { &part[self.sent..] } else { part };
                    let part = &part[..part.len().min(left)];
                    slices[index] = IoSlice::new(part);
                    count += 1;
                    left -= part.len();
                    if left == 0 {
                        break;
                    }
                }
                socket.write_vectored(&slices[..count])
            };
            match result {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) => {
                    total += taken;
                    self.advance(taken);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    fn advance(&mut self, mut taken: usize) {
        self.sent_ever += taken as u64;
        while let Some(first) = self.chunks.front() {
            let left = first.len() - self.sent;
            if taken < left {
                self.sent += taken;
                return;
            }
            taken -= left;
            self.sent = 0;
            self.chunk_bytes -= first.len();
            self.chunk_memory -= first.capacity();
            self.chunks.pop_front();
        }
        self.sent += taken;
        if self.sent == self.tail.len() {
            self.tail.clear();
            self.sent = 0;
        }
    }

    /// Gives back the empty tail's memory: an idle client holds none.
    pub fn release(&mut self) -> Vec<u8> {
        debug_assert!(self.is_empty(), "only an empty buffer is released");
        std::mem::take(&mut self.tail)
    }

    /// Takes a recycled allocation for the tail.
    pub fn reuse(&mut self, mut spare: Vec<u8>) {
        if self.tail.capacity() == 0 {
            spare.clear();
            self.tail = spare;
        }
    }

    /// Whether the tail owns memory.
    pub fn has_tail(&self) -> bool {
        self.tail.capacity() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Trickle {
        taken: Vec<u8>,
        step: usize,
    }

    impl io::Write for Trickle {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.step);
            self.taken.extend_from_slice(&bytes[..count]);
            Ok(count)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_slow_reader_gets_every_byte_in_order() {
        let mut buffer = OutputBuffer::default();
        let mut expected = Vec::new();
        let mut socket = Trickle {
            taken: Vec::new(),
            step: 7000,
        };
        for round in 0..200u32 {
            let reply: Vec<u8> = (0..3000u32)
                .map(|i| (i.wrapping_mul(round + 1) >> 3) as u8)
                .collect();
            expected.extend_from_slice(&reply);
            buffer.append(&reply);
            buffer.let_go(buffer.end());
            if round % 3 == 0 {
                buffer
                    .write_to(&mut socket, 5000)
                    .expect("a trickle never fails");
            }
            assert_eq!(buffer.len(), expected.len() - socket.taken.len());
        }
        buffer
            .write_to(&mut socket, usize::MAX)
            .expect("a trickle never fails");
        assert!(buffer.is_empty());
        assert_eq!(socket.taken, expected);
    }

    #[test]
    fn only_what_was_let_go_leaves() {
        let mut buffer = OutputBuffer::default();
        let mut socket = Trickle {
            taken: Vec::new(),
            step: usize::MAX,
        };
        let reply = |byte: u8| vec![byte; CHUNK_BYTES * 3 / 4];
        let mut marks = Vec::new();
        for byte in 0..6 {
            buffer.append(&reply(byte));
            marks.push(buffer.end());
        }
        assert_eq!(buffer.write_to(&mut socket, usize::MAX).unwrap(), 0);
        for (byte, mark) in marks.into_iter().enumerate() {
            // Half of a reply is let go with the one before it: a mark may lie anywhere in a chunk.
            buffer.let_go(mark - 100);
            buffer.let_go(mark - 200);
            buffer.write_to(&mut socket, usize::MAX).unwrap();
            assert_eq!(buffer.sendable(), 0);
            let expected: Vec<u8> = (0..=byte as u8).flat_map(reply).collect();
            assert_eq!(socket.taken, expected[..expected.len() - 100]);
        }
        assert_eq!(buffer.len(), 100);
    }
}
