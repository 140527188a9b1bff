//! An exchange at work: the request's body up, the response down, until both are over.

use std::io::IoSlice;

use isthmus_proto::http::Body;
use isthmus_sockets::{Moved, receive};

use super::response::Awaited;
use super::stream::Answerer;
use crate::forward::{Flushed, Pumped};
use crate::session::Session;
use crate::worker::{Step, Worker};

/// Reads of one direction in one turn, so that one session can't starve the others.
const SHARE: usize = 16;
/// Bytes read at once of a client's chunked body: what comes behind its end has to fit into the
/// buffer of the next head.
const CHUNKED_READ: usize = 8 * 1024;

impl Worker {
    /// Moves what can be moved, both ways.
    pub(crate) fn exchange(&mut self, session: &mut Session) -> Step {
        if std::mem::take(&mut session.timed_out) {
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
        if up == Pumped::More || down == Pumped::More {
            self.busy.push(session.key);
        }
        Step::Wait
    }

    /// The request's body.
    fn pump_request(&mut self, session: &mut Session) -> Result<Pumped, Step> {
        for _ in 0..SHARE {
            let Session {
                http: Some(stream),
                server: Some(server),
                client,
                up,
                ..
            } = session
            else {
                return Ok(Pumped::Idle);
            };
            match up.flush(server) {
                Flushed::Clean => {}
                Flushed::Blocked => return Ok(Pumped::Idle),
                // The server takes no more; it may have answered all the same.
                Flushed::Broken => {
                    stream.spent = true;
                    return Ok(Pumped::Idle);
                }
            }
            let request = &mut stream.request;
            if request.reading.is_done() {
                return Ok(Pumped::Idle);
            }
            self.made.clear();
            let writing = stream.request_writing;
            let (input, from_buffer) = if request.waiting_len() > 0 {
                let taken = request.taken;
                (
                    request
                        .buffer
                        .bytes_mut()
                        .get_mut(taken..)
                        .unwrap_or_default(),
                    true,
                )
            } else if up.readable {
                let most = match request.reading.left() {
                    Some(left) => usize::try_from(left).unwrap_or(usize::MAX),
                    None => CHUNKED_READ,
                };
                let size = most.min(self.scratch.len());
                let space = self.scratch.get_mut(..size).unwrap_or_default();
                let count = match receive(&*client, space) {
                    Moved::Bytes(count) => count,
                    Moved::Later => {
                        up.readable = false;
                        return Ok(Pumped::Idle);
                    }
                    Moved::End | Moved::Broken(_) => {
                        up.readable = false;
                        up.ended = true;
                        return Ok(Pumped::SourceBroken);
                    }
                };
                if count < size {
                    up.readable = false;
                    up.ended |= up.closing;
                }
                stream.replayable = false;
                up.bytes += count as u64;
                session.client_active = self.turn.now;
                (space.get_mut(..count).unwrap_or_default(), false)
            } else if up.ended {
                return Ok(Pumped::SourceBroken);
            } else {
                return Ok(Pumped::Idle);
            };
            let took = match request.reading.take(input, writing, &mut self.made) {
                Ok(took) => took,
                Err(error) => return Err(self.request_body_is_bad(session, error.kind.status())),
            };
            let as_is = input.get(..took.as_is).unwrap_or_default();
            let pieces = [IoSlice::new(as_is), IoSlice::new(&self.made)];
            let wrote = up.write_pieces(server, &pieces);
            session.server_active = self.turn.now;
            let ahead = match from_buffer {
                true => Vec::new(),
                false => input.get(took.used..).unwrap_or_default().to_vec(),
            };
            if from_buffer {
                request.taken += took.used;
            } else if !ahead.is_empty() {
                // The next request has begun: it stands behind all that is done with.
                request.buffer.push(&ahead);
            }
            if wrote == Pumped::DestinationBroken {
                stream.spent = true;
                return Ok(Pumped::Idle);
            }
        }
        Ok(Pumped::More)
    }

    /// The response: its head, then its body.
    fn pump_response(&mut self, session: &mut Session) -> Result<Pumped, Step> {
        if !session.http.as_deref().is_some_and(|s| s.answered) {
            if session.answers_itself() {
                let body = Body::None;
                match self.write_response(session, body) {
                    Pumped::Idle => {}
                    other => return Ok(other),
                }
            } else {
                match self.await_response(session) {
                    Awaited::Written(Pumped::Idle) => {}
                    Awaited::Written(other) => return Ok(other),
                    Awaited::Nothing => return Ok(Pumped::Idle),
                    Awaited::Turned(step) => return Err(step),
                }
            }
        }
        for _ in 0..SHARE {
            let Session {
                http: Some(stream),
                server,
                client,
                down,
                ..
            } = session
            else {
                return Ok(Pumped::Idle);
            };
            match down.flush(client) {
                Flushed::Clean => {}
                Flushed::Blocked => return Ok(Pumped::Idle),
                Flushed::Broken => return Ok(Pumped::DestinationBroken),
            }
            let response = &mut stream.response;
            if response.reading.is_done() {
                return Ok(Pumped::Idle);
            }
            self.made.clear();
            let writing = stream.response_writing;
            let (input, from_buffer) = if response.waiting_len() > 0 {
                let taken = response.taken;
                (
                    response
                        .buffer
                        .bytes_mut()
                        .get_mut(taken..)
                        .unwrap_or_default(),
                    true,
                )
            } else {
                let Some(server) = server.as_ref().filter(|_| down.readable && !down.ended) else {
                    if down.ended && !response.reading.end() {
                        return Ok(Pumped::SourceBroken);
                    }
                    return Ok(Pumped::Idle);
                };
                let size = self.scratch.len();
                let space = &mut *self.scratch;
                let count = match receive(server, space) {
                    Moved::Bytes(count) => count,
                    Moved::Later => {
                        down.readable = false;
                        return Ok(Pumped::Idle);
                    }
                    Moved::End => {
                        down.readable = false;
                        down.ended = true;
                        continue;
                    }
                    Moved::Broken(_) => return Ok(Pumped::SourceBroken),
                };
                if count < size {
                    down.readable = false;
                    down.ended |= down.closing;
                }
                session.server_active = self.turn.now;
                (space.get_mut(..count).unwrap_or_default(), false)
            };
            let Ok(took) = response.reading.take(input, writing, &mut self.made) else {
                session.end(b'P', b'D');
                return Ok(Pumped::SourceBroken);
            };
            // What nobody asked for spoils the connection.
            stream.spent |= took.used < input.len() && response.reading.is_done();
            let as_is = input.get(..took.as_is).unwrap_or_default();
            down.bytes += (as_is.len() + self.made.len()) as u64;
            let pieces = [IoSlice::new(as_is), IoSlice::new(&self.made)];
            let wrote = down.write_pieces(client, &pieces);
            session.client_active = self.turn.now;
            if from_buffer {
                response.taken += took.used;
            }
            if wrote == Pumped::DestinationBroken {
                return Ok(wrote);
            }
        }
        Ok(Pumped::More)
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

    /// Whether all of the response is on its way to the client, and all of the request on its way
    /// to the server, or never will be.
    fn response_is_over(&self) -> bool {
        let Some(stream) = self.http.as_deref() else {
            return false;
        };
        let sends = stream.answerer == Answerer::Server
            && !stream.request.reading.is_done()
            && !(stream.close || self.down.ended || self.down.closing || stream.spent);
        let over = stream.answered && stream.response.reading.is_done();
        over && self.down.is_flushed() && (!sends || stream.is_tunnel())
    }

    /// When the client has been silent, or has taken nothing, for too long.
    pub(crate) fn exchange_client_deadline(&self) -> u64 {
        let Some(stream) = self.http.as_deref() else {
            return u64::MAX;
        };
        let sends = !stream.request.reading.is_done() && self.up.is_flushed();
        if !(sends && stream.answerer == Answerer::Server) && self.down.is_flushed() {
            return u64::MAX;
        }
        let limit = self.frontend.shared.plan.timeout_client;
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
        let awaited = stream.request.reading.is_done() && self.down.is_flushed() && !over;
        if !awaited && self.up.is_flushed() {
            return u64::MAX;
        }
        let limit = self
            .backend
            .as_ref()
            .and_then(|b| b.shared.plan.timeout_server);
        limit.map_or(u64::MAX, |limit| self.server_active.saturating_add(limit))
    }
}
