use super::*;
use crate::encoding::quicklist::NodeBytes;
use crate::entry::Entry;
use crate::rdb::dump::{dump, restore};
use crate::value::{HashLimits, SortedSetLimits, ValueRef};
use proptest::prelude::*;

fn settings() -> LoadSettings {
    LoadSettings::defaults(1_700_000_000_000)
}

/// What a value looks like to clients, collections without an order sorted.
fn content(value: ValueRef<'_>) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    match value {
        ValueRef::String(string) => parts.push(string.to_vec()),
        ValueRef::List(list) => list
            .items
            .range(0, list.len(), |item| parts.push(item.to_vec())),
        ValueRef::Set(set) => {
            set.for_each(|member| parts.push(member.to_vec()));
            parts.sort();
        }
        ValueRef::Hash(hash) => {
            hash.for_each(|field, value| parts.push([field, b"=", value].concat()));
            parts.sort();
        }
        ValueRef::SortedSet(set) => set.for_each(|member, score| {
            parts.push([member, b"=", score.to_string().as_bytes()].concat());
        }),
        ValueRef::Stream(_) => parts.push(dump(value, false)),
    }
    parts
}

fn loaded(body: &[u8], settings: &LoadSettings) -> Result<(Vec<String>, &'static str)> {
    let value = restore(body, settings)?;
    let entry = Entry::new(b"k", value, None);
    let encoding = match entry.value() {
        ValueRef::String(string) => string.encoding(false),
        ValueRef::List(_) => "quicklist",
        ValueRef::Set(set) => set.encoding(),
        ValueRef::Hash(hash) => hash.encoding(),
        ValueRef::SortedSet(set) => set.encoding(),
        ValueRef::Stream(_) => "stream",
    };
    let parts = content(entry.value())
        .into_iter()
        .map(|part| String::from_utf8_lossy(&part).into_owned())
        .collect();
    Ok((parts, encoding))
}

fn refusal(body: &[u8]) -> String {
    restore(body, &settings()).err().unwrap().kind.to_string()
}

/// `f1` and `v1`, `f2` and `v2` as a ziplist.
const ZIPLIST: &[u8] =
    b"\x1b\x1b\0\0\0\x16\0\0\0\x04\0\x00\x02f1\x04\x02v1\x04\x02f2\x04\x02v2\xff";
/// `a`, 1, `b`, 2 as a ziplist.
const SCORES: &[u8] = b"\x15\x15\0\0\0\x12\0\0\0\x04\0\x00\x01a\x03\xf2\x02\x01b\x03\xf3\xff";

fn with(form: u8, rest: &[u8]) -> Vec<u8> {
    [&[form], rest].concat()
}

#[test]
fn every_old_form_of_a_list_is_read() {
    let expected = ["f1", "v1", "f2", "v2"].map(String::from).to_vec();
    let node = b"\x01\x02\x17\x17\0\0\0\x04\0\x82f1\x03\x82v1\x03\x82f2\x03\x82v2\x03\xff";
    for body in [
        with(1, b"\x04\x02f1\x02v1\x02f2\x02v2"),
        with(10, ZIPLIST),
        with(14, &with(1, ZIPLIST)),
        with(18, node),
        with(18, b"\x04\x01\x02f1\x01\x02v1\x01\x02f2\x01\x02v2"),
    ] {
        let (content, encoding) = loaded(&body, &settings()).unwrap();
        assert_eq!(
            (content, encoding),
            (expected.clone(), "quicklist"),
            "{body:?}"
        );
    }
    assert_eq!(
        refusal(&with(18, b"\x01\x03\x01a")),
        "Quicklist integrity check failed."
    );
    assert_eq!(
        refusal(&with(18, b"\x01\x01\x00")),
        "Quicklist integrity check failed."
    );
    assert_eq!(
        refusal(&with(18, b"\x01\x02\x01a")),
        "Listpack integrity check failed."
    );
    assert_eq!(
        refusal(&with(14, b"\x01\x01a")),
        "Ziplist integrity check failed."
    );
    assert_eq!(
        refusal(&with(10, b"\x01a")),
        "List ziplist integrity check failed."
    );
}

#[test]
fn every_form_of_a_set_is_read_and_obeys_the_limits_of_today() {
    let few = LoadSettings {
        set_intset_max: 1,
        ..settings()
    };
    let intset = b"\x0c\x02\0\0\0\x02\0\0\0\x01\0\x02\0";
    let listpack = b"\x0b\x0b\0\0\0\x02\0\x01\x01\x02\x01\xff";
    for body in [
        with(2, b"\x02\x012\xc0\x01"),
        with(11, intset),
        with(20, listpack),
    ] {
        let expected = ["1", "2"].map(String::from).to_vec();
        assert_eq!(
            loaded(&body, &settings()).unwrap(),
            (expected.clone(), "intset")
        );
        assert_eq!(loaded(&body, &few).unwrap(), (expected, "hashtable"));
    }
    assert_eq!(
        refusal(&with(2, b"\x02\x01a\x01a")),
        "Duplicate set members detected"
    );
    assert_eq!(
        refusal(&with(11, b"\x0c\x02\0\0\0\x02\0\0\0\x02\0\x02\0")),
        "Intset integrity check failed."
    );
}

#[test]
fn every_form_of_a_hash_is_read_and_obeys_the_limits_of_today() {
    let expected = ["f1=v1", "f2=v2"].map(String::from).to_vec();
    let listpack = b"\x17\x17\0\0\0\x04\0\x82f1\x03\x82v1\x03\x82f2\x03\x82v2\x03\xff";
    for (body, small_values) in [
        (with(4, b"\x02\x02f1\x02v1\x02f2\x02v2"), "hashtable"),
        (
            with(9, b"\x10\x02\x02f1\x02\x00v1\x02f2\x02\x00v2\xff"),
            "hashtable",
        ),
        (with(13, ZIPLIST), "listpack"),
        (with(16, listpack), "listpack"),
    ] {
        let encoding = |entries, value| {
            let hash = HashLimits { entries, value };
            let (content, encoding) = loaded(&body, &LoadSettings { hash, ..settings() }).unwrap();
            assert_eq!(content, expected);
            encoding
        };
        assert_eq!(encoding(2, 2), "listpack");
        assert_eq!(encoding(1, 2), "hashtable");
        // What is compact in the file stays so whatever the length of its values.
        assert_eq!(encoding(2, 1), small_values);
    }
    assert_eq!(
        refusal(&with(4, b"\x02\x01f\x01v\x01f\x01w")),
        "Duplicate hash fields detected"
    );
    assert_eq!(
        refusal(&with(9, b"\x02\x00\xff")),
        "Zipmap integrity check failed."
    );
    let twice = b"\x0c\x02\x01f\x01\x00v\x01f\x01\x00w\xff";
    assert_eq!(
        refusal(&with(9, twice)),
        "Hash zipmap with dup elements, integrity check failed."
    );
    let odd = b"\x0f\x0f\0\0\0\x0a\0\0\0\x01\0\x00\x02f1\xff";
    assert_eq!(
        refusal(&with(13, odd)),
        "Hash ziplist integrity check failed."
    );
    let twice = b"\x17\x17\0\0\0\x04\0\x82f1\x03\x82v1\x03\x82f1\x03\x82v2\x03\xff";
    assert_eq!(
        refusal(&with(16, twice)),
        "Hash listpack integrity check failed."
    );
}

#[test]
fn every_form_of_a_sorted_set_is_read_and_obeys_the_limits_of_today() {
    let expected = ["a=1", "b=2"].map(String::from).to_vec();
    let listpack = b"\x11\x11\0\0\0\x04\0\x81a\x02\x01\x01\x81b\x02\x02\x01\xff";
    let binary = b"\x02\x01b\0\0\0\0\0\0\0\x40\x01a\0\0\0\0\0\0\xf0\x3f";
    for body in [
        with(3, b"\x02\x01b\x012\x01a\x031.0"),
        with(5, binary),
        with(12, SCORES),
        with(17, listpack),
    ] {
        for (entries, encoding) in [(2, "listpack"), (1, "skiplist")] {
            let sorted_set = SortedSetLimits { entries, value: 64 };
            let settings = LoadSettings {
                sorted_set,
                ..settings()
            };
            assert_eq!(
                loaded(&body, &settings).unwrap(),
                (expected.clone(), encoding)
            );
        }
    }
    let infinite = loaded(&with(3, b"\x02\x01a\xfe\x01b\xff"), &settings()).unwrap();
    assert_eq!(infinite.0, ["b=-inf", "a=inf"]);
    assert_eq!(
        refusal(&with(3, b"\x01\x01a\xfd")),
        "Zset with NAN score detected"
    );
    assert_eq!(
        refusal(&with(3, b"\x01\x01a\x01x")),
        "Zset score is not a number"
    );
    let nan = b"\x01\x01a\0\0\0\0\0\0\xf8\x7f";
    assert_eq!(refusal(&with(5, nan)), "Zset with NAN score detected");
    let twice = b"\x02\x01a\x011\x01a\x012";
    assert_eq!(refusal(&with(3, twice)), "Duplicate zset fields detected");
    assert_eq!(
        refusal(&with(12, ZIPLIST)),
        "Zset ziplist integrity check failed."
    );
}

#[test]
fn values_of_modules_are_refused_by_the_name_of_their_type() {
    // The id that a module type called `ReJSON-RL`, version 3, has.
    let id = b"\x81\x45\xe2\x52\x38\xdf\xe4\x4b\x03";
    let refused = refusal(&with(7, id));
    assert!(refused.contains("no matching module type '"), "{refused}");
    assert_eq!(module_name(0), "AAAAAAAAA");
    assert_eq!(module_name(u64::MAX), "_________");
}

/// What to put into a value.
#[derive(Clone, Debug)]
enum Recipe {
    String(Vec<u8>),
    List(Vec<Vec<u8>>, i32, u32),
    Set(Vec<Vec<u8>>),
    Ints(Vec<i32>),
    Hash(Vec<Vec<u8>>),
    SortedSet(Vec<Vec<u8>>, f64),
}

impl Recipe {
    fn make(&self) -> Entry {
        let value = match self {
            Recipe::String(text) => Value::String(StringValue::from_bytes(text.clone())),
            Recipe::List(texts, fill, compress) => {
                let mut list = List::new(*fill, *compress);
                texts.iter().for_each(|text| list.items.push_back(text));
                Value::List(Box::new(list))
            }
            Recipe::Set(texts) => {
                let mut set = Set::default();
                for text in texts {
                    set.add(text, 512);
                }
                Value::Set(Box::new(set))
            }
            Recipe::Ints(ints) => {
                let mut set = Set::default();
                for int in ints {
                    set.add(int.to_string().as_bytes(), 512);
                }
                Value::Set(Box::new(set))
            }
            Recipe::Hash(texts) => {
                let mut hash = Hash::default();
                for (number, text) in texts.iter().enumerate() {
                    hash.set(text, &texts[number / 2], settings().hash);
                }
                Value::Hash(Box::new(hash))
            }
            Recipe::SortedSet(texts, step) => {
                let mut set = SortedSet::default();
                for (number, text) in texts.iter().enumerate() {
                    set.insert(text, number as f64 * step, settings().sorted_set);
                }
                Value::SortedSet(Box::new(set))
            }
        };
        Entry::new(b"k", value, None)
    }
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let text = prop_oneof![
        any::<i64>().prop_map(|int| int.to_string().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..90),
        (any::<u8>(), 0..3000usize).prop_map(|(byte, len)| vec![byte; len]),
    ];
    let texts = prop::collection::vec(text.clone(), 1..200);
    prop_oneof![
        text.prop_map(Recipe::String),
        (texts.clone(), -5..5i32, 0..3u32)
            .prop_map(|(texts, fill, compress)| Recipe::List(texts, fill, compress)),
        texts.clone().prop_map(Recipe::Set),
        prop::collection::vec(any::<i32>(), 1..700).prop_map(Recipe::Ints),
        texts.clone().prop_map(Recipe::Hash),
        (texts, -1e9..1e9).prop_map(|(texts, step)| Recipe::SortedSet(texts, step)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_dumped_is_restored_and_dumps_the_same(recipe in recipe(), compress: bool) {
        let entry = recipe.make();
        let payload = dump(entry.value(), compress);
        let body = crate::rdb::dump::intact(&payload, true).unwrap();
        let again = Entry::new(b"k", restore(body, &settings()).unwrap(), None);
        prop_assert_eq!(content(again.value()), content(entry.value()));
        // Tables have no order, and nodes compressed in memory are compressed in payloads.
        let has_order = matches!(entry.value(), ValueRef::String(_) | ValueRef::SortedSet(_))
            || matches!(entry.value(), ValueRef::List(list)
                if list.items.nodes().all(|(_, bytes)| matches!(bytes, NodeBytes::Raw(_))));
        if has_order {
            prop_assert_eq!(dump(again.value(), compress), payload);
        }
    }

    #[test]
    fn damaged_payloads_are_read_or_refused_but_never_panic(
        recipe in recipe(),
        compress: bool,
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let entry = recipe.make();
        let mut body = dump(entry.value(), compress);
        for (at, byte) in damages {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len()));
        }
        if let Ok(value) = restore(&body, &settings()) {
            // Whatever it is, it can be used.
            let entry = Entry::new(b"k", value, None);
            let payload = dump(entry.value(), compress);
            let again = restore(&payload, &settings()).unwrap();
            let again = Entry::new(b"k", again, None);
            prop_assert_eq!(content(again.value()), content(entry.value()));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(form in 0..24u8, body: Vec<u8>) {
        let _ = restore(&with(form, &body), &settings());
        let length = [&[form, body.len() as u8 & 0x3F], &body[..]].concat();
        let _ = restore(&length, &settings());
    }
}
