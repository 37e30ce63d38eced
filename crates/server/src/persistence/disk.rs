//! The file operations that persistence rests on, as a trait: tests put a disk under it that loses, tears and fails.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// A folder tree. Paths are as the system takes them.
pub(crate) trait Disk: Send + Sync {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// Those of the system, here and in every other operation.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;
    /// The length of a file.
    fn size(&self, path: &Path) -> io::Result<u64>;
    /// The names in a folder.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Makes a folder; one that is there already is as good.
    fn create_dir(&self, folder: &Path) -> io::Result<()>;
    /// Makes an empty file, in place of one that is there.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens a file, which is there, to append to it.
    fn append(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Gives a file another name, in place of what has that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_dir(&self, folder: &Path) -> io::Result<()>;

    /// Whether there is something of this name.
    fn exists(&self, path: &Path) -> bool {
        self.size(path).is_ok()
    }
}

/// An open file. One thread appends; another may sync meanwhile.
pub(crate) trait DiskFile: Send + Sync {
    /// Appends what the system takes of the bytes, at least one.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;
    /// Cuts the file; what is appended next comes after the cut.
    fn truncate(&self, size: u64) -> io::Result<()>;
    /// Makes everything written so far durable.
    fn sync(&self) -> io::Result<()>;
}

/// Appends all bytes. On an error, tells how many were taken before it.
pub(crate) fn write_all(file: &dyn DiskFile, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut taken = 0;
    while taken < bytes.len() {
        match file.write(&bytes[taken..]) {
            Ok(0) => return Err((taken, io::ErrorKind::WriteZero.into())),
            Ok(count) => taken += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((taken, error)),
        }
    }
    Ok(())
}

/// The system's disk.
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(path)?))
    }
    fn size(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::metadata(path)?.len())
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(folder)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }
    fn create_dir(&self, folder: &Path) -> io::Result<()> {
        match fs::create_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
            result => result,
        }
    }
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = File::options();
        // Appending, so that a cut moves the place of the next write.
        let file = options.append(true).create(true).open(path)?;
        file.set_len(0)?;
        Ok(Arc::new(file))
    }
    fn append(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(File::options().append(true).open(path)?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

impl DiskFile for File {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut file: &File = self;
        Write::write(&mut file, bytes)
    }
    fn truncate(&self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
