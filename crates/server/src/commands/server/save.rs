//! SAVE and LASTSAVE.

use crate::commands::prelude::*;

pub(super) static SAVE: Command = Command {
    spec: CommandSpec {
        name: "save",
        group: Group::Server,
        summary: "Saves the dataset to disk and answers when that is done.",
        since: "1.0.0",
        complexity: "O(N), N being the number of keys in all databases",
        arity: 1,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::NO_ASYNC_LOADING)
            .and(Flags::NO_MULTI),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(save)),
};

pub(super) static LASTSAVE: Command = Command {
    spec: CommandSpec {
        name: "lastsave",
        group: Group::Server,
        summary: "Returns when the dataset was last saved, in seconds since 1970.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 1,
        flags: Flags::LOADING.and(Flags::STALE).and(Flags::FAST),
        categories: Categories::ADMIN.and(Categories::DANGEROUS),
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(lastsave)),
};

fn save(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.server.rdb.saves += 1;
    if !cx.server.save() {
        return Err(CommandError::text("ERR"));
    }
    cx.reply.ok();
    Ok(())
}

fn lastsave(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.reply.integer(cx.server.rdb.last_save / 1000);
    Ok(())
}
