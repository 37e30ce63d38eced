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

/// The number of a db: SELECT, MOVE and COPY take it.
///
/// # Errors
/// Not an integer; not one of 32 bits, which has a text of its own; not one of the `dbs` there are.
pub(crate) fn parse_db_index(word: &[u8], dbs: usize) -> Result<u32, CommandError> {
    let index = i32::try_from(parse_integer(word)?).map_err(|_| {
        CommandError::text(
            "ERR value is out of range, value must between -2147483648 and 2147483647",
        )
    })?;
    u32::try_from(index)
        .ok()
        .filter(|&index| (index as usize) < dbs)
        .ok_or(CommandError::text("ERR DB index is out of range"))
}

/// An integer as a word, for propagated commands.
pub(crate) fn decimal(number: i64) -> Vec<u8> {
    number.to_string().into_bytes()
}

/// The timeout of a blocking command, in seconds with a fraction, as a wall-clock limit; 0 waits forever.
///
/// # Errors
/// Not a number, or one that is negative or beyond what milliseconds can count.
pub(crate) fn parse_timeout(
    word: &[u8],
    now: front::UnixMillis,
) -> Result<Option<front::UnixMillis>, CommandError> {
    /// Past this many milliseconds a time no longer fits; it shows as negative.
    const LIMIT_MS: f64 = i64::MAX as f64;
    let seconds = store::float::LongDouble::parse(word)
        .map(store::float::LongDouble::to_f64)
        .ok_or(CommandError::text(
            "ERR timeout is not a float or out of range",
        ))?;
    let millis = (seconds * 1000.0).ceil();
    if seconds < 0.0 || millis >= LIMIT_MS {
        return Err(CommandError::text("ERR timeout is negative"));
    }
    match millis as i64 {
        0 => Ok(None),
        millis => now
            .checked_add(millis)
            .map(Some)
            .ok_or(CommandError::text("ERR timeout is out of range")),
    }
}
