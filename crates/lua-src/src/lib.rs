//! Builds Lua 5.1.5 for mlua-sys, with the project's edits in it. Offers the three calls that mlua-sys makes.

use std::path::{Path, PathBuf};

/// Where the build script put the edited sources.
const SOURCES: &str = concat!(env!("OUT_DIR"), "/lua-5.1.5");

/// The only version there is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Lua51,
}
pub use Version::Lua51;

/// Called from the build script of mlua-sys.
#[derive(Debug, Default)]
pub struct Build {}

/// What was built.
#[derive(Debug)]
pub struct Artifacts {
    lib_dir: PathBuf,
}

impl Build {
    pub fn new() -> Build {
        Build::default()
    }

    /// Compiles the library into OUT_DIR of the build script that calls this.
    ///
    /// # Panics
    /// When it does not compile, or outside of a build script.
    pub fn build(&self, version: Version) -> Artifacts {
        assert_eq!(version, Lua51);
        let out_dir = std::env::var_os("OUT_DIR").expect("called from a build script");
        let lib_dir = Path::new(&out_dir).join("lib");
        let programs = ["lua.c", "luac.c", "print.c"];
        let files = std::fs::read_dir(SOURCES)
            .expect("the sources were copied")
            .filter_map(|file| Some(file.ok()?.path()))
            .filter(|file| file.extension().is_some_and(|extension| extension == "c"))
            .filter(|file| !programs.iter().any(|name| file.ends_with(name)));
        cc::Build::new()
            .files(files)
            .include(SOURCES)
            .define("LUA_USE_POSIX", None)
            .warnings(false)
            .cargo_metadata(false)
            .out_dir(&lib_dir)
            .compile("lua5.1");
        Artifacts { lib_dir }
    }
}

impl Artifacts {
    /// Tells cargo how to link it.
    pub fn print_cargo_metadata(&self) {
        println!("cargo::rerun-if-changed={SOURCES}");
        println!("cargo::rustc-link-search=native={}", self.lib_dir.display());
        println!("cargo::rustc-link-lib=static:-bundle=lua5.1");
    }
}
