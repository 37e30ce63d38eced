//! What CLIENT LIST and CLIENT INFO tell of a client: one line of fields, in the order Redis gives them.

use crate::UnixMillis;
use crate::client::{Client, ClientClass, Subscriptions};
use crate::front::Front;
use std::fmt::Write;

/// The letters of `flags`, each with what it stands for, in the order they are shown.
type Flag = (char, fn(&Client) -> bool);

const FLAGS: &[Flag] = &[
    ('O', |client| client.monitor),
    ('S', |client| {
        client.class == ClientClass::Replica && !client.monitor
    }),
    ('M', |client| client.class == ClientClass::Master),
    ('P', |client| client.is_subscribed()),
    ('x', |client| client.transaction.is_some()),
    ('b', |client| client.blocked.is_some()),
    ('t', |client| client.tracking.is_some()),
    ('R', |client| {
        client.tracking.as_ref().is_some_and(|t| t.broken_redirect)
    }),
    ('B', |client| {
        client.tracking.as_ref().is_some_and(|t| t.bcast)
    }),
    ('d', |client| client.watch_broken),
    ('c', |client| client.close_after_reply),
    ('A', |client| client.close_asap),
    ('U', Client::is_unix),
    ('e', |client| client.no_evict),
];

/// Appends the line of one client, without its end. `argument_bytes` are those of its present command.
pub fn write_line(out: &mut Vec<u8>, client: &Client, argument_bytes: usize, front: &Front) {
    let now = front.clock.now();
    let mut text = String::new();
    let seconds = |since: UnixMillis| (now - since).max(0) / 1000;
    let subscriptions = client.subscriptions.as_deref();
    let count = |of: fn(&Subscriptions) -> usize| subscriptions.map_or(0, of);
    let command = match client.last_command {
        Some(id) => front.table.entry(id).full_name.as_str(),
        None => "NULL",
    };
    let tracking = client.tracking.as_deref();
    // A String takes whatever is written to it.
    let _ = write!(
        text,
        " age={} idle={} flags={} db={} sub={} psub={} ssub={} multi={} qbuf={} qbuf-free={} argv-mem={} multi-mem={} \
         rbs={} rbp={} obl={} oll={} omem={} tot-mem={} events={} cmd={command} user={} redir={} resp={}",
        seconds(client.created_ms),
        seconds(client.last_interaction_ms),
        flags(client),
        client.db,
        count(|s| s.channels.len()),
        count(|s| s.patterns.len()),
        count(|s| s.shard_channels.len()),
        client
            .transaction
            .as_ref()
            .map_or(-1, |transaction| transaction.queued.len() as i64),
        client.query_len(),
        client.query_free(),
        argument_bytes,
        client.transaction_memory(),
        client.reply_size.bytes(),
        client.reply_size.peak(),
        client.output.tail_len(),
        client.output.chunk_count(),
        client.output.queued(),
        client.memory(),
        if client.wants_writable { "rw" } else { "r" },
        String::from_utf8_lossy(front.acl.name_of(client.user)),
        tracking.map_or(-1, |tracking| tracking.redirect.unwrap_or(0) as i64),
        if client.resp3 { 3 } else { 2 },
    );
    out.extend_from_slice(
        format!(
            "id={} addr={} laddr={} fd={} name=",
            client.id,
            client.addr,
            client.laddr,
            client.fd()
        )
        .as_bytes(),
    );
    out.extend_from_slice(&client.name);
    out.extend_from_slice(text.as_bytes());
}

fn flags(client: &Client) -> String {
    let set: String = FLAGS
        .iter()
        .filter(|(_, is_set)| is_set(client))
        .map(|(letter, _)| letter)
        .collect();
    match set.is_empty() {
        true => "N".into(),
        false => set,
    }
}
