//! Rules of a response that wait (`pause`, `wait-for-body`): the response stays in its buffer, and
//! nothing of it is sent before they are through.

use isthmus_proto::http::Body;
use isthmus_sockets::Moved;

use super::awaiting::Patience;
use super::judge::Judged;
use super::service::Next;
use super::stream::{Answerer, Stream};
use crate::session::Session;
use crate::worker::Worker;

impl Worker {
    /// `http-response`. Called again behind a wait, it goes on with the rule that waited.
    pub(super) fn judge_response(&mut self, session: &mut Session) -> Judged {
        let (backend, frontend) = session.responding();
        let sides = [
            backend.as_ref().and_then(|b| b.shared.http.as_ref()),
            frontend.as_ref().and_then(|f| f.shared.http.as_ref()),
        ];
        let first = session.stream().held_by.take().unwrap_or(0);
        for (place, side) in sides.into_iter().enumerate().skip(first) {
            let Some(side) = side else { continue };
            match self.judge_http(session, &side.response_rules) {
                Judged::Pass => {}
                Judged::Wait => {
                    session.stream().held_by = Some(place);
                    return Judged::Wait;
                }
                other => return other,
            }
        }
        Judged::Pass
    }

    /// `http-response wait-for-body`: it passes when the body is there, or enough of it, or the
    /// buffer is full. What a cache has is there.
    pub(super) fn await_response_body(
        &mut self,
        session: &mut Session,
        patience: Patience,
    ) -> Judged {
        let now = self.turn.now;
        let rules = session.frontend.shared.http.as_ref().map(|side| side.rules);
        let bufsize = session.frontend.generation.global.bufsize;
        let over = match session.stream().answerer {
            Answerer::Server => self.read_response_body(session),
            Answerer::Proxy => {
                session.stream().take_stored_body(bufsize);
                return Judged::Pass;
            }
            Answerer::Service => session.stream().take_served_body(bufsize),
        };
        let stream = session.stream();
        let here = stream.response.waiting_len() as u64;
        let enough = patience.at_least > 0 && here >= patience.at_least;
        if over || enough || stream.has_whole_answer(&rules.unwrap_or_default()) {
            stream.resume_at = 0;
            return Judged::Pass;
        }
        if stream.resume_at == 0 {
            stream.resume_at = patience.time.map_or(u64::MAX, |time| now + time);
        }
        if now < stream.resume_at {
            return Judged::Wait;
        }
        stream.resume_at = 0;
        stream.spent = true;
        stream.moments.responded = None;
        // As with a request's body: HAProxy's log tells of rules that waited in vain.
        session.end(b's', b'R');
        self.count_failed_response(session);
        self.answer_status(session, 504);
        Judged::Answered
    }

    /// Reads what has come of a server's body; true if no more comes, or fits.
    fn read_response_body(&mut self, session: &mut Session) -> bool {
        let Session {
            http: Some(stream),
            server: Some(server),
            down,
            ..
        } = session
        else {
            return true;
        };
        let buffer = &mut stream.response.buffer;
        while down.readable && !down.ended {
            let room = buffer.room();
            let size = room.len();
            if size == 0 {
                return true;
            }
            match server.receive(room) {
                Moved::Bytes(count) => {
                    buffer.filled(count);
                    session.server_active = self.turn.now;
                    if count < size {
                        down.readable = false;
                        down.ended = down.closing;
                    }
                }
                Moved::Later => down.readable = false,
                Moved::End | Moved::Broken(_) => {
                    down.readable = false;
                    down.ended = true;
                }
            }
        }
        down.ended
    }
}

impl Stream {
    /// Puts as much of a cache's body as there is room for behind its head.
    fn take_stored_body(&mut self, bufsize: usize) {
        if let (Some(source), false) = (&mut self.source, self.response.reading.is_done()) {
            let buffer = &mut self.response.buffer;
            buffer.fit(bufsize);
            let count = source.read(buffer.room());
            buffer.filled(count);
        }
    }

    /// The same of what a service has said of its body so far; true if no more comes, or fits.
    fn take_served_body(&mut self, bufsize: usize) -> bool {
        let Some(service) = &mut self.service else {
            return true;
        };
        let buffer = &mut self.response.buffer;
        buffer.fit(bufsize);
        loop {
            let room = buffer.room();
            if room.is_empty() {
                return true;
            }
            match service.read(room) {
                Next::Bytes(count) => buffer.filled(count),
                Next::Later => return false,
                Next::Cut => return true,
            }
        }
    }

    /// The body that the server's head announces.
    pub(super) fn announced(&self) -> Body {
        // A head whose body is not told is refused before rules see it.
        let body = self.response.head.body(self.exchange());
        body.unwrap_or(Body::None)
    }

    /// Whether all of the response's body stands in the buffer.
    fn has_whole_answer(&self, rules: &isthmus_proto::http1::Rules) -> bool {
        self.response.holds_all(self.announced(), rules)
    }
}

impl Session {
    /// Whether rules of the response wait; then nothing else is waited for.
    pub(crate) fn is_held(&self) -> bool {
        let stream = self.http.as_deref();
        stream.is_some_and(|stream| stream.held_by.is_some())
    }
}
