//! XCLAIM and XAUTOCLAIM: pending entries change hands.

use super::ids::{parse_id, parse_start};
use super::pending::{idle_ms, no_key_or_group};
use super::propagate;
use super::reply::{shown, write_entry, write_id};
use crate::commands::prelude::*;
use front::UnixMillis;
use store::value::{ConsumerId, Group as ConsumerGroup, Pending, Stream, StreamId};

pub(super) static XCLAIM: Command = Command {
    spec: CommandSpec {
        name: "xclaim",
        group: Group::Stream,
        summary: "Gives pending entries to a consumer.",
        since: "5.0.0",
        complexity: "O(log(N)) for each entry",
        arity: -6,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::string("consumer"),
            Arg::string("min-idle-time"),
            Arg::string("id").multiple(),
            Arg::integer("ms").token("IDLE").optional(),
            Arg::unix_time("unix-time-milliseconds")
                .token("TIME")
                .optional(),
            Arg::integer("count").token("RETRYCOUNT").optional(),
            Arg::flag("force", "FORCE").optional(),
            Arg::flag("justid", "JUSTID").optional(),
            Arg::string("id").token("LASTID").optional(),
        ],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(xclaim)),
};

pub(super) static XAUTOCLAIM: Command = Command {
    spec: CommandSpec {
        name: "xautoclaim",
        group: Group::Stream,
        summary: "Gives entries that wait too long to a consumer.",
        since: "6.2.0",
        complexity: "O(1) for a small COUNT",
        arity: -6,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::STREAM,
        // DELETE: what waits for an entry that is gone is cleared.
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::DELETE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::string("consumer"),
            Arg::string("min-idle-time"),
            Arg::string("start"),
            Arg::integer("count").token("COUNT").optional(),
            Arg::flag("justid", "JUSTID").optional(),
        ],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(xautoclaim)),
};

/// How a claimed entry waits from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Terms {
    min_idle_ms: i64,
    delivered_at: UnixMillis,
    /// None counts the claim as a delivery, unless only ids are asked for.
    deliveries: Option<u64>,
    just_id: bool,
    /// Entries that wait for nobody are claimed too.
    force: bool,
}

/// What becomes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is no longer in the stream: nobody can acknowledge it.
    Clear(Pending),
    Leave,
    Claim {
        deliveries: u64,
    },
}

impl Terms {
    fn judge(&self, exists: bool, pending: Option<Pending>, now: UnixMillis) -> Verdict {
        let deliveries = match pending {
            Some(pending) if !exists => return Verdict::Clear(pending),
            None if !exists || !self.force => return Verdict::Leave,
            Some(pending) if self.min_idle_ms > 0 && idle_ms(pending, now) < self.min_idle_ms => {
                return Verdict::Leave;
            }
            Some(pending) => pending.deliveries,
            // As if it had been given once.
            None => 1,
        };
        let deliveries = self
            .deliveries
            .unwrap_or_else(|| deliveries.saturating_add(u64::from(!self.just_id)));
        Verdict::Claim { deliveries }
    }
}

/// The words that say whose entries go to whom.
#[derive(Clone, Copy)]
struct Names<'a> {
    key: &'a [u8],
    group: &'a [u8],
    consumer: &'a [u8],
}

/// The claims of one command.
struct Claims<'a, 'b> {
    names: Names<'a>,
    terms: Terms,
    now: UnixMillis,
    /// Known once something was claimed.
    consumer: Option<ConsumerId>,
    claimed: usize,
    effects: &'b mut crate::effects::Effects,
}

impl Claims<'_, '_> {
    /// Judges an entry and performs the verdict; what is claimed is told. `id_word` is the id as it is propagated.
    fn handle(
        &mut self,
        stream: &mut Stream,
        reply: &mut resp::Writer<'_>,
        id: StreamId,
        id_word: &[u8],
    ) -> Verdict {
        let Names {
            key,
            group,
            consumer,
        } = self.names;
        let entry = stream.get(id);
        let found = stream.group(group).expect("the caller has found the group");
        let verdict = self
            .terms
            .judge(entry.is_some(), found.pending(id), self.now);
        if let (Verdict::Claim { .. }, Some(entry)) = (verdict, entry) {
            self.claimed += 1;
            if self.terms.just_id {
                write_id(reply, id);
            } else {
                write_entry(reply, entry);
            }
        }
        let found = stream.group_mut(group).expect("found above");
        match verdict {
            Verdict::Leave => {}
            Verdict::Clear(pending) => {
                let owner = found.consumer(pending.consumer).name();
                propagate::claimed(
                    self.effects,
                    [key, group, owner],
                    id_word,
                    pending,
                    found.last_id,
                );
                found.acknowledge(id);
                self.effects.dirty += 1;
            }
            Verdict::Claim { deliveries } => {
                let pending = Pending {
                    consumer: self.consumer(found),
                    delivered_at: self.terms.delivered_at,
                    deliveries,
                };
                found.assign(id, pending);
                propagate::claimed(
                    self.effects,
                    [key, group, consumer],
                    id_word,
                    pending,
                    found.last_id,
                );
                self.effects.dirty += 1;
            }
        }
        verdict
    }

    /// The consumer that claims, made if there is none of its name. It is seen now.
    fn consumer(&mut self, group: &mut ConsumerGroup) -> ConsumerId {
        if let Some(consumer) = self.consumer {
            return consumer;
        }
        let name = self.names.consumer;
        let consumer = match group.add_consumer(name, self.now) {
            Some(consumer) => {
                self.effects.dirty += 1;
                self.effects
                    .notify(EventClass::STREAM, "xgroup-createconsumer", self.names.key);
                consumer
            }
            None => {
                let consumer = group.find(name).expect("it was refused for being there");
                group.consumer_mut(consumer).seen_at = self.now;
                consumer
            }
        };
        self.consumer = Some(consumer);
        consumer
    }
}

/// The stream, if it has the group.
fn stream_with_group<'a>(
    db: &'a mut store::db::Db,
    names: Names<'_>,
) -> Result<&'a mut Stream, CommandError> {
    db.stream_mut(names.key)
        .or_wrong_type()?
        .filter(|stream| stream.group(names.group).is_some())
        .ok_or_else(|| no_key_or_group(names.key, names.group))
}

/// To Redis a claim begins with a read of the key, which hits or misses.
fn count_read(db: &mut store::db::Db, key: &[u8]) {
    db.access.quiet = false;
    db.contains(key);
}

/// What the words of XCLAIM behind the names say.
struct ClaimRequest<'a> {
    ids: Vec<(StreamId, &'a [u8])>,
    terms: Terms,
    last_id: StreamId,
}

fn parse_min_idle(word: &[u8], command: &str) -> Result<i64, CommandError> {
    let millis = store::int::parse_i64(word).ok_or_else(|| {
        CommandError::err(format_args!("Invalid min-idle-time argument for {command}"))
    });
    millis.map(|millis| millis.max(0))
}

fn parse_claim<'a>(words: &[&'a [u8]], now: UnixMillis) -> Result<ClaimRequest<'a>, CommandError> {
    let min_idle_ms = parse_min_idle(words[0], "XCLAIM")?;
    // Ids go on until a word is none; options follow.
    let ids: Vec<_> = words[1..]
        .iter()
        .map_while(|&word| Some((parse_id(word, 0).ok()?, word)))
        .collect();
    let mut options = words[1 + ids.len()..].iter();
    let (mut delivered_at, mut deliveries, mut last_id) = (None, None, StreamId::MIN);
    let (mut just_id, mut force) = (false, false);
    while let Some(word) = options.next() {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let integer = |value: &[u8], name: &str| {
            let error =
                || CommandError::err(format_args!("Invalid {name} option argument for XCLAIM"));
            store::int::parse_i64(value).ok_or_else(error)
        };
        if is(b"FORCE") {
            force = true;
        } else if is(b"JUSTID") {
            just_id = true;
        } else if is(b"IDLE")
            && let Some(value) = options.next()
        {
            delivered_at = Some(now.wrapping_sub(integer(value, "IDLE")?));
        } else if is(b"TIME")
            && let Some(value) = options.next()
        {
            delivered_at = Some(integer(value, "TIME")?);
        } else if is(b"RETRYCOUNT")
            && let Some(value) = options.next()
        {
            deliveries = u64::try_from(integer(value, "RETRYCOUNT")?).ok();
        } else if is(b"LASTID")
            && let Some(value) = options.next()
        {
            last_id = parse_id(value, 0)?;
        } else {
            return Err(CommandError::err(format_args!(
                "Unrecognized XCLAIM option '{}'",
                shown(word)
            )));
        }
    }
    let terms = Terms {
        min_idle_ms,
        // A time that cannot be is taken for now: clients' clocks differ.
        delivered_at: delivered_at
            .filter(|at| (0..=now).contains(at))
            .unwrap_or(now),
        deliveries,
        just_id,
        force,
    };
    Ok(ClaimRequest {
        ids,
        terms,
        last_id,
    })
}

fn xclaim(cx: &mut DataContext<'_>) -> CommandResult {
    let names = Names {
        key: cx.args[1],
        group: cx.args[2],
        consumer: cx.args[3],
    };
    count_read(cx.db, names.key);
    let stream = stream_with_group(cx.db, names)?;
    let request = parse_claim(&cx.args[4..], cx.now)?;
    cx.effects.propagate_nothing();
    let mut group_id_is_told = true;
    if let Some(group) = stream.group_mut(names.group)
        && request.last_id > group.last_id
    {
        group.last_id = request.last_id;
        group_id_is_told = false;
    }
    let mark = cx.reply.deferred_array();
    let mut claims = Claims {
        names,
        terms: request.terms,
        now: cx.now,
        consumer: None,
        claimed: 0,
        effects: cx.effects,
    };
    for (id, word) in request.ids {
        let verdict = claims.handle(stream, &mut cx.reply, id, word);
        group_id_is_told |= verdict != Verdict::Leave;
    }
    cx.reply.finish_array(mark, claims.claimed);
    if let Some(group) = stream.group(names.group)
        && !group_id_is_told
    {
        let (last_id, read) = (group.last_id, group.entries_read);
        propagate::read_up_to(cx.effects, [names.key, names.group], last_id, read);
        cx.effects.dirty += 1;
    }
    Ok(())
}

/// XAUTOCLAIM looks at so many pending entries for each that it may claim.
const ATTEMPTS_PER_CLAIM: usize = 10;
const DEFAULT_COUNT: usize = 100;
/// Attempts and the bytes of so many ids can be counted.
const MAX_COUNT: i64 = i64::MAX / StreamId::BYTES as i64;

fn parse_autoclaim(words: &[&[u8]]) -> Result<(StreamId, i64, usize, bool), CommandError> {
    let min_idle_ms = parse_min_idle(words[0], "XAUTOCLAIM")?;
    let start = parse_start(words[1])?;
    let (mut count, mut just_id) = (DEFAULT_COUNT, false);
    let mut options = words[2..].iter();
    while let Some(word) = options.next() {
        if word.eq_ignore_ascii_case(b"COUNT")
            && let Some(value) = options.next()
        {
            count = store::int::parse_i64(value)
                .filter(|count| (1..=MAX_COUNT).contains(count))
                .ok_or(CommandError::text("ERR COUNT must be > 0"))? as usize;
        } else if word.eq_ignore_ascii_case(b"JUSTID") {
            just_id = true;
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok((start, min_idle_ms, count, just_id))
}

fn xautoclaim(cx: &mut DataContext<'_>) -> CommandResult {
    let names = Names {
        key: cx.args[1],
        group: cx.args[2],
        consumer: cx.args[3],
    };
    count_read(cx.db, names.key);
    let (start, min_idle_ms, count, just_id) = parse_autoclaim(&cx.args[4..])?;
    let stream = stream_with_group(cx.db, names)?;
    cx.effects.propagate_nothing();
    let mut claims = Claims {
        names,
        terms: Terms {
            min_idle_ms,
            delivered_at: cx.now,
            deliveries: None,
            just_id,
            force: false,
        },
        now: cx.now,
        consumer: None,
        claimed: 0,
        effects: cx.effects,
    };
    // The cursor goes before the entries, and is known after them.
    let mut entries = Vec::new();
    let mut told = resp::Writer::new(&mut entries, cx.reply.is_resp3());
    let mut cleared = Vec::new();
    let mut next = first_pending(stream, names.group, start);
    let mut attempts = count.saturating_mul(ATTEMPTS_PER_CLAIM);
    while attempts > 0
        && claims.claimed + cleared.len() < count
        && let Some(id) = next
    {
        attempts -= 1;
        let verdict = claims.handle(stream, &mut told, id, id.text().as_ref());
        if let Verdict::Clear(_) = verdict {
            cleared.push(id);
        }
        next = id
            .next()
            .and_then(|start| first_pending(stream, names.group, start));
    }
    cx.reply.array(3);
    write_id(&mut cx.reply, next.unwrap_or(StreamId::MIN));
    cx.reply.array(claims.claimed);
    cx.reply.raw(&entries);
    cx.reply.array(cleared.len());
    for id in cleared {
        write_id(&mut cx.reply, id);
    }
    Ok(())
}

fn first_pending(stream: &Stream, group: &[u8], start: StreamId) -> Option<StreamId> {
    let group = stream.group(group)?;
    let mut pending = group.pending_range(start..=StreamId::MAX);
    pending.next().map(|(id, _)| id)
}
