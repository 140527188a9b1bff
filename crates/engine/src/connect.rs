//! Connecting to the chosen server, once: `destination` says where to, `retry` what follows a failure.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use isthmus_plan::{Address, ClientSource, ServerAddress, ServerPort};
use isthmus_sample::Sample;
use isthmus_sockets::{ConnectOptions, Connecting, Moved, connect, pending_error};

use crate::destination::{leads_back, target};
use crate::generation::Server;
use crate::local::LocalServer;
use crate::logging;
use crate::marking::Marking;
use crate::queue;
use crate::session::{Phase, Session};
use crate::view::View;
use crate::worker::{Step, Worker};

/// Why a connection could not even be begun.
enum Refusal {
    /// The attempt failed; another may succeed.
    Failed,
    /// No source port is free.
    NoPort,
    /// It would connect the proxy to itself; no retry helps.
    Loop(SocketAddr),
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind::{AddrInUse, AddrNotAvailable};
        match error.kind() {
            AddrInUse | AddrNotAvailable => Self::NoPort,
            _ => Self::Failed,
        }
    }
}

impl Worker {
    /// Begins to connect to the chosen server, whose slot is held.
    pub(crate) fn depart(&mut self, session: &mut Session) -> Step {
        let now = self.turn.now;
        session.phase_began = now;
        session.timed_out = false;
        let Some(chosen) = session.chosen.clone() else {
            return Step::Close;
        };
        if session.came_back(chosen.shared.at) {
            session.phase = Phase::Pausing;
            return Step::Wait;
        }
        session.moments.unqueued.get_or_insert(now);
        self.name_server(session, &chosen.shared);
        let http = session.http.is_some();
        if http {
            if let Some(step) = self.needs_none(session, &chosen) {
                return step;
            }
        }
        if !http {
            self.read_ahead(session);
        }
        if session.client_gone() {
            return Step::Close;
        }
        chosen.count_attempt(now);
        if let Some(backend) = &session.backend {
            backend.counters.connects.add(1);
            backend.counters.note_session(now);
        }
        if std::mem::take(&mut session.redispatching) {
            session.count_redispatch();
        }
        session.phase = Phase::Connecting;
        match self.start(session, &chosen.shared) {
            Ok(connecting) => {
                session.server = Some(self.counted(connecting.socket));
                if http {
                    self.make_link(session, &chosen);
                }
                match connecting.done {
                    true => self.established(session),
                    false => self.speak_at_once(session, &chosen.shared),
                }
            }
            Err(Refusal::Failed) => self.failed_connect(session),
            Err(Refusal::NoPort) => {
                self.tell_no_port(session);
                self.failed_connect(session)
            }
            Err(Refusal::Loop(address)) => {
                self.tell_loop(session, &chosen, address);
                session.end(b'S', b'C');
                Step::Close
            }
        }
    }

    /// What comes of a request that needs no new connection: it is answered otherwise, or another
    /// connection takes it, at once or when that stands.
    fn needs_none(&mut self, session: &mut Session, chosen: &Rc<LocalServer>) -> Option<Step> {
        if let Some(step) = self.send_away(session, chosen) {
            return Some(step);
        }
        if self.take_idle(session, chosen) {
            chosen.count_reuse(self.turn.now);
            return Some(self.reused(session));
        }
        self.join(session, chosen).then_some(Step::Wait)
    }

    /// Sends what the client has sent already, without waiting to be told that the connection
    /// stands: on one machine it does when connect(2) returns.
    fn speak_at_once(&mut self, session: &mut Session, server: &Server) -> Step {
        let plain = server.header.is_none() && server.connector.is_none();
        let Some(socket) = session.server.as_mut().filter(|_| plain) else {
            return Step::Wait;
        };
        if session.up.pending.is_empty() {
            return Step::Wait;
        }
        match socket.send(session.up.pending.as_slice()) {
            Moved::Bytes(count) => {
                session.up.written = true;
                session.up.pending.consume(count);
                self.established(session)
            }
            // The server refused meanwhile. Nobody else is told: a socket's error is told once.
            Moved::Broken(_) => self.failed_connect(session),
            Moved::Later | Moved::End => Step::Wait,
        }
    }

    fn tell_loop(&self, session: &Session, chosen: &LocalServer, address: SocketAddr) {
        let text = format!(
            "{}: server {}/{} at {address} is the proxy itself: connection refused",
            session.frontend.shared.plan.name,
            session.backend.as_ref().map_or("", |b| &b.shared.plan.name),
            chosen.shared.plan.name,
        );
        let logger = &session.frontend.shared.logger;
        logger.write(logging::WARNING, text.as_bytes(), b"", &self.turn);
    }

    fn tell_no_port(&self, session: &Session) {
        let Some(backend) = &session.backend else {
            return;
        };
        let text = format!(
            "Connect() failed for backend {}: no free ports.",
            backend.shared.plan.name
        );
        let logger = &session.frontend.shared.logger;
        logger.write(logging::ERROR, text.as_bytes(), b"", &self.turn);
    }

    fn start(&self, session: &Session, server: &Server) -> Result<Connecting, Refusal> {
        let namespace = session.server_namespace();
        let factory = match &namespace {
            None => None,
            Some(namespace) => Some(namespace.factory().ok_or(Refusal::Failed)?),
        };
        match &server.plan.address {
            ServerAddress::Inet { ip, port } => {
                let target = target(session, *ip, *port).ok_or(Refusal::Failed)?;
                let speaks = server.header.is_some()
                    || server.connector.is_some()
                    || !session.up.pending.is_empty();
                let dynamic = ip.is_none() || matches!(port, ServerPort::Client { .. });
                if dynamic {
                    session.notes().server_address.set(Some(target));
                    if leads_back(session, namespace.as_ref(), target) {
                        return Err(Refusal::Loop(target));
                    }
                }
                let marking = session.marking();
                if server.source_depends_on_client() || marking != Marking::default() {
                    let mut options = match server.source_depends_on_client() {
                        true => self.client_source(session, server, target),
                        false => server.options.clone(),
                    };
                    options.mark = marking.mark;
                    options.tos = marking.tos;
                    return Ok(connect(target, &options, factory.as_deref(), speaks)?);
                }
                Ok(connect(
                    target,
                    &server.options,
                    factory.as_deref(),
                    speaks,
                )?)
            }
            ServerAddress::Local {
                address: Address::Unix { path },
            } => Ok(Connecting::unix(path)?),
            ServerAddress::Local {
                address:
                    Address::Abstract {
                        name,
                        zero_terminated,
                    },
            } => {
                let (name, ends) = (name.clone(), *zero_terminated);
                let open = move || Connecting::abstract_name(&name, ends);
                Ok(match factory {
                    None => open()?,
                    Some(factory) => factory.run(open)??,
                })
            }
            ServerAddress::Local {
                address: Address::Sockpair { fd },
            } => Ok(Connecting::over_pair(*fd)?),
            _ => Err(Refusal::Failed),
        }
    }

    /// Connect options whose source address is the client's, or comes from an expression.
    pub(crate) fn client_source(
        &self,
        session: &Session,
        server: &Server,
        target: SocketAddr,
    ) -> ConnectOptions {
        let mut options = server.options.clone();
        let client = session.source();
        let usesrc = server.source().and_then(|source| source.usesrc.as_ref());
        options.source.foreign = true;
        options.source.local = match usesrc {
            Some(ClientSource::Client) => client,
            Some(ClientSource::ClientIp) => client.map(|c| SocketAddr::new(c.ip(), 0)),
            Some(ClientSource::Expression { .. }) => {
                let view = View::new(session, &self.turn);
                let ip = server.usesrc.as_ref().and_then(|e| match e.value(&view) {
                    Some(Sample::Ipv4(ip)) => Some(IpAddr::V4(ip)),
                    Some(Sample::Ipv6(ip)) => Some(IpAddr::V6(ip)),
                    _ => None,
                });
                ip.map(|ip| SocketAddr::new(ip, 0))
            }
            _ => options.source.local,
        };
        if options
            .source
            .local
            .is_some_and(|local| local.is_ipv4() != target.is_ipv4())
        {
            options.source.local = None;
        }
        options
    }

    /// Reads what the client has sent already: the server gets it as soon as the connection
    /// stands, and the log counts it even if it never does.
    fn read_ahead(&mut self, session: &mut Session) {
        if !session.up.readable || session.up.ended || !session.up.pending.is_empty() {
            return;
        }
        let bufsize = session.frontend.generation.global.bufsize;
        let Some(space) = self.scratch.get_mut(..bufsize) else {
            return;
        };
        match session.client.receive(space) {
            Moved::Bytes(count) => {
                session.client_active = self.turn.now;
                session.up.bytes += count as u64;
                // The poller tells of an end once: one that it told of is still to be read.
                session.up.readable = count == bufsize
                    || session.up.closing
                    || session.up.urgent
                    || session.client.holds_end();
                session
                    .up
                    .pending
                    .push(space.get(..count).unwrap_or_default());
            }
            Moved::Later => session.up.readable = false,
            Moved::End => {
                session.up.readable = false;
                session.up.ended = true;
            }
            Moved::Broken(_) => session.client_failed = true,
        }
    }

    /// Events while connect(2) is under way.
    pub(crate) fn connecting(&mut self, session: &mut Session) -> Step {
        if session.client_gone() {
            return Step::Close;
        }
        if session.timed_out {
            return self.failed_connect(session);
        }
        if !(session.up.writable || session.down.closing || session.server_failed) {
            return Step::Wait;
        }
        // Room to write and no failure is success; only a failure has to be asked for.
        let failed = session.server_failed
            && session
                .server
                .as_ref()
                .is_none_or(|server| pending_error(server).is_err());
        if failed {
            self.failed_connect(session)
        } else {
            self.established(session)
        }
    }

    /// The server connection stands.
    fn established(&mut self, session: &mut Session) -> Step {
        let now = self.turn.now;
        session.server_active = now;
        session.up.writable = true;
        let Some(chosen) = session.chosen.clone() else {
            return Step::Close;
        };
        let mut header = Vec::new();
        if let Some(maker) = &chosen.shared.header {
            header.reserve(128);
            maker.write(&View::new(session, &self.turn), &mut header);
        }
        if chosen.shared.connector.is_some() {
            return match session.secure_to_server(&header) {
                true => Step::Again,
                false => self.failed_connect(session),
            };
        }
        if !header.is_empty() {
            session.up.pending.push_front(&header);
        }
        self.connected(session)
    }

    /// The server connection stands, and TLS over it if the server is spoken to so.
    pub(crate) fn connected(&mut self, session: &mut Session) -> Step {
        let now = self.turn.now;
        session.moments.connected = Some(now);
        session.server_active = now;
        session.client_active = now;
        session.phase = Phase::Forwarding;
        session.phase_began = now;
        if session.http.is_some() {
            if !session.speaks_h2_to_server() {
                self.speaks_h1_after_all(session);
            } else if !self.share_link(session) {
                return self.failed_connect(session);
            }
            return self.send_request(session);
        }
        session.remember_server(&self.turn);
        self.log_at(session, isthmus_plan::LogWhen::Connect);
        Step::Again
    }

    /// An idle connection serves this request too.
    fn reused(&mut self, session: &mut Session) -> Step {
        let now = self.turn.now;
        session.moments.connected = Some(now);
        session.server_active = now;
        session.client_active = now;
        session.phase_began = now;
        if let Some(backend) = &session.backend {
            backend.counters.reuses.add(1);
            backend.counters.note_session(now);
        }
        if let Some(stream) = &mut session.http {
            stream.reused = true;
        }
        self.send_request(session)
    }

    /// Gives the slot of the chosen server back, and on to whoever waits for it.
    pub(crate) fn release_slot(&mut self, session: &mut Session) {
        if session.give_slot_back() {
            self.pass_slot_on(session);
        }
    }

    /// Offers the slot that a session gave back to whoever waits for it.
    pub(crate) fn pass_slot_on(&self, session: &Session) {
        let (Some(backend), Some(chosen)) = (&session.backend, &session.chosen) else {
            return;
        };
        if self.return_to_heir(&backend.shared, &chosen.shared) {
            return;
        }
        if !backend.shared.line.is_empty() {
            let (backend, server) = (&backend.shared, &chosen.shared);
            queue::offer_server(backend, server, &self.mailboxes, self.turn.now);
        }
    }
}

impl LocalServer {
    /// Counts a request that goes over a connection that is there: a session of the server's too.
    fn count_reuse(&self, now: u64) {
        let counters = &self.counters;
        counters.reuses.add(1);
        counters.note_session(now);
        let live = &self.shared.live;
        live.count_session(counters, now);
        let current = self.shared.state.balanced.current();
        live.common.highest.see(u64::from(current));
    }

    /// Counts an attempt to connect: each one is a session of the server's, as HAProxy has it.
    fn count_attempt(&self, now: u64) {
        let counters = &self.counters;
        counters.connects.add(1);
        counters.note_session(now);
        let live = &self.shared.live;
        live.count_session(counters, now);
        let current = self.shared.state.balanced.current();
        live.common.highest.see(u64::from(current));
    }
}

impl Session {
    /// Gives the slot of the chosen server back; true if one was held.
    pub(crate) fn give_slot_back(&mut self) -> bool {
        let (Some(backend), Some(chosen)) = (&self.backend, &self.chosen) else {
            return false;
        };
        let held = std::mem::take(&mut self.holds_slot);
        if held {
            backend.shared.balancer.disconnected(chosen.shared.at);
        }
        held
    }

    /// Keeps the address of this end of the server's connection for the log.
    pub(crate) fn remember_source(&self) {
        if !self.frontend.shared.logger.tells_source {
            return;
        }
        let server = self.server.as_ref();
        if let Some(address) = server.and_then(|server| isthmus_sockets::local_name(server).inet())
        {
            self.notes().server_source.set(Some(address));
        }
    }

    /// Closes the server's end of a failed attempt.
    pub(crate) fn forget_server(&mut self) {
        self.remember_source();
        self.server = None;
        self.server_watch = None;
        self.up.written = false;
        self.up.nodelay = false;
        self.server_failed = false;
        self.up.writable = false;
        self.up.sealed = false;
        self.down.readable = false;
        self.down.closing = false;
        self.down.ended = false;
    }
}
