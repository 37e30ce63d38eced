//! What every process does at its start and end: its log, its pid file, its supervisor; and what it says of itself.

use crate::clock::Clock;
use crate::syslog::Syslog;
use std::fmt::Write;
use std::fs::File;
use std::path::Path;

/// The version of Redis this process stands in for.
pub const REDIS_VERSION: &str = "7.0.15";

/// Opens the log: a file, or standard output for an empty path.
///
/// # Errors
/// Which file cannot be opened, and why.
pub fn open_log(path: &str, syslog: Option<Syslog>) -> Result<(), String> {
    let file = match path {
        "" => None,
        path => Some(
            File::options()
                .append(true)
                .create(true)
                .open(path)
                .map_err(|error| format!("Can't open the log file {path}: {error}"))?,
        ),
    };
    crate::log::configure(|log| (log.file, log.syslog) = (file, syslog));
    Ok(())
}

/// Writes the process's number to a file, unless the path is empty.
pub fn write_pidfile(path: &str) {
    if !path.is_empty()
        && let Err(error) = std::fs::write(Path::new(path), format!("{}\n", std::process::id()))
    {
        crate::log_warning!("Can't write the pid file {path}: {error}");
    }
}

/// Tells systemd (or whoever set NOTIFY_SOCKET) about the process's state, by the protocol of sd_notify(3).
pub fn notify_supervisor(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let sent = std::os::unix::net::UnixDatagram::unbound()
        .and_then(|socket| socket.send_to(state.as_bytes(), Path::new(&path)));
    if let Err(error) = sent {
        crate::log_warning!(
            "Can't notify the supervisor at {}: {error}",
            Path::new(&path).display()
        );
    }
}

/// 40 hexadecimal digits, by SplitMix64 from a random seed.
pub fn hex_id(seed: u64) -> String {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let digits: String = (0..3).map(|_| format!("{:016x}", next())).collect();
    digits[..40].to_string()
}

/// Appends one line of INFO.
macro_rules! field {
    ($out:expr, $name:expr, $value:expr) => {
        let _ = write!($out, "{}:{}\r\n", $name, $value);
    };
}

/// What INFO's Server section says differently in different processes.
pub struct ServerFacts<'a> {
    /// `standalone` or `sentinel`.
    pub mode: &'a str,
    pub run_id: &'a str,
    pub port: i64,
    pub hz: i64,
    pub lru_clock: u32,
    pub config_file: &'a str,
}

/// The fields of INFO's Server section.
pub fn server_section(clock: &Clock, facts: &ServerFacts<'_>, out: &mut String) {
    let uptime = clock.mono_ms() / 1000;
    field!(out, "redis_version", REDIS_VERSION);
    // Nothing here was built from Redis's repository: what names a build of it stays empty, in its form.
    field!(out, "redis_git_sha1", "00000000");
    field!(out, "redis_git_dirty", 0);
    field!(out, "redis_build_id", 0);
    field!(out, "redis_mode", facts.mode);
    field!(out, "os", operating_system());
    field!(out, "arch_bits", usize::BITS);
    field!(out, "monotonic_clock", "POSIX clock_gettime");
    field!(out, "multiplexing_api", "epoll");
    field!(out, "atomicvar_api", "rust-core");
    // No C compiler had a hand in it.
    field!(out, "gcc_version", "0.0.0");
    field!(out, "process_id", std::process::id());
    field!(out, "process_supervised", supervisor());
    field!(out, "run_id", facts.run_id);
    field!(out, "tcp_port", facts.port);
    field!(out, "server_time_usec", clock.now_us());
    field!(out, "uptime_in_seconds", uptime);
    field!(out, "uptime_in_days", uptime / 86_400);
    field!(out, "hz", facts.hz);
    field!(out, "configured_hz", facts.hz);
    field!(out, "lru_clock", facts.lru_clock);
    field!(out, "executable", executable());
    field!(out, "config_file", facts.config_file);
    field!(out, "io_threads_active", 0);
}

/// `Linux 6.1.0 x86_64`
fn operating_system() -> String {
    let name = rustix::system::uname();
    [name.sysname(), name.release(), name.machine()]
        .map(|part| part.to_string_lossy().into_owned())
        .join(" ")
}

/// Who started the process and wants to know when it is ready.
fn supervisor() -> &'static str {
    match std::env::var_os("NOTIFY_SOCKET") {
        Some(_) => "systemd",
        None => "no",
    }
}

fn executable() -> String {
    // Gone or hidden: then nobody can be told.
    let path = std::env::current_exe().unwrap_or_default();
    path.display().to_string()
}

/// The fields of INFO's CPU section: seconds of processor time.
pub fn cpu_section(out: &mut String) {
    use nix::sys::resource::{Usage, UsageWho, getrusage};
    use nix::sys::time::TimeVal;
    let groups = [
        ("", UsageWho::RUSAGE_SELF),
        ("_children", UsageWho::RUSAGE_CHILDREN),
        // The data thread is the one that asks.
        ("_main_thread", UsageWho::RUSAGE_THREAD),
    ];
    for (suffix, who) in groups {
        let usage = getrusage(who).ok();
        let seconds = |of: fn(&Usage) -> TimeVal| {
            let time = usage.as_ref().map_or(TimeVal::new(0, 0), of);
            format!("{}.{:06}", time.tv_sec(), time.tv_usec())
        };
        field!(
            out,
            format!("used_cpu_sys{suffix}"),
            seconds(Usage::system_time)
        );
        field!(
            out,
            format!("used_cpu_user{suffix}"),
            seconds(Usage::user_time)
        );
    }
}
