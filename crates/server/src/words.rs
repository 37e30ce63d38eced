//! Words of requests as numbers, and back.

use front::command::CommandError;

/// An integer argument.
///
/// # Errors
/// `CommandError::NotInteger`.
#[inline]
pub(crate) fn parse_integer(word: &[u8]) -> Result<i64, CommandError> {
    store::int::parse_i64(word).ok_or(CommandError::NotInteger)
}

/// An integer as a word, for propagated commands.
pub(crate) fn decimal(number: i64) -> Vec<u8> {
    number.to_string().into_bytes()
}
