//! Replies as a client reads them: any RESP2 or RESP3 value, from bytes that need not be trusted.

use std::fmt;

use memchr::memchr;

/// One value, as it stood on the wire: numbers that an i64 cannot hold stay text, and RESP2's two
/// nulls differ from RESP3's.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "RESP's own names")]
pub enum Frame {
    Simple(Vec<u8>),
    Error(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    NullBulk,
    Array(Vec<Frame>),
    NullArray,
    Null,
    Bool(bool),
    /// The text of a floating point number, `inf`, `-inf` or `nan`.
    Double(Vec<u8>),
    BigNumber(Vec<u8>),
    BulkError(Vec<u8>),
    /// `format` is `txt` or `mkd`.
    Verbatim {
        format: [u8; 3],
        text: Vec<u8>,
    },
    Map(Vec<(Frame, Frame)>),
    Set(Vec<Frame>),
    Push(Vec<Frame>),
    /// A value with attributes that a client may ignore.
    Attributed {
        attributes: Vec<(Frame, Frame)>,
        value: Box<Frame>,
    },
}

/// Bytes that are no frame, or a frame beyond the limits. The stream cannot be resynchronised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameError {
    /// Bytes from the start of the buffer to the value at fault.
    pub offset: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid reply at byte {}: {}", self.offset, self.reason)
    }
}

impl std::error::Error for FrameError {}

/// Deepest accepted nesting. Building a frame recurses, and the stack must hold.
pub const MAX_FRAME_DEPTH: usize = 128;
/// Longest accepted line in bytes, so that a peer cannot make us search forever for its end.
pub const MAX_FRAME_LINE: usize = 1024 * 1024;
/// Most bytes of a string and most elements of an aggregate.
pub const MAX_FRAME_LEN: usize = 1 << 32;

/// Appends `args` as a request.
pub fn encode_command(args: &[impl AsRef<[u8]>], out: &mut Vec<u8>) {
    let mut writer = crate::Writer::new(out, false);
    writer.array(args.len());
    for arg in args {
        writer.bulk(arg);
    }
}

/// The state of one connection's reply stream between reads, so that a long reply that arrives in
/// many pieces is not read from its start each time.
#[derive(Debug)]
pub struct FrameParser {
    /// Everything before this offset is whole values and headers of the current frame.
    at: usize,
    /// Values still to come before the frame is whole.
    outstanding: u64,
}

impl Default for FrameParser {
    fn default() -> Self {
        Self {
            at: 0,
            outstanding: 1,
        }
    }
}

impl FrameParser {
    /// Reads the frame at the start of `buf`: the frame and its length in bytes, or nothing when it
    /// goes on. Then the caller calls again with a buffer that starts with the same bytes.
    ///
    /// # Errors
    ///
    /// [`FrameError`] when no continuation of `buf` is a frame within the limits of this module.
    pub fn parse(&mut self, buf: &[u8]) -> Result<Option<(Frame, usize)>, FrameError> {
        if !self.is_whole(buf)? {
            return Ok(None);
        }
        *self = Self::default();
        let mut builder = Builder { buf, at: 0 };
        let frame = builder.frame(MAX_FRAME_DEPTH)?;
        Ok(Some((frame, builder.at)))
    }

    /// Walks over values without building them. Nesting needs no stack: an aggregate just adds its
    /// elements to the values still to come.
    fn is_whole(&mut self, buf: &[u8]) -> Result<bool, FrameError> {
        while self.outstanding > 0 {
            let Some(head) = Head::read(buf, self.at)? else {
                return Ok(false);
            };
            match head.body {
                Body::Nothing | Body::Null => self.at = head.next,
                Body::Bytes(len) => {
                    let end = head.next + len;
                    match buf.get(end..end + CRLF.len()) {
                        Some(CRLF) => self.at = end + CRLF.len(),
                        Some(_) => return Err(head.error("no line end after a string")),
                        None => return Ok(false),
                    }
                }
                Body::Values(count) => {
                    self.outstanding = self.outstanding.saturating_add(count as u64);
                    self.at = head.next;
                }
            }
            self.outstanding -= 1;
        }
        Ok(true)
    }
}

impl Frame {
    /// Reads the frame at the start of `buf`: the frame and its length in bytes, or nothing when
    /// `buf` ends too early. See [`FrameParser`] for streams.
    ///
    /// # Errors
    ///
    /// [`FrameError`] when no continuation of `buf` is a frame within the limits of this module.
    pub fn parse(buf: &[u8]) -> Result<Option<(Self, usize)>, FrameError> {
        FrameParser::default().parse(buf)
    }

    /// Appends the frame as it stands on the wire.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Simple(text) => encode_line(b'+', text, out),
            Self::Error(text) => encode_line(b'-', text, out),
            Self::Integer(value) => encode_line(b':', value.to_string().as_bytes(), out),
            Self::Bulk(bytes) => encode_string(b'$', bytes, out),
            Self::NullBulk => out.extend(b"$-1\r\n"),
            Self::Array(items) => encode_items(b'*', items, out),
            Self::NullArray => out.extend(b"*-1\r\n"),
            Self::Null => out.extend(b"_\r\n"),
            Self::Bool(value) => out.extend(if *value { b"#t\r\n" } else { b"#f\r\n" }),
            Self::Double(text) => encode_line(b',', text, out),
            Self::BigNumber(text) => encode_line(b'(', text, out),
            Self::BulkError(text) => encode_string(b'!', text, out),
            Self::Verbatim { format, text } => {
                encode_string(b'=', &[format, &b":"[..], text].concat(), out);
            }
            Self::Map(pairs) => encode_pairs(b'%', pairs, out),
            Self::Set(items) => encode_items(b'~', items, out),
            Self::Push(items) => encode_items(b'>', items, out),
            Self::Attributed { attributes, value } => {
                encode_pairs(b'|', attributes, out);
                value.encode(out);
            }
        }
    }

    /// The text of an error of either kind.
    pub fn as_error(&self) -> Option<&[u8]> {
        match self {
            Self::Error(text) | Self::BulkError(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes of anything that is text: a string, a status, a number that came as text.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(text)
            | Self::Bulk(text)
            | Self::Double(text)
            | Self::BigNumber(text)
            | Self::Verbatim { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The value of an integer.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements of an array, a set or a push.
    pub fn as_items(&self) -> Option<&[Frame]> {
        match self {
            Self::Array(items) | Self::Set(items) | Self::Push(items) => Some(items),
            _ => None,
        }
    }

    /// Whether this is one of the three nulls.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null | Self::NullBulk | Self::NullArray)
    }
}

/// Close to what `redis-cli` shows, in one line: `"text"`, `OK`, `(error) ERR …`, `12`, `[…]`.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = |pairs: &[(Self, Self)], f: &mut fmt::Formatter<'_>| {
            f.debug_map()
                .entries(pairs.iter().map(|(key, value)| (key, value)))
                .finish()
        };
        match self {
            Self::Simple(text) => write!(f, "{}", text.escape_ascii()),
            Self::Error(text) | Self::BulkError(text) => {
                write!(f, "(error) {}", text.escape_ascii())
            }
            Self::Integer(value) => write!(f, "{value}"),
            Self::Bulk(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
            Self::NullBulk => write!(f, "(nil string)"),
            Self::NullArray => write!(f, "(nil array)"),
            Self::Null => write!(f, "(nil)"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Double(text) => write!(f, "(double) {}", text.escape_ascii()),
            Self::BigNumber(text) => write!(f, "(big number) {}", text.escape_ascii()),
            Self::Verbatim { text, .. } => write!(f, "(verbatim) \"{}\"", text.escape_ascii()),
            Self::Array(items) => f.debug_list().entries(items).finish(),
            Self::Set(items) => f.debug_set().entries(items).finish(),
            Self::Push(items) => {
                write!(f, "(push) ")?;
                f.debug_list().entries(items).finish()
            }
            Self::Map(entries) => pairs(entries, f),
            Self::Attributed { attributes, value } => {
                write!(f, "(attributes) ")?;
                pairs(attributes, f)?;
                write!(f, " {value:?}")
            }
        }
    }
}

const CRLF: &[u8] = b"\r\n";

/// The first line of a value, and what it says must follow.
struct Head<'a> {
    offset: usize,
    kind: u8,
    text: &'a [u8],
    body: Body,
    /// Offset after the line.
    next: usize,
}

#[derive(Clone, Copy)]
enum Body {
    Nothing,
    /// RESP2's null: a length of -1.
    Null,
    Bytes(usize),
    Values(usize),
}

impl<'a> Head<'a> {
    fn read(buf: &'a [u8], offset: usize) -> Result<Option<Self>, FrameError> {
        let error = |reason| FrameError { offset, reason };
        let rest = &buf[offset..];
        let Some(end) = memchr(b'\r', &rest[..rest.len().min(MAX_FRAME_LINE)]) else {
            return match rest.len() < MAX_FRAME_LINE {
                true => Ok(None),
                false => Err(error("line too long")),
            };
        };
        match rest.get(end + 1) {
            Some(b'\n') => {}
            Some(_) => return Err(error("CR without LF")),
            None => return Ok(None),
        }
        let Some((&kind, text)) = rest[..end].split_first() else {
            return Err(error("empty line"));
        };
        let len = || match number(text) {
            Some(-1) if matches!(kind, b'$' | b'*') => Ok(None),
            Some(len) => match usize::try_from(len) {
                Ok(len) if len <= MAX_FRAME_LEN => Ok(Some(len)),
                _ => Err(error("length out of range")),
            },
            None => Err(error("length is not a number")),
        };
        let body = match kind {
            b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => Body::Nothing,
            b'$' | b'!' | b'=' => len()?.map_or(Body::Null, Body::Bytes),
            b'*' | b'~' | b'>' => len()?.map_or(Body::Null, Body::Values),
            b'%' => len()?.map_or(Body::Null, |pairs| Body::Values(pairs * 2)),
            b'|' => len()?.map_or(Body::Null, |pairs| Body::Values(pairs * 2 + 1)),
            _ => return Err(error("unknown type")),
        };
        let next = offset + end + CRLF.len();
        Ok(Some(Self {
            offset,
            kind,
            text,
            body,
            next,
        }))
    }

    fn error(&self, reason: &'static str) -> FrameError {
        FrameError {
            offset: self.offset,
            reason,
        }
    }
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Turns bytes into a frame once they are known to be whole.
struct Builder<'a> {
    buf: &'a [u8],
    at: usize,
}

impl Builder<'_> {
    fn frame(&mut self, depth_left: usize) -> Result<Frame, FrameError> {
        let head = Head::read(self.buf, self.at)?.expect("only whole frames are built");
        if depth_left == 0 {
            return Err(head.error("nested too deep"));
        }
        self.at = head.next;
        let text = || head.text.to_vec();
        Ok(match (head.kind, head.body) {
            (b'+', _) => Frame::Simple(text()),
            (b'-', _) => Frame::Error(text()),
            (b',', _) => Frame::Double(text()),
            (b'(', _) => Frame::BigNumber(text()),
            (b':', _) => {
                Frame::Integer(number(head.text).ok_or(head.error("integer out of range"))?)
            }
            (b'_', _) if head.text.is_empty() => Frame::Null,
            (b'#', _) if head.text == b"t" => Frame::Bool(true),
            (b'#', _) if head.text == b"f" => Frame::Bool(false),
            (b'$', Body::Null) => Frame::NullBulk,
            (b'*', Body::Null) => Frame::NullArray,
            (b'$', Body::Bytes(len)) => Frame::Bulk(self.bytes(len).to_vec()),
            (b'!', Body::Bytes(len)) => Frame::BulkError(self.bytes(len).to_vec()),
            (b'=', Body::Bytes(len)) => match self.bytes(len) {
                &[a, b, c, b':', ref text @ ..] => Frame::Verbatim {
                    format: [a, b, c],
                    text: text.to_vec(),
                },
                _ => return Err(head.error("verbatim string without format")),
            },
            (b'*', Body::Values(count)) => Frame::Array(self.items(count, depth_left)?),
            (b'~', Body::Values(count)) => Frame::Set(self.items(count, depth_left)?),
            (b'>', Body::Values(count)) => Frame::Push(self.items(count, depth_left)?),
            (b'%', Body::Values(count)) => Frame::Map(self.pairs(count / 2, depth_left)?),
            (b'|', Body::Values(count)) => Frame::Attributed {
                attributes: self.pairs(count / 2, depth_left)?,
                value: Box::new(self.frame(depth_left - 1)?),
            },
            _ => return Err(head.error("not a value of its type")),
        })
    }

    fn bytes(&mut self, len: usize) -> &[u8] {
        let start = self.at;
        self.at += len + CRLF.len();
        &self.buf[start..start + len]
    }

    fn items(&mut self, count: usize, depth_left: usize) -> Result<Vec<Frame>, FrameError> {
        (0..count).map(|_| self.frame(depth_left - 1)).collect()
    }

    fn pairs(&mut self, count: usize, depth: usize) -> Result<Vec<(Frame, Frame)>, FrameError> {
        (0..count)
            .map(|_| Ok((self.frame(depth - 1)?, self.frame(depth - 1)?)))
            .collect()
    }
}

fn encode_line(kind: u8, text: &[u8], out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(text);
    out.extend_from_slice(CRLF);
}

fn encode_string(kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
    encode_line(kind, bytes.len().to_string().as_bytes(), out);
    out.extend_from_slice(bytes);
    out.extend_from_slice(CRLF);
}

fn encode_items(kind: u8, items: &[Frame], out: &mut Vec<u8>) {
    encode_line(kind, items.len().to_string().as_bytes(), out);
    items.iter().for_each(|item| item.encode(out));
}

fn encode_pairs(kind: u8, pairs: &[(Frame, Frame)], out: &mut Vec<u8>) {
    encode_line(kind, pairs.len().to_string().as_bytes(), out);
    for (key, value) in pairs {
        key.encode(out);
        value.encode(out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(bytes: impl AsRef<[u8]>) -> Frame {
        let bytes = bytes.as_ref();
        let (frame, len) = Frame::parse(bytes).unwrap().unwrap();
        assert_eq!(len, bytes.len());
        frame
    }

    fn reason(bytes: impl AsRef<[u8]>) -> &'static str {
        Frame::parse(bytes.as_ref()).unwrap_err().reason
    }

    #[test]
    fn every_type_is_read() {
        let bulk = |text: &str| Frame::Bulk(text.into());
        for (bytes, frame) in [
            ("+OK\r\n", Frame::Simple("OK".into())),
            ("-ERR no\r\n", Frame::Error("ERR no".into())),
            (":-12\r\n", Frame::Integer(-12)),
            ("$3\r\n\r\n1\r\n", bulk("\r\n1")),
            ("$0\r\n\r\n", bulk("")),
            ("$-1\r\n", Frame::NullBulk),
            ("*-1\r\n", Frame::NullArray),
            ("_\r\n", Frame::Null),
            ("#t\r\n", Frame::Bool(true)),
            ("#f\r\n", Frame::Bool(false)),
            (",1.5e10\r\n", Frame::Double("1.5e10".into())),
            (
                "(1234567890123456789012\r\n",
                Frame::BigNumber("1234567890123456789012".into()),
            ),
            ("!2\r\nno\r\n", Frame::BulkError("no".into())),
            (
                "=6\r\ntxt:hi\r\n",
                Frame::Verbatim {
                    format: *b"txt",
                    text: "hi".into(),
                },
            ),
            (
                "*2\r\n*0\r\n$1\r\na\r\n",
                Frame::Array(vec![Frame::Array(vec![]), bulk("a")]),
            ),
            (
                "%1\r\n:1\r\n~1\r\n_\r\n",
                Frame::Map(vec![(Frame::Integer(1), Frame::Set(vec![Frame::Null]))]),
            ),
            (">1\r\n$1\r\nm\r\n", Frame::Push(vec![bulk("m")])),
            (
                "|1\r\n+a\r\n:1\r\n$1\r\nv\r\n",
                Frame::Attributed {
                    attributes: vec![(Frame::Simple("a".into()), Frame::Integer(1))],
                    value: Box::new(bulk("v")),
                },
            ),
        ] {
            assert_eq!(parse(bytes), frame, "{bytes:?}");
        }
    }

    #[test]
    fn no_prefix_of_a_frame_is_a_frame() {
        let bytes = b"*3\r\n%1\r\n+a\r\n$2\r\nxy\r\n|1\r\n+k\r\n:1\r\n,1\r\n=5\r\ntxt:a\r\n";
        for len in 0..bytes.len() {
            assert_eq!(Frame::parse(&bytes[..len]), Ok(None), "{len}");
        }
        parse(bytes);
    }

    #[test]
    fn what_is_no_frame_is_refused_with_its_place() {
        assert_eq!(
            Frame::parse(b"*2\r\n:1\r\n?\r\n"),
            Err(FrameError {
                offset: 8,
                reason: "unknown type"
            })
        );
        assert_eq!(reason("\r\n"), "empty line");
        assert_eq!(reason("+a\rb"), "CR without LF");
        assert_eq!(reason("$1\r\nabc"), "no line end after a string");
        assert_eq!(reason("$x\r\n"), "length is not a number");
        assert_eq!(reason("$-2\r\n"), "length out of range");
        assert_eq!(reason("%-1\r\n"), "length out of range");
        assert_eq!(reason("*4294967297\r\n"), "length out of range");
        assert_eq!(reason(":9223372036854775808\r\n"), "integer out of range");
        assert_eq!(reason("#x\r\n"), "not a value of its type");
        assert_eq!(reason("_x\r\n"), "not a value of its type");
        assert_eq!(reason("=2\r\nab\r\n"), "verbatim string without format");
        assert_eq!(reason([b'+'; MAX_FRAME_LINE]), "line too long");
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth| format!("{}:1\r\n", "*1\r\n".repeat(depth - 1));
        parse(nested(MAX_FRAME_DEPTH));
        assert_eq!(reason(nested(MAX_FRAME_DEPTH + 1)), "nested too deep");
        assert_eq!(reason(nested(100_000)), "nested too deep");
    }

    #[test]
    fn a_huge_announced_length_costs_nothing_before_its_elements_come() {
        let parsed = Frame::parse(format!("*{MAX_FRAME_LEN}\r\n").repeat(1000).as_bytes());
        assert_eq!(parsed, Ok(None));
    }

    #[test]
    fn commands_are_arrays_of_strings() {
        let mut bytes = vec![];
        encode_command(&["SET", "k", ""], &mut bytes);
        assert_eq!(bytes, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n");
    }

    #[test]
    fn frames_are_shown_so_that_people_can_read_them() {
        let shown = format!(
            "{:?}",
            parse("*4\r\n+OK\r\n-ERR x\r\n$2\r\n\"\0\r\n%1\r\n:1\r\n_\r\n")
        );
        assert_eq!(shown, r#"[OK, (error) ERR x, "\"\x00", {1: (nil)}]"#);
    }

    fn any_frame() -> impl Strategy<Value = Frame> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..12);
        let text = || "[a-z ]{0,8}".prop_map(String::into_bytes);
        let scalar = prop_oneof![
            text().prop_map(Frame::Simple),
            text().prop_map(Frame::Error),
            any::<i64>().prop_map(Frame::Integer),
            bytes().prop_map(Frame::Bulk),
            bytes().prop_map(Frame::BulkError),
            text().prop_map(Frame::Double),
            text().prop_map(Frame::BigNumber),
            any::<bool>().prop_map(Frame::Bool),
            (any::<[u8; 3]>(), bytes()).prop_map(|(format, text)| Frame::Verbatim { format, text }),
            Just(Frame::Null),
            Just(Frame::NullBulk),
            Just(Frame::NullArray),
        ];
        scalar.prop_recursive(4, 30, 4, |inner| {
            let items = || prop::collection::vec(inner.clone(), 0..4);
            let pairs = || prop::collection::vec((inner.clone(), inner.clone()), 0..3);
            prop_oneof![
                items().prop_map(Frame::Array),
                items().prop_map(Frame::Set),
                items().prop_map(Frame::Push),
                pairs().prop_map(Frame::Map),
                (pairs(), inner.clone()).prop_map(|(attributes, value)| Frame::Attributed {
                    attributes,
                    value: Box::new(value)
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_back_even_in_pieces(frame in any_frame(), step in 1_usize..9) {
            let mut bytes = vec![];
            frame.encode(&mut bytes);
            let len = bytes.len();
            bytes.extend(b"+next");
            let mut parser = FrameParser::default();
            for cut in (0..len).step_by(step) {
                prop_assert_eq!(parser.parse(&bytes[..cut]), Ok(None));
            }
            prop_assert_eq!(parser.parse(&bytes), Ok(Some((frame, len))));
        }

        #[test]
        fn hostile_bytes_never_panic(frame in any_frame(), changes: Vec<(prop::sample::Index, u8)>) {
            let mut bytes = vec![];
            frame.encode(&mut bytes);
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            let _ = Frame::parse(&bytes);
        }
    }
}
