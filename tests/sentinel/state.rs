//! What a Sentinel keeps in its file, and what it makes of a file it cannot use.

use super::*;
use std::fs;
use std::process::Command;

#[test]
fn a_sentinel_that_crashed_knows_its_group_when_it_comes_back() {
    let mut group = Group::start(1, &[Server::sentinel, Server::sentinel]);
    let mut client = group.sentinels[0].connect();
    let id = client.run("SENTINEL MYID").text();
    client.run("SENTINEL SET mymaster parallel-syncs 3 auth-user bob");
    let replica = group.nodes[1].port();
    group.nodes[1].crash();
    group.sentinels[0].crash_and_restart();
    let mut client = group.sentinels[0].connect();
    assert_eq!(client.run("SENTINEL MYID").text(), id);
    let master = group_master(&group.sentinels[0]);
    assert_eq!(field(&master, "parallel-syncs"), "3");
    assert_eq!(field(&master, "num-other-sentinels"), "1");
    let replicas = client.run("SENTINEL REPLICAS mymaster");
    assert_eq!(field(&replicas.items()[0], "port"), replica.to_string());
}

#[test]
fn redis_sentinel_goes_on_with_our_file_and_we_with_its() {
    let node = Server::redis(&[]);
    let text = file(node.port(), 1);
    let starts: [(Start, Start); 2] = [
        (Server::sentinel, Server::redis_sentinel),
        (Server::redis_sentinel, Server::sentinel),
    ];
    for (first, second) in starts {
        let before = first(&text);
        let mut client = before.connect();
        client.run("SENTINEL MONITOR second 127.0.0.1 1 4");
        let id = client.run("SENTINEL MYID").text();
        let kept = fs::read_to_string(before.dir().join("sentinel.conf")).unwrap();
        drop(before);
        // The lines that say where it listened are the first one's own.
        let kept: String = kept
            .lines()
            .filter(|line| line.starts_with("sentinel ") || line.starts_with("user "))
            .map(|line| format!("{line}\n"))
            .collect();
        let after = second(&kept);
        let mut client = after.connect();
        assert_eq!(client.run("SENTINEL MYID").text(), id);
        let master = client.run("SENTINEL MASTER second");
        assert_eq!(field(&master, "quorum"), "4");
        assert_eq!(field(&master, "port"), "1");
    }
}

#[test]
fn scripts_are_looked_for_in_the_folder_of_dir() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tests::Scratch::new();
    let script = folder.path().join("told");
    fs::write(&script, "#!/bin/sh\necho \"$1\" >> events\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let dir = folder.path().display();
    let path = folder.path().join("sentinel.conf");
    let line = "sentinel monitor m 127.0.0.1 1 1\nsentinel notification-script m ./told\n";
    let port = free_port();
    fs::write(
        &path,
        format!("port {port}\nbind 127.0.0.1\ndir {dir}\n{line}"),
    )
    .unwrap();
    let mut sentinel = Command::new(tests::platform_kv_binary())
        .arg("sentinel")
        .arg(&path)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the script was told of the master", || {
        let events = fs::read_to_string(folder.path().join("events")).unwrap_or_default();
        events.contains("+monitor") && events.contains("+sdown")
    });
    sentinel.kill().unwrap();
    sentinel.wait().unwrap();
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts a Sentinel with this file where it must not start; returns what it says.
fn refusal(text: Option<&str>) -> String {
    let folder = tests::Scratch::new();
    let path = folder.path().join("sentinel.conf");
    let mut command = Command::new(tests::platform_kv_binary());
    command.arg("sentinel");
    if let Some(text) = text {
        fs::write(&path, text).unwrap();
        command.arg(&path);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn a_file_that_cannot_be_used_is_refused_with_the_line_at_fault() {
    assert!(refusal(None).contains("Sentinel needs config file on disk to save state"));
    let said = refusal(Some("port 0\n\nsentinel monitor m 127.0.0.1 6379 0\n"));
    assert!(said.contains("at line 3 of "), "{said}");
    assert!(
        said.contains(">>> 'sentinel monitor m 127.0.0.1 6379 0'\nQuorum must be 1 or greater."),
        "{said}"
    );
    let said = refusal(Some("nonsense 1\n"));
    assert!(
        said.contains("Bad directive or wrong number of arguments"),
        "{said}"
    );
}
