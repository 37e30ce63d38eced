//! A connected stream socket of either family, and the listeners that make them.

use std::io::{self, IoSlice, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};

/// A client's connection.
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
    /// A client of the process's own: nothing comes in, what goes out is dropped.
    Nowhere,
}

impl Socket {
    pub(crate) fn is_unix(&self) -> bool {
        matches!(self, Socket::Unix(_))
    }
    pub(crate) fn fd(&self) -> i32 {
        self.as_fd().map_or(-1, |fd| fd.as_raw_fd())
    }
    /// The descriptor, if there is one.
    pub(crate) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Socket::Tcp(stream) => Some(stream.as_fd()),
            Socket::Unix(stream) => Some(stream.as_fd()),
            Socket::Nowhere => None,
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.read(buf),
            Socket::Unix(stream) => stream.read(buf),
            Socket::Nowhere => Ok(0),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.write(buf),
            Socket::Unix(stream) => stream.write(buf),
            Socket::Nowhere => Ok(buf.len()),
        }
    }
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.write_vectored(bufs),
            Socket::Unix(stream) => stream.write_vectored(bufs),
            Socket::Nowhere => Ok(bufs.iter().map(|buf| buf.len()).sum()),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A listening socket.
pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, String),
}

/// A connection just accepted: the socket and both ends' names.
pub(crate) struct Accepted {
    pub(crate) socket: Socket,
    pub(crate) addr: String,
    pub(crate) laddr: String,
    /// From this very host.
    pub(crate) loopback: bool,
}

pub(crate) fn format_addr(addr: SocketAddr) -> String {
    match addr {
        SocketAddr::V4(v4) => v4.to_string(),
        SocketAddr::V6(v6) => format!("[{}]:{}", v6.ip(), v6.port()),
    }
}

/// Starts to connect without waiting.
pub(crate) fn connect_tcp(to: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    use rustix::net;
    let family = match to {
        SocketAddr::V4(_) => net::AddressFamily::INET,
        SocketAddr::V6(_) => net::AddressFamily::INET6,
    };
    let fd = net::socket_with(
        family,
        net::SocketType::STREAM,
        net::SocketFlags::CLOEXEC | net::SocketFlags::NONBLOCK,
        None,
    )?;
    if let Some(address) = from {
        net::bind(&fd, &SocketAddr::new(address, 0))?;
    }
    match net::connect(&fd, &to) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(TcpStream::from(fd)),
        Err(error) => Err(error.into()),
    }
}

impl Listener {
    /// Listens on a TCP address.
    ///
    /// # Errors
    /// Those of bind and listen.
    pub fn tcp(addr: SocketAddr, backlog: i32) -> io::Result<Listener> {
        use rustix::net;
        let family = if addr.is_ipv6() {
            net::AddressFamily::INET6
        } else {
            net::AddressFamily::INET
        };
        let fd = net::socket_with(
            family,
            net::SocketType::STREAM,
            net::SocketFlags::CLOEXEC | net::SocketFlags::NONBLOCK,
            None,
        )?;
        if addr.is_ipv6() {
            net::sockopt::set_ipv6_v6only(&fd, true)?;
        }
        net::sockopt::set_socket_reuseaddr(&fd, true)?;
        net::bind(&fd, &addr)?;
        net::listen(&fd, backlog)?;
        Ok(Listener::Tcp(TcpListener::from(fd)))
    }

    /// Listens on a unix socket path, replacing a stale socket file.
    ///
    /// # Errors
    /// Those of bind, listen and chmod.
    pub fn unix(path: &str, mode: Option<u32>) -> io::Result<Listener> {
        use std::os::unix::fs::PermissionsExt;
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        if let Some(mode) = mode {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        }
        Ok(Listener::Unix(listener, path.to_string()))
    }

    /// Accepts one connection; None when none waits.
    pub(crate) fn accept(&self) -> io::Result<Option<Accepted>> {
        let result = match self {
            Listener::Tcp(listener) => listener.accept().and_then(|(stream, peer)| {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                let laddr = stream.local_addr().map(format_addr).unwrap_or_default();
                Ok(Accepted {
                    socket: Socket::Tcp(stream),
                    addr: format_addr(peer),
                    laddr,
                    loopback: peer.ip().to_canonical().is_loopback(),
                })
            }),
            Listener::Unix(listener, path) => listener.accept().and_then(|(stream, _)| {
                stream.set_nonblocking(true)?;
                Ok(Accepted {
                    socket: Socket::Unix(stream),
                    addr: format!("{path}:0"),
                    laddr: format!("{path}:0"),
                    loopback: true,
                })
            }),
        };
        match result {
            Ok(accepted) => Ok(Some(accepted)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Listener::Tcp(listener) => listener.as_fd(),
            Listener::Unix(listener, _) => listener.as_fd(),
        }
    }
}
