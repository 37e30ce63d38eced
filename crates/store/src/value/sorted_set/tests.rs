use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const WIDE: SortedSetLimits = SortedSetLimits {
    entries: 1000,
    value: 64,
};
const NONE: SortedSetLimits = SortedSetLimits {
    entries: 0,
    value: 64,
};

/// Pairs in order, of scores that compare.
type Pairs = Vec<(f64, Vec<u8>)>;

fn pairs(members: RankedMembers<'_>) -> Pairs {
    members
        .map(|ranked| (ranked.score, ranked.member.to_vec()))
        .collect()
}

fn sorted(model: &BTreeMap<Vec<u8>, f64>) -> Pairs {
    let mut pairs: Pairs = model
        .iter()
        .map(|(member, score)| (*score, member.clone()))
        .collect();
    pairs.sort_by(|a, b| a.partial_cmp(b).expect("no NaN"));
    pairs
}

fn set_of(limits: SortedSetLimits, pairs: &[(f64, &str)]) -> SortedSet {
    let mut set = SortedSet::default();
    for (score, member) in pairs {
        set.insert(member.as_bytes(), *score, limits);
    }
    set
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u8, f64),
    Remove(u8),
    RemoveRanks(usize, usize),
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (-4..4i32).prop_map(f64::from),
        3 => -2.0..2.0f64,
        1 => prop_oneof![
            Just(f64::INFINITY),
            Just(f64::NEG_INFINITY),
            Just(1e300),
            Just(-0.0),
            Just(5e-324),
        ],
    ]
}

/// Some members are integers to a listpack, some are empty or long.
fn member(number: u8) -> Vec<u8> {
    match number % 4 {
        0 => number.to_string().into_bytes(),
        1 => format!("-{number}").into_bytes(),
        2 => vec![number; usize::from(number) % 70],
        _ => format!("member {number}").into_bytes(),
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        10 => (any::<u8>(), score()).prop_map(|(member, score)| Step::Insert(member, score)),
        4 => any::<u8>().prop_map(Step::Remove),
        1 => (0..60usize, 0..8usize).prop_map(|(start, len)| Step::RemoveRanks(start, len)),
    ];
    prop::collection::vec(step, 0..160)
}

fn assert_same(set: &SortedSet, model: &Pairs) {
    assert_eq!(set.len(), model.len());
    assert_eq!(set.is_empty(), model.is_empty());
    assert_eq!(&pairs(set.iter()), model);
    let mut down = model.clone();
    down.reverse();
    assert_eq!(
        pairs(set.iter_ranks(0..usize::MAX, Order::Descending)),
        down
    );
    for (rank, (score, member)) in model.iter().enumerate() {
        assert_eq!(set.score(member), Some(*score));
        assert_eq!(set.rank(member, Order::Ascending), Some(rank));
        assert_eq!(
            set.rank(member, Order::Descending),
            Some(model.len() - 1 - rank)
        );
        let from_here = pairs(set.iter_ranks(rank..rank + 3, Order::Ascending));
        assert_eq!(from_here, model[rank..model.len().min(rank + 3)]);
    }
    let mut shown = Pairs::new();
    let mut cursor = 0;
    loop {
        cursor = set.scan(cursor, 3, |member, score| {
            shown.push((score, member.to_vec()));
        });
        if cursor == 0 {
            break;
        }
    }
    shown.sort_by(|a, b| a.partial_cmp(b).expect("no NaN"));
    assert_eq!(&shown, model);
}

fn assert_same_ranges(set: &SortedSet, model: &Pairs) {
    let bound = |score, exclusive| ScoreBound { score, exclusive };
    for low in -3..3 {
        for high in -3..3 {
            for (min_exclusive, max_exclusive) in
                [(false, false), (true, false), (false, true), (true, true)]
            {
                let range = ScoreRange {
                    min: bound(low.into(), min_exclusive),
                    max: bound(high.into(), max_exclusive),
                };
                let inside: Vec<usize> = (0..model.len())
                    .filter(|&rank| {
                        let score = model[rank].0;
                        (score > range.min.score || (!min_exclusive && score == range.min.score))
                            && (score < range.max.score
                                || (!max_exclusive && score == range.max.score))
                    })
                    .collect();
                let found: Vec<usize> = set.ranks_by_score(&range).collect();
                assert_eq!(found, inside, "{range:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn behaves_as_an_ordered_map_in_both_forms(steps in steps(), entries in 0..40usize) {
        let limits = SortedSetLimits { entries, value: 20 };
        let mut set = SortedSet::default();
        let mut model = BTreeMap::new();
        for step in steps {
            match step {
                Step::Insert(number, score) => {
                    let old = set.insert(&member(number), score, limits);
                    // A score that equals the old one changes nothing, not even the sign of zero.
                    let before = model.get(&member(number)).copied();
                    if before != Some(score) {
                        model.insert(member(number), score);
                    }
                    prop_assert_eq!(old, before);
                }
                Step::Remove(number) => {
                    prop_assert_eq!(set.remove(&member(number)), model.remove(&member(number)));
                }
                Step::RemoveRanks(start, len) => {
                    let all = sorted(&model);
                    let gone = &all[start.min(all.len())..(start + len).min(all.len())];
                    prop_assert_eq!(set.remove_ranks(start..start + len), gone.len());
                    for (_, member) in gone {
                        model.remove(member);
                    }
                }
            }
        }
        let model = sorted(&model);
        assert_same(&set, &model);
        assert_same_ranges(&set, &model);
        let copy = set.clone();
        drop(set);
        assert_same(&copy, &model);
    }

    #[test]
    fn ranges_of_members_are_the_same_in_both_forms(
        members in prop::collection::btree_set("[a-d]{0,3}", 0..40),
        min in "[a-d]{0,3}", max in "[a-d]{0,3}",
        exclusive in any::<[bool; 2]>(),
    ) {
        let all: Vec<(f64, &str)> = members.iter().map(|member| (1.0, member.as_str())).collect();
        let bounds = |text: &'static str, exclusive| match exclusive {
            true => LexBound::Exclusive(text.as_bytes()),
            false => LexBound::Inclusive(text.as_bytes()),
        };
        let [min_text, max_text]: [&'static str; 2] = [min.leak(), max.leak()];
        let ends = [bounds(min_text, exclusive[0]), bounds(max_text, exclusive[1]), LexBound::Lowest, LexBound::Highest];
        for limits in [WIDE, NONE] {
            let set = set_of(limits, &all);
            for min in ends {
                for max in ends {
                    let expected: Vec<usize> = (0..all.len())
                        .filter(|&rank| {
                            let member = all[rank].1.as_bytes();
                            !min.is_above(member) && max.reaches(member)
                        })
                        .collect();
                    for order in [Order::Ascending, Order::Descending] {
                        let found: Vec<usize> = set.ranks_by_lex(&LexRange { min, max }, order).collect();
                        prop_assert_eq!(&found, &expected);
                    }
                }
            }
        }
    }
}

#[test]
fn it_leaves_the_listpack_for_one_member_too_many_or_too_long() {
    let limits = SortedSetLimits {
        entries: 2,
        value: 4,
    };
    let mut set = set_of(limits, &[(1.0, "a"), (2.0, "bbbb")]);
    assert_eq!(set.encoding(), "listpack");
    assert_eq!(set.insert(b"a", 5.0, limits), Some(1.0));
    assert_eq!(set.encoding(), "listpack", "nothing was added");
    set.insert(b"c", 3.0, limits);
    assert_eq!(set.encoding(), "skiplist");
    set.remove_ranks(0..3);
    set.insert(b"c", 3.0, limits);
    assert_eq!(set.encoding(), "skiplist", "it does not go back");
    assert_eq!(set_of(limits, &[(1.0, "ccccc")]).encoding(), "skiplist");
}

#[test]
fn scores_are_kept_in_the_bytes_of_redis() {
    let set = set_of(
        WIDE,
        &[
            (-0.0, "zero"),
            (3.0, "int"),
            (0.1, "text"),
            (1e17, "large"),
            (1e19, "larger"),
            (f64::INFINITY, "inf"),
        ],
    );
    let listpack = set.listpack().expect("small");
    let items: Vec<Item<'_>> = listpack.iter().collect();
    assert_eq!(
        items,
        [
            Item::Str(b"zero"),
            Item::Int(0),
            Item::Str(b"text"),
            Item::Str(b"0.10000000000000001"),
            Item::Str(b"int"),
            Item::Int(3),
            Item::Str(b"large"),
            Item::Int(100_000_000_000_000_000),
            Item::Str(b"larger"),
            Item::Str(b"1e+19"),
            Item::Str(b"inf"),
            Item::Str(b"inf"),
        ]
    );
}

#[test]
fn a_listpack_from_outside_is_a_set_only_if_it_is_one() {
    let listpack = |items: &[&str]| {
        let mut listpack = Listpack::new();
        items
            .iter()
            .for_each(|item| listpack.push_back(item.as_bytes()));
        listpack
    };
    let taken = |items: &[&str]| SortedSet::from_listpack(listpack(items), WIDE);
    let set = taken(&["a", "1", "b", "0x10", "c", "inf"]).expect("in order");
    assert_eq!(set.score(b"b"), Some(16.0));
    let unordered = taken(&["b", "2", "a", "1"]).expect("still a set");
    assert_eq!(unordered.rank(b"a", Order::Ascending), Some(0));
    for bad in [
        ["a", "1", "b"].as_slice(),
        &["a", "x"],
        &["a", "nan"],
        &["a", ""],
        &["a", "1", "a", "1"],
        &["a", "1", "b", "2", "a", "3"],
    ] {
        assert!(taken(bad).is_none(), "{bad:?}");
    }
    let few = SortedSetLimits {
        entries: 1,
        value: 64,
    };
    let big = SortedSet::from_listpack(listpack(&["a", "1", "b", "2"]), few).expect("a set");
    assert_eq!((big.encoding(), big.len()), ("skiplist", 2));
}

#[test]
fn updating_hears_the_old_score_and_says_what_it_did() {
    for limits in [WIDE, NONE] {
        let mut set = SortedSet::default();
        let mut update = |score: Option<f64>| {
            let mut heard = None;
            let done = set.update(b"m", limits, |old| {
                heard = old;
                score
            });
            (heard, done)
        };
        assert_eq!(update(None), (None, Update::Kept(None)));
        assert_eq!(update(Some(1.0)), (None, Update::Added(1.0)));
        assert_eq!(update(Some(1.0)), (Some(1.0), Update::Kept(Some(1.0))));
        assert_eq!(update(None), (Some(1.0), Update::Kept(Some(1.0))));
        assert_eq!(update(Some(2.0)), (Some(1.0), Update::Changed(2.0)));
    }
}

#[test]
fn mixed_scores_answer_ranges_of_members_as_redis_walks_a_listpack() {
    let set = set_of(WIDE, &[(1.0, "a"), (2.0, "c"), (3.0, "b"), (4.0, "d")]);
    let range = LexRange {
        min: LexBound::Inclusive(b"a"),
        max: LexBound::Inclusive(b"b"),
    };
    assert_eq!(set.ranks_by_lex(&range, Order::Ascending), 0..1);
    assert_eq!(set.ranks_by_lex(&range, Order::Descending), 0..3);
    // Neither form finds anything where the first member is behind the range, or the last before it.
    for limits in [WIDE, NONE] {
        let set = set_of(limits, &[(1.0, "c"), (2.0, "b"), (3.0, "a")]);
        for (min, max) in [(b"a", b"b"), (b"b", b"c")] {
            let range = LexRange {
                min: LexBound::Inclusive(min),
                max: LexBound::Inclusive(max),
            };
            assert_eq!(set.ranks_by_lex(&range, Order::Ascending), 0..0);
        }
    }
}

#[test]
fn memory_is_counted_as_it_comes_and_goes() {
    let mut set = SortedSet::default();
    for number in 0..5000u32 {
        set.insert(&number.to_be_bytes(), f64::from(number), NONE);
    }
    let full = set.memory_bytes();
    assert!(full > 5000 * 20, "{full}");
    set.remove_ranks(0..2500);
    for number in 2501..5000u32 {
        set.remove(&number.to_be_bytes());
    }
    assert_eq!(set.len(), 1);
    assert!(set.memory_bytes() < full / 8, "{}", set.memory_bytes());
    assert_eq!(set.free_effort(), 1);
}

#[test]
fn random_members_are_any_of_the_set() {
    for limits in [WIDE, NONE] {
        let mut numbers = 0..100u64;
        let mut rng = || numbers.next().expect("enough");
        assert_eq!(SortedSet::default().random(&mut rng), None);
        let set = set_of(limits, &[(1.0, "a"), (2.0, "7"), (3.0, "c")]);
        let found: Vec<f64> = (0..6)
            .map(|_| set.random(&mut rng).expect("not empty").score)
            .collect();
        assert_eq!(found, [2.0, 3.0, 1.0, 2.0, 3.0, 1.0]);
    }
}
