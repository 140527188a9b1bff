//! Lingering: the proxy has said its last word while the client may still be sending. A close over
//! unread bytes would reset the connection, and the reset could destroy the answer before the
//! client has read it (RFC 9112, 9.6). So the proxy's side is shut, and what still comes is thrown
//! away, up to a bound in time and bytes.

use std::sync::Arc;

use isthmus_sockets::Moved;

use crate::session::{Phase, Session};
use crate::slab::Key;
use crate::worker::{Step, Worker};

/// For so long, in milliseconds.
pub(crate) const LONGEST: u64 = 5_000;
/// For so many bytes.
const MOST: u64 = 16 * 1024 * 1024;

impl Worker {
    /// The last exchange of a session is over and logged: it ends, at once where that cannot hurt.
    pub(super) fn end_connection(&mut self, session: &mut Session) -> Step {
        if session.client.is_stream() {
            session.client.shutdown_write();
            return Step::Close;
        }
        if !session.may_still_hear() {
            return Step::Close;
        }
        session.client.shutdown_write();
        let bufsize = session.frontend.generation.global.bufsize;
        // It is counted and logged; nothing of it may be so again.
        session.exchanges = session.exchanges.saturating_add(1);
        session.forget_exchange(self.turn.now);
        if let Some(mut stream) = session.http.take() {
            stream.next(false, bufsize);
            self.streams.put(stream);
        }
        session.phase = Phase::Lingering;
        // Whether bytes are there is not known: the edge may have been seen long ago.
        session.up.readable = true;
        Step::Again
    }

    /// Closes connections that wait for another request: what they were accepted under is over.
    /// With `option idle-close-on-response` they are let be until their next response.
    pub(crate) fn end_idle_clients(&mut self) {
        let idle: Vec<Key> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.is_idle() && self.is_outdated(session))
            .filter(|(_, session)| !session.closes_on_response())
            .map(|(key, _)| key)
            .collect();
        for key in idle {
            if let Some(session) = self.sessions.take(key) {
                self.finish(session);
            }
        }
        let sessions = self.sessions.iter();
        let many: Vec<Key> = sessions
            .filter(|(_, session)| session.phase == Phase::Mux)
            .map(|(key, _)| key)
            .collect();
        for key in many {
            self.walk_key(key, |_| {});
        }
    }

    /// Whether a session ends behind the exchange that is under way: the process stops, or another
    /// plan has come into force.
    pub(crate) fn is_outdated(&self, session: &Session) -> bool {
        let own = &session.frontend.generation;
        self.stopping
            || !self
                .generation
                .as_ref()
                .is_some_and(|now| Arc::ptr_eq(now, own))
    }

    /// Throws away what the client sends, until it finishes.
    pub(crate) fn linger(&mut self, session: &mut Session) -> Step {
        if session.timed_out || session.client_failed || session.up.ended {
            return Step::Close;
        }
        while session.up.readable {
            match session.client.receive(&mut self.scratch) {
                Moved::Bytes(count) => session.up.bytes += count as u64,
                Moved::Later => session.up.readable = false,
                Moved::End | Moved::Broken(_) => return Step::Close,
            }
            if session.up.bytes > MOST {
                return Step::Close;
            }
        }
        Step::Wait
    }
}

impl Session {
    /// Whether it waits for another request, of which nothing has come.
    fn is_idle(&self) -> bool {
        self.phase == Phase::Request && self.http.is_none() && self.exchanges > 0
    }

    /// Whether the client may be sending while its answer is on the way.
    fn may_still_hear(&self) -> bool {
        if self.up.ended || self.client_failed {
            return false;
        }
        let Some(stream) = self.http.as_deref() else {
            return false;
        };
        let request = &stream.request;
        !request.whole || !request.reading.is_done() || self.up.readable
    }
}
