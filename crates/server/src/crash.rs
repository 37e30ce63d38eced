//! What a crash leaves in the log: a report that people and tools look for, before the process ends as it would have.
//!
//! A panic is a mistake found in time to speak of it: place, message and backtrace go into the log. A fatal signal leaves
//! no more than its number, for a handler may call next to nothing.
#![allow(
    unsafe_code,
    reason = "handlers of fatal signals cannot be registered safely"
)]

use crate::start::REDIS_VERSION;
use signal_hook::consts::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
use std::backtrace::Backtrace;
use std::fs::File;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

const REPORT_START: &str =
    "=== REDIS BUG REPORT START: please send all lines up to its end with your report ===";
const REPORT_END: &str = "=== REDIS BUG REPORT END ===";

/// Signals that end a process because something in it is broken.
const FATAL: [i32; 5] = [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT];

/// `crash-log-enabled`
static ENABLED: AtomicBool = AtomicBool::new(true);
/// `use-exit-on-panic`: end without SIGABRT, which would leave a core file.
static EXIT_ON_PANIC: AtomicBool = AtomicBool::new(false);
/// The report of a panic is out; the SIGABRT that follows adds nothing.
static REPORTED: AtomicBool = AtomicBool::new(false);
/// Where handlers write.
static LOG: OnceLock<File> = OnceLock::new();

/// Follows the configuration.
pub(crate) fn configure(enabled: bool, exit_on_panic: bool) {
    ENABLED.store(enabled, Ordering::Relaxed);
    EXIT_ON_PANIC.store(exit_on_panic, Ordering::Relaxed);
}

/// Makes crashes of this process leave a report.
///
/// # Errors
/// When the system refuses a handler.
pub(crate) fn install() -> std::io::Result<()> {
    let log = front::log::duplicate()?;
    LOG.get_or_init(|| log);
    std::panic::set_hook(Box::new(report_panic));
    for signal in FATAL {
        // SAFETY: `report_signal` only writes bytes that are on its stack or static, and ends the process by the signal's
        // own action; none of that takes a lock or allocates.
        unsafe {
            signal_hook_registry::register_unchecked(signal, move |_| report_signal(signal))
        }?;
    }
    Ok(())
}

fn report_panic(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map(ToString::to_string);
    let place = place.unwrap_or_default();
    let kind = match message.starts_with("assertion") {
        true => "=== ASSERTION FAILED ===",
        false => "------ Guru Meditation: a panic that nobody foresaw ------",
    };
    front::log_warning!("{REPORT_START}");
    front::log_warning!("{kind}");
    front::log_warning!("==> {place}: {message}");
    if ENABLED.load(Ordering::Relaxed) {
        front::log_warning!(
            "platform-kv {} for Redis {REDIS_VERSION}\n------ STACK TRACE ------\n{}",
            env!("CARGO_PKG_VERSION"),
            Backtrace::force_capture()
        );
    }
    front::log_warning!("{REPORT_END}");
    REPORTED.store(true, Ordering::Relaxed);
    // A helper thread that panicked leaves its work undone: going on without it would only look well.
    match EXIT_ON_PANIC.load(Ordering::Relaxed) {
        #[allow(
            clippy::disallowed_methods,
            reason = "the state is broken: nothing may run any more"
        )]
        true => std::process::exit(1),
        false => std::process::abort(),
    }
}

/// Runs in a signal handler: no locks, no allocation.
fn report_signal(signal: i32) {
    if ENABLED.load(Ordering::Relaxed) && !REPORTED.swap(true, Ordering::Relaxed) {
        let (mut pid, mut number) = (itoa::Buffer::new(), itoa::Buffer::new());
        let parts = [
            "\n\n",
            REPORT_START,
            "\n",
            pid.format(std::process::id()),
            ":M # platform-kv ",
            env!("CARGO_PKG_VERSION"),
            " for Redis ",
            REDIS_VERSION,
            " crashed by signal: ",
            number.format(signal),
            "\n",
            REPORT_END,
            "\n",
        ];
        if let Some(log) = LOG.get() {
            for part in parts {
                // There is nobody left to tell.
                let _ = rustix::io::write(log, part.as_bytes());
            }
        }
    }
    // Ends the process by the signal, so that whoever waits for it sees why, and a core file is written if wanted.
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}
