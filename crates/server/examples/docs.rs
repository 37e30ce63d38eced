//! Prints a generated page of `docs/`: `cargo run -p server --example docs commands`. `make docs` runs it for all.

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("commands") => {
            let (table, _) = server::commands::table();
            print!("{}", front::command::describe::markdown(&table));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: docs commands");
            ExitCode::FAILURE
        }
    }
}
