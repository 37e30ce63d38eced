//! Finds a short script that still shows a difference.

use crate::pair::{Difference, Pair, Scenario};

/// Replays at most this often.
const REPLAYS: usize = 500;

/// The shortest scenario found that shows the same kind of difference, with that difference; `None` when it does not come again.
pub(crate) fn shrink(
    pair: &mut Pair,
    scenario: &Scenario,
    found: &Difference,
) -> Option<(Scenario, Difference)> {
    let mut shrinker = Shrinker {
        pair,
        signature: &found.signature,
        replays: 0,
    };
    let mut best = scenario.clone();
    best.steps.truncate(found.at + 1);
    let mut difference = shrinker.shows(&best)?;
    let mut size = best.steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < best.steps.len() {
            let mut shorter = best.clone();
            shorter.steps.drain(at..(at + size).min(best.steps.len()));
            match shrinker.shows(&shorter) {
                Some(same) => (best, difference) = (shorter, same),
                None => at += size,
            }
        }
        size /= 2;
    }
    for at in (0..best.settings.len()).rev() {
        let mut shorter = best.clone();
        // The first choice of each setting is its default: leaving it out may keep the last scenario's value.
        if shorter.settings.remove(at).last().is_some()
            && let Some(same) = shrinker.shows(&shorter)
        {
            (best, difference) = (shorter, same);
        }
    }
    for step in 0..best.steps.len() {
        let mut at = 1;
        while at < best.steps[step].words.len() {
            let mut shorter = best.clone();
            shorter.steps[step].words.remove(at);
            match shrinker.shows(&shorter) {
                Some(same) => (best, difference) = (shorter, same),
                None => at += 1,
            }
        }
    }
    Some((best, difference))
}

struct Shrinker<'a> {
    pair: &'a mut Pair,
    signature: &'a str,
    replays: usize,
}

impl Shrinker<'_> {
    fn shows(&mut self, scenario: &Scenario) -> Option<Difference> {
        if self.replays >= REPLAYS {
            return None;
        }
        self.replays += 1;
        let difference = self.pair.play(scenario)?;
        if difference.fatal {
            *self.pair = Pair::start();
        }
        (difference.signature == self.signature).then_some(difference)
    }
}
