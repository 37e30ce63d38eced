//! SAVE, BGSAVE and LASTSAVE.

use crate::commands::prelude::*;

const IN_PROGRESS: &str = "ERR Background save already in progress";

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

pub(super) static BGSAVE: Command = Command {
    spec: CommandSpec {
        name: "bgsave",
        group: Group::Server,
        summary: "Saves the dataset to disk in the background.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: -1,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::NO_ASYNC_LOADING),
        args: &[Arg::flag("schedule", "SCHEDULE").optional().since("3.2.2")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(bgsave)),
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
    if cx.server.is_saving() {
        return Err(CommandError::text(IN_PROGRESS));
    }
    cx.server.rdb.saves += 1;
    if !cx.server.save() {
        return Err(CommandError::text("ERR"));
    }
    cx.reply.ok();
    Ok(())
}

fn bgsave(cx: &mut ServerContext<'_>) -> CommandResult {
    let schedule = match cx.args {
        [_] => false,
        [_, word] if word.eq_ignore_ascii_case(b"SCHEDULE") => true,
        _ => return Err(CommandError::Syntax),
    };
    if cx.server.is_saving() {
        return Err(CommandError::text(IN_PROGRESS));
    }
    // In a transaction it would save a part of it.
    if cx.server.is_writing_snapshot() || cx.deny_blocking {
        if !schedule && !cx.deny_blocking {
            return Err(CommandError::text(
                "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to \
                 schedule a BGSAVE whenever possible.",
            ));
        }
        cx.server.rdb.save_scheduled = true;
        cx.reply.simple("Background saving scheduled");
        return Ok(());
    }
    cx.server.start_bgsave();
    cx.reply.simple("Background saving started");
    Ok(())
}

fn lastsave(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.reply.integer(cx.server.rdb.last_save / 1000);
    Ok(())
}
