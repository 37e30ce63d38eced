//! `platform-kv up`: three nodes and three Sentinels on this machine, looked after until they are told to stop.

use crate::group::{self, Place};
use crate::{Refusal, refuse};
use lexopt::prelude::*;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const HELP: &str = "\
Runs a highly available group on this machine: three data nodes and three Sentinels, on loopback.

Usage: platform-kv up [--dir DIR] [--port PORT] [--sentinel-port PORT]

  --dir DIR             where data, configuration and logs lie (default: platform-kv-data)
  --port PORT           the first node's port; the others take the next two (default: 6379)
  --sentinel-port PORT  the same for the Sentinels (default: 26379)

The files of an earlier run in DIR are gone on with. A process that ends is started again; Ctrl-C stops all of them, and
what was written stays. Exit status: 0 stopped as asked; 1 something could not be started; 2 wrong arguments.
";

/// The name by which the Sentinels know the master.
const MASTER_NAME: &str = "mymaster";
const COUNT: u16 = 3;

/// What the words after the role ask for.
struct Options {
    dir: PathBuf,
    port: u16,
    sentinel_port: u16,
}

fn parse(args: &[String]) -> Result<Options, Refusal> {
    let mut options = Options {
        dir: "platform-kv-data".into(),
        port: 6379,
        sentinel_port: 26379,
    };
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("dir") => options.dir = parser.value()?.into(),
            Long("port") => options.port = parser.value()?.parse()?,
            Long("sentinel-port") => options.sentinel_port = parser.value()?.parse()?,
            Long("help") | Short('h') => return Err(Refusal::Help),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

/// Runs the group until a signal stops it.
pub fn main(args: &[String]) -> ExitCode {
    let result = match parse(args) {
        Ok(options) => run(&options),
        Err(refusal) => return refuse("up", HELP, &refusal),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("platform-kv up: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One process of the group.
struct Member {
    name: String,
    role: &'static str,
    place: Place,
    config: PathBuf,
    child: Child,
}

impl Member {
    fn start(
        name: String,
        role: &'static str,
        place: Place,
        config: PathBuf,
    ) -> io::Result<Member> {
        let child = spawn(role, &config)?;
        Ok(Member {
            name,
            role,
            place,
            config,
            child,
        })
    }

    fn signal(&self, signal: Signal) {
        // One that is gone needs no signal.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }
}

fn spawn(role: &str, config: &Path) -> io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .arg(role)
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // Ctrl-C is for this process: it stops the others in order.
        .process_group(0)
        .spawn()
}

/// Absolute, as the processes work in folders of their own.
fn absolute(dir: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(dir)?;
    fs::canonicalize(dir)
}

/// Writes a configuration unless there is one: the processes keep their state in it.
fn configure(dir: &Path, file: &str, lines: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(dir)?;
    let path = dir.join(file);
    if !path.exists() {
        fs::write(&path, lines)?;
    }
    Ok(path)
}

/// Nobody else may listen where the members will.
fn check_ports(options: &Options) -> io::Result<()> {
    let ports = |first: u16| (0..COUNT).map(move |index| first + index);
    for port in ports(options.port).chain(ports(options.sentinel_port)) {
        TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
            io::Error::other(format!(
                "port {port} cannot be used ({error}); --port and --sentinel-port choose others"
            ))
        })?;
    }
    Ok(())
}

fn start_all(options: &Options) -> io::Result<Vec<Member>> {
    check_ports(options)?;
    let root = absolute(&options.dir)?;
    let host = "127.0.0.1".to_string();
    let mut members = Vec::new();
    for index in 0..COUNT {
        let (port, name) = (options.port + index, format!("node-{}", index + 1));
        let dir = root.join(&name);
        let follow = match index {
            0 => String::new(),
            _ => format!("replicaof 127.0.0.1 {}\n", options.port),
        };
        let lines = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nlogfile log\nmaxmemory 896mb\nmaxmemory-policy allkeys-lru\nsave 900 1\n\
             appendonly yes\nappendfsync everysec\nrepl-diskless-sync yes\nrepl-diskless-sync-delay 0\n\
             repl-backlog-size 64mb\n{follow}",
            dir.display()
        );
        let config = configure(&dir, "redis.conf", &lines)?;
        members.push(Member::start(name, "server", (host.clone(), port), config)?);
    }
    for index in 0..COUNT {
        let (port, name) = (
            options.sentinel_port + index,
            format!("sentinel-{}", index + 1),
        );
        let dir = root.join(&name);
        let lines = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nlogfile log\nsentinel monitor {MASTER_NAME} 127.0.0.1 {} 2\n\
             sentinel down-after-milliseconds {MASTER_NAME} 5000\nsentinel failover-timeout {MASTER_NAME} 10000\n\
             sentinel parallel-syncs {MASTER_NAME} 1\n",
            dir.display(),
            options.port
        );
        let config = configure(&dir, "sentinel.conf", &lines)?;
        members.push(Member::start(
            name,
            "sentinel",
            (host.clone(), port),
            config,
        )?);
    }
    Ok(members)
}

fn run(options: &Options) -> io::Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, stop.clone())?;
    }
    let mut members = start_all(options)?;
    print_how_to_connect(options);
    let mut shown = String::new();
    while !stop.load(Ordering::Relaxed) {
        start_again(&mut members)?;
        let state = describe(&members);
        if state != shown {
            println!("{state}");
            shown = state;
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    println!("stopping: Sentinels first, so that nobody takes this for a failure");
    stop_all(members)
}

/// Starts what has ended by itself.
fn start_again(members: &mut [Member]) -> io::Result<()> {
    /// One that ends so often does not come up: its log says why.
    const LIVES_AT_LEAST: Duration = Duration::from_millis(200);
    for member in members {
        if let Some(status) = member.child.try_wait()? {
            println!("{} ended ({status}): starting it again", member.name);
            std::thread::sleep(LIVES_AT_LEAST);
            member.child = spawn(member.role, &member.config)?;
        }
    }
    Ok(())
}

fn stop_all(mut members: Vec<Member>) -> io::Result<()> {
    /// Replicas get everything first, so a node may take a while.
    const PATIENCE: Duration = Duration::from_secs(20);
    for role in ["sentinel", "server"] {
        // The nodes that were added last are replicas, mostly.
        let group = members
            .iter_mut()
            .rev()
            .filter(|member| member.role == role);
        for member in group {
            member.signal(Signal::TERM);
            let deadline = Instant::now() + PATIENCE;
            while member.child.try_wait()?.is_none() {
                if Instant::now() > deadline {
                    println!("{} does not stop: killed", member.name);
                    member.signal(Signal::KILL);
                    member.child.wait()?;
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
    Ok(())
}

/// Who is what at this moment, in one line.
fn describe(members: &[Member]) -> String {
    let (nodes, sentinels): (Vec<_>, Vec<_>) =
        members.iter().partition(|member| member.role == "server");
    let infos: Vec<Option<HashMap<String, String>>> =
        nodes.iter().map(|node| group::info(&node.place)).collect();
    let offset = |info: &HashMap<String, String>| -> i64 {
        info.get("master_repl_offset")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    };
    let furthest = infos.iter().flatten().map(offset).max().unwrap_or(0);
    let mut parts = Vec::new();
    for (node, info) in nodes.iter().zip(&infos) {
        let port = node.place.1;
        parts.push(match info {
            None => format!("{port} down"),
            Some(info) => match info.get("role").map(String::as_str) {
                Some("master") => format!("{port} master"),
                _ if info.get("master_link_status").map(String::as_str) != Some("up") => {
                    format!("{port} replica, not connected")
                }
                // A beat or two on their way are not worth a line.
                _ => match furthest - offset(info) {
                    0..=4096 => format!("{port} replica"),
                    behind => format!("{port} replica, {behind} bytes behind"),
                },
            },
        });
    }
    let masters: Vec<Option<Place>> = sentinels
        .iter()
        .map(|sentinel| group::master(&sentinel.place, MASTER_NAME))
        .collect();
    let up = masters.iter().flatten().count();
    let mut agreed: Vec<u16> = masters.iter().flatten().map(|place| place.1).collect();
    agreed.sort_unstable();
    agreed.dedup();
    let named = match agreed.as_slice() {
        [port] => format!("they name {port}"),
        [] => "none answers".into(),
        _ => "they do not agree yet".into(),
    };
    format!("{} | {up} of {COUNT} Sentinels, {named}", parts.join(", "))
}

fn print_how_to_connect(options: &Options) {
    let sentinels = |form: fn(u16) -> String| -> String {
        let ports = (0..COUNT).map(|index| form(options.sentinel_port + index));
        ports.collect::<Vec<_>>().join(", ")
    };
    println!(
        "Three nodes and three Sentinels; data, configuration and logs in {dir}. Ctrl-C stops them.\n\n\
         redis-cli -p {sentinel} SENTINEL GET-MASTER-ADDR-BY-NAME {MASTER_NAME}\n\n\
         Python (redis-py):\n  \
         from redis.sentinel import Sentinel\n  \
         kv = Sentinel([{python}]).master_for('{MASTER_NAME}')\n  \
         kv.set('greeting', 'hello')\n\n\
         Node (ioredis):\n  \
         const kv = new (require('ioredis'))({{ name: '{MASTER_NAME}', sentinels: [{node}] }})\n  \
         kv.set('greeting', 'hello')\n\n\
         Go (go-redis):\n  \
         kv := redis.NewFailoverClient(&redis.FailoverOptions{{MasterName: \"{MASTER_NAME}\", SentinelAddrs: []string{{{go}}}}})\n  \
         kv.Set(ctx, \"greeting\", \"hello\", 0)\n\n\
         What a failover costs:\n  \
         platform-kv drill --sentinel 127.0.0.1:{sentinel}\n",
        dir = options.dir.display(),
        sentinel = options.sentinel_port,
        python = sentinels(|port| format!("('127.0.0.1', {port})")),
        node = sentinels(|port| format!("{{ host: '127.0.0.1', port: {port} }}")),
        go = sentinels(|port| format!("\"127.0.0.1:{port}\"")),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_defaults_and_are_checked() {
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|word| word.to_string())
                .collect::<Vec<_>>()
        };
        let options = parse(&words(&["--port", "7000", "--dir=x"])).ok().unwrap();
        assert_eq!((options.port, options.sentinel_port), (7000, 26379));
        assert_eq!(options.dir, Path::new("x"));
        for wrong in [&["--port", "many"][..], &["--no"], &["word"]] {
            assert!(matches!(parse(&words(wrong)), Err(Refusal::Wrong(_))));
        }
    }
}
