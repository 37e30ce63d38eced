//! Filling the keyspace from files while the loop goes on: another thread reads and splits, the data thread runs a piece
//! in each turn, and clients are answered -LOADING (or served, if the command may run then).

use super::aof::loader::{self, Batch, FileToLoad, Message, Part, Stop};
use super::rdb::check::check_path;
use super::rdb::reading::{Entries, ReadSettings, Report};
use crate::config;
use crate::effects::{FlushScope, Propagation};
use crate::replication::Point;
use crate::server::Server;
use front::ClientKey;
use front::client::{BlockReason, OwnedArgs};
use front::command::{CommandError, CommandId, Lookup};
use front::log::io_reason;
use std::sync::mpsc::{Receiver, RecvError, TryRecvError};
use std::time::Duration;
use store::rdb::{LoadError, LoadErrorKind};

/// What happens when everything is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The node starts to serve.
    Start,
    /// This client's command is answered: DEBUG LOADAOF or RELOAD.
    Answer(ClientKey),
    /// The command that waits for it goes on by itself.
    Return,
    /// The stream of the master follows.
    Follow,
}

/// See the module.
pub(crate) struct Loading {
    messages: Receiver<Message>,
    files: Vec<FileToLoad>,
    /// Which of them the commands come from.
    current: usize,
    /// In whose name the commands run.
    client: ClientKey,
    pub(crate) started_seconds: i64,
    started_us: u64,
    file_started_us: u64,
    next_report_us: u64,
    pub(crate) total_bytes: u64,
    /// Bytes of the files that are done.
    earlier_bytes: u64,
    /// Bytes loaded of the present file.
    file_bytes: u64,
    /// Memory that the data took where it was saved.
    pub(crate) saved_used_memory: u64,
    /// A key that is there already is replaced; else it means that the file is broken.
    merge: bool,
    then: Then,
    /// Expired keys of a dump, by db, that replicas may still have.
    left_out: Vec<(u64, Box<[u8]>)>,
    /// Where in a replication history stands what is loaded so far, if that is known.
    point: Option<Point>,
}

impl Loading {
    pub(crate) fn loaded_bytes(&self) -> u64 {
        self.earlier_bytes + self.file_bytes
    }
}

/// What a file that cannot be read to its end means.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Log this, cut the file there and go on.
    Cut { at: u64, log: Vec<String> },
    /// Log this and give up; nothing is changed.
    Fatal { log: Vec<String> },
}

fn judge(stop: &Stop, name: &str, is_last: bool, load_truncated: bool) -> Verdict {
    let mut log = Vec::new();
    match stop {
        Stop::Rdb(error) => log.extend(rdb_report(error, name)),
        Stop::Io(error) => log.push(format!(
            "Fatal error: can't open the append log file {name} for reading: {}",
            io_reason(error)
        )),
        Stop::Format { at, expected } => {
            log.push(format!(
                "In {name} at offset {at}: expected {expected}. Nothing was changed."
            ));
            log.push(format!(
                "Bad file format reading the append only file {name}: make a backup of your AOF file, then use \
                 ./redis-check-aof --fix <filename.manifest>"
            ));
        }
        Stop::Truncated {
            valid_to,
            in_transaction,
        } => {
            if *in_transaction {
                log.push(format!(
                    "Revert incomplete MULTI/EXEC transaction in AOF file {name}"
                ));
            }
            if !load_truncated {
                log.push(format!(
                    "Unexpected end of file reading the append only file {name}. You can: 1) Make a backup of your AOF \
                     file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the \
                     'aof-load-truncated' configuration option to yes and restart the server."
                ));
            } else {
                log.push(format!(
                    "!!! Warning: short read while loading the AOF file {name}!!!"
                ));
                if is_last {
                    log.push(format!(
                        "!!! Truncating the AOF {name} at offset {valid_to} !!!"
                    ));
                    log.push(format!(
                        "AOF {name} loaded anyway because aof-load-truncated is enabled"
                    ));
                    return Verdict::Cut { at: *valid_to, log };
                }
                // What came after the cut was written on top of it: dropping the end would not give a state that was.
                log.push("Fatal error: the truncated file is not the last file".into());
            }
        }
    }
    Verdict::Fatal { log }
}

/// Whether a file is the last one that holds something: only its end may be missing. An incr that a rewrite has just made
/// is empty until all of the one before it is durable; a base is whole before it is used, unless it is an AOF of before 7.0.
fn ends_the_aof(files: &[FileToLoad], index: usize, old_style: &str) -> bool {
    let (file, later) = (&files[index], &files[index + 1..]);
    let was_written_to = file.part == Part::Incr || file.name == old_style;
    later.is_empty() || (was_written_to && later.iter().all(|file| file.size == 0))
}

/// The log lines of RDB data that cannot be read.
fn rdb_report(error: &LoadError, name: &str) -> Vec<String> {
    let mut log = Vec::new();
    match &error.kind {
        LoadErrorKind::Io(error) => {
            log.push(format!(
                "Fatal error loading the DB {name}: {}. Exiting.",
                io_reason(error)
            ));
            return log;
        }
        LoadErrorKind::Signature | LoadErrorKind::Version(_) => {
            log.push(error.kind.to_string());
            log.push(format!(
                "Fatal error loading the DB {name}: Invalid argument. Exiting."
            ));
            return log;
        }
        LoadErrorKind::Checksum { .. } => log.push(error.kind.to_string()),
        LoadErrorKind::UnexpectedEnd => {
            log.push("Short read or OOM loading DB. Unrecoverable error, aborting now.".into());
        }
        _ => {}
    }
    let what = match &error.kind {
        LoadErrorKind::Checksum { .. } => "RDB CRC error".into(),
        kind => kind.to_string(),
    };
    log.push(format!(
        "Internal error in RDB reading {name} at offset {} -> {what} (nothing was changed)",
        error.offset
    ));
    log
}

/// How often a long load tells how far it is.
const REPORT_INTERVAL_US: u64 = 10_000_000;

impl Server {
    /// Whether the dataset is still being read from files.
    pub fn is_loading(&self) -> bool {
        self.loading.is_some()
    }

    /// Starts to load files into the keyspace as it is; with `merge` keys that are there may come again.
    pub(crate) fn start_loading(&mut self, files: Vec<FileToLoad>, merge: bool, then: Then) {
        let (_, waker) = self.front.background.completion_sender();
        let rdb = ReadSettings {
            values: self.settings.load_settings(self.access()),
            check: self.config.bool(config::RDBCHECKSUM) && !self.debug.skip_checksum_validation,
            // A replica is told when a key is gone.
            expired_before: (!self.replication.is_replica()).then(|| self.front.clock.now()),
            key_delay: Duration::from_micros(
                u64::try_from(self.config.integer(config::KEY_LOAD_DELAY)).unwrap_or(0),
            ),
        };
        let disk = self.aof.disk.clone();
        let messages = loader::start(disk, files.clone(), rdb, move || waker.wake());
        let now_us = self.front.clock.mono_us();
        self.loading = Some(Box::new(Loading {
            messages,
            client: self.front.add_internal_client(),
            started_seconds: self.front.clock.now() / 1000,
            started_us: now_us,
            file_started_us: now_us,
            next_report_us: now_us + REPORT_INTERVAL_US,
            total_bytes: files.iter().map(|file| file.size).sum(),
            earlier_bytes: 0,
            file_bytes: 0,
            saved_used_memory: 0,
            merge,
            files,
            current: 0,
            then,
            left_out: Vec::new(),
            point: None,
        }));
    }

    /// Goes on loading for a moment. Returns whether more is ready to be loaded at once.
    pub(crate) fn load_some(&mut self) -> bool {
        let Some(loading) = &self.loading else {
            return false;
        };
        match loading.messages.try_recv() {
            Ok(message) => {
                self.load_message(message);
                true
            }
            Err(TryRecvError::Empty) => false,
            // The last message ends the loading.
            Err(TryRecvError::Disconnected) => unreachable!("the loader's last message was seen"),
        }
    }

    /// Loads everything before anything else happens.
    pub(crate) fn load_to_the_end(&mut self) {
        while let Some(loading) = &self.loading {
            match loading.messages.recv() {
                Ok(message) => self.load_message(message),
                Err(RecvError) => unreachable!("the loader's last message was seen"),
            }
            self.front.clock.update();
        }
    }

    fn load_message(&mut self, message: Message) {
        match message {
            Message::Commands(batch) => {
                if let Err(reason) = self.load_batch(&batch) {
                    front::log_warning!("{reason}");
                    return self.loading_failed();
                }
                self.report_progress();
            }
            Message::Entries(entries) => {
                if let Err(reason) = self.insert_loaded(entries) {
                    front::log_warning!("{reason}");
                    return self.loading_failed();
                }
                self.report_progress();
            }
            Message::UsedMemory(bytes) => {
                if let Some(loading) = &mut self.loading {
                    loading.saved_used_memory = bytes;
                }
            }
            Message::Point(point) => {
                if let Some(loading) = &mut self.loading {
                    loading.point = Some(point);
                }
            }
            Message::RdbEnded(report) => self.rdb_loaded(report),
            Message::FileEnded { index } => self.file_loaded(index),
            Message::Stopped { index, stop } => {
                let loading = self
                    .loading
                    .as_ref()
                    .expect("a message comes while loading");
                let file = loading.files[index].clone();
                let files = loading.files.len();
                let is_last = ends_the_aof(&loading.files, index, &self.aof.files.name);
                let verdict = judge(&stop, &file.name, is_last, self.aof.settings.load_truncated);
                let (log, cut) = match verdict {
                    Verdict::Cut { at, log } => (log, Some(at)),
                    Verdict::Fatal { log } => (log, None),
                };
                for line in log {
                    front::log_warning!("{line}");
                }
                let Some(at) = cut else {
                    if file.part == Part::Dump
                        && matches!(&stop, Stop::Rdb(error) if error.is_about_content())
                    {
                        // It tells the key, and whatever else helps. Who cannot read it has the log.
                        let _ = check_path(&file.path, &mut std::io::stdout());
                        front::log_warning!("Terminating server after rdb file reading failure.");
                    }
                    return self.loading_failed();
                };
                let disk = &self.aof.disk;
                let result = disk
                    .append(&file.path)
                    .and_then(|open| open.truncate(at).and_then(|()| open.sync()));
                if let Err(error) = result {
                    front::log_warning!(
                        "Error truncating the AOF file {}: {}",
                        file.name,
                        io_reason(&error)
                    );
                    return self.loading_failed();
                }
                // Those that follow are empty.
                for index in index..files {
                    self.file_loaded(index);
                }
            }
        }
    }

    fn file_loaded(&mut self, index: usize) {
        self.front.clock.update();
        let now_us = self.front.clock.mono_us();
        let loading = self
            .loading
            .as_mut()
            .expect("a message comes while loading");
        let file = &loading.files[index];
        let seconds = (now_us - loading.file_started_us) as f64 / 1e6;
        match file.part {
            Part::Dump => front::log_notice!("DB loaded from disk: {seconds:.3} seconds"),
            Part::Base | Part::Incr if file.size == 0 => {}
            Part::Base => front::log_notice!(
                "DB loaded from base file {}: {seconds:.3} seconds",
                file.name
            ),
            Part::Incr => front::log_notice!(
                "DB loaded from incr file {}: {seconds:.3} seconds",
                file.name
            ),
        }
        loading.current = index + 1;
        loading.earlier_bytes += file.size;
        loading.file_bytes = 0;
        loading.file_started_us = now_us;
        if index + 1 == loading.files.len() {
            self.loading_done();
        }
    }

    fn report_progress(&mut self) {
        let now_us = self.front.clock.mono_us();
        let loading = self
            .loading
            .as_mut()
            .expect("a message comes while loading");
        if now_us < loading.next_report_us {
            return;
        }
        loading.next_report_us = now_us + REPORT_INTERVAL_US;
        let (loaded, total) = (loading.loaded_bytes(), loading.total_bytes);
        front::log_notice!(
            "Loading DB in memory: {loaded} of {total} bytes, {:.1}%",
            loaded as f64 * 100.0 / total.max(1) as f64
        );
    }

    fn end_loading(&mut self) -> Loading {
        let loading = self.loading.take().expect("only a loading ends");
        self.front.remove_internal_client(loading.client);
        *loading
    }

    fn loading_failed(&mut self) {
        match self.end_loading().then {
            Then::Follow => self.master_not_loaded(),
            Then::Start | Then::Answer(_) | Then::Return => self.fail(),
        }
    }

    /// Ends a loading that nobody needs any more: what it would load is replaced.
    pub(crate) fn abandon_loading(&mut self) {
        if self.is_loading() {
            self.end_loading();
            self.empty(FlushScope::All, false);
        }
    }

    fn loading_done(&mut self) {
        let loading = self.end_loading();
        let from_dump = loading.files.iter().any(|file| file.part == Part::Dump);
        if !from_dump {
            let seconds = (self.front.clock.mono_us() - loading.started_us) as f64 / 1e6;
            front::log_notice!("DB loaded from append only file: {seconds:.3} seconds");
        }
        match loading.then {
            Then::Start => {
                if let Some(point) = loading.point {
                    self.resume_history(point, &loading.left_out);
                }
                return self.loaded_at_start();
            }
            Then::Follow => return self.master_loaded(),
            Then::Answer(_) | Then::Return => {}
        }
        if from_dump {
            front::log_warning!("DB reloaded by DEBUG RELOAD");
        } else {
            self.aof_reloaded();
        }
        if let Then::Answer(client) = loading.then {
            self.answer_waiting(client);
        }
    }

    /// Puts loaded entries into their database.
    ///
    /// # Errors
    /// When the file cannot be one of this node, or of a node at all.
    fn insert_loaded(&mut self, entries: Entries) -> Result<(), String> {
        let count = self.keyspace.count();
        let index = match u32::try_from(entries.db) {
            Ok(index) if (index as usize) < count => index,
            _ => {
                return Err(format!(
                    "FATAL: Data file was created with a Redis server configured to handle more than {count} databases. \
                     Exiting"
                ));
            }
        };
        let loading = self.loading.as_mut().expect("entries come while loading");
        loading.file_bytes = entries.offset;
        let merge = loading.merge;
        let db = self.keyspace.db(index);
        db.insert_loaded(entries.entries, merge).map_err(|key| {
            format!(
                "RDB has duplicated key '{}' in DB {index}",
                String::from_utf8_lossy(&key)
            )
        })
    }

    fn rdb_loaded(&mut self, report: Report) {
        let empty = match report.empty {
            0 => String::new(),
            count => format!(", empty keys skipped: {count}"),
        };
        front::log_notice!(
            "Done loading RDB, keys loaded: {}, keys expired: {}{empty}.",
            report.keys,
            report.expired
        );
        if let Some(loading) = &mut self.loading {
            loading.left_out = report.left_out;
        }
        self.rdb.loaded_keys = report.keys;
        self.rdb.loaded_expired = report.expired;
        self.rdb.functions.clear();
        for code in report.functions {
            if let Err(error) = self.load_library(&code, true) {
                front::log_warning!(
                    "A library of functions does not load and is only kept: {error}"
                );
                self.rdb.functions.push(code);
            }
        }
    }

    /// Answers the client whose command waited for the loading.
    fn answer_waiting(&mut self, key: ClientKey) {
        let waits = self.front.clients.get(key).is_some_and(|client| {
            client
                .blocked
                .as_ref()
                .is_some_and(|blocked| blocked.reason == BlockReason::Loading)
        });
        if waits && self.unpark(key).is_some() {
            self.front.reply(key, b"+OK\r\n");
        }
    }

    fn load_batch(&mut self, batch: &Batch) -> Result<(), String> {
        /// Commands whose keys are fetched from memory together.
        const TOGETHER: usize = 16;
        let loading = self.loading.as_mut().expect("a batch comes while loading");
        loading.file_bytes = batch.offset + batch.bytes().len() as u64;
        loading.point = batch.point.clone();
        let client = loading.client;
        let bytes = batch.bytes();
        let mut reply = Vec::new();
        let mut args: Vec<&[u8]> = Vec::new();
        let mut ends: Vec<usize> = Vec::new();
        let mut commands = batch.commands().peekable();
        while commands.peek().is_some() {
            args.clear();
            ends.clear();
            for command in commands.by_ref().take(TOGETHER) {
                args.extend(
                    command
                        .iter()
                        .map(|&(start, length)| &bytes[start..start + length]),
                );
                ends.push(args.len());
            }
            let mut requests: [(ClientKey, &[&[u8]]); TOGETHER] = [(client, &[]); TOGETHER];
            let mut start = 0;
            for (request, &end) in requests.iter_mut().zip(&ends) {
                request.1 = &args[start..end];
                start = end;
            }
            let requests = &requests[..ends.len()];
            self.prefetch_keys(requests);
            for (_, request) in requests {
                self.run_loaded(client, request, &mut reply)?;
            }
        }
        Ok(())
    }

    /// Runs one command of the AOF.
    ///
    /// # Errors
    /// When it is no command of this node: the file is not one of ours.
    fn run_loaded(
        &mut self,
        key: ClientKey,
        args: &[&[u8]],
        reply: &mut Vec<u8>,
    ) -> Result<(), String> {
        let fault = |server: &Server, what: &str| {
            let loading = server
                .loading
                .as_ref()
                .expect("commands come while loading");
            let file = &loading.files[loading.current].name;
            let name = String::from_utf8_lossy(args[0]);
            Err(format!(
                "{what} '{name}' reading the append only file {file}"
            ))
        };
        let Lookup::Found(id) = self.front.table.lookup(args) else {
            return fault(self, "Unknown command");
        };
        let entry = self.front.table.entry(id);
        if !entry.arity_accepts(args.len()) {
            return fault(self, "Wrong number of arguments for command");
        }
        let ends_transaction = matches!(entry.full_name.as_str(), "exec" | "discard" | "multi");
        let client = self
            .front
            .clients
            .get_mut(key)
            .expect("ours until the loading ends");
        match &mut client.transaction {
            Some(transaction) if !ends_transaction => {
                transaction.queue(id, entry.spec.flags, OwnedArgs::new(args));
            }
            _ => self.apply_loaded(key, id, args, reply),
        }
        Ok(())
    }

    fn apply_loaded(&mut self, key: ClientKey, id: CommandId, args: &[&[u8]], reply: &mut Vec<u8>) {
        reply.clear();
        let outer = std::mem::replace(&mut self.deny_blocking, true);
        let result = self.apply_quietly(key, id, args, reply);
        self.deny_blocking = outer;
        if let Err(error) = result {
            report_error(&error, self.full_name(id));
        }
    }

    /// Runs a command and drops what it notes: it was propagated when it first ran.
    fn apply_quietly(
        &mut self,
        key: ClientKey,
        id: CommandId,
        args: &[&[u8]],
        reply: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let caller = self.caller(key).expect("ours until the loading ends");
        self.prepare_effects(caller.db);
        let result = self.run_handler(caller, id, args, reply);
        self.stats.dirty += std::mem::take(&mut self.effects.dirty);
        self.effects.propagation = Propagation::Nothing;
        self.effects.block = None;
        if self.keyspace.db(caller.db).has_garbage() {
            self.free_garbage(caller.db);
        }
        result
    }
}

fn report_error(error: &CommandError, command: &str) {
    let text = error.to_string();
    let text = match text.strip_prefix("ERR ") {
        Some(text) => text.to_string(),
        None => format!("-{text}"),
    };
    front::log_warning!(
        "== CRITICAL == This server is sending an error to its AOF-loading-client: '{text}' after processing the \
         command '{command}'"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truncated(in_transaction: bool) -> Stop {
        Stop::Truncated {
            valid_to: 27,
            in_transaction,
        }
    }

    #[test]
    fn a_truncated_last_file_is_cut_where_allowed() {
        match judge(&truncated(false), "a.1.incr.aof", true, true) {
            Verdict::Cut { at: 27, log } => assert_eq!(
                log,
                [
                    "!!! Warning: short read while loading the AOF file a.1.incr.aof!!!",
                    "!!! Truncating the AOF a.1.incr.aof at offset 27 !!!",
                    "AOF a.1.incr.aof loaded anyway because aof-load-truncated is enabled"
                ]
            ),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn empty_incrs_after_the_last_one_that_was_written_to_do_not_count() {
        let file = |name: &str, part, size| FileToLoad {
            name: name.into(),
            path: name.into(),
            part,
            size,
        };
        let base = |size| file("a.1.base.rdb", Part::Base, size);
        let old = file("a", Part::Base, 1);
        let incr = |size| file("a.1.incr.aof", Part::Incr, size);
        let ends = |files: &[FileToLoad], index| ends_the_aof(files, index, "a");
        assert!(ends(&[base(1), incr(1), incr(0), incr(0)], 1));
        assert!(!ends(&[base(1), incr(1), incr(0), incr(1)], 1));
        assert!(!ends(&[base(1), incr(0)], 0));
        assert!(ends(&[base(1)], 0));
        assert!(ends(&[old.clone(), incr(0)], 0));
        assert!(!ends(&[old, incr(1)], 0));
    }

    #[test]
    fn a_truncated_file_that_others_follow_is_fatal_and_stays_as_it_is() {
        match judge(&truncated(true), "a", false, true) {
            Verdict::Fatal { log } => assert_eq!(
                log.last().unwrap(),
                "Fatal error: the truncated file is not the last file"
            ),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_truncated_file_is_fatal_where_not_allowed() {
        match judge(&truncated(true), "a", true, false) {
            Verdict::Fatal { log } => {
                assert_eq!(
                    log[0],
                    "Revert incomplete MULTI/EXEC transaction in AOF file a"
                );
                assert!(
                    log[1].starts_with("Unexpected end of file reading the append only file a. ")
                );
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_broken_file_is_fatal_and_named_with_the_offset() {
        let stop = Stop::Format {
            at: 99,
            expected: "'$' and a length",
        };
        match judge(&stop, "a", true, true) {
            Verdict::Fatal { log } => {
                assert!(log[0].starts_with("In a at offset 99: expected '$' and a length."));
                assert!(log[1].starts_with("Bad file format reading the append only file a: "));
            }
            other => panic!("{other:?}"),
        }
    }
}
