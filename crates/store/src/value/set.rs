//! The set type: an intset while all members are integers and few, a table of elements beyond. Few short strings are
//! kept in a listpack, which takes a fraction of a table; OBJECT ENCODING calls both `hashtable`, as Redis 7.0 has only
//! that for strings.

use crate::element::Element;
use crate::encoding::intset::Intset;
use crate::encoding::listpack::{self, Item, Listpack};
use crate::hash::hash;
use crate::int::parse_i64;
use crate::memory::{extrapolate, size_class};
use crate::random;
use crate::table::{self, Table};
use crate::value::elements::Elements;
use std::borrow::Cow;

/// A listpack of this many members is still searched faster than a table is reached.
const LISTPACK_MEMBERS: usize = 32;
/// Longest member in a listpack, in bytes.
const LISTPACK_MEMBER_BYTES: usize = 64;

/// See the module.
#[derive(Clone)]
pub struct Set {
    form: Form,
}

#[derive(Clone)]
enum Form {
    Intset(Intset),
    Listpack(Listpack),
    Table(Elements),
}

impl Default for Set {
    fn default() -> Set {
        Set {
            form: Form::Intset(Intset::new()),
        }
    }
}

fn item_bytes(item: Item<'_>) -> Cow<'_, [u8]> {
    match item {
        Item::Str(bytes) => Cow::Borrowed(bytes),
        Item::Int(int) => Cow::Owned(int.to_string().into_bytes()),
    }
}

impl Set {
    /// The set of an intset's members; a table if they are more than `intset_max`.
    pub fn from_intset(intset: Intset, intset_max: usize) -> Set {
        let fits = intset.len() <= intset_max;
        let mut set = Set {
            form: Form::Intset(intset),
        };
        if !fits {
            set.leave_intset(0);
        }
        set
    }

    /// How many members.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Intset(intset) => intset.len(),
            Form::Listpack(listpack) => listpack.len(),
            Form::Table(table) => table.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name OBJECT ENCODING gives.
    pub fn encoding(&self) -> &'static str {
        match &self.form {
            Form::Intset(_) => "intset",
            Form::Listpack(_) | Form::Table(_) => "hashtable",
        }
    }

    /// How full its table is, if it has one.
    pub fn table_stats(&self) -> Option<crate::table::Stats> {
        match &self.form {
            Form::Table(table) => Some(table.stats()),
            _ => None,
        }
    }

    /// The intset, while it is one.
    pub fn intset(&self) -> Option<&Intset> {
        match &self.form {
            Form::Intset(intset) => Some(intset),
            Form::Listpack(_) | Form::Table(_) => None,
        }
    }

    /// Bytes held from the allocator, judged by `samples` elements; 0: by all of them.
    pub fn heap_bytes(&self, samples: usize) -> usize {
        match &self.form {
            Form::Intset(intset) => size_class(intset.heap_bytes()),
            Form::Listpack(listpack) => size_class(listpack.heap_bytes()),
            Form::Table(table) => {
                let sizes = table
                    .iter()
                    .map(|element| size_class(element.allocated_bytes()));
                table.memory_bytes() - size_of::<Table<Element>>()
                    + extrapolate(table.len(), samples, sizes)
            }
        }
    }

    pub(crate) fn elements(&self) -> Option<&Elements> {
        match &self.form {
            Form::Table(elements) => Some(elements),
            _ => None,
        }
    }

    pub(crate) fn elements_mut(&mut self) -> Option<&mut Elements> {
        match &mut self.form {
            Form::Table(elements) => Some(elements),
            _ => None,
        }
    }

    /// How many allocations freeing this takes, roughly.
    pub fn free_effort(&self) -> usize {
        match &self.form {
            Form::Intset(_) | Form::Listpack(_) => 1,
            Form::Table(table) => table.len(),
        }
    }

    pub fn contains(&self, member: &[u8]) -> bool {
        match &self.form {
            Form::Intset(intset) => parse_i64(member).is_some_and(|int| intset.contains(int)),
            Form::Listpack(listpack) => listpack.find(member, 0).is_some(),
            Form::Table(table) => table.find(hash(member), member).is_some(),
        }
    }

    /// Adds a member; true if it is new. An intset of more than `intset_max` members becomes a table
    /// (`set-max-intset-entries`).
    pub fn add(&mut self, member: &[u8], intset_max: usize) -> bool {
        match &mut self.form {
            Form::Intset(intset) => {
                if let Some(int) = parse_i64(member) {
                    let new = intset.insert(int);
                    if new && intset.len() > intset_max {
                        self.leave_intset(0);
                    }
                    return new;
                }
                self.leave_intset(member.len());
                self.add(member, intset_max)
            }
            Form::Listpack(listpack) => {
                if listpack.find(member, 0).is_some() {
                    return false;
                }
                if listpack.len() >= LISTPACK_MEMBERS || member.len() > LISTPACK_MEMBER_BYTES {
                    self.become_table();
                    return self.add(member, intset_max);
                }
                listpack.push_back(member);
                true
            }
            Form::Table(table) => {
                let hash = hash(member);
                let new = table.find(hash, member).is_none();
                if new {
                    table.insert_unique(hash, Element::new(member, b""));
                }
                new
            }
        }
    }

    /// Removes a member; false if there was none.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.form {
            Form::Intset(intset) => parse_i64(member).is_some_and(|int| intset.remove(int)),
            Form::Listpack(listpack) => match listpack.find(member, 0) {
                Some(at) => {
                    listpack.remove(at);
                    true
                }
                None => false,
            },
            Form::Table(table) => table.remove(hash(member), member).is_some(),
        }
    }

    fn leave_intset(&mut self, next_len: usize) {
        if self.len() >= LISTPACK_MEMBERS || next_len > LISTPACK_MEMBER_BYTES {
            return self.become_table();
        }
        let mut listpack = Listpack::new();
        self.for_each(|member| listpack.push_back(member));
        self.form = Form::Listpack(listpack);
    }

    fn become_table(&mut self) {
        let mut table = Elements::new();
        self.for_each(|member| table.insert_unique(hash(member), Element::new(member, b"")));
        self.form = Form::Table(table);
    }

    /// Shows every member.
    pub fn for_each(&self, mut visit: impl FnMut(&[u8])) {
        match &self.form {
            Form::Intset(intset) => {
                let mut text = itoa::Buffer::new();
                intset
                    .iter()
                    .for_each(|int| visit(text.format(int).as_bytes()));
            }
            Form::Listpack(listpack) => listpack.iter().for_each(|item| visit(&item_bytes(item))),
            Form::Table(table) => table.iter().for_each(|e| visit(e.key())),
        }
    }

    /// Every member.
    pub fn iter(&self) -> SetMembers<'_> {
        SetMembers(match &self.form {
            Form::Intset(intset) => Walk::Intset(intset, 0),
            Form::Listpack(listpack) => Walk::Listpack(listpack.iter()),
            Form::Table(table) => Walk::Table(table.iter()),
        })
    }

    /// Shows `count` different members, all if there are no more, each with nearly the same chance.
    pub fn choose<'a>(
        &'a self,
        count: usize,
        rng: &mut impl FnMut() -> u64,
        visit: impl FnMut(Item<'a>),
    ) {
        match &self.form {
            Form::Table(table) if random::is_few(count, table.len()) => {
                random::choose_elements(table, count, rng)
                    .into_iter()
                    .map(|element| Item::Str(element.key()))
                    .for_each(visit);
            }
            _ => random::choose(self.iter(), self.len(), count, rng).for_each(visit),
        }
    }

    /// Every member as an owned list.
    pub fn members(&self) -> Vec<Vec<u8>> {
        let mut members = Vec::with_capacity(self.len());
        self.for_each(|member| members.push(member.to_vec()));
        members
    }

    /// One step of SSCAN: shows about `count` members from `cursor` on and returns the next cursor, 0 at the end. Compact
    /// forms are shown whole.
    pub fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(&[u8])) -> u64 {
        match &self.form {
            Form::Intset(_) | Form::Listpack(_) => {
                self.for_each(visit);
                0
            }
            Form::Table(table) => table.scan(cursor, count, |e| visit(e.key())),
        }
    }

    /// A random member; None if there is none.
    pub fn random(&self, rng: &mut impl FnMut() -> u64) -> Option<Cow<'_, [u8]>> {
        match &self.form {
            Form::Intset(intset) => {
                let index = rng().checked_rem(intset.len() as u64)? as usize;
                intset
                    .get(index)
                    .map(|int| Cow::Owned(int.to_string().into_bytes()))
            }
            Form::Listpack(listpack) => {
                let index = rng().checked_rem(listpack.len() as u64)? as i64;
                listpack.seek(index).map(|at| item_bytes(listpack.get(at)))
            }
            Form::Table(table) => table.random(rng).map(|e| Cow::Borrowed(e.key())),
        }
    }
}

/// The members of a set; see [`Set::iter`].
pub struct SetMembers<'a>(Walk<'a>);

enum Walk<'a> {
    /// The next index.
    Intset(&'a Intset, usize),
    Listpack(listpack::Iter<'a>),
    Table(table::Iter<'a, Element>),
}

impl<'a> Iterator for SetMembers<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        match &mut self.0 {
            Walk::Intset(intset, next) => {
                let int = intset.get(*next)?;
                *next += 1;
                Some(Item::Int(int))
            }
            Walk::Listpack(items) => items.next(),
            Walk::Table(elements) => elements.next().map(|element| Item::Str(element.key())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn behaves_as_a_set_in_every_form(
            steps in prop::collection::vec((0..3u8, 0..60i64, any::<bool>()), 0..200),
            intset_max in 0..20usize,
        ) {
            let mut subject = Set::default();
            let mut model = BTreeSet::new();
            for (step, number, word) in steps {
                let member = if word { format!("m{number}") } else { number.to_string() }.into_bytes();
                prop_assert_eq!(subject.contains(&member), model.contains(&member));
                if step > 0 {
                    prop_assert_eq!(subject.add(&member, intset_max), model.insert(member));
                } else {
                    prop_assert_eq!(subject.remove(&member), model.remove(&member));
                }
            }
            prop_assert_eq!(subject.members().into_iter().collect::<BTreeSet<_>>(), model);
        }
    }
}
