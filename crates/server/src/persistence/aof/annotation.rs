//! Where in a replication history the dataset stands, as the AOF keeps it: a node that starts again can go on from there. Redis
//! skips lines that begin with `#`.
//!
//! ```text
//! #HISTORY:<40 digits>      what follows speaks of this history
//! #OFFSET:<bytes>:<db>:<n>  what is above is the dataset at this offset, with the stream in this db and n replicas online
//! ```

use crate::replication::Point;
use std::fmt::Write;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Annotation<'a> {
    History(&'a str),
    Offset { offset: u64, db: u32, replicas: u32 },
}

/// Reads a line; None if it says something else.
pub(super) fn parse(line: &[u8]) -> Option<Annotation<'_>> {
    let line = std::str::from_utf8(line).ok()?.trim_end();
    if let Some(id) = line.strip_prefix("#HISTORY:") {
        return Some(Annotation::History(id));
    }
    let mut numbers = line.strip_prefix("#OFFSET:")?.split(':');
    Some(Annotation::Offset {
        offset: numbers.next()?.parse().ok()?,
        db: numbers.next()?.parse().ok()?,
        replicas: numbers.next()?.parse().ok()?,
    })
}

/// Knows what the present file says already.
#[derive(Debug, Default)]
pub(crate) struct Annotator {
    last: Option<Point>,
}

impl Annotator {
    /// The lines that the file lacks to say that the dataset is at this point.
    pub(super) fn annotate(&mut self, point: &Point) -> String {
        let mut lines = String::new();
        if self.last.as_ref().is_none_or(|last| last.id != point.id) {
            let _ = write!(lines, "#HISTORY:{}\r\n", point.id);
        }
        if self.last.as_ref() != Some(point) {
            let Point {
                offset,
                db,
                replicas,
                ..
            } = point;
            let _ = write!(lines, "#OFFSET:{offset}:{db}:{replicas}\r\n");
            self.last = Some(point.clone());
        }
        lines
    }

    /// Another file begins, which says nothing yet.
    pub(super) fn restart(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(id: &str, offset: u64) -> Point {
        Point {
            id: id.into(),
            offset,
            db: 3,
            replicas: 2,
        }
    }

    #[test]
    fn a_file_is_told_what_it_does_not_say_yet() {
        let mut annotator = Annotator::default();
        assert_eq!(
            annotator.annotate(&point("a", 5)),
            "#HISTORY:a\r\n#OFFSET:5:3:2\r\n"
        );
        assert_eq!(annotator.annotate(&point("a", 5)), "");
        assert_eq!(annotator.annotate(&point("a", 9)), "#OFFSET:9:3:2\r\n");
        assert_eq!(
            annotator.annotate(&point("b", 9)),
            "#HISTORY:b\r\n#OFFSET:9:3:2\r\n"
        );
        annotator.restart();
        assert_eq!(
            annotator.annotate(&point("b", 9)),
            "#HISTORY:b\r\n#OFFSET:9:3:2\r\n"
        );
    }

    #[test]
    fn lines_are_read_as_they_are_written() {
        assert_eq!(parse(b"#HISTORY:abc\r\n"), Some(Annotation::History("abc")));
        let offset = Annotation::Offset {
            offset: 9,
            db: 3,
            replicas: 2,
        };
        assert_eq!(parse(b"#OFFSET:9:3:2\r\n"), Some(offset));
        for other in [
            &b"#TS:1\r\n"[..],
            b"#OFFSET:9\r\n",
            b"#OFFSET:-9:3\r\n",
            b"#\xff\r\n",
        ] {
            assert_eq!(parse(other), None);
        }
    }
}
