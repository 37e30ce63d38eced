//! The two servers, and a scenario played on both: from empty, request by request, comparing replies, messages and events, and
//! the whole dataset at the end.

use std::fmt::{self, Write};
use std::time::{Duration, Instant};

use tests::compat::Protocol;
use tests::{Connection, Dataset, Reply, ReplyError, Server, quote, split_words};

use crate::explain::{explained, misses_of_sort_in_any_order};
use crate::generate::{CONNECTIONS, Step, confirms_each_channel, lower};

/// What is sent from empty servers on.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) protocol: Protocol,
    /// CONFIG SETs before the first step.
    pub(crate) settings: Vec<Vec<Vec<u8>>>,
    pub(crate) steps: Vec<Step>,
}

/// Where two servers part.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The step, or the number of steps when the datasets differ at the end.
    pub(crate) at: usize,
    /// What kind of difference it is: equal for two of one cause, mostly.
    pub(crate) signature: String,
    pub(crate) text: String,
    /// A server is gone or hangs.
    pub(crate) fatal: bool,
}

/// Steps of one connection that are sent together.
const BATCH: usize = 64;
/// Databases compared at the end of a scenario.
const DBS: u32 = 3;
/// Nothing else answers this.
const MARK: &[u8] = b"this is the mark";

pub(crate) struct Pair {
    pub(crate) redis: Server,
    pub(crate) ours: Server,
}

impl Pair {
    pub(crate) fn start() -> Pair {
        Pair {
            redis: Server::redis(&[]),
            ours: Server::start(&[]),
        }
    }

    /// Plays a scenario; `None` when both servers agree to its end.
    pub(crate) fn play(&self, scenario: &Scenario) -> Option<Difference> {
        let fatal = |at: usize, name: &str, error: &ReplyError| Difference {
            at,
            signature: format!("{name} is gone"),
            text: format!("{name}: {error:?}; its log:\n{}", self.ours.log_tail()),
            fatal: true,
        };
        let gone = |start: usize, batch: &[Step], name: &str, error: &ReplyError| {
            let mut difference = fatal(start + batch.len() - 1, name, error);
            for step in batch {
                let _ = write!(difference.text, "\n  {}", quote(&step.words));
            }
            difference
        };
        let mut redis = match Side::open(&self.redis, scenario) {
            Ok(side) => side,
            Err(error) => return Some(fatal(0, "redis-server", &error)),
        };
        let mut ours = match Side::open(&self.ours, scenario) {
            Ok(side) => side,
            Err(error) => return Some(fatal(0, "platform-kv", &error)),
        };
        let start_time = Instant::now();
        let mut queued = [const { Vec::new() }; CONNECTIONS];
        let mut start = 0;
        for run in scenario.steps.chunk_by(|a, b| a.connection == b.connection) {
            for batch in run.chunks(BATCH) {
                let expected = match redis.answers(batch) {
                    Ok(answers) => answers,
                    Err(error) => return Some(gone(start, batch, "redis-server", &error)),
                };
                let found = match ours.answers(batch) {
                    Ok(answers) => answers,
                    Err(error) => return Some(gone(start, batch, "platform-kv", &error)),
                };
                let queue = &mut queued[batch[0].connection];
                for (index, step) in batch.iter().enumerate() {
                    let (expected, found) = (&expected.replies[index], &found.replies[index]);
                    if !expected.agrees(found, step, queue) {
                        return Some(differ(scenario, start + index, expected, found));
                    }
                }
                let of = |events: &[Reply]| misses_of_sort_in_any_order(batch, events.to_vec());
                if of(&expected.events) != of(&found.events) {
                    return Some(Difference {
                        at: start + batch.len() - 1,
                        signature: "events".into(),
                        text: format!(
                            "events after {}:\n{}",
                            quote(&batch[batch.len() - 1].words),
                            first_difference(&expected.events, &found.events)
                        ),
                        fatal: false,
                    });
                }
                start += batch.len();
            }
        }
        self.compare_datasets(scenario.steps.len(), start_time.elapsed())
    }

    /// A relative time counts from when each server was told: anywhere in the scenario's own time.
    fn compare_datasets(&self, steps: usize, duration: Duration) -> Option<Difference> {
        const SLACK: Duration = Duration::from_secs(2);
        let slack_ms = (SLACK + duration).as_millis() as i64;
        let read = |server: &Server| Dataset::read(&mut server.connect(), DBS);
        let (Ok(expected), Ok(found)) = (read(&self.redis), read(&self.ours)) else {
            return Some(Difference {
                at: steps,
                signature: "dataset cannot be read".into(),
                text: format!("the dataset cannot be read; log:\n{}", self.ours.log_tail()),
                fatal: true,
            });
        };
        let lines = expected.differences(&found, slack_ms);
        (!lines.is_empty()).then(|| Difference {
            at: steps,
            signature: "dataset".into(),
            text: format!("datasets at the end:\n  {}", lines.join("\n  ")),
            fatal: false,
        })
    }
}

fn first_difference(expected: &[Reply], found: &[Reply]) -> String {
    const SHOWN: usize = 6;
    let same = expected
        .iter()
        .zip(found)
        .take_while(|(a, b)| a == b)
        .count();
    let shown = |events: &[Reply]| {
        let events: Vec<_> = events.iter().skip(same).take(SHOWN).collect();
        format!("{events:?}")
    };
    format!(
        "    (after {same} equal ones)\n    redis-server: {}\n    platform-kv:  {}",
        shown(expected),
        shown(found)
    )
}

fn differ(scenario: &Scenario, at: usize, expected: &Answer, found: &Answer) -> Difference {
    let step = &scenario.steps[at];
    Difference {
        at,
        signature: step
            .words
            .first()
            .map(|word| lower(word))
            .unwrap_or_default(),
        text: format!(
            "{}\n    redis-server: {expected:?}\n    platform-kv:  {found:?}",
            quote(&step.words)
        ),
        fatal: false,
    }
}

/// The reply to one request, and what came before it unasked.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    messages: Vec<Reply>,
    reply: Option<Reply>,
}

impl Answer {
    /// `queued` are the requests of the connection's open transaction; this reply is to `step`.
    fn agrees(&self, found: &Answer, step: &Step, queued: &mut Vec<Vec<Vec<u8>>>) -> bool {
        let name = step
            .words
            .first()
            .map(|word| lower(word))
            .unwrap_or_default();
        let mut requests = Vec::new();
        match &self.reply {
            Some(Reply::Line(b'+', text)) if text == b"QUEUED" => queued.push(step.words.clone()),
            _ if name == "exec" || name == "discard" => requests = std::mem::take(queued),
            _ => {}
        }
        if self == found {
            return true;
        }
        if confirms_each_channel(&name) {
            let list = |answer: &Answer| Reply::Group(b'*', Some(answer.messages.clone()));
            return explained(&step.words, &list(self), &list(found));
        }
        let (Some(expected), Some(actual)) = (&self.reply, &found.reply) else {
            return false;
        };
        if self.messages != found.messages {
            return false;
        }
        if name == "exec" {
            let (a, b) = (expected.items(), actual.items());
            return !a.is_empty()
                && a.len() == b.len()
                && a.len() == requests.len()
                && a.iter()
                    .zip(b)
                    .zip(&requests)
                    .all(|((a, b), words)| a == b || explained(words, a, b));
        }
        expected == actual || explained(&step.words, expected, actual)
    }
}

struct Answers {
    replies: Vec<Answer>,
    /// Keyspace events, as the observer heard them.
    events: Vec<Reply>,
}

/// One server with the connections of a scenario.
struct Side {
    connections: Vec<Connection>,
    /// Listens to every keyspace event.
    observer: Connection,
}

impl Side {
    /// Empties the server and connects.
    fn open(server: &Server, scenario: &Scenario) -> Result<Side, ReplyError> {
        let mut observer = server.connect();
        let mut prepare = scenario.settings.clone();
        prepare.push(split_words("FLUSHALL"));
        for reply in observer.pipeline(&prepare)? {
            assert!(!reply.is_error(), "{}: {reply:?}", server.name());
        }
        observer.call(&split_words("PSUBSCRIBE __key*"))?;
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut connection = server.connect();
            if scenario.protocol == Protocol::Resp3 {
                connection.call(&split_words("HELLO 3"))?;
            }
            connections.push(connection);
        }
        Ok(Side {
            connections,
            observer,
        })
    }

    /// Sends steps of one connection and reads all that comes of them.
    fn answers(&mut self, steps: &[Step]) -> Result<Answers, ReplyError> {
        let mark = || vec![b"PING".to_vec(), MARK.to_vec()];
        let mut requests = Vec::with_capacity(steps.len());
        for step in steps {
            requests.push(step.words.clone());
            if confirms(step) {
                requests.push(mark());
            }
        }
        let connection = &mut self.connections[steps[0].connection];
        connection.send_all(&requests)?;
        let mut replies = Vec::with_capacity(steps.len());
        for step in steps {
            let mut messages = Vec::new();
            let reply = loop {
                let reply = connection.read()?;
                if confirms(step) && is_mark(&reply) {
                    break None;
                } else if confirms(step) || is_message(&reply) {
                    messages.push(reply);
                } else {
                    break Some(reply);
                }
            };
            sort_equal_messages(&mut messages);
            replies.push(Answer { messages, reply });
        }
        self.observer.send(&mark())?;
        let mut events = Vec::new();
        loop {
            let event = self.observer.read()?;
            if is_mark(&event) {
                return Ok(Answers { replies, events });
            }
            events.push(event);
        }
    }
}

fn confirms(step: &Step) -> bool {
    step.words
        .first()
        .is_some_and(|word| confirms_each_channel(&lower(word)))
}

/// A message that fits several patterns of one client comes once for each, in the order of a hash table.
fn sort_equal_messages(messages: &mut [Reply]) {
    let same = |a: &Reply, b: &Reply| {
        let (a, b) = (a.items(), b.items());
        a.len() == 4 && b.len() == 4 && a[0] == b[0] && a[2..] == b[2..]
    };
    messages.chunk_by_mut(same).for_each(<[Reply]>::sort);
}

/// The reply to PING with the mark: to a subscriber of RESP2 it is a list.
fn is_mark(reply: &Reply) -> bool {
    reply.bytes() == Some(MARK) || reply.items().get(1).and_then(Reply::bytes) == Some(MARK)
}

fn is_message(reply: &Reply) -> bool {
    match reply {
        Reply::Group(b'>', _) => true,
        Reply::Group(b'*', Some(items)) => matches!(
            items.first().and_then(Reply::bytes),
            Some(b"message" | b"pmessage" | b"smessage")
        ),
        _ => false,
    }
}

/// As a compat script.
impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# {:?}", self.protocol)?;
        for words in &self.settings {
            writeln!(f, "{}", quote(words))?;
        }
        for step in &self.steps {
            let client = char::from(b'a' + step.connection as u8);
            f.write_char(client)?;
            writeln!(f, ": {}", quote(&step.words))?;
        }
        Ok(())
    }
}
