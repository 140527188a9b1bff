//! Messages out: heads, bodies, trailers.

use super::connection::Connection;
use super::frame::{FrameHead, HEAD, flag, kind};
use super::guard::Cost;
use super::send_fields::{FieldSink, Line};
use super::settings::MAX_WINDOW;
use super::streams::{Inbound, Outbound, Stream};

/// Fewer bytes than this are not worth a window update that they had to wait for.
const CRUMB: usize = 1024;

/// Why something cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendError {
    /// The stream is closed, or our end of it.
    Closed,
    /// A head behind the head, or trailers or data before it.
    Order,
    /// The head is larger than the peer says that it takes; nothing was sent.
    TooLarge,
    /// No stream can be opened: see [`Connection::can_open`].
    Unopenable,
    /// The peer does not take extended CONNECT (RFC 8441, 3).
    Protocol,
}

/// What a request says before its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLine<'a> {
    /// The method, a token.
    pub method: &'a [u8],
    /// `http` or `https`; left out with CONNECT that is not extended.
    pub scheme: &'a [u8],
    /// Host and port; empty where there is none.
    pub authority: &'a [u8],
    /// Path and query, or `*`; left out with CONNECT that is not extended.
    pub path: &'a [u8],
    /// Of extended CONNECT (RFC 8441): what is spoken in the tunnel.
    pub protocol: Option<&'a [u8]>,
    /// Whether the path is to be in no hop's table ([`super::Head::has_secret_path`]).
    pub secret_path: bool,
}

impl Connection {
    /// Whether a client can open a stream now: fewer are open than both ends allow, the peer is
    /// not leaving, and there are identifiers left.
    #[must_use]
    pub fn can_open(&self) -> bool {
        !self.server
            && self.ended.is_none()
            && self.goaway_received.is_none()
            && self.goaway_sent.is_none()
            && self.next_own <= MAX_WINDOW
            && self.streams.len() < self.most_streams() as usize
    }

    /// How many streams may be open at once: what we allow a client, or both ends ours.
    #[must_use]
    pub fn most_streams(&self) -> u32 {
        let own = self.settings.max_concurrent_streams;
        match self.server {
            true => own,
            false => own.min(self.peer.max_concurrent_streams),
        }
    }

    /// Opens a stream with a request's head, and returns its identifier. `fields` is called with
    /// where to put the fields, and twice if the peer limits the size of heads.
    ///
    /// # Errors
    /// `Unopenable`, `Protocol` and `TooLarge`; nothing was sent then.
    pub fn send_request(
        &mut self,
        line: &RequestLine<'_>,
        end: bool,
        fields: impl FnMut(&mut FieldSink<'_>),
    ) -> Result<u32, SendError> {
        if !self.can_open() {
            return Err(SendError::Unopenable);
        }
        if line.protocol.is_some() && !self.peer.connect_protocol {
            return Err(SendError::Protocol);
        }
        let id = self.next_own;
        self.write_head(id, end, Line::Request(line), fields)?;
        self.next_own += 2;
        self.streams.open(Stream {
            id,
            inbound: Inbound::Head,
            outbound: match end {
                true => Outbound::Ended,
                false => Outbound::Body,
            },
            bodiless: line.method == b"HEAD",
            connect: line.method == b"CONNECT",
            send_window: self.peer.initial_window as i32,
            recv_window: self.initial_recv_window(),
            credit: 0,
            expected: None,
        });
        Ok(id)
    }

    /// Sends a response's head; a status of 1xx is an interim one, and does not end the stream.
    ///
    /// # Errors
    /// `Closed` if the stream is gone, `Order` behind a final head, `TooLarge`.
    pub fn send_response(
        &mut self,
        stream: u32,
        status: u16,
        end: bool,
        fields: impl FnMut(&mut FieldSink<'_>),
    ) -> Result<(), SendError> {
        match self.outbound(stream)? {
            Outbound::Head => {}
            _ => return Err(SendError::Order),
        }
        let interim = status < 200;
        let end = end && !interim;
        self.write_head(stream, end, Line::Response(status), fields)?;
        if !interim {
            self.set_outbound(stream, end);
        }
        Ok(())
    }

    /// Sends the fields behind a body, which end the stream.
    ///
    /// # Errors
    /// `Closed` if the stream is gone, `Order` before the head, `TooLarge`.
    pub fn send_trailers(
        &mut self,
        stream: u32,
        fields: impl FnMut(&mut FieldSink<'_>),
    ) -> Result<(), SendError> {
        match self.outbound(stream)? {
            Outbound::Body => {}
            _ => return Err(SendError::Order),
        }
        self.write_head(stream, true, Line::None, fields)?;
        self.set_outbound(stream, true);
        Ok(())
    }

    /// Sends as much of a body as both windows and the output have room for, and returns how
    /// much that is. With `end` the stream ends once all is taken; no bytes with `end` are always
    /// taken.
    ///
    /// # Errors
    /// `Closed` if the stream is gone, `Order` before the head.
    pub fn send_data(&mut self, stream: u32, bytes: &[u8], end: bool) -> Result<usize, SendError> {
        let room = self.output_room();
        let largest = self.peer.max_frame_size as usize;
        let connection = self.send_window.max(0) as usize;
        match self.outbound(stream)? {
            Outbound::Body => {}
            _ => return Err(SendError::Order),
        }
        let Some(open) = self.streams.get(stream) else {
            return Err(SendError::Closed);
        };
        let window = connection.min(open.send_window.max(0) as usize);
        let taken = bytes.len().min(window).min(room);
        let ends = end && taken == bytes.len();
        let crumb = taken == window && taken < bytes.len() && taken < CRUMB;
        open.send_window -= taken as i32;
        self.send_window -= taken as i32;
        let mut rest = bytes.get(..taken).unwrap_or_default();
        while !rest.is_empty() || ends {
            let (frame, behind) = rest.split_at_checked(largest).unwrap_or((rest, &[]));
            let last = ends && behind.is_empty();
            let flags = if last { flag::END_STREAM } else { 0 };
            self.out.frame(kind::DATA, flags, stream, frame);
            self.guard
                .earn(Cost::WindowUpdate, updates_paid(frame.len(), crumb));
            rest = behind;
            if last {
                break;
            }
        }
        if ends {
            self.set_outbound(stream, true);
        }
        Ok(taken)
    }

    /// How many bytes of a stream's body could be sent now.
    #[must_use]
    pub fn send_room(&mut self, stream: u32) -> usize {
        let most = self.output_room().min(self.send_window.max(0) as usize);
        let open = self.streams.get(stream);
        open.map_or(0, |open| most.min(open.send_window.max(0) as usize))
    }

    fn outbound(&mut self, stream: u32) -> Result<Outbound, SendError> {
        match self.streams.get(stream).map(|stream| stream.outbound) {
            None | Some(Outbound::Ended) => Err(SendError::Closed),
            Some(outbound) => Ok(outbound),
        }
    }

    /// Our head was sent, or our end of the stream is ended.
    fn set_outbound(&mut self, id: u32, end: bool) {
        let Some(stream) = self.streams.get(id) else {
            return;
        };
        if !end {
            stream.outbound = Outbound::Body;
            return;
        }
        stream.outbound = Outbound::Ended;
        if stream.inbound == Inbound::Ended {
            self.close_ended(id);
        }
    }

    /// Encodes a head into the output.
    fn write_head(
        &mut self,
        stream: u32,
        end: bool,
        line: Line<'_>,
        mut fields: impl FnMut(&mut FieldSink<'_>),
    ) -> Result<(), SendError> {
        // Once a field is encoded the table has it: what may not be sent must be known before.
        if self.peer.max_header_list_size < u32::MAX {
            let mut sink = FieldSink::counting();
            sink.line(line);
            fields(&mut sink);
            if sink.size() > u64::from(self.peer.max_header_list_size) {
                return Err(SendError::TooLarge);
            }
        }
        let out = self.out.tail();
        let start = out.len();
        out.extend_from_slice(&[0; HEAD]);
        self.encoder.begin(out);
        let mut sink = FieldSink::writing(&mut self.encoder, out);
        sink.line(line);
        fields(&mut sink);
        let flags = if end { flag::END_STREAM } else { 0 };
        frame_block(out, start, stream, flags, self.peer.max_frame_size as usize);
        Ok(())
    }
}

/// How many window updates a DATA frame is worth: HAProxy 2.6 opens both windows for every part of
/// a frame that it reads. A crumb is worth none.
fn updates_paid(length: usize, crumb: bool) -> i32 {
    match crumb {
        true => 0,
        false => 2 + (length / 512) as i32,
    }
}

/// Puts frame heads to a block that stands behind the room for one.
fn frame_block(out: &mut Vec<u8>, start: usize, stream: u32, flags: u8, largest: usize) {
    let length = out.len() - start - HEAD;
    let head = |length: usize, kind: u8, flags: u8| FrameHead {
        length: length as u32,
        kind,
        flags,
        stream,
    };
    let put = |out: &mut Vec<u8>, head: FrameHead| {
        let place = out
            .get_mut(start..)
            .and_then(|rest| rest.first_chunk_mut::<HEAD>());
        if let Some(place) = place {
            *place = head.bytes();
        }
    };
    if length <= largest {
        put(out, head(length, kind::HEADERS, flags | flag::END_HEADERS));
        return;
    }
    put(out, head(largest, kind::HEADERS, flags));
    let more = out.split_off(start + HEAD + largest);
    let mut pieces = more.chunks(largest).peekable();
    while let Some(piece) = pieces.next() {
        let last = pieces.peek().is_none();
        let flags = if last { flag::END_HEADERS } else { 0 };
        out.extend_from_slice(&head(piece.len(), kind::CONTINUATION, flags).bytes());
        out.extend_from_slice(piece);
    }
}
