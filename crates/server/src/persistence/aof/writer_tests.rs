use super::*;
use crate::persistence::disk::Disk;
use crate::persistence::simulated_disk::{Operation, SimulatedDisk};
use std::path::Path;

const ENOSPC: i32 = 28;
const EIO: i32 = 5;

/// Jobs that run when the test says so.
#[derive(Default)]
struct Later(Vec<Box<dyn FnOnce() + Send>>);

impl Jobs for Later {
    fn start(&mut self, job: Box<dyn FnOnce() + Send>) {
        self.0.push(job);
    }
}

impl Later {
    fn run(&mut self) {
        for job in self.0.drain(..) {
            job();
        }
    }
}

struct Rig {
    disk: SimulatedDisk,
    writer: Writer,
    jobs: Later,
    position: u64,
    conditions: Conditions,
}

impl Rig {
    fn new(policy: FsyncPolicy) -> Rig {
        let disk = SimulatedDisk::default();
        let file = disk.create(Path::new("f")).unwrap();
        Rig {
            disk,
            writer: Writer::new(file, 0, 0, 0),
            jobs: Later::default(),
            position: 0,
            conditions: Conditions {
                now: 10_000,
                mono_us: 0,
                policy,
                skip_sync: false,
                sleep_us: 0,
            },
        }
    }

    fn append(&mut self, bytes: &str) {
        self.position += bytes.len() as u64;
        self.writer.append(bytes.as_bytes(), self.position);
    }

    fn turn(&mut self) -> Result<(), Fatal> {
        self.writer.turn_ended(self.conditions, &mut self.jobs)
    }

    /// A turn that changed something.
    fn write(&mut self, bytes: &str) {
        self.append(bytes);
        self.turn().unwrap();
    }

    fn content(&self) -> String {
        String::from_utf8(self.disk.bytes("f")).unwrap()
    }

    fn after_power_loss(&self) -> String {
        self.disk.lose_power(|_| 0);
        self.content()
    }
}

#[test]
fn no_writes_before_the_answers_and_never_syncs() {
    let mut rig = Rig::new(FsyncPolicy::No);
    rig.write("a");
    rig.conditions.now += 5000;
    rig.write("b");
    assert_eq!(rig.content(), "ab");
    assert_eq!(rig.writer.safe(), 2);
    assert!(rig.jobs.0.is_empty());
}

#[test]
fn everysec_writes_before_the_answers_and_syncs_when_a_second_began() {
    let mut rig = Rig::new(FsyncPolicy::EverySec);
    rig.disk.sync_dir(Path::new("")).unwrap();
    rig.write("a");
    assert_eq!((rig.content().as_str(), rig.writer.safe()), ("a", 1));
    assert!(rig.writer.is_syncing());
    rig.jobs.run();
    rig.conditions.now += 900;
    rig.write("b");
    assert!(!rig.writer.is_syncing(), "the same second");
    rig.conditions.now += 100;
    rig.turn().unwrap();
    assert!(rig.writer.is_syncing(), "without further writes too");
    rig.jobs.run();
    assert_eq!(rig.after_power_loss(), "ab");
}

#[test]
fn everysec_puts_off_writing_while_a_sync_runs_but_not_beyond_two_seconds() {
    let mut rig = Rig::new(FsyncPolicy::EverySec);
    rig.write("a");
    rig.write("b");
    assert_eq!(rig.content(), "a");
    assert_eq!(rig.writer.safe(), 2, "answers leave meanwhile");
    rig.conditions.now += 1999;
    rig.turn().unwrap();
    assert_eq!((rig.content().as_str(), rig.writer.delayed_syncs), ("a", 0));
    rig.conditions.now += 1;
    rig.turn().unwrap();
    assert_eq!(
        (rig.content().as_str(), rig.writer.delayed_syncs),
        ("ab", 1)
    );
    rig.jobs.run();
    rig.write("c");
    assert_eq!(rig.content(), "abc");
}

#[test]
fn everysec_leaves_the_disk_to_a_snapshot_if_asked_to() {
    let mut rig = Rig::new(FsyncPolicy::EverySec);
    rig.conditions.skip_sync = true;
    rig.write("a");
    assert_eq!(rig.content(), "a");
    assert!(!rig.writer.is_syncing());
    rig.conditions.skip_sync = false;
    rig.turn().unwrap();
    assert!(rig.writer.is_syncing());
}

#[test]
fn a_full_disk_leaves_no_half_command_and_the_rest_is_written_when_there_is_room() {
    let mut rig = Rig::new(FsyncPolicy::EverySec);
    rig.write("first");
    rig.jobs.run();
    rig.disk.set_room(3);
    rig.write("second");
    assert_eq!(rig.content(), "first");
    assert!(matches!(rig.writer.health(), Health::WriteFailed(_)));
    assert_eq!(rig.writer.buffered(), 6);
    rig.write("third");
    assert_eq!(rig.content(), "first");
    rig.disk.heal();
    rig.turn().unwrap();
    assert_eq!(rig.content(), "firstsecondthird");
    assert!(matches!(rig.writer.health(), Health::Good));
    assert_eq!(rig.writer.size(), 16);
}

#[test]
fn a_half_command_that_cannot_be_cut_off_is_completed_later() {
    let mut rig = Rig::new(FsyncPolicy::No);
    rig.disk.set_room(3);
    rig.disk
        .set_fault(|operation, _| (operation == Operation::Truncate).then_some(EIO));
    rig.write("second");
    assert_eq!((rig.content().as_str(), rig.writer.size()), ("sec", 3));
    rig.disk.heal();
    rig.turn().unwrap();
    assert_eq!((rig.content().as_str(), rig.writer.size()), ("second", 6));
}

#[test]
fn a_failed_sync_of_everysec_stays_until_new_files_replace_the_old_ones() {
    let mut rig = Rig::new(FsyncPolicy::EverySec);
    rig.disk.sync_dir(Path::new("")).unwrap();
    rig.disk
        .set_fault(|operation, _| (operation == Operation::Sync).then_some(EIO));
    rig.write("a");
    rig.jobs.run();
    rig.turn().unwrap();
    assert!(matches!(rig.writer.health(), Health::SyncFailed(_)));
    rig.disk.heal();
    rig.conditions.now += 1000;
    rig.write("b");
    rig.jobs.run();
    rig.turn().unwrap();
    // The later sync succeeded, and yet the first byte never reached the disk.
    assert!(matches!(rig.writer.health(), Health::SyncFailed(_)));
    assert_eq!(rig.after_power_loss(), "\0b");
    rig.writer.forget_former();
    assert!(matches!(rig.writer.health(), Health::Good));
}

#[test]
fn always_lets_nothing_go_before_it_is_synced_and_gathers_meanwhile() {
    let mut rig = Rig::new(FsyncPolicy::Always);
    rig.disk.sync_dir(Path::new("")).unwrap();
    rig.write("a");
    assert_eq!((rig.writer.safe(), rig.jobs.0.len()), (0, 1));
    rig.write("b");
    rig.write("c");
    assert_eq!(rig.jobs.0.len(), 1, "one round at a time");
    rig.jobs.run();
    rig.turn().unwrap();
    assert_eq!(rig.writer.safe(), 1);
    assert_eq!(rig.jobs.0.len(), 1, "the next round carries what gathered");
    rig.jobs.run();
    rig.turn().unwrap();
    assert_eq!((rig.writer.safe(), rig.writer.size()), (3, 3));
    assert_eq!(rig.after_power_loss(), "abc");
}

#[test]
fn always_without_room_or_with_a_failed_sync_is_fatal_and_lets_nothing_go() {
    for (operation, code) in [(Operation::Write, ENOSPC), (Operation::Sync, EIO)] {
        let mut rig = Rig::new(FsyncPolicy::Always);
        rig.disk
            .set_fault(move |other, _| (other == operation).then_some(code));
        rig.write("a");
        rig.jobs.run();
        match (rig.turn(), operation) {
            (Err(Fatal::Write(_)), Operation::Write) | (Err(Fatal::Sync(_)), Operation::Sync) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(rig.writer.safe(), 0);
    }
}

#[test]
fn always_writes_without_syncing_while_a_snapshot_has_the_disk_and_syncs_after() {
    let mut rig = Rig::new(FsyncPolicy::Always);
    rig.disk.sync_dir(Path::new("")).unwrap();
    rig.conditions.skip_sync = true;
    rig.write("a");
    rig.jobs.run();
    rig.turn().unwrap();
    assert_eq!(rig.writer.safe(), 1);
    assert!(!rig.writer.is_syncing());
    rig.conditions.skip_sync = false;
    rig.turn().unwrap();
    rig.jobs.run();
    rig.turn().unwrap();
    assert_eq!(rig.after_power_loss(), "a");
}

#[test]
fn a_change_from_always_to_everysec_waits_for_the_round_that_runs() {
    let mut rig = Rig::new(FsyncPolicy::Always);
    rig.write("a");
    rig.conditions.policy = FsyncPolicy::EverySec;
    rig.write("b");
    assert_eq!((rig.writer.safe(), rig.content().as_str()), (0, ""));
    rig.jobs.run();
    rig.turn().unwrap();
    assert_eq!((rig.writer.safe(), rig.content().as_str()), (2, "ab"));
}

#[test]
fn after_a_switch_each_byte_is_in_its_file_and_both_are_synced() {
    for policy in [FsyncPolicy::EverySec, FsyncPolicy::Always] {
        let mut rig = Rig::new(policy);
        let new = rig.disk.create(Path::new("g")).unwrap();
        rig.disk.sync_dir(Path::new("")).unwrap();
        rig.write("a");
        rig.append("b");
        rig.writer.switch_to(new);
        rig.write("c");
        for _ in 0..4 {
            rig.conditions.now += 1000;
            rig.jobs.run();
            rig.turn().unwrap();
        }
        rig.jobs.run();
        assert_eq!(rig.writer.size(), 1);
        assert_eq!(rig.after_power_loss(), "ab");
        assert_eq!(rig.disk.bytes("g"), b"c");
    }
}

#[test]
fn nothing_is_in_a_new_file_before_all_of_the_former_one_is_durable() {
    for policy in [FsyncPolicy::No, FsyncPolicy::EverySec, FsyncPolicy::Always] {
        let mut rig = Rig::new(policy);
        let new = rig.disk.create(Path::new("g")).unwrap();
        rig.disk.sync_dir(Path::new("")).unwrap();
        rig.conditions.skip_sync = true;
        rig.write("a");
        rig.jobs.run();
        rig.turn().unwrap();
        rig.append("b");
        rig.writer.switch_to(new);
        rig.write("c");
        rig.turn().unwrap();
        if policy != FsyncPolicy::Always {
            assert_eq!((rig.content().as_str(), rig.writer.safe()), ("ab", 3));
        }
        assert_eq!(rig.disk.bytes("g"), b"", "{policy:?}");
        rig.disk.set_fault(|operation, path| {
            let new_file = path == Path::new("g");
            (operation == Operation::Sync && new_file).then_some(EIO)
        });
        rig.jobs.run();
        // With `always` both go in one round, in this order.
        let _ = rig.turn();
        assert_eq!(rig.disk.bytes("g"), b"c", "{policy:?}");
        assert_eq!(rig.after_power_loss(), "ab", "{policy:?}");
    }
}

#[test]
fn a_former_file_that_cannot_be_synced_holds_up_the_new_one_until_a_base_replaces_it() {
    let mut rig = Rig::new(FsyncPolicy::EverySec);
    let new = rig.disk.create(Path::new("g")).unwrap();
    rig.write("a");
    rig.jobs.run();
    rig.turn().unwrap();
    rig.disk
        .set_fault(|operation, _| (operation == Operation::Sync).then_some(EIO));
    rig.writer.switch_to(new);
    rig.write("c");
    rig.jobs.run();
    for _ in 0..3 {
        rig.conditions.now += 1000;
        rig.turn().unwrap();
        rig.jobs.run();
    }
    assert!(matches!(rig.writer.health(), Health::SyncFailed(_)));
    assert_eq!(rig.disk.bytes("g"), b"");
    rig.disk.heal();
    rig.writer.forget_former();
    rig.turn().unwrap();
    assert_eq!(rig.disk.bytes("g"), b"c");
    assert!(matches!(rig.writer.health(), Health::Good));
}

#[test]
fn finishing_makes_everything_durable() {
    for policy in [FsyncPolicy::No, FsyncPolicy::EverySec, FsyncPolicy::Always] {
        let mut rig = Rig::new(policy);
        rig.disk.sync_dir(Path::new("")).unwrap();
        rig.write("a");
        rig.jobs.run();
        rig.append("b");
        rig.writer.finish(rig.conditions).unwrap();
        assert_eq!(rig.after_power_loss(), "ab");
        assert_eq!(rig.writer.safe(), 2);
    }
}

#[test]
fn finishing_with_a_broken_disk_says_so() {
    let mut rig = Rig::new(FsyncPolicy::EverySec);
    rig.append("b");
    rig.disk
        .set_fault(|operation, _| (operation == Operation::Sync).then_some(EIO));
    assert!(matches!(
        rig.writer.finish(rig.conditions),
        Err(Fatal::Sync(_))
    ));
}
