//! The process around the core: carries out what it decides, and brings it what happens.

use crate::commands::{self, Handler, SentinelContext};
use crate::config_file;
use crate::core::{Action, ConnId, Core, Event, Level, Loss};
use crate::helpers::{self, Found};
use crate::settings::Settings;
use front::acl::LogContext;
use front::background::Completion;
use front::client::{BlockReason, Blocked, OwnedArgs, ReplyMode};
use front::command::{CommandError, CommandId, Lookup, unknown_command, unknown_subcommand};
use front::commands::allowed_while_subscribed;
use front::event_loop::{Execution, Service};
use front::{
    Client, ClientClass, ClientKey, Front, FrontContext, Identity, LinkEvent, OwnerTask, PauseKind,
    UnixMillis,
};
use resp::{Frame, FrameParser, Writer};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A Sentinel. One thread owns it.
pub(crate) struct Sentinel {
    pub(crate) front: Front,
    pub(crate) core: Core,
    pub(crate) settings: Settings,
    pub(crate) file: PathBuf,
    /// Names this process.
    pub(crate) run_id: String,
    pub(crate) commands_processed: u64,
    pub(crate) error_replies: u64,
    handlers: Vec<Option<Handler>>,
    conns: HashMap<ConnId, Conn>,
    by_client: HashMap<ClientKey, ConnId>,
    next_tick_ms: u64,
    stop: bool,
    pub(crate) stop_requested: Arc<AtomicBool>,
    /// CLIENT PAUSE: until when, by the wall clock, and who waits.
    paused_until: Option<UnixMillis>,
    waiting: Vec<ClientKey>,
    /// The process ends with this code, at once.
    pub(crate) exit_code: Option<u8>,
}

/// A connection that the core asked for.
struct Conn {
    client: ClientKey,
    parser: FrameParser,
    /// The beginning of a reply that is not whole.
    received: Vec<u8>,
}

/// More than any reply to a Sentinel: what is longer is no reply.
const LONGEST_REPLY: usize = 64 * 1024 * 1024;

impl Sentinel {
    /// # Errors
    /// When the system refuses an event loop, or a user cannot be what the file says.
    pub(crate) fn new(
        core: Core,
        settings: Settings,
        file: PathBuf,
        run_id: String,
    ) -> io::Result<Sentinel> {
        let (table, handlers) = commands::table();
        let mut front = Front::new(table)?;
        front.identity = Identity {
            mode: "sentinel",
            role: None,
        };
        front.settings.maxclients = settings.maxclients;
        front.settings.timeout_seconds = settings.timeout_seconds;
        front.settings.tcp_keepalive_seconds = settings.tcp_keepalive_seconds;
        front.settings.protected_mode = settings.protected_mode;
        front.acl.set_requirepass(&settings.requirepass);
        front.acl.log.set_max_len(settings.acllog_max_len);
        front.acl.file = settings.aclfile.clone();
        let mut sentinel = Sentinel {
            front,
            core,
            settings,
            file,
            run_id,
            commands_processed: 0,
            error_replies: 0,
            handlers,
            conns: HashMap::new(),
            by_client: HashMap::new(),
            next_tick_ms: 0,
            stop: false,
            stop_requested: Arc::default(),
            paused_until: None,
            waiting: Vec::new(),
            exit_code: None,
        };
        sentinel.load_users().map_err(io::Error::other)?;
        Ok(sentinel)
    }

    fn load_users(&mut self) -> Result<(), String> {
        let front = &mut self.front;
        for (name, rules) in &self.settings.users {
            front
                .acl
                .set_user(&front.table, name.as_bytes(), rules)
                .map_err(|wrong| {
                    let rule = String::from_utf8_lossy(&wrong.rule).into_owned();
                    let error = wrong.error;
                    format!("Error in user declaration '{name}', rule '{rule}': {error}")
                })?;
        }
        if !front.acl.file.is_empty() {
            front.acl.load(&front.table).map_err(|report| {
                format!("Aborting Redis startup because of ACL errors: {report}")
            })?;
        }
        Ok(())
    }

    /// Monotonic milliseconds.
    pub(crate) fn now(&self) -> u64 {
        self.front.clock.mono_ms()
    }

    pub(crate) fn happened(&mut self, event: Event) {
        let now = self.now();
        self.core.handle(now, event);
        self.carry_out();
    }

    /// Does what the core has decided, in its order. The state is on disk before anything that rests on it leaves.
    pub(crate) fn carry_out(&mut self) {
        let mut unsaved = false;
        loop {
            let actions = self.core.take_actions();
            if actions.is_empty() {
                break;
            }
            for action in actions {
                if action == Action::Save {
                    unsaved = true;
                    continue;
                }
                // What is told to people alone may come before.
                let tells = matches!(action, Action::Publish(_) | Action::Log(..));
                if !tells && std::mem::take(&mut unsaved) {
                    self.save();
                }
                self.act(action);
                if self.exit_code.is_some() {
                    return;
                }
            }
        }
        if unsaved {
            self.save();
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Save => {}
            Action::Connect { conn, ip, port } => self.connect(conn, &ip, port),
            Action::Close { conn } => {
                if let Some(closed) = self.conns.remove(&conn) {
                    self.by_client.remove(&closed.client);
                    self.front.close_soon(closed.client);
                }
            }
            Action::Send { conn, args } => {
                if let Some(to) = self.conns.get(&conn) {
                    let mut bytes = Vec::new();
                    resp::encode_command(&args, &mut bytes);
                    self.front.send(to.client, &bytes);
                }
            }
            Action::Resolve { host } => helpers::resolve(&self.front, host),
            Action::Publish(notice) => {
                let text = format!("{} {}", notice.channel, notice.message);
                log(notice.level, &text);
                if notice.level > Level::Debug {
                    self.front
                        .publish(false, notice.channel.as_bytes(), notice.message.as_bytes());
                }
            }
            Action::Log(level, text) => log(level, &text),
            Action::RunScript { job, argv } => {
                let now = self.now();
                let event = match helpers::run_script(&self.front, job, &argv) {
                    Ok(pid) => Event::ScriptStarted { job, pid },
                    Err(error) => {
                        front::log_warning!("Can't run the script {}: {error}", argv[0]);
                        let end = crate::core::scripts::End::NotStarted;
                        Event::ScriptEnded { job, end }
                    }
                };
                self.core.handle(now, event);
            }
            Action::KillScript { pid } => helpers::kill(pid),
            Action::Exit(code) => {
                front::log_warning!("Sentinel CRASH because of SENTINEL simulate-failure");
                self.exit_code = Some(code);
                self.stop = true;
            }
        }
    }

    /// Writes the state to disk. What cannot be written is told; the Sentinel goes on, as a group without it is worse off.
    pub(crate) fn save(&mut self) -> bool {
        let saved = self.try_save();
        if let Err(error) = &saved {
            front::log_warning!(
                "WARNING: Sentinel was not able to save the new configuration on disk!!!: {error}"
            );
        }
        saved.is_ok()
    }

    pub(crate) fn try_save(&mut self) -> io::Result<()> {
        let old = std::fs::read(&self.file)?;
        let front = &self.front;
        let users: Vec<String> = match front.acl.file.is_empty() {
            true => front.acl.lines(&front.table),
            false => Vec::new(),
        }
        .iter()
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
        let text = config_file::rewritten(&String::from_utf8_lossy(&old), self.core.lines(), users);
        if text.as_bytes() == old {
            return Ok(());
        }
        config_file::replace(&self.file, &text)
    }

    fn connect(&mut self, conn: ConnId, ip: &str, port: u16) {
        let connected = match ip.parse::<IpAddr>() {
            Ok(ip) => self.front.connect(SocketAddr::new(ip, port), None),
            Err(_) => Err(io::ErrorKind::InvalidInput.into()),
        };
        match connected {
            Ok(client) => {
                self.by_client.insert(client, conn);
                let conn_state = Conn {
                    client,
                    parser: FrameParser::default(),
                    received: Vec::new(),
                };
                self.conns.insert(conn, conn_state);
            }
            Err(error) => {
                let loss = loss_of(&error);
                let now = self.now();
                self.core.handle(now, Event::Lost { conn, loss });
            }
        }
    }

    /// Forgets a connection that is gone, and tells the core.
    fn lose(&mut self, client: ClientKey, loss: Loss) {
        if let Some(conn) = self.by_client.remove(&client) {
            self.conns.remove(&conn);
            self.happened(Event::Lost { conn, loss });
        }
    }

    fn received(&mut self, client: ClientKey, bytes: &[u8]) {
        let Some(&id) = self.by_client.get(&client) else {
            return;
        };
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        conn.received.extend_from_slice(bytes);
        let mut frames: Vec<Frame> = Vec::new();
        let mut at = 0;
        let broken = loop {
            match conn.parser.parse(&conn.received[at..]) {
                Ok(Some((frame, used))) => {
                    at += used;
                    frames.push(frame);
                }
                Ok(None) => break conn.received.len() - at > LONGEST_REPLY,
                Err(_) => break true,
            }
        };
        conn.received.drain(..at);
        for frame in frames {
            self.happened(Event::Received { conn: id, frame });
        }
        if broken {
            self.front.close_soon(client);
            self.lose(client, Loss::Other);
        }
    }

    fn run_request(&mut self, key: ClientKey, args: &[&[u8]]) {
        let found = self.front.table.lookup(args);
        let Some(client) = self.front.clients.get_mut(key) else {
            return;
        };
        client.last_command = match found {
            Lookup::Found(id) => Some(id),
            Lookup::Unknown | Lookup::UnknownSubcommand(_) => None,
        };
        let resp3 = client.resp3;
        let mut reply = Vec::new();
        // Known to every process, and to no command table of Redis.
        if args.len() == 1 && args[0].eq_ignore_ascii_case(b"quit") {
            client.close_after_reply = true;
            Writer::new(&mut reply, resp3).ok();
            return self.finish_reply(key, &reply);
        }
        let result = self.check(key, found, args).and_then(|id| {
            self.commands_processed += 1;
            self.call(key, id, args, &mut reply)
        });
        if let Err(error) = result {
            self.error_replies += 1;
            reply.clear();
            Writer::new(&mut reply, resp3).error(error.to_bytes());
        }
        self.finish_reply(key, &reply);
    }

    fn call(
        &mut self,
        key: ClientKey,
        id: CommandId,
        args: &[&[u8]],
        reply: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let resp3 = self.front.clients.get(key).is_some_and(|c| c.resp3);
        let limit = self.front.reply_limit(key);
        let writer = Writer::new(reply, resp3).limited(limit);
        let result = match self.handlers[id.index()] {
            Some(Handler::Front(run)) => {
                let result = run(&mut FrontContext {
                    front: &mut self.front,
                    client: key,
                    args,
                    reply: writer,
                });
                if let Some(task) = self.front.take_owner_task() {
                    self.do_owner_task(task);
                }
                result
            }
            Some(Handler::Sentinel(run)) => {
                let now = self.now();
                self.core.now = now;
                run(&mut SentinelContext {
                    sentinel: self,
                    args,
                    reply: writer,
                    now,
                })
            }
            // A container called without a subcommand: its arity says so.
            None => {
                let name = self.front.table.entry(id).full_name.clone();
                Err(CommandError::WrongArity(name))
            }
        };
        self.carry_out();
        result
    }

    fn check(
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
        let front = &mut self.front;
        let entry = front.table.entry(id);
        if !entry.arity_accepts(args.len()) {
            return Err(CommandError::WrongArity(entry.full_name.clone()));
        }
        if !entry.spec.flags.has(front::command::Flags::NO_AUTH) && front.needs_login(key) {
            return Err(CommandError::NoAuth);
        }
        let client = front.clients.get(key).expect("it sent the request");
        if let Err(denied) = front.acl.check(&front.table, client.user, id, args) {
            front.log_denied(key, id, args, denied, LogContext::TopLevel);
            return Err(denied.error(&front.table.entry(id).full_name));
        }
        if client.in_subscriber_mode() && !allowed_while_subscribed(&entry.full_name) {
            return Err(CommandError::err(format_args!(
                "Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in \
                 this context",
                entry.full_name
            )));
        }
        Ok(id)
    }

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
        if send {
            self.front.send(key, reply);
        }
        if let Some(client) = self.front.clients.get(key)
            && client.close_after_reply
            && client.output.is_empty()
        {
            self.front.close_soon(key);
        }
    }

    fn do_owner_task(&mut self, task: OwnerTask) {
        match task {
            // There are no keys to hear of; the client is told what it asked for.
            OwnerTask::Track(key, wanted) => {
                if let Some(client) = self.front.clients.get_mut(key) {
                    client.tracking = wanted;
                }
            }
            OwnerTask::Pause {
                kind: PauseKind::All,
                until,
            } => {
                let longest = self.paused_until.map_or(until, |old| old.max(until));
                self.paused_until = Some(longest);
            }
            // Nothing here writes, and nobody waits for a key.
            OwnerTask::Pause { .. } | OwnerTask::EndWait { .. } => {}
            OwnerTask::Unpause => self.end_pause(),
        }
    }

    /// Lets a client wait for the end of the pause; its request stays in its query buffer.
    fn hold(&mut self, key: ClientKey, command: CommandId) {
        let since_us = self.front.clock.mono_us();
        if let Some(client) = self.front.clients.get_mut(key) {
            client.blocked = Some(Box::new(Blocked {
                reason: BlockReason::Pause,
                command,
                args: OwnedArgs::default(),
                until: None,
                since_us,
                keys: Vec::new(),
            }));
            self.waiting.push(key);
        }
    }

    fn end_pause(&mut self) {
        self.paused_until = None;
        for key in std::mem::take(&mut self.waiting) {
            if let Some(client) = self.front.clients.get_mut(key) {
                client.blocked = None;
                self.front.resume_input(key);
            }
        }
    }

    pub(crate) fn stop(&mut self) {
        self.stop = true;
    }
}

fn loss_of(error: &io::Error) -> Loss {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Loss::Refused,
        _ => Loss::Other,
    }
}

fn log(level: Level, text: &str) {
    let level = match level {
        Level::Debug => front::log::Level::Debug,
        Level::Verbose => front::log::Level::Verbose,
        Level::Notice => front::log::Level::Notice,
        Level::Warning => front::log::Level::Warning,
    };
    front::log::write(level, format_args!("{text}"));
}

impl Service for Sentinel {
    fn front(&mut self) -> &mut Front {
        &mut self.front
    }

    fn prefetch(&mut self, _: &[(ClientKey, &[&[u8]])]) {}

    fn execute(&mut self, client: ClientKey, args: &[&[u8]]) -> Execution {
        if self.paused_until.is_some()
            && let Lookup::Found(id) = self.front.table.lookup(args)
        {
            self.hold(client, id);
            return Execution::Held;
        }
        self.run_request(client, args);
        Execution::Done
    }

    fn run_timers(&mut self) -> u64 {
        self.front.clock.update();
        if self.stop_requested.load(Ordering::Relaxed) {
            front::log_warning!("User requested shutdown...");
            self.stop = true;
            return 0;
        }
        self.front.care_for_clients();
        if self
            .paused_until
            .is_some_and(|until| self.front.clock.now() >= until)
        {
            self.end_pause();
        }
        let now = self.now();
        if now >= self.next_tick_ms {
            self.happened(Event::Tick);
        }
        let next = now + self.core.next_tick_ms();
        if now >= self.next_tick_ms || next < self.next_tick_ms {
            self.next_tick_ms = next;
        }
        self.next_tick_ms - now
    }

    fn before_sleep(&mut self) {}

    fn applied(&mut self, _: ClientKey, _: &[u8]) {}

    fn link_event(&mut self, link: ClientKey, event: LinkEvent<'_>) {
        match event {
            LinkEvent::Connected => {
                let Some(&conn) = self.by_client.get(&link) else {
                    return;
                };
                let local = self.front.clients.get(link).map(|client| &client.laddr);
                let local_ip = local
                    .and_then(|addr| addr.parse::<SocketAddr>().ok())
                    .map(|addr| addr.ip().to_string())
                    .unwrap_or_default();
                self.happened(Event::Connected { conn, local_ip });
            }
            LinkEvent::Received(bytes) => self.received(link, bytes),
            LinkEvent::Lost(error) => self.lose(link, loss_of(&error)),
        }
    }

    fn completed(&mut self, completion: Completion) {
        let Ok(found) = completion.downcast::<Found>() else {
            return;
        };
        match *found {
            Found::Address { host, ip } => self.happened(Event::Resolved { host, ip }),
            Found::ScriptEnded { job, end } => self.happened(Event::ScriptEnded { job, end }),
        }
    }

    fn disconnected(&mut self, client: &mut Client) {
        self.waiting.retain(|key| *key != client.key);
        if client.class == ClientClass::Internal {
            self.lose(client.key, Loss::Other);
        }
    }

    fn stopping(&mut self) -> bool {
        self.stop
    }
}
