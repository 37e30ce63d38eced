//! Pools of keys and values: small, so that commands meet the same ones, with the extremes that break parsers.

use tests::Random;

use crate::generate::lower;
use crate::grammar::{Argument, Command, Kind};

/// Never the offset of a write: within the limit of a string such a number costs 512 MB on both servers.
const EXTREMES: &[&str] = &[
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999",
    "2147483648",
    "-2147483649",
];

const WORDS: &[&str] = &[
    "COUNT",
    "LIMIT",
    "MATCH",
    "WITHSCORES",
    "NX",
    "XX",
    "GT",
    "LT",
    "GET",
    "EX",
    "STORE",
    "ASC",
    "ALPHA",
    "BY",
    "KEEPTTL",
    "REV",
    "ANY",
    "BLOCK",
    "STREAMS",
];

/// Something that fits nowhere in particular.
pub(crate) fn junk(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0 => Vec::new(),
        1 => random.pick(EXTREMES).as_bytes().to_vec(),
        2 => random.pick(WORDS).as_bytes().to_vec(),
        3 => random.pick(WORDS).to_lowercase().into_bytes(),
        4 => random.pick(DOUBLES).as_bytes().to_vec(),
        5 => b"abc".to_vec(),
        6 => random.between(-3, 30).to_string().into_bytes(),
        _ => b"\x00\xff\r\n".to_vec(),
    }
}

/// A key of the command's own type, mostly.
pub(crate) fn key(random: &mut Random, command: &Command) -> Vec<u8> {
    const POOLS: &[&str] = &[
        "str", "hash", "list", "set", "zset", "bits", "hll", "geo", "stream", "num",
    ];
    let own = match command.group.as_str() {
        "string" if random.one_in(2) => Some("num"),
        "string" => Some("str"),
        "hash" => Some("hash"),
        "list" => Some("list"),
        "set" => Some("set"),
        "sorted-set" => Some("zset"),
        "bitmap" => Some("bits"),
        "hyperloglog" => Some("hll"),
        "geo" => Some("geo"),
        "stream" => Some("stream"),
        _ => None,
    };
    let pool = match own {
        Some(own) if !random.one_in(12) => own,
        _ => random.pick(POOLS),
    };
    match random.below(40) {
        // What SORT's BY and GET look up.
        0 => format!("weight_{}", random.below(12)).into_bytes(),
        1 => format!("{pool}:").into_bytes(),
        2 => format!("{pool}:\u{0}\r\n").into_bytes(),
        _ => format!("{pool}:{}", random.below(5)).into_bytes(),
    }
}

/// A value for an argument that is not a key.
pub(crate) fn value(random: &mut Random, command: &Command, argument: &Argument) -> Vec<u8> {
    let name = command.name();
    if random.one_in(60) {
        return junk(random);
    }
    match argument.kind {
        Kind::Integer => integer(random, &name, argument),
        Kind::Double => double(random, &name, &argument.name),
        Kind::Pattern if command.group == "pubsub" => channel_pattern(random),
        Kind::Pattern => pattern(random),
        Kind::UnixTime => unix_time(random, &argument.name),
        _ => text(random, &name, argument),
    }
}

fn integer(random: &mut Random, command: &str, argument: &Argument) -> Vec<u8> {
    let number = match (command, argument.name.as_str()) {
        _ if argument.token.as_deref() == Some(b"BLOCK") => random.between(1, 3),
        (_, "seconds" | "milliseconds" | "ttl") if random.one_in(12) => random.between(-1, 0),
        (_, "seconds") => *random.pick(&[1000, 5000, 100_000]),
        (_, "milliseconds" | "ttl") => *random.pick(&[1_000_000, 5_000_123, 100_000_000]),
        (_, "cursor") if !random.one_in(10) => 0,
        ("select" | "swapdb" | "move" | "copy", _) if !random.one_in(10) => random.between(0, 2),
        ("setbit" | "getbit", "offset") => random.between(0, 300),
        ("bitfield" | "bitfield_ro", "offset") if random.one_in(3) => {
            return format!("#{}", random.between(-1, 20)).into_bytes();
        }
        ("bitfield" | "bitfield_ro", "offset") => random.between(0, 100),
        ("setbit", "value") | ("bitpos", "bit") => *random.pick(&[0, 1, 0, 1, 0, 1, 0, 1, 2]),
        ("setrange", "offset") if random.one_in(50) => random.between(0, 3000),
        ("setrange", "offset") => random.between(0, 40),
        ("setbit", _) => random.between(0, 300),
        // A negative count may be answered with that many items.
        ("srandmember" | "hrandfield" | "zrandmember", "count") => random.between(-20, 20),
        _ if random.one_in(25) => return random.pick(EXTREMES).as_bytes().to_vec(),
        (_, "increment" | "decrement" | "value" | "weight") => random.between(-300, 300),
        _ if random.one_in(8) => random.between(-200, 1000),
        _ => random.between(-4, 8),
    };
    number.to_string().into_bytes()
}

const DOUBLES: &[&str] = &[
    "1.5",
    "-2.25",
    "0.1",
    "0.2",
    "1e10",
    "-1e-7",
    "inf",
    "-inf",
    "+inf",
    "nan",
    "1e308",
    "-0",
    "0x1A",
    " 1",
    "1 ",
    "",
    "3.0000000000000001",
    "17179869184.5",
    "1e-320",
    "123456789012345678",
    "(1",
    "infinity",
    "1e400",
    "5e-1",
    "+7",
    ".5",
    "1.",
    "0.30000000000000004",
];

fn double(random: &mut Random, command: &str, argument: &str) -> Vec<u8> {
    match argument {
        "timeout" => return b"0.01".to_vec(),
        "longitude" | "latitude" if !random.one_in(20) => {
            let degrees = random.between(-850_000, 850_000) as f64 / 10_000.0;
            return degrees.to_string().into_bytes();
        }
        "radius" | "width" | "height" if !random.one_in(20) => {
            return random
                .pick(&["10", "500", "2000.5", "100000", "0"])
                .as_bytes()
                .to_vec();
        }
        "min" | "max" if random.one_in(2) => return range_end(random),
        _ => {}
    }
    let text = match random.below(10) {
        0 | 1 => (*random.pick(DOUBLES)).to_owned(),
        2 => format!("{}.{}", random.between(-50, 50), random.below(1000)),
        // INCRBYFLOAT of a huge number makes the next ones vanish.
        3 if !command.starts_with("incr") => random.pick(EXTREMES).to_string(),
        _ => random.between(-10, 10).to_string(),
    };
    text.into_bytes()
}

fn range_end(random: &mut Random) -> Vec<u8> {
    const ENDS: &[&str] = &[
        "-", "+", "[a", "(a", "[c", "(c", "[5", "(1", "(3", "-inf", "+inf", "0", "3", "5", "1.5",
        "(", "[", "", "(nan", "[zz", "(-inf", "(inf",
    ];
    random.pick(ENDS).as_bytes().to_vec()
}

fn pattern(random: &mut Random) -> Vec<u8> {
    const PATTERNS: &[&str] = &[
        "*",
        "str:*",
        "*:?",
        "*[0-2]",
        "h?sh:[^1]",
        "weight_*",
        "hash:*->f1",
        "weight_*->f",
        "#",
        "nosort",
        "chan*",
        "\\*",
        "[",
        "*a*",
        "?",
        "",
        "**",
        "[a-",
        "chan?2",
        "[^a-c]*",
    ];
    random.pick(PATTERNS).as_bytes().to_vec()
}

/// None fits a keyspace event: of its own commands' events a subscriber of RESP3 hears from redis-server before some replies
/// and after others, and in the middle of EXEC's.
fn channel_pattern(random: &mut Random) -> Vec<u8> {
    const PATTERNS: &[&str] = &[
        "chan*",
        "chan?",
        "c[gh]an1",
        "[c]*[0-2]",
        "chan",
        "",
        "[",
        "ch\\an0",
    ];
    random.pick(PATTERNS).as_bytes().to_vec()
}

fn unix_time(random: &mut Random, argument: &str) -> Vec<u8> {
    // 2100, or the past.
    let seconds = match random.below(12) {
        0 => random.between(-1, 1),
        1 => 1_000_000_000,
        2 => return random.pick(EXTREMES).as_bytes().to_vec(),
        _ => 4_102_444_800 + random.between(0, 100_000),
    };
    let unit = if argument.contains("milli") { 1000 } else { 1 };
    (seconds * unit).to_string().into_bytes()
}

fn text(random: &mut Random, command: &str, argument: &Argument) -> Vec<u8> {
    let pick = |random: &mut Random, pool: &[&str]| random.pick(pool).as_bytes().to_vec();
    match (command, argument.name.as_str()) {
        ("bitfield" | "bitfield_ro", "encoding") => {
            return pick(
                random,
                &[
                    "u8", "i8", "u1", "i5", "u16", "i32", "u63", "i64", "u64", "i65", "x8", "u0",
                    "u", "U8",
                ],
            );
        }
        ("bitop", "operation") => return pick(random, &["AND", "OR", "XOR", "NOT", "and", "NAND"]),
        (
            "xgroup create" | "xgroup setid" | "xsetid" | "xreadgroup" | "xread",
            "id" | "last-id",
        ) if random.one_in(3) => {
            return pick(random, &["$", ">", "0", "0-0"]);
        }
        (_, "group" | "groupname") => return pick(random, &["g1", "g2"]),
        (_, "consumer" | "consumername") => return pick(random, &["c1", "c2", "c3"]),
        ("xadd" | "xtrim", "threshold") => return random.between(0, 12).to_string().into_bytes(),
        (_, "min-idle-time") => return b"0".to_vec(),
        _ if command.starts_with('x') && argument.name != "field" && argument.name != "value" => {
            return stream_id(random);
        }
        (_, "channel" | "shardchannel") => return format!("chan{}", random.below(3)).into_bytes(),
        (_, "type") => {
            return pick(
                random,
                &[
                    "string", "list", "hash", "set", "zset", "stream", "nothing", "SET",
                ],
            );
        }
        (_, "min" | "max") => return range_end(random),
        ("zrange", "start" | "stop") => {
            return if random.one_in(2) {
                range_end(random)
            } else {
                random.between(-4, 8).to_string().into_bytes()
            };
        }
        ("command getkeys" | "command getkeysandflags", _) => {
            return pick(
                random,
                &[
                    "GET",
                    "MSET",
                    "ZUNIONSTORE",
                    "SORT",
                    "2",
                    "k",
                    "STORE",
                    "EVAL",
                    "XREAD",
                    "STREAMS",
                    "1",
                    "SET",
                ],
            );
        }
        ("eval" | "eval_ro" | "script load", "script") => return pick(random, SCRIPTS),
        ("script exists", _) => {
            return pick(random, &["e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "x"]);
        }
        ("acl dryrun", "username") => return pick(random, &["default", "default", "nobody"]),
        ("acl dryrun", "command") => {
            return pick(random, &["GET", "set", "EVAL", "nothing", "config"]);
        }
        ("acl cat", _) => return pick(random, &["nothing", ""]),
        (_, "field" | "member" | "element" | "pivot" | "member1" | "member2") => {
            return member(random);
        }
        _ => {}
    }
    match random.below(12) {
        0 => Vec::new(),
        1 => random.pick(EXTREMES).as_bytes().to_vec(),
        2 => random.pick(DOUBLES).as_bytes().to_vec(),
        3 => b"\x00\xff\x7f\x80".to_vec(),
        4 => vec![b'x'; random.between(40, 70) as usize],
        5 if random.one_in(6) => vec![b'y'; random.between(500, 3000) as usize],
        6 => (0..random.below(30)).map(|_| random.any() as u8).collect(),
        7 | 8 => random.between(-20, 20).to_string().into_bytes(),
        9 => random.between(-100_000, 100_000).to_string().into_bytes(),
        _ => member(random),
    }
}

/// Bodies that do with keys and arguments what a script may do: call, fail, convert.
const SCRIPTS: &[&str] = &[
    "return 1",
    "return redis.call('SET', KEYS[1], ARGV[1])",
    "return redis.call('GET', KEYS[1])",
    "return redis.pcall('LPUSH', KEYS[1], unpack(ARGV))",
    "redis.call('HSET', KEYS[1], 'f', ARGV[1]); return #redis.call('HGETALL', KEYS[1])",
    "return {KEYS, ARGV, #KEYS, 3.99, true, false, 'x'}",
    "return {1, 2, nil, 4}",
    "return redis.error_reply(ARGV[1] or 'MY')",
    "return redis.status_reply('FINE')",
    "return tonumber(ARGV[1])",
    "return redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])",
    "return {redis.call('TYPE', KEYS[1]), redis.call('OBJECT', 'ENCODING', KEYS[1])}",
    "return redis.pcall('nothing')",
    "return redis.call('BLPOP', KEYS[1], 0)",
    "redis.setresp(3); return redis.call('ZSCORE', KEYS[1], ARGV[1])",
    "return cjson.encode(redis.call('LRANGE', KEYS[1], 0, -1))",
    "return redis.sha1hex(ARGV[1])",
    "local n = 0; for i = 1, 20 do n = n + redis.call('INCRBY', KEYS[1], i) end; return n",
    "return {double = 3.5}",
    "return {map = {a = 1}}",
    "return x",
    "return (",
    "#!lua flags=no-writes\nreturn redis.call('SET', KEYS[1], 'x')",
    "#!lua\nreturn redis.call('APPEND', KEYS[1], 'x')",
];

/// Members, fields and elements: few enough to meet again, of every size that matters to encodings.
fn member(random: &mut Random) -> Vec<u8> {
    match random.below(20) {
        0..=6 => vec![b'a' + random.below(8) as u8],
        7..=12 => random.between(0, 12).to_string().into_bytes(),
        13 => random.between(-70_000, 70_000).to_string().into_bytes(),
        14 => random.between(0, 700).to_string().into_bytes(),
        15 => format!("f{}", random.below(300)).into_bytes(),
        16 => random.pick(EXTREMES).as_bytes().to_vec(),
        17 => vec![b'm'; *random.pick(&[7, 9, 63, 64, 65, 100, 253, 254, 255])],
        18 => Vec::new(),
        _ => random
            .pick(&[
                "007",
                "1.0",
                "-0",
                "a\u{0}b",
                "\r\n",
                "4294967296",
                "-129",
                "127",
                "32768",
            ])
            .as_bytes()
            .to_vec(),
    }
}

fn stream_id(random: &mut Random) -> Vec<u8> {
    const IDS: &[&str] = &[
        "-",
        "+",
        "0",
        "0-0",
        "$",
        ">",
        "5-*",
        "18446744073709551615-18446744073709551615",
        "(1-1",
        "(",
        "x",
        "1-x",
        "0-1",
        "7",
    ];
    match random.below(8) {
        0 => random.pick(IDS).as_bytes().to_vec(),
        1 => format!("{}-*", random.between(1, 60)).into_bytes(),
        2 => format!("({}-{}", random.between(1, 60), random.below(4)).into_bytes(),
        _ => format!("{}-{}", random.between(1, 60), random.below(4)).into_bytes(),
    }
}

/// Two servers read their clocks at different moments. A key that would expire during the scenario, and a client that would
/// wait for longer than it takes, are moved away from that.
pub(crate) fn keep_apart_from_the_clock(words: &mut [Vec<u8>]) {
    const SOON_SECONDS: i64 = 500;
    const YEAR_2100: i64 = 4_102_444_800;
    let name = words.first().map(|word| lower(word)).unwrap_or_default();
    let after = |word: &mut Vec<u8>, limit: i64| {
        let number = std::str::from_utf8(word)
            .ok()
            .and_then(|text| text.trim().parse::<i64>().ok());
        if number.is_some_and(|number| (1..limit).contains(&number)) {
            *word = (limit * 2).to_string().into_bytes();
        }
    };
    match name.as_str() {
        "expire" | "setex" if words.len() > 2 => after(&mut words[2], SOON_SECONDS),
        "pexpire" | "psetex" if words.len() > 2 => after(&mut words[2], SOON_SECONDS * 1000),
        "set" | "getex" => {
            for at in 2..words.len() {
                match lower(&words[at - 1]).as_str() {
                    "ex" => after(&mut words[at], SOON_SECONDS),
                    "px" => after(&mut words[at], SOON_SECONDS * 1000),
                    // SET keeps a key whose time has passed until somebody looks, the server itself perhaps.
                    "exat" if name == "set" => after(&mut words[at], YEAR_2100),
                    "pxat" if name == "set" => after(&mut words[at], YEAR_2100 * 1000),
                    _ => {}
                }
            }
        }
        "blpop" | "brpop" | "brpoplpush" | "blmove" | "bzpopmin" | "bzpopmax" => {
            if let Some(last) = words.last_mut() {
                wait_shortly(last);
            }
        }
        "srandmember" | "hrandfield" | "zrandmember" => {
            words.iter_mut().skip(2).for_each(ask_for_few);
        }
        "blmpop" | "bzmpop" => words.iter_mut().skip(1).take(1).for_each(wait_shortly),
        "xread" | "xreadgroup" => {
            for at in 1..words.len() {
                if lower(&words[at - 1]) == "block" && words[at].iter().all(u8::is_ascii_digit) {
                    words[at] = b"2".to_vec();
                }
            }
        }
        _ => {}
    }
}

/// A negative count is answered with that many items, however long that takes.
fn ask_for_few(word: &mut Vec<u8>) {
    const MANY: i64 = -1000;
    let count = std::str::from_utf8(word)
        .ok()
        .and_then(|text| text.parse::<i64>().ok());
    // The very smallest number is an error.
    if count.is_some_and(|count| (i64::MIN + 1..MANY).contains(&count)) {
        *word = b"-20".to_vec();
    }
}

fn wait_shortly(word: &mut Vec<u8>) {
    let seconds = std::str::from_utf8(word)
        .ok()
        .and_then(|text| text.trim().parse::<f64>().ok());
    // Beyond 2^53 it is an error on both; less than a millisecond below 0 is rounded to 0, which means forever.
    if seconds.is_some_and(|seconds| seconds > -0.001 && seconds < 9e15) {
        *word = b"0.01".to_vec();
    }
}
