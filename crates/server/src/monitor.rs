//! MONITOR: clients that see every command that runs.

use crate::redact::redacted;
use crate::server::Server;
use front::ClientKey;
use front::command::{CommandId, Flags, Lookup};

/// Who monitors, in order.
#[derive(Debug, Default)]
pub(crate) struct Monitors {
    clients: Vec<ClientKey>,
}

/// Who runs the command that is shown.
pub(crate) enum Source<'a> {
    /// A client's address, and whether it is the path of a unix socket.
    Client { addr: &'a str, unix: bool },
    /// The script that runs.
    Script,
}

impl Monitors {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    pub(crate) fn add(&mut self, key: ClientKey) {
        self.clients.push(key);
    }

    /// Forgets a client that is gone or stopped monitoring.
    pub(crate) fn forget(&mut self, key: ClientKey) {
        self.clients.retain(|&monitor| monitor != key);
    }
}

impl Server {
    /// Shows a command that has run to the monitors.
    #[inline]
    pub(crate) fn feed_monitors(&mut self, key: ClientKey, id: CommandId, args: &[&[u8]]) {
        /// Not shown: what administers the server, and what shows itself.
        const HIDDEN: Flags = Flags::ADMIN.and(Flags::SKIP_MONITOR);
        if !self.monitors.is_empty() && !self.front.table.entry(id).spec.flags.any(HIDDEN) {
            self.show_to_monitors(key, args);
        }
    }

    /// Shows a request to the monitors now: who runs others, as EVAL does, comes before them.
    pub(crate) fn show_to_monitors(&mut self, key: ClientKey, args: &[&[u8]]) {
        if self.monitors.is_empty() || self.is_loading() {
            return;
        }
        let Some(client) = self.front.clients.get(key) else {
            return;
        };
        let source = match self.scripting.running {
            Some(_) => Source::Script,
            None => Source::Client {
                addr: &client.addr,
                unix: client.is_unix(),
            },
        };
        let name = match self.front.table.lookup(args) {
            Lookup::Found(id) => self.full_name(id),
            Lookup::Unknown | Lookup::UnknownSubcommand(_) => "",
        };
        let words = redacted(name, args);
        let text = line(self.front.clock.read_now_us(), client.db, &source, &words);
        for monitor in self.monitors.clients.clone() {
            self.front.send(monitor, &text);
        }
    }
}

/// `+1700000000.123456 [0 127.0.0.1:5000] "set" "key" "value"`.
fn line(now_us: i64, db: u32, source: &Source<'_>, words: &[&[u8]]) -> Vec<u8> {
    let (seconds, micros) = (now_us / 1_000_000, now_us % 1_000_000);
    let source = match source {
        Source::Script => "lua".to_string(),
        Source::Client { addr, unix: false } => (*addr).to_string(),
        // The path without the number that stands for a port.
        Source::Client { addr, unix: true } => {
            format!("unix:{}", addr.strip_suffix(":0").unwrap_or(addr))
        }
    };
    let mut text = format!("+{seconds}.{micros:06} [{db} {source}]").into_bytes();
    for word in words {
        text.push(b' ');
        text.extend_from_slice(resp::inline::quote(word).as_bytes());
    }
    text.extend_from_slice(b"\r\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_when_where_who_and_what() {
        let tcp = Source::Client {
            addr: "127.0.0.1:5000",
            unix: false,
        };
        assert_eq!(
            line(
                1_700_000_000_000_012,
                3,
                &tcp,
                &[b"set", b"a b", b"\"\r\n\x00"]
            ),
            b"+1700000000.000012 [3 127.0.0.1:5000] \"set\" \"a b\" \"\\\"\\r\\n\\x00\"\r\n"
        );
        let unix = Source::Client {
            addr: "/run/redis.sock:0",
            unix: true,
        };
        assert_eq!(
            line(0, 0, &unix, &[b"ping"]),
            b"+0.000000 [0 unix:/run/redis.sock] \"ping\"\r\n"
        );
    }
}
