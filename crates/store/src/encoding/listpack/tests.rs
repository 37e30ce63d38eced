use super::*;
use proptest::prelude::*;

fn pack(values: &[&[u8]]) -> Listpack {
    let mut pack = Listpack::new();
    for value in values {
        pack.push_back(value);
    }
    pack
}

fn texts(pack: &Listpack) -> Vec<Vec<u8>> {
    pack.iter().map(|item| item.to_vec()).collect()
}

fn entries(pack: &Listpack) -> &[u8] {
    &pack.as_bytes()[HEADER..pack.end()]
}

#[test]
fn an_empty_listpack_is_its_header_and_end_mark() {
    assert_eq!(Listpack::new().as_bytes(), [7, 0, 0, 0, 0, 0, 0xFF]);
    assert!(Listpack::new().is_empty());
    assert_eq!(Listpack::new().first(), None);
    assert_eq!(Listpack::new().last(), None);
    assert_eq!(Listpack::new().seek(0), None);
    assert_eq!(Listpack::new().seek(-1), None);
}

#[test]
fn integers_take_the_smallest_encoding_that_holds_them() {
    let cases: [(&[u8], &[u8]); 15] = [
        (b"0", &[0x00, 1]),
        (b"127", &[0x7F, 1]),
        (b"128", &[0xC0, 0x80, 2]),
        (b"-1", &[0xDF, 0xFF, 2]),
        (b"4095", &[0xCF, 0xFF, 2]),
        (b"-4096", &[0xD0, 0x00, 2]),
        (b"4096", &[0xF1, 0x00, 0x10, 3]),
        (b"-32768", &[0xF1, 0x00, 0x80, 3]),
        (b"32768", &[0xF2, 0x00, 0x80, 0x00, 4]),
        (b"-8388608", &[0xF2, 0x00, 0x00, 0x80, 4]),
        (b"8388608", &[0xF3, 0x00, 0x00, 0x80, 0x00, 5]),
        (b"-2147483648", &[0xF3, 0x00, 0x00, 0x00, 0x80, 5]),
        (b"2147483648", &[0xF4, 0, 0, 0, 0x80, 0, 0, 0, 0, 9]),
        (
            b"9223372036854775807",
            &[0xF4, 255, 255, 255, 255, 255, 255, 255, 127, 9],
        ),
        (
            b"-9223372036854775808",
            &[0xF4, 0, 0, 0, 0, 0, 0, 0, 128, 9],
        ),
    ];
    for (text, bytes) in cases {
        let pack = pack(&[text]);
        assert_eq!(entries(&pack), bytes, "{}", String::from_utf8_lossy(text));
        assert_eq!(texts(&pack), [text]);
        assert_eq!(Listpack::entry_size(text), bytes.len());
    }
}

#[test]
fn strings_take_the_shortest_length_form() {
    assert_eq!(entries(&pack(&[b""])), [0x80, 1]);
    assert_eq!(entries(&pack(&[b"01"])), [0x82, b'0', b'1', 3]);
    for (len, head, back) in [
        (63, vec![0xBF], vec![64]),
        (64, vec![0xE0, 64], vec![66]),
        (126, vec![0xE0, 126], vec![1, 0x80]),
        (4095, vec![0xEF, 0xFF], vec![32, 0x81]),
        (4096, vec![0xF0, 0, 16, 0, 0], vec![32, 0x85]),
        (16_377, vec![0xF0, 0xF9, 0x3F, 0, 0], vec![127, 0xFE]),
        // Two groups of seven bits would hold 16383; the format takes three.
        (16_378, vec![0xF0, 0xFA, 0x3F, 0, 0], vec![0, 0xFF, 0xFF]),
    ] {
        let text = vec![b'x'; len];
        let pack = pack(&[&text, b"y"]);
        let expected = [&head[..], &text, &back, &[0x81, b'y', 2]].concat();
        assert_eq!(entries(&pack), expected, "{len}");
        assert_eq!(pack.iter().next_back(), Some(Item::Str(b"y")));
        assert_eq!(pack.get(pack.seek(-2).unwrap()), Item::Str(&text));
        assert!(Listpack::from_bytes_validated(pack.into_bytes()).is_ok());
    }
}

#[test]
fn find_with_a_skip_of_one_sees_fields_and_not_values() {
    let pack = pack(&[b"a", b"b", b"b", b"7", b"7", b"c"]);
    assert_eq!(pack.find(b"b", 1), pack.seek(2));
    assert_eq!(pack.find(b"b", 0), pack.seek(1));
    assert_eq!(pack.find(b"7", 1), pack.seek(4));
    assert_eq!(pack.find(b"c", 1), None);
    assert_eq!(pack.find(b"07", 1), None);
}

#[test]
fn the_count_is_exact_to_65534_and_counted_from_there() {
    let mut pack = Listpack::new();
    for _ in 0..65_534 {
        pack.push_back(b"1");
    }
    assert_eq!(pack.as_bytes()[4..6], [0xFE, 0xFF]);
    for _ in 0..6 {
        pack.push_back_int(2);
    }
    assert_eq!(pack.as_bytes()[4..6], [0xFF, 0xFF]);
    assert_eq!(pack.len(), 65_540);
    assert_eq!(pack.get(pack.seek(-6).unwrap()), Item::Int(2));
    assert_eq!(pack.get(pack.seek(65_533).unwrap()), Item::Int(1));
    assert_eq!(pack.seek(65_540), None);
    assert_eq!(pack.seek(-65_541), None);

    let mut tail = pack.split_off(65_530);
    assert_eq!((pack.len(), tail.len()), (65_530, 10));
    tail.append(&pack);
    assert_eq!(tail.len(), 65_540);
    assert!(Listpack::from_bytes_validated(tail.into_bytes()).is_ok());
}

#[test]
fn a_small_listpack_holds_no_spare_room_beyond_the_allocators_size_class() {
    let pack = pack(&[b"sixteen bytes it" as &[u8]; 5]);
    assert_eq!(pack.bytes_len(), 97);
    assert_eq!(pack.heap_bytes(), 112);
    let classes = [
        (1, 16),
        (16, 16),
        (17, 32),
        (128, 128),
        (129, 160),
        (4097, 5120),
    ];
    for (bytes, class) in classes {
        assert_eq!(size_class(bytes), class);
    }
}

#[test]
fn removals_give_memory_back() {
    let mut pack = pack(&[&[b'x'; 1000] as &[u8], b"y"]);
    pack.remove_range(0, 1);
    assert!(pack.heap_bytes() <= 16);
}

#[test]
fn integers_know_their_length_as_text() {
    for value in [0, 9, 10, -1, -10, 99, 100, i64::MAX, i64::MIN] {
        assert_eq!(Item::Int(value).len(), value.to_string().len());
        assert!(Item::Int(value).eq_bytes(value.to_string().as_bytes()));
    }
    assert_eq!(Item::Str(b"abc").len(), 3);
    assert!(!Item::Int(1).eq_bytes(b"01"));
}

#[test]
fn broken_bytes_are_refused_with_the_place() {
    let good = pack(&[b"hello", b"300"]).into_bytes();
    let broken = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Listpack::from_bytes_validated(bytes).unwrap_err().offset
    };
    assert_eq!(broken(0, 1), 0);
    assert_eq!(broken(4, 3), 4);
    assert_eq!(broken(6, 0x84), 6);
    assert_eq!(broken(6, 0xF5), 6);
    assert_eq!(broken(6, 0xFF), 6);
    assert_eq!(broken(6, 0xF0), 6);
    assert_eq!(broken(12, 0x80), 6);
    assert_eq!(broken(15, 3), 13);
    assert_eq!(broken(16, 0), 16);
    for len in 0..good.len() {
        assert!(Listpack::from_bytes_validated(good[..len].to_vec()).is_err());
    }
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        4 => (-5000i64..5000).prop_map(|n| n.to_string().into_bytes()),
        4 => prop::collection::vec(any::<u8>(), 0..20),
        1 => (50usize..200).prop_map(|n| vec![b'm'; n]),
        1 => (4000usize..17_000).prop_map(|n| vec![b'l'; n]),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    PushBack(Vec<u8>),
    PushFront(Vec<u8>),
    InsertBefore(usize, Vec<u8>),
    InsertAfter(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    ReplaceInt(usize, i64),
    Remove(usize),
    RemoveRange(i64, usize),
    SplitAndSwap(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => value().prop_map(Step::PushBack),
        2 => value().prop_map(Step::PushFront),
        2 => (any::<usize>(), value()).prop_map(|(at, value)| Step::InsertBefore(at, value)),
        2 => (any::<usize>(), value()).prop_map(|(at, value)| Step::InsertAfter(at, value)),
        2 => (any::<usize>(), value()).prop_map(|(at, value)| Step::Replace(at, value)),
        1 => (any::<usize>(), any::<i64>()).prop_map(|(at, value)| Step::ReplaceInt(at, value)),
        2 => any::<usize>().prop_map(Step::Remove),
        1 => (-12i64..12, 0usize..4).prop_map(|(start, count)| Step::RemoveRange(start, count)),
        1 => any::<usize>().prop_map(Step::SplitAndSwap),
    ]
}

/// Applies `step` to both; the model is a vector of texts.
fn apply(pack: &mut Listpack, model: &mut Vec<Vec<u8>>, step: Step) {
    let seek = |pack: &Listpack, index: usize| pack.seek(index as i64).unwrap();
    let len = model.len();
    match step {
        Step::PushBack(value) => {
            pack.push_back(&value);
            model.push(value);
        }
        Step::PushFront(value) => {
            pack.push_front(&value);
            model.insert(0, value);
        }
        Step::SplitAndSwap(at) => {
            let mut tail = pack.split_off(at % (len + 1));
            tail.append(pack);
            *pack = tail;
            model.rotate_left(at % (len + 1));
        }
        Step::RemoveRange(start, count) => {
            pack.remove_range(start, count);
            let from = if start < 0 { len as i64 + start } else { start };
            if let Ok(from) = usize::try_from(from)
                && from < len
            {
                model.drain(from..len.min(from + count));
            }
        }
        _ if len == 0 => {}
        Step::InsertBefore(at, value) => {
            let pos = pack.insert_before(seek(pack, at % len), &value);
            assert!(pack.get(pos).eq_bytes(&value));
            model.insert(at % len, value);
        }
        Step::InsertAfter(at, value) => {
            let pos = pack.insert_after(seek(pack, at % len), &value);
            assert!(pack.get(pos).eq_bytes(&value));
            model.insert(at % len + 1, value);
        }
        Step::Replace(at, value) => {
            pack.replace(seek(pack, at % len), &value);
            model[at % len] = value;
        }
        Step::ReplaceInt(at, value) => {
            pack.replace_int(seek(pack, at % len), value);
            model[at % len] = value.to_string().into_bytes();
        }
        Step::Remove(at) => {
            let next = pack.remove(seek(pack, at % len));
            model.remove(at % len);
            assert_eq!(
                next.map(|pos| pack.get(pos).to_vec()).as_ref(),
                model.get(at % len)
            );
        }
    }
}

proptest! {
    #[test]
    fn behaves_as_a_vector_of_texts(steps in prop::collection::vec(step(), 0..60), needle in value()) {
        let (mut pack, mut model) = (Listpack::new(), Vec::new());
        for step in steps {
            apply(&mut pack, &mut model, step);
        }
        prop_assert_eq!(pack.len(), model.len());
        prop_assert_eq!(&texts(&pack), &model);
        let backwards: Vec<_> = pack.iter().rev().map(|item| item.to_vec()).collect();
        prop_assert!(backwards.iter().eq(model.iter().rev()));

        // The bytes depend on the elements alone, not on the way there.
        let slices: Vec<_> = model.iter().map(Vec::as_slice).collect();
        let direct = super::tests::pack(&slices);
        prop_assert_eq!(direct.as_bytes(), pack.as_bytes());
        prop_assert_eq!(Listpack::from_bytes_validated(pack.as_bytes().to_vec()), Ok(pack.clone()));

        for index in 0..model.len() {
            let pos = pack.seek(index as i64).unwrap();
            prop_assert_eq!(pack.seek(index as i64 - model.len() as i64), Some(pos));
            prop_assert!(pack.iter_from(pos).map(|item| item.to_vec()).eq(model[index..].iter().cloned()));
            prop_assert!(pack.iter_to(pos).map(|item| item.to_vec()).eq(model[..=index].iter().cloned()));
            let found = model.iter().position(|value| *value == model[index]);
            prop_assert_eq!(pack.find(&model[index], 0), pack.seek(found.unwrap() as i64));
        }
        let present = model.iter().step_by(3).any(|value| *value == needle);
        prop_assert_eq!(pack.find(&needle, 2).is_some(), present);
    }

    #[test]
    fn hostile_bytes_are_refused_or_readable(
        values in prop::collection::vec(value(), 0..6),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let slices: Vec<_> = values.iter().map(Vec::as_slice).collect();
        let mut bytes = pack(&slices).into_bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(pack) = Listpack::from_bytes_validated(bytes) {
            prop_assert_eq!(pack.iter().count(), pack.len());
            prop_assert_eq!(pack.iter().rev().count(), pack.len());
        }
    }
}

#[test]
fn elements_are_distinct_by_their_text_however_they_are_kept() {
    let mut listpack = Listpack::new();
    listpack.push_back(b"a");
    listpack.push_back_int(1);
    listpack.push_back(b"b");
    assert!(all_distinct(listpack.iter()));
    assert!(!all_distinct(listpack.iter().chain([Item::Str(b"1")])));
    assert!(all_distinct(
        listpack.iter().step_by(2).chain([Item::Str(b"1")])
    ));
}
