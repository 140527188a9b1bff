//! Waiting for a request's body before rules or a server see it (`option http-buffer-request`,
//! `wait-for-body`): it stays in the buffer behind the head.

use isthmus_proto::http::{Body, FieldName};
use isthmus_proto::http1::{FieldId, Rules};
use isthmus_sockets::Moved;

use super::body::{Reading, Writing};
use super::judge::Judged;
use super::stream::{Incoming, Stream};
use crate::session::Session;
use crate::worker::Worker;

/// What is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Milliseconds; `None` as long as the client lives.
    pub(crate) time: Option<u64>,
    /// Bytes that are enough; 0 is all.
    pub(crate) at_least: u64,
}

impl Worker {
    /// `option http-buffer-request` of either side: false if the body is still awaited.
    pub(super) fn buffers_request(&mut self, session: &mut Session) -> Judged {
        let front = session.frontend.shared.plan.http.as_ref();
        let front = front.map(|http| &http.common);
        let back = session.backend.as_ref();
        let back = back.and_then(|b| b.shared.plan.http.as_ref());
        let back = back.map(|http| &http.common);
        let both = [front, back];
        if !both.iter().flatten().any(|http| http.buffer_request) {
            return Judged::Pass;
        }
        // Once there is a backend, its time counts and the frontend's does not, as with HAProxy.
        let waiting = if session.backend.is_some() {
            back
        } else {
            front
        };
        let time = waiting.and_then(|http| http.timeout_request).or(session
            .frontend
            .shared
            .plan
            .timeout_client);
        self.await_body(session, Patience { time, at_least: 0 })
    }

    /// Reads what has come of the body. It passes when all is there, or enough, or the buffer is
    /// full.
    pub(super) fn await_body(&mut self, session: &mut Session, patience: Patience) -> Judged {
        let now = self.turn.now;
        if let Some(judged) = self.read_body(session) {
            return judged;
        }
        let rules = session.frontend.shared.http.as_ref().map(|side| side.rules);
        let Session {
            http: Some(stream),
            client,
            up,
            ..
        } = session
        else {
            return Judged::Close;
        };
        let enough =
            patience.at_least > 0 && stream.request.waiting_len() as u64 >= patience.at_least;
        if enough || stream.has_whole_body(&rules.unwrap_or_default()) {
            stream.resume_at = 0;
            return Judged::Pass;
        }
        if up.ended {
            session.end(b'C', b'D');
            return Judged::Close;
        }
        stream.invite(client);
        if stream.resume_at == 0 {
            stream.resume_at = patience.time.map_or(u64::MAX, |time| now + time);
        }
        if now < stream.resume_at {
            return Judged::Wait;
        }
        stream.resume_at = 0;
        session.end(b'c', b'R');
        session.stream().close = true;
        // The request was never whole.
        session.stream().moments.requested = None;
        self.answer_status(session, 408);
        Judged::Answered
    }

    fn read_body(&mut self, session: &mut Session) -> Option<Judged> {
        let Session {
            http: Some(stream),
            client,
            up,
            ..
        } = session
        else {
            return Some(Judged::Close);
        };
        let buffer = &mut stream.request.buffer;
        while up.readable {
            let room = buffer.room();
            let size = room.len();
            if size == 0 {
                // No more fits: rules see what is there.
                stream.resume_at = 0;
                return Some(Judged::Pass);
            }
            match client.receive(room) {
                Moved::Bytes(count) => {
                    buffer.filled(count);
                    up.bytes += count as u64;
                    session.client_active = self.turn.now;
                    if count < size {
                        up.readable = client.holds_end();
                        up.ended |= up.closing;
                    }
                }
                Moved::Later => up.readable = false,
                Moved::End => {
                    up.readable = false;
                    up.ended = true;
                }
                Moved::Broken(_) => {
                    session.end(b'C', b'D');
                    return Some(Judged::Close);
                }
            }
        }
        None
    }
}

impl<H> Incoming<H> {
    /// Whether all of a body stands in the buffer, unless only the end of the connection says so.
    pub(super) fn holds_all(&self, body: Body, rules: &Rules) -> bool {
        match body {
            Body::Length(length) => self.waiting_len() as u64 >= length,
            Body::Chunked => {
                let mut reading = Reading::of(body, rules);
                let mut copy = self.waiting().to_vec();
                let taken = reading.take(&mut copy, Writing::Plain, &mut Vec::new());
                // What is malformed is refused where it is forwarded.
                taken.is_err() || reading.is_done()
            }
            Body::UntilClose => false,
            Body::None | Body::Tunnel => true,
        }
    }
}

impl Stream {
    /// Whether all of the request's body stands in the buffer.
    fn has_whole_body(&self, rules: &Rules) -> bool {
        match self.request.head.body() {
            Body::UntilClose => true,
            body => self.request.holds_all(body, rules),
        }
    }

    /// Tells a client that waits for it to send its body; the server is then not asked for that.
    pub(super) fn invite(&mut self, client: &mut crate::transport::Transport) {
        if self.invited || !self.request.head.expects_continue() {
            return;
        }
        self.invited = true;
        // A client that does not take these few bytes sends its body all the same, or not at all.
        let _ = client.send(b"HTTP/1.1 100 Continue\r\n\r\n");
        let request = &mut self.request;
        for (index, field) in (0..).zip(request.head.fields().as_slice()) {
            if field.known == FieldName::Expect {
                request.rewrite.remove(FieldId::Received(index));
            }
        }
    }
}
