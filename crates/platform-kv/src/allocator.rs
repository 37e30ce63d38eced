//! The allocator, and what it is told at start: memory comes in huge pages where the system offers them
//! (docs/decisions/0008-huge-pages.md).
#![allow(
    unsafe_code,
    reason = "the allocator finds its options by the name of a symbol"
)]

use std::ffi::{CStr, c_char};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A C string that all threads may read.
#[repr(transparent)]
struct Options(*const c_char);

// SAFETY: the text is a constant.
unsafe impl Sync for Options {}

const OPTIONS: &CStr = c"thp:always";

/// Read by the allocator before `main`; the variable `_RJEM_MALLOC_CONF` of the environment has the last word.
// SAFETY: the allocator declares this symbol, weakly, as a pointer to a C string, for programs to define.
#[used]
#[unsafe(export_name = "_rjem_malloc_conf")]
static MALLOC_CONF: Options = Options(OPTIONS.as_ptr());

#[cfg(test)]
mod tests {
    #[test]
    fn the_allocator_has_read_its_options() {
        let asked = std::env::var_os("_RJEM_MALLOC_CONF");
        assert_eq!(asked, None, "the environment overrides what is built in");
        // SAFETY: this option is a C string that lives as long as the process.
        let thp = unsafe { tikv_jemalloc_ctl::raw::read_str(b"opt.thp\0") };
        assert_eq!(thp, Ok(b"always\0".as_slice()));
    }
}
