//! The same requests to a Sentinel of ours and to redis-sentinel, replies compared.

use super::*;

/// Requests whose replies depend on nothing but the request and what came before it.
const SCRIPT: &[&str] = &[
    "PING",
    "PING hello",
    "ROLE",
    "GET key",
    "SELECT 1",
    "CONFIG GET port",
    "MONITOR",
    "ECHO x",
    "PUBLISH channel text",
    "PUBLISH __sentinel__:hello nonsense",
    "COMMAND COUNT",
    "SENTINEL",
    "SENTINEL nosuch",
    "SENTINEL MASTER",
    "SENTINEL MASTER nosuch",
    "SENTINEL REPLICAS nosuch",
    "SENTINEL SLAVES nosuch",
    "SENTINEL SENTINELS nosuch",
    "SENTINEL GET-MASTER-ADDR-BY-NAME nosuch",
    "SENTINEL FAILOVER nosuch",
    "SENTINEL CKQUORUM nosuch",
    "SENTINEL CKQUORUM mymaster",
    "SENTINEL REMOVE nosuch",
    "SENTINEL RESET nosuch*",
    "SENTINEL PENDING-SCRIPTS",
    "SENTINEL INFO-CACHE nosuch",
    "SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 1 0 *",
    "SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 x 0 *",
    "SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 1 x *",
    "SENTINEL MONITOR mymaster 127.0.0.1 1 1",
    "SENTINEL MONITOR other 127.0.0.1 1 0",
    "SENTINEL MONITOR other 127.0.0.1 1 x",
    "SENTINEL MONITOR other 127.0.0.1 x 1",
    "SENTINEL MONITOR other 127.0.0.1 0 1",
    "SENTINEL REMOVE other",
    "SENTINEL MONITOR other 127.0.0.1 70000 1",
    "SENTINEL MONITOR other some.name 1 1",
    "SENTINEL MONITOR other 127.0.0.1 1 1",
    "SENTINEL GET-MASTER-ADDR-BY-NAME other",
    "SENTINEL SET other quorum 3",
    "SENTINEL SET other quorum 0",
    "SENTINEL SET other quorum x",
    "SENTINEL SET other down-after-milliseconds 0",
    "SENTINEL SET other down-after-milliseconds 7000",
    "SENTINEL SET other failover-timeout -1",
    "SENTINEL SET other failover-timeout 9000",
    "SENTINEL SET other parallel-syncs 0",
    "SENTINEL SET other parallel-syncs 2",
    "SENTINEL SET other auth-pass secret",
    "SENTINEL SET other auth-user bob",
    "SENTINEL SET other auth-pass \"\"",
    "SENTINEL SET other master-reboot-down-after-period 5",
    "SENTINEL SET other master-reboot-down-after-period -5",
    "SENTINEL SET other rename-command CONFIG c0nfig",
    "SENTINEL SET other rename-command CONFIG",
    "SENTINEL SET other notification-script /bin/true",
    "SENTINEL SET other client-reconfig-script /bin/true",
    "SENTINEL SET other nosuch 1",
    "SENTINEL SET other quorum",
    "SENTINEL SET other quorum 2 nosuch 1",
    "SENTINEL SET nosuch quorum 2",
    "SENTINEL CKQUORUM other",
    "SENTINEL REMOVE other",
    "SENTINEL CONFIG",
    "SENTINEL CONFIG GET",
    "SENTINEL CONFIG GET announce-port",
    "SENTINEL CONFIG GET resolve-hostnames",
    "SENTINEL CONFIG GET nosuch",
    "SENTINEL CONFIG SET announce-port 70",
    "SENTINEL CONFIG GET announce-port",
    "SENTINEL CONFIG SET announce-port x",
    "SENTINEL CONFIG SET announce-port 0",
    "SENTINEL CONFIG SET resolve-hostnames yes",
    "SENTINEL CONFIG SET resolve-hostnames maybe",
    "SENTINEL CONFIG SET resolve-hostnames no",
    "SENTINEL CONFIG SET sentinel-user bob",
    "SENTINEL CONFIG GET sentinel-user",
    "SENTINEL CONFIG SET sentinel-user \"\"",
    "SENTINEL CONFIG SET nosuch 1",
    "SENTINEL CONFIG nosuch 1",
    "SENTINEL DEBUG",
    "SENTINEL DEBUG ping-period 500",
    "SENTINEL DEBUG ping-period 0",
    "SENTINEL DEBUG ping-period x",
    "SENTINEL DEBUG nosuch 1",
    "SENTINEL DEBUG ping-period",
    "SENTINEL DEBUG ping-period 1000 info-period 10000",
    "SENTINEL SIMULATE-FAILURE help",
    "SENTINEL SIMULATE-FAILURE nosuch",
    "SENTINEL SIMULATE-FAILURE crash-after-election",
    "SENTINEL SIMULATE-FAILURE",
    "SENTINEL FLUSHCONFIG",
    "CLIENT GETNAME",
    "CLIENT SETNAME me",
    "CLIENT GETNAME",
    "CLIENT GETREDIR",
    "CLIENT TRACKING on",
    "CLIENT TRACKINGINFO",
    "CLIENT TRACKING off",
    "CLIENT UNBLOCK 1",
    "CLIENT PAUSE 100",
    "PING",
    "CLIENT UNPAUSE",
    "CLIENT NO-EVICT on",
    "ACL WHOAMI",
    "AUTH nopassword",
    "AUTH bob wrong",
    "SUBSCRIBE +switch-master",
    "UNSUBSCRIBE +switch-master",
];

#[test]
fn replies_are_those_of_redis_sentinel() {
    let node = Server::redis(&[]);
    let text = file(node.port(), 1);
    let mut ours = Server::sentinel(&text).connect_owned();
    let mut real = Server::redis_sentinel(&text).connect_owned();
    let mut different = Vec::new();
    for request in SCRIPT {
        let [mine, theirs] = [&mut ours, &mut real].map(|client| client.1.run(request));
        if mine.encode() != theirs.encode() {
            different.push(format!("{request}\n  ours {mine:?}\n  real {theirs:?}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

trait ConnectOwned {
    fn connect_owned(self) -> (Server, Connection);
}

impl ConnectOwned for Server {
    /// A server, kept alive by the connection to it.
    fn connect_owned(self) -> (Server, Connection) {
        let connection = self.connect();
        (self, connection)
    }
}

#[test]
fn hello_names_the_mode_and_no_role() {
    let node = Server::redis(&[]);
    let text = file(node.port(), 1);
    let fields = [Server::sentinel(&text), Server::redis_sentinel(&text)].map(|sentinel| {
        let reply = sentinel.connect().run("HELLO 2");
        let stable = |name: &&String| *name != "id";
        let names: Vec<String> = names(&reply).iter().filter(stable).cloned().collect();
        (names, field(&reply, "mode"), field(&reply, "version"))
    });
    assert_eq!(fields[0], fields[1]);
}

#[test]
fn the_same_commands_are_there() {
    let node = Server::redis(&[]);
    let text = file(node.port(), 1);
    let lists = [Server::sentinel(&text), Server::redis_sentinel(&text)].map(|sentinel| {
        let reply = sentinel.connect().run("COMMAND LIST");
        let mut names: Vec<String> = reply.items().iter().map(Reply::text).collect();
        names.sort();
        names
    });
    assert_eq!(lists[0], lists[1]);
}
