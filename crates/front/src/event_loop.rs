//! One turn of the loop: wait for sockets, run what arrived, do what is due, and only then answer.
//!
//! The order at the end of a turn is what durability rests on: the owner's `before_sleep` writes (and, as configured,
//! syncs) the effects of this turn's commands before their replies leave in `flush_writes`.

use crate::background::Completion;
use crate::client::{Client, ClientClass, ClientKey};
use crate::front::{Front, READ_BYTES};
use crate::link::{LinkEvent, LinkState};
use resp::{Parsed, Span};
use rustix::event::{EventfdFlags, epoll, eventfd};
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

/// What a process must be to be driven by this loop.
pub trait Service {
    fn front(&mut self) -> &mut Front;
    /// Requests that are about to run, so that what they touch can be fetched together.
    fn prefetch(&mut self, client: ClientKey, requests: &[&[&[u8]]]);
    /// Runs one request.
    fn execute(&mut self, client: ClientKey, args: &[&[u8]]) -> Execution;
    /// Runs what is due by the clock; returns the milliseconds until something is due again.
    fn run_timers(&mut self) -> u64;
    /// The end of the turn: persist, wake blocked clients, whatever must precede the replies.
    fn before_sleep(&mut self);
    /// The client that sends this node's history was served a request of these bytes.
    fn applied(&mut self, client: ClientKey, bytes: &[u8]);
    /// Something happened on a connection that the owner made.
    fn link_event(&mut self, link: ClientKey, event: LinkEvent<'_>);
    /// A helper thread finished a job.
    fn completed(&mut self, completion: Completion);
    /// A client is gone; indexes that name it must forget it.
    fn disconnected(&mut self, client: &mut Client);
    /// Whether the loop should end.
    fn stopping(&mut self) -> bool;
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    Done,
    /// It cannot run now: the client is marked blocked, and the request waits in its buffer for `resume_input`.
    Held,
}

/// Requests run together so that their keys can be fetched from memory together.
const BATCH: usize = 16;
/// Arguments of a batch kept on the stack.
const STACK_ARGS: usize = 64;
/// A batch with more arguments was rare; the memory of their places goes back.
const SPANS_KEPT: usize = 4096;
/// A client that sends a large argument may be read this much of in a turn.
const LARGE_READ_BYTES: usize = 1024 * 1024;
/// With less room than this, a query buffer grows before the next read.
const LITTLE_ROOM: usize = READ_BYTES / 4;
/// A query buffer of up to this size is kept for the client's next large request.
const QUERY_BUFFER_REUSED: usize = 1024 * 1024;
/// Connections accepted in one turn.
const ACCEPTS_PER_TURN: usize = 1000;
const EVENTS_PER_TURN: usize = 1024;

/// Runs turns until the service stops.
///
/// # Errors
/// When the system's poller fails.
pub fn run<S: Service>(service: &mut S) -> io::Result<()> {
    let mut timeout_ms = service.run_timers();
    before_sleep(service);
    while !service.stopping() {
        turn(service, timeout_ms)?;
        timeout_ms = service.run_timers();
        before_sleep(service);
    }
    Ok(())
}

/// The end of a turn: what waits for the client's next request runs, the owner persists, replies leave.
pub fn before_sleep<S: Service>(service: &mut S) {
    run_pending_input(service);
    service.before_sleep();
    service.front().flush_writes();
    // Only now, when what the sockets took is gone.
    service.front().evict_clients();
    close_clients(service);
}

/// Waits for at most `timeout_ms` and handles what arrived.
///
/// # Errors
/// When the system's poller fails.
pub fn turn<S: Service>(service: &mut S, timeout_ms: u64) -> io::Result<()> {
    let front = service.front();
    let timeout_ms = if front.pending_input.is_empty() {
        timeout_ms
    } else {
        0
    };
    let mut events = std::mem::take(&mut front.poller.events);
    front.poller.wait(&mut events, timeout_ms)?;
    front.clock.update();
    for event in &events {
        match Token::decode(event.data.u64()) {
            Token::Waker => {
                service.front().poller.waker.drain();
                while let Some(completion) = service.front().background.take_completion() {
                    service.completed(completion);
                }
            }
            Token::Listener(index) => accept(service.front(), index),
            Token::Client(key) => client_event(service, key, event.flags),
        }
    }
    events.clear();
    service.front().poller.events = events;
    Ok(())
}

/// Answers others while a client's command takes long: their requests are read and run as the owner's admission lets
/// them, and replies leave. The client itself waits, and nobody is closed before the command is done.
///
/// # Errors
/// Those of the poller.
pub fn turn_while_busy<S: Service>(service: &mut S, busy: ClientKey) -> io::Result<()> {
    let front = service.front();
    // The outer turn has taken these for itself.
    let outer_buffer = std::mem::replace(&mut front.read_buffer, vec![0; READ_BYTES]);
    let mut events = Vec::with_capacity(EVENTS_PER_TURN);
    let waited = front.poller.wait(&mut events, 0);
    for event in events.drain(..) {
        match Token::decode(event.data.u64()) {
            Token::Waker => {}
            Token::Listener(index) => accept(service.front(), index),
            Token::Client(key) if key == busy => {}
            Token::Client(key) => client_event(service, key, event.flags),
        }
    }
    let front = service.front();
    front.flush_writes();
    front.read_buffer = outer_buffer;
    waited
}

fn client_event<S: Service>(service: &mut S, key: ClientKey, flags: epoll::EventFlags) {
    const READABLE: epoll::EventFlags = epoll::EventFlags::IN
        .union(epoll::EventFlags::HUP)
        .union(epoll::EventFlags::ERR);
    let Some(client) = service.front().clients.get(key) else {
        return;
    };
    match client.link {
        LinkState::Connecting => match service.front().finish_connecting(key) {
            Ok(()) => service.link_event(key, LinkEvent::Connected),
            Err(error) => lose_link(service, key, error),
        },
        link => {
            if flags.contains(epoll::EventFlags::OUT) {
                service.front().write_client(key);
            }
            if flags.intersects(READABLE) {
                match link {
                    LinkState::Up => read_link(service, key),
                    _ => read_client(service, key),
                }
            }
        }
    }
}

/// Hands what arrived on a link to the owner.
fn read_link<S: Service>(service: &mut S, key: ClientKey) {
    let front = service.front();
    let now = front.clock.now();
    let Some(client) = front.clients.get_mut(key) else {
        return;
    };
    if client.close_asap || client.deaf {
        return;
    }
    match client.socket.read(&mut front.read_buffer) {
        Ok(0) => lose_link(service, key, io::ErrorKind::UnexpectedEof.into()),
        Ok(bytes) => {
            client.last_interaction_ms = now;
            client.net_input_bytes += bytes as u64;
            front.stats.net_input_bytes += bytes as u64;
            let buffer = std::mem::take(&mut front.read_buffer);
            service.link_event(key, LinkEvent::Received(&buffer[..bytes]));
            service.front().read_buffer = buffer;
        }
        Err(error) => match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {}
            _ => lose_link(service, key, error),
        },
    }
}

fn lose_link<S: Service>(service: &mut S, key: ClientKey, error: io::Error) {
    service.front().close_soon(key);
    service.link_event(key, LinkEvent::Lost(error));
}

fn accept(front: &mut Front, index: usize) {
    for _ in 0..ACCEPTS_PER_TURN {
        let Some(Some(listener)) = front.listeners.get(index) else {
            return;
        };
        match listener.accept() {
            Ok(Some(accepted)) => front.admit(accepted),
            Ok(None) => return,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                crate::log_warning!("Accepting client connection: {error}");
                return;
            }
        }
    }
}

/// Reads what a client sent and runs it. One that sends a large argument is read on while it arrives, up to a bound: the
/// fewer turns it takes, the less is moved about.
fn read_client<S: Service>(service: &mut S, key: ClientKey) {
    let mut read = 0;
    while read < LARGE_READ_BYTES {
        let Some(bytes) = read_once(service, key) else {
            return;
        };
        read += bytes;
        let arriving = |client: &Client| client.query_announced > client.query.len() + LITTLE_ROOM;
        if !service.front().clients.get(key).is_some_and(arriving) {
            return;
        }
    }
}

/// One read. None if there was nothing, or nobody to read from.
fn read_once<S: Service>(service: &mut S, key: ClientKey) -> Option<usize> {
    let front = service.front();
    let now = front.clock.now();
    let client = front.clients.get_mut(key)?;
    if client.close_asap || client.deaf {
        return None;
    }
    // A client that has nothing pending reads into the shared buffer: an idle connection holds no memory.
    let shared = client.query.is_empty();
    let result = if shared {
        client.socket.read(&mut front.read_buffer)
    } else {
        make_query_room(client);
        let fd = client.socket.as_fd()?;
        rustix::io::read(fd, rustix::buffer::spare_capacity(&mut client.query))
            .map_err(io::Error::from)
    };
    let bytes = match result {
        Ok(bytes) if bytes > 0 => bytes,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
            ) =>
        {
            return None;
        }
        Ok(_) | Err(_) => {
            front.close_soon(key);
            return None;
        }
    };
    client.last_interaction_ms = now;
    client.net_input_bytes += bytes as u64;
    front.stats.net_input_bytes += bytes as u64;
    front.stats.reads_processed += 1;
    if shared {
        client.query_peak = client.query_peak.max(bytes);
        client.running_bytes = bytes;
        let buffer = std::mem::take(&mut front.read_buffer);
        let consumed = run_requests(service, key, &buffer[..bytes]);
        let front = service.front();
        if let Some(client) = front.clients.get_mut(key) {
            client.running_bytes = 0;
            if consumed < bytes {
                if client.query_announced > LITTLE_ROOM {
                    make_query_room(client);
                }
                client.query.extend_from_slice(&buffer[consumed..bytes]);
            }
        }
        front.read_buffer = buffer;
        front.recount(key);
    } else {
        client.query_peak = client.query_peak.max(client.query.len());
        if client.query.len() > front.settings.query_buffer_limit {
            crate::log_warning!(
                "Closing client that reached max query buffer length: id={} addr={}",
                client.id,
                client.addr
            );
            front.stats.query_limit_disconnections += 1;
            front.close_soon(key);
            return None;
        }
        run_query(service, key);
    }
    Some(bytes)
}

/// Runs what waits in the client's own query buffer.
fn run_query<S: Service>(service: &mut S, key: ClientKey) {
    let Some(client) = service.front().clients.get_mut(key) else {
        return;
    };
    let mut query = std::mem::take(&mut client.query);
    (client.running_bytes, client.running_memory) = (query.len(), query.capacity());
    let consumed = run_requests(service, key, &query);
    if let Some(client) = service.front().clients.get_mut(key) {
        query.drain(..consumed);
        // Who sent a large request will send another one; the periodic look takes back what turns out too much.
        if query.is_empty() && !(READ_BYTES..=QUERY_BUFFER_REUSED).contains(&query.capacity()) {
            query = Vec::new();
        }
        (client.running_bytes, client.running_memory) = (0, 0);
        // Nothing reads into the buffer while its requests run.
        client.query = query;
    }
    service.front().recount(key);
}

fn run_pending_input<S: Service>(service: &mut S) {
    for key in std::mem::take(&mut service.front().pending_input) {
        run_query(service, key);
    }
}

fn may_run(client: &Client) -> bool {
    client.blocked.is_none() && !client.close_asap && !client.close_after_reply
}

struct Request {
    first_arg: usize,
    args: usize,
    /// Where the next request begins.
    end: usize,
}

/// Runs the requests at the start of `data` until one is incomplete or the client must wait. Returns the bytes consumed.
fn run_requests<S: Service>(service: &mut S, key: ClientKey, data: &[u8]) -> usize {
    let mut spans = std::mem::take(&mut service.front().spans);
    let consumed = run_with_spans(service, key, data, &mut spans);
    if spans.capacity() <= SPANS_KEPT {
        service.front().spans = spans;
    }
    consumed
}

fn run_with_spans<S: Service>(
    service: &mut S,
    key: ClientKey,
    data: &[u8],
    spans: &mut Vec<Span>,
) -> usize {
    let mut consumed = 0;
    if let Some(client) = service.front().clients.get_mut(key) {
        client.query_announced = 0;
    }
    while consumed < data.len() {
        let front = service.front();
        let Some(client) = front.clients.get_mut(key) else {
            return data.len();
        };
        if !may_run(client) {
            return consumed;
        }
        let is_master = client.class == ClientClass::Master;
        let mut parser = std::mem::take(&mut client.parser);
        let limits = resp::Limits {
            authenticated: client.authenticated,
            ..front.settings.limits.clone()
        };
        let mut requests: [Request; BATCH] = std::array::from_fn(|_| Request {
            first_arg: 0,
            args: 0,
            end: 0,
        });
        let mut count = 0;
        let mut at = consumed;
        let mut stop = None;
        let mut bases = [0usize; BATCH];
        spans.clear();
        while count < BATCH && at < data.len() {
            let first_arg = spans.len();
            match parser.parse(&data[at..], &limits, spans) {
                Ok(Parsed::Command { consumed: bytes }) => {
                    bases[count] = at;
                    at += bytes;
                    requests[count] = Request {
                        first_arg,
                        args: spans.len() - first_arg,
                        end: at,
                    };
                    count += 1;
                }
                Ok(Parsed::Empty { consumed: bytes }) => {
                    at += bytes;
                    // Blank lines between requests belong to the one before them.
                    match count {
                        0 => consumed = at,
                        _ => requests[count - 1].end = at,
                    }
                }
                other => {
                    stop = Some(other);
                    break;
                }
            }
        }
        let mut on_stack: [&[u8]; STACK_ARGS] = [&[]; STACK_ARGS];
        let mut on_heap: Vec<&[u8]> = Vec::new();
        let args: &mut [&[u8]] = if spans.len() <= STACK_ARGS {
            &mut on_stack[..spans.len()]
        } else {
            on_heap.resize(spans.len(), &[]);
            &mut on_heap
        };
        for (request, base) in requests[..count].iter().zip(bases) {
            for index in request.first_arg..request.first_arg + request.args {
                args[index] = spans[index].of(&data[base..]);
            }
        }
        let args = &*args;
        let args_of =
            |request: &Request| &args[request.first_arg..request.first_arg + request.args];
        if count > 1 {
            let mut batch: [&[&[u8]]; BATCH] = [&[]; BATCH];
            for (slot, request) in batch.iter_mut().zip(&requests[..count]) {
                *slot = args_of(request);
            }
            service.prefetch(key, &batch[..count]);
        }
        for request in &requests[..count] {
            if !service.front().may_use_memory(key)
                || service.execute(key, args_of(request)) == Execution::Held
            {
                return consumed;
            }
            if is_master {
                service.applied(key, &data[consumed..request.end]);
            }
            consumed = request.end;
            match service.front().clients.get(key) {
                Some(client) if may_run(client) => {}
                // The parser is new: what was parsed beyond this request is parsed again.
                Some(_) => return consumed,
                None => return data.len(),
            }
        }
        match stop {
            None => restore_parser(service, key, parser),
            Some(Ok(Parsed::Inline { consumed: bytes })) => {
                let words: Vec<Vec<u8>> = parser.inline_args().to_vec();
                restore_parser(service, key, parser);
                let args: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
                if !service.front().may_use_memory(key)
                    || service.execute(key, &args) == Execution::Held
                {
                    return consumed;
                }
                if is_master {
                    service.applied(key, &data[consumed..consumed + bytes]);
                }
                consumed += bytes;
            }
            Some(Ok(Parsed::Incomplete { needed })) => {
                restore_parser(service, key, parser);
                if let Some(client) = service.front().clients.get_mut(key) {
                    client.query_announced = data.len() - consumed + needed;
                }
                return consumed;
            }
            Some(Err(error)) => {
                let mut reply = Vec::new();
                resp::Writer::new(&mut reply, false).error(error.reply());
                let front = service.front();
                front.send(key, &reply);
                front.close_after_reply(key);
                return data.len();
            }
            Some(Ok(Parsed::Command { .. } | Parsed::Empty { .. })) => {
                unreachable!("both were consumed above")
            }
        }
    }
    consumed
}

/// Makes room for what the client sends next. One that announces a big argument gets memory in proportion to what it has
/// already sent, not to what it claims; in the end exactly what it announced.
fn make_query_room(client: &mut Client) {
    let (held, room) = (client.query.len(), client.query.capacity());
    let announced = client.query_announced;
    if announced > held + LITTLE_ROOM {
        let wanted = announced.min((held * 4).max(READ_BYTES));
        client.query.reserve_exact(wanted.max(room) - held);
    } else if room - held < LITTLE_ROOM && (announced <= held || announced > room) {
        client.query.reserve(READ_BYTES);
    }
}

fn restore_parser<S: Service>(service: &mut S, key: ClientKey, parser: resp::RequestParser) {
    if let Some(client) = service.front().clients.get_mut(key) {
        client.parser = parser;
    }
}

fn close_clients<S: Service>(service: &mut S) {
    for key in std::mem::take(&mut service.front().closing) {
        let front = service.front();
        front.uncount(key);
        if let Some(mut client) = front.clients.remove(key) {
            if let Some(fd) = client.socket.as_fd() {
                front.poller.remove(fd);
            }
            front.pubsub.forget(&mut client);
            service.disconnected(&mut client);
        }
    }
}

enum Token {
    Waker,
    Listener(usize),
    Client(ClientKey),
}

const WAKER_TOKEN: u64 = u64::MAX;
/// Generations stay below 2^30, so this bit is free.
const LISTENER_BIT: u64 = 1 << 63;

impl Token {
    fn decode(token: u64) -> Token {
        match token {
            WAKER_TOKEN => Token::Waker,
            token if token & LISTENER_BIT != 0 => Token::Listener((token & !LISTENER_BIT) as usize),
            token => Token::Client(ClientKey::from_token(token)),
        }
    }
}

/// Epoll, level-triggered: what is not read in one turn is reported again in the next, so no bookkeeping can lose it.
pub(crate) struct Poller {
    epoll: OwnedFd,
    waker: Waker,
    events: Vec<epoll::Event>,
}

/// Wakes the loop from another thread.
#[derive(Clone)]
pub struct Waker(Arc<OwnedFd>);

impl Waker {
    pub fn wake(&self) {
        // A full counter means a wake-up is already due.
        let _ = rustix::io::write(&*self.0, &1u64.to_ne_bytes());
    }
    fn drain(&self) {
        let mut count = [0; 8];
        let _ = rustix::io::read(&*self.0, &mut count);
    }
}

impl Poller {
    pub(crate) fn new() -> io::Result<Poller> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let waker = Waker(Arc::new(eventfd(
            0,
            EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK,
        )?));
        let data = epoll::EventData::new_u64(WAKER_TOKEN);
        epoll::add(&epoll, &*waker.0, data, epoll::EventFlags::IN)?;
        Ok(Poller {
            epoll,
            waker,
            events: Vec::with_capacity(EVENTS_PER_TURN),
        })
    }

    pub(crate) fn waker(&self) -> Waker {
        self.waker.clone()
    }

    pub(crate) fn add_listener(&self, index: usize, fd: BorrowedFd<'_>) -> io::Result<()> {
        let data = epoll::EventData::new_u64(LISTENER_BIT | index as u64);
        Ok(epoll::add(&self.epoll, fd, data, epoll::EventFlags::IN)?)
    }

    pub(crate) fn add_client(&self, key: ClientKey, fd: BorrowedFd<'_>) -> io::Result<()> {
        let data = epoll::EventData::new_u64(key.token());
        Ok(epoll::add(&self.epoll, fd, data, epoll::EventFlags::IN)?)
    }

    pub(crate) fn set_interest(
        &self,
        key: ClientKey,
        fd: BorrowedFd<'_>,
        input: bool,
        output: bool,
    ) {
        let mut flags = epoll::EventFlags::empty();
        flags.set(epoll::EventFlags::IN, input);
        flags.set(epoll::EventFlags::OUT, output);
        epoll::modify(
            &self.epoll,
            fd,
            epoll::EventData::new_u64(key.token()),
            flags,
        )
        .expect("a connected client's descriptor is registered");
    }

    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) {
        // Closing the descriptor removes it as well.
        let _ = epoll::delete(&self.epoll, fd);
    }

    fn wait(&self, events: &mut Vec<epoll::Event>, timeout_ms: u64) -> io::Result<()> {
        let timeout = Duration::from_millis(timeout_ms);
        let timeout = rustix::time::Timespec {
            tv_sec: timeout.as_secs() as i64,
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        events.clear();
        match epoll::wait(
            &self.epoll,
            rustix::buffer::spare_capacity(events),
            Some(&timeout),
        ) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
