//! ACL LOG: what was denied lately.

use super::{ADMIN, too_many_words};
use crate::command::*;
use crate::{FrontContext, FrontHandler};

pub(super) static LOG: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "log",
        group: Group::Server,
        summary: "Shows what was denied lately, or forgets it.",
        since: "6.0.0",
        complexity: "O(N) with N being the number of entries shown.",
        arity: -2,
        flags: ADMIN,
        args: &[Arg::one_of(
            "operation",
            &[Arg::integer("count"), Arg::flag("reset", "RESET")],
        )
        .optional()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(log),
};

fn log(cx: &mut FrontContext<'_>) -> CommandResult {
    const DEFAULT_COUNT: i64 = 10;
    let count = match *cx.args {
        [_, _] => DEFAULT_COUNT,
        [_, _, word] if word.eq_ignore_ascii_case(b"RESET") => {
            cx.front.acl.log.clear();
            cx.reply.ok();
            return Ok(());
        }
        [_, _, count] => parse_integer(count)?.max(0),
        _ => return Err(too_many_words(cx.args[1])),
    };
    let now = cx.front.clock.now();
    let entries = cx.front.acl.log.entries();
    let count = entries.len().min(count as usize);
    cx.reply.array(count);
    for entry in entries.take(count) {
        let reply = &mut cx.reply;
        reply.map(7);
        reply.bulk("count");
        reply.integer(entry.count as i64);
        reply.bulk("reason");
        reply.bulk(entry.reason.name());
        reply.bulk("context");
        reply.bulk(entry.context.name());
        reply.bulk("object");
        reply.bulk(&entry.object);
        reply.bulk("username");
        reply.bulk(&entry.username);
        reply.bulk("age-seconds");
        reply.double_text(((now - entry.at) as f64 / 1000.0).to_string());
        reply.bulk("client-info");
        reply.bulk(&entry.client_info);
    }
    Ok(())
}
