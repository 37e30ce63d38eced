//! One turn of the loop: wait for sockets, run what arrived, do what is due, and only then answer.
//!
//! The order at the end of a turn is what durability rests on: the owner's `before_sleep` writes (and, as configured,
//! syncs) the effects of this turn's commands before their replies leave in `flush_writes`.

use crate::background::Completion;
use crate::client::{Client, ClientClass, ClientKey};
use crate::front::{Front, READ_BYTES};
use crate::link::{LinkEvent, LinkState};
use resp::{Parsed, ProtocolError, RequestParser, Span};
use rustix::event::{EventfdFlags, epoll, eventfd};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

/// What a process must be to be driven by this loop.
pub trait Service {
    fn front(&mut self) -> &mut Front;
    /// Requests that are about to run, so that what they touch can be fetched together. Of arguments far behind, some may be
    /// missing.
    fn prefetch(&mut self, requests: &[(ClientKey, &[&[u8]])]);
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
pub const BATCH: usize = 32;
/// Clients that are read before any of them runs.
const GROUP: usize = 16;
/// Arguments of a single request, most often.
const FEW_ARGS: usize = 8;
/// Arguments of a batch kept on the stack.
const STACK_ARGS: usize = BATCH * 4;
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
    run_group(service);
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
    // The outer turn has taken its own.
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
    // Also those that were read together with the one that takes long.
    run_group(service);
    service.front().flush_writes();
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
    let mut slot = front.group.spare();
    let result = client.socket.read(&mut slot.buffer);
    match result {
        Ok(0) => lose_link(service, key, io::ErrorKind::UnexpectedEof.into()),
        Ok(bytes) => {
            client.last_interaction_ms = now;
            client.net_input_bytes += bytes as u64;
            front.stats.net_input_bytes += bytes as u64;
            service.link_event(key, LinkEvent::Received(&slot.buffer[..bytes]));
        }
        Err(error) => match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {}
            _ => lose_link(service, key, error),
        },
    }
    service.front().group.spare.push(slot);
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

/// Clients that are read before any of them runs: so what their requests touch is fetched from memory together, as if one
/// client had sent them.
#[derive(Default)]
pub(crate) struct Group {
    /// What was read and has not run, in order.
    filled: VecDeque<Box<Slot>>,
    #[expect(clippy::vec_box, reason = "they are large, and go to and fro")]
    spare: Vec<Box<Slot>>,
}

/// What a client sent.
pub(crate) struct Slot {
    key: ClientKey,
    /// Where it lies, unless the client has a query buffer of its own. A client that has nothing pending holds no memory.
    buffer: Vec<u8>,
    bytes: usize,
    is_own: bool,
    batch: Batch,
}

impl Group {
    /// A slot that holds nothing.
    fn spare(&mut self) -> Box<Slot> {
        self.spare.pop().unwrap_or_else(|| {
            Box::new(Slot {
                key: ClientKey::from_token(0),
                buffer: vec![0; READ_BYTES],
                bytes: 0,
                is_own: false,
                batch: Batch::default(),
            })
        })
    }
}

/// Reads what a client sent. It runs with the others of the group.
fn read_client<S: Service>(service: &mut S, key: ClientKey) {
    let front = service.front();
    let mut slot = front.group.spare();
    slot.key = key;
    match read_once(front, &mut slot) {
        true => front.group.filled.push_back(slot),
        false => front.group.spare.push(slot),
    }
    if front.group.filled.len() >= GROUP {
        run_group(service);
    }
}

/// Runs what the clients of the group sent.
fn run_group<S: Service>(service: &mut S) {
    let mut filled = std::mem::take(&mut service.front().group.filled);
    if filled.is_empty() {
        return;
    }
    for slot in filled.iter_mut().filter(|slot| !slot.is_own) {
        let data = &slot.buffer[..slot.bytes];
        slot.batch.parse(service.front(), slot.key, data, 0);
    }
    prefetch_singles(service, &filled);
    let front = service.front();
    front.clock.start_laps();
    // One that takes long lets the others run meanwhile: they are not its own.
    front.group.filled = filled;
    while let Some(mut slot) = service.front().group.filled.pop_front() {
        run_slot(service, &mut slot);
        read_on(service, &mut slot);
        service.front().group.spare.push(slot);
    }
}

/// Fetches what the clients touch that have sent one request each.
fn prefetch_singles<S: Service>(service: &mut S, slots: &VecDeque<Box<Slot>>) {
    /// A key stands among the first arguments, nearly always.
    const LOOKED_AT: usize = 4;
    let mut args: [[&[u8]; LOOKED_AT]; GROUP] = [[&[]; LOOKED_AT]; GROUP];
    let mut singles = [(ClientKey::from_token(0), 0); GROUP];
    let mut count = 0;
    for slot in slots
        .iter()
        .filter(|slot| !slot.is_own && slot.batch.count == 1)
    {
        let spans = &slot.batch.spans[..slot.batch.requests[0].args.min(LOOKED_AT)];
        for (arg, span) in args[count].iter_mut().zip(spans) {
            *arg = span.of(&slot.buffer[slot.batch.bases[0]..]);
        }
        singles[count] = (slot.key, spans.len());
        count += 1;
    }
    if count > 1 {
        let mut requests: [(ClientKey, &[&[u8]]); GROUP] = [(ClientKey::from_token(0), &[]); GROUP];
        for index in 0..count {
            let (key, length) = singles[index];
            requests[index] = (key, &args[index][..length]);
        }
        service.prefetch(&requests[..count]);
    }
}

/// A client that sends a large argument is read on while it arrives, up to a bound: the fewer turns it takes, the less is
/// moved about.
fn read_on<S: Service>(service: &mut S, slot: &mut Slot) {
    let mut read = slot.bytes;
    while read < LARGE_READ_BYTES {
        let arriving = |client: &Client| client.query_announced > client.query.len() + LITTLE_ROOM;
        if !service.front().clients.get(slot.key).is_some_and(arriving)
            || !read_once(service.front(), slot)
        {
            return;
        }
        read += slot.bytes;
        slot.batch.count = 0;
        run_slot(service, slot);
    }
}

/// One read. False if there was nothing, or nobody to read from.
fn read_once(front: &mut Front, slot: &mut Slot) -> bool {
    let key = slot.key;
    let now = front.clock.now();
    let Some(client) = front.clients.get_mut(key) else {
        return false;
    };
    if client.close_asap || client.deaf {
        return false;
    }
    slot.is_own = !client.query.is_empty();
    let result = if !slot.is_own {
        client.socket.read(&mut slot.buffer)
    } else {
        make_query_room(client);
        let Some(fd) = client.socket.as_fd() else {
            return false;
        };
        rustix::io::read(fd, rustix::buffer::spare_capacity(&mut client.query))
            .map_err(io::Error::from)
    };
    match result {
        Ok(bytes) if bytes > 0 => slot.bytes = bytes,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
            ) =>
        {
            return false;
        }
        Ok(_) | Err(_) => {
            front.close_soon(key);
            return false;
        }
    }
    client.last_interaction_ms = now;
    client.net_input_bytes += slot.bytes as u64;
    front.stats.net_input_bytes += slot.bytes as u64;
    front.stats.reads_processed += 1;
    if !slot.is_own {
        client.query_peak = client.query_peak.max(slot.bytes);
        return true;
    }
    client.query_peak = client.query_peak.max(client.query.len());
    if client.query.len() > front.settings.query_buffer_limit {
        crate::log_warning!(
            "Closing client that reached max query buffer length: id={} addr={}",
            client.id,
            client.addr
        );
        front.stats.query_limit_disconnections += 1;
        front.close_soon(key);
        return false;
    }
    true
}

/// Runs what a client sent; what it has not sent to the end is kept.
fn run_slot<S: Service>(service: &mut S, slot: &mut Slot) {
    let key = slot.key;
    if slot.is_own {
        return run_query(service, key, &mut slot.batch);
    }
    if let Some(client) = service.front().clients.get_mut(key) {
        client.running_bytes = slot.bytes;
    }
    let data = &slot.buffer[..slot.bytes];
    let consumed = run_requests(service, key, data, &mut slot.batch);
    let front = service.front();
    if let Some(client) = front.clients.get_mut(key) {
        client.running_bytes = 0;
        if consumed < data.len() {
            if client.query_announced > LITTLE_ROOM {
                make_query_room(client);
            }
            client.query.extend_from_slice(&data[consumed..]);
        }
    }
    front.recount(key);
}

/// Runs what waits in the client's own query buffer.
fn run_query<S: Service>(service: &mut S, key: ClientKey, batch: &mut Batch) {
    let Some(client) = service.front().clients.get_mut(key) else {
        return;
    };
    let mut query = std::mem::take(&mut client.query);
    (client.running_bytes, client.running_memory) = (query.len(), query.capacity());
    batch.count = 0;
    let consumed = run_requests(service, key, &query, batch);
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
    if service.front().pending_input.is_empty() {
        return;
    }
    service.front().clock.start_laps();
    let mut batch = Batch::default();
    for key in std::mem::take(&mut service.front().pending_input) {
        run_query(service, key, &mut batch);
    }
}

fn may_run(client: &Client) -> bool {
    client.blocked.is_none() && !client.close_asap && !client.close_after_reply
}

#[derive(Clone, Copy, Default)]
struct Request {
    first_arg: usize,
    args: usize,
    /// Where the next request begins.
    end: usize,
}

/// Requests that were parsed together and run one after the other.
#[derive(Default)]
struct Batch {
    requests: [Request; BATCH],
    /// How many there are; none before anything is parsed.
    count: usize,
    /// What the spans of each request's arguments are relative to.
    bases: [usize; BATCH],
    spans: Vec<Span>,
    /// Where the first request begins: blank lines before it are done with.
    start: usize,
    /// Why there are not more of them.
    stop: Option<Stop>,
    /// As it was left; the client's own is new until the batch has run.
    parser: RequestParser,
    is_parsed: bool,
}

/// What comes behind the requests of a batch.
enum Stop {
    /// Another request, of one line.
    Inline {
        bytes: usize,
    },
    /// A request that is not here to its end: so many bytes are missing.
    Incomplete {
        needed: usize,
    },
    Broken(ProtocolError),
}

impl Batch {
    /// Parses what a client sent from `at` on. Without a client, or one that must wait, there is nothing.
    fn parse(&mut self, front: &mut Front, key: ClientKey, data: &[u8], mut at: usize) {
        (self.count, self.stop, self.start) = (0, None, at);
        self.is_parsed = false;
        self.spans.clear();
        if self.spans.capacity() > SPANS_KEPT {
            self.spans = Vec::new();
        }
        let Some(client) = front.clients.get_mut(key) else {
            return;
        };
        if !may_run(client) {
            return;
        }
        self.is_parsed = true;
        self.parser = std::mem::take(&mut client.parser);
        let limits = resp::Limits {
            authenticated: client.authenticated,
            ..front.settings.limits.clone()
        };
        while self.count < BATCH && at < data.len() {
            let first_arg = self.spans.len();
            match self.parser.parse(&data[at..], &limits, &mut self.spans) {
                Ok(Parsed::Command { consumed }) => {
                    self.bases[self.count] = at;
                    at += consumed;
                    self.requests[self.count] = Request {
                        first_arg,
                        args: self.spans.len() - first_arg,
                        end: at,
                    };
                    self.count += 1;
                }
                Ok(Parsed::Empty { consumed }) => {
                    at += consumed;
                    // Blank lines between requests belong to the one before them.
                    match self.count {
                        0 => self.start = at,
                        _ => self.requests[self.count - 1].end = at,
                    }
                }
                Ok(Parsed::Inline { consumed }) => {
                    self.stop = Some(Stop::Inline { bytes: consumed });
                    return;
                }
                Ok(Parsed::Incomplete { needed }) => {
                    self.stop = Some(Stop::Incomplete { needed });
                    return;
                }
                Err(error) => {
                    self.stop = Some(Stop::Broken(error));
                    return;
                }
            }
        }
    }
}

/// Runs the requests at the start of `data` until one is incomplete or the client must wait; the batch may hold the first of
/// them already. Returns the bytes consumed.
fn run_requests<S: Service>(
    service: &mut S,
    key: ClientKey,
    data: &[u8],
    batch: &mut Batch,
) -> usize {
    let mut consumed = 0;
    if let Some(client) = service.front().clients.get_mut(key) {
        client.query_announced = 0;
    }
    if batch.count == 0 {
        batch.parse(service.front(), key, data, 0);
    }
    loop {
        let Some(client) = service.front().clients.get_mut(key) else {
            return data.len();
        };
        if !batch.is_parsed || !may_run(client) {
            return consumed;
        }
        let is_master = client.class == ClientClass::Master;
        consumed = batch.start;
        // Only the one that is used is filled.
        let mut few: [&[u8]; FEW_ARGS];
        let mut on_stack: [&[u8]; STACK_ARGS];
        let mut on_heap: Vec<&[u8]>;
        let args: &mut [&[u8]] = match batch.spans.len() {
            count @ 0..=FEW_ARGS => {
                few = [&[]; FEW_ARGS];
                &mut few[..count]
            }
            count @ ..=STACK_ARGS => {
                on_stack = [&[]; STACK_ARGS];
                &mut on_stack[..count]
            }
            count => {
                on_heap = vec![&[]; count];
                &mut on_heap
            }
        };
        let requests = &batch.requests[..batch.count];
        for (request, base) in requests.iter().zip(batch.bases) {
            for index in request.first_arg..request.first_arg + request.args {
                args[index] = batch.spans[index].of(&data[base..]);
            }
        }
        let args = &*args;
        let args_of =
            |request: &Request| &args[request.first_arg..request.first_arg + request.args];
        if requests.len() > 1 {
            let mut wanted: [(ClientKey, &[&[u8]]); BATCH] = [(key, &[]); BATCH];
            for (slot, request) in wanted.iter_mut().zip(requests) {
                slot.1 = args_of(request);
            }
            service.prefetch(&wanted[..requests.len()]);
        }
        for request in requests {
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
        let parser = std::mem::take(&mut batch.parser);
        match batch.stop.take() {
            None => restore_parser(service, key, parser),
            Some(Stop::Inline { bytes }) => {
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
            Some(Stop::Incomplete { needed }) => {
                restore_parser(service, key, parser);
                if let Some(client) = service.front().clients.get_mut(key) {
                    client.query_announced = data.len() - consumed + needed;
                }
                return consumed;
            }
            Some(Stop::Broken(error)) => {
                let mut reply = Vec::new();
                resp::Writer::new(&mut reply, false).error(error.reply());
                let front = service.front();
                front.send(key, &reply);
                front.close_after_reply(key);
                return data.len();
            }
        }
        if consumed >= data.len() {
            return consumed;
        }
        batch.parse(service.front(), key, data, consumed);
    }
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
