//! An exchange at work: the request's body up, the response down, until both are over.

use isthmus_plan::http::{RetryOn, TimeoutKind};

use super::stream::Answerer;
use crate::flow::Pumped;
use crate::session::Session;
use crate::worker::{Step, Worker};

impl Worker {
    /// Moves what can be moved, both ways.
    pub(crate) fn exchange(&mut self, session: &mut Session) -> Step {
        if std::mem::take(&mut session.timed_out) && !session.is_held() {
            if let Some(step) = self.exchange_is_late(session) {
                return step;
            }
        }
        let up = match session.answers_itself() {
            true => Pumped::Idle,
            false => match self.pump_request(session) {
                Ok(pumped) => pumped,
                Err(step) => return step,
            },
        };
        if up == Pumped::SourceBroken {
            return self.client_is_gone(session);
        }
        let down = match self.pump_response(session) {
            Ok(pumped) => pumped,
            Err(step) => return step,
        };
        match down {
            Pumped::DestinationBroken => return self.client_is_gone(session),
            Pumped::SourceBroken => return self.response_is_cut(session),
            Pumped::Idle | Pumped::More => {}
        }
        if session.response_is_over() {
            return self.end_exchange(session);
        }
        if session.client_failed {
            return self.client_is_gone(session);
        }
        if session.is_aborted() && session.awaits_answer_alone() {
            session.end(b'C', b'H');
            session.stream().close = true;
            session.stream().spent = true;
            return self.answer_status(session, 400);
        }
        if up == Pumped::More || down == Pumped::More {
            self.busy.push(session.key);
        }
        Step::Wait
    }

    /// The client's connection is broken, or ended before the request was whole.
    fn client_is_gone(&mut self, session: &mut Session) -> Step {
        let phase = match session.http.as_deref() {
            Some(stream) if !stream.answered && stream.request.reading.is_done() => b'H',
            _ => b'D',
        };
        session.end(b'C', phase);
        Step::Close
    }

    /// The server's connection ended before the response did.
    fn response_is_cut(&mut self, session: &mut Session) -> Step {
        session.end(b'S', b'D');
        self.count_failed_response(session);
        Step::Close
    }

    /// A timeout struck; `None` if it was none of the exchange's.
    fn exchange_is_late(&mut self, session: &mut Session) -> Option<Step> {
        let now = self.turn.now;
        let answered = session.http.as_deref().is_some_and(|s| s.answered);
        if session.exchange_server_deadline() <= now {
            if answered {
                session.end(b's', b'D');
                return Some(Step::Close);
            }
            if let Some(step) = self.try_again(session, RetryOn::ResponseTimeout {}) {
                return Some(step);
            }
            session.end(b's', b'H');
            self.count_failed_response(session);
            session.stream().spent = true;
            return Some(self.answer_status(session, 504));
        }
        if session.exchange_client_deadline() <= now {
            session.end(b'c', b'D');
            if answered {
                return Some(Step::Close);
            }
            session.stream().close = true;
            session.stream().spent = true;
            return Some(self.answer_status(session, 408));
        }
        None
    }
}

impl Session {
    /// Whether the proxy itself answers.
    pub(super) fn answers_itself(&self) -> bool {
        self.http
            .as_deref()
            .is_some_and(|stream| stream.answerer == Answerer::Proxy)
    }

    /// Whether the server has the whole request and has said nothing, and the client sent nothing
    /// behind it.
    fn awaits_answer_alone(&self) -> bool {
        self.http.as_deref().is_some_and(|stream| {
            let asks = stream.answerer == Answerer::Server && stream.request.reading.is_done();
            asks && !stream.answered && !stream.has_more()
        }) && !self.client.holds_bytes()
    }

    /// Whether all of the response is on its way to the client, and all of the request on its way
    /// to the server, or never will be.
    pub(super) fn response_is_over(&self) -> bool {
        let Some(stream) = self.http.as_deref() else {
            return false;
        };
        let sent = stream.answerer != Answerer::Server
            || stream.request.reading.is_done()
            || stream.close
            || self.down.ended
            || self.down.closing
            || stream.spent;
        let over = stream.answered && stream.response.reading.is_done();
        over && self.down.is_flushed() && (sent || stream.is_tunnel())
    }

    /// A timeout as a rule or else the configuration has it.
    pub(crate) fn timeout(&self, which: TimeoutKind, usual: Option<u64>) -> Option<u64> {
        let stream = self.http.as_deref();
        stream
            .and_then(|stream| stream.timeouts.get(which))
            .or(usual)
    }

    /// When the client has been silent, or has taken nothing, for too long.
    pub(crate) fn exchange_client_deadline(&self) -> u64 {
        let Some(stream) = self.http.as_deref() else {
            return u64::MAX;
        };
        let held = stream.limits.as_ref().is_some_and(|l| l.up.waits.is_some());
        let sends = !stream.request.reading.is_done() && self.up.is_flushed() && !held;
        if !(sends && stream.answerer == Answerer::Server) && self.down.is_flushed() {
            return u64::MAX;
        }
        let limit = self.timeout(
            TimeoutKind::Client,
            self.frontend.shared.plan.timeout_client,
        );
        limit.map_or(u64::MAX, |limit| self.client_active.saturating_add(limit))
    }

    /// When the server has been silent, or has taken nothing, for too long.
    pub(crate) fn exchange_server_deadline(&self) -> u64 {
        let Some(stream) = self.http.as_deref() else {
            return u64::MAX;
        };
        if stream.answerer == Answerer::Proxy {
            return u64::MAX;
        }
        let over = stream.answered && stream.response.reading.is_done();
        let held = stream
            .limits
            .as_ref()
            .is_some_and(|l| l.down.waits.is_some());
        // While the client still sends, its server need say nothing, unless it is to all the time.
        let owes = stream.request.reading.is_done() || self.server_is_independent();
        let awaited = owes && self.down.is_flushed() && !over && !held;
        if !awaited && self.up.is_flushed() {
            return u64::MAX;
        }
        let usual = self
            .backend
            .as_ref()
            .and_then(|b| b.shared.plan.timeout_server);
        let limit = self.timeout(TimeoutKind::Server, usual);
        limit.map_or(u64::MAX, |limit| self.server_active.saturating_add(limit))
    }
}
