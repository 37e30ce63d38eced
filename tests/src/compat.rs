//! Compat scripts: commands run on platform-kv and on redis-server, each reply compared to the byte.
//!
//! A script is text, one step a line, run once in RESP2 and once in RESP3 on fresh servers:
//!
//! ```text
//! # a comment
//! SET k "a b\x00"          send and compare the reply; arguments as in split_words
//! ~ SMEMBERS s             the order of the items means nothing
//! % HGETALL h              the order of the pairs means nothing (also of a flat RESP2 list)
//! ~~ COMMAND INFO config    nor does it at any depth
//! & SCAN 0                 the order of the last item's items means nothing
//! ? TIME                   only the types are compared
//! $id = ? CLIENT ID        remember each server's own reply; $id stands for it in later steps
//! b: SUBSCRIBE news        another client, named b
//! b> BLPOP q 0             send without waiting for a reply
//! b<                       read one reply (or push message) that must come
//! b!                       nothing must have come
//! b.                       close the connection
//! raw "PING\r\n"           bytes as they are, one reply is read
//! b> raw "*1\r\n"          the same without reading
//! sleep 20                 milliseconds
//! ```
//!
//! After `b>` the harness waits until the server has read what was sent, so the next step comes later.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

use crate::{Connection, Reply, ReplyError, Server, quote, split_words};

/// Compares both servers over `script`, in RESP2 and in RESP3.
///
/// # Panics
/// When a reply differs; the message lists each such step with both replies.
pub fn same(script: &str) {
    same_with(&[], script);
}

/// Like [`same`], with `directives` on both command lines.
///
/// # Panics
/// As [`same`].
pub fn same_with(directives: &[&str], script: &str) {
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        same_in(protocol, directives, script);
    }
}

/// The protocol which each client of a script speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// What a connection starts with.
    Resp2,
    /// Each connection begins with `HELLO 3`.
    Resp3,
}

/// Like [`same_with`] in one protocol, for scripts that only make sense there.
///
/// # Panics
/// As [`same`].
pub fn same_in(protocol: Protocol, directives: &[&str], script: &str) {
    let oracle = Server::redis(directives);
    let subject = Server::start(directives);
    let mut sides = [Side::new(&oracle, protocol), Side::new(&subject, protocol)];
    let mut steps = 0;
    let mut differences = String::new();
    let mut count = 0;
    for (number, line) in script.lines().enumerate() {
        let Some(step) = Step::parse(line) else {
            continue;
        };
        steps += 1;
        let [expected, found] = sides.each_mut().map(|side| side.perform(&step));
        let unanswered = matches!(expected, Some(Err(ReplyError::Silence)));
        let wanted = matches!(step.action, Action::Silence);
        assert!(
            !unanswered || wanted,
            "redis-server does not answer line {}: {line}",
            number + 1
        );
        if expected != found {
            count += 1;
            let _ = write!(
                differences,
                "  line {}: {}\n    redis-server: {}\n    platform-kv:  {}\n",
                number + 1,
                line.trim(),
                show(expected.as_ref(), found.as_ref()),
                show(found.as_ref(), expected.as_ref()),
            );
        }
        if matches!(found, Some(Err(ReplyError::Closed))) && is_gone(&subject) {
            let _ = writeln!(
                differences,
                "platform-kv is gone; its log:\n{}",
                subject.log_tail()
            );
            break;
        }
    }
    assert!(
        count == 0,
        "{count} of {steps} replies differ ({protocol:?}, directives {directives:?}):\n{differences}"
    );
}

fn is_gone(server: &Server) -> bool {
    Connection::open(server.port()).is_err()
}

/// Shows `outcome`, of a long one only what lies around the first difference to `other`.
fn show(
    outcome: Option<&Result<Reply, ReplyError>>,
    other: Option<&Result<Reply, ReplyError>>,
) -> String {
    const LONGEST_SHOWN: usize = 600;
    let [text, other] = [outcome, other].map(|outcome| match outcome {
        None => "nothing".to_owned(),
        Some(Ok(reply)) => format!("{reply:?}"),
        Some(Err(error)) => format!("{error:?}"),
    });
    if text.len() <= LONGEST_SHOWN {
        return text;
    }
    let same = text
        .chars()
        .zip(other.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let start = same.saturating_sub(LONGEST_SHOWN / 4);
    let part: String = text.chars().skip(start).take(LONGEST_SHOWN).collect();
    format!("(from character {start}) …{part}…")
}

/// One line of a script.
#[derive(Debug)]
struct Step<'a> {
    client: &'a str,
    action: Action<'a>,
}

#[derive(Debug)]
enum Action<'a> {
    Call {
        words: &'a str,
        compare: Compare,
        remember: Option<&'a str>,
    },
    Send(&'a str),
    Read(Compare),
    Silence,
    Close,
    Sleep(Duration),
}

/// How two replies are compared.
#[derive(Clone, Copy, Debug)]
enum Compare {
    Bytes,
    Unordered,
    UnorderedDeep,
    UnorderedPairs,
    UnorderedLast,
    Shape,
}

impl Compare {
    fn prefix(text: &str) -> (Compare, &str) {
        let marks = [
            ("~~", Compare::UnorderedDeep),
            ("~", Compare::Unordered),
            ("%", Compare::UnorderedPairs),
            ("&", Compare::UnorderedLast),
            ("?", Compare::Shape),
        ];
        for (mark, compare) in marks {
            if let Some(rest) = text.strip_prefix(mark) {
                return (compare, rest.trim());
            }
        }
        (Compare::Bytes, text)
    }

    fn normalise(self, reply: Reply) -> Reply {
        match self {
            Compare::Bytes => reply,
            _ if reply.is_error() => reply,
            Compare::Unordered => reply.unordered(),
            Compare::UnorderedDeep => reply.unordered_deep(),
            Compare::UnorderedPairs => reply.unordered_chunks(2),
            Compare::UnorderedLast => reply.unordered_last(),
            Compare::Shape => reply.shape(),
        }
    }
}

impl<'a> Step<'a> {
    /// `None` for comments and blank lines.
    fn parse(line: &'a str) -> Option<Step<'a>> {
        let line = line.trim();
        if line.is_empty() || line.starts_with("# ") || line == "#" {
            return None;
        }
        if let Some(ms) = line.strip_prefix("sleep ") {
            let ms = ms.parse().expect("milliseconds after sleep");
            return Some(Step {
                client: "",
                action: Action::Sleep(Duration::from_millis(ms)),
            });
        }
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let name = first.trim_end_matches([':', '>', '<', '!', '.']);
        let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase());
        let (client, action) = match &first[name.len()..] {
            ":" if named => (name, Action::call(rest.trim())),
            ">" if named => (name, Action::Send(rest.trim())),
            "<" if named => (name, Action::Read(Compare::prefix(rest.trim()).0)),
            "!" if named => (name, Action::Silence),
            "." if named => (name, Action::Close),
            _ => ("", Action::call(line)),
        };
        Some(Step { client, action })
    }
}

impl<'a> Action<'a> {
    fn call(text: &'a str) -> Action<'a> {
        let assigned = text
            .strip_prefix('$')
            .and_then(|text| text.split_once(" = "));
        let (remember, text) = match assigned {
            Some((name, rest)) => (Some(name), rest.trim()),
            None => (None, text),
        };
        let (compare, words) = Compare::prefix(text);
        Action::Call {
            words,
            compare,
            remember,
        }
    }
}

/// One server with its clients and remembered replies.
struct Side<'a> {
    server: &'a Server,
    protocol: Protocol,
    clients: HashMap<String, Connection>,
    remembered: HashMap<String, Vec<u8>>,
    /// A client has been sent a message that answers nothing.
    lagging: bool,
}

type Outcome = Option<Result<Reply, ReplyError>>;

impl<'a> Side<'a> {
    fn new(server: &'a Server, protocol: Protocol) -> Side<'a> {
        Side {
            server,
            protocol,
            clients: HashMap::new(),
            remembered: HashMap::new(),
            lagging: false,
        }
    }

    fn perform(&mut self, step: &Step<'_>) -> Outcome {
        match &step.action {
            Action::Sleep(time) => {
                std::thread::sleep(*time);
                None
            }
            Action::Close => {
                self.clients.remove(step.client);
                self.settle();
                None
            }
            Action::Silence => {
                self.settle();
                let reply = self
                    .client(step.client)
                    .read_within(Duration::from_millis(20));
                Some(reply)
            }
            Action::Read(compare) => Some(
                self.client(step.client)
                    .read()
                    .map(|reply| compare.normalise(reply)),
            ),
            Action::Send(words) => {
                let sent = self.send(step.client, words);
                self.settle();
                sent.err().map(Err)
            }
            Action::Call {
                words,
                compare,
                remember,
            } => {
                let reply = self
                    .send(step.client, words)
                    .and_then(|()| self.client(step.client).read());
                // A message came first: the answers to this client's steps lag behind from now on.
                self.lagging |= reply.as_ref().is_ok_and(Reply::is_push);
                if self.lagging {
                    // A step of another client must not overtake what was not answered yet.
                    self.settle();
                }
                if let (Some(name), Ok(reply)) = (remember, &reply) {
                    let bytes = reply.bytes().unwrap_or_default().to_vec();
                    self.remembered.insert((*name).into(), bytes);
                }
                Some(reply.map(|reply| compare.normalise(reply)))
            }
        }
    }

    fn send(&mut self, client: &str, text: &str) -> Result<(), ReplyError> {
        if let Some(bytes) = text.strip_prefix("raw ") {
            let bytes = split_words(bytes).concat();
            return self.client(client).send_raw(&bytes);
        }
        let words: Vec<Vec<u8>> = split_words(text)
            .into_iter()
            .map(|word| self.substitute(word))
            .collect();
        assert!(
            !words.is_empty(),
            "a step without a command: {}",
            quote(&words)
        );
        self.client(client).send(&words)
    }

    fn substitute(&self, word: Vec<u8>) -> Vec<u8> {
        let name = word.strip_prefix(b"$").map(String::from_utf8_lossy);
        name.and_then(|name| self.remembered.get(name.as_ref()).cloned())
            .unwrap_or(word)
    }

    fn client(&mut self, name: &str) -> &mut Connection {
        let (server, protocol) = (self.server, self.protocol);
        self.clients.entry(name.into()).or_insert_with(|| {
            let mut connection = server.connect();
            if protocol == Protocol::Resp3 {
                // A server that needs a password first answers an error here; the script sees to it.
                let _ = connection.call(&split_words("HELLO 3"));
            }
            connection
        })
    }

    /// Returns once the server has read all that was sent before.
    ///
    /// What another connection sent lies in the server's socket before the PING does, so the turn that
    /// reads the PING reads it too, and answers come at the end of the turn. The second PING is for
    /// servers that answer within it.
    fn settle(&mut self) {
        const NAME: &str = "the one that settles";
        for _ in 0..2 {
            let _ = self.client(NAME).call(&[b"PING".to_vec()]);
        }
    }
}
