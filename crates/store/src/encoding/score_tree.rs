//! The order of a big sorted set: a B+tree of (score, member) that knows how many entries lie below
//! each node, so ranks, ranges by rank, score or member, and their bounds are one descent each.
//!
//! Members are owned by the set's hash table; the tree holds copies of thin pointers to them. It
//! never reads a member that was removed, so the owner may free one as soon as it is out of the
//! tree.
//!
//! ```text
//! inner nodes   [ first entry, count, child | first entry, count, child | ... ]
//! leaves        [ entry entry ... ] <-> [ entry entry ... ] <-> ...
//! ```
//!
//! Nodes live in two arenas and name each other by index; each holds one block of [`NODE_BYTES`].
//! Splits at either end of the order leave the old node full, so sets that grow by time or counter
//! stay dense.

use std::cmp::Ordering;

/// Memory block of a node's entries: a size class of the allocator.
const NODE_BYTES: usize = 1024;

/// More levels than any tree gets: neighbours share more children than fit one node at three
/// quarters, and entries count in 32 bits.
const MAX_HEIGHT: usize = 16;

/// No leaf: the end of the chain of leaves.
const NONE: u32 = u32::MAX;

/// What a sorted set orders besides scores: a copyable handle of a member's bytes, usually a thin
/// pointer.
pub trait Member: Copy + Eq {
    /// The member as clients see it; ties between scores are broken by the order of these bytes.
    fn bytes(&self) -> &[u8];
}

/// Members ordered by score, then by bytes. Scores are never NaN, and `-0.0` equals `0.0`.
/// No member is in it twice: the owner's hash table sees to that.
#[derive(Debug)]
pub struct ScoreTree<M> {
    leaves: Arena<Leaf<M>>,
    inners: Arena<Vec<Child<M>>>,
    root: u32,
    /// Levels of inner nodes: 0 when the root is a leaf.
    height: usize,
    first_leaf: u32,
    last_leaf: u32,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry<M> {
    score: f64,
    member: M,
}

#[derive(Debug)]
struct Leaf<M> {
    entries: Vec<Entry<M>>,
    prev: u32,
    next: u32,
}

/// A subtree: its least entry, its index (among leaves on the lowest level) and how many entries it
/// has.
#[derive(Clone, Copy, Debug)]
struct Child<M> {
    first: Entry<M>,
    node: u32,
    count: u32,
}

/// The inner nodes from the root to a leaf, each with the position of the child taken.
struct Path {
    steps: [(u32, u32); MAX_HEIGHT],
    height: usize,
}

/// A place in a leaf: before the entry at `at`, with `rank` entries before it in the tree.
struct Place {
    path: Path,
    leaf: u32,
    at: usize,
    rank: usize,
}

/// Where a node overflows; at the ends of the order splitting in halves would leave half-empty
/// nodes.
#[derive(Clone, Copy)]
enum Growth {
    AtFront,
    Inside,
    AtBack,
}

impl<M: Member> Default for ScoreTree<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Member> ScoreTree<M> {
    const LEAF_CAPACITY: usize = NODE_BYTES / size_of::<Entry<M>>();
    const INNER_CAPACITY: usize = NODE_BYTES / size_of::<Child<M>>();

    /// An empty tree.
    pub fn new() -> Self {
        let mut leaves = Arena::new();
        let root = leaves.add(Leaf {
            entries: Vec::with_capacity(Self::LEAF_CAPACITY),
            prev: NONE,
            next: NONE,
        });
        Self {
            leaves,
            inners: Arena::new(),
            root,
            height: 0,
            first_leaf: root,
            last_leaf: root,
            len: 0,
        }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of heap memory the tree holds, without the members.
    pub fn memory_bytes(&self) -> usize {
        let leaf = Self::LEAF_CAPACITY * size_of::<Entry<M>>();
        let inner = Self::INNER_CAPACITY * size_of::<Child<M>>();
        self.leaves.memory_bytes()
            + self.inners.memory_bytes()
            + self.leaves.live() * leaf
            + self.inners.live() * inner
    }

    /// The member with the lowest rank.
    pub fn first(&self) -> Option<(f64, M)> {
        self.leaves[self.first_leaf]
            .entries
            .first()
            .map(Entry::pair)
    }

    /// The member with the highest rank.
    pub fn last(&self) -> Option<(f64, M)> {
        self.leaves[self.last_leaf].entries.last().map(Entry::pair)
    }

    /// The member that has this many before it.
    pub fn by_rank(&self, rank: usize) -> Option<(f64, M)> {
        let place = self.place_of_rank(rank)?;
        Some(self.leaves[place.leaf].entries[place.at].pair())
    }

    /// How many members are before this one, if it is there with this score.
    pub fn rank_of(&self, score: f64, bytes: &[u8]) -> Option<usize> {
        self.find(|entry| entry.order(score, bytes))
            .map(|place| place.rank)
    }

    /// How many members come first by a predicate that holds for those and for none behind them.
    pub fn partition_point(&self, mut is_before: impl FnMut(f64, M) -> bool) -> usize {
        self.place_behind(|entry| is_before(entry.score, entry.member))
            .rank
    }

    /// The rank of the first member with at least this score, or more than it if `exclusive`.
    pub fn rank_lower_bound(&self, score: f64, exclusive: bool) -> usize {
        self.partition_point(|other, _| other < score || (exclusive && other == score))
    }

    /// The rank of the first member whose bytes are at least these, or behind them if `exclusive`.
    /// Meaningful when all scores are equal.
    pub fn rank_lower_bound_lex(&self, bytes: &[u8], exclusive: bool) -> usize {
        self.partition_point(|_, member| match member.bytes().cmp(bytes) {
            Ordering::Less => true,
            Ordering::Equal => exclusive,
            Ordering::Greater => false,
        })
    }

    /// Members in order, from this rank on.
    pub fn iter_from_rank(&self, rank: usize) -> Iter<'_, M> {
        let (leaf, at) = self
            .place_of_rank(rank)
            .map_or((NONE, 0), |place| (place.leaf, place.at));
        Iter {
            tree: self,
            leaf,
            at,
        }
    }

    /// Members in reverse order, from this rank down.
    pub fn iter_rev_from_rank(&self, rank: usize) -> RevIter<'_, M> {
        let (leaf, end) = self
            .place_of_rank(rank)
            .map_or((NONE, 0), |place| (place.leaf, place.at + 1));
        RevIter {
            tree: self,
            leaf,
            end,
        }
    }

    /// Adds a member that is not there yet.
    pub fn insert(&mut self, score: f64, member: M) {
        assert!(self.len < u32::MAX as usize, "counts have 32 bits");
        let place = self.place_behind(|other| other.order(score, member.bytes()).is_lt());
        self.insert_at(&place, Entry { score, member });
    }

    /// Removes a member; whether it was there with this score.
    pub fn remove(&mut self, score: f64, member: M) -> bool {
        let found = self.find_member(score, member);
        if let Some(place) = &found {
            self.remove_at(place, 1, |_, _| {});
        }
        found.is_some()
    }

    /// Moves a member from its old score to a new one; whether it was there with the old one.
    pub fn update_score(&mut self, old: f64, new: f64, member: M) -> bool {
        let Some(place) = self.find_member(old, member) else {
            return false;
        };
        let entries = &mut self.leaves[place.leaf].entries;
        let at = place.at;
        // A small step keeps its neighbours, and then nothing has to move.
        let stays = (1..entries.len() - 1).contains(&at)
            && entries[at - 1].order(new, member.bytes()).is_lt()
            && entries[at + 1].order(new, member.bytes()).is_gt();
        if stays {
            entries[at].score = new;
        } else {
            self.remove_at(&place, 1, |_, _| {});
            self.insert(new, member);
        }
        true
    }

    /// Removes the members of these ranks and hands them over in order.
    pub fn remove_rank_range(&mut self, start: usize, end: usize, mut removed: impl FnMut(f64, M)) {
        let mut left = end.min(self.len).saturating_sub(start);
        while left > 0 {
            let place = self
                .place_of_rank(start)
                .expect("what is left to remove is there");
            let count = left.min(self.leaves[place.leaf].entries.len() - place.at);
            self.remove_at(&place, count, &mut removed);
            left -= count;
        }
    }

    /// Removes the member of the lowest rank.
    pub fn pop_first(&mut self) -> Option<(f64, M)> {
        let first = self.first()?;
        self.remove_rank_range(0, 1, |_, _| {});
        Some(first)
    }

    /// Removes the member of the highest rank.
    pub fn pop_last(&mut self) -> Option<(f64, M)> {
        let last = self.last()?;
        self.remove_rank_range(self.len - 1, self.len, |_, _| {});
        Some(last)
    }

    fn find_member(&self, score: f64, member: M) -> Option<Place> {
        self.find(|entry| {
            // The same handle needs no look at the bytes.
            if entry.score == score && entry.member == member {
                Ordering::Equal
            } else {
                entry.order(score, member.bytes())
            }
        })
    }

    /// The place of the entry that compares as equal.
    fn find(&self, mut compare: impl FnMut(&Entry<M>) -> Ordering) -> Option<Place> {
        let mut place = self.place_behind(|entry| compare(entry).is_le());
        place.at = place.at.checked_sub(1)?;
        place.rank -= 1;
        compare(&self.leaves[place.leaf].entries[place.at])
            .is_eq()
            .then_some(place)
    }

    /// The place behind the entries for which a monotone predicate holds.
    /// It is in the leaf of the last of them, or else at the very front.
    fn place_behind(&self, mut is_before: impl FnMut(&Entry<M>) -> bool) -> Place {
        let mut path = Path::new();
        let (mut node, mut rank) = (self.root, 0);
        for _ in 0..self.height {
            let children = &self.inners[node];
            let at = children[1..].partition_point(|child| is_before(&child.first));
            rank += children[..at]
                .iter()
                .map(|child| child.count as usize)
                .sum::<usize>();
            path.push(node, at);
            node = children[at].node;
        }
        let at = self.leaves[node]
            .entries
            .partition_point(|entry| is_before(entry));
        Place {
            path,
            leaf: node,
            at,
            rank: rank + at,
        }
    }

    fn place_of_rank(&self, rank: usize) -> Option<Place> {
        if rank >= self.len {
            return None;
        }
        let mut path = Path::new();
        let (mut node, mut at) = (self.root, rank);
        for _ in 0..self.height {
            let children = &self.inners[node];
            let mut position = 0;
            while at >= children[position].count as usize {
                at -= children[position].count as usize;
                position += 1;
            }
            path.push(node, position);
            node = children[position].node;
        }
        Some(Place {
            path,
            leaf: node,
            at,
            rank,
        })
    }

    fn insert_at(&mut self, place: &Place, entry: Entry<M>) {
        self.len += 1;
        for &(inner, position) in place.path.steps() {
            let child = &mut self.inners[inner][position as usize];
            child.count += 1;
            if place.rank == 0 {
                child.first = entry;
            }
        }
        let leaf = &mut self.leaves[place.leaf];
        let growth = match () {
            () if place.rank + 1 == self.len => Growth::AtBack,
            () if place.rank == 0 => Growth::AtFront,
            () => Growth::Inside,
        };
        let split = insert_or_split(
            &mut leaf.entries,
            place.at,
            entry,
            growth,
            Self::LEAF_CAPACITY,
        );
        let Some(entries) = split else { return };
        let (first, count) = (entries[0], entries.len() as u32);
        let next = leaf.next;
        let node = self.leaves.add(Leaf {
            entries,
            prev: place.leaf,
            next,
        });
        self.link(place.leaf, node);
        self.link(node, next);
        self.insert_child(&place.path, Child { first, node, count }, growth);
    }

    /// Enters a node split off the right of the node the path leads to.
    fn insert_child(&mut self, path: &Path, mut split_off: Child<M>, growth: Growth) {
        for &(inner, position) in path.steps().iter().rev() {
            let children = &mut self.inners[inner];
            let position = position as usize;
            children[position].count -= split_off.count;
            let split = insert_or_split(
                children,
                position + 1,
                split_off,
                growth,
                Self::INNER_CAPACITY,
            );
            let Some(split) = split else { return };
            split_off = self.child_of(split);
        }
        let mut children = Vec::with_capacity(Self::INNER_CAPACITY);
        let first = match self.height {
            0 => self.leaves[self.root].entries[0],
            _ => self.inners[self.root][0].first,
        };
        let count = self.len as u32 - split_off.count;
        children.extend([
            Child {
                first,
                node: self.root,
                count,
            },
            split_off,
        ]);
        self.root = self.inners.add(children);
        self.height += 1;
    }

    fn child_of(&mut self, children: Vec<Child<M>>) -> Child<M> {
        let first = children[0].first;
        let count = children.iter().map(|child| child.count).sum();
        Child {
            first,
            node: self.inners.add(children),
            count,
        }
    }

    /// Removes entries of one leaf, and what that leaves thin.
    fn remove_at(&mut self, place: &Place, count: usize, mut removed: impl FnMut(f64, M)) {
        self.len -= count;
        let Place {
            ref path, leaf, at, ..
        } = *place;
        for entry in self.leaves[leaf].entries.drain(at..at + count) {
            removed(entry.score, entry.member);
        }
        for &(inner, position) in path.steps() {
            self.inners[inner][position as usize].count -= count as u32;
        }
        if self.len == 0 {
            *self = Self::new();
            return;
        }
        for level in (0..path.height).rev() {
            let (parent, position) = path.steps[level];
            if level + 1 == path.height {
                self.tidy_leaf(parent, position as usize);
            } else {
                self.tidy_inner(parent, position as usize);
            }
        }
        while self.height > 0 && self.inners[self.root].len() == 1 {
            let only = self.inners[self.root][0].node;
            self.inners.remove(self.root);
            self.root = only;
            self.height -= 1;
        }
    }

    /// After entries left a leaf: drops it if empty, merges it with a thin neighbour.
    fn tidy_leaf(&mut self, parent: u32, position: usize) {
        let children = &mut self.inners[parent];
        let entries = &self.leaves[children[position].node].entries;
        match entries.first() {
            None => self.drop_leaf(parent, position),
            Some(&first) => {
                children[position].first = first;
                let pair = thin_pair(children, position, Self::LEAF_CAPACITY, |child| {
                    child.count as usize
                });
                if let Some(left) = pair {
                    let [into, from] = [children[left].node, children[left + 1].node];
                    children[left].count += children[left + 1].count;
                    let mut entries = std::mem::take(&mut self.leaves[from].entries);
                    self.leaves[into].entries.append(&mut entries);
                    self.drop_leaf(parent, left + 1);
                }
            }
        }
    }

    /// After children left an inner node: the same as for leaves.
    fn tidy_inner(&mut self, parent: u32, position: usize) {
        let child = self.inners[parent][position].node;
        let Some(&Child { first, .. }) = self.inners[child].first() else {
            self.inners[parent].remove(position);
            self.inners.remove(child);
            return;
        };
        self.inners[parent][position].first = first;
        let pair = thin_pair(
            &self.inners[parent],
            position,
            Self::INNER_CAPACITY,
            |child| self.inners[child.node].len(),
        );
        if let Some(left) = pair {
            let from = self.inners[parent].remove(left + 1);
            let into = &mut self.inners[parent][left];
            into.count += from.count;
            let into = into.node;
            let mut moved = self.inners.remove(from.node);
            self.inners[into].append(&mut moved);
        }
    }

    fn drop_leaf(&mut self, parent: u32, position: usize) {
        let dropped = self.inners[parent].remove(position).node;
        let Leaf { prev, next, .. } = self.leaves.remove(dropped);
        self.link(prev, next);
    }

    /// Makes two leaves neighbours; [`NONE`] stands for the end on its side.
    fn link(&mut self, left: u32, right: u32) {
        match left {
            NONE => self.first_leaf = right,
            _ => self.leaves[left].next = right,
        }
        match right {
            NONE => self.last_leaf = left,
            _ => self.leaves[right].prev = left,
        }
    }
}

/// Inserts into a node's block, or splits the block and returns its right part.
fn insert_or_split<T>(
    block: &mut Vec<T>,
    at: usize,
    item: T,
    growth: Growth,
    capacity: usize,
) -> Option<Vec<T>> {
    if block.len() < capacity {
        block.insert(at, item);
        return None;
    }
    let middle = match growth {
        Growth::AtFront | Growth::AtBack => at,
        Growth::Inside => capacity / 2,
    };
    let mut right = Vec::with_capacity(capacity);
    right.extend(block.drain(middle..));
    // An entry at the front starts the left block, one at the back the right block.
    if at < middle || (at == middle && !matches!(growth, Growth::AtBack)) {
        block.insert(at, item);
    } else {
        right.insert(at - middle, item);
    }
    Some(right)
}

/// If the child at `position` and a neighbour fit into one node with room to grow, the position of
/// the left one of the two.
fn thin_pair<M>(
    children: &[Child<M>],
    position: usize,
    capacity: usize,
    size: impl Fn(&Child<M>) -> usize,
) -> Option<usize> {
    let fits = |left: &usize| {
        children
            .get(*left..left + 2)
            .is_some_and(|pair| size(&pair[0]) + size(&pair[1]) <= capacity * 3 / 4)
    };
    position
        .checked_sub(1)
        .filter(fits)
        .or(Some(position).filter(fits))
}

impl<M: Member> Entry<M> {
    fn order(&self, score: f64, bytes: &[u8]) -> Ordering {
        match self.score.partial_cmp(&score) {
            Some(Ordering::Equal) | None => self.member.bytes().cmp(bytes),
            Some(different) => different,
        }
    }

    fn pair(&self) -> (f64, M) {
        (self.score, self.member)
    }
}

impl Path {
    fn new() -> Self {
        Self {
            steps: [(NONE, 0); MAX_HEIGHT],
            height: 0,
        }
    }

    fn push(&mut self, inner: u32, position: usize) {
        self.steps[self.height] = (inner, position as u32);
        self.height += 1;
    }

    fn steps(&self) -> &[(u32, u32)] {
        &self.steps[..self.height]
    }
}

/// Members from one place on, in order.
#[derive(Clone, Debug)]
pub struct Iter<'a, M> {
    tree: &'a ScoreTree<M>,
    leaf: u32,
    at: usize,
}

impl<M: Member> Iterator for Iter<'_, M> {
    type Item = (f64, M);

    fn next(&mut self) -> Option<Self::Item> {
        if self.leaf == NONE {
            return None;
        }
        let leaf = &self.tree.leaves[self.leaf];
        let item = leaf.entries[self.at].pair();
        self.at += 1;
        if self.at == leaf.entries.len() {
            (self.leaf, self.at) = (leaf.next, 0);
        }
        Some(item)
    }
}

/// Members from one place down, in reverse order.
#[derive(Clone, Debug)]
pub struct RevIter<'a, M> {
    tree: &'a ScoreTree<M>,
    leaf: u32,
    /// Behind the next entry to return: never 0 while there is a leaf.
    end: usize,
}

impl<M: Member> Iterator for RevIter<'_, M> {
    type Item = (f64, M);

    fn next(&mut self) -> Option<Self::Item> {
        if self.leaf == NONE {
            return None;
        }
        let leaf = &self.tree.leaves[self.leaf];
        self.end -= 1;
        let item = leaf.entries[self.end].pair();
        if self.end == 0 {
            self.leaf = leaf.prev;
            self.end = match self.leaf {
                NONE => 0,
                prev => self.tree.leaves[prev].entries.len(),
            };
        }
        Some(item)
    }
}

/// Nodes by index, with the indices of removed ones used again.
#[derive(Debug)]
struct Arena<T> {
    slots: Vec<T>,
    free: Vec<u32>,
}

impl<T: Default> Arena<T> {
    fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    fn add(&mut self, node: T) -> u32 {
        if let Some(index) = self.free.pop() {
            self[index] = node;
            return index;
        }
        self.slots.push(node);
        (self.slots.len() - 1) as u32
    }

    fn remove(&mut self, index: u32) -> T {
        self.free.push(index);
        std::mem::take(&mut self[index])
    }

    fn live(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<T>() + self.free.capacity() * size_of::<u32>()
    }
}

impl<T> std::ops::Index<u32> for Arena<T> {
    type Output = T;

    fn index(&self, index: u32) -> &T {
        &self.slots[index as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Arena<T> {
    fn index_mut(&mut self, index: u32) -> &mut T {
        &mut self.slots[index as usize]
    }
}

impl<M> Default for Leaf<M> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            prev: NONE,
            next: NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A member so wide that a leaf holds 7 entries and an inner node 6 children: trees grow high
    /// fast.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    struct Wide([u8; 128]);

    impl Member for Wide {
        fn bytes(&self) -> &[u8] {
            &self.0[..2]
        }
    }

    impl Member for &'static str {
        fn bytes(&self) -> &[u8] {
            self.as_bytes()
        }
    }

    fn wide(number: u16) -> Wide {
        let mut bytes = [0; 128];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        Wide(bytes)
    }

    fn number(member: Wide) -> u16 {
        u16::from_be_bytes([member.0[0], member.0[1]])
    }

    /// The same set as (score, number) pairs, scores being small integers.
    type Model = BTreeSet<(i32, u16)>;

    fn pairs(members: impl Iterator<Item = (f64, Wide)>) -> Vec<(i32, u16)> {
        members
            .map(|(score, member)| (score as i32, number(member)))
            .collect()
    }

    impl<M: Member + std::fmt::Debug> ScoreTree<M> {
        /// Counts, first entries, links and fill of all nodes are as the descent relies on.
        fn assert_sound(&self) {
            let (count, leaves) = self.assert_subtree(self.root, self.height);
            assert_eq!(count, self.len);
            let mut chained = vec![self.first_leaf];
            while self.leaves[chained[chained.len() - 1]].next != NONE {
                let last = chained[chained.len() - 1];
                let next = self.leaves[last].next;
                assert_eq!(self.leaves[next].prev, last);
                chained.push(next);
            }
            assert_eq!(self.leaves[self.first_leaf].prev, NONE);
            assert_eq!(chained.last(), Some(&self.last_leaf));
            assert_eq!(chained, leaves);
            assert_eq!(leaves.len(), self.leaves.live());
        }

        fn assert_subtree(&self, node: u32, height: usize) -> (usize, Vec<u32>) {
            if height == 0 {
                let entries = &self.leaves[node].entries;
                assert_eq!(entries.capacity(), Self::LEAF_CAPACITY);
                assert!(!entries.is_empty() || self.len == 0);
                return (entries.len(), vec![node]);
            }
            let children = &self.inners[node];
            assert_eq!(children.capacity(), Self::INNER_CAPACITY);
            assert!(children.len() > usize::from(node == self.root));
            let (mut total, mut leaves) = (0, Vec::new());
            for child in children {
                let (count, mut below) = self.assert_subtree(child.node, height - 1);
                assert_eq!(count, child.count as usize);
                let first = self.leaves[below[0]].entries[0];
                assert!(first.member == child.first.member && first.score == child.first.score);
                total += count;
                leaves.append(&mut below);
            }
            (total, leaves)
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Add(i32, u16),
        Remove(usize),
        Move(usize, i32),
        RemoveRange(usize, usize),
        PopFirst,
        PopLast,
        /// Scores that only grow or only fall, as of a log.
        Run(i32, u8, bool),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            8 => (-20..20, 0..2000u16).prop_map(|(score, member)| Step::Add(score, member)),
            6 => any::<usize>().prop_map(Step::Remove),
            4 => (any::<usize>(), -20..20).prop_map(|(at, score)| Step::Move(at, score)),
            1 => (any::<usize>(), 0..60usize).prop_map(|(at, n)| Step::RemoveRange(at, n)),
            1 => Just(Step::PopFirst),
            1 => Just(Step::PopLast),
            2 => (-30..30, 1..120u8, any::<bool>()).prop_map(|(from, n, up)| Step::Run(from, n, up)),
        ];
        prop::collection::vec(step, 1..150)
    }

    fn nth(model: &Model, at: usize) -> Option<(i32, u16)> {
        (!model.is_empty()).then(|| *model.iter().nth(at % model.len()).expect("in range"))
    }

    fn apply(step: Step, tree: &mut ScoreTree<Wide>, model: &mut Model) {
        let absent = |model: &Model, member: u16| model.iter().all(|&(_, other)| other != member);
        match step {
            Step::Add(score, member) => {
                if absent(model, member) {
                    tree.insert(score.into(), wide(member));
                    model.insert((score, member));
                }
            }
            Step::Run(from, count, up) => {
                for i in 0..i32::from(count) {
                    let score = if up { from + i } else { from - i };
                    let member = 3000 + (score + 1000) as u16;
                    if absent(model, member) {
                        tree.insert(score.into(), wide(member));
                        model.insert((score, member));
                    }
                }
            }
            Step::Remove(at) => {
                let Some((score, member)) = nth(model, at) else {
                    return;
                };
                assert!(!tree.remove(f64::from(score) + 0.5, wide(member)));
                assert!(tree.remove(score.into(), wide(member)));
                assert!(!tree.remove(score.into(), wide(member)));
                model.remove(&(score, member));
            }
            Step::Move(at, new) => {
                let Some((score, member)) = nth(model, at) else {
                    return;
                };
                assert!(!tree.update_score(f64::from(score) + 0.5, 0.0, wide(member)));
                assert!(tree.update_score(score.into(), new.into(), wide(member)));
                model.remove(&(score, member));
                model.insert((new, member));
            }
            Step::RemoveRange(at, count) => {
                let start = at % (model.len() + 1);
                let mut removed = Vec::new();
                tree.remove_rank_range(start, start + count, |score, member| {
                    removed.push((score as i32, number(member)));
                });
                let expected: Vec<_> = model.iter().copied().skip(start).take(count).collect();
                model.retain(|pair| !expected.contains(pair));
                assert_eq!(removed, expected);
            }
            Step::PopFirst => {
                assert_eq!(pairs(tree.pop_first().into_iter()).pop(), model.pop_first());
            }
            Step::PopLast => {
                assert_eq!(pairs(tree.pop_last().into_iter()).pop(), model.pop_last());
            }
        }
    }

    fn assert_same(tree: &ScoreTree<Wide>, model: &Model) {
        let all: Vec<_> = model.iter().copied().collect();
        assert_eq!(tree.len(), all.len());
        assert_eq!(pairs(tree.iter_from_rank(0)), all);
        assert_eq!(pairs(tree.first().into_iter()).first(), all.first());
        assert_eq!(pairs(tree.last().into_iter()).first(), all.last());
        for (rank, &(score, member)) in all.iter().enumerate() {
            assert_eq!(pairs(tree.by_rank(rank).into_iter()), [(score, member)]);
            assert_eq!(tree.rank_of(score.into(), wide(member).bytes()), Some(rank));
            assert_eq!(
                tree.rank_of(f64::from(score) + 0.5, wide(member).bytes()),
                None
            );
        }
        for rank in [0, 1, all.len() / 2, all.len().saturating_sub(1), all.len()] {
            assert_eq!(
                pairs(tree.iter_from_rank(rank)),
                all.get(rank..).unwrap_or(&[])
            );
            let mut down: Vec<_> = all.get(..=rank).unwrap_or(&[]).to_vec();
            down.reverse();
            assert_eq!(pairs(tree.iter_rev_from_rank(rank)), down);
        }
        for bound in -32..32 {
            let below = all.partition_point(|&(score, _)| score < bound);
            let through = all.partition_point(|&(score, _)| score <= bound);
            assert_eq!(tree.rank_lower_bound(bound.into(), false), below);
            assert_eq!(tree.rank_lower_bound(bound.into(), true), through);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_orders_as_a_set_of_pairs_whatever_happens(steps in steps()) {
            let (mut tree, mut model) = (ScoreTree::new(), Model::new());
            for step in steps {
                apply(step, &mut tree, &mut model);
                tree.assert_sound();
            }
            assert_same(&tree, &model);
        }
    }

    #[test]
    fn equal_scores_are_ordered_by_bytes_and_searched_by_them() {
        let mut tree = ScoreTree::new();
        for member in ["b", "", "c", "ab", "a"] {
            tree.insert(0.0, member);
        }
        let members: Vec<_> = tree.iter_from_rank(0).map(|(_, member)| member).collect();
        assert_eq!(members, ["", "a", "ab", "b", "c"]);
        assert_eq!(tree.rank_lower_bound_lex(b"ab", false), 2);
        assert_eq!(tree.rank_lower_bound_lex(b"ab", true), 3);
        assert_eq!(tree.rank_lower_bound_lex(b"aa", true), 2);
        assert_eq!(tree.rank_lower_bound_lex(b"", false), 0);
        assert_eq!(tree.rank_lower_bound_lex(b"zz", false), 5);
        assert_eq!(
            tree.rank_of(-0.0, b"c"),
            Some(4),
            "a zero's sign makes no difference"
        );
    }

    #[test]
    fn infinities_are_the_outermost_scores() {
        let mut tree = ScoreTree::new();
        tree.insert(f64::INFINITY, "top");
        tree.insert(f64::MAX, "high");
        tree.insert(f64::NEG_INFINITY, "bottom");
        assert_eq!(tree.first(), Some((f64::NEG_INFINITY, "bottom")));
        assert_eq!(tree.rank_lower_bound(f64::NEG_INFINITY, true), 1);
        assert_eq!(tree.rank_lower_bound(f64::INFINITY, false), 2);
        assert_eq!(tree.rank_lower_bound(f64::INFINITY, true), 3);
    }

    #[test]
    fn growing_at_either_end_fills_the_nodes() {
        let filled = |scores: &mut dyn Iterator<Item = i32>| {
            let mut tree = ScoreTree::new();
            scores.for_each(|score| tree.insert(score.into(), wide(score as u16)));
            tree.assert_sound();
            tree.leaves.live()
        };
        let full = 2000usize.div_ceil(ScoreTree::<Wide>::LEAF_CAPACITY);
        assert_eq!(filled(&mut (0..2000)), full);
        assert_eq!(filled(&mut (0..2000).rev()), full);
    }

    #[test]
    fn removing_most_members_gives_most_memory_back() {
        let mut tree = ScoreTree::new();
        let empty = tree.memory_bytes();
        (0..5000).for_each(|i| tree.insert(f64::from(i * 7919 % 5000), wide(i as u16)));
        let full = tree.memory_bytes();
        assert!(full > 5000 * size_of::<Entry<Wide>>());
        let members: Vec<_> = tree.iter_from_rank(0).collect();
        for (rank, &(score, member)) in members.iter().enumerate() {
            if rank % 16 != 0 {
                assert!(tree.remove(score, member));
            }
        }
        tree.assert_sound();
        assert!(
            tree.memory_bytes() < full / 4,
            "{} of {full}",
            tree.memory_bytes()
        );
        tree.remove_rank_range(0, usize::MAX, |_, _| {});
        assert_eq!(tree.memory_bytes(), empty);
    }

    #[test]
    fn an_empty_tree_has_no_ranks() {
        let mut tree = ScoreTree::<&str>::new();
        assert!(tree.is_empty());
        assert_eq!(tree.first(), None);
        assert_eq!(tree.pop_last(), None);
        assert_eq!(tree.by_rank(0), None);
        assert_eq!(tree.rank_of(1.0, b"a"), None);
        assert_eq!(tree.rank_lower_bound(0.0, false), 0);
        assert_eq!(
            tree.iter_from_rank(0)
                .chain(tree.iter_rev_from_rank(0))
                .count(),
            0
        );
        assert!(!tree.update_score(1.0, 2.0, "a"));
    }

    /// A member that must not be read once its flag is down, as if its memory were freed.
    #[derive(Clone, Copy)]
    struct Freeable<'a>(&'a std::cell::Cell<bool>, [u8; 2]);

    impl PartialEq for Freeable<'_> {
        fn eq(&self, other: &Self) -> bool {
            std::ptr::eq(self.0, other.0)
        }
    }

    impl Eq for Freeable<'_> {}

    impl Member for Freeable<'_> {
        fn bytes(&self) -> &[u8] {
            assert!(self.0.get(), "read after it was removed");
            &self.1
        }
    }

    #[test]
    fn members_are_not_read_after_they_left() {
        let alive = vec![std::cell::Cell::new(true); 4000];
        let member = |number: u16| Freeable(&alive[usize::from(number)], number.to_be_bytes());
        let mut tree = ScoreTree::new();
        (0..4000).for_each(|number| tree.insert(f64::from(number % 7), member(number)));
        let free = |freed: Freeable<'_>| freed.0.set(false);
        for start in [0, 1500, 100, 0, 900] {
            tree.remove_rank_range(start, start + 400, |_, member| free(member));
            let (score, first) = tree.by_rank(start).expect("more are left");
            assert!(tree.remove(score, first));
            free(first);
            free(tree.pop_first().expect("more are left").1);
            free(tree.pop_last().expect("more are left").1);
            for (score, member) in tree.iter_from_rank(0).collect::<Vec<_>>() {
                assert!(tree.rank_of(score, member.bytes()).is_some());
            }
        }
        // Every place is compared with new members on the way down.
        for number in 0..4000 {
            if !alive[usize::from(number)].get() {
                alive[usize::from(number)].set(true);
                tree.insert(f64::from(number % 7), member(number));
            }
        }
        assert_eq!(tree.len(), 4000);
    }

    #[test]
    fn it_can_be_dropped_by_another_thread() {
        fn assert_send<T: Send>() {}
        assert_send::<ScoreTree<&str>>();
    }
}
