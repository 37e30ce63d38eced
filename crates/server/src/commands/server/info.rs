//! INFO: what the server is doing.

use crate::commands::prelude::*;

pub(super) static INFO: Command = Command {
    spec: CommandSpec {
        name: "info",
        group: Group::Server,
        summary: "Returns facts and counters of the server.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: -1,
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::DANGEROUS,
        args: &[Arg::string("section").optional().multiple()],
        tips: &[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(info)),
};

fn info(cx: &mut ServerContext<'_>) -> CommandResult {
    let text = crate::info::text(cx.server, &cx.args[1..]);
    cx.reply.verbatim(b"txt", text);
    Ok(())
}
