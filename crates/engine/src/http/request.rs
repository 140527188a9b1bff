//! Reading a request's head, and the wait for it.

use isthmus_plan::LogStep;
use isthmus_proto::http::{Method, Version};
use isthmus_proto::http1::{ErrorKind, Progress};
use isthmus_proto::http2::PREFACE;
use isthmus_sockets::Moved;
use isthmus_table::Event;

use super::body::Reading;
use super::stream::{Answerer, Stage, Stream};
use super::websocket;
use crate::session::{Phase, Session};
use crate::worker::{Step, Worker};

/// What came of reading.
enum Read {
    /// The head is whole.
    Whole,
    /// It is not, and nothing more is there.
    Incomplete,
    /// The client sends no more.
    Ended,
    /// The client's connection is broken.
    Broken,
    /// It is no request.
    Bad(ErrorKind),
}

impl Worker {
    /// Waits for a request and reads its head.
    pub(crate) fn read_request(&mut self, session: &mut Session) -> Step {
        if session.begins_h2() {
            // What came behind a PROXY header.
            let received = std::mem::take(&mut session.up.pending);
            return self.begin_h2(session, received.as_slice());
        }
        let mut stream = self.take_stream(session);
        let read = self.read_head(session, &mut stream);
        if matches!(read, Read::Bad(_)) && session.may_turn_to_h2(&stream) {
            let received = stream.request.buffer.bytes().to_vec();
            self.give_stream_back(session, stream);
            return self.begin_h2(session, &received);
        }
        let some = stream.request.buffer.len() > 0;
        if some && stream.moments.began.is_none() {
            stream.moments.began = Some(self.turn.now);
            session.phase_began = self.turn.now;
        }
        if !some && matches!(read, Read::Incomplete) && !session.timed_out {
            // An idle session holds no stream.
            self.give_stream_back(session, stream);
            return Step::Wait;
        }
        session.http = Some(stream);
        match read {
            Read::Whole => self.request_is_whole(session),
            Read::Incomplete if !session.timed_out => Step::Wait,
            Read::Incomplete => self.request_is_late(session, some),
            Read::Ended => self.request_is_cut(session, some),
            Read::Broken => self.request_is_broken(session, some),
            Read::Bad(kind) => self.request_is_bad(session, kind.status()),
        }
    }

    /// What came behind a PROXY header, or was received before the connection became HTTP, is the beginning of the first request.
    pub(crate) fn begin_request(&mut self, session: &mut Session) {
        let ahead = session.up.pending.as_slice().len();
        if session.phase != Phase::Request || ahead == 0 {
            return;
        }
        let mut stream = self.take_stream(session);
        stream.request.buffer.push(session.up.pending.as_slice());
        session.up.pending.consume(ahead);
        session.http = Some(stream);
    }

    /// The session's stream, or one from the worker's store.
    fn take_stream(&mut self, session: &mut Session) -> Box<Stream> {
        session.http.take().unwrap_or_else(|| {
            let mut stream = self.streams.take();
            stream.moments.idle_since = session.idle_since();
            stream
        })
    }

    /// Puts a stream that nothing was received into back into the store.
    fn give_stream_back(&mut self, session: &Session, mut stream: Box<Stream>) {
        stream.next(false, session.frontend.generation.global.bufsize);
        self.streams.put(stream);
    }

    fn read_head(&mut self, session: &mut Session, stream: &mut Stream) -> Read {
        let bufsize = session.frontend.generation.global.bufsize;
        let Some(side) = &session.frontend.shared.http else {
            return Read::Broken;
        };
        let request = &mut stream.request;
        request.buffer.fit(bufsize);
        loop {
            if request.buffer.len() > 0 {
                match request.head.read(request.buffer.bytes_mut(), &side.rules) {
                    Ok(Progress::Complete(length)) => {
                        request.whole = true;
                        request.taken = length;
                        return Read::Whole;
                    }
                    Ok(Progress::Incomplete) => {}
                    Err(error) => return Read::Bad(error.kind),
                }
            }
            if !session.up.readable {
                return match session.up.ended {
                    true => Read::Ended,
                    false => Read::Incomplete,
                };
            }
            let room = request.buffer.room();
            if room.is_empty() {
                return Read::Bad(ErrorKind::LongHead);
            }
            let size = room.len();
            match session.client.receive(room) {
                Moved::Bytes(count) => {
                    session.client_active = self.turn.now;
                    session.up.bytes += count as u64;
                    request.buffer.filled(count);
                    if count < size {
                        session.up.readable = session.client.holds_end();
                        session.up.ended = session.up.closing;
                    }
                }
                Moved::Later => session.up.readable = false,
                Moved::End => {
                    session.up.readable = false;
                    session.up.ended = true;
                }
                Moved::Broken(_) => return Read::Broken,
            }
        }
    }

    fn request_is_whole(&mut self, session: &mut Session) -> Step {
        let now = self.turn.now;
        session.timed_out = false;
        if !session.is_sound() {
            return self.request_is_bad(session, 400);
        }
        session.phase_began = now;
        session.phase = Phase::Judge;
        session.next_rule = 0;
        self.count_request(session);
        let number = (session.exchanges > 0).then(|| self.next_session_id());
        let Session {
            http: Some(stream),
            frontend,
            ..
        } = session
        else {
            return Step::Close;
        };
        stream.moments.requested = Some(now);
        stream.number = number;
        stream.stage = Stage::Content;
        stream.answerer = Answerer::Server;
        let request = &mut stream.request;
        if let Some(side) = &frontend.shared.http {
            request.reading = Reading::of(request.head.body(), &side.rules);
        }
        stream.method = request.head.method();
        stream.replayable = true;
        session.capture_request();
        self.log_step(session, LogStep::Request);
        self.refuse_misdirected(session).unwrap_or(Step::Again)
    }

    fn count_request(&self, session: &Session) {
        for (counters, live) in [
            (&session.frontend.counters, &session.frontend.shared.live),
            (&session.listener.counters, &session.listener.shared.live),
        ] {
            live.count_request(counters, self.turn.now);
        }
    }

    /// `timeout http-request` or `http-keep-alive` is over.
    fn request_is_late(&mut self, session: &mut Session, some: bool) -> Step {
        session.timed_out = false;
        if session.waits_idle(some) {
            return Step::Close;
        }
        session.end(b'c', b'R');
        self.count_request(session);
        self.refuse(session, 408)
    }

    /// The client closed before its request was whole.
    fn request_is_cut(&mut self, session: &mut Session, some: bool) -> Step {
        if session.waits_idle(some) {
            return Step::Close;
        }
        session.end(b'C', b'R');
        self.count_request(session);
        self.refuse(session, 400)
    }

    fn request_is_broken(&mut self, session: &mut Session, some: bool) -> Step {
        if !session.waits_idle(some) {
            session.end(b'C', b'R');
            self.count_request(session);
        }
        Step::Close
    }

    /// What was received is no request: HAProxy calls it the proxy's refusal.
    fn request_is_bad(&mut self, session: &mut Session, status: u16) -> Step {
        session.end(b'P', b'R');
        self.count_request(session);
        self.refuse(session, status)
    }

    /// Answers what is no request, and closes.
    fn refuse(&mut self, session: &mut Session, status: u16) -> Step {
        let number = (session.exchanges > 0).then(|| self.next_session_id());
        if let Some(stream) = &mut session.http {
            stream.number = stream.number.or(number);
            stream.close = true;
            // Nothing behind it can be a request.
            stream.request.taken = stream.request.buffer.len();
        }
        session.count_tracked(Event::Request, 1, self.turn.now);
        session.count_tracked(Event::Error, 1, self.turn.now);
        // What the client did is counted with the end of the exchange.
        if session.ending.is_some_and(|ending| ending.cause == b'P') {
            for counters in [&session.frontend.counters, &session.listener.counters] {
                counters.failed_requests.add(1);
            }
        }
        self.answer_status(session, status)
    }
}

impl Session {
    /// Whether HTTP/2 begins with the connection's first byte (`proto h2`).
    pub(crate) fn begins_h2(&self) -> bool {
        let h2 = self.listener.shared.plan.h2 == Some(true);
        h2 && self.exchanges == 0 && !self.client.is_stream()
    }

    /// Whether it is a stream of HTTP/2, or a whole connection of it.
    pub(crate) fn is_h2(&self) -> bool {
        self.client.is_stream() || self.mux.is_some()
    }

    /// Whether what was received is not HTTP/1 since it begins HTTP/2 (RFC 9113, 3.3).
    fn may_turn_to_h2(&self, stream: &Stream) -> bool {
        let received = stream.request.buffer.bytes();
        let same = received
            .iter()
            .zip(PREFACE)
            .all(|(is, wanted)| is == wanted);
        same && received.len() > 3
            && self.exchanges == 0
            && !self.client.is_early()
            && !self.client.is_stream()
            && self.listener.shared.plan.h2 != Some(false)
            && self.may_become_h2()
    }

    /// Since when the session has waited for a request.
    fn idle_since(&self) -> u64 {
        match self.exchanges {
            0 => self.moments.handshaken,
            _ => self.phase_began,
        }
    }

    /// Whether an end now is nobody's fault: no request had begun, and it is not the first, or
    /// `option http-ignore-probes` or `dontlognull` says that the first does not matter.
    fn waits_idle(&self, some: bool) -> bool {
        if some {
            return false;
        }
        let frontend = &self.frontend.shared.plan;
        let ignores = frontend.http.as_ref().is_some_and(|h| h.ignore_probes);
        // Who became HTTP without having said a word was no client of it.
        self.exchanges > 0 || ignores || self.switched
    }

    /// Whether the client has said nothing, and need not be told of.
    pub(crate) fn was_silent(&self) -> bool {
        self.up.bytes == 0 && self.waits_idle(false)
    }

    /// Whether the chunks that came with the head are well-formed, and the handshake is one that
    /// the head may begin. Where they are not, the whole request is none, and nothing of it goes
    /// out.
    fn is_sound(&mut self) -> bool {
        let (Some(stream), Some(side)) = (&mut self.http, &self.frontend.shared.http) else {
            return true;
        };
        let request = &mut stream.request;
        let bytes = request.buffer.bytes();
        // What would begin HTTP/2 is no method (RFC 9113, 11.6).
        let begins_h2 = request.head.method() == Method::Other
            && request.head.method_span().of(bytes) == b"PRI";
        let sound = !begins_h2
            && Reading::is_sound(request.head.body(), &side.rules, request.waiting())
            && websocket::is_sound_request(&request.head, request.buffer.bytes());
        request.whole = sound;
        sound
    }

    /// Whether the client speaks HTTP/1.1.
    pub(super) fn client_is_11(&self) -> bool {
        self.http
            .as_ref()
            .is_none_or(|stream| stream.request.head.version() == Version::HTTP_11)
    }

    /// Whether the answer to this request has a body.
    pub(super) fn answers_head(&self) -> bool {
        self.http
            .as_ref()
            .is_some_and(|stream| stream.request.head.method() == Method::Head)
    }
}
