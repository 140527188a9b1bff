//! Sending a request once more: an idle connection that had died as it was used is nobody's
//! failure, and `retry-on` says what else may be tried again. It can be only while all that was
//! sent of it still stands in the buffer.

use isthmus_plan::http::RetryOn;

use crate::session::{Phase, Session};
use crate::transport::Transport;
use crate::worker::{Step, Worker};

impl Worker {
    /// Sends the request once more after an event; `None` where that is not to be.
    pub(super) fn try_again(&mut self, session: &mut Session, event: RetryOn) -> Option<Step> {
        let stream = session.http.as_deref()?;
        let empty = event == RetryOn::EmptyResponse {} && stream.response.buffer.len() == 0;
        if stream.answered || !stream.replayable || stream.no_retry {
            return None;
        }
        // A server that answers before the request is whole means what it says.
        if matches!(event, RetryOn::Status { .. }) && !stream.request.reading.is_done() {
            return None;
        }
        // What the server refused unseen is safe to send again, whatever it is (RFC 9113, 8.7).
        let refused = empty && session.server.as_ref().is_some_and(Transport::was_refused);
        let died = empty && stream.reused && stream.method.is_idempotent();
        if (died || refused) && !stream.renewed {
            session.stream().renewed = true;
            return self.send_again(session, Phase::Depart);
        }
        let backend = session.backend.clone()?;
        let plan = &backend.shared.plan;
        let asked = plan.http.as_ref()?.retry_on.contains(&event);
        if !asked || session.retries >= session.most_retries() {
            return None;
        }
        session.retries += 1;
        let chosen = session.chosen.clone()?;
        if session.may_redispatch() && backend.servers.len() > 1 {
            self.release_slot(session);
            session.notes().failed.set(Some(chosen.shared.at));
            session.chosen = None;
            // The time that was lost counts as waiting for a server.
            session.moments.unqueued = None;
            session.stream().persistence.give_up();
            session.redispatching = true;
            return self.send_again(session, Phase::Choose);
        }
        chosen.counters.retries.add(1);
        backend.counters.retries.add(1);
        self.send_again(session, Phase::Depart)
    }

    fn send_again(&mut self, session: &mut Session, phase: Phase) -> Option<Step> {
        let rules = session.frontend.shared.http.as_ref()?.rules;
        self.give_server_up(session);
        session.stream().rewind(&rules);
        session.timed_out = false;
        session.phase = phase;
        session.phase_began = self.turn.now;
        Some(Step::Again)
    }
}

impl Session {
    /// Whether a failed connect may be followed by another (`retry-on` without conn-failure says
    /// no).
    pub(crate) fn retries_connects(&self) -> bool {
        let backend = self.backend.as_ref();
        let http = backend.and_then(|b| b.shared.plan.http.as_ref());
        http.is_none_or(|http| http.retry_on.contains(&RetryOn::ConnFailure {}))
    }
}
