//! INFO: what the Sentinel is doing.

use super::prelude::*;

pub(super) static INFO: Command = Command {
    spec: CommandSpec {
        name: "info",
        group: Group::Server,
        summary: "Returns facts and counters of the Sentinel.",
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
    body: Body::Run(info),
};

fn info(cx: &mut SentinelContext<'_>) -> CommandResult {
    let text = crate::info::text(cx.sentinel, &cx.args[1..]);
    cx.reply.verbatim(b"txt", text);
    Ok(())
}
