//! Descriptors: each client needs one, and the system grants a process only so many.

use crate::config::{Config, MAXCLIENTS};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors beside those of clients: listeners, log, files being written, replication.
const RESERVED: u64 = 32;

/// Raises the system's limit so that this many clients fit; returns how many do.
pub(crate) fn allow_clients(wanted: u64) -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let needed = wanted.saturating_add(RESERVED);
    let Some(present) = limit.current.filter(|&present| present < needed) else {
        return wanted;
    };
    let raise_to = |files: u64| {
        let hard = limit.maximum.map(|maximum| maximum.max(files));
        let wanted = Rlimit {
            current: Some(files),
            maximum: hard,
        };
        setrlimit(Resource::Nofile, wanted).is_ok()
    };
    if raise_to(needed) {
        return wanted;
    }
    // Without the right to more than the hard limit, that is what there is.
    let most = limit.maximum.unwrap_or(present);
    let granted = match most > present && raise_to(most) {
        true => most,
        false => present,
    };
    granted.saturating_sub(RESERVED).min(wanted)
}

/// Lowers `maxclients` to what the system grants, at start.
///
/// # Errors
/// When it grants not even one client.
pub(crate) fn fit_clients(config: &mut Config) -> Result<(), String> {
    let wanted = config.integer(MAXCLIENTS);
    let allowed = allow_clients(wanted as u64) as i64;
    if allowed == wanted {
        return Ok(());
    }
    front::log_warning!(
        "maxclients {wanted} needs {} open files, more than the system grants (ulimit -n): it is {allowed} instead.",
        wanted as u64 + RESERVED
    );
    config
        .set(MAXCLIENTS, &[&allowed.to_string()])
        .map_err(|_| "The limit of open files (ulimit -n) is too low to serve any client.".into())
}
