//! What scripts decode: cjson, cmsgpack, struct, bit; through EVAL, as users reach them.

use super::{Target, changed, pack, unpack};
use crate::node::{Node, SAFE};
use tests::Random;

const CJSON: &str = "local v = cjson.decode(ARGV[1]); return cjson.encode(v)";
const CMSGPACK: &str =
    "local t = {cmsgpack.unpack(ARGV[1])}; return cmsgpack.pack(unpack(t, 1, math.min(#t, 100)))";
const CMSGPACK_PARTS: &str = "return {cmsgpack.unpack_limit(ARGV[1], 3, 1)}";
const STRUCT: &str = "return {struct.unpack(ARGV[1], ARGV[2])}";
const STRUCT_SIZE: &str = "return {struct.size(ARGV[1]), struct.pack(ARGV[1], 1, 2, 3, ARGV[2])}";
const BIT: &str = "return {bit.tohex(tonumber(ARGV[1]) or 0, tonumber(ARGV[2]) or 8), bit.lshift(tonumber(ARGV[1]) or 1, tonumber(ARGV[2]) or 1)}";
const REPLY: &str = "return redis.error_reply(ARGV[1])";
const SCRIPTS: &[&str] = &[
    CJSON,
    CMSGPACK,
    CMSGPACK_PARTS,
    STRUCT,
    STRUCT_SIZE,
    BIT,
    REPLY,
];

const JSON: &[&str] = &[
    "{\"a\":[1,2.5,-3e10,null,true,\"\\u00e9\\ud834\\udd1e\\n\"],\"b\":{}}",
    "[[[[[]]]]]",
    "\"\"",
    "[1e999, -0, 0x1]",
];
const PACKED: &[&[u8]] = &[
    b"\x93\x01\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xa1a",
    b"\x82\xa1a\x01\xa1b\xc0",
    b"\xdc\x00\x02\xd0\xff\xd3\x80\x00\x00\x00\x00\x00\x00\x00",
    b"\xdb\x00\x00\x00\x03abc",
    b"\xdf\x00\x00\x00\x01\x01\x02",
];
const FORMATS: &[&str] = &[
    "<i4>i2", "s", "!8di3", "c0Bb", "xhHlLTf", "I16", "=c3", ">!4 i4 d",
];

/// A script's number, then its arguments.
pub(super) const SCRIPT: Target = Target {
    name: "script",
    corpus: || {
        let mut inputs: Vec<Vec<u8>> = JSON
            .iter()
            .map(|text| pack(&[&[0], text.as_bytes()]))
            .collect();
        for packed in PACKED {
            inputs.push(pack(&[&[1], packed]));
            inputs.push(pack(&[&[2], packed]));
        }
        for format in FORMATS {
            inputs.push(pack(&[
                &[3],
                format.as_bytes(),
                b"\x01\x00\x00\x00\x03abcdefgh\0ijklmnop",
            ]));
            inputs.push(pack(&[&[4], format.as_bytes(), b"text"]));
        }
        inputs.push(pack(&[&[5], b"4294967295", b"-8"]));
        inputs.push(pack(&[&[6], b"ERR x\r\ny"]));
        inputs
    },
    input: |corpus, random: &mut Random| {
        let mut parts: Vec<Vec<u8>> = unpack(random.pick::<Vec<u8>>(corpus))
            .iter()
            .map(|part| part.to_vec())
            .collect();
        for part in parts.iter_mut().skip(1) {
            *part = changed(
                std::slice::from_ref(part),
                random,
                &[
                    b"[",
                    b"{\"a\":",
                    b"\\u",
                    b"\xdd\xff\xff\xff\xff",
                    b"\xc6",
                    b"i",
                    b"c99",
                    b"!",
                ],
            );
        }
        pack(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
    },
    run: |input| {
        let parts = unpack(input);
        let number = parts
            .first()
            .and_then(|part| part.first())
            .copied()
            .unwrap_or(0);
        let script = SCRIPTS[usize::from(number) % SCRIPTS.len()];
        let arguments: Vec<&[u8]> = parts.iter().skip(1).take(2).copied().collect();
        let mut node = Node::new(SAFE);
        let words: Vec<&[u8]> = [&b"EVAL"[..], script.as_bytes(), b"0"]
            .into_iter()
            .chain(arguments)
            .collect();
        let reply = node.call(&words);
        assert!(
            matches!(resp::Frame::parse(&reply), Ok(Some((_, len))) if len == reply.len()),
            "not one reply: {}",
            reply.escape_ascii()
        );
    },
};
