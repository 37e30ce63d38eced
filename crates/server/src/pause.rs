//! CLIENT PAUSE: for a time, all clients wait, or those whose commands write. Meanwhile the dataset stays as it is:
//! nothing expires and nothing is evicted. A node that is about to stop, or to hand over to a replica, holds writes back in
//! the same way.

use crate::scripting::Scripting;
use crate::server::Server;
use front::client::{BlockReason, Blocked, OwnedArgs};
use front::command::{CommandError, CommandId, Flags, TableEntry};
use front::{Client, ClientKey, OwnerTask, PauseKind, UnixMillis};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    active: Option<(PauseKind, UnixMillis)>,
    /// Writes wait until replicas have all there is.
    for_replicas: bool,
    /// Who waits for the end, in order.
    waiting: Vec<ClientKey>,
}

impl Pause {
    /// Begins a pause. One that runs already becomes neither shorter nor milder.
    pub(crate) fn extend(&mut self, kind: PauseKind, until: UnixMillis) {
        let (old_kind, old_until) = self.active.unwrap_or((kind, until));
        self.active = Some((kind.max(old_kind), until.max(old_until)));
    }

    /// Whether keys must stay as they are.
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.active.is_some() || self.for_replicas
    }

    /// How long it goes on unless somebody ends it.
    pub(crate) fn milliseconds_left(&self, now: UnixMillis) -> Option<u64> {
        self.active
            .map(|(_, until)| until.saturating_sub(now).max(0) as u64)
    }

    /// Whether a request of this client has to wait.
    #[inline]
    pub(crate) fn holds(
        &self,
        client: &Client,
        command: &TableEntry,
        args: &[&[u8]],
        scripting: &Scripting,
    ) -> bool {
        let for_replicas = self.for_replicas.then_some(PauseKind::Writes);
        match self.active.map(|(kind, _)| kind).max(for_replicas) {
            None => false,
            Some(_) if client.class == front::ClientClass::Replica => false,
            Some(PauseKind::All) => true,
            Some(PauseKind::Writes) => {
                match scripting.declared_to_write(&command.full_name, args) {
                    Some(writes) => writes,
                    None => may_write(client, command),
                }
            }
        }
    }

    /// Forgets a client that is gone.
    pub(crate) fn forget(&mut self, key: ClientKey) {
        self.waiting.retain(|&waiting| waiting != key);
    }
}

/// Whether running the command may change the dataset, or reach the replicas; EXEC does what it has queued.
fn may_write(client: &Client, command: &TableEntry) -> bool {
    const WRITES: Flags = Flags::WRITE.and(Flags::MAY_REPLICATE);
    let queued = client.transaction.as_ref().map(|queue| queue.flags);
    command.spec.flags.any(WRITES)
        || (command.full_name == "exec" && queued.is_some_and(|flags| flags.any(WRITES)))
}

impl Server {
    /// Does what a shared command leaves to the node.
    pub(crate) fn do_owner_task(&mut self, task: OwnerTask) {
        match task {
            OwnerTask::Track(key, wanted) => {
                let Some(client) = self.front.clients.get_mut(key) else {
                    return;
                };
                match wanted {
                    Some(wanted) => self.tracking.enable(client, *wanted),
                    None => self.tracking.disable(client),
                }
            }
            OwnerTask::Pause { kind, until } => self.pause.extend(kind, until),
            OwnerTask::Unpause => self.end_pause(),
            OwnerTask::EndWait {
                client,
                with_error: true,
            } => self.refuse_blocked(
                client,
                &CommandError::text("UNBLOCKED client unblocked via CLIENT UNBLOCK"),
            ),
            OwnerTask::EndWait { client, .. } => self.time_out(client),
        }
    }

    /// Lets a client wait for the end of the pause; its request stays in its query buffer.
    pub(crate) fn hold(&mut self, key: ClientKey, command: CommandId) {
        let since_us = self.front.clock.mono_us();
        let Some(client) = self.front.clients.get_mut(key) else {
            return;
        };
        self.pause.waiting.push(key);
        self.blocked.park(
            client,
            Blocked {
                reason: BlockReason::Pause,
                command,
                args: OwnedArgs::default(),
                until: None,
                since_us,
                keys: Vec::new(),
            },
        );
    }

    /// Ends a pause whose time is up.
    pub(crate) fn end_due_pause(&mut self) {
        let now = self.front.clock.now();
        if self.pause.milliseconds_left(now) == Some(0) {
            self.end_pause();
        }
    }

    /// Ends what CLIENT PAUSE asked for.
    pub(crate) fn end_pause(&mut self) {
        self.pause.active = None;
        self.let_paused_go();
    }

    /// Whether writes wait for replicas to have all there is.
    pub(crate) fn hold_writes(&mut self, on: bool) {
        self.pause.for_replicas = on;
        self.let_paused_go();
    }

    /// Lets all clients go on, if nothing holds them: their requests run before the loop sleeps again.
    fn let_paused_go(&mut self) {
        if self.pause.is_active() {
            return;
        }
        for key in std::mem::take(&mut self.pause.waiting) {
            self.unpark(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_pause_neither_shortens_nor_softens_the_first() {
        let mut pause = Pause::default();
        pause.extend(PauseKind::Writes, 100);
        pause.extend(PauseKind::All, 50);
        assert_eq!(pause.active, Some((PauseKind::All, 100)));
        pause.extend(PauseKind::Writes, 200);
        assert_eq!(pause.active, Some((PauseKind::All, 200)));
    }
}
