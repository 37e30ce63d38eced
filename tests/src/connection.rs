//! A client connection that shows what was on the wire.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::{Reply, ReplyError, split_words};

/// How long a reply may take before it counts as missing. A loaded two-core machine needs seconds at times.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to a server.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects to `port` on the loopback interface.
    ///
    /// # Errors
    /// When nothing listens there.
    pub fn open(port: u16) -> std::io::Result<Connection> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Connection {
            stream: BufReader::new(stream),
        })
    }

    /// Runs one command written as a line of a script, see [`split_words`].
    ///
    /// # Panics
    /// When no reply arrives.
    pub fn run(&mut self, line: &str) -> Reply {
        self.call(&split_words(line))
            .unwrap_or_else(|error| panic!("{line}: {error:?}"))
    }

    /// Sends a command and reads its reply.
    ///
    /// # Errors
    /// As [`Connection::read`].
    pub fn call(&mut self, words: &[Vec<u8>]) -> Result<Reply, ReplyError> {
        self.send(words)?;
        self.read()
    }

    /// Sends a command without waiting for its reply.
    ///
    /// # Errors
    /// [`ReplyError::Closed`] when the server hung up.
    pub fn send(&mut self, words: &[Vec<u8>]) -> Result<(), ReplyError> {
        self.send_all(std::slice::from_ref(&words))
    }

    /// Sends commands in one go, without waiting for their replies.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub fn send_all(&mut self, commands: &[impl AsRef<[Vec<u8>]>]) -> Result<(), ReplyError> {
        let mut bytes = Vec::new();
        for words in commands {
            let words = words.as_ref();
            bytes.extend(format!("*{}\r\n", words.len()).bytes());
            for word in words {
                bytes.extend(format!("${}\r\n", word.len()).bytes());
                bytes.extend(word);
                bytes.extend(b"\r\n");
            }
        }
        self.send_raw(&bytes)
    }

    /// Sends commands in one go and reads a reply to each.
    ///
    /// # Errors
    /// As [`Connection::read`].
    pub fn pipeline(
        &mut self,
        commands: &[impl AsRef<[Vec<u8>]>],
    ) -> Result<Vec<Reply>, ReplyError> {
        self.send_all(commands)?;
        commands.iter().map(|_| self.read()).collect()
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// [`ReplyError::Closed`] when the server hung up.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<(), ReplyError> {
        self.stream
            .get_mut()
            .write_all(bytes)
            .map_err(|_| ReplyError::Closed)
    }

    /// Reads one reply or push message.
    ///
    /// # Errors
    /// [`ReplyError`] says what came instead.
    pub fn read(&mut self) -> Result<Reply, ReplyError> {
        Reply::read(&mut self.stream)
    }

    /// Reads one reply if it starts within `patience`.
    ///
    /// # Errors
    /// [`ReplyError::Silence`] when it does not.
    pub fn read_within(&mut self, patience: Duration) -> Result<Reply, ReplyError> {
        let set = |stream: &TcpStream, timeout| {
            stream
                .set_read_timeout(Some(timeout))
                .expect("the timeout is not zero");
        };
        set(self.stream.get_ref(), patience);
        let reply = self.read();
        set(self.stream.get_ref(), PATIENCE);
        reply
    }

    /// Closes the sending side: the server reads the end of the stream.
    pub fn half_close(&mut self) {
        // The server may have hung up already, which is as closed as can be.
        let _ = self.stream.get_ref().shutdown(std::net::Shutdown::Write);
    }
}
