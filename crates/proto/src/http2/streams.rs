//! The streams of a connection that are not closed, and how the last ones were closed.

use super::settings::MAX_WINDOW;

/// How many closed streams are remembered: what a peer may have on its way to us about streams
/// that we reset is no error.
const REMEMBERED: usize = 128;

/// What may come next on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inbound {
    /// A response's head; only clients wait for one.
    Head,
    /// DATA or trailers.
    Body,
    /// DATA only: the stream is a tunnel.
    Tunnel,
    /// Nothing: the peer ended it.
    Ended,
}

/// What we may send next on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outbound {
    /// A response's head.
    Head,
    /// DATA or trailers.
    Body,
    /// Nothing: we ended it.
    Ended,
}

/// A stream that is open or half-closed (RFC 9113, 5.1).
///
/// ```text
///   server: Head ---HEADERS in---> { Inbound::Body, Outbound::Head }
///   client: --HEADERS out--------> { Inbound::Head, Outbound::Body }
///   END_STREAM in: Inbound::Ended; END_STREAM out: Outbound::Ended; both, or RST_STREAM: gone
/// ```
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    pub id: u32,
    pub inbound: Inbound,
    pub outbound: Outbound,
    /// Whether the peer's message has no body whatever its fields say (an answer to HEAD).
    pub bodiless: bool,
    /// The request is CONNECT: what follows a 2xx is a tunnel.
    pub connect: bool,
    /// What we may send; below zero after the peer lowered its initial window.
    pub send_window: i32,
    /// What the peer may send.
    pub recv_window: i32,
    /// What the caller has passed on and the peer was not told of yet.
    pub credit: u32,
    /// What the body still lacks, if Content-Length says.
    pub expected: Option<u64>,
}

/// How a stream was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Closed {
    /// Both ends had ended it.
    Ended = 0,
    /// We reset it: whatever comes is ignored.
    ByUs = 1,
    /// The peer reset it.
    ByPeer = 2,
}

/// Open streams in the order of their identifiers, which is that of their opening: a new one is
/// last, and one is found by bisection.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: Vec<Stream>,
    /// A ring; in each the identifier without its lowest bit, which tells client from server
    /// and so is always one, and the manner in its place.
    closed: Vec<u32>,
    next: usize,
}

impl Streams {
    pub fn len(&self) -> usize {
        self.open.len()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.open.iter_mut()
    }

    #[inline]
    fn place(&self, id: u32) -> Option<usize> {
        self.open.binary_search_by_key(&id, |stream| stream.id).ok()
    }

    pub fn contains(&self, id: u32) -> bool {
        self.place(id).is_some()
    }

    #[inline]
    pub fn get(&mut self, id: u32) -> Option<&mut Stream> {
        let place = self.place(id)?;
        self.open.get_mut(place)
    }

    /// Adds a stream, whose identifier is higher than all before it.
    pub fn open(&mut self, stream: Stream) {
        self.open.push(stream);
    }

    /// Forgets a stream, but for how it was closed. False if it was not open.
    pub fn close(&mut self, id: u32, how: Closed) -> bool {
        let Some(place) = self.place(id) else {
            return false;
        };
        self.open.remove(place);
        self.push_closed(id, how);
        true
    }

    /// Remembers how a stream was closed that is not open: refused, or closed before in another
    /// manner.
    pub fn remember(&mut self, id: u32, how: Closed) {
        let same = |packed: &&mut u32| **packed >> 2 == id >> 1;
        match self.closed.iter_mut().find(same) {
            Some(packed) => *packed = (*packed & !3) | how as u32,
            None => self.push_closed(id, how),
        }
    }

    fn push_closed(&mut self, id: u32, how: Closed) {
        let packed = ((id >> 1) << 2) | how as u32;
        match self.closed.get_mut(self.next) {
            Some(place) => *place = packed,
            None => self.closed.push(packed),
        }
        self.next = (self.next + 1) % REMEMBERED;
    }

    /// How a stream was closed, if that is still known.
    pub fn closed(&self, id: u32) -> Option<Closed> {
        let packed = self.closed.iter().find(|packed| **packed >> 2 == id >> 1)?;
        Some(match packed & 3 {
            0 => Closed::Ended,
            1 => Closed::ByUs,
            _ => Closed::ByPeer,
        })
    }

    /// Closes all streams behind `last` as reset by the peer.
    pub fn close_behind(&mut self, last: u32) {
        while let Some(stream) = self.open.last().filter(|stream| stream.id > last) {
            let id = stream.id;
            self.open.pop();
            self.push_closed(id, Closed::ByPeer);
        }
    }

    /// Gives memory back while there is no stream.
    pub fn shrink(&mut self) {
        if self.open.is_empty() {
            self.open = Vec::new();
        }
    }
}

/// A window after a change, if it stays below 2^31 (RFC 9113, 6.9.1).
#[inline]
pub(super) fn changed(window: i32, by: i64) -> Option<i32> {
    let changed = i64::from(window) + by;
    i32::try_from(changed)
        .ok()
        .filter(|window| i64::from(*window) <= i64::from(MAX_WINDOW))
}
