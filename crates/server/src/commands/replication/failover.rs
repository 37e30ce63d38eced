//! FAILOVER: hands the master's role to a replica.

use crate::commands::prelude::*;
use crate::replication::failover::Failover;
use crate::replication::replicas::Phase;

pub(super) static FAILOVER: Command = Command {
    spec: CommandSpec {
        name: "failover",
        group: Group::Server,
        summary: "Hands the role of the master to one of its replicas.",
        since: "6.2.0",
        complexity: "O(1)",
        arity: -1,
        flags: Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::STALE),
        args: &[
            Arg::block(
                "target",
                &[
                    Arg::string("host"),
                    Arg::integer("port"),
                    Arg::flag("force", "FORCE").optional(),
                ],
            )
            .token("TO")
            .optional(),
            Arg::flag("abort", "ABORT").optional(),
            Arg::integer("milliseconds").token("TIMEOUT").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(failover)),
};

fn failover(cx: &mut ServerContext<'_>) -> CommandResult {
    let fail = |text| Err(CommandError::text(text));
    let (mut target, mut force, mut abort, mut timeout) = (None, false, false, None);
    let mut words = cx.args[1..].iter();
    while let Some(word) = words.next() {
        match word.to_ascii_uppercase().as_slice() {
            b"ABORT" if !abort => abort = true,
            b"TIMEOUT" if timeout.is_none() => {
                let ms = parse_integer(words.next().ok_or(CommandError::Syntax)?)?;
                if ms <= 0 {
                    return fail("ERR FAILOVER timeout must be greater than 0");
                }
                timeout = Some(ms as u64);
            }
            b"TO" if target.is_none() => {
                let (Some(host), Some(port)) = (words.next(), words.next()) else {
                    return Err(CommandError::Syntax);
                };
                let port = parse_integer(port)?;
                let port = u16::try_from(port).map_err(|_| CommandError::NotInteger)?;
                target = Some((String::from_utf8_lossy(host).into_owned(), port));
            }
            b"FORCE" if !force => force = true,
            _ => return Err(CommandError::Syntax),
        }
    }
    let server = &mut *cx.server;
    if abort {
        if target.is_some() || force || timeout.is_some() {
            return Err(CommandError::Syntax);
        }
        if !server.abort_failover() {
            return fail("ERR No failover in progress.");
        }
        cx.reply.ok();
        return Ok(());
    }
    if server.replication.failover.is_some() {
        return fail("ERR FAILOVER already in progress.");
    }
    if server.replication.is_replica() {
        return fail("ERR FAILOVER is not valid when server is a replica.");
    }
    let known: Vec<_> = server
        .replication
        .replicas
        .iter()
        .filter(|replica| replica.phase != Phase::Introduced)
        .map(|replica| (server.replica_address(replica), replica.phase))
        .collect();
    if known.is_empty() {
        return fail("ERR FAILOVER requires connected replicas.");
    }
    if force && (timeout.is_none() || target.is_none()) {
        return fail(
            "ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
        );
    }
    if let Some(target) = &target {
        match known.iter().find(|(address, _)| address == target) {
            None => return fail("ERR FAILOVER target HOST and PORT is not a replica."),
            Some((_, Phase::Online)) => {}
            Some(_) => return fail("ERR FAILOVER target replica is not online."),
        }
    }
    let now_ms = server.front.clock.mono_ms();
    cx.reply.ok();
    cx.server.start_failover(Failover {
        target,
        force,
        until_ms: timeout.map(|ms| now_ms + ms),
        is_following: false,
    });
    Ok(())
}
