//! Inputs to start from: sessions that fill a node with every type and use every group, and the files that nodes and
//! redis-server make of them.

use crate::node::{Node, SAFE};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use tests::Server;

/// One line fills one key.
pub(crate) const FILL: &[&str] = &[
    "SET string hello",
    "SET int 12345",
    "SET big aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "SET expiring v PX 5000000",
    "APPEND raw x",
    "SETRANGE raw 3000 y",
    "SETBIT bits 77 1",
    "RPUSH list a b c 1 -5 70000 3000000000 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "RPUSH numbers 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
    "SADD ints 1 2 3 -70000 5000000000",
    "SADD set a b c 1 2",
    "HSET hash f1 v1 f2 22 f3 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "HSET smallhash a 1 b 2",
    "ZADD zset 1 a 2.5 b -inf c inf d 1e17 e",
    "ZADD smallzset 1 one 2 two",
    "PFADD hll a b c d e f",
    "GEOADD geo 13.361389 38.115556 Palermo 15.087269 37.502669 Catania",
    "XADD stream 1-1 f v g w",
    "XADD stream 1-2 f v2 g w2",
    "XADD stream 5-0 other 12",
    "XGROUP CREATE stream group 0",
    "XREADGROUP GROUP group consumer COUNT 2 STREAMS stream >",
    "XGROUP CREATECONSUMER stream group idle",
    "FUNCTION LOAD \"#!lua name=lib\\nredis.register_function('f', function(keys, args) return args[1] end)\"",
];

/// Lines that use what [`FILL`] made.
pub(crate) const USE: &[&str] = &[
    "GET string",
    "INCR int",
    "INCRBYFLOAT int 1.5",
    "GETRANGE string 0 -1",
    "LCS string big IDX MINMATCHLEN 2 WITHMATCHLEN",
    "GETEX string EX 100",
    "SETRANGE string 10 zzz",
    "STRLEN raw",
    "MGET string int nothing",
    "MSETNX a 1 b 2",
    "BITCOUNT bits 0 -1 BIT",
    "BITPOS bits 1 0 -1 BYTE",
    "BITOP XOR dest bits string",
    "BITFIELD bits SET u8 #1 200 INCRBY i5 3 7 OVERFLOW SAT GET u63 0",
    "LRANGE list 0 -1",
    "LINSERT list BEFORE b x",
    "LPOS list c RANK -1 COUNT 0 MAXLEN 3",
    "LMOVE list list2 LEFT RIGHT",
    "LTRIM list 1 -2",
    "LMPOP 2 list numbers RIGHT COUNT 3",
    "BLPOP nothing 0.01",
    "LREM list -2 a",
    "LSET numbers -1 last",
    "RPOPLPUSH numbers numbers",
    "SINTERCARD 2 set ints LIMIT 3",
    "SUNIONSTORE dest set ints",
    "SRANDMEMBER set -5",
    "SPOP set 2",
    "SMISMEMBER set a z",
    "SSCAN set 0 MATCH * COUNT 3",
    "HRANDFIELD hash 2 WITHVALUES",
    "HINCRBYFLOAT hash f2 0.5",
    "HSCAN hash 0",
    "HGETALL hash",
    "HDEL hash f1",
    "ZADD zset GT CH 7 a",
    "ZADD zset INCR 2 a",
    "ZRANGE zset (1 +inf BYSCORE LIMIT 0 2 WITHSCORES",
    "ZRANGEBYLEX smallzset [a (z",
    "ZUNIONSTORE dest 2 zset smallzset WEIGHTS 2 3 AGGREGATE MAX",
    "ZRANDMEMBER zset 3 WITHSCORES",
    "ZMPOP 1 zset MIN COUNT 2",
    "ZRANK zset a",
    "ZREMRANGEBYRANK zset 0 0",
    "ZINTERCARD 2 zset smallzset",
    "ZRANGESTORE dest zset 0 -1 REV",
    "ZSCAN zset 0",
    "ZDIFF 2 zset smallzset WITHSCORES",
    "PFCOUNT hll",
    "PFMERGE hll2 hll",
    "GEOSEARCH geo FROMLONLAT 15 37 BYRADIUS 200 km ASC COUNT 2 ANY WITHCOORD WITHDIST WITHHASH",
    "GEOSEARCHSTORE dest geo FROMMEMBER Palermo BYBOX 400 400 km STOREDIST",
    "GEODIST geo Palermo Catania km",
    "GEOHASH geo Palermo",
    "GEORADIUS geo 15 37 100 km",
    "XRANGE stream - + COUNT 2",
    "XREVRANGE stream + -",
    "XADD stream NOMKSTREAM MAXLEN ~ 10 LIMIT 5 * a b",
    "XREAD COUNT 2 STREAMS stream 0",
    "XREADGROUP GROUP group c2 STREAMS stream >",
    "XPENDING stream group - + 10",
    "XACK stream group 1-1",
    "XCLAIM stream group c2 0 1-2 JUSTID",
    "XAUTOCLAIM stream group c2 0 0 COUNT 2",
    "XINFO STREAM stream FULL",
    "XINFO GROUPS stream",
    "XTRIM stream MINID 2",
    "XDEL stream 1-1",
    "XSETID stream 9-9 ENTRIESADDED 9 MAXDELETEDID 1-1",
    "XGROUP DELCONSUMER stream group c2",
    "SORT list BY nosort GET # LIMIT 0 2 ALPHA STORE dest",
    "COPY zset copy REPLACE",
    "RENAME copy other",
    "OBJECT ENCODING zset",
    "OBJECT FREQ string",
    "EXPIRE string 100 NX",
    "PERSIST expiring",
    "SCAN 0 MATCH * COUNT 5 TYPE hash",
    "KEYS *",
    "RANDOMKEY",
    "TOUCH string list",
    "UNLINK raw",
    "TYPE list",
    "DUMP list",
    "MOVE int 1",
    "SWAPDB 0 1",
    "DBSIZE",
    "FLUSHDB ASYNC",
    "MULTI",
    "EXEC",
    "DISCARD",
    "WATCH string",
    "UNWATCH",
    "SUBSCRIBE ch",
    "UNSUBSCRIBE ch",
    "PSUBSCRIBE c*",
    "PUBLISH ch m",
    "SSUBSCRIBE sh",
    "SPUBLISH sh m",
    "PUBSUB CHANNELS *",
    "RESET",
    "HELLO 3",
    "HELLO 2 SETNAME x",
    "CLIENT LIST",
    "CLIENT TRACKING ON BCAST PREFIX s",
    "CLIENT TRACKING OFF",
    "CLIENT REPLY SKIP",
    "CLIENT SETNAME n",
    "CLIENT INFO",
    "CLIENT KILL TYPE pubsub SKIPME yes",
    "CLIENT NO-EVICT ON",
    "CLIENT CACHING YES",
    "ECHO x",
    "PING",
    "SELECT 1",
    "CONFIG GET *",
    "CONFIG SET maxmemory-samples 7",
    "CONFIG SET hash-max-listpack-entries 1",
    "CONFIG SET notify-keyspace-events KEAm",
    "CONFIG SET latency-tracking-info-percentiles \"50 99\"",
    "CONFIG SET client-output-buffer-limit \"normal 1mb 1mb 60\"",
    "CONFIG RESETSTAT",
    "INFO everything",
    "COMMAND GETKEYSANDFLAGS ZUNIONSTORE dest 2 a b",
    "COMMAND DOCS get",
    "COMMAND INFO set",
    "COMMAND LIST FILTERBY PATTERN x*",
    "MEMORY USAGE list SAMPLES 2",
    "MEMORY STATS",
    "LATENCY HISTOGRAM set",
    "LATENCY DOCTOR",
    "SLOWLOG GET 3",
    "LASTSAVE",
    "TIME",
    "LOLWUT VERSION 5 1 2 3",
    "ACL SETUSER u on >pw ~k* %R~r* &ch* +@read -get (+set ~s*)",
    "ACL DRYRUN u GET k",
    "ACL LIST",
    "ACL GETUSER u",
    "ACL CAT read",
    "ACL LOG 2",
    "ACL GENPASS 12",
    "AUTH u pw",
    "EVAL \"return {KEYS[1], ARGV[1], redis.call('GET', KEYS[1])}\" 1 string x",
    "EVAL \"return redis.pcall('HGETALL','hash')\" 0",
    "EVAL_RO \"return redis.call('SET','a','b')\" 0",
    "SCRIPT LOAD \"return 1\"",
    "SCRIPT EXISTS abc",
    "FCALL f 1 k x",
    "FUNCTION LIST WITHCODE",
    "FUNCTION DUMP",
    "FUNCTION DELETE lib",
];

/// Limits that make the small values of [`FILL`] large.
pub(crate) const SMALL_LIMITS: &[&str] = &[
    "hash-max-listpack-entries 1",
    "zset-max-listpack-entries 1",
    "set-max-intset-entries 1",
    "list-max-listpack-size 2",
    "list-compress-depth 1",
    "stream-node-max-entries 1",
    "hash-max-listpack-value 8",
];

/// RDB files: ours, redis-server's, and what older versions wrote.
pub(crate) fn rdb_files() -> Vec<Vec<u8>> {
    let mut files = vec![ours(&[]), ours(SMALL_LIMITS), old_forms()];
    files.extend(of_redis(&[], "SAVE", &["dump.rdb"]).into_iter().flatten());
    let limits: Vec<String> = SMALL_LIMITS
        .iter()
        .map(|line| format!("--{line}"))
        .collect();
    let limits: Vec<&str> = limits.iter().flat_map(|line| line.split(' ')).collect();
    files.extend(
        of_redis(&limits, "SAVE", &["dump.rdb"])
            .into_iter()
            .flatten(),
    );
    files
}

fn ours(limits: &[&str]) -> Vec<u8> {
    let lines: Vec<&str> = SAFE.iter().chain(limits).copied().collect();
    let mut node = Node::new(&lines);
    for line in FILL {
        node.run(line);
    }
    node.run("SAVE");
    let file = fs::read("dump.rdb").expect("SAVE has written it");
    fs::remove_file("dump.rdb").expect("it is there");
    file
}

/// The files of that name that redis-server has after filling and a command; nothing where there is no redis-server.
pub(crate) fn of_redis(directives: &[&str], command: &str, names: &[&str]) -> Option<Vec<Vec<u8>>> {
    catch_unwind(AssertUnwindSafe(|| {
        let server = Server::redis(directives);
        let mut client = server.connect();
        for line in FILL {
            let words = resp::inline::split_args(line.as_bytes()).expect("quotes that are closed");
            let _ = client.call(&words);
        }
        client.run(command);
        let read = |name: &&str| fs::read(server.dir().join(Path::new(name))).ok();
        names.iter().filter_map(read).collect()
    }))
    .ok()
}

/// An RDB file with every form that versions before 7.0 wrote.
fn old_forms() -> Vec<u8> {
    let mut file = b"REDIS0009\xfa\x09redis-ver\x055.0.9\xfe\x00\xfb\x08\x00".to_vec();
    let mut add = |form: u8, key: &str, body: &[u8]| {
        file.push(form);
        string(&mut file, key.as_bytes());
        file.extend_from_slice(body);
    };
    let blob = |bytes: &[u8]| {
        let mut out = Vec::new();
        string(&mut out, bytes);
        out
    };
    add(0, "text", b"\x05hello");
    add(0, "int16", b"\xc1\x39\x30");
    add(0, "lzf", b"\xc3\x09\x40\x64\x01aa\xe0\x57\x00\x01aa");
    add(1, "list", b"\x02\x01a\xc0\x07");
    add(2, "set", b"\x02\x01a\x01b");
    add(3, "zset", b"\x02\x01a\x031.5\x01b\xfe");
    add(4, "hash", b"\x01\x01f\x01v");
    add(5, "zset2", b"\x01\x01a\x00\x00\x00\x00\x00\x00\xf8\x3f");
    add(
        9,
        "zipmap",
        &blob(b"\x02\x02f1\x02\x00v1\x02f2\x03\x01v2x\x00\xff"),
    );
    add(
        10,
        "ziplist",
        &blob(&ziplist(&[b"a", b"12", b"70000", &[b'x'; 70]])),
    );
    add(
        11,
        "intset",
        &blob(b"\x02\x00\x00\x00\x02\x00\x00\x00\xff\xff\x05\x00"),
    );
    add(
        12,
        "zsetziplist",
        &blob(&ziplist(&[b"a", b"1", b"b", b"2.5"])),
    );
    add(
        13,
        "hashziplist",
        &blob(&ziplist(&[b"f", b"v", b"g", b"300"])),
    );
    let mut quicklist = vec![2];
    quicklist.extend(blob(&ziplist(&[b"a", b"b"])));
    quicklist.extend(blob(&ziplist(&[b"-4", &[b'z'; 300]])));
    add(14, "quicklist", &quicklist);
    file.push(0xff);
    let sum = store::rdb::crc64::crc64(&file);
    file.extend_from_slice(&sum.to_le_bytes());
    file
}

/// A string with its length, of less than 16 KiB.
fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        len @ 0..64 => out.push(len as u8),
        len => out.extend_from_slice(&[0x40 | (len >> 8) as u8, len as u8]),
    }
    out.extend_from_slice(bytes);
}

/// A ziplist of these entries, numbers as numbers.
pub(crate) fn ziplist(entries: &[&[u8]]) -> Vec<u8> {
    let mut body: Vec<u8> = Vec::new();
    let mut before = 0;
    let mut last = 10;
    for entry in entries {
        last = 10 + body.len() as u32;
        let start = body.len();
        match before {
            0..254 => body.push(before as u8),
            _ => {
                body.push(254);
                body.extend_from_slice(&(before as u32).to_le_bytes());
            }
        }
        let number: Option<i64> = std::str::from_utf8(entry)
            .ok()
            .and_then(|text| text.parse().ok());
        match number {
            Some(number @ 0..=12) => body.push(0xf1 + number as u8),
            Some(number) => {
                body.push(0xd0);
                body.extend_from_slice(&(number as i32).to_le_bytes());
            }
            None => {
                match entry.len() {
                    len @ 0..64 => body.push(len as u8),
                    len => body.extend_from_slice(&[0x40 | (len >> 8) as u8, len as u8]),
                }
                body.extend_from_slice(entry);
            }
        }
        before = body.len() - start;
    }
    let mut out = (11 + body.len() as u32).to_le_bytes().to_vec();
    out.extend_from_slice(&last.to_le_bytes());
    out.extend_from_slice(&(entries.len() as u16).to_le_bytes());
    out.extend(body);
    out.push(0xff);
    out
}

#[cfg(test)]
mod tests_of_the_corpus {
    use super::*;

    #[test]
    fn the_file_of_old_forms_is_right_before_anything_is_changed() {
        let settings = store::rdb::load::LoadSettings::defaults(0);
        let file = old_forms();
        let mut loader = store::rdb::load::Loader::new(&file[..], settings, true);
        let mut keys = 0;
        while let Some(item) = loader.next_item().unwrap() {
            keys += usize::from(matches!(item, store::rdb::load::Item::Entry(_)));
        }
        assert_eq!(keys, 14);
    }
}
