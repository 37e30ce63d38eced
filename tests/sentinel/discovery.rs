//! What Sentinels find out by themselves, and how they tell it.

use super::*;

#[test]
fn ours_and_redis_sentinel_find_each_other_and_tell_the_same_fields() {
    let group = Group::start(2, &[Server::sentinel, Server::redis_sentinel]);
    let [ours, real] = &group.sentinels[..] else {
        unreachable!("two were started")
    };
    for request in ["SENTINEL MASTER mymaster", "SENTINEL MASTERS"] {
        let [mine, theirs] = [ours, real].map(|s| s.connect().run(request));
        let one = |reply: &Reply| match request.ends_with('S') {
            true => reply.items()[0].clone(),
            false => reply.clone(),
        };
        assert_eq!(names(&one(&mine)), names(&one(&theirs)), "{request}");
    }
    for kind in ["REPLICAS", "SLAVES", "SENTINELS"] {
        let request = format!("SENTINEL {kind} mymaster");
        let [mine, theirs] = [ours, real].map(|s| s.connect().run(&request));
        assert_eq!(mine.items().len(), theirs.items().len(), "{request}");
        for item in mine.items() {
            assert_eq!(names(item), names(&theirs.items()[0]), "{request}");
        }
    }
    let peer = &ours.connect().run("SENTINEL SENTINELS mymaster").items()[0].clone();
    let id = real.connect().run("SENTINEL MYID").text();
    assert_eq!(field(peer, "runid"), id);
    assert_eq!(field(peer, "port"), real.port().to_string());
    for sentinel in [ours, real] {
        let text = sentinel.connect().run("INFO sentinel").text();
        let port = group.nodes[0].port();
        let line = format!(
            "master0:name=mymaster,status=ok,address=127.0.0.1:{port},slaves=2,sentinels=2"
        );
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn a_replica_that_is_not_announced_is_known_but_not_shown() {
    let group = Group::start(2, &[Server::sentinel]);
    let hidden = &group.nodes[2];
    let set = "CONFIG SET replica-announced no";
    assert_eq!(hidden.connect().run(set).text(), "OK");
    let mut client = group.sentinels[0].connect();
    // INFO comes every ten seconds unless somebody wants it sooner.
    assert_eq!(client.run("SENTINEL DEBUG info-period 100").text(), "OK");
    wait_until("the replica is not shown", || {
        let shown = client.run("SENTINEL REPLICAS mymaster");
        shown.items().len() == 1
    });
    let shown = client.run("SENTINEL REPLICAS mymaster");
    assert_eq!(
        field(&shown.items()[0], "port"),
        group.nodes[1].port().to_string()
    );
    assert_eq!(field(&group_master(&group.sentinels[0]), "num-slaves"), "2");
}

#[test]
fn subscribers_hear_of_a_node_that_stops_answering_and_comes_back() {
    let group = Group::start(1, &[Server::sentinel]);
    let mut events = group.sentinels[0].connect();
    events.run("PSUBSCRIBE *");
    let replica = &group.nodes[1];
    let name = format!("127.0.0.1:{}", replica.port());
    signal(replica, rustix::process::Signal::STOP);
    let down = wait_for_event(&mut events, "+sdown", &name);
    signal(replica, rustix::process::Signal::CONT);
    let up = wait_for_event(&mut events, "-sdown", &name);
    let port = replica.port();
    let master = group.nodes[0].port();
    let expected = format!("slave {name} 127.0.0.1 {port} @ mymaster 127.0.0.1 {master}");
    assert_eq!([down, up], [expected.clone(), expected]);
}

fn signal(server: &Server, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(server.pid() as i32).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// The text of the next event of this name about this instance.
fn wait_for_event(events: &mut Connection, channel: &str, about: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(90);
    while Instant::now() < deadline {
        if let Ok(message) = events.read()
            && let [_, _, name, text] = message.items()
            && name.text() == channel
            && text.text().contains(about)
        {
            return text.text();
        }
    }
    panic!("no {channel} about {about}");
}
