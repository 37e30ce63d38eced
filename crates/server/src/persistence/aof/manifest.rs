//! The manifest of a multi-part AOF: which files make it up, in which order. One line a file,
//! `file <name> seq <n> type <b|h|i>`: at most one base, the incrs in rising sequence, and history, files that a rewrite
//! replaced and that only wait to be deleted.
//!
//! Everything here is values to values; `files.rs` puts them on the disk.

use std::fmt;

/// A line longer than this, its end included, is refused.
const LINE_MAX: usize = 1024;

/// A manifest's file name, after that of the AOF.
pub(crate) const MANIFEST_SUFFIX: &str = ".manifest";
/// Files that are not yet what they shall be.
pub(crate) const TEMP_PREFIX: &str = "temp-";

/// One file of the AOF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) seq: i64,
}

/// How a base is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BaseFormat {
    /// `aof-use-rdb-preamble yes`.
    Rdb,
    Commands,
}

/// The files of an AOF.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) base: Option<Segment>,
    /// The latest first.
    pub(crate) history: Vec<Segment>,
    /// In the order they were written.
    pub(crate) incrs: Vec<Segment>,
}

/// Why a manifest cannot be used. `line` counts from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ManifestError {
    Empty,
    /// Or one without an end.
    LineTooLong,
    Line {
        line: usize,
        text: String,
        fault: LineFault,
    },
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineFault {
    Format,
    Path,
    UnknownType,
    SecondBase,
    Order,
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LineFault::Format => "Invalid AOF manifest file format",
            LineFault::Path => "File can't be a path, just a filename",
            LineFault::UnknownType => "Unknown AOF file type",
            LineFault::SecondBase => "Found duplicate base file information",
            LineFault::Order => "Found a non-monotonic sequence number",
        })
    }
}

impl ManifestError {
    /// The report as its log lines.
    pub(crate) fn log_lines(&self) -> Vec<String> {
        let mut lines = vec!["\n*** FATAL AOF MANIFEST FILE ERROR ***".to_string()];
        match self {
            ManifestError::Empty => lines.push("Found an empty AOF manifest".into()),
            ManifestError::LineTooLong => {
                lines.push("The AOF manifest file contains too long line".into());
            }
            ManifestError::Line { line, text, fault } => {
                lines.push(format!("Reading the manifest file, at line {line}"));
                lines.push(format!(">>> '{text}'"));
                lines.push(fault.to_string());
            }
        }
        lines
    }
}

/// A line's meaning.
enum Line {
    Comment,
    Base(Segment),
    History(Segment),
    Incr(Segment),
}

fn parse_line(line: &[u8]) -> Result<Line, LineFault> {
    if line.first() == Some(&b'#') {
        return Ok(Line::Comment);
    }
    let words = resp::inline::split_args(line).ok_or(LineFault::Format)?;
    if words.len() < 6 || !words.len().is_multiple_of(2) {
        return Err(LineFault::Format);
    }
    let (mut name, mut seq, mut kind) = (None, None, None);
    for pair in words.chunks(2) {
        let value = std::str::from_utf8(&pair[1]).map_err(|_| LineFault::Format)?;
        match pair[0].to_ascii_lowercase().as_slice() {
            b"file" if value.contains('/') => return Err(LineFault::Path),
            b"file" => name = Some(value.to_string()),
            b"seq" => seq = value.parse::<i64>().ok().filter(|seq| *seq != 0),
            b"type" => kind = value.bytes().next(),
            // Something a later version may know.
            _ => {}
        }
    }
    let (Some(name), Some(seq), Some(kind)) = (name.filter(|n| !n.is_empty()), seq, kind) else {
        return Err(LineFault::Format);
    };
    let segment = Segment { name, seq };
    match kind {
        b'b' => Ok(Line::Base(segment)),
        b'h' => Ok(Line::History(segment)),
        b'i' => Ok(Line::Incr(segment)),
        _ => Err(LineFault::UnknownType),
    }
}

impl Manifest {
    /// Reads a manifest file's bytes.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub(crate) fn parse(mut rest: &[u8]) -> Result<Manifest, ManifestError> {
        if rest.is_empty() {
            return Err(ManifestError::Empty);
        }
        let mut manifest = Manifest::default();
        let mut number = 0;
        while !rest.is_empty() {
            number += 1;
            let end = memchr::memchr(b'\n', &rest[..rest.len().min(LINE_MAX)])
                .ok_or(ManifestError::LineTooLong)?;
            let line = rest[..end].trim_ascii();
            rest = &rest[end + 1..];
            let taken = parse_line(line).and_then(|line| manifest.take_line(line));
            if let Err(fault) = taken {
                return Err(ManifestError::Line {
                    line: number,
                    text: String::from_utf8_lossy(line).into_owned(),
                    fault,
                });
            }
        }
        Ok(manifest)
    }

    fn take_line(&mut self, line: Line) -> Result<(), LineFault> {
        match line {
            Line::Comment => {}
            Line::Base(_) if self.base.is_some() => return Err(LineFault::SecondBase),
            Line::Base(segment) => self.base = Some(segment),
            Line::History(segment) => self.history.push(segment),
            Line::Incr(segment) if segment.seq <= self.last_incr_seq() => {
                return Err(LineFault::Order);
            }
            Line::Incr(segment) => self.incrs.push(segment),
        }
        Ok(())
    }

    /// The manifest file's text.
    pub(crate) fn text(&self) -> String {
        let parts = [
            ('b', self.base.as_slice()),
            ('h', &self.history),
            ('i', &self.incrs),
        ];
        let mut text = String::new();
        for (kind, segments) in parts {
            for Segment { name, seq } in segments {
                let name = match name.bytes().all(is_plain) {
                    true => name.clone(),
                    false => resp::inline::quote(name.as_bytes()),
                };
                text.push_str(&format!("file {name} seq {seq} type {kind}\n"));
            }
        }
        text
    }

    /// Whether there is nothing to load.
    pub(crate) fn is_empty(&self) -> bool {
        self.base.is_none() && self.incrs.is_empty()
    }

    fn last_incr_seq(&self) -> i64 {
        self.incrs.last().map_or(0, |segment| segment.seq)
    }

    /// Whether a name is taken by a file that waits to be deleted: deleting it must never hit a new file.
    fn is_history(&self, name: &str) -> bool {
        self.history.iter().any(|segment| segment.name == name)
    }

    /// The incr that comes after the last one.
    pub(crate) fn next_incr(&self, aof: &str) -> Segment {
        self.free(self.last_incr_seq() + 1, |seq| {
            format!("{aof}.{seq}.incr.aof")
        })
    }

    /// The base that will replace the present one.
    pub(crate) fn next_base(&self, aof: &str, format: BaseFormat) -> Segment {
        let seq = self.base.as_ref().map_or(0, |segment| segment.seq) + 1;
        let kind = match format {
            BaseFormat::Rdb => "rdb",
            BaseFormat::Commands => "aof",
        };
        self.free(seq, |seq| format!("{aof}.{seq}.base.{kind}"))
    }

    fn free(&self, mut seq: i64, name: impl Fn(i64) -> String) -> Segment {
        while self.is_history(&name(seq)) {
            seq += 1;
        }
        Segment {
            name: name(seq),
            seq,
        }
    }

    /// With one more incr at the end.
    pub(crate) fn with_incr(&self, incr: Segment) -> Manifest {
        let mut manifest = self.clone();
        manifest.incrs.push(incr);
        manifest
    }

    /// After a rewrite: the new base stands for the old one and for all incrs but the last `kept`.
    pub(crate) fn with_base(&self, base: Segment, kept: usize) -> Manifest {
        let mut manifest = self.clone();
        let replaced = manifest.base.replace(base);
        manifest.history.splice(0..0, replaced);
        let incrs = manifest.incrs.len().saturating_sub(kept);
        manifest.history.splice(0..0, manifest.incrs.drain(..incrs));
        manifest
    }

    /// Without the files that only wait to be deleted.
    pub(crate) fn without_history(&self) -> Manifest {
        Manifest {
            history: Vec::new(),
            ..self.clone()
        }
    }
}

/// A byte that needs no quotes in a manifest.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (usize, LineFault) {
        match Manifest::parse(text.as_bytes()) {
            Err(ManifestError::Line { line, fault, .. }) => (line, fault),
            other => panic!("{other:?}"),
        }
    }

    fn manifest(text: &str) -> Manifest {
        Manifest::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_manifest_reads_back_what_it_writes() {
        let text = "file a.2.base.rdb seq 2 type b\nfile a.1.incr.aof seq 1 type h\n\
                    file a.1.base.rdb seq 1 type h\nfile a.2.incr.aof seq 2 type i\nfile a.9.incr.aof seq 9 type i\n";
        assert_eq!(manifest(text).text(), text);
        assert_eq!(manifest(text).incrs[1].seq, 9);
    }

    #[test]
    fn a_name_with_spaces_and_line_ends_is_quoted() {
        let text = "file \" file seq \\n\\n.aof .1.incr.aof\" seq 1 type i\n";
        assert_eq!(
            manifest(text).incrs[0].name,
            " file seq \n\n.aof .1.incr.aof"
        );
        assert_eq!(manifest(text).text(), text);
    }

    #[test]
    fn comments_unknown_keys_and_any_case_are_accepted() {
        let read = manifest("# by hand\r\n  FILE a SEQ 3 x y TYPE base\r\n#\n");
        assert_eq!(read.text(), "file a seq 3 type b\n");
        assert!(manifest("# nothing\n").is_empty());
    }

    #[test]
    fn a_bad_line_is_named_with_its_number_and_what_is_wrong() {
        use LineFault::*;
        let good = "file a seq 1 type i\n";
        for (line, expected) in [
            ("", Format),
            ("   ", Format),
            ("filx a seq 2 type i", Format),
            ("file a type i", Format),
            ("file a seq 2 type i more", Format),
            ("file \"a seq 2 type i", Format),
            ("file a seq 0 type i", Format),
            ("file a seq two type i", Format),
            ("file \"\" seq 2 type i", Format),
            ("file ../a seq 2 type i", Path),
            ("file a seq 2 type x", UnknownType),
            ("file a seq 1 type i", Order),
            ("file a seq -1 type i", Order),
        ] {
            let text = format!("{good}{line}\n{good}");
            assert_eq!(fault(&text), (2, expected), "{line}");
        }
        let bases = "file a seq 1 type b\nfile b seq 2 type b\n";
        assert_eq!(fault(bases), (2, SecondBase));
    }

    #[test]
    fn an_empty_file_and_an_endless_line_are_errors_without_a_line() {
        assert_eq!(Manifest::parse(b""), Err(ManifestError::Empty));
        let cut = Manifest::parse(b"file a seq 1 type i");
        assert_eq!(cut, Err(ManifestError::LineTooLong));
        let name = "a".repeat(LINE_MAX - "file  seq 1 type b\n".len());
        assert!(Manifest::parse(format!("file {name} seq 1 type b\n").as_bytes()).is_ok());
        let long = Manifest::parse(format!("file {name}a seq 1 type b\n").as_bytes());
        assert_eq!(long, Err(ManifestError::LineTooLong));
    }

    #[test]
    fn the_report_shows_the_line() {
        let error = Manifest::parse(b"file a seq 1 type i\n\n").unwrap_err();
        assert_eq!(
            error.log_lines(),
            [
                "\n*** FATAL AOF MANIFEST FILE ERROR ***",
                "Reading the manifest file, at line 2",
                ">>> ''",
                "Invalid AOF manifest file format"
            ]
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let read = Manifest::parse(b"file \xff seq 1 type i\n");
        assert!(matches!(read, Err(ManifestError::Line { line: 1, .. })));
    }

    #[test]
    fn a_rewrite_makes_history_of_what_its_base_stands_for() {
        let before = manifest(
            "file a.2.base.rdb seq 2 type b\nfile a.2.incr.aof seq 2 type i\nfile a.3.incr.aof seq 3 type i\n",
        );
        let during = before.with_incr(before.next_incr("a"));
        let after = during.with_base(during.next_base("a", BaseFormat::Commands), 1);
        assert_eq!(
            after.text(),
            "file a.3.base.aof seq 3 type b\nfile a.2.incr.aof seq 2 type h\nfile a.3.incr.aof seq 3 type h\n\
             file a.2.base.rdb seq 2 type h\nfile a.4.incr.aof seq 4 type i\n"
        );
        assert_eq!(
            after.without_history().text(),
            "file a.3.base.aof seq 3 type b\nfile a.4.incr.aof seq 4 type i\n"
        );
    }

    #[test]
    fn a_new_file_never_takes_the_name_of_one_that_waits_to_be_deleted() {
        let read = manifest(
            "file a.4.base.rdb seq 4 type b\nfile a.1.incr.aof seq 1 type h\nfile a.2.incr.aof seq 2 type h\n",
        );
        assert_eq!(read.next_incr("a").name, "a.3.incr.aof");
        assert_eq!(
            read.without_history().next_incr("a").name,
            "a.1.incr.aof",
            "numbers start again when nothing is in the way"
        );
        let orphan = manifest("file a.1.base.aof seq 1 type h\n");
        assert_eq!(
            orphan.next_base("a", BaseFormat::Commands).name,
            "a.2.base.aof"
        );
    }
}
