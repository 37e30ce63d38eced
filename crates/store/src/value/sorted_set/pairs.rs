//! A small sorted set: a listpack of members in order, each followed by its score, in the bytes that Redis 7.0 keeps.

use super::{LexRange, Order, Ranked, ScoreRange};
use crate::encoding::listpack::{self, Item, Listpack, Pos};
use crate::float::{as_listpack_integer, format_g17, parse_double};
use std::cmp::Ordering;
use std::ops::Range;

/// See the module. Every element at an odd place is the text of a number.
#[derive(Clone, Default)]
pub(super) struct Pairs {
    listpack: Listpack,
}

const PAIRED: &str = "every member has a score";

/// The number a score element stands for.
#[inline]
fn parse_score(item: Item<'_>) -> Option<f64> {
    match item {
        Item::Int(int) => Some(int as f64),
        // What we wrote reads back with Rust's parser; another writer may have used any form that C reads.
        Item::Str(text) => std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok())
            .or_else(|| parse_double(text))
            .filter(|score: &f64| !score.is_nan()),
    }
}

#[inline]
fn score_of(item: Item<'_>) -> f64 {
    parse_score(item).expect("scores are numbers: written here, or checked by from_listpack")
}

/// How Redis 7.0 keeps a score: as an integer if it is one, which loses the sign of zero, else as text.
fn score_text(score: f64) -> Vec<u8> {
    let mut text = Vec::with_capacity(24);
    match as_listpack_integer(score) {
        Some(int) => text.extend_from_slice(itoa::Buffer::new().format(int).as_bytes()),
        None => format_g17(score, &mut text),
    }
    text
}

/// The order of a pair relative to a score and member.
#[inline]
fn order(pair: Ranked<'_>, score: f64, member: &[u8]) -> Ordering {
    let by_member = || pair.member.as_bytes(&mut itoa::Buffer::new()).cmp(member);
    pair.score
        .partial_cmp(&score)
        .unwrap_or(Ordering::Equal)
        .then_with(by_member)
}

impl Pairs {
    /// Takes a listpack after checking what [`Pairs`] promises: pairs, numbers, order, and no member twice.
    pub(super) fn from_listpack(listpack: Listpack) -> Option<Pairs> {
        let mut members: Vec<Vec<u8>> = Vec::with_capacity(listpack.len() / 2);
        let mut scores: Vec<f64> = Vec::with_capacity(listpack.len() / 2);
        let mut items = listpack.iter();
        while let Some(member) = items.next() {
            scores.push(parse_score(items.next()?)?);
            members.push(member.to_vec());
        }
        let sorted = (1..scores.len()).all(|at| {
            let by_score = scores[at - 1].partial_cmp(&scores[at]);
            by_score == Some(Ordering::Less)
                || (by_score == Some(Ordering::Equal) && members[at - 1] < members[at])
        });
        let pairs = if sorted {
            Pairs { listpack }
        } else {
            let mut pairs = Pairs::default();
            for (member, score) in members.iter().zip(&scores) {
                pairs.insert(member, *score);
            }
            pairs
        };
        members.sort_unstable();
        let unique = members.windows(2).all(|two| two[0] != two[1]);
        unique.then_some(pairs)
    }

    pub(super) fn listpack(&self) -> &Listpack {
        &self.listpack
    }

    pub(super) fn len(&self) -> usize {
        self.listpack.len() / 2
    }

    /// The place of a member, and its score.
    pub(super) fn find(&self, member: &[u8]) -> Option<(Pos, f64)> {
        let at = self.listpack.find(member, 1)?;
        let score = self.listpack.get(self.listpack.next(at).expect(PAIRED));
        Some((at, score_of(score)))
    }

    pub(super) fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|(_, score)| score)
    }

    pub(super) fn rank(&self, member: &[u8]) -> Option<usize> {
        self.iter().position(|pair| pair.member.eq_bytes(member))
    }

    /// Adds a member that is not there, where its score says.
    pub(super) fn insert(&mut self, member: &[u8], score: f64) {
        let text = score_text(score);
        let mut next = self.listpack.first();
        while let Some(at) = next {
            let score_at = self.listpack.next(at).expect(PAIRED);
            let pair = Ranked {
                member: self.listpack.get(at),
                score: score_of(self.listpack.get(score_at)),
            };
            if order(pair, score, member).is_gt() {
                let at = self.listpack.insert_before(at, member);
                self.listpack.insert_after(at, &text);
                return;
            }
            next = self.listpack.next(score_at);
        }
        self.listpack.push_back(member);
        self.listpack.push_back(&text);
    }

    /// Removes the pair of the member at this place.
    pub(super) fn remove(&mut self, at: Pos) {
        let score_at = self.listpack.remove(at).expect(PAIRED);
        self.listpack.remove(score_at);
    }

    pub(super) fn remove_ranks(&mut self, ranks: Range<usize>) {
        self.listpack
            .remove_range(2 * ranks.start as i64, 2 * ranks.len());
    }

    pub(super) fn ranks_by_score(&self, range: &ScoreRange) -> Range<usize> {
        let mut ranks = 0..0;
        for Ranked { score, .. } in self.iter() {
            if !range.max.reaches(score) {
                break;
            }
            ranks.start += usize::from(range.min.is_above(score));
            ranks.end += 1;
        }
        // With the bounds crossed, everything up to the maximum is below the minimum.
        ranks.start.min(ranks.end)..ranks.end
    }

    pub(super) fn ranks_by_lex(&self, range: &LexRange<'_>, order: Order) -> Range<usize> {
        let mut digits = itoa::Buffer::new();
        let mut above = Vec::with_capacity(self.len());
        let mut reached = Vec::with_capacity(self.len());
        for Ranked { member, .. } in self.iter() {
            let member = member.as_bytes(&mut digits);
            above.push(range.min.is_above(member));
            reached.push(range.max.reaches(member));
        }
        // Nothing, unless the first member is low enough and the last one high enough.
        if !reached.first().is_some_and(|reached| *reached) || above.last() == Some(&true) {
            return 0..0;
        }
        match order {
            Order::Ascending => {
                let start = above.iter().take_while(|above| **above).count();
                let inside = reached[start..].iter().take_while(|reached| **reached);
                start..start + inside.count()
            }
            Order::Descending => {
                let behind = reached
                    .iter()
                    .rev()
                    .take_while(|reached| !**reached)
                    .count();
                let end = reached.len() - behind;
                let inside = above[..end].iter().rev().take_while(|above| !**above);
                end - inside.count()..end
            }
        }
    }

    /// The pairs of these ranks, which are there.
    pub(super) fn walk(&self, ranks: Range<usize>, order: Order) -> Walk<'_> {
        let place = |index: usize| {
            self.listpack
                .seek(index as i64)
                .expect("the ranks are there")
        };
        match order {
            Order::Ascending => Walk::Up(self.listpack.iter_from(place(2 * ranks.start))),
            Order::Descending => Walk::Down(self.listpack.iter_to(place(2 * ranks.end - 1))),
        }
    }

    fn iter(&self) -> Walk<'_> {
        Walk::Up(self.listpack.iter())
    }
}

/// Pairs from a place on, up or down.
#[derive(Clone, Default)]
pub(super) enum Walk<'a> {
    #[default]
    Nothing,
    Up(listpack::Iter<'a>),
    Down(listpack::Iter<'a>),
}

impl<'a> Iterator for Walk<'a> {
    type Item = Ranked<'a>;

    #[inline]
    fn next(&mut self) -> Option<Ranked<'a>> {
        let (member, score) = match self {
            Walk::Nothing => return None,
            Walk::Up(items) => (items.next()?, items.next()?),
            Walk::Down(items) => {
                let score = items.next_back()?;
                (items.next_back()?, score)
            }
        };
        Some(Ranked {
            member,
            score: score_of(score),
        })
    }
}
