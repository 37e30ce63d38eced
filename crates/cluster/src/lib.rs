//! A whole group seen from outside: `up` runs one on this machine, `drill` writes through a fault and counts what is lost.

#![allow(
    clippy::disallowed_methods,
    reason = "these roles are clients: they wait in real time"
)]

pub mod drill;
mod group;
pub mod up;

/// What `--help` prints, or what was wrong with the words after the role.
enum Refusal {
    Help,
    Wrong(String),
}

impl From<lexopt::Error> for Refusal {
    fn from(error: lexopt::Error) -> Refusal {
        Refusal::Wrong(error.to_string())
    }
}

/// Prints help or what is wrong; the exit code that goes with it.
fn refuse(role: &str, help: &str, refusal: &Refusal) -> std::process::ExitCode {
    match refusal {
        Refusal::Help => {
            print!("{help}");
            std::process::ExitCode::SUCCESS
        }
        Refusal::Wrong(reason) => {
            eprintln!("platform-kv {role}: {reason}; `platform-kv {role} --help` tells more");
            std::process::ExitCode::from(2)
        }
    }
}
