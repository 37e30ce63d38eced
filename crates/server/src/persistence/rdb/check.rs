//! `platform-kv check-rdb`: reads an RDB file to its end and reports what it meets, in the words of redis-check-rdb.

use front::UnixMillis;
use front::clock::Clock;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use store::rdb::format::Form;
use store::rdb::load::{Checksum, Item, LoadSettings, Loader, Step};
use store::rdb::{LoadError, LoadErrorKind};

const HELP: &str = "\
Checks an RDB file: reads it to its end and reports what it meets. The file is not changed.

Usage: platform-kv check-rdb <rdb-file-name>
       platform-kv check-rdb --version | --help

Exit status: 0 the file is right; 1 it is not, or cannot be read.
";

/// Checks the file that `args`, the words after the role, name.
pub fn main(args: &[String]) -> ExitCode {
    let [name] = args else {
        eprintln!("Usage: redis-check-rdb <rdb-file-name>");
        return ExitCode::FAILURE;
    };
    match name.as_str() {
        "--help" => print!("{HELP}"),
        "--version" | "-v" => println!("redis-check-rdb {}", crate::start::REDIS_VERSION),
        name => {
            // A closed output does not make the file worse.
            if !check_path(Path::new(name), &mut io::stdout()).unwrap_or(false) {
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Checks a file. True if it is right.
///
/// # Errors
/// When the report cannot be written.
pub(crate) fn check_path(path: &Path, out: &mut impl Write) -> io::Result<bool> {
    let shown = path.display().to_string();
    match File::open(path) {
        Ok(file) => Ok(check_source(file, &shown, out)?.is_some()),
        Err(error) => {
            let reason = front::log::io_reason(&error);
            writeln!(out, "Can't open {shown}: {reason}")?;
            Ok(false)
        }
    }
}

/// Checks the RDB data that a source begins with, `shown` in messages. Returns where it ends, if it is right.
///
/// # Errors
/// When the report cannot be written.
pub(crate) fn check_source(
    source: impl Read,
    shown: &str,
    out: &mut impl Write,
) -> io::Result<Option<u64>> {
    writeln!(out, "[offset 0] Checking RDB file {shown}")?;
    check(source, Clock::new().now(), out)
}

/// What was counted on the way.
#[derive(Default)]
struct Counts {
    keys: u64,
    expires: u64,
    already_expired: u64,
}

impl Counts {
    fn key(&mut self, expiry: Option<UnixMillis>, now: UnixMillis) {
        self.keys += 1;
        self.expires += u64::from(expiry.is_some());
        self.already_expired += u64::from(expiry.is_some_and(|at| at < now));
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "[info] {} keys read", self.keys)?;
        writeln!(out, "[info] {} expires", self.expires)?;
        writeln!(out, "[info] {} already expired", self.already_expired)
    }
}

fn check(source: impl Read, now: UnixMillis, out: &mut impl Write) -> io::Result<Option<u64>> {
    let settings = LoadSettings::defaults(now);
    let mut loader = Loader::new(source, settings, true).passing_over_modules();
    let mut counts = Counts::default();
    loop {
        let item = loader.next_item();
        let offset = loader.offset();
        match item {
            Ok(Some(Item::Aux { name, value })) => {
                write!(out, "[offset {offset}] AUX FIELD ")?;
                out.write_all(&name)?;
                out.write_all(b" = '")?;
                out.write_all(&value)?;
                out.write_all(b"'\n")?;
            }
            Ok(Some(Item::SelectDb(db))) => {
                writeln!(out, "[offset {offset}] Selecting DB ID {db}")?;
            }
            Ok(Some(Item::ModuleAux { name, offset })) => {
                writeln!(out, "[offset {offset}] MODULE AUX for: {name}")?;
            }
            Ok(Some(Item::ResizeDb { .. } | Item::Function(_))) => {}
            Ok(Some(Item::ModuleValue { expiry })) => counts.key(expiry, now),
            Ok(Some(Item::Entry(entry))) => counts.key(entry.expiry(), now),
            Ok(Some(Item::Empty { form, .. })) => {
                let error = LoadError {
                    offset,
                    kind: LoadErrorKind::UnexpectedEnd,
                };
                report(&error, &loader, Some(form), counts, out)?;
                return Ok(None);
            }
            Ok(None) => {
                match loader.checksum() {
                    Some(Checksum::Right) => writeln!(out, "[offset {offset}] Checksum OK")?,
                    Some(Checksum::Disabled) => writeln!(
                        out,
                        "[offset {offset}] RDB file was saved with checksum disabled: no check performed."
                    )?,
                    Some(Checksum::Absent | Checksum::Unchecked) | None => {}
                }
                writeln!(out, "[offset {offset}] \\o/ RDB looks OK! \\o/")?;
                counts.write(out)?;
                return Ok(Some(offset));
            }
            Err(error) => {
                report(&error, &loader, loader.form(), counts, out)?;
                return Ok(None);
            }
        }
    }
}

fn report<R: Read>(
    error: &LoadError,
    loader: &Loader<R>,
    form: Option<Form>,
    mut counts: Counts,
    out: &mut impl Write,
) -> io::Result<()> {
    let what = match &error.kind {
        LoadErrorKind::UnknownForm(byte) => format!("Invalid object type: {byte}"),
        LoadErrorKind::Checksum { .. } => "RDB CRC error".into(),
        LoadErrorKind::UnexpectedEnd if loader.step() == Step::Function => {
            "Failed loading library, Failed loading library payload".into()
        }
        kind @ (LoadErrorKind::Corrupt(_)
        | LoadErrorKind::Compression(_)
        | LoadErrorKind::UnknownString(_)
        | LoadErrorKind::Module { .. }) => format!("Internal error in RDB reading -> {kind}"),
        kind => kind.to_string(),
    };
    let step = loader.step();
    writeln!(out, "--- RDB ERROR DETECTED ---")?;
    writeln!(out, "[offset {}] {what}", error.offset)?;
    writeln!(out, "[additional info] While doing: {}", step_name(step))?;
    if step == Step::Value {
        counts.keys += 1;
        out.write_all(b"[additional info] Reading key '")?;
        out.write_all(loader.key())?;
        out.write_all(b"'\n")?;
    }
    // As redis-check-rdb: before the first key the type is that of a string.
    let form = form.or((counts.keys == 0).then_some(Form::String));
    if let Some(form) = form {
        writeln!(
            out,
            "[additional info] Reading type {} ({})",
            form as u8,
            form_name(form)
        )?;
    }
    counts.write(out)
}

fn step_name(step: Step) -> &'static str {
    match step {
        Step::Start => "start",
        Step::Type => "read-type",
        Step::Expiry => "read-expire",
        Step::Key => "read-key",
        Step::Value => "read-object-value",
        Step::Checksum => "check-sum",
        Step::Length => "read-len",
        Step::Aux => "read-aux",
        Step::ModuleAux => "read-module-aux",
        Step::Function => "read-functions",
    }
}

fn form_name(form: Form) -> &'static str {
    match form {
        Form::String => "string",
        Form::List => "list-linked",
        Form::Set => "set-hashtable",
        Form::SortedSet => "zset-v1",
        Form::Hash => "hash-hashtable",
        Form::SortedSet2 => "zset-v2",
        Form::ModulePreGa | Form::Module2 => "module-value",
        Form::HashZipmap => "hash-zipmap",
        Form::ListZiplist => "list-ziplist",
        Form::SetIntset => "set-intset",
        Form::SortedSetZiplist => "zset-ziplist",
        Form::HashZiplist => "hash-ziplist",
        Form::ListQuicklist => "quicklist",
        Form::StreamListpacks => "stream",
        Form::HashListpack => "hash-listpack",
        Form::SortedSetListpack => "zset-listpack",
        Form::ListQuicklist2 => "quicklist-v2",
        Form::StreamListpacks2 => "stream-v2",
        Form::SetListpack => "set-listpack",
        Form::StreamListpacks3 => "stream-v3",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(file: &[u8]) -> (Option<u64>, Vec<String>) {
        let mut out = Vec::new();
        let end = check(file, 1_700_000_000_000, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        (end, text.lines().map(str::to_owned).collect())
    }

    #[test]
    fn a_right_file_is_told_with_its_counts() {
        let file = b"REDIS0010\xfa\x03abc\x03def\xfe\x00\xfb\x02\x01\xfc\xe8\x03\0\0\0\0\0\0\x00\x01a\x01b\
                     \x00\x01c\x01d\xff\0\0\0\0\0\0\0\0";
        let (end, lines) = checked(file);
        assert_eq!(end, Some(51));
        assert_eq!(
            lines,
            [
                "[offset 18] AUX FIELD abc = 'def'",
                "[offset 20] Selecting DB ID 0",
                "[offset 51] RDB file was saved with checksum disabled: no check performed.",
                "[offset 51] \\o/ RDB looks OK! \\o/",
                "[info] 2 keys read",
                "[info] 1 expires",
                "[info] 1 already expired",
            ]
        );
    }

    #[test]
    fn a_broken_value_is_told_with_its_key_and_type() {
        let (end, lines) = checked(b"REDIS0010\xfe\x00\x00\x01a\x01b\x0b\x01k\x01x");
        assert_eq!(end, None);
        assert_eq!(
            lines,
            [
                "[offset 11] Selecting DB ID 0",
                "--- RDB ERROR DETECTED ---",
                "[offset 21] Internal error in RDB reading -> Intset integrity check failed.",
                "[additional info] While doing: read-object-value",
                "[additional info] Reading key 'k'",
                "[additional info] Reading type 11 (set-intset)",
                "[info] 2 keys read",
                "[info] 0 expires",
                "[info] 0 already expired",
            ]
        );
    }
}
