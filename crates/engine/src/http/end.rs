//! The end of an exchange, and what becomes of its session.

use isthmus_plan::LogWhen;

use super::stream::Answerer;
use crate::session::{Notes, Phase, Session};
use crate::transport::Transport;
use crate::worker::{Step, Worker};

impl Worker {
    /// The response is on its way to the client.
    pub(super) fn end_exchange(&mut self, session: &mut Session) -> Step {
        let Some(stream) = session.http.as_deref() else {
            return Step::Close;
        };
        if stream.answerer == Answerer::Server && stream.is_tunnel() {
            return self.open_tunnel(session);
        }
        let whole = stream.request.reading.is_done() && session.up.is_flushed();
        let over = stream.close || !whole || session.client.is_stream();
        let keep = !stream.spent && whole && !session.down.ended && !session.down.closing;
        let keep = keep && session.down.is_flushed() && stream.response.waiting_len() == 0;
        let keep = keep && !session.server.as_ref().is_some_and(Transport::holds_plain);
        self.leave_link(session, keep);
        session.server = None;
        self.close_stream(session);
        if over {
            return self.end_connection(session);
        }
        self.next_exchange(session);
        Step::Again
    }

    /// Another answer takes the place of the server's. Its connection is kept if the whole of its
    /// response is here already; what is still to come would cost more than a new connection.
    pub(super) fn leave_replaced(&mut self, session: &mut Session) {
        let rules = session.backend.as_deref().and_then(|backend| {
            let side = backend.shared.http.as_ref();
            side.map(|side| side.rules)
        });
        let flushed = session.up.is_flushed() && !session.down.ended && !session.down.closing;
        let whole = match (session.http.as_deref_mut(), rules) {
            (Some(stream), Some(rules)) if flushed => stream.skips_response(&rules),
            _ => false,
        };
        self.leave_link(session, whole);
        session.forget_server();
    }

    /// From here on bytes are forwarded as in TCP mode.
    fn open_tunnel(&mut self, session: &mut Session) -> Step {
        let Some(stream) = session.http.as_deref_mut() else {
            return Step::Close;
        };
        let (request, response) = (&stream.request, &stream.response);
        session.up.pending.push(request.waiting());
        session.down.bytes += response.waiting_len() as u64;
        session.down.pending.push(response.waiting());
        stream.request.taken = stream.request.buffer.len();
        stream.response.taken = stream.response.buffer.len();
        session.client_active = self.turn.now;
        session.server_active = self.turn.now;
        session.phase = Phase::Forwarding;
        session.phase_began = self.turn.now;
        Step::Again
    }

    /// Gives back what the exchange held, counts it and logs it.
    pub(crate) fn close_stream(&mut self, session: &mut Session) {
        if let Some(stream) = session.http.as_deref_mut() {
            stream.counted = true;
        }
        let held_slot = session.give_slot_back();
        if let Some(backend) = &session.backend {
            backend.shared.live.common.current.leave();
        }
        self.count(session);
        self.count_status(session);
        if session.counted {
            self.log_at(session, LogWhen::End);
        }
        if held_slot {
            self.pass_slot_on(session);
        }
    }

    fn count_status(&self, session: &Session) {
        let Some(stream) = session.http.as_deref().filter(|s| s.status > 0) else {
            return;
        };
        session.frontend.counters.count_response(stream.status);
        session.listener.counters.count_response(stream.status);
        if let Some(backend) = &session.backend {
            backend.counters.count_response(stream.status);
        }
    }

    /// Makes the session ready for the next request.
    fn next_exchange(&mut self, session: &mut Session) {
        let bufsize = session.frontend.generation.global.bufsize;
        session.exchanges = session.exchanges.saturating_add(1);
        session.forget_exchange(self.turn.now);
        session.past_server_tls = None;
        if let Some(mut stream) = session.http.take() {
            let ahead = stream.has_more();
            stream.next(ahead, bufsize);
            stream.moments.idle_since = self.turn.now;
            if ahead {
                session.http = Some(stream);
            } else {
                self.streams.put(stream);
            }
        }
    }

    /// The end of a session in HTTP mode. An exchange that is under way ends with it.
    pub(crate) fn finish_http(&mut self, mut session: Box<Session>) {
        if session.armed != u64::MAX {
            self.wheel.clear(session.key.index);
        }
        if session.phase == Phase::Queued {
            self.leave_line(&session);
        }
        let under_way = session.phase != Phase::Request || session.ending.is_some();
        let logged = session.http.is_some() && under_way && !session.is_between();
        self.leave_link(&mut session, false);
        self.close_own(&session);
        if logged {
            self.close_stream(&mut session);
        } else if session.exchanges == 0 && session.http.is_none() && session.counted {
            self.log_silence(&mut session);
        }
        if let Some(mut stream) = session.http.take() {
            let bufsize = session.frontend.generation.global.bufsize;
            stream.next(false, bufsize);
            self.streams.put(stream);
        }
        self.recover_pipe(&mut session.up);
        self.recover_pipe(&mut session.down);
        if session.frontend.shared.plan.options.nolinger {
            session.client.abort_on_close();
        } else {
            self.drain_client(&mut session);
        }
        self.say_goodbye(&mut session);
        self.discard(session);
    }

    /// A client that came and said nothing, or nothing that could be an exchange.
    fn log_silence(&mut self, session: &mut Session) {
        if session.ending.is_some() {
            if session.mux.is_some() {
                // Its line has an exchange's places, with nothing in them.
                let mut stream = self.streams.take();
                stream.moments.idle_since = session.moments.handshaken;
                session.http = Some(stream);
            }
            self.log_at(session, LogWhen::End);
        }
    }
}

impl Worker {
    /// Ends a session by an operator's will, or for its server's state. In HTTP mode a client whose
    /// server thinks is told.
    pub(crate) fn end_session(&mut self, mut session: Box<Session>, cause: u8) {
        let exchanges = session.phase == Phase::Exchange && !self.stopping;
        let stream = session.http.as_deref().filter(|_| exchanges);
        let (answered, asked) = stream.map_or((false, false), |stream| {
            (stream.answered, stream.request.reading.is_done())
        });
        let phase = match (answered, asked) {
            (true, _) => b'D',
            (false, true) => b'H',
            (false, false) => b'-',
        };
        session.end(cause, phase);
        if phase != b'H' {
            return self.finish(session);
        }
        session.stream().close = true;
        session.stream().spent = true;
        match self.answer_status(&mut session, 502) {
            Step::Again => self.walk(session),
            _ => self.finish(session),
        }
    }
}

impl Session {
    /// Forgets what belonged to the exchange that is over.
    pub(super) fn forget_exchange(&mut self, now: u64) {
        self.untrack_stream(now);
        self.phase = Phase::Request;
        self.phase_began = now;
        self.backend = None;
        self.chosen = None;
        self.holds_slot = false;
        self.up.bytes = 0;
        self.down.bytes = 0;
        self.up.written = false;
        self.up.nodelay = false;
        self.up.writable = false;
        self.up.sealed = false;
        self.down.readable = false;
        self.down.closing = false;
        self.down.ended = false;
        self.moments.asked = None;
        self.moments.unqueued = None;
        self.moments.connected = None;
        self.retries = 0;
        self.redispatched = false;
        self.redispatching = false;
        self.pauses = false;
        self.ending = None;
        self.timed_out = false;
        self.dying = false;
        self.server_failed = false;
        self.next_rule = 0;
        self.log_level = None;
        if let Some(notes) = self.notes.get_mut() {
            notes.next_exchange();
        }
    }

    /// Whether the exchange has been counted already, and no other has begun.
    fn is_between(&self) -> bool {
        self.http.as_deref().is_none_or(|stream| stream.counted)
    }
}

impl Notes {
    /// Forgets what belonged to an exchange: captures, variables but those of the session, the
    /// unique id.
    fn next_exchange(&mut self) {
        self.unique_id.take();
        self.captures.get_mut().clear();
        self.response_captures.get_mut().clear();
        for scope in self.variables.get_mut().iter_mut().skip(1) {
            *scope = isthmus_sample::Variables::default();
        }
        self.settle_charge();
        self.failed.set(None);
        self.server_address.set(None);
        self.server_name.replace(None);
        self.server_source.set(None);
        self.marking.take();
        self.retries.take();
        self.server_queue.set(0);
        self.backend_queue.set(0);
        self.source.set(None);
        self.destination.set(None);
        self.ticket.set(None);
        self.to_store.take();
    }
}
