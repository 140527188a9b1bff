//! Rules at work: each line's condition, then what it does.

use std::sync::Arc;

use isthmus_sample::Verdict;
use isthmus_table::Event;

use super::compile::{HttpAction, HttpRule};
use super::edit::Edit;
use super::stream::{Stage, Stream};
use crate::asking::{Asked, Resolve};
use crate::local::LocalBackend;
use crate::rules::Action;
use crate::session::{Phase, Session};
use crate::view::View;
use crate::worker::{Step, Worker};

/// What a rule set says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    /// It was walked through.
    Pass,
    /// Something is waited for.
    Wait,
    /// An answer of the proxy's stands in place of the server's.
    Answered,
    /// The connection is to be closed without an answer.
    Close,
}

impl Worker {
    /// The frontend's rules, then the choice of a backend.
    pub(crate) fn judge(&mut self, session: &mut Session) -> Step {
        let frontend = session.frontend.clone();
        let stage = session.http.as_ref().map_or(Stage::Done, |s| s.stage);
        if session.holds_early() {
            match self.await_handshake(session) {
                Judged::Pass => {}
                other => return self.judged(session, other),
            }
        }
        if stage == Stage::Content {
            match self.buffers_request(session) {
                Judged::Pass => {}
                other => return self.judged(session, other),
            }
            // What was inspected before it became HTTP is not inspected again.
            let rules: &[_] = match session.was_inspected() {
                true => &[],
                false => &frontend.shared.content_rules,
            };
            match self.judge_content(session, rules) {
                Judged::Pass => {
                    session.set_stage(Stage::Http);
                    session.count_tracked(Event::Request, 1, self.turn.now);
                }
                other => return self.judged(session, other),
            }
            if self.answers_monitor(session) {
                return Step::Again;
            }
        }
        if let Some(side) = &frontend.shared.http {
            match self.judge_http(session, &side.request_rules) {
                Judged::Pass => {}
                other => return self.judged(session, other),
            }
            match self.restrict_names(session, side) {
                Judged::Pass => {}
                other => return self.judged(session, other),
            }
        }
        session.timed_out = false;
        let at = session
            .take_chosen_backend()
            .or_else(|| self.choose_backend(session));
        let Some(backend) = at.and_then(|at| frontend.backends.get(at)) else {
            session.end(b'S', b'C');
            // HAProxy logs no time for it.
            session.stream().moments.requested = None;
            return self.answer_status(session, 503);
        };
        session.enter_backend(backend, self.turn.now);
        if backend.shared.http.is_none() {
            // A connection that became HTTP does not become TCP again.
            session.end(b'I', b'R');
            return Step::Close;
        }
        session.set_stage(Stage::Content);
        session.phase = Phase::JudgeBackend;
        Step::Again
    }

    /// The backend's rules.
    pub(crate) fn judge_backend(&mut self, session: &mut Session) -> Step {
        let Some(backend) = session.backend.clone() else {
            return Step::Close;
        };
        // The rules of a `listen` were walked through on its client side.
        let done = session.frontend.shared.own_backend == Some(backend.shared.index);
        if !done {
            match self.judge_backend_rules(session, &backend) {
                Judged::Pass => {}
                other => return self.judged(session, other),
            }
        }
        match self.buffers_request(session) {
            Judged::Pass => {}
            other => return self.judged(session, other),
        }
        self.seek_persistence(session, &backend);
        session.timed_out = false;
        session.set_stage(Stage::Done);
        session.phase = Phase::Choose;
        session.phase_began = self.turn.now;
        Step::Again
    }

    fn judge_backend_rules(&mut self, session: &mut Session, backend: &LocalBackend) -> Judged {
        if session
            .http
            .as_ref()
            .is_some_and(|s| s.stage == Stage::Content)
        {
            match self.judge_content(session, &backend.shared.content_rules) {
                Judged::Pass => session.set_stage(Stage::Http),
                other => return other,
            }
        }
        match &backend.shared.http {
            Some(side) => match self.judge_http(session, &side.request_rules) {
                Judged::Pass => self.restrict_names(session, side),
                other => other,
            },
            None => Judged::Pass,
        }
    }

    /// What a stream that was given up before its response is answered with; false if nothing can
    /// be said, and the session ends.
    pub(crate) fn last_words(&mut self, session: &mut Session) -> bool {
        let unanswered = session
            .http
            .as_deref()
            .is_some_and(|stream| stream.request.whole && !stream.answered && !stream.counted);
        if !unanswered || session.phase == Phase::Exchange {
            return false;
        }
        let Some(ending) = session.ending else {
            return false;
        };
        let said = match (ending.cause, ending.phase) {
            (b'S' | b's', b'C' | b'Q') => 503,
            _ => return false,
        };
        if session.phase == Phase::Queued {
            self.leave_line(session);
        }
        self.answer_status(session, said) == Step::Again
    }

    fn judged(&mut self, session: &mut Session, judged: Judged) -> Step {
        match judged {
            Judged::Pass | Judged::Answered => Step::Again,
            Judged::Wait => Step::Wait,
            Judged::Close => {
                session.end(b'P', b'R');
                // An answer that says nothing is one all the same.
                if session.stream().status == 0 {
                    session.stream().moments.requested = None;
                }
                Step::Close
            }
        }
    }

    /// Content rules: in HTTP mode the head is there, and only answers are waited for.
    fn judge_content(&mut self, session: &mut Session, rules: &[crate::rules::Rule]) -> Judged {
        let generation = session.frontend.generation.clone();
        let first = std::mem::take(&mut session.next_rule);
        for (index, rule) in rules.iter().enumerate().skip(first) {
            let waited = index == first && session.asks_until().is_some();
            if let (Some(condition), false) = (&rule.condition, waited) {
                let view = View::new(session, &self.turn);
                if generation.program.eval(condition, &view) != Verdict::Pass {
                    continue;
                }
            }
            match self.act(session, &rule.action) {
                Judged::Pass if matches!(rule.action, Action::Accept | Action::SwitchMode(_)) => {
                    session.note_last_rule(&rule.origin);
                    break;
                }
                Judged::Pass => {}
                Judged::Wait => {
                    session.next_rule = index;
                    return Judged::Wait;
                }
                other => {
                    session.note_last_rule(&rule.origin);
                    return other;
                }
            }
        }
        Judged::Pass
    }

    /// HTTP rules of either direction. The next rule is kept in the session while one waits.
    pub(super) fn judge_http(&mut self, session: &mut Session, rules: &[HttpRule]) -> Judged {
        if rules.is_empty() {
            return Judged::Pass;
        }
        let generation = session.frontend.generation.clone();
        let first = std::mem::take(&mut session.next_rule);
        for (index, rule) in rules.iter().enumerate().skip(first) {
            // A rule that waited has been judged already.
            let waited = index == first && session.http.as_ref().is_some_and(|s| s.resume_at > 0);
            if let (Some(condition), false) = (&rule.condition, waited) {
                let view = View::new(session, &self.turn);
                if generation.program.eval(condition, &view) != Verdict::Pass {
                    continue;
                }
            }
            if !matches!(rule.action, HttpAction::Hint(..)) {
                session.send_hints();
            }
            match self.act_http(session, rule) {
                Judged::Pass if rule.ends() => {
                    session.note_last_rule(&rule.origin);
                    break;
                }
                Judged::Pass => {
                    if waited {
                        session.stream().waiting_rule = None;
                    }
                }
                Judged::Wait => {
                    session.next_rule = index;
                    session.stream().waiting_rule = Some(rule.origin.clone());
                    return Judged::Wait;
                }
                // A wait that failed is told as such (`waiting_entity`).
                other if waited && matches!(rule.action, HttpAction::AwaitBody(_)) => return other,
                other => {
                    session.note_last_rule(&rule.origin);
                    return other;
                }
            }
        }
        session.send_hints();
        Judged::Pass
    }

    fn act(&mut self, session: &mut Session, action: &Action) -> Judged {
        match action {
            Action::Reject => {
                self.count_denied(session);
                return Judged::Close;
            }
            Action::SilentDrop(ttl) => {
                session.drop_silently(*ttl);
                self.count_denied(session);
                return Judged::Close;
            }
            Action::Resolve(rule) => return self.judge_resolve(session, rule),
            action => session.apply(action, &self.turn),
        }
        Judged::Pass
    }

    /// `do-resolve`: the answer, or the end of its patience, walks the rules on.
    fn judge_resolve(&mut self, session: &mut Session, rule: &Resolve) -> Judged {
        let asked = self.resolve(session, rule);
        let until = session.asks_until().unwrap_or(0);
        session.stream().resume_at = until;
        match asked {
            Asked::Done => Judged::Pass,
            Asked::Waits => Judged::Wait,
            Asked::Gone => Judged::Close,
        }
    }

    fn act_http(&mut self, session: &mut Session, rule: &HttpRule) -> Judged {
        match &rule.action {
            HttpAction::Common(action) => self.act(session, action),
            HttpAction::Deny(reply) => {
                self.count_denied(session);
                self.count_client_error(session);
                session.end(b'P', session.deny_phase());
                self.answer_reply(session, reply)
            }
            HttpAction::Return(reply) => {
                self.count_intercepted(session);
                session.end(b'L', session.deny_phase());
                self.answer_reply(session, reply)
            }
            HttpAction::Redirect(redirect) => self.redirect(session, redirect),
            HttpAction::Auth(realm) => {
                self.count_client_error(session);
                self.demand_authentication(session, realm)
            }
            HttpAction::Tarpit(reply) => self.tarpit(session, reply),
            HttpAction::Pause(delay) => self.pause_rules(session, delay),
            HttpAction::AwaitBody(patience) => match session.judges_response() {
                true => self.await_response_body(session, *patience),
                false => self.await_body(session, *patience),
            },
            HttpAction::AwaitHandshake => self.await_handshake(session),
            HttpAction::Hint(name, value) => {
                let value = value.to_bytes(&View::new(session, &self.turn));
                session.add_hint(name, &value);
                Judged::Pass
            }
            HttpAction::Limit(set) => {
                self.limit_bandwidth(session, set);
                Judged::Pass
            }
            HttpAction::Service(service) => self.use_service(session, service),
            HttpAction::CacheUse(cache) => self.use_cache(session, cache),
            HttpAction::CacheStore(cache) => {
                self.store_response(session, cache);
                Judged::Pass
            }
            HttpAction::Edit(edit) => match self.edit(session, edit) {
                true => Judged::Pass,
                false => {
                    session.end(b'P', session.deny_phase());
                    let status = session.failed_change(edit);
                    self.answer_status(session, status);
                    Judged::Answered
                }
            },
        }
    }

    /// Counts a request that rules refused as its client's error, where entries are tracked.
    pub(super) fn count_client_error(&self, session: &Session) {
        if !session.judges_response() {
            session.count_tracked(Event::Error, 1, self.turn.now);
        }
    }

    /// Counts a request that the frontend answers itself; a backend's answers are not counted.
    pub(super) fn count_intercepted(&self, session: &Session) {
        if session.backend.is_none() {
            session.frontend.counters.intercepted.add(1);
        }
    }

    /// Counts a request or response that rules refused.
    pub(super) fn count_denied(&self, session: &Session) {
        if session.judges_response() {
            session.frontend.counters.denied_responses.add(1);
            session.listener.counters.denied_responses.add(1);
            if let Some(backend) = &session.backend {
                backend.counters.denied_responses.add(1);
            }
            if let Some(server) = &session.chosen {
                server.counters.denied_responses.add(1);
            }
            return;
        }
        for counters in [&session.frontend.counters, &session.listener.counters] {
            counters.denied_requests.add(1);
        }
        if let Some(backend) = &session.backend {
            backend.counters.denied_requests.add(1);
        }
    }
}

impl Session {
    fn set_stage(&mut self, stage: Stage) {
        if let Some(stream) = &mut self.http {
            stream.stage = stage;
        }
    }

    /// Keeps which rule ended a rule set, for the log.
    fn note_last_rule(&mut self, origin: &Arc<str>) {
        let stream = self.stream();
        stream.waiting_rule = None;
        stream.last_rule = Some(origin.clone());
    }

    /// Whether it is the response that rules look at.
    pub(crate) fn judges_response(&self) -> bool {
        self.http.as_ref().is_some_and(|s| s.response.whole)
    }

    /// The status that tells of a change that could not be made.
    fn failed_change(&mut self, edit: &Edit) -> u16 {
        let response = self.judges_response();
        // As in HAProxy, what a rule broke was never received, for the log's timers.
        let moments = &mut self.stream().moments;
        match (response, edit) {
            (true, _) => moments.responded = None,
            (false, Edit::ChangeList { .. }) => {}
            (false, _) => moments.requested = None,
        }
        match edit {
            Edit::ChangeList { .. } if response => 502,
            Edit::Normalize(_) => {
                // A target that cannot be read makes the request malformed: nothing behind it counts.
                let stream = self.stream();
                stream.close = true;
                stream.moments.requested = None;
                stream.request.taken = stream.request.buffer.len();
                400
            }
            _ => 500,
        }
    }

    /// The phase of the termination state in which a rule ends the stream.
    pub(super) fn deny_phase(&self) -> u8 {
        if self.judges_response() { b'H' } else { b'R' }
    }

    /// The stream, which there is in every phase of an exchange.
    pub(super) fn stream(&mut self) -> &mut Stream {
        self.http.get_or_insert_default()
    }
}
