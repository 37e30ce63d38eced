//! The allocator's own settings and figures, by their names (jemalloc.net), for DEBUG MALLCTL.
#![allow(unsafe_code, reason = "names without a value have no safe wrapper")]

use std::ffi::{CStr, CString};
use std::io;
use std::ptr::null_mut;
use tikv_jemalloc_ctl::{Access, AsName, Error, Name};

fn wrong_name() -> io::Error {
    io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error())
}

fn system_error(_: Error) -> io::Error {
    wrong_name()
}

/// Reads a number of whatever width, after setting it if asked to.
///
/// # Errors
/// If there is no such name, or what it names is no number or cannot be set.
pub fn number(name: &[u8], set: Option<u64>) -> io::Result<u64> {
    let name = CString::new(name).map_err(|_| wrong_name())?;
    let name: &Name = name.as_bytes_with_nul().name();
    if let Some(value) = set {
        let wide = Access::<u64>::write(name, value).is_ok();
        let narrow = || Access::<u32>::write(name, value as u32).is_ok();
        if !wide && !narrow() {
            Access::<bool>::write(name, value != 0).map_err(system_error)?;
        }
    }
    let wide = Access::<u64>::read(name);
    let narrow = || Access::<u32>::read(name).map(u64::from);
    let flag = || Access::<bool>::read(name).map(u64::from);
    wide.or_else(|_| narrow())
        .or_else(|_| flag())
        .map_err(system_error)
}

/// What is done without a value: `thread.tcache.flush`.
///
/// # Errors
/// If there is no such name, or it wants a value.
pub fn act(name: &[u8]) -> io::Result<()> {
    let name = CString::new(name).map_err(|_| wrong_name())?;
    match without_value(&name) {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

fn without_value(name: &CStr) -> i32 {
    // SAFETY: the name ends in a zero byte, and the call neither reads nor writes memory of ours.
    unsafe { tikv_jemalloc_sys::mallctl(name.as_ptr(), null_mut(), null_mut(), null_mut(), 0) }
}

/// The version of the allocator: the one text that is read.
///
/// # Errors
/// If the name is another one.
pub fn text(name: &[u8]) -> io::Result<&'static str> {
    match name {
        b"version" => tikv_jemalloc_ctl::version::read().map_err(system_error),
        _ => Err(wrong_name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_width_are_read() {
        assert_eq!(number(b"arenas.page", None).ok(), Some(4096));
        assert!(number(b"arenas.narenas", None).is_ok_and(|count| count > 0));
        assert!(number(b"opt.abort", None).is_ok());
        for wrong in [b"nosuch".as_slice(), b"", b"arenas.page\0", b"\0"] {
            assert!(number(wrong, None).is_err());
        }
    }

    #[test]
    fn an_action_needs_no_value() {
        assert!(act(b"thread.tcache.flush").is_ok());
        assert!(act(b"nosuch").is_err());
        assert!(text(b"version").is_ok_and(|text| text.starts_with("5.")));
        assert!(text(b"nosuch").is_err());
    }
}
