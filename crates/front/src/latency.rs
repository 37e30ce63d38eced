//! The latency monitor: the latest spikes of each kind of event, for LATENCY.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

/// How many spikes of an event are kept.
const SAMPLES: usize = 160;
/// Width of a graph, and of the line above it.
const GRAPH_COLUMNS: usize = 80;
/// Lines of a graph without its labels.
const GRAPH_ROWS: usize = 4;

/// The worst spike of one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spike {
    pub unix_seconds: i64,
    pub millis: u64,
}

/// The spikes of one event.
#[derive(Clone, Debug, Default)]
pub struct EventHistory {
    /// The oldest first, never empty.
    spikes: VecDeque<Spike>,
    worst_millis: u64,
}

impl EventHistory {
    /// The spikes, the oldest first.
    pub fn spikes(&self) -> impl ExactSizeIterator<Item = Spike> {
        self.spikes.iter().copied()
    }

    /// The latest spike.
    pub fn latest(&self) -> Spike {
        *self.spikes.back().expect("a history begins with a spike")
    }

    /// The worst spike since the last reset, whether still kept or not.
    pub fn worst_millis(&self) -> u64 {
        self.worst_millis
    }

    fn add(&mut self, spike: Spike) {
        self.worst_millis = self.worst_millis.max(spike.millis);
        if let Some(last) = self.spikes.back_mut()
            && last.unix_seconds == spike.unix_seconds
        {
            last.millis = last.millis.max(spike.millis);
            return;
        }
        if self.spikes.len() == SAMPLES {
            self.spikes.pop_front();
        }
        self.spikes.push_back(spike);
    }

    fn summary(&self, now_unix_seconds: i64) -> Summary {
        let count = self.spikes.len() as u64;
        let average = self.spikes.iter().map(|spike| spike.millis).sum::<u64>() / count;
        let deviations = self
            .spikes
            .iter()
            .map(|spike| spike.millis.abs_diff(average));
        let period = (now_unix_seconds - self.spikes[0].unix_seconds).max(1);
        Summary {
            count,
            average,
            mean_deviation: deviations.sum::<u64>() / count,
            seconds_between: period as f64 / count as f64,
        }
    }
}

/// What the doctor looks at; times in milliseconds.
struct Summary {
    count: u64,
    average: u64,
    mean_deviation: u64,
    seconds_between: f64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct LatencyMonitor {
    /// `latency-monitor-threshold`: milliseconds from which an event is a spike; 0: none is.
    pub threshold_millis: u64,
    events: Vec<(&'static str, EventHistory)>,
}

impl LatencyMonitor {
    /// Keeps the event if it took long enough.
    #[inline]
    pub fn observe(&mut self, event: &'static str, duration: Duration, unix_seconds: i64) {
        let millis = duration.as_millis() as u64;
        if self.threshold_millis != 0 && millis >= self.threshold_millis {
            self.add(
                event,
                Spike {
                    unix_seconds,
                    millis,
                },
            );
        }
    }

    fn add(&mut self, event: &'static str, spike: Spike) {
        let known = self.events.iter().position(|(name, _)| *name == event);
        let at = known.unwrap_or_else(|| {
            self.events.push((event, EventHistory::default()));
            self.events.len() - 1
        });
        self.events[at].1.add(spike);
    }

    /// Every event that had a spike, in order of the first one.
    pub fn events(&self) -> impl ExactSizeIterator<Item = (&'static str, &EventHistory)> {
        self.events.iter().map(|(name, history)| (*name, history))
    }

    /// The spikes of one event, if it had any.
    pub fn event(&self, name: &[u8]) -> Option<&EventHistory> {
        self.events()
            .find(|(event, _)| event.as_bytes() == name)
            .map(|(_, history)| history)
    }

    /// Forgets the named events, or all if none is named; returns how many.
    pub fn reset(&mut self, names: &[&[u8]]) -> usize {
        let before = self.events.len();
        self.events
            .retain(|(event, _)| !names.is_empty() && !names.contains(&event.as_bytes()));
        before - self.events.len()
    }

    /// LATENCY GRAPH's text, or `None` if the event had no spike.
    pub fn graph(&self, name: &[u8], now_unix_seconds: i64) -> Option<String> {
        let (name, history) = self.events().find(|(event, _)| event.as_bytes() == name)?;
        let millis = || history.spikes().map(|spike| spike.millis);
        let (low, high) = (millis().min()?, millis().max()?);
        let mut text = format!(
            "{name} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n",
            history.worst_millis,
            "-".repeat(GRAPH_COLUMNS),
        );
        let bars: Vec<Bar> = history
            .spikes()
            .map(|spike| Bar {
                height: height(spike.millis, low, high),
                label: age(now_unix_seconds - spike.unix_seconds),
            })
            .collect();
        let blocks: Vec<String> = bars.chunks(GRAPH_COLUMNS).map(draw).collect();
        text += &blocks.join("\n");
        Some(text)
    }

    /// LATENCY DOCTOR's text: what happened, and what to look at.
    pub fn doctor(&self, now_unix_seconds: i64) -> String {
        if self.threshold_millis == 0 {
            return "The latency monitor is off. CONFIG SET latency-monitor-threshold \
                    <milliseconds> turns it on.\n"
                .to_string();
        }
        if self.events.is_empty() {
            return format!(
                "No event took {} ms or longer since the last reset.\n",
                self.threshold_millis
            );
        }
        let mut text = String::from("Latency spikes, the kept ones of each event:\n\n");
        let mut advice: Vec<&str> = Vec::new();
        for (number, (event, history)) in self.events().enumerate() {
            let summary = history.summary(now_unix_seconds);
            writeln!(
                text,
                "{}. {event}: {} latency spikes (average {}ms, mean deviation {}ms, period {:.2} \
                 sec). Worst all time event {}ms.",
                number + 1,
                summary.count,
                summary.average,
                summary.mean_deviation,
                summary.seconds_between,
                history.worst_millis,
            )
            .expect("a String takes everything");
            for line in advice_for(event) {
                if !advice.contains(line) {
                    advice.push(line);
                }
            }
        }
        if !advice.is_empty() {
            text += "\nWhat may help:\n\n";
            for line in advice {
                text += &format!("- {line}\n");
            }
        }
        text
    }
}

const SLOW_COMMANDS: &str =
    "SLOWLOG GET names the slow commands; lower slowlog-log-slower-than if it is empty.";
const LARGE_VALUES: &str = "Deleting a large value takes time: use UNLINK, turn the lazyfree-lazy \
                            settings on, or split the value.";
const SLOW_DISK: &str = "The disk is slow or busy: look for other writers, or relax appendfsync.";
const REWRITES: &str = "Writing waits while a rewrite writes to the same disk: \
                        no-appendfsync-on-rewrite avoids it at the price of durability.";
const FORKS: &str = "Forking copies page tables: disable transparent huge pages and keep the \
                     dataset of one process small.";
const EXPIRY: &str = "Many keys expire in the same moment: spread their expiry times.";

fn advice_for(event: &str) -> &'static [&'static str] {
    match event {
        "command" => &[SLOW_COMMANDS, LARGE_VALUES],
        "fast-command" => &[
            "A fast command was slow, so the process did not get the CPU or had to swap: check the \
             load and the memory of the host.",
        ],
        "fork" => &[FORKS],
        "expire-cycle" | "expire-del" => &[EXPIRY, LARGE_VALUES],
        "eviction-cycle" | "eviction-del" => &[LARGE_VALUES],
        "aof-write-active-child" => &[REWRITES, SLOW_DISK],
        event if event.starts_with("aof-") || event.starts_with("rdb-") => &[SLOW_DISK],
        _ => &[],
    }
}

/// One spike of a graph.
struct Bar {
    /// Thirds of a row.
    height: usize,
    label: String,
}

/// The lowest spike stands on the ground, the highest touches the ceiling.
fn height(millis: u64, low: u64, high: u64) -> usize {
    const STEPS: usize = 3 * GRAPH_ROWS;
    let range = (high - low).max(1);
    let step = u128::from(millis - low) * STEPS as u128 / u128::from(range);
    (step as usize).min(STEPS - 1)
}

/// How long ago, in the largest fitting unit.
fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Bars side by side, a blank line, and the labels written downwards.
fn draw(bars: &[Bar]) -> String {
    let mut text = String::new();
    let mut line = |cell: &dyn Fn(&Bar) -> char| {
        text.extend(bars.iter().map(cell));
        text.push('\n');
    };
    for row in 0..GRAPH_ROWS {
        let ground = 3 * (GRAPH_ROWS - 1 - row);
        line(&|bar| match bar.height.checked_sub(ground) {
            None => ' ',
            Some(0) => '_',
            Some(1) => 'o',
            Some(2) => '#',
            Some(_) => '|',
        });
    }
    line(&|_| ' ');
    let longest = bars.iter().map(|bar| bar.label.len()).max().unwrap_or(0);
    for at in 0..longest {
        line(&|bar| {
            bar.label
                .as_bytes()
                .get(at)
                .map_or(' ', |&byte| byte.into())
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monitor(spikes: &[(i64, u64)]) -> LatencyMonitor {
        let mut monitor = LatencyMonitor {
            threshold_millis: 1,
            ..LatencyMonitor::default()
        };
        for &(at, millis) in spikes {
            monitor.observe("command", Duration::from_millis(millis), at);
        }
        monitor
    }

    fn millis(monitor: &LatencyMonitor) -> Vec<u64> {
        let history = monitor.event(b"command").expect("there was a spike");
        history.spikes().map(|spike| spike.millis).collect()
    }

    #[test]
    fn only_events_over_the_threshold_are_kept_and_none_if_it_is_zero() {
        let mut monitor = LatencyMonitor {
            threshold_millis: 10,
            ..LatencyMonitor::default()
        };
        monitor.observe("fork", Duration::from_micros(9_999), 1);
        assert_eq!(monitor.events().len(), 0);
        monitor.observe("fork", Duration::from_millis(10), 1);
        assert_eq!(monitor.events().len(), 1);
        monitor.threshold_millis = 0;
        monitor.observe("command", Duration::from_secs(1), 1);
        assert_eq!(monitor.events().len(), 1);
    }

    #[test]
    fn a_second_keeps_its_worst_spike() {
        assert_eq!(millis(&monitor(&[(1, 5), (1, 9), (1, 7), (2, 3)])), [9, 3]);
    }

    #[test]
    fn the_oldest_spikes_are_forgotten_but_not_the_worst() {
        let spikes: Vec<_> = (0..200).map(|at| (at, 1000 - at as u64)).collect();
        let monitor = monitor(&spikes);
        let history = monitor.event(b"command").expect("there was a spike");
        assert_eq!(history.spikes().len(), 160);
        assert_eq!(
            history.spikes().next(),
            Some(Spike {
                unix_seconds: 40,
                millis: 960
            })
        );
        assert_eq!(
            history.latest(),
            Spike {
                unix_seconds: 199,
                millis: 801
            }
        );
        assert_eq!(history.worst_millis(), 1000);
    }

    #[test]
    fn a_reset_forgets_the_named_events_or_all() {
        let mut monitor = monitor(&[(1, 5)]);
        monitor.observe("fork", Duration::from_millis(3), 1);
        assert_eq!(monitor.reset(&[b"nosuch", b"FORK"]), 0);
        assert_eq!(monitor.reset(&[b"fork"]), 1);
        assert_eq!(monitor.reset(&[]), 1);
        assert!(monitor.event(b"command").is_none());
    }

    #[test]
    fn a_graph_has_bars_and_ages() {
        // As redis-server 7.0.15 drew it.
        let monitor = monitor(&[(97, 30), (98, 5), (99, 20)]);
        let expected = format!(
            "command - high 30 ms, low 5 ms (all time high 30 ms)\n{}\n\
             #  \n| o\n| |\n|_|\n   \n321\nsss\n",
            "-".repeat(80)
        );
        assert_eq!(monitor.graph(b"command", 100), Some(expected));
        assert_eq!(monitor.graph(b"fork", 100), None);
    }

    #[test]
    fn a_long_graph_goes_on_below() {
        let spikes: Vec<_> = (0..81).map(|at| (at * 60, 5)).collect();
        let graph = monitor(&spikes)
            .graph(b"command", 81 * 60)
            .expect("there were spikes");
        let lines: Vec<_> = graph.lines().skip(2).collect();
        assert_eq!((lines[3].len(), lines[5].len()), (80, 80));
        assert_eq!(&lines[5][..22], "1".repeat(22));
        assert_eq!(lines[8..], ["", " ", " ", " ", "_", " ", "1", "m"]);
    }

    #[test]
    fn ages_are_shown_in_the_largest_unit() {
        assert_eq!(
            [0, 59, 60, 3_599, 3_600, 86_399, 86_400].map(age),
            ["0s", "59s", "1m", "59m", "1h", "23h", "1d"]
        );
    }

    #[test]
    fn the_doctor_sums_up_and_advises() {
        let text = monitor(&[(97, 30), (98, 5), (99, 20)]).doctor(100);
        assert!(text.contains(
            "1. command: 3 latency spikes (average 18ms, mean deviation 9ms, period 1.00 sec). \
             Worst all time event 30ms.\n"
        ));
        assert!(text.contains("SLOWLOG GET"));
        assert!(
            LatencyMonitor::default()
                .doctor(100)
                .contains("latency-monitor-threshold")
        );
    }
}
