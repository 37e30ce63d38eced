use super::*;
use proptest::prelude::*;

const LIMITS: NodeLimits = NodeLimits {
    bytes: 4096,
    entries: 3,
};

fn id(ms: u64) -> StreamId {
    StreamId::new(ms, 0)
}

fn stream(ids: impl IntoIterator<Item = u64>) -> Stream {
    let mut stream = Stream::default();
    for ms in ids {
        assert_eq!(stream.add(id(ms), &[b"f", b"v"], LIMITS), Ok(()));
    }
    stream
}

fn ids(range: StreamRange<'_>) -> Vec<u64> {
    range.map(|entry| entry.id.ms).collect()
}

fn trim(to: TrimTo, approximate: bool, limit: u64) -> Trim {
    Trim {
        to,
        approximate,
        limit,
    }
}

#[test]
fn ids_only_grow() {
    let mut stream = stream([5]);
    let add = |stream: &mut Stream, ms| stream.add(id(ms), &[b"f", b"v"], LIMITS);
    assert_eq!(add(&mut stream, 5), Err(AddError::IdTooSmall));
    assert_eq!(add(&mut stream, 4), Err(AddError::IdTooSmall));
    assert!(stream.delete(id(5)));
    assert_eq!(add(&mut stream, 5), Err(AddError::IdTooSmall));
    assert_eq!(stream.next_id(4), Some(StreamId::new(5, 1)));
    assert_eq!(stream.next_id(6), Some(id(6)));
    assert_eq!(stream.add(StreamId::MAX, &[b"f", b"v"], LIMITS), Ok(()));
    assert_eq!(stream.next_id(4), None);
}

#[test]
fn an_entry_too_large_for_any_node_is_refused() {
    let mut stream = Stream::default();
    let value = vec![0; ENTRY_BYTES_MAX];
    assert_eq!(
        stream.add(id(1), &[b"f", &value], LIMITS),
        Err(AddError::TooLarge)
    );
    assert_eq!((stream.len(), stream.history().entries_added), (0, 0));
}

#[test]
fn an_approximate_trim_takes_whole_nodes_and_minds_its_limit() {
    let mut stream = stream(1..=10);
    assert_eq!(stream.node_count(), 4);
    assert_eq!(stream.trim(trim(TrimTo::MaxLen(5), true, 0)), 3);
    assert_eq!(stream.trim(trim(TrimTo::MaxLen(0), true, 2)), 0);
    assert_eq!(stream.trim(trim(TrimTo::MaxLen(0), true, 6)), 6);
    assert_eq!(stream.trim(trim(TrimTo::MinId(id(10)), true, 0)), 0);
    assert_eq!(stream.trim(trim(TrimTo::MinId(id(11)), true, 0)), 1);
    assert_eq!(
        (stream.len(), stream.history().first_id),
        (0, StreamId::MIN)
    );
    assert_eq!(stream.history().max_deleted_id, StreamId::MIN);
}

#[test]
fn a_node_whose_last_entry_was_deleted_is_judged_by_that_entry() {
    let mut stream = stream(1..=3);
    assert!(stream.delete(id(3)));
    assert_eq!(stream.trim(trim(TrimTo::MinId(id(3)), false, 0)), 2);
    assert_eq!((stream.len(), stream.node_count()), (0, 1));
    assert_eq!(ids(stream.entries()), []);
    assert_eq!(stream.add(id(4), &[b"f", b"v"], LIMITS), Ok(()));
    assert_eq!(stream.node_count(), 2);
    assert_eq!(stream.history().first_id, id(4));
}

#[test]
fn a_deleted_entry_of_the_middle_hides_how_far_a_group_is() {
    let mut stream = stream(1..=5);
    let group = Group::new(StreamId::MIN, None);
    assert_eq!(stream.history().lag(&group), Some(5));
    assert!(stream.delete(id(3)));
    assert_eq!(stream.history().lag(&group), None);
    assert_eq!(stream.history().entries_up_to(id(5)), Some(5));
    assert_eq!(stream.history().entries_read_after(Some(1), id(2)), None);
    assert_eq!(stream.history().entries_read_after(Some(3), id(4)), Some(4));
    assert_eq!(stream.trim(trim(TrimTo::MinId(id(4)), false, 0)), 3 - 1);
    assert_eq!(stream.history().lag(&group), Some(2));
    assert_eq!(stream.history().entries_up_to(id(4)), Some(4));
    assert_eq!(stream.history().entries_up_to(id(6)), None);
    assert_eq!(Stream::default().history().lag(&group), Some(0));
}

#[test]
fn copies_go_separate_ways() {
    let mut stream = stream(1..=5);
    let copy = stream.clone();
    assert!(stream.delete(id(2)));
    stream.trim(trim(TrimTo::MaxLen(1), false, 0));
    assert_eq!(ids(stream.entries()), [5]);
    assert_eq!(ids(copy.entries()), [1, 2, 3, 4, 5]);
}

#[test]
fn memory_is_estimated_from_some_nodes_and_counts_what_waits() {
    let mut stream = stream(1..=30);
    assert_eq!(stream.node_count(), 10);
    let (one, all) = (stream.heap_bytes(1), stream.heap_bytes(0));
    assert!(one.abs_diff(all) < all / 10, "{one} and {all}");
    assert_eq!(Stream::default().heap_bytes(0), 0);
    let mut group = Group::new(StreamId::MIN, None);
    let pending = Pending {
        consumer: group.add_consumer(b"c", 0).unwrap(),
        delivered_at: 0,
        deliveries: 1,
    };
    assert!((0..100).all(|ms| group.assign(id(ms), pending)));
    stream.add_group(b"g", group);
    assert!(stream.heap_bytes(0) > all + 100 * 56);
}

#[derive(Debug, Clone)]
enum Step {
    /// So many milliseconds later, with one of a few sets of fields.
    Add(u8, u8),
    Delete(u16),
    MaxLen(u8, bool),
    MinId(u16, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4u8, 0..3u8).prop_map(|(ms, fields)| Step::Add(ms, fields)),
        2 => (0..60u16).prop_map(Step::Delete),
        1 => (0..20u8, any::<bool>()).prop_map(|(max, exact)| Step::MaxLen(max, exact)),
        1 => (0..60u16, any::<bool>()).prop_map(|(ms, exact)| Step::MinId(ms, exact)),
    ]
}

type Pairs = Vec<Vec<u8>>;

fn pairs(fields: u8, number: usize) -> Pairs {
    const NAMES: [&[&str]; 3] = [&["a", "7"], &["a", "b"], &["x"]];
    NAMES[usize::from(fields)]
        .iter()
        .flat_map(|name| [name.as_bytes().to_vec(), number.to_string().into_bytes()])
        .collect()
}

fn content<'a>(entries: impl Iterator<Item = Entry<'a>>) -> Vec<(StreamId, Pairs)> {
    entries
        .map(|entry| {
            assert_eq!(entry.fields.len(), entry.fields.clone().count());
            let pairs = entry.fields.flat_map(|(name, value)| [name, value]);
            (entry.id, pairs.map(|item| item.to_vec()).collect())
        })
        .collect()
}

proptest! {
    #[test]
    fn a_stream_is_a_sorted_list_cut_at_its_beginning(
        steps in proptest::collection::vec(step(), 1..80),
        ends in proptest::collection::vec((0..70u64, 0..70u64), 4),
        entries in 0..5usize,
    ) {
        let limits = NodeLimits { bytes: 200, entries };
        let mut stream = Stream::default();
        let mut model: Vec<(StreamId, Pairs)> = Vec::new();
        let (mut last, mut max_deleted, mut added) = (StreamId::MIN, StreamId::MIN, 0);
        for step in steps {
            match step {
                Step::Add(ms, fields) => {
                    last = if ms == 0 { last.next().unwrap() } else { id(last.ms + u64::from(ms)) };
                    let pairs = pairs(fields, added);
                    let slices: Vec<_> = pairs.iter().map(Vec::as_slice).collect();
                    prop_assert_eq!(stream.add(last, &slices, limits), Ok(()));
                    model.push((last, pairs));
                    added += 1;
                }
                Step::Delete(ms) => {
                    let id = id(u64::from(ms));
                    let len = model.len();
                    model.retain(|(other, _)| *other != id);
                    prop_assert_eq!(stream.delete(id), model.len() < len);
                    if model.len() < len {
                        max_deleted = max_deleted.max(id);
                    }
                }
                Step::MaxLen(max, exact) => {
                    let to = TrimTo::MaxLen(u64::from(max));
                    let deleted = stream.trim(trim(to, !exact, 0)) as usize;
                    let wanted = model.len().saturating_sub(usize::from(max));
                    prop_assert!(deleted == wanted || (!exact && deleted < wanted));
                    model.drain(..deleted);
                }
                Step::MinId(ms, exact) => {
                    let min = id(u64::from(ms));
                    let deleted = stream.trim(trim(TrimTo::MinId(min), !exact, 0)) as usize;
                    let wanted = model.iter().filter(|(id, _)| *id < min).count();
                    prop_assert!(deleted == wanted || (!exact && deleted < wanted));
                    model.drain(..deleted);
                }
            }
            let expected = History {
                len: model.len() as u64,
                first_id: model.first().map_or(StreamId::MIN, |(id, _)| *id),
                last_id: last,
                max_deleted_id: max_deleted,
                entries_added: added as u64,
            };
            prop_assert_eq!(stream.history(), expected);
        }
        prop_assert_eq!(content(stream.entries()), model.clone());
        for (start, end) in ends {
            let (start, end) = (id(start), id(end));
            let mut expected = model.clone();
            expected.retain(|(id, _)| *id >= start && *id <= end);
            prop_assert_eq!(content(stream.range(start..=end, Direction::Forward)), expected.clone());
            expected.reverse();
            prop_assert_eq!(content(stream.range(start..=end, Direction::Backward)), expected);
            prop_assert_eq!(
                stream.get(start).map(|entry| entry.id),
                model.iter().map(|(id, _)| *id).find(|id| *id == start)
            );
        }
        prop_assert_eq!(stream.last().map(|entry| entry.id), model.last().map(|(id, _)| *id));
        for (_, listpack) in stream.nodes() {
            prop_assert!(Node::validated(listpack.clone()).is_ok());
        }
    }
}
