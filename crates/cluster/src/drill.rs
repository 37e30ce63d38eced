//! `platform-kv drill`: writes to a group while something happens to its master, and counts what became of the writes.

use crate::group::{self, Place};
use crate::{Refusal, refuse};
use client::Client;
use lexopt::prelude::*;
use resp::Frame;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const HELP: &str = "\
Writes to a group through Sentinel while its master is replaced, and reports what that cost: the longest time without an
acknowledged write, acknowledged writes that are missing afterwards, and full and partial resyncs. Works with any group
that Redis Sentinels manage.

Usage: platform-kv drill [--sentinel HOST:PORT]... [--master NAME] [--fault FAULT] [--writers N] [--seconds N]

  --sentinel HOST:PORT  a Sentinel of the group, may be given again (default: 127.0.0.1:26379)
  --master NAME         the name of the master (default: mymaster)
  --fault FAULT         what happens to the master (default: failover)
                          failover  SENTINEL FAILOVER, a planned replacement
                          none      nothing: do something yourself meanwhile
                          term, kill, stop
                                    this signal goes to its process, which must be on this machine; stop lasts 15 s
  --writers N           connections that write (default: 4)
  --seconds N           how long to write after the fault (default: 15)

It writes keys drill:<run>:<writer>:<number>, which it deletes at the end and which expire by themselves in an hour.
Exit status: 0 nothing was lost; 1 something was, or the group could not be used; 2 wrong arguments.
";

/// What happens to the master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Failover,
    None,
    Signal(Signal),
}

struct Options {
    sentinels: Vec<Place>,
    master: String,
    fault: Fault,
    writers: usize,
    after: Duration,
}

fn place(text: &str) -> Result<Place, Refusal> {
    let wrong = || Refusal::Wrong(format!("'{text}' is not HOST:PORT"));
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    Ok((host.to_string(), port.parse().map_err(|_| wrong())?))
}

fn parse(args: &[String]) -> Result<Options, Refusal> {
    let mut options = Options {
        sentinels: Vec::new(),
        master: "mymaster".into(),
        fault: Fault::Failover,
        writers: 4,
        after: Duration::from_secs(15),
    };
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("sentinel") => options.sentinels.push(place(&parser.value()?.string()?)?),
            Long("master") => options.master = parser.value()?.string()?,
            Long("writers") => options.writers = parser.value()?.parse()?,
            Long("seconds") => options.after = Duration::from_secs(parser.value()?.parse()?),
            Long("fault") => {
                let name = parser.value()?.string()?;
                options.fault = match name.as_str() {
                    "failover" => Fault::Failover,
                    "none" => Fault::None,
                    "term" => Fault::Signal(Signal::TERM),
                    "kill" => Fault::Signal(Signal::KILL),
                    "stop" => Fault::Signal(Signal::STOP),
                    _ => return Err(Refusal::Wrong(format!("there is no fault '{name}'"))),
                };
            }
            Long("help") | Short('h') => return Err(Refusal::Help),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.sentinels.is_empty() {
        options.sentinels.push(("127.0.0.1".into(), 26379));
    }
    Ok(options)
}

/// Runs the drill.
pub fn main(args: &[String]) -> ExitCode {
    let result = match parse(args) {
        Ok(options) => run(&options),
        Err(refusal) => return refuse("drill", HELP, &refusal),
    };
    match result {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("platform-kv drill: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// What a writer has done: for each write that was acknowledged, when.
#[derive(Default)]
struct Record {
    acknowledged: Vec<(u64, Instant)>,
    /// Writes of which nobody knows whether they were done.
    unknown: usize,
    refused: usize,
}

fn key(run: u32, writer: usize, number: u64) -> String {
    format!("drill:{run}:{writer}:{number}")
}

/// A patient client: what takes longer is asked for again.
const PATIENCE: Duration = Duration::from_secs(1);

fn find_master(options: &Options) -> Option<Place> {
    let mut sentinels = options.sentinels.iter();
    sentinels.find_map(|sentinel| group::master(sentinel, &options.master))
}

/// Writes, one after the other, to whom a Sentinel names as the master.
fn write(options: &Options, run: u32, writer: usize, stop: &AtomicBool) -> Record {
    let mut record = Record::default();
    let mut connection: Option<Client> = None;
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let Some(client) = &mut connection else {
            connection = find_master(options).and_then(|place| group::connect(&place, PATIENCE));
            if connection.is_none() {
                std::thread::sleep(Duration::from_millis(10));
            }
            continue;
        };
        number += 1;
        let name = key(run, writer, number);
        match client.call(&["SET", &name, "1", "EX", "3600"]) {
            Ok(Frame::Simple(_)) => record.acknowledged.push((number, Instant::now())),
            Ok(_) => {
                record.refused += 1;
                connection = None;
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(_) => {
                record.unknown += 1;
                connection = None;
            }
        }
    }
    record
}

/// Resyncs that all nodes have served so far: full and partial.
fn resyncs(nodes: &[Place]) -> (u64, u64) {
    let of = |info: &HashMap<String, String>, name: &str| -> u64 {
        info.get(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    };
    let infos = nodes.iter().filter_map(group::info);
    infos.fold((0, 0), |(full, partial), info| {
        (
            full + of(&info, "sync_full"),
            partial + of(&info, "sync_partial_ok"),
        )
    })
}

fn run(options: &Options) -> Result<u64, String> {
    /// Writes before anything happens.
    const BEFORE: Duration = Duration::from_secs(2);
    let master = find_master(options)
        .ok_or("no Sentinel names the master: are they there, and is the name right?")?;
    let sentinel = &options.sentinels[0];
    let mut nodes = group::replicas(sentinel, &options.master).unwrap_or_default();
    nodes.push(master.clone());
    let before = resyncs(&nodes);
    let run = std::process::id();
    println!(
        "master {}:{}, {} nodes, {} writers; writing for {} s, then: {:?}",
        master.0,
        master.1,
        nodes.len(),
        options.writers,
        BEFORE.as_secs(),
        options.fault
    );
    let stop = AtomicBool::new(false);
    let (records, fault_at) = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..options.writers)
            .map(|writer| {
                let stop = &stop;
                scope.spawn(move || write(options, run, writer, stop))
            })
            .collect();
        std::thread::sleep(BEFORE);
        let fault_at = Instant::now();
        let caused = cause(options, &master);
        if caused.is_ok() {
            std::thread::sleep(options.after);
        }
        stop.store(true, Ordering::Relaxed);
        let records: Vec<Record> = writers
            .into_iter()
            .map(|writer| writer.join().unwrap_or_default())
            .collect();
        caused.map(|()| (records, fault_at))
    })?;
    let lost = count_lost(options, run, &records)?;
    let after = resyncs(&nodes);
    report(&records, fault_at, lost, before, after);
    Ok(lost)
}

/// Makes happen what is to happen.
fn cause(options: &Options, master: &Place) -> Result<(), String> {
    /// How long a stopped process stays so.
    const STOPPED: Duration = Duration::from_secs(15);
    match options.fault {
        Fault::None => Ok(()),
        Fault::Failover => {
            let mut client = group::connect(&options.sentinels[0], Duration::from_secs(20))
                .ok_or("the Sentinel does not answer")?;
            match client.call(&["SENTINEL", "FAILOVER", &options.master]) {
                Ok(Frame::Error(text)) => Err(format!(
                    "the Sentinel refuses: {}",
                    String::from_utf8_lossy(&text)
                )),
                Ok(_) => Ok(()),
                Err(error) => Err(format!("the Sentinel does not answer: {error}")),
            }
        }
        Fault::Signal(signal) => {
            if !matches!(master.0.as_str(), "127.0.0.1" | "::1" | "localhost") {
                return Err(format!(
                    "the master's process is not on this machine but on {}",
                    master.0
                ));
            }
            let info = group::info(master).ok_or("the master does not answer")?;
            let pid = info.get("process_id").and_then(|text| text.parse().ok());
            let pid = pid
                .and_then(Pid::from_raw)
                .ok_or("the master does not tell its process id")?;
            let send = |signal| {
                kill_process(pid, signal)
                    .map_err(|error| format!("can't signal the master's process: {error}"))
            };
            send(signal)?;
            if signal == Signal::STOP {
                std::thread::sleep(STOPPED);
                send(Signal::CONT)?;
            }
            Ok(())
        }
    }
}

/// Looks for every acknowledged write on the master that the group has now, and deletes it.
fn count_lost(options: &Options, run: u32, records: &[Record]) -> Result<u64, String> {
    /// Keys asked for in one request.
    const TOGETHER: usize = 500;
    let gone = "the new master cannot be read: what was lost is not known";
    let master = find_master(options).ok_or(gone)?;
    let mut client = group::connect(&master, Duration::from_secs(10)).ok_or(gone)?;
    let mut lost = 0;
    for (writer, record) in records.iter().enumerate() {
        for numbers in record.acknowledged.chunks(TOGETHER) {
            let mut request = vec!["UNLINK".to_string()];
            request.extend(numbers.iter().map(|(number, _)| key(run, writer, *number)));
            match client.call(&request) {
                Ok(Frame::Integer(found)) => lost += numbers.len() as u64 - found as u64,
                Ok(other) => return Err(format!("{gone}: {other:?}")),
                Err(error) => return Err(format!("{gone}: {error}")),
            }
        }
    }
    Ok(lost)
}

/// The longest time in which no write was acknowledged.
fn longest_gap(records: &[Record]) -> Duration {
    let mut times: Vec<Instant> = records
        .iter()
        .flat_map(|record| record.acknowledged.iter().map(|(_, at)| *at))
        .collect();
    times.sort_unstable();
    let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.max().unwrap_or_default()
}

fn report(records: &[Record], fault_at: Instant, lost: u64, before: (u64, u64), after: (u64, u64)) {
    let count = |of: fn(&Record) -> usize| records.iter().map(of).sum::<usize>();
    let acknowledged = count(|record| record.acknowledged.len());
    let later = records.iter().flat_map(|record| &record.acknowledged);
    let later = later.filter(|(_, at)| *at > fault_at).count();
    println!("acknowledged writes   {acknowledged}, of those {later} after the fault");
    println!(
        "longest gap           {:.3} s",
        longest_gap(records).as_secs_f64()
    );
    println!("lost                  {lost}");
    println!("refused               {}", count(|record| record.refused));
    println!("of unknown outcome    {}", count(|record| record.unknown));
    // A node that was started again counts from zero.
    println!("full resyncs          {}", after.0.saturating_sub(before.0));
    println!("partial resyncs       {}", after.1.saturating_sub(before.1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_is_over_all_writers() {
        let start = Instant::now();
        let record = |times: &[u64]| Record {
            acknowledged: times
                .iter()
                .map(|ms| (0, start + Duration::from_millis(*ms)))
                .collect(),
            ..Record::default()
        };
        assert_eq!(longest_gap(&[]), Duration::ZERO);
        let records = [record(&[0, 10, 500]), record(&[5, 200, 510])];
        assert_eq!(longest_gap(&records), Duration::from_millis(300));
    }

    #[test]
    fn options_name_sentinels_and_the_fault() {
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|word| word.to_string())
                .collect::<Vec<_>>()
        };
        let options = parse(&words(&[
            "--sentinel",
            "h:1",
            "--sentinel",
            "[::1]:2",
            "--fault",
            "kill",
        ]));
        let options = options.ok().unwrap();
        assert_eq!(options.sentinels, [("h".into(), 1), ("[::1]".into(), 2)]);
        assert_eq!(options.fault, Fault::Signal(Signal::KILL));
        for wrong in [
            &["--sentinel", "h"][..],
            &["--fault", "fire"],
            &["--writers", "x"],
        ] {
            assert!(matches!(parse(&words(wrong)), Err(Refusal::Wrong(_))));
        }
    }
}
