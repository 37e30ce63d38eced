//! RDB files and payloads of DUMP.

use super::{Target, changed};
use crate::corpus::{self, FILL, SMALL_LIMITS};
use crate::node::{Node, SAFE};
use std::fs;
use store::rdb::crc64::crc64;
use store::rdb::dump::{dump, intact, restore};
use store::rdb::load::{Item, LoadSettings, Loader};
use tests::Random;

const CHECKSUM: usize = 8;
/// Bytes of a payload's end: version and checksum.
const FOOTER: usize = 10;

/// A file, read to its end; every value read again from what we write of it.
pub(super) const RDB: Target = Target {
    name: "rdb",
    corpus: corpus::rdb_files,
    input: |corpus, random| {
        let mut input = changed(corpus, random, OPCODES);
        sign(&mut input, random);
        input
    },
    run: |input| {
        let settings = LoadSettings::defaults(0);
        let mut loader = Loader::new(input, settings, true);
        while let Ok(Some(item)) = loader.next_item() {
            let Item::Entry(entry) = item else { continue };
            let payload = dump(entry.value(), true);
            let body = intact(&payload, true).expect("our own payload is right");
            let again = restore(body, &settings);
            assert!(
                again.is_ok(),
                "a value we wrote cannot be read: {:?}",
                again.err()
            );
        }
    },
};

/// A payload, restored in a node; then commands that go through every part of it and change it.
pub(super) const DUMP: Target = Target {
    name: "dump",
    corpus: || {
        let mut payloads = Vec::new();
        for limits in [&[][..], SMALL_LIMITS] {
            let lines: Vec<&str> = SAFE.iter().chain(limits).copied().collect();
            let mut node = Node::new(&lines);
            for line in FILL {
                node.run(line);
            }
            for line in FILL {
                let key = line.split(' ').nth(1).expect("each line names its key");
                let reply = node.call(&[b"DUMP", key.as_bytes()]);
                if let Ok(Some((frame, _))) = resp::Frame::parse(&reply)
                    && let Some(payload) = frame.as_bytes().filter(|bytes| bytes.len() > FOOTER)
                {
                    payloads.push(payload.to_vec());
                }
            }
        }
        payloads.extend(old_payloads());
        payloads
    },
    input: |corpus, random| {
        let mut input = changed(corpus, random, OPCODES);
        if input.len() > FOOTER && !random.one_in(30) {
            let version = input.len() - FOOTER;
            input[version..version + 2].copy_from_slice(&[10, 0]);
            let end = input.len() - CHECKSUM;
            let sum = crc64(&input[..end]);
            input[end..].copy_from_slice(&sum.to_le_bytes());
        }
        input
    },
    run: |input| {
        let mut node = Node::new(SAFE);
        if node.call(&[b"RESTORE", b"k", b"0", input]) != b"+OK\r\n" {
            return;
        }
        for line in THROUGH {
            let reply = node.run(line);
            assert!(!reply.is_empty(), "no reply to {line}");
        }
    },
};

/// The checker of files.
pub(super) const CHECK_RDB: Target = Target {
    name: "check-rdb",
    corpus: corpus::rdb_files,
    input: RDB.input,
    run: |input| {
        fs::write("checked.rdb", input).expect("the working folder takes a file");
        let _ = server::check_rdb(&["checked.rdb".to_string()]);
    },
};

/// Bytes that mean something: opcodes, forms, marks of lengths and of special strings.
const OPCODES: &[&[u8]] = &[
    b"\xff",
    b"\xfe\x00",
    b"\xfd\x01\x00\x00\x00",
    b"\xfc\x01\x00\x00\x00\x00\x00\x00\x00",
    b"\xfb\x01\x01",
    b"\xfa\x01a\x01b",
    b"\xf9\x07",
    b"\xf8\x7f",
    b"\xf7",
    b"\xf5\x01x",
    b"\x80\xff\xff\xff\xff",
    b"\x81\x00\x00\x00\x01\x00\x00\x00\x00",
    b"\xc3\x05\x0a",
    b"\xc0",
    b"\xc1",
    b"\xc2",
    b"\x00",
    b"\x09",
    b"\x0a",
    b"\x0e",
    b"\x12",
    b"\x13",
    b"\x14",
    b"\x15",
];

/// A right checksum, mostly, so that what stands before it is looked at.
fn sign(file: &mut [u8], random: &mut Random) {
    if file.len() > CHECKSUM && !random.one_in(10) {
        let end = file.len() - CHECKSUM;
        let sum = crc64(&file[..end]);
        file[end..].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Payloads of forms that only old versions wrote.
fn old_payloads() -> Vec<Vec<u8>> {
    let ziplist = corpus::ziplist(&[b"a", b"1", b"b", b"70000"]);
    let blob = |form: u8, bytes: &[u8]| [&[form, bytes.len() as u8], bytes].concat();
    [
        blob(9, b"\x02\x02f1\x02\x00v1\x02f2\x03\x01v2x\x00\xff"),
        blob(10, &ziplist),
        blob(12, &ziplist),
        blob(13, &ziplist),
        [&[14, 1, ziplist.len() as u8][..], &ziplist].concat(),
        b"\x04\x01\x01f\x01v".to_vec(),
        b"\x01\x02\x01a\xc0\x07".to_vec(),
        b"\x03\x02\x01a\x031.5\x01b\xfe".to_vec(),
    ]
    .into_iter()
    .map(|mut body| {
        body.extend_from_slice(&[10, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        body
    })
    .collect()
}

/// Reads and changes of every type; of those that do not fit the value, the error.
const THROUGH: &[&str] = &[
    "DEBUG DIGEST",
    "TYPE k",
    "OBJECT ENCODING k",
    "MEMORY USAGE k SAMPLES 0",
    "DUMP k",
    "COPY k c REPLACE",
    "STRLEN k",
    "GETRANGE k 0 10",
    "APPEND k x",
    "SETBIT k 100 1",
    "BITCOUNT k",
    "PFCOUNT k",
    "PFADD k a b",
    "INCR k",
    "LLEN k",
    "LRANGE k 0 -1",
    "LINDEX k -1",
    "LPOS k a RANK -1",
    "LPUSH k a",
    "RPUSH k 7",
    "LINSERT k BEFORE a b",
    "LSET k 0 zz",
    "LREM k -1 a",
    "LTRIM k 1 -2",
    "LPOP k 2",
    "RPOPLPUSH k k",
    "SCARD k",
    "SMEMBERS k",
    "SISMEMBER k 1",
    "SRANDMEMBER k -3",
    "SADD k 9 -70000 zz 9223372036854775807",
    "SSCAN k 0",
    "SREM k 9",
    "SPOP k",
    "HLEN k",
    "HGETALL k",
    "HRANDFIELD k -3 WITHVALUES",
    "HSCAN k 0",
    "HSET k f1 longer a b",
    "HINCRBY k n 3",
    "HDEL k f1 a",
    "ZCARD k",
    "ZRANGE k 0 -1 WITHSCORES",
    "ZRANGEBYSCORE k -inf +inf",
    "ZREVRANGEBYLEX k + -",
    "ZRANK k a",
    "ZSCORE k a",
    "ZCOUNT k 0 5",
    "ZADD k 3 a 4 zz",
    "ZINCRBY k -2 a",
    "ZSCAN k 0",
    "ZRANDMEMBER k -3",
    "ZREM k zz",
    "ZPOPMIN k",
    "ZREMRANGEBYRANK k 0 1",
    "XLEN k",
    "XRANGE k - +",
    "XREVRANGE k + -",
    "XINFO STREAM k FULL",
    "XINFO GROUPS k",
    "XINFO CONSUMERS k group",
    "XPENDING k group - + 10",
    "XREADGROUP GROUP group c COUNT 3 STREAMS k >",
    "XREADGROUP GROUP group consumer STREAMS k 0",
    "XACK k group 1-1",
    "XCLAIM k group c 0 1-1 1-2",
    "XAUTOCLAIM k group c 0 0",
    "XADD k * f v",
    "XDEL k 1-1 5-0",
    "XTRIM k MAXLEN 1",
    "XADD k MAXLEN ~ 1 * g w",
    "XGROUP DESTROY k group",
    "SORT k LIMIT 0 3 ALPHA",
    "DEBUG DIGEST",
    "RENAME k other",
    "SAVE",
    "DEL other c",
];
