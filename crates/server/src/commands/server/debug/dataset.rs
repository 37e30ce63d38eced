//! DEBUG's views of the dataset, and how it fills one.

use crate::commands::generic::encoding_name;
use crate::commands::prelude::*;
use std::fmt::Write;
use store::db::ExpiredEntries;
use store::db::{Expiry, idle_seconds};
use store::digest::Digest;
use store::encoding::quicklist::{NodeBytes, Quicklist};
use store::rdb::save::Encoder;
use store::table;
use store::value::ValueRef;

const NO_SUCH_KEY: CommandError = CommandError::NoSuchKey;

pub(super) fn object(cx: &mut ServerContext<'_>) -> CommandResult {
    let (key, now) = (cx.args[2], cx.now);
    let compress = cx.server.settings.rdb_compression;
    // Whatever there is, expired or not.
    let db = cx.db();
    db.access.expired = ExpiredEntries::Keep;
    let entry = db.peek(key).ok_or(NO_SUCH_KEY)?;
    let lists = match entry.value() {
        ValueRef::List(list) => quicklist_facts(&list.items),
        _ => String::new(),
    };
    let text = format!(
        "Value at:{:p} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}{lists}",
        entry.key().as_ptr(),
        encoding_name(entry),
        saved_bytes(entry.value(), compress),
        entry.access(),
        idle_seconds(entry.access(), now),
    );
    cx.reply.simple(text);
    Ok(())
}

/// How long the value is in an RDB file.
fn saved_bytes(value: ValueRef<'_>, compress: bool) -> usize {
    let mut encoder = Encoder::new(compress);
    encoder.value(value);
    encoder.take().compress().len()
}

fn quicklist_facts(list: &Quicklist) -> String {
    let (mut bytes, mut compressed) = (0, false);
    for (_, node) in list.nodes() {
        bytes += match node {
            NodeBytes::Raw(raw) => raw.len(),
            NodeBytes::Lzf { len, .. } => len,
        };
        compressed |= matches!(node, NodeBytes::Lzf { .. });
    }
    format!(
        " ql_nodes:{} ql_avg_node:{:.2} ql_listpack_max:{} ql_compressed:{} ql_uncompressed_size:{bytes}",
        list.node_count(),
        list.len() as f64 / list.node_count().max(1) as f64,
        list.fill(),
        i32::from(compressed),
    )
}

pub(super) fn digest(cx: &mut ServerContext<'_>) -> CommandResult {
    let digest = Digest::of_keyspace(&cx.server.keyspace);
    cx.reply.simple(digest.to_string());
    Ok(())
}

pub(super) fn digest_value(cx: &mut ServerContext<'_>) -> CommandResult {
    let keys = &cx.args[2..];
    cx.reply.array(keys.len());
    for key in keys {
        let digest = cx.db().peek(key).map(Digest::of_value).unwrap_or_default();
        cx.reply.simple(digest.to_string());
    }
    Ok(())
}

pub(super) fn htstats(cx: &mut ServerContext<'_>) -> CommandResult {
    let index = parse_integer(cx.args[2])?;
    let index = u32::try_from(index)
        .ok()
        .filter(|&index| (index as usize) < cx.server.keyspace.count())
        .ok_or(CommandError::text("ERR Out of range database"))?;
    let db = cx.server.keyspace.db(index);
    let mut text = String::from("[Dictionary HT]\n");
    text += &table_text(&db.table_stats());
    // One table holds keys with and without expiry: what Redis has as a second one is a count here.
    let _ = write!(
        text,
        "[Expires HT]\nKeys with an expiry: {}\n",
        db.expiring_len()
    );
    cx.reply.verbatim(b"txt", text);
    Ok(())
}

pub(super) fn htstats_key(cx: &mut ServerContext<'_>) -> CommandResult {
    let key = cx.args[2];
    let stats = match cx.db().peek(key).ok_or(NO_SUCH_KEY)?.value() {
        ValueRef::Set(set) => set.table_stats(),
        ValueRef::Hash(hash) => hash.table_stats(),
        _ => None,
    };
    let stats = stats.ok_or(CommandError::text(
        "ERR The value stored at the specified key is not represented using an hash table",
    ))?;
    cx.reply.verbatim(b"txt", table_text(&stats));
    Ok(())
}

fn table_text(stats: &table::Stats) -> String {
    if stats.entries == 0 {
        return "No stats available for empty dictionaries\n".into();
    }
    format!(
        "Hash table 0 stats (main hash table):\n table size: {}\n number of elements: {}\n segments: {}\n \
         elements of the fullest segment: {}\n elements outside their first group: {}\n",
        stats.slots, stats.entries, stats.segments, stats.fullest, stats.displaced
    )
}

pub(super) fn populate(cx: &mut ServerContext<'_>) -> CommandResult {
    let positive = |word: &[u8]| {
        store::int::parse_i64(word)
            .and_then(|number| usize::try_from(number).ok())
            .ok_or(CommandError::NotPositive)
    };
    let count = positive(cx.args[2])?;
    let prefix = cx.args.get(3).copied().unwrap_or(b"key");
    let size = cx.args.get(4).map_or(Ok(0), |word| positive(word))?;
    let limit = cx.server.settings.proto_max_bulk_len;
    if size > limit {
        return Err(CommandError::OutOfRange);
    }
    let (mut key, mut value) = (Vec::new(), Vec::new());
    for number in 0..count {
        let number = decimal(number as i64);
        key.clear();
        key.extend_from_slice(prefix);
        key.push(b':');
        key.extend_from_slice(&number);
        if cx.db().lookup_write(&key).is_some() {
            continue;
        }
        value.clear();
        value.extend_from_slice(b"value:");
        value.extend_from_slice(&number);
        if size > 0 {
            value.resize(size, 0);
        }
        cx.db().set_string(&key, &value, Expiry::Never);
        cx.effects().touched(&key);
    }
    cx.reply.ok();
    Ok(())
}
