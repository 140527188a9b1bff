//! HEADERS and CONTINUATION in (RFC 9113, 4.3, 6.2, 6.10 and 8.1).

use super::connection::Connection;
use super::fault::Fault;
use super::frame::{FrameHead, flag};
use super::guard::Cost;
use super::head::Part;
use super::receive::{Reading, Signal, Step};
use super::streams::{Closed, Inbound, Outbound, Stream};
use crate::http::Method;

/// What a head pays back of control frames.
const HEAD_EARNS: i32 = 10;

/// A block of which not all frames have come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Continued {
    /// Its HEADERS frame.
    pub first: FrameHead,
    /// How many CONTINUATION frames came.
    frames: u32,
    /// Its stream depends on itself.
    on_itself: bool,
}

/// Where a block belongs to.
enum Whose {
    /// The first of a stream that the peer opens.
    New,
    /// A stream that is open.
    Open(Stream),
    /// Nobody: decoded for the table's sake.
    Nobody,
    /// A stream that cannot have one, which is reset.
    Wrong(Fault),
}

impl Connection {
    pub(super) fn begin_headers(&mut self, head: FrameHead) -> Result<Option<Signal>, Fault> {
        match (head.stream, self.server) {
            (0, _) => return Err(Fault::FrameStream),
            (stream, true) if stream & 1 == 0 => return Err(Fault::StreamId),
            (stream, false) if self.is_idle(stream) => return Err(Fault::IdleStream),
            _ => {}
        }
        self.begin_block(head.length)?;
        Ok(None)
    }

    pub(super) fn begin_continuation(&mut self, head: FrameHead) -> Result<Option<Signal>, Fault> {
        let Some(continued) = &mut self.continued else {
            return Err(Fault::Continuation);
        };
        continued.frames += 1;
        let limit = self.limits.continuations;
        if limit > 0 && continued.frames > limit {
            return Err(Fault::BlockTooLarge);
        }
        // A fragment this short is there to make work only.
        if head.length < 1024 && !head.has(flag::END_HEADERS) {
            self.guard.glitch()?;
        }
        self.begin_block(head.length)?;
        Ok(None)
    }

    fn begin_block(&mut self, length: u32) -> Result<(), Fault> {
        if self.block.len() + length as usize > self.limits.block as usize {
            return Err(Fault::BlockTooLarge);
        }
        self.reading = Reading::Block { left: length };
        Ok(())
    }

    /// A fragment. A block that is there whole is decoded where it is; others are gathered.
    pub(super) fn block(&mut self, left: u32, rest: &[u8]) -> Result<Step, Fault> {
        let frame = self.frame;
        let last = frame.has(flag::END_HEADERS);
        if let (None, true, true, Some(payload)) = (
            &self.continued,
            last,
            self.block.is_empty(),
            rest.get(..left as usize),
        ) {
            self.reading = Reading::Head;
            let signal = self.whole_frame(frame, payload)?;
            return Ok(Step::with(left as usize, signal));
        }
        let count = rest.len().min(left as usize);
        self.block
            .extend_from_slice(rest.get(..count).unwrap_or_default());
        let left = left - count as u32;
        self.reading = Reading::Block { left };
        if left > 0 {
            return Ok(match count {
                0 => Step::More,
                count => Step::Took(count),
            });
        }
        self.reading = Reading::Head;
        let signal = self.gathered(frame, last)?;
        Ok(Step::with(count, signal))
    }

    /// A frame of a block was gathered to its end.
    fn gathered(&mut self, frame: FrameHead, last: bool) -> Result<Option<Signal>, Fault> {
        let block = std::mem::take(&mut self.block);
        let signal = match (self.continued, last) {
            // HEADERS alone, which came in pieces.
            (None, true) => self.whole_frame(frame, &block)?,
            // The last CONTINUATION; what was around HEADERS is gone already.
            (Some(continued), true) => {
                self.continued = None;
                self.whole_block(continued, &block)?
            }
            (continued, false) => {
                self.block = block;
                if continued.is_none() {
                    self.continued = Some(Continued {
                        first: frame,
                        frames: 0,
                        on_itself: depends_on_itself(frame, &self.block),
                    });
                    self.strip_gathered(frame)?;
                }
                return Ok(None);
            }
        };
        self.block = block;
        self.block.clear();
        Ok(signal)
    }

    /// Takes padding and priority off a HEADERS frame that was gathered.
    fn strip_gathered(&mut self, frame: FrameHead) -> Result<(), Fault> {
        let fragment = fragment(frame, &self.block)?;
        let start = fragment.start;
        self.block.truncate(fragment.end);
        self.block.drain(..start);
        Ok(())
    }

    fn whole_frame(&mut self, frame: FrameHead, payload: &[u8]) -> Result<Option<Signal>, Fault> {
        let range = fragment(frame, payload)?;
        let block = payload.get(range).unwrap_or_default();
        let continued = Continued {
            first: frame,
            frames: 0,
            on_itself: depends_on_itself(frame, payload),
        };
        self.whole_block(continued, block)
    }

    /// A block is there whole.
    fn whole_block(&mut self, from: Continued, block: &[u8]) -> Result<Option<Signal>, Fault> {
        let frame = from.first;
        let whose = match self.whose(frame.stream)? {
            Whose::New | Whose::Open(_) if from.on_itself => Whose::Wrong(Fault::SelfDependency),
            whose => whose,
        };
        let part = match &whose {
            Whose::New => Part::Request,
            Whose::Open(stream) if stream.inbound == Inbound::Head => Part::Response,
            _ => Part::Trailers,
        };
        let (bytes, fields) = match &whose {
            Whose::Nobody | Whose::Wrong(_) => (0, 0),
            _ => (self.settings.max_header_list_size, self.limits.fields),
        };
        self.head.begin(part, bytes, fields);
        self.decoder
            .decode(block, &mut self.head)
            .map_err(|_| Fault::Compression)?;
        let judged = match whose {
            Whose::Nobody => {
                self.guard.spend(Cost::Control, 1)?;
                return Ok(None);
            }
            Whose::Wrong(fault) => Err(fault),
            Whose::New => self.request(frame),
            Whose::Open(stream) if part == Part::Response => self.response(frame, stream),
            Whose::Open(stream) => self.trailers(frame, stream),
        };
        match judged {
            Ok(()) => {
                self.guard.earn(Cost::Control, HEAD_EARNS);
                Ok(Some(Signal::Head {
                    stream: frame.stream,
                    end: frame.has(flag::END_STREAM),
                }))
            }
            Err(fault) => self.stream_error(frame.stream, fault).map(Some),
        }
    }

    fn whose(&mut self, id: u32) -> Result<Whose, Fault> {
        if let Some(stream) = self.streams.get(id) {
            return Ok(match stream.inbound {
                Inbound::Ended => Whose::Wrong(Fault::ClosedStream),
                Inbound::Tunnel => Whose::Wrong(Fault::Trailers),
                _ => Whose::Open(*stream),
            });
        }
        if self.server && self.is_idle(id) {
            self.last_peer = id;
            // Whatever was opened behind our GOAWAY is not answered (RFC 9113, 6.8).
            if self.goaway_sent.is_some() {
                self.streams.remember(id, Closed::ByUs);
                return Ok(Whose::Nobody);
            }
            return Ok(
                match self.streams.len() < self.settings.max_concurrent_streams as usize {
                    true => Whose::New,
                    false => Whose::Wrong(Fault::TooManyStreams),
                },
            );
        }
        match self.streams.closed(id) {
            Some(Closed::ByUs) => Ok(Whose::Nobody),
            Some(Closed::ByPeer) => Ok(Whose::Wrong(Fault::ClosedStream)),
            Some(Closed::Ended) => Err(Fault::ClosedStream),
            // A server sees one that was skipped (RFC 9113, 5.1.1); a client only what it opened,
            // and closed long ago.
            None if self.server => Err(Fault::StreamId),
            None => Ok(Whose::Nobody),
        }
    }

    fn request(&mut self, frame: FrameHead) -> Result<(), Fault> {
        self.head.finish(self.settings.connect_protocol)?;
        let end = frame.has(flag::END_STREAM);
        let connect = self.head.method() == Method::Connect;
        let expected = match connect {
            true => None,
            false => self.head.content_length(),
        };
        if end && expected.is_some_and(|length| length > 0) {
            return Err(Fault::ContentLength);
        }
        self.streams.open(Stream {
            id: frame.stream,
            inbound: match (end, connect) {
                (true, _) => Inbound::Ended,
                (false, true) => Inbound::Tunnel,
                (false, false) => Inbound::Body,
            },
            outbound: Outbound::Head,
            bodiless: self.head.method() == Method::Head,
            connect,
            send_window: self.peer.initial_window as i32,
            recv_window: self.initial_recv_window(),
            credit: 0,
            expected,
        });
        Ok(())
    }

    fn response(&mut self, frame: FrameHead, mut stream: Stream) -> Result<(), Fault> {
        self.head.finish(false)?;
        let end = frame.has(flag::END_STREAM);
        if self.head.part() == Part::Interim {
            return match end {
                true => Err(Fault::Interim),
                false => Ok(()),
            };
        }
        let status = self.head.status();
        let tunnel = stream.connect && (200..300).contains(&status);
        self.head.bodiless = stream.bodiless || tunnel;
        stream.expected = match stream.bodiless || matches!(status, 204 | 304) {
            true => Some(0),
            false if tunnel => None,
            false => self.head.content_length(),
        };
        if end && stream.expected.is_some_and(|length| length > 0) {
            return Err(Fault::ContentLength);
        }
        stream.inbound = match tunnel {
            true => Inbound::Tunnel,
            false => Inbound::Body,
        };
        if let Some(open) = self.streams.get(stream.id) {
            *open = stream;
        }
        if end {
            self.end_inbound(stream.id);
        }
        Ok(())
    }

    fn trailers(&mut self, frame: FrameHead, stream: Stream) -> Result<(), Fault> {
        if !frame.has(flag::END_STREAM) {
            return Err(Fault::Trailers);
        }
        self.head.finish(false)?;
        if stream.expected.is_some_and(|missing| missing > 0) {
            return Err(Fault::ContentLength);
        }
        self.end_inbound(stream.id);
        Ok(())
    }

    /// The window of a stream that is opened now: until the peer has acknowledged ours it may
    /// go by the default.
    pub(super) fn initial_recv_window(&self) -> i32 {
        match self.settings_acked {
            true => self.settings.initial_window as i32,
            false => super::settings::DEFAULT_WINDOW as i32,
        }
    }
}

/// Where the fragment of a HEADERS frame is in its payload (RFC 9113, 6.2).
fn fragment(frame: FrameHead, payload: &[u8]) -> Result<std::ops::Range<usize>, Fault> {
    let (mut start, mut end) = (0, payload.len());
    if frame.has(flag::PADDED) {
        let padding = usize::from(*payload.first().ok_or(Fault::FrameSize)?);
        start = 1;
        end = end.checked_sub(padding).ok_or(Fault::Padding)?;
    }
    if frame.has(flag::PRIORITY) {
        start += 5;
        if payload.len() < start {
            return Err(Fault::FrameSize);
        }
    }
    match start <= end {
        true => Ok(start..end),
        false => Err(Fault::Padding),
    }
}

/// Whether a HEADERS frame makes its stream depend on itself (RFC 7540, 5.3.1). RFC 9113 ignores
/// priorities; nobody sends this but to see what happens.
fn depends_on_itself(frame: FrameHead, payload: &[u8]) -> bool {
    if !frame.has(flag::PRIORITY) {
        return false;
    }
    let start = usize::from(frame.has(flag::PADDED));
    let bytes = payload
        .get(start..)
        .and_then(|rest| rest.first_chunk::<4>());
    bytes.is_some_and(|bytes| u32::from_be_bytes(*bytes) & 0x7fff_ffff == frame.stream)
}
