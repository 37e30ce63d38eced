//! Which values are written in slices, and how, by type.

use super::freeze::{Freeze, FreezeId};
use crate::rdb::format::Form;
use crate::value::elements::{Elements, Kind};
use crate::value::{StringRef, ValueMut, ValueRef};

/// Up to where a value is written in one go.
#[derive(Clone, Copy, Debug)]
pub struct WholeLimits {
    /// Elements of a hash, set or sorted set; nodes of a list or stream.
    pub parts: usize,
    /// Bytes of all those together.
    pub bytes: usize,
    /// Bytes of a string. A longer one is written in pieces, which are not compressed, as that would take the string as a
    /// whole: so this is as much as a pause allows to be copied.
    pub string_bytes: usize,
}

impl Default for WholeLimits {
    fn default() -> WholeLimits {
        WholeLimits {
            parts: 512,
            bytes: 64 * 1024,
            string_bytes: 4 * 1024 * 1024,
        }
    }
}

/// A value that is written in slices.
enum Sliced<'a> {
    Elements(&'a mut Elements, Kind),
    Nodes(&'a mut crate::encoding::quicklist::Quicklist),
    Pieces(&'a mut crate::value::HeapString),
    MacroNodes(&'a mut crate::value::Stream),
}

impl<'a> Sliced<'a> {
    fn of(value: ValueMut<'a>) -> Option<Sliced<'a>> {
        match value {
            ValueMut::Hash(hash) => hash
                .elements_mut()
                .map(|elements| Sliced::Elements(elements, Kind::HashField)),
            ValueMut::Set(set) => set
                .elements_mut()
                .map(|elements| Sliced::Elements(elements, Kind::SetMember)),
            ValueMut::SortedSet(set) => set
                .elements_mut()
                .map(|elements| Sliced::Elements(elements, Kind::SortedSetMember)),
            ValueMut::List(list) => Some(Sliced::Nodes(&mut list.items)),
            ValueMut::HeapString(string) => Some(Sliced::Pieces(string)),
            ValueMut::Stream(stream) => Some(Sliced::MacroNodes(stream)),
            ValueMut::String => None,
        }
    }
}

impl ValueRef<'_> {
    /// The name under which a snapshot has the value open. A long string is not known by this, but by
    /// [`Entry::frozen_id`](crate::entry::Entry).
    pub(crate) fn frozen_id(&self) -> Option<FreezeId> {
        match self {
            ValueRef::Hash(hash) => hash.elements()?.frozen_id(),
            ValueRef::Set(set) => set.elements()?.frozen_id(),
            ValueRef::SortedSet(set) => set.elements()?.frozen_id(),
            ValueRef::List(list) => list.items.frozen_id(),
            ValueRef::Stream(stream) => stream.frozen_id(),
            ValueRef::String(_) => None,
        }
    }

    /// The form in which the value is written in slices; None if it is small enough to be written whole.
    pub(super) fn sliced_form(&self, whole: WholeLimits) -> Option<Form> {
        let many = |elements: Option<&Elements>| elements.is_some_and(|e| whole.are_exceeded(e));
        let (big, form) = match self {
            ValueRef::Hash(hash) => (many(hash.elements()), Form::Hash),
            ValueRef::Set(set) => (many(set.elements()), Form::Set),
            ValueRef::SortedSet(set) => (many(set.elements()), Form::SortedSet2),
            ValueRef::List(list) => {
                let parts = list.items.nodes().map(|(_, bytes)| bytes.len());
                (whole.are_exceeded_by(parts), Form::ListQuicklist2)
            }
            ValueRef::String(StringRef::Bytes(bytes)) => {
                (bytes.len() > whole.string_bytes, Form::String)
            }
            ValueRef::Stream(stream) => {
                let parts = stream.nodes().map(|(_, items)| items.bytes_len());
                (whole.are_exceeded_by(parts), Form::StreamListpacks2)
            }
            ValueRef::String(_) => return None,
        };
        big.then_some(form)
    }
}

impl WholeLimits {
    fn are_exceeded(self, elements: &Elements) -> bool {
        elements.len() > self.parts
            || self.are_exceeded_by(elements.iter().map(|element| element.allocated_bytes()))
    }

    /// Whether parts of these sizes are too many or too much. Looks at no more of them than it takes to say so.
    fn are_exceeded_by(self, parts: impl Iterator<Item = usize>) -> bool {
        let mut bytes = 0;
        for (count, part) in parts.enumerate() {
            bytes += part;
            if count >= self.parts || bytes > self.bytes {
                return true;
            }
        }
        false
    }
}

impl ValueMut<'_> {
    /// Begins to write the value, of which `sliced_form` gave a form, in slices.
    pub(super) fn freeze(self, freeze: Freeze) {
        match Sliced::of(self) {
            Some(Sliced::Elements(elements, kind)) => elements.freeze(freeze, kind),
            Some(Sliced::Nodes(nodes)) => nodes.freeze(freeze),
            Some(Sliced::Pieces(string)) => string.freeze(freeze),
            Some(Sliced::MacroNodes(stream)) => stream.freeze(freeze),
            None => unreachable!("this value is written whole"),
        }
    }

    pub(super) fn frozen(&mut self) -> Option<&mut Freeze> {
        match Sliced::of(self.reborrow())? {
            Sliced::Elements(elements, _) => elements.frozen(),
            Sliced::Nodes(nodes) => nodes.frozen(),
            Sliced::Pieces(string) => string.frozen(),
            Sliced::MacroNodes(stream) => stream.frozen(),
        }
    }

    /// Writes about `max_bytes` more; true when everything is written.
    pub(super) fn write_slice(&mut self, max_bytes: usize) -> bool {
        match Sliced::of(self.reborrow()) {
            Some(Sliced::Elements(elements, _)) => elements.write_slice(max_bytes),
            Some(Sliced::Nodes(nodes)) => nodes.write_slice(max_bytes),
            Some(Sliced::Pieces(string)) => string.write_slice(),
            Some(Sliced::MacroNodes(stream)) => stream.write_slice(max_bytes),
            None => true,
        }
    }

    /// The snapshot is through with the value.
    pub(super) fn thaw(self) {
        match Sliced::of(self) {
            Some(Sliced::Elements(elements, _)) => elements.thaw(),
            Some(Sliced::Nodes(nodes)) => nodes.thaw(),
            Some(Sliced::Pieces(string)) => string.thaw(),
            Some(Sliced::MacroNodes(stream)) => stream.thaw(),
            None => {}
        }
    }
}
