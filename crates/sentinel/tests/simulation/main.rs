//! Three Sentinels and three nodes in a world of our own: messages are late, doubled and lost, processes crash and stall, the
//! network falls apart. Everything follows from a seed, so a failing one can be looked at again:
//! `SIMULATION_SEED=7 cargo test -p sentinel --test simulation`.
//!
//! What must hold at every moment: no two leaders in one epoch, no Sentinel that votes twice in one. What must hold in the
//! end, when all faults are over: all Sentinels name the same master, it says so itself, and everybody else follows it.

#![allow(
    clippy::unwrap_used,
    reason = "a test helper that fails should fail the test"
)]

mod faults;
mod node;
mod nodes;
mod world;

use world::World;

/// Seeds of a usual run; SIMULATION_SEEDS says otherwise.
const SEEDS: u64 = 200;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_seed_ends_with_one_master_that_all_agree_on() {
    let seeds = match number("SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..number("SIMULATION_SEEDS").unwrap_or(SEEDS) + 1,
    };
    let failures: Vec<String> = seeds
        .filter_map(|seed| {
            let result = World::new(seed).run();
            result.err().map(|what| format!("seed {seed}: {what}"))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_same_seed_is_the_same_world() {
    let run = |seed| {
        let mut world = World::new(seed);
        // How it ends does not matter here, only that it ends the same way.
        let _ = world.run();
        world.history()
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn a_quiet_world_needs_no_failover() {
    let mut world = World::without_faults(5);
    world.run().unwrap();
    assert_eq!(world.switches(), 0);
}

#[test]
fn a_master_that_dies_is_replaced_within_two_seconds() {
    for seed in 1..20 {
        let mut world = World::without_faults(seed);
        world.run_until(20_000);
        world.crash_node(0);
        world.run_until(22_000);
        assert_eq!(
            world.sentinels_that_name_another_master(0),
            3,
            "seed {seed}"
        );
    }
}

#[test]
fn a_forced_failover_loses_nothing_and_is_done_at_once() {
    for seed in 1..20 {
        let mut world = World::without_faults(seed);
        world.run_until(20_000);
        world.force_failover(0);
        world.run_until(21_000);
        assert_eq!(
            world.sentinels_that_name_another_master(0),
            3,
            "seed {seed}"
        );
        assert_eq!(world.writes_lost(), 0, "seed {seed}");
    }
}
