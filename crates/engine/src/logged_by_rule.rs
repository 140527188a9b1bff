//! Lines that rules write (`do-log`), and what each line is written for (`%OG`).

use isthmus_plan::{LogOrigin, LogWhen};

use crate::session::Session;
use crate::turn::Turn;
use crate::view::View;

impl Session {
    /// Writes a line in the frontend's format. The session's own line is written all the same.
    pub(crate) fn log_by_rule(&self, origin: LogOrigin, turn: &Turn) {
        let logger = &self.frontend.shared.logger;
        if logger.is_silent() {
            return;
        }
        let notes = self.notes();
        notes.log_origin.set(Some(origin));
        logger.by_rule(&View::new(self, turn));
        notes.log_origin.take();
    }

    /// What a line is written for: the rule's set, or the moment of the session's own line.
    pub(crate) fn log_origin(&self) -> &'static str {
        let rule = self.notes.get().and_then(|notes| notes.log_origin.get());
        match rule {
            Some(LogOrigin::TcpReqConn) => "tcp-req-conn",
            Some(LogOrigin::TcpReqSess) => "tcp-req-sess",
            Some(LogOrigin::TcpReqCont) => "tcp-req-cont",
            Some(LogOrigin::HttpReq) => "http-req",
            Some(LogOrigin::HttpRes) => "http-res",
            Some(LogOrigin::HttpAfterRes) => "http-after-res",
            None if !self.counted => "error",
            None => match self.frontend.shared.logger.when {
                LogWhen::Accept => "accept",
                LogWhen::Connect if self.http.is_some() => "response",
                LogWhen::Connect => "connect",
                LogWhen::End => "close",
            },
        }
    }
}
