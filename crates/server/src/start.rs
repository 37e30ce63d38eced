//! From command line to event loop, and the way out.

use crate::config::{self, Config, ConfigError};
use crate::memory;
use crate::server::Server;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The version of Redis this node stands in for.
pub(crate) const REDIS_VERSION: &str = "7.0.15";

/// Bad configuration, no address to listen on, or a file that cannot be read.
const EXIT_FAILURE: u8 = 1;

const HELP: &str = "\
Runs a data node: a key-value server that speaks the Redis 7.0.15 protocol.

Usage: platform-kv server [/path/to/redis.conf] [options] [-]
       platform-kv server --check-config [/path/to/redis.conf] [options]
       platform-kv server --version | --help

Options are directives of redis.conf with two dashes before their name; they come after the lines of the file.
A lone dash reads more directives from standard input.

Examples:
       platform-kv server                                      defaults: port 6379, data in this folder
       platform-kv server /etc/redis/redis.conf                the configuration you have
       platform-kv server --port 7777 --maxmemory 100mb        without a file
       platform-kv server /etc/redis/redis.conf --loglevel verbose

Exit status: 0 stopped as asked; 1 the configuration, an address or a data file cannot be used (the message says which).
";

/// What the command line asks for.
enum Request {
    Help,
    Version,
    CheckConfig(Source),
    Run(Source),
}

/// Where the configuration comes from.
#[derive(Default)]
struct Source {
    file: Option<PathBuf>,
    lines: Vec<String>,
}

/// Runs a data node until it is told to stop. `args` are the words after the role.
pub fn main(args: &[String]) -> ExitCode {
    let result = match parse(args) {
        Request::Help => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Request::Version => {
            println!(
                "Redis server v={REDIS_VERSION} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0 \
                 (platform-kv {})",
                env!("CARGO_PKG_VERSION")
            );
            return ExitCode::SUCCESS;
        }
        Request::CheckConfig(source) => check_config(&source),
        Request::Run(source) => read_config(&source).and_then(run),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            if !message.is_empty() {
                front::log_warning!("{message}");
            }
            ExitCode::from(EXIT_FAILURE)
        }
    }
}

fn parse(args: &[String]) -> Request {
    let mut source = Source::default();
    let mut check = false;
    let mut words = args.iter().peekable();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => return Request::Help,
            "--version" | "-v" => return Request::Version,
            "--check-config" => check = true,
            "-" => {
                let mut text = String::new();
                // What cannot be read is not there; the directives given otherwise still count.
                let _ = std::io::stdin().read_to_string(&mut text);
                source.lines.extend(text.lines().map(str::to_string));
            }
            word => match word.strip_prefix("--") {
                Some(name) => {
                    let mut line = name.to_string();
                    while let Some(value) = words.next_if(|next| !next.starts_with("--")) {
                        line.push(' ');
                        line.push_str(&resp::inline::quote(value.as_bytes()));
                    }
                    source.lines.push(line);
                }
                None if source.file.is_none() => source.file = Some(PathBuf::from(word)),
                None => source.lines.push(word.to_string()),
            },
        }
    }
    if check {
        Request::CheckConfig(source)
    } else {
        Request::Run(source)
    }
}

fn check_config(source: &Source) -> Result<(), String> {
    match config::load(source.file.as_deref(), &source.lines) {
        Ok(_) => {
            println!("configuration OK");
            Ok(())
        }
        Err(errors) => {
            for error in errors {
                eprintln!("{error}");
            }
            Err(String::new())
        }
    }
}

fn read_config(source: &Source) -> Result<Config, String> {
    config::load(source.file.as_deref(), &source.lines).map_err(|errors| {
        for error in &errors {
            eprint!("{}", fatal_config_error(error));
        }
        String::new()
    })
}

/// The report that people and tests of Redis's command line know.
fn fatal_config_error(error: &ConfigError) -> String {
    format!(
        "\n*** FATAL CONFIG FILE ERROR (Redis {REDIS_VERSION}) ***\nReading the configuration file, at line {} of {}\n\
         >>> '{}'\n{}\n",
        error.line, error.source, error.text, error.reason
    )
}

fn run(config: Config) -> Result<(), String> {
    crate::collation::follow_environment();
    open_log(&config)?;
    if config.bool(config::DAEMONIZE) {
        return Err(
            "daemonize is not supported: run in the foreground under a supervisor (systemd, Kubernetes)".into()
        );
    }
    memory::guard::check_at_start(&config, memory::cgroup::memory_limit())?;
    let random = RandomState::new();
    store::hash::seed((random.hash_one(0), random.hash_one(1)));
    let mut server = Server::new(config, random.hash_one(2)).map_err(|error| error.to_string())?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        // A second signal while the first is being obeyed ends the process at once.
        signal_hook::flag::register_conditional_shutdown(signal, 1, stop.clone())
            .and_then(|_| signal_hook::flag::register(signal, stop.clone()))
            .map_err(|error| error.to_string())?;
    }
    server.stop_requested = stop;
    let pid = std::process::id();
    front::log_notice!(
        "platform-kv {} stands in for Redis {REDIS_VERSION}, bits: 64, port: {}, PID: {pid}",
        env!("CARGO_PKG_VERSION"),
        server.config.integer(config::PORT)
    );
    server.listen()?;
    write_pidfile(&server.config);
    front::log_notice!("Server initialized");
    server.recover()?;
    front::event_loop::run(&mut server).map_err(|error| error.to_string())?;
    notify_supervisor("STOPPING=1");
    if server.failed {
        return Err(String::new());
    }
    if server.is_loading() {
        front::log_warning!("Received shutdown signal during loading, exiting now.");
        return Ok(());
    }
    server.close_aof();
    for path in [
        server.config.text(config::PIDFILE),
        server.config.text(config::UNIXSOCKET),
    ] {
        if !path.is_empty() {
            // Gone already is as good as removed.
            let _ = std::fs::remove_file(path);
        }
    }
    front::log_warning!("Redis is now ready to exit, bye bye...");
    Ok(())
}

fn open_log(config: &Config) -> Result<(), String> {
    let path = config.text(config::LOGFILE);
    let file = match path {
        "" => None,
        path => Some(
            File::options()
                .append(true)
                .create(true)
                .open(path)
                .map_err(|error| format!("Can't open the log file {path}: {error}"))?,
        ),
    };
    front::log::configure(|log| log.file = file);
    Ok(())
}

fn write_pidfile(config: &Config) {
    let path = config.text(config::PIDFILE);
    if !path.is_empty()
        && let Err(error) = std::fs::write(Path::new(path), format!("{}\n", std::process::id()))
    {
        front::log_warning!("Can't write the pid file {path}: {error}");
    }
}

impl Server {
    /// The node has its data and serves from now on.
    pub(crate) fn ready(&self) {
        front::log_notice!("Ready to accept connections");
        notify_supervisor("READY=1");
    }
}

/// Tells systemd (or whoever set NOTIFY_SOCKET) about the node's state, by the protocol of sd_notify(3).
fn notify_supervisor(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let sent = std::os::unix::net::UnixDatagram::unbound()
        .and_then(|socket| socket.send_to(state.as_bytes(), Path::new(&path)));
    if let Err(error) = sent {
        front::log_warning!(
            "Can't notify the supervisor at {}: {error}",
            Path::new(&path).display()
        );
    }
}
