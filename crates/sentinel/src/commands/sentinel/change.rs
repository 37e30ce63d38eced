//! SENTINEL commands that change what is watched, and who the master is.

use super::{spec, subcommand};
use crate::commands::prelude::*;
use crate::core::{FailoverRefused, MonitorError};

pub(super) static FAILOVER: Command = subcommand(
    spec(
        "failover",
        3,
        "2.8.4",
        "Replaces a master now.",
        &[Arg::string("master-name")],
    ),
    failover,
);

pub(super) static RESET: Command = subcommand(
    spec(
        "reset",
        3,
        "2.8.4",
        "Forgets the replicas and Sentinels of masters.",
        &[Arg::pattern("pattern")],
    ),
    reset,
);

pub(super) static MONITOR: Command = subcommand(
    CommandSpec {
        complexity: "O(1)",
        ..spec(
            "monitor",
            6,
            "2.8.4",
            "Begins to watch a master.",
            &[
                Arg::string("name"),
                Arg::string("ip"),
                Arg::integer("port"),
                Arg::integer("quorum"),
            ],
        )
    },
    monitor,
);

pub(super) static REMOVE: Command = subcommand(
    CommandSpec {
        complexity: "O(1)",
        ..spec(
            "remove",
            3,
            "2.8.4",
            "Ends watching a master.",
            &[Arg::string("master-name")],
        )
    },
    remove,
);

fn failover(cx: &mut SentinelContext<'_>) -> CommandResult {
    let name = cx.master(cx.args[2])?.instance.name.clone();
    match cx.sentinel.core.force_failover(&name) {
        Some(Err(FailoverRefused::InProgress)) => {
            Err(CommandError::text("INPROG Failover already in progress"))
        }
        Some(Err(FailoverRefused::NoGoodReplica)) => Err(CommandError::text(
            "NOGOODSLAVE No suitable replica to promote",
        )),
        Some(Ok(())) | None => {
            cx.reply.ok();
            Ok(())
        }
    }
}

fn reset(cx: &mut SentinelContext<'_>) -> CommandResult {
    let pattern = cx.args[2];
    let matches = |name: &str| front::glob::matches(pattern, name.as_bytes(), false);
    let count = cx.sentinel.core.reset(matches);
    cx.reply.integer(count as i64);
    Ok(())
}

fn monitor(cx: &mut SentinelContext<'_>) -> CommandResult {
    let quorum = parse_integer(cx.args[5]).map_err(|_| CommandError::text("ERR Invalid quorum"))?;
    let port = parse_integer(cx.args[4]).map_err(|_| CommandError::text("ERR Invalid port"))?;
    let text = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
    let (name, host) = (text(cx.args[2]), text(cx.args[3]));
    let core = &mut cx.sentinel.core;
    match core.monitor(&name, &host, port, quorum) {
        Ok(()) => {
            core.announce_monitor(&name);
            cx.save_and_reply()
        }
        Err(MonitorError::Host) => Err(CommandError::text(
            "ERR Invalid IP address or hostname specified",
        )),
        Err(error) => Err(CommandError::err(error)),
    }
}

fn remove(cx: &mut SentinelContext<'_>) -> CommandResult {
    let name = cx.master(cx.args[2])?.instance.name.clone();
    cx.sentinel.core.remove(&name);
    cx.save_and_reply()
}
