//! The path of a command: find it, admit it, run it, perform what it noted.

use crate::call_stats::CallEnd;
use crate::context::{DataContext, Handler, ServerContext};
use crate::effects::{Event, EventClass, Propagation, Wanted};
use crate::propagation::{Audience, Propagated};
use crate::server::Server;
use front::client::{OwnedArgs, ReplyMode};
use front::command::{
    CommandError, CommandId, CommandResult, Flags, Lookup, first_key, unknown_command,
    unknown_subcommand,
};
use front::event_loop::Execution;
use front::{ClientClass, ClientKey, FrontContext};
use resp::Writer;
use std::time::Duration;
use store::db::{ExpiredEntries, Notice};

/// Commands that EXEC runs at once even while a transaction is open.
fn runs_in_transaction(name: &str) -> bool {
    matches!(
        name,
        "exec" | "discard" | "multi" | "watch" | "quit" | "reset"
    )
}

/// The first words of an HTTP request: a web page may make its visitor's browser send those to a local server.
fn is_web_request(args: &[&[u8]]) -> bool {
    args.first().is_some_and(|name| {
        name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
    })
}

fn is_exec(args: &[&[u8]]) -> bool {
    args.first()
        .is_some_and(|name| name.eq_ignore_ascii_case(b"exec"))
}

/// In whose name a command runs.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) key: ClientKey,
    pub(crate) db: u32,
    pub(crate) resp3: bool,
    /// See `Client::sends_history`.
    pub(crate) sends_history: bool,
}

/// Adds the event of a new key to those of the command that made it: before all that tell of the key.
fn insert_new_key_event(events: &mut Vec<Event>, db: u32, key: Box<[u8]>) {
    let first = events
        .iter()
        .position(|event| event.db == db && event.key == key);
    let place = match first {
        // The other half of a move tells of the old key, and comes after the new one is there as well.
        Some(at) if at > 0 && matches!(events[at].name, "rename_to" | "move_to") => at - 1,
        Some(at) => at,
        None => 0,
    };
    let event = Event {
        class: EventClass::NEW,
        name: "new",
        db,
        key,
    };
    events.insert(place, event);
}

impl Server {
    pub(crate) fn caller(&self, key: ClientKey) -> Option<Caller> {
        let client = self.front.clients.get(key)?;
        Some(Caller {
            key,
            db: client.db,
            resp3: client.resp3,
            sends_history: client.sends_history(),
        })
    }

    /// Starts fetching the keys of requests that are about to run.
    pub(crate) fn prefetch_keys(&mut self, requests: &[(ClientKey, &[&[u8]])]) {
        let mut hashes = [(0, 0); front::event_loop::BATCH];
        let mut count = 0;
        let mut last: (&[u8], CommandId) = (&[], CommandId(0));
        for (client, args) in requests.iter().take(hashes.len()) {
            // Those that come together are often the same.
            if args.first() != Some(&last.0) {
                let Lookup::Found(id) = self.front.table.lookup(args) else {
                    continue;
                };
                last = (args[0], id);
            }
            let id = last.1;
            let Some(at) = first_key(self.front.table.entry(id).spec, args) else {
                continue;
            };
            let Some(client) = self.front.clients.get(*client) else {
                continue;
            };
            let hash = store::hash::hash(args[at]);
            self.keyspace.db(client.db).prefetch_control(hash);
            hashes[count] = (client.db, hash);
            count += 1;
        }
        let hashes = &hashes[..count];
        for &(db, hash) in hashes {
            self.keyspace.db(db).prefetch_slot(hash);
        }
        for &(db, hash) in hashes {
            self.keyspace.db(db).prefetch_entry(hash);
        }
    }

    /// Runs one request of a client.
    pub(crate) fn execute_request(&mut self, key: ClientKey, args: &[&[u8]]) -> Execution {
        let execution = self.admit_and_run(key, args);
        if self.tracking.has_clients() && execution == Execution::Done {
            self.forget_caching_choice(key);
        }
        execution
    }

    fn admit_and_run(&mut self, key: ClientKey, args: &[&[u8]]) -> Execution {
        let found = self.front.table.lookup(args);
        let Some(client) = self.front.clients.get_mut(key) else {
            return Execution::Done;
        };
        client.last_command = match found {
            Lookup::Found(id) => Some(id),
            Lookup::Unknown | Lookup::UnknownSubcommand(_) => None,
        };
        let id = match self.check_request(key, found, args) {
            Ok(id) => id,
            Err(error) => {
                self.refuse(key, args, &error);
                return Execution::Done;
            }
        };
        let client = self.front.clients.get_mut(key).expect("found above");
        let entry = self.front.table.entry(id);
        if self.pause.holds(client, entry, args, &self.scripting) {
            self.hold(key, id);
            return Execution::Held;
        }
        if let Some(transaction) = &mut client.transaction
            && !runs_in_transaction(&entry.full_name)
        {
            transaction.queue(id, entry.spec.flags, OwnedArgs::new(args));
            self.finish_reply(key, b"+QUEUED\r\n");
            return Execution::Done;
        }
        let mut reply = std::mem::take(&mut self.reply_scratch);
        reply.clear();
        let streamed = self.replication.stream.end();
        self.running = Some(key);
        self.call(key, id, args, &mut reply);
        self.finish_reply(key, &reply);
        self.running = None;
        self.send_pending_invalidations();
        /// A reply larger than this was rare; its memory goes back.
        const SCRATCH_KEPT: usize = 64 * 1024;
        if reply.capacity() <= SCRATCH_KEPT {
            self.reply_scratch = reply;
        }
        self.finish_unit();
        self.note_write(key, streamed);
        Execution::Done
    }

    /// If the stream for replicas has grown since it had this length, it was this client that wrote last.
    fn note_write(&mut self, key: ClientKey, streamed: u64) {
        if self.replication.stream.end() != streamed
            && let Some(client) = self.front.clients.get_mut(key)
        {
            client.last_write = self.replication.coming_offset();
        }
    }

    /// Sends the reply of the request that just ran, as CLIENT REPLY wants it.
    fn finish_reply(&mut self, key: ClientKey, reply: &[u8]) {
        let Some(client) = self.front.clients.get_mut(key) else {
            return;
        };
        let (send, next) = match client.reply_mode {
            ReplyMode::On => (true, ReplyMode::On),
            ReplyMode::Off => (false, ReplyMode::Off),
            ReplyMode::SkipThis => (false, ReplyMode::SkipNext),
            ReplyMode::SkipNext => (false, ReplyMode::On),
        };
        client.reply_mode = next;
        // A master is told how far this node is, and nothing else.
        if client.class == ClientClass::Master {
            return self.report_to_no_master(key, reply);
        }
        if send || self.replies_in_any_mode(key) {
            self.front.send(key, reply);
        }
        // Who is to be closed after an empty reply would never be seen to have read it.
        if let Some(client) = self.front.clients.get(key)
            && client.close_after_reply
            && client.output.is_empty()
        {
            self.front.close_soon(key);
        }
    }

    /// What the master has run fails here: the data are no longer the same.
    fn report_to_no_master(&self, key: ClientKey, reply: &[u8]) {
        let Some(error) = reply.strip_prefix(b"-") else {
            return;
        };
        let command = self.front.clients.get(key).and_then(|c| c.last_command);
        let command = command.map_or("<unknown>", |id| self.full_name(id));
        let error = String::from_utf8_lossy(error);
        let error = error.trim_end();
        let error = error.strip_prefix("ERR ").unwrap_or(error);
        front::log_warning!(
            "== CRITICAL == This replica is sending an error to its master: '{error}' after processing the command \
             '{command}'"
        );
    }

    /// Whether the client's command confirms subscriptions: those count as messages, which CLIENT REPLY leaves alone.
    fn replies_in_any_mode(&self, key: ClientKey) -> bool {
        let command = self.front.clients.get(key).and_then(|c| c.last_command);
        command.is_some_and(|id| self.full_name(id).ends_with("subscribe"))
    }

    /// Whether a request may run or be queued, without looking at what it does.
    fn check_request(
        &mut self,
        key: ClientKey,
        found: Lookup,
        args: &[&[u8]],
    ) -> Result<CommandId, CommandError> {
        let id = match found {
            Lookup::Found(id) => id,
            Lookup::Unknown => return Err(unknown_command(args)),
            Lookup::UnknownSubcommand(_) => return Err(unknown_subcommand(args)),
        };
        let entry = self.front.table.entry(id);
        if !entry.arity_accepts(args.len()) {
            return Err(CommandError::WrongArity(entry.full_name.clone()));
        }
        self.admit(key, id, args)?;
        self.limit_tracking_table();
        Ok(id)
    }

    /// Answers a request that does not run. Inside MULTI it spoils the transaction.
    fn refuse(&mut self, key: ClientKey, args: &[&[u8]], error: &CommandError) {
        let Some(client) = self.front.clients.get_mut(key) else {
            return;
        };
        let command = client.last_command;
        if command.is_none() && is_web_request(args) {
            front::log_warning!(
                "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to this \
                 server: a browser was made to talk to it. Connection aborted."
            );
            return self.front.close_soon(key);
        }
        if let Some(transaction) = &mut client.transaction {
            transaction.failed = true;
        }
        let exec_error;
        let mut error = error;
        if is_exec(args) {
            // An EXEC that cannot even run ends the transaction, if there is one.
            client.transaction = None;
            self.watched.forget(client);
            client.watch_broken = false;
            let text = error.to_bytes();
            let reason = text.strip_prefix(b"ERR ").unwrap_or(&text);
            exec_error =
                CommandError::quoting(&[b"EXECABORT Transaction discarded because of: ", reason]);
            error = &exec_error;
        }
        let resp3 = client.resp3;
        if let Some(id) = command {
            self.command_stats[id.index()].rejected_calls += 1;
        }
        self.count_error(error);
        let mut reply = Vec::new();
        Writer::new(&mut reply, resp3).error(error.to_bytes());
        self.finish_reply(key, &reply);
    }

    pub(crate) fn count_error(&mut self, error: &CommandError) {
        self.stats.error_replies += 1;
        *self.stats.errors.entry(error.code()).or_default() += 1;
    }

    /// Runs a command whose request was admitted, appends its reply and performs its effects. EXEC calls this for each
    /// queued command.
    pub(crate) fn call(
        &mut self,
        key: ClientKey,
        id: CommandId,
        args: &[&[u8]],
        reply: &mut Vec<u8>,
    ) {
        let Some(caller) = self.caller(key) else {
            return;
        };
        let Caller { db, resp3, .. } = caller;
        // What a script did between its commands is not theirs.
        let started_ns = match self.scripting.running {
            Some(_) => self.front.clock.read_mono_ns(),
            None => self.front.clock.lap_ns(),
        };
        self.depth += 1;
        self.prepare_effects(db);
        let mark = reply.len();
        let result = self.run_handler(caller, id, args, reply);
        if let Err(error) = &result {
            reply.truncate(mark);
            Writer::new(reply, resp3).error(error.to_bytes());
            self.count_error(error);
        }
        let took = Duration::from_nanos(self.front.clock.end_lap() - started_ns);
        let end = CallEnd::of(&result, self.effects.block.is_some());
        self.count_call(key, id, args, took, end);
        if self.tracking.has_clients() {
            self.track_call(key, id, args);
        }
        self.feed_monitors(key, id, args);
        self.perform_effects(key, db, id, args);
        self.depth -= 1;
        if let Some(on) = self.effects.block.take() {
            self.block_client(key, id, args, on);
        }
    }

    /// Runs a blocked client's request again. Returns whether it got an answer.
    pub(crate) fn run_again(
        &mut self,
        key: ClientKey,
        id: CommandId,
        args: &[&[u8]],
        _waited_us: u64,
    ) -> bool {
        let Some(caller) = self.caller(key) else {
            return false;
        };
        let Caller { db, resp3, .. } = caller;
        let started_ns = self.front.clock.read_mono_ns();
        let streamed = self.replication.stream.end();
        self.depth += 1;
        self.running = Some(key);
        self.prepare_effects(db);
        let mut reply = Vec::new();
        let result = self.run_handler(caller, id, args, &mut reply);
        if let Err(error) = &result {
            reply.clear();
            Writer::new(&mut reply, resp3).error(error.to_bytes());
            self.count_error(error);
        }
        let took = Duration::from_nanos(self.front.clock.read_mono_ns() - started_ns);
        let end = CallEnd::of(&result, self.effects.block.is_some());
        if end != CallEnd::Blocked {
            self.count_served(key, id, args, took, end);
        }
        self.perform_effects(key, db, id, args);
        self.depth -= 1;
        let answered = self.effects.block.take().is_none();
        if answered {
            self.front.reply(key, &reply);
        }
        self.running = None;
        self.send_pending_invalidations();
        self.finish_propagation();
        self.note_write(key, streamed);
        answered
    }

    pub(crate) fn prepare_effects(&mut self, db: u32) {
        let loading = self.is_loading();
        let propagation = self.stream_wanted();
        let effects = &mut self.effects;
        effects.db = db;
        effects.dirty = 0;
        effects.propagation = Propagation::Verbatim;
        effects.wanted = match loading {
            // Nobody is told what was told when it first happened.
            true => Wanted::default(),
            false => Wanted {
                events: self.notify,
                changed_keys: !self.watched.is_empty()
                    || self.blocked.any_mind_keys()
                    || self.tracking.is_active(),
                ready_keys: self.blocked.any_on_keys(),
                propagation,
            },
        };
    }

    pub(crate) fn run_handler(
        &mut self,
        caller: Caller,
        id: CommandId,
        args: &[&[u8]],
        reply: &mut Vec<u8>,
    ) -> CommandResult {
        let mut access = self.access();
        access.quiet = self.quiet_lookups[id.index()];
        let now = access.now;
        let Caller {
            key,
            db,
            resp3,
            sends_history,
        } = caller;
        if sends_history {
            access.expired = ExpiredEntries::Keep;
        }
        let reply = Writer::new(reply, resp3).limited(self.front.reply_limit(key));
        match self.handlers[id.index()] {
            Some(Handler::Data(run)) => run(&mut DataContext {
                db: self.keyspace.begin(db, access),
                args,
                reply,
                effects: &mut self.effects,
                settings: &self.settings,
                now,
                deny_blocking: self.deny_blocking,
                from_master: sends_history,
            }),
            Some(Handler::Server(run)) => {
                for (_, db) in self.keyspace.iter_mut() {
                    db.access = access;
                }
                let deny_blocking = self.deny_blocking;
                run(&mut ServerContext {
                    server: self,
                    client: key,
                    args,
                    reply,
                    now,
                    db,
                    deny_blocking,
                    from_master: sends_history,
                })
            }
            Some(Handler::Front(run)) => {
                let result = run(&mut FrontContext {
                    front: &mut self.front,
                    client: key,
                    args,
                    reply,
                });
                if let Some(task) = self.front.take_owner_task() {
                    self.do_owner_task(task);
                }
                result
            }
            // A container called without a subcommand: its arity says so.
            None => Err(CommandError::WrongArity(self.full_name(id).to_string())),
        }
    }

    /// Does what the command noted: propagation, events, watchers. Blocked clients are served when the unit ends.
    fn perform_effects(&mut self, key: ClientKey, db: u32, id: CommandId, args: &[&[u8]]) {
        if matches!(self.handlers[id.index()], Some(Handler::Server(_))) {
            // It may have looked into any db.
            for db in 0..self.keyspace.count() as u32 {
                self.settle_notices(db);
            }
        } else {
            self.settle_notices(db);
        }
        let spec = self.front.table.entry(id).spec;
        if self.depth == 1 && spec.flags.has(Flags::READONLY) && spec.keys.is_empty() {
            self.propagate_one_by_one();
        }
        let changes = std::mem::take(&mut self.effects.dirty);
        self.stats.dirty += changes;
        match std::mem::take(&mut self.effects.propagation) {
            Propagation::Nothing => {}
            Propagation::Instead(commands) => {
                let commands = commands.into_iter();
                self.unit
                    .extend(commands.map(|(db, args)| Propagated::new(db, args)));
            }
            Propagation::Verbatim
                if changes > 0
                    && self.effects.wanted.propagation
                    && !self.front.table.entry(id).spec.flags.has(Flags::READONLY) =>
            {
                if self.depth == 1 && self.unit.is_empty() {
                    self.propagate(db, args);
                } else {
                    self.unit.push(Propagated::new(db, OwnedArgs::new(args)));
                }
            }
            // Subscribers of replicas hear of what was published here.
            Propagation::Verbatim
                if self.effects.wanted.propagation && self.front.table.entry(id).publishes() =>
            {
                self.unit
                    .push(Propagated::message(db, OwnedArgs::new(args)));
            }
            Propagation::Verbatim => {}
        }
        self.note_all_changed(Some(key));
        self.publish_events();
        if self.keyspace.db(db).has_garbage() {
            self.free_garbage(db);
        }
    }

    /// What the command met while it looked: deletions of keys that had expired go before the command itself.
    pub(crate) fn settle_notices(&mut self, db: u32) {
        if !self.keyspace.db(db).has_notices() {
            return;
        }
        // The command looked before it changed: its own events come after these.
        let mut own = std::mem::take(&mut self.effects.events);
        for notice in self.keyspace.db(db).take_notices() {
            match notice {
                Notice::Expired(key) => {
                    self.stats.expired_keys += 1;
                    self.effects
                        .notify_in(db, EventClass::EXPIRED, "expired", &key);
                    if self.effects.wanted.changed_keys {
                        self.note_changed(db, &key, None);
                    }
                    self.propagate_removal(db, &key, self.settings.lazy_free.expire);
                }
                Notice::Missed(key) => {
                    self.effects
                        .notify_in(db, EventClass::KEY_MISS, "keymiss", &key);
                }
                Notice::Created(key) => insert_new_key_event(&mut own, db, key),
            }
        }
        self.effects.events.extend(own);
    }

    /// A key is gone that no command has deleted.
    pub(crate) fn propagate_removal(&mut self, db: u32, key: &[u8], lazy: bool) {
        if self.effects.wanted.propagation {
            let command: &[u8] = if lazy { b"UNLINK" } else { b"DEL" };
            self.unit
                .push(Propagated::new(db, OwnedArgs::new(&[command, key])));
        }
    }

    /// What active expiry removed, outside any command: propagated and told to those who watch.
    pub(crate) fn settle_expired(&mut self, db: u32) {
        self.prepare_effects(db);
        self.settle_notices(db);
        self.propagate_one_by_one();
        self.settle(db);
    }

    /// Performs what was noted outside any command, in `db`.
    pub(crate) fn settle(&mut self, db: u32) {
        self.note_all_changed(None);
        self.publish_events();
        if self.keyspace.db(db).has_garbage() {
            self.free_garbage(db);
        }
        self.finish_unit();
    }

    /// Tells subscribers of `__keyspace@<db>__:<key>` and `__keyevent@<db>__:<event>` what happened.
    #[inline]
    fn publish_events(&mut self) {
        if !self.effects.events.is_empty() {
            self.publish_all_events();
        }
    }

    fn publish_all_events(&mut self) {
        for event in std::mem::take(&mut self.effects.events) {
            let (db, name) = (event.db, event.name.as_bytes());
            if self.notify.any(EventClass::KEYSPACE) {
                let channel = [format!("__keyspace@{db}__:").as_bytes(), &event.key].concat();
                self.front.publish(false, &channel, name);
            }
            if self.notify.any(EventClass::KEYEVENT) {
                let channel = format!("__keyevent@{db}__:{}", event.name);
                self.front.publish(false, channel.as_bytes(), &event.key);
            }
        }
    }

    /// Tells those who watch or track the changed keys.
    #[inline]
    fn note_all_changed(&mut self, by: Option<ClientKey>) {
        if self.effects.changed.is_empty() {
            return;
        }
        for (db, key) in std::mem::take(&mut self.effects.changed) {
            self.note_changed(db, &key, by);
        }
    }

    /// A key changed, by a client or by itself.
    fn note_changed(&mut self, db: u32, key: &[u8], by: Option<ClientKey>) {
        self.watched
            .touch(&mut self.front.clients, db, key, by.is_none());
        if self.blocked.any_mind_keys() {
            self.wake_those_who_mind(db, key.into());
        }
        if self.tracking.is_active() {
            self.invalidate(key, by);
        }
    }

    /// The outermost command is done: what its unit changed becomes one piece of the stream, and those who waited for a
    /// key are served.
    pub(crate) fn finish_unit(&mut self) {
        self.finish_propagation();
        if !self.effects.ready.is_empty() {
            self.serve_ready_keys();
        }
    }

    /// What the unit holds so far has nothing to do with one another: keys that happened to be met when they had expired.
    fn propagate_one_by_one(&mut self) {
        for command in std::mem::take(&mut self.unit) {
            self.propagate(command.db, &command.args.slices());
        }
    }

    pub(crate) fn finish_propagation(&mut self) {
        if !self.unit.is_empty() {
            let unit = std::mem::take(&mut self.unit);
            if self.aof.wants_stream() {
                let told = |command: &&Propagated| command.audience != Audience::Replicas;
                self.write_stream.append_all(unit.iter().filter(told));
            }
            if self.replication.wants_stream() {
                let told = |command: &&Propagated| command.audience != Audience::Aof;
                self.replication.stream.append_all(unit.iter().filter(told));
            }
        }
    }
}
