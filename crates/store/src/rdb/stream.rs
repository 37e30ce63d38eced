//! Streams in the format.
//!
//! ```text
//! stream:   nodes × (id16 listpack)  len last_id [first_id max_deleted_id entries_added]  groups × group
//! group:    name last_id [entries_read]  pending × (id16 delivered_at deliveries)  consumers × consumer
//! consumer: name seen_at [active_at]  pending × id16
//! ```
//!
//! Node keys and listpacks are strings. An `id16` within a group is sixteen bytes as they are, an id elsewhere two lengths,
//! a time eight bytes. What is in brackets came later: the first with STREAM_LISTPACKS_2, `active_at` with
//! STREAM_LISTPACKS_3.

use super::format::Form;
use super::reader::{Reader, Result};
use super::save::Encoder;
use crate::encoding::listpack::Listpack;
use crate::value::{Group, Pending, Stream, StreamId};
use std::collections::BTreeMap;
use std::io::Read;

/// How many entries a group has read, where that cannot be told.
const UNKNOWN: u64 = u64::MAX;

/// Appends a stream in the form STREAM_LISTPACKS_2.
pub(super) fn save(out: &mut Encoder, stream: &Stream) {
    out.length(stream.node_count());
    for (base, items) in stream.nodes() {
        save_node(out, base, items);
    }
    save_rest(out, stream);
}

/// Appends a macro node.
pub(crate) fn save_node(out: &mut Encoder, base: StreamId, items: &Listpack) {
    out.string(&base.to_bytes());
    out.string(items.as_bytes());
}

/// Appends what comes behind the macro nodes.
pub(crate) fn save_rest(out: &mut Encoder, stream: &Stream) {
    let history = stream.history();
    put_number(out, history.len);
    put_id(out, history.last_id);
    put_id(out, history.first_id);
    put_id(out, history.max_deleted_id);
    put_number(out, history.entries_added);
    out.length(stream.groups().len());
    for (name, group) in stream.groups() {
        out.string(name);
        save_group(out, group);
    }
}

fn save_group(out: &mut Encoder, group: &Group) {
    put_id(out, group.last_id);
    put_number(out, group.entries_read.unwrap_or(UNKNOWN));
    out.length(group.pending_count());
    for (id, pending) in group.pending_range(StreamId::MIN..=StreamId::MAX) {
        out.raw(&id.to_bytes());
        out.raw(&pending.delivered_at.to_le_bytes());
        put_number(out, pending.deliveries);
    }
    out.length(group.consumer_count());
    for (consumer_id, consumer) in group.consumers() {
        out.string(consumer.name());
        out.raw(&consumer.seen_at.to_le_bytes());
        out.length(consumer.pending_count());
        for (id, _) in group.pending_of(consumer_id, StreamId::MIN..=StreamId::MAX) {
            out.raw(&id.to_bytes());
        }
    }
}

fn put_id(out: &mut Encoder, id: StreamId) {
    put_number(out, id.ms);
    put_number(out, id.seq);
}

fn put_number(out: &mut Encoder, number: u64) {
    out.length(number as usize);
}

/// Reads a stream in any of its three forms.
pub(super) fn load<R: Read>(reader: &mut Reader<R>, form: Form) -> Result<Stream> {
    let has_history = form != Form::StreamListpacks;
    let mut stream = Stream::default();
    for _ in 0..reader.length()? {
        let base = reader.string()?;
        let base = base
            .try_into()
            .map_err(|_| reader.corrupt("Stream node key entry is not the size of a stream ID"))?;
        let items = Listpack::from_bytes_validated(reader.string()?)
            .map_err(|_| reader.corrupt("Stream listpack integrity check failed."))?;
        stream
            .add_node(StreamId::from_bytes(base), items)
            .map_err(|_| reader.corrupt("Stream listpack integrity check failed."))?;
    }
    // What the entries tell is believed; what they cannot have been told is not a stream.
    if reader.length()? > 0 && stream.node_count() == 0 {
        return Err(reader.corrupt("Stream length inconsistent with rax entries"));
    }
    let last_id = read_id(reader)?.max(stream.history().last_id);
    if has_history {
        // The first id is the first entry's.
        read_id(reader)?;
        let max_deleted_id = read_id(reader)?;
        let entries_added = reader.length()?;
        stream.set_history(last_id, Some(entries_added), Some(max_deleted_id));
    } else {
        // What was deleted before is not known: it is as if it had never been.
        stream.set_history(last_id, Some(stream.len()), None);
    }
    for _ in 0..reader.length()? {
        let name = reader.string()?;
        let group_last_id = read_id(reader)?;
        let entries_read = if has_history {
            Some(reader.length()?).filter(|&read| i64::try_from(read).is_ok())
        } else {
            stream.history().entries_up_to(group_last_id)
        };
        let mut group = Group::new(group_last_id, entries_read);
        load_consumers(reader, form, &mut group)?;
        if !stream.add_group(&name, group) {
            return Err(reader.corrupt("Duplicated consumer group name"));
        }
    }
    Ok(stream)
}

/// Reads who reads for a group, and what waits for whom.
fn load_consumers<R: Read>(reader: &mut Reader<R>, form: Form, group: &mut Group) -> Result<()> {
    let mut pending = BTreeMap::new();
    for _ in 0..reader.length()? {
        let id = StreamId::from_bytes(reader.array()?);
        let delivered_at = i64::from_le_bytes(reader.array()?);
        let deliveries = reader.length()?;
        if pending.insert(id, (delivered_at, deliveries)).is_some() {
            return Err(reader.corrupt("Duplicated global PEL entry"));
        }
    }
    for _ in 0..reader.length()? {
        let name = reader.string()?;
        let seen_at = i64::from_le_bytes(reader.array()?);
        if form == Form::StreamListpacks3 {
            // When it was last given something: newer than what is kept here.
            reader.array::<8>()?;
        }
        let consumer = group
            .add_consumer(&name, seen_at)
            .ok_or_else(|| reader.corrupt("Duplicate stream consumer detected"))?;
        for _ in 0..reader.length()? {
            let id = StreamId::from_bytes(reader.array()?);
            let (delivered_at, deliveries) = pending
                .remove(&id)
                .ok_or_else(|| reader.corrupt("Consumer entry not found in group global PEL"))?;
            let waiting = Pending {
                consumer,
                delivered_at,
                deliveries,
            };
            group.assign(id, waiting);
        }
    }
    match pending.is_empty() {
        true => Ok(()),
        false => Err(reader.corrupt("NACK entry without consumer")),
    }
}

fn read_id<R: Read>(reader: &mut Reader<R>) -> Result<StreamId> {
    Ok(StreamId::new(reader.length()?, reader.length()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdb::dump::dump;
    use crate::value::{Direction, NodeLimits, Trim, TrimTo, ValueRef};
    use proptest::prelude::*;

    fn saved(stream: &Stream) -> Vec<u8> {
        let mut out = Encoder::new(false);
        save(&mut out, stream);
        out.take().bytes
    }

    fn loaded(bytes: &[u8], form: Form) -> Result<Stream> {
        load(&mut Reader::new(bytes, false), form)
    }

    /// A stream with gaps, groups and consumers.
    fn stream() -> Stream {
        let limits = NodeLimits {
            bytes: 4096,
            entries: 100,
        };
        let id = StreamId::new;
        let mut stream = Stream::default();
        let entries: [(StreamId, &[&[u8]]); 4] = [
            (id(5, 1), &[b"a", b"1", b"b", b"2"]),
            (id(5, 2), &[b"a", b"1", b"b", b"hello"]),
            (id(300, 0), &[b"c", b"1"]),
            (id(301, 0), &[b"c", b"1"]),
        ];
        for (id, pairs) in entries {
            stream.add(id, pairs, limits).unwrap();
        }
        assert!(stream.delete(id(300, 0)));
        let mut group = Group::new(id(301, 0), Some(4));
        let alice = group.add_consumer(b"alice", 0x01a2_0c09_a8ad).unwrap();
        let bob = group.add_consumer(b"bob", 0x01a2_0c09_a8a5).unwrap();
        for (id, consumer, delivered_at, deliveries) in [
            (id(5, 1), bob, 1_700_000_000_000, 300),
            (id(5, 2), alice, 1_700_000_000_001, 1),
            (id(301, 0), bob, 1_700_000_000_000, 300),
        ] {
            let pending = Pending {
                consumer,
                delivered_at,
                deliveries,
            };
            group.assign(id, pending);
        }
        stream.add_group(b"g", group);
        stream.add_group(b"h", Group::new(id(5, 1), Some(1)));
        stream.add_group(b"i", Group::new(id(2, 0), None));
        stream
    }

    #[test]
    fn a_stream_with_groups_has_the_bytes_of_redis() {
        let payload = dump(ValueRef::Stream(&stream()), false);
        assert_eq!(payload, b"\x13\x01\x10\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x01@TT\0\0\0 \0\x03\x01\x01\x01\x02\x01\x81a\x02\x81\
              b\x02\0\x01\x02\x01\0\x01\0\x01\x01\x01\x02\x01\x05\x01\x02\x01\0\x01\x01\x01\x01\x01\x85hello\x06\
              \x05\x01\x01\x01\xc1'\x02\xdf\xff\x02\x01\x01\x81c\x02\x01\x01\x06\x01\0\x01\xc1(\x02\xdf\xff\x02\
              \x01\x01\x81c\x02\x01\x01\x06\x01\xff\x03A-\0\x05\x01A,\0\x04\x03\x01gA-\0\x04\x03\0\0\0\0\0\0\0\
              \x05\0\0\0\0\0\0\0\x01\0h\xe5\xcf\x8b\x01\0\0A,\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x02\x01h\xe5\xcf\
              \x8b\x01\0\0\x01\0\0\0\0\0\0\x01-\0\0\0\0\0\0\0\0\0h\xe5\xcf\x8b\x01\0\0A,\x02\x05alice\xad\xa8\x09\
              \x0c\xa2\x01\0\0\x01\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x02\x03bob\xa5\xa8\x09\x0c\xa2\x01\0\0\x02\0\
              \0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\x01-\0\0\0\0\0\0\0\0\x01h\x05\x01\x01\0\0\x01i\x02\
              \0\x81\xff\xff\xff\xff\xff\xff\xff\xff\0\0\x0a\0\x14\xe9\xca\xb8+/\xa8\x94");
    }

    #[test]
    fn a_stream_that_never_had_an_entry_has_the_bytes_of_redis() {
        let mut stream = Stream::default();
        stream.add_group(b"g", Group::new(StreamId::MIN, None));
        let payload = dump(ValueRef::Stream(&stream), false);
        assert_eq!(payload, b"\x13\0\0\0\0\0\0\0\0\0\x01\x01g\0\0\x81\xff\xff\xff\xff\xff\xff\xff\xff\0\0\x0a\0\xa0\x1a\x95=\xfb\
              \x9c\xdd\xde");
    }

    #[test]
    fn a_stream_comes_back_as_it_was() {
        for stream in [stream(), Stream::default()] {
            let bytes = saved(&stream);
            let again = loaded(&bytes, Form::StreamListpacks2).unwrap();
            assert_eq!(saved(&again), bytes);
            assert_eq!(again.history(), stream.history());
        }
    }

    /// The groups of a saved stream as other versions have them: without `entries_read`, or with `active_at`.
    fn saved_in(form: Form, stream: &Stream) -> Vec<u8> {
        let mut out = Encoder::new(false);
        out.length(stream.node_count());
        for (base, items) in stream.nodes() {
            save_node(&mut out, base, items);
        }
        let history = stream.history();
        put_number(&mut out, history.len);
        put_id(&mut out, history.last_id);
        if form != Form::StreamListpacks {
            put_id(&mut out, history.first_id);
            put_id(&mut out, history.max_deleted_id);
            put_number(&mut out, history.entries_added);
        }
        out.length(1);
        out.string(b"g");
        put_id(&mut out, StreamId::new(5, 2));
        if form != Form::StreamListpacks {
            put_number(&mut out, 2);
        }
        out.length(1);
        out.raw(&StreamId::new(5, 1).to_bytes());
        out.raw(&7i64.to_le_bytes());
        out.length(3);
        out.length(1);
        out.string(b"alice");
        out.raw(&8i64.to_le_bytes());
        if form == Form::StreamListpacks3 {
            out.raw(&9i64.to_le_bytes());
        }
        out.length(1);
        out.raw(&StreamId::new(5, 1).to_bytes());
        out.take().bytes
    }

    #[test]
    fn each_form_is_read_as_far_as_it_goes() {
        for form in [
            Form::StreamListpacks,
            Form::StreamListpacks2,
            Form::StreamListpacks3,
        ] {
            let stream = loaded(&saved_in(form, &stream()), form).unwrap();
            let group = stream.group(b"g").unwrap();
            let alice = group.consumer(group.find(b"alice").unwrap());
            assert_eq!((alice.seen_at, alice.pending_count()), (8, 1));
            let pending = group.pending(StreamId::new(5, 1)).unwrap();
            assert_eq!((pending.delivered_at, pending.deliveries), (7, 3));
            let history = stream.history();
            assert_eq!((history.len, history.last_id), (3, StreamId::new(301, 0)));
            if form == Form::StreamListpacks {
                assert_eq!((history.entries_added, group.entries_read), (3, None));
                assert_eq!(history.max_deleted_id, StreamId::MIN);
            } else {
                assert_eq!((history.entries_added, group.entries_read), (4, Some(2)));
                assert_eq!(history.max_deleted_id, StreamId::new(300, 0));
            }
        }
    }

    #[test]
    fn a_form_without_counters_tells_what_a_group_has_read_where_it_can() {
        let mut trimmed = stream();
        let to = TrimTo::MaxLen(2);
        assert_eq!(
            trimmed.trim(Trim {
                to,
                approximate: false,
                limit: 0
            }),
            1
        );
        let bytes = saved_in(Form::StreamListpacks, &trimmed);
        let stream = loaded(&bytes, Form::StreamListpacks).unwrap();
        assert_eq!(stream.group(b"g").unwrap().entries_read, Some(1));
    }

    #[test]
    fn contradictions_are_refused_by_name() {
        let id = |seq| StreamId::new(1, seq).to_bytes();
        let refusal = |build: &dyn Fn(&mut Encoder)| {
            let mut out = Encoder::new(false);
            build(&mut out);
            let error = loaded(&out.take().bytes, Form::StreamListpacks)
                .err()
                .unwrap();
            error.kind.to_string()
        };
        let empty = |out: &mut Encoder| (0..4).for_each(|_| out.length(0));
        let group = |out: &mut Encoder| {
            out.string(b"g");
            put_id(out, StreamId::MIN);
        };
        let pending = |out: &mut Encoder, seq| {
            out.raw(&id(seq));
            out.raw(&[0; 8]);
            out.length(1);
        };
        let consumer = |out: &mut Encoder, name: &[u8], ids: &[u64]| {
            out.string(name);
            out.raw(&[0; 8]);
            out.length(ids.len());
            ids.iter().for_each(|&seq| out.raw(&id(seq)));
        };
        assert_eq!(
            refusal(&|out| {
                out.length(1);
                out.string(b"short");
            }),
            "Stream node key entry is not the size of a stream ID"
        );
        let node = crate::encoding::listpack::Listpack::new();
        assert_eq!(
            refusal(&|out| {
                out.length(1);
                save_node(out, StreamId::MIN, &node);
            }),
            "Stream listpack integrity check failed."
        );
        assert_eq!(
            refusal(&|out| {
                out.length(0);
                out.length(5);
            }),
            "Stream length inconsistent with rax entries"
        );
        assert_eq!(
            refusal(&|out| {
                empty(out);
                out.length(2);
                for _ in 0..2 {
                    group(out);
                    out.length(0);
                    out.length(0);
                }
            }),
            "Duplicated consumer group name"
        );
        let with_group = |fill: &dyn Fn(&mut Encoder)| {
            refusal(&|out| {
                empty(out);
                out.length(1);
                group(out);
                fill(out);
            })
        };
        assert_eq!(
            with_group(&|out| {
                out.length(2);
                pending(out, 1);
                pending(out, 1);
            }),
            "Duplicated global PEL entry"
        );
        assert_eq!(
            with_group(&|out| {
                out.length(0);
                out.length(2);
                consumer(out, b"c", &[]);
                consumer(out, b"c", &[]);
            }),
            "Duplicate stream consumer detected"
        );
        assert_eq!(
            with_group(&|out| {
                out.length(1);
                pending(out, 1);
                out.length(1);
                consumer(out, b"c", &[1, 1]);
            }),
            "Consumer entry not found in group global PEL"
        );
        assert_eq!(
            with_group(&|out| {
                out.length(1);
                pending(out, 1);
                out.length(0);
            }),
            "NACK entry without consumer"
        );
    }

    #[test]
    fn nodes_of_one_id_are_refused() {
        let mut bytes = saved(&stream());
        let node = bytes[1..][..1 + 16 + 2 + 0x54].to_vec();
        bytes[0] = 2;
        bytes.splice(1..1, node);
        assert!(loaded(&bytes, Form::StreamListpacks2).is_err());
    }

    /// Does everything with a stream that could stumble over what it holds.
    fn use_up(mut stream: Stream) {
        let limits = NodeLimits {
            bytes: 100,
            entries: 2,
        };
        let ids: Vec<_> = stream.entries().map(|entry| entry.id).collect();
        let all = StreamId::MIN..=StreamId::MAX;
        let backward = stream.range(all.clone(), Direction::Backward);
        assert_eq!(backward.count() as u64, stream.len());
        for id in ids.iter().chain([&StreamId::MIN, &StreamId::MAX]) {
            let _ = stream.get(*id);
        }
        if let Some(id) = stream.next_id(0) {
            stream.add(id, &[b"c", b"1"], limits).unwrap();
        }
        let names: Vec<_> = stream.groups().map(|(name, _)| name.to_vec()).collect();
        for name in names {
            let history = stream.history();
            let group = stream.group_mut(&name).unwrap();
            history.lag(group);
            let pending: Vec<_> = group.pending_range(all.clone()).map(|(id, _)| id).collect();
            assert!(pending.into_iter().all(|id| group.acknowledge(id)));
        }
        for id in ids.into_iter().step_by(2) {
            stream.delete(id);
        }
        for (to, approximate) in [
            (TrimTo::MinId(StreamId::new(6, 0)), false),
            (TrimTo::MaxLen(1), true),
            (TrimTo::MaxLen(0), false),
        ] {
            stream.trim(Trim {
                to,
                approximate,
                limit: 0,
            });
        }
        assert_eq!(stream.len(), 0);
        let again = loaded(&saved(&stream), Form::StreamListpacks2).unwrap();
        assert_eq!(again.history(), stream.history());
    }

    #[test]
    fn a_stream_cut_short_is_refused() {
        let bytes = saved(&stream());
        for len in 0..bytes.len() {
            assert!(
                loaded(&bytes[..len], Form::StreamListpacks2).is_err(),
                "{len}"
            );
        }
    }

    proptest! {
        #[test]
        fn damaged_streams_are_refused_or_work(
            damage in prop::collection::vec((0..400usize, any::<u8>()), 1..4),
            form in prop_oneof![
                Just(Form::StreamListpacks),
                Just(Form::StreamListpacks2),
                Just(Form::StreamListpacks3),
            ],
        ) {
            let mut bytes = match form {
                Form::StreamListpacks2 => saved(&stream()),
                form => saved_in(form, &stream()),
            };
            for (at, byte) in damage {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            if let Ok(stream) = loaded(&bytes, form) {
                use_up(stream);
            }
        }
    }
}
