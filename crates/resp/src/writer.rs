//! Replies as they leave: one writer that speaks RESP2 or RESP3, so that a command says what it
//! means (a map, a null, a double) and every client gets it in its own protocol.

/// Appends replies to a client's output.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    resp3: bool,
    limit: usize,
}

/// The place of a header whose count is not known yet. Finish it with the same kind it was opened
/// with.
#[derive(Debug)]
#[must_use = "an unfinished header announces no elements"]
pub struct Deferred {
    at: usize,
}

/// What a deferred header holds until it is finished; the size of every count below 10.
const PLACEHOLDER: &[u8; 4] = b"*0\r\n";

/// Room for a prefix, any 64-bit number and CR LF.
const MAX_NUMBER_LINE: usize = 24;

impl<'a> Writer<'a> {
    /// Writes behind what `out` already holds.
    #[inline]
    pub fn new(out: &'a mut Vec<u8>, resp3: bool) -> Self {
        Self {
            out,
            resp3,
            limit: usize::MAX,
        }
    }

    /// Says from how many bytes on [`Writer::is_full`].
    #[must_use]
    pub fn limited(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Whether the client will be closed because of what it is owed, so that more would be written for nobody.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.out.len() > self.limit
    }

    /// The same writer for a while.
    #[inline]
    pub fn reborrow(&mut self) -> Writer<'_> {
        Writer::new(self.out, self.resp3)
    }

    /// Changes the protocol for what follows, as HELLO and RESET do.
    pub fn set_resp3(&mut self, resp3: bool) {
        self.resp3 = resp3;
    }

    /// Whether this client negotiated RESP3.
    #[inline]
    pub fn is_resp3(&self) -> bool {
        self.resp3
    }

    /// `+OK`
    #[inline]
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// A short status. Line breaks become spaces.
    #[inline]
    pub fn simple(&mut self, text: impl AsRef<[u8]>) {
        self.line(b'+', text.as_ref());
    }

    /// An error; `text` starts with its code, without `-`. Line breaks around it vanish, those
    /// inside become spaces.
    #[inline]
    pub fn error(&mut self, text: impl AsRef<[u8]>) {
        let is_break = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let text = text.as_ref();
        let start = text
            .iter()
            .position(|byte| !is_break(byte))
            .unwrap_or(text.len());
        let end = text
            .iter()
            .rposition(|byte| !is_break(byte))
            .map_or(start, |last| last + 1);
        self.line(b'-', &text[start..end]);
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        match u64::try_from(value) {
            Ok(value) => self.header(b':', value),
            Err(_) => self.number_line(b':', itoa::Buffer::new().format(value)),
        }
    }

    /// A string of any bytes.
    #[inline]
    pub fn bulk(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.out.reserve(bytes.len() + MAX_NUMBER_LINE + 2);
        self.header(b'$', bytes.len() as u64);
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    /// A number sent as a string.
    #[inline]
    pub fn bulk_int(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value));
    }

    /// No value where there could have been a string: `$-1`, in RESP3 `_`.
    #[inline]
    pub fn null(&mut self) {
        self.out
            .extend_from_slice(if self.resp3 { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// No value where there could have been an array: `*-1`, in RESP3 `_`.
    #[inline]
    pub fn null_array(&mut self) {
        self.out
            .extend_from_slice(if self.resp3 { b"_\r\n" } else { b"*-1\r\n" });
    }

    /// The header of an array; `len` values follow.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.header(b'*', len as u64);
    }

    /// The header of a map; `pairs` keys and values follow. In RESP2 they are a flat array.
    #[inline]
    pub fn map(&mut self, pairs: usize) {
        let (prefix, count) = self.map_header(pairs);
        self.header(prefix, count);
    }

    /// The header of a set; `len` values follow. In RESP2 it is an array.
    #[inline]
    pub fn set(&mut self, len: usize) {
        self.header(self.set_prefix(), len as u64);
    }

    /// The header of an out-of-band message; `len` values follow. In RESP2 it is an array.
    #[inline]
    pub fn push(&mut self, len: usize) {
        self.header(if self.resp3 { b'>' } else { b'*' }, len as u64);
    }

    /// The header of attributes of the reply that follows them. RESP2 has none: callers ask
    /// [`Self::is_resp3`] first.
    #[inline]
    pub fn attribute(&mut self, pairs: usize) {
        debug_assert!(
            self.resp3,
            "a RESP2 client would take attributes for the reply"
        );
        self.header(b'|', pairs as u64);
    }

    /// A floating point number, already as text. In RESP2 it is a string.
    #[inline]
    pub fn double_text(&mut self, text: impl AsRef<[u8]>) {
        self.line_or_bulk(b',', text.as_ref());
    }

    /// An integer of any size, already as text. In RESP2 it is a string.
    #[inline]
    pub fn big_number(&mut self, text: impl AsRef<[u8]>) {
        self.line_or_bulk(b'(', text.as_ref());
    }

    /// A truth value. In RESP2 it is 1 or 0.
    #[inline]
    pub fn bool(&mut self, value: bool) {
        self.out.extend_from_slice(match (self.resp3, value) {
            (true, true) => b"#t\r\n",
            (true, false) => b"#f\r\n",
            (false, true) => b":1\r\n",
            (false, false) => b":0\r\n",
        });
    }

    /// Text meant for people, with its format: `txt` or `mkd`. In RESP2 it is a string.
    pub fn verbatim(&mut self, format: &[u8; 3], text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        if !self.resp3 {
            return self.bulk(text);
        }
        self.header(b'=', (format.len() + 1 + text.len()) as u64);
        self.out.extend_from_slice(format);
        self.out.push(b':');
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(b"\r\n");
    }

    /// Bytes that already are a reply in this client's protocol.
    #[inline]
    pub fn raw(&mut self, reply: &[u8]) {
        self.out.extend_from_slice(reply);
    }

    /// Opens an array whose length is known only once its elements are written.
    #[inline]
    pub fn deferred_array(&mut self) -> Deferred {
        self.defer()
    }

    /// Opens a map whose size is known only once its pairs are written.
    #[inline]
    pub fn deferred_map(&mut self) -> Deferred {
        self.defer()
    }

    /// Opens a set whose size is known only once its elements are written.
    #[inline]
    pub fn deferred_set(&mut self) -> Deferred {
        self.defer()
    }

    /// Says that the array opened at `mark` has `len` elements.
    #[inline]
    pub fn finish_array(&mut self, mark: Deferred, len: usize) {
        self.finish(mark, b'*', len as u64);
    }

    /// Says that the map opened at `mark` has `pairs` pairs.
    #[inline]
    pub fn finish_map(&mut self, mark: Deferred, pairs: usize) {
        let (prefix, count) = self.map_header(pairs);
        self.finish(mark, prefix, count);
    }

    /// Says that the set opened at `mark` has `len` elements.
    #[inline]
    pub fn finish_set(&mut self, mark: Deferred, len: usize) {
        self.finish(mark, self.set_prefix(), len as u64);
    }

    /// Bytes in the output so far, for [`Self::rewind`].
    #[inline]
    #[expect(
        clippy::len_without_is_empty,
        reason = "a position in the output, not a collection"
    )]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Drops everything written since the output had `len` bytes: a command failed half way through
    /// its reply.
    #[inline]
    pub fn rewind(&mut self, len: usize) {
        self.out.truncate(len);
    }

    #[inline]
    fn map_header(&self, pairs: usize) -> (u8, u64) {
        if self.resp3 {
            (b'%', pairs as u64)
        } else {
            (b'*', pairs as u64 * 2)
        }
    }

    #[inline]
    fn set_prefix(&self) -> u8 {
        if self.resp3 { b'~' } else { b'*' }
    }

    fn line_or_bulk(&mut self, prefix: u8, text: &[u8]) {
        if self.resp3 {
            self.line(prefix, text)
        } else {
            self.bulk(text)
        }
    }

    fn line(&mut self, prefix: u8, text: &[u8]) {
        self.out.reserve(text.len() + 3);
        self.out.push(prefix);
        let start = self.out.len();
        self.out.extend_from_slice(text);
        for byte in &mut self.out[start..] {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        self.out.extend_from_slice(b"\r\n");
    }

    /// `prefix`, a count, CR LF. Most counts are short, and those are one fixed-size copy.
    #[inline]
    fn header(&mut self, prefix: u8, count: u64) {
        let digit = |place: u64| b'0' + (count / place % 10) as u8;
        match count {
            0..10 => self
                .out
                .extend_from_slice(&[prefix, digit(1), b'\r', b'\n']),
            10..100 => self
                .out
                .extend_from_slice(&[prefix, digit(10), digit(1), b'\r', b'\n']),
            _ => self.number_line(prefix, itoa::Buffer::new().format(count)),
        }
    }

    fn number_line(&mut self, prefix: u8, digits: &str) {
        self.out.reserve(MAX_NUMBER_LINE);
        self.out.push(prefix);
        self.out.extend_from_slice(digits.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    #[inline]
    fn defer(&mut self) -> Deferred {
        let at = self.out.len();
        self.out.extend_from_slice(PLACEHOLDER);
        Deferred { at }
    }

    /// Puts the header where its placeholder is. A longer header shifts what follows by its few
    /// extra bytes.
    fn finish(&mut self, mark: Deferred, prefix: u8, count: u64) {
        let placeholder = mark.at..mark.at + PLACEHOLDER.len();
        if let Ok(digit @ 0..10) = u8::try_from(count) {
            self.out[placeholder].copy_from_slice(&[prefix, b'0' + digit, b'\r', b'\n']);
            return;
        }
        let mut header = Vec::with_capacity(MAX_NUMBER_LINE);
        Writer::new(&mut header, self.resp3).header(prefix, count);
        self.out.splice(placeholder, header);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resp2(write: impl FnOnce(&mut Writer<'_>)) -> String {
        written(false, write)
    }

    fn resp3(write: impl FnOnce(&mut Writer<'_>)) -> String {
        written(true, write)
    }

    fn written(resp3: bool, write: impl FnOnce(&mut Writer<'_>)) -> String {
        let mut out = Vec::new();
        write(&mut Writer::new(&mut out, resp3));
        String::from_utf8(out).unwrap().replace("\r\n", "|")
    }

    #[test]
    fn a_writer_is_full_beyond_its_limit() {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, false).limited(6);
        writer.simple("abc");
        assert!(!writer.is_full());
        writer.integer(1);
        assert!(writer.is_full());
        assert!(!Writer::new(&mut out, false).is_full());
    }

    #[test]
    fn scalars_are_written_in_both_protocols() {
        assert_eq!(resp2(|w| w.ok()), "+OK|");
        assert_eq!(resp2(|w| w.simple("PONG")), "+PONG|");
        assert_eq!(resp2(|w| w.bulk("")), "$0||");
        assert_eq!(resp2(|w| w.bulk(b"hello")), "$5|hello|");
        assert_eq!(resp2(|w| w.bulk_int(-10)), "$3|-10|");
        assert_eq!(
            (resp2(|w| w.null()), resp3(|w| w.null())),
            ("$-1|".into(), "_|".into())
        );
        assert_eq!(
            (resp2(|w| w.null_array()), resp3(|w| w.null_array())),
            ("*-1|".into(), "_|".into())
        );
        assert_eq!(
            (resp2(|w| w.bool(true)), resp3(|w| w.bool(true))),
            (":1|".into(), "#t|".into())
        );
        assert_eq!(
            (resp2(|w| w.bool(false)), resp3(|w| w.bool(false))),
            (":0|".into(), "#f|".into())
        );
        assert_eq!(resp2(|w| w.double_text("1.5")), "$3|1.5|");
        assert_eq!(resp3(|w| w.double_text("1.5")), ",1.5|");
        assert_eq!(resp2(|w| w.big_number("123")), "$3|123|");
        assert_eq!(resp3(|w| w.big_number("123")), "(123|");
        assert_eq!(resp2(|w| w.verbatim(b"txt", "hi")), "$2|hi|");
        assert_eq!(resp3(|w| w.verbatim(b"txt", "hi")), "=6|txt:hi|");
    }

    #[test]
    fn integers_of_every_length_are_exact() {
        for value in [0, 9, 10, 99, 100, 12_345, -1, -10, i64::MAX, i64::MIN] {
            assert_eq!(resp2(|w| w.integer(value)), format!(":{value}|"));
        }
    }

    #[test]
    fn aggregates_that_resp2_lacks_are_arrays_there() {
        assert_eq!(
            (resp2(|w| w.map(2)), resp3(|w| w.map(2))),
            ("*4|".into(), "%2|".into())
        );
        assert_eq!(
            (resp2(|w| w.set(120)), resp3(|w| w.set(120))),
            ("*120|".into(), "~120|".into())
        );
        assert_eq!(
            (resp2(|w| w.push(3)), resp3(|w| w.push(3))),
            ("*3|".into(), ">3|".into())
        );
        assert_eq!(resp3(|w| w.attribute(1)), "|1|");
    }

    #[test]
    fn an_error_is_one_line_whatever_its_text() {
        assert_eq!(resp2(|w| w.error("ERR no")), "-ERR no|");
        assert_eq!(resp2(|w| w.error("\nERR a\r\nb\n\r\n")), "-ERR a  b|");
        assert_eq!(resp2(|w| w.error("\r\n")), "-|");
    }

    #[test]
    fn deferred_headers_take_their_count_at_the_end() {
        for len in [0, 9, 10, 99, 100, 12_345] {
            let reply = resp2(|w| {
                w.ok();
                let outer = w.deferred_array();
                let inner = w.deferred_map();
                (0..len).for_each(|_| w.integer(1));
                w.finish_map(inner, len);
                w.finish_array(outer, 1);
            });
            assert_eq!(reply, format!("+OK|*1|*{}|{}", len * 2, ":1|".repeat(len)));
        }
        let pair = |w: &mut Writer<'_>| {
            let map = w.deferred_map();
            let set = w.deferred_set();
            w.finish_set(set, 10);
            w.finish_map(map, 10);
        };
        assert_eq!(
            (resp2(pair), resp3(pair)),
            ("*20|*10|".into(), "%10|~10|".into())
        );
    }

    #[test]
    fn rewinding_drops_a_reply_half_written() {
        let reply = resp2(|w| {
            w.ok();
            let before = w.len();
            w.array(2);
            w.bulk("a");
            w.rewind(before);
            w.error("ERR b");
        });
        assert_eq!(reply, "+OK|-ERR b|");
    }
}
