//! What a shared command has its owner do: it concerns more than the process's front, and is done when the command is.

use crate::client::{ClientKey, Tracking};
use crate::clock::UnixMillis;
use crate::front::Front;

/// See the module.
#[derive(Debug)]
pub enum OwnerTask {
    /// A client wants to hear of keys that change, or no longer.
    Track(ClientKey, Option<Box<Tracking>>),
    /// Clients wait until then.
    Pause { kind: PauseKind, until: UnixMillis },
    /// They go on.
    Unpause,
    /// A client's wait ends, as if its time were up or with an error.
    EndWait { client: ClientKey, with_error: bool },
}

/// Who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PauseKind {
    Writes,
    All,
}

impl Front {
    pub(crate) fn ask_owner(&mut self, task: OwnerTask) {
        self.owner_tasks.push(task);
    }

    /// What the command that just ran has its owner do.
    #[inline]
    pub fn take_owner_task(&mut self) -> Option<OwnerTask> {
        self.owner_tasks.pop()
    }
}
