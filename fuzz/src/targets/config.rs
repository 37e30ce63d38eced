//! redis.conf, the command line, ACL rules and ACL files.

use super::{Target, changed};
use crate::mutate;
use crate::node::Node;
use server::config;
use std::fs;
use std::path::Path;
use tests::Random;

const FILE: &str = "fuzz.conf";
/// More databases than this is a wish that takes memory, not a mistake.
const DATABASES_MAX: i64 = 10_000;

/// A file. What is taken can be followed by a node, and written back so that it is taken again.
pub(super) const CONFIG: Target = Target {
    name: "config",
    corpus: lines,
    input: |corpus, random| {
        let mut input = Vec::new();
        for _ in 0..1 + random.below(12) {
            input.extend(line(corpus, random));
            input.extend_from_slice(random.pick(&["\n", "\r\n", "\n\n", "\n# x\n"]).as_bytes());
        }
        if random.one_in(3) {
            mutate::mutate(&mut input, random, WORDS, &corpus[0]);
        }
        input
    },
    run: |input| {
        fs::write(FILE, input).expect("the working folder takes a file");
        // One wrong line of many would hide what the others do: each also alone.
        for line in String::from_utf8_lossy(input).lines().take(40) {
            let _ = config::load(None, &[line.to_string()]);
        }
        let Ok(config) = config::load(Some(Path::new(FILE)), &[]) else {
            return;
        };
        if config.integer(config::DATABASES) > DATABASES_MAX {
            return;
        }
        let Some(mut node) = Node::of(config) else {
            return;
        };
        if node.run("CONFIG REWRITE") == b"+OK\r\n" {
            let again = config::load(Some(Path::new(FILE)), &[]);
            assert!(
                again.is_ok(),
                "what CONFIG REWRITE wrote is refused: {:?}",
                again.err()
            );
        }
    },
};

/// The words after the program's name, one to a line.
pub(super) const COMMAND_LINE: Target = Target {
    name: "command-line",
    corpus: lines,
    input: |corpus, random| {
        let mut input = Vec::new();
        for _ in 0..1 + random.below(5) {
            let line = line(corpus, random);
            input.extend_from_slice(b"--");
            input.extend(
                line.iter()
                    .map(|byte| if *byte == b' ' { b'\n' } else { *byte }),
            );
            input.push(b'\n');
        }
        if random.one_in(2) {
            mutate::mutate(
                &mut input,
                random,
                &[b"--", b"-\n", b"\n", b"--check-config\n", b"--save\n"],
                &corpus[0],
            );
        }
        input
    },
    run: |input| {
        let words: Vec<String> = String::from_utf8_lossy(input)
            .lines()
            .map(str::to_string)
            .collect();
        let _ = server::read_command_line(&words, &mut &b"port 7000\n"[..]);
    },
};

/// Rules of ACL SETUSER, then what ACL says of the user, and a second node that is told so.
pub(super) const ACL: Target = Target {
    name: "acl",
    corpus: || RULES.iter().map(|rule| rule.as_bytes().to_vec()).collect(),
    input: |corpus, random| {
        let mut rules = Vec::new();
        for _ in 0..1 + random.below(8) {
            let mut rule = random.pick(corpus).clone();
            if random.one_in(3) {
                mutate::mutate(
                    &mut rule,
                    random,
                    &[b"(", b")", b"|", b"+@", b"%RW~", b" "],
                    &corpus[1],
                );
            }
            rules.extend(rule);
            rules.push(b'\n');
        }
        rules
    },
    run: |input| {
        let rules: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
        let mut node = Node::new(crate::node::SAFE);
        let told: Vec<&[u8]> = [&b"ACL"[..], b"SETUSER", b"u"]
            .into_iter()
            .chain(rules)
            .collect();
        let taken = node.call(&told) == b"+OK\r\n";
        for line in [
            "ACL GETUSER u",
            "ACL DRYRUN u GET k",
            "ACL DRYRUN u SET k v",
            "ACL DRYRUN u CONFIG GET x",
            "ACL DRYRUN u PUBLISH c m",
            "AUTH u p",
        ] {
            assert!(!node.run(line).is_empty(), "no reply to {line}");
        }
        if !taken {
            return;
        }
        let mut first = Node::new(crate::node::SAFE);
        first.call(&told);
        let list = first.run("ACL LIST");
        let Ok(Some((frame, _))) = resp::Frame::parse(&list) else {
            panic!("ACL LIST is no reply")
        };
        for user in frame.as_items().unwrap_or_default() {
            let line = user.as_bytes().unwrap_or_default();
            let mut again = Node::new(crate::node::SAFE);
            let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').skip(1).collect();
            let Some((name, rules)) = words.split_first() else {
                continue;
            };
            // A pattern with a space in it cannot be told from two words.
            if input.contains(&b' ') {
                continue;
            }
            let told: Vec<&[u8]> = [&b"ACL"[..], b"SETUSER", name, b"reset"]
                .into_iter()
                .chain(rules.iter().copied())
                .collect();
            let reply = again.call(&told);
            assert_eq!(
                reply,
                b"+OK\r\n",
                "what ACL LIST says is refused: {}",
                line.escape_ascii()
            );
        }
    },
};

/// A file of users.
pub(super) const ACL_FILE: Target = Target {
    name: "acl-file",
    corpus: || RULES.iter().map(|rule| rule.as_bytes().to_vec()).collect(),
    input: |corpus, random| {
        let mut file = Vec::new();
        for number in 0..1 + random.below(5) {
            file.extend(format!("user u{number}").into_bytes());
            for _ in 0..random.below(6) {
                file.push(b' ');
                file.extend(random.pick(corpus));
            }
            file.push(b'\n');
        }
        mutate::mutate(
            &mut file,
            random,
            &[b"user ", b"\n", b"user default on\n", b"(", b")", b" "],
            &corpus[1],
        );
        file
    },
    run: |input| {
        fs::write("users.acl", input).expect("the working folder takes a file");
        let lines: Vec<String> = vec![
            "aclfile users.acl".into(),
            "save \"\"".into(),
            "loglevel warning".into(),
        ];
        let config = config::load(None, &lines).expect("these lines are right");
        let Some(mut node) = Node::of(config) else {
            return;
        };
        for line in ["ACL LIST", "ACL SAVE", "ACL LOAD"] {
            node.run(line);
        }
    },
};

const RULES: &[&str] = &[
    "on",
    "off",
    "nopass",
    "reset",
    "resetpass",
    "resetkeys",
    "resetchannels",
    "allkeys",
    "allchannels",
    "allcommands",
    "nocommands",
    ">secret",
    "<secret",
    "#5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
    "!5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
    "~k*",
    "%R~r*",
    "%W~w*",
    "%RW~*",
    "&ch*",
    "+get",
    "-get",
    "+@all",
    "-@all",
    "+@read",
    "-@dangerous",
    "+config|get",
    "-config|set",
    "+select|0",
    "+xinfo",
    "(+set ~s*)",
    "(+@write %W~a &b)",
    "(",
    ")",
    "clearselectors",
    "sanitize-payload",
    "skip-sanitize-payload",
    "~",
    "&",
    "+",
    "%",
    "%X~a",
    "+nothing",
    "+@nothing",
];

const WORDS: &[&[u8]] = &[
    b"\"",
    b"'",
    b"\\x00",
    b"\\n",
    b" ",
    b"\t",
    b"yes",
    b"no",
    b"0",
    b"-1",
    b"1gb",
    b"1mb",
    b"50%",
    b"user u on nopass ~* +@all",
    b"include fuzz.conf",
    b"rename-command GET \"\"",
    b"save 900 1",
    b"save \"\"",
    b"99999999999999999999",
    b"1e5",
];

/// A right line for every directive, from what a node says of itself; and lines of other kinds.
fn lines() -> Vec<Vec<u8>> {
    let mut node = Node::new(&[]);
    let reply = node.run("CONFIG GET *");
    let Ok(Some((frame, _))) = resp::Frame::parse(&reply) else {
        panic!("CONFIG GET is no reply")
    };
    let items: Vec<&[u8]> = frame
        .as_items()
        .unwrap_or_default()
        .iter()
        .filter_map(|item| item.as_bytes())
        .collect();
    let mut lines: Vec<Vec<u8>> = items
        .chunks_exact(2)
        .filter(|pair| !AWAY.contains(&pair[0]))
        .map(|pair| {
            let value = match pair[1].is_empty() {
                true => b"\"\"",
                false => pair[1],
            };
            [pair[0], b" ", value].concat()
        })
        .collect();
    lines.extend(WORDS.iter().map(|word| word.to_vec()));
    lines.push(b"user bob on +@all ~* &* >pw".to_vec());
    lines.push(b"client-output-buffer-limit pubsub 32mb 8mb 60".to_vec());
    lines
}

/// They reach out of the working folder.
const AWAY: &[&[u8]] = &[
    b"oom-score-adj",
    b"dir",
    b"logfile",
    b"unixsocket",
    b"pidfile",
];

fn line(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let line = random.pick(corpus);
    match random.below(4) {
        0 => line.clone(),
        1 => {
            let name = line.split(|byte| *byte == b' ').next().unwrap_or_default();
            let other = random.pick(corpus);
            let value = other.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
            [name, b" ", value].concat()
        }
        2 => {
            let name = line.split(|byte| *byte == b' ').next().unwrap_or_default();
            let unit = random.pick(&["", "", "mb", "k", "%", "gb", " 1", "x"]);
            [
                name,
                b" ",
                mutate::number(random).to_string().as_bytes(),
                unit.as_bytes(),
            ]
            .concat()
        }
        _ => changed(std::slice::from_ref(line), random, WORDS),
    }
}
