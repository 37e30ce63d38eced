//! Requests cut at every place give the same commands as requests that arrive whole, limits hold to
//! the byte, and no bytes make the parser panic.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use resp::{Limits, Parsed, ProtocolError, RequestParser, Span};

/// What a stream of requests asks for, and how it ends.
#[derive(Debug, PartialEq)]
struct Outcome {
    commands: Vec<Vec<Vec<u8>>>,
    error: Option<ProtocolError>,
    /// Bytes of a command not yet whole.
    left: usize,
}

/// Feeds `stream` in pieces that end at `cuts` and at its end.
fn feed(stream: &[u8], limits: &Limits, cuts: impl IntoIterator<Item = usize>) -> Outcome {
    let mut parser = RequestParser::default();
    let mut outcome = Outcome {
        commands: vec![],
        error: None,
        left: 0,
    };
    let mut consumed_so_far = 0;
    let mut spans = vec![];
    for cut in cuts.into_iter().chain([stream.len()]) {
        loop {
            let buf = &stream[consumed_so_far..cut];
            spans.clear();
            let consumed = match parser.parse(buf, limits, &mut spans) {
                Ok(Parsed::Command { consumed }) => {
                    outcome
                        .commands
                        .push(spans.iter().map(|span| span.of(buf).to_vec()).collect());
                    consumed
                }
                Ok(Parsed::Inline { consumed }) => {
                    outcome.commands.push(parser.inline_args().to_vec());
                    consumed
                }
                Ok(Parsed::Empty { consumed }) => consumed,
                Ok(Parsed::Incomplete { needed }) => {
                    assert!(needed > 0);
                    break;
                }
                Err(error) => {
                    outcome.error = Some(error);
                    return outcome;
                }
            };
            assert!(consumed > 0 && consumed <= buf.len());
            consumed_so_far += consumed;
        }
    }
    outcome.left = stream.len() - consumed_so_far;
    outcome
}

fn whole(stream: &[u8]) -> Outcome {
    feed(stream, &Limits::default(), [])
}

fn error_of(stream: &[u8], limits: &Limits) -> Option<ProtocolError> {
    let error = feed(stream, limits, []).error;
    assert_eq!(
        feed(stream, limits, 0..stream.len()).error,
        error,
        "byte by byte"
    );
    error
}

fn commands(stream: &[u8]) -> Vec<Vec<String>> {
    let outcome = whole(stream);
    assert_eq!(
        (outcome.error, outcome.left),
        (None, 0),
        "{}",
        stream.escape_ascii()
    );
    let text = |arg: &Vec<u8>| arg.escape_ascii().to_string();
    outcome
        .commands
        .iter()
        .map(|command| command.iter().map(text).collect())
        .collect()
}

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

#[test]
fn a_pipeline_gives_each_command_in_order() {
    let stream =
        b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$0\r\n\r\nset k \"a b\"\r\n*1\r\n$4\r\n\r\n\0*\r\n";
    assert_eq!(
        commands(stream),
        [
            vec!["GET", "k"],
            vec![""],
            vec!["set", "k", "a b"],
            vec![r"\r\n\x00*"]
        ]
    );
}

#[test]
fn requests_for_nothing_are_skipped() {
    for nothing in ["*0\r\n", "*-1\r\n", "*-5\r\n", "\r\n", "\n", "  \t\r\n"] {
        assert_eq!(
            commands(&[nothing.as_bytes(), PING].concat()),
            [["PING"]],
            "{nothing:?}"
        );
    }
}

#[test]
fn line_ends_are_not_checked_beyond_their_first_byte() {
    assert_eq!(
        commands(&[b"*1\rx$4\rxPINGxx", PING].concat()),
        [["PING"], ["PING"]]
    );
    assert_eq!(commands(b"PING\n"), [["PING"]]);
}

#[test]
fn every_split_gives_the_same_commands() {
    let streams: [&[u8]; 6] = [
        b"*3\r\n$3\r\nSET\r\n$10\r\n0123456789\r\n$12\r\n\r\n$1\r\n*1\r\n\0\n\r\n*1\r\n$4\r\nPING\r\n",
        b"PING\r\n\r\n*0\r\n  get 'a b' \"\\x00\"\n*1\r\n$0\r\n\r\n*-1\r\n",
        b"*2\r\n$4\r\nPING\r\n$-1\r\n",
        b"*1\r\n$3\r\nGET\r\n*a\r\n",
        b"*1\r\n$4\r\nPING\r\nPING \"\r\n",
        b"*2\r\n$1\r\na\r\n:1\r\n",
    ];
    for stream in streams {
        let expected = whole(stream);
        let limits = Limits::default();
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                assert_eq!(
                    feed(stream, &limits, [first, second]),
                    expected,
                    "{first} {second}"
                );
            }
        }
        assert_eq!(feed(stream, &limits, 0..stream.len()), expected);
    }
}

#[test]
fn no_prefix_of_a_command_is_a_command() {
    let stream = b"*2\r\n$3\r\nGET\r\n$11\r\nhello world\r\n";
    for len in 0..stream.len() {
        let outcome = whole(&stream[..len]);
        assert_eq!(
            (outcome.commands.len(), outcome.error, outcome.left),
            (0, None, len)
        );
    }
}

#[test]
fn an_incomplete_argument_tells_how_much_it_lacks() {
    let mut parser = RequestParser::default();
    let mut spans: Vec<Span> = vec![];
    let mut buf = b"*2\r\n$3\r\nSET\r\n$100000\r\nabc".to_vec();
    let limits = Limits::default();
    let parsed = parser.parse(&buf, &limits, &mut spans);
    assert_eq!(
        (parsed, spans.len()),
        (Ok(Parsed::Incomplete { needed: 99_999 }), 0)
    );
    buf.resize(buf.len() + 99_999, b'x');
    let parsed = parser.parse(&buf, &limits, &mut spans);
    assert_eq!(
        (parsed, spans.len()),
        (
            Ok(Parsed::Command {
                consumed: buf.len()
            }),
            2
        )
    );
    assert_eq!(spans[1].of(&buf).len(), 100_000);
}

#[test]
fn spans_of_earlier_commands_stay() {
    let earlier = Span { start: 7, end: 8 };
    for cut in 0..PING.len() {
        let mut parser = RequestParser::default();
        let mut spans = vec![earlier];
        let parsed = parser.parse(&PING[..cut], &Limits::default(), &mut spans);
        assert!(matches!(parsed, Ok(Parsed::Incomplete { .. })));
        assert_eq!(
            (parser.is_mid_command(), &spans[..]),
            (cut >= 4, &[earlier][..])
        );
        parser.parse(PING, &Limits::default(), &mut spans).unwrap();
        assert_eq!(spans, [earlier, Span { start: 8, end: 12 }]);
        assert!(!parser.is_mid_command());
    }
}

#[test]
fn a_count_or_length_has_one_spelling() {
    use ProtocolError::*;
    let limits = Limits::default();
    for text in [
        "a",
        "",
        "+1",
        "01",
        "-0",
        "1 ",
        " 1",
        "-",
        "1a",
        "99999999999999999999",
        "\u{e9}",
    ] {
        let count = format!("*{text}\r\n");
        assert_eq!(
            error_of(count.as_bytes(), &limits),
            Some(InvalidMultibulkLength),
            "{count:?}"
        );
        let len = format!("*1\r\n${text}\r\n");
        assert_eq!(
            error_of(len.as_bytes(), &limits),
            Some(InvalidBulkLength),
            "{len:?}"
        );
    }
    assert_eq!(error_of(b"*1\r\n$-1\r\n", &limits), Some(InvalidBulkLength));
}

#[test]
fn an_argument_starts_with_a_dollar() {
    let limits = Limits::default();
    for (stream, reply) in [
        (
            &b"*1\r\nPING\r\n"[..],
            &b"ERR Protocol error: expected '$', got 'P'"[..],
        ),
        (b"*1\r\n\r\n", b"ERR Protocol error: expected '$', got '\r'"),
        (
            b"*1\r\n\xff\r\n",
            b"ERR Protocol error: expected '$', got '\xff'",
        ),
        (b"*1\r\n1\r\n", b"ERR Protocol error: expected '$', got '1'"),
    ] {
        assert_eq!(error_of(stream, &limits).unwrap().reply(), reply);
    }
}

#[test]
fn limits_hold_to_the_byte() {
    use ProtocolError::*;
    let limits = Limits {
        max_multibulk: 20,
        max_bulk_len: 30,
        max_inline: 40,
        authenticated: true,
    };
    assert_eq!(error_of(b"*20\r\n", &limits), None);
    assert_eq!(error_of(b"*21\r\n", &limits), Some(InvalidMultibulkLength));
    assert_eq!(error_of(b"*1\r\n$30\r\n", &limits), None);
    assert_eq!(error_of(b"*1\r\n$31\r\n", &limits), Some(InvalidBulkLength));
    let line = |start: &str, len| format!("{start}{}", "1".repeat(len)).into_bytes();
    for (start, error) in [("*", TooBigMultibulkCount), ("P", TooBigInline)] {
        assert_eq!(error_of(&line(start, 39), &limits), None);
        assert_eq!(error_of(&line(start, 40), &limits), Some(error));
    }
    for start in ["*1\r\n$", "*1\r\nx"] {
        assert_eq!(error_of(&line(start, 39), &limits), None);
        assert_eq!(error_of(&line(start, 40), &limits), Some(TooBigBulkCount));
    }
}

#[test]
fn before_auth_a_client_gets_little_memory() {
    use ProtocolError::*;
    let limits = Limits {
        authenticated: false,
        ..Limits::default()
    };
    assert_eq!(error_of(b"*10\r\n", &limits), None);
    assert_eq!(
        error_of(b"*11\r\n", &limits),
        Some(UnauthenticatedMultibulkLength)
    );
    assert_eq!(error_of(b"*1\r\n$16384\r\n", &limits), None);
    assert_eq!(
        error_of(b"*1\r\n$16385\r\n", &limits),
        Some(UnauthenticatedBulkLength)
    );
}

#[test]
fn the_largest_numbers_wait_for_more_or_are_refused() {
    assert_eq!(error_of(b"*2147483647\r\n", &Limits::default()), None);
    assert_eq!(
        error_of(b"*2147483648\r\n", &Limits::default())
            .unwrap()
            .reason(),
        &b"invalid multibulk length"[..]
    );
    // A replica trusts its master with arguments of any length.
    let unlimited = Limits {
        max_bulk_len: usize::MAX,
        ..Limits::default()
    };
    assert_eq!(
        error_of(b"*1\r\n$9223372036854775807\r\n", &unlimited),
        None
    );
    assert_eq!(
        error_of(b"*1\r\n$9223372036854775808\r\n", &unlimited),
        Some(ProtocolError::InvalidBulkLength)
    );
}

#[test]
fn a_line_with_a_zero_byte_never_ends() {
    let limits = Limits {
        max_inline: 100,
        ..Limits::default()
    };
    for start in [
        "\0\r\n",
        "PING \0\r\n",
        "*\0\r\n",
        "*1\r\n$\0\r\n",
        "*1\r\n\0\r\n",
    ] {
        assert_eq!(error_of(start.as_bytes(), &limits), None);
        let flood = start
            .as_bytes()
            .iter()
            .copied()
            .chain([b'A'; 100])
            .collect::<Vec<_>>();
        let error = error_of(&flood, &limits).unwrap();
        assert!(
            error.to_string().starts_with("Protocol error: too big "),
            "{error}"
        );
    }
}

#[test]
fn a_command_of_many_arguments_in_small_pieces_is_not_read_again_and_again() {
    const ARGS: usize = 300_000;
    let mut stream = format!("*{ARGS}\r\n").into_bytes();
    stream.extend(b"$1\r\nx\r\n".repeat(ARGS));
    let outcome = feed(&stream, &Limits::default(), (0..stream.len()).step_by(16));
    assert_eq!(outcome.commands[0].len(), ARGS);
}

/// Bytes that look enough like requests to get past the first checks.
fn hostile_stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => prop::sample::select(vec![
            &b"*"[..], b"$", b"\r\n", b"\r", b"\n", b"\0", b"-", b"0", b"1", b"3", b"12", b"\"", b"'", b"\\x",
            b"*1\r\n", b"*2\r\n", b"$1\r\n", b"$4\r\nPING\r\n", b" ", b"999999999999999999", b"2147483648",
        ]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn hostile_bytes_mean_the_same_whole_or_in_pieces(
        stream in hostile_stream(),
        step in 1_usize..10,
        authenticated: bool,
    ) {
        let limits = Limits { max_inline: 64, authenticated, ..Limits::default() };
        let in_pieces = feed(&stream, &limits, (0..stream.len()).step_by(step));
        let whole = feed(&stream, &limits, []);
        // A line that grows over the limit before its end arrives is refused; whole, it is a line.
        if !in_pieces.error.is_some_and(|error| error.to_string().contains("too big")) {
            prop_assert_eq!(in_pieces, whole);
        }
    }

    #[test]
    fn encoded_commands_parse_back(
        commands in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..8),
            0..6,
        ),
        step in 1_usize..50,
    ) {
        let mut stream = vec![];
        for command in &commands {
            stream.extend(format!("*{}\r\n", command.len()).bytes());
            for arg in command {
                stream.extend(format!("${}\r\n", arg.len()).bytes());
                stream.extend(arg.iter().chain(b"\r\n"));
            }
        }
        let outcome = feed(&stream, &Limits::default(), (0..stream.len()).step_by(step));
        prop_assert_eq!(outcome, Outcome { commands, error: None, left: 0 });
    }
}
