//! The types a key can hold.

pub(crate) mod elements;
mod hash;
mod heap_string;
mod list;
mod set;
mod sorted_set;
mod stream;
mod string;

pub use hash::*;
pub use heap_string::*;
pub use list::*;
pub use set::*;
pub use sorted_set::*;
pub use stream::*;
pub use string::*;

/// An owned value.
pub enum Value {
    String(StringValue),
    List(Box<List>),
    Set(Box<Set>),
    Hash(Box<Hash>),
    SortedSet(Box<SortedSet>),
    Stream(Box<Stream>),
}

/// A value to read.
#[derive(Clone, Copy)]
pub enum ValueRef<'a> {
    String(StringRef<'a>),
    List(&'a List),
    Set(&'a Set),
    Hash(&'a Hash),
    SortedSet(&'a SortedSet),
    Stream(&'a Stream),
}

/// A value to change in place. Short strings have no place of their own: they are replaced.
pub enum ValueMut<'a> {
    String,
    HeapString(&'a mut HeapString),
    List(&'a mut List),
    Set(&'a mut Set),
    Hash(&'a mut Hash),
    SortedSet(&'a mut SortedSet),
    Stream(&'a mut Stream),
}

impl ValueMut<'_> {
    pub(crate) fn reborrow(&mut self) -> ValueMut<'_> {
        match self {
            ValueMut::String => ValueMut::String,
            ValueMut::HeapString(string) => ValueMut::HeapString(string),
            ValueMut::List(list) => ValueMut::List(list),
            ValueMut::Set(set) => ValueMut::Set(set),
            ValueMut::Hash(hash) => ValueMut::Hash(hash),
            ValueMut::SortedSet(set) => ValueMut::SortedSet(set),
            ValueMut::Stream(stream) => ValueMut::Stream(stream),
        }
    }
}

/// A type, by the name TYPE gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    String,
    List,
    Set,
    Hash,
    SortedSet,
    Stream,
}

impl ValueType {
    /// The word of TYPE and SCAN TYPE.
    pub const fn name(self) -> &'static str {
        match self {
            ValueType::String => "string",
            ValueType::List => "list",
            ValueType::Set => "set",
            ValueType::Hash => "hash",
            ValueType::SortedSet => "zset",
            ValueType::Stream => "stream",
        }
    }
}

impl ValueRef<'_> {
    /// The type.
    #[inline]
    pub fn value_type(&self) -> ValueType {
        match self {
            ValueRef::String(_) => ValueType::String,
            ValueRef::List(_) => ValueType::List,
            ValueRef::Set(_) => ValueType::Set,
            ValueRef::Hash(_) => ValueType::Hash,
            ValueRef::SortedSet(_) => ValueType::SortedSet,
            ValueRef::Stream(_) => ValueType::Stream,
        }
    }

    /// An equal value of its own; `raw` as [`crate::entry::Entry::is_raw`] says of a string.
    pub fn duplicate(&self, raw: bool) -> Value {
        match self {
            ValueRef::String(StringRef::Int(int)) => Value::String(StringValue::Int(*int)),
            ValueRef::String(StringRef::Bytes(bytes)) => Value::String(StringValue::Bytes {
                bytes: bytes.to_vec(),
                raw,
            }),
            ValueRef::List(list) => Value::List(Box::new((*list).clone())),
            ValueRef::Set(set) => Value::Set(Box::new((*set).clone())),
            ValueRef::Hash(hash) => Value::Hash(Box::new((*hash).clone())),
            ValueRef::SortedSet(zset) => Value::SortedSet(Box::new((*zset).clone())),
            ValueRef::Stream(stream) => Value::Stream(Box::new((*stream).clone())),
        }
    }

    /// How many allocations freeing this takes, roughly: what decides between freeing now and on another thread.
    pub fn free_effort(&self) -> usize {
        match self {
            ValueRef::String(_) => 1,
            ValueRef::List(list) => list.free_effort(),
            ValueRef::Set(set) => set.free_effort(),
            ValueRef::Hash(hash) => hash.free_effort(),
            ValueRef::SortedSet(zset) => zset.free_effort(),
            ValueRef::Stream(stream) => stream.free_effort(),
        }
    }
}
