//! The count of HRANDFIELD, SRANDMEMBER and ZRANDMEMBER: so many different ones, or so many with repetitions.

use crate::words::parse_integer;
use front::command::CommandError;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// At most this many, all different.
    Distinct(usize),
    /// Exactly this many, possibly the same ones again.
    Repeating(usize),
}

impl Choice {
    /// Whether twice the count still fits.
    pub(crate) fn can_double(self) -> bool {
        let (Choice::Distinct(count) | Choice::Repeating(count)) = self;
        count <= i64::MAX as usize / 2
    }
}

/// A count word: negative means with repetitions.
///
/// # Errors
/// Not an integer, or one without an opposite.
pub(crate) fn parse_choice(word: &[u8]) -> Result<Choice, CommandError> {
    let count = parse_integer(word)?;
    if count == i64::MIN {
        return Err(CommandError::text(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ));
    }
    Ok(match usize::try_from(count) {
        Ok(count) => Choice::Distinct(count),
        Err(_) => Choice::Repeating(count.unsigned_abs() as usize),
    })
}

/// Keeps `count` randomly chosen items, by a partial Fisher-Yates shuffle.
pub(crate) fn keep_some<T>(items: &mut Vec<T>, count: usize, rng: &mut impl FnMut() -> u64) {
    if count >= items.len() {
        return;
    }
    for index in 0..count {
        let other = index + (rng() % (items.len() - index) as u64) as usize;
        items.swap(index, other);
    }
    items.truncate(count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_shuffle_keeps_different_items() {
        let mut state = 1u64;
        let mut rng = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state >> 33
        };
        for count in [0, 1, 5, 10, 11] {
            let mut items: Vec<u32> = (0..10).collect();
            keep_some(&mut items, count, &mut rng);
            assert_eq!(items.len(), count.min(10));
            items.sort_unstable();
            items.dedup();
            assert_eq!(items.len(), count.min(10));
        }
    }
}
