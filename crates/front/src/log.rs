//! The server log in Redis's line format (`pid:role date level text`), which people and tools parse, or as JSON lines.

use crate::clock::Clock;
use crate::syslog::Syslog;
use std::fmt::Arguments;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::Mutex;

/// Severity, by the names of `loglevel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Verbose,
    Notice,
    Warning,
}

/// What the log is and where it goes.
pub struct Settings {
    pub level: Level,
    /// `M` master, `S` replica, `X` Sentinel, `C` a helper.
    pub role: char,
    pub json: bool,
    /// None: standard output.
    pub file: Option<File>,
    /// The system log gets every line too.
    pub syslog: Option<Syslog>,
}

static SETTINGS: Mutex<Settings> = Mutex::new(Settings {
    level: Level::Notice,
    role: 'M',
    json: false,
    file: None,
    syslog: None,
});

/// Changes the settings.
pub fn configure(change: impl FnOnce(&mut Settings)) {
    change(
        &mut SETTINGS
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()),
    );
}

/// The system's words, without the error number.
pub fn io_reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_string()
}

/// Writes one line, if the level is wanted.
pub fn write(level: Level, text: Arguments<'_>) {
    let mut settings = SETTINGS
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    if level < settings.level {
        return;
    }
    let now = Clock::new().now();
    let pid = std::process::id();
    let role = settings.role;
    let line = if settings.json {
        let level = match level {
            Level::Debug => "debug",
            Level::Verbose => "verbose",
            Level::Notice => "notice",
            Level::Warning => "warning",
        };
        let text = json_escape(&text.to_string());
        format!(
            "{{\"time\":\"{}\",\"pid\":{pid},\"role\":\"{role}\",\"level\":\"{level}\",\"message\":\"{text}\"}}\n",
            format_time(now, true)
        )
    } else {
        let mark = match level {
            Level::Debug => '.',
            Level::Verbose => '-',
            Level::Notice => '*',
            Level::Warning => '#',
        };
        format!("{pid}:{role} {} {mark} {text}\n", format_time(now, false))
    };
    if let Some(syslog) = &settings.syslog {
        syslog.send(level, now, &text.to_string());
    }
    // A log that cannot be written has nowhere to complain.
    let _ = match &mut settings.file {
        Some(file) => file.write_all(line.as_bytes()),
        None => {
            let mut out = std::io::stdout().lock();
            out.write_all(line.as_bytes()).and_then(|()| out.flush())
        }
    };
}

fn json_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `24 Nov 2026 00:01:17.123`, or RFC 3339; UTC.
fn format_time(unix_ms: i64, rfc3339: bool) -> String {
    let days = unix_ms.div_euclid(86_400_000);
    let ms = unix_ms.rem_euclid(86_400_000);
    let (year, month, day) = civil_from_days(days);
    let (h, m, s, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    if rfc3339 {
        format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{ms:03}Z")
    } else {
        format!(
            "{day:02} {} {year} {h:02}:{m:02}:{s:02}.{ms:03}",
            MONTHS[month as usize - 1]
        )
    }
}

/// `Nov 24 00:01:17`, the day padded with a space; UTC.
pub(crate) fn month_day_and_time(unix_ms: i64) -> String {
    let (_, month, day) = civil_from_days(unix_ms.div_euclid(86_400_000));
    let seconds = unix_ms.rem_euclid(86_400_000) / 1000;
    format!(
        "{} {day:2} {:02}:{:02}:{:02}",
        MONTHS[month as usize - 1],
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// A second way to where the log goes, for a crash handler.
///
/// # Errors
/// When the system has no descriptor left.
pub fn duplicate() -> std::io::Result<File> {
    let settings = SETTINGS
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    match &settings.file {
        Some(file) => file.try_clone(),
        None => Ok(File::from(std::io::stdout().as_fd().try_clone_to_owned()?)),
    }
}

/// Year, month and day of a day number since 1970-01-01, by Howard Hinnant's `civil_from_days`.
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

/// Logs at debug level.
#[macro_export]
macro_rules! log_debug { ($($arg:tt)*) => { $crate::log::write($crate::log::Level::Debug, format_args!($($arg)*)) } }
/// Logs at verbose level.
#[macro_export]
macro_rules! log_verbose { ($($arg:tt)*) => { $crate::log::write($crate::log::Level::Verbose, format_args!($($arg)*)) } }
/// Logs at notice level.
#[macro_export]
macro_rules! log_notice { ($($arg:tt)*) => { $crate::log::write($crate::log::Level::Notice, format_args!($($arg)*)) } }
/// Logs at warning level.
#[macro_export]
macro_rules! log_warning { ($($arg:tt)*) => { $crate::log::write($crate::log::Level::Warning, format_args!($($arg)*)) } }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_the_date_as_redis_does() {
        assert_eq!(
            format_time(1_795_478_477_123, false),
            "24 Nov 2026 00:01:17.123"
        );
        assert_eq!(
            format_time(951_782_400_000, true),
            "2000-02-29T00:00:00.000Z"
        );
    }
}
