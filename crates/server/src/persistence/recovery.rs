//! From what files a node starts. The choice is a value, made from what lies in the data folder; carrying it out is
//! below. The rule over all others: never start empty next to data, and change nothing when something is wrong.

use super::aof::files::AofFiles;
use super::aof::loader::{FileToLoad, Part};
use super::aof::manifest::{Manifest, Segment};
use super::aof::manifest_report;
use super::loading::Then;
use crate::config;
use crate::server::Server;
use front::log::io_reason;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What lies in the data folder.
#[derive(Debug, Default)]
struct Found {
    manifest: Option<Manifest>,
    /// An AOF of before 7.0, beside the AOF folder.
    old_style: bool,
    /// A file of that name in the AOF folder.
    old_style_in_folder: bool,
    /// An RDB file, `dbfilename`.
    dump: bool,
    /// AOF files that hold data and that no manifest names.
    orphans: Vec<String>,
}

/// How the node starts.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    Empty,
    /// Load an AOF; if `migrate`, its base first moves into the AOF folder.
    Aof {
        manifest: Manifest,
        migrate: bool,
    },
    /// Load the RDB file; with `into_aof`, it becomes the base of a new AOF.
    Dump {
        into_aof: bool,
    },
    /// There is data, and no safe way to take it.
    Refuse(Refusal),
}

#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    /// AOF files without a manifest.
    NoManifest(Vec<String>),
}

fn plan(found: Found, appendonly: bool, appendfilename: &str) -> Plan {
    if !appendonly {
        return match found.dump {
            true => Plan::Dump { into_aof: false },
            false => Plan::Empty,
        };
    }
    match found.manifest {
        Some(manifest) if !manifest.is_empty() => {
            // A start that moves an old AOF writes the manifest first; it may have ended between the two.
            let only_base = manifest.incrs.is_empty()
                && manifest
                    .base
                    .as_ref()
                    .is_some_and(|base| base.name == appendfilename);
            let migrate = only_base && found.old_style && !found.old_style_in_folder;
            Plan::Aof { manifest, migrate }
        }
        _ if found.old_style => Plan::Aof {
            manifest: Manifest {
                base: Some(Segment {
                    name: appendfilename.into(),
                    seq: 1,
                }),
                ..Manifest::default()
            },
            migrate: true,
        },
        _ if !found.orphans.is_empty() => Plan::Refuse(Refusal::NoManifest(found.orphans)),
        _ if found.dump => Plan::Dump { into_aof: true },
        _ => Plan::Empty,
    }
}

/// Whether an RDB file holds anything but its own description. What cannot be understood counts as data.
fn holds_keys(mut input: impl Read) -> io::Result<bool> {
    const DESCRIPTION_MAX: usize = 4096;
    const MAGIC_BYTES: usize = 9;
    const AUX: u8 = 0xfa;
    const EOF: u8 = 0xff;
    let mut bytes = vec![0; DESCRIPTION_MAX];
    let mut length = 0;
    while length < bytes.len() {
        match input.read(&mut bytes[length..])? {
            0 => break,
            count => length += count,
        }
    }
    let mut rest = bytes[..length].get(MAGIC_BYTES..).unwrap_or_default();
    loop {
        match rest {
            [] => return Ok(length > 0),
            [EOF, ..] => return Ok(false),
            [AUX, after @ ..] => match skip_string(after).and_then(skip_string) {
                Some(after) => rest = after,
                None => return Ok(true),
            },
            _ => return Ok(true),
        }
    }
}

/// What follows a short string of an RDB file.
fn skip_string(bytes: &[u8]) -> Option<&[u8]> {
    let length = match *bytes.first()? {
        first @ 0..0x40 => 1 + usize::from(first),
        first @ 0x40..0x80 => 2 + (usize::from(first & 0x3f) << 8 | usize::from(*bytes.get(1)?)),
        // Numbers of 1, 2 and 4 bytes.
        0xc0 => 2,
        0xc1 => 3,
        0xc2 => 5,
        _ => return None,
    };
    bytes.get(length..)
}

fn look(files: &AofFiles, dump: &Path) -> Result<Found, Vec<String>> {
    let manifest = files
        .read_manifest()
        .map_err(|error| manifest_report(files, &error))?;
    let orphans = match manifest {
        Some(_) => Vec::new(),
        None => orphans_with_data(files).map_err(|error| {
            vec![format!(
                "Can't look into the AOF folder {}: {}",
                files.folder_name,
                io_reason(&error)
            )]
        })?,
    };
    Ok(Found {
        manifest,
        old_style: files.disk.exists(&files.old_style_path()),
        old_style_in_folder: files.disk.exists(&files.path(&files.name)),
        dump: files.disk.exists(dump),
        orphans,
    })
}

/// A first start that ended early leaves an empty base and an empty incr: those are no data.
fn orphans_with_data(files: &AofFiles) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for (name, size) in files.orphans()? {
        let data = match name.ends_with(".base.rdb") {
            true => holds_keys(files.disk.open(&files.path(&name))?)?,
            false => size > 0,
        };
        if data {
            names.push(name);
        }
    }
    Ok(names)
}

/// An RDB file as it is to be loaded.
pub(crate) fn dump_to_load(path: PathBuf, size: u64) -> FileToLoad {
    let name = path.file_name().unwrap_or(path.as_os_str());
    FileToLoad {
        name: name.to_string_lossy().into_owned(),
        part: Part::Dump,
        path,
        size,
    }
}

impl AofFiles {
    /// The files of a manifest as they are to be loaded.
    ///
    /// # Errors
    /// The reason why one cannot be had.
    pub(crate) fn to_load(&self, manifest: &Manifest) -> Result<Vec<FileToLoad>, String> {
        let base = manifest.base.iter().map(|segment| (segment, Part::Base));
        let incrs = manifest.incrs.iter().map(|segment| (segment, Part::Incr));
        base.chain(incrs)
            .map(|(Segment { name, .. }, part)| {
                let path = self.path(name);
                let size = self.disk.size(&path).map_err(|error| {
                    format!(
                        "Unable to obtain the AOF file {name} length. stat: {}",
                        io_reason(&error)
                    )
                })?;
                Ok(FileToLoad {
                    name: name.clone(),
                    path,
                    part,
                    size,
                })
            })
            .collect()
    }

    /// Moves an AOF of before 7.0 into the AOF folder. The manifest comes first: a start that ends in between goes on
    /// from there.
    fn migrate(&self, manifest: &Manifest) -> io::Result<()> {
        self.create_folder()?;
        self.write_manifest(manifest)?.durably()?;
        self.disk
            .rename(&self.old_style_path(), &self.path(&self.name))?;
        self.disk.sync_dir(&self.folder())?;
        self.disk.sync_dir(&self.dir)
    }
}

impl Server {
    /// Starts to bring the dataset back.
    ///
    /// # Errors
    /// The reason why the node must not start; nothing was changed.
    pub fn recover(&mut self) -> Result<(), String> {
        let appendonly = self.config.bool(config::APPENDONLY);
        let files = AofFiles::of(self.aof.disk.clone(), &self.config);
        let dump = files.dir.join(self.config.text(config::DBFILENAME));
        self.aof.files = files.clone();
        self.rdb.last_save = self.front.clock.now();
        // A manifest that makes no sense is an error also where nobody asked for the AOF: it may be asked for later.
        let found = look(&files, &dump).map_err(|report| report.join("\n"))?;
        self.aof.manifest = found.manifest.clone().unwrap_or_default();
        if !appendonly && (found.manifest.is_some() || found.old_style) && !found.dump {
            front::log_warning!(
                "There is an append only file here, which appendonly no leaves aside: the node starts empty. If this is \
                 not what you want, stop it and start it with appendonly yes."
            );
        }
        match plan(found, appendonly, &files.name) {
            Plan::Empty => {
                self.loaded_at_start();
                Ok(())
            }
            Plan::Aof { manifest, migrate } => {
                if migrate {
                    files.migrate(&manifest).map_err(|error| {
                        format!(
                            "Can't move the old-style AOF file {} into the AOF directory {}: {}",
                            files.name,
                            files.folder_name,
                            io_reason(&error)
                        )
                    })?;
                    front::log_notice!(
                        "Successfully migrated an old-style AOF file ({}) into the AOF directory ({}).",
                        files.name,
                        files.folder_name
                    );
                }
                let to_load = files.to_load(&manifest)?;
                self.aof.manifest = manifest;
                self.start_loading(to_load, false, Then::Start);
                Ok(())
            }
            Plan::Dump { .. } => {
                let size = files.disk.size(&dump).unwrap_or(0);
                self.start_loading(vec![dump_to_load(dump, size)], false, Then::Start);
                Ok(())
            }
            Plan::Refuse(Refusal::NoManifest(names)) => Err(format!(
                "{} holds append only files ({}) but no manifest that says how they belong together: refusing to start \
                 empty next to them. Restore {}, or move the files away.",
                files.folder().display(),
                names.join(", "),
                files.manifest_name()
            )),
        }
    }

    /// The dataset is there: the AOF goes on, and the node serves.
    pub(crate) fn loaded_at_start(&mut self) {
        if self.config.bool(config::APPENDONLY)
            && let Err(reason) = self.open_aof_at_start()
        {
            front::log_warning!("{reason}");
            return self.fail();
        }
        self.ready();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "appendonly.aof";

    fn manifest(text: &str) -> Option<Manifest> {
        Some(Manifest::parse(text.as_bytes()).unwrap())
    }

    fn aof(found: Found) -> (String, bool) {
        match plan(found, true, NAME) {
            Plan::Aof { manifest, migrate } => (manifest.text(), migrate),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_empty_folder_gives_an_empty_node() {
        assert_eq!(plan(Found::default(), true, NAME), Plan::Empty);
        assert_eq!(plan(Found::default(), false, NAME), Plan::Empty);
    }

    #[test]
    fn a_dump_alone_is_loaded_also_by_a_node_with_an_aof() {
        let found = || Found {
            dump: true,
            ..Found::default()
        };
        assert_eq!(plan(found(), false, NAME), Plan::Dump { into_aof: false });
        assert_eq!(plan(found(), true, NAME), Plan::Dump { into_aof: true });
    }

    #[test]
    fn an_aof_goes_before_a_dump() {
        let text = "file appendonly.aof.1.incr.aof seq 1 type i\n";
        let found = Found {
            manifest: manifest(text),
            dump: true,
            old_style: true,
            ..Found::default()
        };
        assert_eq!(aof(found), (text.into(), false));
    }

    #[test]
    fn an_old_style_aof_moves_into_the_folder() {
        let expected = "file appendonly.aof seq 1 type b\n";
        let found = Found {
            old_style: true,
            dump: true,
            ..Found::default()
        };
        assert_eq!(aof(found), (expected.into(), true));
        let interrupted = Found {
            old_style: true,
            manifest: manifest(expected),
            ..Found::default()
        };
        assert_eq!(aof(interrupted), (expected.into(), true));
    }

    #[test]
    fn an_old_style_aof_beside_one_that_was_moved_is_left_alone() {
        let text = "file appendonly.aof seq 1 type b\n";
        let found = Found {
            old_style: true,
            old_style_in_folder: true,
            manifest: manifest(text),
            ..Found::default()
        };
        assert_eq!(aof(found), (text.into(), false));
        let later =
            "file appendonly.aof seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n";
        let found = Found {
            old_style: true,
            manifest: manifest(later),
            ..Found::default()
        };
        assert_eq!(aof(found), (later.into(), false));
    }

    #[test]
    fn aof_files_without_a_manifest_stop_the_start() {
        let orphans = vec!["appendonly.aof.1.incr.aof".to_string()];
        let found = Found {
            orphans: orphans.clone(),
            dump: true,
            ..Found::default()
        };
        assert_eq!(
            plan(found, true, NAME),
            Plan::Refuse(Refusal::NoManifest(orphans))
        );
    }

    #[test]
    fn an_rdb_file_with_a_description_only_holds_no_keys() {
        let empty = b"REDIS0010\xfa\x05ctime\xc2abcd\xfa\x08aof-base\xc0\x01\xff12345678";
        assert!(!holds_keys(&empty[..]).unwrap());
        let with_key =
            b"REDIS0010\xfa\x05ctime\xc2abcd\xfe\x00\xfb\x01\x00\x00\x01a\x01b\xff12345678";
        assert!(holds_keys(&with_key[..]).unwrap());
        for cut in 1..empty.len() - 9 {
            assert!(holds_keys(&empty[..cut]).unwrap(), "unknown is data: {cut}");
        }
        assert!(!holds_keys(&b""[..]).unwrap());
    }
}
