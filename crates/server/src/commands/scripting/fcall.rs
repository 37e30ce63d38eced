//! FCALL and FCALL_RO: call a function of a library.

use crate::commands::prelude::*;
use crate::server::Server;

/// Of commands that run a script: what it does decides what else applies.
const CALL: Flags = Flags::NOSCRIPT
    .and(Flags::STALE)
    .and(Flags::SKIP_MONITOR)
    .and(Flags::NO_MANDATORY_KEYS)
    .and(Flags::MOVABLE_KEYS);

pub(super) static FCALL: Command = Command {
    spec: CommandSpec {
        name: "fcall",
        group: Group::Scripting,
        summary: "Calls a function.",
        since: "7.0.0",
        complexity: "Depends on the function that is executed.",
        arity: -3,
        flags: Flags::MAY_REPLICATE.and(CALL),
        categories: Categories::SCRIPTING,
        keys: &[KeySpec::keynum(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            2,
        )],
        args: &[
            Arg::string("function"),
            Arg::integer("numkeys"),
            Arg::key("key", 0).optional().multiple(),
            Arg::string("arg").optional().multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(|cx| Server::fcall(cx, false))),
};

pub(super) static FCALL_RO: Command = Command {
    spec: CommandSpec {
        name: "fcall_ro",
        group: Group::Scripting,
        summary: "Calls a function that only reads.",
        since: "7.0.0",
        complexity: "Depends on the function that is executed.",
        arity: -3,
        flags: Flags::READONLY.and(CALL),
        categories: Categories::SCRIPTING,
        keys: &[KeySpec::keynum(KeyFlags::RO.and(KeyFlags::ACCESS), 2)],
        args: &[
            Arg::string("function"),
            Arg::integer("numkeys"),
            Arg::key("key", 0).optional().multiple(),
            Arg::string("arg").optional().multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(|cx| Server::fcall(cx, true))),
};
