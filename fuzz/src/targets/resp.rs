//! The wire: requests to a whole node, replies to a client, inline commands.

use super::{Target, changed};
use crate::corpus::{FILL, USE};
use crate::mutate;
use crate::node::{Node, SAFE};
use resp::{Frame, FrameParser, Limits, Parsed, RequestParser, encode_command};
use tests::Random;

/// Bytes of a session: parser, dispatch, every command.
pub(super) const REQUEST: Target = Target {
    name: "resp",
    corpus: || {
        FILL.iter()
            .chain(USE)
            .map(|line| encoded(&words(line)))
            .collect()
    },
    input: session,
    run: |input| {
        let replies = Node::new(SAFE).send(input);
        let mut rest = &replies[..];
        // Whatever came in, what goes out is RESP.
        while let Ok(Some((_, len))) = Frame::parse(rest) {
            rest = &rest[len..];
        }
        assert!(
            Frame::parse(rest).is_ok(),
            "not a reply: {}",
            rest[..rest.len().min(200)].escape_ascii()
        );
    },
};

/// Replies, whole and in pieces.
pub(super) const REPLY: Target = Target {
    name: "reply",
    corpus: || {
        [
            "+OK\r\n",
            "-ERR x\r\n",
            ":12\r\n",
            "$5\r\nhello\r\n",
            "$-1\r\n",
            "*2\r\n:1\r\n$1\r\na\r\n",
            "*-1\r\n",
            "_\r\n",
            ",1.5\r\n",
            ",inf\r\n",
            "#t\r\n",
            "(123456789012345678901234567890\r\n",
            "=7\r\ntxt:abc\r\n",
            "%1\r\n+k\r\n:1\r\n",
            "~2\r\n:1\r\n:2\r\n",
            ">2\r\n+a\r\n+b\r\n",
            "!5\r\nERR x\r\n",
            "|1\r\n+a\r\n+b\r\n:1\r\n",
            "*1\r\n*1\r\n*1\r\n*0\r\n",
        ]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect()
    },
    input: |corpus, random| {
        let mut input: Vec<u8> = (0..random.below(6))
            .flat_map(|_| random.pick(corpus).clone())
            .collect();
        mutate::mutate(
            &mut input,
            random,
            &[b"*1\r\n", b"%1\r\n", b"\r\n", b"$?\r\n", b"|1\r\n"],
            &corpus[0],
        );
        input
    },
    run: |input| {
        let whole = Frame::parse(input);
        let mut parser = FrameParser::default();
        for end in 0..=input.len() {
            match parser.parse(&input[..end]) {
                Ok(None) => {}
                Ok(Some((frame, len))) => {
                    assert_eq!(
                        whole.as_ref().ok(),
                        Some(&Some((frame.clone(), len))),
                        "in pieces it is another"
                    );
                    let mut bytes = Vec::new();
                    frame.encode(&mut bytes);
                    let again = Frame::parse(&bytes).expect("what we write we can read");
                    assert_eq!(again.map(|(_, len)| len), Some(bytes.len()));
                    return;
                }
                Err(_) => return assert!(whole.is_err(), "only in pieces it is an error"),
            }
        }
        assert!(matches!(whole, Ok(None)), "in pieces it never ends");
    },
};

/// Lines, and requests in pieces: the same words as whole.
pub(super) const INLINE: Target = Target {
    name: "inline",
    corpus: || {
        FILL.iter()
            .chain(USE)
            .map(|line| format!("{line}\r\n").into_bytes())
            .collect()
    },
    input: |corpus, random| {
        changed(
            corpus,
            random,
            &[b"\"", b"'", b"\\x4", b"\\\"", b"\r\n", b"*3\r\n", b"$3\r\n"],
        )
    },
    run: |input| {
        if let Some(words) = resp::inline::split_args(input) {
            let quoted: Vec<String> = words.iter().map(|word| resp::inline::quote(word)).collect();
            let line = quoted.join(" ");
            assert_eq!(
                resp::inline::split_args(line.as_bytes()),
                Some(words),
                "quoted: {line}"
            );
        }
        let limits = Limits::default();
        let read = |parser: &mut RequestParser, bytes: &[u8]| {
            let mut spans = Vec::new();
            match parser.parse(bytes, &limits, &mut spans) {
                Ok(Parsed::Incomplete { .. }) => None,
                Ok(other) => Some(Ok((
                    format!("{other:?}"),
                    spans,
                    parser.inline_args().to_vec(),
                ))),
                Err(error) => Some(Err(error.to_string())),
            }
        };
        let mut parser = RequestParser::default();
        let in_pieces = (0..=input.len()).find_map(|end| read(&mut parser, &input[..end]));
        if let (Some(Ok(in_pieces)), Some(Ok(whole))) =
            (in_pieces, read(&mut RequestParser::default(), input))
        {
            assert_eq!(
                (in_pieces.1, in_pieces.2),
                (whole.1, whole.2),
                "in pieces it is another"
            );
        }
    },
};

pub(super) fn words(line: &str) -> Vec<Vec<u8>> {
    resp::inline::split_args(line.as_bytes()).expect("quotes that are closed")
}

pub(super) fn encoded(words: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_command(words, &mut out);
    out
}

/// Requests that meet data, each with words changed, exchanged, doubled or left out; then bytes of the whole.
fn session(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input: Vec<u8> = corpus[..FILL.len()].concat();
    let start = input.len();
    for _ in 0..1 + random.below(25) {
        let lines = if random.one_in(5) { FILL } else { USE };
        let mut request = words(random.pick::<&str>(lines));
        for _ in 0..random.below(4) {
            change_words(&mut request, random);
        }
        match random.one_in(30) {
            true => {
                let line: Vec<String> = request
                    .iter()
                    .map(|word| resp::inline::quote(word))
                    .collect();
                input.extend(format!("{}\r\n", line.join(" ")).into_bytes());
            }
            false => input.extend(encoded(&request)),
        }
    }
    if random.one_in(3) {
        let mut hostile = input.split_off(start);
        mutate::mutate(
            &mut hostile,
            random,
            &[
                b"*1\r\n",
                b"$-1\r\n",
                b"\r\n",
                b"*-1\r\n",
                b"*1000000\r\n",
                b"$1000000\r\n",
            ],
            &corpus[0],
        );
        input.extend(hostile);
    }
    input
}

/// Keys, options and numbers that some command knows.
const WORDS: &[&str] = &[
    "string",
    "int",
    "list",
    "set",
    "hash",
    "zset",
    "stream",
    "geo",
    "hll",
    "bits",
    "ints",
    "group",
    "consumer",
    "lib",
    "ch",
    "-",
    "+",
    "(1",
    "[a",
    "(a",
    "inf",
    "-inf",
    "nan",
    "0",
    "$",
    ">",
    "*",
    "LIMIT",
    "COUNT",
    "WITHSCORES",
    "MATCH",
    "NX",
    "XX",
    "GT",
    "LT",
    "GET",
    "EX",
    "PX",
    "STORE",
    "BY",
    "MAXLEN",
    "~",
    "MINID",
    "BLOCK",
    "STREAMS",
    "WEIGHTS",
    "AGGREGATE",
    "ANY",
    "REV",
    "BYSCORE",
    "BYLEX",
    "REPLACE",
    "KEEPTTL",
    "IDX",
    "u64",
    "i64",
    "OVERFLOW",
    "SAT",
    "FAIL",
    "",
    "\0",
    "1-1",
    "18446744073709551615-18446744073709551615",
    "0-0",
    "5-*",
    "1e308",
    "0x10",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "1.7976931348623157e308",
    "500ms",
    "m",
    "km",
    "BYRADIUS",
    "BYBOX",
    "FROMLONLAT",
    "ASC",
    "DESC",
];

fn change_words(words: &mut Vec<Vec<u8>>, random: &mut Random) {
    let at = random.below(words.len() + 1);
    let word = match random.below(5) {
        0 | 1 => random.pick(WORDS).as_bytes().to_vec(),
        2 | 3 => mutate::number(random).to_string().into_bytes(),
        _ => {
            let mut word = words.get(at).cloned().unwrap_or_default();
            mutate::mutate(&mut word, random, &[b"*", b"[", b"\\", b"-"], b"other");
            word
        }
    };
    match random.below(6) {
        0 => words.insert(at, word),
        1 if words.len() > 1 && at < words.len() => drop(words.remove(at)),
        // The name stays, mostly.
        _ if at == 0 && !random.one_in(10) => words.push(word),
        _ if at < words.len() => words[at] = word,
        _ => words.push(word),
    }
}

#[cfg(test)]
mod tests_of_sessions {
    use super::*;

    #[test]
    fn every_line_that_fills_a_node_is_right() {
        let scratch = tests::Scratch::new();
        std::env::set_current_dir(scratch.path()).unwrap();
        let mut node = Node::new(SAFE);
        for line in FILL {
            let reply = node.run(line);
            assert!(
                !reply.is_empty() && reply[0] != b'-',
                "{line}: {}",
                reply.escape_ascii()
            );
        }
        for line in [
            "GET string",
            "SMEMBERS set",
            "XINFO STREAM stream FULL",
            "FCALL f 1 k x",
        ] {
            let reply = node.run(line);
            assert!(
                !reply.is_empty() && reply[0] != b'-',
                "{line}: {}",
                reply.escape_ascii()
            );
        }
    }
}
