//! Server commands: COMMAND, CONFIG, INFO, DEBUG, SLOWLOG, LATENCY, MEMORY.

use tests::Server;
use tests::compat::{Protocol, same, same_in, same_with};

#[test]
fn config_get_and_set() {
    same(
        r#"
        CONFIG GET maxmemory
        CONFIG GET MAXMEMORY
        CONFIG GET nosuch
        % CONFIG GET maxmemory-policy maxmemory
        % CONFIG GET *-max-listpack-*
        % CONFIG GET *ziplist*
        % CONFIG GET slave-*
        CONFIG GET slave-read-only
        CONFIG SET maxmemory 100mb
        CONFIG GET maxmemory
        CONFIG SET maxmemory 1k
        CONFIG SET maxmemory 1kb
        CONFIG SET maxmemory x
        CONFIG SET maxmemory -1
        CONFIG SET maxmemory 0
        CONFIG SET maxmemory-policy bad
        CONFIG SET maxmemory-policy allkeys-lru
        CONFIG GET maxmemory-policy
        CONFIG SET nosuch 1
        CONFIG SET port
        CONFIG SET databases 5
        CONFIG SET hz 100 maxmemory-samples 7
        % CONFIG GET hz maxmemory-samples
        CONFIG SET hz 10 nosuch 1
        CONFIG SET maxmemory-samples 9 maxmemory-samples 10
        CONFIG SET maxmemory-samples 0
        CONFIG SET appendfsync sometimes
        CONFIG SET appendfsync no
        CONFIG GET appendfsync
        CONFIG SET save "100 1 200 2"
        CONFIG GET save
        CONFIG SET save ""
        CONFIG GET save
        CONFIG SET save "x"
        CONFIG SET save "100"
        CONFIG SET client-output-buffer-limit "normal 1 2 3"
        CONFIG GET client-output-buffer-limit
        CONFIG SET client-output-buffer-limit "bad 1 2 3"
        CONFIG SET oom-score-adj-values "1 2 3"
        CONFIG SET latency-tracking-info-percentiles "50 99.9"
        CONFIG GET latency-tracking-info-percentiles
        CONFIG SET list-max-ziplist-size -3
        CONFIG GET list-max-listpack-size
        CONFIG SET lazyfree-lazy-user-del maybe
        CONFIG SET lua-time-limit 100
        CONFIG GET busy-reply-threshold
        CONFIG GET
        CONFIG SET
        CONFIG SET maxmemory
        CONFIG RESETSTAT
        CONFIG RESETSTAT x
        CONFIG REWRITE
        "#,
    );
}

#[test]
fn every_directive_is_listed_with_its_default() {
    same(
        r#"
        CONFIG SET dir /
        CONFIG SET proc-title-template x
        % CONFIG GET [a-bd-km-or-z]*
        % CONFIG GET l[a-np-z]*
        % CONFIG GET c*
        % CONFIG GET pid*
        % CONFIG GET pr*
        "#,
    );
}

#[test]
fn info_answers_a_text_and_nothing_for_an_unknown_section() {
    same(
        r#"
        ? INFO
        ? INFO server Clients
        ? INFO everything
        INFO nosuch
        "#,
    );
}

#[test]
fn debug_answers_every_type_of_the_protocol() {
    same(
        r#"
        DEBUG PROTOCOL string
        DEBUG PROTOCOL INTEGER
        DEBUG PROTOCOL double
        DEBUG PROTOCOL bignum
        DEBUG PROTOCOL null
        DEBUG PROTOCOL array
        DEBUG PROTOCOL set
        DEBUG PROTOCOL map
        DEBUG PROTOCOL attrib
        DEBUG PROTOCOL verbatim
        DEBUG PROTOCOL true
        DEBUG PROTOCOL false
        DEBUG PROTOCOL nosuch
        DEBUG PROTOCOL
        "#,
    );
    same_in(Protocol::Resp3, &[], "a> DEBUG PROTOCOL push\na<\na<\n");
}

#[test]
fn debug_inspects_and_fills_a_db() {
    same_with(
        &["--enable-debug-command", "local"],
        r#"
        DEBUG POPULATE 3 a 5
        MGET a:0 a:1 a:2
        DEBUG POPULATE 2
        MGET key:0 key:1
        DEBUG POPULATE 1 z 12
        GET z:0
        SET b:0 mine
        WATCH b:0 b:1
        DEBUG POPULATE 2 b 0
        MULTI
        MGET b:0 b:1
        EXEC
        DEBUG POPULATE 0
        DEBUG POPULATE -1
        DEBUG POPULATE x
        DEBUG POPULATE 2 k x
        DEBUG POPULATE 2 k -1
        DEBUG POPULATE 1 k 4 5
        DEBUG OBJECT nosuch
        DEBUG HTSTATS 16
        DEBUG HTSTATS -1
        DEBUG HTSTATS x
        DEBUG HTSTATS
        DEBUG HTSTATS-KEY nosuch
        DEBUG HTSTATS-KEY key:0
        ? DEBUG HTSTATS 0
        ? DEBUG OBJECT a:0
        DEBUG SLEEP 0
        DEBUG SLEEP x
        DEBUG SLEEP
        DEBUG SLEEP 0 0
        DEBUG SET-ACTIVE-EXPIRE x
        DEBUG SET-ACTIVE-EXPIRE 1
        DEBUG SET-ACTIVE-EXPIRE
        DEBUG SET-SKIP-CHECKSUM-VALIDATION 0
        DEBUG SET-DISABLE-DENY-SCRIPTS 0
        DEBUG PAUSE-CRON 0
        DEBUG QUICKLIST-PACKED-THRESHOLD 100b
        DEBUG QUICKLIST-PACKED-THRESHOLD x
        DEBUG QUICKLIST-PACKED-THRESHOLD 10gb
        DEBUG QUICKLIST-PACKED-THRESHOLD 4gb
        DEBUG QUICKLIST-PACKED-THRESHOLD 0
        DEBUG LOG hello
        DEBUG LOG
        DEBUG ERROR "hello world"
        DEBUG ERROR "BAD x\r\ny"
        DEBUG NOSUCH
        DEBUG HELP x
        DEBUG
        "#,
    );
}

#[test]
fn debug_is_refused_unless_the_configuration_allows_it() {
    same_with(
        &["--enable-debug-command", "no"],
        r#"
        DEBUG HELP
        DEBUG
        MULTI
        DEBUG SLEEP 0
        EXEC
        CONFIG GET enable-debug-command
        CONFIG SET enable-debug-command yes
        "#,
    );
}

#[test]
fn directives_of_our_own_hide_from_patterns_that_redis_knows() {
    same(
        r#"
        CONFIG GET pl*
        CONFIG GET *guard*
        "#,
    );
}

#[test]
fn slow_commands_are_kept_without_their_secrets() {
    same(
        r#"
        SLOWLOG LEN
        SLOWLOG GET
        SLOWLOG GET x
        SLOWLOG GET -2
        SLOWLOG GET 1 2
        SLOWLOG LEN x
        SLOWLOG NOSUCH
        SLOWLOG
        CONFIG SET slowlog-log-slower-than 0
        CONFIG SET masterauth secret maxmemory 0
        SET k v
        ? SLOWLOG GET
        MULTI
        PING
        EXEC
        ? SLOWLOG GET 2
        SLOWLOG LEN
        BLPOP q 0.01
        SLOWLOG LEN
        a> BLPOP q 0
        CONFIG SET slowlog-log-slower-than -1
        SLOWLOG LEN
        SLOWLOG RESET
        CONFIG SET slowlog-log-slower-than 0
        RPUSH q 1
        a<
        CONFIG SET slowlog-log-slower-than -1
        SLOWLOG LEN
        CONFIG SET slowlog-max-len 2
        SLOWLOG LEN
        SLOWLOG GET 0
        SLOWLOG RESET
        SLOWLOG GET -1
        SLOWLOG HELP x
        "#,
    );
}

#[test]
fn latency_answers_for_events_and_commands() {
    same(
        r#"
        LATENCY
        LATENCY NOSUCH
        LATENCY LATEST
        LATENCY HISTORY nosuch
        LATENCY HISTORY
        LATENCY GRAPH nosuch
        LATENCY RESET
        LATENCY RESET a b
        CONFIG SET latency-monitor-threshold 10
        DEBUG SLEEP 0.02
        ? LATENCY LATEST
        ? LATENCY HISTORY command
        ? LATENCY GRAPH command
        ? LATENCY DOCTOR
        LATENCY RESET command
        LATENCY LATEST
        CONFIG RESETSTAT
        LATENCY HISTOGRAM nosuch
        LATENCY HISTOGRAM set get
        SET k v
        ? LATENCY HISTOGRAM nosuch set SET
        CONFIG SET latency-tracking no
        CONFIG RESETSTAT
        SET k v
        LATENCY HISTOGRAM
        INFO latencystats
        CONFIG SET latency-tracking-info-percentiles "0.0 50.0 100.0 33.3333333333"
        CONFIG GET latency-tracking-info-percentiles
        CONFIG SET latency-tracking-info-percentiles "50 a"
        CONFIG SET latency-tracking-info-percentiles "nan"
        CONFIG SET latency-tracking-info-percentiles "50 101"
        CONFIG SET latency-tracking-info-percentiles "-1"
        CONFIG SET latency-tracking-info-percentiles ""
        CONFIG GET latency-tracking-info-percentiles
        LATENCY HELP x
        "#,
    );
}

#[test]
fn errors_and_refusals_are_counted() {
    same(
        r#"
        CONFIG SET latency-tracking no
        CONFIG RESETSTAT
        INFO errorstats
        SET k
        NOSUCH
        LPUSH k v
        SET k v
        LPUSH k v
        MULTI
        SET k
        EXEC
        AUTH x
        CLIENT KILL nosuch
        EXEC
        INFO errorstats
        a: $a = ? CLIENT ID
        a> BLPOP q 0
        CLIENT UNBLOCK $a ERROR
        a<
        INFO errorstats
        "#,
    );
}

/// The names of INFO's fields and titles, without those of single commands and errors. Persistence is compared elsewhere:
/// some of its fields come and go.
fn info_names(server: &Server) -> Vec<String> {
    let text = server.connect().run("INFO all").text();
    let sections = text.split("\r\n\r\n");
    sections
        .filter(|section| !section.starts_with("# Persistence"))
        .flat_map(str::lines)
        .map(|line| line.split(':').next().unwrap_or_default().to_string())
        .filter(|name| {
            !["cmdstat", "errorstat", "latency"]
                .iter()
                .any(|p| name.starts_with(p))
        })
        .collect()
}

#[test]
fn info_has_every_field_of_redis_in_its_order() {
    let [ours, theirs] = [Server::start(&[]), Server::redis(&[])].map(|server| info_names(&server));
    let missing: Vec<_> = theirs.iter().filter(|name| !ours.contains(name)).collect();
    assert!(missing.is_empty(), "fields that INFO lacks: {missing:?}");
    assert_eq!(ours, theirs);
}

#[test]
fn info_shows_the_sections_that_are_asked_for() {
    let titles = |server: &Server, request: &str| -> Vec<String> {
        let text = server.connect().run(request).text();
        text.lines()
            .filter(|line| line.starts_with('#') && *line != "# Platform_kv")
            .map(str::to_string)
            .collect()
    };
    let (subject, oracle) = (Server::start(&[]), Server::redis(&[]));
    for request in [
        "INFO",
        "INFO all",
        "INFO default",
        "INFO EVERYTHING",
        "INFO cpu sentinel",
        "INFO keyspace CPU server cpu",
        "INFO default commandstats",
        "INFO modules",
        "INFO nosuch",
    ] {
        assert_eq!(
            titles(&subject, request),
            titles(&oracle, request),
            "{request}"
        );
    }
}

#[test]
fn config_takes_and_refuses_what_redis_does() {
    same(
        r#"
        CONFIG SET maxmemory ""
        CONFIG GET maxmemory
        CONFIG SET hash-max-listpack-value ""
        CONFIG SET hash-max-listpack-value 99999999999999999999
        CONFIG SET repl-backlog-size 1k
        CONFIG GET repl-backlog-size
        CONFIG SET hz 0
        CONFIG GET hz
        CONFIG SET hz 1000
        CONFIG GET hz
        CONFIG SET maxmemory-clients 101%
        CONFIG SET maxmemory-clients -1%
        CONFIG SET maxmemory-clients 50%
        CONFIG GET maxmemory-clients
        CONFIG SET maxmemory 7mb maxmemory-clients 200% client-query-buffer-limit x
        CONFIG GET maxmemory
        CONFIG SET client-output-buffer-limit ""
        CONFIG GET client-output-buffer-limit
        CONFIG SET cluster-announce-hostname "a b"
        CONFIG SET cluster-announce-hostname host-1.example
        CONFIG SET proc-title-template ""
        CONFIG SET proc-title-template "{title} {nosuch}"
        CONFIG SET proc-title-template "{title"
        CONFIG SET proc-title-template "{title} {port}"
        CONFIG SET activedefrag yes
        CONFIG GET activedefrag
        CONFIG SET latency-tracking-info-percentiles "50  99"
        CONFIG SET bind 999.999.999.999
        PING
        DEBUG MALLCTL arenas.page
        DEBUG MALLCTL nosuch
        DEBUG MALLCTL
        DEBUG MALLCTL-STR thread.tcache.flush VOID
        DEBUG MALLCTL-STR nosuch
        DEBUG CHANGE-REPL-ID
        "#,
    );
}

#[test]
fn digests_of_the_same_data_are_the_same() {
    same(
        r#"
        DEBUG DIGEST
        DEBUG DIGEST-VALUE
        DEBUG DIGEST-VALUE missing
        SET s abc
        SET n 12
        SET e 1 PX 100000000
        RPUSH l a 1 b
        SADD i 1 2 3
        SADD t a b 3
        HSET h a b c 1
        ZADD z 1 a 2.5 b inf c -inf d 0.1 e
        XADD x 1-1 f v g 12
        XADD x 5-0 f w g 12
        XADD x 6-0 f w
        XDEL x 1-1
        SELECT 3
        SET s abc
        DEBUG DIGEST-VALUE s n
        SELECT 0
        DEBUG DIGEST-VALUE s n e l i t h z x missing
        DEBUG DIGEST
        SWAPDB 0 3
        DEBUG DIGEST
        DEBUG DIGEST x
        "#,
    );
}

#[test]
fn a_crash_leaves_a_report_and_the_signal_that_ended_it() {
    for (request, traces) in [
        (
            "DEBUG SEGFAULT",
            ["REDIS BUG REPORT START", "crashed by signal: 11"],
        ),
        ("DEBUG PANIC", ["REDIS BUG REPORT START", "Guru Meditation"]),
        (
            "DEBUG ASSERT",
            ["REDIS BUG REPORT START", "ASSERTION FAILED"],
        ),
    ] {
        let server = Server::start(&[]);
        let mut client = server.connect();
        let words: Vec<Vec<u8>> = request.split(' ').map(|word| word.into()).collect();
        assert!(client.call(&words).is_err(), "{request} does not answer");
        let log = server.log();
        for trace in traces {
            assert!(log.contains(trace), "{request}: no {trace:?} in {log}");
        }
    }
}

#[test]
fn saving_and_reloading() {
    same(
        r#"
        SET k v
        SAVE
        SAVE x
        ? LASTSAVE
        LASTSAVE x
        SET k w
        DEBUG RELOAD NOSAVE
        GET k
        SET k w
        debug reload
        GET k
        DEBUG RELOAD NOSAVE NOFLUSH MERGE
        DEBUG RELOAD nonsense
        MULTI
        SAVE
        DISCARD
        MULTI
        DEBUG RELOAD
        EXEC
        GET k
        SHUTDOWN NOSAVE SAVE
        SHUTDOWN ABORT
        "#,
    );
}

#[test]
fn a_relative_dir_is_entered_once() {
    let folder = std::env::temp_dir().join(format!("platform-kv-relative-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let folder = folder.canonicalize().unwrap();
    // From here up to the root, and down again.
    let here = std::env::current_dir().unwrap();
    let up = "../".repeat(here.components().count() - 1);
    let relative = format!("{up}{}", folder.strip_prefix("/").unwrap().display());
    let server = tests::Server::start(&["--dir", &relative]);
    let dir = server.connect().run("CONFIG GET dir").items()[1].text();
    assert_eq!(dir, folder.display().to_string());
    drop(server);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_replica_whose_master_cannot_be_there_serves() {
    // Port 0 is taken, as redis-server does.
    let server = Server::start(&["--replicaof", "127.0.0.1 0"]);
    let mut client = server.connect();
    assert_eq!(client.run("PING").text(), "PONG");
    assert_eq!(client.run("ROLE").items()[0].text(), "slave");
}
