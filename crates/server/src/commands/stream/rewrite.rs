//! A stream as the commands that make it, for an AOF base without RDB.

use crate::words::decimal;
use store::value::{Group, Stream, StreamId};

/// Hands the commands to `command`, one by one.
pub(crate) fn rewrite(key: &[u8], stream: &Stream, mut command: impl FnMut(&[&[u8]])) {
    let mut words = Vec::new();
    for entry in stream.entries() {
        words.truncate(entry.fields.len() * 2);
        words.resize(entry.fields.len() * 2, Vec::new());
        let items = entry.fields.flat_map(|(name, value)| [name, value]);
        for (word, item) in words.iter_mut().zip(items) {
            word.clear();
            item.write_to(word);
        }
        let id = entry.id.text();
        let mut args = vec![b"XADD".as_slice(), key, id.as_ref()];
        args.extend(words.iter().map(Vec::as_slice));
        command(&args);
    }
    if stream.is_empty() {
        // An entry that is trimmed at once leaves an empty stream.
        command(&[b"XADD", key, b"MAXLEN", b"0", b"0-1", b"x", b"y"]);
    }
    let history = stream.history();
    command(&[
        b"XSETID",
        key,
        history.last_id.text().as_ref(),
        b"ENTRIESADDED",
        &decimal(history.entries_added.cast_signed()),
        b"MAXDELETEDID",
        history.max_deleted_id.text().as_ref(),
    ]);
    for (name, group) in stream.groups() {
        command(&[
            b"XGROUP",
            b"CREATE",
            key,
            name,
            group.last_id.text().as_ref(),
            b"ENTRIESREAD",
            &decimal(group.entries_read.map_or(-1, u64::cast_signed)),
        ]);
        rewrite_consumers(key, name, group, &mut command);
    }
}

fn rewrite_consumers(key: &[u8], name: &[u8], group: &Group, command: &mut impl FnMut(&[&[u8]])) {
    for (id, consumer) in group.consumers() {
        if consumer.pending_count() == 0 {
            command(&[b"XGROUP", b"CREATECONSUMER", key, name, consumer.name()]);
        }
        // What waits makes its consumer known.
        for (id, pending) in group.pending_of(id, StreamId::MIN..=StreamId::MAX) {
            command(&[
                b"XCLAIM",
                key,
                name,
                consumer.name(),
                b"0",
                id.text().as_ref(),
                b"TIME",
                &decimal(pending.delivered_at),
                b"RETRYCOUNT",
                &decimal(pending.deliveries.cast_signed()),
                b"JUSTID",
                b"FORCE",
            ]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::value::{NodeLimits, Pending};

    fn rewritten(stream: &Stream) -> Vec<String> {
        let mut commands = Vec::new();
        rewrite(b"s", stream, |args| {
            let words = args.iter().map(|word| String::from_utf8_lossy(word));
            commands.push(words.collect::<Vec<_>>().join(" "));
        });
        commands
    }

    #[test]
    fn entries_come_first_then_the_history_then_the_groups() {
        let limits = NodeLimits {
            bytes: 4096,
            entries: 100,
        };
        let id = |ms| StreamId::new(ms, 0);
        let mut stream = Stream::default();
        for (ms, pairs) in [
            (5, &[b"a".as_slice(), b"1", b"b", b"-7"][..]),
            (6, &[b"a", b"x"]),
            (7, &[b"a", b"2"]),
        ] {
            stream.add(id(ms), pairs, limits).unwrap();
        }
        stream.delete(id(6));
        let mut group = Group::new(id(7), Some(3));
        group.add_consumer(b"idle", 0);
        let pending = Pending {
            consumer: group.add_consumer(b"busy", 0).unwrap(),
            delivered_at: 100,
            deliveries: 2,
        };
        group.assign(id(5), pending);
        stream.add_group(b"g", group);
        stream.add_group(b"h", Group::new(id(1), None));
        assert_eq!(
            rewritten(&stream),
            [
                "XADD s 5-0 a 1 b -7",
                "XADD s 7-0 a 2",
                "XSETID s 7-0 ENTRIESADDED 3 MAXDELETEDID 6-0",
                "XGROUP CREATE s g 7-0 ENTRIESREAD 3",
                "XCLAIM s g busy 0 5-0 TIME 100 RETRYCOUNT 2 JUSTID FORCE",
                "XGROUP CREATECONSUMER s g idle",
                "XGROUP CREATE s h 1-0 ENTRIESREAD -1",
            ]
        );
    }

    #[test]
    fn an_empty_stream_is_made_by_an_entry_that_does_not_stay() {
        assert_eq!(
            rewritten(&Stream::default()),
            [
                "XADD s MAXLEN 0 0-1 x y",
                "XSETID s 0-0 ENTRIESADDED 0 MAXDELETEDID 0-0",
            ]
        );
    }
}
