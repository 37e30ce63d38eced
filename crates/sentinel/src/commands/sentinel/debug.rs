//! SENTINEL DEBUG and SIMULATE-FAILURE: for tests of what happens when things are slow, or end.

use super::{spec, subcommand};
use crate::commands::prelude::*;

pub(super) static DEBUG: Command = subcommand(
    CommandSpec {
        complexity: "O(N) where N is the number of configurable parameters",
        ..spec(
            "debug",
            -2,
            "7.0.0",
            "Shows or changes the periods of this Sentinel.",
            &[Arg::block(
                "parameter_value",
                &[Arg::string("parameter"), Arg::string("value")],
            )
            .optional()
            .multiple()],
        )
    },
    debug,
);

pub(super) static SIMULATE_FAILURE: Command = subcommand(
    spec(
        "simulate-failure",
        -3,
        "3.2.0",
        "Ends this Sentinel in the middle of its next failover.",
        &[Arg::one_of(
            "mode",
            &[
                Arg::flag("crash-after-election", "CRASH-AFTER-ELECTION"),
                Arg::flag("crash-after-promotion", "CRASH-AFTER-PROMOTION"),
                Arg::flag("help", "HELP"),
            ],
        )
        .optional()
        .multiple()],
    ),
    simulate_failure,
);

fn debug(cx: &mut SentinelContext<'_>) -> CommandResult {
    let core = &mut cx.sentinel.core;
    if cx.args.len() == 2 {
        let periods = core.periods.named();
        cx.reply.map(periods.len());
        for (name, value) in periods {
            cx.reply.bulk(name);
            cx.reply.bulk(value.to_string());
        }
        return Ok(());
    }
    for pair in cx.args[2..].chunks(2) {
        let [name, value] = *pair else {
            return Err(CommandError::quoting(&[
                b"ERR Unknown option or number of arguments for SENTINEL DEBUG '",
                pair[0],
                b"'",
            ]));
        };
        let period = core
            .periods
            .named()
            .into_iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
        let Some((_, period)) = period else {
            return Err(CommandError::quoting(&[
                b"ERR Unknown option or number of arguments for SENTINEL DEBUG '",
                name,
                b"'",
            ]));
        };
        let time = parse_integer(value).ok().filter(|&time| time > 0);
        let Some(time) = time else {
            return Err(CommandError::quoting(&[
                b"ERR Invalid argument '",
                value,
                b"' for SENTINEL DEBUG '",
                name,
                b"'",
            ]));
        };
        *period = time as u64;
    }
    cx.reply.ok();
    Ok(())
}

fn simulate_failure(cx: &mut SentinelContext<'_>) -> CommandResult {
    let core = &mut cx.sentinel.core;
    core.simulated = Default::default();
    for word in &cx.args[2..] {
        match word.to_ascii_lowercase().as_slice() {
            b"crash-after-election" => core.simulated.crash_after_election = true,
            b"crash-after-promotion" => core.simulated.crash_after_promotion = true,
            b"help" => {
                cx.reply.array(2);
                cx.reply.bulk("crash-after-election");
                cx.reply.bulk("crash-after-promotion");
                return Ok(());
            }
            _ => {
                return Err(CommandError::text(
                    "ERR Unknown failure simulation specified",
                ));
            }
        }
    }
    cx.reply.ok();
    Ok(())
}
