//! A call as its session holds it: what the service says becomes the body of a message, as a
//! server would have framed it.

use std::sync::Arc;

use isthmus_proto::http::Body;

use super::channel::{Channel, Piece};
use crate::http::body::{LAST_CHUNK, push_chunk};

/// What comes next of an answer's body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// So many bytes were copied.
    Bytes(usize),
    /// Nothing yet.
    Later,
    /// No more, though the head promised them or not.
    Cut,
}

/// The worker's end of a call. Dropping it tells the service that nobody waits any more.
pub(crate) struct Serving {
    pub(super) channel: Arc<Channel>,
    /// What comes next of the body, framed, and how much of it has gone on.
    framed: Vec<u8>,
    at: usize,
    data: Vec<u8>,
    chunked: bool,
    ended: bool,
    /// Bytes of the request's body that were thrown away.
    pub(super) spilled: u64,
    /// The service was told that the request's body is whole.
    pub(super) told: bool,
}

impl Serving {
    pub(super) fn new(channel: Arc<Channel>) -> Self {
        Self {
            channel,
            framed: Vec::new(),
            at: 0,
            data: Vec::new(),
            chunked: false,
            ended: false,
            spilled: 0,
            told: false,
        }
    }

    /// The head was taken: this body follows.
    pub(super) fn begin(&mut self, body: Body) {
        self.chunked = body == Body::Chunked;
        if matches!(body, Body::None | Body::Length(0)) {
            self.channel.spare();
        }
    }

    /// Copies what comes next of the body.
    pub(crate) fn read(&mut self, space: &mut [u8]) -> Next {
        if self.at >= self.framed.len() {
            match self.refill() {
                Piece::Data => {}
                Piece::Later => return Next::Later,
                Piece::End | Piece::Broken => return Next::Cut,
            }
        }
        let rest = self.framed.get(self.at..).unwrap_or_default();
        let count = rest.len().min(space.len());
        if let (Some(space), Some(rest)) = (space.get_mut(..count), rest.get(..count)) {
            space.copy_from_slice(rest);
        }
        self.at += count;
        Next::Bytes(count)
    }

    fn refill(&mut self) -> Piece {
        self.framed.clear();
        self.data.clear();
        self.at = 0;
        if self.ended {
            return Piece::End;
        }
        let piece = self.channel.take(&mut self.data);
        match piece {
            Piece::Data if self.chunked => push_chunk(&self.data, &mut self.framed),
            Piece::Data => std::mem::swap(&mut self.framed, &mut self.data),
            Piece::End if self.chunked => {
                self.ended = true;
                self.framed.extend_from_slice(LAST_CHUNK);
                return Piece::Data;
            }
            Piece::End | Piece::Later | Piece::Broken => {}
        }
        piece
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.channel.leave();
    }
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "call {}", self.channel.number)
    }
}
