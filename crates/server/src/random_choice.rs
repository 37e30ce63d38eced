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
