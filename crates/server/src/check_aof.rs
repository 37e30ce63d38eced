//! `check-aof`, also under the name redis-check-aof: looks through AOF files without a node, cuts what is broken at their
//! end, or goes back to a point in time. Words, offsets and exit codes are those that scripts know.

use crate::persistence::aof::manifest::{Manifest, Segment};
use crate::persistence::rdb::check::check_source;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str =
    "Usage: redis-check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>";
/// A line of a manifest or an annotation longer than this is none.
const LINE_MAX: usize = 1024;
/// `*` or `$` and a number.
const NUMBER_LINE_MAX: usize = 128;

/// What to do about what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Check,
    Fix,
    /// Keep what was written up to this second.
    TruncateTo(i64),
}

/// Runs the tool. `args` are the words after its name.
pub fn main(args: &[String]) -> ExitCode {
    let (mode, path) = match parse(args) {
        Ok(parsed) => parsed,
        Err(text) => return end(Err(text)),
    };
    end(check(mode, path))
}

fn end(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            if !text.is_empty() {
                println!("{text}");
            }
            ExitCode::FAILURE
        }
    }
}

fn parse(args: &[String]) -> Result<(Mode, &Path), String> {
    match args {
        [path] => Ok((Mode::Check, Path::new(path))),
        [flag, path] if flag == "--fix" => Ok((Mode::Fix, Path::new(path))),
        [flag, time, path] if flag == "--truncate-to-timestamp" => match time.parse() {
            Ok(0) => Ok((Mode::Check, Path::new(path))),
            Ok(time) => Ok((Mode::TruncateTo(time), Path::new(path))),
            Err(_) => Err("Invalid timestamp, aborting...".into()),
        },
        _ => Err(USAGE.into()),
    }
}

/// What a file is, by how it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Manifest,
    RdbPreamble,
    Commands,
}

fn kind_of(path: &Path) -> io::Result<Kind> {
    let mut input = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        input
            .by_ref()
            .take(LINE_MAX as u64)
            .read_until(b'\n', &mut line)?;
        match line.first() {
            Some(b'#') => {}
            _ if line.starts_with(b"REDIS") => return Ok(Kind::RdbPreamble),
            _ if line.starts_with(b"file") => return Ok(Kind::Manifest),
            _ => return Ok(Kind::Commands),
        }
    }
}

fn check(mode: Mode, path: &Path) -> Result<(), String> {
    let shown = path.display();
    let cannot_open = |error| {
        format!(
            "Cannot open file {shown}: {}",
            front::log::io_reason(&error)
        )
    };
    if fs::metadata(path).map_err(cannot_open)?.is_dir() {
        return Err(format!("Cannot read file: {shown}"));
    }
    match kind_of(path).map_err(cannot_open)? {
        Kind::Manifest => check_parts(mode, path),
        kind => {
            println!("Start checking Old-Style AOF");
            let file = AofFile {
                path: path.into(),
                shown: shown.to_string(),
                kind,
                is_last: true,
            };
            match check_file(&file, mode, &mut 1)? {
                Outcome::Empty => println!("AOF {shown} is empty"),
                Outcome::Valid => println!("AOF {shown} is valid"),
                Outcome::Truncated => {}
            }
            Ok(())
        }
    }
}

fn check_parts(mode: Mode, path: &Path) -> Result<(), String> {
    println!("Start checking Multi Part AOF");
    let bytes =
        fs::read(path).map_err(|error| format!("Cannot open file {}: {error}", path.display()))?;
    let manifest = Manifest::parse(&bytes).map_err(|error| {
        front::log::configure(|log| log.role = 'C');
        for line in error.log_lines() {
            front::log_warning!("{line}\n");
        }
        String::new()
    })?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let last = manifest.incrs.last().or(manifest.base.as_ref());
    let mut line = 1;
    let mut check_part = |segment: &Segment, part: &str| {
        let path = folder.join(&segment.name);
        let kind = kind_of(&path).map_err(|error| {
            format!(
                "Cannot open file {}: {}, aborting...",
                path.display(),
                front::log::io_reason(&error)
            )
        })?;
        if part == "BASE" {
            let format = match kind {
                Kind::RdbPreamble => "RDB",
                _ => "RESP",
            };
            println!("Start to check BASE AOF ({format} format).");
        }
        let file = AofFile {
            path,
            shown: segment.name.clone(),
            kind,
            is_last: last == Some(segment),
        };
        match check_file(&file, mode, &mut line)? {
            Outcome::Empty => println!("{part} AOF {} is empty", segment.name),
            Outcome::Valid => println!("{part} AOF {} is valid", segment.name),
            Outcome::Truncated => {}
        }
        Ok::<(), String>(())
    };
    if let Some(base) = &manifest.base {
        check_part(base, "BASE")?;
    }
    if !manifest.incrs.is_empty() {
        println!("Start to check INCR files.");
        for incr in &manifest.incrs {
            check_part(incr, "INCR")?;
        }
    }
    println!("All AOF files and manifest are valid");
    Ok(())
}

/// A file to check.
struct AofFile {
    path: PathBuf,
    /// Its name in messages.
    shown: String,
    kind: Kind,
    /// Nothing was written after it: only then may it be cut.
    is_last: bool,
}

/// What became of a file.
enum Outcome {
    Empty,
    Valid,
    Truncated,
}

/// Checks one file and cuts it if that was asked for. `line` counts lines over all files.
fn check_file(file: &AofFile, mode: Mode, line: &mut u64) -> Result<Outcome, String> {
    let shown = &file.shown;
    let open = || -> io::Result<(File, u64)> {
        let open = File::options()
            .read(true)
            .write(mode != Mode::Check)
            .open(&file.path)?;
        let size = open.metadata()?.len();
        Ok((open, size))
    };
    let (open, size) = open().map_err(|error| {
        format!(
            "Cannot open file {}: {}, aborting...",
            file.path.display(),
            front::log::io_reason(&error)
        )
    })?;
    if size == 0 {
        return Ok(Outcome::Empty);
    }
    let mut start = 0;
    if file.kind == Kind::RdbPreamble {
        let end = check_source(&open, shown, &mut io::stdout()).unwrap_or(None);
        start = end.ok_or("RDB preamble of AOF file is not sane, aborting.")?;
        println!("RDB preamble is OK, proceeding with AOF tail...");
        (&open)
            .seek(SeekFrom::Start(start))
            .map_err(|error| format!("{shown}: {error}"))?;
    }
    let limit = match mode {
        Mode::TruncateTo(time) => Some(time),
        Mode::Check | Mode::Fix => None,
    };
    let mut reader = AofReader::new(BufReader::new(&open), start, *line);
    let found = reader
        .read(limit)
        .map_err(|error| format!("{shown}: {error}"))?;
    *line = reader.line;
    let cut = |to: u64| open.set_len(to).and_then(|()| open.sync_all());
    match found {
        Found::Later { starts_at } => {
            let Mode::TruncateTo(time) = mode else {
                unreachable!("a time was asked for");
            };
            if starts_at == 0 {
                return Err(format!(
                    "AOF {} has nothing before timestamp {time}, aborting...",
                    file.path.display()
                ));
            }
            if !file.is_last {
                return Err(format!(
                    "Failed to truncate AOF {shown} to timestamp {time} because it is not the last file"
                ));
            }
            cut(starts_at).map_err(|error| {
                format!("Failed to truncate AOF {shown} to timestamp {time}: {error}")
            })?;
            println!("Successfully truncated AOF {shown} to timestamp {time}");
            return Ok(Outcome::Truncated);
        }
        Found::Whole => {
            if let Mode::TruncateTo(time) = mode {
                println!("Truncate nothing in AOF {shown} to timestamp {time}");
                return Ok(Outcome::Valid);
            }
        }
        Found::Fault { at, what } => match at {
            Some(at) => println!("0x{at:16x}: {what}{}", in_file(&what, shown)),
            None => println!("AOF {shown} {what}"),
        },
    }
    let valid_to = reader.valid_to;
    let broken = size - valid_to;
    println!(
        "AOF analyzed: filename={shown}, size={size}, ok_up_to={valid_to}, ok_up_to_line={}, diff={broken}",
        reader.line
    );
    if broken == 0 {
        return Ok(Outcome::Valid);
    }
    if mode != Mode::Fix {
        return Err(format!(
            "AOF {shown} is not valid. Use the --fix option to try fixing it."
        ));
    }
    if !file.is_last {
        return Err(format!(
            "Failed to truncate AOF {shown} because it is not the last file"
        ));
    }
    println!(
        "This will shrink the AOF {shown} from {size} bytes, with {broken} bytes, to {valid_to} bytes"
    );
    print!("Continue? [y/N]: ");
    if !confirmed() {
        return Err("Aborting...".into());
    }
    cut(valid_to).map_err(|error| format!("Failed to truncate AOF {shown}: {error}"))?;
    println!("Successfully truncated AOF {shown}");
    Ok(Outcome::Truncated)
}

/// Two faults name the file at their end.
fn in_file(what: &str, shown: &str) -> String {
    match what.starts_with("Unexpected ") {
        true => format!(" in AOF {shown}"),
        false => String::new(),
    }
}

fn confirmed() -> bool {
    // The question must be seen before the answer is waited for.
    let _ = io::Write::flush(&mut io::stdout());
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).is_ok() && answer.to_ascii_lowercase().starts_with('y')
}

/// What reading a file came to.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Whole,
    /// What begins here was written after the time asked for.
    Later {
        starts_at: u64,
    },
    Fault {
        at: Option<u64>,
        what: String,
    },
}

/// Reads a file's items one by one; nothing of it stays in memory.
struct AofReader<R> {
    input: R,
    offset: u64,
    line: u64,
    /// Where the last number or argument began: faults are told by that.
    mark: u64,
    /// What comes before is whole, transactions included.
    valid_to: u64,
}

/// A fault, or an error of the system.
enum Stop {
    Fault { at: Option<u64>, what: String },
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Io(error)
    }
}

impl<R: BufRead> AofReader<R> {
    fn new(input: R, offset: u64, line: u64) -> AofReader<R> {
        AofReader {
            input,
            offset,
            line,
            mark: offset,
            valid_to: offset,
        }
    }

    /// Reads to the end, to the first fault, or to what was written after `limit`.
    fn read(&mut self, limit: Option<i64>) -> io::Result<Found> {
        match self.read_items(limit) {
            Ok(found) => Ok(found),
            Err(Stop::Fault { at, what }) => Ok(Found::Fault { at, what }),
            Err(Stop::Io(error)) => Err(error),
        }
    }

    fn read_items(&mut self, limit: Option<i64>) -> Result<Found, Stop> {
        let mut in_transaction = false;
        loop {
            if !in_transaction {
                self.valid_to = self.offset;
            }
            let Some(first) = self.peek()? else {
                return match in_transaction {
                    true => Err(self.fault("Reached EOF before reading EXEC for MULTI")),
                    false => Ok(Found::Whole),
                };
            };
            match first {
                b'#' => {
                    let line = self.read_line(LINE_MAX)?;
                    let time = annotated_time(&line);
                    if limit.is_some_and(|limit| time.is_some_and(|time| time > limit)) {
                        return Ok(Found::Later {
                            starts_at: self.valid_to,
                        });
                    }
                }
                b'*' => self.read_command(&mut in_transaction)?,
                _ => {
                    return Err(Stop::Fault {
                        at: None,
                        what: "format error".into(),
                    });
                }
            }
        }
    }

    fn read_command(&mut self, in_transaction: &mut bool) -> Result<(), Stop> {
        let count = self.read_number(b'*')?;
        for index in 0..count {
            let length = self.read_number(b'$')?;
            let Some(length) = u64::try_from(length)
                .ok()
                .filter(|l| *l < i64::MAX as u64 - 2)
            else {
                return Err(self.fault(&format!(
                    "Expected to read string of {length} bytes, which is not in the suitable range"
                )));
            };
            let word = self.read_string(length)?;
            if index > 0 {
                continue;
            }
            match (word.as_slice(), *in_transaction) {
                (b"multi", true) => return Err(self.fault("Unexpected MULTI")),
                (b"exec", false) => return Err(self.fault("Unexpected EXEC")),
                (b"multi", false) => *in_transaction = true,
                (b"exec", true) => *in_transaction = false,
                _ => {}
            }
        }
        Ok(())
    }

    fn fault(&self, what: &str) -> Stop {
        Stop::Fault {
            at: Some(self.mark),
            what: what.into(),
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    /// Up to `max` bytes, to the end of the line if that comes first.
    fn read_line(&mut self, max: usize) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.input
            .by_ref()
            .take(max as u64)
            .read_until(b'\n', &mut line)?;
        self.offset += line.len() as u64;
        Ok(line)
    }

    fn read_number(&mut self, prefix: u8) -> Result<i64, Stop> {
        self.mark = self.offset;
        let line = self.read_line(NUMBER_LINE_MAX)?;
        match line.first() {
            Some(&first) if first == prefix => {}
            first => {
                let got = char::from(first.copied().unwrap_or(0));
                let what = format!("Expected prefix '{}', got: '{got}'", char::from(prefix));
                return Err(self.fault(&what));
            }
        }
        let digits = line[1..]
            .iter()
            .enumerate()
            .take_while(|(index, byte)| byte.is_ascii_digit() || (*index == 0 && **byte == b'-'))
            .count();
        let (number, end) = line[1..].split_at(digits);
        self.expect_line_end(end)?;
        let text = String::from_utf8_lossy(number);
        Ok(text.parse().unwrap_or(match number.first() {
            Some(b'-') => i64::MIN,
            Some(_) => i64::MAX,
            None => 0,
        }))
    }

    fn expect_line_end(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let got = [0, 1].map(|at| bytes.get(at).copied().unwrap_or(0));
        if got != *b"\r\n" {
            let what = format!("Expected \\r\\n, got: {:02x}{:02x}", got[0], got[1]);
            return Err(self.fault(&what));
        }
        self.line += 1;
        Ok(())
    }

    /// Reads an argument and its end. Returns its lowercase bytes if it may be the name of a command that matters here.
    fn read_string(&mut self, length: u64) -> Result<Vec<u8>, Stop> {
        const NAME_MAX: u64 = 8;
        self.mark = self.offset;
        let mut end = Vec::new();
        let mut word = Vec::new();
        let mut got = if length <= NAME_MAX {
            self.input.by_ref().take(length).read_to_end(&mut word)? as u64
        } else {
            io::copy(&mut self.input.by_ref().take(length), &mut io::sink())?
        };
        if got == length {
            got += self.input.by_ref().take(2).read_to_end(&mut end)? as u64;
        }
        self.offset += got;
        if got < length + 2 {
            let what = format!("Expected to read {} bytes, got {got} bytes", length + 2);
            return Err(self.fault(&what));
        }
        self.expect_line_end(&end)?;
        Ok(word.to_ascii_lowercase())
    }
}

/// The time of a `#TS:` annotation.
fn annotated_time(line: &[u8]) -> Option<i64> {
    let text = String::from_utf8_lossy(line.strip_prefix(b"#TS:")?).into_owned();
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: &str = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
    const MULTI: &str = "*1\r\n$5\r\nMULTI\r\n";
    const EXEC: &str = "*1\r\n$4\r\nexec\r\n";

    fn read(text: &str, limit: Option<i64>) -> (Found, u64, u64) {
        let mut reader = AofReader::new(text.as_bytes(), 0, 1);
        let found = reader.read(limit).unwrap();
        (found, reader.valid_to, reader.line)
    }

    fn fault(text: &str) -> (Option<u64>, String, u64, u64) {
        match read(text, None) {
            (Found::Fault { at, what }, valid_to, line) => (at, what, valid_to, line),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_whole_file_is_valid_to_its_end() {
        let text = format!("#TS:1\r\n{SET}{MULTI}{SET}{EXEC}#note\r\n");
        assert_eq!(read(&text, None), (Found::Whole, text.len() as u64, 21));
        assert_eq!(read("*0\r\n*-1\r\n", None), (Found::Whole, 9, 3));
    }

    #[test]
    fn faults_are_told_with_the_place_where_reading_stood() {
        let after = |rest: &str| fault(&format!("{SET}{rest}"));
        for (rest, at, what, line) in [
            (
                "*3\r\n$3\r\nset",
                0x23,
                "Expected to read 5 bytes, got 3 bytes",
                10,
            ),
            ("*2\r\n$3\r\nsetxx", 0x23, "Expected \\r\\n, got: 7878", 10),
            (
                "*2\r\n$3\r\nset\r\n$x\r\n",
                0x28,
                "Expected \\r\\n, got: 780d",
                11,
            ),
            ("*1\r\n*4\r\n", 0x1f, "Expected prefix '$', got: '*'", 9),
            ("*1\n$4", 0x1b, "Expected \\r\\n, got: 0a00", 8),
            (
                "*1\r\n$-4\r\nPING\r\n",
                0x1f,
                "Expected to read string of -4 bytes, which is not in the suitable range",
                10,
            ),
            (EXEC, 0x23, "Unexpected EXEC", 11),
        ] {
            assert_eq!(after(rest), (Some(at), what.into(), 27, line), "{rest:?}");
        }
        assert_eq!(after("!!!"), (None, "format error".into(), 27, 8));
        let huge = fault("*1\r\n$99999999999999999999\r\n");
        assert!(
            huge.1.contains("string of 9223372036854775807 bytes"),
            "{huge:?}"
        );
    }

    #[test]
    fn an_open_transaction_is_not_valid() {
        let eof = "Reached EOF before reading EXEC for MULTI";
        assert_eq!(
            fault(&format!("{SET}{MULTI}{SET}")),
            (Some(0x42), eof.into(), 27, 18)
        );
        let nested = fault(&format!("{MULTI}{MULTI}"));
        assert_eq!(nested, (Some(0x17), "Unexpected MULTI".into(), 0, 7));
    }

    #[test]
    fn a_time_limit_stops_before_what_came_later() {
        let text = format!("#TS:100\r\n{SET}#TS:200\r\n{SET}#TS:300\r\n{SET}");
        assert_eq!(read(&text, Some(150)).0, Found::Later { starts_at: 36 });
        assert_eq!(read(&text, Some(50)).0, Found::Later { starts_at: 0 });
        assert_eq!(read(&text, Some(300)).0, Found::Whole);
    }

    #[test]
    fn a_time_limit_inside_a_transaction_leaves_out_all_of_it() {
        let text = format!("#TS:100\r\n{SET}{MULTI}#TS:200\r\n{SET}{EXEC}");
        assert_eq!(read(&text, Some(150)).0, Found::Later { starts_at: 36 });
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let text = format!("#TS:1\r\n{SET}{MULTI}{SET}{EXEC}");
        for at in 0..text.len() {
            for byte in [0, b'*', b'$', b'-', b'9', b'\n', 0xff] {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = byte;
                AofReader::new(bytes.as_slice(), 0, 1)
                    .read(Some(5))
                    .unwrap();
                AofReader::new(&bytes[..at], 0, 1).read(None).unwrap();
            }
        }
    }
}
