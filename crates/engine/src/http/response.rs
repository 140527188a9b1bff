//! The response's head: read, judged by rules, and written to the client.

use std::io::IoSlice;
use std::rc::Rc;

use isthmus_plan::LogWhen;
use isthmus_plan::http::RetryOn;
use isthmus_proto::http::{Body, Version};
use isthmus_proto::http1::{
    Exchange, Forward, Persistence, Progress, Rules, StartLine, View as Head,
};
use isthmus_sockets::Moved;
use isthmus_table::Event;

use super::body::{Reading, Taken, Writing};
use super::judge::Judged;
use super::spelling::Spellings;
use super::stream::{Answerer, Stream};
use crate::flow::{Flow, Pumped};
use crate::local::{LocalBackend, LocalFrontend};
use crate::session::Session;
use crate::worker::{Step, Worker};

/// What came of waiting for a head.
pub(super) enum Awaited {
    /// It is on its way to the client.
    Written(Pumped),
    /// Nothing more is there.
    Nothing,
    /// What comes next stands in the session: an answer of the proxy's, or the end.
    Turned(Step),
}

impl Worker {
    /// Reads the server's head; interim ones go on at once.
    pub(super) fn await_response(&mut self, session: &mut Session) -> Awaited {
        if session.is_held() {
            let body = session.stream().announced();
            return self.decide(session, body);
        }
        self.read_response(session)
    }

    fn read_response(&mut self, session: &mut Session) -> Awaited {
        let bufsize = session.frontend.generation.global.bufsize;
        loop {
            let Session {
                http: Some(stream),
                server: Some(server),
                backend: Some(backend),
                down,
                ..
            } = session
            else {
                return Awaited::Turned(Step::Close);
            };
            let response = &mut stream.response;
            response.buffer.fit(bufsize);
            let rules = match &backend.shared.http {
                Some(side) => side.rules,
                None => return Awaited::Turned(Step::Close),
            };
            if response.buffer.len() > 0 {
                match response.head.read(response.buffer.bytes_mut(), &rules) {
                    Ok(Progress::Complete(length)) => {
                        response.whole = true;
                        response.taken = length;
                        match self.respond(session, rules) {
                            Some(awaited) => return awaited,
                            None => continue,
                        }
                    }
                    Ok(Progress::Incomplete) => {}
                    Err(_) => return Awaited::Turned(self.response_is_bad(session)),
                }
            }
            if down.ended {
                return Awaited::Turned(self.response_is_missing(session));
            }
            if !down.readable {
                return Awaited::Nothing;
            }
            let room = response.buffer.room();
            if room.is_empty() {
                return Awaited::Turned(self.response_is_bad(session));
            }
            let size = room.len();
            match server.receive(room) {
                Moved::Bytes(count) => {
                    session.server_active = self.turn.now;
                    response.buffer.filled(count);
                    if count < size {
                        down.readable = server.holds_end();
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
    }

    /// A head of the server's is whole. `None`: it was an interim one, and another follows.
    fn respond(&mut self, session: &mut Session, rules: Rules) -> Option<Awaited> {
        let now = self.turn.now;
        let stream = session.http.as_deref_mut()?;
        let exchange = stream.exchange();
        if stream.response.head.is_interim() {
            return self.pass_interim(session, exchange);
        }
        stream.moments.responded = Some(now);
        stream.server_status = stream.response.head.status();
        let body = match stream.response.head.body(exchange) {
            Ok(body) => body,
            Err(_) => {
                stream.response.whole = false;
                return Some(Awaited::Turned(self.response_is_bad(session)));
            }
        };
        let sound = Reading::is_sound(body, &rules, stream.response.waiting());
        if !sound || body == Body::Tunnel && !stream.is_sound_upgrade() {
            return Some(Awaited::Turned(self.response_is_bad(session)));
        }
        let status = stream.server_status;
        let status = session.event_of_status(status);
        if let Some(step) = self.try_again(session, status) {
            return Some(Awaited::Turned(step));
        }
        session.capture_response();
        self.heed_challenge(session);
        let stream = session.http.as_deref_mut()?;
        if let Some(server) = &session.chosen {
            server.counters.count_response(stream.server_status);
        }
        session.count_tracked_status(session.server_status(), now);
        session.remember_server(&self.turn);
        Some(self.decide(session, body))
    }

    /// Rules have their say, and the response goes on its way. While they wait, this is called again.
    fn decide(&mut self, session: &mut Session, body: Body) -> Awaited {
        match self.judge_response(session) {
            Judged::Pass if self.refuses_cookie(session) => Awaited::Turned(Step::Again),
            Judged::Pass => {
                self.set_persistence(session);
                let pumped = self.write_response(session, body);
                let logger = &session.frontend.shared.logger;
                if logger.has_steps() || logger.when == LogWhen::Connect {
                    self.log_at(session, LogWhen::Connect);
                    session.stream().logged = true;
                }
                Awaited::Written(pumped)
            }
            Judged::Answered => Awaited::Turned(Step::Again),
            Judged::Wait => Awaited::Nothing,
            Judged::Close => Awaited::Turned(Step::Close),
        }
    }

    /// Writes the response's head, the server's or the proxy's, and what of its body is there.
    pub(super) fn write_response(&mut self, session: &mut Session, body: Body) -> Pumped {
        let side = session.frontend.shared.http.as_ref();
        let rules = side.map(|side| side.rules);
        let plan = session.frontend.shared.plan.http.as_ref();
        let bare = plan.is_some_and(|http| http.drop_response_trailers);
        session.settle_coding(body);
        self.restrain_compression(session, body);
        self.judge_after(session);
        let Some(stream) = session.http.as_deref_mut() else {
            return Pumped::DestinationBroken;
        };
        if let (Answerer::Server, Some(rules)) = (stream.answerer, rules) {
            stream.response.reading = Reading::of(body, &rules);
        }
        if bare {
            stream.response.reading.drop_trailers();
        }
        let body = stream.settle_response(body);
        self.compress_response(session);
        session.conceal_response();
        let two = session.client_is_11();
        let outdated = self.is_outdated(session);
        let Session {
            http: Some(stream),
            client,
            frontend,
            down,
            ..
        } = session
        else {
            return Pumped::DestinationBroken;
        };
        let side = frontend.shared.http.as_ref();
        stream.status = match stream.stated {
            0 => stream.status_to_send(),
            status => status,
        };
        stream.close |= outdated;
        finish_head(stream, body, two);
        self.made.clear();
        let spellings = side.and_then(|side| side.spellings.as_ref());
        let written = write_head(stream, client, down, (spellings, &mut self.made));
        self.count_coded(session);
        // A head that was not written: the client sees the end of its connection.
        written.unwrap_or(Pumped::SourceBroken)
    }

    /// `http-after-response`, for whatever is answered.
    fn judge_after(&mut self, session: &mut Session) {
        let (backend, frontend) = session.responding();
        let sides = [
            backend.as_ref().and_then(|b| b.shared.http.as_ref()),
            frontend.as_ref().and_then(|f| f.shared.http.as_ref()),
        ];
        for side in sides.into_iter().flatten() {
            // None of their actions answers or waits.
            self.judge_http(session, &side.after_rules);
        }
    }

    fn pass_interim(&mut self, session: &mut Session, exchange: Exchange) -> Option<Awaited> {
        session.conceal_response();
        let is_11 = session.client_is_11();
        let Session {
            http: Some(stream),
            client,
            down,
            ..
        } = session
        else {
            return Some(Awaited::Turned(Step::Close));
        };
        let response = &mut stream.response;
        response.head.forward(
            response.buffer.bytes(),
            exchange,
            Forward::default(),
            &mut response.rewrite,
        );
        if is_11 {
            let view = Head::response(&response.head, response.buffer.bytes(), &response.rewrite);
            let mut pieces: Vec<IoSlice<'_>> = Vec::new();
            view.io_slices(None, &mut pieces);
            let count: usize = pieces.iter().map(|piece| piece.len()).sum();
            down.bytes += count as u64;
            if down.write_pieces(client, &pieces) == Pumped::DestinationBroken {
                return Some(Awaited::Written(Pumped::DestinationBroken));
            }
        }
        response.next(isthmus_proto::http1::ResponseHead::clear);
        None
    }

    fn response_is_bad(&mut self, session: &mut Session) -> Step {
        if let Some(step) = self.try_again(session, RetryOn::JunkResponse {}) {
            return step;
        }
        session.end(b'P', b'H');
        self.count_failed_response(session);
        session.stream().moments.responded = None;
        self.answer_status(session, 502)
    }

    /// The server closed before it had answered.
    fn response_is_missing(&mut self, session: &mut Session) -> Step {
        if let Some(step) = self.try_again(session, RetryOn::EmptyResponse {}) {
            return step;
        }
        session.end(b'S', b'H');
        self.count_failed_response(session);
        self.answer_status(session, 502)
    }

    pub(super) fn count_failed_response(&self, session: &Session) {
        session.count_tracked(Event::Failure, 1, self.turn.now);
        if let Some(backend) = &session.backend {
            backend.counters.failed_responses.add(1);
        }
        if let Some(server) = &session.chosen {
            server.counters.failed_responses.add(1);
        }
    }
}

impl Session {
    fn server_status(&self) -> u16 {
        self.http.as_ref().map_or(0, |stream| stream.server_status)
    }

    /// Whose rules look at a response, in their order: a `listen` stands once.
    pub(super) fn responding(&self) -> (Option<Rc<LocalBackend>>, Option<Rc<LocalFrontend>>) {
        let frontend = self.has_two_sides().then(|| self.frontend.clone());
        (self.backend.clone(), frontend)
    }

    /// Whether frontend and backend are not one `listen`, whose rules stand in both.
    pub(super) fn has_two_sides(&self) -> bool {
        let own = self.frontend.shared.own_backend;
        self.backend
            .as_ref()
            .is_none_or(|backend| own != Some(backend.shared.index))
    }
}

impl Stream {
    /// The status as the client gets it.
    pub(super) fn status_to_send(&self) -> u16 {
        let response = &self.response;
        match response.rewrite.part(StartLine::Status) {
            None => response.head.status(),
            Some(text) => {
                let text = std::str::from_utf8(text).ok();
                text.and_then(|text| text.parse().ok()).unwrap_or(0)
            }
        }
    }
}

/// Takes away what is for the server's connection, and says what becomes of the client's.
fn finish_head(stream: &mut Stream, body: Body, is_11: bool) {
    let exchange = stream.exchange();
    let chunked = matches!(stream.response.reading, Reading::Chunks(_));
    let chunks = chunked && is_11;
    let response = &mut stream.response;
    let how = Forward {
        protected: &[],
        chunks: chunks || (body == Body::None && is_11),
    };
    response.head.forward(
        response.buffer.bytes(),
        exchange,
        how,
        &mut response.rewrite,
    );
    stream.response_writing = if chunks {
        Writing::Chunks
    } else {
        Writing::Plain
    };
    if let Some(filter) = stream.filter.as_mut().filter(|f| f.coder.is_none()) {
        filter.writing = stream.response_writing;
    }
    if let (Body::None, Some(filter)) = (body, &mut stream.filter) {
        filter.end_empty();
    }
    if stream.answerer == Answerer::Server {
        stream.spent |= response.head.persistence() == Persistence::Close;
        stream.spent |= !body.is_delimited();
    }
    if stream.answerer != Answerer::Proxy {
        // Without chunks only the end of the connection says where such a body ends.
        stream.close |= body == Body::UntilClose || (chunked && !is_11);
    }
    stream.close |= stream.request.head.persistence() == Persistence::Close
        || stream.request.head.version() < Version::HTTP_11 && !stream.request.whole;
    let tunnel = body == Body::Tunnel;
    if tunnel {
        stream.close = false;
        return;
    }
    if stream.close {
        response.rewrite.add(b"connection", b"close");
    } else if !is_11 {
        response.rewrite.add(b"connection", b"keep-alive");
    }
}

/// Writes the head and what of the body came with it.
fn write_head(
    stream: &mut Stream,
    client: &mut crate::transport::Transport,
    down: &mut Flow,
    (spellings, made): (Option<&Spellings>, &mut Vec<u8>),
) -> Result<Pumped, ()> {
    let writing = stream.response_writing;
    let response = &mut stream.response;
    let taken = response.taken;
    let body = response
        .buffer
        .bytes_mut()
        .get_mut(taken..)
        .unwrap_or_default();
    let took = match &mut stream.filter {
        _ if body.is_empty() => Taken::as_is(0),
        Some(filter) => {
            let used = filter.pass(&mut response.reading, body).map_err(|_| ())?;
            made.extend_from_slice(&filter.out);
            Taken {
                used,
                ..Taken::as_is(0)
            }
        }
        None => response.reading.take(body, writing, made).map_err(|_| ())?,
    };
    response.taken += took.used;
    if let Some(limits) = &mut stream.limits {
        limits.down.pass(took.used);
    }
    let bytes = response.buffer.bytes();
    let view = Head::response(&response.head, bytes, &response.rewrite);
    let mut pieces: Vec<IoSlice<'_>> = Vec::new();
    match spellings {
        None => view.io_slices(None, &mut pieces),
        Some(spellings) => view.io_slices(Some(&|name: &[u8]| spellings.of(name)), &mut pieces),
    }
    let as_is = bytes.get(taken..taken + took.as_is).unwrap_or_default();
    for piece in [as_is, &made[..]] {
        if !piece.is_empty() {
            pieces.push(IoSlice::new(piece));
        }
    }
    let count: usize = pieces.iter().map(|piece| piece.len()).sum();
    down.bytes += count as u64;
    stream.answered = true;
    Ok(down.write_pieces(client, &pieces))
}
