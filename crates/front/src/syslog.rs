//! The system log: one datagram for each line, in the format of RFC 3164 that every daemon behind `/dev/log` reads.

use crate::clock::UnixMillis;
use crate::log::{Level, month_day_and_time};
use std::io;
use std::os::unix::net::UnixDatagram;

/// Where the daemon listens.
const SOCKET: &str = "/dev/log";

/// See the module.
pub struct Syslog {
    socket: UnixDatagram,
    /// `syslog-ident`
    ident: String,
    facility: u8,
}

impl Syslog {
    /// Connects to the daemon.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn open(ident: &str, facility: &str) -> io::Result<Syslog> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(SOCKET)?;
        Ok(Syslog {
            socket,
            ident: ident.to_string(),
            facility: facility_number(facility),
        })
    }

    pub(crate) fn send(&self, level: Level, now: UnixMillis, text: &str) {
        let line = line(self.facility, level, now, &self.ident, text);
        // The daemon may be gone; the log itself has the line.
        let _ = self.socket.send(line.as_bytes());
    }
}

/// The number of a name of `syslog-facility`.
fn facility_number(name: &str) -> u8 {
    const USER: u8 = 1;
    const LOCAL0: u8 = 16;
    name.strip_prefix("local")
        .and_then(|number| number.parse::<u8>().ok())
        .map_or(USER, |number| LOCAL0 + number)
}

fn line(facility: u8, level: Level, now: UnixMillis, ident: &str, text: &str) -> String {
    let severity = match level {
        Level::Debug => 7,
        Level::Verbose => 6,
        Level::Notice => 5,
        Level::Warning => 4,
    };
    format!(
        "<{}>{} {ident}[{}]: {text}",
        facility * 8 + severity,
        month_day_and_time(now),
        std::process::id()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_priority_time_name_and_process() {
        let pid = std::process::id();
        assert_eq!(
            line(
                facility_number("local0"),
                Level::Warning,
                1_795_478_477_123,
                "redis",
                "hello"
            ),
            format!("<132>Nov 24 00:01:17 redis[{pid}]: hello")
        );
        let early = line(
            facility_number("user"),
            Level::Notice,
            1_793_491_200_000,
            "x",
            "y",
        );
        assert!(early.starts_with("<13>Nov  1 00:00:00 x["), "{early}");
    }
}
