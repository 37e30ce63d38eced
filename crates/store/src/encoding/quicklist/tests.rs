use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

fn texts(list: &Quicklist) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    list.range(0, usize::MAX, |item| texts.push(item.to_vec()));
    texts
}

fn counts(list: &Quicklist) -> Vec<u32> {
    list.nodes.iter().map(|node| node.count).collect()
}

fn numbers(fill: i32, count: i64) -> Quicklist {
    let mut list = Quicklist::new(fill, 0);
    for number in 0..count {
        list.push_back(number.to_string().as_bytes());
    }
    list
}

/// What must hold between any two operations.
fn check(list: &Quicklist) {
    assert_eq!(
        list.len,
        list.nodes.iter().map(|node| node.count as usize).sum()
    );
    let depth = usize::from(list.compress);
    for (index, node) in list.nodes.iter().enumerate() {
        assert!(node.count > 0);
        let from_end = index.min(list.nodes.len() - 1 - index);
        match &node.body {
            Body::Packed(pack) => assert_eq!(pack.len(), node.count as usize),
            Body::Plain(_) => assert_eq!(node.count, 1),
            Body::Compressed(_) => assert!(depth > 0 && from_end >= depth),
        }
        let mut again = node.clone();
        again.compress();
        if depth > 0 && from_end >= depth {
            let settled = matches!(node.body, Body::Compressed(_));
            assert_eq!(settled, matches!(again.body, Body::Compressed(_)));
        }
    }
}

#[test]
fn small_lists_take_little_memory() {
    assert_eq!((size_of::<Quicklist>(), size_of::<Node>()), (48, 32));
    let mut list = Quicklist::new(-2, 0);
    for _ in 0..5 {
        list.push_back(b"sixteen bytes it");
    }
    assert_eq!(list.memory_bytes(0), 32 + 112);
}

#[test]
fn a_limit_on_elements_fills_nodes_to_that_many() {
    assert_eq!(counts(&numbers(4, 10)), [4, 4, 2]);
    assert_eq!(counts(&numbers(1, 3)), [1, 1, 1]);
    assert_eq!(counts(&numbers(0, 3)), [1, 1, 1]);
}

#[test]
fn a_limit_on_bytes_counts_eight_to_an_element_beside_its_text() {
    let mut list = Quicklist::new(-1, 0);
    for _ in 0..5 {
        list.push_back(&[b'x'; 1000]);
    }
    // Entries take 1004 bytes: 7 + 3 * 1004 + 1000 + 8 is within 4096, one more is not.
    assert_eq!(counts(&list), [4, 1]);
}

#[test]
fn a_limit_on_elements_yields_to_a_limit_of_8_kilobytes() {
    let mut list = Quicklist::new(100, 0);
    for _ in 0..5 {
        list.push_back(&[b'x'; 3000]);
    }
    assert_eq!(counts(&list), [2, 2, 1]);
}

#[test]
fn inserting_into_a_full_node_splits_it_and_merges_what_fits() {
    let mut list = numbers(4, 8);
    list.insert_after(1, b"new");
    assert_eq!(counts(&list), [2, 3, 4]);
    let mut list = numbers(4, 8);
    list.insert_before(3, b"new");
    assert_eq!(counts(&list), [4, 1, 4]);
    list.insert_before(6, b"new");
    assert_eq!(counts(&list), [4, 3, 3]);
    check(&list);
}

#[test]
fn merged_nodes_may_exceed_their_limit_by_four_bytes() {
    // Merged, the parts make 4100 bytes, or one more.
    for (len, nodes) in [(1074, 1), (1075, 2)] {
        let mut list = Quicklist::new(-1, 0);
        for _ in 0..3 {
            list.push_back(&[b'x'; 1000]);
        }
        list.push_back(b"x");
        assert!(list.set(-1, &vec![b'x'; len]));
        list.insert_after(1, b"a");
        assert_eq!((list.node_count(), list.len()), (nodes, 5));
        check(&list);
    }
}

#[test]
fn inserting_beside_a_full_node_uses_its_neighbour_or_a_new_node() {
    let mut list = numbers(4, 6);
    list.insert_after(3, b"new");
    assert_eq!(counts(&list), [4, 3]);
    list.insert_before(0, b"new");
    assert_eq!(counts(&list), [1, 4, 3]);
}

#[test]
fn large_elements_are_plain_nodes_between_the_parts() {
    assert!(!set_packed_threshold(usize::MAX));
    assert!(set_packed_threshold(10));
    let containers = |list: &Quicklist| {
        list.nodes()
            .map(|(container, _)| container as u8)
            .collect::<Vec<_>>()
    };
    let mut list = numbers(-2, 4);
    list.insert_after(1, b"large element");
    assert_eq!(
        (containers(&list), counts(&list)),
        (vec![2, 1, 2], vec![2, 1, 2])
    );
    list.set(0, b"another large");
    assert_eq!(
        (containers(&list), counts(&list)),
        (vec![1, 2, 1, 2], vec![1, 1, 1, 2])
    );
}

#[test]
fn inner_nodes_are_compressed_and_the_ends_are_not() {
    let mut list = Quicklist::new(1, 1);
    for _ in 0..4 {
        list.push_back(&[b'x'; 100]);
    }
    let compressed = |list: &Quicklist| {
        list.nodes()
            .map(|(_, bytes)| matches!(bytes, NodeBytes::Lzf { .. }))
            .collect::<Vec<_>>()
    };
    assert_eq!(compressed(&list), [false, true, true, false]);
    assert_eq!(list.get(1).unwrap(), [b'x'; 100]);
    list.set(1, b"short");
    assert_eq!(compressed(&list), [false, false, true, false]);
    list.pop_back();
    assert_eq!(compressed(&list), [false, false, false]);
    check(&list);
}

#[test]
fn a_drained_list_gives_its_memory_back() {
    let mut list = numbers(1, 10_000);
    list.remove_range(1, 9_990);
    assert_eq!(list.len(), 10);
    while list.len() > 1 {
        list.pop_front();
    }
    assert!(list.memory_bytes(0) < 200_000);
}

#[test]
fn nodes_from_a_file_stay_as_they_are() {
    let mut list = Quicklist::new(-2, 0);
    for values in [&["a", "b"][..], &[], &["3"]] {
        let mut pack = Listpack::new();
        values
            .iter()
            .for_each(|value| pack.push_back(value.as_bytes()));
        list.push_node_packed(pack);
    }
    list.push_node_plain(b"4".to_vec());
    assert_eq!(counts(&list), [2, 1, 1]);
    assert_eq!(texts(&list), [b"a", b"b", b"3", b"4"]);
    assert_eq!(list.remove_matching(b"4", 1, false), 1);
    assert_eq!(list.nodes().len(), 2);
}

#[derive(Clone, Debug)]
enum Step {
    PushBack(Vec<u8>),
    PushFront(Vec<u8>),
    PopBack,
    PopFront,
    Set(i64, Vec<u8>),
    InsertBefore(usize, Vec<u8>),
    InsertAfter(usize, Vec<u8>),
    RemoveAt(usize),
    RemoveRange(usize, usize),
    RemoveMatching(Vec<u8>, usize, bool),
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (-3i64..300).prop_map(|n| n.to_string().into_bytes()),
        3 => "[ab]{0,3}".prop_map(String::into_bytes),
        2 => (1usize..200).prop_map(|n| vec![b'm'; n]),
        1 => (1000usize..5000).prop_map(|n| vec![b'l'; n]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let index = || 0usize..40;
    prop_oneof![
        6 => value().prop_map(Step::PushBack),
        4 => value().prop_map(Step::PushFront),
        1 => Just(Step::PopBack),
        1 => Just(Step::PopFront),
        2 => (-30i64..30, value()).prop_map(|(at, value)| Step::Set(at, value)),
        3 => (index(), value()).prop_map(|(at, value)| Step::InsertBefore(at, value)),
        3 => (index(), value()).prop_map(|(at, value)| Step::InsertAfter(at, value)),
        1 => index().prop_map(Step::RemoveAt),
        1 => (index(), 0usize..8).prop_map(|(start, count)| Step::RemoveRange(start, count)),
        1 => (value(), 1usize..4, any::<bool>())
            .prop_map(|(value, limit, from_tail)| Step::RemoveMatching(value, limit, from_tail)),
    ]
}

/// Applies `step` to both and compares what they answer.
fn apply(list: &mut Quicklist, model: &mut VecDeque<Vec<u8>>, step: Step) {
    let len = model.len();
    match step {
        Step::PushBack(value) => {
            list.push_back(&value);
            model.push_back(value);
        }
        Step::PushFront(value) => {
            list.push_front(&value);
            model.push_front(value);
        }
        Step::PopBack => assert_eq!(list.pop_back(), model.pop_back()),
        Step::PopFront => assert_eq!(list.pop_front(), model.pop_front()),
        Step::Set(at, value) => {
            let index = if at < 0 { at + len as i64 } else { at };
            let slot = usize::try_from(index)
                .ok()
                .and_then(|index| model.get_mut(index));
            assert_eq!(list.set(at, &value), slot.is_some());
            slot.into_iter().for_each(|slot| slot.clone_from(&value));
        }
        Step::InsertBefore(at, value) => {
            assert_eq!(list.insert_before(at, &value), at < len);
            if at < len {
                model.insert(at, value);
            }
        }
        Step::InsertAfter(at, value) => {
            assert_eq!(list.insert_after(at, &value), at < len);
            if at < len {
                model.insert(at + 1, value);
            }
        }
        Step::RemoveAt(at) => assert_eq!(list.remove_at(at), model.remove(at)),
        Step::RemoveRange(start, count) => {
            let removed = model.drain(start.min(len)..(start + count).min(len).max(start.min(len)));
            assert_eq!(list.remove_range(start, count), removed.len());
        }
        Step::RemoveMatching(value, limit, from_tail) => {
            let mut removed = 0;
            let mut keep = |text: &Vec<u8>| {
                let hit = *text == value && removed < limit;
                removed += usize::from(hit);
                !hit
            };
            if from_tail {
                let kept: Vec<_> = model.drain(..).rev().filter(&mut keep).collect();
                model.extend(kept.into_iter().rev());
            } else {
                model.retain(&mut keep);
            }
            assert_eq!(list.remove_matching(&value, limit, from_tail), removed);
        }
    }
}

proptest! {
    #[test]
    fn behaves_as_a_deque_of_texts(
        fill in prop_oneof![-5i32..=-1, 0i32..6],
        compress in 0u32..3,
        threshold in prop_oneof![Just(0usize), 2usize..150],
        steps in prop::collection::vec(step(), 0..80),
        start in 0usize..20,
    ) {
        assert!(set_packed_threshold(threshold));
        let (mut list, mut model) = (Quicklist::new(fill, compress), VecDeque::new());
        for step in steps {
            apply(&mut list, &mut model, step);
            check(&list);
        }
        prop_assert_eq!(list.len(), model.len());
        prop_assert_eq!(list.is_empty(), model.is_empty());
        prop_assert!(texts(&list).iter().eq(model.iter()));
        for index in 0..model.len() {
            prop_assert_eq!(list.get(index as i64), model.get(index).cloned());
            let from_tail = index as i64 - model.len() as i64;
            prop_assert_eq!(list.get(from_tail), model.get(index).cloned());
        }
        prop_assert_eq!(list.get(-1 - model.len() as i64), None);

        let mut seen = Vec::new();
        let mut note = |index, item: Item<'_>| {
            seen.push((index, item.to_vec()));
            ControlFlow::<()>::Continue(())
        };
        list.scan(start, &mut note);
        list.scan_rev(start, &mut note);
        let numbered = || model.iter().cloned().enumerate();
        let forwards = numbered().skip(start);
        let backwards = numbered().take(start + 1).rev().filter(|_| start < model.len());
        prop_assert!(seen.into_iter().eq(forwards.chain(backwards)));
        set_packed_threshold(0);
    }
}
