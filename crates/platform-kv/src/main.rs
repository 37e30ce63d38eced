//! The one binary: picks the role from its name and its first argument.

mod allocator;

use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
platform-kv: a key-value server that stands in for Redis 7.0.15.

Usage: platform-kv <role> [arguments]

Roles:
  server     a data node (also under the name redis-server); `platform-kv server --help` tells more
  sentinel   watches masters and replaces one that is down (also under the name redis-sentinel)
  up         three nodes and three Sentinels on this machine; `platform-kv up --help` tells more
  drill      what a failover of a group costs; `platform-kv drill --help` tells more
  check-aof  checks append only files and cuts what is broken at their end (also under the name redis-check-aof)
  check-rdb  checks an RDB file (also under the name redis-check-rdb)

Options:
  --help, --version
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let name = args
        .first()
        .and_then(|path| Path::new(path).file_name()?.to_str())
        .unwrap_or_default();
    if name.contains("redis-sentinel") {
        return run_sentinel(&args[1..]);
    }
    if name.contains("redis-server") {
        return run_server(&args[1..]);
    }
    if name.contains("redis-check-aof") {
        return server::check_aof::main(&args[1..]);
    }
    if name.contains("redis-check-rdb") {
        return server::check_rdb(&args[1..]);
    }
    match args.get(1).map(String::as_str) {
        Some("server") => run_server(&args[2..]),
        Some("sentinel") => run_sentinel(&args[2..]),
        Some("up") => cluster::up::main(&args[2..]),
        Some("drill") => cluster::drill::main(&args[2..]),
        Some("check-aof") => server::check_aof::main(&args[2..]),
        Some("check-rdb") => server::check_rdb(&args[2..]),
        Some("--version" | "-v") => {
            println!("platform-kv {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Some("--help" | "-h") | None => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Some(other) => {
            eprintln!("platform-kv: no role named '{other}'; `platform-kv --help` lists them");
            ExitCode::from(2)
        }
    }
}

/// A data node, or what Redis's server becomes with `--sentinel` among its words.
fn run_server(args: &[String]) -> ExitCode {
    match args.iter().any(|word| word == "--sentinel") {
        true => run_sentinel(args),
        false => server::main(args),
    }
}

fn run_sentinel(args: &[String]) -> ExitCode {
    sentinel::main(args, server::config::is_directive)
}
