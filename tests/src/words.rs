//! Splitting a line of a script into arguments, and showing arguments as such a line.

/// Splits `line` on spaces into arguments. An argument may be in double quotes, where `\n`, `\r`, `\t`,
/// `\\`, `\"` and `\xHH` are escapes. `{text*N}` anywhere stands for `text` N times.
///
/// # Panics
/// When a quote is not closed or an escape is unknown: the script is wrong.
pub fn split_words(line: &str) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = if let Some(quoted) = rest.strip_prefix('"') {
            unquote(quoted, line)
        } else {
            let end = rest.find(' ').unwrap_or(rest.len());
            (rest.as_bytes()[..end].to_vec(), &rest[end..])
        };
        words.push(repeat(word));
        rest = after.trim_start();
    }
    words
}

/// Takes a quoted word whose opening quote is already gone; returns it and what follows.
fn unquote<'a>(text: &'a str, line: &str) -> (Vec<u8>, &'a str) {
    let bytes = text.as_bytes();
    let mut word = Vec::new();
    let mut at = 0;
    loop {
        match bytes
            .get(at)
            .unwrap_or_else(|| panic!("no closing quote: {line}"))
        {
            b'"' => return (word, &text[at + 1..]),
            b'\\' => {
                let escaped = bytes.get(at + 1).copied().unwrap_or_default();
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'x' => u8::from_str_radix(&text[at + 2..at + 4], 16).expect("two hex digits"),
                    b'"' | b'\\' => escaped,
                    other => panic!("unknown escape \\{}: {line}", other as char),
                });
                at += if escaped == b'x' { 4 } else { 2 };
            }
            &byte => {
                word.push(byte);
                at += 1;
            }
        }
    }
}

/// Expands `{text*N}` in a word, if it is there.
fn repeat(word: Vec<u8>) -> Vec<u8> {
    let find = |byte: u8, from: usize| {
        word.get(from..)?
            .iter()
            .position(|&b| b == byte)
            .map(|at| at + from)
    };
    let expanded = || {
        let open = find(b'{', 0)?;
        let close = find(b'}', open)?;
        let star = word[open..close].iter().rposition(|&b| b == b'*')? + open;
        let times: usize = std::str::from_utf8(&word[star + 1..close])
            .ok()?
            .parse()
            .ok()?;
        let mut out = word[..open].to_vec();
        out.extend(word[open + 1..star].repeat(times));
        out.extend(repeat(word[close + 1..].to_vec()));
        Some(out)
    };
    expanded().unwrap_or(word)
}

/// Shows arguments as a line which [`split_words`] reads back; long ones are cut.
pub fn quote(words: &[Vec<u8>]) -> String {
    words
        .iter()
        .map(|word| quote_word(word))
        .collect::<Vec<_>>()
        .join(" ")
}

fn quote_word(word: &[u8]) -> String {
    const LONGEST_SHOWN: usize = 300;
    let plain = |b: &u8| b.is_ascii_graphic() && !b"\"\\{".contains(b);
    if word.len() > LONGEST_SHOWN {
        let start = quote_word(&word[..LONGEST_SHOWN / 2]);
        return format!("{start}…({} bytes)", word.len());
    }
    if !word.is_empty() && word.iter().all(plain) {
        return String::from_utf8_lossy(word).into_owned();
    }
    let escaped = word.iter().map(|&byte| match byte {
        b'"' | b'\\' => format!("\\{}", byte as char),
        b'\n' => "\\n".into(),
        b'\r' => "\\r".into(),
        b' '..=b'~' => (byte as char).to_string(),
        _ => format!("\\x{byte:02x}"),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<u8>> {
        split_words(line)
    }

    #[test]
    fn words_are_split_on_spaces_and_quotes_keep_them_together() {
        assert_eq!(
            words(r#"  SET k "a b"  "" "#),
            [&b"SET"[..], b"k", b"a b", b""]
        );
    }

    #[test]
    fn escapes_give_any_byte() {
        assert_eq!(words(r#""\x00\xff\r\n\"\\""#), [b"\x00\xff\r\n\"\\"]);
    }

    #[test]
    fn a_repeated_text_is_expanded_and_other_braces_stay() {
        assert_eq!(
            words("{ab*3} x{-*2}y {tag}"),
            [&b"ababab"[..], b"x--y", b"{tag}"]
        );
    }

    #[test]
    fn quote_shows_what_split_words_reads_back() {
        let line = [
            b"SET".to_vec(),
            b"a b".to_vec(),
            b"\x00\"\\\r\n{".to_vec(),
            Vec::new(),
        ];
        assert_eq!(words(&quote(&line)), line);
    }
}
