//! Counters that INFO shows.

use front::histogram::LatencyHistogram;
use std::collections::BTreeMap;

/// Counters of one command.
#[derive(Clone, Debug, Default)]
pub struct CommandStats {
    pub calls: u64,
    pub usec: u64,
    pub rejected_calls: u64,
    pub failed_calls: u64,
    /// How long the calls took.
    pub latency: LatencyHistogram,
}

/// Counters of the whole node.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub commands_processed: u64,
    pub expired_keys: u64,
    pub evicted_keys: u64,
    pub error_replies: u64,
    /// Error replies by code.
    pub errors: BTreeMap<String, u64>,
    /// Bytes of history that came from the master, and that went to replicas.
    pub net_repl_input_bytes: u64,
    pub net_repl_output_bytes: u64,
    /// Changes since the last successful save.
    pub dirty: u64,
}

/// What is counted per second, over the last moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rate {
    Commands,
    InputBytes,
    OutputBytes,
}

const RATES: usize = 3;
/// Samples kept, and how long each covers at least: INFO speaks of the last 1.6 seconds.
const SAMPLES: usize = 16;
const SAMPLE_MS: u64 = 100;

/// The `instantaneous` fields of INFO.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rates {
    /// Per second, by [`Rate`].
    samples: [[u64; SAMPLES]; RATES],
    next: usize,
    counters: [u64; RATES],
    sampled_ms: u64,
}

impl Rates {
    /// Takes a sample of the counters if one is due.
    #[inline]
    pub(crate) fn sample(&mut self, now_ms: u64, counters: impl FnOnce() -> [u64; RATES]) {
        let elapsed_ms = now_ms.saturating_sub(self.sampled_ms);
        if elapsed_ms < SAMPLE_MS {
            return;
        }
        let counters = counters();
        for (rate, count) in counters.iter().enumerate() {
            let events = count.saturating_sub(self.counters[rate]);
            self.samples[rate][self.next] = events * 1000 / elapsed_ms;
        }
        self.next = (self.next + 1) % SAMPLES;
        self.counters = counters;
        self.sampled_ms = now_ms;
    }

    /// Events per second, averaged over the kept samples.
    pub(crate) fn per_second(&self, rate: Rate) -> u64 {
        let samples = &self.samples[rate as usize];
        samples.iter().sum::<u64>() / SAMPLES as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_shows_once_all_samples_have_it_and_fades_after() {
        let mut rates = Rates::default();
        let rate = |rates: &Rates| rates.per_second(Rate::Commands);
        for step in 1..=SAMPLES as u64 {
            // 50 commands each 100 ms; what comes too early is no sample.
            rates.sample(step * 100, || [step * 50, 0, 0]);
            rates.sample(step * 100 + 99, || [u64::MAX, 0, 0]);
        }
        assert_eq!(rate(&rates), 500);
        assert_eq!(rates.per_second(Rate::OutputBytes), 0);
        // A pause of two seconds is one sample.
        rates.sample(3600, || [16 * 50, 0, 0]);
        assert_eq!(rate(&rates), 500 * 15 / 16);
    }

    #[test]
    fn counters_that_were_reset_do_not_show_as_a_flood() {
        let mut rates = Rates::default();
        rates.sample(100, || [1000, 0, 0]);
        rates.sample(200, || [1, 0, 0]);
        assert_eq!(rates.per_second(Rate::Commands), 10_000 / SAMPLES as u64);
    }
}
