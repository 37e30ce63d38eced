//! `check-aof` beside redis-check-aof: what they print, how they end, and what they leave of a file.

use crate::commands;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tests::Scratch;

/// What a run of the tool came to.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    printed: String,
    code: Option<i32>,
    /// The files afterwards, with their lengths.
    files: Vec<(String, u64)>,
}

fn run(mut tool: Command, folder: &Path, args: &[&str], answer: &str) -> Outcome {
    let mut child = tool
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A tool that asks nothing may be gone by now.
    let _ = child.stdin.take().unwrap().write_all(answer.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut files: Vec<(String, u64)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, entry.metadata().unwrap().len())
        })
        .collect();
    files.sort();
    Outcome {
        printed: String::from_utf8_lossy(&output.stdout).into_owned(),
        code: output.status.code(),
        files,
    }
}

/// Log lines begin with the process and the time.
fn without_times(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once(" # ") {
        Some((_, text)) => format!("# {text}"),
        None => line.to_string(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Runs both tools on the same files.
fn same(files: &[(&str, &[u8])], args: &[&str], answer: &str) -> Outcome {
    let [redis, ours] = [tests::redis_check_aof(), tests::check_aof()].map(|tool| {
        let scratch = Scratch::new();
        for (name, bytes) in files {
            fs::write(scratch.path().join(name), bytes).unwrap();
        }
        let mut outcome = run(tool, scratch.path(), args, answer);
        outcome.printed = without_times(&outcome.printed);
        outcome
    });
    assert_eq!(ours, redis, "{args:?}");
    ours
}

const BAD: &[u8] = b"!!!";

fn set() -> Vec<u8> {
    commands(&["SET a 1"])
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn single_files_are_judged_as_redis_check_aof_does() {
    let set = set();
    let cases: Vec<Vec<u8>> = vec![
        Vec::new(),
        joined(&[&set, &set]),
        joined(&[&set, b"*3\r\n$3\r\nset"]),
        joined(&[&set, BAD, &set]),
        joined(&[&set, b"*2\r\n$3\r\nsetxx"]),
        joined(&[&set, b"*2\r\n$3\r\nset\r\n$x\r\n"]),
        joined(&[&set, b"*1\r\n*4\r\nPING\r\n"]),
        joined(&[&set, b"*1\r\n$-4\r\nPING\r\n"]),
        joined(&[&set, b"*1\r\n$99999\r\nPING\r\n"]),
        b"*0\r\n*-1\r\n".to_vec(),
        b"#note\r\n".to_vec(),
        vec![b'#'; 1000],
        b"RE".to_vec(),
        commands(&["SET a 1", "MULTI", "SET b 1", "EXEC"]),
        commands(&["SET a 1", "MULTI", "SET b 1"]),
        commands(&["MULTI", "MULTI"]),
        commands(&["SET a 1", "EXEC"]),
        commands(&["MULTI", "DISCARD"]),
    ];
    for bytes in cases {
        same(&[("a.aof", &bytes)], &["a.aof"], "");
        for answer in ["", "n\n", "y\n", "Y\n"] {
            same(&[("a.aof", &bytes)], &["--fix", "a.aof"], answer);
        }
    }
}

#[test]
fn files_of_a_manifest_are_judged_as_redis_check_aof_does() {
    let manifest = b"file a.1.base.aof seq 1 type b\nfile a.1.incr.aof seq 1 type i\nfile a.2.incr.aof seq 2 type i\n";
    let (good, bad) = (set(), joined(&[&set(), BAD]));
    for parts in [
        [&good, &good, &good],
        [&bad, &good, &good],
        [&good, &bad, &good],
        [&good, &good, &bad],
        [&good, &Vec::new(), &Vec::new()],
    ] {
        let files: Vec<(&str, &[u8])> = vec![
            ("a.manifest", manifest),
            ("a.1.base.aof", parts[0]),
            ("a.1.incr.aof", parts[1]),
            ("a.2.incr.aof", parts[2]),
        ];
        same(&files, &["a.manifest"], "");
        same(&files, &["--fix", "a.manifest"], "y\n");
    }
    same(
        &[("a.manifest", manifest), ("a.1.base.aof", &good)],
        &["a.manifest"],
        "",
    );
}

#[test]
fn manifests_are_judged_as_redis_check_aof_does() {
    for manifest in [
        "",
        "file a.aof seq 1 type b\n",
        "file a.aof seq 1 type i\n",
        "# note\nfile a.aof seq 1 type h\n",
        "file a.aof seq 1 type x\n",
        "file a.aof seq 1 type i\n\n",
        "file a.aof seq 1 type i",
        "file ../a.aof seq 1 type i\n",
    ] {
        let files: &[(&str, &[u8])] = &[("m", manifest.as_bytes()), ("a.aof", &set())];
        same(files, &["m"], "");
    }
}

#[test]
fn files_are_cut_back_to_a_time_as_redis_check_aof_does() {
    let at = |time: i64| joined(&[format!("#TS:{time}\r\n").as_bytes(), &set()]);
    let file = [at(100), at(200), at(300)].concat();
    let manifest = b"file b seq 1 type b\nfile i seq 1 type i\n";
    let files: &[(&str, &[u8])] = &[
        ("a.aof", &file),
        ("m", manifest),
        ("b", &at(100)),
        ("i", &file),
    ];
    for time in ["50", "100", "150", "300", "500", "0", "abc", "-5"] {
        same(files, &["--truncate-to-timestamp", time, "a.aof"], "");
        same(files, &["--truncate-to-timestamp", time, "m"], "");
    }
    let broken = joined(&[&file, BAD]);
    same(
        &[("a.aof", &broken)],
        &["--truncate-to-timestamp", "150", "a.aof"],
        "",
    );
    same(
        &[("a.aof", &broken)],
        &["--truncate-to-timestamp", "500", "a.aof"],
        "",
    );
}

#[test]
fn a_time_inside_a_transaction_cuts_off_all_of_it() {
    let scratch = Scratch::new();
    let bytes = joined(&[
        b"#TS:100\r\n",
        &set(),
        &commands(&["MULTI"]),
        b"#TS:200\r\n",
        &commands(&["SET b 1", "EXEC"]),
    ]);
    fs::write(scratch.path().join("a.aof"), bytes).unwrap();
    let outcome = run(
        tests::check_aof(),
        scratch.path(),
        &["--truncate-to-timestamp", "150", "a.aof"],
        "",
    );
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let left = fs::read(scratch.path().join("a.aof")).unwrap();
    assert_eq!(left, joined(&[b"#TS:100\r\n", &set()]));
}

#[test]
fn wrong_arguments_are_answered_as_redis_check_aof_does() {
    let file: &[(&str, &[u8])] = &[("a.aof", &set())];
    let long: Vec<&str> = vec!["a", "b", "c", "d", "e"];
    for args in [
        &[][..],
        &long,
        &["--foo", "a.aof"],
        &["gone.aof"],
        &["--fix", "gone.aof"],
        &["--fix"],
        &["."],
        &["--truncate-to-timestamp", "5", "--fix", "a.aof"],
    ] {
        same(file, args, "");
    }
}

#[test]
fn the_tool_goes_by_the_name_it_is_called() {
    let scratch = Scratch::new();
    fs::write(scratch.path().join("a.aof"), set()).unwrap();
    let link: PathBuf = scratch.path().join("redis-check-aof");
    std::os::unix::fs::symlink(tests::platform_kv_binary(), &link).unwrap();
    let outcome = run(Command::new(link), scratch.path(), &["a.aof"], "");
    assert!(
        outcome.printed.ends_with("AOF a.aof is valid\n"),
        "{outcome:?}"
    );
}
