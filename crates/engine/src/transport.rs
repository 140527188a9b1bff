//! The transport of one end of a session: bytes over a socket, alone or under TLS.
//!
//! Every reader relies on one property: [`Transport::receive`] gives less than was asked for only
//! when nothing is left, so that the next byte makes a new edge at the poller.

use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::rc::Rc;

use isthmus_sample::TlsFacts;
use isthmus_sockets::{Moved, holds_bytes, receive, send, send_pieces, shutdown_write};
use isthmus_tls::Channel;

use crate::secured::{Handshake, Secured};

/// One end's way to its peer.
#[derive(Debug)]
pub(crate) struct Transport {
    socket: OwnedFd,
    tls: Option<Box<Secured>>,
}

impl Transport {
    /// The socket alone.
    pub(crate) fn plain(socket: OwnedFd) -> Self {
        Self { socket, tls: None }
    }

    /// Whether the socket carries the session's own bytes, so that the kernel may move them.
    pub(crate) fn is_plain(&self) -> bool {
        self.tls.is_none()
    }

    /// What is known of the TLS over the socket.
    pub(crate) fn channel(&self) -> Option<&Channel> {
        self.tls.as_deref().map(|tls| &tls.channel)
    }

    /// What is known of the server's TLS, where anybody asks.
    pub(crate) fn facts(&self) -> Option<&Rc<TlsFacts>> {
        self.tls.as_ref()?.facts.as_ref()
    }

    /// The TLS over the socket.
    pub(crate) fn secured(&mut self) -> Option<&mut Secured> {
        self.tls.as_deref_mut()
    }

    /// Lays TLS over the socket, from which `received` was read already; `prefix` is sent before it
    /// in the clear.
    pub(crate) fn secure(&mut self, channel: Channel, received: &[u8], prefix: &[u8]) {
        self.tls = Some(Box::new(Secured::new(channel, received, prefix)));
    }

    /// Goes on with TLS' handshake.
    pub(crate) fn shake_hands(&mut self) -> Handshake {
        match &mut self.tls {
            None => Handshake::Done,
            Some(tls) => tls.shake_hands(&self.socket),
        }
    }

    /// Receives into a buffer, which must not be empty.
    pub(crate) fn receive(&mut self, space: &mut [u8]) -> Moved {
        match &mut self.tls {
            None => receive(&self.socket, space),
            Some(tls) => tls.receive(&self.socket, space),
        }
    }

    /// Sends from a buffer, which must not be empty. Bytes that count as sent may still wait here,
    /// encrypted: see [`Transport::holds_sealed`].
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Moved {
        match &mut self.tls {
            None => send(&self.socket, bytes, false),
            Some(tls) => tls.send(&self.socket, bytes),
        }
    }

    /// Sends pieces, which must not all be empty, in one system call.
    pub(crate) fn send_pieces(&mut self, pieces: &[IoSlice<'_>]) -> Moved {
        match &mut self.tls {
            None => send_pieces(&self.socket, pieces),
            Some(tls) => tls.send_pieces(&self.socket, pieces),
        }
    }

    /// Whether encrypted bytes wait for the socket.
    pub(crate) fn holds_sealed(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.holds_sealed())
    }

    /// Sends encrypted bytes that wait: [`Moved::Bytes`] if none does any more.
    pub(crate) fn flush(&mut self) -> Moved {
        match &mut self.tls {
            None => Moved::Bytes(0),
            Some(tls) => tls.flush(&self.socket),
        }
    }

    /// Tells the peer, within TLS, that no more will be sent: a connection that is cut short must
    /// not look as if it had ended.
    pub(crate) fn say_goodbye(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.say_goodbye(&self.socket);
        }
    }

    /// Tells the peer that no more will be sent.
    pub(crate) fn shutdown_write(&mut self) {
        self.say_goodbye();
        shutdown_write(&self.socket);
    }

    /// Whether bytes of the peer's wait that came with others, already decrypted.
    pub(crate) fn holds_plain(&self) -> bool {
        self.channel().is_some_and(Channel::holds_plain)
    }

    /// Whether the peer sent bytes that nobody has received yet.
    pub(crate) fn holds_bytes(&self) -> bool {
        self.holds_plain() || holds_bytes(&self.socket)
    }
}

impl AsFd for Transport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for Transport {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}
