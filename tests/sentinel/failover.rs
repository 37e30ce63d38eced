//! A master that dies, or is asked to step down, is replaced: by ours alone, and with redis-sentinel beside them.

use super::*;

/// Kills the master and checks what the group looks like afterwards, also when it comes back.
fn a_killed_master_is_replaced(sentinels: &[Start]) {
    let mut group = Group::start(2, sentinels);
    let old = group.nodes[0].port();
    group.nodes[0].crash();
    let new = group.wait_for_switch(old);
    wait_until("the new master says so", || {
        says(group.node(new), "role") == "master"
    });
    let other = group.nodes[1..]
        .iter()
        .find(|node| node.port() != new)
        .unwrap();
    wait_until("the other replica follows it", || {
        says(other, "master_port") == new.to_string() && says(other, "master_link_status") == "up"
    });
    group.nodes[0].start_again();
    wait_until("the old master follows it", || {
        let old = &group.nodes[0];
        says(old, "role") == "slave" && says(old, "master_port") == new.to_string()
    });
    for sentinel in &group.sentinels {
        wait_until("the failover is over for everybody", || {
            let master = group_master(sentinel);
            field(&master, "flags") == "master" && field(&master, "num-slaves") == "2"
        });
        let epoch = field(&group_master(sentinel), "config-epoch");
        assert_eq!(
            epoch,
            field(&group_master(&group.sentinels[0]), "config-epoch")
        );
        assert_eq!(master_port(sentinel), new);
    }
}

#[test]
fn three_of_ours_replace_a_killed_master() {
    a_killed_master_is_replaced(&[Server::sentinel, Server::sentinel, Server::sentinel]);
}

#[test]
fn two_of_ours_and_a_redis_sentinel_replace_a_killed_master() {
    a_killed_master_is_replaced(&[Server::sentinel, Server::redis_sentinel, Server::sentinel]);
}

#[test]
fn one_of_ours_and_two_redis_sentinels_replace_a_killed_master() {
    a_killed_master_is_replaced(&[
        Server::redis_sentinel,
        Server::sentinel,
        Server::redis_sentinel,
    ]);
}

#[test]
fn a_master_asked_to_step_down_hands_over_without_a_full_sync() {
    let group = Group::start(2, &[Server::sentinel, Server::sentinel]);
    let old = group.nodes[0].port();
    let mut client = group.nodes[0].connect();
    for key in 0..100 {
        client.run(&format!("SET key:{key} {key}"));
    }
    let reply = group.sentinels[0]
        .connect()
        .run("SENTINEL FAILOVER mymaster");
    assert_eq!(reply.text(), "OK");
    let new = group.wait_for_switch(old);
    for node in &group.nodes {
        wait_until("everybody follows the new master", || {
            match node.port() == new {
                true => says(node, "connected_slaves") == "2",
                false => {
                    says(node, "master_port") == new.to_string()
                        && says(node, "master_link_status") == "up"
                }
            }
        });
        assert_eq!(node.connect().run("DBSIZE").text(), "100");
    }
    let stats = group.node(new).connect().run("INFO stats").text();
    assert!(stats.contains("sync_full:0\r\n"), "{stats}");
}

#[test]
fn a_group_without_a_replica_to_promote_says_so() {
    let group = Group::start(0, &[Server::sentinel]);
    let reply = group.sentinels[0]
        .connect()
        .run("SENTINEL FAILOVER mymaster");
    assert_eq!(reply.text(), "NOGOODSLAVE No suitable replica to promote");
}

#[test]
fn a_master_that_does_not_answer_is_replaced_when_its_time_is_over() {
    let group = Group::start(1, &[Server::sentinel]);
    let old = group.nodes[0].port();
    let pid = rustix::process::Pid::from_raw(group.nodes[0].pid() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let new = group.wait_for_switch(old);
    assert_eq!(new, group.nodes[1].port());
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    wait_until("the old master follows the new one", || {
        says(&group.nodes[0], "master_port") == new.to_string()
    });
}
