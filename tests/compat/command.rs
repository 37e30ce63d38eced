//! COMMAND: the facts of every command, and the keys of requests.

use tests::compat::same;
use tests::{Reply, Server};

#[test]
fn unknown_commands_and_subcommands() {
    same(
        r#"
        NOSUCH
        nosuch "a\r\nb" "x\x00y" c
        COMMAND NOSUCH
        command "no\r\nsuch" a
        Config nosuch
        CONFIG
        COMMAND COUNT x
        COMMAND HELP x
        "#,
    );
}

#[test]
fn long_words_of_unknown_commands_are_cut() {
    let long = "z".repeat(200);
    let some = "y".repeat(120);
    same(&format!(
        "{long} {some} {long} {long}\nNOSUCH {long} a\nCONFIG {long}"
    ));
}

#[test]
fn info_of_commands() {
    same(
        r#"
        COMMAND INFO get STRLEN nosuch mget mset del
        COMMAND INFO command|count "command|getkeys" config|get
        COMMAND INFO get|x "command|count|x"
        COMMAND INFO expire ping select
        "#,
    );
}

#[test]
fn lists_of_commands() {
    same(
        r#"
        ~ COMMAND LIST FILTERBY PATTERN COMMAND|GETKEYS*
        ~ COMMAND LIST FILTERBY PATTERN nosuch
        COMMAND LIST FILTERBY MODULE nosuch
        COMMAND LIST FILTERBY ACLCAT nosuch
        COMMAND LIST FILTERBY
        COMMAND LIST FILTERBY PATTERN
        COMMAND LIST FILTERBY PATTERN a b
        COMMAND LIST BY PATTERN a
        "#,
    );
}

#[test]
fn keys_of_requests() {
    same(
        r#"
        COMMAND GETKEYS get a
        COMMAND GETKEYS MSET a 1 b 2
        COMMAND GETKEYSANDFLAGS set a 1
        COMMAND GETKEYSANDFLAGS set a 1 get
        COMMAND GETKEYSANDFLAGS del a b
        COMMAND GETKEYS nosuch a
        COMMAND GETKEYS command nosuch
        COMMAND GETKEYS command count
        COMMAND GETKEYS get a b
        COMMAND GETKEYS ping a
        "#,
    );
}

/// Wording of our own, and lists of subcommands (each is compared by its own name).
const OUR_OWN: &[&str] = &["summary", "complexity", "history", "notes", "subcommands"];

/// The reply without the fields of [`OUR_OWN`], at any depth.
fn facts(reply: Reply) -> Reply {
    let Reply::Group(kind, Some(items)) = reply else {
        return reply;
    };
    let is_ours = |items: &[Reply]| OUR_OWN.contains(&items[0].text().as_str()) && items.len() == 2;
    let kept = items
        .chunks(2)
        .filter(|pair| !is_ours(pair))
        .flatten()
        .cloned();
    Reply::Group(kind, Some(kept.map(facts).collect()))
}

/// COMMAND INFO's reply of one command, without its last item, the subcommands.
fn info_facts(reply: Reply) -> Reply {
    match reply.items() {
        [info] => Reply::Group(
            b'*',
            Some(info.items().iter().take(9).cloned().map(facts).collect()),
        ),
        _ => reply,
    }
}

#[test]
fn every_command_states_the_facts_of_redis() {
    let (subject, oracle) = (Server::start(&[]), Server::redis(&[]));
    let mut sides = [subject.connect(), oracle.connect()];
    let names = sides[0].run("COMMAND LIST");
    let mut differences = String::new();
    for protocol in ["HELLO 2", "HELLO 3"] {
        for side in &mut sides {
            side.run(protocol);
        }
        for name in names.items().iter().map(Reply::text) {
            let info = format!("COMMAND INFO {name}");
            let [ours, theirs] = sides.each_mut().map(|side| info_facts(side.run(&info)));
            let docs = format!("COMMAND DOCS {name}");
            let [our_docs, their_docs] = sides.each_mut().map(|side| facts(side.run(&docs)));
            for (ours, theirs) in [(ours, theirs), (our_docs, their_docs)] {
                if ours != theirs {
                    differences += &format!("{name}\n  ours   {ours:?}\n  theirs {theirs:?}\n");
                }
            }
        }
    }
    assert!(
        differences.is_empty(),
        "commands that differ:\n{differences}"
    );
}
