//! What a finished call leaves behind: counters, latency histograms, spikes, the slow log.

use crate::redact::redacted;
use crate::server::Server;
use front::ClientKey;
use front::command::{CommandId, CommandResult, Flags};
use std::time::Duration;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallEnd {
    Answered,
    Failed,
    /// It waits for a key; how long it took is known when it is served.
    Blocked,
}

impl CallEnd {
    pub(crate) fn of(result: &CommandResult, blocks: bool) -> CallEnd {
        match result {
            Err(_) => CallEnd::Failed,
            Ok(()) if blocks => CallEnd::Blocked,
            Ok(()) => CallEnd::Answered,
        }
    }
}

impl Server {
    /// Counts a call that ran just now.
    pub(crate) fn count_call(
        &mut self,
        key: ClientKey,
        id: CommandId,
        args: &[&[u8]],
        took: Duration,
        end: CallEnd,
    ) {
        let stats = &mut self.command_stats[id.index()];
        stats.calls += 1;
        stats.usec += took.as_micros() as u64;
        stats.failed_calls += u64::from(end == CallEnd::Failed);
        self.stats.commands_processed += 1;
        if end != CallEnd::Blocked {
            let flags = self.front.table.entry(id).spec.flags;
            let event = match flags.has(Flags::FAST) {
                true => "fast-command",
                false => "command",
            };
            self.note_duration(key, id, args, took, event);
        }
    }

    /// Counts the end of a blocked call, which took so long to serve.
    pub(crate) fn count_served(
        &mut self,
        key: ClientKey,
        id: CommandId,
        args: &[&[u8]],
        took: Duration,
        end: CallEnd,
    ) {
        let stats = &mut self.command_stats[id.index()];
        stats.usec += took.as_micros() as u64;
        stats.failed_calls += u64::from(end == CallEnd::Failed);
        self.note_duration(key, id, args, took, "command-unblocking");
    }

    fn note_duration(
        &mut self,
        key: ClientKey,
        id: CommandId,
        args: &[&[u8]],
        took: Duration,
        event: &'static str,
    ) {
        // All that clients see of it counts in whole microseconds.
        let took = Duration::from_micros(took.as_micros() as u64);
        if self.latency_tracking {
            self.command_stats[id.index()].latency.record(took);
        }
        let unix_seconds = self.front.clock.now() / 1000;
        self.latency.observe(event, took, unix_seconds);
        if self.slowlog.is_slow(took) {
            self.log_slow_call(key, id, args, took);
        }
    }

    #[cold]
    fn log_slow_call(&mut self, key: ClientKey, id: CommandId, args: &[&[u8]], took: Duration) {
        let entry = self.front.table.entry(id);
        let Some(client) = self.front.clients.get(key) else {
            return;
        };
        if entry.spec.flags.has(Flags::SKIP_SLOWLOG) {
            return;
        }
        self.slowlog.add(
            &redacted(&entry.full_name, args),
            took,
            self.front.clock.now() / 1000,
            &client.addr,
            &String::from_utf8_lossy(&client.name),
        );
    }
}
