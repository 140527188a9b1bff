//! Connections that begin in TCP mode and become HTTP (manual, section 4): where a rule says
//! `switch-mode http`, or since the backend that was chosen is in HTTP mode.

use crate::session::{Phase, Session};
use crate::worker::{Step, Worker};

impl Worker {
    /// Lets a connection go on as HTTP with what was received so far; `h2` says as which version,
    /// and `None` leaves that to the client.
    pub(crate) fn switch(&mut self, session: &mut Session, h2: Option<bool>) -> Step {
        session.switched = true;
        session.timed_out = false;
        session.next_rule = 0;
        session.phase = Phase::Request;
        session.phase_began = self.turn.now;
        match h2 {
            Some(true) => {
                let received = std::mem::take(&mut session.up.pending);
                return self.begin_h2(session, received.as_slice());
            }
            Some(false) => session.notes().h1_only.set(true),
            None => {}
        }
        self.begin_request(session);
        Step::Again
    }
}

impl Session {
    /// Whether it has exchanges: its frontend is in HTTP mode, or it has become HTTP.
    pub(crate) fn speaks_http(&self) -> bool {
        let frontend = &self.frontend.shared;
        frontend.http.is_some() && (self.switched || !frontend.plan.switches)
    }

    /// Whether content rules looked at its first request before it was one. Streams of HTTP/2 are
    /// looked at anew.
    pub(crate) fn was_inspected(&self) -> bool {
        self.switched && self.exchanges == 0 && !self.client.is_stream()
    }

    /// The backend that was chosen before there was a request, for the first one.
    pub(crate) fn take_chosen_backend(&self) -> Option<usize> {
        self.notes.get()?.chosen_backend.take()
    }

    /// Whether HTTP/2 may follow where HTTP/1 was expected: neither `option disable-h2-upgrade`,
    /// which does not concern what began in TCP mode, nor `switch-mode http proto h1`.
    pub(crate) fn may_become_h2(&self) -> bool {
        let refused = match self.switched {
            true => self.notes.get().is_some_and(|notes| notes.h1_only.get()),
            false => {
                let http = self.frontend.shared.plan.http.as_ref();
                http.is_some_and(|http| http.no_h2_upgrade)
            }
        };
        !refused
    }
}
