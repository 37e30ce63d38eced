//! Some of many by chance, without copying the many.

use crate::element::Element;
use crate::table::Table;
use std::collections::BTreeSet;
use std::collections::btree_set::IntoIter;

/// Different numbers below `len`, in order: `count` of them, or all. Every choice has the same chance.
pub fn distinct_below(len: usize, count: usize, rng: &mut impl FnMut() -> u64) -> IntoIter<usize> {
    let mut chosen = BTreeSet::new();
    // Floyd's way: each step chooses among one more, and takes the new one in place of one that it already has.
    for top in len - count.min(len)..len {
        let number = (rng() % (top as u64 + 1)) as usize;
        if !chosen.insert(number) {
            chosen.insert(top);
        }
    }
    chosen.into_iter()
}

/// `count` of the `len` items of a walk, or all, each with the same chance.
pub(crate) fn choose<T>(
    mut items: impl Iterator<Item = T>,
    len: usize,
    count: usize,
    rng: &mut impl FnMut() -> u64,
) -> impl Iterator<Item = T> {
    let mut next = 0;
    distinct_below(len, count, rng).filter_map(move |index| {
        let item = items.nth(index - next);
        next = index + 1;
        item
    })
}

/// Whether so few of a table are wanted that looking for each takes less than walking over all.
pub(crate) fn is_few(count: usize, len: usize) -> bool {
    count < len / 4
}

/// `count` different elements of a table that has many more.
pub(crate) fn choose_elements<'a>(
    table: &'a Table<Element>,
    count: usize,
    rng: &mut impl FnMut() -> u64,
) -> Vec<&'a Element> {
    debug_assert!(is_few(count, table.len()), "else this takes forever");
    let mut seen = BTreeSet::new();
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count
        && let Some(element) = table.random(rng)
    {
        if seen.insert(element.key().as_ptr()) {
            chosen.push(element);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers() -> impl FnMut() -> u64 {
        let mut state = 1u64;
        move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state >> 33
        }
    }

    #[test]
    fn chosen_numbers_differ_and_each_has_its_chance() {
        let mut rng = numbers();
        let mut times = [0; 10];
        for _ in 0..1000 {
            let chosen: Vec<usize> = distinct_below(10, 3, &mut rng).collect();
            assert_eq!(chosen.len(), 3);
            assert!(chosen.is_sorted_by(|a, b| a < b));
            chosen.iter().for_each(|&number| times[number] += 1);
        }
        assert!(
            times.iter().all(|times| (200..400).contains(times)),
            "{times:?}"
        );
        assert_eq!(
            distinct_below(3, 9, &mut rng).collect::<Vec<_>>(),
            [0, 1, 2]
        );
        assert_eq!(distinct_below(0, 9, &mut rng).count(), 0);
    }

    #[test]
    fn items_of_a_walk_are_chosen_by_place() {
        let mut rng = numbers();
        for count in 0..12 {
            let chosen: Vec<u32> = choose(0..10, 10, count, &mut rng).collect();
            assert_eq!(chosen.len(), count.min(10));
            assert!(chosen.is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn few_elements_of_a_table_differ() {
        let mut rng = numbers();
        let mut table = Table::new();
        for number in 0..1000u32 {
            let key = number.to_be_bytes();
            table.insert_unique(crate::hash::hash(&key), Element::new(&key, b""));
        }
        let chosen = choose_elements(&table, 240, &mut rng);
        let keys: BTreeSet<&[u8]> = chosen.iter().map(|element| element.key()).collect();
        assert_eq!(keys.len(), 240);
    }
}
