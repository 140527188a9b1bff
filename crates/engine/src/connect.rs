//! Connecting to the chosen server, once: `destination` says where to, `dial` how, `retry` what follows
//! a failure.

use std::rc::Rc;

use isthmus_sockets::{Moved, pending_error};

use crate::dial::Refusal;
use crate::generation::Server;
use crate::local::LocalServer;
use crate::session::{Phase, Session};
use crate::view::View;
use crate::worker::{Step, Worker};

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
        match self.dial(session, &chosen.shared) {
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
}

impl LocalServer {
    /// Counts a request that goes over a connection that is there.
    fn count_reuse(&self, now: u64) {
        self.counters.reuses.add(1);
        self.count_session(now);
    }

    fn count_attempt(&self, now: u64) {
        self.counters.connects.add(1);
        self.count_session(now);
    }

    /// Each attempt and each reuse is a session of the server's, as HAProxy has it.
    fn count_session(&self, now: u64) {
        self.counters.note_session(now);
        let live = &self.shared.live;
        live.count_session(&self.counters, now);
        let current = self.shared.state.balanced.current();
        live.common.highest.see(u64::from(current));
    }
}

impl Session {
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
