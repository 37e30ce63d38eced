//! What a structure inside a listpack needs, as a stream's macro node is one: many elements appended under one look at
//! the header, and iterators that step over elements without decoding them and say where they stand.

use super::{END, Encoded, Item, Iter, Listpack, Pos, entry_len, entry_len_before};

/// The open end of a listpack while [`Listpack::append_with`] runs.
pub struct Tail<'a> {
    bytes: &'a mut Vec<u8>,
    added: usize,
}

impl Listpack {
    /// Lets `write` add elements at the tail. Cheaper than as many `push_back`s; room grows by doubling.
    #[inline]
    pub fn append_with(&mut self, write: impl FnOnce(&mut Tail<'_>)) {
        self.bytes.pop();
        let mut tail = Tail {
            bytes: &mut self.bytes,
            added: 0,
        };
        write(&mut tail);
        let added = tail.added;
        self.bytes.push(END);
        self.set_total();
        self.count_changed(added, 0);
    }

    /// Gives back room for growth.
    pub fn shrink_to_fit(&mut self) {
        self.bytes.shrink_to_fit();
    }
}

impl Tail<'_> {
    /// Adds an element.
    #[inline]
    pub fn push(&mut self, value: &[u8]) {
        self.put(Item::of(value));
    }

    /// Adds an integer.
    #[inline]
    pub fn push_int(&mut self, value: i64) {
        self.put(Item::Int(value));
    }

    /// Adds an element of another listpack.
    #[inline]
    pub fn put(&mut self, item: Item<'_>) {
        let encoded = Encoded::new(item);
        let at = self.bytes.len();
        self.bytes.resize(at + encoded.len(), 0);
        encoded.write(&mut self.bytes[at..]);
        self.added += 1;
    }
}

impl<'a> Iter<'a> {
    /// The place of the element that `next` would give.
    #[inline]
    pub fn place(&self) -> Option<Pos> {
        (self.front < self.back).then_some(Pos(self.front))
    }

    /// Steps over `count` elements from the front, or as many as are left.
    #[inline]
    pub fn pass(&mut self, count: usize) {
        for _ in 0..count {
            if self.front >= self.back {
                return;
            }
            self.front += entry_len(&self.bytes[self.front..]);
        }
    }

    /// Steps over `count` elements from the back, or as many as are left.
    #[inline]
    pub fn pass_back(&mut self, count: usize) {
        for _ in 0..count {
            if self.front >= self.back {
                return;
            }
            self.back -= entry_len_before(&self.bytes[..self.back]);
        }
    }

    /// The elements that the back has passed, to the listpack's end.
    #[inline]
    pub fn passed_back(&self) -> Iter<'a> {
        Iter {
            bytes: self.bytes,
            front: self.back,
            back: self.bytes.len() - 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: &[&str]) -> Listpack {
        let mut list = Listpack::new();
        items
            .iter()
            .for_each(|item| list.push_back(item.as_bytes()));
        list
    }

    #[test]
    fn appending_many_gives_the_bytes_of_appending_one_by_one() {
        let long = "x".repeat(5000);
        let items = ["1", "a", "-5000", "", &long, "99999999999"];
        let mut many = list(&["first"]);
        many.append_with(|tail| items.iter().for_each(|item| tail.push(item.as_bytes())));
        many.append_with(|tail| tail.push_int(300));
        many.append_with(|_| {});
        let mut single = list(&["first"]);
        items
            .iter()
            .for_each(|item| single.push_back(item.as_bytes()));
        single.push_back_int(300);
        assert_eq!(many.as_bytes(), single.as_bytes());
        many.shrink_to_fit();
        assert_eq!(many, single);
    }

    #[test]
    fn the_count_saturates_when_many_are_appended() {
        let mut list = Listpack::new();
        list.append_with(|tail| (0..70_000).for_each(|n| tail.push_int(n)));
        assert_eq!(list.len(), 70_000);
        let bytes = list.as_bytes().to_vec();
        assert_eq!(Listpack::from_bytes_validated(bytes), Ok(list));
    }

    #[test]
    fn passing_over_elements_moves_either_end() {
        let list = list(&["a", "b", "3", "d", "e"]);
        let mut items = list.iter();
        items.pass(2);
        assert_eq!(list.get(items.place().unwrap()), Item::Int(3));
        items.pass_back(1);
        assert_eq!(items.passed_back().next(), Some(Item::Str(b"e")));
        assert_eq!(items.clone().count(), 2);
        items.pass(9);
        assert_eq!(items.place(), None);
        let mut items = list.iter();
        items.pass_back(9);
        assert_eq!(items.next(), None);
        assert_eq!(items.passed_back().count(), 5);
    }

    #[test]
    fn replacing_by_an_equally_long_element_changes_only_that_one() {
        let mut list = list(&["1", "a", "2"]);
        let first = list.first().unwrap();
        list.replace_int(first, 100);
        assert_eq!(list.get(first), Item::Int(100));
        assert_eq!(list.len(), 3);
    }
}
