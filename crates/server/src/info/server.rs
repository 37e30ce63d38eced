//! The Server section.

use crate::config;
use crate::server::Server;
use crate::start::REDIS_VERSION;
use std::fmt::Write;
use store::db::lru_clock;

pub(super) fn server(server: &Server, out: &mut String) {
    let clock = &server.front.clock;
    let uptime = clock.mono_ms() / 1000;
    let hz = server.config.integer(config::HZ);
    field!(out, "redis_version", REDIS_VERSION);
    // Nothing here was built from Redis's repository: what names a build of it stays empty, in its form.
    field!(out, "redis_git_sha1", "00000000");
    field!(out, "redis_git_dirty", 0);
    field!(out, "redis_build_id", 0);
    field!(out, "redis_mode", "standalone");
    field!(out, "os", operating_system());
    field!(out, "arch_bits", usize::BITS);
    field!(out, "monotonic_clock", "POSIX clock_gettime");
    field!(out, "multiplexing_api", "epoll");
    field!(out, "atomicvar_api", "rust-core");
    // No C compiler had a hand in it.
    field!(out, "gcc_version", "0.0.0");
    field!(out, "process_id", std::process::id());
    field!(out, "process_supervised", supervisor());
    field!(out, "run_id", server.run_id);
    field!(out, "tcp_port", server.config.integer(config::PORT));
    field!(out, "server_time_usec", clock.now_us());
    field!(out, "uptime_in_seconds", uptime);
    field!(out, "uptime_in_days", uptime / 86_400);
    field!(out, "hz", hz);
    field!(out, "configured_hz", hz);
    field!(out, "lru_clock", lru_clock(clock.now()));
    field!(out, "executable", executable());
    field!(out, "config_file", server.config.file);
    field!(out, "io_threads_active", 0);
    if let Some(pending) = &server.shutdown {
        let left = pending.milliseconds_left(clock.mono_ms());
        field!(out, "shutdown_in_milliseconds", left);
    }
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
