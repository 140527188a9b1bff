//! What a stream's session writes, HTTP/1.1, on its way to become frames.

use isthmus_proto::http::Body;
use isthmus_proto::http1::{Exchange, Progress, ResponseHead, Rules};
use isthmus_proto::http2::{Connection, FieldSink, SendError};

use crate::http::{Reading, Writing};

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

/// How much of the response is written.
#[derive(Debug, Default)]
enum Stage {
    #[default]
    Head,
    Body,
    /// What follows goes out as it is.
    Tunnel,
    Over,
}

/// A response on its way to the codec.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    exchange: Exchange,
    stage: Stage,
    text: Vec<u8>,
    head: ResponseHead,
    reading: Reading,
    /// What the window had no room for.
    waiting: Vec<u8>,
    sent: usize,
    /// Trailers, as lines.
    trailers: Vec<u8>,
    /// Nothing follows what waits.
    ends: bool,
    /// The end is with the codec.
    ended: bool,
}

impl Outbound {
    /// The response to a request.
    pub(super) fn new(exchange: Exchange) -> Self {
        Self {
            exchange,
            ..Self::default()
        }
    }

    /// Whether all of the response is with the codec.
    pub(super) fn is_over(&self) -> bool {
        self.ended
    }

    /// Whether anything waits for the stream's window.
    pub(super) fn holds(&self) -> bool {
        self.sent < self.waiting.len() || (self.ends && !self.ended)
    }

    /// Whether what is written goes out as it is.
    pub(super) fn is_tunnel(&self) -> bool {
        matches!(self.stage, Stage::Tunnel)
    }

    /// Whether more may be written now.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() - self.sent < MOST
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
                    if !behind.is_empty() || matches!(self.stage, Stage::Head) {
                        self.write(id, codec, behind)?;
                    }
                    self.recycle(text);
                    return self.flush(id, codec);
                }
                Stage::Body => {
                    let used = self.read_body(rest)?;
                    rest = rest.get(used..).unwrap_or_default();
                    if rest.is_empty() || used == 0 {
                        return self.flush(id, codec);
                    }
                }
                Stage::Tunnel => {
                    self.waiting.extend_from_slice(rest);
                    return self.flush(id, codec);
                }
                Stage::Over => return Ok(()),
            }
        }
    }

    fn recycle(&mut self, mut text: Vec<u8>) {
        text.clear();
        if self.text.is_empty() && matches!(self.stage, Stage::Head) {
            self.text = text;
        }
    }

    /// Where the body begins, once the head is whole and sent.
    fn read_head(&mut self, id: u32, codec: &mut Connection) -> Result<Option<usize>, Unsendable> {
        if self.text.is_empty() {
            return Ok(None);
        }
        // What the session was let through is not judged a second time.
        let rules = Rules {
            head: u32::MAX,
            fields: u32::MAX,
            accept_unsafe: true,
            ..Rules::default()
        };
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
        let interim = self.head.is_interim();
        let end = body == Body::None && !interim;
        let (head, text) = (&self.head, &self.text);
        codec.send_response(id, status, end, |sink| {
            for field in head.fields().as_slice() {
                sink.field(field.name.of(text), field.value.of(text));
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
    fn read_body(&mut self, bytes: &[u8]) -> Result<usize, Unsendable> {
        let mut input = bytes.to_vec();
        let before = self.waiting.len();
        let taken = self
            .reading
            .take(&mut input, Writing::Data, &mut self.waiting);
        let taken = taken.map_err(|_| Unsendable)?;
        if taken.as_is > 0 {
            let as_is = input.get(..taken.as_is).unwrap_or_default();
            self.waiting.extend_from_slice(as_is);
        }
        if taken.trailers > 0 {
            let at = self
                .waiting
                .len()
                .saturating_sub(taken.trailers)
                .max(before);
            self.trailers = self.waiting.split_off(at);
        }
        if self.reading.is_done() {
            self.stage = Stage::Over;
            self.ends = true;
        }
        Ok(taken.used)
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
        let trailers = trailer_lines(&self.trailers);
        let waiting = self.waiting.get(self.sent..).unwrap_or_default();
        let end = self.ends && trailers.clone().next().is_none();
        if !waiting.is_empty() || (end && !self.ended) {
            let taken = codec.send_data(id, waiting, end)?;
            self.ended |= end && taken == waiting.len();
            self.sent += taken;
        }
        if self.sent < self.waiting.len() {
            return Ok(());
        }
        self.waiting.clear();
        self.sent = 0;
        if self.ends && !self.ended {
            codec.send_trailers(id, |sink| add_lines(trailer_lines(&self.trailers), sink))?;
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
