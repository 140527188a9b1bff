//! What log lines are written for (`%OG`): rules (`do-log`), moments that the configuration names
//! (`log-steps`), or else the one moment of the session's own line.

use isthmus_plan::{LogOrigin, LogStep, LogWhen};

use crate::session::Session;
use crate::turn::Turn;
use crate::view::View;
use crate::worker::Worker;

impl Worker {
    /// Writes a line at a moment that is none of those at which all of a session may be known, if
    /// `log-steps` names it.
    pub(crate) fn log_step(&self, session: &Session, step: LogStep) {
        let logger = &session.frontend.shared.logger;
        if logger.logs_at(step) && !logger.is_silent() {
            self.write_step(session, step, false);
        }
    }

    /// Writes a session's line for one of its moments.
    pub(crate) fn write_step(&self, session: &Session, step: LogStep, failed: bool) {
        let logger = &session.frontend.shared.logger;
        let notes = session.notes();
        notes.log_origin.set(Some(name(step)));
        logger.session(&View::new(session, &self.turn), failed);
        notes.log_origin.take();
    }
}

impl Session {
    /// Writes a line in the frontend's format. The session's own line is written all the same.
    pub(crate) fn log_by_rule(&self, origin: LogOrigin, turn: &Turn) {
        let logger = &self.frontend.shared.logger;
        if logger.is_silent() {
            return;
        }
        let notes = self.notes();
        notes.log_origin.set(Some(match origin {
            LogOrigin::TcpReqConn => "tcp-req-conn",
            LogOrigin::TcpReqSess => "tcp-req-sess",
            LogOrigin::TcpReqCont => "tcp-req-cont",
            LogOrigin::HttpReq => "http-req",
            LogOrigin::HttpRes => "http-res",
            LogOrigin::HttpAfterRes => "http-after-res",
        }));
        logger.by_rule(&View::new(self, turn));
        notes.log_origin.take();
    }

    /// What a line is written for: the rule's set, or the moment of the session's own line.
    pub(crate) fn log_origin(&self) -> &'static str {
        let said = self.notes.get().and_then(|notes| notes.log_origin.get());
        match said {
            Some(origin) => origin,
            None if !self.counted => "error",
            None => name(self.step_of(self.frontend.shared.logger.when)),
        }
    }

    /// The moment that a line is written at, as `log-steps` names it.
    pub(crate) fn step_of(&self, when: LogWhen) -> LogStep {
        match when {
            LogWhen::Accept => LogStep::Accept,
            LogWhen::Connect if self.http.is_some() => LogStep::Response,
            LogWhen::Connect => LogStep::Connect,
            LogWhen::End => LogStep::Close,
        }
    }
}

fn name(step: LogStep) -> &'static str {
    match step {
        LogStep::Accept => "accept",
        LogStep::Request => "request",
        LogStep::Connect => "connect",
        LogStep::Response => "response",
        LogStep::Close => "close",
    }
}
