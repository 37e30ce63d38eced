//! Writing an RDB file: beside its place first, and moved there once all of it is on the disk. Until then, and after any
//! error, what was there stays.

use crate::persistence::disk::{Disk, DiskFile, write_all};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use store::rdb::save::{Finisher, Piece};

/// With `rdb-save-incremental-fsync`, what was written is synced each time this much came together: a sync at the end
/// would stop the disk for everybody.
const SYNC_BYTES: usize = 4 << 20;

/// How files are written, from the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteOptions {
    /// `rdbcompression`.
    pub(crate) compress: bool,
    /// `rdbchecksum`.
    pub(crate) checksum: bool,
    /// `rdb-save-incremental-fsync`.
    pub(crate) sync_on_the_way: bool,
}

/// A file being written; see the module.
pub(crate) struct RdbWriter {
    disk: Arc<dyn Disk>,
    temp: PathBuf,
    target: PathBuf,
    file: Arc<dyn DiskFile>,
    finisher: Finisher,
    sync_on_the_way: bool,
    unsynced: usize,
}

impl RdbWriter {
    /// Makes `temp`, which shall become `target` in the same folder.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn create(
        disk: Arc<dyn Disk>,
        temp: PathBuf,
        target: PathBuf,
        options: WriteOptions,
    ) -> io::Result<RdbWriter> {
        let file = disk.create(&temp)?;
        Ok(RdbWriter {
            disk,
            temp,
            target,
            file,
            finisher: Finisher::new(options.checksum),
            sync_on_the_way: options.sync_on_the_way,
            unsynced: 0,
        })
    }

    /// Writes what comes next.
    ///
    /// # Errors
    /// Those of the disk: the file is then to be abandoned.
    pub(crate) fn write(&mut self, piece: Piece) -> io::Result<()> {
        let bytes = self.finisher.finish(piece);
        self.write_bytes(&bytes)
    }

    fn write_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        write_all(&*self.file, bytes).map_err(|(_, error)| error)?;
        self.unsynced += bytes.len();
        if self.sync_on_the_way && self.unsynced >= SYNC_BYTES {
            self.file.sync()?;
            self.unsynced = 0;
        }
        Ok(())
    }

    /// After the last piece: adds the checksum, makes the file durable and puts it in its place.
    ///
    /// # Errors
    /// Those of the disk: the file is then to be abandoned.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let checksum = self.finisher.checksum();
        self.write_bytes(&checksum)?;
        self.file.sync()?;
        self.disk.rename(&self.temp, &self.target)?;
        let folder = self.target.parent().expect("the path of a file");
        self.disk.sync_dir(folder)
    }

    /// Removes what was written.
    pub(crate) fn abandon(self) {
        // It would only lie about; and it is gone after an error behind the move.
        let _ = self.disk.remove(&self.temp);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persistence::simulated_disk::{Operation, SimulatedDisk};
    use store::entry::Entry;
    use store::rdb::load::{Item, LoadSettings, Loader};
    use store::rdb::save::{Encoder, Preamble, SavedUse};

    const OPTIONS: WriteOptions = WriteOptions {
        compress: true,
        checksum: true,
        sync_on_the_way: true,
    };

    /// Writes `entries` keys.
    fn save(disk: &SimulatedDisk, entries: usize) -> io::Result<()> {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        let mut writer =
            RdbWriter::create(disk, "d/temp-1.rdb".into(), "d/dump.rdb".into(), OPTIONS)?;
        let result = (|| {
            let mut encoder = Encoder::new(OPTIONS.compress);
            encoder.preamble(&Preamble {
                redis_version: "7.0.15",
                unix_seconds: 0,
                used_memory: 0,
                replication: None,
                aof_base: false,
            });
            encoder.select_db(0);
            for number in 0..entries {
                let entry = Entry::string(number.to_string().as_bytes(), &[7; 1000], None);
                encoder.entry(&entry, SavedUse::None);
                writer.write(encoder.take())?;
            }
            encoder.eof();
            writer.write(encoder.take())?;
            writer.finish()
        })();
        if result.is_err() {
            writer.abandon();
        }
        result
    }

    /// How many keys the dump has; None if there is none.
    fn keys(disk: &SimulatedDisk) -> Option<usize> {
        if !disk.names().contains(&"d/dump.rdb".to_string()) {
            return None;
        }
        let bytes = disk.bytes("d/dump.rdb");
        let mut loader = Loader::new(&bytes[..], LoadSettings::defaults(0), true);
        let mut keys = 0;
        while let Some(item) = loader.next_item().expect("the file is whole") {
            keys += usize::from(matches!(item, Item::Entry(_)));
        }
        Some(keys)
    }

    #[test]
    fn any_failing_operation_leaves_the_former_file_or_the_whole_new_one() {
        for failing in 0.. {
            let disk = SimulatedDisk::default();
            save(&disk, 3).unwrap();
            let mut count = 0;
            disk.set_fault(move |_, _| {
                count += 1;
                (count > failing).then_some(5)
            });
            let result = save(&disk, 5);
            disk.heal();
            let moved = disk.names() == ["d/dump.rdb"] && keys(&disk) == Some(5);
            assert!(moved || keys(&disk) == Some(3), "{failing}");
            if result.is_ok() {
                assert!(moved);
                return;
            }
        }
    }

    #[test]
    fn an_error_is_told_and_leaves_nothing_about() {
        let disk = SimulatedDisk::default();
        disk.set_fault(|operation, _| (operation == Operation::Sync).then_some(5));
        assert!(save(&disk, 3).is_err());
        disk.heal();
        disk.set_room(100);
        assert!(save(&disk, 3).is_err());
        assert_eq!(disk.names(), [""; 0]);
    }

    #[test]
    fn a_power_loss_at_any_time_leaves_a_whole_file() {
        let mut state = 7usize;
        let mut chance = move |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        for stop_after in 0..40 {
            let disk = SimulatedDisk::default();
            save(&disk, 3).unwrap();
            let mut count = 0;
            disk.set_fault(move |_, _| {
                count += 1;
                (count > stop_after).then_some(5)
            });
            let saved = save(&disk, 5).is_ok();
            disk.heal();
            disk.lose_power(&mut chance);
            match keys(&disk) {
                Some(5) => {}
                other => assert_eq!((other, saved), (Some(3), false)),
            }
        }
    }
}
