//! Words of requests as numbers.

use super::CommandError;

/// An integer argument, in the one way Redis writes integers: no sign but a minus, no leading zero, no space.
///
/// # Errors
/// `CommandError::NotInteger`.
pub fn parse_integer(word: &[u8]) -> Result<i64, CommandError> {
    std::str::from_utf8(word)
        .ok()
        .and_then(|word| word.parse::<i64>().ok())
        .filter(|number| itoa::Buffer::new().format(*number).as_bytes() == word)
        .ok_or(CommandError::NotInteger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plain_form_of_an_integer_is_one() {
        for (word, number) in [("0", 0), ("-1", -1), ("9223372036854775807", i64::MAX)] {
            assert_eq!(parse_integer(word.as_bytes()), Ok(number));
        }
        for word in [
            "",
            "+1",
            "01",
            "-0",
            " 1",
            "1 ",
            "1.0",
            "9223372036854775808",
            "x",
        ] {
            assert_eq!(
                parse_integer(word.as_bytes()),
                Err(CommandError::NotInteger),
                "{word}"
            );
        }
    }
}
