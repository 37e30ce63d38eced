//! A reply as it was on the wire, RESP2 or RESP3, and the ways to compare two of them.

use std::fmt;
use std::io::{self, BufRead, Read};

/// One reply. Each variant keeps its type byte, so encoding gives back exactly the bytes that were read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reply {
    /// `+` `-` `:` `,` `(` `#` `_`: the text up to the end of the line.
    Line(u8, Vec<u8>),
    /// `$` `=` `!`: bytes with a length before them; `None` is the null of RESP2.
    Blob(u8, Option<Vec<u8>>),
    /// `*` `~` `>` `%` `|`: items; keys and values of a map alternate. `None` is the null array of RESP2.
    Group(u8, Option<Vec<Reply>>),
}

/// Why no reply could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyError {
    /// Nothing, or not all of it, arrived in time.
    Silence,
    /// The server closed the connection.
    Closed,
    /// These bytes are not RESP, or not in the one form the server may use for them.
    NotResp(Vec<u8>),
}

impl Reply {
    /// Reads one reply.
    ///
    /// # Errors
    /// [`ReplyError`] says what came instead.
    pub fn read(from: &mut impl BufRead) -> Result<Reply, ReplyError> {
        let line = read_line(from)?;
        let bad = || ReplyError::NotResp(line.clone());
        let (&kind, rest) = line.split_first().ok_or_else(bad)?;
        match kind {
            b'+' | b'-' | b':' | b',' | b'(' | b'#' | b'_' => Ok(Reply::Line(kind, rest.to_vec())),
            b'$' | b'=' | b'!' | b'*' | b'~' | b'>' | b'%' | b'|' => {
                let length = canonical_length(rest).ok_or_else(bad)?;
                let is_blob = matches!(kind, b'$' | b'=' | b'!');
                match usize::try_from(length) {
                    Ok(length) if is_blob => Ok(Reply::Blob(kind, Some(read_blob(from, length)?))),
                    Ok(length) => {
                        let count = if matches!(kind, b'%' | b'|') {
                            length * 2
                        } else {
                            length
                        };
                        let items = (0..count)
                            .map(|_| Reply::read(from))
                            .collect::<Result<_, _>>()?;
                        Ok(Reply::Group(kind, Some(items)))
                    }
                    Err(_) if kind == b'$' => Ok(Reply::Blob(kind, None)),
                    Err(_) if kind == b'*' => Ok(Reply::Group(kind, None)),
                    Err(_) => Err(bad()),
                }
            }
            _ => Err(bad()),
        }
    }

    /// The bytes of this reply on the wire.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }

    fn encode_into(&self, out: &mut Vec<u8>) {
        let head = |out: &mut Vec<u8>, kind: u8, rest: &[u8]| {
            out.push(kind);
            out.extend(rest);
            out.extend(b"\r\n");
        };
        match self {
            Reply::Line(kind, text) => head(out, *kind, text),
            Reply::Blob(kind, None) | Reply::Group(kind, None) => head(out, *kind, b"-1"),
            Reply::Blob(kind, Some(bytes)) => {
                head(out, *kind, bytes.len().to_string().as_bytes());
                out.extend(bytes);
                out.extend(b"\r\n");
            }
            Reply::Group(kind, Some(items)) => {
                let count = if matches!(kind, b'%' | b'|') {
                    items.len() / 2
                } else {
                    items.len()
                };
                head(out, *kind, count.to_string().as_bytes());
                items.iter().for_each(|item| item.encode_into(out));
            }
        }
    }

    /// True for `-` and `!` replies.
    pub fn is_error(&self) -> bool {
        matches!(self, Reply::Line(b'-', _) | Reply::Blob(b'!', _))
    }

    /// True for a message that answers no request.
    pub fn is_push(&self) -> bool {
        matches!(self, Reply::Group(b'>', _))
    }

    /// True for the nulls of both protocols.
    pub fn is_null(&self) -> bool {
        matches!(
            self,
            Reply::Blob(_, None) | Reply::Group(_, None) | Reply::Line(b'_', _)
        )
    }

    /// The bytes of a blob or line; `None` for groups and nulls.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Reply::Line(b'_', _) => None,
            Reply::Line(_, bytes) | Reply::Blob(_, Some(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// The text of a blob or line, lossily.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes().unwrap_or_default()).into_owned()
    }

    /// The number of an integer reply, or of a blob that holds one.
    pub fn integer(&self) -> Option<i64> {
        std::str::from_utf8(self.bytes()?).ok()?.parse().ok()
    }

    /// The items of a group; none for anything else.
    pub fn items(&self) -> &[Reply] {
        match self {
            Reply::Group(_, Some(items)) => items,
            _ => &[],
        }
    }

    /// The same reply with its items in a fixed order, for replies whose order means nothing.
    #[must_use]
    pub fn unordered(mut self) -> Reply {
        if let Reply::Group(kind, Some(items)) = &mut self {
            match kind {
                b'%' => sort_chunks(items, 2),
                _ => items.sort(),
            }
        }
        self
    }

    /// Like [`Reply::unordered`], in this group and every one inside.
    #[must_use]
    pub fn unordered_deep(self) -> Reply {
        match self {
            Reply::Group(kind, Some(items)) => {
                let items = items.into_iter().map(Reply::unordered_deep).collect();
                Reply::Group(kind, Some(items)).unordered()
            }
            other => other,
        }
    }

    /// Like [`Reply::unordered`] for a flat list where each `width` items belong together.
    #[must_use]
    pub fn unordered_chunks(mut self, width: usize) -> Reply {
        if let Reply::Group(_, Some(items)) = &mut self {
            sort_chunks(items, width);
        }
        self
    }

    /// The same reply with its last item unordered: what the SCAN family answers.
    #[must_use]
    pub fn unordered_last(mut self) -> Reply {
        if let Reply::Group(_, Some(items)) = &mut self
            && let Some(last) = items.pop()
        {
            items.push(last.unordered());
        }
        self
    }

    /// The types alone: every text and number is blanked, the structure stays.
    #[must_use]
    pub fn shape(self) -> Reply {
        match self {
            Reply::Line(kind, _) => Reply::Line(kind, Vec::new()),
            Reply::Blob(kind, bytes) => Reply::Blob(kind, bytes.map(|_| Vec::new())),
            Reply::Group(kind, items) => Reply::Group(
                kind,
                items.map(|items| items.into_iter().map(Reply::shape).collect()),
            ),
        }
    }
}

fn sort_chunks(items: &mut Vec<Reply>, width: usize) {
    let mut chunks: Vec<Vec<Reply>> = items.chunks(width).map(<[Reply]>::to_vec).collect();
    chunks.sort();
    *items = chunks.concat();
}

fn canonical_length(text: &[u8]) -> Option<i64> {
    let length: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (length >= -1 && length.to_string().as_bytes() == text).then_some(length)
}

fn read_line(from: &mut impl BufRead) -> Result<Vec<u8>, ReplyError> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line).map_err(of_io)?;
    match line.strip_suffix(b"\r\n") {
        Some(text) => Ok(text.to_vec()),
        None if line.is_empty() => Err(ReplyError::Closed),
        None => Err(ReplyError::NotResp(line)),
    }
}

fn read_blob(from: &mut impl BufRead, length: usize) -> Result<Vec<u8>, ReplyError> {
    let mut bytes = vec![0; length + 2];
    Read::read_exact(from, &mut bytes).map_err(of_io)?;
    if !bytes.ends_with(b"\r\n") {
        return Err(ReplyError::NotResp(bytes));
    }
    bytes.truncate(length);
    Ok(bytes)
}

fn of_io(error: io::Error) -> ReplyError {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ReplyError::Silence,
        _ => ReplyError::Closed,
    }
}

/// Shown like `[$"a" :1 $nil]`: compact, and every type visible.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Line(kind, text) => write!(f, "{}{}", *kind as char, text.escape_ascii()),
            Reply::Blob(kind, None) | Reply::Group(kind, None) => write!(f, "{}nil", *kind as char),
            Reply::Blob(kind, Some(bytes)) => {
                const LONGEST_SHOWN: usize = 200;
                let shown = &bytes[..bytes.len().min(LONGEST_SHOWN)];
                write!(f, "{}\"{}\"", *kind as char, shown.escape_ascii())?;
                if shown.len() < bytes.len() {
                    write!(f, "…({} bytes)", bytes.len())
                } else {
                    Ok(())
                }
            }
            Reply::Group(kind, Some(items)) => {
                write!(f, "{}[", *kind as char)?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item:?}", if i == 0 { "" } else { " " })?;
                }
                write!(f, "]")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Reply, ReplyError> {
        Reply::read(&mut &bytes[..])
    }

    #[test]
    fn every_type_is_read_and_encoded_back_to_the_same_bytes() {
        for bytes in [
            &b"+OK\r\n"[..],
            b"-ERR no\r\n",
            b":-5\r\n",
            b"$-1\r\n",
            b"*-1\r\n",
            b"$2\r\n\r\n\r\n",
            b"*2\r\n*0\r\n:1\r\n",
            b"%1\r\n$1\r\nk\r\n#t\r\n",
            b">2\r\n+a\r\n_\r\n",
            b"~1\r\n,1.5\r\n",
            b"=5\r\ntxt:a\r\n",
            b"(12345678901234567890\r\n",
        ] {
            assert_eq!(read(bytes).unwrap().encode(), bytes);
        }
    }

    #[test]
    fn a_length_in_another_form_is_not_accepted() {
        assert!(matches!(read(b"$01\r\na\r\n"), Err(ReplyError::NotResp(_))));
        assert!(matches!(
            read(b"*+1\r\n:1\r\n"),
            Err(ReplyError::NotResp(_))
        ));
    }

    #[test]
    fn unordered_sorts_items_and_keeps_pairs_together() {
        let pairs = read(b"*4\r\n$1\r\nb\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n2\r\n").unwrap();
        assert_eq!(
            format!("{:?}", pairs.clone().unordered()),
            r#"*[$"1" $"2" $"a" $"b"]"#
        );
        assert_eq!(
            format!("{:?}", pairs.unordered_chunks(2)),
            r#"*[$"a" $"2" $"b" $"1"]"#
        );
    }

    #[test]
    fn shape_keeps_types_and_nulls() {
        let reply = read(b"*3\r\n$1\r\nb\r\n:7\r\n$-1\r\n").unwrap();
        assert_eq!(format!("{:?}", reply.shape()), r#"*[$"" : $nil]"#);
    }
}
