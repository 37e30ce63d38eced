//! Scripts that tell people and clients of events: a queue of limited length, a limited number at once, tried again when they
//! ask for it, ended when they take too long.

use super::{Action, Core, Level, Millis};
use std::collections::VecDeque;

/// What became of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Code(i32),
    Signal(i32),
    /// It could not even be started.
    NotStarted,
}

/// One script that is to run, or runs.
#[derive(Clone, Debug)]
pub struct Job {
    id: u64,
    pub argv: Vec<String>,
    pub state: State,
    pub retries: u32,
}

/// ```text
/// Scheduled -> Running -> done, or Scheduled again
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Scheduled {
        not_before: Millis,
    },
    Running {
        since: Millis,
        pid: Option<u32>,
        killed: bool,
    },
}

/// See the module.
#[derive(Debug, Default)]
pub struct Scripts {
    queue: VecDeque<Job>,
    next: u64,
}

/// Scripts that wait or run; an older waiting one gives way to a new one.
const QUEUE: usize = 256;
/// Scripts that run at once.
const RUNNING: usize = 16;
const RETRIES: u32 = 10;

impl Scripts {
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.queue.iter()
    }

    pub fn running(&self) -> usize {
        self.queue.iter().filter(|job| job.is_running()).count()
    }

    pub(crate) fn started(&mut self, job: u64, process: u32) {
        let job = self.queue.iter_mut().find(|known| known.id == job);
        if let Some(Job {
            state: State::Running { pid, .. },
            ..
        }) = job
        {
            *pid = Some(process);
        }
    }
}

impl Job {
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }
}

impl Core {
    pub(crate) fn schedule_script(&mut self, argv: Vec<String>) {
        let scripts = &mut self.scripts;
        scripts.next += 1;
        scripts.queue.push_back(Job {
            id: scripts.next,
            argv,
            state: State::Scheduled { not_before: 0 },
            retries: 0,
        });
        if scripts.queue.len() > QUEUE {
            let oldest = scripts.queue.iter().position(|job| !job.is_running());
            if let Some(oldest) = oldest {
                scripts.queue.remove(oldest);
            }
        }
    }

    /// Starts what may start, and ends what takes too long.
    pub(crate) fn run_scripts(&mut self) {
        let (now, longest) = (self.now, self.periods.script_max_runtime);
        let mut running = self.scripts.running();
        let mut actions = Vec::new();
        let mut late = Vec::new();
        for job in &mut self.scripts.queue {
            match &mut job.state {
                State::Scheduled { not_before } if *not_before <= now && running < RUNNING => {
                    running += 1;
                    job.state = State::Running {
                        since: now,
                        pid: None,
                        killed: false,
                    };
                    let argv = job.argv.clone();
                    actions.push(Action::RunScript { job: job.id, argv });
                }
                State::Running {
                    since,
                    pid: Some(pid),
                    killed,
                } if now - *since > longest && !*killed => {
                    *killed = true;
                    actions.push(Action::KillScript { pid: *pid });
                    late.push(format!("{} {pid}", job.argv[0]));
                }
                _ => {}
            }
        }
        self.actions.extend(actions);
        for text in late {
            self.publish(Level::Warning, "-script-timeout", text);
        }
    }

    pub(crate) fn script_ended(&mut self, id: u64, end: End) {
        let jobs = &mut self.scripts.queue;
        let Some(at) = jobs.iter().position(|job| job.id == id) else {
            return;
        };
        let job = &mut jobs[at];
        // 1 asks for another attempt, and a script that was ended deserves one.
        let again = matches!(end, End::Code(1) | End::Signal(_));
        if again && job.retries < RETRIES {
            job.retries += 1;
            let delay = self.periods.script_retry_delay << (job.retries - 1);
            job.state = State::Scheduled {
                not_before: self.now + delay,
            };
            return;
        }
        let job = jobs.remove(at).expect("found above");
        let (signal, code) = match end {
            End::Code(0) => return,
            End::Code(code) => (0, code),
            End::Signal(signal) => (signal, 0),
            End::NotStarted => (0, NOT_STARTED),
        };
        let text = format!("{} {signal} {code}", job.argv[0]);
        self.publish(Level::Warning, "-script-error", text);
    }
}

/// The code of a script that could not be started.
const NOT_STARTED: i32 = 2;

#[cfg(test)]
mod tests {
    use super::super::{Event, Notice};
    use super::*;

    fn core() -> Core {
        Core::new("a".repeat(40), 1)
    }

    fn started(core: &mut Core) -> Vec<u64> {
        let runs = core.take_actions().into_iter();
        runs.filter_map(|action| match action {
            Action::RunScript { job, .. } => Some(job),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn a_script_that_asks_for_it_is_tried_again_later_each_time() {
        let mut core = core();
        core.schedule_script(vec!["/x".into()]);
        core.handle(1000, Event::Tick);
        assert_eq!(started(&mut core), [1]);
        let end = End::Code(1);
        core.handle(1000, Event::ScriptEnded { job: 1, end });
        core.handle(1000 + 29_999, Event::Tick);
        assert_eq!(started(&mut core), []);
        core.handle(1000 + 30_000, Event::Tick);
        assert_eq!(started(&mut core), [1]);
        core.handle(31_000, Event::ScriptEnded { job: 1, end });
        core.handle(31_000 + 59_999, Event::Tick);
        assert_eq!(started(&mut core), []);
        core.handle(31_000 + 60_000, Event::Tick);
        assert_eq!(started(&mut core), [1]);
    }

    #[test]
    fn a_script_that_fails_for_good_is_told_of() {
        let mut core = core();
        core.schedule_script(vec!["/x".into()]);
        core.handle(0, Event::Tick);
        core.take_actions();
        let end = End::Code(3);
        core.handle(0, Event::ScriptEnded { job: 1, end });
        let told = Action::Publish(Notice {
            level: Level::Warning,
            channel: "-script-error",
            message: "/x 0 3".into(),
        });
        assert_eq!(core.take_actions(), [told]);
        assert_eq!(core.scripts.jobs().count(), 0);
    }

    #[test]
    fn sixteen_run_at_once_and_the_oldest_waiting_one_gives_way() {
        let mut core = core();
        for _ in 0..20 {
            core.schedule_script(vec!["/x".into()]);
        }
        core.handle(0, Event::Tick);
        assert_eq!(started(&mut core).len(), RUNNING);
        for _ in 0..QUEUE {
            core.schedule_script(vec!["/y".into()]);
        }
        assert_eq!(core.scripts.jobs().count(), QUEUE);
        assert_eq!(core.scripts.running(), RUNNING);
    }

    #[test]
    fn a_script_that_takes_too_long_is_ended_once() {
        let mut core = core();
        core.schedule_script(vec!["/x".into()]);
        core.handle(0, Event::Tick);
        core.handle(0, Event::ScriptStarted { job: 1, pid: 77 });
        core.take_actions();
        core.periods.tilt_trigger = 1_000_000;
        core.handle(60_001, Event::Tick);
        let kill = Action::KillScript { pid: 77 };
        assert!(core.take_actions().contains(&kill));
        core.handle(60_101, Event::Tick);
        assert_eq!(core.take_actions(), []);
    }
}
