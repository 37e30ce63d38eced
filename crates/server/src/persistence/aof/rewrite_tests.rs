use super::*;
use crate::persistence::simulated_disk::{Operation, SimulatedDisk};

const MIN: i64 = 64;

#[test]
fn an_aof_is_rewritten_when_it_has_grown_by_the_percentage_and_is_not_small() {
    assert_eq!(automatic(200, 100, 100, MIN), Some(100));
    assert_eq!(automatic(199, 100, 100, MIN), None);
    assert_eq!(
        automatic(64, 10, 100, MIN),
        None,
        "not larger than the minimum"
    );
    assert_eq!(automatic(65, 10, 100, MIN), Some(550));
    assert_eq!(automatic(1000, 100, 0, MIN), None, "0 turns it off");
    assert_eq!(
        automatic(1000, 0, 100, MIN),
        Some(99_900),
        "an empty base counts as one byte"
    );
    assert_eq!(automatic(50, 100, 100, 0), None, "it shrank");
}

#[test]
fn after_three_failures_rewrites_wait_twice_as_long_each_time() {
    let mut limit = RetryLimit::default();
    assert!(!limit.must_wait(2, 0));
    let mut now = 0;
    for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert!(limit.must_wait(3, now));
        now += minutes * 60 - 1;
        assert!(limit.must_wait(3, now), "{minutes}");
        now += 1;
        assert!(!limit.must_wait(3, now), "{minutes}");
    }
    assert!(!limit.must_wait(0, now), "a success ends it");
    assert!(limit.must_wait(3, now));
    assert!(!limit.must_wait(3, now + 60));
}

fn files(disk: &SimulatedDisk) -> AofFiles {
    AofFiles {
        disk: Arc::new(disk.clone()),
        dir: "".into(),
        folder_name: "d".into(),
        name: "a".into(),
    }
}

/// A disk with an AOF of one base and one incr.
fn disk_with_aof() -> (SimulatedDisk, Manifest) {
    let disk = SimulatedDisk::default();
    let text = "file a.1.base.aof seq 1 type b\nfile a.1.incr.aof seq 1 type i\n";
    disk.put("d/a.1.base.aof", b"base1");
    disk.put("d/a.1.incr.aof", b"incr1");
    disk.put("d/a.manifest", text.as_bytes());
    (disk, Manifest::parse(text.as_bytes()).unwrap())
}

/// Does the whole of a rewrite; stops where an operation fails.
fn rewrite(
    disk: &SimulatedDisk,
    manifest: Manifest,
    kind: Kind,
    keep: bool,
) -> io::Result<Manifest> {
    let files = files(disk);
    let opened = open_incr(&files, manifest, kind);
    if let Some(incr) = opened.incr? {
        incr.file.write(b"new")?;
        incr.file.sync()?;
    }
    let base = files.create(&files.temp_base_name())?;
    base.write(b"base1incr1")?;
    base.sync()?;
    install(&files, &opened.manifest, kind, BaseFormat::Commands, keep)
}

/// What loading would give: the bytes of the files that the manifest names.
fn content(disk: &SimulatedDisk) -> String {
    let Some(manifest) = files(disk).read_manifest().unwrap() else {
        return String::new();
    };
    let segments = manifest.base.iter().chain(&manifest.incrs);
    segments
        .map(|segment| String::from_utf8(disk.bytes(&format!("d/{}", segment.name))).unwrap())
        .collect()
}

#[test]
fn a_rewrite_replaces_base_and_incrs_and_deletes_them() {
    let (disk, manifest) = disk_with_aof();
    let after = rewrite(&disk, manifest, Kind::Running, false).unwrap();
    assert_eq!(
        after.text(),
        "file a.2.base.aof seq 2 type b\nfile a.2.incr.aof seq 2 type i\n"
    );
    assert_eq!(disk.bytes("d/a.manifest"), after.text().as_bytes());
    assert_eq!(
        disk.names(),
        ["d/a.2.base.aof", "d/a.2.incr.aof", "d/a.manifest"]
    );
    assert_eq!(content(&disk), "base1incr1new");
}

#[test]
fn history_is_kept_where_asked_for() {
    let (disk, manifest) = disk_with_aof();
    let after = rewrite(&disk, manifest, Kind::Running, true).unwrap();
    assert_eq!(
        after.text(),
        "file a.2.base.aof seq 2 type b\nfile a.1.incr.aof seq 1 type h\nfile a.1.base.aof seq 1 type h\n\
         file a.2.incr.aof seq 2 type i\n"
    );
    assert_eq!(disk.bytes("d/a.1.base.aof"), b"base1");
}

#[test]
fn the_first_rewrite_of_an_aof_turned_on_again_counts_on() {
    let (disk, manifest) = disk_with_aof();
    let after = rewrite(&disk, manifest, Kind::First, false).unwrap();
    assert_eq!(
        after.text(),
        "file a.2.base.aof seq 2 type b\nfile a.2.incr.aof seq 2 type i\n"
    );
    assert_eq!(content(&disk), "base1incr1new");
}

#[test]
fn a_rewrite_of_an_aof_that_is_off_makes_a_base_alone() {
    let (disk, manifest) = disk_with_aof();
    let after = rewrite(&disk, manifest, Kind::BaseOnly, false).unwrap();
    assert_eq!(after.text(), "file a.2.base.aof seq 2 type b\n");
}

/// Runs a rewrite that fails (`code`) or loses power at each of its operations in turn, and checks what is left.
fn at_every_operation(kind: Kind, mut check: impl FnMut(&SimulatedDisk, io::Result<Manifest>)) {
    for failing in 0.. {
        let (disk, manifest) = disk_with_aof();
        let mut count = 0;
        disk.set_fault(move |operation, _| {
            if operation == Operation::Read {
                return None;
            }
            count += 1;
            (count > failing).then_some(5)
        });
        let result = rewrite(&disk, manifest, kind, false);
        disk.heal();
        let untouched =
            failing > 0 && result.is_ok() && !disk.names().iter().any(|n| n.contains(".1."));
        check(&disk, result);
        if untouched {
            return;
        }
    }
}

#[test]
fn a_rewrite_that_fails_anywhere_leaves_an_aof_that_holds_everything() {
    for kind in [Kind::Running, Kind::First] {
        at_every_operation(kind, |disk, result| {
            let content = content(disk);
            match (result, kind) {
                (Ok(_), _) => assert_eq!(content, "base1incr1new"),
                // The new incr is in use before the new base is.
                (Err(_), Kind::Running) => assert!(
                    ["base1incr1", "base1incr1new"].contains(&content.as_str()),
                    "{content}"
                ),
                (Err(_), _) => assert_eq!(content, "base1incr1"),
            }
        });
    }
}

#[test]
fn a_power_loss_anywhere_in_a_rewrite_loses_nothing_that_was_synced() {
    let mut seed = 1u64;
    let mut chance = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % below.max(1)
    };
    for _ in 0..100 {
        at_every_operation(Kind::Running, |disk, result| {
            disk.lose_power(&mut chance);
            let content = content(disk);
            assert!(content.starts_with("base1incr1"), "{content}");
            if result.is_ok() {
                assert_eq!(content, "base1incr1new");
            }
        });
    }
}
