//! The folder of a multi-part AOF on the disk: its manifest, replaced as a whole or not at all, and the files it names.

use super::manifest::{MANIFEST_SUFFIX, Manifest, ManifestError, Segment, TEMP_PREFIX};
use crate::persistence::disk::{Disk, DiskFile, write_all};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// See the module. Cheap to clone: helper threads take one along.
#[derive(Clone)]
pub(crate) struct AofFiles {
    pub(crate) disk: Arc<dyn Disk>,
    /// The folder that holds `folder`, absolute: CONFIG SET dir does not move a running AOF.
    pub(crate) dir: PathBuf,
    /// `appenddirname`.
    pub(crate) folder_name: String,
    /// `appendfilename`.
    pub(crate) name: String,
}

/// Why the manifest could not be had.
#[derive(Debug)]
pub(crate) enum ReadError {
    Io(io::Error),
    Manifest(ManifestError),
}

/// A manifest that was put in place.
#[must_use]
pub(crate) enum InForce {
    Durably,
    /// The folder could not be synced: after a power loss the former one may be back. The files of both must stay.
    UntilPowerLoss(io::Error),
}

impl InForce {
    /// # Errors
    /// When the manifest is not durable.
    pub(crate) fn durably(self) -> io::Result<()> {
        match self {
            InForce::Durably => Ok(()),
            InForce::UntilPowerLoss(error) => Err(error),
        }
    }
}

impl AofFiles {
    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.join(&self.folder_name)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) fn manifest_name(&self) -> String {
        format!("{}{MANIFEST_SUFFIX}", self.name)
    }

    /// Where an AOF of before 7.0 lies.
    pub(crate) fn old_style_path(&self) -> PathBuf {
        self.dir.join(&self.name)
    }

    /// The incr that collects writes while the first base is being made.
    pub(crate) fn temp_incr_name(&self) -> String {
        format!("{TEMP_PREFIX}{}.incr", self.name)
    }

    /// The base being written.
    pub(crate) fn temp_base_name(&self) -> String {
        format!("{TEMP_PREFIX}rewriteaof-bg-{}.aof", std::process::id())
    }

    /// The manifest, if there is one.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub(crate) fn read_manifest(&self) -> Result<Option<Manifest>, ReadError> {
        let path = self.path(&self.manifest_name());
        let bytes = match read_whole(&*self.disk, &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result.map_err(ReadError::Io)?,
        };
        Manifest::parse(&bytes)
            .map(Some)
            .map_err(ReadError::Manifest)
    }

    /// Puts a manifest in place of the present one.
    ///
    /// # Errors
    /// When it could not: the present one stays in force.
    pub(crate) fn write_manifest(&self, manifest: &Manifest) -> io::Result<InForce> {
        let temp = self.path(&format!("{TEMP_PREFIX}{}", self.manifest_name()));
        let file = self.disk.create(&temp)?;
        let written = write_all(&*file, manifest.text().as_bytes())
            .map_err(|(_, error)| error)
            .and_then(|()| file.sync());
        if let Err(error) = written {
            // It would only lie about.
            let _ = self.disk.remove(&temp);
            return Err(error);
        }
        self.disk.rename(&temp, &self.path(&self.manifest_name()))?;
        Ok(match self.disk.sync_dir(&self.folder()) {
            Ok(()) => InForce::Durably,
            Err(error) => InForce::UntilPowerLoss(error),
        })
    }

    /// Makes an empty file whose name is durable once the folder is synced.
    pub(crate) fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(&self.path(name))
    }

    /// Makes the folder, if it is not there.
    pub(crate) fn create_folder(&self) -> io::Result<()> {
        self.disk.create_dir(&self.folder())?;
        self.disk.sync_dir(&self.dir)
    }

    /// Deletes files that no manifest needs any more. What cannot be deleted is logged and left.
    pub(crate) fn delete_history(&self, history: &[Segment]) {
        for Segment { name, .. } in history {
            front::log_notice!("Removing the history file {name} in the background");
            self.remove(name);
        }
    }

    /// Deletes a file; one that is gone is as good.
    pub(crate) fn remove(&self, name: &str) {
        if let Err(error) = self.disk.remove(&self.path(name))
            && error.kind() != io::ErrorKind::NotFound
        {
            front::log_warning!("Can't remove {name}: {error}");
        }
    }

    /// Files of this AOF that no manifest names, with their sizes: what is left when a manifest is lost.
    pub(crate) fn orphans(&self) -> io::Result<Vec<(String, u64)>> {
        let mut found = Vec::new();
        let names = match self.disk.list(&self.folder()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            names => names?,
        };
        for name in names {
            let Some(rest) = name.strip_prefix(&self.name) else {
                continue;
            };
            let is_segment = [".incr.aof", ".base.aof", ".base.rdb"]
                .iter()
                .any(|end| rest.ends_with(end));
            if is_segment || rest.is_empty() {
                let size = self.disk.size(&self.path(&name))?;
                found.push((name, size));
            }
        }
        found.sort();
        Ok(found)
    }
}

/// A whole file's bytes.
pub(crate) fn read_whole(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    disk.open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
