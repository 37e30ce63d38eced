//! One byte in every entry, and in every element of a big value, tells what a running snapshot has dealt with from what
//! it has not.

/// The stamps of one table's entries.
///
/// Whatever exists when a snapshot begins carries an older stamp. What is written, changed or new gets the current one.
/// A finished snapshot leaves everything with the current stamp; one that was given up leaves older ones about, whose
/// numbers must not come around again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Epoch {
    current: u8,
    /// Epochs that began since the last one that finished.
    unfinished: u8,
}

impl Epoch {
    /// The stamp of what is new, and of what a running snapshot has dealt with.
    #[inline]
    pub(crate) fn stamp(self) -> u8 {
        self.current
    }

    /// Begins an epoch: whatever exists is unstamped. Should the numbers run out, `stamp_all` must stamp everything.
    pub(crate) fn begin(&mut self, stamp_all: impl FnOnce(u8)) {
        if self.unfinished == u8::MAX {
            stamp_all(self.current);
            self.unfinished = 0;
        }
        self.current = self.current.wrapping_add(1);
        self.unfinished += 1;
    }

    /// Everything carries the current stamp.
    pub(crate) fn finish(&mut self) {
        self.unfinished = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_epoch_never_takes_a_stamp_still_in_use() {
        let mut epoch = Epoch::default();
        let mut stamps = vec![epoch.stamp()];
        let mut passes = 0;
        for round in 0..2000 {
            epoch.begin(|stamp| {
                stamps.fill(stamp);
                passes += 1;
            });
            assert!(!stamps.contains(&epoch.stamp()), "round {round}");
            stamps.push(epoch.stamp());
            if round == 700 {
                stamps.fill(epoch.stamp());
                epoch.finish();
            }
        }
        assert!((5..=8).contains(&passes), "{passes}");
    }
}
