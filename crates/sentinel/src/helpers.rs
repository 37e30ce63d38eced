//! What would hold up the loop and so runs elsewhere: looking up names, waiting for scripts.

use crate::core::scripts::End;
use front::Front;
use std::net::ToSocketAddrs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

/// What a helper thread found out.
pub(crate) enum Found {
    Address { host: String, ip: Option<String> },
    ScriptEnded { job: u64, end: End },
}

/// Looks up a name in a thread of its own: one that takes long holds up nobody.
pub(crate) fn resolve(front: &Front, host: String) {
    let (found, waker) = front.background.completion_sender();
    let lookup = move || {
        // The port is not asked for; one is needed to ask.
        let addresses = (host.as_str(), 1).to_socket_addrs();
        let ip = addresses
            .ok()
            .and_then(|mut all| all.next())
            .map(|address| address.ip().to_canonical().to_string());
        // Nobody listens once the process ends.
        let _ = found.send(Box::new(Found::Address { host, ip }));
        waker.wake();
    };
    let thread = std::thread::Builder::new().name("resolve".into());
    if let Err(error) = thread.spawn(lookup) {
        front::log_warning!("Can't start a thread to look up a name: {error}");
    }
}

/// Starts a script; its end comes as a completion.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn run_script(front: &Front, job: u64, argv: &[String]) -> std::io::Result<u32> {
    let (program, args) = argv.split_first().expect("a script has a name");
    let child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .spawn()?;
    let pid = child.id();
    let (found, waker) = front.background.completion_sender();
    let wait = move || {
        let end = end_of(child);
        let _ = found.send(Box::new(Found::ScriptEnded { job, end }));
        waker.wake();
    };
    std::thread::Builder::new()
        .name("script".into())
        .spawn(wait)?;
    Ok(pid)
}

fn end_of(mut child: Child) -> End {
    match child.wait() {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => End::Code(code),
            (None, signal) => End::Signal(signal.unwrap_or_default()),
        },
        Err(_) => End::NotStarted,
    }
}

/// Ends a script that takes too long.
pub(crate) fn kill(pid: u32) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid as i32) {
        // It may have ended this very moment.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}
