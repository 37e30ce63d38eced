//! From command line to event loop.

use crate::server::Server;
use front::Listener;
use std::process::ExitCode;

/// Runs a data node until it is told to stop.
pub fn main(args: &[String]) -> ExitCode {
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            front::log_warning!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> std::io::Result<()> {
    let mut port = 6379u16;
    let mut words = args.iter();
    while let Some(word) = words.next() {
        if word == "--port" {
            port = words.next().and_then(|port| port.parse().ok()).unwrap_or(port);
        }
    }
    let mut server = Server::new(16, 1)?;
    server.front.add_listener(Listener::tcp(([127, 0, 0, 1], port).into(), 511)?)?;
    front::log_notice!("Ready to accept connections");
    front::event_loop::run(&mut server)
}
