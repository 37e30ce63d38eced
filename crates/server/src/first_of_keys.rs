//! `numkeys key [key ...] end [COUNT count]`: what LMPOP, ZMPOP and the forms that wait ask for.

use front::command::CommandError;

/// See the module.
pub(crate) struct FirstOfKeys<'a, E> {
    pub(crate) keys: &'a [&'a [u8]],
    /// Which end to take from.
    pub(crate) end: E,
    pub(crate) count: usize,
}

/// A number of at least one.
fn at_least_one(word: &[u8]) -> Option<usize> {
    store::int::parse_i64(word)
        .and_then(|count| usize::try_from(count).ok())
        .filter(|&count| count > 0)
}

impl<'a, E> FirstOfKeys<'a, E> {
    /// Reads the words, of which there are at least three.
    ///
    /// # Errors
    /// A count that is none, or other words than these.
    pub(crate) fn parse(
        words: &'a [&'a [u8]],
        parse_end: fn(&[u8]) -> Result<E, CommandError>,
    ) -> Result<FirstOfKeys<'a, E>, CommandError> {
        let numkeys = at_least_one(words[0])
            .ok_or(CommandError::text("ERR numkeys should be greater than 0"))?;
        if numkeys > words.len() - 2 {
            return Err(CommandError::Syntax);
        }
        let (keys, rest) = words[1..].split_at(numkeys);
        let end = parse_end(rest[0])?;
        let (count, more) = match &rest[1..] {
            [name, count, more @ ..] if name.eq_ignore_ascii_case(b"COUNT") => (
                at_least_one(count)
                    .ok_or(CommandError::text("ERR count should be greater than 0"))?,
                more,
            ),
            more => (1, more),
        };
        if !more.is_empty() {
            return Err(CommandError::Syntax);
        }
        Ok(FirstOfKeys { keys, end, count })
    }
}
