//! Reads what a snapshot wrote, by the format's description and without the code that writes or loads it.

use crate::encoding::intset::Intset;
use crate::encoding::listpack::Listpack;
use crate::keyspace::Keyspace;
use crate::snapshot::Chunk;
use crate::value::ValueRef;
use std::collections::{BTreeMap, BTreeSet};

/// A value whatever its encoding.
#[derive(Debug, PartialEq)]
pub(super) enum Plain {
    String(Vec<u8>),
    List(Vec<Vec<u8>>),
    Set(BTreeSet<Vec<u8>>),
    Hash(BTreeMap<Vec<u8>, Vec<u8>>),
    SortedSet(BTreeMap<Vec<u8>, f64>),
}

/// Values and expiries, by db and key.
pub(super) type Contents = BTreeMap<(u32, Vec<u8>), (Plain, Option<i64>)>;

/// What a keyspace holds, expired keys included.
pub(super) fn contents_of(keyspace: &Keyspace) -> Contents {
    let mut contents = Contents::new();
    for (index, db) in keyspace.iter() {
        for entry in db.iter() {
            let value = match entry.value() {
                ValueRef::String(string) => Plain::String(string.to_vec()),
                ValueRef::List(list) => {
                    let mut items = Vec::new();
                    list.items
                        .range(0, usize::MAX, |item| items.push(item.to_vec()));
                    Plain::List(items)
                }
                ValueRef::Set(set) => Plain::Set(set.members().into_iter().collect()),
                ValueRef::Hash(hash) => {
                    let mut fields = BTreeMap::new();
                    hash.for_each(|field, value| {
                        fields.insert(field.to_vec(), value.to_vec());
                    });
                    Plain::Hash(fields)
                }
                ValueRef::SortedSet(set) => {
                    let mut members = BTreeMap::new();
                    set.for_each(|member, score| {
                        members.insert(member.to_vec(), score);
                    });
                    Plain::SortedSet(members)
                }
                ValueRef::Stream(_) => unreachable!("not made here"),
            };
            contents.insert((index, entry.key().to_vec()), (value, entry.expiry()));
        }
    }
    contents
}

pub(super) fn difference(found: &Contents, expected: &Contents) -> String {
    let mut text = String::new();
    for key in found.keys().chain(expected.keys()).collect::<BTreeSet<_>>() {
        if found.get(key) != expected.get(key) {
            let short = |value: Option<&(Plain, Option<i64>)>| {
                let mut text = format!("{value:?}");
                text.truncate(600);
                text
            };
            let name = String::from_utf8_lossy(&key.1);
            let (found, expected) = (short(found.get(key)), short(expected.get(key)));
            text += &format!("db {} {name}: found {found}, expected {expected}\n", key.0);
        }
    }
    text
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, len: usize) -> &[u8] {
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }
    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }
    /// A length, or the number of a special string.
    fn length(&mut self) -> Result<usize, u8> {
        let first = self.byte();
        Ok(match first >> 6 {
            0 => usize::from(first),
            1 => usize::from(first & 0x3f) << 8 | usize::from(self.byte()),
            2 => u32::from_be_bytes(self.take(4).try_into().unwrap()) as usize,
            _ => return Err(first & 0x3f),
        })
    }
    fn len(&mut self) -> usize {
        self.length().expect("a length")
    }
    fn string(&mut self) -> Vec<u8> {
        match self.length() {
            Ok(len) => self.take(len).to_vec(),
            Err(special) => {
                let mut bytes = self.take(1 << special).to_vec();
                let fill = if bytes[bytes.len() - 1] & 0x80 != 0 {
                    0xff
                } else {
                    0
                };
                bytes.resize(4, fill);
                let int = i32::from_le_bytes(bytes.try_into().unwrap());
                int.to_string().into_bytes()
            }
        }
    }
    fn listpack(&mut self) -> Vec<Vec<u8>> {
        let pack = Listpack::from_bytes_validated(self.string()).expect("a listpack");
        pack.iter().map(|item| item.to_vec()).collect()
    }
    fn strings(&mut self) -> Vec<Vec<u8>> {
        (0..self.len()).map(|_| self.string()).collect()
    }
}

fn pairs(items: Vec<Vec<u8>>) -> Plain {
    let mut fields = BTreeMap::new();
    for pair in items.chunks(2) {
        let old = fields.insert(pair[0].clone(), pair[1].clone());
        assert!(old.is_none(), "a field is written once");
    }
    Plain::Hash(fields)
}

fn set(members: Vec<Vec<u8>>) -> Plain {
    let count = members.len();
    let set: BTreeSet<_> = members.into_iter().collect();
    assert_eq!(set.len(), count, "a member is written once");
    Plain::Set(set)
}

fn scores(pairs: Vec<(Vec<u8>, f64)>) -> Plain {
    let count = pairs.len();
    let members: BTreeMap<_, _> = pairs.into_iter().collect();
    assert_eq!(members.len(), count, "a member is written once");
    Plain::SortedSet(members)
}

/// What chunks say, one after the other.
pub(super) fn read(chunks: Vec<Chunk>) -> Contents {
    let bytes: Vec<u8> = chunks
        .into_iter()
        .flat_map(|chunk| chunk.piece.bytes)
        .collect();
    let mut reader = Reader(&bytes);
    let mut contents = Contents::new();
    let (mut db, mut expiry) = (None, None);
    while !reader.0.is_empty() {
        let form = reader.byte();
        match form {
            254 => {
                db = Some(reader.len() as u32);
                continue;
            }
            251 => {
                reader.len();
                reader.len();
                continue;
            }
            252 => {
                expiry = Some(i64::from_le_bytes(reader.take(8).try_into().unwrap()));
                continue;
            }
            _ => {}
        }
        let key = reader.string();
        let value = match form {
            0 => Plain::String(reader.string()),
            2 => set(reader.strings()),
            4 => {
                let items = (0..reader.len() * 2).map(|_| reader.string()).collect();
                pairs(items)
            }
            5 => {
                let mut members = Vec::new();
                for _ in 0..reader.len() {
                    let member = reader.string();
                    let score = reader.take(8).try_into().map(f64::from_le_bytes);
                    members.push((member, score.unwrap()));
                }
                scores(members)
            }
            17 => {
                let items = reader.listpack();
                let score = |text: &[u8]| String::from_utf8_lossy(text).parse().unwrap();
                let pairs = items.chunks(2);
                scores(
                    pairs
                        .map(|pair| (pair[0].clone(), score(&pair[1])))
                        .collect(),
                )
            }
            11 => {
                let ints = Intset::from_bytes_validated(reader.string()).expect("an intset");
                set(ints
                    .iter()
                    .map(|int| int.to_string().into_bytes())
                    .collect())
            }
            16 => pairs(reader.listpack()),
            18 => {
                let nodes = reader.len();
                let mut items = Vec::new();
                for _ in 0..nodes {
                    match reader.len() {
                        1 => items.push(reader.string()),
                        _ => items.extend(node(&mut reader)),
                    }
                }
                Plain::List(items)
            }
            form => panic!("form {form}"),
        };
        let place = (db.expect("a db is selected first"), key);
        let old = contents.insert(place.clone(), (value, expiry.take()));
        assert!(old.is_none(), "{place:?} is written once");
    }
    contents
}

/// A node, which may be compressed in memory already.
fn node(reader: &mut Reader<'_>) -> Vec<Vec<u8>> {
    if reader.0[0] != 0xc3 {
        return reader.listpack();
    }
    reader.byte();
    let (compressed, len) = (reader.len(), reader.len());
    let bytes = crate::rdb::lzf::decompress(reader.take(compressed), len).expect("compressed");
    let pack = Listpack::from_bytes_validated(bytes).expect("a listpack");
    pack.iter().map(|item| item.to_vec()).collect()
}
