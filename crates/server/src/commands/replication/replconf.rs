//! REPLCONF: what a replica tells of itself and of how far it is.

use crate::commands::prelude::*;
use crate::replication::replicas::Told;
use front::ClientClass;

pub(super) static REPLCONF: Command = Command {
    spec: CommandSpec {
        name: "replconf",
        group: Group::Server,
        summary: "Exchanges what replicas and masters tell each other about replication.",
        since: "3.0.0",
        complexity: "O(1)",
        arity: -1,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::ALLOW_BUSY),
        internal: true,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(replconf)),
};

fn replconf(cx: &mut ServerContext<'_>) -> CommandResult {
    let pairs = cx.args[1..].chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(CommandError::Syntax);
    }
    for pair in pairs {
        let (option, value) = (pair[0], pair[1]);
        let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
        let told = if is("listening-port") {
            let port = parse_integer(value)?;
            Told::Port(u16::try_from(port).map_err(|_| CommandError::NotInteger)?)
        } else if is("ip-address") {
            /// The longest name of a host, with its end.
            const HOST_MAX: usize = 1025;
            if value.len() >= HOST_MAX {
                return Err(CommandError::err(format_args!(
                    "REPLCONF ip-address provided by replica instance is too long: {} bytes",
                    value.len()
                )));
            }
            Told::Ip(std::str::from_utf8(value).map_err(|_| CommandError::Syntax)?)
        } else if is("capa") {
            Told::Capability(value)
        } else if is("ack") {
            // It is told for nobody else's sake, and not answered.
            if cx.client().class == ClientClass::Replica
                && let Ok(offset) = parse_integer(value)
            {
                cx.server
                    .replica_acknowledged(cx.client, u64::try_from(offset).unwrap_or(0));
            }
            return Ok(());
        } else if is("getack") {
            if cx.from_master {
                cx.server.acknowledge(true);
            }
            return Ok(());
        } else if is("rdb-only") {
            Told::DatasetOnly(parse_integer(value)? == 1)
        } else {
            return Err(CommandError::quoting(&[
                b"ERR Unrecognized REPLCONF option: ",
                option,
            ]));
        };
        cx.server.replica_told(cx.client, &told);
    }
    cx.reply.ok();
    Ok(())
}
