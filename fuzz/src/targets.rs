//! What is fuzzed: how inputs are made, and what reads them.

mod aof;
mod bytes;
mod config;
mod rdb;
mod resp;
mod script;

use tests::Random;

/// One reader of bytes from outside.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Inputs to start from, made once; the working folder is empty and stays so.
    pub(crate) corpus: fn() -> Vec<Vec<u8>>,
    /// Makes an input: of right ones, changed, or by the grammar.
    pub(crate) input: fn(&[Vec<u8>], &mut Random) -> Vec<u8>,
    /// Reads it. A panic is a finding.
    pub(crate) run: fn(&[u8]),
}

pub(crate) const ALL: &[Target] = &[
    resp::REQUEST,
    resp::REPLY,
    resp::INLINE,
    rdb::RDB,
    rdb::DUMP,
    rdb::CHECK_RDB,
    aof::AOF,
    aof::CHECK_AOF,
    config::CONFIG,
    config::COMMAND_LINE,
    config::ACL,
    config::ACL_FILE,
    bytes::ENCODINGS,
    bytes::LZF,
    bytes::GLOB,
    script::SCRIPT,
];

/// A right input, changed; now and then as it is.
fn changed(corpus: &[Vec<u8>], random: &mut Random, words: &[&[u8]]) -> Vec<u8> {
    let mut input = random.pick(corpus).clone();
    if !random.one_in(50) {
        let other = random.pick(corpus);
        crate::mutate::mutate(&mut input, random, words, other);
    }
    input
}

/// Parts of a file that is several: each behind its length.
fn pack(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(&(part.len() as u32).to_le_bytes());
        out.extend_from_slice(part);
    }
    out
}

/// The parts of [`pack`]; a length that cannot be is cut.
fn unpack(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some((len, rest)) = bytes.split_first_chunk::<4>() {
        let (part, rest) = rest.split_at(rest.len().min(u32::from_le_bytes(*len) as usize));
        parts.push(part);
        bytes = rest;
    }
    parts
}
