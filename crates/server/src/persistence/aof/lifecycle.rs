//! Opening, turning on and off, reloading and closing the AOF.

use super::base;
use super::files::AofFiles;
use super::loader::FileToLoad;
use super::manifest::{BaseFormat, Manifest, Segment};
use super::rewrite::drop_history;
use super::writer::{Fatal, Writer};
use super::{State, manifest_report};
use crate::config;
use crate::effects::FlushScope;
use crate::persistence::disk::write_all;
use crate::persistence::loading::Then;
use crate::server::Server;
use front::ClientKey;
use front::background::Lane;
use front::client::BlockReason;
use front::log::io_reason;
use std::io;

impl Server {
    /// After the dataset was loaded: opens the AOF to go on with it, or makes one.
    ///
    /// # Errors
    /// The reason why that is not possible.
    pub(crate) fn open_aof_at_start(&mut self) -> Result<(), String> {
        self.try_open_aof().map_err(|error| {
            format!(
                "Can't open or create the append-only file: {}",
                io_reason(&error)
            )
        })
    }

    fn try_open_aof(&mut self) -> io::Result<()> {
        let files = self.aof.files.clone();
        let mut manifest = self.aof.manifest.clone();
        if manifest.is_empty() {
            files.create_folder()?;
            let base = self.write_first_base(&manifest)?;
            manifest = manifest.with_base(base, 0);
        }
        let file = match manifest.incrs.last() {
            Some(incr) => {
                front::log_notice!("Opening AOF incr file {} on server start", incr.name);
                files.disk.append(&files.path(&incr.name))?
            }
            None => {
                let incr = manifest.next_incr(&files.name);
                front::log_notice!("Creating AOF incr file {} on server start", incr.name);
                let file = files.create(&incr.name)?;
                manifest = manifest.with_incr(incr);
                file
            }
        };
        if manifest != self.aof.manifest {
            files.disk.sync_dir(&files.folder())?;
            files.write_manifest(&manifest)?.durably()?;
        }
        self.aof.manifest = manifest;
        self.measure_aof()?;
        let size = self.last_incr_size().unwrap_or(0);
        let (position, now) = (self.write_stream.end(), self.front.clock.now());
        self.aof.state = State::On(Writer::new(file, size, position, now));
        self.aof.rewrite_base_size = self.aof.base_size;
        self.begin_aof_file();
        self.drop_aof_history();
        Ok(())
    }

    /// The base of a new AOF: what the keyspace holds now.
    fn write_first_base(&mut self, manifest: &Manifest) -> io::Result<Segment> {
        let files = self.aof.files.clone();
        let temp = files.temp_base_name();
        let format = self.write_base(&temp)?;
        let base = manifest.next_base(&files.name, format);
        front::log_notice!("Creating AOF base file {} on server start", base.name);
        files
            .disk
            .rename(&files.path(&temp), &files.path(&base.name))?;
        Ok(base)
    }

    /// Writes what the keyspace holds now into a file of the AOF folder, and syncs it.
    pub(crate) fn write_base(&mut self, name: &str) -> io::Result<BaseFormat> {
        if self.config.bool(config::AOF_USE_RDB_PREAMBLE) {
            let path = self.aof.files.path(name);
            self.write_rdb(path.clone(), path, true)
                .map_err(|(_, error)| error)?;
            return Ok(BaseFormat::Rdb);
        }
        let file = self.aof.files.create(name)?;
        let write = |bytes: &[u8]| write_all(&*file, bytes).map_err(|(_, error)| error);
        let mut encoder = base::CommandEncoder::new(write);
        if self.aof.settings.timestamps {
            encoder.timestamp(self.front.clock.now() / 1000);
        }
        for (_, library) in self.scripting.functions.libraries() {
            encoder.library(&library.code);
        }
        for (db, entries) in self.keyspace.iter() {
            for entry in entries.iter() {
                encoder.entry(db, entry.key(), entry.value(), entry.expiry());
            }
        }
        encoder.finish()?;
        file.sync()?;
        Ok(BaseFormat::Commands)
    }

    /// Deletes the files that a rewrite replaced, unless they are to be kept.
    pub(crate) fn drop_aof_history(&mut self) {
        if self.aof.manifest.history.is_empty() || self.aof.settings.keep_history {
            return;
        }
        let (files, manifest) = (self.aof.files.clone(), self.aof.manifest.clone());
        self.aof.manifest = manifest.without_history();
        self.front.background.run(Lane::Disk, move || {
            drop_history(&files, manifest);
            None
        });
    }

    /// CONFIG SET appendonly and aof-disable-auto-gc.
    ///
    /// # Errors
    /// The reason why the AOF cannot be turned on.
    pub(crate) fn follow_appendonly(&mut self) -> Result<(), String> {
        match (self.config.bool(config::APPENDONLY), self.aof.is_on()) {
            (true, false) => self.turn_aof_on()?,
            (false, true) => self.turn_aof_off(),
            _ => {}
        }
        if !self.is_rewriting() {
            self.drop_aof_history();
        }
        Ok(())
    }

    fn turn_aof_on(&mut self) -> Result<(), String> {
        let files = AofFiles::of(self.aof.disk.clone(), &self.config);
        let manifest = match files.read_manifest() {
            Ok(manifest) => manifest.unwrap_or_default(),
            Err(error) => {
                for line in manifest_report(&files, &error) {
                    front::log_warning!("{line}");
                }
                return Err("Unable to turn on AOF. Check server logs.".into());
            }
        };
        if self.is_rewriting() {
            front::log_notice!(
                "AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and \
                 starting a rewrite now."
            );
            self.abandon_rewrite();
        }
        self.aof.state = State::Starting(None);
        if self.is_rewriting() {
            self.aof.rewrite_scheduled = true;
            return Ok(());
        }
        self.aof.files = files;
        self.aof.manifest = manifest;
        // In a transaction it would begin with a part of it.
        if self.is_writing_snapshot() || self.deny_blocking {
            self.aof.rewrite_scheduled = true;
            front::log_warning!(
                "AOF was enabled but there is already another background operation. An AOF background was scheduled to \
                 start when possible."
            );
        } else {
            self.start_rewrite();
        }
        Ok(())
    }

    /// Makes what was written durable, and stops writing. The files stay.
    pub(crate) fn turn_aof_off(&mut self) {
        self.abandon_rewrite();
        self.close_writer();
    }

    /// Makes the AOF durable and closes it, before the process ends.
    pub(crate) fn close_aof(&mut self) {
        if self.aof.is_on() {
            front::log_notice!("Calling fsync() on the AOF file.");
            self.close_writer();
        }
    }

    fn close_writer(&mut self) {
        self.feed_aof();
        let conditions = self.aof.conditions(&self.front.clock);
        let writer = match std::mem::replace(&mut self.aof.state, State::Off) {
            State::Off | State::Starting(None) => return,
            State::Starting(Some(writer)) | State::On(writer) => writer,
        };
        let mut writer = writer;
        if let Err(Fatal::Write(error) | Fatal::Sync(error)) = writer.finish(conditions) {
            front::log_warning!("Fail to fsync the AOF file: {}.", io_reason(&error));
        }
        // Without an AOF nothing waits for it.
        self.front.commit(writer.safe());
    }

    /// DEBUG LOADAOF: replaces the dataset by what the AOF holds. A waiting client is answered when that is done;
    /// without one, it is done when this returns.
    pub(crate) fn reload_aof(&mut self, waiting: Option<ClientKey>, args: &[&[u8]]) {
        self.feed_aof();
        let conditions = self.aof.conditions(&self.front.clock);
        if let Some(writer) = self.aof.writer_mut()
            && let Err(fatal) = writer.finish(conditions)
        {
            return self.stop_for_disk(&fatal);
        }
        let manifest = match self.aof.files.read_manifest() {
            Ok(manifest) => manifest.unwrap_or_default(),
            Err(error) => return self.fail_with(&manifest_report(&self.aof.files, &error)),
        };
        let files = match self.aof.files.to_load(&manifest) {
            Ok(files) => files,
            Err(reason) => return self.fail_with(&[reason]),
        };
        self.empty(FlushScope::All, false);
        self.reload_files(files, false, waiting, args);
    }

    /// Loads files into a node that runs; with `merge` keys that are there may come again. A waiting client is answered
    /// when that is done; without one, it is done when this returns.
    pub(crate) fn reload_files(
        &mut self,
        files: Vec<FileToLoad>,
        merge: bool,
        waiting: Option<ClientKey>,
        args: &[&[u8]],
    ) {
        let Some(key) = waiting else {
            self.start_loading(files, merge, Then::Return);
            return self.load_to_the_end();
        };
        self.start_loading(files, merge, Then::Answer(key));
        self.park_request(key, BlockReason::Loading, None, args);
    }

    fn fail_with(&mut self, report: &[String]) {
        for line in report {
            front::log_warning!("{line}");
        }
        self.fail();
    }

    /// The AOF was loaded into a node that runs.
    pub(crate) fn aof_reloaded(&mut self) {
        self.stats.dirty = 0;
        let size = self.last_incr_size();
        if let (Some(size), State::On(writer)) = (size, &mut self.aof.state) {
            writer.set_size(size);
        }
        front::log_warning!("Append Only File loaded by DEBUG LOADAOF");
    }

    fn last_incr_size(&self) -> Option<u64> {
        let files = &self.aof.files;
        let incr = self.aof.manifest.incrs.last()?;
        files.disk.size(&files.path(&incr.name)).ok()
    }

    /// Adds up the sizes of the files.
    pub(crate) fn measure_aof(&mut self) -> io::Result<()> {
        let files = &self.aof.files;
        let size = |segment: &Segment| files.disk.size(&files.path(&segment.name));
        let base = self.aof.manifest.base.as_ref().map_or(Ok(0), size)?;
        let mut earlier = base;
        if let Some((_, incrs)) = self.aof.manifest.incrs.split_last() {
            for incr in incrs {
                earlier += size(incr)?;
            }
        }
        self.aof.base_size = base;
        self.aof.earlier_size = earlier;
        Ok(())
    }
}
