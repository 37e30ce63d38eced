//! DBSIZE, FLUSHDB, FLUSHALL, SWAPDB: whole databases.

use crate::commands::prelude::*;
use crate::config;
use crate::effects::FlushScope;
use crate::server::Server;

pub(super) static DBSIZE: Command = Command {
    spec: CommandSpec {
        name: "dbsize",
        group: Group::Server,
        summary: "Counts the keys of the db.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 1,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        tips: &["request_policy:all_shards", "response_policy:agg_sum"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(dbsize)),
};

pub(super) static FLUSHDB: Command = Command {
    spec: CommandSpec {
        name: "flushdb",
        group: Group::Server,
        summary: "Deletes every key of the db.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: -1,
        flags: Flags::WRITE,
        categories: Categories::KEYSPACE.and(Categories::DANGEROUS),
        args: &[Arg::one_of(
            "async",
            &[
                Arg::flag("async", "ASYNC").since("4.0.0"),
                Arg::flag("sync", "SYNC").since("6.2.0"),
            ],
        )
        .optional()],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(flushdb)),
};

pub(super) static FLUSHALL: Command = Command {
    spec: CommandSpec {
        name: "flushall",
        group: Group::Server,
        summary: "Deletes every key of every db.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: -1,
        flags: Flags::WRITE,
        categories: Categories::KEYSPACE.and(Categories::DANGEROUS),
        args: &[Arg::one_of(
            "async",
            &[
                Arg::flag("async", "ASYNC").since("4.0.0"),
                Arg::flag("sync", "SYNC").since("6.2.0"),
            ],
        )
        .optional()],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(flushall)),
};

pub(super) static SWAPDB: Command = Command {
    spec: CommandSpec {
        name: "swapdb",
        group: Group::Server,
        summary: "Exchanges two dbs.",
        since: "4.0.0",
        complexity: "O(N)",
        arity: 3,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::KEYSPACE.and(Categories::DANGEROUS),
        args: &[Arg::integer("index1"), Arg::integer("index2")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(swapdb)),
};

fn dbsize(cx: &mut DataContext<'_>) -> CommandResult {
    cx.reply.integer(cx.db.len() as i64);
    Ok(())
}

/// Whether memory may come back later than the reply.
fn is_lazy(cx: &ServerContext<'_>) -> Result<bool, CommandError> {
    match cx.args {
        [_] => Ok(cx.server.settings.lazyfree_lazy_user_flush),
        [_, mode] if mode.eq_ignore_ascii_case(b"SYNC") => Ok(false),
        [_, mode] if mode.eq_ignore_ascii_case(b"ASYNC") => Ok(true),
        _ => Err(CommandError::Syntax),
    }
}

fn flushdb(cx: &mut ServerContext<'_>) -> CommandResult {
    let lazy = is_lazy(cx)?;
    flush(cx, FlushScope::Db(cx.db), lazy);
    Ok(())
}

fn flushall(cx: &mut ServerContext<'_>) -> CommandResult {
    let lazy = is_lazy(cx)?;
    flush(cx, FlushScope::All, lazy);
    // Who comes back after a crash shall not find what is gone: the file says so at once.
    cx.server.kill_bgsave();
    if !cx.server.config.text(config::SAVE).is_empty() {
        cx.server.rdb.saves += 1;
        if cx.server.save() {
            // The file has it: it is no change since the last save, and others hear of it all the same.
            cx.server.effects.dirty = 0;
            cx.server.effects.propagate_as(cx.args);
        }
    }
    Ok(())
}

fn flush(cx: &mut ServerContext<'_>, scope: FlushScope, lazy: bool) {
    let removed = cx.server.empty(scope, lazy);
    // Even emptying nothing is propagated: a replica may hold what we never had.
    cx.server.effects.dirty += (removed as u64).max(1);
    cx.reply.ok();
}

impl Server {
    /// Empties databases and tells how many keys they held. Freeing is always another thread's work; `lazy` tells whether
    /// it counts as such.
    pub(crate) fn empty(&mut self, scope: FlushScope, lazy: bool) -> usize {
        let now = self.front.clock.now();
        self.watched
            .touch_all(&mut self.front.clients, &mut self.keyspace, scope, now);
        self.invalidate_all();
        let mut removed = 0;
        for (index, db) in self.keyspace.iter_mut() {
            if scope == FlushScope::All || scope == FlushScope::Db(index) {
                removed += db.len();
                let bytes = db.estimated_bytes();
                let table = db.take_all();
                if !table.is_empty() {
                    let counted = if lazy { table.len() } else { 0 };
                    self.front.background.drop_later(table, counted, bytes);
                }
            }
        }
        self.blocked.ready_after(&mut self.effects, scope);
        removed
    }
}

fn swapdb(cx: &mut ServerContext<'_>) -> CommandResult {
    let parse = |word: &[u8], which: &str| {
        store::int::parse_i64(word)
            .and_then(|index| i32::try_from(index).ok())
            .ok_or_else(|| CommandError::err(format_args!("invalid {which} DB index")))
    };
    let (a, b) = (parse(cx.args[1], "first")?, parse(cx.args[2], "second")?);
    let server = &mut *cx.server;
    let check = |index: i32| match u32::try_from(index) {
        Ok(index) if (index as usize) < server.keyspace.count() => Ok(index),
        _ => Err(CommandError::text("ERR DB index is out of range")),
    };
    let (a, b) = (check(a)?, check(b)?);
    if a != b {
        let scope = FlushScope::Swap(a, b);
        server.watched.touch_all(
            &mut server.front.clients,
            &mut server.keyspace,
            scope,
            cx.now,
        );
        server.keyspace.swap(a, b);
        server.blocked.ready_after(&mut server.effects, scope);
    }
    server.effects.dirty += 1;
    cx.reply.ok();
    Ok(())
}
