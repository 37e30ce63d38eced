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
use crate::value::{Stream, StreamId};
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
    number(out, history.len);
    id(out, history.last_id);
    id(out, history.first_id);
    id(out, history.max_deleted_id);
    number(out, history.entries_added);
    out.length(stream.groups().len());
    for (name, group) in stream.groups() {
        out.string(name);
        id(out, group.last_id);
        number(out, group.entries_read.unwrap_or(UNKNOWN));
        out.length(group.pending_count());
        for (id, pending) in group.pending_range(StreamId::MIN..=StreamId::MAX) {
            out.raw(&id.to_bytes());
            out.raw(&pending.delivered_at.to_le_bytes());
            number(out, pending.deliveries);
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
}

fn id(out: &mut Encoder, id: StreamId) {
    number(out, id.ms);
    number(out, id.seq);
}

fn number(out: &mut Encoder, number: u64) {
    out.length(number as usize);
}

/// Reads a stream in any of its three forms.
pub(super) fn load<R: Read>(reader: &mut Reader<R>, _form: Form) -> Result<Stream> {
    Err(reader.corrupt("Streams cannot be loaded by this version"))
}

#[cfg(test)]
mod tests {
    use crate::rdb::dump::dump;
    use crate::value::{Group, NodeLimits, Pending, Stream, StreamId, ValueRef};

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
}
