//! A master that starts again may lack what its replicas have: with `appendfsync everysec` a crash takes what was not yet
//! written, and they had it. So writes wait until the replicas it had are back, or have had time enough; and if one of them
//! is ahead, the role goes to that one, with everything.

use super::failover::Failover;
use crate::server::Server;

/// How long replicas are waited for. Those of Redis try once a second.
const PATIENCE_MS: u64 = 3000;

/// See the module.
pub(crate) struct Reunion {
    /// Replicas that are to come.
    awaited: u32,
    /// Those that have come.
    seen: Vec<(String, u16)>,
    /// In monotonic milliseconds.
    until_ms: u64,
    /// Who has more than this node: the offset of the byte it wants next, and where it listens.
    ahead: Option<(u64, (String, u16))>,
}

impl Server {
    /// The node had so many replicas when it wrote last.
    pub(super) fn await_replicas(&mut self, awaited: u32) {
        if awaited == 0 {
            return;
        }
        front::log_notice!(
            "Writes wait for {awaited} replicas that were there before, for at most {PATIENCE_MS} ms."
        );
        self.replication.reunion = Some(Reunion {
            awaited,
            seen: Vec::new(),
            until_ms: self.front.clock.mono_ms() + PATIENCE_MS,
            ahead: None,
        });
        self.update_held_writes();
    }

    /// A replica is back, and wants the byte at this offset next; `is_ahead`: this node does not have it, nor those before.
    pub(super) fn replica_is_back(&mut self, address: (String, u16), from: u64, is_ahead: bool) {
        let Some(reunion) = &mut self.replication.reunion else {
            return;
        };
        if is_ahead && reunion.ahead.as_ref().is_none_or(|(most, _)| from > *most) {
            reunion.ahead = Some((from, address.clone()));
        }
        if !reunion.seen.contains(&address) {
            reunion.seen.push(address);
        }
    }

    /// Ends the wait when all are back, or the time is up.
    pub(super) fn continue_reunion(&mut self) {
        let now_ms = self.front.clock.mono_ms();
        let over = |reunion: &mut Reunion| {
            reunion.seen.len() >= reunion.awaited as usize || now_ms >= reunion.until_ms
        };
        let Some(reunion) = self.replication.reunion.take_if(over) else {
            return;
        };
        if let Some((from, (host, port))) = reunion.ahead {
            front::log_warning!(
                "Replica {host}:{port} has {} bytes of history that were lost here: it becomes the master.",
                from - 1 - self.replication.history.offset
            );
            self.replication.failover = Some(Failover {
                target: Some((host.clone(), port)),
                force: false,
                until_ms: None,
                is_following: true,
            });
            self.follow_master(host, port);
        }
        self.update_held_writes();
    }
}
