//! CLIENT TRACKING and its kin: how a client wants to hear that keys it holds have changed.

use super::{ANY_TIME, parse_on_off};
use crate::client::{Clients, Tracking};
use crate::command::*;
use crate::{FrontContext, FrontHandler, OwnerTask};

pub(super) static TRACKING: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "tracking",
        group: Group::Connection,
        summary: "Turns messages about changed keys on and off.",
        since: "6.0.0",
        complexity: "O(1). Some options may introduce additional complexity.",
        arity: -3,
        flags: ANY_TIME,
        categories: Categories::CONNECTION,
        args: &[
            Arg::one_of("status", &[Arg::flag("on", "ON"), Arg::flag("off", "OFF")]),
            Arg::integer("client-id").token("REDIRECT").optional(),
            Arg::string("prefix")
                .token("PREFIX")
                .optional()
                .multiple()
                .multiple_token(),
            Arg::flag("bcast", "BCAST").optional(),
            Arg::flag("optin", "OPTIN").optional(),
            Arg::flag("optout", "OPTOUT").optional(),
            Arg::flag("noloop", "NOLOOP").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(tracking),
};

pub(super) static CACHING: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "caching",
        group: Group::Connection,
        summary: "Chooses whether the keys of the next command are tracked.",
        since: "6.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: ANY_TIME,
        categories: Categories::CONNECTION,
        args: &[Arg::one_of(
            "mode",
            &[Arg::flag("yes", "YES"), Arg::flag("no", "NO")],
        )],
        ..CommandSpec::BLANK
    },
    body: Body::Run(caching),
};

pub(super) static GETREDIR: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "getredir",
        group: Group::Connection,
        summary: "Returns the connection that messages about changed keys go to.",
        since: "6.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: ANY_TIME,
        categories: Categories::CONNECTION,
        ..CommandSpec::BLANK
    },
    body: Body::Run(getredir),
};

pub(super) static TRACKINGINFO: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "trackinginfo",
        group: Group::Connection,
        summary: "Returns how the connection tracks keys.",
        since: "6.2.0",
        complexity: "O(1)",
        arity: 2,
        flags: ANY_TIME,
        categories: Categories::CONNECTION,
        ..CommandSpec::BLANK
    },
    body: Body::Run(trackinginfo),
};

fn tracking(cx: &mut FrontContext<'_>) -> CommandResult {
    let wanted = parse(&cx.args[3..], &cx.front.clients)?;
    let on = parse_on_off(cx.args[2])?;
    if on {
        check(&wanted, cx.client().tracking.as_deref())?;
    }
    let wanted = on.then(|| Box::new(wanted));
    cx.front.ask_owner(OwnerTask::Track(cx.client, wanted));
    cx.reply.ok();
    Ok(())
}

fn parse(words: &[&[u8]], clients: &Clients) -> Result<Tracking, CommandError> {
    let mut wanted = Tracking::default();
    let mut words = words.iter();
    while let Some(option) = words.next() {
        match option.to_ascii_lowercase().as_slice() {
            b"redirect" => {
                let word = words.next().ok_or(CommandError::Syntax)?;
                if wanted.redirect.is_some() {
                    return Err(CommandError::text(
                        "ERR A client can only redirect to a single other client",
                    ));
                }
                let id = u64::try_from(parse_integer(word)?).ok();
                let known = id.filter(|&id| clients.by_id(id).is_some());
                wanted.redirect = Some(known.ok_or(CommandError::text(
                    "ERR The client ID you want redirect to does not exist",
                ))?);
            }
            b"bcast" => wanted.bcast = true,
            b"optin" => wanted.optin = true,
            b"optout" => wanted.optout = true,
            b"noloop" => wanted.noloop = true,
            b"prefix" => {
                let prefix = words.next().ok_or(CommandError::Syntax)?;
                wanted.prefixes.push((*prefix).into());
            }
            _ => return Err(CommandError::Syntax),
        }
    }
    Ok(wanted)
}

/// Whether these choices go together, and with those a client made before.
fn check(wanted: &Tracking, present: Option<&Tracking>) -> CommandResult {
    let refuse = |text| Err(CommandError::text(text));
    if !wanted.bcast && !wanted.prefixes.is_empty() {
        return refuse("ERR PREFIX option requires BCAST mode to be enabled");
    }
    if present.is_some_and(|present| present.bcast != wanted.bcast) {
        return refuse(
            "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling \
             it with a different mode.",
        );
    }
    if wanted.bcast && (wanted.optin || wanted.optout) {
        return refuse("ERR OPTIN and OPTOUT are not compatible with BCAST");
    }
    if wanted.optin && wanted.optout {
        return refuse("ERR You can't specify both OPTIN mode and OPTOUT mode");
    }
    if present
        .is_some_and(|present| (wanted.optin && present.optout) || (wanted.optout && present.optin))
    {
        return refuse(
            "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling \
             it with a different mode.",
        );
    }
    let existing = present.map_or(&[][..], |present| &present.prefixes);
    check_prefixes(&wanted.prefixes, existing)
}

/// A key must not be told twice to one client.
fn check_prefixes(wanted: &[Box<[u8]>], existing: &[Box<[u8]>]) -> CommandResult {
    let overlaps = |a: &[u8], b: &[u8]| a.starts_with(b) || b.starts_with(a);
    let complain = |prefix: &[u8], kind: &str, other: &[u8]| {
        Err(CommandError::quoting(&[
            b"ERR Prefix '",
            prefix,
            b"' overlaps with ",
            kind.as_bytes(),
            b" prefix '",
            other,
            b"'. Prefixes for a single client must not overlap.",
        ]))
    };
    for (index, prefix) in wanted.iter().enumerate() {
        if let Some(other) = existing.iter().find(|other| overlaps(prefix, other)) {
            return complain(prefix, "an existing", other);
        }
        let later = &wanted[index + 1..];
        if let Some(other) = later.iter().find(|other| overlaps(prefix, other)) {
            return complain(prefix, "another provided", other);
        }
    }
    Ok(())
}

fn caching(cx: &mut FrontContext<'_>) -> CommandResult {
    let word = cx.args[2].to_ascii_lowercase();
    let tracking = cx.client().tracking.as_deref_mut();
    let tracking = tracking.ok_or(CommandError::text(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
    ))?;
    match word.as_slice() {
        b"yes" if tracking.optin => tracking.caching = Some(true),
        b"yes" => {
            return Err(CommandError::text(
                "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
            ));
        }
        b"no" if tracking.optout => tracking.caching = Some(false),
        b"no" => {
            return Err(CommandError::text(
                "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
            ));
        }
        _ => return Err(CommandError::Syntax),
    }
    cx.reply.ok();
    Ok(())
}

/// The redirection as clients are told: -1 without tracking, 0 without redirection.
fn redirection(tracking: Option<&Tracking>) -> i64 {
    match tracking {
        None => -1,
        Some(tracking) => tracking.redirect.unwrap_or(0) as i64,
    }
}

fn getredir(cx: &mut FrontContext<'_>) -> CommandResult {
    let id = redirection(cx.client().tracking.as_deref());
    cx.reply.integer(id);
    Ok(())
}

fn trackinginfo(cx: &mut FrontContext<'_>) -> CommandResult {
    let tracking = cx.client().tracking.as_deref().cloned();
    let flags = flags(tracking.as_ref());
    cx.reply.map(3);
    cx.reply.bulk("flags");
    cx.reply.set(flags.len());
    for flag in flags {
        cx.reply.bulk(flag);
    }
    cx.reply.bulk("redirect");
    cx.reply.integer(redirection(tracking.as_ref()));
    cx.reply.bulk("prefixes");
    let prefixes = tracking.map_or(Vec::new(), |tracking| tracking.prefixes);
    cx.reply.array(prefixes.len());
    for prefix in &prefixes {
        cx.reply.bulk(prefix);
    }
    Ok(())
}

fn flags(tracking: Option<&Tracking>) -> Vec<&'static str> {
    let Some(tracking) = tracking else {
        return vec!["off"];
    };
    let flags = [
        (true, "on"),
        (tracking.bcast, "bcast"),
        (tracking.optin, "optin"),
        (
            tracking.optin && tracking.caching == Some(true),
            "caching-yes",
        ),
        (tracking.optout, "optout"),
        (
            tracking.optout && tracking.caching == Some(false),
            "caching-no",
        ),
        (tracking.noloop, "noloop"),
        (tracking.broken_redirect, "broken_redirect"),
    ];
    flags
        .into_iter()
        .filter(|(set, _)| *set)
        .map(|(_, name)| name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(words: &[&str]) -> Vec<Box<[u8]>> {
        words.iter().map(|word| word.as_bytes().into()).collect()
    }

    #[test]
    fn prefixes_of_one_client_do_not_overlap() {
        let check = |wanted: &[&str], existing: &[&str]| {
            check_prefixes(&prefixes(wanted), &prefixes(existing)).is_ok()
        };
        assert!(check(&["a:", "b:"], &["c:"]));
        assert!(!check(&["a:", "a:b"], &[]));
        assert!(!check(&["a:b", "a:"], &[]));
        assert!(!check(&["a:"], &["a:b"]));
        assert!(!check(&["", "x"], &[]));
        assert!(check(&[""], &[]));
    }
}
