//! Bodies on their way: what one side sent is read by its framing and written to the other.

use std::io::IoSlice;

use isthmus_proto::http1::Error;
use isthmus_sockets::Moved;

use super::body::{Reading, Taken, Writing};
use super::response::Awaited;
use super::service::Next;
use super::stream::Stream;
use crate::flow::{Flow, Flushed, Pumped};
use crate::session::Session;
use crate::transport::Transport;
use crate::worker::{Step, Worker};

/// Reads of one direction in one turn, so that one session can't starve the others.
pub(super) const SHARE: usize = 16;
/// Bytes read at once of a client's chunked body: what comes behind its end has to fit into the
/// buffer of the next head.
pub(super) const CHUNKED_READ: usize = 8 * 1024;

/// Where the next bytes of a body are.
pub(super) enum Input {
    /// They came with the head.
    Buffer,
    /// So many were read into the worker's buffer.
    Read(usize),
    /// There are none now, for this reason.
    None(Pumped),
}

impl Worker {
    /// The request's body.
    pub(super) fn pump_request(&mut self, session: &mut Session) -> Result<Pumped, Step> {
        for _ in 0..SHARE {
            let pumped = match self.request_input(session) {
                Input::None(pumped) => return Ok(pumped),
                input => self.pass_request(session, &input)?,
            };
            if pumped == Pumped::DestinationBroken {
                // The server takes no more; it may have answered all the same.
                session.stream().spent = true;
                return Ok(Pumped::Idle);
            }
        }
        Ok(Pumped::More)
    }

    fn request_input(&mut self, session: &mut Session) -> Input {
        let allowed = session.may_send(self.turn.now);
        let Session {
            http: Some(stream),
            server: Some(server),
            client,
            up,
            ..
        } = session
        else {
            return Input::None(Pumped::Idle);
        };
        match up.flush(server) {
            Flushed::Clean => {}
            Flushed::Blocked => return Input::None(Pumped::Idle),
            Flushed::Broken => {
                stream.spent = true;
                return Input::None(Pumped::Idle);
            }
        }
        let request = &stream.request;
        if request.reading.is_done() {
            return Input::None(Pumped::Idle);
        }
        if request.waiting_len() > 0 {
            return Input::Buffer;
        }
        let most = match request.reading.left() {
            Some(left) => usize::try_from(left).unwrap_or(usize::MAX),
            None => CHUNKED_READ,
        };
        if allowed == 0 {
            return Input::None(Pumped::Idle);
        }
        let size = most.min(self.scratch.len()).min(allowed);
        let read = read(up, client, self.scratch.get_mut(..size).unwrap_or_default());
        if let Input::Read(count) = read {
            stream.replayable = false;
            up.bytes += count as u64;
            if let Some(limits) = &mut stream.limits {
                limits.up.pass(count);
            }
            session.client_active = self.turn.now;
        }
        read
    }

    fn pass_request(&mut self, session: &mut Session, input: &Input) -> Result<Pumped, Step> {
        if session
            .http
            .as_deref()
            .is_some_and(|s| s.request_filter.is_some())
        {
            return self.pass_filtered_request(session, input);
        }
        let Session {
            http: Some(stream),
            server: Some(server),
            up,
            ..
        } = session
        else {
            return Ok(Pumped::Idle);
        };
        let (request, writing) = (&mut stream.request, stream.request_writing);
        let made = &mut self.made;
        let passed = if let Input::Read(count) = input {
            let bytes = self.scratch.get_mut(..*count).unwrap_or_default();
            let passed = pass(&mut request.reading, writing, bytes, made, up, server);
            if let Ok(passed) = &passed {
                // What is left over begins the next request.
                let ahead = bytes.get(passed.took.used..).unwrap_or_default();
                if !ahead.is_empty() {
                    request.buffer.push(ahead);
                }
            }
            passed
        } else {
            let bytes = request.buffer.bytes_mut().get_mut(request.taken..);
            let bytes = bytes.unwrap_or_default();
            let passed = pass(&mut request.reading, writing, bytes, made, up, server);
            request.taken += passed.as_ref().map_or(0, |passed| passed.took.used);
            passed
        };
        match passed {
            Ok(passed) => {
                session.note_sent_to_server(self.turn.now);
                Ok(passed.pumped)
            }
            Err(error) => Err(self.request_body_is_bad(session, error.kind.status())),
        }
    }

    /// A part of a request's body that goes through a filter.
    fn pass_filtered_request(
        &mut self,
        session: &mut Session,
        input: &Input,
    ) -> Result<Pumped, Step> {
        let strain = self.compression_strain(&session.frontend.generation);
        let Session {
            http: Some(stream),
            server: Some(server),
            up,
            ..
        } = session
        else {
            return Ok(Pumped::Idle);
        };
        let Some(filter) = &mut stream.request_filter else {
            return Ok(Pumped::Idle);
        };
        filter.strain(strain);
        let request = &mut stream.request;
        let used = match input {
            Input::Read(count) => {
                let bytes = self.scratch.get_mut(..*count).unwrap_or_default();
                let used = filter.pass(&mut request.reading, bytes);
                // What is left over begins the next request.
                let ahead = used.as_ref().ok().and_then(|used| bytes.get(*used..));
                if let Some(ahead) = ahead.filter(|ahead| !ahead.is_empty()) {
                    request.buffer.push(ahead);
                }
                used
            }
            _ => {
                let bytes = request.buffer.bytes_mut().get_mut(request.taken..);
                let used = filter.pass(&mut request.reading, bytes.unwrap_or_default());
                request.taken += used.as_ref().map_or(0, |used| *used);
                used
            }
        };
        if let Err(error) = used {
            return Err(self.request_body_is_bad(session, error.kind.status()));
        }
        let pumped = up.write_pieces(server, &[IoSlice::new(&filter.out)]);
        session.note_sent_to_server(self.turn.now);
        self.count_coded_request(session);
        Ok(pumped)
    }

    /// The response: its head, then its body.
    pub(super) fn pump_response(&mut self, session: &mut Session) -> Result<Pumped, Step> {
        if !session.http.as_deref().is_some_and(|s| s.answered) {
            let pumped = if session.answers_itself() {
                self.write_own(session)?
            } else {
                match self.await_response(session) {
                    Awaited::Written(pumped) => pumped,
                    Awaited::Nothing => return Ok(Pumped::Idle),
                    Awaited::Turned(step) => return Err(step),
                }
            };
            if pumped != Pumped::Idle {
                return Ok(pumped);
            }
        }
        for _ in 0..SHARE {
            let pumped = match self.response_input(session) {
                Input::None(pumped) => return Ok(pumped),
                input => self.pass_response(session, &input),
            };
            if pumped != Pumped::Idle {
                return Ok(pumped);
            }
        }
        Ok(Pumped::More)
    }

    fn response_input(&mut self, session: &mut Session) -> Input {
        let allowed = session.may_receive(self.turn.now);
        let Session {
            http: Some(stream),
            server,
            client,
            down,
            ..
        } = session
        else {
            return Input::None(Pumped::Idle);
        };
        match down.flush(client) {
            Flushed::Clean => {}
            Flushed::Blocked => return Input::None(Pumped::Idle),
            Flushed::Broken => return Input::None(Pumped::DestinationBroken),
        }
        let response = &mut stream.response;
        if response.reading.is_done() {
            return Input::None(Pumped::Idle);
        }
        if response.waiting_len() > 0 {
            return Input::Buffer;
        }
        if allowed == 0 {
            return Input::None(Pumped::Idle);
        }
        let size = allowed.min(self.scratch.len());
        let space = self.scratch.get_mut(..size).unwrap_or_default();
        let Some(server) = server else {
            return own_input(stream, space);
        };
        let read = read(down, server, space);
        match read {
            Input::Read(count) => {
                stream.limit_response(count);
                session.server_active = self.turn.now;
            }
            // A body without a length ends like this.
            Input::None(Pumped::SourceBroken) if down.ended && response.reading.end() => {
                return Input::None(Pumped::Idle);
            }
            _ => {}
        }
        read
    }

    fn pass_response(&mut self, session: &mut Session, input: &Input) -> Pumped {
        if session.http.as_deref().is_some_and(|s| s.filter.is_some()) {
            return self.pass_filtered(session, input);
        }
        let Session {
            http: Some(stream),
            client,
            down,
            ..
        } = session
        else {
            return Pumped::Idle;
        };
        let (response, writing) = (&mut stream.response, stream.response_writing);
        let made = &mut self.made;
        let (passed, given) = if let Input::Read(count) = input {
            let bytes = self.scratch.get_mut(..*count).unwrap_or_default();
            let passed = pass(&mut response.reading, writing, bytes, made, down, client);
            (passed, *count)
        } else {
            let given = response.waiting_len();
            let bytes = response.buffer.bytes_mut().get_mut(response.taken..);
            let bytes = bytes.unwrap_or_default();
            let passed = pass(&mut response.reading, writing, bytes, made, down, client);
            response.taken += passed.as_ref().map_or(0, |passed| passed.took.used);
            (passed, given)
        };
        let Ok(passed) = passed else {
            session.end(b'P', b'D');
            return Pumped::SourceBroken;
        };
        // What nobody asked for spoils the connection.
        stream.spent |= passed.took.used < given;
        down.bytes += passed.written as u64;
        session.client_active = self.turn.now;
        passed.pumped
    }
}

impl Worker {
    /// A part of a response's body that goes through a filter.
    fn pass_filtered(&mut self, session: &mut Session, input: &Input) -> Pumped {
        let strain = self.compression_strain(&session.frontend.generation);
        let Session {
            http: Some(stream),
            client,
            down,
            ..
        } = session
        else {
            return Pumped::Idle;
        };
        let Some(filter) = &mut stream.filter else {
            return Pumped::Idle;
        };
        filter.strain(strain);
        let response = &mut stream.response;
        let from_head = !matches!(input, Input::Read(_));
        let bytes = match input {
            Input::Read(count) => self.scratch.get_mut(..*count),
            _ => response.buffer.bytes_mut().get_mut(response.taken..),
        };
        let bytes = bytes.unwrap_or_default();
        let given = bytes.len();
        let Ok(used) = filter.pass(&mut response.reading, bytes) else {
            session.end(b'P', b'D');
            return Pumped::SourceBroken;
        };
        if from_head {
            response.taken += used;
        }
        // What nobody asked for spoils the connection.
        stream.spent |= used < given;
        down.bytes += filter.out.len() as u64;
        let pumped = down.write_pieces(client, &[IoSlice::new(&filter.out)]);
        session.client_active = self.turn.now;
        self.count_coded(session);
        pumped
    }
}

/// What became of a part of a body.
struct Passed {
    took: Taken,
    written: usize,
    pumped: Pumped,
}

/// Reads a part of a body and writes what comes of it.
fn pass(
    reading: &mut Reading,
    writing: Writing,
    bytes: &mut [u8],
    made: &mut Vec<u8>,
    flow: &mut Flow,
    to: &mut Transport,
) -> Result<Passed, Error> {
    made.clear();
    let took = reading.take(bytes, writing, made)?;
    let as_is = bytes.get(..took.as_is).unwrap_or_default();
    let pieces = [IoSlice::new(as_is), IoSlice::new(made)];
    let pumped = match (as_is.is_empty(), made.is_empty()) {
        (_, true) => flow.write_pieces(to, pieces.get(..1).unwrap_or_default()),
        (true, _) => flow.write_pieces(to, pieces.get(1..).unwrap_or_default()),
        _ => flow.write_pieces(to, &pieces),
    };
    Ok(Passed {
        took,
        written: as_is.len() + made.len(),
        pumped,
    })
}

/// What comes next of an answer that is no server's: a service's, or a cache's.
fn own_input(stream: &mut Stream, space: &mut [u8]) -> Input {
    let count = match (&mut stream.service, &mut stream.source) {
        (Some(service), _) => match service.read(space) {
            Next::Bytes(count) => count,
            Next::Later => return Input::None(Pumped::Idle),
            Next::Cut => 0,
        },
        (None, Some(source)) => source.read(space),
        (None, None) => 0,
    };
    if count == 0 {
        return Input::None(Pumped::SourceBroken);
    }
    stream.limit_response(count);
    Input::Read(count)
}

/// Receives from one end, and notes what that says about it.
pub(super) fn read(flow: &mut Flow, from: &mut Transport, space: &mut [u8]) -> Input {
    if !flow.readable {
        return Input::None(match flow.ended {
            true => Pumped::SourceBroken,
            false => Pumped::Idle,
        });
    }
    match from.receive(space) {
        Moved::Bytes(count) => {
            if count < space.len() {
                flow.readable = from.holds_end();
                flow.ended |= flow.closing;
            }
            Input::Read(count)
        }
        Moved::Later => {
            flow.readable = false;
            Input::None(Pumped::Idle)
        }
        Moved::End => {
            flow.readable = false;
            flow.ended = true;
            Input::None(Pumped::SourceBroken)
        }
        Moved::Broken(_) => {
            flow.readable = false;
            Input::None(Pumped::SourceBroken)
        }
    }
}
