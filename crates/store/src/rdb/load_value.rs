//! Values in every form that Redis ever wrote, turned into what memory holds today. Each is checked in full, whatever
//! `sanitize-dump-payload` says: values must keep their promises to the rest of the store, and a look costs little beside
//! the reading.

use super::error::LoadErrorKind;
use super::format::Form;
use super::load::LoadSettings;
use super::reader::{Reader, Result};
use crate::encoding::intset::Intset;
use crate::encoding::listpack::{Item, Listpack};
use crate::encoding::quicklist::Container;
use crate::encoding::{ziplist, zipmap};
use crate::float::parse_double;
use crate::value::{Hash, List, Set, SortedSet, StringValue, Value};
use std::io::Read;

/// First bytes of a score in text that stand for what has no digits.
const SCORE_NAN: u8 = 253;
const SCORE_PLUS_INFINITY: u8 = 254;
const SCORE_MINUS_INFINITY: u8 = 255;

/// Reads a value; `None` if it is a collection without elements, which old bugs wrote and nothing may hold.
pub(super) fn read_value<R: Read>(
    reader: &mut Reader<R>,
    form: Form,
    settings: &LoadSettings,
) -> Result<Option<Value>> {
    match form {
        Form::String => {
            let bytes = reader.string()?;
            return Ok(Some(Value::String(StringValue::from_bytes(bytes))));
        }
        Form::StreamListpacks | Form::StreamListpacks2 | Form::StreamListpacks3 => {
            let stream = super::stream::load(reader, form)?;
            // Of all collections only this may be without elements.
            return Ok(Some(Value::Stream(Box::new(stream))));
        }
        _ => {}
    }
    Ok(match form {
        Form::List | Form::ListZiplist | Form::ListQuicklist | Form::ListQuicklist2 => {
            let list = read_list(reader, form, settings)?;
            (!list.is_empty()).then(|| Value::List(Box::new(list)))
        }
        Form::Set | Form::SetIntset | Form::SetListpack => {
            let set = read_set(reader, form, settings)?;
            (!set.is_empty()).then(|| Value::Set(Box::new(set)))
        }
        Form::Hash | Form::HashZipmap | Form::HashZiplist | Form::HashListpack => {
            let hash = read_hash(reader, form, settings)?;
            (!hash.is_empty()).then(|| Value::Hash(Box::new(hash)))
        }
        Form::SortedSet | Form::SortedSet2 | Form::SortedSetZiplist | Form::SortedSetListpack => {
            let set = read_sorted_set(reader, form, settings)?;
            (!set.is_empty()).then(|| Value::SortedSet(Box::new(set)))
        }
        Form::ModulePreGa | Form::Module2 => return Err(module_value(reader)?),
        Form::String | Form::StreamListpacks | Form::StreamListpacks2 | Form::StreamListpacks3 => {
            unreachable!("handled above")
        }
    })
}

fn read_list<R: Read>(reader: &mut Reader<R>, form: Form, settings: &LoadSettings) -> Result<List> {
    let mut list = List::new(settings.list_fill, settings.list_compress);
    match form {
        Form::List => {
            let mut element = Vec::new();
            for _ in 0..reader.length()? {
                reader.string_into(&mut element)?;
                list.items.push_back(&element);
            }
        }
        Form::ListZiplist => {
            let bytes = reader.string()?;
            let mut digits = itoa::Buffer::new();
            ziplist::read(&bytes, |item| {
                list.items.push_back(item.as_bytes(&mut digits));
            })
            .map_err(|_| reader.corrupt("List ziplist integrity check failed."))?;
        }
        Form::ListQuicklist => {
            for _ in 0..reader.length()? {
                let bytes = reader.string()?;
                let node = listpack_of_ziplist(&bytes)
                    .ok_or_else(|| reader.corrupt("Ziplist integrity check failed."))?;
                list.items.push_node_packed(node);
            }
        }
        _ => {
            for _ in 0..reader.length()? {
                let container = reader.length()?;
                let bytes = reader.string()?;
                if container == Container::Plain as u64 && !bytes.is_empty() {
                    list.items.push_node_plain(bytes);
                } else if container == Container::Packed as u64 {
                    let node = Listpack::from_bytes_validated(bytes)
                        .map_err(|_| reader.corrupt("Listpack integrity check failed."))?;
                    list.items.push_node_packed(node);
                } else {
                    return Err(reader.corrupt("Quicklist integrity check failed."));
                }
            }
        }
    }
    Ok(list)
}

fn read_set<R: Read>(reader: &mut Reader<R>, form: Form, settings: &LoadSettings) -> Result<Set> {
    const DUPLICATE: &str = "Duplicate set members detected";
    let max = settings.set_intset_max;
    let mut set = Set::default();
    match form {
        Form::Set => {
            let mut member = Vec::new();
            for _ in 0..reader.length()? {
                reader.string_into(&mut member)?;
                if !set.add(&member, max) {
                    return Err(reader.corrupt(DUPLICATE));
                }
            }
        }
        Form::SetListpack => {
            let bytes = reader.string()?;
            let listpack = Listpack::from_bytes_validated(bytes)
                .map_err(|_| reader.corrupt("Set listpack integrity check failed."))?;
            let mut digits = itoa::Buffer::new();
            for item in listpack.iter() {
                if !set.add(item.as_bytes(&mut digits), max) {
                    return Err(reader.corrupt(DUPLICATE));
                }
            }
        }
        _ => {
            let bytes = reader.string()?;
            let intset = Intset::from_bytes_validated(bytes)
                .map_err(|_| reader.corrupt("Intset integrity check failed."))?;
            set = Set::from_intset(intset, max);
        }
    }
    Ok(set)
}

fn read_hash<R: Read>(reader: &mut Reader<R>, form: Form, settings: &LoadSettings) -> Result<Hash> {
    let mut hash = Hash::default();
    match form {
        Form::Hash => {
            let (mut field, mut value) = (Vec::new(), Vec::new());
            for _ in 0..reader.length()? {
                reader.string_into(&mut field)?;
                reader.string_into(&mut value)?;
                if !hash.set(&field, &value, settings.hash) {
                    return Err(reader.corrupt("Duplicate hash fields detected"));
                }
            }
        }
        Form::HashZipmap => {
            const CORRUPT: &str = "Zipmap integrity check failed.";
            let bytes = reader.string()?;
            let mut distinct = true;
            zipmap::read(&bytes, |field, value| {
                distinct &= hash.set(field, value, settings.hash);
            })
            .map_err(|_| reader.corrupt(CORRUPT))?;
            if !distinct {
                return Err(
                    reader.corrupt("Hash zipmap with dup elements, integrity check failed.")
                );
            }
        }
        _ => {
            let bytes = reader.string()?;
            let (listpack, corrupt) = match form {
                Form::HashZiplist => (
                    listpack_of_ziplist(&bytes),
                    "Hash ziplist integrity check failed.",
                ),
                _ => (
                    Listpack::from_bytes_validated(bytes).ok(),
                    "Hash listpack integrity check failed.",
                ),
            };
            hash = listpack
                .and_then(|listpack| Hash::from_listpack(listpack, settings.hash))
                .ok_or_else(|| reader.corrupt(corrupt))?;
        }
    }
    Ok(hash)
}

fn read_sorted_set<R: Read>(
    reader: &mut Reader<R>,
    form: Form,
    settings: &LoadSettings,
) -> Result<SortedSet> {
    match form {
        Form::SortedSet | Form::SortedSet2 => {
            let mut set = SortedSet::default();
            let mut member = Vec::new();
            for _ in 0..reader.length()? {
                reader.string_into(&mut member)?;
                let score = match form {
                    Form::SortedSet => read_text_score(reader)?,
                    _ => f64::from_le_bytes(reader.array()?),
                };
                if score.is_nan() {
                    return Err(reader.corrupt("Zset with NAN score detected"));
                }
                if set.insert(&member, score, settings.sorted_set).is_some() {
                    return Err(reader.corrupt("Duplicate zset fields detected"));
                }
            }
            Ok(set)
        }
        _ => {
            let bytes = reader.string()?;
            let (listpack, corrupt) = match form {
                Form::SortedSetZiplist => (
                    listpack_of_ziplist(&bytes),
                    "Zset ziplist integrity check failed.",
                ),
                _ => (
                    Listpack::from_bytes_validated(bytes).ok(),
                    "Zset listpack integrity check failed.",
                ),
            };
            listpack
                .and_then(|listpack| SortedSet::from_listpack(listpack, settings.sorted_set))
                .ok_or_else(|| reader.corrupt(corrupt))
        }
    }
}

/// A score of [`Form::SortedSet`]: its length, or what it is instead, then its text.
fn read_text_score<R: Read>(reader: &mut Reader<R>) -> Result<f64> {
    let len = match reader.byte()? {
        SCORE_NAN => return Ok(f64::NAN),
        SCORE_PLUS_INFINITY => return Ok(f64::INFINITY),
        SCORE_MINUS_INFINITY => return Ok(f64::NEG_INFINITY),
        len => usize::from(len),
    };
    let mut text = Vec::new();
    reader.append(&mut text, len)?;
    parse_double(&text).ok_or_else(|| reader.corrupt("Zset score is not a number"))
}

/// The same elements as a listpack; `None` if the bytes are no ziplist, or a listpack could not hold them.
fn listpack_of_ziplist(bytes: &[u8]) -> Option<Listpack> {
    // An entry may grow by a few bytes where its length was short.
    let mut listpack = Listpack::with_capacity(bytes.len());
    let mut fits = true;
    ziplist::read(bytes, |item| {
        fits = fits && listpack.would_fit(item.len());
        if fits {
            match item {
                Item::Str(text) => listpack.push_back(text),
                Item::Int(int) => listpack.push_back_int(int),
            }
        }
    })
    .ok()?;
    fits.then_some(listpack)
}

/// The error that a value of a module is: its type's name is in its 64-bit id.
fn module_value<R: Read>(reader: &mut Reader<R>) -> Result<super::error::LoadError> {
    let id = reader.length()?;
    Ok(reader.error(LoadErrorKind::Module {
        name: module_name(id),
        value: true,
    }))
}

/// The nine characters in a module id's upper bits.
pub(super) fn module_name(id: u64) -> String {
    const CHARACTERS: &[u8; 64] =
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (0..9)
        .map(|place| {
            let index = (id >> (58 - 6 * place)) as usize & 0x3F;
            char::from(CHARACTERS[index])
        })
        .collect()
}

#[cfg(test)]
mod tests;
