//! Differential test: the same random requests to platform-kv and redis-server, in RESP2 and RESP3, every reply compared.
//!
//! `make differential` runs many with a seed of its own; here a few thousand with a fixed one. A finding is printed with its
//! seed and the shortest script that shows it.
//!
//! | variable | means |
//! |---|---|
//! | `DIFFERENTIAL_COMMANDS` | how many requests |
//! | `DIFFERENTIAL_SEED` | the seed of the first scenario; `fresh` for one nobody chose |
//! | `DIFFERENTIAL_GROUPS` | groups as in COMMAND DOCS, separated by commas; `all`; without it the settled ones |

#![allow(
    clippy::unwrap_used,
    reason = "a test helper that fails should fail the test"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "how long a scenario took bounds how far times may be apart"
)]

mod explain;
mod generate;
mod grammar;
mod pair;
mod shrink;
mod values;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;

use generate::{Generator, SETTLED_GROUPS};
use pair::{Pair, Scenario};
use tests::Random;
use tests::compat::Protocol;

/// Requests from one empty dataset on: enough for values to grow, few enough to shrink.
const SCENARIO: usize = 600;
/// Different findings after which a run ends.
const FINDINGS: usize = 12;

struct Options {
    commands: usize,
    seed: u64,
    groups: Vec<String>,
}

impl Options {
    fn from_environment() -> Options {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        Options {
            commands: variable("DIFFERENTIAL_COMMANDS").map_or(6_000, |text| text.parse().unwrap()),
            seed: match variable("DIFFERENTIAL_SEED").as_deref() {
                None => 1,
                Some("fresh") => Random::fresh_seed(),
                Some(text) => text.parse().unwrap(),
            },
            groups: match variable("DIFFERENTIAL_GROUPS").as_deref() {
                None => SETTLED_GROUPS.iter().map(|&name| name.to_owned()).collect(),
                Some("all") => Vec::new(),
                Some(names) => names.split(',').map(str::to_owned).collect(),
            },
        }
    }
}

#[test]
fn random_commands_are_answered_as_by_redis() {
    let options = Options::from_environment();
    println!(
        "differential: {} commands from seed {}",
        options.commands, options.seed
    );
    let mut pair = Pair::start();
    let commands = grammar::common_commands(&mut pair.redis.connect(), &mut pair.ours.connect());
    let mut findings: BTreeMap<String, String> = BTreeMap::new();
    let mut sent = 0;
    let mut seed = options.seed;
    while sent < options.commands && findings.len() < FINDINGS {
        let mut generator = Generator::new(&commands, &options.groups, Random::new(seed));
        let scenario = Scenario {
            protocol: if seed.is_multiple_of(2) {
                Protocol::Resp2
            } else {
                Protocol::Resp3
            },
            settings: generator.settings(),
            steps: generator.steps(SCENARIO.min(options.commands - sent)),
        };
        sent += scenario.steps.len();
        if let Some(difference) = pair.play(&scenario) {
            if difference.fatal {
                pair = Pair::start();
            }
            if let Entry::Vacant(place) = findings.entry(difference.signature.clone()) {
                println!("differential: seed {seed}: {}", difference.text);
                place.insert(match shrink::shrink(&mut pair, &scenario, &difference) {
                    Some((script, difference)) => {
                        format!("seed {seed}: {}\n  script:\n{script}", difference.text)
                    }
                    None => format!("seed {seed}, and not again: {}", difference.text),
                });
            }
        }
        seed += 1;
    }
    println!("differential: {sent} commands sent");
    let mut report = String::new();
    for text in findings.values() {
        let _ = writeln!(report, "{text}");
    }
    assert!(
        findings.is_empty(),
        "{} findings:\n{report}",
        findings.len()
    );
}
