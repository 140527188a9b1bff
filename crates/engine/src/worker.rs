//! A worker: one thread, one poller, its own sessions, timers, buffers and pipes. It waits for
//! events, walks sessions on, and waits again. What a session does in its phases stands in
//! `accept`, `handshake`, `inspect`, `choose`, `connect`, `forward` and `finish`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use isthmus_sockets::{Interest, Pipe, Poll, Ready};

use crate::generation::Generation;
use crate::h2::Unwritten;
use crate::http::{Link, Store};
use crate::live::Process;
use crate::local::Local;
use crate::mailbox::{Mailbox, Message, Whom};
use crate::session::{Phase, Session};
use crate::slab::{Key, Slab};
use crate::token::Token;
use crate::turn::Turn;
use crate::wheel::Wheel;

/// Bytes read at once where nothing is inspected: larger than `tune.bufsize`, since the buffer is
/// the worker's and no session holds it.
const SCRATCH: usize = 64 * 1024;
/// How often a worker that stopped accepting looks whether it may go on.
const RETRY_ACCEPT: u64 = 20;

/// What a session wants after it was walked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The phase has changed; it can go on at once.
    Again,
    /// Nothing to do before the next event or timeout.
    Wait,
    /// It is over.
    Close,
}

/// One thread's share of the engine.
pub(crate) struct Worker {
    pub(crate) turn: Turn,
    pub(crate) process: Arc<Process>,
    pub(crate) poll: Poll,
    pub(crate) sessions: Slab<Session>,
    pub(crate) wheel: Wheel,
    pub(crate) mailboxes: Arc<[Arc<Mailbox>]>,
    pub(crate) generation: Option<Arc<Generation>>,
    pub(crate) local: Option<Local>,
    /// Places in `local.listeners` that accept, and whether each is paused.
    pub(crate) accepting: Vec<crate::accept::Accepting>,
    pub(crate) scratch: Box<[u8]>,
    pub(crate) pipes: Vec<Pipe>,
    /// Sessions that had their share of this turn and go on in the next.
    pub(crate) busy: Vec<Key>,
    /// Connections of HTTP/2 to be written at the end of this turn.
    pub(crate) unwritten: Rc<Unwritten>,
    pub(crate) stopping: bool,
    due: Vec<u32>,
    /// Connections to servers in HTTP mode, idle ones too.
    pub(crate) links: Slab<Link>,
    /// Streams that no session uses now.
    pub(crate) streams: Store,
    /// Bytes that are made of others on their way: chunks above all.
    pub(crate) made: Vec<u8>,
    /// When idle connections are looked through.
    pub(crate) next_purge: u64,
    /// Events of this turn that are still to be seen begin here.
    event: usize,
    events: usize,
}

impl Worker {
    /// A worker that has no plan yet.
    ///
    /// # Errors
    /// Out of descriptors.
    pub(crate) fn new(
        turn: Turn,
        process: Arc<Process>,
        mailboxes: Arc<[Arc<Mailbox>]>,
        batch: usize,
    ) -> std::io::Result<Self> {
        let poll = Poll::new(batch)?;
        if let Some(mailbox) = mailboxes.get(turn.worker) {
            poll.add(mailbox.waker(), Token::MAILBOX, Interest::Readable)?;
        }
        Ok(Self {
            wheel: Wheel::new(turn.now),
            turn,
            process,
            poll,
            sessions: Slab::new(),
            mailboxes,
            generation: None,
            local: None,
            accepting: Vec::new(),
            scratch: vec![0; SCRATCH].into_boxed_slice(),
            pipes: Vec::new(),
            busy: Vec::new(),
            unwritten: Rc::default(),
            stopping: false,
            due: Vec::new(),
            links: Slab::new(),
            streams: Store::default(),
            made: Vec::new(),
            next_purge: u64::MAX,
            event: 0,
            events: 0,
        })
    }

    /// The thread's life.
    pub(crate) fn run(mut self) {
        while !(self.stopping && self.sessions.len() == 0) {
            let timeout = self.timeout();
            self.turn.counters.load.waits(self.turn.clock.now());
            let count = self.poll.wait(timeout).unwrap_or(0);
            self.turn.now = self.turn.clock.now();
            self.turn.counters.load.works(self.turn.now);
            self.events = count;
            for index in 0..count {
                self.event = index + 1;
                if let Some(ready) = self.poll.ready(index) {
                    self.dispatch(ready);
                }
            }
            self.events = 0;
            self.expire();
            self.purge_idle();
            for key in std::mem::take(&mut self.busy) {
                self.walk_key(key, |_| {});
            }
            self.write_shared();
            self.retry_accepting();
        }
        self.close_listeners();
        let mailbox = self.mailboxes.get(self.turn.worker).cloned();
        for message in mailbox.map(|m| m.close()).unwrap_or_default() {
            self.receive(message);
        }
    }

    fn timeout(&self) -> Option<Duration> {
        if !self.busy.is_empty() || !self.unwritten.is_empty() {
            return Some(Duration::ZERO);
        }
        let now = self.turn.now;
        let mut next = self.wheel.next();
        if self.accepting.iter().any(|a| a.paused) {
            next = Some(next.unwrap_or(u64::MAX).min(now + RETRY_ACCEPT));
        }
        if self.next_purge < u64::MAX {
            next = Some(next.unwrap_or(u64::MAX).min(self.next_purge));
        }
        next.map(|next| Duration::from_millis(next.saturating_sub(now)))
    }

    fn dispatch(&mut self, ready: Ready) {
        match Token::read(ready.token) {
            Token::Session(key, end) => self.walk_key(key, |session| session.see(ready, end)),
            Token::Link(key) => self.link_event(key, ready),
            Token::Listener(index) => self.accept(index),
            Token::Mailbox => {
                let mailbox = self.mailboxes.get(self.turn.worker).cloned();
                for message in mailbox.map(|m| m.take()).unwrap_or_default() {
                    self.receive(message);
                }
            }
        }
    }

    fn receive(&mut self, message: Message) {
        match message {
            Message::Generation(generation) => self.adopt(generation),
            Message::Listeners => self.register_listeners(),
            Message::Granted(key, backend, server, place) => {
                self.granted(key, &backend, server, place);
            }
            Message::ChooseAgain(key) => self.walk_key(key, Session::choose_again),
            Message::ChooseAllAgain => {
                let sessions = self.sessions.iter();
                let mut waiting: Vec<(u64, u64, Key)> = sessions
                    .filter(|(_, session)| session.phase == Phase::Queued)
                    .map(|(key, session)| (session.phase_began, session.id, key))
                    .collect();
                // Who came first stays first.
                waiting.sort_unstable_by_key(|(since, id, _)| (*since, *id));
                for (_, _, key) in waiting {
                    self.requeue(key);
                }
            }
            Message::Service(key) => {
                let now = self.turn.now;
                self.walk_key(key, |session| session.hear_service(now));
            }
            Message::Answered(key) => self.walk_key(key, |_| ()),
            Message::End(whom, cause) => self.end_sessions(cause, |session| match &whom {
                Whom::Session(id) => session.id == *id,
                Whom::Server(state) => session
                    .chosen
                    .as_ref()
                    .is_some_and(|chosen| Arc::ptr_eq(&chosen.shared.state, state)),
            }),
            Message::Sessions(reply) => {
                let turn = &self.turn;
                let facts = self.sessions.iter().map(|(_, session)| session.facts(turn));
                // Whoever asked may have given up.
                let _ = reply.send(facts.collect());
            }
            Message::Stop { graceful } => {
                self.stopping = true;
                self.close_listeners();
                self.close_idle();
                self.end_idle_clients();
                if !graceful {
                    self.end_sessions(b'K', |_| true);
                }
            }
        }
    }

    fn adopt(&mut self, generation: Arc<Generation>) {
        self.close_listeners();
        let local = Local::new(&generation, self.turn.worker);
        if let Some(old) = self.local.take() {
            self.inherit_idle(&old.servers(), &local.servers());
        }
        self.local = Some(local);
        self.generation = Some(generation);
        self.register_listeners();
        self.recount();
        self.end_idle_clients();
    }

    /// Ends sessions at once, whatever they do.
    fn end_sessions(&mut self, cause: u8, which: impl Fn(&Session) -> bool) {
        let sessions = self.sessions.iter();
        let keys: Vec<Key> = sessions
            .filter(|(_, session)| which(session))
            .map(|(key, _)| key)
            .collect();
        for key in keys {
            if let Some(session) = self.sessions.take(key) {
                self.end_session(session, cause);
            }
        }
    }

    fn expire(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        self.wheel.expire(self.turn.now, &mut due);
        for index in due.drain(..) {
            if let Some((key, mut session)) = self.sessions.take_index(index) {
                session.armed = u64::MAX;
                self.sessions.put(key, session);
                let now = self.turn.now;
                self.walk_key(key, |session| session.time_out(now));
            }
        }
        self.due = due;
    }

    /// Tells a session something and walks it on, if it still lives.
    pub(crate) fn walk_key(&mut self, key: Key, tell: impl FnOnce(&mut Session)) {
        if let Some(mut session) = self.sessions.take(key) {
            tell(&mut session);
            self.walk(session);
        }
    }

    /// Walks a session on until it has to wait, and puts it back; or ends it.
    /// A panic in one session ends that session alone.
    pub(crate) fn walk(&mut self, mut session: Box<Session>) {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            loop {
                match self.step(&mut session) {
                    Step::Again => {}
                    other => break other,
                }
            }
        }));
        match outcome {
            Ok(Step::Close) => match self.last_words(&mut session) {
                true => self.walk(session),
                false => self.finish(session),
            },
            Ok(_) => {
                // Watched only now: bytes that came with the connection are read by then, and are
                // not announced again.
                if self.watch(&mut session).is_err() {
                    return self.finish(session);
                }
                self.arm(&mut session);
                self.sessions.put(session.key, session);
            }
            Err(_) => {
                self.turn.counters.failed_sessions.add(1);
                session.ending = None;
                session.end(b'I', b'-');
                self.finish(session);
            }
        }
    }

    fn step(&mut self, session: &mut Session) -> Step {
        match session.phase {
            Phase::Header => self.read_header(session),
            Phase::ClientTls => self.secure_client(session),
            Phase::Inspect => self.inspect(session),
            Phase::InspectBackend => self.inspect_backend(session),
            Phase::Choose => self.choose(session),
            Phase::Queued => self.wait_in_queue(session),
            Phase::Depart => self.depart(session),
            Phase::Connecting => self.connecting(session),
            Phase::Joining => self.joining(session),
            Phase::ServerTls => self.secure_server(session),
            Phase::Pausing => self.pausing(session),
            Phase::Forwarding => self.forward(session),
            Phase::Request => self.read_request(session),
            Phase::Judge => self.judge(session),
            Phase::JudgeBackend => self.judge_backend(session),
            Phase::Exchange => self.exchange(session),
            Phase::Mux => self.multiplex(session),
            Phase::Serving => self.serving(session),
            Phase::Lingering => self.linger(session),
        }
    }

    /// Sets the session's timer if it has to fire earlier than it would.
    fn arm(&mut self, session: &mut Session) {
        let mut deadline = session.deadline();
        if session.client_watch.is_none() {
            deadline = deadline.min(self.glance_at(session).unwrap_or(u64::MAX));
        }
        if deadline < session.armed {
            session.armed = deadline;
            self.wheel.set(session.key.index, deadline);
        }
    }

    /// Whether an event of a server's connection is still to be seen in this turn.
    pub(crate) fn has_event(&self, key: Key) -> bool {
        let token = Token::link(key);
        (self.event..self.events)
            .any(|index| self.poll.ready(index).is_some_and(|r| r.token == token))
    }

    /// Numbers sessions of the whole process.
    pub(crate) fn next_session_id(&self) -> u64 {
        self.process.session_ids.fetch_add(1, Relaxed)
    }
}
