//! SENTINEL commands about Sentinels: who this one is, whether there are enough, and what they ask each other.

use super::{spec, subcommand};
use crate::commands::prelude::*;

pub(super) static MYID: Command = subcommand(
    CommandSpec {
        complexity: "O(1)",
        ..spec("myid", 2, "6.2.0", "Returns the id of this Sentinel.", &[])
    },
    myid,
);

pub(super) static CKQUORUM: Command = subcommand(
    spec(
        "ckquorum",
        3,
        "2.8.4",
        "Tells whether enough Sentinels work.",
        &[Arg::string("master-name")],
    ),
    ckquorum,
);

pub(super) static IS_MASTER_DOWN_BY_ADDR: Command = subcommand(
    spec(
        "is-master-down-by-addr",
        6,
        "2.8.4",
        "Tells whether a master is down, and votes.",
        &[
            Arg::string("ip"),
            Arg::integer("port"),
            Arg::integer("current-epoch"),
            Arg::string("runid"),
        ],
    ),
    is_master_down,
);

fn myid(cx: &mut SentinelContext<'_>) -> CommandResult {
    cx.reply.bulk(&cx.sentinel.core.id);
    Ok(())
}

fn ckquorum(cx: &mut SentinelContext<'_>) -> CommandResult {
    let master = cx.master(cx.args[2])?;
    let voters = master.peers.len() + 1;
    let usable = 1 + master
        .peers
        .values()
        .filter(|peer| !peer.instance.is_s_down())
        .count();
    let quorum = usable >= master.quorum as usize;
    let majority = usable > voters / 2;
    if quorum && majority {
        cx.reply.simple(format!(
            "OK {usable} usable Sentinels. Quorum and failover authorization can be reached"
        ));
        return Ok(());
    }
    let mut text = format!("NOQUORUM {usable} usable Sentinels. ");
    if !quorum {
        text.push_str(
            "Not enough available Sentinels to reach the specified quorum for this master",
        );
    }
    if !majority {
        if !quorum {
            text.push_str(". ");
        }
        text.push_str(
            "Not enough available Sentinels to reach the majority and authorize a failover",
        );
    }
    Err(CommandError::Text(text.into()))
}

fn is_master_down(cx: &mut SentinelContext<'_>) -> CommandResult {
    let port = parse_integer(cx.args[3])?;
    let epoch = parse_integer(cx.args[4])?;
    let (ip, candidate) = (
        String::from_utf8_lossy(cx.args[2]).into_owned(),
        String::from_utf8_lossy(cx.args[5]).into_owned(),
    );
    let port = u16::try_from(port).unwrap_or(0);
    let epoch = u64::try_from(epoch).unwrap_or(0);
    let core = &mut cx.sentinel.core;
    let (down, leader, epoch) = core.asked_about(&ip, port, epoch, &candidate);
    cx.reply.array(3);
    cx.reply.integer(down.into());
    cx.reply.bulk(leader);
    cx.reply.integer(i64::try_from(epoch).unwrap_or(i64::MAX));
    Ok(())
}
