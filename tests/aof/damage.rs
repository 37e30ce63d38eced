//! AOFs that are cut, broken, or not all there.

use crate::{FOLDER, INCR, command, commands, put, put_incr, put_manifest, read};
use std::fs;
use tests::Server;

const AOF: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];
const STRICT: &[&str] = &["--appendonly", "yes", "--aof-load-truncated", "no"];

fn refuses(directives: &[&str], incr: &[u8], expected: &str) {
    let log = Server::refuses_to_start(
        directives,
        |dir| put_incr(dir, incr),
        |dir| {
            assert_eq!(
                read(dir, INCR),
                incr,
                "a file that is refused stays as it is"
            )
        },
    );
    assert!(log.lines().last().unwrap().contains(expected), "{log}");
}

#[test]
fn a_cut_command_is_dropped_and_the_file_goes_on_after_what_was_whole() {
    let whole = commands(&["SET a 1", "INCR a"]);
    let cut = [&whole[..], b"*3\r\n$3\r\nSET\r\n$1\r\na"].concat();
    let mut server = Server::start_with(AOF, |dir| put_incr(dir, &cut));
    assert_eq!(server.connect().run("GET a").text(), "2");
    assert_eq!(read(server.dir(), INCR), whole);
    server.connect().run("INCR a");
    server.crash_and_restart();
    assert_eq!(server.connect().run("GET a").text(), "3");
}

#[test]
fn half_a_transaction_is_dropped_as_a_whole() {
    let whole = command("SET a 1");
    for half in ["", "*2\r\n$4\r\nIN"] {
        let cut = [
            &whole[..],
            &commands(&["MULTI", "SET b 1"]),
            half.as_bytes(),
        ]
        .concat();
        let server = Server::start_with(AOF, |dir| put_incr(dir, &cut));
        let mut client = server.connect();
        assert_eq!(client.run("GET a").text(), "1");
        assert_eq!(client.run("EXISTS b").integer(), Some(0));
        assert_eq!(read(server.dir(), INCR), whole);
    }
}

#[test]
fn a_cut_file_is_refused_where_it_must_be_whole() {
    let cut = [&command("SET a 1")[..], b"*3\r\n$3\r\nSET"].concat();
    let expected = "Unexpected end of file reading the append only file";
    refuses(STRICT, &cut, expected);
    refuses(
        STRICT,
        &commands(&["SET a 1", "MULTI", "SET b 1"]),
        expected,
    );
}

#[test]
fn a_cut_base_is_refused_since_more_was_built_on_it() {
    let base = [&command("SET a 1")[..], b"*3\r\n$3\r\nSET"].concat();
    let name = "appendonly.aof.1.base.aof";
    let log = Server::refuses_to_start(
        AOF,
        |dir| {
            put(dir, name, &base);
            put(dir, INCR, &command("SET b 1"));
            put_manifest(
                dir,
                &format!("file {name} seq 1 type b\nfile {INCR} seq 1 type i\n"),
            );
        },
        |dir| assert_eq!(read(dir, name), base),
    );
    assert!(
        log.contains("the truncated file is not the last file"),
        "{log}"
    );
}

#[test]
fn a_broken_file_is_refused_and_the_place_named() {
    let good = command("SET a 1");
    let broken = [&good[..], b"!!!", &good].concat();
    refuses(AOF, &broken, "Bad file format reading the append only file");
    let log = Server::refuses_to_start(AOF, |dir| put_incr(dir, &broken), |_| ());
    assert!(
        log.contains(&format!("{INCR} at offset {}", good.len())),
        "{log}"
    );
}

#[test]
fn commands_that_are_none_are_refused() {
    let good = command("SET a 1");
    let unknown = [&good[..], &command("BLA foo")].concat();
    refuses(
        AOF,
        &unknown,
        "Unknown command 'BLA' reading the append only file",
    );
    let arity = [&good[..], &command("SET a")].concat();
    refuses(AOF, &arity, "Wrong number of arguments for command 'SET'");
}

#[test]
fn a_manifest_that_makes_no_sense_or_names_a_missing_file_is_refused() {
    for (manifest, expected) in [
        ("", "Found an empty AOF manifest"),
        (
            "file a seq 1 type i\n\n",
            "Invalid AOF manifest file format",
        ),
        ("file a seq 1 type x\n", "Unknown AOF file type"),
        (
            "file a seq 2 type i\nfile b seq 1 type i\n",
            "Found a non-monotonic sequence number",
        ),
        (
            "file gone.aof seq 1 type i\n",
            "Unable to obtain the AOF file gone.aof length. stat: No such file or directory",
        ),
    ] {
        let log = Server::refuses_to_start(AOF, |dir| put_manifest(dir, manifest), |_| ());
        assert!(log.contains(expected), "{manifest:?}: {log}");
    }
}

#[test]
fn aof_files_whose_manifest_is_lost_are_not_taken_for_nothing() {
    let log = Server::refuses_to_start(
        AOF,
        |dir| put(dir, INCR, &command("SET a 1")),
        |dir| assert_eq!(read(dir, INCR), command("SET a 1")),
    );
    assert!(
        log.contains("refusing to start empty next to them"),
        "{log}"
    );
}

#[test]
fn a_start_that_was_cut_off_before_its_manifest_is_begun_again() {
    let server = Server::start_with(AOF, |dir| {
        put(dir, INCR, b"");
        put(dir, "temp-appendonly.aof.manifest", b"file");
    });
    assert_eq!(server.connect().run("SET a 1").text(), "OK");
}

#[test]
fn a_command_that_fails_while_loading_is_reported_and_passed_over() {
    let aof = commands(&["SET a 1", "LPUSH a x", "SELECT 100", "SET b 2"]);
    let server = Server::start_with(AOF, |dir| put_incr(dir, &aof));
    assert_eq!(server.connect().run("GET b").text(), "2");
    let log = server.log_tail();
    assert!(
        log.contains("sending an error to its AOF-loading-client"),
        "{log}"
    );
}

#[test]
fn blocking_and_administrative_commands_in_an_aof_do_no_harm() {
    let aof = commands(&[
        "BLPOP q 0",
        "SUBSCRIBE news",
        "RPUSH q x",
        "SHUTDOWN",
        "EXEC",
    ]);
    let server = Server::start_with(AOF, |dir| put_incr(dir, &aof));
    assert_eq!(server.connect().run("LLEN q").integer(), Some(1));
}

#[test]
fn an_aof_folder_that_cannot_be_made_stops_the_start() {
    let log = Server::refuses_to_start(
        AOF,
        |dir| fs::write(dir.join(FOLDER), b"a file").unwrap(),
        |_| (),
    );
    assert!(
        log.contains("Fatal error: can't open the AOF file"),
        "{log}"
    );
}
