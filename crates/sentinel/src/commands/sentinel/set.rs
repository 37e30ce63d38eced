//! SENTINEL SET: options of one master. Those before one that cannot be set stay set.

use super::{spec, subcommand};
use crate::commands::prelude::*;
use crate::config_file::may_run;

pub(super) static SET: Command = subcommand(
    CommandSpec {
        complexity: "O(1)",
        ..spec(
            "set",
            -5,
            "2.8.4",
            "Sets options of a master.",
            &[
                Arg::string("master-name"),
                Arg::block(
                    "option_value",
                    &[Arg::string("option"), Arg::string("value")],
                )
                .multiple(),
            ],
        )
    },
    set,
);

fn set(cx: &mut SentinelContext<'_>) -> CommandResult {
    let name = cx.master(cx.args[2])?.instance.name.clone();
    let words: Vec<String> = cx.args[3..]
        .iter()
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let mut rest = words.as_slice();
    let mut changed = false;
    let mut result = Ok(());
    while let [option, values @ ..] = rest {
        let option = option.to_ascii_lowercase();
        let count = if option == "rename-command" { 2 } else { 1 };
        if values.len() < count {
            result = Err(CommandError::err(format_args!(
                "Unknown option or number of arguments for SENTINEL SET '{option}'"
            )));
            break;
        }
        let (values, after) = values.split_at(count);
        if let Err(error) = set_one(cx, &name, &option, values) {
            result = Err(error);
            break;
        }
        changed = true;
        rest = after;
    }
    match result {
        Ok(()) => cx.save_and_reply(),
        Err(error) => {
            if changed {
                cx.sentinel.save();
            }
            Err(error)
        }
    }
}

fn set_one(
    cx: &mut SentinelContext<'_>,
    name: &str,
    option: &str,
    values: &[String],
) -> CommandResult {
    let core = &mut cx.sentinel.core;
    let invalid = || {
        CommandError::err(format_args!(
            "Invalid argument '{}' for SENTINEL SET '{option}'",
            values.last().map(String::as_str).unwrap_or_default()
        ))
    };
    if matches!(option, "notification-script" | "client-reconfig-script") {
        if !core.options.scripts_may_change {
            return Err(CommandError::text(
                "ERR Reconfiguration of scripts path is denied for security reasons. Check the \
                 deny-scripts-reconfig configuration directive in your Sentinel configuration",
            ));
        }
        if !values[0].is_empty() && !may_run(&values[0]) {
            let kind = match option {
                "notification-script" => "Notification",
                _ => "Client reconfiguration",
            };
            return Err(CommandError::err(format_args!(
                "{kind} script seems non existing or non executable"
            )));
        }
    }
    if !SETTABLE.contains(&option) {
        return Err(CommandError::err(format_args!(
            "Unknown option or number of arguments for SENTINEL SET '{option}'"
        )));
    }
    core.set_option(name, option, values, &may_run)
        .map_err(|_| invalid())
}

const SETTABLE: &[&str] = &[
    "down-after-milliseconds",
    "failover-timeout",
    "parallel-syncs",
    "notification-script",
    "client-reconfig-script",
    "auth-pass",
    "auth-user",
    "quorum",
    "rename-command",
    "master-reboot-down-after-period",
    "refused-down-after-milliseconds",
    "coordinated-failover",
];
