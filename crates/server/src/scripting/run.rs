//! Running a script: what it may do, its commands, and what becomes of one that does not end.

use super::convert::{lua_to_reply, one_line};
use super::current;
use super::interpreter::{Interpreter, Purpose};
use super::shebang::{self, ScriptFlags};
use crate::admission::MASTER_DOWN;
use crate::config::BUSY_REPLY_THRESHOLD;
use crate::context::ServerContext;
use crate::propagation::Audience;
use crate::server::Server;
use front::acl::{Denied, LogContext};
use front::client::OwnedArgs;
use front::command::{CommandError, CommandId, CommandResult, Flags, Lookup};
use front::{Client, ClientKey};
use mlua::{Function, HookTriggers, Table, Value, VmState};
use sha1::{Digest, Sha1};
use std::collections::HashMap;

/// The 40 hexadecimal digits that name a script.
pub(crate) fn sha1_hex(text: &[u8]) -> String {
    Sha1::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A script that was compiled.
struct Script {
    body: Function,
    flags: ScriptFlags,
    text_bytes: usize,
}

/// Scripts by name, for EVALSHA. They stay until SCRIPT FLUSH.
#[derive(Default)]
pub(crate) struct ScriptCache {
    scripts: HashMap<String, Script>,
    text_bytes: usize,
}

impl ScriptCache {
    /// Whether a script of this name (in lower case) is there.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.scripts.contains_key(name)
    }

    /// How many scripts there are.
    pub(crate) fn len(&self) -> usize {
        self.scripts.len()
    }

    /// Bytes of the scripts' texts and of the table of them.
    pub(crate) fn bytes(&self) -> usize {
        self.text_bytes + self.scripts.capacity() * size_of::<(String, Script)>()
    }
}

/// Where a script's effects go, as `redis.set_repl` chose by the sum of REPL_AOF (1) and REPL_REPLICA (2); the inner None:
/// nowhere.
pub(super) fn audience_of_flags(flags: i64) -> Option<Option<Audience>> {
    match flags {
        0 => Some(None),
        1 => Some(Some(Audience::Aof)),
        2 => Some(Some(Audience::Replicas)),
        3 => Some(Some(Audience::Everybody)),
        _ => None,
    }
}

/// The script that runs now.
pub(crate) struct Running {
    /// A script's SHA-1, or a function's name.
    pub(crate) name: String,
    pub(crate) is_function: bool,
    /// The request, for FUNCTION STATS.
    pub(crate) request: OwnedArgs,
    client: ClientKey,
    started_us: u64,
    /// Writes are refused.
    read_only: bool,
    allow_oom: bool,
    /// Memory was over its limit, and nothing could be evicted, when it started.
    out_of_memory: bool,
    /// It has run a command that writes: killing it now would leave half of its work.
    wrote: bool,
    /// It has run for longer than `busy-reply-threshold`: others are answered BUSY.
    pub(crate) busy: bool,
    killed: bool,
    /// The process ends without it: what it did so far is nobody's business.
    abandoned: bool,
    /// What `redis.setresp` chose.
    pub(crate) resp3: bool,
    /// Who is told of its effects; None: nobody.
    pub(crate) audience: Option<Audience>,
    /// The db its commands work in; SELECT in a script ends with it.
    db: u32,
}

/// What an EVAL or FCALL asks to run.
pub(super) struct Job<'a> {
    pub(super) body: Function,
    pub(super) name: String,
    pub(super) is_function: bool,
    pub(super) flags: ScriptFlags,
    /// Called by EVAL_RO, EVALSHA_RO or FCALL_RO.
    pub(super) read_only: bool,
    pub(super) keys: &'a [&'a [u8]],
    pub(super) arguments: &'a [&'a [u8]],
}

/// Instructions between two looks at the clock.
const HOOK_INSTRUCTIONS: u32 = 100_000;
const KILLED: &str = "Script killed by user with SCRIPT KILL...";

/// Words of a request.
type Words<'a> = &'a [&'a [u8]];

/// The keys and the other arguments of an EVAL or FCALL.
///
/// # Errors
/// The count of keys is no number, or does not fit.
pub(crate) fn split_keys<'a>(
    args: &'a [&'a [u8]],
    not_a_number: CommandError,
) -> Result<(Words<'a>, Words<'a>), CommandError> {
    let count = store::int::parse_i64(args[2]).ok_or(not_a_number)?;
    let rest = &args[3..];
    if count > rest.len() as i64 {
        return Err(CommandError::text(
            "ERR Number of keys can't be greater than number of args",
        ));
    }
    let count = usize::try_from(count)
        .map_err(|_| CommandError::text("ERR Number of keys can't be negative"))?;
    Ok(rest.split_at(count))
}

/// A failure of Lua itself, without memory for instance.
pub(super) fn lua_failed(error: &mlua::Error) -> CommandError {
    let text = one_line(error.to_string().as_bytes());
    CommandError::err(String::from_utf8_lossy(&text))
}

/// What is wrong with a script's text.
pub(super) fn syntax_error(error: &mlua::Error) -> String {
    let text = match error {
        mlua::Error::SyntaxError { message, .. } => message.clone(),
        other => other.to_string(),
    };
    String::from_utf8_lossy(&one_line(text.as_bytes())).into_owned()
}

impl super::Scripting {
    /// What a request's script or function declares: whether it writes. None if it declares nothing, or there is none.
    pub(crate) fn declared_to_write(&self, command: &str, args: &[&[u8]]) -> Option<bool> {
        let script = *args.get(1)?;
        let flags = match command {
            "eval" | "eval_ro" => shebang::of_script(script).ok()?.0,
            "evalsha" | "evalsha_ro" => {
                let name = String::from_utf8_lossy(script).to_ascii_lowercase();
                self.cache.scripts.get(&name)?.flags
            }
            "fcall" | "fcall_ro" => self.functions.find(script)?.flags,
            _ => return None,
        };
        (!flags.compatible).then_some(!flags.no_writes)
    }
}

impl Server {
    /// EVAL and EVAL_RO.
    pub(crate) fn eval(cx: &mut ServerContext<'_>, read_only: bool) -> CommandResult {
        cx.server.show_to_monitors(cx.client, cx.args);
        let (keys, arguments) = split_keys(cx.args, CommandError::NotInteger)?;
        let name = sha1_hex(cx.args[1]);
        if !cx.server.scripting.cache.contains(&name) {
            cx.server.compile_script(&name, cx.args[1])?;
        }
        Server::run_cached(cx, name, read_only, keys, arguments)
    }

    /// EVALSHA and EVALSHA_RO.
    pub(crate) fn evalsha(cx: &mut ServerContext<'_>, read_only: bool) -> CommandResult {
        cx.server.show_to_monitors(cx.client, cx.args);
        let name = String::from_utf8_lossy(cx.args[1]).to_ascii_lowercase();
        let no_script = CommandError::text("NOSCRIPT No matching script. Please use EVAL.");
        if cx.args[1].len() != 40 {
            return Err(no_script);
        }
        let (keys, arguments) = split_keys(cx.args, CommandError::NotInteger)?;
        if !cx.server.scripting.cache.contains(&name) {
            return Err(no_script);
        }
        Server::run_cached(cx, name, read_only, keys, arguments)
    }

    fn run_cached(
        cx: &mut ServerContext<'_>,
        name: String,
        read_only: bool,
        keys: &[&[u8]],
        arguments: &[&[u8]],
    ) -> CommandResult {
        let script = &cx.server.scripting.cache.scripts[&name];
        let job = Job {
            body: script.body.clone(),
            flags: script.flags,
            name,
            is_function: false,
            read_only,
            keys,
            arguments,
        };
        // Out of the node while it runs: its callbacks get the node itself.
        let interpreter = cx
            .server
            .scripting
            .eval
            .take()
            .expect("it compiled the script");
        let result = Server::run_job(cx, &interpreter, job);
        cx.server.scripting.eval = Some(interpreter);
        result
    }

    /// Compiles a script and keeps it.
    ///
    /// # Errors
    /// A wrong first line, or what Lua finds wrong.
    pub(crate) fn compile_script(&mut self, name: &str, text: &[u8]) -> CommandResult {
        let (flags, code) = shebang::of_script(text)?;
        let interpreter = match &mut self.scripting.eval {
            Some(interpreter) => interpreter,
            none => none.insert(Interpreter::new(Purpose::Eval).map_err(|e| lua_failed(&e))?),
        };
        let body = interpreter.compile(code, "@user_script").map_err(|error| {
            let text = syntax_error(&error);
            CommandError::err(format_args!(
                "Error compiling script (new function): {text}"
            ))
        })?;
        let script = Script {
            body,
            flags,
            text_bytes: text.len(),
        };
        self.scripting.cache.text_bytes += text.len();
        if let Some(old) = self.scripting.cache.scripts.insert(name.into(), script) {
            self.scripting.cache.text_bytes -= old.text_bytes;
        }
        Ok(())
    }

    /// SCRIPT FLUSH: forgets all scripts and what they left in their interpreter.
    pub(crate) fn flush_scripts(&mut self) {
        self.scripting.cache = ScriptCache::default();
        self.scripting.eval = None;
    }

    /// Runs a script or function and writes its reply.
    pub(super) fn run_job(
        cx: &mut ServerContext<'_>,
        interpreter: &Interpreter,
        job: Job<'_>,
    ) -> CommandResult {
        let out_of_memory = cx.server.is_out_of_memory();
        if !job.flags.compatible {
            if job.read_only && !job.flags.no_writes {
                return Err(CommandError::text(
                    "ERR Can not execute a script with write flag using *_ro command.",
                ));
            }
            if cx.server.serves_no_stale_data() && !job.flags.allow_stale && !cx.from_master {
                return Err(CommandError::text(MASTER_DOWN));
            }
            if !job.flags.no_writes && !cx.from_master {
                if let Some(error) = cx.server.script_write_refusal() {
                    return Err(error);
                }
                if out_of_memory && !job.flags.allow_oom {
                    return Err(CommandError::Oom);
                }
            }
        }
        let is_function = job.is_function;
        cx.server.scripting.running = Some(Running {
            name: job.name.clone(),
            is_function,
            request: OwnedArgs::new(cx.args),
            client: cx.client,
            started_us: cx.server.front.clock.read_mono_us(),
            read_only: job.read_only || job.flags.no_writes,
            allow_oom: job.flags.allow_oom,
            out_of_memory,
            wrote: false,
            busy: false,
            killed: false,
            abandoned: false,
            resp3: false,
            audience: Some(Audience::Everybody),
            db: cx.db,
        });
        let unit = cx.server.unit.len();
        let outer = std::mem::replace(&mut cx.server.deny_blocking, true);
        let arguments = match is_function {
            false => interpreter
                .set_arguments(job.keys, job.arguments)
                .map(|()| None),
            true => interpreter
                .list(job.keys)
                .and_then(|keys| Ok(Some((keys, interpreter.list(job.arguments)?)))),
        };
        let result = arguments.and_then(|arguments| {
            let hook = HookTriggers::new().every_nth_instruction(HOOK_INSTRUCTIONS);
            interpreter
                .lua
                .set_global_hook(hook, |lua, _| look_at_clock(lua))?;
            let result = current::lend(cx.server, || interpreter.run(&job.body, arguments));
            interpreter.lua.remove_global_hook();
            result
        });
        cx.server.deny_blocking = outer;
        let running = cx.server.scripting.running.take().expect("set above");
        if running.busy {
            cx.server.front.clock.update();
        }
        if running.abandoned {
            cx.server.unit.truncate(unit);
        }
        let value = match result.map_err(|error| lua_failed(&error))? {
            Ok(value) => value,
            Err(failure) if running.killed => {
                let text = format!("ERR {KILLED}");
                return Err(described(&failure, Some(text), &job.name).0);
            }
            Err(failure) => {
                let (error, counted) = described(&failure, None, &job.name);
                if !counted {
                    return Err(error);
                }
                cx.reply.error(error.to_bytes());
                return Ok(());
            }
        };
        if let Value::Table(table) = &value
            && let Ok(Value::String(text)) = table.raw_get("err")
            && !is_counted(table)
        {
            return Err(CommandError::quoting(&[&text.as_bytes()]));
        }
        lua_to_reply(&value, &mut cx.reply, running.resp3).map_err(|error| lua_failed(&error))
    }

    /// Runs a command for the script that runs, and returns the reply's bytes.
    ///
    /// # Errors
    /// The script may not run it.
    pub(super) fn command_of_script(&mut self, args: &[&[u8]]) -> Result<Vec<u8>, CommandError> {
        let Lookup::Found(id) = self.front.table.lookup(args) else {
            return Err(CommandError::text(
                "ERR Unknown Redis command called from script",
            ));
        };
        let entry = self.front.table.entry(id);
        let flags = entry.spec.flags;
        if !entry.arity_accepts(args.len()) {
            return Err(CommandError::text(
                "ERR Wrong number of args calling Redis command from script",
            ));
        }
        let is_denied = flags.has(Flags::NOSCRIPT) && !self.debug.scripts_may_call_anything;
        if is_denied || entry.is_container() {
            return Err(CommandError::text(
                "ERR This Redis command is not allowed from script",
            ));
        }
        if wants_to_block(&entry.full_name, args) {
            return Err(CommandError::err(format_args!(
                "{} command is not allowed with BLOCK option from scripts",
                entry.full_name
            )));
        }
        let (key, db, resp3) = self.admit_of_script(id, flags, args)?;
        let mut reply = std::mem::take(&mut self.script_reply);
        reply.clear();
        let unit = self.unit.len();
        // The command sees the client as the script does: with its own db and protocol.
        let outer = self.front.clients.get_mut(key).map(|client| {
            let outer = (client.db, client.resp3);
            (client.db, client.resp3) = (db, resp3);
            outer
        });
        self.call(key, id, args, &mut reply);
        let after = self
            .front
            .clients
            .get_mut(key)
            .zip(outer)
            .map(|(client, outer)| {
                let after = client.db;
                (client.db, client.resp3) = outer;
                after
            });
        if let Some(running) = &mut self.scripting.running {
            running.db = after.unwrap_or(running.db);
            match running.audience {
                None => self.unit.truncate(unit),
                Some(Audience::Everybody) => {}
                Some(audience) => {
                    for command in &mut self.unit[unit..] {
                        command.audience = audience;
                    }
                }
            }
        }
        if reply.is_empty() {
            // The client was closed meanwhile; nobody will read what the script makes of this.
            resp::Writer::new(&mut reply, false).null();
        }
        Ok(reply)
    }

    /// Whether the script that runs may run a command now, and how: for which client, in which db and protocol.
    fn admit_of_script(
        &mut self,
        id: CommandId,
        flags: Flags,
        args: &[&[u8]],
    ) -> Result<(ClientKey, u32, bool), CommandError> {
        const CHANGES: Flags = Flags::WRITE.and(Flags::MAY_REPLICATE);
        // What an AOF or the master says was done is done.
        let caller = self
            .scripting
            .running
            .as_ref()
            .map(|running| running.client);
        let caller = caller.and_then(|key| self.front.clients.get(key));
        let asks = !caller.is_some_and(Client::sends_history);
        let write_refusal = match asks && flags.has(Flags::WRITE) {
            true => self.script_write_refusal(),
            false => None,
        };
        let is_stale = asks && self.serves_no_stale_data() && !flags.has(Flags::STALE);
        let running = self.scripting.running.as_mut().expect("a script called");
        if flags.any(CHANGES) && running.read_only {
            return Err(CommandError::text(
                "ERR Write commands are not allowed from read-only scripts.",
            ));
        }
        let refused = flags.has(Flags::DENYOOM)
            && running.out_of_memory
            && !running.allow_oom
            // Half of its work is done: the rest may as well.
            && !running.wrote;
        let (key, db, resp3) = (running.client, running.db, running.resp3);
        let front = &mut self.front;
        if let Some(client) = front.clients.get(key)
            && let Err(denied) = front.acl.check(&front.table, client.user, id, args)
        {
            front.log_denied(key, id, args, denied, LogContext::Lua);
            return Err(CommandError::err(format_args!(
                "The user executing the script {}",
                match denied {
                    Denied::Command => "can't run this command or subcommand",
                    Denied::Key(_) =>
                        "can't access at least one of the keys mentioned in the command arguments",
                    Denied::Channel(_) => "can't publish to the channel mentioned in the command",
                }
            )));
        }
        if is_stale {
            return Err(CommandError::text(
                "ERR Can not execute the command on a stale replica",
            ));
        }
        if let Some(error) = write_refusal
            && !running.wrote
        {
            return Err(error);
        }
        if refused {
            return Err(CommandError::Oom);
        }
        running.wrote |= flags.has(Flags::WRITE);
        Ok((key, db, resp3))
    }

    /// Why a script may not write now, whatever it writes.
    fn script_write_refusal(&self) -> Option<CommandError> {
        let role = self.write_refusal();
        match self.replication.is_replica() {
            true => role,
            false => self.save_refusal().or_else(|| self.aof.refusal()).or(role),
        }
    }

    /// Takes back the buffer of a reply that was read.
    pub(super) fn recycle_script_reply(&mut self, reply: Vec<u8>) {
        /// A larger one was rare; its memory goes back.
        const KEPT: usize = 64 * 1024;
        if reply.capacity() <= KEPT {
            self.script_reply = reply;
        }
    }

    /// `redis.acl_check_cmd`; None if there is no such command.
    pub(super) fn script_may_call(&self, args: &[&[u8]]) -> Option<bool> {
        let Lookup::Found(id) = self.front.table.lookup(args) else {
            return None;
        };
        let running = self.scripting.running.as_ref()?;
        let client = self.front.clients.get(running.client)?;
        let checked = self
            .front
            .acl
            .check(&self.front.table, client.user, id, args);
        Some(checked.is_ok())
    }

    /// What others are told while a script runs for too long.
    pub(crate) fn busy_error(&self) -> Option<CommandError> {
        let running = self
            .scripting
            .running
            .as_ref()
            .filter(|running| running.busy)?;
        Some(match running.is_function {
            false => CommandError::Busy,
            true => CommandError::text(
                "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.",
            ),
        })
    }

    /// SCRIPT KILL and FUNCTION KILL.
    ///
    /// # Errors
    /// No script runs, one of the other kind does, or it has written.
    pub(crate) fn kill_script(&mut self, function: bool) -> CommandResult {
        let busy = self.busy_error();
        let Some(running) = &mut self.scripting.running else {
            return Err(CommandError::text(
                "NOTBUSY No scripts in execution right now.",
            ));
        };
        if running.wrote {
            return Err(CommandError::text(
                "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait \
                 the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
            ));
        }
        if running.is_function != function {
            return Err(busy.unwrap_or(CommandError::Busy));
        }
        running.killed = true;
        Ok(())
    }

    /// Whether it is a function that runs.
    pub(crate) fn function_is_running(&self) -> bool {
        self.scripting
            .running
            .as_ref()
            .is_some_and(|running| running.is_function)
    }

    /// Milliseconds since the running script started.
    pub(crate) fn script_running_ms(&self) -> Option<u64> {
        let running = self.scripting.running.as_ref()?;
        Some(
            self.front
                .clock
                .read_mono_us()
                .saturating_sub(running.started_us)
                / 1000,
        )
    }

    /// A look at the clock in between. Returns whether the script must end.
    fn script_must_end(&mut self) -> bool {
        let running_ms = self.script_running_ms().unwrap_or(0);
        let threshold_ms = self.config.integer(BUSY_REPLY_THRESHOLD) as u64;
        let Some(running) = &mut self.scripting.running else {
            return false;
        };
        if running_ms < threshold_ms {
            return running.killed;
        }
        if !running.busy {
            running.busy = true;
            let kill = if running.is_function {
                "FUNCTION KILL"
            } else {
                "SCRIPT KILL"
            };
            front::log_warning!(
                "Slow script detected: still in execution after {running_ms} milliseconds. You can try killing the \
                 script using the {kill} command. Script name is: {}.",
                running.name
            );
        }
        let client = running.client;
        self.turn_while_busy(client);
        let stopping = self.stop;
        let Some(running) = &mut self.scripting.running else {
            return true;
        };
        // SHUTDOWN NOSAVE is the way out of a script that has written and never ends.
        running.abandoned |= stopping;
        running.killed || running.abandoned
    }

    /// Lets others be answered (most of them with BUSY) while a script runs.
    fn turn_while_busy(&mut self, running: ClientKey) {
        // What the script has done so far belongs to its own unit.
        let unit = std::mem::take(&mut self.unit);
        let effects = std::mem::take(&mut self.effects);
        let depth = std::mem::take(&mut self.depth);
        let deny_blocking = std::mem::take(&mut self.deny_blocking);
        if let Err(error) = front::event_loop::turn_while_busy(self, running) {
            front::log_warning!("Waiting for events while a script runs: {error}");
        }
        self.unit = unit;
        self.effects = effects;
        self.depth = depth;
        self.deny_blocking = deny_blocking;
    }
}

/// XREAD and XREADGROUP look for BLOCK before STREAMS; in a script that is a mistake, not a wait.
fn wants_to_block(name: &str, args: &[&[u8]]) -> bool {
    matches!(name, "xread" | "xreadgroup")
        && args
            .iter()
            .take_while(|word| !word.eq_ignore_ascii_case(b"STREAMS"))
            .any(|word| word.eq_ignore_ascii_case(b"BLOCK"))
}

/// Called by Lua every so many instructions.
fn look_at_clock(lua: &mlua::Lua) -> mlua::Result<VmState> {
    if !current::with(Server::script_must_end) {
        return Ok(VmState::Continue);
    }
    // A pcall in the script may catch the error: from now on every line raises it again.
    lua.set_global_hook(HookTriggers::new().every_line(), |_, _| {
        Err(mlua::Error::runtime(KILLED))
    })?;
    Err(mlua::Error::runtime(KILLED))
}

/// Whether the error of this table is in the statistics already.
fn is_counted(table: &Table) -> bool {
    matches!(
        table.raw_get("ignore_error_stats_update"),
        Ok(Value::Boolean(true))
    )
}

/// The error of a script that failed, from what `sandbox.lua` says of it, and whether it was counted already.
fn described(failure: &Value, text: Option<String>, name: &str) -> (CommandError, bool) {
    let Value::Table(table) = failure else {
        let error = CommandError::err(format_args!(
            "the script failed without a word script: {name}"
        ));
        return (error, false);
    };
    let field = |field: &str| match table.raw_get(field) {
        Ok(Value::String(text)) => Some(text.as_bytes().to_vec()),
        Ok(Value::Integer(number)) => Some(number.to_string().into_bytes()),
        _ => None,
    };
    let text = text
        .map(String::into_bytes)
        .or_else(|| field("err"))
        .unwrap_or_else(|| b"ERR the script raised an error without a text".to_vec());
    let whole = match (field("source"), field("line")) {
        (Some(source), Some(line)) => CommandError::quoting(&[
            &text,
            b" script: ",
            name.as_bytes(),
            b", on ",
            &source,
            b":",
            &line,
            b".",
        ]),
        _ => CommandError::quoting(&[&text, b" script: ", name.as_bytes()]),
    };
    (whole, is_counted(table))
}
