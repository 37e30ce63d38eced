//! Saving the whole dataset at once, on the data thread: SAVE, the way out, the base of a new AOF. Everything else waits.

use super::file::{RdbWriter, WriteOptions};
use crate::config;
use crate::replication::Point;
use crate::server::Server;
use crate::start::REDIS_VERSION;
use front::log::io_reason;
use std::io;
use std::path::{Path, PathBuf};
use store::rdb::save::{Encoder, Preamble, ReplicationPoint, SavedUse};

/// Bytes laid out before they are compressed and written.
const PIECE_BYTES: usize = 256 * 1024;

impl Server {
    /// How RDB files are to be written.
    pub(crate) fn rdb_options(&self) -> WriteOptions {
        WriteOptions {
            compress: self.config.bool(config::RDBCOMPRESSION),
            checksum: self.config.bool(config::RDBCHECKSUM),
            sync_on_the_way: self.config.bool(config::RDB_SAVE_INCREMENTAL_FSYNC),
        }
    }

    /// Which use of entries is saved with them.
    pub(crate) fn saved_use(&self) -> SavedUse {
        let now = self.front.clock.now();
        let policy = self.config.text(config::MAXMEMORY_POLICY);
        if policy.ends_with("lfu") {
            SavedUse::Freq {
                now,
                decay_minutes: self.settings.lfu_decay_time,
            }
        } else if policy.ends_with("lru") {
            SavedUse::Idle { now }
        } else {
            SavedUse::None
        }
    }

    /// What a file says about itself.
    fn rdb_preamble<'a>(&self, aof_base: bool, point: Option<&'a Point>) -> Preamble<'a> {
        Preamble {
            redis_version: REDIS_VERSION,
            unix_seconds: self.front.clock.now() / 1000,
            used_memory: front::memory::used() as u64,
            replication: point.map(|point| ReplicationPoint {
                stream_db: point.db,
                replid: &point.id,
                offset: point.offset,
            }),
            aof_base,
        }
    }

    /// Where the dataset is saved.
    pub(crate) fn dump_path(&self) -> PathBuf {
        Path::new(self.config.text(config::DIR)).join(self.config.text(config::DBFILENAME))
    }

    /// Saves the dataset and logs how that went. False when it failed: the former file is still there.
    pub(crate) fn save(&mut self) -> bool {
        let name = format!("temp-{}.rdb", std::process::id());
        let target = self.dump_path();
        match self.write_rdb(target.with_file_name(&name), target, false) {
            Ok(()) => {
                front::log_notice!("DB saved on disk");
                self.stats.dirty = 0;
                self.rdb.last_save = self.front.clock.now();
                self.rdb.last_failed = false;
                true
            }
            Err((failed, error)) => {
                self.log_save_error(&name, failed, &error);
                false
            }
        }
    }

    /// Tells in the log why the dataset could not be saved by way of the temporary file `temp`.
    pub(crate) fn log_save_error(&self, temp: &str, failed: Failed, error: &io::Error) {
        match failed {
            Failed::Open => front::log_warning!(
                "Failed opening the temp RDB file {temp} (in server root dir {}) for saving: {}",
                self.config.text(config::DIR),
                io_reason(error)
            ),
            Failed::Write => front::log_warning!(
                "Write error saving DB on disk {}: {}",
                self.dump_path().display(),
                io_reason(error)
            ),
        }
    }

    /// Writes the dataset into a file of its own.
    ///
    /// # Errors
    /// Those of the disk; what was at `target` is still there, or all of the new file is.
    pub(crate) fn write_rdb(
        &mut self,
        temp: PathBuf,
        target: PathBuf,
        aof_base: bool,
    ) -> Result<(), (Failed, io::Error)> {
        let options = self.rdb_options();
        let mut writer = RdbWriter::create(self.aof.disk.clone(), temp, target, options)
            .map_err(|error| (Failed::Open, error))?;
        let result = self.write_dataset(&mut writer, options, aof_base);
        if result.is_err() {
            writer.abandon();
        }
        result.map_err(|error| (Failed::Write, error))
    }

    /// What comes before the entries: what the file says about itself, and the libraries of functions.
    pub(crate) fn put_head(&self, encoder: &mut Encoder, aof_base: bool) {
        let point = self.replication.coming_point(&self.front.clients);
        encoder.preamble(&self.rdb_preamble(aof_base, point.as_ref()));
        for (_, library) in self.scripting.functions.libraries() {
            encoder.function(&library.code);
        }
        for code in &self.rdb.functions {
            encoder.function(code);
        }
    }

    fn write_dataset(
        &mut self,
        writer: &mut RdbWriter,
        options: WriteOptions,
        aof_base: bool,
    ) -> io::Result<()> {
        let saved_use = self.saved_use();
        let mut encoder = Encoder::new(options.compress);
        self.put_head(&mut encoder, aof_base);
        for (index, db) in self.keyspace.iter().filter(|(_, db)| !db.is_empty()) {
            encoder.select_db(index);
            encoder.resize_db(db.len(), db.expiring_len());
            for entry in db.iter() {
                encoder.entry(entry, saved_use);
                if encoder.len() >= PIECE_BYTES {
                    writer.write(encoder.take())?;
                }
            }
        }
        encoder.eof();
        writer.write(encoder.take())?;
        writer.finish()
    }
}

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    Open,
    Write,
}
