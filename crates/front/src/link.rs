//! Connections that this process makes: to a master, to nodes that a Sentinel watches. A link lives in the event loop like a
//! client; what arrives on it goes to the owner as bytes, through [`crate::event_loop::Service::link_event`].

use crate::client::{ClientClass, ClientKey};
use crate::front::{Front, set_keepalive};
use crate::socket::{Socket, connect_tcp, format_addr};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};

/// What happens on a link.
#[derive(Debug)]
pub enum LinkEvent<'a> {
    /// The peer accepted; from now on what is sent leaves.
    Connected,
    Received(&'a [u8]),
    /// The connection failed or ended. It is closed at the end of the turn.
    Lost(io::Error),
}

/// How far a client's connection is the owner's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum LinkState {
    /// It sends requests.
    #[default]
    No,
    Connecting,
    /// What arrives goes to the owner as it is.
    Up,
}

impl Front {
    /// Starts to connect; [`LinkEvent::Connected`] or [`LinkEvent::Lost`] tells how it went. `from` is the local address to
    /// use, if it matters.
    ///
    /// # Errors
    /// When the system refuses even to try.
    pub fn connect(&mut self, to: SocketAddr, from: Option<IpAddr>) -> io::Result<ClientKey> {
        let stream = connect_tcp(to, from)?;
        let socket = Socket::Tcp(stream);
        let key = self.insert_client(
            socket,
            format_addr(to),
            String::new(),
            ClientClass::Internal,
        );
        let client = self.clients.get_mut(key).expect("just inserted");
        client.link = LinkState::Connecting;
        client.wants_writable = true;
        let fd = client.socket.as_fd().expect("a socket of ours");
        let registered = self.poller.add_client(key, fd);
        if let Err(error) = registered {
            self.clients.remove(key);
            return Err(error);
        }
        self.watch(key);
        Ok(key)
    }

    /// The system tells of a link that was connecting: how did it go?
    pub(crate) fn finish_connecting(&mut self, key: ClientKey) -> io::Result<()> {
        let keepalive = self.settings.tcp_keepalive_seconds;
        let Some(client) = self.clients.get_mut(key) else {
            return Ok(());
        };
        let Socket::Tcp(stream) = &client.socket else {
            unreachable!("links are made to TCP addresses");
        };
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        stream.set_nodelay(true)?;
        if keepalive > 0 {
            set_keepalive(stream, keepalive);
        }
        client.laddr = stream.local_addr().map(format_addr).unwrap_or_default();
        client.link = LinkState::Up;
        client.wants_writable = client.output.sendable() > 0;
        self.watch(key);
        Ok(())
    }

    /// From now on the peer of a link sends requests, as the master does; those are what it has already sent.
    pub fn serve_link(&mut self, key: ClientKey, class: ClientClass, received: &[u8]) {
        self.clients.set_class(key, class, &mut self.next_client_id);
        if let Some(client) = self.clients.get_mut(key) {
            client.link = LinkState::No;
            client.query = received.to_vec();
            self.resume_input(key);
        }
    }

    /// A client that has connected is of another class from now on, as one that becomes a replica.
    pub fn set_class(&mut self, key: ClientKey, class: ClientClass) {
        self.clients.set_class(key, class, &mut self.next_client_id);
        self.recount(key);
    }

    /// Whether anything is read from a client. What it sends meanwhile stays in the network, and slows it down.
    pub fn listen_to(&mut self, key: ClientKey, on: bool) {
        if let Some(client) = self.clients.get_mut(key) {
            client.deaf = !on;
            self.watch(key);
        }
    }

    /// Keeps back what is sent to a client from now on: somebody else writes to its connection.
    pub fn hold_output(&mut self, key: ClientKey) {
        if let Some(client) = self.clients.get_mut(key) {
            client.output_held = true;
        }
    }

    /// Sends what was kept back.
    pub fn release_output(&mut self, key: ClientKey) {
        if let Some(client) = self.clients.get_mut(key) {
            client.output_held = false;
            let end = client.output.end();
            client.output.let_go(end);
            self.write_client(key);
        }
    }

    /// Sends what a client is owed now, without waiting for the end of the turn or the gate. True if the socket took all.
    pub fn send_now(&mut self, key: ClientKey) -> bool {
        let Some(client) = self.clients.get_mut(key) else {
            return false;
        };
        let end = client.output.end();
        client.output.let_go(end);
        self.write_client(key);
        let is_empty = |client: &crate::Client| client.output.is_empty() && !client.close_asap;
        self.clients.get(key).is_some_and(is_empty)
    }

    /// A second handle of a client's connection, for a thread that writes to it.
    ///
    /// # Errors
    /// Those of the system; a client without a TCP connection is `Unsupported`.
    pub fn clone_socket(&self, key: ClientKey) -> io::Result<TcpStream> {
        match self.clients.get(key).map(|client| &client.socket) {
            Some(Socket::Tcp(stream)) => stream.try_clone(),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Tells the poller what a client waits for.
    pub(crate) fn watch(&mut self, key: ClientKey) {
        if let Some(client) = self.clients.get(key)
            && let Some(fd) = client.socket.as_fd()
        {
            self.poller
                .set_interest(key, fd, !client.deaf, client.wants_writable);
        }
    }
}
