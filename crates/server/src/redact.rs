//! Which words of a request are secrets: the slow log and MONITOR show `(redacted)` in their place.

use crate::config::{self, DirectiveFlag};

/// What stands for a secret.
const REDACTED: &[u8] = b"(redacted)";

/// The words of a request as they may be shown.
pub(crate) fn redacted<'a>(full_name: &str, args: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let mut shown = args.to_vec();
    for position in secrets(full_name, args) {
        if let Some(word) = shown.get_mut(position) {
            *word = REDACTED;
        }
    }
    shown
}

/// Positions of the secrets; the words may be anything, also too few.
fn secrets(full_name: &str, args: &[&[u8]]) -> Vec<usize> {
    match full_name {
        // More words are a mistake, not a password.
        "auth" if args.len() <= 3 => (1..args.len()).collect(),
        "acl|setuser" => (2..args.len()).collect(),
        "hello" => hello(args),
        "migrate" => migrate(args),
        "config|set" => config_set(args),
        _ => Vec::new(),
    }
}

fn hello(args: &[&[u8]]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 2;
    while let Some(option) = args.get(at) {
        if option.eq_ignore_ascii_case(b"auth") && at + 2 < args.len() {
            found.extend([at + 1, at + 2]);
            at += 3;
        } else if option.eq_ignore_ascii_case(b"setname") {
            at += 2;
        } else {
            break;
        }
    }
    found
}

fn migrate(args: &[&[u8]]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 6;
    while let Some(option) = args.get(at) {
        if option.eq_ignore_ascii_case(b"auth") {
            found.push(at + 1);
            at += 2;
        } else if option.eq_ignore_ascii_case(b"auth2") {
            found.extend([at + 1, at + 2]);
            at += 3;
        } else if option.eq_ignore_ascii_case(b"keys") {
            break;
        } else {
            at += 1;
        }
    }
    found
}

fn config_set(args: &[&[u8]]) -> Vec<usize> {
    let is_secret = |name: &[u8]| {
        let id = std::str::from_utf8(name).ok().and_then(config::by_name);
        id.is_some_and(|id| config::directive(id).has(DirectiveFlag::Sensitive))
    };
    (2..args.len())
        .step_by(2)
        .filter(|&at| is_secret(args[at]))
        .map(|at| at + 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(full_name: &str, request: &str) -> String {
        let args: Vec<&[u8]> = request.split(' ').map(str::as_bytes).collect();
        let words = redacted(full_name, &args);
        String::from_utf8_lossy(&words.join(&b' ')).replace("(redacted)", "*")
    }

    #[test]
    fn passwords_are_hidden_and_the_rest_is_not() {
        assert_eq!(shown("auth", "AUTH secret"), "AUTH *");
        assert_eq!(shown("auth", "AUTH user secret"), "AUTH * *");
        assert_eq!(shown("auth", "AUTH a b c"), "AUTH a b c");
        assert_eq!(
            shown("hello", "HELLO 3 SETNAME auth AUTH u p"),
            "HELLO 3 SETNAME auth AUTH * *"
        );
        assert_eq!(shown("hello", "HELLO 3 AUTH u"), "HELLO 3 AUTH u");
        assert_eq!(
            shown("acl|setuser", "ACL SETUSER u on >p"),
            "ACL SETUSER * * *"
        );
        assert_eq!(
            shown("migrate", "MIGRATE h 1 k 0 5 COPY AUTH2 u p KEYS auth x"),
            "MIGRATE h 1 k 0 5 COPY AUTH2 * * KEYS auth x"
        );
        assert_eq!(
            shown("migrate", "MIGRATE h 1 k 0 5 AUTH"),
            "MIGRATE h 1 k 0 5 AUTH"
        );
        assert_eq!(
            shown("config|set", "CONFIG SET port 1 RequirePass p masteruser"),
            "CONFIG SET port 1 RequirePass * masteruser"
        );
        assert_eq!(shown("set", "SET auth secret"), "SET auth secret");
    }
}
