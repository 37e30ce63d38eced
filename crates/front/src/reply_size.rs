//! How much memory a client's reply buffer gets at once when it is needed: as much as the client's replies have filled of
//! late, so that a busy client's buffer need not grow each time, and others' stay small.

/// The most a reply buffer gets at once, and what a new client's does.
const MOST: usize = 16 * 1024;
const LEAST: usize = 1024;

/// After how long the size follows a lower peak; DEBUG REPLYBUFFER changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeakReset {
    After { ms: u64 },
    Never,
}

impl Default for PeakReset {
    fn default() -> PeakReset {
        PeakReset::After { ms: 5000 }
    }
}

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplySize {
    bytes: u16,
    peak: u16,
    peak_since_ms: u64,
}

/// What a look changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resized {
    No,
    Shrunk,
    Expanded,
}

impl ReplySize {
    pub(crate) fn new(now_ms: u64) -> ReplySize {
        ReplySize {
            bytes: MOST as u16,
            peak: 0,
            peak_since_ms: now_ms,
        }
    }

    /// `rbs` of CLIENT LIST.
    pub fn bytes(self) -> usize {
        usize::from(self.bytes)
    }

    /// The most that was used of it lately, `rbp` of CLIENT LIST.
    pub fn peak(self) -> usize {
        usize::from(self.peak)
    }

    /// So many bytes waited in the buffer.
    #[inline]
    pub(crate) fn used(&mut self, bytes: usize) {
        self.peak = self.peak.max(bytes.min(self.bytes()) as u16);
    }

    /// The periodic look; `waiting` bytes are in the buffer now.
    pub(crate) fn adapt(&mut self, now_ms: u64, reset: PeakReset, waiting: usize) -> Resized {
        let (bytes, peak) = (self.bytes(), self.peak());
        let adapted = if peak < bytes / 2 && bytes > LEAST {
            (peak + 1).max(LEAST)
        } else if peak == bytes {
            (2 * bytes).min(MOST)
        } else {
            bytes
        };
        self.bytes = adapted as u16;
        if let PeakReset::After { ms } = reset
            && now_ms.saturating_sub(self.peak_since_ms) > ms
        {
            self.peak_since_ms = now_ms;
            self.peak = waiting.min(adapted) as u16;
        }
        match adapted.cmp(&bytes) {
            std::cmp::Ordering::Less => Resized::Shrunk,
            std::cmp::Ordering::Equal => Resized::No,
            std::cmp::Ordering::Greater => Resized::Expanded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESET: PeakReset = PeakReset::After { ms: 100 };

    #[test]
    fn an_idle_client_shrinks_to_the_least_and_a_busy_one_doubles_up_to_the_most() {
        let mut size = ReplySize::new(0);
        assert_eq!(size.adapt(50, RESET, 0), Resized::Shrunk);
        assert_eq!((size.bytes(), size.peak()), (LEAST, 0));
        assert_eq!(size.adapt(60, RESET, 0), Resized::No);
        for expected in [2048, 4096, 8192, MOST] {
            size.used(100_000);
            assert_eq!(size.adapt(70, RESET, 0), Resized::Expanded);
            assert_eq!(size.bytes(), expected);
        }
        size.used(100_000);
        assert_eq!(size.adapt(80, RESET, 0), Resized::No);
    }

    #[test]
    fn a_peak_counts_until_its_time_is_over() {
        let mut size = ReplySize::new(0);
        size.used(3000);
        assert_eq!(size.adapt(50, RESET, 0), Resized::Shrunk);
        assert_eq!(size.bytes(), 3001);
        assert_eq!(size.adapt(150, RESET, 0), Resized::No);
        assert_eq!(size.adapt(160, RESET, 0), Resized::Shrunk);
        assert_eq!(size.bytes(), LEAST);
        size.used(LEAST);
        assert_eq!(size.adapt(10_000, PeakReset::Never, 0), Resized::Expanded);
        assert_eq!(size.peak(), LEAST);
    }
}
