//! QUIT and RESET: the end of a session, and a new beginning.

use crate::commands::prelude::*;

pub(super) static QUIT: Command = Command {
    spec: CommandSpec {
        name: "quit",
        group: Group::Connection,
        summary: "Closes the connection.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: -1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::NO_AUTH)
            .and(Flags::ALLOW_BUSY),
        categories: Categories::CONNECTION,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(quit)),
};

pub(super) static RESET: Command = Command {
    spec: CommandSpec {
        name: "reset",
        group: Group::Connection,
        summary: "Makes the connection as new.",
        since: "6.2.0",
        complexity: "O(1)",
        arity: 1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::NO_AUTH)
            .and(Flags::ALLOW_BUSY),
        categories: Categories::CONNECTION,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(reset)),
};

fn quit(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.client().close_after_reply = true;
    cx.reply.ok();
    Ok(())
}

fn reset(cx: &mut ServerContext<'_>) -> CommandResult {
    let open = cx.server.front.acl.default_user_is_open();
    let key = cx.client;
    let client = cx
        .server
        .front
        .clients
        .get_mut(key)
        .expect("a client outlives its command");
    client.transaction = None;
    cx.server.watched.forget(client);
    cx.server.front.pubsub.forget(client);
    cx.server.monitors.forget(key);
    cx.server.tracking.disable(client);
    client.monitor = false;
    client.watch_broken = false;
    client.db = 0;
    client.resp3 = false;
    client.name.clear();
    client.reply_mode = Default::default();
    client.user = front::acl::UserId::DEFAULT;
    client.authenticated = open;
    cx.reply.set_resp3(false);
    cx.reply.simple("RESET");
    Ok(())
}
