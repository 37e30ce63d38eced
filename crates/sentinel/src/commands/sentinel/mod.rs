//! SENTINEL: what the Sentinel knows, and how to tell it what to do.

mod change;
mod config;
mod debug;
mod instances;
mod peers;
mod scripts;
mod set;

use super::SentinelHandler;
use super::prelude::*;
use front::command::describe;

pub(super) static SENTINEL: Command = Command {
    spec: CommandSpec {
        name: "sentinel",
        group: Group::Sentinel,
        summary: "Holds the commands about Sentinel.",
        since: "2.8.4",
        complexity: "Depends on subcommand.",
        arity: -2,
        flags: Flags::ADMIN,
        ..CommandSpec::BLANK
    },
    body: Body::Container(&[
        &peers::CKQUORUM,
        &config::CONFIG,
        &debug::DEBUG,
        &change::FAILOVER,
        &config::FLUSHCONFIG,
        &instances::GET_MASTER_ADDR_BY_NAME,
        &HELP,
        &instances::INFO_CACHE,
        &peers::IS_MASTER_DOWN_BY_ADDR,
        &instances::MASTER,
        &instances::MASTERS,
        &change::MONITOR,
        &peers::MYID,
        &scripts::PENDING_SCRIPTS,
        &change::REMOVE,
        &instances::REPLICAS,
        &change::RESET,
        &instances::SENTINELS,
        &set::SET,
        &debug::SIMULATE_FAILURE,
        &instances::SLAVES,
    ]),
};

/// What all subcommands have in common.
const fn spec(
    name: &'static str,
    arity: i32,
    since: &'static str,
    summary: &'static str,
    args: &'static [Arg],
) -> CommandSpec {
    CommandSpec {
        name,
        group: Group::Sentinel,
        summary,
        since,
        complexity: "O(N) where N is the number of instances",
        arity,
        flags: Flags::ADMIN,
        args,
        ..CommandSpec::BLANK
    }
}

const fn subcommand(spec: CommandSpec, run: SentinelHandler) -> Command {
    Command {
        spec,
        body: Body::Run(run),
    }
}

static HELP: Command = Command {
    spec: CommandSpec {
        flags: Flags::LOADING.and(Flags::STALE),
        ..spec("help", 2, "6.2.0", "Explains the subcommands.", &[])
    },
    body: Body::Run(help),
};

fn help(cx: &mut SentinelContext<'_>) -> CommandResult {
    describe::help(
        &mut cx.reply,
        b"sentinel",
        &[
            (
                "CKQUORUM <master-name>",
                "Tell whether enough Sentinels are there to agree, and to elect a leader.",
            ),
            (
                "CONFIG SET <param> <value>",
                "Set a parameter that holds for all groups.",
            ),
            (
                "CONFIG GET <param>",
                "Show parameters that hold for all groups.",
            ),
            (
                "DEBUG [<param> <milliseconds> ...]",
                "Show the periods of this Sentinel, or change some.",
            ),
            (
                "FAILOVER <master-name>",
                "Replace the master now, without asking other Sentinels.",
            ),
            ("FLUSHCONFIG", "Write the state to the configuration file."),
            (
                "GET-MASTER-ADDR-BY-NAME <master-name>",
                "Show where the master is.",
            ),
            (
                "INFO-CACHE <master-name> [<master-name> ...]",
                "Show the last INFO of the nodes of groups.",
            ),
            (
                "IS-MASTER-DOWN-BY-ADDR <ip> <port> <current-epoch> <runid>",
                "Tell whether the master there is down, and vote.",
            ),
            ("MASTER <master-name>", "Show a master."),
            ("MASTERS", "Show all masters."),
            (
                "MONITOR <name> <ip> <port> <quorum>",
                "Begin to watch a master.",
            ),
            ("MYID", "Show the id of this Sentinel."),
            ("PENDING-SCRIPTS", "Show the scripts that wait or run."),
            ("REMOVE <master-name>", "End watching a master."),
            ("REPLICAS <master-name>", "Show the replicas of a master."),
            (
                "RESET <pattern>",
                "Forget all about the masters of these names but their addresses.",
            ),
            (
                "SENTINELS <master-name>",
                "Show the other Sentinels of a master.",
            ),
            (
                "SET <master-name> <option> <value> [<option> <value> ...]",
                "Set options of a master.",
            ),
            (
                "SIMULATE-FAILURE [CRASH-AFTER-ELECTION] [CRASH-AFTER-PROMOTION] [HELP]",
                "Let this Sentinel end in the middle of its next failover.",
            ),
        ],
    );
    Ok(())
}
