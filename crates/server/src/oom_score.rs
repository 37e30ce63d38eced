//! `oom-score-adj`: tells the kernel which process to end first when memory runs out, by /proc/self/oom_score_adj.

use crate::config::{Config, DirectiveId, OOM_SCORE_ADJ, OOM_SCORE_ADJ_VALUES, REPLICAOF};

/// `oom-score-adj`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Off,
    /// The values are added to what the process had before.
    Relative,
    Absolute,
}

/// What the configuration and the node's role ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wish {
    mode: Mode,
    values: Vec<i32>,
    is_replica: bool,
}

impl Wish {
    fn of(config: &Config) -> Wish {
        let values = config.text(OOM_SCORE_ADJ_VALUES).split(' ');
        Wish {
            mode: match config.text(OOM_SCORE_ADJ) {
                "no" => Mode::Off,
                "absolute" => Mode::Absolute,
                _ => Mode::Relative,
            },
            values: values.filter_map(|value| value.parse().ok()).collect(),
            is_replica: !config.text(REPLICAOF).is_empty(),
        }
    }

    /// The adjustment of a process that had `base` before; None: not ours to set.
    fn score(&self, base: i32) -> Option<i32> {
        /// The kernel takes no others.
        const RANGE: std::ops::RangeInclusive<i32> = -1000..=1000;
        let value = self.values.get(usize::from(self.is_replica))?;
        let score = match self.mode {
            Mode::Off => return None,
            Mode::Relative => base + value,
            Mode::Absolute => *value,
        };
        Some(score.clamp(*RANGE.start(), *RANGE.end()))
    }
}

const FILE: &str = "/proc/self/oom_score_adj";

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct OomScore {
    /// What the process had before we set anything.
    base: Option<i32>,
    wish: Option<Wish>,
}

impl OomScore {
    /// Follows a changed configuration or role.
    ///
    /// # Errors
    /// The directive that cannot be followed, and why. At start the node goes on without it.
    pub(crate) fn follow(&mut self, config: &Config) -> Result<(), (DirectiveId, String)> {
        let wish = Wish::of(config);
        if self.wish.as_ref() == Some(&wish) {
            return Ok(());
        }
        let before = self.wish.replace(wish.clone());
        let result = self.apply(&wish);
        match (result, before) {
            (Ok(()), _) => Ok(()),
            (Err(error), before) => {
                front::log_warning!("Unable to write oom_score_adj: {error}");
                let Some(before) = before else {
                    return Ok(());
                };
                let changed = if before.mode == wish.mode {
                    OOM_SCORE_ADJ_VALUES
                } else {
                    OOM_SCORE_ADJ
                };
                let reason = "Failed to set current oom_score_adj. Check server logs.";
                Err((changed, reason.into()))
            }
        }
    }

    fn apply(&mut self, wish: &Wish) -> std::io::Result<()> {
        let base = match (self.base, wish.mode) {
            (None, Mode::Off) => return Ok(()),
            (Some(base), _) => base,
            (None, _) => {
                let text = std::fs::read_to_string(FILE)?;
                let base = text.trim().parse().map_err(std::io::Error::other)?;
                self.base = Some(base);
                base
            }
        };
        match wish.score(base) {
            Some(score) => std::fs::write(FILE, score.to_string()),
            None => {
                // Turned off: as it was before.
                self.base = None;
                std::fs::write(FILE, base.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(mode: Mode, values: [i32; 3], is_replica: bool, base: i32) -> Option<i32> {
        let values = values.to_vec();
        Wish {
            mode,
            values,
            is_replica,
        }
        .score(base)
    }

    #[test]
    fn values_are_by_role_and_added_or_taken_as_they_are() {
        let values = [10, 20, 30];
        assert_eq!(score(Mode::Relative, values, false, 5), Some(15));
        assert_eq!(score(Mode::Relative, values, true, 5), Some(25));
        assert_eq!(score(Mode::Absolute, values, true, 5), Some(20));
        assert_eq!(score(Mode::Off, values, true, 5), None);
    }

    #[test]
    fn what_the_kernel_would_refuse_is_brought_into_its_range() {
        assert_eq!(score(Mode::Relative, [2000, 0, 0], false, 0), Some(1000));
        assert_eq!(score(Mode::Absolute, [-2000, 0, 0], false, 0), Some(-1000));
    }
}
