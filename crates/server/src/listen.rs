//! The addresses a node listens on: `bind`, `port`, `unixsocket`.

use crate::config::{
    self, BIND, Config, DirectiveId, PORT, TCP_BACKLOG, UNIXSOCKET, UNIXSOCKETPERM,
};
use crate::server::Server;
use front::Listener;

/// Opens the TCP listeners that the configuration asks for.
fn open_tcp(config: &Config) -> Result<Vec<Listener>, String> {
    front::listen::open_tcp(
        config.text(BIND),
        config.integer(PORT) as u16,
        config.integer(TCP_BACKLOG) as i32,
    )
}

/// Opens the unix socket, if the configuration asks for one.
fn open_unix(config: &Config) -> Result<Option<Listener>, String> {
    let path = config.text(UNIXSOCKET);
    if path.is_empty() {
        return Ok(None);
    }
    let mode = config.integer(UNIXSOCKETPERM) as u32;
    Listener::unix(path, (mode != 0).then_some(mode))
        .map(Some)
        .map_err(|error| format!("Failed opening Unix socket {path}: {error}"))
}

impl Server {
    /// Listens where the configuration says.
    ///
    /// # Errors
    /// When an address cannot be had.
    pub(crate) fn listen(&mut self) -> Result<(), String> {
        let mut listeners = open_tcp(&self.config)?;
        listeners.extend(open_unix(&self.config)?);
        if listeners.is_empty() {
            return Err("Configured to not listen anywhere, exiting.".into());
        }
        self.add_listeners(listeners)
    }

    fn add_listeners(&mut self, listeners: Vec<Listener>) -> Result<(), String> {
        for listener in listeners {
            self.front
                .add_listener(listener)
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Moves to other addresses if CONFIG SET changed them; if those cannot be had, the old ones are opened again.
    ///
    /// # Errors
    /// The reason, with the directive to blame.
    pub(crate) fn follow_addresses(
        &mut self,
        before: &Config,
    ) -> Result<(), (DirectiveId, String)> {
        let changed: Vec<DirectiveId> = [PORT, BIND]
            .into_iter()
            .filter(|&id| self.config.print(id) != before.print(id))
            .collect();
        let Some(&blamed) = changed.first() else {
            return Ok(());
        };
        self.front.close_tcp_listeners();
        let opened = open_tcp(&self.config).and_then(|listeners| self.add_listeners(listeners));
        let Err(reason) = opened else {
            return Ok(());
        };
        front::log_warning!("{reason}");
        self.front.close_tcp_listeners();
        let returned = open_tcp(before).and_then(|listeners| self.add_listeners(listeners));
        if let Err(error) = returned {
            front::log_warning!("Returning to the former address: {error}");
        }
        Err((
            blamed,
            match blamed {
                config::PORT => "Unable to listen on this port. Check server logs.".into(),
                _ => "Failed to bind to specified addresses.".into(),
            },
        ))
    }
}
