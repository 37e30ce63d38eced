//! Random datasets: every type, each of its encodings, sizes around their limits, several dbs, some keys that expire.

use tests::Random;

/// Dbs that get keys.
pub(crate) const DBS: u32 = 4;

type Words = Vec<Vec<u8>>;

/// The limits between encodings, so that small values reach beyond them too.
pub(crate) fn directives(random: &mut Random) -> Vec<String> {
    let mut directives = Vec::new();
    let mut set = |name: &str, value: String| {
        directives.push(format!("--{name}"));
        directives.push(value);
    };
    let flag = |random: &mut Random| if random.one_in(2) { "yes" } else { "no" }.to_string();
    set("rdbcompression", flag(random));
    set("rdbchecksum", flag(random));
    set(
        "hash-max-listpack-entries",
        random.between(0, 40).to_string(),
    );
    set("hash-max-listpack-value", random.between(0, 80).to_string());
    set(
        "zset-max-listpack-entries",
        random.between(0, 40).to_string(),
    );
    set("zset-max-listpack-value", random.between(0, 80).to_string());
    set("set-max-intset-entries", random.between(0, 40).to_string());
    set(
        "list-max-listpack-size",
        random.pick(&["-2", "-1", "3", "128"]).to_string(),
    );
    set(
        "list-compress-depth",
        random.pick(&["0", "0", "1", "2"]).to_string(),
    );
    set(
        "stream-node-max-entries",
        random.between(1, 100).to_string(),
    );
    let policies = ["noeviction", "allkeys-lru", "volatile-lfu"];
    set("maxmemory-policy", random.pick(&policies).to_string());
    directives
}

/// Libraries of functions, which files hold beside the keys.
fn libraries(random: &mut Random, commands: &mut Vec<Words>) {
    for number in 0..random.below(3) {
        let code = format!(
            "#!lua name=lib{number}\nredis.register_function('f{number}', function() return {} end)",
            random.below(1000)
        );
        commands.push(words(&[b"FUNCTION", b"LOAD", code.as_bytes()]));
    }
}

/// The commands that make a dataset of `keys` keys.
pub(crate) fn commands(random: &mut Random, keys: usize) -> Vec<Words> {
    let mut commands = Vec::new();
    libraries(random, &mut commands);
    for number in 0..keys {
        if number == 0 || random.one_in(20) {
            let db = random.below(DBS as usize).to_string();
            commands.push(words(&[b"SELECT", db.as_bytes()]));
        }
        let key = key(random, number);
        fill(random, &key, &mut commands);
        if random.one_in(4) {
            // Far enough away that no clock makes a difference.
            let at = 4_102_444_800_000 + random.between(0, 1_000_000_000);
            commands.push(words(&[b"PEXPIREAT", &key, at.to_string().as_bytes()]));
        }
    }
    commands
}

fn words(words: &[&[u8]]) -> Words {
    words.iter().map(|word| word.to_vec()).collect()
}

fn key(random: &mut Random, number: usize) -> Vec<u8> {
    let mut key = match random.below(4) {
        0 => number.to_string().into_bytes(),
        1 => text(random),
        _ => b"key:".to_vec(),
    };
    key.extend_from_slice(number.to_string().as_bytes());
    key
}

fn fill(random: &mut Random, key: &[u8], commands: &mut Vec<Words>) {
    let size = *random.pick(&[1, 2, 5, 20, 50, 200]);
    let size = 1 + random.below(size);
    match random.below(8) {
        0 => commands.push(words(&[b"SET", key, &text(random)])),
        1 => {
            commands.push(words(&[b"SET", key, &text(random)]));
            commands.push(words(&[b"APPEND", key, &text(random)]));
        }
        2 => {
            for _ in 0..size {
                let side: &[u8] = if random.one_in(3) { b"LPUSH" } else { b"RPUSH" };
                commands.push(words(&[side, key, &text(random)]));
            }
        }
        3 => {
            for _ in 0..size {
                let bits = random.pick(&[8, 16, 32, 60]);
                let int = random.any() as i64 >> (63 - bits);
                commands.push(words(&[b"SADD", key, int.to_string().as_bytes()]));
            }
        }
        4 => {
            for _ in 0..size {
                commands.push(words(&[b"SADD", key, &text(random)]));
            }
        }
        5 => {
            for _ in 0..size {
                commands.push(words(&[b"HSET", key, &text(random), &text(random)]));
            }
        }
        6 => {
            for _ in 0..size {
                let score = score(random);
                commands.push(words(&[b"ZADD", key, score.as_bytes(), &text(random)]));
            }
        }
        _ => stream(random, key, size, commands),
    }
}

fn stream(random: &mut Random, key: &[u8], size: usize, commands: &mut Vec<Words>) {
    let mut ids = Vec::new();
    let mut ms = 1_600_000_000_000 + random.below(1000);
    for seq in 0..size {
        ms += random.below(3);
        ids.push(format!("{ms}-{seq}"));
        let mut command = words(&[b"XADD", key, ids[seq].as_bytes()]);
        // Entries with the fields of the one before are written shorter.
        for field in 0..1 + random.below(3) {
            let field = if random.one_in(4) {
                text(random)
            } else {
                format!("f{field}").into_bytes()
            };
            command.extend([field, text(random)]);
        }
        commands.push(command);
    }
    for group in 0..random.below(3) {
        let group = format!("g{group}");
        commands.push(words(&[b"XGROUP", b"CREATE", key, group.as_bytes(), b"0"]));
        for consumer in [&b"alice"[..], b"bob"] {
            let count = random.between(1, 20).to_string();
            let from = [
                b"XREADGROUP",
                &b"GROUP"[..],
                group.as_bytes(),
                consumer,
                b"COUNT",
            ];
            let mut command = words(&from);
            command.extend(words(&[count.as_bytes(), b"STREAMS", key, b">"]));
            commands.push(command);
            let id = random.pick(&ids).clone();
            commands.push(words(&[b"XACK", key, group.as_bytes(), id.as_bytes()]));
        }
    }
    for _ in 0..random.below(3) {
        let id = random.pick(&ids).clone();
        commands.push(words(&[b"XDEL", key, id.as_bytes()]));
    }
}

/// What strings, fields and members are: texts that are integers, that repeat themselves, that are any bytes.
fn text(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0 => random.between(-300, 300).to_string().into_bytes(),
        1 => {
            let bits = random.below(64);
            ((random.any() >> bits) as i64).to_string().into_bytes()
        }
        2 => format!("{:03}", random.below(100)).into_bytes(),
        3 => {
            let unit = format!("part {} ", random.below(1000));
            unit.repeat(1 + random.below(30)).into_bytes()
        }
        4 if random.one_in(10) => vec![random.any() as u8; random.below(20_000)],
        4 | 5 => (0..random.below(90)).map(|_| random.any() as u8).collect(),
        _ => format!("word{}", random.below(1000)).into_bytes(),
    }
}

fn score(random: &mut Random) -> String {
    match random.below(6) {
        0 => "inf".into(),
        1 => "-inf".into(),
        2 => format!("{:e}", random.any() as i64 as f64 * 1e-30),
        3 => format!("{}", random.between(-1000, 1000) as f64 / 7.0),
        _ => random.between(-100, 100).to_string(),
    }
}
