//! Many connections at once, most of them bad: clients that read at 1 KB/s or not at all, frames sent halfway, promised
//! lengths, floods of connections, bytes that are no request. Memory stays bounded, every well-behaved client gets its
//! right answers, and how long those take is told beside a run without the others.
//!
//! `make stress` has ten thousand connections (STRESS_CONNECTIONS) for some seconds (STRESS_SECONDS); here there are fewer.

#![allow(
    clippy::unwrap_used,
    reason = "a test helper that fails should fail the test"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "black-box tests measure and wait in real time"
)]

use rustix::net::{AddressFamily, SocketType, connect, socket, sockopt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};
use tests::{Connection, Random, Server};

/// Bytes of the value that slow readers ask for.
const VALUE: usize = 10_000;
/// How often each of them asks for it at once.
const ASKED: usize = 20;
/// What a slow reader takes each second.
const SLOW_BYTES: usize = 1000;
/// The receive buffer of a slow reader: what it does not read the server has to keep.
const RECEIVE_BUFFER: usize = 4096;
/// Where the server gives up on a client that does not read.
const OUTPUT_LIMIT: usize = 1 << 20;
/// Requests of a client that asks for far more than that and reads nothing.
const GREEDY_ASKED: usize = 400;
/// What a connection may cost beside what it is owed: client, query buffer, reply buffer.
const CONNECTION_BYTES: u64 = 16_000;
/// What the node may differ by when all are gone.
const LEFT_OVER_BYTES: u64 = 24 << 20;
/// Connections that are measured.
const MEASURED: usize = 50;
const PATIENCE: Duration = Duration::from_secs(120);

struct Size {
    connections: usize,
    seconds: u64,
}

impl Size {
    fn from_environment() -> Size {
        let number = |name: &str| {
            std::env::var(name)
                .ok()
                .filter(|text| !text.is_empty())
                .map(|text| text.parse().unwrap())
        };
        Size {
            connections: number("STRESS_CONNECTIONS").unwrap_or(400) as usize,
            seconds: number("STRESS_SECONDS").unwrap_or(1),
        }
    }

    /// A tenth of all.
    fn slow(&self) -> usize {
        self.connections / 10
    }

    /// A hundredth.
    fn greedy(&self) -> usize {
        (self.connections / 100).max(4)
    }

    fn half_sent(&self) -> usize {
        self.connections * 3 / 10
    }
}

#[test]
fn bad_clients_cost_bounded_memory_and_do_not_disturb_the_others() {
    let size = Size::from_environment();
    raise_file_limit();
    let maxclients = (size.connections + 1000).to_string();
    let limit = format!("normal {OUTPUT_LIMIT} 0 0");
    let server = Server::start(&[
        "--maxclients",
        &maxclients,
        "--client-output-buffer-limit",
        &limit,
        "--timeout",
        "0",
    ]);
    let port = server.port();
    let mut admin = server.connect();
    let value = vec![b'v'; VALUE];
    admin
        .call(&[b"SET".to_vec(), b"large".to_vec(), value])
        .unwrap();

    let alone = measure(port, size.seconds);
    let base = used_memory(&mut admin);

    let greedy: Vec<TcpStream> = (0..size.greedy()).map(|_| greedy(port)).collect();
    wait_until("clients that do not read are cut off", || {
        greedy.iter().all(is_closed)
    });
    drop(greedy);

    let half_sent: Vec<TcpStream> = (0..size.half_sent())
        .map(|number| half_sent(port, number))
        .collect();
    let slow: Vec<TcpStream> = (0..size.slow()).map(|_| slow(port)).collect();
    let idle = size
        .connections
        .saturating_sub(size.half_sent() + size.slow() + MEASURED);
    let idle: Vec<TcpStream> = (0..idle)
        .map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap())
        .collect();
    let stop = Arc::new(AtomicBool::new(false));
    let read = Arc::new(AtomicU64::new(0));
    let reading = read_slowly(slow, &stop, &read);
    let hostile = send_hostile_bytes(port, &stop);
    let flood = flood(port, &stop);

    let wanted = size.connections - MEASURED;
    wait_until("all are connected", || {
        info(&mut admin, "connected_clients") as usize >= wanted
    });
    let beside = measure(port, size.seconds);
    let peak = used_memory(&mut admin);
    let owed = (size.slow() * ASKED * VALUE) as u64;
    let allowed = base + owed + size.connections as u64 * CONNECTION_BYTES;
    println!(
        "stress: {} connections, {} of them reading {SLOW_BYTES} bytes a second ({} bytes read), {} with half a frame",
        size.connections,
        size.slow(),
        read.load(Ordering::Relaxed),
        size.half_sent()
    );
    println!("stress: memory {base} bytes before, {peak} with them, {allowed} allowed");
    println!("stress: alone  {alone}");
    println!("stress: beside {beside}");
    assert!(peak <= allowed, "{peak} bytes of memory, {allowed} allowed");

    stop.store(true, Ordering::Relaxed);
    let slow = reading.join().unwrap();
    let hostile = hostile.join().unwrap();
    let flooded = flood.join().unwrap();
    println!("stress: {hostile} connections with hostile bytes, {flooded} opened and dropped");
    assert!(hostile > 0 && flooded > 0);
    drop((slow, idle, half_sent));
    wait_until("all are gone", || {
        info(&mut admin, "connected_clients") <= 2
    });
    wait_until("the memory is back", || {
        used_memory(&mut admin) <= base + LEFT_OVER_BYTES
    });
    assert_eq!(admin.run("GET large").bytes().map(<[u8]>::len), Some(VALUE));
}

fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).unwrap();
}

fn info(admin: &mut Connection, field: &str) -> u64 {
    let text = admin.run("INFO").text();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap().trim().parse().unwrap()
}

fn used_memory(admin: &mut Connection) -> u64 {
    info(admin, "used_memory")
}

/// Waits for many seconds at most.
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        sleep(Duration::from_millis(20));
    }
}

/// How long requests took.
struct Latencies(Vec<Duration>);

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = |part: f64| {
            let place = ((self.0.len() - 1) as f64 * part) as usize;
            self.0[place].as_micros()
        };
        write!(
            f,
            "{} requests: p50 {} us, p99 {} us, p99.9 {} us, longest {} us",
            self.0.len(),
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0)
        )
    }
}

/// Well-behaved clients, each with a key of its own: what they wrote is what they read.
fn measure(port: u16, seconds: u64) -> Latencies {
    let mut clients: Vec<Connection> = (0..MEASURED)
        .map(|_| Connection::open(port).unwrap())
        .collect();
    let mut latencies = Vec::new();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut round = 0;
    while Instant::now() < end {
        for (number, client) in clients.iter_mut().enumerate() {
            let value = format!("{number}:{round}");
            for (line, expected) in [
                (format!("SET key:{number} {value}"), "OK"),
                (format!("GET key:{number}"), value.as_str()),
            ] {
                let start = Instant::now();
                let reply = client.run(&line);
                latencies.push(start.elapsed());
                assert_eq!(reply.text(), expected);
            }
        }
        round += 1;
    }
    latencies.sort();
    Latencies(latencies)
}

/// A connection with a small receive buffer.
fn small_buffer(port: u16) -> TcpStream {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER).unwrap();
    connect(&socket, &SocketAddrV4::new([127, 0, 0, 1].into(), port)).unwrap();
    TcpStream::from(socket)
}

/// Asks for more than it may be owed, and reads nothing.
fn greedy(port: u16) -> TcpStream {
    let mut stream = small_buffer(port);
    stream.set_nonblocking(true).unwrap();
    // The server may hang up before it has heard all.
    let _ = stream.write(&b"*2\r\n$3\r\nGET\r\n$5\r\nlarge\r\n".repeat(GREEDY_ASKED));
    stream
}

/// Whether the other end is gone; reads what is there on the way.
fn is_closed(mut stream: &TcpStream) -> bool {
    let mut buffer = [0; 4096];
    // A few: whoever reads fast is no greedy client.
    for _ in 0..2 {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
    false
}

/// A request that never ends, of several kinds.
fn half_sent(port: u16, number: usize) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let large = [
        &b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\n"[..],
        &[b'x'; 10_000],
    ]
    .concat();
    let parts: [&[u8]; 6] = [
        b"*3\r\n$3\r\nSET\r\n$5\r\nhel",
        b"*1000000\r\n$1\r\na\r\n$1",
        b"*2\r\n$3\r\nGET\r\n$500000000\r\n",
        b"GET key:1",
        b"*",
        &large,
    ];
    stream.write_all(parts[number % parts.len()]).unwrap();
    stream
}

/// Asks for much at once.
fn slow(port: u16) -> TcpStream {
    let mut stream = small_buffer(port);
    stream
        .write_all(&b"*2\r\n$3\r\nGET\r\n$5\r\nlarge\r\n".repeat(ASKED))
        .unwrap();
    stream.set_nonblocking(true).unwrap();
    stream
}

/// Takes [`SLOW_BYTES`] of each every second, a part of them at a time.
fn read_slowly(
    mut streams: Vec<TcpStream>,
    stop: &Arc<AtomicBool>,
    read: &Arc<AtomicU64>,
) -> JoinHandle<Vec<TcpStream>> {
    const PARTS: usize = 20;
    let (stop, read) = (stop.clone(), read.clone());
    spawn(move || {
        let mut buffer = [0; SLOW_BYTES];
        let part = streams.len().div_ceil(PARTS).max(1);
        while !stop.load(Ordering::Relaxed) {
            for streams in streams.chunks_mut(part) {
                for stream in streams {
                    if let Ok(count) = stream.read(&mut buffer) {
                        assert!(count > 0, "a slow reader was cut off");
                        read.fetch_add(count as u64, Ordering::Relaxed);
                    }
                }
                sleep(Duration::from_millis(1000 / PARTS as u64));
            }
        }
        streams
    })
}

/// Bytes that are no request, again and again.
fn send_hostile_bytes(port: u16, stop: &Arc<AtomicBool>) -> JoinHandle<usize> {
    let stop = stop.clone();
    spawn(move || {
        let mut random = Random::new(1);
        let mut sent = 0;
        while !stop.load(Ordering::Relaxed) {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
                let start = *random.pick(&[
                    &b""[..],
                    b"*",
                    b"*-1\r\n*3\r\n$",
                    b"GET ",
                    b"*1\r\n$4\r\nPING\r\n*2147483647\r\n",
                    b"\"",
                    b"*1\r\n$-5\r\n",
                ]);
                let count = random.below(3000);
                let rest: Vec<u8> = (0..count).map(|_| random.any() as u8).collect();
                // The server hangs up as soon as it sees what this is.
                let _ = stream.write_all(&[start, &rest].concat());
                sent += 1;
            }
            sleep(Duration::from_millis(2));
        }
        sent
    })
}

/// Connections that come in bursts and go at once.
fn flood(port: u16, stop: &Arc<AtomicBool>) -> JoinHandle<usize> {
    const BURST: usize = 50;
    let stop = stop.clone();
    spawn(move || {
        let mut opened = 0;
        while !stop.load(Ordering::Relaxed) {
            let burst: Vec<_> = (0..BURST)
                .filter_map(|_| TcpStream::connect(("127.0.0.1", port)).ok())
                .collect();
            opened += burst.len();
            sleep(Duration::from_millis(50));
        }
        opened
    })
}
