//! What a stream's session writes, HTTP/1.1, on its way to become frames.

use std::rc::Rc;

use isthmus_proto::http::Body;
use isthmus_proto::http1::{Exchange, Progress, ResponseHead, Rules};
use isthmus_proto::http2::{Connection, FieldSink, SendError};

use super::asking::trusting;
use super::secrets::{Secrets, put};
use crate::http::{Reading, Writing};
use crate::pending::Pending;

/// Bytes of a body that may wait for the stream's window.
const MOST: usize = 64 * 1024;

/// The text is not what a session writes; or the stream is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unsendable;

impl From<SendError> for Unsendable {
    fn from(_: SendError) -> Self {
        Self
    }
}

/// How much is written.
#[derive(Debug, Default)]
enum Stage {
    #[default]
    Head,
    Body,
    /// What follows goes out as it is.
    Tunnel,
    Over,
}

/// A response, or the body of a request, on its way to the codec.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    exchange: Exchange,
    stage: Stage,
    text: Vec<u8>,
    head: ResponseHead,
    reading: Reading,
    /// What the window had no room for.
    waiting: Pending,
    /// Trailers, as lines.
    trailers: Vec<u8>,
    /// Nothing follows what waits.
    ends: bool,
    /// The end is with the codec.
    ended: bool,
    /// Fields that are to be in no table.
    secrets: Option<Rc<Secrets>>,
}

impl Outbound {
    /// The response to a request.
    pub(super) fn response(exchange: Exchange) -> Self {
        Self {
            exchange,
            ..Self::default()
        }
    }

    /// What follows a request's head, which the codec has; `end` says that it has the end, too.
    pub(super) fn body(body: Body, end: bool, rules: &Rules) -> Self {
        Self {
            stage: match end {
                true => Stage::Over,
                false => Stage::Body,
            },
            reading: Reading::of(body, rules),
            ends: end,
            ended: end,
            ..Self::default()
        }
    }

    /// What a tunnel carries, behind the head that the codec has.
    pub(super) fn tunnel() -> Self {
        Self {
            stage: Stage::Tunnel,
            ..Self::default()
        }
    }

    /// Keeps fields of what is written from now on out of tables.
    pub(super) fn conceal(&mut self, secrets: Rc<Secrets>) {
        self.secrets = Some(secrets);
    }

    /// Whether all of it is with the codec.
    pub(super) fn is_over(&self) -> bool {
        self.ended
    }

    /// Whether anything waits for the stream's window.
    pub(super) fn holds(&self) -> bool {
        !self.waiting.is_empty() || (self.ends && !self.ended)
    }

    /// Whether what is written goes out as it is.
    pub(super) fn is_tunnel(&self) -> bool {
        matches!(self.stage, Stage::Tunnel)
    }

    /// Whether more may be written now.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < MOST
    }

    /// Takes what a session writes.
    pub(super) fn write(
        &mut self,
        id: u32,
        codec: &mut Connection,
        bytes: &[u8],
    ) -> Result<(), Unsendable> {
        let mut rest = bytes;
        loop {
            match self.stage {
                Stage::Head => {
                    self.text.extend_from_slice(rest);
                    let Some(behind) = self.read_head(id, codec)? else {
                        return Ok(());
                    };
                    let text = std::mem::take(&mut self.text);
                    let behind = text.get(behind..).unwrap_or_default();
                    if !behind.is_empty() {
                        self.write(id, codec, behind)?;
                    }
                    return self.flush(id, codec);
                }
                Stage::Body => {
                    let used = self.read_body(id, codec, rest)?;
                    rest = rest.get(used..).unwrap_or_default();
                    if rest.is_empty() || used == 0 {
                        return self.flush(id, codec);
                    }
                }
                Stage::Tunnel => {
                    return self.pass(id, codec, rest);
                }
                Stage::Over => return Ok(()),
            }
        }
    }

    /// Where the body begins, once the head is whole and sent.
    fn read_head(&mut self, id: u32, codec: &mut Connection) -> Result<Option<usize>, Unsendable> {
        if self.text.is_empty() {
            return Ok(None);
        }
        let rules = trusting();
        let length = match self.head.read(&mut self.text, &rules) {
            Ok(Progress::Complete(length)) => length,
            Ok(Progress::Incomplete) => return Ok(None),
            Err(_) => return Err(Unsendable),
        };
        let body = self.head.body(self.exchange).map_err(|_| Unsendable)?;
        let status = match self.head.status() {
            // RFC 8441, 5: success is what a tunnel's opening is told by.
            101 => 200,
            status => status,
        };
        // Over HTTP/2 nobody has to prove that a key was seen (RFC 8441, 5).
        let proof: &[u8] = match self.head.status() {
            101 => b"sec-websocket-accept",
            _ => b"",
        };
        let interim = self.head.is_interim();
        let end = body == Body::None && !interim;
        let (head, text, secrets) = (&self.head, &self.text, self.secrets.as_deref());
        codec.send_response(id, status, end, |sink| {
            for field in head.fields().as_slice() {
                let name = field.name.of(text);
                if name != proof {
                    put(secrets, sink, (name, field.value.of(text)));
                }
            }
        })?;
        self.head.clear();
        if !interim {
            self.reading = Reading::of(body, &rules);
            self.stage = match body {
                Body::None => Stage::Over,
                Body::Tunnel => Stage::Tunnel,
                _ => Stage::Body,
            };
            self.ends = end;
            self.ended = end;
        }
        Ok(Some(length))
    }

    /// Takes a part of the body: how many bytes that was.
    fn read_body(
        &mut self,
        id: u32,
        codec: &mut Connection,
        bytes: &[u8],
    ) -> Result<usize, Unsendable> {
        let used = if let Some(count) = self.reading.take_plain(bytes.len()) {
            let data = bytes.get(..count).unwrap_or_default();
            self.ends = self.reading.is_done();
            self.pass(id, codec, data)?;
            count
        } else {
            let mut made = Vec::new();
            let taken = self
                .reading
                .take(&mut bytes.to_vec(), Writing::Data, &mut made)
                .map_err(|_| Unsendable)?;
            self.trailers = made.split_off(made.len().saturating_sub(taken.trailers));
            self.ends = self.reading.is_done();
            self.pass(id, codec, &made)?;
            taken.used
        };
        if self.reading.is_done() {
            self.stage = Stage::Over;
        }
        Ok(used)
    }

    /// Gives the codec data, behind what waits; what finds no room waits, too.
    fn pass(&mut self, id: u32, codec: &mut Connection, data: &[u8]) -> Result<(), Unsendable> {
        let taken = match self.waiting.is_empty() && !data.is_empty() {
            true => self.give(id, codec, data)?,
            false => 0,
        };
        self.waiting.push(data.get(taken..).unwrap_or_default());
        self.flush(id, codec)
    }

    /// Gives the codec data, and the end with the last of it, unless trailers bring that.
    fn give(&mut self, id: u32, codec: &mut Connection, data: &[u8]) -> Result<usize, Unsendable> {
        let end = self.ends && trailer_lines(&self.trailers).next().is_none();
        let taken = codec.send_data(id, data, end)?;
        self.ended |= end && taken == data.len();
        Ok(taken)
    }

    /// The session writes no more.
    pub(super) fn finish(&mut self, id: u32, codec: &mut Connection) -> Result<(), Unsendable> {
        let whole = matches!(self.stage, Stage::Tunnel | Stage::Over) || self.reading.end();
        if !whole {
            return Err(Unsendable);
        }
        self.stage = Stage::Over;
        self.ends = true;
        self.flush(id, codec)
    }

    /// Gives the codec what it has room for.
    pub(super) fn flush(&mut self, id: u32, codec: &mut Connection) -> Result<(), Unsendable> {
        let waiting = std::mem::take(&mut self.waiting);
        let outcome = match waiting.is_empty() {
            true => Ok(0),
            false => self.give(id, codec, waiting.as_slice()),
        };
        self.waiting = waiting;
        self.waiting.consume(outcome?);
        if !self.waiting.is_empty() {
            return Ok(());
        }
        if self.ends && !self.ended {
            match trailer_lines(&self.trailers).next() {
                None => codec.send_data(id, b"", true).map(drop)?,
                Some(_) => {
                    let lines = || trailer_lines(&self.trailers);
                    codec.send_trailers(id, |sink| add_lines(lines(), sink))?;
                }
            }
            self.ended = true;
        }
        Ok(())
    }
}

/// Names and values of the lines behind the last chunk.
fn trailer_lines(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
    text.split(|byte| *byte == b'\n').filter_map(|line| {
        let at = line.iter().position(|byte| *byte == b':')?;
        let value = line.get(at + 1..)?.trim_ascii();
        Some((line.get(..at)?, value))
    })
}

fn add_lines<'a>(lines: impl Iterator<Item = (&'a [u8], &'a [u8])>, sink: &mut FieldSink<'_>) {
    for (name, value) in lines {
        sink.field(name, value);
    }
}
