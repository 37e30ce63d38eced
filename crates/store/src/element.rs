//! An element of a big hash, set or sorted set: a key and a payload in one allocation.
//!
//! ```text
//! key length (4) | payload length (3) | epoch (1) | long payload length (8, if 3 bytes do not hold it) | key | payload
//! ```
#![allow(
    unsafe_code,
    reason = "one allocation per element, behind a thin pointer, is what keeps big values small"
)]

use crate::table::{Slot, Thin};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::{self, NonNull};

#[repr(C)]
#[derive(Clone, Copy)]
struct Header {
    key_len: u32,
    payload_len: [u8; 3],
    epoch: u8,
}

const HEADER: usize = size_of::<Header>();
const ALIGN: usize = 8;
/// In place of the payload's length when that follows the header.
const LONG_PAYLOAD: usize = 0xff_ffff;
const LONG_PAYLOAD_LEN: usize = size_of::<u64>();

/// See the module.
#[repr(transparent)]
pub struct Element(Thin);

// SAFETY: an element owns its block, which holds nothing but bytes.
unsafe impl Send for Element {}

/// Where the key starts.
#[inline]
fn key_at(payload_len: usize) -> usize {
    if payload_len < LONG_PAYLOAD {
        HEADER
    } else {
        HEADER + LONG_PAYLOAD_LEN
    }
}

fn layout(key_len: usize, payload_len: usize) -> Layout {
    Layout::from_size_align(key_at(payload_len) + key_len + payload_len, ALIGN)
        .expect("elements are far below isize::MAX")
}

impl Element {
    /// # Panics
    /// If the key is 4 GiB or longer, which no request can be.
    pub fn new(key: &[u8], payload: &[u8]) -> Element {
        let key_len = u32::try_from(key.len()).expect("arguments are below 4 GiB");
        let short = payload.len().min(LONG_PAYLOAD) as u32;
        let [low, middle, high, _] = short.to_le_bytes();
        let header = Header {
            key_len,
            payload_len: [low, middle, high],
            epoch: 0,
        };
        let layout = layout(key.len(), payload.len());
        let key_at = key_at(payload.len());
        // SAFETY: the layout has room for the header, a long payload's length, the key and the payload, which are all
        // written here.
        unsafe {
            let Some(block) = NonNull::new(alloc(layout)) else {
                handle_alloc_error(layout)
            };
            let base = block.as_ptr();
            ptr::write(base.cast::<Header>(), header);
            if key_at > HEADER {
                ptr::write(base.add(HEADER).cast::<u64>(), payload.len() as u64);
            }
            ptr::copy_nonoverlapping(key.as_ptr(), base.add(key_at), key.len());
            ptr::copy_nonoverlapping(
                payload.as_ptr(),
                base.add(key_at + key.len()),
                payload.len(),
            );
            Element(Thin::new(block))
        }
    }

    #[inline]
    fn header(&self) -> Header {
        // SAFETY: the header was written at creation.
        unsafe { ptr::read(self.0.ptr().as_ptr().cast::<Header>()) }
    }

    #[inline]
    fn lens(&self) -> (usize, usize) {
        let header = self.header();
        let [low, middle, high] = header.payload_len;
        let short = u32::from_le_bytes([low, middle, high, 0]) as usize;
        let payload = if short < LONG_PAYLOAD {
            short
        } else {
            // SAFETY: the mark says that the length follows the header.
            unsafe { ptr::read(self.0.ptr().as_ptr().add(HEADER).cast::<u64>()) as usize }
        };
        (header.key_len as usize, payload)
    }

    /// The field or member.
    #[inline]
    pub fn key(&self) -> &[u8] {
        let (key_len, payload_len) = self.lens();
        // SAFETY: the key's bytes were written there at creation.
        unsafe {
            std::slice::from_raw_parts(self.0.ptr().as_ptr().add(key_at(payload_len)), key_len)
        }
    }

    /// What belongs to it: a hash field's value, nothing for a set.
    #[inline]
    pub fn payload(&self) -> &[u8] {
        let (key_len, payload_len) = self.lens();
        // SAFETY: the payload's bytes follow the key's.
        unsafe {
            std::slice::from_raw_parts(
                self.0.ptr().as_ptr().add(key_at(payload_len) + key_len),
                payload_len,
            )
        }
    }

    /// The stamp of the snapshot that last dealt with it.
    #[inline]
    pub(crate) fn epoch(&self) -> u8 {
        self.header().epoch
    }

    #[inline]
    pub(crate) fn set_epoch(&mut self, epoch: u8) {
        let header = Header {
            epoch,
            ..self.header()
        };
        // SAFETY: the block starts with the header, and `&mut self` is the only access.
        unsafe { ptr::write(self.0.ptr().as_ptr().cast::<Header>(), header) }
    }

    /// Changes the payload: in place if it has the same length. The epoch stays.
    pub fn set_payload(&mut self, payload: &[u8]) {
        let (key_len, payload_len) = self.lens();
        if payload.len() == payload_len {
            // SAFETY: the payload has exactly this many bytes; the source is borrowed elsewhere, so it is not this block.
            unsafe {
                ptr::copy_nonoverlapping(
                    payload.as_ptr(),
                    self.0.ptr().as_ptr().add(key_at(payload_len) + key_len),
                    payload_len,
                );
            }
        } else {
            let epoch = self.epoch();
            *self = Element::new(self.key(), payload);
            self.set_epoch(epoch);
        }
    }

    /// Bytes of its allocation.
    pub fn allocated_bytes(&self) -> usize {
        let (key_len, payload_len) = self.lens();
        layout(key_len, payload_len).size()
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
    fn a_payload_changes_in_place_or_by_moving_and_the_epoch_stays() {
        let longest_short = vec![1; LONG_PAYLOAD - 1];
        let long = vec![2; LONG_PAYLOAD];
        for key in [b"".as_slice(), b"field", &[7; 300]] {
            let mut element = Element::new(key, b"one");
            element.set_epoch(9);
            for payload in [b"two".as_slice(), b"", &longest_short, &long, &long, b"x"] {
                element.set_payload(payload);
                assert_eq!(element.key(), key);
                assert!(element.payload() == payload);
                assert_eq!(element.epoch(), 9);
            }
        }
    }
}
