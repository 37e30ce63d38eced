//! Nodes of ours tell Sentinels what they are about to do: nothing has to be found out by waiting.

use super::*;

/// How often a Sentinel's log has an event.
fn count(sentinel: &Server, event: &str) -> usize {
    sentinel.log().matches(event).count()
}

const THREE: &[Start] = &[Server::sentinel, Server::sentinel, Server::sentinel];

#[test]
fn a_node_that_hands_over_by_itself_is_believed_without_an_election() {
    let group = Group::start_on(Server::start, 2, THREE);
    let old = group.nodes[0].port();
    assert_eq!(group.nodes[0].connect().run("FAILOVER").text(), "OK");
    let new = group.wait_for_switch(old);
    wait_until("the new master says so", || {
        says(group.node(new), "role") == "master"
    });
    for node in &group.nodes {
        wait_until("the others follow it", || {
            node.port() == new || says(node, "master_port") == new.to_string()
        });
    }
    for sentinel in &group.sentinels {
        assert_eq!(count(sentinel, "+try-failover"), 0, "{}", sentinel.log());
        assert_eq!(count(sentinel, "+switch-master"), 1, "{}", sentinel.log());
    }
}

#[test]
fn a_master_that_is_stopped_is_replaced_once_and_nothing_is_lost() {
    let mut group = Group::start_on(Server::start, 2, THREE);
    let old = group.nodes[0].port();
    let mut client = group.nodes[0].connect();
    for key in 0..100 {
        client.run(&format!("SET key:{key} {key}"));
    }
    let pid = rustix::process::Pid::from_raw(group.nodes[0].pid() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    group.nodes[0].wait_for_end();
    let new = group.wait_for_switch(old);
    for node in &group.nodes[1..] {
        wait_until("the others follow", || match node.port() == new {
            true => says(node, "role") == "master",
            false => {
                says(node, "master_port") == new.to_string()
                    && says(node, "master_link_status") == "up"
            }
        });
        assert_eq!(node.connect().run("DBSIZE").text(), "100");
    }
    for sentinel in &group.sentinels {
        assert_eq!(count(sentinel, "+switch-master"), 1, "{}", sentinel.log());
    }
    group.nodes[0].start_again();
    wait_until("the old master follows when it is back", || {
        says(&group.nodes[0], "master_port") == new.to_string()
    });
}

#[test]
fn a_killed_node_of_ours_is_replaced_and_rejoins() {
    let mut group = Group::start_on(
        Server::start,
        2,
        &[Server::sentinel, Server::redis_sentinel, Server::sentinel],
    );
    let old = group.nodes[0].port();
    group.nodes[0].crash();
    let new = group.wait_for_switch(old);
    group.nodes[0].start_again();
    wait_until("the old master follows", || {
        says(&group.nodes[0], "master_port") == new.to_string()
            && says(&group.nodes[0], "master_link_status") == "up"
    });
}
