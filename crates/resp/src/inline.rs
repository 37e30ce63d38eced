//! Words in a line of text, quoted where needed: inline commands, configuration files, and the
//! quoted form in which MONITOR, CONFIG REWRITE and error messages show arbitrary bytes.

/// Splits a line into words, or nothing when a quote is left open or closes in the middle of a
/// word.
///
/// `"…"` knows `\xHH`, `\n`, `\r`, `\t`, `\b`, `\a` and takes any other escaped byte as itself;
/// `'…'` knows only `\'`. A quote may open in the middle of a word but must end it. A zero byte
/// ends the line.
pub fn split_args(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let line = &line[..memchr::memchr(0, line).unwrap_or(line.len())];
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        rest = &rest[rest.iter().take_while(|byte| is_space(**byte)).count()..];
        if rest.is_empty() {
            return Some(words);
        }
        let mut word = Vec::new();
        rest = read_word(rest, &mut word)?;
        words.push(word);
    }
}

/// `bytes` in double quotes, everything but printable ASCII escaped; [`split_args`] reads it back.
pub fn quote(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => text.extend(['\\', char::from(byte)]),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            BELL => text.push_str("\\a"),
            BACKSPACE => text.push_str("\\b"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => {
                let hex = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
                text.extend(['\\', 'x', hex(byte >> 4), hex(byte & 15)]);
            }
        }
    }
    text.push('"');
    text
}

const BELL: u8 = 7;
const BACKSPACE: u8 = 8;
const VERTICAL_TAB: u8 = 11;

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == VERTICAL_TAB
}

/// Reads one word and gives what follows it.
fn read_word<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        rest = match rest {
            // Vertical tab and form feed separate words but do not end one: Redis's splitter is
            // that uneven.
            [] | [b' ' | b'\n' | b'\r' | b'\t', ..] => return Some(rest),
            [b'"', rest @ ..] => return end_of_quoted(read_double_quoted(rest, word)?),
            [b'\'', rest @ ..] => return end_of_quoted(read_single_quoted(rest, word)?),
            [byte, rest @ ..] => {
                word.push(*byte);
                rest
            }
        };
    }
}

fn end_of_quoted(rest: &[u8]) -> Option<&[u8]> {
    rest.first()
        .is_none_or(|byte| is_space(*byte))
        .then_some(rest)
}

fn read_double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, after) = match rest {
            [] => return None,
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', b'x', high, low, rest @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (hex_value(*high) << 4 | hex_value(*low), rest)
            }
            [b'\\', escaped, rest @ ..] => (unescape(*escaped), rest),
            [byte, rest @ ..] => (*byte, rest),
        };
        word.push(byte);
        rest = after;
    }
}

fn read_single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, after) = match rest {
            [] => return None,
            [b'\'', rest @ ..] => return Some(rest),
            [b'\\', b'\'', rest @ ..] => (b'\'', rest),
            [byte, rest @ ..] => (*byte, rest),
        };
        word.push(byte);
        rest = after;
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => BACKSPACE,
        b'a' => BELL,
        other => other,
    }
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Vec<String>> {
        let words = split_args(line.as_bytes())?;
        Some(
            words
                .iter()
                .map(|word| word.escape_ascii().to_string())
                .collect(),
        )
    }

    #[test]
    fn words_are_separated_by_any_run_of_spaces() {
        assert_eq!(
            words(" set\tkey  value \r\n"),
            Some(vec!["set".into(), "key".into(), "value".into()])
        );
        assert_eq!(words(""), Some(vec![]));
        assert_eq!(words(" \t "), Some(vec![]));
    }

    #[test]
    fn double_quotes_keep_spaces_and_know_escapes() {
        assert_eq!(words(r#""a b""#), Some(vec!["a b".into()]));
        assert_eq!(
            words(r#""\x41\n\xZZ\q\"""#),
            Some(vec![r#"A\nxZZq\""#.into()])
        );
        assert_eq!(words(r#""" x"#), Some(vec![String::new(), "x".into()]));
    }

    #[test]
    fn single_quotes_know_only_the_escaped_quote() {
        assert_eq!(words(r"'a\'b\n'"), Some(vec![r"a\'b\\n".into()]));
    }

    #[test]
    fn a_quote_may_open_inside_a_word_but_must_end_it() {
        assert_eq!(words(r#"a"b c""#), Some(vec!["ab c".into()]));
        assert_eq!(words(r#"a"b c"d"#), None);
        assert_eq!(words("'a'b"), None);
    }

    #[test]
    fn an_open_quote_is_no_line() {
        for line in ["\"", "'", "a \"b", "a 'b\\'", "\"\\", "\"\\x4"] {
            assert_eq!(words(line), None, "{line}");
        }
    }

    #[test]
    fn a_zero_byte_ends_the_line() {
        assert_eq!(split_args(b"a\0 b"), Some(vec![b"a".to_vec()]));
        assert_eq!(split_args(b"\"a\0\""), None);
    }

    #[test]
    fn quoting_escapes_what_a_terminal_would_not_show() {
        assert_eq!(
            quote(b"a\"\\\n\r\t\x07\x08\0\x7f\xff~ "),
            r#""a\"\\\n\r\t\a\b\x00\x7f\xff~ ""#
        );
    }

    #[test]
    fn what_is_quoted_splits_back_into_the_same_bytes() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(split_args(quote(&all).as_bytes()), Some(vec![all]));
    }
}
