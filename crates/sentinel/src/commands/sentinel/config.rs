//! SENTINEL CONFIG and FLUSHCONFIG: what holds for all groups, and writing it down.

use super::{spec, subcommand};
use crate::commands::prelude::*;
use crate::core::Options;

pub(super) static CONFIG: Command = subcommand(
    CommandSpec {
        complexity: "O(N) when N is the number of configuration parameters provided",
        ..spec(
            "config",
            -3,
            "6.2.0",
            "Shows or sets what holds for all groups.",
            &[Arg::one_of(
                "set_or_get",
                &[
                    Arg::block(
                        "parameter_value",
                        &[Arg::string("parameter"), Arg::string("value")],
                    )
                    .multiple()
                    .token("SET"),
                    Arg::block("parameter", &[Arg::string("parameter")])
                        .multiple()
                        .token("GET"),
                ],
            )],
        )
    },
    config,
);

pub(super) static FLUSHCONFIG: Command = subcommand(
    CommandSpec {
        complexity: "O(1)",
        ..spec(
            "flushconfig",
            2,
            "2.8.4",
            "Writes the state to the configuration file.",
            &[],
        )
    },
    flushconfig,
);

fn flushconfig(cx: &mut SentinelContext<'_>) -> CommandResult {
    cx.save_and_reply()
}

type Parameter = (
    &'static str,
    fn(&Options) -> String,
    fn(&mut Options, &str) -> Option<()>,
);

const PARAMETERS: &[Parameter] = &[
    (
        "resolve-hostnames",
        |options| yes_no(options.resolve_hostnames),
        |options, value| {
            options.resolve_hostnames = parse_yes_no(value)?;
            Some(())
        },
    ),
    (
        "announce-hostnames",
        |options| yes_no(options.announce_hostnames),
        |options, value| {
            options.announce_hostnames = parse_yes_no(value)?;
            Some(())
        },
    ),
    (
        "announce-ip",
        |options| options.announce_ip.clone(),
        |options, value| {
            options.announce_ip = value.to_string();
            Some(())
        },
    ),
    (
        "announce-port",
        |options| options.announce_port.to_string(),
        |options, value| {
            options.announce_port = value.parse().ok()?;
            Some(())
        },
    ),
    (
        "sentinel-user",
        |options| options.sentinel_user.clone(),
        |options, value| {
            options.sentinel_user = value.to_string();
            Some(())
        },
    ),
    (
        "sentinel-pass",
        |options| options.sentinel_pass.clone(),
        |options, value| {
            options.sentinel_pass = value.to_string();
            Some(())
        },
    ),
];

fn yes_no(on: bool) -> String {
    if on { "yes" } else { "no" }.to_string()
}

fn parse_yes_no(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn config(cx: &mut SentinelContext<'_>) -> CommandResult {
    match cx.args {
        [_, _, word, pattern] if word.eq_ignore_ascii_case(b"get") => {
            let options = &cx.sentinel.core.options;
            let found: Vec<&Parameter> = PARAMETERS
                .iter()
                .filter(|(name, ..)| front::glob::matches(pattern, name.as_bytes(), true))
                .collect();
            cx.reply.map(found.len());
            for (name, get, _) in found {
                cx.reply.bulk(name);
                cx.reply.bulk(get(options));
            }
            Ok(())
        }
        [_, _, word, name, value] if word.eq_ignore_ascii_case(b"set") => {
            set(cx, &name.to_ascii_lowercase(), value)
        }
        _ => Err(CommandError::text(
            "ERR Only SENTINEL CONFIG GET <option> / SET <option> <value> are supported.",
        )),
    }
}

fn set(cx: &mut SentinelContext<'_>, name: &[u8], value: &[u8]) -> CommandResult {
    let parameter = PARAMETERS
        .iter()
        .find(|(known, ..)| known.as_bytes() == name);
    let Some((known, _, set)) = parameter else {
        return Err(CommandError::quoting(&[
            b"ERR Invalid argument '",
            name,
            b"' to SENTINEL CONFIG SET",
        ]));
    };
    let text = String::from_utf8_lossy(value);
    let core = &mut cx.sentinel.core;
    if set(&mut core.options, &text).is_none() {
        return Err(CommandError::quoting(&[
            b"ERR Invalid value '",
            value,
            b"' to SENTINEL CONFIG SET '",
            name,
            b"'",
        ]));
    }
    if matches!(*known, "sentinel-user" | "sentinel-pass") {
        // They count where a connection begins.
        core.reconnect_peers();
    }
    cx.save_and_reply()
}
