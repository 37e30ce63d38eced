//! The title that `ps` shows: what `proc-title-template` makes of it, written over the process's own arguments.

use crate::config::{
    BIND, Config, PORT, PROC_TITLE_TEMPLATE, SET_PROC_TITLE, TLS_PORT, UNIXSOCKET,
};
use std::fs::File;
use std::os::unix::fs::FileExt;

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
    let called = std::env::args().next().unwrap_or_default();
    if let Some(title) = title(config, called.split('\0').next().unwrap_or_default())
        && let Err(error) = overwrite_arguments(&title)
    {
        front::log_debug!("The process keeps its title: {error}");
    }
}

/// Writes over the memory in which the system keeps the process's arguments, which nothing refers to any more.
fn overwrite_arguments(title: &str) -> std::io::Result<()> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (start, end) = argument_area(&stat).ok_or(std::io::ErrorKind::InvalidData)?;
    let room = (end - start) as usize;
    // A zero byte ends the title, and the rest is wiped.
    let mut bytes = title.as_bytes()[..title.len().min(room.saturating_sub(1))].to_vec();
    bytes.resize(room, 0);
    let memory = File::options().write(true).open("/proc/self/mem")?;
    memory.write_all_at(&bytes, start)
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
    fn the_area_of_the_arguments_is_found_behind_any_name() {
        let fields: Vec<String> = (3..=52).map(|number| number.to_string()).collect();
        let stat = format!("1 (a) b) c) {}", fields.join(" "));
        assert_eq!(argument_area(&stat), Some((48, 49)));
        assert_eq!(argument_area("1 (a) S 1 2"), None);
    }
}
