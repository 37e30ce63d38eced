//! What a replica and its master say to each other before data flows: a pure conversation, line by line.

use super::history::ID_BYTES;

/// What a replica tells about itself, and where it would go on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Introduction {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) port: u16,
    /// The address to be announced, if not that of the connection.
    pub(crate) ip: String,
    /// The history it follows and the offset of the next byte, if it has one.
    pub(crate) next: Option<(String, u64)>,
    /// The other node is to become the master that this one was.
    pub(crate) hands_over: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Handshake {
    introduction: Introduction,
    awaits: Awaits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    Pong,
    Auth,
    Port,
    Ip,
    Capabilities,
    Psync,
}

/// What follows from a line of the master.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing yet.
    Wait,
    Send(Vec<u8>),
    /// Everything will be sent: the history and the offset at which the data stands.
    FullSync {
        id: String,
        offset: u64,
    },
    /// The stream goes on from where this node stands; the history may have another name now.
    Continue {
        id: Option<String>,
    },
    /// This attempt is over, for a reason to be logged.
    GiveUp(String),
}

fn command(words: &[&str], to: &mut Vec<u8>) {
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    resp::encode_command(&words, to);
}

fn is_id(word: &str) -> bool {
    word.len() == ID_BYTES && word.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Handshake {
    /// A handshake, and the first request to send.
    pub(crate) fn begin(introduction: Introduction) -> (Handshake, Vec<u8>) {
        let mut request = Vec::new();
        command(&["PING"], &mut request);
        let handshake = Handshake {
            introduction,
            awaits: Awaits::Pong,
        };
        (handshake, request)
    }

    /// The state of the link as ROLE shows it.
    pub(crate) fn has_begun(&self) -> bool {
        self.awaits != Awaits::Pong
    }

    /// The master answered this line, without its end.
    pub(crate) fn line(&mut self, line: &str) -> Step {
        if line.is_empty() {
            // The master is busy and says so.
            return Step::Wait;
        }
        let error = line.strip_prefix('-');
        match self.awaits {
            Awaits::Pong => match error {
                // Without a password it tells as much by an error: it is there.
                Some(text)
                    if !(text.starts_with("NOAUTH")
                        || text.starts_with("NOPERM")
                        || text.starts_with("ERR operation not permitted")) =>
                {
                    Step::GiveUp(format!("Error reply to PING from master: '{line}'"))
                }
                _ => self.introduce(),
            },
            Awaits::Auth => match error {
                Some(_) => Step::GiveUp(format!("Unable to AUTH to MASTER: {line}")),
                None => self.awaiting(Awaits::Port),
            },
            Awaits::Port => {
                let next = match self.introduction.ip.is_empty() {
                    true => Awaits::Capabilities,
                    false => Awaits::Ip,
                };
                self.unless_refused(error, "REPLCONF listening-port", next)
            }
            Awaits::Ip => self.unless_refused(error, "REPLCONF ip-address", Awaits::Capabilities),
            Awaits::Capabilities => {
                if let Some(text) = error {
                    front::log_notice!(
                        "(Non critical) Master does not understand REPLCONF capa: -{text}"
                    );
                }
                self.awaits = Awaits::Psync;
                Step::Send(self.psync())
            }
            Awaits::Psync => self.psync_answered(line, error),
        }
    }

    fn awaiting(&mut self, next: Awaits) -> Step {
        self.awaits = next;
        Step::Wait
    }

    /// Old masters refuse what they do not know; they replicate all the same.
    fn unless_refused(&mut self, error: Option<&str>, what: &str, next: Awaits) -> Step {
        if let Some(text) = error {
            front::log_notice!("(Non critical) Master does not understand {what}: -{text}");
        }
        self.awaiting(next)
    }

    fn introduce(&mut self) -> Step {
        let mut requests = Vec::new();
        let Introduction {
            user,
            password,
            port,
            ip,
            ..
        } = &self.introduction;
        match (user.as_str(), password.as_str()) {
            (_, "") => {}
            ("", password) => command(&["AUTH", password], &mut requests),
            (user, password) => command(&["AUTH", user, password], &mut requests),
        }
        command(
            &["REPLCONF", "listening-port", &port.to_string()],
            &mut requests,
        );
        if !ip.is_empty() {
            command(&["REPLCONF", "ip-address", ip], &mut requests);
        }
        command(
            &["REPLCONF", "capa", "eof", "capa", "psync2"],
            &mut requests,
        );
        self.awaits = match password.is_empty() {
            true => Awaits::Port,
            false => Awaits::Auth,
        };
        Step::Send(requests)
    }

    fn psync(&self) -> Vec<u8> {
        let mut request = Vec::new();
        match &self.introduction.next {
            Some((id, from)) => {
                front::log_notice!("Trying a partial resynchronization (request {id}:{from}).");
                let from = from.to_string();
                match self.introduction.hands_over {
                    true => command(&["PSYNC", id, &from, "FAILOVER"], &mut request),
                    false => command(&["PSYNC", id, &from], &mut request),
                }
            }
            None => {
                front::log_notice!("Partial resynchronization not possible (no cached master)");
                command(&["PSYNC", "?", "-1"], &mut request);
            }
        }
        request
    }

    fn psync_answered(&self, line: &str, error: Option<&str>) -> Step {
        let mut words = line.split_ascii_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("+FULLRESYNC"), Some(id), Some(offset)) if is_id(id) => match offset.parse() {
                Ok(offset) => Step::FullSync {
                    id: id.into(),
                    offset,
                },
                Err(_) => Step::GiveUp(format!(
                    "Master replied with wrong +FULLRESYNC syntax: {line}"
                )),
            },
            (Some("+CONTINUE"), None, _) => Step::Continue { id: None },
            (Some("+CONTINUE"), Some(id), None) if is_id(id) => Step::Continue {
                id: Some(id.into()),
            },
            _ => match error {
                Some(text) if text.starts_with("NOMASTERLINK") || text.starts_with("LOADING") => {
                    Step::GiveUp(format!(
                        "Master is currently unable to PSYNC but should be in the future: {line}"
                    ))
                }
                _ => Step::GiveUp(format!("Unexpected reply to PSYNC from master: {line}")),
            },
        }
    }
}

/// How the master announces a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// So many bytes.
    Bytes(u64),
    /// Until these bytes come.
    UntilMark([u8; ID_BYTES]),
}

impl Transfer {
    /// Reads the line before the data.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(line: &str) -> Result<Transfer, String> {
        if let Some(mark) = line.strip_prefix("$EOF:") {
            return mark
                .as_bytes()
                .try_into()
                .map(Transfer::UntilMark)
                .map_err(|_| format!("the mark '{mark}' has not {ID_BYTES} bytes"));
        }
        if let Some(text) = line.strip_prefix('-') {
            return Err(format!("MASTER aborted replication with an error: {text}"));
        }
        let length = line
            .strip_prefix('$')
            .and_then(|digits| digits.parse().ok());
        length.map(Transfer::Bytes).ok_or_else(|| {
            format!(
                "Bad protocol from MASTER, the first byte is not '$' (we received '{line}'), are you sure the host and \
                 port are right?"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(step: Step) -> String {
        match step {
            Step::Send(bytes) => String::from_utf8(bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_replica_introduces_itself_and_asks_for_what_it_lacks() {
        let id = "c".repeat(ID_BYTES);
        let (mut handshake, ping) = Handshake::begin(Introduction {
            user: "u".into(),
            password: "p".into(),
            port: 7,
            ip: "h".into(),
            next: Some((id.clone(), 12)),
            hands_over: false,
        });
        assert_eq!(ping, b"*1\r\n$4\r\nPING\r\n");
        let words = sent(handshake.line("-NOAUTH Authentication required."));
        for word in ["AUTH", "listening-port", "ip-address", "psync2"] {
            assert!(words.contains(word), "{words}");
        }
        assert_eq!(handshake.line("+OK"), Step::Wait);
        assert_eq!(handshake.line("+OK"), Step::Wait);
        assert_eq!(
            handshake.line("-ERR Unrecognized REPLCONF option"),
            Step::Wait
        );
        let psync = sent(handshake.line("+OK"));
        assert_eq!(
            psync,
            format!("*3\r\n$5\r\nPSYNC\r\n$40\r\n{id}\r\n$2\r\n12\r\n")
        );
        assert_eq!(handshake.line(""), Step::Wait);
        assert_eq!(handshake.line("+CONTINUE"), Step::Continue { id: None });
        let full = format!("+FULLRESYNC {id} 99");
        assert_eq!(handshake.line(&full), Step::FullSync { id, offset: 99 });
    }

    #[test]
    fn what_is_no_answer_ends_the_attempt() {
        let gives_up = |lines: &[&str]| {
            let (mut handshake, _) = Handshake::begin(Introduction::default());
            let (last, before) = lines.split_last().unwrap();
            for line in before {
                handshake.line(line);
            }
            assert!(matches!(handshake.line(last), Step::GiveUp(_)), "{lines:?}");
        };
        gives_up(&["-ERR what"]);
        gives_up(&["+PONG", "+OK", "+OK", "+FULLRESYNC short 1"]);
        gives_up(&["+PONG", "+OK", "+OK", "-LOADING"]);
        gives_up(&["+PONG", "+OK", "+OK", "$5"]);
    }

    #[test]
    fn data_is_announced_by_its_length_or_by_a_mark() {
        let mark = "d".repeat(ID_BYTES);
        let until = Transfer::UntilMark(mark.as_bytes().try_into().unwrap());
        assert_eq!(Transfer::parse(&format!("$EOF:{mark}")), Ok(until));
        assert_eq!(Transfer::parse("$12"), Ok(Transfer::Bytes(12)));
        assert!(Transfer::parse("$EOF:d").is_err());
        assert!(Transfer::parse("$-1").is_err());
        assert!(Transfer::parse("-ERR").is_err());
        assert!(Transfer::parse("+OK").is_err());
    }
}
