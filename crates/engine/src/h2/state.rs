//! What is known of one stream: what its session has yet to read, and what it writes.

use std::rc::Rc;

use isthmus_proto::http::Method;
use isthmus_proto::http1::Exchange;
use isthmus_proto::http2::{Connection, ErrorCode, Head, Part};

use super::outbound::Outbound;
use super::secrets::Secrets;
use crate::pending::Pending;
use crate::slab::Key;

/// What is known of one stream.
#[derive(Debug)]
pub(super) struct StreamState {
    /// Its session.
    pub(super) owner: Key,
    /// What its session has yet to read.
    pub(super) inbound: Pending,
    /// DATA among that, whose window is given back once it is read.
    pub(super) uncredited: usize,
    /// What comes in is framed by chunks.
    chunked: bool,
    /// Nothing follows.
    pub(super) ended: bool,
    /// The peer or the codec gave it up.
    pub(super) reset: bool,
    /// The peer gave it up before it looked at it.
    pub(super) refused: bool,
    /// The peer gave it up, or the connection is over; with which code it did.
    pub(super) lost: bool,
    pub(super) code: Option<u32>,
    /// The request was ours.
    asks: bool,
    /// How consent to the tunnel that was asked for is written.
    opening: Option<Opening>,
    /// Fields of the last head that are to be in no table.
    pub(super) secrets: Option<Rc<Secrets>>,
    pub(super) outbound: Outbound,
}

/// What a client of HTTP/1 is told of its tunnel, which HTTP/2 leaves out (RFC 8441, 5).
#[derive(Debug)]
pub(super) enum Opening {
    /// That the key of its WebSocket was seen.
    WebSocket(Vec<u8>),
    /// Which other protocol is spoken.
    Other(Vec<u8>),
}

impl StreamState {
    /// A stream that a client's request opens.
    pub(super) fn asked(owner: Key, head: &Head, end: bool, key: Option<&str>) -> Self {
        let tunnel = head.method() == Method::Connect;
        let mut inbound = Pending::default();
        let text = inbound.bytes_mut();
        text.reserve(head.text().len() + 64);
        head.write_http1(end, text);
        if let Some(key) = key {
            // Behind the last field, before the empty line.
            text.truncate(text.len().saturating_sub(2));
            text.extend_from_slice(b"sec-websocket-key: ");
            text.extend_from_slice(key.as_bytes());
            text.extend_from_slice(b"\r\n\r\n");
        }
        let upgrade = head.protocol().is_some();
        let method = if upgrade { Method::Get } else { head.method() };
        Self {
            owner,
            inbound,
            uncredited: 0,
            chunked: head.is_chunked(end),
            ended: end && tunnel,
            reset: false,
            refused: false,
            lost: false,
            code: None,
            asks: false,
            opening: None,
            secrets: Secrets::of(head),
            outbound: Outbound::response(Exchange { method, upgrade }),
        }
    }

    /// A stream that a request of ours opened; `outbound` is what follows its head.
    pub(super) fn asking(owner: Key, outbound: Outbound, opening: Option<Opening>) -> Self {
        Self {
            owner,
            inbound: Pending::default(),
            uncredited: 0,
            chunked: false,
            ended: false,
            reset: false,
            refused: false,
            lost: false,
            code: None,
            asks: true,
            opening,
            secrets: None,
            outbound,
        }
    }

    /// The peer gave it up, or the connection is over.
    pub(super) fn lose(&mut self, refused: bool, code: Option<ErrorCode>) {
        self.reset = true;
        self.lost = true;
        self.refused = refused;
        self.code = code.map(|code| code.0);
    }

    /// A head came: of the response, or the trailers behind a body.
    pub(super) fn head(&mut self, head: &Head, end: bool) {
        if head.part() == Part::Trailers {
            return self.end(Some(head));
        }
        self.secrets = Secrets::of(head);
        let text = self.inbound.bytes_mut();
        let tunnel = self.outbound.is_tunnel() && (200..300).contains(&head.status());
        match &self.opening {
            Some(Opening::WebSocket(proof)) if tunnel => head.write_http1_websocket(proof, text),
            Some(Opening::Other(protocol)) if tunnel => head.write_http1_upgrade(protocol, text),
            _ => head.write_http1(end, text),
        }
        if head.part() == Part::Response {
            self.chunked = !tunnel && head.is_chunked(end);
            self.ended = end;
        }
    }

    /// DATA came.
    pub(super) fn data(&mut self, bytes: &[u8], end: bool) {
        self.uncredited += bytes.len();
        if self.chunked {
            crate::http::push_chunk(bytes, self.inbound.bytes_mut());
        } else {
            self.inbound.push(bytes);
        }
        if end {
            self.end(None);
        }
    }

    /// The request ends, with or without trailers.
    pub(super) fn end(&mut self, trailers: Option<&Head>) {
        if self.chunked {
            self.inbound.push(b"0\r\n");
            match trailers.filter(|head| head.part() == Part::Trailers) {
                Some(head) => head.write_http1(true, self.inbound.bytes_mut()),
                None => self.inbound.push(b"\r\n"),
            }
        }
        // A client that sends no more still awaits its response.
        self.ended |= self.asks || self.is_tunnel();
    }

    fn is_tunnel(&self) -> bool {
        self.outbound.is_tunnel()
    }

    pub(super) fn flush(&mut self, id: u32, codec: &mut Connection) -> bool {
        if self.outbound.flush(id, codec).is_err() {
            self.reset = true;
        }
        !self.outbound.holds()
    }
}
