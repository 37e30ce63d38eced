//! ROLE: a Sentinel, and the groups it watches.

use super::prelude::*;

pub(super) static ROLE: Command = Command {
    spec: CommandSpec {
        name: "role",
        group: Group::Server,
        summary: "Returns the role of the process.",
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
    body: Body::Run(role),
};

fn role(cx: &mut SentinelContext<'_>) -> CommandResult {
    let names = cx.sentinel.core.master_names();
    cx.reply.array(2);
    cx.reply.bulk("sentinel");
    cx.reply.array(names.len());
    for name in names {
        cx.reply.bulk(name);
    }
    Ok(())
}
