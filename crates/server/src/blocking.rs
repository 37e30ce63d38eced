//! Clients that wait for a key, and who is served first.
//!
//! A blocking command that finds nothing notes the keys it waits for; the client is parked with its request. When a
//! command (or a whole transaction) has made one of those keys ready, the same request runs again for each waiting
//! client, longest waiting first.

use crate::context::DataContext;
use crate::effects::{BlockOn, Effects, FlushScope};
use crate::server::Server;
use front::client::{BlockReason, Blocked, OwnedArgs};
use front::command::{CommandError, CommandId, Group};
use front::{Client, ClientKey, UnixMillis};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use store::value::ValueType;

/// See the module.
#[derive(Default)]
pub struct BlockedClients {
    waiting: HashMap<(u32, Box<[u8]>), VecDeque<ClientKey>>,
    timeouts: BTreeSet<(UnixMillis, ClientKey)>,
    /// Those whose wait ends, with an error, when the key is gone.
    minding: HashSet<ClientKey>,
    count: usize,
}

impl BlockedClients {
    /// Clients blocked for any reason, `blocked_clients`.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Clients with a time limit, `clients_in_timeout_table`.
    pub fn with_timeout(&self) -> usize {
        self.timeouts.len()
    }

    /// Whether somebody waits for a key.
    pub fn any_on_keys(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether somebody must hear when a key is gone.
    pub fn any_mind_keys(&self) -> bool {
        !self.minding.is_empty()
    }

    /// Whole dbs were emptied or exchanged: a client may find the key it waits for, or find it gone.
    pub fn ready_after(&self, effects: &mut Effects, scope: FlushScope) {
        for (db, key) in self.waiting.keys() {
            let is_meant = match scope {
                FlushScope::All => true,
                FlushScope::Db(flushed) => *db == flushed,
                FlushScope::Swap(a, b) => *db == a || *db == b,
            };
            if is_meant {
                effects.ready_in(*db, key);
            }
        }
    }

    /// Milliseconds until the first wait is over.
    pub fn next_timeout(&self, now: UnixMillis) -> Option<u64> {
        self.timeouts
            .first()
            .map(|&(until, _)| (until - now).max(0) as u64)
    }

    /// Forgets a client's wait; its own state is left to the caller.
    pub fn forget(&mut self, client: &mut Client) {
        let Some(blocked) = &client.blocked else {
            return;
        };
        self.count -= 1;
        self.minding.remove(&client.key);
        if let Some(until) = blocked.until {
            self.timeouts.remove(&(until, client.key));
        }
        for key in &blocked.keys {
            let entry = (client.db, key.clone());
            if let Some(queue) = self.waiting.get_mut(&entry) {
                queue.retain(|&waiting| waiting != client.key);
                if queue.is_empty() {
                    self.waiting.remove(&entry);
                }
            }
        }
    }

    /// Parks a client.
    pub fn park(&mut self, client: &mut Client, blocked: Blocked) {
        self.count += 1;
        if let Some(until) = blocked.until {
            self.timeouts.insert((until, client.key));
        }
        for key in &blocked.keys {
            let queue = self.waiting.entry((client.db, key.clone())).or_default();
            if !queue.contains(&client.key) {
                queue.push_back(client.key);
            }
        }
        client.blocked = Some(Box::new(blocked));
    }
}

/// Waits for the keys, or answers at once as if the time were up where waiting is not possible.
pub(crate) fn wait(
    cx: &mut DataContext<'_>,
    keys: &[&[u8]],
    until: Option<i64>,
    nothing: fn(&mut resp::Writer<'_>),
) {
    if cx.deny_blocking {
        nothing(&mut cx.reply);
    } else {
        cx.effects.block_on(keys, until);
    }
}

impl Server {
    /// Parks the client of a command that asked to wait.
    pub(crate) fn block_client(
        &mut self,
        key: ClientKey,
        command: CommandId,
        args: &[&[u8]],
        on: BlockOn,
    ) {
        let since_us = self.front.clock.mono_us();
        let Some(client) = self.front.clients.get_mut(key) else {
            return;
        };
        let blocked = Blocked {
            reason: BlockReason::Keys,
            command,
            args: on.request.unwrap_or_else(|| OwnedArgs::new(args)),
            until: on.until,
            since_us,
            keys: on.keys,
        };
        self.blocked.park(client, blocked);
        if on.ends_with_key {
            self.blocked.minding.insert(key);
        }
    }

    /// Parks a client whose request waits for something other than keys; `until` is the time of giving up, if any.
    pub(crate) fn park_request(
        &mut self,
        key: ClientKey,
        reason: BlockReason,
        until: Option<UnixMillis>,
        args: &[&[u8]],
    ) {
        let since_us = self.front.clock.mono_us();
        let Some(client) = self.front.clients.get_mut(key) else {
            return;
        };
        let blocked = Blocked {
            reason,
            command: client.last_command.expect("it sent this one"),
            args: OwnedArgs::new(args),
            until,
            since_us,
            keys: Vec::new(),
        };
        self.blocked.park(client, blocked);
    }

    /// A key changed. If it is gone, or holds something else now, those who mind hear of it when the unit ends.
    pub(crate) fn wake_those_who_mind(&mut self, db: u32, key: Box<[u8]>) {
        if self.blocked.minding.is_empty() {
            return;
        }
        let waited_for = (db, key);
        let queue = self.blocked.waiting.get(&waited_for);
        let minding = queue.into_iter().flatten();
        let minding = minding
            .copied()
            .find(|client| self.blocked.minding.contains(client));
        let found = self.keyspace.db(db).peek(&waited_for.1);
        let found = found.map(|entry| entry.value().value_type());
        if minding.is_some_and(|client| self.awaited_type(client) != found) {
            self.effects.ready.push(waited_for);
        }
    }

    /// Ends a wait: the client may go on.
    pub(crate) fn unpark(&mut self, key: ClientKey) -> Option<Box<Blocked>> {
        let client = self.front.clients.get_mut(key)?;
        self.blocked.forget(client);
        let blocked = client.blocked.take()?;
        self.front.resume_input(key);
        Some(blocked)
    }

    /// Runs the requests of clients that wait for keys which the finished unit made ready.
    pub(crate) fn serve_ready_keys(&mut self) {
        // Serving may make further keys ready (BLMOVE feeds a list): go on until nothing is.
        while !self.effects.ready.is_empty() {
            for waited_for in std::mem::take(&mut self.effects.ready) {
                let Some(queue) = self.blocked.waiting.get(&waited_for) else {
                    continue;
                };
                let (db, key) = waited_for;
                let key = Arc::from(key);
                let queue = queue.iter().copied().collect::<Vec<_>>();
                let mut found = self.type_at(db, &key);
                for client in queue {
                    // Only who was served changed something.
                    if self.is_served_by(client, found) && self.retry_blocked(client, &key) {
                        found = self.type_at(db, &key);
                    }
                }
            }
        }
    }

    fn type_at(&mut self, db: u32, key: &[u8]) -> Option<ValueType> {
        let access = self.access();
        let found = self.keyspace.begin(db, access).peek(key);
        let found = found.map(|entry| entry.value().value_type());
        // It may have expired meanwhile.
        self.settle_notices(db);
        self.finish_propagation();
        found
    }

    /// Whether a client that waits for a key goes on now that it holds this. Who waits for a list is not told that a
    /// string came instead.
    fn is_served_by(&self, client: ClientKey, found: Option<ValueType>) -> bool {
        let awaited = self.awaited_type(client);
        awaited.is_some() && (awaited == found || self.blocked.minding.contains(&client))
    }

    /// The type of value that a blocked client waits for.
    fn awaited_type(&self, client: ClientKey) -> Option<ValueType> {
        let client = self.front.clients.get(client)?;
        let command = client.blocked.as_ref()?.command;
        match self.front.table.entry(command).spec.group {
            Group::List => Some(ValueType::List),
            Group::SortedSet => Some(ValueType::SortedSet),
            Group::Stream => Some(ValueType::Stream),
            _ => None,
        }
    }

    /// Runs the request of a client again. Returns whether it was answered.
    fn retry_blocked(&mut self, client_key: ClientKey, woken_by: &Arc<[u8]>) -> bool {
        let Some(blocked) = self.blocked_state(client_key) else {
            return false;
        };
        if blocked.reason != BlockReason::Keys {
            return false;
        }
        let (command, since_us) = (blocked.command, blocked.since_us);
        let args = std::mem::take(&mut blocked.args);
        let waited_us = self.front.clock.mono_us().saturating_sub(since_us);
        self.effects.woken_by = Some(woken_by.clone());
        let answered = self.run_again(client_key, command, &args.slices(), waited_us);
        self.effects.woken_by = None;
        if answered {
            self.unpark(client_key);
        } else if let Some(blocked) = self.blocked_state(client_key) {
            blocked.args = args;
        }
        answered
    }

    fn blocked_state(&mut self, client: ClientKey) -> Option<&mut Blocked> {
        self.front.clients.get_mut(client)?.blocked.as_deref_mut()
    }

    /// Ends the waits whose time is up.
    pub(crate) fn time_out_blocked(&mut self) {
        let now = self.front.clock.now();
        while let Some(&(until, key)) = self.blocked.timeouts.first() {
            if until > now {
                return;
            }
            self.time_out(key);
        }
    }

    /// Ends a client's wait with an error.
    pub(crate) fn refuse_blocked(&mut self, key: ClientKey, error: &CommandError) {
        let Some(blocked) = self.unpark(key) else {
            return;
        };
        self.command_stats[blocked.command.index()].failed_calls += 1;
        self.count_error(error);
        let mut reply = Vec::new();
        resp::Writer::new(&mut reply, false).error(error.to_bytes());
        self.front.reply(key, &reply);
    }

    /// Ends a client's wait without a key.
    pub(crate) fn time_out(&mut self, key: ClientKey) {
        let Some(blocked) = self.unpark(key) else {
            return;
        };
        let Some(client) = self.front.clients.get(key) else {
            return;
        };
        let mut reply = Vec::new();
        let mut writer = resp::Writer::new(&mut reply, client.resp3);
        match blocked.reason {
            BlockReason::Replicas { .. } => {
                writer.integer(self.replicas_at(client.last_write) as i64);
            }
            _ => writer.null_array(),
        }
        self.front.reply(key, &reply);
    }
}
