//! The arrows between crates: who may depend on whom. ARCHITECTURE.md draws them.

#![allow(
    clippy::unwrap_used,
    reason = "a test helper that fails should fail the test"
)]

use std::fs;
use std::path::Path;

/// Each crate of the project with the crates of the project it may depend on.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    // Only mlua's build depends on it, in the place of the published crate.
    ("lua-src", &[]),
    ("resp", &[]),
    ("client", &["resp"]),
    ("store", &[]),
    ("front", &["resp"]),
    ("server", &["resp", "client", "store", "front"]),
    ("sentinel", &["resp", "front"]),
    ("cluster", &["resp", "client"]),
    (
        "platform-kv",
        &[
            "resp", "client", "store", "front", "server", "sentinel", "cluster",
        ],
    ),
];

#[test]
fn crates_depend_only_along_the_arrows() {
    let names: Vec<&str> = MAY_DEPEND_ON.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in MAY_DEPEND_ON {
        for dependency in dependencies(name)
            .iter()
            .filter(|d| names.contains(&d.as_str()))
        {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} may not depend on {dependency}: see ARCHITECTURE.md"
            );
        }
    }
}

#[test]
fn every_crate_has_its_arrows_stated() {
    for folder in fs::read_dir(crates()).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        let stated = MAY_DEPEND_ON.iter().any(|(known, _)| *known == name);
        assert!(
            stated,
            "crates/{name} is not in the list of tests/architecture.rs"
        );
    }
}

/// The names on the left of the lines in `[dependencies]` (not those for tests).
fn dependencies(name: &str) -> Vec<String> {
    let manifest = fs::read_to_string(crates().join(name).join("Cargo.toml")).unwrap();
    let lines = manifest
        .lines()
        .skip_while(|line| line.trim() != "[dependencies]")
        .skip(1);
    lines
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn crates() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates")
}
