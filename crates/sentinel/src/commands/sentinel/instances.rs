//! SENTINEL MASTERS, REPLICAS, SENTINELS and the like: what is known of instances.

use super::{spec, subcommand};
use crate::commands::prelude::*;
use crate::core::{Core, Instance, Master, Peer, Reconf, Replica, Who};
use resp::Writer;

const NAME: &[Arg] = &[Arg::string("master-name")];

pub(super) static MASTERS: Command = subcommand(
    spec("masters", 2, "2.8.4", "Returns all masters.", &[]),
    masters,
);

pub(super) static MASTER: Command = subcommand(
    spec("master", 3, "2.8.4", "Returns a master.", NAME),
    master,
);

pub(super) static REPLICAS: Command = subcommand(
    spec(
        "replicas",
        3,
        "5.0.0",
        "Returns the replicas of a master.",
        NAME,
    ),
    replicas,
);

pub(super) static SLAVES: Command = subcommand(
    CommandSpec {
        deprecated: Some(("5.0.0", "`SENTINEL REPLICAS`")),
        ..spec(
            "slaves",
            3,
            "2.8.0",
            "Returns the replicas of a master.",
            NAME,
        )
    },
    replicas,
);

pub(super) static SENTINELS: Command = subcommand(
    spec(
        "sentinels",
        3,
        "2.8.4",
        "Returns the other Sentinels of a master.",
        NAME,
    ),
    sentinels,
);

pub(super) static GET_MASTER_ADDR_BY_NAME: Command = subcommand(
    CommandSpec {
        complexity: "O(1)",
        ..spec(
            "get-master-addr-by-name",
            3,
            "2.8.4",
            "Returns the address of a master.",
            NAME,
        )
    },
    get_master_addr,
);

pub(super) static INFO_CACHE: Command = subcommand(
    spec(
        "info-cache",
        -3,
        "3.2.0",
        "Returns the last INFO of the nodes of groups.",
        &[Arg::string("nodename").multiple()],
    ),
    info_cache,
);

fn masters(cx: &mut SentinelContext<'_>) -> CommandResult {
    let core = &cx.sentinel.core;
    cx.reply.array(core.masters().count());
    for master in core.masters() {
        write_master(&mut cx.reply, core, master);
    }
    Ok(())
}

fn master(cx: &mut SentinelContext<'_>) -> CommandResult {
    cx.master(cx.args[2])?;
    let core = &cx.sentinel.core;
    let master = core.master(cx.args[2]).expect("just found");
    write_master(&mut cx.reply, core, master);
    Ok(())
}

fn replicas(cx: &mut SentinelContext<'_>) -> CommandResult {
    cx.master(cx.args[2])?;
    let core = &cx.sentinel.core;
    let master = core.master(cx.args[2]).expect("just found");
    let announced: Vec<&Replica> = master
        .replicas
        .values()
        .filter(|replica| replica.announced)
        .collect();
    cx.reply.array(announced.len());
    for replica in announced {
        write_replica(&mut cx.reply, core, master, replica);
    }
    Ok(())
}

fn sentinels(cx: &mut SentinelContext<'_>) -> CommandResult {
    cx.master(cx.args[2])?;
    let core = &cx.sentinel.core;
    let master = core.master(cx.args[2]).expect("just found");
    cx.reply.array(master.peers.len());
    for peer in master.peers.values() {
        write_peer(&mut cx.reply, core, master, peer);
    }
    Ok(())
}

fn get_master_addr(cx: &mut SentinelContext<'_>) -> CommandResult {
    let core = &cx.sentinel.core;
    let Some(master) = core.master(cx.args[2]) else {
        cx.reply.null_array();
        return Ok(());
    };
    let addr = master.current_addr();
    cx.reply.array(2);
    cx.reply.bulk(core.shown(&addr.host));
    cx.reply.bulk_int(addr.port.into());
    Ok(())
}

fn info_cache(cx: &mut SentinelContext<'_>) -> CommandResult {
    let core = &cx.sentinel.core;
    let wanted: Vec<&Master> = core
        .masters()
        .filter(|master| cx.args[2..].contains(&master.instance.name.as_bytes()))
        .collect();
    // A list of pairs, in RESP2 as in RESP3.
    cx.reply.array(wanted.len() * 2);
    for master in wanted {
        cx.reply.bulk(&master.instance.name);
        cx.reply.array(master.replicas.len() + 1);
        let replicas = master.replicas.values().map(|replica| &replica.instance);
        for instance in std::iter::once(&master.instance).chain(replicas) {
            cx.reply.array(2);
            match instance.info_at {
                Some(at) => {
                    cx.reply.integer((cx.now - at) as i64);
                    cx.reply.bulk(&instance.info_text);
                }
                None => {
                    cx.reply.integer(0);
                    cx.reply.null();
                }
            }
        }
    }
    Ok(())
}

/// The fields of a reply, collected because a map begins with how many there are.
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn add(&mut self, name: &'static str, value: impl ToString) {
        self.0.push((name, value.to_string()));
    }

    fn write(self, reply: &mut Writer<'_>) {
        reply.map(self.0.len());
        for (name, value) in self.0 {
            reply.bulk(name);
            reply.bulk(value);
        }
    }
}

/// What all kinds of instances have in common. `as_master` is shown where a group has a new master already.
fn common(core: &Core, master: &Master, who: &Who, instance: &Instance) -> Fields {
    let mut fields = Fields(Vec::new());
    let link = core.link(instance);
    let age = |since: u64| core.now.saturating_sub(since);
    let name = match who {
        Who::Master => &master.instance.name,
        Who::Replica(_) | Who::Peer(_) => &instance.name,
    };
    fields.add("name", name);
    fields.add("ip", core.shown(&instance.addr.host));
    fields.add("port", instance.addr.port);
    fields.add("runid", instance.run_id.clone().unwrap_or_default());
    fields.add("flags", flags(core, master, who, instance));
    fields.add("link-pending-commands", link.pending_commands());
    fields.add("link-refcount", link.refs);
    if *who == Who::Master
        && let Some(failover) = &master.failover
    {
        fields.add("failover-state", failover.stage.name());
    }
    fields.add("last-ping-sent", link.waiting_since.map_or(0, age));
    fields.add("last-ok-ping-reply", age(link.last_ok_reply));
    fields.add("last-ping-reply", age(link.last_reply));
    if let Some(since) = instance.s_down_since {
        fields.add("s-down-time", age(since));
    }
    if let (Who::Master, Some(since), None) = (who, master.o_down_since, master.successor()) {
        fields.add("o-down-time", age(since));
    }
    fields.add("down-after-milliseconds", master.down_after);
    fields
}

fn add_role(core: &Core, fields: &mut Fields, instance: &Instance) {
    let age = |since: u64| core.now.saturating_sub(since);
    fields.add("info-refresh", instance.info_at.map_or(0, age));
    fields.add("role-reported", instance.role_reported.name());
    fields.add("role-reported-time", age(instance.role_reported_since));
}

fn flags(core: &Core, master: &Master, who: &Who, instance: &Instance) -> String {
    let mut flags: Vec<&str> = Vec::new();
    let mut flag = |on: bool, name: &'static str| {
        if on {
            flags.push(name);
        }
    };
    let is_master = *who == Who::Master;
    let replica = match who {
        Who::Replica(name) => master.replicas.get(name),
        Who::Master | Who::Peer(_) => None,
    };
    let reconf = replica.map_or(Reconf::No, |replica| replica.reconf);
    let promoted = master.promoted().map(|promoted| &promoted.instance.name);
    flag(instance.is_s_down(), "s_down");
    let o_down = is_master && master.is_o_down() && master.successor().is_none();
    flag(o_down, "o_down");
    flag(is_master, "master");
    flag(replica.is_some(), "slave");
    flag(matches!(who, Who::Peer(_)), "sentinel");
    flag(!core.link(instance).is_connected(), "disconnected");
    let says_down = matches!(who, Who::Peer(id) if master.peers[id].says_down);
    flag(says_down, "master_down");
    flag(
        is_master && master.failover.is_some(),
        "failover_in_progress",
    );
    flag(
        replica.is_some() && promoted == Some(&instance.name),
        "promoted",
    );
    flag(matches!(reconf, Reconf::Sent { .. }), "reconf_sent");
    flag(matches!(reconf, Reconf::InProgress { .. }), "reconf_inprog");
    flag(reconf == Reconf::Done, "reconf_done");
    let forced = master.failover.as_ref().is_some_and(|f| f.forced);
    flag(is_master && forced, "force_failover");
    flag(instance.script_kill_sent, "script_kill_sent");
    flags.join(",")
}

fn write_master(reply: &mut Writer<'_>, core: &Core, master: &Master) {
    // Clients that read this must find the new master as soon as there is one.
    let instance = match master.successor() {
        Some(successor) => &successor.instance,
        None => &master.instance,
    };
    let mut fields = common(core, master, &Who::Master, instance);
    add_role(core, &mut fields, instance);
    fields.add("config-epoch", master.config_epoch);
    fields.add("num-slaves", master.replicas.len());
    fields.add("num-other-sentinels", master.peers.len());
    fields.add("quorum", master.quorum);
    fields.add("failover-timeout", master.failover_timeout);
    fields.add("parallel-syncs", master.parallel_syncs);
    if let Some(script) = &master.notification_script {
        fields.add("notification-script", script);
    }
    if let Some(script) = &master.client_reconfig_script {
        fields.add("client-reconfig-script", script);
    }
    fields.write(reply);
}

fn write_replica(reply: &mut Writer<'_>, core: &Core, master: &Master, replica: &Replica) {
    let who = Who::Replica(replica.instance.name.clone());
    let mut fields = common(core, master, &who, &replica.instance);
    add_role(core, &mut fields, &replica.instance);
    fields.add("master-link-down-time", replica.master_link_down);
    let status = match replica.master_link_up {
        true => "ok",
        false => "err",
    };
    fields.add("master-link-status", status);
    let (host, port) = match &replica.master_addr {
        Some(addr) => (addr.host.as_str(), addr.port),
        None => ("?", 0),
    };
    fields.add("master-host", host);
    fields.add("master-port", port);
    fields.add("slave-priority", replica.priority);
    fields.add("slave-repl-offset", replica.offset);
    fields.add("replica-announced", u8::from(replica.announced));
    fields.write(reply);
}

fn write_peer(reply: &mut Writer<'_>, core: &Core, master: &Master, peer: &Peer) {
    let who = Who::Peer(peer.instance.name.clone());
    let mut fields = common(core, master, &who, &peer.instance);
    fields.add(
        "last-hello-message",
        core.now.saturating_sub(peer.last_hello),
    );
    fields.add("voted-leader", peer.leader.as_deref().unwrap_or("?"));
    fields.add("voted-leader-epoch", peer.leader_epoch);
    fields.write(reply);
}
