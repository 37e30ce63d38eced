//! Copies Lua 5.1.5 from the published crate's package and edits the copy.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

#[path = "src/edits.rs"]
mod edits;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/edits.rs");
    let target =
        PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("lua-5.1.5");
    fs::create_dir_all(&target).expect("OUT_DIR is writable");
    for file in fs::read_dir(upstream().join("lua-5.1.5")).expect("the package holds Lua 5.1.5") {
        let file = file.expect("the folder can be read").path();
        let text = fs::read(&file).expect("a source file can be read");
        let name = file.file_name().expect("it came from a folder");
        fs::write(target.join(name), text).expect("OUT_DIR is writable");
    }
    for edit in edits::EDITS {
        apply(&target.join(edit.file), edit);
    }
}

/// Where cargo keeps the package of the published crate.
fn upstream() -> PathBuf {
    let cargo = env::var_os("CARGO").expect("cargo sets CARGO");
    let output = Command::new(cargo)
        .args(["metadata", "--offline", "--format-version", "1"])
        // Packages of other platforms need not be here.
        .arg("--filter-platform")
        .arg(env::var_os("TARGET").expect("cargo sets TARGET"))
        .current_dir(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be started");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata answers JSON");
    metadata["packages"]
        .as_array()
        .expect("there are packages")
        .iter()
        .filter(|package| package["name"] == "lua-src" && !package["source"].is_null())
        .filter_map(|package| Path::new(package["manifest_path"].as_str()?).parent())
        .next()
        .expect("the published lua-src is a dependency")
        .into()
}

fn apply(path: &Path, edit: &edits::Edit) {
    let text = fs::read_to_string(path).expect("Lua's sources are text");
    let found = text.matches(edit.find).count();
    assert_eq!(
        found, 1,
        "{}: the place to edit was found {found} times: {}",
        edit.file, edit.find
    );
    fs::write(path, text.replacen(edit.find, edit.replace, 1)).expect("OUT_DIR is writable");
}
