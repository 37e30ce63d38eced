//! A disk in memory, for tests: it can be full, fail, take only part of a write, and lose its power. What was not synced
//! then is gone, torn or still there, by chance; names that were not synced with their folder likewise.

use super::disk::{Disk, DiskFile};
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// What an operation is, for those who make it fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Read,
    Create,
    Write,
    Truncate,
    Sync,
    Rename,
    Remove,
    SyncDir,
}

/// Decides the fate of each operation: None lets it pass, an error number makes it fail.
pub(crate) type Fault = Box<dyn FnMut(Operation, &Path) -> Option<i32> + Send>;

#[derive(Default)]
struct State {
    files: Vec<FileState>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names since their folder was synced, oldest first.
    name_log: Vec<NameChange>,
    fault: Option<Fault>,
    /// Bytes that still fit; None for no limit.
    room: Option<usize>,
}

#[derive(Clone, Default)]
struct FileState {
    path: PathBuf,
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// Parts that a failed sync left behind: the system takes them for written and never tries again.
    dropped: Vec<Range<usize>>,
}

#[derive(Clone)]
enum NameChange {
    Is(PathBuf, usize),
    Gone(PathBuf),
    Moved(PathBuf, PathBuf, usize),
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            NameChange::Is(path, file) => {
                names.insert(path.clone(), *file);
            }
            NameChange::Gone(path) => {
                names.remove(path);
            }
            NameChange::Moved(from, to, file) => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
        }
    }

    fn folder(&self) -> Option<&Path> {
        match self {
            NameChange::Is(path, _) | NameChange::Gone(path) | NameChange::Moved(_, path, _) => {
                path.parent()
            }
        }
    }
}

/// See the module. Clones share the disk.
#[derive(Clone, Default)]
pub(crate) struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

impl SimulatedDisk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Asks this before each operation.
    pub(crate) fn set_fault(
        &self,
        fault: impl FnMut(Operation, &Path) -> Option<i32> + Send + 'static,
    ) {
        self.lock().fault = Some(Box::new(fault));
    }

    pub(crate) fn heal(&self) {
        let mut state = self.lock();
        state.fault = None;
        state.room = None;
    }

    /// Lets only so many more bytes be written.
    pub(crate) fn set_room(&self, bytes: usize) {
        self.lock().room = Some(bytes);
    }

    /// Every name.
    pub(crate) fn names(&self) -> Vec<String> {
        self.lock()
            .names
            .keys()
            .map(|path| path.display().to_string())
            .collect()
    }

    /// A file's bytes as programs see them.
    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        let state = self.lock();
        let file = *state
            .names
            .get(Path::new(path))
            .unwrap_or_else(|| panic!("no {path}"));
        state.files[file].bytes.clone()
    }

    /// Puts a durable file there.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        let mut state = self.lock();
        let file = state.files.len();
        state.files.push(FileState {
            path: path.into(),
            bytes: bytes.to_vec(),
            durable: bytes.to_vec(),
            dropped: Vec::new(),
        });
        state.names.insert(path.into(), file);
        state.durable_names.insert(path.into(), file);
    }

    /// The power goes and comes back. `chance(n)` picks a number below n.
    pub(crate) fn lose_power(&self, chance: impl FnMut(usize) -> usize) {
        self.lock().lose_power(chance);
    }

    /// What is there after the power went: another disk. Whoever still uses this one does so in vain.
    pub(crate) fn after_power_loss(&self, chance: impl FnMut(usize) -> usize) -> SimulatedDisk {
        let mut state = {
            let state = self.lock();
            State {
                files: state.files.clone(),
                names: state.names.clone(),
                durable_names: state.durable_names.clone(),
                name_log: state.name_log.clone(),
                fault: None,
                room: None,
            }
        };
        state.lose_power(chance);
        SimulatedDisk {
            state: Arc::new(Mutex::new(state)),
        }
    }
}

impl State {
    fn lose_power(&mut self, mut chance: impl FnMut(usize) -> usize) {
        let state = self;
        let mut names = std::mem::take(&mut state.durable_names);
        // A journal keeps the order of changes to names: some of the first have reached the disk.
        let kept = chance(state.name_log.len() + 1);
        for change in &state.name_log[..kept] {
            change.apply(&mut names);
        }
        state.name_log.clear();
        state.names = names.clone();
        state.durable_names = names;
        for file in &mut state.files {
            let lost = file.bytes.len().saturating_sub(file.durable.len());
            if file.bytes.starts_with(&file.durable) && lost > 0 {
                let survived = chance(lost + 1);
                file.bytes.truncate(file.durable.len() + survived);
                // The length may have reached the disk without all of the bytes.
                if survived > 0 && chance(4) == 0 {
                    let torn = chance(survived);
                    let end = file.bytes.len();
                    file.bytes[end - torn..].fill(0);
                }
            } else {
                file.bytes = file.durable.clone();
            }
            file.durable = file.bytes.clone();
            file.dropped.clear();
        }
        state.fault = None;
        state.room = None;
    }

    fn check(&mut self, operation: Operation, path: &Path) -> io::Result<()> {
        match self.fault.as_mut().and_then(|fault| fault(operation, path)) {
            Some(code) => Err(io::Error::from_raw_os_error(code)),
            None => Ok(()),
        }
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.names
            .get(path)
            .copied()
            .ok_or_else(|| io::Error::from_raw_os_error(2))
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_log.push(change);
    }
}

impl Disk for SimulatedDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        let mut state = self.lock();
        state.check(Operation::Read, path)?;
        let file = state.find(path)?;
        Ok(Box::new(Cursor::new(state.files[file].bytes.clone())))
    }
    fn size(&self, path: &Path) -> io::Result<u64> {
        let state = self.lock();
        let file = state.find(path)?;
        Ok(state.files[file].bytes.len() as u64)
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let state = self.lock();
        let names = state.names.keys().filter(|p| p.parent() == Some(folder));
        Ok(names
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_string()))
            .collect())
    }
    fn create_dir(&self, folder: &Path) -> io::Result<()> {
        self.lock().check(Operation::Create, folder)
    }
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.lock();
        state.check(Operation::Create, path)?;
        let file = match state.names.get(path) {
            Some(&file) => {
                state.files[file].bytes.clear();
                file
            }
            None => {
                let file = state.files.len();
                state.files.push(FileState {
                    path: path.into(),
                    ..FileState::default()
                });
                state.change(NameChange::Is(path.into(), file));
                file
            }
        };
        drop(state);
        Ok(Arc::new(SimulatedFile {
            disk: self.clone(),
            file,
        }))
    }
    fn append(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.lock();
        state.check(Operation::Create, path)?;
        let file = state.find(path)?;
        drop(state);
        Ok(Arc::new(SimulatedFile {
            disk: self.clone(),
            file,
        }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.check(Operation::Rename, to)?;
        let file = state.find(from)?;
        state.files[file].path = to.into();
        state.change(NameChange::Moved(from.into(), to.into(), file));
        Ok(())
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.check(Operation::Remove, path)?;
        state.find(path)?;
        state.change(NameChange::Gone(path.into()));
        Ok(())
    }
    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.check(Operation::SyncDir, folder)?;
        let State {
            name_log,
            durable_names,
            ..
        } = &mut *state;
        name_log.retain(|change| {
            let here = change.folder() == Some(folder);
            if here {
                change.apply(durable_names);
            }
            !here
        });
        Ok(())
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    file: usize,
}

impl DiskFile for SimulatedFile {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.lock();
        let path = state.files[self.file].path.clone();
        state.check(Operation::Write, &path)?;
        let count = match &mut state.room {
            None => bytes.len(),
            Some(0) => return Err(io::Error::from_raw_os_error(28)),
            Some(room) => {
                let count = bytes.len().min(*room);
                *room -= count;
                count
            }
        };
        state.files[self.file]
            .bytes
            .extend_from_slice(&bytes[..count]);
        Ok(count)
    }
    fn truncate(&self, size: u64) -> io::Result<()> {
        let mut state = self.disk.lock();
        let path = state.files[self.file].path.clone();
        state.check(Operation::Truncate, &path)?;
        state.files[self.file].bytes.truncate(size as usize);
        Ok(())
    }
    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.lock();
        let path = state.files[self.file].path.clone();
        let file = self.file;
        if let Err(error) = state.check(Operation::Sync, &path) {
            let file = &mut state.files[file];
            file.dropped.push(file.durable.len()..file.bytes.len());
            return Err(error);
        }
        let file = &mut state.files[file];
        file.durable = file.bytes.clone();
        for part in &file.dropped {
            if let Some(part) = file.durable.get_mut(part.clone()) {
                part.fill(0);
            }
        }
        Ok(())
    }
}
