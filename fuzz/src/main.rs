//! Feeds hostile bytes to everything that reads bytes from outside. Stable Rust: inputs are made from seeds, each target
//! knows its format, and one number makes the same input again.
//!
//! ```text
//! fuzz TARGET|all SECONDS [SEED]      seconds for each target
//! fuzz TARGET --input FILE            one saved input
//! ```
//!
//! Each target runs in a process of its own, in a folder of its own. A panic, an abort, an input that takes too long or
//! more memory than there is a limit for: printed with seed and input, which is saved below `target/fuzz`.

mod corpus;
mod mutate;
mod node;
mod supervise;
mod targets;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const USAGE: &str = "Usage: fuzz TARGET|all SECONDS [SEED]\n       fuzz TARGET --input FILE";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        [name, "--input", path] => supervise::replay(name, path),
        [supervise::CHILD, name, seconds, seed, folder] => {
            supervise::child(name, seconds, seed, folder)
        }
        [name, seconds] => supervise::parent(name, seconds, "1"),
        [name, seconds, seed] => supervise::parent(name, seconds, seed),
        _ => Err(USAGE.into()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(text) => {
            eprintln!("fuzz: {text}");
            ExitCode::from(2)
        }
    }
}
