//! Append only files: a folder with its manifest, loaded by a whole node; and the checker.

use super::{Target, changed, pack, unpack};
use crate::corpus::{FILL, USE, of_redis};
use crate::node::{Node, SAFE};
use crate::targets::resp::{encoded, words};
use std::fs;
use std::path::Path;
use store::rdb::crc64::crc64;
use tests::Random;

const FOLDER: &str = "appendonlydir";
const MANIFEST: &str = "appendonly.aof.manifest";
const BASE: &str = "appendonly.aof.1.base.rdb";
const BASE_AOF: &str = "appendonly.aof.1.base.aof";
const INCR: &str = "appendonly.aof.1.incr.aof";
const RIGHT_MANIFEST: &[u8] =
    b"file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n";
const CHECKSUM: usize = 8;

/// Manifest, base and incr, one behind the other; the node starts from them and writes on.
pub(super) const AOF: Target = Target {
    name: "aof",
    corpus: folders,
    input: folder,
    run: |input| {
        lay_out(input);
        let lines: Vec<&str> = SAFE
            .iter()
            .copied()
            .chain(["appendonly yes", "appendfsync no"])
            .collect();
        let mut node = Node::new(&lines);
        if node.recover() {
            for line in ["DBSIZE", "SET after 1", "DEBUG DIGEST", "INFO persistence"] {
                assert!(!node.run(line).is_empty(), "no reply to {line}");
            }
        }
    },
};

/// The checker on the manifest, and with --fix on the incr.
pub(super) const CHECK_AOF: Target = Target {
    name: "check-aof",
    corpus: folders,
    input: folder,
    run: |input| {
        lay_out(input);
        let path = |name: &str| format!("{FOLDER}/{name}");
        let run = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
            let _ = server::check_aof::main(&words);
        };
        run(&[&path(MANIFEST)]);
        run(&["--truncate-to-timestamp", "1600000000", &path(INCR)]);
        run(&[&path(INCR)]);
    },
};

fn folders() -> Vec<Vec<u8>> {
    let filled: Vec<u8> = FILL.iter().flat_map(|line| encoded(&words(line))).collect();
    let mut incr = filled.clone();
    for line in USE.iter().filter(|line| !line.starts_with("FLUSH")) {
        incr.extend(encoded(&words(line)));
    }
    incr.extend_from_slice(b"#TS:1600000000\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n*1\r\n$4\r\nEXEC\r\n");
    let bases = crate::corpus::rdb_files();
    let mut folders: Vec<Vec<u8>> = bases
        .iter()
        .map(|base| pack(&[RIGHT_MANIFEST, base, &incr]))
        .collect();
    folders.push(pack(&[
        b"file appendonly.aof.1.incr.aof seq 1 type i\n",
        b"",
        &filled,
    ]));
    // The commands behind a preamble in one file, as before 7.0.
    folders.push(pack(&[
        b"file appendonly.aof.1.base.aof seq 1 type b\n",
        &[&bases[0][..], &filled].concat(),
        b"",
    ]));
    let names = [
        format!("{FOLDER}/{MANIFEST}"),
        format!("{FOLDER}/{BASE}"),
        format!("{FOLDER}/{INCR}"),
    ];
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let files = of_redis(
        &["--appendonly", "yes", "--aof-timestamp-enabled", "yes"],
        "PING",
        &names,
    )
    .unwrap_or_default();
    if files.len() == names.len() {
        folders.push(pack(&files.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    }
    folders
}

/// A right folder with one of its files changed, mostly.
fn folder(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut parts: Vec<Vec<u8>> = unpack(random.pick::<Vec<u8>>(corpus))
        .iter()
        .map(|part| part.to_vec())
        .collect();
    for _ in 0..1 + random.below(2) {
        let at = *random.pick(&[0, 1, 2, 2]);
        let other: Vec<Vec<u8>> = unpack(random.pick::<Vec<u8>>(corpus))
            .iter()
            .map(|part| part.to_vec())
            .collect();
        let pair = [parts[at].clone(), other[at].clone()];
        parts[at] = changed(&pair, random, PARTS);
        if at == 1 && parts[1].len() > CHECKSUM && !random.one_in(5) {
            let end = parts[1].len() - CHECKSUM;
            let sum = crc64(&parts[1][..end]);
            parts[1][end..].copy_from_slice(&sum.to_le_bytes());
        }
    }
    pack(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

const PARTS: &[&[u8]] = &[
    b"*1\r\n",
    b"$3\r\n",
    b"\r\n",
    b"*0\r\n",
    b"*-1\r\n",
    b"$-1\r\n",
    b"#TS:99\r\n",
    b"*1\r\n$5\r\nMULTI\r\n",
    b"*1\r\n$4\r\nEXEC\r\n",
    b"REDIS0010",
    b"*2\r\n$6\r\nSELECT\r\n$2\r\n99\r\n",
    b"file ",
    b" seq 1",
    b" type b",
    b" type i",
    b" type h",
    b"\n",
    b"\"",
    b"../x",
    b" key value",
];

/// Puts the files of an input in place of those of the one before.
fn lay_out(input: &[u8]) {
    let _ = fs::remove_dir_all(FOLDER);
    let _ = fs::remove_file("appendonly.aof");
    let parts = unpack(input);
    fs::create_dir_all(FOLDER).expect("the working folder takes a folder");
    let names: &[&[&str]] = &[&[MANIFEST], &[BASE, BASE_AOF], &[INCR]];
    for (part, names) in parts.iter().zip(names) {
        for name in *names {
            fs::write(Path::new(FOLDER).join(name), part).expect("the folder takes a file");
        }
    }
}
