//! PSYNC and SYNC: a replica wants this node's history.

use crate::commands::prelude::*;

const FLAGS: Flags = Flags::ADMIN
    .and(Flags::NO_ASYNC_LOADING)
    .and(Flags::NO_MULTI)
    .and(Flags::NOSCRIPT);

pub(super) static PSYNC: Command = Command {
    spec: CommandSpec {
        name: "psync",
        group: Group::Server,
        summary: "Asks, as a replica, for the changes from an offset of a history on, or for everything.",
        since: "2.8.0",
        arity: -3,
        flags: FLAGS,
        args: &[Arg::string("replicationid"), Arg::integer("offset")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(psync)),
};

pub(super) static SYNC: Command = Command {
    spec: CommandSpec {
        name: "sync",
        group: Group::Server,
        summary: "Asks, as a replica of long ago, for everything.",
        since: "1.0.0",
        arity: 1,
        flags: FLAGS,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(sync)),
};

fn psync(cx: &mut ServerContext<'_>) -> CommandResult {
    let id = cx.args[1];
    let hands_over = cx.args.get(3);
    if hands_over.is_some_and(|word| word.eq_ignore_ascii_case(b"failover")) {
        // The master follows this node from now on.
        if cx.server.replication.history.id.as_bytes() != id {
            return Err(CommandError::text(
                "ERR PSYNC FAILOVER replid must match my replid.",
            ));
        }
        if cx.server.replication.is_replica() {
            cx.server.promote();
            cx.server.role_handed_over();
            front::log_notice!("MASTER MODE enabled (failover request)");
        }
    }
    let from = parse_integer(cx.args[2])?;
    follow(cx, Some((id, u64::try_from(from).unwrap_or(0))))
}

fn sync(cx: &mut ServerContext<'_>) -> CommandResult {
    follow(cx, None)
}

fn follow(cx: &mut ServerContext<'_>, wanted: Option<(&[u8], u64)>) -> CommandResult {
    if cx.client().class == front::ClientClass::Replica {
        return Ok(());
    }
    let replication = &cx.server.replication;
    if replication.failover.is_some() {
        return Err(CommandError::text(
            "NOMASTERLINK Can't SYNC while failing over",
        ));
    }
    if replication.is_replica() && !replication.is_online() {
        return Err(CommandError::text(
            "NOMASTERLINK Can't SYNC while not connected with my master",
        ));
    }
    if !cx.client().output.is_empty() {
        return Err(CommandError::text(
            "ERR SYNC and PSYNC are invalid with pending output",
        ));
    }
    cx.server.add_replica(cx.client, wanted, wanted.is_some());
    Ok(())
}
