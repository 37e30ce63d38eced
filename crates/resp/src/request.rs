//! Requests as they arrive from clients: arrays of bulk strings, or inline lines typed by a person.
//!
//! The parser never copies arguments: it reports where they are in the caller's buffer. Between
//! reads it keeps only how far it got, so a command that arrives in thousands of pieces costs no
//! more than one that arrives whole.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr2;

use crate::inline::split_args;

/// What a client may send. The defaults are those of Redis 7.0 for an authenticated client.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Longest accepted argument in bytes (`proto-max-bulk-len`).
    pub max_bulk_len: usize,
    /// Most arguments of one command.
    pub max_multibulk: usize,
    /// Longest line in bytes, both of an inline command and of a `*n` or `$n` header.
    pub max_inline: usize,
    /// A client that still has to authenticate gets little memory: see
    /// [`UNAUTHENTICATED_MULTIBULK`] and [`UNAUTHENTICATED_BULK_LEN`].
    pub authenticated: bool,
}

/// Most arguments of one command of a client that still has to authenticate.
pub const UNAUTHENTICATED_MULTIBULK: usize = 10;
/// Longest argument in bytes of a client that still has to authenticate.
pub const UNAUTHENTICATED_BULK_LEN: usize = 16 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bulk_len: 512 * 1024 * 1024,
            max_multibulk: i32::MAX as usize,
            max_inline: 64 * 1024,
            authenticated: true,
        }
    }
}

/// Where an argument lies, in bytes from the start of the buffer given to [`RequestParser::parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl Span {
    /// The argument itself. Panics when `buf` is not the buffer that was parsed.
    #[inline]
    pub fn of(self, buf: &[u8]) -> &[u8] {
        &buf[self.start..self.end]
    }
}

/// What [`RequestParser::parse`] found at the start of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A whole command of `consumed` bytes; its arguments were appended to the spans.
    Command {
        /// Bytes of the command.
        consumed: usize,
    },
    /// A whole inline command of `consumed` bytes; its arguments are in
    /// [`RequestParser::inline_args`].
    Inline {
        /// Bytes of the line with its line end.
        consumed: usize,
    },
    /// `consumed` bytes that ask for nothing: a blank line, `*0` or a negative count.
    Empty {
        /// Bytes to skip.
        consumed: usize,
    },
    /// The command goes on; parse again with the same bytes and at least one more.
    Incomplete {
        /// No answer before this many more bytes: all that is missing of a started argument, else
        /// 1.
        needed: usize,
    },
}

/// Bytes no request can start with, or a limit passed. The stream cannot be resynchronised: reply
/// and close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The text after `*` is not a count, or the count is above the limit.
    InvalidMultibulkLength,
    /// The text after `$` is not a length, or the length is above the limit.
    InvalidBulkLength,
    /// An argument starts with this byte instead of `$`.
    ExpectedDollar(u8),
    /// A `*` line without end.
    TooBigMultibulkCount,
    /// A `$` line without end.
    TooBigBulkCount,
    /// An inline line without end.
    TooBigInline,
    /// An inline line with a quote left open, or closed in the middle of a word.
    UnbalancedQuotes,
    /// More than [`UNAUTHENTICATED_MULTIBULK`] arguments before AUTH.
    UnauthenticatedMultibulkLength,
    /// More than [`UNAUTHENTICATED_BULK_LEN`] bytes before AUTH.
    UnauthenticatedBulkLength,
}

impl ProtocolError {
    /// What is wrong, in Redis's words. Bytes, since the offending byte is quoted as it came.
    pub fn reason(&self) -> Cow<'static, [u8]> {
        let text: &'static str = match self {
            Self::ExpectedDollar(got) => {
                let mut text = b"expected '$', got '".to_vec();
                text.extend([*got, b'\'']);
                return Cow::Owned(text);
            }
            Self::InvalidMultibulkLength => "invalid multibulk length",
            Self::InvalidBulkLength => "invalid bulk length",
            Self::TooBigMultibulkCount => "too big mbulk count string",
            Self::TooBigBulkCount => "too big bulk count string",
            Self::TooBigInline => "too big inline request",
            Self::UnbalancedQuotes => "unbalanced quotes in request",
            Self::UnauthenticatedMultibulkLength => "unauthenticated multibulk length",
            Self::UnauthenticatedBulkLength => "unauthenticated bulk length",
        };
        Cow::Borrowed(text.as_bytes())
    }

    /// The text for [`Writer::error`](crate::Writer::error), code included.
    pub fn reply(&self) -> Vec<u8> {
        [b"ERR Protocol error: ", &*self.reason()].concat()
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Protocol error: {}", self.reason().escape_ascii())
    }
}

impl std::error::Error for ProtocolError {}

/// The state of one connection's request stream between reads.
///
/// After [`Parsed::Incomplete`] the caller calls again with a buffer that starts with the same
/// bytes (it may have grown or moved). After any other answer it drops the consumed bytes. An error
/// is final.
#[derive(Debug, Default)]
pub struct RequestParser {
    /// Everything before this offset is understood.
    at: usize,
    /// Everything from `at` to this offset is known to hold no line end.
    searched: usize,
    /// Arguments still to come; 0 between commands.
    args_left: usize,
    /// Length of the argument that starts at `at`, once its `$` line was read.
    bulk_len: Option<usize>,
    /// The arguments so far of a command that did not arrive whole.
    spans: Vec<Span>,
    inline_args: Vec<Vec<u8>>,
}

/// Spans kept allocated between commands; a client that once sent a huge command does not hold its
/// memory forever.
const SPANS_KEPT: usize = 64;

impl RequestParser {
    /// Reads the command at the start of `buf` and appends its arguments to `spans`.
    ///
    /// A command that is whole in `buf` is parsed without allocation, as long as `spans` has room.
    /// On any answer but [`Parsed::Command`] `spans` is left as it was.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] when no continuation of `buf` is a request within `limits`.
    #[inline]
    pub fn parse(
        &mut self,
        buf: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        if self.args_left > 0 {
            return self.resume(buf, limits, spans);
        }
        let before = spans.len();
        let parsed = self.advance(buf, limits, spans);
        if !matches!(parsed, Ok(Parsed::Command { .. })) {
            self.spans.extend(spans.drain(before..));
        }
        parsed
    }

    /// The words of the line last reported as [`Parsed::Inline`].
    pub fn inline_args(&self) -> &[Vec<u8>] {
        &self.inline_args
    }

    /// Bytes at the start of the buffer that are understood already: of a command that did not arrive whole.
    pub fn understood(&self) -> usize {
        self.at
    }

    /// Whether the parser holds the beginning of a command with arguments.
    pub fn is_mid_command(&self) -> bool {
        self.args_left > 0
    }

    /// Goes on with a command whose first arguments are already in `self.spans`.
    #[cold]
    fn resume(
        &mut self,
        buf: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        let mut own = std::mem::take(&mut self.spans);
        let parsed = self.advance(buf, limits, &mut own);
        if matches!(parsed, Ok(Parsed::Command { .. })) {
            spans.append(&mut own);
            own.shrink_to(SPANS_KEPT);
        }
        self.spans = own;
        parsed
    }

    fn advance(
        &mut self,
        buf: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        let (mut at, mut args_left) = (self.at, self.args_left);
        if args_left == 0 {
            match buf.first() {
                Some(b'*') => {}
                Some(_) => return self.inline(buf, limits),
                None => return Ok(Parsed::Incomplete { needed: 1 }),
            }
            match number_line(buf, 1, &mut self.searched) {
                Line::Number { value, next } => match check_count(value, limits)? {
                    0 => {
                        self.searched = 0;
                        return Ok(Parsed::Empty { consumed: next });
                    }
                    count => (at, args_left) = (next, count),
                },
                Line::NotANumber => return Err(ProtocolError::InvalidMultibulkLength),
                Line::Unfinished if buf.len() > limits.max_inline => {
                    return Err(ProtocolError::TooBigMultibulkCount);
                }
                Line::Unfinished => return Ok(Parsed::Incomplete { needed: 1 }),
            }
        }
        let mut bulk_len = self.bulk_len.take();
        while args_left > 0 {
            let len = match bulk_len.take() {
                Some(len) => len,
                None => match self.bulk_header(buf, at, limits)? {
                    Some((len, next)) => {
                        at = next;
                        len
                    }
                    None => {
                        (self.at, self.args_left) = (at, args_left);
                        return Ok(Parsed::Incomplete { needed: 1 });
                    }
                },
            };
            // What follows an argument is skipped unseen, as Redis does.
            let end = at.saturating_add(len).saturating_add(CRLF_LEN);
            if buf.len() < end {
                (self.at, self.args_left, self.bulk_len) = (at, args_left, Some(len));
                return Ok(Parsed::Incomplete {
                    needed: end - buf.len(),
                });
            }
            spans.push(Span {
                start: at,
                end: at + len,
            });
            at = end;
            args_left -= 1;
        }
        (self.at, self.searched, self.args_left) = (0, 0, 0);
        Ok(Parsed::Command { consumed: at })
    }

    /// The `$n` line at `at`: n and the offset after the line, or nothing yet.
    #[inline]
    fn bulk_header(
        &mut self,
        buf: &[u8],
        at: usize,
        limits: &Limits,
    ) -> Result<Option<(usize, usize)>, ProtocolError> {
        let line = match buf.get(at) {
            Some(b'$') => number_line(buf, at + 1, &mut self.searched),
            // Redis says so only once the line is whole.
            Some(&got) => match any_line(buf, at, &mut self.searched) {
                Line::Unfinished => Line::Unfinished,
                _ => return Err(ProtocolError::ExpectedDollar(got)),
            },
            None => Line::Unfinished,
        };
        match line {
            Line::Number { value, next } => Ok(Some((check_len(value, limits)?, next))),
            Line::NotANumber => Err(ProtocolError::InvalidBulkLength),
            Line::Unfinished if buf.len().saturating_sub(at) > limits.max_inline => {
                Err(ProtocolError::TooBigBulkCount)
            }
            Line::Unfinished => Ok(None),
        }
    }

    #[cold]
    fn inline(&mut self, buf: &[u8], limits: &Limits) -> Result<Parsed, ProtocolError> {
        let Some(newline) = find_line_end(buf, b'\n', &mut self.searched) else {
            return match buf.len() > limits.max_inline {
                true => Err(ProtocolError::TooBigInline),
                false => Ok(Parsed::Incomplete { needed: 1 }),
            };
        };
        self.searched = 0;
        let consumed = newline + 1;
        let line = &buf[..newline];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.inline_args = split_args(line).ok_or(ProtocolError::UnbalancedQuotes)?;
        Ok(match self.inline_args.is_empty() {
            true => Parsed::Empty { consumed },
            false => Parsed::Inline { consumed },
        })
    }
}

const CRLF_LEN: usize = 2;

#[inline]
fn check_count(value: i64, limits: &Limits) -> Result<usize, ProtocolError> {
    let Ok(count) = usize::try_from(value) else {
        return Ok(0); // negative: nothing to run
    };
    if count > limits.max_multibulk {
        return Err(ProtocolError::InvalidMultibulkLength);
    }
    if count > UNAUTHENTICATED_MULTIBULK && !limits.authenticated {
        return Err(ProtocolError::UnauthenticatedMultibulkLength);
    }
    Ok(count)
}

#[inline]
fn check_len(value: i64, limits: &Limits) -> Result<usize, ProtocolError> {
    match usize::try_from(value) {
        Ok(len) if len > limits.max_bulk_len => Err(ProtocolError::InvalidBulkLength),
        Ok(len) if len > UNAUTHENTICATED_BULK_LEN && !limits.authenticated => {
            Err(ProtocolError::UnauthenticatedBulkLength)
        }
        Ok(len) => Ok(len),
        Err(_) => Err(ProtocolError::InvalidBulkLength),
    }
}

enum Line {
    /// A decimal number, and the offset after the line end.
    Number {
        value: i64,
        next: usize,
    },
    /// A whole line that is no number.
    NotANumber,
    Unfinished,
}

/// Digits that fit an i64 whatever they are.
const SAFE_DIGITS: usize = 18;

/// The number at `from` up to its CR LF. Only one digit sequence means each number: no `+1`, `01`
/// or `-0`.
#[inline]
fn number_line(buf: &[u8], from: usize, searched: &mut usize) -> Line {
    let mut value: i64 = 0;
    for (digits, &byte) in buf[from..].iter().take(SAFE_DIGITS + 1).enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            // Wraps only at the 19th digit, which is never accepted here.
            value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
            continue;
        }
        let next = from + digits + CRLF_LEN;
        let canonical = digits == 1 || (digits > 1 && buf[from] != b'0');
        // The byte after CR is not looked at, but it must be there.
        if byte == b'\r' && canonical && next <= buf.len() {
            return Line::Number { value, next };
        }
        break;
    }
    any_line(buf, from, searched)
}

/// The line at `from`, for what the loop above leaves: negative, very long, malformed and
/// unfinished.
#[cold]
fn any_line(buf: &[u8], from: usize, searched: &mut usize) -> Line {
    *searched = from.max(*searched);
    let Some(end) = find_line_end(buf, b'\r', searched) else {
        return Line::Unfinished;
    };
    let next = end + CRLF_LEN;
    if next > buf.len() {
        return Line::Unfinished;
    }
    match canonical_i64(&buf[from..end]) {
        Some(value) => Line::Number { value, next },
        None => Line::NotANumber,
    }
}

/// Finds `end` from `searched` on, and remembers there how far it looked. As for Redis, whose lines
/// are C strings, no line has a zero byte in it: one that does never ends, and so runs into the
/// limit.
fn find_line_end(buf: &[u8], end: u8, searched: &mut usize) -> Option<usize> {
    let found = memchr2(end, 0, &buf[*searched..]).map(|offset| *searched + offset);
    *searched = found.unwrap_or(buf.len());
    found.filter(|&offset| buf[offset] == end)
}

fn canonical_i64(text: &[u8]) -> Option<i64> {
    let value: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (itoa::Buffer::new().format(value).as_bytes() == text).then_some(value)
}
