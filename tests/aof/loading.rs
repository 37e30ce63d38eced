//! While the dataset is being loaded.

use crate::{commands, put_incr, wait_until};
use tests::{Connection, Reply, Server};

/// Enough commands for a load that can be watched.
fn long_aof() -> Vec<u8> {
    let lines: Vec<String> = (0..300_000)
        .map(|number| format!("SET key:{number} value"))
        .collect();
    commands(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn debug_loadaof_brings_the_data_back_and_answers_when_it_is_there() {
    let server = Server::start(&["--appendonly", "yes"]);
    let mut client = server.connect();
    client.run("SET k v");
    client.run("DEBUG POPULATE 10 unwritten");
    assert_eq!(client.run("DEBUG LOADAOF").text(), "OK");
    assert_eq!(client.run("DBSIZE").integer(), Some(1));
    assert_eq!(client.run("INCR n").integer(), Some(1));
    assert_eq!(client.run("DEBUG LOADAOF").text(), "OK");
    assert_eq!(client.run("MGET k n").items().len(), 2);
    assert_eq!(client.run("GET n").text(), "1");
}

#[test]
fn debug_loadaof_inside_a_transaction_is_done_before_the_next_command() {
    let server = Server::start(&["--appendonly", "yes"]);
    let mut client = server.connect();
    client.run("SET k v");
    client.run("MULTI");
    client.run("DEBUG LOADAOF");
    client.run("GET k");
    let answers = client.run("EXEC");
    assert_eq!(answers.items()[1].text(), "v");
}

#[test]
fn other_clients_are_answered_while_an_aof_is_loaded() {
    let server = Server::start_with(&["--appendonly", "yes"], |dir| put_incr(dir, &long_aof()));
    let mut loader = server.connect();
    assert_eq!(loader.run("DBSIZE").integer(), Some(300_000));
    let mut other = server.connect();
    loader.send(&tests::split_words("DEBUG LOADAOF")).unwrap();
    let info = wait_for_loading(&mut other);
    for field in [
        "loading_start_time",
        "loading_total_bytes",
        "loading_loaded_bytes",
        "loading_loaded_perc",
        "loading_eta_seconds",
    ] {
        assert!(info.contains(&format!("{field}:")), "{info}");
    }
    // None of these can tell whether the load is over by now, unless it says LOADING.
    let refused = other.run("GET key:1");
    if let Reply::Line(b'-', text) = &refused {
        assert_eq!(
            String::from_utf8_lossy(text),
            "LOADING Redis is loading the dataset in memory"
        );
    }
    assert_eq!(loader.read().unwrap().text(), "OK");
    assert_eq!(other.run("DBSIZE").integer(), Some(300_000));
    assert!(
        !other
            .run("INFO persistence")
            .text()
            .contains("loading_start_time")
    );
}

fn wait_for_loading(client: &mut Connection) -> String {
    let mut info = String::new();
    wait_until("the load begins", || {
        info = client.run("INFO persistence").text();
        info.contains("loading:1\r\n")
    });
    info
}
