//! A big sorted set: a table of elements, member and score in one allocation, and a tree that orders them.
#![allow(
    unsafe_code,
    reason = "the tree points at elements that the table owns, so that each member is in memory once"
)]

use super::{LexRange, Ranked, ScoreRange, Update};
use crate::element::{Element, ElementRef};
use crate::encoding::listpack::Item;
use crate::encoding::score_tree::{self, Member, ScoreTree};
use crate::hash::hash;
use crate::value::elements::Elements;
use std::ops::Range;

/// See the module. Every element of the table is in the tree with its score, and the tree has nothing else: an element
/// leaves the tree before it is freed.
#[derive(Default)]
pub(super) struct Ordered {
    table: Elements,
    tree: ScoreTree<ElementRef>,
    /// Bytes of all elements.
    element_bytes: usize,
}

impl Member for ElementRef {
    #[inline]
    fn bytes(&self) -> &[u8] {
        // SAFETY: handles are in the tree alone, as long as their elements are in the table.
        unsafe { self.key() }
    }
}

#[inline]
fn score_in(element: &Element) -> f64 {
    f64::from_le_bytes(
        element
            .payload()
            .try_into()
            .expect("the payload is a score"),
    )
}

/// The handle that stands for an element in the tree.
#[inline]
fn handle_of(element: &Element) -> ElementRef {
    // SAFETY: the element is in the table (or moves there), and leaves the tree before it leaves the table. Scores all
    // have the same length, so it never moves.
    unsafe { element.handle() }
}

impl Ordered {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.tree.len()
    }

    pub(super) fn elements(&self) -> &Elements {
        &self.table
    }

    /// For a snapshot, which changes no element.
    pub(super) fn elements_mut(&mut self) -> &mut Elements {
        &mut self.table
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.table.memory_bytes() + self.tree.memory_bytes() + self.element_bytes
    }

    #[inline]
    pub(super) fn score(&self, member: &[u8]) -> Option<f64> {
        self.table.find(hash(member), member).map(score_in)
    }

    pub(super) fn rank(&self, member: &[u8]) -> Option<usize> {
        self.tree.rank_of(self.score(member)?, member)
    }

    pub(super) fn update(
        &mut self,
        member: &[u8],
        decide: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> Update {
        let hash = hash(member);
        let Some(element) = self.table.get_mut(hash, member) else {
            let Some(new) = decide(None) else {
                return Update::Kept(None);
            };
            self.insert_new(hash, member, new);
            return Update::Added(new);
        };
        let old = score_in(element);
        let Some(new) = decide(Some(old)).filter(|new| *new != old) else {
            return Update::Kept(Some(old));
        };
        element.set_payload(&new.to_le_bytes());
        let moved = self.tree.update_score(old, new, handle_of(element));
        debug_assert!(moved, "every element is in the tree");
        Update::Changed(new)
    }

    /// Adds a member; nothing if it is there already.
    pub(super) fn insert(&mut self, member: &[u8], score: f64) {
        self.update(member, |old| old.is_none().then_some(score));
    }

    fn insert_new(&mut self, hash: u64, member: &[u8], score: f64) {
        let element = Element::new(member, &score.to_le_bytes());
        self.element_bytes += element.allocated_bytes();
        self.tree.insert(score, handle_of(&element));
        self.table.insert_unique(hash, element);
    }

    pub(super) fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let hash = hash(member);
        let element = self.table.find(hash, member)?;
        let score = score_in(element);
        let removed = self.tree.remove(score, handle_of(element));
        debug_assert!(removed, "every element is in the tree");
        self.element_bytes -= element.allocated_bytes();
        self.table.remove(hash, member);
        Some(score)
    }

    pub(super) fn remove_ranks(&mut self, ranks: Range<usize>) {
        let Ordered {
            table,
            tree,
            element_bytes,
        } = self;
        // The tree does not read a member that it has handed over.
        tree.remove_rank_range(ranks.start, ranks.end, |_, handle| {
            let removed = table.remove(hash(handle.bytes()), handle.bytes());
            *element_bytes -= removed
                .expect("what is in the tree is in the table")
                .allocated_bytes();
        });
    }

    pub(super) fn ranks_by_score(&self, range: &ScoreRange) -> Range<usize> {
        let start = self
            .tree
            .partition_point(|score, _| range.min.is_above(score));
        let end = self
            .tree
            .partition_point(|score, _| range.max.reaches(score));
        start.min(end)..end
    }

    pub(super) fn ranks_by_lex(&self, range: &LexRange<'_>) -> Range<usize> {
        // Where scores differ Redis finds nothing unless the outermost members allow it.
        let reaches = |pair: Option<(f64, ElementRef)>| {
            pair.is_some_and(|(_, member)| range.max.reaches(member.bytes()))
        };
        let is_above = |pair: Option<(f64, ElementRef)>| {
            pair.is_none_or(|(_, member)| range.min.is_above(member.bytes()))
        };
        if !reaches(self.tree.first()) || is_above(self.tree.last()) {
            return 0..0;
        }
        let start = self
            .tree
            .partition_point(|_, member| range.min.is_above(member.bytes()));
        let end = self
            .tree
            .partition_point(|_, member| range.max.reaches(member.bytes()));
        start.min(end)..end
    }

    pub(super) fn walk_up(&self, rank: usize) -> WalkUp<'_> {
        WalkUp(self.tree.iter_from_rank(rank))
    }

    pub(super) fn walk_down(&self, rank: usize) -> WalkDown<'_> {
        WalkDown(self.tree.iter_rev_from_rank(rank))
    }

    pub(super) fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(&[u8], f64)) -> u64 {
        self.table.scan(cursor, count, |element| {
            visit(element.key(), score_in(element));
        })
    }
}

impl Clone for Ordered {
    fn clone(&self) -> Ordered {
        let mut copy = Ordered::default();
        for (score, handle) in self.tree.iter_from_rank(0) {
            copy.insert_new(hash(handle.bytes()), handle.bytes(), score);
        }
        copy
    }
}

/// Members from a rank on.
#[derive(Clone)]
pub(super) struct WalkUp<'a>(score_tree::Iter<'a, ElementRef>);

/// Members from a rank down.
#[derive(Clone)]
pub(super) struct WalkDown<'a>(score_tree::RevIter<'a, ElementRef>);

impl<'a> WalkUp<'a> {
    #[inline]
    pub(super) fn next(&mut self) -> Option<Ranked<'a>> {
        let (score, handle) = self.0.next()?;
        // SAFETY: the walk borrows the set for 'a, so its elements stay.
        Some(unsafe { ranked(score, handle) })
    }
}

impl<'a> WalkDown<'a> {
    #[inline]
    pub(super) fn next(&mut self) -> Option<Ranked<'a>> {
        let (score, handle) = self.0.next()?;
        // SAFETY: the walk borrows the set for 'a, so its elements stay.
        Some(unsafe { ranked(score, handle) })
    }
}

/// # Safety
/// The element outlives `'a`.
#[inline]
unsafe fn ranked<'a>(score: f64, handle: ElementRef) -> Ranked<'a> {
    Ranked {
        // SAFETY: the caller answers for the lifetime.
        member: Item::Str(unsafe { handle.key() }),
        score,
    }
}
