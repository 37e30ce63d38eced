//! ROLE: whether the node is a master or a replica, of whom, and how far.

use crate::commands::prelude::*;
use crate::replication::replicas::Phase;

pub(super) static ROLE: Command = Command {
    spec: CommandSpec {
        name: "role",
        group: Group::Server,
        summary: "Returns whether the node is a master or a replica, and with whom it replicates.",
        since: "2.8.12",
        complexity: "O(1)",
        arity: 1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST),
        categories: Categories::ADMIN.and(Categories::DANGEROUS),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(role)),
};

fn role(cx: &mut ServerContext<'_>) -> CommandResult {
    let replication = &cx.server.replication;
    let offset = replication.history.offset as i64;
    if let Some(master) = &replication.master {
        cx.reply.array(5);
        cx.reply.bulk(b"slave");
        cx.reply.bulk(master.host.as_bytes());
        cx.reply.integer(i64::from(master.port));
        cx.reply.bulk(master.state().as_bytes());
        cx.reply
            .integer(if replication.is_online() { offset } else { -1 });
        return Ok(());
    }
    let online: Vec<_> = replication
        .replicas
        .iter()
        .filter(|replica| replica.phase == Phase::Online)
        .map(|replica| {
            let (ip, port) = cx.server.replica_address(replica);
            (ip, port, replica.acknowledged)
        })
        .collect();
    cx.reply.array(3);
    cx.reply.bulk(b"master");
    cx.reply.integer(offset);
    cx.reply.array(online.len());
    for (ip, port, acknowledged) in online {
        cx.reply.array(3);
        cx.reply.bulk(ip.as_bytes());
        cx.reply.bulk(port.to_string().as_bytes());
        cx.reply.bulk(acknowledged.to_string().as_bytes());
    }
    Ok(())
}
