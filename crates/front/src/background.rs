//! Helper threads. Slow work is an owned job; its result comes back as a completion in a later turn. No data is shared.

use crate::event_loop::Waker;
use crate::memory;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

/// What a job hands back to the data thread: the owner knows the type.
pub type Completion = Box<dyn Any + Send>;
type Job = Box<dyn FnOnce() -> Option<Completion> + Send>;

/// The lanes of work: a job waits only for earlier jobs of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Freeing big values.
    Free,
    /// Creating, renaming and deleting files.
    Disk,
    /// Making the AOF durable: nothing else may hold that up.
    Commit,
    /// Snapshots: long jobs.
    Snapshot,
    /// Asking name servers, which may not answer for long.
    Names,
}

/// See the module.
pub struct Background {
    lanes: [Option<Sender<Job>>; 5],
    waker: Waker,
    completions: Receiver<Completion>,
    completion_sender: Sender<Completion>,
    pending_free: Arc<AtomicUsize>,
    pending_free_bytes: Arc<AtomicUsize>,
    freed: Arc<AtomicUsize>,
}

impl Background {
    pub(crate) fn new(waker: Waker) -> Background {
        let (completion_sender, completions) = mpsc::channel();
        Background {
            lanes: Default::default(),
            waker,
            completions,
            completion_sender,
            pending_free: Arc::default(),
            pending_free_bytes: Arc::default(),
            freed: Arc::default(),
        }
    }

    /// Runs a job on its lane's thread. A completion, if it returns one, is delivered in a later turn.
    pub fn run(&mut self, lane: Lane, job: impl FnOnce() -> Option<Completion> + Send + 'static) {
        let sender = self.lanes[lane as usize].get_or_insert_with(|| {
            let (sender, jobs) = mpsc::channel::<Job>();
            let completions = self.completion_sender.clone();
            let waker = self.waker.clone();
            let name = match lane {
                Lane::Free => "bio_lazy_free",
                Lane::Disk => "bio_disk",
                Lane::Commit => "bio_aof_fsync",
                Lane::Snapshot => "bio_snapshot",
                Lane::Names => "bio_names",
            };
            std::thread::Builder::new()
                .name(name.into())
                .spawn(move || {
                    for job in jobs {
                        if let Some(completion) = job() {
                            // The data thread is gone only when the process ends.
                            let _ = completions.send(completion);
                            waker.wake();
                        }
                        memory::publish_helper_thread();
                    }
                })
                .expect("a thread can be started at this early point");
            sender
        });
        sender
            .send(Box::new(job))
            .expect("lane threads live as long as the process");
    }

    /// A sender for threads of the owner's own, and the waker that makes the loop look.
    pub fn completion_sender(&self) -> (Sender<Completion>, Waker) {
        (self.completion_sender.clone(), self.waker.clone())
    }

    /// Drops values on the free lane. `lazy` is how many of them lazyfree statistics count; `bytes` is what they hold,
    /// about.
    pub fn drop_later(&mut self, values: impl Any + Send, lazy: usize, bytes: usize) {
        self.pending_free.fetch_add(lazy, Ordering::Relaxed);
        self.pending_free_bytes.fetch_add(bytes, Ordering::Relaxed);
        let (pending, freed) = (self.pending_free.clone(), self.freed.clone());
        let pending_bytes = self.pending_free_bytes.clone();
        self.run(Lane::Free, move || {
            drop(values);
            // Bytes are either pending or, once published, no longer used: never both for a moment too long.
            memory::publish_helper_thread();
            pending_bytes.fetch_sub(bytes, Ordering::Relaxed);
            pending.fetch_sub(lazy, Ordering::Relaxed);
            freed.fetch_add(lazy, Ordering::Relaxed);
            None
        });
    }

    /// Bytes, about, that wait to be freed: they are still allocated, and as good as free.
    pub fn pending_free_bytes(&self) -> usize {
        self.pending_free_bytes.load(Ordering::Relaxed)
    }

    /// Objects waiting to be freed, `lazyfree_pending_objects`.
    pub fn pending_free_objects(&self) -> usize {
        self.pending_free.load(Ordering::Relaxed)
    }

    /// Objects freed since start or reset, `lazyfreed_objects`.
    pub fn freed_objects(&self) -> usize {
        self.freed.load(Ordering::Relaxed)
    }

    /// Resets the freed counter, for CONFIG RESETSTAT.
    pub fn reset_freed_objects(&self) {
        self.freed.store(0, Ordering::Relaxed);
    }

    pub(crate) fn take_completion(&self) -> Option<Completion> {
        self.completions.try_recv().ok()
    }
}
