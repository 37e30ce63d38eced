//! MULTI, EXEC, DISCARD, WATCH, UNWATCH: several commands as one.

use crate::commands::prelude::*;
use front::client::Transaction;

pub(super) static MULTI: Command = Command {
    spec: CommandSpec {
        name: "multi",
        group: Group::Transactions,
        summary: "Begins a transaction: commands are queued until EXEC.",
        since: "1.2.0",
        complexity: "O(1)",
        arity: 1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::ALLOW_BUSY),
        categories: Categories::TRANSACTION,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(multi)),
};

pub(super) static EXEC: Command = Command {
    spec: CommandSpec {
        name: "exec",
        group: Group::Transactions,
        summary: "Runs the queued commands as one.",
        since: "1.2.0",
        complexity: "O(1)",
        arity: 1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::SKIP_SLOWLOG),
        categories: Categories::TRANSACTION,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(exec)),
};

pub(super) static DISCARD: Command = Command {
    spec: CommandSpec {
        name: "discard",
        group: Group::Transactions,
        summary: "Drops the queued commands.",
        since: "2.0.0",
        complexity: "O(N)",
        arity: 1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::ALLOW_BUSY),
        categories: Categories::TRANSACTION,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(discard)),
};

pub(super) static WATCH: Command = Command {
    spec: CommandSpec {
        name: "watch",
        group: Group::Transactions,
        summary: "Makes the next EXEC fail if one of these keys changes before it.",
        since: "2.2.0",
        complexity: "O(1)",
        arity: -2,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::ALLOW_BUSY),
        categories: Categories::TRANSACTION,
        keys: &[KeySpec::range(KeyFlags::RO, 1, -1, 1)],
        args: &[Arg::key("key", 0).multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(watch)),
};

pub(super) static UNWATCH: Command = Command {
    spec: CommandSpec {
        name: "unwatch",
        group: Group::Transactions,
        summary: "Forgets all watched keys.",
        since: "2.2.0",
        complexity: "O(1)",
        arity: 1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::ALLOW_BUSY),
        categories: Categories::TRANSACTION,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(unwatch)),
};

fn multi(cx: &mut ServerContext<'_>) -> CommandResult {
    let client = cx.client();
    if client.transaction.is_some() {
        return Err(CommandError::text("ERR MULTI calls can not be nested"));
    }
    client.transaction = Some(Box::<Transaction>::default());
    cx.reply.ok();
    Ok(())
}

/// Ends the client's transaction and its watches.
fn end_transaction(cx: &mut ServerContext<'_>) -> Option<Box<Transaction>> {
    let key = cx.client;
    let client = cx
        .server
        .front
        .clients
        .get_mut(key)
        .expect("a client outlives its command");
    let transaction = client.transaction.take();
    cx.server.watched.forget(client);
    client.watch_broken = false;
    transaction
}

fn exec(cx: &mut ServerContext<'_>) -> CommandResult {
    if cx.client().transaction.is_none() {
        return Err(CommandError::text("ERR EXEC without MULTI"));
    }
    let key = cx.client;
    let client = cx
        .server
        .front
        .clients
        .get(key)
        .expect("a client outlives its command");
    let broken = client.watch_broken
        || cx
            .server
            .watched
            .any_expired(client, &mut cx.server.keyspace, cx.now);
    let transaction = end_transaction(cx).expect("checked above");
    if transaction.failed {
        return Err(CommandError::ExecAbort);
    }
    if broken {
        cx.reply.null_array();
        return Ok(());
    }
    cx.reply.array(transaction.queued.len());
    let outer = std::mem::replace(&mut cx.server.deny_blocking, true);
    let mut reply = Vec::new();
    for (command, args) in &transaction.queued {
        let args = args.slices();
        match cx.server.check_queued(key, *command, &args) {
            Ok(()) => cx.server.call(key, *command, &args, &mut reply),
            Err(error) => cx.reply.error(error.to_string()),
        }
        cx.reply.raw(&reply);
        reply.clear();
    }
    cx.server.deny_blocking = outer;
    Ok(())
}

fn discard(cx: &mut ServerContext<'_>) -> CommandResult {
    if cx.client().transaction.is_none() {
        return Err(CommandError::text("ERR DISCARD without MULTI"));
    }
    end_transaction(cx);
    cx.reply.ok();
    Ok(())
}

fn watch(cx: &mut ServerContext<'_>) -> CommandResult {
    let (key, db) = (cx.client, cx.db);
    let client = cx
        .server
        .front
        .clients
        .get_mut(key)
        .expect("a client outlives its command");
    if client.transaction.is_some() {
        return Err(CommandError::text("ERR WATCH inside MULTI is not allowed"));
    }
    // A watch that is broken already cannot be broken more.
    if !client.watch_broken {
        for watched in &cx.args[1..] {
            let present = cx.server.keyspace.db(db).presence(watched, cx.now);
            cx.server.watched.watch(client, db, watched, present);
        }
    }
    cx.reply.ok();
    Ok(())
}

fn unwatch(cx: &mut ServerContext<'_>) -> CommandResult {
    let key = cx.client;
    let client = cx
        .server
        .front
        .clients
        .get_mut(key)
        .expect("a client outlives its command");
    cx.server.watched.forget(client);
    client.watch_broken = false;
    cx.reply.ok();
    Ok(())
}
