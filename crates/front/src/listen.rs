//! The addresses of `bind`.

use crate::Listener;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

/// What `bind` is unless it says otherwise.
pub const BIND_ALL: &str = "* -::*";

/// One word of `bind`: the address, and whether it may be missing on this machine (a leading `-`).
fn addresses(word: &str, port: u16) -> (io::Result<Vec<SocketAddr>>, bool) {
    let (optional, host) = match word.strip_prefix('-') {
        Some(host) => (true, host),
        None => (false, word),
    };
    let addresses = match host {
        "*" => Ok(vec![SocketAddr::from((
            IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port,
        ))]),
        "::*" => Ok(vec![SocketAddr::from((
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            port,
        ))]),
        host => (host, port)
            .to_socket_addrs()
            .map(|found| found.take(1).collect()),
    };
    (addresses, optional)
}

/// Opens a TCP listener for each word of `bind`; none for port 0.
///
/// # Errors
/// Which port cannot be had; the log says why.
pub fn open_tcp(bind: &str, port: u16, backlog: i32) -> Result<Vec<Listener>, String> {
    let mut listeners = Vec::new();
    for word in bind.split_ascii_whitespace().filter(|_| port != 0) {
        let (addresses, optional) = addresses(word, port);
        let listener = addresses.and_then(|found| {
            let address = *found.first().ok_or(io::ErrorKind::AddrNotAvailable)?;
            Listener::tcp(address, backlog)
        });
        match listener {
            Ok(listener) => listeners.push(listener),
            Err(error) if optional && error.kind() != io::ErrorKind::AddrInUse => {
                crate::log_notice!("Not listening on {word}: {error}");
            }
            Err(error) => {
                crate::log_warning!(
                    "Warning: Could not create server TCP listening socket {word}:{port}: {error}"
                );
                return Err(format!("Failed listening on port {port} (TCP), aborting."));
            }
        }
    }
    Ok(listeners)
}
