//! MIGRATE: moves keys to another node, which gets them as RESTORE commands. The data thread waits for that node, so that
//! no moment passes in which a key is in both or in none.

use crate::commands::prelude::*;
use client::{Address, Client, Error};
use front::UnixMillis;
use resp::Frame;
use std::collections::HashMap;
use std::io;
use std::time::Duration;
use store::entry::Entry;
use store::rdb::dump;

pub(super) static MIGRATE: Command = Command {
    spec: CommandSpec {
        name: "migrate",
        group: Group::Generic,
        summary: "Moves keys to another node, each whole or not at all.",
        since: "2.6.0",
        complexity: "O(N), N being the size of the values, here and at the other node",
        arity: -6,
        flags: Flags::WRITE.and(Flags::MOVABLE_KEYS),
        categories: Categories::KEYSPACE.and(Categories::DANGEROUS),
        keys: &[
            KeySpec::one(MOVED, 3),
            KeySpec::keyword(
                MOVED.and(KeyFlags::INCOMPLETE),
                "KEYS",
                -2,
                FindKeys::Range {
                    last: -1,
                    step: 1,
                    limit: 0,
                },
            ),
        ],
        args: &[
            Arg::string("host"),
            Arg::integer("port"),
            Arg::one_of(
                "key_or_empty_string",
                &[Arg::key("key", 0), Arg::flag("empty_string", "")],
            ),
            Arg::integer("destination-db"),
            Arg::integer("timeout"),
            Arg::flag("copy", "COPY").optional().since("3.0.0"),
            Arg::flag("replace", "REPLACE").optional().since("3.0.0"),
            Arg::one_of(
                "authentication",
                &[
                    Arg::string("password")
                        .token("AUTH")
                        .optional()
                        .since("4.0.7"),
                    Arg::block(
                        "username_password",
                        &[Arg::string("username"), Arg::string("password")],
                    )
                    .token("AUTH2")
                    .optional()
                    .since("6.0.0"),
                ],
            )
            .optional(),
            Arg::key("key", 1)
                .token("KEYS")
                .optional()
                .multiple()
                .since("3.0.6"),
        ],
        tips: &["nondeterministic_output"],
        // A password may be the word KEYS.
        keys_fn: Some(|args| {
            let keys = match Options::parse(args) {
                Ok(options) => options.keys,
                Err(_) => return None,
            };
            Some(keys.into_iter().map(|at| (at, MOVED)).collect())
        }),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(migrate)),
};

const MOVED: KeyFlags = KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE);

/// Where the options begin.
const FIRST_OPTION: usize = 6;

/// What a request asks for.
#[derive(Debug, Default, PartialEq)]
struct Options<'a> {
    copy: bool,
    replace: bool,
    /// The words of AUTH.
    auth: Vec<&'a [u8]>,
    /// Where in the request the keys stand.
    keys: Vec<usize>,
}

impl<'a> Options<'a> {
    fn parse(args: &[&'a [u8]]) -> Result<Options<'a>, CommandError> {
        let mut options = Options {
            keys: vec![3],
            ..Options::default()
        };
        let mut at = FIRST_OPTION;
        while let Some(word) = args.get(at) {
            let word = word.to_ascii_lowercase();
            let left = args.len() - at - 1;
            match word.as_slice() {
                b"copy" => options.copy = true,
                b"replace" => options.replace = true,
                b"auth" if left >= 1 => {
                    options.auth = args[at + 1..at + 2].to_vec();
                    at += 1;
                }
                b"auth2" if left >= 2 => {
                    options.auth = args[at + 1..at + 3].to_vec();
                    at += 2;
                }
                b"keys" => {
                    if !args[3].is_empty() {
                        return Err(CommandError::text(
                            "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
                        ));
                    }
                    options.keys = (at + 1..args.len()).collect();
                    return Ok(options);
                }
                _ => return Err(CommandError::Syntax),
            }
            at += 1;
        }
        Ok(options)
    }
}

/// Connections to other nodes, kept for a while because who moves one key moves many.
#[derive(Default)]
pub(crate) struct MigrateSockets(HashMap<Address, Cached>);

struct Cached {
    client: Client,
    /// The db it has selected there.
    db: Option<i64>,
    used: UnixMillis,
}

impl MigrateSockets {
    /// More are not kept open.
    const MAX: usize = 64;
    const IDLE_MS: i64 = 10_000;

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Closes those that nobody has used for a while.
    pub(crate) fn close_idle(&mut self, now: UnixMillis) {
        self.0
            .retain(|_, cached| now - cached.used <= Self::IDLE_MS);
    }

    fn get(
        &mut self,
        address: &Address,
        timeout: Duration,
        now: UnixMillis,
    ) -> Result<&mut Cached, Failure> {
        if !self.0.contains_key(address) {
            let client = Client::connect(address, timeout).map_err(Failure::of_connecting)?;
            if self.0.len() >= Self::MAX {
                let oldest = self.0.iter().min_by_key(|(_, cached)| cached.used);
                if let Some(address) = oldest.map(|(address, _)| address.clone()) {
                    self.0.remove(&address);
                }
            }
            let db = None;
            let used = now;
            self.0.insert(address.clone(), Cached { client, db, used });
        }
        let cached = self.0.get_mut(address).expect("there or just inserted");
        cached.used = now;
        match cached.client.set_timeout(Some(timeout)) {
            Ok(()) => Ok(cached),
            Err(_) => Err(Failure::new(Phase::Connecting, false)),
        }
    }
}

/// What was being done when the connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Connecting,
    Writing,
    Reading,
}

/// The connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Failure {
    phase: Phase,
    timed_out: bool,
}

impl Failure {
    fn new(phase: Phase, timed_out: bool) -> Failure {
        Failure { phase, timed_out }
    }

    fn of(phase: Phase, error: &Error) -> Failure {
        let timed_out =
            matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::TimedOut);
        Failure { phase, timed_out }
    }

    /// A node that refuses shows, as with Redis, when it is written to.
    fn of_connecting(error: Error) -> Failure {
        let refused =
            matches!(&error, Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused);
        let phase = if refused {
            Phase::Writing
        } else {
            Phase::Connecting
        };
        Failure::of(phase, &error)
    }

    fn error(self) -> CommandError {
        CommandError::text(match self.phase {
            Phase::Connecting => "IOERR error or timeout connecting to the client",
            Phase::Writing => "IOERR error or timeout writing to target instance",
            Phase::Reading => "IOERR error or timeout reading to target instance",
        })
    }
}

/// What the other node answered.
#[derive(Debug, Default)]
struct Answers {
    /// Keys it has now, by their place in what was sent.
    accepted: Vec<usize>,
    /// The first error.
    refusal: Option<Vec<u8>>,
    failure: Option<Failure>,
}

fn migrate(cx: &mut ServerContext<'_>) -> CommandResult {
    let options = Options::parse(cx.args)?;
    let timeout_ms = parse_integer(cx.args[5])?;
    let db = parse_integer(cx.args[4])?;
    /// In place of none.
    const DEFAULT_TIMEOUT_MS: u64 = 1000;
    let timeout_ms = u64::try_from(timeout_ms)
        .ok()
        .filter(|&ms| ms > 0)
        .unwrap_or(DEFAULT_TIMEOUT_MS);
    let timeout = Duration::from_millis(timeout_ms);
    let (keys, payloads) = payloads(cx, &options);
    if keys.is_empty() {
        cx.reply.simple("NOKEY");
        return Ok(());
    }
    let address = address(cx.args[1], cx.args[2]);
    let mut answers = Answers::default();
    // A kept connection may have ended meanwhile: that shows only now, and is no reason to fail.
    for _ in 0..2 {
        let now = cx.now;
        let sockets = &mut cx.server.migrate_sockets;
        answers = match sockets.get(&address, timeout, now) {
            Ok(cached) => send(cached, db, &options.auth, &payloads),
            Err(failure) => Answers {
                failure: Some(failure),
                ..Answers::default()
            },
        };
        let Some(failure) = answers.failure else {
            break;
        };
        sockets.0.remove(&address);
        if failure.timed_out || !answers.accepted.is_empty() {
            break;
        }
    }
    if !options.copy {
        delete_accepted(cx, &answers.accepted, &keys);
    }
    if let Some(failure) = answers.failure {
        return Err(failure.error());
    }
    if let Some(refusal) = answers.refusal {
        return Err(CommandError::err(format_args!(
            "Target instance replied with error: {}",
            String::from_utf8_lossy(&refusal)
        )));
    }
    cx.reply.ok();
    Ok(())
}

/// The keys that are there, and the RESTORE command of each that has not expired.
fn payloads<'a>(
    cx: &mut ServerContext<'a>,
    options: &Options<'_>,
) -> (Vec<&'a [u8]>, Vec<Vec<Vec<u8>>>) {
    let compress = cx.server.settings.rdb_compression;
    let (args, now) = (cx.args, cx.now);
    let mut keys = Vec::new();
    let mut commands = Vec::new();
    for &at in &options.keys {
        let key = args[at];
        let Some(entry) = cx.db().lookup(key) else {
            continue;
        };
        keys.push(key);
        commands.push(restore_command(entry, now, compress, options.replace));
    }
    (keys, commands)
}

fn restore_command(entry: &Entry, now: UnixMillis, compress: bool, replace: bool) -> Vec<Vec<u8>> {
    // Without an expiry zero, which RESTORE takes for none; what is due is gone before it gets here.
    let ttl = entry.expiry().map_or(0, |at| (at - now).max(1));
    let mut command = vec![
        b"RESTORE".to_vec(),
        entry.key().to_vec(),
        decimal(ttl).to_vec(),
        dump::dump(entry.value(), compress),
    ];
    if replace {
        command.push(b"REPLACE".to_vec());
    }
    command
}

fn address(host: &[u8], port: &[u8]) -> Address {
    let port = std::str::from_utf8(port)
        .ok()
        .and_then(|port| port.parse().ok())
        .unwrap_or(0);
    Address::Tcp(String::from_utf8_lossy(host).into_owned(), port)
}

fn send(cached: &mut Cached, db: i64, auth: &[&[u8]], commands: &[Vec<Vec<u8>>]) -> Answers {
    let mut answers = Answers::default();
    let client = &mut cached.client;
    let mut before = 0;
    if !auth.is_empty() {
        client.send(&[&[&b"AUTH"[..]], auth].concat());
        before += 1;
    }
    if cached.db != Some(db) {
        client.send(&[&b"SELECT"[..], &decimal(db)]);
        before += 1;
    }
    for command in commands {
        client.send(command);
    }
    if let Err(error) = client.flush() {
        answers.failure = Some(Failure::of(Phase::Writing, &error));
        return answers;
    }
    cached.db = Some(db);
    // Whether it knows us and is in the right db: else what it accepts is not where we wanted it.
    let mut ready = true;
    for number in 0..before + commands.len() {
        match client.receive() {
            Ok(Frame::Error(text)) => {
                ready &= number >= before;
                cached.db = None;
                answers.refusal.get_or_insert(text);
            }
            Ok(_) if number >= before && ready => answers.accepted.push(number - before),
            Ok(_) => {}
            Err(error) => {
                answers.failure = Some(Failure::of(Phase::Reading, &error));
                return answers;
            }
        }
    }
    answers
}

fn delete_accepted(cx: &mut ServerContext<'_>, accepted: &[usize], keys: &[&[u8]]) {
    let mut command: Vec<&[u8]> = vec![b"DEL"];
    for &place in accepted {
        let key = keys[place];
        if cx.db().remove(key) {
            cx.effects().deleted(key);
            command.push(key);
        }
    }
    if command.len() > 1 {
        cx.effects().propagate_as(&command);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<(Vec<usize>, usize, bool, bool), String> {
        let words: Vec<&[u8]> = line
            .split(' ')
            .map(|word| word.trim_matches('"').as_bytes())
            .collect();
        Options::parse(&words)
            .map(|options| {
                (
                    options.keys,
                    options.auth.len(),
                    options.copy,
                    options.replace,
                )
            })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn keys_are_one_or_those_behind_their_word() {
        assert_eq!(
            parse("MIGRATE h 1 k 0 10 copy REPLACE"),
            Ok((vec![3], 0, true, true))
        );
        assert_eq!(
            parse("MIGRATE h 1 \"\" 0 10 AUTH keys KEYS a b"),
            Ok((vec![9, 10], 1, false, false))
        );
        assert_eq!(
            parse("MIGRATE h 1 \"\" 0 10 auth2 u p keys"),
            Ok((vec![], 2, false, false))
        );
        assert!(
            parse("MIGRATE h 1 k 0 10 keys a")
                .unwrap_err()
                .contains("empty string")
        );
        for wrong in ["auth", "auth2 u", "nonsense"] {
            let line = format!("MIGRATE h 1 k 0 10 {wrong}");
            assert_eq!(parse(&line), Err("ERR syntax error".into()));
        }
    }
}
