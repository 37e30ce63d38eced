//! Expiry times as commands give them: relative or absolute, in seconds or milliseconds.

use front::UnixMillis;
use front::command::CommandError;

/// How a time word is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Milliseconds,
    /// Seconds since 1970.
    SecondsAt,
    /// Milliseconds since 1970.
    MillisecondsAt,
}

impl Unit {
    /// The unit an option word stands for: EX, PX, EXAT, PXAT.
    pub(crate) fn of_option(word: &[u8]) -> Option<Unit> {
        let options = [
            (b"EX".as_slice(), Unit::Seconds),
            (b"PX", Unit::Milliseconds),
            (b"EXAT", Unit::SecondsAt),
            (b"PXAT", Unit::MillisecondsAt),
        ];
        options
            .into_iter()
            .find(|(name, _)| word.eq_ignore_ascii_case(name))
            .map(|(_, unit)| unit)
    }
}

/// The absolute time of a number in a unit; None if it leaves the range of milliseconds.
pub(crate) fn absolute(number: i64, unit: Unit, now: UnixMillis) -> Option<UnixMillis> {
    let millis = match unit {
        Unit::Seconds | Unit::SecondsAt => number.checked_mul(1000)?,
        Unit::Milliseconds | Unit::MillisecondsAt => number,
    };
    match unit {
        Unit::Seconds | Unit::Milliseconds => millis.checked_add(now),
        Unit::SecondsAt | Unit::MillisecondsAt => Some(millis),
    }
}

/// The absolute time of an option's word, which must be positive.
///
/// # Errors
/// Not an integer; or not a time `command` accepts.
pub(crate) fn parse_expiry(
    word: &[u8],
    unit: Unit,
    now: UnixMillis,
    command: &str,
) -> Result<UnixMillis, CommandError> {
    let number = store::int::parse_i64(word).ok_or(CommandError::NotInteger)?;
    let invalid = || CommandError::InvalidExpireTime(command.into());
    if number <= 0 {
        return Err(invalid());
    }
    absolute(number, unit, now)
        .filter(|&at| at > 0)
        .ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_beyond_the_range_is_refused_rather_than_wrapped() {
        assert_eq!(parse_expiry(b"10", Unit::Seconds, 5, "set"), Ok(10_005));
        assert_eq!(parse_expiry(b"10", Unit::MillisecondsAt, 5, "set"), Ok(10));
        let invalid = Err(CommandError::InvalidExpireTime("set".into()));
        assert_eq!(parse_expiry(b"0", Unit::Seconds, 5, "set"), invalid);
        assert_eq!(
            parse_expiry(b"9223372036854775807", Unit::Seconds, 5, "set"),
            invalid
        );
        assert_eq!(
            parse_expiry(b"9223372036854775807", Unit::Milliseconds, 5, "set"),
            invalid
        );
        assert_eq!(
            parse_expiry(b"x", Unit::Seconds, 5, "set"),
            Err(CommandError::NotInteger)
        );
    }
}
