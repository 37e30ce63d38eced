//! The only place that reads clocks. Everything else gets the time handed in.
#![allow(
    clippy::disallowed_methods,
    reason = "this module is where time enters"
)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Wall-clock milliseconds since 1970.
pub type UnixMillis = i64;

/// The time of the current turn, read once and handed to everything in it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    wall_us: i64,
    mono_us: u64,
    lap_ns: u64,
}

impl Clock {
    pub fn new() -> Clock {
        let mut clock = Clock {
            started: Instant::now(),
            wall_us: 0,
            mono_us: 0,
            lap_ns: 0,
        };
        clock.update();
        clock
    }

    /// Reads both clocks.
    #[inline]
    pub fn update(&mut self) {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        self.wall_us = wall.as_micros() as i64;
        self.mono_us = self.started.elapsed().as_micros() as u64;
    }

    /// Wall-clock milliseconds.
    #[inline]
    pub fn now(&self) -> UnixMillis {
        self.wall_us / 1000
    }

    /// Wall-clock microseconds.
    #[inline]
    pub fn now_us(&self) -> i64 {
        self.wall_us
    }

    /// Wall-clock microseconds, read now.
    pub fn read_now_us(&self) -> i64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
            .as_micros() as i64
    }

    /// Monotonic microseconds since start, as of the last update.
    #[inline]
    pub fn mono_us(&self) -> u64 {
        self.mono_us
    }

    /// Monotonic milliseconds since start, as of the last update.
    #[inline]
    pub fn mono_ms(&self) -> u64 {
        self.mono_us / 1000
    }

    /// Monotonic microseconds since start, read now: for work that must end in time.
    #[inline]
    pub fn read_mono_us(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    /// Commands run one after the other from now on: where one ends, the next begins.
    pub fn start_laps(&mut self) {
        self.lap_ns = self.read_mono_ns();
    }

    /// When the present lap began, in monotonic nanoseconds.
    #[inline]
    pub fn lap_ns(&self) -> u64 {
        self.lap_ns
    }

    /// Ends a lap: returns the time, in monotonic nanoseconds, at which the next one begins.
    #[inline]
    pub fn end_lap(&mut self) -> u64 {
        self.lap_ns = self.read_mono_ns();
        self.lap_ns
    }

    /// Monotonic nanoseconds since start, read now: for measuring how long something took.
    #[inline]
    pub fn read_mono_ns(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new()
    }
}
