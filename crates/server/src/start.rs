//! From command line to event loop, and the way out.

use crate::command_line::{Request, Source, parse};
use crate::config::{self, Config, ConfigError};
use crate::memory;
use crate::server::Server;
use crate::{crash, open_files, process_title};
use front::process::{notify_supervisor, write_pidfile};
use front::syslog::Syslog;
use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;

pub(crate) use front::process::REDIS_VERSION;

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

/// Runs a data node until it is told to stop. `args` are the words after the role.
pub fn main(args: &[String]) -> ExitCode {
    let result = match parse(args, &mut std::io::stdin()) {
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

/// The configuration that the words after the role ask for; None where they ask for a text. `stdin` is read if a lone
/// dash asks for it.
///
/// # Errors
/// Every line that cannot be taken.
pub fn read_command_line(
    args: &[String],
    stdin: &mut dyn std::io::Read,
) -> Result<Option<Config>, Vec<ConfigError>> {
    match parse(args, stdin) {
        Request::Help | Request::Version => Ok(None),
        Request::CheckConfig(source) | Request::Run(source) => {
            config::load(source.file.as_deref(), &source.lines).map(Some)
        }
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

fn run(mut config: Config) -> Result<(), String> {
    crate::collation::follow_environment();
    if config.bool(config::DAEMONIZE) {
        // Before any thread or file: the process goes on as its own child, without a terminal.
        nix::unistd::daemon(true, false)
            .map_err(|error| format!("Can't detach from the terminal: {error}"))?;
    }
    enter_dir(&mut config)?;
    open_log(&config)?;
    crash::install().map_err(|error| error.to_string())?;
    open_files::fit_clients(&mut config)?;
    memory::guard::check_at_start(&config, memory::cgroup::memory_limit())?;
    let random = RandomState::new();
    store::hash::seed((random.hash_one(0), random.hash_one(1)));
    let mut server = Server::new(config, random.hash_one(2)).map_err(|error| error.to_string())?;
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        let (stop, which) = (&server.stop_requested, &server.stop_signal);
        // A second signal while the first is being obeyed ends the process at once.
        signal_hook::flag::register_conditional_shutdown(signal, 1, stop.clone())
            .and_then(|_| signal_hook::flag::register_usize(signal, which.clone(), signal as usize))
            .and_then(|_| signal_hook::flag::register(signal, stop.clone()))
            .map_err(|error| error.to_string())?;
    }
    let pid = std::process::id();
    front::log_notice!(
        "platform-kv {} stands in for Redis {REDIS_VERSION}, bits: 64, port: {}, PID: {pid}",
        env!("CARGO_PKG_VERSION"),
        server.config.integer(config::PORT)
    );
    server.listen()?;
    process_title::show(&server.config);
    write_pidfile(pidfile(&server.config));
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
        pidfile(&server.config),
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

/// Goes where the data is: other relative paths start there. From then on `dir` is absolute, as CONFIG GET shows it.
fn enter_dir(config: &mut Config) -> Result<(), String> {
    let dir = config.text(config::DIR).to_string();
    if dir.is_empty() {
        return Ok(());
    }
    let failed = |error: std::io::Error| {
        format!("Can't chdir to '{dir}': {}", front::log::io_reason(&error))
    };
    std::env::set_current_dir(&dir).map_err(failed)?;
    let now = std::env::current_dir().map_err(failed)?;
    config.set(config::DIR, &[&now.display().to_string()])
}

fn open_log(config: &Config) -> Result<(), String> {
    let syslog = match config.bool(config::SYSLOG_ENABLED) {
        false => None,
        true => Some(
            Syslog::open(
                config.text(config::SYSLOG_IDENT),
                config.text(config::SYSLOG_FACILITY),
            )
            .map_err(|error| format!("Can't reach the system log: {error}"))?,
        ),
    };
    front::process::open_log(config.text(config::LOGFILE), syslog)
}

/// A daemon has one also if nobody named it.
fn pidfile(config: &Config) -> &str {
    match config.text(config::PIDFILE) {
        "" if config.bool(config::DAEMONIZE) => "/var/run/redis.pid",
        path => path,
    }
}

impl Server {
    /// The node has its data and serves from now on.
    pub(crate) fn ready(&self) {
        front::log_notice!("Ready to accept connections");
        notify_supervisor("READY=1");
    }
}
