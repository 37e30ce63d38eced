//! Server processes: the built platform-kv and the real redis-server.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::{Connection, Reply};

/// What both servers are started with, besides port and folder: nothing is saved, tests may use DEBUG.
const COMMON: &[&str] = &[
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--enable-debug-command",
    "yes",
    "--enable-protected-configs",
    "yes",
];

/// The file of a Sentinel, in its folder.
const SENTINEL_FILE: &str = "sentinel.conf";

/// How long a start may take: a debug build on a busy machine.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// A running server with a folder of its own; killed, and the folder removed, when dropped.
pub struct Server {
    program: Program,
    directives: Vec<String>,
    port: u16,
    dir: PathBuf,
    child: Child,
}

/// How to call a server program.
#[derive(Clone)]
struct Program {
    name: &'static str,
    path: PathBuf,
    called: OsString,
    arguments: &'static [&'static str],
}

/// Directives for an AOF of commands alone, also at its base: what both servers understand, whatever they can do with RDB.
/// With everysec, both keep what comes while a sync runs in memory: it would be missing from the file.
pub const AOF_OF_COMMANDS: &[&str] = &[
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
    "--aof-use-rdb-preamble",
    "no",
];

impl Server {
    /// Starts platform-kv. `directives` are as on its command line: `["--appendonly", "yes"]`.
    ///
    /// The binary is `$PLATFORM_KV_BIN`, or the one cargo built into the same target folder.
    ///
    /// # Panics
    /// When there is no binary or it does not answer PING; its log is in the message.
    pub fn start(directives: &[&str]) -> Server {
        Server::launch(platform_kv(), directives)
    }

    /// Starts the real redis-server: `$REDIS_SERVER_BIN`, or the one of Debian's packages.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn redis(directives: &[&str]) -> Server {
        Server::launch(redis_server(), directives)
    }

    /// Starts platform-kv in a folder that `prepare` fills.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn start_with(directives: &[&str], prepare: impl FnOnce(&Path)) -> Server {
        let dir = fresh_dir();
        prepare(&dir);
        Server::launch_in(platform_kv(), directives, dir)
    }

    /// Starts redis-server in a folder that `prepare` fills.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn redis_with(directives: &[&str], prepare: impl FnOnce(&Path)) -> Server {
        let dir = fresh_dir();
        prepare(&dir);
        Server::launch_in(redis_server(), directives, dir)
    }

    /// Starts a Sentinel of platform-kv with a file of this text. It listens on a free port.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn sentinel(text: &str) -> Server {
        let program = Program {
            arguments: &["sentinel", SENTINEL_FILE],
            ..platform_kv()
        };
        Server::launch_sentinel(program, text)
    }

    /// Starts the real redis-sentinel, likewise.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn redis_sentinel(text: &str) -> Server {
        let program = Program {
            name: "redis-sentinel",
            called: "redis-sentinel".into(),
            arguments: &[SENTINEL_FILE],
            ..redis_server()
        };
        Server::launch_sentinel(program, text)
    }

    fn launch_sentinel(program: Program, text: &str) -> Server {
        let dir = fresh_dir();
        fs::write(dir.join(SENTINEL_FILE), text).expect("a file in a folder of ours");
        Server::launch_in(program, &[], dir)
    }

    /// Starts platform-kv where it must not start; `prepare` fills the folder, and `check` may look at it afterwards.
    /// Returns its log.
    ///
    /// # Panics
    /// When it serves, or ends as if all were well.
    pub fn refuses_to_start(
        directives: &[&str],
        prepare: impl FnOnce(&Path),
        check: impl FnOnce(&Path),
    ) -> String {
        let dir = fresh_dir();
        prepare(&dir);
        let directives: Vec<String> = directives.iter().map(|&word| word.into()).collect();
        let mut child = spawn(&platform_kv(), free_port(), &dir, &directives);
        let deadline = Instant::now() + START_PATIENCE;
        let status = loop {
            match child.try_wait().expect("a child can be waited for") {
                Some(status) => break status,
                None if Instant::now() > deadline => {
                    stop(&mut child);
                    panic!("it started; its log:\n{}", tail(&dir));
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        assert_eq!(status.code(), Some(1), "its log:\n{}", tail(&dir));
        check(&dir);
        let log = tail(&dir);
        // A leftover in the temporary folder harms nobody.
        let _ = fs::remove_dir_all(&dir);
        log
    }

    fn launch(program: Program, directives: &[&str]) -> Server {
        Server::launch_in(program, directives, fresh_dir())
    }

    fn launch_in(program: Program, directives: &[&str], dir: PathBuf) -> Server {
        let directives: Vec<String> = directives.iter().map(|&word| word.into()).collect();
        // Another process may take the free port before the server does: try some.
        for _ in 0..5 {
            let port = free_port();
            let mut child = spawn(&program, port, &dir, &directives);
            if wait_until_ready(&mut child, port) {
                return Server {
                    program,
                    directives,
                    port,
                    dir,
                    child,
                };
            }
            stop(&mut child);
        }
        let log = tail(&dir);
        panic!(
            "{} {directives:?} did not start; its log:\n{log}",
            program.name
        );
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its working folder: data files, `log`.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// `platform-kv` or `redis-server`.
    pub fn name(&self) -> &'static str {
        self.program.name
    }

    /// The last lines it logged.
    pub fn log_tail(&self) -> String {
        tail(&self.dir)
    }

    /// All it has logged.
    pub fn log(&self) -> String {
        log(&self.dir)
    }

    /// Opens a connection.
    ///
    /// # Panics
    /// When the server is gone; the end of its log is in the message.
    pub fn connect(&self) -> Connection {
        Connection::open(self.port).unwrap_or_else(|error| {
            panic!(
                "{} on port {}: {error}; its log:\n{}",
                self.name(),
                self.port,
                self.log_tail()
            )
        })
    }

    /// Kills it without warning, as a crash would, and starts it again on the same port and folder.
    ///
    /// # Panics
    /// When it does not come back.
    pub fn crash_and_restart(&mut self) {
        self.crash();
        self.start_again();
    }

    /// Kills it without warning.
    pub fn crash(&mut self) {
        stop(&mut self.child);
    }

    /// Stops it with SHUTDOWN and starts it again on the same port and folder.
    ///
    /// # Panics
    /// When it does not come back.
    pub fn shutdown_and_restart(&mut self) {
        let _ = self.connect().call(&[b"SHUTDOWN".to_vec()]);
        let _ = self.child.wait();
        self.start_again();
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// When its state cannot be asked for.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        self.child.wait().expect("a child can be waited for")
    }

    /// Starts it again, after it has ended, on the same port and folder.
    ///
    /// # Panics
    /// When it does not come back.
    pub fn start_again(&mut self) {
        self.child = spawn(&self.program, self.port, &self.dir, &self.directives);
        let ready = wait_until_ready(&mut self.child, self.port);
        assert!(
            ready,
            "{} did not come back; its log:\n{}",
            self.name(),
            self.log_tail()
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        stop(&mut self.child);
        // A leftover in the temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A folder that is gone when this is dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    /// An empty folder.
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Scratch {
        Scratch(fresh_dir())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A leftover in the temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The real redis-check-aof.
pub fn redis_check_aof() -> Command {
    let mut command = Command::new(redis_server().path);
    command.arg0("redis-check-aof");
    command
}

/// Our `check-aof`.
pub fn check_aof() -> Command {
    let mut command = Command::new(platform_kv_binary());
    command.arg("check-aof");
    command
}

/// The built platform-kv: `$PLATFORM_KV_BIN`, or the one cargo built into the same target folder.
///
/// # Panics
/// When there is none.
pub fn platform_kv_binary() -> PathBuf {
    platform_kv().path
}

fn platform_kv() -> Program {
    let path = std::env::var_os("PLATFORM_KV_BIN")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            // Tests run from target/<profile>/deps/; the binary lies one folder up.
            let test = std::env::current_exe().expect("the path of the running test");
            test.parent()
                .and_then(Path::parent)
                .expect("target/<profile>")
                .join("platform-kv")
        });
    assert!(
        path.exists(),
        "{} is missing: run `cargo build -p platform-kv` or set PLATFORM_KV_BIN",
        path.display()
    );
    Program {
        name: "platform-kv",
        called: path.clone().into(),
        path,
        arguments: &["server"],
    }
}

fn redis_server() -> Program {
    let from_path = |name: &str| {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders)
            .map(|folder| folder.join(name))
            .find(|file| file.exists())
    };
    let path = std::env::var_os("REDIS_SERVER_BIN")
        .map(PathBuf::from)
        .or_else(|| from_path("redis-server"))
        // Debian's redis-tools holds the server program under this name; it acts as it is called.
        .or_else(|| from_path("redis-check-rdb"))
        .expect("no redis-server to compare with: run `make setup` or set REDIS_SERVER_BIN");
    Program {
        name: "redis-server",
        path,
        called: "redis-server".into(),
        arguments: &[],
    }
}

fn spawn(program: &Program, port: u16, dir: &Path, directives: &[String]) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(dir.join("log"))
        .expect("a log file");
    Command::new(&program.path)
        .arg0(&program.called)
        .current_dir(dir)
        .args(program.arguments)
        .args(["--port", &port.to_string(), "--dir"])
        .arg(dir)
        .args(COMMON)
        .args(directives)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a second handle of the log"))
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.path.display()))
}

/// Waits until the server answers anything but LOADING; false when it ended or stayed silent.
fn wait_until_ready(child: &mut Child, port: u16) -> bool {
    let deadline = Instant::now() + START_PATIENCE;
    while Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return false;
        }
        let reply = Connection::open(port)
            .ok()
            .and_then(|mut c| c.call(&[b"PING".to_vec()]).ok());
        match reply {
            Some(Reply::Line(b'-', text)) if text.starts_with(b"LOADING") => {}
            Some(_) => return true,
            None => {}
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

fn stop(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// A port nobody listens on, and each only once: the server that gets it is not there yet, and a test beside this one
/// must not take its port meanwhile.
fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        if GIVEN.lock().unwrap().insert(address.port()) {
            return address.port();
        }
    }
}

fn fresh_dir() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("platform-kv-test-{}-{number}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    fs::create_dir_all(&dir).expect("a folder below the temporary folder");
    dir
}

fn log(dir: &Path) -> String {
    let log = fs::read(dir.join("log")).unwrap_or_default();
    String::from_utf8_lossy(&log).into_owned()
}

fn tail(dir: &Path) -> String {
    let text = log(dir);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oracle_is_redis_7_0_15() {
        let server = Server::redis(&[]);
        let info = server.connect().run("INFO server").text();
        assert!(info.contains("redis_version:7.0.15\r\n"), "{info}");
    }

    #[test]
    fn a_server_comes_back_with_its_data_after_a_shutdown() {
        let mut server = Server::redis(&["--appendonly", "yes"]);
        server.connect().run("SET k v");
        server.shutdown_and_restart();
        assert_eq!(server.connect().run("GET k").text(), "v");
    }
}
