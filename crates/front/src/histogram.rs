//! How long a command takes, as a histogram: for INFO's latencystats and LATENCY HISTOGRAM.
//!
//! Values are counted in an HdrHistogram of two significant digits (hdrhistogram.github.io), because its rounding shows
//! in replies: 128 steps per power of two, from 1 nanosecond to 1 second. The `hdrhistogram` crate has the same steps,
//! but it sizes all 3072 counters (24 KiB) at once for each of 366 commands; here they grow with the slowest call.

use std::time::Duration;

/// Steps per power of two.
const STEPS: u64 = 128;
/// The largest value that is told apart.
const MAX_NANOS: u64 = 1_000_000_000;
/// The highest index that [`MAX_NANOS`] may need, with the rest of its power of two.
const LAST_INDEX: usize = 3071;

/// See the module. Empty, it takes no memory of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatencyHistogram {
    /// Values by [`index_of`], up to the largest seen.
    counts: Vec<u64>,
    total: u64,
}

impl LatencyHistogram {
    /// Counts one call.
    #[inline]
    pub fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos())
            .unwrap_or(MAX_NANOS)
            .clamp(1, MAX_NANOS);
        let index = index_of(nanos);
        if index >= self.counts.len() {
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] += 1;
        self.total += 1;
    }

    /// How many calls were counted.
    pub fn calls(&self) -> u64 {
        self.total
    }

    /// The duration within which `percentile` percent of the calls ended, as the upper end of its step (the lower end
    /// for percentile 0); zero without calls.
    pub fn percentile(&self, percentile: f64) -> Duration {
        let wanted = (percentile.min(100.0) / 100.0 * self.total as f64 + 0.5) as u64;
        let index = self.cumulative().position(|calls| calls >= wanted.max(1));
        let nanos = match index {
            None => 0,
            Some(index) if percentile == 0.0 => lowest(index),
            Some(index) => highest(index),
        };
        Duration::from_nanos(nanos)
    }

    /// The value of a line of INFO's latencystats: `p50=1.003,p99=2.007`, in microseconds.
    pub fn percentile_list(&self, percentiles: &[f64]) -> String {
        let one = |&percentile: &f64| {
            let micros = self.percentile(percentile).as_nanos() as f64 / 1000.0;
            let name = format!("{percentile:.6}");
            let name = name.trim_end_matches('0').trim_end_matches('.');
            format!("p{name}={micros:.3}")
        };
        percentiles.iter().map(one).collect::<Vec<_>>().join(",")
    }

    /// LATENCY HISTOGRAM: (microseconds, calls that took at most so long), about one pair per power of two, without
    /// pairs that add no call.
    pub fn buckets(&self) -> Vec<(u64, u64)> {
        let cumulative: Vec<u64> = self.cumulative().collect();
        let mut buckets = Vec::new();
        let mut before = 0;
        // Redis reads its counters up to and including the step at which each power of two of nanoseconds begins.
        for index in (10..=30).map(|power| index_of(1 << power).min(LAST_INDEX)) {
            let calls = cumulative.get(index).copied().unwrap_or(self.total);
            if calls > before {
                buckets.push((highest(index) / 1000, calls));
                before = calls;
            }
        }
        buckets
    }

    /// For each step, how many calls fell in it or below.
    fn cumulative(&self) -> impl Iterator<Item = u64> {
        self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        })
    }
}

/// Values below 256 have a step each, values below 512 share steps of 2, and so on.
fn index_of(nanos: u64) -> usize {
    let shift = u64::from((nanos | (2 * STEPS - 1)).ilog2() - STEPS.ilog2());
    (shift * STEPS + (nanos >> shift)) as usize
}

/// The smallest value of a step.
fn lowest(index: usize) -> u64 {
    let index = index as u64;
    if index < 2 * STEPS {
        return index;
    }
    (index % STEPS + STEPS) << shift_of(index)
}

/// The largest value of a step.
fn highest(index: usize) -> u64 {
    lowest(index) + (1 << shift_of(index as u64)) - 1
}

/// How many low bits the values of a step may differ in.
fn shift_of(index: u64) -> u64 {
    (index / STEPS).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_micros(calls: &[(u64, u64)]) -> LatencyHistogram {
        let mut histogram = LatencyHistogram::default();
        for &(micros, times) in calls {
            for _ in 0..times {
                histogram.record(Duration::from_micros(micros));
            }
        }
        histogram
    }

    #[test]
    fn every_value_lies_in_its_step_and_steps_are_adjacent() {
        for index in 0..LAST_INDEX {
            assert_eq!(highest(index) + 1, lowest(index + 1));
            assert_eq!(
                (index_of(lowest(index)), index_of(highest(index))),
                (index, index)
            );
        }
        assert!(index_of(MAX_NANOS) <= LAST_INDEX);
    }

    #[test]
    fn percentiles_are_upper_ends_of_steps_as_info_shows_them() {
        // As redis-server 7.0.15 printed them for calls of these whole microseconds.
        let histogram = of_micros(&[(2, 29), (3, 18), (5, 3), (91, 1)]);
        assert_eq!(
            histogram.percentile_list(&[0.0, 0.1, 50.0, 99.9, 100.0]),
            "p0=2.000,p0.1=2.007,p50=2.007,p99.9=91.135,p100=91.135"
        );
        assert_eq!(
            of_micros(&[(11_100, 1)]).percentile_list(&[50.0]),
            "p50=11141.119"
        );
        assert_eq!(of_micros(&[(0, 1)]).percentile_list(&[50.0]), "p50=0.001");
    }

    #[test]
    fn no_calls_have_no_latency_and_take_no_memory() {
        let histogram = LatencyHistogram::default();
        assert_eq!(histogram.percentile(50.0), Duration::ZERO);
        assert_eq!(histogram.buckets(), []);
        assert_eq!(histogram.counts.capacity(), 0);
    }

    #[test]
    fn buckets_are_cumulative_and_leave_out_what_adds_nothing() {
        let histogram = of_micros(&[(2, 29), (3, 18), (5, 3), (91, 1)]);
        assert_eq!(histogram.buckets(), [(2, 29), (4, 47), (8, 50), (132, 51)]);
        assert_eq!(
            of_micros(&[(1, 1), (1024, 1)]).buckets(),
            [(1, 1), (1056, 2)]
        );
    }

    #[test]
    fn calls_of_a_second_and_longer_count_as_one_second() {
        let slow = of_micros(&[(600_000, 1), (3_600_000_000, 1)]);
        assert_eq!(slow.buckets(), [(1_073_741, 2)]);
        assert_eq!(slow.percentile(100.0), Duration::from_nanos(1_002_438_655));
        assert_eq!(slow.calls(), 2);
    }
}
