//! Splits the text of an AOF into commands. Bytes from a file never panic, and a length it claims allocates nothing.

/// An argument: where it lies in the bytes the decoder was given.
pub(crate) type Span = (usize, usize);

/// What is at the start of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A command of so many arguments.
    Command { args: usize, end: usize },
    /// A line that starts with `#`: a timestamp, or something that a later version may know.
    Annotation { end: usize },
    /// It goes on after these bytes, which must become at least `at_least` to tell more.
    Incomplete { at_least: usize },
}

/// Bytes that are no AOF, and what was expected instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FormatError {
    /// From the start of the item.
    pub(crate) at: usize,
    pub(crate) expected: &'static str,
}

/// An annotation longer than this is none.
const ANNOTATION_MAX: usize = 1024;
/// `*` or `$`, a number, and the end of the line.
const NUMBER_LINE_MAX: usize = 32;

/// Reads one item; the spans of a command's arguments are appended to `spans`.
///
/// # Errors
/// When the bytes cannot be the start of an AOF's item.
pub(crate) fn decode(data: &[u8], spans: &mut Vec<Span>) -> Result<Item, FormatError> {
    let Some(&first) = data.first() else {
        return Ok(Item::Incomplete { at_least: 1 });
    };
    if first == b'#' {
        return match memchr::memchr(b'\n', &data[..data.len().min(ANNOTATION_MAX)]) {
            Some(end) => Ok(Item::Annotation { end: end + 1 }),
            None if data.len() < ANNOTATION_MAX => Ok(Item::Incomplete {
                at_least: data.len() + 1,
            }),
            None => Err(FormatError {
                at: 0,
                expected: "the end of the annotation",
            }),
        };
    }
    let before = spans.len();
    let result = decode_command(data, spans);
    if !matches!(result, Ok(Item::Command { .. })) {
        spans.truncate(before);
    }
    result
}

fn decode_command(data: &[u8], spans: &mut Vec<Span>) -> Result<Item, FormatError> {
    let (count, mut at) = match number_line(data, 0, b'*', "'*' and the number of arguments")? {
        Line::Number { value, end } => (value, end),
        Line::Incomplete(item) => return Ok(item),
    };
    if count == 0 {
        return Err(FormatError {
            at: 0,
            expected: "at least one argument",
        });
    }
    for _ in 0..count {
        let (length, start) = match number_line(data, at, b'$', "'$' and a length")? {
            Line::Number { value, end } => (value, end),
            Line::Incomplete(item) => return Ok(item),
        };
        let end = start
            .checked_add(length)
            .filter(|end| *end < usize::MAX - 2);
        let Some(end) = end else {
            return Err(FormatError {
                at,
                expected: "a possible length",
            });
        };
        match data.get(end..end + 2) {
            Some(b"\r\n") => {}
            Some(_) => {
                return Err(FormatError {
                    at: end,
                    expected: "the end of the argument",
                });
            }
            None => return Ok(Item::Incomplete { at_least: end + 2 }),
        }
        spans.push((start, length));
        at = end + 2;
    }
    Ok(Item::Command {
        args: count,
        end: at,
    })
}

enum Line {
    Number { value: usize, end: usize },
    Incomplete(Item),
}

/// A marker, digits, LF or CR LF.
fn number_line(
    data: &[u8],
    at: usize,
    marker: u8,
    expected: &'static str,
) -> Result<Line, FormatError> {
    let error = FormatError { at, expected };
    let line = &data[at.min(data.len())..];
    let mut value: usize = 0;
    for (index, &byte) in line.iter().take(NUMBER_LINE_MAX).enumerate() {
        match byte {
            byte if index == 0 => {
                if byte != marker {
                    return Err(error);
                }
            }
            b'0'..=b'9' => {
                value = value
                    .checked_mul(10)
                    .and_then(|value| value.checked_add(usize::from(byte - b'0')))
                    .ok_or(error)?;
            }
            b'\r' if index > 1 => match line.get(index + 1) {
                Some(b'\n') => {
                    return Ok(Line::Number {
                        value,
                        end: at + index + 2,
                    });
                }
                Some(_) => return Err(error),
                None => break,
            },
            b'\n' if index > 1 => {
                return Ok(Line::Number {
                    value,
                    end: at + index + 1,
                });
            }
            _ => return Err(error),
        }
    }
    if line.len() >= NUMBER_LINE_MAX {
        return Err(error);
    }
    Ok(Line::Incomplete(Item::Incomplete {
        at_least: data.len().max(at) + 1,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(data: &[u8]) -> Vec<&[u8]> {
        let mut spans = Vec::new();
        match decode(data, &mut spans) {
            Ok(Item::Command { args, end }) => {
                assert_eq!((args, end), (spans.len(), data.len()));
                spans
                    .iter()
                    .map(|&(start, length)| &data[start..start + length])
                    .collect()
            }
            other => panic!("{other:?}"),
        }
    }

    fn error(data: &[u8]) -> (usize, &'static str) {
        match decode(data, &mut Vec::new()) {
            Err(error) => (error.at, error.expected),
            other => panic!("{:?}: {other:?}", String::from_utf8_lossy(data)),
        }
    }

    #[test]
    fn a_command_gives_its_arguments_whatever_bytes_they_are() {
        assert_eq!(
            args(b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\0\xff\r\n"),
            [&b"SET"[..], b"", b"\r\n\0\xff"]
        );
    }

    #[test]
    fn lines_may_end_without_a_carriage_return() {
        assert_eq!(args(b"*1\n$4\nPING\r\n"), [b"PING"]);
    }

    #[test]
    fn a_line_with_a_hash_is_an_annotation() {
        let item = decode(b"#TS:123\r\n*1\r\n", &mut Vec::new());
        assert_eq!(item, Ok(Item::Annotation { end: 9 }));
    }

    #[test]
    fn every_prefix_of_a_command_asks_for_more_and_leaves_no_spans() {
        let command = b"*2\r\n$3\r\nGET\r\n$10\r\n0123456789\r\n";
        for length in 0..command.len() {
            let mut spans = vec![(7, 7)];
            match decode(&command[..length], &mut spans) {
                Ok(Item::Incomplete { at_least }) => {
                    assert!(at_least > length && at_least <= command.len());
                }
                other => panic!("{length}: {other:?}"),
            }
            assert_eq!(spans, [(7, 7)]);
        }
    }

    #[test]
    fn what_is_no_command_is_refused_with_its_place() {
        let count = "'*' and the number of arguments";
        let length = "'$' and a length";
        assert_eq!(error(b"!!!*1\r\n"), (0, count));
        assert_eq!(error(b"\r\n"), (0, count));
        assert_eq!(error(b"*x\r\n"), (0, count));
        assert_eq!(error(b"*-1\r\n"), (0, count));
        assert_eq!(error(b"*\r\n"), (0, count));
        assert_eq!(error(b"*1\rx"), (0, count));
        assert_eq!(error(b"*99999999999999999999\r\n"), (0, count));
        assert_eq!(error(&[b'*', b'0'].repeat(40)), (0, count));
        assert_eq!(error(b"*0\r\n"), (0, "at least one argument"));
        assert_eq!(error(b"*1\r\nx"), (4, length));
        assert_eq!(error(b"*1\r\n$-1\r\n"), (4, length));
        assert_eq!(
            error(b"*1\r\n$18446744073709551615\r\n"),
            (4, "a possible length")
        );
        assert_eq!(
            error(b"*1\r\n$4\r\nPINGxx"),
            (12, "the end of the argument")
        );
        let endless = [b'#'; ANNOTATION_MAX + 1];
        assert_eq!(error(&endless), (0, "the end of the annotation"));
    }

    #[test]
    fn a_claimed_length_is_only_asked_for() {
        let item = decode(b"*1\r\n$4000000000\r\nx", &mut Vec::new());
        let at_least = 17 + 4_000_000_000 + 2;
        assert_eq!(item, Ok(Item::Incomplete { at_least }));
    }
}
