//! The transport of one end of a session: bytes over a socket.
//!
//! Every reader relies on one property: [`Transport::receive`] gives less than was asked for only
//! when nothing is left, so that the next byte makes a new edge at the poller.

use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use isthmus_sockets::{Moved, receive, send, send_pieces, shutdown_write};

/// One end's way to its peer.
#[derive(Debug)]
pub(crate) enum Transport {
    /// The socket alone.
    Plain(OwnedFd),
}

impl Transport {
    /// The socket under it.
    pub(crate) fn socket(&self) -> &OwnedFd {
        match self {
            Self::Plain(socket) => socket,
        }
    }

    /// Receives into a buffer, which must not be empty.
    pub(crate) fn receive(&mut self, space: &mut [u8]) -> Moved {
        match self {
            Self::Plain(socket) => receive(socket, space),
        }
    }

    /// Sends from a buffer, which must not be empty.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Moved {
        match self {
            Self::Plain(socket) => send(socket, bytes, false),
        }
    }

    /// Sends pieces, which must not all be empty, in one system call.
    pub(crate) fn send_pieces(&mut self, pieces: &[IoSlice<'_>]) -> Moved {
        match self {
            Self::Plain(socket) => send_pieces(socket, pieces),
        }
    }

    /// Tells the peer that no more will be sent.
    pub(crate) fn shutdown_write(&mut self) {
        shutdown_write(self.socket());
    }
}

impl AsFd for Transport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl AsRawFd for Transport {
    fn as_raw_fd(&self) -> RawFd {
        self.socket().as_raw_fd()
    }
}
