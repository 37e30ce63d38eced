//! A small blocking RESP client for everything that talks to a node from outside: tools, checks and
//! tests. It shows replies as they came; what they mean is the caller's business.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use resp::{Frame, FrameError, FrameParser, encode_command};

/// Where a node listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A host name or IP address, and a port.
    Tcp(String, u16),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Why there is no reply. An error that the server sent is a reply, [`Frame::Error`].
#[derive(Debug)]
pub enum Error {
    /// The connection failed, ended ([`io::ErrorKind::UnexpectedEof`]) or kept silent for longer
    /// than the timeout ([`io::ErrorKind::TimedOut`]).
    Io(io::Error),
    /// What came is not RESP.
    Protocol(FrameError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Protocol(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What a socket with a timeout says when the time is over.
            io::ErrorKind::WouldBlock => Self::Io(io::ErrorKind::TimedOut.into()),
            _ => Self::Io(error),
        }
    }
}

impl From<FrameError> for Error {
    fn from(error: FrameError) -> Self {
        Self::Protocol(error)
    }
}

/// What the methods of [`Client`] give.
pub type Result<T> = std::result::Result<T, Error>;

/// A connection to a node.
///
/// Commands may be pipelined: any number of [`Client::send`], then as many [`Client::receive`].
/// After a timeout the reply is still to come, and `receive` may be called again.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    /// Commands not yet written.
    output: Vec<u8>,
    /// Bytes read; those before `consumed` are done with.
    input: Vec<u8>,
    consumed: usize,
    parser: FrameParser,
    pushes: VecDeque<Frame>,
}

/// Bytes asked of the socket at once.
const READ_SIZE: usize = 64 * 1024;

impl Client {
    /// Connects. Connecting and every later wait for the server may take up to `timeout`, which is
    /// not zero.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when nobody answers there.
    pub fn connect(address: &Address, timeout: Duration) -> Result<Self> {
        let stream = match address {
            Address::Tcp(host, port) => Stream::Tcp(connect_tcp(host, *port, timeout)?),
            Address::Unix(path) => Stream::Unix(UnixStream::connect(path)?),
        };
        let mut client = Self {
            stream,
            output: Vec::new(),
            input: Vec::new(),
            consumed: 0,
            parser: FrameParser::default(),
            pushes: VecDeque::new(),
        };
        client.set_timeout(Some(timeout))?;
        Ok(client)
    }

    /// How long to wait for the server from now on; without a timeout, forever.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the timeout is zero.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<()> {
        match &self.stream {
            Stream::Tcp(stream) => {
                stream.set_read_timeout(timeout)?;
                stream.set_write_timeout(timeout)?;
            }
            Stream::Unix(stream) => {
                stream.set_read_timeout(timeout)?;
                stream.set_write_timeout(timeout)?;
            }
        }
        Ok(())
    }

    /// Agrees on a protocol, 2 or 3, and authenticates on the way if `user` (name, password) is
    /// given. The reply describes the server, or is an error.
    ///
    /// # Errors
    ///
    /// As [`Client::receive`].
    pub fn hello(&mut self, protocol: u8, user: Option<(&str, &str)>) -> Result<Frame> {
        let protocol = protocol.to_string();
        let mut args = vec!["HELLO", &protocol];
        if let Some((name, password)) = user {
            args.extend(["AUTH", name, password]);
        }
        self.call(&args)
    }

    /// Sends a command and waits for its reply. Not for commands that RESP3 answers with pushes
    /// alone, such as SUBSCRIBE.
    ///
    /// # Errors
    ///
    /// As [`Client::receive`].
    pub fn call(&mut self, args: &[impl AsRef<[u8]>]) -> Result<Frame> {
        self.send(args);
        self.receive()
    }

    /// Queues a command. It leaves with the next [`Client::receive`] or [`Client::flush`].
    pub fn send(&mut self, args: &[impl AsRef<[u8]>]) {
        encode_command(args, &mut self.output);
    }

    /// Writes all queued commands.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; what was not written stays queued.
    pub fn flush(&mut self) -> Result<()> {
        let mut written = 0;
        let mut result = Ok(());
        while result.is_ok() && written < self.output.len() {
            match self.stream.write(&self.output[written..]) {
                Ok(0) => result = Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(len) => written += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => result = Err(error.into()),
            }
        }
        self.output.drain(..written);
        result
    }

    /// Waits for the next reply. Pushes that come before it are kept for [`Client::push`].
    ///
    /// In RESP2, messages to a subscriber are replies too: nothing tells them apart.
    ///
    /// # Errors
    ///
    /// [`Error`] says why there is none; only after a timeout can the client be used further.
    pub fn receive(&mut self) -> Result<Frame> {
        loop {
            match self.read_frame()? {
                push @ Frame::Push(_) => self.pushes.push_back(push),
                reply => return Ok(reply),
            }
        }
    }

    /// Waits for the next RESP3 push. A reply that comes instead is returned: the caller sent a
    /// command and left its answer unread.
    ///
    /// # Errors
    ///
    /// As [`Client::receive`].
    pub fn push(&mut self) -> Result<Frame> {
        match self.pushes.pop_front() {
            Some(push) => Ok(push),
            None => self.read_frame(),
        }
    }

    fn read_frame(&mut self) -> Result<Frame> {
        self.flush()?;
        loop {
            if let Some((frame, len)) = self.parser.parse(&self.input[self.consumed..])? {
                self.consumed += len;
                return Ok(frame);
            }
            self.input.drain(..self.consumed);
            self.consumed = 0;
            self.read_more()?;
        }
    }

    fn read_more(&mut self) -> Result<()> {
        let len = self.input.len();
        self.input.resize(len + READ_SIZE, 0);
        let read = loop {
            match self.stream.read(&mut self.input[len..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.input.truncate(len + *read.as_ref().unwrap_or(&0));
        match read? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            _ => Ok(()),
        }
    }
}

/// Tries each address of `host` in turn.
fn connect_tcp(host: &str, port: u16, timeout: Duration) -> io::Result<TcpStream> {
    let mut last_error = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => {
                // A pipeline is one write already; waiting for more would only delay it.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last_error = error,
        }
    }
    Err(last_error)
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buf),
            Self::Unix(stream) => stream.read(buf),
        }
    }

    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(buf),
            Self::Unix(stream) => stream.write(buf),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;
    use std::thread::{self, JoinHandle};

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    /// A client whose server writes `replies` one by one, each after reading what it expects first.
    /// Joining gives the bytes that the server read.
    fn client_of(
        replies: Vec<(&'static str, Vec<u8>)>,
    ) -> (Client, JoinHandle<io::Result<Vec<u8>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept()?;
            let mut all = Vec::new();
            for (expected, reply) in replies {
                let mut request = vec![0; expected.len()];
                stream.read_exact(&mut request)?;
                all.extend(request);
                stream.write_all(&reply)?;
            }
            stream.shutdown(std::net::Shutdown::Write)?;
            stream.read_to_end(&mut all)?;
            Ok(all)
        });
        let client = Client::connect(&Address::Tcp("localhost".into(), port), TIMEOUT).unwrap();
        (client, server)
    }

    const GET: &str = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";

    #[test]
    fn a_call_gives_the_reply_even_if_it_is_an_error() {
        let (mut client, server) = client_of(vec![
            (GET, b"$1\r\nv\r\n".into()),
            (GET, b"-WRONGTYPE x\r\n".into()),
        ]);
        assert_eq!(
            client.call(&["GET", "k"]).unwrap(),
            Frame::Bulk(b"v".to_vec())
        );
        assert_eq!(
            client.call(&["GET", "k"]).unwrap(),
            Frame::Error(b"WRONGTYPE x".to_vec())
        );
        drop(client);
        assert_eq!(server.join().unwrap().unwrap(), GET.repeat(2).as_bytes());
    }

    #[test]
    fn a_pipeline_leaves_at_once_and_its_replies_come_in_order() {
        const THREE: &str = "*1\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n*1\r\n$1\r\nc\r\n";
        let (mut client, _server) = client_of(vec![(THREE, b":1\r\n:2\r\n:3\r\n".into())]);
        for name in ["a", "b", "c"] {
            client.send(&[name]);
        }
        let replies = [(); 3].map(|()| client.receive().unwrap().as_integer());
        assert_eq!(replies, [Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn a_reply_longer_than_any_buffer_is_whole() {
        let long = vec![b'x'; 3 * READ_SIZE + 1];
        let mut reply = b":1\r\n".to_vec();
        Frame::Array(vec![Frame::Bulk(long.clone()); 3]).encode(&mut reply);
        let (mut client, _server) = client_of(vec![(GET, reply)]);
        client.send(&["GET", "k"]);
        assert_eq!(client.receive().unwrap(), Frame::Integer(1));
        assert_eq!(
            client.receive().unwrap(),
            Frame::Array(vec![Frame::Bulk(long); 3])
        );
    }

    #[test]
    fn pushes_are_kept_apart_from_replies() {
        let stream = b">1\r\n+a\r\n:1\r\n>1\r\n+b\r\n";
        let (mut client, _server) = client_of(vec![(GET, stream.into())]);
        assert_eq!(client.call(&["GET", "k"]).unwrap(), Frame::Integer(1));
        for text in ["a", "b"] {
            let push = Frame::Push(vec![Frame::Simple(text.into())]);
            assert_eq!(client.push().unwrap(), push);
        }
    }

    #[test]
    fn hello_carries_the_credentials() {
        const HELLO: &str = "*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$1\r\np\r\n";
        let (mut client, _server) = client_of(vec![(HELLO, b"%0\r\n".into())]);
        assert_eq!(
            client.hello(3, Some(("me", "p"))).unwrap(),
            Frame::Map(vec![])
        );
    }

    #[test]
    fn a_reply_that_comes_after_the_timeout_can_still_be_read() {
        let (mut client, _server) =
            client_of(vec![("", b"*2\r\n:1".into()), (GET, b"\r\n:2\r\n".into())]);
        client.set_timeout(Some(Duration::from_millis(20))).unwrap();
        let Err(Error::Io(error)) = client.receive() else {
            panic!("half a reply is none")
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        client.set_timeout(Some(TIMEOUT)).unwrap();
        client.send(&["GET", "k"]);
        let reply = client.receive().unwrap();
        assert_eq!(
            reply,
            Frame::Array(vec![Frame::Integer(1), Frame::Integer(2)])
        );
    }

    #[test]
    fn the_end_of_the_stream_and_foreign_bytes_are_errors() {
        let (mut client, _server) = client_of(vec![("", b"$5\r\nab".into())]);
        let Err(Error::Io(error)) = client.receive() else {
            panic!("the stream ended")
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        let (mut client, _server) = client_of(vec![("", b"HTTP/1.1 400\r\n".into())]);
        assert!(matches!(client.receive(), Err(Error::Protocol(_))));
    }

    #[test]
    fn a_unix_socket_is_an_address_too() {
        let folder = std::env::temp_dir().join(format!("client-test-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("socket");
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let mut client = Client::connect(&Address::Unix(path), TIMEOUT).unwrap();
        listener.accept().unwrap().0.write_all(b"+OK\r\n").unwrap();
        assert_eq!(client.receive().unwrap(), Frame::Simple(b"OK".to_vec()));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
