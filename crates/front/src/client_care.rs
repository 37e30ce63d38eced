//! The periodic look at clients: those that are silent or read too slowly for too long go, and buffers that were larger
//! than they need to be shrink. Each round looks at a part of the clients, so that all have their turn once a second.

use crate::client::{Client, ClientClass, ClientKey};
use crate::front::Front;
use crate::reply_size::{PeakReset, Resized};

/// Rounds in which everybody has their turn.
const ROUNDS: usize = 10;
/// Looked at in every round at least.
const CLIENTS_AT_LEAST: usize = 5;
const ROUND_MS: u64 = 100;
/// A query buffer up to this size may stay as it is while its client is active.
const QUERY_BUFFER_KEPT: usize = 32 * 1024;
/// A client that was silent for longer has no use for buffers.
const IDLE_MS: i64 = 2000;
/// Seconds for which the largest buffers are remembered.
const PEAK_SECONDS: usize = 8;

/// What the periodic look remembers.
#[derive(Debug)]
pub(crate) struct Care {
    next_round_ms: u64,
    /// The slot of the next client.
    position: usize,
    pub(crate) reply_peak_reset: PeakReset,
    pub(crate) adapt_replies: bool,
    /// The largest query and output buffers of the last seconds, by second.
    peaks: [(usize, usize); PEAK_SECONDS],
    peak_second: u64,
}

impl Default for Care {
    fn default() -> Care {
        Care {
            next_round_ms: 0,
            position: 0,
            reply_peak_reset: PeakReset::default(),
            adapt_replies: true,
            peaks: Default::default(),
            peak_second: 0,
        }
    }
}

impl Care {
    fn note_peaks(&mut self, second: u64, query: usize, output: usize) {
        if second != self.peak_second {
            for skipped in (self.peak_second + 1..=second).take(PEAK_SECONDS) {
                self.peaks[skipped as usize % PEAK_SECONDS] = (0, 0);
            }
            self.peaks[second as usize % PEAK_SECONDS] = (0, 0);
            self.peak_second = second;
        }
        let (most_query, most_output) = &mut self.peaks[second as usize % PEAK_SECONDS];
        *most_query = query.max(*most_query);
        *most_output = output.max(*most_output);
    }
}

/// Whether a client has been silent for longer than `timeout` allows. Those who wait or listen may be silent.
fn is_timed_out(client: &Client, timeout_seconds: u64, now: i64) -> bool {
    timeout_seconds > 0
        && client.class == ClientClass::Normal
        && client.blocked.is_none()
        && !client.is_subscribed()
        && !client.monitor
        && now - client.last_interaction_ms > timeout_seconds as i64 * 1000
}

/// The room a query buffer should have: None leaves it. `peak` is the most it held since the last look.
fn query_room(client: &Client, now: i64) -> Option<usize> {
    let (room, held) = (client.query.capacity(), client.query.len());
    if room == held {
        return None;
    }
    let idle = now - client.last_interaction_ms > IDLE_MS;
    // Memory for an announced argument stays until the argument is there.
    if idle && held == 0 {
        return Some(0);
    }
    let wanted = client.query_peak.max(held);
    (held == 0 && room > QUERY_BUFFER_KEPT && wanted < room / 2).then_some(wanted)
}

impl Front {
    /// A round, when it is due.
    pub fn care_for_clients(&mut self) {
        let now_ms = self.clock.mono_ms();
        if now_ms < self.care.next_round_ms {
            return;
        }
        self.care.next_round_ms = now_ms + ROUND_MS;
        let count = (self.clients.len() / ROUNDS)
            .max(CLIENTS_AT_LEAST)
            .min(self.clients.len());
        let (keys, position) = self.clients.some_from(self.care.position, count);
        self.care.position = position;
        let (mut query, mut output) = (0, 0);
        for key in keys {
            self.care_for(key, now_ms);
            if let Some(client) = self.clients.get(key) {
                query = query.max(client.query.capacity());
                output = output.max(client.output.memory());
            }
        }
        self.care.note_peaks(now_ms / 1000, query, output);
    }

    fn care_for(&mut self, key: ClientKey, now_ms: u64) {
        let now = self.clock.now();
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        if is_timed_out(client, self.settings.timeout_seconds, now) {
            crate::log_verbose!("Closing idle client");
            return self.close_soon(key);
        }
        if let Some(room) = query_room(client, now) {
            client.query.shrink_to(room);
        }
        client.query_peak = client.query.len();
        if self.care.adapt_replies {
            let waiting = client.output.len();
            match client
                .reply_size
                .adapt(now_ms, self.care.reply_peak_reset, waiting)
            {
                Resized::No => {}
                Resized::Shrunk => self.stats.reply_buffer_shrinks += 1,
                Resized::Expanded => self.stats.reply_buffer_expands += 1,
            }
        }
        if client.soft_limit_since_ms.is_some() {
            self.check_output_limit(key);
        }
        self.recount(key);
    }

    /// The largest query and output buffers of the last seconds, `client_recent_max_input_buffer` and `_output_buffer`.
    pub fn recent_buffer_peaks(&self) -> (usize, usize) {
        self.care
            .peaks
            .iter()
            .fold((0, 0), |(query, output), peak| {
                (query.max(peak.0), output.max(peak.1))
            })
    }

    /// DEBUG REPLYBUFFER PEAK-RESET-TIME.
    pub fn set_reply_peak_reset(&mut self, reset: PeakReset) {
        self.care.reply_peak_reset = reset;
    }

    /// DEBUG REPLYBUFFER RESIZING.
    pub fn set_reply_resizing(&mut self, on: bool) {
        self.care.adapt_replies = on;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::CommandTable;

    fn with_client(check: impl FnOnce(&mut Client)) {
        let mut front = Front::new(CommandTable::new()).unwrap();
        let key = front.add_internal_client();
        let client = front.clients.get_mut(key).unwrap();
        client.class = ClientClass::Normal;
        client.last_interaction_ms = 100_000;
        check(client);
    }

    #[test]
    fn only_a_client_that_could_speak_times_out() {
        with_client(|client| {
            assert!(!is_timed_out(client, 5, 105_000));
            assert!(is_timed_out(client, 5, 105_001));
            assert!(!is_timed_out(client, 0, 999_999_999));
            client.monitor = true;
            assert!(!is_timed_out(client, 5, 999_999));
            client.monitor = false;
            client.class = ClientClass::Replica;
            assert!(!is_timed_out(client, 5, 999_999));
        });
    }

    #[test]
    fn a_large_query_buffer_shrinks_to_its_peak_and_an_idle_one_to_nothing() {
        with_client(|client| {
            client.query = Vec::with_capacity(400_000);
            client.query_peak = 300_000;
            assert_eq!(query_room(client, 100_100), None);
            client.query_peak = 150;
            assert_eq!(query_room(client, 100_100), Some(150));
            assert_eq!(query_room(client, 102_001), Some(0));
            client.query.push(b'*');
            assert_eq!(query_room(client, 102_001), None);
            client.query = Vec::new();
            assert_eq!(query_room(client, 102_001), None);
        });
    }

    #[test]
    fn peaks_are_remembered_for_seconds_and_no_longer() {
        let mut care = Care::default();
        let most = |care: &Care| care.peaks.iter().map(|peak| peak.0).max();
        care.note_peaks(1, 500, 0);
        care.note_peaks(2, 300, 0);
        assert_eq!(most(&care), Some(500));
        care.note_peaks(9, 100, 0);
        assert_eq!(most(&care), Some(300));
        care.note_peaks(1000, 7, 0);
        assert_eq!(most(&care), Some(7));
    }
}
