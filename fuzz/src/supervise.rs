//! Runs targets in child processes, and tells and keeps what made one fail.

#![allow(
    clippy::disallowed_methods,
    reason = "a fuzzer runs for so many seconds of real time"
)]

use crate::targets::{self, Target};
use nix::sys::resource::{Resource, setrlimit};
use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tests::{Random, Scratch};

pub(crate) const CHILD: &str = "--child";
/// No input needs so long, on the slowest machine.
const HANG: Duration = Duration::from_secs(120);
/// Address space of a child: more is a length that was believed.
const ADDRESS_SPACE_BYTES: u64 = 6 << 30;
/// Starts again after an end by a signal, at most.
const ABORTS_MAX: u64 = 10;
/// Seeds of one child do not meet those of the next.
const SEEDS_PER_CHILD: u64 = 1 << 32;
/// Holds the input that is being run.
const CURRENT: &str = "current";

/// What panicked since the last input: text and place, of whichever thread.
static PANICS: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());
/// The input being run, counted from 1, and the milliseconds at which it began.
static RUNNING: AtomicU64 = AtomicU64::new(0);

/// Runs one target or all of them. True if nothing was found.
pub(crate) fn parent(name: &str, seconds: &str, seed: &str) -> Result<bool, String> {
    let seconds: u64 = seconds.parse().map_err(|_| format!("seconds: {seconds}"))?;
    let seed: u64 = match seed {
        "fresh" => Random::fresh_seed(),
        seed => seed.parse().map_err(|_| format!("seed: {seed}"))?,
    };
    let chosen: Vec<&Target> = match name {
        "all" => targets::ALL.iter().collect(),
        names => names.split(',').map(find).collect::<Result<_, _>>()?,
    };
    let mut clean = true;
    for target in chosen {
        clean &= run_target(target, seconds, seed)?;
    }
    Ok(clean)
}

fn find(name: &str) -> Result<&'static Target, String> {
    let known: Vec<&str> = targets::ALL.iter().map(|target| target.name).collect();
    targets::ALL
        .iter()
        .find(|target| target.name == name)
        .ok_or_else(|| format!("no target {name}; there are all, {}", known.join(", ")))
}

fn run_target(target: &Target, seconds: u64, seed: u64) -> Result<bool, String> {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut clean = true;
    for start in 0..ABORTS_MAX {
        let left = end.saturating_duration_since(Instant::now()).as_secs();
        if start > 0 && left == 0 {
            break;
        }
        let scratch = Scratch::new();
        let seed = seed + start * SEEDS_PER_CHILD;
        let status = Command::new(std::env::current_exe().map_err(|error| error.to_string())?)
            .args([
                CHILD,
                target.name,
                &left.max(1).to_string(),
                &seed.to_string(),
            ])
            .arg(scratch.path())
            .stdout(Stdio::null())
            .status()
            .map_err(|error| error.to_string())?;
        match status.code() {
            Some(0) => return Ok(clean),
            Some(1) => return Ok(false),
            _ => {
                clean = false;
                let input = fs::read(scratch.path().join(CURRENT)).unwrap_or_default();
                let place = save(target.name, "abort", &input);
                eprintln!(
                    "fuzz: {}: ended by {status}; input {}",
                    target.name,
                    place.display()
                );
            }
        }
    }
    Ok(clean)
}

/// Runs a saved input. True if nothing happens.
pub(crate) fn replay(name: &str, path: &str) -> Result<bool, String> {
    let input = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let target = find(name)?;
    let scratch = Scratch::new();
    std::env::set_current_dir(scratch.path()).map_err(|error| error.to_string())?;
    (target.run)(&input);
    Ok(true)
}

/// What a child process does: inputs from `seed` on.
pub(crate) fn child(name: &str, seconds: &str, seed: &str, folder: &str) -> Result<bool, String> {
    let target = find(name)?;
    let seconds: u64 = seconds.parse().map_err(|_| "seconds")?;
    let first: u64 = seed.parse().map_err(|_| "seed")?;
    let finds = std::env::current_dir().map_err(|error| error.to_string())?;
    std::env::set_current_dir(folder).map_err(|error| error.to_string())?;
    setrlimit(
        Resource::RLIMIT_AS,
        ADDRESS_SPACE_BYTES,
        ADDRESS_SPACE_BYTES,
    )
    .map_err(|error| error.to_string())?;
    remember_panics();
    let corpus = (target.corpus)();
    let start = Instant::now();
    watch_for_hangs(start);
    let mut told = BTreeSet::new();
    let mut seed = first;
    while start.elapsed() < Duration::from_secs(seconds) {
        let input = (target.input)(&corpus, &mut Random::new(seed));
        // For an end that no code can catch.
        fs::write(CURRENT, &input).map_err(|error| error.to_string())?;
        RUNNING.store(start.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
        let _ = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
        RUNNING.store(0, Ordering::Relaxed);
        for (place, text) in std::mem::take(&mut *PANICS.lock().expect("the hook does not panic")) {
            if told.insert(place.clone()) {
                let saved = finds.join(save_in(&finds, name, &seed.to_string(), &input));
                eprintln!(
                    "fuzz: {name}: seed {seed}: {text}\n    at {place}\n    input {}: {}",
                    saved.display(),
                    input[..input.len().min(2000)].escape_ascii()
                );
            }
        }
        seed += 1;
    }
    eprintln!(
        "fuzz: {name}: {} inputs in {} s from seed {first}, {} findings",
        seed - first,
        start.elapsed().as_secs(),
        told.len()
    );
    Ok(told.is_empty())
}

fn remember_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let text = info
            .payload_as_str()
            .unwrap_or("a panic without words")
            .to_string();
        PANICS
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .push((place, text));
    }));
}

/// Ends the process when an input takes far too long: the parent then tells which.
fn watch_for_hangs(start: Instant) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let began = RUNNING.load(Ordering::Relaxed);
            let now = start.elapsed().as_millis() as u64;
            if began > 0 && now.saturating_sub(began) > HANG.as_millis() as u64 {
                eprintln!("fuzz: an input takes longer than {} s", HANG.as_secs());
                std::process::abort();
            }
        }
    });
}

fn save(target: &str, what: &str, input: &[u8]) -> PathBuf {
    save_in(Path::new(""), target, what, input)
}

fn save_in(folder: &Path, target: &str, what: &str, input: &[u8]) -> PathBuf {
    let folder = folder.join("target/fuzz");
    let mut place = folder.join(format!("{target}-{what}"));
    let mut number = 1;
    while place.exists() {
        number += 1;
        place = folder.join(format!("{target}-{what}-{number}"));
    }
    let saved = fs::create_dir_all(&folder).and_then(|()| fs::write(&place, input));
    if let Err(error) = saved {
        eprintln!("fuzz: cannot save {}: {error}", place.display());
    }
    place
}
