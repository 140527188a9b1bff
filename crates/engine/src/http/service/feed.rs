//! The request's body on its way to a service: as much as it has room for, and no more.

use isthmus_proto::http1::Error;

use super::Serving;
use crate::flow::Pumped;
use crate::http::body::{Reading, Writing};
use crate::http::pump::{CHUNKED_READ, Input, SHARE, read};
use crate::http::stream::Stream;
use crate::session::Session;
use crate::worker::{Step, Worker};

/// Bytes of a body that no service reads, before the connection is closed instead.
const MOST_SPILLED: u64 = 16 * 1024 * 1024;

impl Worker {
    /// Moves what can be moved.
    pub(super) fn feed(&mut self, session: &mut Session) -> Result<Pumped, Step> {
        for _ in 0..SHARE {
            match self.service_input(session) {
                Input::None(pumped) => return Ok(pumped),
                input => self.feed_from(session, &input)?,
            }
        }
        Ok(Pumped::More)
    }

    fn service_input(&mut self, session: &mut Session) -> Input {
        let allowed = session.may_send(self.turn.now);
        let Session {
            http: Some(stream),
            client,
            up,
            ..
        } = session
        else {
            return Input::None(Pumped::Idle);
        };
        let Some(serving) = &mut stream.service else {
            return Input::None(Pumped::Idle);
        };
        let request = &stream.request;
        if request.reading.is_done() {
            if !std::mem::replace(&mut serving.told, true) {
                serving.channel.put(b"", true);
            }
            return Input::None(Pumped::Idle);
        }
        let room = match serving.channel.is_deaf() {
            true => usize::MAX,
            false => serving.channel.room(),
        };
        if room == 0 || allowed == 0 {
            return Input::None(Pumped::Idle);
        }
        if request.waiting_len() > 0 {
            return Input::Buffer;
        }
        let invites = serving.channel.wants();
        let most = match request.reading.left() {
            Some(left) => usize::try_from(left).unwrap_or(usize::MAX),
            None => CHUNKED_READ,
        };
        if invites {
            stream.invite(client);
        }
        let size = most.min(self.scratch.len()).min(allowed).min(room);
        let read = read(up, client, self.scratch.get_mut(..size).unwrap_or_default());
        if let Input::Read(count) = read {
            up.bytes += count as u64;
            if let Some(limits) = &mut stream.limits {
                limits.up.pass(count);
            }
            session.client_active = self.turn.now;
        }
        read
    }

    fn feed_from(&mut self, session: &mut Session, input: &Input) -> Result<(), Step> {
        let Some(stream) = session.http.as_deref_mut() else {
            return Err(Step::Close);
        };
        let Stream {
            request, service, ..
        } = stream;
        let (reading, made) = (&mut request.reading, &mut self.made);
        let taken = if let Input::Read(count) = input {
            let bytes = self.scratch.get_mut(..*count).unwrap_or_default();
            let taken = hand_over(reading, bytes, made, service.as_deref_mut());
            if let Ok(used) = taken {
                // What is left over begins the next request.
                request.buffer.push(bytes.get(used..).unwrap_or_default());
            }
            taken
        } else {
            let bytes = request.buffer.bytes_mut().get_mut(request.taken..);
            let taken = hand_over(
                reading,
                bytes.unwrap_or_default(),
                made,
                service.as_deref_mut(),
            );
            request.taken += *taken.as_ref().unwrap_or(&0);
            taken
        };
        match taken {
            Ok(_) => Ok(()),
            Err(error) => Err(self.request_body_is_bad(session, error.kind.status())),
        }
    }
}

/// Reads a part of a body and gives its data to the service; says how much of it was read.
fn hand_over(
    reading: &mut Reading,
    bytes: &mut [u8],
    made: &mut Vec<u8>,
    serving: Option<&mut Serving>,
) -> Result<usize, Error> {
    made.clear();
    let took = reading.take(bytes, Writing::Plain, made)?;
    let data = match took.as_is {
        0 => &made[..],
        count => bytes.get(..count).unwrap_or_default(),
    };
    if let Some(serving) = serving {
        if serving.channel.is_deaf() {
            serving.spilled += data.len() as u64;
        } else {
            serving.channel.put(data, reading.is_done());
            serving.told |= reading.is_done();
        }
    }
    Ok(took.used)
}

impl Session {
    /// Whether nothing of the request's body is left to be thrown away. Where that would be too
    /// much, the connection is to be closed instead. A stream's client is told that no more is
    /// wanted (RFC 9113, 8.1), which costs nobody a connection.
    pub(super) fn leaves_no_body(&mut self) -> bool {
        let is_stream = self.client.is_stream();
        let Some(stream) = self.http.as_deref_mut() else {
            return true;
        };
        let spilled = stream.service.as_ref().map_or(0, |s| s.spilled);
        let done = stream.request.reading.is_done();
        if !done
            && stream
                .service
                .as_ref()
                .is_some_and(|s| !s.channel.is_deaf())
        {
            // All is answered, and the service goes on reading: let it.
            return stream.close;
        }
        stream.close |= !done && (is_stream || spilled > MOST_SPILLED);
        done || stream.close
    }
}
