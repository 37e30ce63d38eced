//! A digest of a dataset, the same for the same data whatever the order of tables: how tests compare two nodes. It is the
//! one that redis-server computes for DEBUG DIGEST.
//!
//! What has an order is mixed into a digest, which then becomes the SHA-1 of itself; what has none is added with XOR.

use crate::entry::Entry;
use crate::float::format_g17;
use crate::keyspace::Keyspace;
use crate::value::ValueRef;
use sha1::{Digest as _, Sha1};

/// Twenty bytes, all zero for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest([u8; 20]);

impl Digest {
    /// Adds a part whose place among others means nothing.
    fn add(&mut self, bytes: &[u8]) {
        let sum: [u8; 20] = Sha1::digest(bytes).into();
        self.0.iter_mut().zip(sum).for_each(|(a, b)| *a ^= b);
    }

    /// Mixes in the part that comes next.
    fn mix(&mut self, bytes: &[u8]) {
        self.add(bytes);
        self.0 = Sha1::digest(self.0).into();
    }

    /// Of parts that belong together.
    fn of(parts: &[&[u8]]) -> Digest {
        let mut digest = Digest::default();
        parts.iter().for_each(|part| digest.mix(part));
        digest
    }

    fn add_value(&mut self, entry: &Entry) {
        let value = entry.value();
        self.mix(&type_number(value).to_be_bytes());
        match value {
            ValueRef::String(string) => self.mix(&string.bytes()),
            ValueRef::List(list) => {
                let mut digits = itoa::Buffer::new();
                let items = &list.items;
                items.range(0, list.len(), |item| self.mix(item.as_bytes(&mut digits)));
            }
            ValueRef::Set(set) => set.for_each(|member| self.add(member)),
            ValueRef::Hash(hash) => {
                hash.for_each(|field, value| self.add(&Digest::of(&[field, value]).0));
            }
            ValueRef::SortedSet(set) => set.for_each(|member, score| {
                let mut text = Vec::new();
                format_g17(score, &mut text);
                self.add(&Digest::of(&[member, &text]).0);
            }),
            ValueRef::Stream(stream) => {
                let mut digits = itoa::Buffer::new();
                for entry in stream.entries() {
                    self.mix(format!("{}.{}", entry.id.ms, entry.id.seq).as_bytes());
                    for (field, value) in entry.fields {
                        self.mix(field.as_bytes(&mut digits));
                        self.mix(value.as_bytes(&mut digits));
                    }
                }
            }
        }
        if entry.expiry().is_some() {
            self.add(b"!!expire!!");
        }
    }

    /// Of one value, and whether it expires.
    pub fn of_value(entry: &Entry) -> Digest {
        let mut digest = Digest::default();
        digest.add_value(entry);
        digest
    }

    /// Of everything.
    pub fn of_keyspace(keyspace: &Keyspace) -> Digest {
        let mut digest = Digest::default();
        for (index, db) in keyspace.iter().filter(|(_, db)| !db.is_empty()) {
            digest.mix(&index.to_be_bytes());
            for entry in db.iter() {
                let mut part = Digest::of(&[entry.key()]);
                part.add_value(entry);
                digest.add(&part.0);
            }
        }
        digest
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn type_number(value: ValueRef<'_>) -> u32 {
    match value {
        ValueRef::String(_) => 0,
        ValueRef::List(_) => 1,
        ValueRef::Set(_) => 2,
        ValueRef::SortedSet(_) => 3,
        ValueRef::Hash(_) => 4,
        ValueRef::Stream(_) => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;

    #[test]
    fn the_digests_are_those_of_redis() {
        let mut keyspace = Keyspace::new(2, 1);
        assert_eq!(
            Digest::of_keyspace(&keyspace).to_string(),
            "0000000000000000000000000000000000000000"
        );
        let entry = Entry::string(b"a", b"1", None);
        assert_eq!(
            Digest::of_value(&entry).to_string(),
            "b4fc66738120fba0b5aa500ab5c2bf89cea1c5da"
        );
        keyspace.db(0).insert_entry(entry);
        assert_eq!(
            Digest::of_keyspace(&keyspace).to_string(),
            "943d800368fb9c0e951138f1bc0e313ac769d91f"
        );
    }
}
