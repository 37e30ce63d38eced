//! An element of a big hash, set or sorted set: a key and a payload in one allocation.
//!
//! ```text
//! key length (4) | payload length (4) | key | payload
//! ```
#![allow(
    unsafe_code,
    reason = "one allocation per element, behind a thin pointer, is what keeps big values small"
)]

use crate::table::{Slot, Thin};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::{self, NonNull};

const HEADER: usize = 8;
const ALIGN: usize = 8;

/// See the module.
#[repr(transparent)]
pub struct Element(Thin);

// SAFETY: an element owns its block, which holds nothing but bytes.
unsafe impl Send for Element {}

fn layout(key_len: usize, payload_len: usize) -> Layout {
    Layout::from_size_align(HEADER + key_len + payload_len, ALIGN)
        .expect("elements are far below isize::MAX")
}

impl Element {
    /// # Panics
    /// If key or payload are 4 GiB or longer, which no request can be.
    pub fn new(key: &[u8], payload: &[u8]) -> Element {
        let lens = [key, payload]
            .map(|bytes| u32::try_from(bytes.len()).expect("arguments are below 4 GiB"));
        let layout = layout(key.len(), payload.len());
        // SAFETY: the layout has room for the header, the key and the payload, which are all written here.
        unsafe {
            let Some(block) = NonNull::new(alloc(layout)) else {
                handle_alloc_error(layout)
            };
            ptr::write(block.as_ptr().cast::<[u32; 2]>(), lens);
            ptr::copy_nonoverlapping(key.as_ptr(), block.as_ptr().add(HEADER), key.len());
            ptr::copy_nonoverlapping(
                payload.as_ptr(),
                block.as_ptr().add(HEADER + key.len()),
                payload.len(),
            );
            Element(Thin::new(block))
        }
    }

    #[inline]
    fn lens(&self) -> (usize, usize) {
        // SAFETY: the header was written at creation and never changes.
        let [key, payload] = unsafe { ptr::read(self.0.ptr().as_ptr().cast::<[u32; 2]>()) };
        (key as usize, payload as usize)
    }

    /// The field or member.
    #[inline]
    pub fn key(&self) -> &[u8] {
        // SAFETY: the key's bytes follow the header.
        unsafe { std::slice::from_raw_parts(self.0.ptr().as_ptr().add(HEADER), self.lens().0) }
    }

    /// What belongs to it: a hash field's value, nothing for a set.
    #[inline]
    pub fn payload(&self) -> &[u8] {
        let (key_len, payload_len) = self.lens();
        // SAFETY: the payload's bytes follow the key's.
        unsafe {
            std::slice::from_raw_parts(self.0.ptr().as_ptr().add(HEADER + key_len), payload_len)
        }
    }

    /// Changes the payload: in place if it has the same length.
    pub fn set_payload(&mut self, payload: &[u8]) {
        let (key_len, payload_len) = self.lens();
        if payload.len() == payload_len {
            // SAFETY: the payload has exactly this many bytes; the source is borrowed elsewhere, so it is not this block.
            unsafe {
                ptr::copy_nonoverlapping(
                    payload.as_ptr(),
                    self.0.ptr().as_ptr().add(HEADER + key_len),
                    payload_len,
                );
            }
        } else {
            *self = Element::new(self.key(), payload);
        }
    }

    /// Bytes of its allocation.
    pub fn allocated_bytes(&self) -> usize {
        let (key_len, payload_len) = self.lens();
        HEADER + key_len + payload_len
    }
}

/// A copyable handle of an element, for an index beside the table that owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ElementRef(NonNull<u8>);

// SAFETY: a handle is an address; who reads through it answers for the element being there.
unsafe impl Send for ElementRef {}

impl Element {
    /// A handle of this element.
    ///
    /// # Safety
    /// The handle is not compared or read once the element is dropped, nor after its payload changed its length.
    #[inline]
    pub(crate) unsafe fn handle(&self) -> ElementRef {
        ElementRef(self.0.ptr())
    }
}

impl ElementRef {
    /// The field or member.
    ///
    /// # Safety
    /// The element outlives `'a`.
    #[inline]
    pub(crate) unsafe fn key<'a>(self) -> &'a [u8] {
        // SAFETY: the element is there, so its header and key are as they were written at creation.
        unsafe {
            let [key_len, _] = ptr::read(self.0.as_ptr().cast::<[u32; 2]>());
            std::slice::from_raw_parts(self.0.as_ptr().add(HEADER), key_len as usize)
        }
    }
}

impl Clone for Element {
    fn clone(&self) -> Element {
        Element::new(self.key(), self.payload())
    }
}

impl Drop for Element {
    fn drop(&mut self) {
        let (key_len, payload_len) = self.lens();
        // SAFETY: the block was allocated with this very layout, and nothing uses it any more.
        unsafe { dealloc(self.0.ptr().as_ptr(), layout(key_len, payload_len)) }
    }
}

// SAFETY: an element is a `Thin` and reaches its block only through `Thin::ptr`.
unsafe impl Slot for Element {
    #[inline]
    fn key(&self) -> &[u8] {
        Element::key(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_changes_in_place_or_by_moving() {
        for key in [b"".as_slice(), b"field", &[7; 300]] {
            let mut element = Element::new(key, b"one");
            for payload in [b"two".as_slice(), b"", b"longer than before", b"x"] {
                element.set_payload(payload);
                assert_eq!((element.key(), element.payload()), (key, payload));
            }
        }
    }
}
