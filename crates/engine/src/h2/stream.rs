//! The client's end of a stream's session, in place of a socket.

use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use isthmus_sockets::Moved;

use super::connection::Shared;

/// One stream of a connection. When it goes, what is not over yet is reset.
#[derive(Debug)]
pub(crate) struct Stream {
    shared: Rc<Shared>,
    id: u32,
}

impl Stream {
    pub(super) fn new(shared: Rc<Shared>, id: u32) -> Self {
        Self { shared, id }
    }

    /// The connection that it is a part of.
    pub(crate) fn connection(&self) -> &Rc<Shared> {
        &self.shared
    }

    /// The connection's socket.
    pub(crate) fn socket(&self) -> &OwnedFd {
        &self.shared.socket
    }

    pub(crate) fn receive(&mut self, space: &mut [u8]) -> Moved {
        self.shared.receive(self.id, space)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Moved {
        self.shared.send(self.id, &[bytes])
    }

    pub(crate) fn send_pieces(&mut self, pieces: &[IoSlice<'_>]) -> Moved {
        let pieces: Vec<&[u8]> = pieces.iter().map(|piece| &**piece).collect();
        self.shared.send(self.id, &pieces)
    }

    /// Whether what was sent waits for the peer to open its window.
    pub(crate) fn holds(&self) -> bool {
        self.shared.holds(self.id)
    }

    /// Whether bytes wait to be received.
    pub(crate) fn holds_bytes(&self) -> bool {
        self.shared.holds_inbound(self.id)
    }

    /// The session writes no more.
    pub(crate) fn finish(&mut self) {
        self.shared.finish(self.id);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.shared.leave(self.id);
    }
}
