//! REPLICAOF and SLAVEOF: whom this node follows.

use crate::commands::prelude::*;
use front::ClientClass;

const FLAGS: Flags = Flags::ADMIN
    .and(Flags::NO_ASYNC_LOADING)
    .and(Flags::NOSCRIPT)
    .and(Flags::STALE);

const ARGS: &[Arg] = &[Arg::one_of(
    "args",
    &[
        Arg::block("host-port", &[Arg::string("host"), Arg::integer("port")]),
        Arg::block("no-one", &[Arg::flag("no", "NO"), Arg::flag("one", "ONE")]),
    ],
)];

pub(super) static REPLICAOF: Command = Command {
    spec: CommandSpec {
        name: "replicaof",
        group: Group::Server,
        summary: "Makes the node a replica of another one, or a master.",
        since: "5.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: FLAGS,
        args: ARGS,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(replicaof)),
};

pub(super) static SLAVEOF: Command = Command {
    spec: CommandSpec {
        name: "slaveof",
        group: Group::Server,
        summary: "Makes the node a replica of another one, or a master.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 3,
        flags: FLAGS,
        args: ARGS,
        deprecated: Some(("5.0.0", "`REPLICAOF`")),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(replicaof)),
};

/// Who asks, for the log: as CLIENT LIST shows it.
fn describe(cx: &mut ServerContext<'_>) -> String {
    let front = &cx.server.front;
    let mut line = Vec::new();
    if let Some(client) = front.clients.get(cx.client) {
        front::client_info::write_line(&mut line, client, client.argument_bytes(), front);
    }
    String::from_utf8_lossy(&line).trim_end().into()
}

fn replicaof(cx: &mut ServerContext<'_>) -> CommandResult {
    if cx.server.replication.failover.is_some() {
        return Err(CommandError::text(
            "ERR REPLICAOF not allowed while failing over.",
        ));
    }
    let (host, port) = (cx.args[1], cx.args[2]);
    let asked_by = describe(cx);
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        if cx.server.replication.is_replica() {
            cx.server.promote();
            front::log_notice!("MASTER MODE enabled (user request from '{asked_by}')");
        }
        cx.reply.ok();
        return Ok(());
    }
    if cx.client().class == ClientClass::Replica {
        return Err(CommandError::text(
            "ERR Command is not valid when client is a replica.",
        ));
    }
    let invalid_port = CommandError::text("ERR Invalid master port");
    let port = parse_integer(port).map_err(|_| invalid_port.clone())?;
    let port = u16::try_from(port).map_err(|_| invalid_port)?;
    let host = String::from_utf8_lossy(host).into_owned();
    let master = cx.server.replication.master.as_ref();
    if master.is_some_and(|master| master.host == host && master.port == port) {
        front::log_notice!(
            "REPLICAOF would result into synchronization with the master we are already connected with. No operation \
             performed."
        );
        cx.reply.simple("OK Already connected to specified master");
        return Ok(());
    }
    cx.server.follow_master(host.clone(), port);
    front::log_notice!("REPLICAOF {host}:{port} enabled (user request from '{asked_by}')");
    cx.reply.ok();
    Ok(())
}
