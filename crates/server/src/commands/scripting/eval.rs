//! EVAL, EVALSHA and their read-only forms: run a script.

use crate::commands::prelude::*;
use crate::server::Server;

/// Of commands that run a script: what it does decides what else applies.
const CALL: Flags = Flags::NOSCRIPT
    .and(Flags::STALE)
    .and(Flags::SKIP_MONITOR)
    .and(Flags::NO_MANDATORY_KEYS)
    .and(Flags::MOVABLE_KEYS);

pub(super) static EVAL: Command = Command {
    spec: CommandSpec {
        name: "eval",
        group: Group::Scripting,
        summary: "Runs a script.",
        since: "2.6.0",
        complexity: "Depends on the script that is executed.",
        arity: -3,
        flags: Flags::MAY_REPLICATE.and(CALL),
        categories: Categories::SCRIPTING,
        keys: &[KeySpec::keynum(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            2,
        )],
        args: &[
            Arg::string("script"),
            Arg::integer("numkeys"),
            Arg::key("key", 0).optional().multiple(),
            Arg::string("arg").optional().multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(|cx| Server::eval(cx, false))),
};

pub(super) static EVAL_RO: Command = Command {
    spec: CommandSpec {
        name: "eval_ro",
        group: Group::Scripting,
        summary: "Runs a script that only reads.",
        since: "7.0.0",
        complexity: "Depends on the script that is executed.",
        arity: -3,
        flags: Flags::READONLY.and(CALL),
        categories: Categories::SCRIPTING,
        keys: &[KeySpec::keynum(KeyFlags::RO.and(KeyFlags::ACCESS), 2)],
        args: &[
            Arg::string("script"),
            Arg::integer("numkeys"),
            Arg::key("key", 0).optional().multiple(),
            Arg::string("arg").optional().multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(|cx| Server::eval(cx, true))),
};

pub(super) static EVALSHA: Command = Command {
    spec: CommandSpec {
        name: "evalsha",
        group: Group::Scripting,
        summary: "Runs a script the node knows, by its SHA-1.",
        since: "2.6.0",
        complexity: "Depends on the script that is executed.",
        arity: -3,
        flags: Flags::MAY_REPLICATE.and(CALL),
        categories: Categories::SCRIPTING,
        keys: &[KeySpec::keynum(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            2,
        )],
        args: &[
            Arg::string("sha1"),
            Arg::integer("numkeys"),
            Arg::key("key", 0).optional().multiple(),
            Arg::string("arg").optional().multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(|cx| Server::evalsha(cx, false))),
};

pub(super) static EVALSHA_RO: Command = Command {
    spec: CommandSpec {
        name: "evalsha_ro",
        group: Group::Scripting,
        summary: "Runs a script the node knows and that only reads, by its SHA-1.",
        since: "7.0.0",
        complexity: "Depends on the script that is executed.",
        arity: -3,
        flags: Flags::READONLY.and(CALL),
        categories: Categories::SCRIPTING,
        keys: &[KeySpec::keynum(KeyFlags::RO.and(KeyFlags::ACCESS), 2)],
        args: &[
            Arg::string("sha1"),
            Arg::integer("numkeys"),
            Arg::key("key", 0).optional().multiple(),
            Arg::string("arg").optional().multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(|cx| Server::evalsha(cx, true))),
};
