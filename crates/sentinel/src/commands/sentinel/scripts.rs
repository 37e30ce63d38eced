//! SENTINEL PENDING-SCRIPTS: the scripts that wait or run.

use super::{spec, subcommand};
use crate::commands::prelude::*;
use crate::core::scripts::State;

pub(super) static PENDING_SCRIPTS: Command = subcommand(
    spec(
        "pending-scripts",
        2,
        "2.8.4",
        "Returns the scripts that wait or run.",
        &[],
    ),
    pending_scripts,
);

fn pending_scripts(cx: &mut SentinelContext<'_>) -> CommandResult {
    let jobs = &cx.sentinel.core.scripts;
    cx.reply.array(jobs.jobs().count());
    for job in jobs.jobs() {
        let (flags, pid, time_name, time) = match job.state {
            State::Running { since, pid, .. } => (
                "running",
                pid.unwrap_or(0),
                "run-time",
                cx.now.saturating_sub(since),
            ),
            State::Scheduled { not_before } => (
                "scheduled",
                0,
                "run-delay",
                not_before.saturating_sub(cx.now),
            ),
        };
        cx.reply.map(5);
        cx.reply.bulk("argv");
        cx.reply.array(job.argv.len());
        for word in &job.argv {
            cx.reply.bulk(word);
        }
        for (name, value) in [
            ("flags", flags.to_string()),
            ("pid", pid.to_string()),
            (time_name, time.to_string()),
            ("retry-num", job.retries.to_string()),
        ] {
            cx.reply.bulk(name);
            cx.reply.bulk(value);
        }
    }
    Ok(())
}
