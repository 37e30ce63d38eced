//! The sorted set type: a listpack of member, score, member, score … in order while small, a table of elements with an
//! order tree beside it beyond.
//!
//! Every question about order is asked in ranks: a range of scores or of members is first turned into the ranks it
//! covers, then walked, counted or removed.

mod ordered;
mod pairs;
#[cfg(test)]
mod tests;

use crate::encoding::listpack::{Item, Listpack};
use crate::value::elements::Elements;
use ordered::Ordered;
use pairs::Pairs;
use std::ops::Range;

/// When a listpack becomes a table: `zset-max-listpack-entries` and `-value`.
#[derive(Clone, Copy, Debug)]
pub struct SortedSetLimits {
    pub entries: usize,
    /// Longest member, in bytes.
    pub value: usize,
}

/// See the module.
#[derive(Clone, Default)]
pub struct SortedSet {
    form: Form,
}

#[derive(Clone)]
enum Form {
    Listpack(Pairs),
    Table(Ordered),
}

/// A member with its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked<'a> {
    pub member: Item<'a>,
    pub score: f64,
}

/// An end of a range of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreBound {
    pub score: f64,
    pub exclusive: bool,
}

/// Scores from one bound to another. Without any between them it is empty, never wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreRange {
    pub min: ScoreBound,
    pub max: ScoreBound,
}

/// An end of a range of members, which only means something while all scores are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// `-`: before every member.
    Lowest,
    /// `+`: behind every member.
    Highest,
    Inclusive(&'a [u8]),
    Exclusive(&'a [u8]),
}

/// Members from one bound to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LexRange<'a> {
    pub min: LexBound<'a>,
    pub max: LexBound<'a>,
}

/// The direction of a walk, and the end of it that comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the lowest score on.
    Ascending,
    /// From the highest score on.
    Descending,
}

/// What [`SortedSet::update`] did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Update {
    /// The member is new and has this score.
    Added(f64),
    /// The member has this score instead of another.
    Changed(f64),
    /// Nothing; the score that stays, if the member is there.
    Kept(Option<f64>),
}

impl Default for Form {
    fn default() -> Form {
        Form::Listpack(Pairs::default())
    }
}

impl ScoreBound {
    /// Whether a score is too low for this as a minimum.
    #[inline]
    fn is_above(self, score: f64) -> bool {
        score < self.score || (self.exclusive && score == self.score)
    }

    /// Whether a score is low enough for this as a maximum.
    #[inline]
    fn reaches(self, score: f64) -> bool {
        score < self.score || (!self.exclusive && score == self.score)
    }
}

impl LexBound<'_> {
    /// Whether a member comes too early for this as a minimum.
    #[inline]
    fn is_above(self, member: &[u8]) -> bool {
        match self {
            LexBound::Lowest => false,
            LexBound::Highest => true,
            LexBound::Inclusive(bound) => member < bound,
            LexBound::Exclusive(bound) => member <= bound,
        }
    }

    /// Whether a member comes early enough for this as a maximum.
    #[inline]
    fn reaches(self, member: &[u8]) -> bool {
        match self {
            LexBound::Lowest => false,
            LexBound::Highest => true,
            LexBound::Inclusive(bound) => member <= bound,
            LexBound::Exclusive(bound) => member < bound,
        }
    }
}

impl LexRange<'_> {
    /// Whether the bounds leave nothing between them, whatever the members.
    fn is_empty(&self) -> bool {
        use LexBound::{Exclusive, Highest, Inclusive, Lowest};
        match (self.min, self.max) {
            (Highest, _) | (_, Lowest) => true,
            (Lowest, _) | (_, Highest) => false,
            (Inclusive(min), Inclusive(max)) => min > max,
            (Inclusive(min) | Exclusive(min), Inclusive(max) | Exclusive(max)) => min >= max,
        }
    }
}

impl SortedSet {
    /// The set that a listpack from a file or a peer holds: members in order, each followed by its score. `None` if it
    /// is something else.
    pub fn from_listpack(listpack: Listpack, limits: SortedSetLimits) -> Option<SortedSet> {
        let pairs = Pairs::from_listpack(listpack)?;
        let fits = pairs.len() <= limits.entries;
        let mut set = SortedSet {
            form: Form::Listpack(pairs),
        };
        if !fits {
            set.become_table();
        }
        Some(set)
    }

    /// The listpack, while that is the form; its bytes go into RDB files as they are.
    pub fn listpack(&self) -> Option<&Listpack> {
        match &self.form {
            Form::Listpack(pairs) => Some(pairs.listpack()),
            Form::Table(_) => None,
        }
    }

    pub(crate) fn elements(&self) -> Option<&Elements> {
        match &self.form {
            Form::Table(ordered) => Some(ordered.elements()),
            Form::Listpack(_) => None,
        }
    }

    pub(crate) fn elements_mut(&mut self) -> Option<&mut Elements> {
        match &mut self.form {
            Form::Table(ordered) => Some(ordered.elements_mut()),
            Form::Listpack(_) => None,
        }
    }

    /// How many members.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Listpack(pairs) => pairs.len(),
            Form::Table(ordered) => ordered.len(),
        }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name OBJECT ENCODING gives.
    pub fn encoding(&self) -> &'static str {
        match &self.form {
            Form::Listpack(_) => "listpack",
            Form::Table(_) => "skiplist",
        }
    }

    /// How many allocations freeing this takes, roughly.
    pub fn free_effort(&self) -> usize {
        match &self.form {
            Form::Listpack(_) => 1,
            Form::Table(ordered) => ordered.len(),
        }
    }

    /// Bytes of heap memory that this set holds.
    pub fn memory_bytes(&self) -> usize {
        match &self.form {
            Form::Listpack(pairs) => pairs.listpack().heap_bytes(),
            Form::Table(ordered) => ordered.memory_bytes(),
        }
    }

    /// The score of a member.
    #[inline]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match &self.form {
            Form::Listpack(pairs) => pairs.score(member),
            Form::Table(ordered) => ordered.score(member),
        }
    }

    /// How many members come before this one; `None` if it is not there.
    pub fn rank(&self, member: &[u8], order: Order) -> Option<usize> {
        let rank = match &self.form {
            Form::Listpack(pairs) => pairs.rank(member),
            Form::Table(ordered) => ordered.rank(member),
        }?;
        Some(match order {
            Order::Ascending => rank,
            Order::Descending => self.len() - 1 - rank,
        })
    }

    /// Sets the score of a member to what `decide` says when it hears the current one. The score is not NaN.
    pub fn update(
        &mut self,
        member: &[u8],
        limits: SortedSetLimits,
        decide: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> Update {
        let pairs = match &mut self.form {
            Form::Table(ordered) => return ordered.update(member, decide),
            Form::Listpack(pairs) => pairs,
        };
        let old = pairs.find(member);
        let old_score = old.map(|(_, score)| score);
        let Some(new) = decide(old_score).filter(|new| old_score != Some(*new)) else {
            return Update::Kept(old_score);
        };
        if let Some((at, _)) = old {
            pairs.remove(at);
            pairs.insert(member, new);
            return Update::Changed(new);
        }
        let fits = pairs.len() < limits.entries
            && member.len() <= limits.value
            && pairs.listpack().would_fit(member.len());
        if fits {
            pairs.insert(member, new);
        } else {
            self.become_table().insert(member, new);
        }
        Update::Added(new)
    }

    /// Sets the score of a member, which is not NaN; the score it had.
    pub fn insert(&mut self, member: &[u8], score: f64, limits: SortedSetLimits) -> Option<f64> {
        let mut old = None;
        self.update(member, limits, |score_before| {
            old = score_before;
            Some(score)
        });
        old
    }

    /// Removes a member; the score it had.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match &mut self.form {
            Form::Listpack(pairs) => {
                let (at, score) = pairs.find(member)?;
                pairs.remove(at);
                Some(score)
            }
            Form::Table(ordered) => ordered.remove(member),
        }
    }

    /// Removes the members of these ranks, as many as there are.
    pub fn remove_ranks(&mut self, ranks: Range<usize>) -> usize {
        let before = self.len();
        match &mut self.form {
            Form::Listpack(pairs) => pairs.remove_ranks(ranks),
            Form::Table(ordered) => ordered.remove_ranks(ranks),
        }
        before - self.len()
    }

    /// The ranks of the first `count` members in an order.
    pub fn first_ranks(&self, order: Order, count: usize) -> Range<usize> {
        let len = self.len();
        match order {
            Order::Ascending => 0..count.min(len),
            Order::Descending => len.saturating_sub(count)..len,
        }
    }

    /// The ranks of the members with a score in this range.
    pub fn ranks_by_score(&self, range: &ScoreRange) -> Range<usize> {
        match &self.form {
            Form::Listpack(pairs) => pairs.ranks_by_score(range),
            Form::Table(ordered) => ordered.ranks_by_score(range),
        }
    }

    /// The ranks of the members in this range. Where scores differ there is no right answer; of a listpack it is Redis's,
    /// which depends on the direction in which the range is going to be walked.
    pub fn ranks_by_lex(&self, range: &LexRange<'_>, order: Order) -> Range<usize> {
        if range.is_empty() {
            return 0..0;
        }
        match &self.form {
            Form::Listpack(pairs) => pairs.ranks_by_lex(range, order),
            Form::Table(ordered) => ordered.ranks_by_lex(range),
        }
    }

    /// The members of these ranks, as many as there are; from the highest down if descending.
    pub fn iter_ranks(&self, ranks: Range<usize>, order: Order) -> RankedMembers<'_> {
        let ranks = ranks.start..ranks.end.min(self.len());
        let left = ranks.len();
        if left == 0 {
            return RankedMembers {
                walk: Walk::Pairs(pairs::Walk::default()),
                left,
            };
        }
        let walk = match (&self.form, order) {
            (Form::Listpack(pairs), _) => Walk::Pairs(pairs.walk(ranks, order)),
            (Form::Table(ordered), Order::Ascending) => Walk::Up(ordered.walk_up(ranks.start)),
            (Form::Table(ordered), Order::Descending) => {
                Walk::Down(ordered.walk_down(ranks.end - 1))
            }
        };
        RankedMembers { walk, left }
    }

    /// All members in order.
    pub fn iter(&self) -> RankedMembers<'_> {
        self.iter_ranks(0..self.len(), Order::Ascending)
    }

    /// Shows every member in order.
    pub fn for_each(&self, mut visit: impl FnMut(&[u8], f64)) {
        let mut digits = itoa::Buffer::new();
        for Ranked { member, score } in self.iter() {
            visit(member.as_bytes(&mut digits), score);
        }
    }

    /// One step of ZSCAN: shows about `count` members from `cursor` on and returns the next cursor, 0 at the end. A
    /// listpack is shown whole.
    pub fn scan(&self, cursor: u64, count: usize, visit: impl FnMut(&[u8], f64)) -> u64 {
        match &self.form {
            Form::Listpack(_) => {
                self.for_each(visit);
                0
            }
            Form::Table(ordered) => ordered.scan(cursor, count, visit),
        }
    }

    /// A random member, each with the same chance; `None` if there is none.
    pub fn random(&self, rng: &mut impl FnMut() -> u64) -> Option<Ranked<'_>> {
        let rank = rng().checked_rem(self.len() as u64)? as usize;
        self.iter_ranks(rank..rank + 1, Order::Ascending).next()
    }

    /// The same members in a listpack, if they fit into one, where a score of -0 becomes 0.
    #[must_use]
    pub fn packed(self, limits: SortedSetLimits) -> SortedSet {
        let mut packed = SortedSet::default();
        if self.len() <= limits.entries {
            self.for_each(|member, score| {
                packed.insert(member, score, limits);
            });
        }
        match packed.form {
            Form::Listpack(_) if packed.len() == self.len() => packed,
            _ => self,
        }
    }

    /// Gives up the listpack whatever the limits: SORT does that to what it sorts.
    pub fn leave_listpack(&mut self) {
        self.become_table();
    }

    fn become_table(&mut self) -> &mut Ordered {
        if let Form::Listpack(_) = &self.form {
            let mut ordered = Ordered::default();
            self.for_each(|member, score| ordered.insert(member, score));
            self.form = Form::Table(ordered);
        }
        match &mut self.form {
            Form::Table(ordered) => ordered,
            Form::Listpack(_) => unreachable!("a listpack was replaced above"),
        }
    }
}

/// Members in the order of their walk; see [`SortedSet::iter_ranks`].
#[derive(Clone)]
pub struct RankedMembers<'a> {
    walk: Walk<'a>,
    left: usize,
}

#[derive(Clone)]
enum Walk<'a> {
    Pairs(pairs::Walk<'a>),
    Up(ordered::WalkUp<'a>),
    Down(ordered::WalkDown<'a>),
}

impl<'a> Iterator for RankedMembers<'a> {
    type Item = Ranked<'a>;

    #[inline]
    fn next(&mut self) -> Option<Ranked<'a>> {
        self.left = self.left.checked_sub(1)?;
        match &mut self.walk {
            Walk::Pairs(walk) => walk.next(),
            Walk::Up(walk) => walk.next(),
            Walk::Down(walk) => walk.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for RankedMembers<'_> {}
