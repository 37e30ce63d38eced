//! From command line to event loop, and the way out.

use crate::config_file::{self, LineError};
use crate::core::Core;
use crate::process::Sentinel;
use crate::settings::Settings;
use front::Listener;
use front::process::{REDIS_VERSION, hex_id, notify_supervisor, open_log, write_pidfile};
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const EXIT_FAILURE: u8 = 1;

const HELP: &str = "\
Runs a Sentinel: it watches masters, and replaces one that is down, together with other Sentinels.

Usage: platform-kv sentinel /path/to/sentinel.conf [options]
       platform-kv sentinel --version | --help

The file is needed: it says which masters to watch, and the Sentinel keeps in it what it must not forget.
Options are directives with two dashes before their name; they come after the lines of the file.

Example of a file:
       port 26379
       sentinel monitor mymaster 10.0.0.1 6379 2
       sentinel down-after-milliseconds mymaster 5000

Exit status: 0 stopped as asked; 1 the file or an address cannot be used (the message says which).
";

/// Runs a Sentinel until it is told to stop. `args` are the words after the role; `is_directive` knows the directives of a
/// data node, which a shared file may have.
pub fn main(args: &[String], is_directive: fn(&str) -> bool) -> ExitCode {
    match args {
        [word] if matches!(word.as_str(), "--help" | "-h") => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        [word] if matches!(word.as_str(), "--version" | "-v") => {
            println!(
                "Redis server v={REDIS_VERSION} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0 \
                 (platform-kv {})",
                env!("CARGO_PKG_VERSION")
            );
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    match run(args, is_directive) {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            if !message.is_empty() {
                front::log_warning!("{message}");
            }
            ExitCode::from(EXIT_FAILURE)
        }
    }
}

/// The file, and the lines that options make.
fn source(args: &[String]) -> (Option<&str>, Vec<String>) {
    let mut file = None;
    let mut lines: Vec<String> = Vec::new();
    for word in args.iter().filter(|word| *word != "--sentinel") {
        match word.strip_prefix("--") {
            Some(name) => lines.push(name.to_string()),
            None => match lines.last_mut() {
                Some(line) => {
                    line.push(' ');
                    line.push_str(&resp::inline::quote(word.as_bytes()));
                }
                None => file = Some(word.as_str()),
            },
        }
    }
    (file, lines)
}

fn run(args: &[String], is_directive: fn(&str) -> bool) -> Result<u8, String> {
    front::log::configure(|log| log.role = 'X');
    let (file, lines) = source(args);
    let Some(file) = file else {
        return Err("Sentinel needs config file on disk to save state. Exiting...".into());
    };
    let path = std::path::absolute(file).unwrap_or_else(|_| PathBuf::from(file));
    let text = std::fs::read(&path).map_err(|error| {
        let reason = front::log::io_reason(&error);
        format!(
            "Fatal error, can't open config file '{}': {reason}",
            path.display()
        )
    })?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let random = RandomState::new();
    let mut core = Core::new(hex_id(random.hash_one(1)), random.hash_one(2));
    let mut lines = config_file::read(&text, &lines, is_directive);
    let dir = lines.settings.dir.clone();
    if !dir.is_empty()
        && let Err(error) = std::env::set_current_dir(&dir)
    {
        let reason = front::log::io_reason(&error);
        return Err(format!("Can't chdir to '{dir}': {reason}"));
    }
    config_file::take_sentinel_lines(&mut lines, &mut core);
    if !lines.errors.is_empty() {
        for error in &lines.errors {
            eprint!("{}", fatal_config_error(&path, &text, error));
        }
        return Err(String::new());
    }
    let settings = lines.settings;
    if settings.daemonize {
        // Before any thread or file: the process goes on as its own child, without a terminal.
        nix::unistd::daemon(true, false)
            .map_err(|error| format!("Can't detach from the terminal: {error}"))?;
    }
    open_log(&settings.logfile, None)?;
    front::log::configure(|log| (log.level, log.json) = (settings.log_level, settings.log_json));
    rustix::fs::access(&path, rustix::fs::Access::WRITE_OK).map_err(|error| {
        format!(
            "Sentinel config file {} is not writable: {error}. Exiting...",
            path.display()
        )
    })?;
    serve(core, settings, path, hex_id(random.hash_one(3)))
}

fn serve(core: Core, settings: Settings, file: PathBuf, run_id: String) -> Result<u8, String> {
    let mut sentinel =
        Sentinel::new(core, settings, file, run_id).map_err(|error| error.to_string())?;
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        let stop = &sentinel.stop_requested;
        // A second signal while the first is being obeyed ends the process at once.
        signal_hook::flag::register_conditional_shutdown(signal, 1, stop.clone())
            .and_then(|_| signal_hook::flag::register(signal, stop.clone()))
            .map_err(|error| error.to_string())?;
    }
    listen(&mut sentinel)?;
    let pidfile = match &sentinel.settings.pidfile {
        path if path.is_empty() && sentinel.settings.daemonize => "/var/run/redis-sentinel.pid",
        path => path,
    }
    .to_string();
    write_pidfile(&pidfile);
    front::log_notice!(
        "platform-kv {} stands in for Redis {REDIS_VERSION} as a Sentinel, port: {}, PID: {}",
        env!("CARGO_PKG_VERSION"),
        sentinel.settings.port,
        std::process::id()
    );
    if !sentinel.save() {
        return Err(
            "The state cannot be kept: make the config file and its folder writable. Exiting..."
                .into(),
        );
    }
    front::log_notice!("Sentinel ID is {}", sentinel.core.id);
    sentinel.core.now = sentinel.now();
    for name in sentinel.core.master_names() {
        sentinel.core.announce_monitor(&name);
    }
    sentinel.carry_out();
    notify_supervisor("READY=1");
    front::event_loop::run(&mut sentinel).map_err(|error| error.to_string())?;
    notify_supervisor("STOPPING=1");
    for path in [pidfile.as_str(), &sentinel.settings.unixsocket] {
        if !path.is_empty() {
            // Gone already is as good as removed.
            let _ = std::fs::remove_file(path);
        }
    }
    if let Some(code) = sentinel.exit_code {
        return Ok(code);
    }
    front::log_warning!("Sentinel is now ready to exit, bye bye...");
    Ok(0)
}

fn listen(sentinel: &mut Sentinel) -> Result<(), String> {
    let settings = &sentinel.settings;
    let mut listeners =
        front::listen::open_tcp(&settings.bind, settings.port, settings.tcp_backlog)?;
    if !settings.unixsocket.is_empty() {
        let mode = settings.unixsocketperm;
        let listener = Listener::unix(&settings.unixsocket, (mode != 0).then_some(mode));
        listeners.push(listener.map_err(|error| {
            format!(
                "Failed opening Unix socket {}: {error}",
                settings.unixsocket
            )
        })?);
    }
    if listeners.is_empty() {
        return Err("Configured to not listen anywhere, exiting.".into());
    }
    for listener in listeners {
        sentinel
            .front
            .add_listener(listener)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The report that people and tests of Redis's command line know.
fn fatal_config_error(path: &Path, text: &str, error: &LineError) -> String {
    let in_file = text.lines().count();
    let (line, source) = match error.line.checked_sub(in_file) {
        Some(line) if line > 0 => (line, "command line".to_string()),
        _ => (error.line, path.display().to_string()),
    };
    format!(
        "\n*** FATAL CONFIG FILE ERROR (Redis {REDIS_VERSION}) ***\nReading the configuration file, at line {line} of \
         {source}\n>>> '{}'\n{}\n",
        error.text, error.reason
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_follow_the_file_and_the_role_is_no_option() {
        let words = ["/x/s.conf", "--sentinel", "--port", "7", "--dir", "a b"];
        let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
        let (file, lines) = source(&words);
        assert_eq!(file, Some("/x/s.conf"));
        assert_eq!(lines, ["port \"7\"", "dir \"a b\""]);
    }
}
