//! What a connection's mux and the sessions of its streams share.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::os::fd::OwnedFd;

use isthmus_proto::http::Method;
use isthmus_proto::http1::Exchange;
use isthmus_proto::http2::{Connection, ErrorCode, Head, Part};
use isthmus_sockets::Moved;

use super::outbound::{Outbound, Unsendable};
use crate::pending::Pending;
use crate::slab::Key;

/// What is known of one stream.
#[derive(Debug)]
pub(super) struct StreamState {
    /// Its session.
    pub(super) owner: Key,
    /// What its session has yet to read.
    inbound: Pending,
    /// DATA among that, whose window is given back once it is read.
    uncredited: usize,
    /// The request's body is framed by chunks.
    chunked: bool,
    /// Nothing follows.
    ended: bool,
    /// The peer or the codec gave it up.
    pub(super) reset: bool,
    outbound: Outbound,
}

/// The codec, and the streams over it.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) codec: Connection,
    pub(super) streams: HashMap<u32, StreamState>,
    /// Streams for which something waits that windows or output had no room for.
    pub(super) blocked: Vec<u32>,
}

/// A connection of HTTP/2.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The same socket as the mux's, to be asked and told things.
    pub(super) socket: OwnedFd,
    /// The session that reads and writes it.
    pub(crate) mux: Key,
    pub(super) inner: RefCell<Inner>,
    /// The mux has something to write, or a stream less.
    pending: Cell<bool>,
    walking: Cell<bool>,
}

impl Shared {
    pub(super) fn new(socket: OwnedFd, mux: Key, codec: Connection) -> Self {
        Self {
            socket,
            mux,
            inner: RefCell::new(Inner {
                codec,
                streams: HashMap::new(),
                blocked: Vec::new(),
            }),
            pending: Cell::new(false),
            walking: Cell::new(false),
        }
    }

    /// Whether the mux is to be walked on; that is told once, and not while it is being walked.
    pub(crate) fn take_pending(&self) -> bool {
        !self.walking.get() && self.pending.replace(false)
    }

    /// Notes that the mux is being walked, or has been: then all is written that could be.
    pub(super) fn walks(&self, walking: bool) {
        self.walking.set(walking);
        self.pending.set(false);
    }

    pub(super) fn receive(&self, id: u32, space: &mut [u8]) -> Moved {
        let mut inner = self.inner.borrow_mut();
        let Inner { codec, streams, .. } = &mut *inner;
        let Some(stream) = streams.get_mut(&id) else {
            return Moved::End;
        };
        let count = stream.inbound.take(space);
        if count == 0 {
            return match (stream.reset, stream.ended) {
                (true, _) => Moved::Broken(isthmus_sockets::Errno::CONNRESET),
                (false, true) => Moved::End,
                (false, false) => Moved::Later,
            };
        }
        if stream.inbound.is_empty() && stream.uncredited > 0 {
            codec.consumed(id, std::mem::take(&mut stream.uncredited));
            self.pending.set(true);
        }
        Moved::Bytes(count)
    }

    /// Whether a stream's session has something to read.
    pub(super) fn holds_inbound(&self, id: u32) -> bool {
        let inner = self.inner.borrow();
        let stream = inner.streams.get(&id);
        stream.is_some_and(|stream| !stream.inbound.is_empty())
    }

    /// Takes what a session writes; all of it, or nothing.
    pub(super) fn send(&self, id: u32, pieces: &[&[u8]]) -> Moved {
        let total = pieces.iter().map(|piece| piece.len()).sum();
        let told = self.tell(id, |outbound, codec| {
            if !outbound.has_room() {
                return Ok(false);
            }
            for piece in pieces {
                outbound.write(id, codec, piece)?;
            }
            Ok(true)
        });
        match told {
            Ok(true) => Moved::Bytes(total),
            Ok(false) => Moved::Later,
            Err(Unsendable) => Moved::Broken(isthmus_sockets::Errno::PIPE),
        }
    }

    /// The session writes no more.
    pub(super) fn finish(&self, id: u32) {
        // What cannot end well is reset when its session goes.
        let _ = self.tell(id, |outbound, codec| outbound.finish(id, codec));
    }

    /// Whether something of a stream waits for room.
    pub(super) fn holds(&self, id: u32) -> bool {
        let inner = self.inner.borrow();
        let stream = inner.streams.get(&id).filter(|stream| !stream.reset);
        stream.is_some_and(|stream| stream.outbound.holds())
    }

    fn tell<T>(
        &self,
        id: u32,
        does: impl FnOnce(&mut Outbound, &mut Connection) -> Result<T, Unsendable>,
    ) -> Result<T, Unsendable> {
        let mut inner = self.inner.borrow_mut();
        let Inner {
            codec,
            streams,
            blocked,
        } = &mut *inner;
        let stream = streams.get_mut(&id).filter(|stream| !stream.reset);
        let stream = stream.ok_or(Unsendable)?;
        self.pending.set(true);
        let outcome = does(&mut stream.outbound, codec);
        if stream.outbound.holds() && !blocked.contains(&id) {
            blocked.push(id);
        }
        outcome
    }

    /// A stream's session is gone. What is not over by now never will be.
    pub(super) fn leave(&self, id: u32) {
        let mut inner = self.inner.borrow_mut();
        let Some(stream) = inner.streams.remove(&id) else {
            return;
        };
        self.pending.set(true);
        inner.blocked.retain(|blocked| *blocked != id);
        if stream.reset {
            return;
        }
        // A response that is whole needs no more of the request (RFC 9113, 8.1).
        let code = match (stream.outbound.is_over(), stream.outbound.holds()) {
            (true, _) => ErrorCode::NO_ERROR,
            (false, _) => ErrorCode::INTERNAL_ERROR,
        };
        inner.codec.send_reset(id, code);
    }
}

impl StreamState {
    /// A stream that a request's head opens.
    pub(super) fn new(owner: Key, head: &Head, end: bool, key: Option<&str>) -> Self {
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
            chunked: !end && !tunnel && head.content_length().is_none(),
            ended: end && tunnel,
            reset: false,
            outbound: Outbound::new(Exchange { method, upgrade }),
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
        } else if self.is_tunnel() {
            self.ended = true;
        }
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
