//! WAIT: until replicas have what this client wrote.

use crate::commands::prelude::*;

pub(super) static WAIT: Command = Command {
    spec: CommandSpec {
        name: "wait",
        group: Group::Generic,
        summary: "Waits until replicas have applied what this connection wrote.",
        since: "3.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: Flags::NOSCRIPT,
        categories: Categories::CONNECTION,
        args: &[Arg::integer("numreplicas"), Arg::integer("timeout")],
        tips: &["request_policy:all_shards", "response_policy:agg_min"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(wait)),
};

fn wait(cx: &mut ServerContext<'_>) -> CommandResult {
    if cx.server.replication.is_replica() {
        return Err(CommandError::text(
            "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is \
             configured to be writable (which is not the default) writes to replicas are just local and are not propagated.",
        ));
    }
    let wanted = parse_integer(cx.args[1])?;
    let timeout = parse_integer(cx.args[2])
        .map_err(|_| CommandError::text("ERR timeout is not an integer or out of range"))?;
    if timeout < 0 {
        return Err(CommandError::text("ERR timeout is negative"));
    }
    let until = match timeout {
        0 => None,
        timeout => Some(
            cx.now
                .checked_add(timeout)
                .ok_or(CommandError::text("ERR timeout is out of range"))?,
        ),
    };
    let offset = cx.client().last_write;
    let count = cx.server.replicas_at(offset);
    if count as i64 >= wanted || cx.deny_blocking {
        cx.reply.integer(count as i64);
        return Ok(());
    }
    let wanted = wanted as usize;
    cx.server
        .wait_for_replicas(cx.client, wanted, until, cx.args);
    Ok(())
}
