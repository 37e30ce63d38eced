//! The title that `ps` shows: what `proc-title-template` makes of it, written over the process's own arguments.

use crate::config::{
    BIND, Config, PORT, PROC_TITLE_TEMPLATE, SET_PROC_TITLE, TLS_PORT, UNIXSOCKET,
};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

/// Fills in a template: `{name}` becomes what `lookup` knows of it. None if a name is unknown or a brace open.
pub(crate) fn expand(template: &str, lookup: impl Fn(&str) -> Option<String>) -> Option<String> {
    const NAMES: [&str; 7] = [
        "title",
        "listen-addr",
        "server-mode",
        "port",
        "tls-port",
        "unixsocket",
        "config-file",
    ];
    let mut title = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        if !NAMES.contains(&name) {
            return None;
        }
        title.push_str(before);
        title.push_str(&lookup(name)?);
        rest = after;
    }
    title.push_str(rest);
    Some(title.trim_end().to_string())
}

/// The title of a node that was called by this name.
fn title(config: &Config, called: &str) -> Option<String> {
    let port = config.integer(PORT);
    let bound = config.text(BIND);
    let address = bound.split_ascii_whitespace().next().unwrap_or("*");
    let socket = config.text(UNIXSOCKET);
    expand(config.text(PROC_TITLE_TEMPLATE), |name| {
        Some(match name {
            "title" => called.to_string(),
            "listen-addr" if port != 0 => format!("{address}:{port}"),
            "listen-addr" | "unixsocket" => socket.to_string(),
            "server-mode" => String::new(),
            "port" => port.to_string(),
            "tls-port" => config.integer(TLS_PORT).to_string(),
            _ => config.file.clone(),
        })
    })
}

/// Shows the title, if the configuration wants one; as much of it as the arguments had room for.
pub(crate) fn show(config: &Config) {
    if !config.bool(SET_PROC_TITLE) {
        return;
    }
    /// As the process was called; a title overwrites that.
    static CALLED: OnceLock<String> = OnceLock::new();
    let called = CALLED.get_or_init(|| std::env::args().next().unwrap_or_default());
    if let Some(title) = title(config, called)
        && let Err(error) = show_text(&title)
    {
        front::log_debug!("The process keeps its title: {error}");
    }
}

/// Shows a title: in memory of our own if the system lets us, else over the process's arguments, which nothing refers to
/// any more, as far as they reach.
fn show_text(title: &str) -> std::io::Result<()> {
    if own_memory::show(title) {
        return Ok(());
    }
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (start, end) = argument_area(&stat).ok_or(std::io::ErrorKind::InvalidData)?;
    let bytes = filled(title, (end - start) as usize);
    let memory = File::options().write(true).open("/proc/self/mem")?;
    memory.write_all_at(&bytes, start)
}

/// A title in so many bytes: cut if it is longer, wiped behind its end.
fn filled(title: &str, room: usize) -> Vec<u8> {
    let mut bytes = title.as_bytes()[..title.len().min(room.saturating_sub(1))].to_vec();
    bytes.resize(room, 0);
    bytes
}

mod own_memory {
    //! Lets the system look for the process's arguments in memory that is kept for them. That takes a capability which
    //! root has outside of containers.
    #![allow(unsafe_code, reason = "the system is told an address of ours")]

    use rustix::process::{VirtualMemoryMapAddress, set_virtual_memory_map_address};
    use std::ptr::NonNull;
    use std::sync::Mutex;

    /// Room for paths in a title.
    const BYTES: usize = 4096;

    enum Memory {
        Unknown,
        Ours(&'static mut [u8]),
        /// The system did not allow it.
        Refused,
    }

    static MEMORY: Mutex<Memory> = Mutex::new(Memory::Unknown);

    /// Whether the title is shown.
    pub(super) fn show(title: &str) -> bool {
        let mut memory = MEMORY
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Memory::Unknown = *memory {
            let bytes: &'static mut [u8] = Box::leak(vec![0; BYTES].into_boxed_slice());
            *memory = match offer(bytes) {
                true => Memory::Ours(bytes),
                false => Memory::Refused,
            };
        }
        match &mut *memory {
            Memory::Ours(bytes) => {
                // One byte behind the title must stay zero, or the system would go on into the environment.
                bytes.copy_from_slice(&super::filled(title, BYTES));
                true
            }
            Memory::Unknown | Memory::Refused => false,
        }
    }

    /// Tells the system where to look.
    fn offer(bytes: &mut [u8]) -> bool {
        let range = bytes.as_mut_ptr_range();
        let set = |what, address| {
            // SAFETY: the memory is leaked, so it stays valid and in place for good; the system only reads it, for
            // `/proc/<pid>/cmdline`. It refuses addresses whose start lies behind their end.
            unsafe { set_virtual_memory_map_address(what, NonNull::new(address)) }.is_ok()
        };
        // The heap lies below the stack, where the arguments were: start first keeps the order at every moment.
        set(VirtualMemoryMapAddress::ArgStart, range.start.cast())
            && set(VirtualMemoryMapAddress::ArgEnd, range.end.cast())
    }
}

/// Where the arguments begin and end, of a line of `/proc/<pid>/stat`.
fn argument_area(stat: &str) -> Option<(u64, u64)> {
    /// Fields after the name, which may itself contain anything and stands in parentheses.
    const START: usize = 45;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let (start, end) = (number(START)?, number(START + 1)?);
    (start != 0 && end > start).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_braces_are_filled_in_and_unknown_ones_refused() {
        let known = |name: &str| Some(format!("<{name}>"));
        assert_eq!(
            expand("TEST {title} {port}x", known).as_deref(),
            Some("TEST <title> <port>x")
        );
        assert_eq!(expand("plain", known).as_deref(), Some("plain"));
        assert_eq!(expand("{title} {nosuch}", known), None);
        assert_eq!(expand("{title", known), None);
    }

    #[test]
    fn the_default_title_is_name_and_address() {
        let mut config = Config::default();
        assert_eq!(
            title(&config, "redis-server").as_deref(),
            Some("redis-server *:6379")
        );
        config.set(BIND, &["127.0.0.1", "::1"]).unwrap();
        config.set(PORT, &["7000"]).unwrap();
        assert_eq!(
            title(&config, "redis-server").as_deref(),
            Some("redis-server 127.0.0.1:7000")
        );
    }

    #[test]
    fn a_title_is_cut_and_ends_in_a_zero_byte() {
        assert_eq!(filled("abc", 5), b"abc\0\0");
        assert_eq!(filled("abc", 3), b"ab\0");
        assert_eq!(filled("abc", 0), b"");
    }

    #[test]
    fn the_area_of_the_arguments_is_found_behind_any_name() {
        let fields: Vec<String> = (3..=52).map(|number| number.to_string()).collect();
        let stat = format!("1 (a) b) c) {}", fields.join(" "));
        assert_eq!(argument_area(&stat), Some((48, 49)));
        assert_eq!(argument_area("1 (a) S 1 2"), None);
    }
}
