//! The one binary: picks the role from its name and arguments.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().collect();
    if args.len() > 1 && args[1] == "server" {
        args.remove(1);
    }
    server::main(&args[1..])
}
