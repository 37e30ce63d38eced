//! The hash type: a listpack of field, value, field, value … while small, a table of elements beyond.

use crate::element::Element;
use crate::encoding::listpack::{self, Item, Listpack, Pos, all_distinct};
use crate::hash::hash;
use crate::memory::{extrapolate, size_class};
use crate::random;
use crate::table::{self, Table};
use crate::value::elements::Elements;
use std::borrow::Cow;

/// When a listpack becomes a table: `hash-max-listpack-entries` and `-value`.
#[derive(Clone, Copy, Debug)]
pub struct HashLimits {
    pub entries: usize,
    /// Longest field or value, in bytes.
    pub value: usize,
}

/// See the module.
#[derive(Clone)]
pub struct Hash {
    form: Form,
}

/// A field and its value.
pub type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

#[derive(Clone)]
enum Form {
    Listpack(Listpack),
    Table(Elements),
}

impl Default for Hash {
    fn default() -> Hash {
        Hash {
            form: Form::Listpack(Listpack::new()),
        }
    }
}

fn bytes_at(listpack: &Listpack, pos: Pos) -> Cow<'_, [u8]> {
    match listpack.get(pos) {
        Item::Str(bytes) => Cow::Borrowed(bytes),
        Item::Int(int) => Cow::Owned(int.to_string().into_bytes()),
    }
}

impl Hash {
    /// The hash that a listpack from a file or a peer holds: fields, each followed by its value. `None` if it is something
    /// else.
    pub fn from_listpack(listpack: Listpack, limits: HashLimits) -> Option<Hash> {
        let items = listpack.iter().count();
        if !items.is_multiple_of(2) || !all_distinct(listpack.iter().step_by(2)) {
            return None;
        }
        let mut hash = Hash {
            form: Form::Listpack(listpack),
        };
        if items / 2 > limits.entries {
            hash.become_table();
        }
        Some(hash)
    }

    /// How many fields.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Listpack(listpack) => listpack.len() / 2,
            Form::Table(table) => table.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name OBJECT ENCODING gives.
    pub fn encoding(&self) -> &'static str {
        match &self.form {
            Form::Listpack(_) => "listpack",
            Form::Table(_) => "hashtable",
        }
    }

    /// How full its table is, if it has one.
    pub fn table_stats(&self) -> Option<crate::table::Stats> {
        match &self.form {
            Form::Table(table) => Some(table.stats()),
            _ => None,
        }
    }

    /// The listpack, while it is one.
    pub fn listpack(&self) -> Option<&Listpack> {
        match &self.form {
            Form::Listpack(listpack) => Some(listpack),
            Form::Table(_) => None,
        }
    }

    /// Bytes held from the allocator, judged by `samples` elements; 0: by all of them.
    pub fn heap_bytes(&self, samples: usize) -> usize {
        match &self.form {
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
            Form::Listpack(_) => 1,
            Form::Table(table) => table.len(),
        }
    }

    /// The value of a field.
    pub fn get(&self, field: &[u8]) -> Option<Cow<'_, [u8]>> {
        match &self.form {
            Form::Listpack(listpack) => {
                let at = listpack.find(field, 1)?;
                Some(bytes_at(
                    listpack,
                    listpack.next(at).expect("a field has a value"),
                ))
            }
            Form::Table(table) => table
                .find(hash(field), field)
                .map(|e| Cow::Borrowed(e.payload())),
        }
    }

    /// Sets a field; true if it is new.
    pub fn set(&mut self, field: &[u8], value: &[u8], limits: HashLimits) -> bool {
        if let Form::Listpack(listpack) = &mut self.form {
            let fits = field.len() <= limits.value
                && value.len() <= limits.value
                && listpack.would_fit(field.len() + value.len());
            if !fits {
                self.become_table();
            } else if let Some(at) = listpack.find(field, 1) {
                let value_at = listpack.next(at).expect("a field has a value");
                listpack.replace(value_at, value);
                return false;
            } else {
                listpack.push_back(field);
                listpack.push_back(value);
                if listpack.len() / 2 > limits.entries {
                    self.become_table();
                }
                return true;
            }
        }
        let Form::Table(table) = &mut self.form else {
            unreachable!("a listpack was handled above")
        };
        let hash = hash(field);
        if let Some(mut slot) = table.find_mut(hash, field) {
            slot.set_payload(value);
            return false;
        }
        table.insert_unique(hash, Element::new(field, value));
        true
    }

    /// Removes a field; false if there was none.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match &mut self.form {
            Form::Listpack(listpack) => match listpack.find(field, 1) {
                Some(at) => {
                    let value_at = listpack.remove(at).expect("a field has a value");
                    listpack.remove(value_at);
                    true
                }
                None => false,
            },
            Form::Table(table) => table.remove(hash(field), field).is_some(),
        }
    }

    fn become_table(&mut self) {
        let mut table = Elements::new();
        self.for_each(|field, value| table.insert_unique(hash(field), Element::new(field, value)));
        self.form = Form::Table(table);
    }

    /// Every field and value.
    pub fn iter(&self) -> HashFields<'_> {
        HashFields(match &self.form {
            Form::Listpack(listpack) => Walk::Listpack(listpack.iter()),
            Form::Table(table) => Walk::Table(table.iter()),
        })
    }

    /// Shows `count` different fields, all if there are no more, each with nearly the same chance.
    pub fn choose<'a>(
        &'a self,
        count: usize,
        rng: &mut impl FnMut() -> u64,
        mut visit: impl FnMut(Item<'a>, Item<'a>),
    ) {
        match &self.form {
            Form::Table(table) if random::is_few(count, table.len()) => {
                for element in random::choose_elements(table, count, rng) {
                    visit(Item::Str(element.key()), Item::Str(element.payload()));
                }
            }
            _ => random::choose(self.iter(), self.len(), count, rng)
                .for_each(|(field, value)| visit(field, value)),
        }
    }

    /// Shows every field and value.
    pub fn for_each(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        match &self.form {
            Form::Listpack(listpack) => {
                let mut at = listpack.first();
                while let Some(field_at) = at {
                    let value_at = listpack.next(field_at).expect("a field has a value");
                    visit(&bytes_at(listpack, field_at), &bytes_at(listpack, value_at));
                    at = listpack.next(value_at);
                }
            }
            Form::Table(table) => table.iter().for_each(|e| visit(e.key(), e.payload())),
        }
    }

    /// One step of HSCAN: shows about `count` fields from `cursor` on and returns the next cursor, 0 at the end. A
    /// listpack is shown whole.
    pub fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(&[u8], &[u8])) -> u64 {
        match &self.form {
            Form::Listpack(_) => {
                self.for_each(visit);
                0
            }
            Form::Table(table) => table.scan(cursor, count, |e| visit(e.key(), e.payload())),
        }
    }

    /// A random field and its value; None if there is none.
    pub fn random(&self, rng: &mut impl FnMut() -> u64) -> Option<Pair<'_>> {
        match &self.form {
            Form::Listpack(listpack) => {
                let pairs = (listpack.len() / 2) as u64;
                let index = rng().checked_rem(pairs)? as i64;
                let field_at = listpack.seek(index * 2)?;
                let value_at = listpack.next(field_at)?;
                Some((bytes_at(listpack, field_at), bytes_at(listpack, value_at)))
            }
            Form::Table(table) => table
                .random(rng)
                .map(|e| (Cow::Borrowed(e.key()), Cow::Borrowed(e.payload()))),
        }
    }
}

/// The fields and values of a hash; see [`Hash::iter`].
pub struct HashFields<'a>(Walk<'a>);

enum Walk<'a> {
    Listpack(listpack::Iter<'a>),
    Table(table::Iter<'a, Element>),
}

impl<'a> Iterator for HashFields<'a> {
    type Item = (Item<'a>, Item<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Walk::Listpack(items) => Some((items.next()?, items.next()?)),
            Walk::Table(elements) => elements
                .next()
                .map(|element| (Item::Str(element.key()), Item::Str(element.payload()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn behaves_as_a_map_in_both_forms(
            steps in prop::collection::vec((any::<bool>(), 0..40u8, prop::collection::vec(any::<u8>(), 0..12)), 0..200),
            entries in 0..20usize,
        ) {
            let limits = HashLimits { entries, value: 8 };
            let mut subject = Hash::default();
            let mut model: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
            for (set, field, value) in steps {
                let field = field.to_string().into_bytes();
                if set {
                    let new = subject.set(&field, &value, limits);
                    prop_assert_eq!(new, model.insert(field, value).is_none());
                } else {
                    prop_assert_eq!(subject.remove(&field), model.remove(&field).is_some());
                }
                prop_assert_eq!(subject.len(), model.len());
            }
            let mut found = HashMap::new();
            subject.for_each(|field, value| { found.insert(field.to_vec(), value.to_vec()); });
            prop_assert_eq!(found, model);
        }
    }
}
