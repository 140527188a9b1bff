//! Slots of servers (`maxconn`): given back when a session is done with its server, and on to who waits.

use crate::queue;
use crate::session::Session;
use crate::worker::Worker;

impl Worker {
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
}
