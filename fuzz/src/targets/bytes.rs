//! The encodings that values arrive in, LZF, and patterns.

use super::{Target, changed};
use crate::corpus;
use store::encoding::intset::Intset;
use store::encoding::listpack::Listpack;
use store::encoding::{ziplist, zipmap};
use store::rdb::lzf;

/// Listpack, intset, ziplist and zipmap: what is taken can be walked both ways, changed, and taken again.
pub(super) const ENCODINGS: Target = Target {
    name: "encodings",
    corpus: || {
        let mut listpack = Listpack::new();
        for value in [
            &b"a"[..],
            b"12",
            b"-5",
            b"4000",
            b"70000",
            b"-9000000",
            b"5000000000",
            &[b'x'; 70],
            &[b'y'; 5000],
        ] {
            listpack.push_back(value);
        }
        let mut intset = Intset::new();
        for value in [1, -70_000, 300] {
            intset.insert(value);
        }
        vec![
            listpack.as_bytes().to_vec(),
            intset.as_bytes().to_vec(),
            corpus::ziplist(&[b"a", b"12", b"70000", &[b'x'; 70], &[b'y'; 300], b"z"]),
            b"\x02\x02f1\x02\x00v1\x02f2\x03\x01v2x\x00\xff".to_vec(),
        ]
    },
    input: |corpus, random| {
        let mut input = changed(
            corpus,
            random,
            &[
                b"\xff",
                b"\xf1",
                b"\xe0\x01",
                b"\xf0\xff\xff\xff\x7f",
                b"\xfe\xff\xff\xff\xff",
            ],
        );
        // A right length in front, so that what follows is looked at.
        if input.len() > 6 && random.one_in(2) {
            let len = input.len() as u32;
            input[..4].copy_from_slice(&len.to_le_bytes());
        }
        input
    },
    run: |input| {
        if let Ok(mut listpack) = Listpack::from_bytes_validated(input.to_vec()) {
            let forwards: Vec<Vec<u8>> = listpack.iter().map(|item| item.to_vec()).collect();
            let mut backwards = Vec::new();
            let mut pos = listpack.last();
            while let Some(at) = pos {
                backwards.push(listpack.get(at).to_vec());
                pos = listpack.prev(at);
            }
            backwards.reverse();
            assert_eq!(forwards, backwards);
            assert_eq!(forwards.len(), listpack.len());
            listpack.push_front(b"first");
            if let Some(pos) = listpack.seek(-1) {
                listpack.replace(pos, b"12345");
            }
            let len = listpack.len();
            let half = listpack.split_off(len / 2);
            listpack.append(&half);
            listpack.remove_range(0, 1);
            assert_eq!(listpack.len() + 1, len);
            assert!(Listpack::from_bytes_validated(listpack.into_bytes()).is_ok());
        }
        if let Ok(mut intset) = Intset::from_bytes_validated(input.to_vec()) {
            let members: Vec<i64> = intset.iter().collect();
            assert!(members.is_sorted() && members.iter().all(|&member| intset.contains(member)));
            intset.insert(i64::MAX);
            members
                .iter()
                .for_each(|&member| assert!(intset.remove(member)));
            assert!(
                Intset::from_bytes_validated(intset.as_bytes().to_vec()).is_ok()
                    || intset.is_empty()
            );
        }
        let mut length = 0;
        let _ = ziplist::read(input, |item| length += item.to_vec().len());
        let _ = zipmap::read(input, |field, value| length += field.len() + value.len());
    },
};

/// Decompression of anything to any length; compression and back.
pub(super) const LZF: Target = Target {
    name: "lzf",
    corpus: || {
        [
            &b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"[..],
            &b"abcabcabcabcxyzxyzxyzabcabc".repeat(30),
            b"no two the same?",
        ]
        .iter()
        .flat_map(|text| [Some(text.to_vec()), lzf::compress(text)])
        .flatten()
        .collect()
    },
    input: |corpus, random| {
        changed(
            corpus,
            random,
            &[b"\xe0\xff\xff", b"\x20\x00", b"\x1f", b"\xff\xff\xff"],
        )
    },
    run: |input| {
        for expected in [0, 1, input.len(), input.len() * 3, 40, 100_000] {
            if let Ok(out) = lzf::decompress(input, expected) {
                assert_eq!(out.len(), expected);
            }
        }
        if let Some(small) = lzf::compress(input) {
            assert!(small.len() < input.len());
            assert_eq!(
                lzf::decompress(&small, input.len()).ok().as_deref(),
                Some(input)
            );
        }
    },
};

/// A pattern and what it is held against, on two sides of a NUL.
pub(super) const GLOB: Target = Target {
    name: "glob",
    corpus: || {
        [
            "h[ae]llo\0hallo",
            "*a*b*c\0xaxbxc",
            "[^a-z]?\0A1",
            "\\*\0*",
            "[z-a]\0m",
            "a**b\0ab",
            "[\\]]\0]",
            "*\0",
            "[a\0a",
            "?\0\u{fc}",
        ]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect()
    },
    input: |corpus, random| {
        changed(
            corpus,
            random,
            &[
                b"*", b"?", b"[", b"]", b"^", b"-", b"\\", b"\0", b"[^", b"*[a-z]",
            ],
        )
    },
    run: |input| {
        let (pattern, string) = input.split_at(
            input
                .iter()
                .position(|byte| *byte == 0)
                .unwrap_or(input.len()),
        );
        let sensitive = front::glob::matches(pattern, string, false);
        let insensitive = front::glob::matches(pattern, string, true);
        // Without a class of bytes, what fits exactly fits also in another case.
        assert!(insensitive || !sensitive || pattern.contains(&b'['));
    },
};
